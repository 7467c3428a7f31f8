/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "expect seamcalls": a pattern against what was recorded.
 */
#ifndef LAB_EXPECT_CALLS_H
#define LAB_EXPECT_CALLS_H

#include "sim/lab/machine.h"

/*
 * As lab_expect(); @seen gets the recorded calls in the pattern's own spelling, and where they
 * part.
 */
bool lab_expect_calls(struct lab_machine *m, const struct lab_op *op, u32 action, char *seen,
		      size_t len);
/*
 * The calls of @action (LAB_NO_OP: all), folded: "TDH.MEM.RANGE.BLOCK TDH.PHYMEM.PAGE.WBINVD*512".
 */
void lab_calls_text(const struct lab_machine *m, u32 action, char *buf, size_t len);

#endif
