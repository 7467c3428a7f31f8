#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Scenarios under many schedules, as TAP, one line a seed. race-*.scn hold on every schedule. The others are written for
# the schedule in order: elsewhere a vCPU that enters may make a TRACK busy, so counts of calls and kicks may be higher,
# but nothing else differs, no oracle breaks, nothing gets stuck. Without golden-*: half of the time for the same
# 1 GiB actions that convert-* and round-trip-* have.
#
# Usage: tests/scenarios/seeds.sh TDXSIM [SEEDS-FOR-RACES [SEEDS-FOR-THE-OTHERS]]
set -u
tdxsim=$(realpath "$1") seeds=${2:-30} other_seeds=${3:-4}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

n=0 bad=0
say() { # result, what
	n=$((n + 1))
	if [ "$1" = ok ]; then
		echo "ok $n - $2"
	else
		bad=$((bad + 1))
		echo "not ok $n - $2: $1"
		grep -A4 -E 'expectation failed|broke at|no progress|deadlock' out | head -40 | sed 's/^/# /'
	fi
}
# Whether all failed expectations of the report are about how often something was called.
only_counts() {
	grep -q '^  expected: ' out &&
		! grep '^  expected: ' out | grep -qvE 'expected: (seamcalls|stat (kicks|vp_enters|seamcalls[.A-Z]*|mmu_lock_write)) ?'
}

for seed in $(seq 1 "$seeds"); do
	"$tdxsim" run --seed "$seed" "$here"/race-*.scn >out 2>&1
	status=$?
	[ $status = 0 ] && say ok "races, seed $seed" || say "exit $status" "races, seed $seed"
done
# What is to break may need its own schedule for it.
others=$(find "$here" -name '*.scn' ! -name 'race-*' ! -name 'golden-*' -exec grep -L '^expect violation' {} + | sort)
for seed in $(seq 1 "$other_seeds"); do
	# shellcheck disable=SC2086 # names of files of ours, without spaces
	"$tdxsim" run --seed "$seed" $others >out 2>&1
	status=$?
	if [ $status = 0 ] || { [ $status = 1 ] && only_counts; }; then
		say ok "the other scenarios, seed $seed"
	else
		say "exit $status" "the other scenarios, seed $seed"
	fi
done
echo "1..$n"
[ $bad = 0 ]
