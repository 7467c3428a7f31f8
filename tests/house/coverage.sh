#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Line coverage of each floor from a build with -Db_coverage=true whose tests have run. TAP: a floor below its
# threshold fails. The full report is in BUILD/coverage.info (genhtml draws it).
#
# Usage: tests/house/coverage.sh BUILD
set -u
build=$(readlink -f "$1")
cd "$(dirname "$0")/../.."

lcov --quiet --capture --directory "$build" --base-directory "$build" --no-external --directory "$PWD" \
	--output-file "$build/coverage.info" >"$build/lcov.log" 2>&1
n=0 bad=0
for floor in tdx:95 mmu:92 gmem:92 sim:90; do
	n=$((n + 1))
	room=${floor%:*} want=${floor#*:}
	# DA:<line>,<hits> of the files in this room
	got=$(awk -v room="$PWD/$room/" '
		/^SF:/ { in_room = index(substr($0, 4), room) == 1 }
		/^DA:/ && in_room { split(substr($0, 4), f, ","); lines++; if (f[2] > 0) hit++ }
		END { if (lines) printf "%.1f", 100 * hit / lines; else print "0" }' "$build/coverage.info")
	if awk "BEGIN { exit !($got >= $want) }"; then
		echo "ok $n - line coverage of $room: $got% (at least $want%)"
	else
		echo "not ok $n - line coverage of $room: $got% (at least $want%)"
		bad=1
	fi
done
echo "1..$n"
exit $bad
