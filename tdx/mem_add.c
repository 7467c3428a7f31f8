// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves that put a page into a TD: TDH.MEM.SEPT.ADD, PAGE.ADD, PAGE.AUG (tdx-module.md 5.1, 5.4, 5.5).
 * What takes pages out again is in mem_remove.c.
 */
#include "sim/rt/phys.h"
#include "tdx/leaf.h"
#include "tdx/mr.h"
#include "tdx/sys.h"

static u64 *r8_plus(struct seam_regs *r, u32 vm)
{
	u64 *const regs[] = {&r->r8, &r->r9, &r->r10, &r->r11};

	return regs[vm];
}

/* A page becomes a table of FREE entries. */
static void install_table(struct seam_ctx *c, struct seam_page *pg)
{
	seam_sept_fill_free(c->s, c->td, pg->hpa);
	seam_pamt_assign(c->s, pg, SEAM_PT_EPT, c->td->tdr);
	pg->e->bepoch = 0;
	seam_child_add(c->td, 1);
}

/* The L1 table. *@added: a page was used. */
static u64 add_l1_table(struct seam_ctx *c, bool allow_existing, bool *added)
{
	u8 state = seam_sept_state(c->pos.val);
	bool given = c->in.r8 != SEAM_NULL_PA;
	struct seam_page pg;
	u64 st;

	if (!given && !c->version)
		return SEAM_OPERAND_INVALID | SEAM_OP_R8;
	if (!given)
		return seam_check_entry_state(c, SEAM_STATE(NL_MAPPED));
	st = seam_check_entry_state(c, SEAM_STATE(FREE) |
					       (allow_existing ? SEAM_STATE(NL_MAPPED) : 0));
	if (st)
		return st;
	if (state == SEAM_SEPT_NL_MAPPED) {
		if (c->version)
			c->r->r8 = c->in.r8 | SEAM_PAGE_UNUSED;
		return 0;
	}
	st = seam_phpa(c, c->in.r8 & ~SEAM_PAGE_UNUSED, SEAM_PT_NDA, SEAM_EX, SEAM_OP_R8, &pg);
	if (st)
		return st;
	install_table(c, &pg);
	seam_sept_write(c, &c->pos, seam_sept_make_table(c->s, pg.hpa, SEAM_SEPT_NL_MAPPED));
	if (c->version)
		c->r->r8 = SEAM_NULL_PA;
	*added = true;
	return 0;
}

static u64 l2_error(struct seam_ctx *c, const struct seam_pos *l2, u64 status)
{
	return seam_entry_error(c, l2, status | (u64)l2->vm << 16 | l2->level);
}

static u64 add_l2_table(struct seam_ctx *c, u32 vm, bool allow_existing, bool *added)
{
	u64 *out = r8_plus(c->r, vm), given = *r8_plus(&c->in, vm);
	struct seam_pos l2;
	struct seam_page pg;
	u64 st;

	if (vm > c->td->nr_l2)
		return SEAM_OPERAND_INVALID | (SEAM_OP_R8 + vm);
	if (!seam_sept_walk(c->s, c->td, vm, c->pos.gpa, c->pos.level, &l2))
		return l2_error(c, &l2, SEAM_L2_SEPT_WALK_FAILED);
	if (seam_l2_state(l2.val) != SEAM_L2_FREE) {
		if (!allow_existing)
			return l2_error(c, &l2, SEAM_L2_SEPT_ENTRY_NOT_FREE);
		*out = given | SEAM_PAGE_UNUSED;
		return 0;
	}
	st = seam_phpa(c, given & ~SEAM_PAGE_UNUSED, SEAM_PT_NDA, SEAM_EX, SEAM_OP_R8 + vm, &pg);
	if (!st && *added)
		st = seam_poll_host(c, SEAM_INTERRUPTED_RESUMABLE);
	if (st)
		return st;
	install_table(c, &pg);
	seam_sept_write(c, &l2, seam_l2_make_table(pg.hpa));
	seam_sept_write(c, &c->pos, c->pos.val | SEPT_ALIAS(vm));
	*out = SEAM_NULL_PA;
	*added = true;
	return 0;
}

u64 seam_tdh_mem_sept_add(struct seam_ctx *c)
{
	static const struct seam_prefix prefix = {
		.allowed = SEAM_OPS(INITIALIZED) | SEAM_OPS(RUNNABLE) | SEAM_OPS(LIVE_EXPORT) |
			   SEAM_OPS(MEMORY_IMPORT) | SEAM_OPS(STATE_IMPORT) |
			   SEAM_OPS(POST_IMPORT) | SEAM_OPS(LIVE_IMPORT),
		.min = 1,
		.max = SEAM_TOP,
		.tree = SEAM_SH,
	};
	bool allow_existing = c->in.rdx & SEAM_TDR_FLAG, added = false;
	u64 st;

	if (c->version > 1)
		return SEAM_OPERAND_INVALID | SEAM_OP_RAX;
	if (c->in.rdx & SEAM_TDR_FLAG_RSVD)
		return SEAM_OPERAND_INVALID | SEAM_OP_RDX;
	st = seam_sept_prefix(c, c->in.rdx & ~SEAM_TDR_FLAG, &prefix);
	if (!st)
		st = add_l1_table(c, allow_existing, &added);
	for (u32 vm = 1; !st && c->version && vm <= SEPT_MAX_VM; vm++) {
		if (*r8_plus(&c->in, vm) != SEAM_NULL_PA)
			st = add_l2_table(c, vm, allow_existing, &added);
	}
	return st;
}

/* The build of a TD: the TDR is exclusive, so neither OP_STATE, tree nor entry is locked (5.4). */
u64 seam_tdh_mem_page_add(struct seam_ctx *c)
{
	u64 gpa = SEAM_INFO_GPA(c->in.rcx), source = c->in.r9, st;
	struct seam_page pg;

	st = seam_take_td(c, c->in.rdx, SEAM_EX, SEAM_OP_RDX);
	if (!st)
		st = seam_check_td_state(c, SEAM_OPS(INITIALIZED), false);
	if (!st)
		st = seam_check_page_info(c->in.rcx, 0, 0);
	if (!st)
		st = seam_check_gpa(c->td, gpa);
	if (st)
		return st;
	if (!seam_sept_walk(c->s, c->td, 0, gpa, 0, &c->pos))
		return seam_entry_error(c, &c->pos, SEAM_EPT_WALK_FAILED | SEAM_OP_RCX);
	st = seam_check_entry_state(c, SEAM_STATE(FREE));
	if (!st)
		st = seam_shared_hpa_check(c->s, source, SEAM_LEVEL_SIZE(0), SEAM_LEVEL_SIZE(0),
					   SEAM_OP_R9);
	if (!st)
		st = seam_phpa(c, c->in.r8, SEAM_PT_NDA, SEAM_EX, SEAM_OP_R8, &pg);
	if (st)
		return st;

	rt_phys_copy(pg.hpa, seam_key(c->s, c->td), source & seam_pa_mask(c->s), 0);
	seam_cost(c->s, SEAM_COST_RMW_LINE, 64);
	seam_cost(c->s, SEAM_COST_STORE_LINE, 64);
	seam_mr_extend(c->td, SEAM_MR_PAGE_ADD, gpa, NULL, 0);
	seam_cost(c->s, SEAM_COST_SHA_BLOCK, 1);
	seam_sept_write(c, &c->pos, seam_sept_make_leaf(c->s, c->td, pg.hpa, SEAM_SEPT_MAPPED));
	seam_pamt_assign(c->s, &pg, SEAM_PT_REG, c->td->tdr);
	pg.e->bepoch = 0;
	seam_child_add(c->td, 1);
	return SEAM_SUCCESS;
}

u64 seam_tdh_mem_page_aug(struct seam_ctx *c)
{
	static const struct seam_prefix prefix = {
		.allowed = SEAM_OPS(INITIALIZED) | SEAM_OPS(RUNNABLE) | SEAM_OPS(LIVE_EXPORT) |
			   SEAM_OPS(LIVE_IMPORT),
		.min = 0,
		.max = 1,
		.tree = SEAM_SH,
	};
	struct seam_page pg;
	u64 st;

	st = seam_sept_prefix(c, c->in.rdx, &prefix);
	if (!st)
		st = seam_check_entry_state(c, SEAM_STATE(FREE) | SEAM_STATE(REMOVED));
	if (!st)
		st = seam_phpa_free(c, c->in.r8, c->pos.level, SEAM_OP_R8, &pg);
	if (st)
		return st;

	/* Contents stay what they were: the guest's ACCEPT zeroes them. */
	seam_sept_write(c, &c->pos, seam_sept_make_leaf(c->s, c->td, pg.hpa, SEAM_SEPT_PENDING));
	seam_child_add(c->td, SEAM_LEVEL_PAGES(c->pos.level));
	seam_pamt_assign(c->s, &pg, SEAM_PT_REG, c->td->tdr);
	pg.e->bepoch = 0;
	return SEAM_SUCCESS;
}
