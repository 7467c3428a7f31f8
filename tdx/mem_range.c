// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.RANGE.BLOCK, RANGE.UNBLOCK and TDH.MEM.TRACK: how a range is taken from the guest before
 * it changes (tdx-module.md 3.5, 5.9). What may be done with a blocked and tracked range is in the
 * other mem_*.c.
 */
#include <assert.h>

#include "sim/rt/sched.h"
#include "tdx/leaf.h"
#include "tdx/trace.h"

#define CHANGE_OPS                                                                 \
	(SEAM_OPS(INITIALIZED) | SEAM_OPS(RUNNABLE) | SEAM_OPS(LIVE_EXPORT) |      \
	 SEAM_OPS(PAUSED_EXPORT) | SEAM_OPS(POST_EXPORT) | SEAM_OPS(POST_IMPORT) | \
	 SEAM_OPS(LIVE_IMPORT))

static const struct seam_prefix block_prefix = {
	.allowed = CHANGE_OPS,
	.min = 0,
	.max = SEAM_TOP,
	.tree = SEAM_EX,
};

static u8 blocked_state(u8 state)
{
	switch (state) {
	case SEAM_SEPT_NL_MAPPED:
		return SEAM_SEPT_NL_BLOCKED;
	case SEAM_SEPT_MAPPED:
		return SEAM_SEPT_BLOCKED;
	default:
		assert(state == SEAM_SEPT_PENDING);
		return SEAM_SEPT_PENDING_BLOCKED;
	}
}

static u8 unblocked_state(u8 state)
{
	switch (state) {
	case SEAM_SEPT_NL_BLOCKED:
		return SEAM_SEPT_NL_MAPPED;
	case SEAM_SEPT_BLOCKED:
		return SEAM_SEPT_MAPPED;
	default:
		assert(state == SEAM_SEPT_PENDING_BLOCKED);
		return SEAM_SEPT_PENDING;
	}
}

/*
 * PAMT entry that carries the BEPOCH of c->pos: of the page at its level, or of the table it points
 * to.
 */
static struct seam_pamt_entry *bepoch_entry(struct seam_ctx *c)
{
	u32 level = seam_sept_is_leaf(c->pos.val) ? c->pos.level : 0;

	assert(seam_sept_state(c->pos.val) != SEAM_SEPT_FREE);
	return seam_pamt_at(c->s, seam_sept_hpa(c->s, c->pos.val, c->pos.level), level);
}

u64 seam_tdh_mem_range_block(struct seam_ctx *c)
{
	u8 state;
	u64 val, st;

	st = seam_sept_prefix(c, c->in.rdx, &block_prefix);
	if (st)
		return st;
	state = seam_sept_state(c->pos.val);
	if (seam_state_any_blocked(state))
		return seam_entry_error(c, &c->pos, SEAM_GPA_RANGE_ALREADY_BLOCKED | SEAM_OP_RCX);
	st = seam_check_entry_state(c, SEAM_STATE(NL_MAPPED) | SEAM_STATE(MAPPED) |
					       SEAM_STATE(PENDING));
	if (st)
		return st;

	assert(bepoch_entry(c)->type != SEAM_PT_NDA);
	val = seam_sept_with_state(c->s, c->pos.val, blocked_state(state));
	/* A half done ACCEPT starts anew after this (5.9). */
	if (state == SEAM_SEPT_PENDING && c->pos.level == 1)
		val &= ~SEPT_COUNTER;
	/*
	 * The entry first, BEPOCH last and without epoch_lock: a TRACK in between stamps the new
	 * epoch (3.5).
	 */
	seam_sept_write(c, &c->pos, val);
	seam_l2_block_aliases(c, c->td, &c->pos, true);
	bepoch_entry(c)->bepoch = c->td->epoch;
	seam_count_blocked(c, state, +1);
	return SEAM_SUCCESS;
}

u64 seam_tdh_mem_range_unblock(struct seam_ctx *c)
{
	bool tracked;
	u8 state;
	u64 st;

	st = seam_sept_prefix(c, c->in.rdx, &block_prefix);
	if (!st)
		st = seam_check_entry_state(c, SEAM_STATE(NL_BLOCKED) | SEAM_STATE(BLOCKED) |
						       SEAM_STATE(PENDING_BLOCKED));
	if (st)
		return st;
	/*
	 * Going back costs the same as going on: others may have been denied the range already (10,
	 * 5).
	 */
	tracked = seam_epoch_tracked(c->td, bepoch_entry(c)->bepoch);
	if (seam_tracking_required(c->td) && !tracked)
		return SEAM_TLB_TRACKING_NOT_DONE | c->s->f.unblock_untracked_op;

	state = unblocked_state(seam_sept_state(c->pos.val));
	/*
	 * The reverse of BLOCK: aliases first. A PENDING page's stay blocked until it is accepted.
	 */
	if (state != SEAM_SEPT_PENDING)
		seam_l2_block_aliases(c, c->td, &c->pos, false);
	seam_sept_write(c, &c->pos, seam_sept_with_state(c->s, c->pos.val, state));
	seam_count_blocked(c, state, -1);
	return SEAM_SUCCESS;
}

u64 seam_tdh_mem_track(struct seam_ctx *c)
{
	const u64 allowed = RT_MASK(SEAM_OPS_LIVE_IMPORT, SEAM_OPS_INITIALIZED);
	struct seam_td *td;
	u64 st;

	st = seam_take_td(c, c->in.rcx, SEAM_SH, SEAM_OP_RCX);
	if (!st)
		st = seam_check_td_state(c, allowed, true);
	if (st)
		return st;
	td = c->td;
	seam_cost(c->s, SEAM_COST_ATOMIC, 2);
	if (seam_hold_sharex(&c->held, &td->epoch_lock, SEAM_EX) != SEAM_TRY_OK)
		return SEAM_OPERAND_BUSY | SEAM_OP_TD_EPOCH;
	seam_point(c, RT_PT_HELD, SEAM_AT(c->lp->id, td->tdr));
	assert(td->epoch); /* MNG.INIT set it before any state that gets here */
	/*
	 * Nobody of the epoch before the current one may still run; those of the current one may.
	 */
	if (td->refcount[1 - (td->epoch & 1)])
		return SEAM_PREVIOUS_TLB_EPOCH_BUSY;
	td->epoch++;
	rt_trace(&seam_ev_epoch, RT_PH_INSTANT, td->tdr, td->epoch, td->refcount[0],
		 td->refcount[1]);
	return SEAM_SUCCESS;
}
