/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Repetitions in a list of lines: which group of lines begins here, and how often it follows.
 * What a line is, and how a repetition is shown, is the caller's.
 */
#ifndef LAB_FOLD_H
#define LAB_FOLD_H

#include "sim/rt/types.h"

struct lab_fold {
	u32 size;  /* lines of the group, at least 1 */
	u32 times; /* how often it stands there, at least 1 */
};

/*
 * lab_fold_at - the group at line @at of @nr.
 * Two lines are alike if @key gives equal strings. A group of several lines counts if it stands
 * there three times or more.
 */
struct lab_fold lab_fold_at(const char *(*key)(const void *ctx, u32 i), const void *ctx, u32 nr,
			    u32 at);

#endif
