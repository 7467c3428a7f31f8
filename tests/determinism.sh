#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same scenario and seed give the same trace, byte for byte: by gcc -O0, and by clang -O2 under two address layouts
# (randomised, and as setarch -R lays it out). One TAP line a scenario and chooser; the 1 GiB scenarios, with traces of up
# to 900 MB, go in order only.
#
# Usage: tests/determinism.sh TDXSIM-A TDXSIM-B
set -u
a=$1 b=$2

plain=
command -v setarch >/dev/null && setarch -R true 2>/dev/null && plain="setarch -R"

run() { # program layout-prefix scenario seed-option out: OUT.trace, and report and exit status in OUT.out
	rm -f "$5.trace"
	$2 "$1" run $4 --replay "$5.replay" --trace "$5.trace" --trace-format text "$3" >"$5.out" 2>&1
	echo "exit $?" >>"$5.out"
	sed -i "s|$5|OUT|g" "$5.out"
}
one() { # scenario
	local scn=$1 dir seed other same
	dir=$(mktemp -d)
	for seed in "" "--seed 7"; do
		case "$scn$seed" in
		*golden-1g*seed*) continue ;;
		esac
		run "$a" "$plain" "$scn" "$seed" "$dir/a"
		same=yes
		[ -s "$dir/a.trace" ] || same="no (empty trace)"
		for other in "$b|" "$b|$plain"; do
			run "${other%%|*}" "${other#*|}" "$scn" "$seed" "$dir/b"
			cmp -s "$dir/a.trace" "$dir/b.trace" && cmp -s "$dir/a.out" "$dir/b.out" && continue
			same="no (${other%%|*} ${other#*|})"
			diff "$dir/a.trace" "$dir/b.trace" | head -5 | sed 's/^/# /'
			diff "$dir/a.out" "$dir/b.out" | head -5 | sed 's/^/# /'
		done
		[ "$same" = yes ] && echo "ok - same trace: $scn $seed" || echo "not ok - same trace: $scn $seed: $same"
	done
	rm -rf "$dir"
}
if [ "${3:-}" = --one ]; then
	one "$4"
	exit
fi

self=$(realpath "$0")
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
printf '%s\0' tests/scenarios/*.scn | xargs -0 -n 1 -P "$(nproc)" "$self" "$a" "$b" --one >"$out"
LC_ALL=C sort "$out"
n=$(grep -c -E '^(not )?ok' "$out")
echo "1..$n"
[ "$n" -gt 0 ] && ! grep -q '^not ok' "$out"
