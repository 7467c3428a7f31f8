/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the two halves of lanes.h: lanes.c makes rows out of events, lanes_print.c sets them.
 */
#ifndef LAB_LANES_INT_H
#define LAB_LANES_INT_H

#include "sim/lab/lanes.h"

struct lab_row {
	u64 step;
	u32 actor;
	bool chosen; /* here the scheduler chose otherwise than in order */
	bool bad;    /* a status that is an error, a fault that fired */
	char text[200];
	char key[212]; /* actor and text without addresses: by it repetitions are found */
};

struct lab_rows {
	struct lab_row *row;
	u32 nr, cap;
};

void lab_lanes_print(const struct lab_session *s, const struct lab_rows *rows, FILE *out,
		     bool colour);

#endif
