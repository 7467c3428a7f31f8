/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Expectations: does one hold, what was expected, what was seen. Nothing here changes the machine.
 */
#ifndef LAB_EXPECT_H
#define LAB_EXPECT_H

#include "sim/lab/machine.h"

/*
 * lab_expect - whether the expectation @op holds.
 * @action: index of the action that it is about, LAB_NO_OP if there is none; it must belong to the
 * current block. What was seen instead is written to @seen in the expectation's own words. "expect
 * violation" is the run's business (run.c) and always holds here.
 */
bool lab_expect(struct lab_machine *m, const struct lab_op *op, u32 action, char *seen, size_t len);

/*
 * How an action ended, in words: "ok", "error ENOMEM at 0x80001000", "status PAGE_SIZE_MISMATCH|1".
 */
void lab_outcome_text(const struct lab_op *op, const struct lab_outcome *out, char *buf,
		      size_t len);

#endif
