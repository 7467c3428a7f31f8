#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which mutator finds planted bugs sooner: libFuzzer's own, ours, or both in turn, on fuzz-scenario from an empty corpus.
# A table on standard output: runs until a rule broke, and CPU seconds; "-" if none did. Needs clang; no test. Without
# libFuzzer's entropic schedule, whose books cost more than the runs do.
set -u
[ $# -ge 2 ] || { echo "usage: tests/fuzz/mutators.sh SECONDS ID... (CPU seconds, at most so many for each)" >&2; exit 2; }
limit=$1
shift
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
targets="tests/fuzz/libfuzzer-scenario tests/fuzz/libfuzzer-scenario-theirs tests/fuzz/libfuzzer-scenario-both"

mkdir "$work/base"
(cd "$top" && git ls-files -z | tar -c --null --ignore-failed-read -T - 2>/dev/null) | tar -x -C "$work/base"
(cd "$work/base" && CC="${CC:-clang}" meson setup build -Dwerror=false -Doptimization=2 -Ddebug=false -Dtests=enabled \
	-Dfuzzers=true -Db_lundef=false) >"$work/log" 2>&1 &&
	ninja -C "$work/base/build" $targets >>"$work/log" 2>&1 || { tail "$work/log" >&2; exit 2; }

printf '%-4s %-34s %18s %18s %18s\n' id bug 'ours: runs, s' 'theirs: runs, s' 'both: runs, s'
for id in "$@"; do
	patch=$(ls "$top"/tests/bugs/"$id"-*.patch)
	name=$(basename "$patch" .patch)
	rm -rf "$work/tree"
	cp -a "$work/base" "$work/tree"
	patch -p1 -s -f --no-backup-if-mismatch -d "$work/tree" <"$patch" >/dev/null
	ninja -C "$work/tree/build" $targets >"$work/log" 2>&1 || { echo "$id does not build"; continue; }
	printf '%-4s %-34s' "${id^^}" "${name#*-}"
	for variant in '' -theirs -both; do
		TIMEFORMAT=%U
		seconds=$({ time prlimit --cpu="$limit" "$work/tree/build/tests/fuzz/libfuzzer-scenario$variant" -seed=1 \
			-max_len=1280 -len_control=0 -entropic=0 -artifact_prefix="$work/" >"$work/fuzz.log" 2>&1; } 2>&1)
		runs=$(grep -oE '^#[0-9]+' "$work/fuzz.log" | tail -1 | tr -d '#')
		if grep -q 'deadly signal' "$work/fuzz.log"; then
			printf ' %10s %7s' "$runs" "$seconds"
		else
			printf ' %10s %7s' - "$seconds"
		fi
	done
	echo
done
