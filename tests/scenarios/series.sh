#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# S1 to S10 with their exact SEAMCALLs, for series v3 and v5, each with and without Dynamic PAMT, as TAP.
#
# Usage: tests/scenarios/series.sh TDXSIM
tdxsim=$1
here=$(dirname "$0")/series
n=0 bad=0
for scn in "$here"/*.scn; do
	for series in v3 v5; do
		for dpamt in on off; do
			n=$((n + 1))
			what="$(basename "$scn" .scn) series=$series dynamic_pamt=$dpamt"
			if out=$("$tdxsim" run "$scn" --set kvm.series=$series \
				--set module.dynamic_pamt=$dpamt 2>&1); then
				echo "ok $n - $what"
			else
				bad=1
				echo "not ok $n - $what"
				echo "$out" | grep -E 'expected:|seen:' | sed 's/^/# /'
			fi
		done
	done
done
echo "1..$n"
exit $bad
