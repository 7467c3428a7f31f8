#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdxsim fuzz and shrink by the command line: exit classes, messages, files; bytes to text and back. What they do is
# tested in test_fuzz.c and test_bytes.c. Output is TAP.
# Usage: tests/lab/fuzz.sh build/tools/tdxsim
set -u
tdxsim=$(realpath "$1")
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

n=0 bad=0
check() { # name, expected exit status, text that the output must have, command...
	local name=$1 want=$2 text=$3 got
	shift 3
	"$@" >out 2>&1 </dev/null
	got=$?
	n=$((n + 1))
	if [ $got = "$want" ] && grep -qF -- "$text" out; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		echo "# exit $got, expected $want; expected to see: $text"
		sed 's/^/# /' out | head -20
		bad=1
	fi
}

check "a clean machine" 0 'runs=200 ' "$tdxsim" fuzz --defaults --runs 200 --corpus corpus --out findings
check "going on where it stopped" 0 'runs=300 ' "$tdxsim" fuzz --defaults --runs 300 --corpus corpus --out findings
check "all of it done already" 0 'nothing to do: --corpus corpus has 300 runs' "$tdxsim" fuzz --defaults --runs 300 --corpus corpus
check "another seed needs another corpus" 2 'corpus/state:2:1: found "seed 1", expected seed 2; take another' \
	"$tdxsim" fuzz --seed 2 --runs 10 --corpus corpus
check "merge" 0 'findings=0' "$tdxsim" fuzz --merge --corpus all corpus
check "merge needs a corpus" 2 'needs --corpus' "$tdxsim" fuzz --merge corpus
check "merge needs directories" 2 'found no operand' "$tdxsim" fuzz --merge --corpus all
check "an operand too much" 2 'found "x", expected no operand' "$tdxsim" fuzz x
check "a directory that is not there" 2 'nowhere' "$tdxsim" fuzz --merge --corpus all nowhere
check "findings are files in a directory" 2 '--out all/state: ' "$tdxsim" fuzz --runs 10 --out all/state
check "no job, no run" 2 'expected 1 to 4096' "$tdxsim" fuzz --runs 10 --jobs 0
check "a directory is no input" 2 'all: Is a directory' "$tdxsim" fuzz --print all
check "no short program" 2 'expected 1 or more' "$tdxsim" fuzz --exhaustive 0
check "nothing was run, no totals" 0 'no totals' sh -c '"$0" fuzz --runs 1 --known nowhere | grep runs= || echo no totals' "$tdxsim"
check "print or encode" 2 'one of --print and --encode' "$tdxsim" fuzz --print machine.scn --encode machine.scn
check "every short program" 0 'findings=0' "$tdxsim" fuzz --exhaustive 1
check "two designs" 0 'findings=0' "$tdxsim" fuzz --defaults --runs 60 --diff v5,v3
check "one design" 2 'expected two policies' "$tdxsim" fuzz --diff v5
check "no such design" 2 'v9' "$tdxsim" fuzz --diff v5,v9 --runs 1
printf 'gmem disk size=4M backing=4k\nslot 0 gpa=0x80000000 size=4M gmem=disk+0\nhost: prefault slot0 4K\n' >machine.scn
check "a machine without a byte form" 2 'machine.scn:1:1: found a value that has no byte form' \
	"$tdxsim" fuzz --machine machine.scn --runs 10
sed -i 's/disk/g0/' machine.scn
check "a given machine" 0 'findings=0' "$tdxsim" fuzz --machine machine.scn --runs 100 --corpus given
check "and no other" 0 "$(ls given | grep -c -)" sh -c \
	'for i in given/*-*; do "$0" fuzz --print $i; done | grep -c "^gmem g0 size=4M backing=4k$"' "$tdxsim"
check "a machine or the default one" 2 'one of --machine and --defaults' \
	"$tdxsim" fuzz --machine machine.scn --defaults --runs 10
mkdir told
printf 'host: build step=vm\nhost: build step=finalize\n' >told/a.scn
check "a finding" 4 'findings=1' "$tdxsim" fuzz --runs 1 --corpus told
rm -f told/state told/0*
mkdir known
(cat told/a.scn && echo 'expect violation tdx-bug') >known/a.scn
check "a known one" 0 'findings=0' "$tdxsim" fuzz --runs 1 --corpus told --known known
rm -f told/state told/0*
sed -i '1i kvm zap_error=return' known/a.scn
check "known, but of another policy" 4 'findings=1' "$tdxsim" fuzz --runs 1 --corpus told --known known
sed -i 's/tdx-bug/warn/' known/a.scn
check "known, but not so" 2 'does not break warn' "$tdxsim" fuzz --runs 1 --known known
check "help" 0 '--exhaustive N' "$tdxsim" fuzz --help

grep -v '^expect\|^ *expect' "$top/tests/scenarios/race-punch.scn" >plain.scn
"$tdxsim" fuzz --encode plain.scn >bytes 2>err
"$tdxsim" fuzz --print bytes >text.scn
"$tdxsim" fuzz --encode text.scn >again 2>>err
check "text to bytes and back" 0 same bash -c 'cmp bytes again && echo same'
check "an input as text" 0 'parallel {' "$tdxsim" fuzz --print bytes
check "no such input" 2 'nothing' "$tdxsim" fuzz --print nothing

cat >fails.scn <<'S'
host:  prefault slot0+2M 2M
vcpu0: accept slot0 2M
vcpu1: write slot0+8K 0x5
host:  convert slot0+4K 8K shared
expect attr slot0+8K private
S
check "shrink to standard output" 0 'host: convert slot0+4K 8K shared' "$tdxsim" shrink fails.scn
check "shrink to a file" 0 '1 of 4 actions' "$tdxsim" shrink --out short.scn fails.scn
check "what was shrunk fails" 1 'expectation failed' "$tdxsim" run short.scn
check "what holds" 1 'everything holds' "$tdxsim" shrink plain.scn
printf 'host: conver slot0 4K shared\n' >typo.scn
check "shrink of a typo" 2 'did you mean "convert"' "$tdxsim" shrink typo.scn
check "shrink of nothing" 2 'expected FILE' "$tdxsim" shrink
printf 'schedule 5 host\nschedule 4 host\nhost: build\n' >order.scn
check "schedule lines out of order" 2 'found step 4, expected one from 6 on' "$tdxsim" run order.scn
echo "1..$n"
exit $bad
