/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario's operations as what a run does one after the other: an action, a parallel block, a
 * fault to arm, an expectation to judge. Doing them is session.h; whoever runs a scenario from its
 * first line to its last (run.c, compare_*.c) walks it with this.
 */
#ifndef LAB_LINES_H
#define LAB_LINES_H

#include "sim/lab/ops.h"

enum lab_lines_kind {
	LAB_LINES_ACTIONS, /* ops [first, first + nr): one action, or the inside of a block */
	LAB_LINES_INJECT,  /* op first */
	LAB_LINES_EXPECT,  /* op first, about @action */
};

struct lab_lines {
	enum lab_lines_kind kind;
	u32 first, nr;
	bool parallel;
	u32 action; /* the last action so far, LAB_NO_OP (machine.h) if there was none */
};

/*
 * lab_lines_next - the next of the first @end operations, from *@at on, which moves behind it.
 * @l: the answer; zeroed by the caller before the first call. False: there is none.
 */
bool lab_lines_next(const struct lab_scenario *sc, u32 end, u32 *at, struct lab_lines *l);

#endif
