#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The planted bugs that are policies, which need no build of their own: clean as they are, and with what "# with:" sets
# they break the rule that they name, on one of their schedules. A small form of a race (*.race.scn) is explored: every
# schedule of it with one preemption holds, and with the policy one breaks; tools/bugs --explore looks at all schedules.
# Usage: policies.sh TDXSIM; TAP. Patches: tools/bugs.
set -u

tdxsim=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

schedules() { # scenario
	local range
	range=$(sed -n 's/^# seeds: *\([0-9]*-[0-9]*\).*/\1/p' "$1")
	echo ''
	[ -z "$range" ] || seq "${range%-*}" "${range#*-}" | sed 's/^/--seed=/'
}

caught() { # scenario; the schedule on which it was
	local with at
	"$tdxsim" run clean.scn >out 2>&1 || return
	mapfile -t with < <(sed -n 's/^# with: *//p' "$1" | tr -s ' ' '\n' | sed '/./s/^/--set=/')
	grep -vE '^ *expect +[^v]|^ *expect v[em]' "$1" >broken.scn
	for at in $(schedules "$1") ''; do
		"$tdxsim" run ${at:+"$at"} "${with[@]}" broken.scn >out 2>&1 && return
	done
	return 1
}

explored() { # scenario
	local with rule
	rule=$(sed -n 's/^ *expect violation *//p' "$1")
	mapfile -t with < <(sed -n 's/^# with: *//p' "$1" | tr -s ' ' '\n' | sed '/./s/^/--set=/')
	"$tdxsim" explore --preemptions 1 clean.scn >out 2>&1 || return
	! "$tdxsim" explore "${with[@]}" clean.scn >out 2>&1 && grep -qw "$rule" out
}

n=0 bad=0
for scn in $(grep -l '^# with: ' "$here"/*.scn); do
	n=$((n + 1))
	name=$(basename "$scn" .scn)
	grep -v '^ *expect violation' "$scn" >clean.scn
	how=caught
	[[ $name != *.race ]] || how=explored
	if $how "$scn"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' out
		bad=1
	fi
done
[ $n -gt 0 ] || bad=1
echo "1..$n"
exit $bad
