// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MEM.PAGE.PROMOTE (tdx-module.md 5.8): a table of 512 equal neighbours becomes one large leaf.
 * Its reverse is in mem_split.c; what happens to the PAMT is in pamt_split.c.
 */
#include <assert.h>

#include "tdx/leaf.h"

struct merge {
	struct seam_page table;
	struct seam_page l2[SEPT_MAX_VM + 1]; /* L2 tables that go too; .e NULL: none */
	struct seam_pos l2_pos[SEPT_MAX_VM + 1];
	u64 l2_val[SEPT_MAX_VM + 1]; /* what the L2 entry becomes */
	u64 first;		     /* child 0, without lock bits */
};

/* Bits of a child that newer releases do not compare (5.8); the lock bit is never among them. */
#define IGNORED (SEPT_A | SEPT_D | SEPT_HP)

/* Entry i is @first plus i pages, for all 512. @mask: bits that count. */
static bool in_a_row(struct seam_ctx *c, const u64 *e, u64 first, u64 mask, u64 step)
{
	u64 want = first & mask, diff = 0;

	seam_cost(c->s, SEAM_COST_READ_LINE, 64);
	for (u32 i = 0; i < SEPT_ENTRIES; i += 4, want += 4 * step) {
		diff |= e[i] ^ want;
		diff |= e[i + 1] ^ (want + step);
		diff |= e[i + 2] ^ (want + 2 * step);
		diff |= e[i + 3] ^ (want + 3 * step);
	}
	return !(diff & mask);
}

static u64 refuse(struct seam_ctx *c)
{
	return seam_entry_error(c, &c->pos, SEAM_EPT_INVALID_PROMOTE_CONDITIONS | SEAM_OP_RCX);
}

/*
 * Older releases lock and compare child after child, so a locked one is met only up to the first
 * that is wrong.
 */
static u64 lock_children(struct seam_ctx *c, u64 *e, u64 first, u64 mask, u64 step, u32 count)
{
	u32 right = 0;

	while (right < count && !((e[right] ^ (first + right * step)) & mask))
		right++;
	if (right < count)
		count = right + 1;
	seam_cost(c->s, SEAM_COST_ATOMIC, 2 * count);
	if (seam_hold_entries(&c->held, e, count) != SEAM_TRY_OK)
		return seam_entry_error(c, &c->pos, SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	return 0;
}

static u64 scan_children(struct seam_ctx *c, struct merge *m)
{
	u64 *e = seam_sept_table(c->s, c->td, m->table.hpa);
	bool lock = c->s->f.promote_locks_children;
	u64 mask = lock ? ~(SEPT_LOCK | SEPT_HP) : ~IGNORED;
	u32 child_level = c->pos.level - 1;
	u64 step = SEAM_LEVEL_SIZE(child_level), st = 0;
	bool start;
	u8 state;

	m->first = e[0] & ~(SEPT_LOCK | SEPT_HP);
	/* A 2M child that is half accepted: the counter is no part of its address. */
	if (child_level == 1) {
		m->first &= ~SEPT_COUNTER;
		mask &= ~SEPT_COUNTER;
	}
	state = seam_sept_state(m->first);
	start = (state == SEAM_SEPT_MAPPED || state == SEAM_SEPT_PENDING) &&
		!(seam_sept_hpa(c->s, m->first, child_level) & (SEAM_LEVEL_SIZE(c->pos.level) - 1));
	if (lock)
		st = lock_children(c, e, m->first, mask, step, start ? SEPT_ENTRIES : 1);
	if (st)
		return st;
	/* A lock bit that counts refuses even the first child: m->first has none. */
	return start && in_a_row(c, e, m->first, mask, step) ? 0 : refuse(c);
}

/* The L2 table of one VM: all leaves in a row if the children have aliases, else all free. */
static u64 scan_l2(struct seam_ctx *c, struct merge *m, u32 vm)
{
	struct seam_pos *l2 = &m->l2_pos[vm];
	u64 st, step;
	const u64 *e;
	bool leaf;

	st = seam_poll_host(c, SEAM_INTERRUPTED_RESTARTABLE);
	if (st)
		return st;
	/* The real module can fail to get there; the alias that is set in L1 rules it out. */
	seam_l2_walk_alias(c->s, c->td, &c->pos, vm, l2);
	st = seam_pamt_implicit(c, seam_sept_hpa(c->s, l2->val, l2->level), 0, SEAM_EX, SEAM_OP_RCX,
				&m->l2[vm]);
	if (st)
		return st;
	e = seam_sept_table(c->s, c->td, m->l2[vm].hpa);
	leaf = m->first & SEPT_ALIAS(vm);
	m->l2_val[vm] = leaf ? e[0] : SEPT_FREE_VALUE;
	step = leaf ? SEAM_LEVEL_SIZE(c->pos.level - 1) : 0;
	if (!in_a_row(c, e, m->l2_val[vm], ~0ULL, step))
		return refuse(c);
	return 0;
}

static u64 free_table(struct seam_ctx *c, struct seam_page *pg)
{
	bool last;

	assert(pg->e->type == SEAM_PT_EPT && pg->level == 0);
	last = seam_pamt_unassign(c->s, pg);

	seam_child_sub(c->s, c->td, 1);
	return pg->hpa | (last ? SEAM_PAIR_EMPTY_HINT : 0);
}

static void commit(struct seam_ctx *c, struct merge *m)
{
	u64 *const out[] = {&c->r->r8, &c->r->r9, &c->r->r10, &c->r->r11};
	u8 state = seam_sept_state(m->first);
	u64 hpa = seam_sept_hpa(c->s, m->first, c->pos.level);

	assert(m->table.e->type == SEAM_PT_EPT && seam_pamt_owner(m->table.e) == c->td->tdr);
	assert(*c->pos.entry & SEPT_LOCK);
	seam_sept_write(c, &c->pos,
			seam_sept_make_leaf(c->s, c->td, hpa, state) | (m->first & SEPT_ALIASES));
	for (u32 vm = 1; vm <= c->td->nr_l2; vm++) {
		if (!m->l2[vm].e)
			continue;
		seam_sept_write(c, &m->l2_pos[vm], m->l2_val[vm]);
		hpa = free_table(c, &m->l2[vm]);
		if (c->version)
			*out[vm] = hpa;
	}
	/* Last, so of several tables in one pair's range it is the L1's that has the hint (8.4). */
	c->r->rcx = free_table(c, &m->table);
}

u64 seam_tdh_mem_page_promote(struct seam_ctx *c)
{
	struct seam_prefix prefix = {
		.allowed = SEAM_OPS(INITIALIZED) | SEAM_OPS(RUNNABLE) | SEAM_OPS(LIVE_EXPORT) |
			   SEAM_OPS(PAUSED_EXPORT) | SEAM_OPS(POST_EXPORT) | SEAM_OPS(POST_IMPORT) |
			   SEAM_OPS(LIVE_IMPORT),
		.min = 1,
		.max = 2,
		.tree = c->s->f.promote_tree_ex ? SEAM_EX : SEAM_SH,
	};
	struct merge m = {0};
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
					SEAM_EX, SEAM_OP_RCX, &m.table);
	if (!st)
		st = seam_check_tracking(c, m.table.e->bepoch);
	if (!st)
		st = scan_children(c, &m);
	for (u32 vm = 1; !st && vm <= c->td->nr_l2; vm++) {
		if (c->pos.val & SEPT_ALIAS(vm))
			st = scan_l2(c, &m, vm);
	}
	if (!st)
		st = seam_poll_host(c, SEAM_INTERRUPTED_RESTARTABLE);
	if (!st)
		st = seam_pamt_promote(c, seam_sept_hpa(c->s, m.first, c->pos.level), c->pos.level);
	if (!st)
		commit(c, &m);
	return st;
}
