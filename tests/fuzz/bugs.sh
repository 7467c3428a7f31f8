#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How soon the fuzzer finds each planted bug: every patch of tests/bugs is built apart, and "tdxsim fuzz" starts there
# from nothing. A table on standard output: id, bug, CPU seconds, runs, statements left, rule. Hours; no test.
set -u
[ $# -ge 1 ] || { echo "usage: tests/fuzz/bugs.sh RUNS [ID]... (RUNS: at most so many for each bug)" >&2; exit 2; }
runs=$1
shift
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/base"
(cd "$top" && git ls-files -z | tar -c --null --ignore-failed-read -T - 2>/dev/null) | tar -x -C "$work/base"
(cd "$work/base" && meson setup build -Dwerror=false -Doptimization=2 -Ddebug=false -Dtests=disabled) >"$work/log" 2>&1 &&
	ninja -C "$work/base/build" tools/tdxsim >>"$work/log" 2>&1 || { tail "$work/log" >&2; exit 2; }

printf '%-4s %-36s %7s %8s %5s  %s\n' id bug seconds runs left rule
for patch in "$top"/tests/bugs/b*.patch; do
	name=$(basename "$patch" .patch) id=${name%%-*}
	[ $# = 0 ] || [[ " $* " == *" $id "* ]] || continue
	rm -rf "$work/tree" "$work/out"
	cp -a "$work/base" "$work/tree"
	if ! patch -p1 -s -f --no-backup-if-mismatch -d "$work/tree" <"$patch" >/dev/null ||
		! ninja -C "$work/tree/build" tools/tdxsim >"$work/log" 2>&1; then
		printf '%-4s %-36s does not build\n' "${id^^}" "${name#*-}"
		continue
	fi
	mkdir "$work/out"
	TIMEFORMAT=%U
	seconds=$({ time "$work/tree/build/tools/tdxsim" fuzz --seed 1 --defaults --runs "$runs" --findings 1 \
		--out "$work/out" >"$work/fuzz.log" 2>&1; } 2>&1)
	done=$(sed -n 's/^runs=\([0-9]*\) .*/\1/p' "$work/fuzz.log")
	scn=$(ls "$work/out"/*.scn 2>/dev/null | head -1)
	if [ -n "$scn" ]; then
		left=$(grep -cE '^ *(host|vcpu|inject)' "$scn")
		rule=$(basename "$scn" .scn)
		printf '%-4s %-36s %7s %8s %5s  %s\n' "${id^^}" "${name#*-}" "$seconds" "$done" "$left" "${rule%-*}"
	elif [ -e "$work/out/crash-input" ]; then
		printf '%-4s %-36s %7s %8s %5s  %s\n' "${id^^}" "${name#*-}" "$seconds" "${done:--}" - 'crash'
	else
		printf '%-4s %-36s %7s %8s %5s  %s\n' "${id^^}" "${name#*-}" "$seconds" "${done:--}" - 'not found'
	fi
done
