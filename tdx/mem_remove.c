// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves that take a page out of a TD or swap it: TDH.MEM.PAGE.REMOVE, SEPT.REMOVE, PAGE.RELOCATE
 * (tdx-module.md 5.2, 5.6, 5.9). The page's PAMT entry is known from the S-EPT, so its parents are
 * not locked.
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "tdx/leaf.h"

#define CHANGE_OPS                                                                 \
	(SEAM_OPS(INITIALIZED) | SEAM_OPS(RUNNABLE) | SEAM_OPS(LIVE_EXPORT) |      \
	 SEAM_OPS(PAUSED_EXPORT) | SEAM_OPS(POST_EXPORT) | SEAM_OPS(POST_IMPORT) | \
	 SEAM_OPS(LIVE_IMPORT))

#define LEAF_STATES                                                       \
	(SEAM_STATE(MAPPED) | SEAM_STATE(BLOCKED) | SEAM_STATE(PENDING) | \
	 SEAM_STATE(PENDING_BLOCKED))

/* RCX of a leaf that frees a page: its HPA, with the hint if it was the last of its pair (8.4). */
static u64 freed(u64 hpa, bool last)
{
	return hpa | (last ? SEAM_PAIR_EMPTY_HINT : 0);
}

u64 seam_tdh_mem_page_remove(struct seam_ctx *c)
{
	static const struct seam_prefix prefix = {
		.allowed = CHANGE_OPS | SEAM_OPS(FAILED_IMPORT),
		.min = 0,
		.max = 2,
		.tree = SEAM_SH,
	};
	struct seam_page pg;
	u32 level;
	u8 state;
	u64 st;

	st = seam_sept_prefix(c, c->in.rdx, &prefix);
	if (!st)
		st = seam_check_entry_state(c, LEAF_STATES);
	if (st)
		return st;
	level = c->pos.level;
	if (level)
		c->pos.val &= ~SEPT_COUNTER; /* of a half done ACCEPT: errors do not show it here */
	st = seam_pamt_implicit(c, seam_sept_hpa(c->s, c->pos.val, level), level, SEAM_EX,
				SEAM_OP_RCX, &pg);
	if (!st)
		st = seam_check_tracking(c, pg.e->bepoch);
	if (st)
		return st;

	assert(pg.e->type == SEAM_PT_REG && seam_pamt_owner(pg.e) == c->td->tdr);
	state = seam_sept_state(c->pos.val);
	if (seam_state_any_blocked(state))
		seam_count_blocked(c, state, -1);
	seam_l2_free_aliases(c, c->td, &c->pos);
	seam_sept_write(c, &c->pos, SEPT_FREE_VALUE);
	seam_child_sub(c->s, c->td, SEAM_LEVEL_PAGES(level));
	c->r->rcx = freed(pg.hpa, seam_pamt_unassign(c->s, &pg));
	return SEAM_SUCCESS;
}

/* L2 tables below the same entry go too; only version 1 says which. */
struct l2_tables {
	struct seam_pos pos[SEPT_MAX_VM + 1];
	struct seam_page pg[SEPT_MAX_VM + 1]; /* .e NULL: none of that VM */
};

static u64 lock_l2_tables(struct seam_ctx *c, struct l2_tables *t)
{
	u64 st = 0;

	for (u32 vm = 1; !st && vm <= c->td->nr_l2; vm++) {
		if (!(c->pos.val & SEPT_ALIAS(vm)))
			continue;
		seam_l2_walk_alias(c->s, c->td, &c->pos, vm, &t->pos[vm]);
		st = seam_pamt_implicit(c, seam_sept_hpa(c->s, t->pos[vm].val, t->pos[vm].level), 0,
					SEAM_EX, SEAM_OP_RCX, &t->pg[vm]);
	}
	return st;
}

static void remove_l2_tables(struct seam_ctx *c, struct l2_tables *t)
{
	u64 *const out[] = {&c->r->r8, &c->r->r9, &c->r->r10, &c->r->r11};

	for (u32 vm = 1; vm <= c->td->nr_l2; vm++) {
		u64 hpa;

		if (!t->pg[vm].e)
			continue;
		seam_sept_write(c, &t->pos[vm], SEPT_FREE_VALUE);
		seam_child_sub(c->s, c->td, 1);
		hpa = freed(t->pg[vm].hpa, seam_pamt_unassign(c->s, &t->pg[vm]));
		if (c->version)
			*out[vm] = hpa;
	}
}

static bool table_is_free(struct seam_ctx *c, u64 table_hpa)
{
	const u64 *e = seam_sept_table(c->s, c->td, table_hpa);

	seam_cost(c->s, SEAM_COST_READ_LINE, 64);
	for (u32 i = 0; i < SEPT_ENTRIES; i++) {
		if ((e[i] ^ SEPT_FREE_VALUE) & SEPT_STATE_BITS)
			return false;
	}
	return true;
}

u64 seam_tdh_mem_sept_remove(struct seam_ctx *c)
{
	static const struct seam_prefix prefix = {
		.allowed = RT_MASK(SEAM_OPS_FAILED_IMPORT, SEAM_OPS_INITIALIZED),
		.min = 1,
		.max = SEAM_TOP,
		.tree = SEAM_EX,
	};
	struct l2_tables l2 = {0};
	struct seam_page pg;
	u64 st;

	if (c->version)
		c->r->r9 = c->r->r10 = c->r->r11 = SEAM_NULL_PA;
	if (c->version > 1)
		return SEAM_OPERAND_INVALID | SEAM_OP_RAX;
	st = seam_sept_prefix(c, c->in.rdx, &prefix);
	if (!st)
		st = seam_check_entry_state(c, SEAM_STATE(NL_MAPPED) | SEAM_STATE(NL_BLOCKED));
	if (!st)
		st = seam_pamt_implicit(c, seam_sept_hpa(c->s, c->pos.val, c->pos.level), 0,
					SEAM_EX, SEAM_OP_RCX, &pg);
	if (!st)
		st = seam_check_tracking(c, pg.e->bepoch);
	if (!st && !table_is_free(c, pg.hpa))
		st = seam_entry_error(c, &c->pos, SEAM_EPT_PAGE_NOT_FREE | SEAM_OP_RCX);
	if (!st)
		st = lock_l2_tables(c, &l2);
	if (st)
		return st;

	assert(pg.e->type == SEAM_PT_EPT && seam_pamt_owner(pg.e) == c->td->tdr);
	seam_sept_write(c, &c->pos, SEPT_FREE_VALUE);
	seam_child_sub(c->s, c->td, 1);
	remove_l2_tables(c, &l2);
	/* Last, so of several tables in one pair's range it is the L1's that has the hint (8.4). */
	c->r->rcx = freed(pg.hpa, seam_pamt_unassign(c->s, &pg));
	return SEAM_SUCCESS;
}

/* L2 leaves of the relocated page move with it, and are unblocked unless it is pending. */
static void relocate_aliases(struct seam_ctx *c, u64 hpa, bool pending)
{
	for (u32 vm = 1; vm <= c->td->nr_l2; vm++) {
		struct seam_pos l2;
		u64 val;

		if (!(c->pos.val & SEPT_ALIAS(vm)))
			continue;
		seam_l2_walk_alias(c->s, c->td, &c->pos, vm, &l2);
		val = seam_l2_make_leaf(c->s, c->td, hpa, seam_l2_attr(l2.val), pending);
		seam_sept_write(c, &l2, val);
	}
}

u64 seam_tdh_mem_page_relocate(struct seam_ctx *c)
{
	static const struct seam_prefix prefix = {
		.allowed = CHANGE_OPS,
		.min = 0,
		.max = 0,
		.tree = SEAM_SH,
	};
	struct seam_page from, to;
	bool pending;
	u32 key;
	u8 state;
	u64 st;

	st = seam_sept_prefix(c, c->in.rdx, &prefix);
	if (!st)
		st = seam_check_entry_state(c, LEAF_STATES);
	if (st)
		return st;
	if (c->in.r8 == seam_sept_hpa(c->s, c->pos.val, 0))
		return SEAM_OPERAND_INVALID | SEAM_OP_R8;
	st = seam_pamt_implicit(c, seam_sept_hpa(c->s, c->pos.val, 0), 0, SEAM_EX, SEAM_OP_RCX,
				&from);
	if (!st)
		st = seam_check_tracking(c, from.e->bepoch);
	if (!st)
		st = seam_phpa(c, c->in.r8, SEAM_PT_NDA, SEAM_EX, SEAM_OP_R8, &to);
	if (st)
		return st;

	assert(from.e->type == SEAM_PT_REG && from.e != to.e);
	assert(seam_pamt_owner(from.e) == c->td->tdr);
	state = seam_sept_state(c->pos.val);
	pending = state == SEAM_SEPT_PENDING || state == SEAM_SEPT_PENDING_BLOCKED;
	key = seam_key(c->s, c->td);
	if (!pending) {
		rt_phys_copy(to.hpa, key, from.hpa, key);
		seam_cost(c->s, SEAM_COST_READ_LINE, 64);
		seam_cost(c->s, SEAM_COST_STORE_LINE, 64);
	}
	if (seam_state_any_blocked(state))
		seam_count_blocked(c, state, -1);
	relocate_aliases(c, to.hpa, pending);
	seam_sept_write(c, &c->pos,
			(c->pos.val & SEPT_ALIASES) |
				seam_sept_make_leaf(c->s, c->td, to.hpa,
						    pending ? SEAM_SEPT_PENDING
							    : SEAM_SEPT_MAPPED));
	/*
	 * The target counts before the source falls, so moving inside one pair gives no hint (8.4).
	 */
	seam_pamt_assign(c->s, &to, SEAM_PT_REG, c->td->tdr);
	to.e->bepoch = 0;
	c->r->rcx = freed(from.hpa, seam_pamt_unassign(c->s, &from));
	return SEAM_SUCCESS;
}
