#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The command line as people and scripts meet it: exit classes, messages about input, report and trace formats, replay.
# TAP. What a scenario means is tested elsewhere.
#
# Usage: tests/lab/cli.sh TDXSIM
set -u
tdxsim=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
unset NO_COLOR

n=0 bad=0
check() { # what, command...: the command has to succeed
	local what=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $what"
	else
		bad=$((bad + 1))
		echo "not ok $n - $what"
		head -30 out err | sed 's/^/# /'
	fi
}
skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}
run() { # arguments of "tdxsim run"; leaves out, err and $status
	"$tdxsim" run "$@" >out 2>err
	status=$?
}
is() { [ "$status" = "$1" ]; }
has() { grep -qF -- "$2" "$1"; }
lines() { [ "$(wc -l <"$1")" = "$2" ]; }
shows() { # file, lines of text that it has one after the other
	local file=$1 i
	shift
	for i in "$@"; do
		grep -qF -- "$i" "$file" || return 1
	done
}

# --- scenarios of each class ------------------------------------------------------------------------------------------
printf '# one line\nvcpu0: accept slot0 2M\nexpect map slot0 level=2M\n' >holds.scn
printf 'vcpu0: accept slot0 2M\nexpect map slot0 level=4K state=mapped\n' >wrong.scn
printf '# a comment\n  vcpu0: acept slot0 2M\n' >typo.scn
# Folios are split, the S-EPT can't be, and by the size rule no leaf may be larger than its folio: gmem.md B2.
cat >broken.scn <<'E2'
td   vcpus=2
gmem g0 size=4M conv_order=PLAN7_SEPT size_rule=FOLIO
vcpu0: accept slot0 4M
inject enomem site=external-spt-alloc actor=host
parallel {
  vcpu0: write slot0+8K 0x1
  vcpu1: write slot0+2M 0x2
  host:  convert slot0+4K 4K shared
}
E2
# A reference that never goes, and a conversion that spins for it: gmem.md I17.
cat >stuck.scn <<'E2'
gmem g0 size=4M toshared_refs=SPIN
vcpu0: accept slot0 2M
inject ref gpa=slot0 kind=pin
host: convert slot0 4K shared
E2

run holds.scn
check "0: everything held" is 0
check "0: nothing on stderr" lines err 0

run wrong.scn
check "1: a wrong expectation" is 1
check "1: shows FILE:LINE, expected, seen and events" shows out 'wrong.scn:2: expectation failed' \
	'expected: map slot0 level=4K state=mapped' 'seen:     level=2M state=mapped' 'events since the last action (line 1' \
	'leaf=TDH.MEM.PAGE.AUG'

run broken.scn --replay broken.replay
check "4: an oracle broke" is 4
check "4: names the oracle and where the actors are" shows out 'oracle leaf-within-folio broke' 'vcpu0 ' 'host ' \
	'replay file: broken.replay'

run stuck.scn --replay stuck.replay
check "5: no progress" is 5
check "5: says who waits for what, and holds what" shows out deadlock 'waits for folio reference to go' \
	'holds invalidate_lock' 'replay file: stuck.replay'
run --budget 10 --replay budget.replay holds.scn
check "5: the step budget" is 5
check "5: and how to raise it" has out '(--budget allows more)'

# --- bad input --------------------------------------------------------------------------------------------------------
run typo.scn
check "2: a typo" is 2
check "2: FILE:LINE:COLUMN, found, expected, nearest word" shows err 'typo.scn:2:10: found "acept"' 'expected' \
	'did you mean "accept"?'
check "2: the line and a caret under the word" shows err '    vcpu0: acept slot0 2M' '           ^~~~~'
check "2: nothing ran" lines out 0

for word in 'modul profile=1.5.28|1:1|module' 'module profle=1.5.28|1:8|profile' 'module profile=1.5.82|1:16|1.5.28' \
	'host: convert slot0 4K shraed|1:24|shared' 'expect stat overzap_byte == 0|1:13|overzap_bytes' \
	'inject busy leaf=TDH.MEM.PAGE.DEMOT|1:18|TDH.MEM.PAGE.DEMOTE' 'inject enomem site=spt-aloc|1:20|spt-alloc' \
	'kvm tdx_hugepage=on|1:5|tdx_huge_page' 'gmem g0 backing=hugetlb2m|1:17|hugetlb-2m' \
	'expect violation no-stale-translaton|1:18|no-stale-translation'; do
	IFS='|' read -r text at near <<<"$word"
	printf '%s\n' "$text" >word.scn
	run word.scn
	check "2: $text" shows err "word.scn:$at: found" "did you mean \"$near\"?"
done

mkdir dir.scn
: >empty.scn
head -c 4000 "$tdxsim" >binary.scn
{ printf '# ' && head -c 10000000 /dev/zero | tr '\0' a && echo; } >long.scn
{ printf 'host: convert ' && head -c 900000 /dev/zero | tr '\0' 9 && echo; } >longword.scn
for f in 'dir directory' 'empty empty' 'binary binary' 'long larger' 'missing such'; do
	read -r file word <<<"$f"
	run "$file.scn"
	check "2: $file.scn is refused" is 2
	check "2: $file.scn: one clear line" lines err 1
	check "2: $file.scn: it says why" shows err "$file.scn: " "$word"
done
printf '\357\273\277vcpu0: accept slot0 2M\n' >bom.scn
run bom.scn
check "2: a byte order mark is named, for nobody sees it" eval 'is 2 && has err "byte order mark"'
seq 25 | sed 's/^/x/' >many.scn
run many.scn
check "2: errors that are not shown are counted" shows err "many.scn:20:1: " "many.scn: 5 more errors"
run longword.scn
check "2: a very long word is refused" is 2
check "2: and not printed whole" test "$(wc -c <err)" -lt 2000
run --sed 7 holds.scn
check "2: an unknown option, and the nearest" shows err --sed 'did you mean "--seed"'
run --seed x holds.scn
check "2: an option's value" is 2
run --seed 18446744073709551616 holds.scn
check "2: a seed of more than 64 bits is no other seed" eval 'is 2 && has err "64 bits"'
run
check "2: no file at all" is 2
"$tdxsim" rnu holds.scn >out 2>err
status=$?
check "2: an unknown command, and the nearest" shows err '"rnu"' 'did you mean "run"'

# --- machines that can't be whole -------------------------------------------------------------------------------------
printf 'gmem g0 size=2M\nslot 0 gpa=4K size=2M gmem=g0+0\nhost: build\nexpect ok\n' >low.scn
run low.scn
check "0: a slot over part of the default region takes its place" is 0
printf 'gmem g0 size=2M\nslot 0 gpa=4K size=2M gmem=g0+0\nregion 0 16K\nhost: build\n' >low.scn
run low.scn
check "2: a region over part of a slot" shows err 'low.scn:3:1: the slot overlaps slot 0'
for line in 'host: prefault 0x80000000 2M' 'host: signal vcpu0' 'host: seamcall TDH.VP.FLUSH' \
	'host: seamcall TDH.VP.RD rcx=tdvpr0' 'vcpu0: read 0x80000000' 'host: convert 0x80000000 4K shared'; do
	printf 'inject error leaf=TDH.MNG.INIT status=TDX_OPERAND_INVALID\n%s\n' "$line" >nobuild.scn
	run nobuild.scn
	check "1: no TD was built, and then: $line" is 1
done
check "1: and it says so" has out 'the build of the TD failed: error EINVAL'

# --- several files ----------------------------------------------------------------------------------------------------
run --replay x.replay holds.scn wrong.scn holds.scn
check "worst class: 1 over 0" is 1
check "all files ran" shows out '3 scenarios: 2 ok, 1 not'
run --replay x.replay wrong.scn typo.scn
check "worst class: 1 over 2" is 1
run --replay x.replay stuck.scn wrong.scn
check "worst class: 5 over 1" is 5
run --replay x.replay broken.scn stuck.scn wrong.scn typo.scn
check "worst class: 4 over 5, 1 and 2" is 4

# --- replay -----------------------------------------------------------------------------------------------------------
run --seed 9 --replay r.replay --trace first.txt broken.scn
check "seed 9 breaks the oracle" is 4
run --schedule r.replay --replay r2.replay --trace second.txt broken.scn
check "--schedule replays it: same class" is 4
check "--schedule replays it: same trace" cmp -s first.txt second.txt
run --replay r3.replay --trace third.txt r.replay
check "the replay file is a scenario of its own: same class" is 4
check "the replay file is a scenario of its own: same trace" cmp -s first.txt third.txt
cp r.replay kept.replay && cp kept.replay kept
run --seed 3 kept.replay
check "a replay file that breaks again is not written over" eval 'cmp -s kept kept.replay && [ -s kept-again.replay ]'
run --replay kept.replay kept.replay
check "nor by --replay" eval 'is 4 && cmp -s kept kept.replay && has err "this is the scenario"'
run --trace kept.replay kept.replay
check "2: nor by --trace" eval 'is 2 && cmp -s kept kept.replay && has err "this is the scenario"'
run --seed 10 --replay r4.replay --trace other.txt broken.scn
check "another seed is another schedule" test "$(cmp -s first.txt other.txt && echo same)" != same
run --seed 9 --replay r5.replay --trace again.txt broken.scn
check "the same seed twice: same trace" cmp -s first.txt again.txt

# --- narration ------------------------------------------------------------------------------------------------------------
cat >split.scn <<'E2'
td   vcpus=2
vcpu0: accept slot0 2M
vcpu1: write slot0+4K 0x11
host:  convert slot0+8K 4K shared
vcpu0: write slot0+8K 0x22 shared
host:  destroy
E2
run --narrate split.scn
check "--narrate: who, which SEAMCALL, status, what changed" eval 'is 0 && shows out \
	"TDG.MEM.PAGE.ACCEPT" "TDH.MEM.PAGE.AUG" "free -> pending" "pending -> mapped" "TDH.MEM.RANGE.BLOCK" "mapped -> blocked" \
	"TDH.MEM.TRACK" "leaves the guest" "TDH.MEM.PAGE.DEMOTE" "blocked -> nl_mapped" "TDH.MEM.PAGE.REMOVE" "blocked -> free"'
check "--narrate: the S-EPT before and after" shows out "S-EPT" "1 x 2M  mapped" "2 x 4K  mapped" "1 x 4K  free" "509 x 4K  mapped"
check "--narrate: what is alike is said once" eval 'shows out "more" && [ "$(wc -l <out)" -lt 150 ]'

# --- formats ----------------------------------------------------------------------------------------------------------
escapes() { grep -q $'\033' "$1"; }
run wrong.scn
check "a pipe gets no escape codes" eval '! escapes out'
# A machine without script(1), or without /dev/pts (a bare chroot), can give no terminal.
can_tty() { script -qc true /dev/null >/dev/null 2>&1 </dev/null; }
if can_tty; then
	script -qc "$tdxsim run wrong.scn" /dev/null >out 2>err </dev/null
	check "a terminal gets colours" escapes out
	NO_COLOR=1 script -qc "$tdxsim run wrong.scn" /dev/null >out 2>err </dev/null
	check "NO_COLOR: no escape codes" eval '! escapes out'
else
	skip "a terminal gets colours" "no pseudo-terminal to be had"
	skip "NO_COLOR: no escape codes" "no pseudo-terminal to be had"
fi

run --format tap holds.scn wrong.scn
check "tap: one line a scenario and a plan" shows out 'ok 1 - holds.scn' 'not ok 2 - wrong.scn' '1..2'
run --format tap --replay x.replay stuck.scn typo.scn missing.scn
check "tap: a file that is refused is not ok" shows out 'not ok 2 - typo.scn' 'not ok 3 - missing.scn' '1..3'
check "tap: nothing but the protocol" eval '! grep -vE "^(#|ok |not ok |1\.\.)" out'
run --format json typo.scn missing.scn
check "json: a file that is refused is told" shows out '{"event":"refused","file":"typo.scn","verdict":2}' \
	'{"event":"refused","file":"missing.scn","verdict":2}' '{"event":"total","files":2,"held":0}'
run --format json holds.scn
check "json: each line is an object" python3 -c '
import json
for line in open("out"):
    assert isinstance(json.loads(line), dict)'

run --trace t.json --trace-format json stuck.scn --replay x.replay
check "--trace json is valid" eval 'python3 -m json.tool t.json >/dev/null'
run --trace t.json --trace-format json holds.scn
check "--trace json: B and E in pairs on each thread, properly nested, time never goes back" python3 -c '
import json
stack, last = {}, 0
for e in json.load(open("t.json"))["traceEvents"]:
    assert e["ph"] in "BEM", e
    if e["ph"] == "M":
        continue
    assert e["ts"] >= last, e
    last = e["ts"]
    open_events = stack.setdefault(e["tid"], [])
    if e["ph"] == "B":
        open_events.append(e["name"])
    else:
        assert open_events and open_events.pop() == e["name"], e
left = {t: s for t, s in stack.items() if s}
assert stack and not left, left'
run --trace t.ftrace --trace-format ftrace holds.scn
check "--trace ftrace has its head" shows t.ftrace '# tracer: nop' 'seamcall'
run --trace no/such/dir/t holds.scn
check "2: --trace to a place that isn't there: nothing runs" eval 'is 2 && has err no/such/dir/t && lines out 0'
if [ -w /dev/full ]; then
	run --trace /dev/full holds.scn
	check "2: --trace to a full disk is no defect of tdxsim" eval 'is 2 && has err "not be written whole"'
else
	skip "2: --trace to a full disk is no defect of tdxsim" "no /dev/full"
fi

# --- compare -------------------------------------------------------------------------------------------------------------
compare() { # arguments of "tdxsim compare"; leaves out, err and $status
	"$tdxsim" compare "$@" >out 2>err
	status=$?
}
printf 'vcpu0: accept slot0 4M\nhost: convert slot0 4K shared\nexpect stat overzap_bytes == 0\n' >zap.scn
compare zap.scn --policy conv_order=BASE --policy SEAN_2026
check "compare: what differs is no failure" is 0
check "compare: a star where columns differ" grep -q '^\* over-zapped bytes  *2093056  *0$' out
check "compare: a pipe gets no escape codes" eval '! escapes out && lines err 0'
compare zap.scn --policy conv_order=BASE
check "compare: one policy, one verdict" is 1
compare --format csv zap.scn --policy conv_order=BASE,hvo=on --policy SEAN_2026 --fail-each
check "compare: csv has one width" python3 -c '
import csv
rows = list(csv.reader(open("out", newline="")))
assert len(rows) > 30 and {len(r) for r in rows} == {5}, rows
assert rows[0] == ["group", "name", "differs", "conv_order=BASE,hvo=on", "SEAN_2026"], rows[0]
for r in rows[1:]:
    assert r[2] == ("no" if r[3] == r[4] else "yes"), r'
cp out table.csv
compare zap.scn --policy SEAN_2026 --policy SEAN_2026 --differences
check "compare: no difference is told" eval 'has out "no row differs" && ! has out "*"'
compare --format json zap.scn --policy conv_order=BASE,hvo=on --policy SEAN_2026 --fail-each
check "compare: json says what csv says" python3 -c '
import csv, json
t = json.load(open("out"))
rows = list(csv.reader(open("table.csv", newline="")))[1:]
assert [[r["group"], r["name"], "yes" if r["differs"] else "no"] + [str(v) for v in r["values"]] for r in t["rows"]] == rows
assert t["policies"] == ["conv_order=BASE,hvo=on", "SEAN_2026"] and t["file"] == "zap.scn"'
if can_tty; then
	script -qc "$tdxsim compare zap.scn --policy conv_order=BASE --policy SEAN_2026" /dev/null >out 2>err </dev/null
	check "compare: a terminal gets colours" escapes out
	NO_COLOR=1 script -qc "$tdxsim compare zap.scn --policy conv_order=BASE --policy SEAN_2026" /dev/null >out 2>err </dev/null
	check "compare: NO_COLOR: no escape codes" eval '! escapes out'
else
	skip "compare: a terminal gets colours" "no pseudo-terminal to be had"
	skip "compare: NO_COLOR: no escape codes" "no pseudo-terminal to be had"
fi
compare zap.scn --policy V33
check "compare: 2: an unknown profile, and the nearest" eval 'is 2 && lines out 0 && has err "did you mean \"V3\"?"'
compare zap.scn
check "compare: 2: no policy" is 2
compare --policy V3
check "compare: 2: no file" is 2
compare zap.scn zap.scn --policy V3
check "compare: 2: two files" is 2
compare typo.scn --policy V3 --policy V3
check "compare: 2: a typo in the file, said once" eval 'is 2 && [ "$(grep -c typo.scn err)" = 1 ]'
compare zap.scn --policy V3 --busy
check "compare: 2: --busy alone" is 2

run --set kvm.tdx_huge_page=off wrong.scn
check "--set changes the set-up" is 0
run --set kvm.tdx_hugepage=off wrong.scn
check "--set: a typo is bad input" shows err 'did you mean "tdx_huge_page"?'
if [ -w /dev/full ]; then
	"$tdxsim" run holds.scn >/dev/full 2>err
	status=$?
	check "a report that can't be written is no success" eval '! is 0'
else
	skip "a report that can't be written is no success" "no /dev/full"
fi

for what in leaves status features policies oracles faults stats; do
	"$tdxsim" list $what >out 2>err
	status=$?
	check "list $what" eval 'is 0 && [ -s out ]'
done
for command in '' run list vectors compare; do
	# shellcheck disable=SC2086 # the empty one is no argument
	"$tdxsim" $command --help >out 2>err
	status=$?
	check "$command --help" eval 'is 0 && has out Usage: && lines err 0'
done
echo "1..$n"
[ $bad = 0 ]
