// SPDX-License-Identifier: GPL-2.0-only
/*
 * A large page's PAMT entry becomes 512 smaller ones, and back (tdx-module.md 2.1 "Level rule",
 * 5.7, 5.8, 8.4). What keeps a demotion cheap: 512 equal 4K entries are one uniform value, and only
 * chunks with a lock in them are written out. Which S-EPT entry goes with it is the leaf's
 * business.
 */
#include <assert.h>
#include <string.h>

#include "tdx/leaf.h"
#include "tdx/trace.h"

static bool chunk_has_lock(const struct seam_pamt_entry *chunk)
{
	for (u32 i = 0; i < SEAM_PAMT_CHUNK; i++) {
		if (chunk[i].lock)
			return true;
	}
	return false;
}

static void drop_chunk(struct seam_pamt_4k *sub, u32 i)
{
	rt_free(sub->chunk[i]);
	sub->chunk[i] = NULL;
}

static void set_entry(struct seam_pamt_entry *e, const struct seam_pamt_entry *val)
{
	u16 lock = e->lock; /* the real split writes type, owner and BEPOCH around it */

	*e = *val;
	e->lock = lock;
}

/* All 512 4K entries := @val, but for their lock words. */
static void fill_4k(struct seam_pamt_4k *sub, const struct seam_pamt_entry *val)
{
	assert(!val->lock && !val->bepoch);
	for (u32 i = 0; i < SEAM_PAMT_CHUNKS; i++) {
		if (!sub->chunk[i])
			continue;
		if (!chunk_has_lock(sub->chunk[i])) {
			drop_chunk(sub, i);
			continue;
		}
		for (u32 k = 0; k < SEAM_PAMT_CHUNK; k++)
			set_entry(&sub->chunk[i][k], val);
	}
	sub->uniform = *val;
}

/*
 * All 512 types := NDA; owners and BEPOCHs stay. Chunks that say nothing of their own any more go.
 */
static void free_4k(struct seam_pamt_4k *sub)
{
	sub->uniform.type = SEAM_PT_NDA;
	for (u32 i = 0; i < SEAM_PAMT_CHUNKS; i++) {
		bool same = true;

		for (u32 k = 0; sub->chunk[i] && k < SEAM_PAMT_CHUNK; k++) {
			struct seam_pamt_entry *e = &sub->chunk[i][k];

			e->type = SEAM_PT_NDA;
			same = same && !memcmp(e, &sub->uniform, sizeof(*e));
		}
		if (sub->chunk[i] && same)
			drop_chunk(sub, i);
	}
}

static u64 check_pair_operands(struct seam_ctx *c, u64 r12, u64 r13)
{
	u64 st = seam_hpa_check(c->s, r12, 0, SEAM_OP_R12);

	if (!st)
		st = seam_hpa_check(c->s, r13, 0, SEAM_OP_R13);
	if (!st)
		st = seam_hpa_range_check(c->s, r12, SEAM_OP_R12);
	if (!st)
		st = seam_hpa_range_check(c->s, r13, SEAM_OP_R13);
	if (!st)
		st = seam_pair_take(c, r12, SEAM_OP_R12, r13, SEAM_OP_R13, SEAM_NULL_PA);
	return st;
}

static void demote_2m(struct seam *s, struct seam_pamt_2m *b)
{
	struct seam_pamt_entry child = {
		.type = b->e.type,
		.owner_hi = b->e.owner_hi,
		.owner_lo = b->e.owner_lo,
	};

	fill_4k(seam_pamt_sub_make(b), &child);
	seam_cost(s, s->dynamic_pamt ? SEAM_COST_STORE_LINE : SEAM_COST_RMW_LINE, 128);
}

static void demote_1g(struct seam *s, u64 hpa, const struct seam_pamt_entry *parent)
{
	struct seam_pamt_entry child = *parent;

	child.bepoch = 0;
	for (u32 i = 0; i < SEPT_ENTRIES; i++)
		set_entry(&seam_pamt_block_make(s, hpa + i * SEAM_LEVEL_SIZE(1))->e, &child);
	seam_cost(s, SEAM_COST_RMW_LINE, 128);
}

u64 seam_pamt_demote(struct seam_ctx *c, u64 hpa, u32 level)
{
	struct seam *s = c->s;
	bool pair = s->dynamic_pamt && level == 1;
	struct seam_page pg;
	u64 st;

	assert(level == 1 || level == 2);
	assert(!(hpa & (SEAM_LEVEL_SIZE(level) - 1)));
	st = seam_pamt_implicit(c, hpa, level, SEAM_EX, SEAM_OP_RCX, &pg);
	if (!st && pair)
		st = check_pair_operands(c, c->in.r12, c->in.r13);
	if (st)
		return st;

	assert(pg.e->type == SEAM_PT_REG);
	assert(pg.e->lock & SEAM_WORD_EX);
	rt_trace(&seam_ev_pamt, RT_PH_INSTANT, hpa, level, pg.e->type,
		 pair ? SEAM_PT_PAMT : SEAM_PT_NDA, seam_pamt_owner(pg.e));
	if (level == 1)
		demote_2m(s, pg.block);
	else
		demote_1g(s, hpa, pg.e);
	pg.e->type = SEAM_PT_NDA; /* owner and BEPOCH stay */
	seam_cost(s, SEAM_COST_RMW_LINE, 1);
	if (pair) {
		pg.e->type = SEAM_PT_PAMT;
		pg.block->sub->has_pair = true;
		pg.block->sub->pair[0] = c->in.r12;
		pg.block->sub->pair[1] = c->in.r13;
		pg.block->sub->count = SEPT_ENTRIES;
	}
	seam_release(&c->held, &pg.e->lock);
	return 0;
}

/* The pair goes back to the host, its bitmap bits and the 4K entries in it are gone. */
static void give_pair_back(struct seam_ctx *c, struct seam_pamt_2m *b)
{
	struct seam_pamt_4k *sub = b->sub;

	assert(sub->has_pair && sub->count == SEPT_ENTRIES);
	c->r->r12 = sub->pair[0];
	c->r->r13 = sub->pair[1];
	seam_pair_drop(c->s, b);
}

u64 seam_pamt_promote(struct seam_ctx *c, u64 hpa, u32 level)
{
	struct seam *s = c->s;
	bool pair = s->dynamic_pamt && level == 1;
	struct seam_pamt_entry child;
	struct seam_page pg;
	u64 st;

	st = seam_pamt_implicit(c, hpa, level, SEAM_EX, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	seam_pamt_peek(s, hpa, level - 1, &child);
	assert(child.type == SEAM_PT_REG);
	assert(pg.e->type == (pair ? SEAM_PT_PAMT : SEAM_PT_NDA));
	rt_trace(&seam_ev_pamt, RT_PH_INSTANT, hpa, level, pg.e->type, child.type,
		 seam_pamt_owner(&child));

	if (pair)
		give_pair_back(c, pg.block);
	else if (level == 1)
		free_4k(seam_pamt_sub_make(pg.block));
	for (u32 i = 0; level == 2 && i < SEPT_ENTRIES; i++)
		seam_pamt_block_make(s, hpa + i * SEAM_LEVEL_SIZE(1))->e.type = SEAM_PT_NDA;
	/* The parent, and the children unless they go with their pair (9). */
	seam_cost(s, SEAM_COST_RMW_LINE, pair ? 1 : 1 + 128);

	pg.e->type = child.type;
	seam_pamt_set_owner(pg.e, seam_pamt_owner(&child));
	if (s->dynamic_pamt)
		pg.e->bepoch = 0; /* otherwise an old value stays (5.8) */
	seam_release(&c->held, &pg.e->lock);
	return 0;
}
