#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same scenario and seed give the same trace, byte for byte: by gcc -O0 and clang -O2, each twice under different
# address layouts (randomised, and as setarch -R lays it out). One TAP line a scenario and chooser.
#
# Usage: tests/determinism.sh TDXSIM-A TDXSIM-B
set -u
a=$1 b=$2
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

plain=
command -v setarch >/dev/null && setarch -R true 2>/dev/null && plain="setarch -R"

n=0 bad=0
trace() { # program layout-prefix scenario seed-option out
	$2 "$1" run $4 --trace "$5.trace" --trace-format text "$3" >"$5.out" 2>&1
	echo "exit $?" >>"$5.out"
	cat "$5.trace" "$5.out" 2>/dev/null | sha256sum
}
for scn in tests/scenarios/*.scn; do
	for seed in "" "--seed 7"; do
		n=$((n + 1))
		want=$(trace "$a" "" "$scn" "$seed" "$dir/a")
		same=yes
		[ -s "$dir/a.trace" ] || same="no (empty trace)"
		for other in "$a|$plain" "$b|" "$b|$plain"; do
			got=$(trace "${other%%|*}" "${other#*|}" "$scn" "$seed" "$dir/b")
			if [ "$got" != "$want" ]; then
				same="no (${other%%|*} ${other#*|})"
				diff "$dir/a.trace" "$dir/b.trace" | head -5 | sed 's/^/# /'
				diff "$dir/a.out" "$dir/b.out" | head -5 | sed 's/^/# /'
			fi
		done
		if [ "$same" = yes ]; then
			echo "ok $n - same trace: $scn $seed"
		else
			echo "not ok $n - same trace: $scn $seed: $same"
			bad=$((bad + 1))
		fi
	done
done
echo "1..$n"
[ "$n" -gt 0 ] && [ "$bad" = 0 ]
