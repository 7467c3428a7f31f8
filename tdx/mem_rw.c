// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.SEPT.RD, and TDH.MEM.RD and WR of a debug TD's memory (tdx-module.md 5.3, 5.9).
 * They change no S-EPT entry, but they take the same locks as leaves that do.
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "tdx/leaf.h"

#define READ_OPS RT_MASK(SEAM_OPS_FAILED_IMPORT, SEAM_OPS_INITIALIZED)
#define WRITE_OPS                                                             \
	(SEAM_OPS(INITIALIZED) | SEAM_OPS(RUNNABLE) | SEAM_OPS(LIVE_EXPORT) | \
	 RT_MASK(SEAM_OPS_FAILED_IMPORT, SEAM_OPS_MEMORY_IMPORT))

u64 seam_tdh_mem_sept_rd(struct seam_ctx *c)
{
	static const struct seam_prefix prefix = {
		.allowed = READ_OPS,
		.min = 0,
		.max = SEAM_TOP,
		.tree = SEAM_SH,
	};
	bool want_l2 = c->in.rdx & SEAM_TDR_FLAG;
	u64 tdr = c->in.rdx & ~SEAM_TDR_FLAG;
	u64 st;

	if (c->in.rdx & SEAM_TDR_FLAG_RSVD)
		return SEAM_OPERAND_INVALID | SEAM_OP_RDX;
	st = seam_take_td(c, tdr, SEAM_SH, SEAM_OP_RDX);
	if (!st)
		st = seam_check_td_state(c, READ_OPS, true);
	if (!st && want_l2 && !(c->td->attributes & SEAM_TD_DEBUG))
		st = SEAM_OPERAND_INVALID | SEAM_OP_RDX;
	if (!st)
		st = seam_sept_prefix_tail(c, &prefix);
	if (st)
		return st;

	if (want_l2)
		c->r->r8 = seam_l2_attrs(c->s, c->td, &c->pos);
	return seam_entry_error(c, &c->pos, SEAM_SUCCESS);
}

/* Prefix of both: note that the GPA is looked at only under the tree lock. */
static u64 find_word(struct seam_ctx *c, u64 allowed, u64 *hpa)
{
	u64 gpa = c->in.rcx, st;

	st = seam_take_td(c, c->in.rdx, SEAM_SH, SEAM_OP_RDX);
	if (!st)
		st = seam_check_td_state(c, allowed, true);
	if (st)
		return st;
	if (!(c->td->attributes & SEAM_TD_DEBUG))
		return SEAM_TD_NON_DEBUG;
	if (gpa & 7)
		return SEAM_OPERAND_INVALID | SEAM_OP_RCX;
	st = seam_take_tree(c, SEAM_SH, gpa & RT_MASK(51, 0));
	if (!st)
		st = seam_check_gpa(c->td, gpa);
	if (st)
		return st;

	seam_sept_walk(c->s, c->td, 0, gpa, 0, &c->pos);
	/* The walk has to end at a leaf that is present: a pending or blocked page is no word's place. */
	if (!seam_sept_is_leaf(c->pos.val) || !(c->pos.val & SEPT_RWX))
		return seam_entry_error(c, &c->pos, SEAM_EPT_ENTRY_NOT_PRESENT | SEAM_OP_RCX);
	if (seam_hold_entry(&c->held, c->pos.entry, SEAM_HOST) != SEAM_TRY_OK)
		return seam_entry_error(c, &c->pos, SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	seam_sept_reread(&c->pos);
	assert(*c->pos.entry & SEPT_LOCK);
	assert(seam_sept_state(c->pos.val) == SEAM_SEPT_MAPPED); /* no other leaf is present */
	*hpa = seam_sept_hpa(c->s, c->pos.val, c->pos.level) |
	       (gpa & (SEAM_LEVEL_SIZE(c->pos.level) - 1));
	return 0;
}

u64 seam_tdh_mem_rd(struct seam_ctx *c)
{
	u64 hpa = 0, st;

	st = find_word(c, READ_OPS, &hpa);
	if (st)
		return st;
	rt_phys_read(hpa, seam_key(c->s, c->td), &c->r->r8);
	return SEAM_SUCCESS;
}

u64 seam_tdh_mem_wr(struct seam_ctx *c)
{
	u64 hpa = 0, st;

	st = find_word(c, WRITE_OPS, &hpa);
	if (st)
		return st;
	rt_phys_read(hpa, seam_key(c->s, c->td), &c->r->r8);
	rt_phys_write(hpa, seam_key(c->s, c->td), c->in.r8);
	return SEAM_SUCCESS;
}
