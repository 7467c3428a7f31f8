// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.PHYMEM.PAGE.RDMD, RECLAIM and WBINVD: pages by their physical address (tdx-module.md 2.5).
 * PAMT.ADD and REMOVE are in dpamt.c, CACHE.WB with the keys.
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "tdx/leaf.h"
#include "tdx/vcpu.h"

#define RDMD_PAIR RT_BIT(63) /* type of a 2M entry that is not a page but has a pair */

u64 seam_tdh_phymem_page_rdmd(struct seam_ctx *c)
{
	struct seam *s = c->s;
	u64 hpa = c->in.rcx;
	struct seam_pamt_entry *e;
	struct seam_page pg;
	u32 level = 0;
	u64 st;

	c->r->rcx = c->r->rdx = c->r->r8 = c->r->r9 = c->r->r10 = c->r->r11 = 0;
	if (s->dynamic_pamt) {
		level = SEAM_INFO_LEVEL(hpa);
		hpa &= ~7ULL;
		if (level > 2)
			return SEAM_OPERAND_INVALID | SEAM_OP_RCX;
	}
	st = seam_hpa_check(s, hpa, level, SEAM_OP_RCX);
	if (!st)
		st = seam_hpa_range_check(s, hpa, SEAM_OP_RCX);
	if (!st)
		st = seam_pamt_walk(c, hpa, level, SEAM_SH, SEAM_OP_RCX, &pg);
	if (st)
		return st;

	e = pg.e;
	c->r->rcx = e->type;
	c->r->rdx = seam_pamt_owner(e);
	c->r->r8 = pg.level;
	c->r->r9 = e->type == SEAM_PT_REG || e->type == SEAM_PT_EPT ? e->bepoch : 0;
	if (s->dynamic_pamt && level == 0 && e->type == SEAM_PT_NDA && seam_bitmap_test(s, hpa)) {
		c->r->rcx = SEAM_PT_PAMT;
		c->r->rdx = 0;
		c->r->r8 = 0;
	} else if (pg.level == 1 && e->type == SEAM_PT_PAMT) {
		c->r->rcx = RDMD_PAIR | SEAM_PT_PAMT;
		c->r->rdx = 0;
		c->r->r10 = pg.block->sub->pair[0];
		c->r->r11 = pg.block->sub->pair[1];
	}
	return SEAM_SUCCESS;
}

/* A page of a TD, not its TDR: the TD must be torn down, and counts one less. */
static u64 reclaim_child(struct seam_ctx *c, struct seam_page *pg)
{
	u64 st = seam_take_td_implicit(c, seam_pamt_owner(pg->e), SEAM_SH);

	if (st)
		return st;
	if (c->td->lifecycle != SEAM_TD_TEARDOWN)
		return SEAM_LIFECYCLE_STATE_INCORRECT;
	assert(c->td->child_count >= SEAM_LEVEL_PAGES(pg->level));
	if (pg->e->type == SEAM_PT_TDVPR)
		seam_vcpu_free(c->s, seam_vcpu_get(c->s, pg->hpa));
	seam_child_sub(c->s, c->td, SEAM_LEVEL_PAGES(pg->level));
	return 0;
}

static u64 reclaim_tdr(struct seam_ctx *c, struct seam_page *pg)
{
	struct seam_td *td = seam_td_find(c->s, pg->hpa);

	assert(td && pg->level == 0);
	if (td->lifecycle != SEAM_TD_TEARDOWN)
		return SEAM_LIFECYCLE_STATE_INCORRECT;
	if (td->child_count)
		return SEAM_TD_ASSOCIATED_PAGES_EXIST;
	seam_td_free(c->s, td);
	return 0;
}

u64 seam_tdh_phymem_page_reclaim(struct seam_ctx *c)
{
	struct seam *s = c->s;
	u64 hpa = c->in.rcx, st;
	struct seam_page pg;
	u8 type;

	c->r->rcx = c->r->rdx = c->r->r8 = c->r->r9 = 0;
	st = seam_hpa_check(s, hpa, 0, SEAM_OP_RCX);
	if (!st)
		st = seam_hpa_range_check(s, hpa, SEAM_OP_RCX);
	if (!st)
		st = seam_pamt_walk(c, hpa, 0, SEAM_EX, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	type = pg.e->type;
	assert(pg.e->lock & SEAM_WORD_EX || type == SEAM_PT_NDA);
	if (type == SEAM_PT_NDA || type == SEAM_PT_RSVD || type == SEAM_PT_PAMT)
		return SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX;

	/* From here on errors tell what the page is, too. */
	c->r->rcx = type;
	c->r->rdx = seam_pamt_owner(pg.e);
	c->r->r8 = pg.level;
	if (hpa != pg.hpa)
		return SEAM_OPERAND_INVALID | SEAM_OP_RCX;
	st = type == SEAM_PT_TDR ? reclaim_tdr(c, &pg) : reclaim_child(c, &pg);
	if (st)
		return st;
	if (seam_pamt_unassign(s, &pg))
		c->r->r9 = SEAM_PAIR_EMPTY_HINT;
	return SEAM_SUCCESS;
}

u64 seam_tdh_phymem_page_wbinvd(struct seam_ctx *c)
{
	struct seam *s = c->s;
	/* The HKID says which key's lines to write back; nothing checks it (2.5). */
	u64 hkid_bits = RT_MASK(SEAM_MAXPA - 1, 0) & ~seam_pa_mask(s);
	u64 hpa = c->in.rcx & ~hkid_bits;
	struct seam_page pg;
	bool no_pair;
	u64 st;

	st = seam_hpa_check(s, hpa, 0, SEAM_OP_RCX);
	if (!st)
		st = seam_hpa_range_check(s, hpa, SEAM_OP_RCX);
	if (!st)
		st = seam_pamt_walk(c, hpa, 0, SEAM_SH, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	no_pair = s->dynamic_pamt && pg.level == 1 && pg.e->type == SEAM_PT_NDA;
	if ((pg.level != 0 && !no_pair) || pg.e->type != SEAM_PT_NDA)
		return SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX;
	if (s->dynamic_pamt && seam_bitmap_test(s, hpa))
		return SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX;
	seam_cost(s, SEAM_COST_FLUSHED_LINE, 64);
	if (hkid_bits)
		rt_phys_lines_back(hpa, RT_PAGE_SIZE,
				   (u32)((c->in.rcx & hkid_bits) / (hkid_bits & -hkid_bits)));
	return SEAM_SUCCESS;
}
