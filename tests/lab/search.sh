#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The command line of searches, as TAP: a seed that breaks something, a smaller schedule, lanes, and a replay file that
# breaks the same rule at the same step. The bug is one that a policy brings back (gmem's B16).
#
# Usage: tests/lab/search.sh TDXSIM
set -u
tdxsim=$(realpath "$1")
scn=$(cd "$(dirname "$0")/../scenarios" && pwd)/race-memory-failure.scn
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

n=0 bad=0
check() { # what, then a command that has to succeed
	local what=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $what"
	else
		bad=$((bad + 1))
		echo "not ok $n - $what"
		sed 's/^/# /' out | head -40
	fi
}
run() { # status, arguments
	local want=$1
	shift
	"$tdxsim" run "$@" >out 2>&1
	[ $? = "$want" ]
}
says() { grep -qE "$1" out; }
broke_at() { grep -oE 'oracle [a-z-]+ broke at step [0-9]+' "$1"; }
spin=(--set gmem.toshared_refs=SPIN)

check 'a search finds the bug' run 4 "${spin[@]}" --runs 100 --replay found.replay "$scn"
check 'and says how' says 'random: run [0-9]+ of at most 100, seed [0-9]+, breaks rule bounded-spin'
seed=$(grep -oE 'seed [0-9]+, breaks' out | grep -oE '[0-9]+')
broke_at out >first
check 'that seed alone breaks it too' run 4 "${spin[@]}" --seed "$seed" --replay seed.replay "$scn"
broke_at out >second
check 'at the same step' cmp -s first second

check 'minimised' run 4 "${spin[@]}" --runs 100 --minimise --lanes --replay small.replay "$scn"
check 'to one preemption' says 'minimised in [0-9]+ runs: preemptions 1 \(of [0-9]+\), faults 0'
check 'lanes have a column for each actor' says '^ +step \| host +\| host1 +\| vcpu0$'
check 'a mark where the schedule is not in order' says '^ +\*[0-9]+ \|'
check 'the reference that nobody can wait for' says 'takes a reference \(lookup\)'
check 'and the rule below' says '\*\*\* bounded-spin breaks'
check 'no colour in a pipe' bash -c '! grep -q "$(printf "\033")" out'
check 'no lane is wider than 120' bash -c '! grep -qE "^.{121}" <(grep "|" out)'
broke_at out >first
run 4 small.replay
broke_at out >second
check 'the replay file breaks it at the same step' cmp -s first second
run 4 "${spin[@]}" --schedule small.replay "$scn"
broke_at out >second
check 'and so does its schedule' cmp -s first second
sed 's/^schedule .*/schedule 99999999 host1/' small.replay >far.replay
check 'a choice that the run does not come to' run 0 far.replay
check 'is told' says 'no longer fits: 1 choices not come to, the first at step 99999999'
sed 's/^\(schedule .*\) host1/\1 host7/' small.replay >nobody.replay
check 'a choice of an actor that is not there' run 0 nobody.replay
check 'too' says 'does not fit: 1 choices left out'
check 'a minimised schedule stays as it is' run 4 "${spin[@]}" --schedule small.replay --minimise "$scn"
broke_at out >second
check 'to the step' cmp -s first second

check 'pct' run 0 --chooser pct --depth 2 --runs 20 "$scn"
check 'prints its guarantee' says '^  pct: a bug of depth 2 shows with probability 1/\(n\*k\^\(d-1\)\) = 1/\(3\*[0-9]+\^1\) = 0\.[0-9]+ or more in a run, 0\.[0-9]+ or more in 20 runs'
check 'and that nothing broke' says 'pct: 20 runs, seeds 1 to 20, and nothing broke'
check 'no guarantee is certainty' run 0 --chooser pct --depth 1 --runs 40 "$scn"
check 'however many runs' says '0\.999 or more in 40 runs'
check 'one run of it' run 0 --chooser pct --seed 5 "$scn"
check 'at depth 3' says 'a bug of depth 3'
check 'TAP has it as a diagnostic' run 0 --chooser pct --format tap "$scn"
check 'of one line' says '^# pct: a bug of depth 3'

printf 'host: build\nhost: destroy\n' >alone.scn
check 'lanes without a parallel block' run 0 --lanes alone.scn
check 'say that there is nothing' says '^  lanes: nothing to show'
printf 'td vcpus=2\nvcpu0: accept slot0 2M\nvcpu1: read slot0\nparallel {\n vcpu0: write slot0 1\n vcpu1: write slot0 2\n}\nexpect data slot0 2\n' >exp.scn
check 'a failed expectation is found as well' run 1 --runs 100 --minimise --replay exp.replay exp.scn
check 'with its line' says 'breaks the expectation of line 8'
check 'and its replay fails' run 1 exp.replay

interrupted() { # seconds, arguments
	timeout --preserve-status -s INT "$1" "$tdxsim" run "${@:2}" >out 2>&1
}
check 'an interrupt ends a search, and what was run held' interrupted 1 --runs 1000000000 "$scn" "$scn"
check 'and it says how far it came' says 'random: [0-9]+ runs \(stopped by an interrupt before all were done\), seeds 1 to [0-9]+, and nothing broke'
check 'and what was left out' says '^stopped by an interrupt: 1 of 2 files were not run'

check 'no schedule with a seed' run 2 --schedule found.replay --seed 1 "$scn"
check 'no depth without pct' run 2 --depth 2 "$scn"
check 'no depth of 0' run 2 --chooser pct --depth 0 "$scn"
check 'no runs in order' run 2 --chooser in-order --runs 2 "$scn"
check 'no run at all' run 2 --runs 0 "$scn"
check 'no such chooser' run 2 --chooser rnadom "$scn"
check 'but a near one' says 'did you mean "random"'
echo "1..$n"
[ $bad = 0 ]
