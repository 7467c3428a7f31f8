// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.PAGE.DEMOTE (tdx-module.md 5.7, 8.2): one large leaf becomes a table of 512. Its reverse
 * is in mem_merge.c; what happens to the PAMT is in pamt_split.c.
 *
 * Nothing that the guest can see changes before the last step, so every failure leaves the range as
 * it was and the call can be repeated: only the new table page has been written over, and that is
 * nobody's yet.
 */
#include <assert.h>

#include "tdx/leaf.h"

struct split {
	struct seam_page table;		      /* R8 */
	struct seam_page l2[SEPT_MAX_VM + 1]; /* R9..R11; .e NULL: no page for that VM */
	struct seam_pos l2_pos[SEPT_MAX_VM + 1];
	u64 hpa;   /* of the large page */
	u64 first; /* child 0 */
	u32 level;
};

static u64 operand(const struct seam_regs *r, u32 vm)
{
	const u64 regs[] = {r->r8, r->r9, r->r10, r->r11};

	return regs[vm];
}

static void mark_unused(struct seam_ctx *c, u32 vm)
{
	u64 *const out[] = {&c->r->r8, &c->r->r9, &c->r->r10, &c->r->r11};

	*out[vm] |= SEAM_PAGE_UNUSED;
}

/* Step 3: the new pages, L1's and those of the L2 VMs. */
static u64 take_pages(struct seam_ctx *c, struct split *sp, bool sparse)
{
	u64 st;

	st = seam_phpa(c, c->in.r8, SEAM_PT_NDA, SEAM_EX, SEAM_OP_R8, &sp->table);
	for (u32 vm = 1; !st && vm <= c->td->nr_l2; vm++) {
		bool aliased = c->pos.val & SEPT_ALIAS(vm);
		u64 given = operand(&c->in, vm);

		if (given == SEAM_NULL_PA && aliased)
			st = SEAM_L2_SEPT_PAGE_NOT_PROVIDED | (SEAM_OP_R8 + vm);
		else if (given == SEAM_NULL_PA)
			continue;
		else if (!sparse || aliased)
			st = seam_phpa(c, given & ~SEAM_PAGE_UNUSED, SEAM_PT_NDA, SEAM_EX,
				       SEAM_OP_R8 + vm, &sp->l2[vm]);
		else
			mark_unused(c, vm);
	}
	return st;
}

static bool polls(const struct seam_ctx *c)
{
	return !c->s->f.demote_poll_l2_only || c->td->nr_l2;
}

/* Step 5: the L2 table of one VM: the L2 leaf split, or all free. */
static u64 fill_l2(struct seam_ctx *c, struct split *sp, u32 vm)
{
	struct seam_pos *l2 = &sp->l2_pos[vm];
	u64 st;

	st = seam_poll_host(c, SEAM_INTERRUPTED_RESTARTABLE);
	if (st)
		return st;
	if (!seam_sept_walk(c->s, c->td, vm, c->pos.gpa, c->pos.level, l2))
		return seam_entry_error(c, l2,
					SEAM_L2_SEPT_WALK_FAILED | (u64)vm << 16 | l2->level);
	if (c->pos.val & SEPT_ALIAS(vm)) {
		bool pending = seam_sept_state(sp->first) == SEAM_SEPT_PENDING;
		u64 first = seam_l2_make_leaf(c->s, c->td, sp->hpa, seam_l2_attr(l2->val), pending);

		seam_sept_fill_children(c->s, c->td, sp->l2[vm].hpa, first, sp->level - 1);
	} else {
		seam_sept_fill_free(c->s, c->td, sp->l2[vm].hpa);
	}
	return 0;
}

static void own_table(struct seam_ctx *c, struct seam_page *pg)
{
	/* BEPOCH is not written: RDMD may show one of the page's earlier life (5.7). */
	seam_pamt_assign(c->s, pg, SEAM_PT_EPT, c->td->tdr);
	seam_child_add(c->s, c->td, 1);
}

/* Step 8. */
static void commit(struct seam_ctx *c, struct split *sp)
{
	u64 val = seam_sept_make_table(c->s, sp->table.hpa, SEAM_SEPT_NL_MAPPED);
	u8 state = seam_sept_state(c->pos.val);

	assert(sp->table.e->type == SEAM_PT_NDA && (sp->table.e->lock & SEAM_WORD_EX));
	assert(*c->pos.entry & SEPT_LOCK);
	for (u32 vm = 1; vm <= c->td->nr_l2; vm++) {
		if (sp->l2[vm].e)
			val |= SEPT_ALIAS(vm);
	}
	if (seam_state_any_blocked(state))
		seam_count_blocked(c, state, -1);
	seam_sept_write(c, &c->pos, val);
	own_table(c, &sp->table);
	for (u32 vm = 1; vm <= c->td->nr_l2; vm++) {
		if (!sp->l2[vm].e)
			continue;
		seam_sept_write(c, &sp->l2_pos[vm], seam_l2_make_table(sp->l2[vm].hpa));
		own_table(c, &sp->l2[vm]);
	}
}

u64 seam_tdh_mem_page_demote(struct seam_ctx *c)
{
	static const struct seam_prefix prefix = {
		.allowed = SEAM_OPS(INITIALIZED) | SEAM_OPS(RUNNABLE) | SEAM_OPS(LIVE_EXPORT) |
			   SEAM_OPS(PAUSED_EXPORT) | SEAM_OPS(POST_EXPORT) | SEAM_OPS(POST_IMPORT) |
			   SEAM_OPS(LIVE_IMPORT),
		.min = 1,
		.max = 2,
		.tree = SEAM_SH,
	};
	struct split sp = {0};
	struct seam_pamt_entry large;
	u8 state;
	u64 st;

	if (c->in.rdx & SEAM_TDR_FLAG_RSVD)
		return SEAM_OPERAND_INVALID | SEAM_OP_RDX;
	st = seam_sept_prefix(c, c->in.rdx & ~SEAM_TDR_FLAG, &prefix);
	if (!st)
		st = seam_check_entry_state(c, SEAM_STATE(MAPPED) | SEAM_STATE(BLOCKED) |
						       SEAM_STATE(PENDING) |
						       SEAM_STATE(PENDING_BLOCKED));
	if (st)
		return st;
	sp.level = c->pos.level;
	c->pos.val &=
		~SEPT_COUNTER; /* no half done ACCEPT goes into children, nor shows in errors */
	sp.hpa = seam_sept_hpa(c->s, c->pos.val, sp.level);
	seam_pamt_peek(c->s, sp.hpa, sp.level, &large);
	assert(large.type == SEAM_PT_REG && seam_pamt_owner(&large) == c->td->tdr);
	/* The assumption of 8.3 is nothing but this: no blocking, no tracking. */
	if (!c->s->cfg.non_blocking_resize)
		st = seam_check_tracking(c, large.bepoch);
	if (!st)
		st = take_pages(c, &sp, c->in.rdx & SEAM_TDR_FLAG);
	if (st)
		return st;

	state = seam_sept_state(c->pos.val);
	state = state == SEAM_SEPT_MAPPED || state == SEAM_SEPT_BLOCKED ? SEAM_SEPT_MAPPED
									: SEAM_SEPT_PENDING;
	/* Built anew from the HPA: unblocked and unlocked. */
	sp.first = seam_sept_make_leaf(c->s, c->td, sp.hpa, state) | (c->pos.val & SEPT_ALIASES);
	seam_sept_fill_children(c->s, c->td, sp.table.hpa, sp.first, sp.level - 1);
	for (u32 vm = 1; !st && vm <= c->td->nr_l2; vm++) {
		if (sp.l2[vm].e)
			st = fill_l2(c, &sp, vm);
	}
	if (!st && polls(c))
		st = seam_poll_host(c, SEAM_INTERRUPTED_RESTARTABLE);
	if (!st)
		st = seam_pamt_demote(c, sp.hpa, sp.level);
	if (!st)
		commit(c, &sp);
	return st;
}
