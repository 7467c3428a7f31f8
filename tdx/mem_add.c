// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves that put a page into a TD: TDH.MEM.SEPT.ADD, PAGE.ADD, PAGE.AUG (tdx-module.md 5.1, 5.4,
 * 5.5). What takes pages out again is in mem_remove.c.
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "tdx/leaf.h"
#include "tdx/mr.h"
#include "tdx/sys.h"

static u64 *r8_plus(struct seam_regs *r, u32 vm)
{
	u64 *const regs[SEPT_MAX_VM + 1] = {&r->r8, &r->r9, &r->r10, &r->r11};

	assert(vm <= SEPT_MAX_VM);
	return regs[vm];
}

/* What SEPT.ADD will do for one VM (0: the L1 itself). */
struct table {
	bool add;
	struct seam_page pg;
	struct seam_pos pos; /* L2 */
};

/*
 * Version 1 hands its pages back whatever happens later: without bit 63, unless
 * leave_page() then says that the table was there already.
 */
static void report_pages(struct seam_ctx *c)
{
	for (u32 vm = 0; vm <= SEPT_MAX_VM; vm++) {
		u64 given = *r8_plus(&c->in, vm);

		if (given != SEAM_NULL_PA)
			*r8_plus(c->r, vm) = given & ~SEAM_PAGE_UNUSED;
	}
}

static void leave_page(struct seam_ctx *c, u32 vm)
{
	if (c->version)
		*r8_plus(c->r, vm) |= SEAM_PAGE_UNUSED;
}

static u64 check_l1_table(struct seam_ctx *c, bool allow_existing, struct table *t)
{
	bool given = c->in.r8 != SEAM_NULL_PA;
	u64 st = seam_check_entry_state(c, SEAM_STATE(FREE) | SEAM_STATE(NL_MAPPED));

	/*
	 * Version 0 has no "none": there NULL_PA is a bad address, but a wrong entry counts first.
	 */
	if (!st && !given && !c->version)
		st = SEAM_OPERAND_INVALID | SEAM_OP_R8;
	if (st)
		return st;
	if (seam_sept_state(c->pos.val) == SEAM_SEPT_NL_MAPPED) {
		if (given && !allow_existing)
			return seam_check_entry_state(c, SEAM_STATE(FREE));
		if (given)
			leave_page(c, 0);
		return 0;
	}
	if (!given)
		return seam_check_entry_state(c, SEAM_STATE(NL_MAPPED));
	t->add = true;
	return seam_phpa(c, c->in.r8 & ~SEAM_PAGE_UNUSED, SEAM_PT_NDA, SEAM_EX, SEAM_OP_R8, &t->pg);
}

static u64 l2_error(struct seam_ctx *c, const struct seam_pos *l2, u64 status)
{
	return seam_entry_error(c, l2, status | (u64)l2->vm << 16 | l2->level);
}

static u64 check_l2_table(struct seam_ctx *c, u32 vm, bool allow_existing, struct table *t)
{
	u64 given = *r8_plus(&c->in, vm);

	if (given == SEAM_NULL_PA)
		return 0;
	if (vm > c->td->nr_l2)
		return SEAM_OPERAND_INVALID | (SEAM_OP_R8 + vm);
	if (!seam_sept_walk(c->s, c->td, vm, c->pos.gpa, c->pos.level, &t->pos))
		return l2_error(c, &t->pos, SEAM_L2_SEPT_WALK_FAILED);
	t->add = seam_l2_state(t->pos.val) == SEAM_L2_FREE;
	if (!t->add && !allow_existing)
		return l2_error(c, &t->pos, SEAM_L2_SEPT_ENTRY_NOT_FREE);
	if (!t->add) {
		leave_page(c, vm);
		return 0;
	}
	return seam_phpa(c, given & ~SEAM_PAGE_UNUSED, SEAM_PT_NDA, SEAM_EX, SEAM_OP_R8 + vm,
			 &t->pg);
}

/* A page becomes a table of FREE entries, and its parent points to it. */
static void add_table(struct seam_ctx *c, u32 vm, struct table *t)
{
	assert(t->pg.level == 0 && (t->pg.e->lock & SEAM_WORD_EX));
	seam_sept_fill_free(c->s, c->td, t->pg.hpa);
	seam_pamt_assign(c->s, &t->pg, SEAM_PT_EPT, c->td->tdr);
	t->pg.e->bepoch = 0;
	seam_child_add(c->s, c->td, 1);
	if (!vm) {
		seam_sept_write(c, &c->pos,
				seam_sept_make_table(c->s, t->pg.hpa, SEAM_SEPT_NL_MAPPED));
		return;
	}
	seam_sept_write(c, &t->pos, seam_l2_make_table(t->pg.hpa));
	seam_sept_write(c, &c->pos, c->pos.val | SEPT_ALIAS(vm));
}

/*
 * All checks are done: page by page, and between pages the call can be stopped and resumed (5.1).
 */
static u64 add_tables(struct seam_ctx *c, struct table t[])
{
	bool added = false;

	for (u32 vm = 0; vm <= SEPT_MAX_VM; vm++) {
		if (!t[vm].add)
			continue;
		if (added) {
			u64 st = seam_poll_host(c, SEAM_INTERRUPTED_RESUMABLE);

			if (st)
				return st;
		}
		add_table(c, vm, &t[vm]);
		added = true;
		if (c->version)
			*r8_plus(c->r, vm) = SEAM_NULL_PA;
	}
	return SEAM_SUCCESS;
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
	bool allow_existing = c->in.rdx & SEAM_TDR_FLAG;
	struct table t[SEPT_MAX_VM + 1] = {0};
	u64 st;

	if (c->version > 1)
		return SEAM_OPERAND_INVALID | SEAM_OP_RAX;
	if (c->version)
		report_pages(c);
	if (c->in.rdx & SEAM_TDR_FLAG_RSVD)
		return SEAM_OPERAND_INVALID | SEAM_OP_RDX;
	st = seam_sept_prefix(c, c->in.rdx & ~SEAM_TDR_FLAG, &prefix);
	if (!st)
		st = check_l1_table(c, allow_existing, &t[0]);
	for (u32 vm = 1; !st && c->version && vm <= SEPT_MAX_VM; vm++)
		st = check_l2_table(c, vm, allow_existing, &t[vm]);
	return st ? st : add_tables(c, t);
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

	assert(c->td->opstate == SEAM_OPS_INITIALIZED);
	rt_phys_copy(pg.hpa, seam_key(c->s, c->td), source & seam_pa_mask(c->s), 0);
	seam_cost(c->s, SEAM_COST_READ_LINE, 64);
	seam_cost(c->s, SEAM_COST_STORE_LINE, 64);
	seam_mr_extend(c->td, SEAM_MR_PAGE_ADD, gpa, NULL, 0);
	seam_cost(c->s, SEAM_COST_SHA_BLOCK, 1);
	seam_sept_write(c, &c->pos, seam_sept_make_leaf(c->s, c->td, pg.hpa, SEAM_SEPT_MAPPED));
	seam_pamt_assign(c->s, &pg, SEAM_PT_REG, c->td->tdr);
	pg.e->bepoch = 0;
	seam_child_add(c->s, c->td, 1);
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

	assert(pg.level == c->pos.level && (pg.e->lock & SEAM_WORD_EX));
	/* Contents stay what they were: the guest's ACCEPT zeroes them. */
	seam_sept_write(c, &c->pos, seam_sept_make_leaf(c->s, c->td, pg.hpa, SEAM_SEPT_PENDING));
	seam_child_add(c->s, c->td, SEAM_LEVEL_PAGES(c->pos.level));
	seam_pamt_assign(c->s, &pg, SEAM_PT_REG, c->td->tdr);
	pg.e->bepoch = 0;
	return SEAM_SUCCESS;
}
