#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Every scenario of this folder, as TAP; the folder is listed now, not when the build was configured.
#
# Usage: tests/scenarios/all.sh TDXSIM
exec "$1" run --format tap "$(dirname "$0")"/*.scn
