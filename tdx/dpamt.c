// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dynamic PAMT (tdx-module.md 8.4): the bitmap of pages in use as PAMT, pairs, and the two leaves
 * that give and take them. A walk that finds no pair is in pamt.c, DEMOTE's and PROMOTE's pairs in
 * pamt_split.c.
 */
#include <assert.h>
#include <string.h>

#include "sim/rt/phys.h"
#include "sim/rt/sched.h"
#include "tdx/leaf.h"
#include "tdx/trace.h"

static u32 bit_index(u64 hpa)
{
	return (hpa >> SEAM_LEVEL_SHIFT(0)) % SEPT_ENTRIES;
}

bool seam_bitmap_set(struct seam *s, u64 hpa)
{
	struct seam_pamt_4k *sub = seam_pamt_sub_make(seam_pamt_block_make(s, hpa));
	u64 *word = &sub->bitmap[bit_index(hpa) / 64], bit = RT_BIT(bit_index(hpa) % 64);

	if (*word & bit)
		return false;
	*word |= bit;
	return true;
}

void seam_bitmap_clear(struct seam *s, u64 hpa)
{
	struct seam_pamt_2m *b = seam_pamt_block(s, hpa);

	assert(seam_bitmap_test(s, hpa));
	b->sub->bitmap[bit_index(hpa) / 64] &= ~RT_BIT(bit_index(hpa) % 64);
}

bool seam_bitmap_test(const struct seam *s, u64 hpa)
{
	const struct seam_pamt_2m *b = seam_pamt_block(s, hpa);
	u32 i = bit_index(hpa);

	return b && b->sub && (b->sub->bitmap[i / 64] & RT_BIT(i % 64));
}

/*
 * Locked shared for a look at its type only: the bitmap is what keeps two takers apart (6.3 (g)).
 */
static u64 pair_page_is_free(struct seam_ctx *c, u64 hpa, u32 op)
{
	u32 mark = c->held.nr;
	struct seam_page pg;
	u64 st;

	assert(seam_pamt_in_range(c->s, hpa));
	st = seam_pamt_walk(c, hpa, 0, SEAM_SH, op, &pg);
	if (!st && pg.e->type != SEAM_PT_NDA)
		st = SEAM_PAGE_NOT_FREE | op;
	seam_release_to(&c->held, mark);
	return st;
}

u64 seam_pair_take(struct seam_ctx *c, u64 hpa0, u32 op0, u64 hpa1, u32 op1, u64 own_range)
{
	u64 mask = ~(SEAM_LEVEL_SIZE(1) - 1);
	u64 st = 0;

	if ((hpa0 & mask) != own_range)
		st = pair_page_is_free(c, hpa0, op0);
	if (!st && (hpa1 & mask) != own_range)
		st = pair_page_is_free(c, hpa1, op1);
	if (st)
		return st;
	if (!seam_bitmap_set(c->s, hpa0))
		return SEAM_PAGE_NOT_FREE | op0;
	if (!seam_bitmap_set(c->s, hpa1)) {
		seam_bitmap_clear(c->s, hpa0);
		return SEAM_PAGE_NOT_FREE | op1;
	}
	seam_cost(c->s, SEAM_COST_ATOMIC, 2);
	return 0;
}

void seam_pair_drop(struct seam *s, struct seam_pamt_2m *b)
{
	struct seam_pamt_4k *sub = b->sub;

	assert(sub->has_pair);
	seam_bitmap_clear(s, sub->pair[0]);
	seam_bitmap_clear(s, sub->pair[1]);
	/*
	 * The entries, and locks in them that nobody looked at, vanish with the pages (8.4
	 * PAMT.REMOVE).
	 */
	for (u32 i = 0; i < SEAM_PAMT_CHUNKS; i++) {
		rt_free(sub->chunk[i]);
		sub->chunk[i] = NULL;
	}
	memset(&sub->uniform, 0, sizeof(sub->uniform));
	sub->pair[0] = sub->pair[1] = 0;
	sub->count = 0;
	sub->has_pair = false;
}

/* RCX of both leaves: 2M HPA with level 1 in 2:0. */
static u64 check_range_operand(const struct seam_ctx *c, u64 *range)
{
	u64 rcx = c->in.rcx;

	if (SEAM_INFO_LEVEL(rcx) != 1 || (rcx & SEAM_INFO_RSVD))
		return SEAM_OPERAND_INVALID | SEAM_OP_RCX;
	*range = SEAM_INFO_GPA(rcx);
	return seam_hpa_check(c->s, *range, 1, SEAM_OP_RCX);
}

u64 seam_tdh_phymem_pamt_add(struct seam_ctx *c)
{
	struct seam *s = c->s;
	u64 hpa0 = c->in.rdx, hpa1 = c->in.r8, range, st;
	struct seam_page pg;

	if (!s->dynamic_pamt)
		return SEAM_OPERAND_INVALID | SEAM_OP_RAX;
	st = check_range_operand(c, &range);
	if (!st)
		st = seam_hpa_check(s, hpa0, 0, SEAM_OP_RDX);
	if (!st)
		st = seam_hpa_range_check(s, hpa0, SEAM_OP_RDX);
	if (!st)
		st = seam_hpa_check(s, hpa1, 0, SEAM_OP_R8);
	if (!st)
		st = seam_hpa_range_check(s, hpa1, SEAM_OP_R8);
	if (!st)
		st = seam_hpa_range_check(s, range, SEAM_OP_RCX);
	if (!st)
		st = seam_pamt_walk(c, range, 1, SEAM_EX, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	seam_point(c, RT_PT_HELD, SEAM_AT(c->lp->id, range));
	if (pg.level != 1 || pg.e->type != SEAM_PT_NDA)
		return SEAM_HPA_RANGE_NOT_FREE | SEAM_OP_RCX;
	st = seam_pair_take(c, hpa0, SEAM_OP_RDX, hpa1, SEAM_OP_R8, range);
	if (st)
		return st;

	assert(!pg.block->sub || !pg.block->sub->has_pair);
	rt_phys_fill(hpa0, s->cfg.one_key ? 0 : s->cfg.hkid_global, 0);
	rt_phys_fill(hpa1, s->cfg.one_key ? 0 : s->cfg.hkid_global, 0);
	seam_cost(s, SEAM_COST_STORE_LINE, 128);
	rt_trace(&seam_ev_pamt, RT_PH_INSTANT, range, 1, SEAM_PT_NDA, SEAM_PT_PAMT, 0);
	pg.e->type = SEAM_PT_PAMT;
	seam_pamt_sub_make(pg.block);
	pg.block->sub->pair[0] = hpa0;
	pg.block->sub->pair[1] = hpa1;
	pg.block->sub->has_pair = true;
	return SEAM_SUCCESS;
}

u64 seam_tdh_phymem_pamt_remove(struct seam_ctx *c)
{
	struct seam *s = c->s;
	struct seam_page pg;
	u64 range, st;
	u32 first;

	if (!s->dynamic_pamt)
		return SEAM_OPERAND_INVALID | SEAM_OP_RAX;
	st = check_range_operand(c, &range);
	if (!st)
		st = seam_hpa_range_check(s, range, SEAM_OP_RCX);
	if (!st)
		st = seam_pamt_walk(c, range, 1, SEAM_EX, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	seam_point(c, RT_PT_HELD, SEAM_AT(c->lp->id, range));
	if (pg.level != 1 || pg.e->type != SEAM_PT_PAMT)
		return SEAM_NO_PAMT_PAGE_PAIR | SEAM_OP_RCX;
	seam_cost(s, SEAM_COST_READ_LINE, 128);
	/* Details tell which page of the pair is in use; they only look like an operand id. */
	if (!seam_pamt_all_nda(pg.block->sub, &first))
		return SEAM_PAMT_PAGE_NOT_EMPTY | first / (SEPT_ENTRIES / 2);

	assert(pg.block->sub->has_pair && !pg.block->sub->count);
	c->r->rdx = pg.block->sub->pair[0];
	c->r->r8 = pg.block->sub->pair[1];
	seam_pair_drop(s, pg.block);
	rt_trace(&seam_ev_pamt, RT_PH_INSTANT, range, 1, SEAM_PT_PAMT, SEAM_PT_NDA, 0);
	pg.e->type = SEAM_PT_NDA;
	/*
	 * The pair's first HPA sat 4 bits above where the owner is read: RDMD shows the remains
	 * (2.5), and below them the last 4 bits of the owner that the entry had before its pair.
	 */
	seam_pamt_set_owner(pg.e, c->r->rdx << 4 | (seam_pamt_owner(pg.e) & RT_MASK(15, 12)));
	pg.e->bepoch = 0;
	return SEAM_SUCCESS;
}
