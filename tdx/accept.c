// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MEM.PAGE.ACCEPT (tdx-module.md 7): the walk without a lock, the sizes that do not match, and
 * the interruptible 2M. Also the entry lock and the EPT violation exit that ACCEPT shares with
 * ATTR.*.
 *
 * No tree, PAMT or OP_STATE lock is taken: the range can't be tracked, hence not reused, while this
 * VCPU is in the guest.
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "sim/rt/sched.h"
#include "tdx/guest.h"

#define ACCEPT_MAX_LEVEL 1
#define LINES_4K	 64

/* Extended exit qualification (7.3). */
#define EXT_REQ_SHIFT	32
#define EXT_LEVEL_SHIFT 35
#define EXT_STATE_SHIFT 38
#define EXT_LEAF_SHIFT	46

void seam_tdg_ept_exit(struct seam_tdg *g, enum seam_exit_type type, u32 req_level,
		       const struct seam_pos *p)
{
	u64 state = seam_sept_state(p->val), leaf = seam_sept_is_leaf(p->val) ? 1 : 0;

	g->outcome = SEAM_TDG_EXIT;
	g->x = (struct seam_td_exit){
		.reason = SEAM_REASON_EPT_VIOLATION,
		.qual = SEAM_WRITE | (p->val & SEPT_RWX) << 3,
		.ext = type | (u64)req_level << EXT_REQ_SHIFT | (u64)p->level << EXT_LEVEL_SHIFT |
		       state << EXT_STATE_SHIFT | leaf << EXT_LEAF_SHIFT,
		.gpa = p->gpa & RT_MASK(51, 12),
		.kind = SEAM_EXIT_FAULT,
	};
}

bool seam_tdg_lock_entry(struct seam_tdg *g)
{
	struct seam_pos *p = &g->c.pos;
	enum seam_try try;

	/*
	 * Between the walk and the lock the host may have changed the entry: it is read again
	 * below.
	 */
	seam_point(&g->c, RT_PT_ATOMIC, SEAM_AT(g->c.lp->id, p->gpa));
	try = seam_hold_entry(&g->c.held, p->entry, SEAM_GUEST);
	seam_cost(g->c.s, SEAM_COST_ATOMIC, 1);
	if (try != SEAM_TRY_OK) {
		g->status = (try == SEAM_TRY_BUSY ? SEAM_OPERAND_BUSY
						  : SEAM_OPERAND_BUSY_HOST_PRIORITY) |
			    SEAM_OP_RCX;
		return false;
	}
	seam_sept_reread(p);
	seam_point(&g->c, RT_PT_HELD, SEAM_AT(g->c.lp->id, p->gpa));
	return true;
}

static void accept_zero_4k(struct seam_tdg *g, u64 hpa)
{
	rt_phys_fill(hpa, seam_key(g->c.s, g->c.td), 0);
	seam_cost(g->c.s, SEAM_COST_STORE_LINE, LINES_4K);
}

/*
 * Step 9 at 2M: from where an interrupted ACCEPT stopped, a poll after each 4K page but the last.
 * False: interrupted, with the number of pages done in the entry, which stays PENDING.
 */
static bool accept_zero_2m(struct seam_tdg *g)
{
	struct seam_pos *p = &g->c.pos;
	u64 done = (p->val & SEPT_COUNTER) >> RT_PAGE_SHIFT;
	u64 hpa = seam_sept_hpa(g->c.s, p->val, p->level);

	assert(done < SEPT_ENTRIES && p->level == 1);
	for (;;) {
		accept_zero_4k(g, hpa + done * RT_PAGE_SIZE);
		if (++done == SEPT_ENTRIES)
			return true;
		if (seam_poll_guest(&g->c))
			break;
	}
	seam_sept_write(&g->c, p, (p->val & ~SEPT_COUNTER) | done << RT_PAGE_SHIFT);
	return false;
}

static void accept_interrupted(struct seam_tdg *g)
{
	bool pending = seam_exit_for_irq(g->c.s, g->c.lp->id, &g->x);

	assert(pending);
	(void)pending;
	g->outcome = SEAM_TDG_RESTART;
}

static void accept_pending(struct seam_tdg *g, u32 level)
{
	struct seam_pos *p = &g->c.pos;
	u64 val;

	assert(p->level == level && (*p->entry & SEPT_LOCK));
	if (level == 0) {
		accept_zero_4k(g, seam_sept_hpa(g->c.s, p->val, 0));
	} else if (!accept_zero_2m(g)) {
		accept_interrupted(g);
		return;
	}
	val = level ? p->val & ~SEPT_COUNTER : p->val;
	seam_l2_block_aliases(&g->c, g->c.td, p, false);
	seam_sept_write(&g->c, p, seam_sept_with_state(g->c.s, val, SEAM_SEPT_MAPPED));
	g->status = SEAM_SUCCESS;
}

/* Step 4: the walk stopped at something larger, or at nothing. */
static void accept_stopped_above(struct seam_tdg *g, u32 level)
{
	const struct seam_pos *p = &g->c.pos;

	if (seam_sept_state(p->val) == SEAM_SEPT_MAPPED)
		g->status = SEAM_PAGE_ALREADY_ACCEPTED | p->level;
	else
		seam_tdg_ept_exit(g, SEAM_EXIT_ACCEPT, level, p);
}

void seam_tdg_mem_page_accept(struct seam_tdg *g)
{
	u32 level = SEAM_INFO_LEVEL(g->c.in.rcx);
	u64 gpa = SEAM_INFO_GPA(g->c.in.rcx);
	struct seam_pos *p = &g->c.pos;
	bool was_leaf;
	u8 state;

	g->status = seam_check_page_info(g->c.in.rcx, 0, ACCEPT_MAX_LEVEL);
	if (!g->status)
		g->status = seam_check_gpa(g->c.td, gpa);
	if (g->status)
		return;
	if (!seam_sept_walk(g->c.s, g->c.td, 0, gpa, level, p)) {
		accept_stopped_above(g, level);
		return;
	}
	/*
	 * Step 6 asks the entry as it was before the lock: an AUG in between gives a spurious
	 * mismatch, as in the real module.
	 */
	was_leaf = seam_sept_is_leaf(p->val);
	if (!seam_tdg_lock_entry(g))
		return;
	state = seam_sept_state(p->val);
	if (state != SEAM_SEPT_FREE && !was_leaf)
		g->status = SEAM_PAGE_SIZE_MISMATCH | p->level;
	else if (state == SEAM_SEPT_MAPPED)
		g->status = SEAM_PAGE_ALREADY_ACCEPTED | p->level;
	else if (state == SEAM_SEPT_PENDING)
		accept_pending(g, level);
	else
		seam_tdg_ept_exit(g, SEAM_EXIT_ACCEPT, level, p);
}
