/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two actors against each other: one call is stopped at a scheduling point inside, another runs
 * from its start to its end, then the first goes on. Only the meeting is here; what each side calls
 * and what must come of it is in the tests.
 */
#ifndef TESTS_TDX_DUEL_H
#define TESTS_TDX_DUEL_H

#include "tests/tdx/machine.h"

/* One call, by the host (a SEAMCALL) or by the guest on @lp (a TDCALL), and what it gave. */
struct duel_side {
	u32 lp;
	bool guest;
	struct seam_regs in;

	/* out */
	bool ran;
	enum seam_result res;
	struct seam_regs r;
	struct seam_fault fault;
};

/* Where the outer call is stopped. */
enum duel_at {
	DUEL_POLL,  /* at its n-th interrupt poll */
	DUEL_WRITE, /* before it first writes a locked S-EPT entry */
	DUEL_HELD,  /* at its n-th "locks held" point, write points not counted */
};

/*
 * duel - run @inner where @outer stands at its @n-th @at. False: it never came there, and @inner
 * did not run inside.
 */
bool duel(struct machine *m, struct duel_side *outer, enum duel_at at, u32 n,
	  struct duel_side *inner);
/* RAX, 0 for a VP.ENTER that got in. */
u64 duel_rax(const struct duel_side *side);

#endif
