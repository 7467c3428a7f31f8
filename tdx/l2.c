// SPDX-License-Identifier: GPL-2.0-only
/*
 * L2 S-EPT entries of VMs 1 to 3 and the alias flags that tie them to the L1 entry (tdx-module.md
 * 4.1, 5). Only what S-EPT leaves need: no L2 VM is ever entered here. Shadow permission bits of
 * blocked entries are our own choice, as nothing shows them.
 */
#include <assert.h>

#include "tdx/leaf.h"

/* Where a blocked L2 leaf keeps R, W, X and Xu. */
#define SHADOW_R  RT_BIT(8)
#define SHADOW_W  RT_BIT(59)
#define SHADOW_X  RT_BIT(61)
#define SHADOW_XU RT_BIT(62)

#define PWA RT_BIT(58)
/* What a blocked leaf can give back; PWA has no place of its own here. */
#define SAVED (SHADOW_R | SHADOW_W | SHADOW_X | SHADOW_XU | PWA)

static const struct {
	u64 attr, entry, shadow;
} perm_bits[] = {
	{RT_BIT(0), SEPT_R, SHADOW_R},
	{RT_BIT(1), SEPT_W, SHADOW_W},
	{RT_BIT(2), SEPT_X, SHADOW_X},
	{RT_BIT(3), SEPT_XU, SHADOW_XU},
};

/* VGPW 4, PW 5, SSS 6 and SVE 7 have one bit each, blocked or not. */
static const struct {
	u64 attr, entry;
} other_bits[] = {
	{RT_BIT(4), RT_BIT(57)},
	{RT_BIT(5), PWA},
	{RT_BIT(6), RT_BIT(60)},
	{RT_BIT(7), SEPT_SVE},
};

u8 seam_l2_state(u64 val)
{
	bool blocked = val & SEPT_TDB;

	if ((val & SEPT_STATE_BITS) == (SEPT_FREE_VALUE & SEPT_STATE_BITS))
		return SEAM_L2_FREE;
	if (seam_sept_is_leaf(val))
		return blocked ? SEAM_L2_BLOCKED : SEAM_L2_MAPPED;
	return blocked ? SEAM_L2_NL_BLOCKED : SEAM_L2_NL_MAPPED;
}

u64 seam_l2_make_leaf(const struct seam *s, const struct seam_td *td, u64 hpa, u16 attr,
		      bool blocked)
{
	u64 key = s->f.hkid_in_leaf ? (u64)td->hkid << (SEAM_MAXPA - s->cfg.keyid_bits) : 0;
	u64 val = hpa | key | SEPT_MT_WB | SEPT_IPAT | SEPT_PS;

	assert(!(hpa & ~seam_pa_mask(s)));
	for (size_t i = 0; i < RT_ARRAY_SIZE(perm_bits); i++) {
		if (attr & perm_bits[i].attr)
			val |= blocked ? perm_bits[i].shadow : perm_bits[i].entry;
	}
	for (size_t i = 0; i < RT_ARRAY_SIZE(other_bits); i++) {
		if (attr & other_bits[i].attr)
			val |= other_bits[i].entry;
	}
	return blocked ? val | SEPT_TDB : val;
}

u64 seam_l2_make_table(u64 hpa)
{
	return SEPT_SVE | hpa | SEPT_RWX | SEPT_XU;
}

u16 seam_l2_attr(u64 val)
{
	u64 attr = SEAM_ATTR_VALID;

	if (seam_l2_state(val) == SEAM_L2_FREE)
		return 0;
	/* A table lets everything through, also a blocked one. */
	if (!seam_sept_is_leaf(val))
		return (u16)(SEAM_ATTR_VALID | SEAM_ATTR_PRESENT);
	for (size_t i = 0; i < RT_ARRAY_SIZE(perm_bits); i++) {
		if (val & (val & SEPT_TDB ? perm_bits[i].shadow : perm_bits[i].entry))
			attr |= perm_bits[i].attr;
	}
	for (size_t i = 0; i < RT_ARRAY_SIZE(other_bits); i++) {
		if (val & other_bits[i].entry)
			attr |= other_bits[i].attr;
	}
	return (u16)attr;
}

u64 seam_l2_with_blocked(u64 val, bool blocked)
{
	bool was = val & SEPT_TDB;

	assert(seam_l2_state(val) != SEAM_L2_FREE);
	/*
	 * The module saves the permissions without asking whether they were saved before: BLOCK of
	 * a pending page, whose aliases are blocked already, forgets them.
	 */
	if (was && blocked && seam_sept_is_leaf(val))
		return val & ~SAVED;
	if (was == blocked)
		return val;
	if (!seam_sept_is_leaf(val)) {
		val &= ~(SEPT_TDB | SEPT_RWX | SEPT_XU);
		return val | (blocked ? SEPT_TDB : SEPT_RWX | SEPT_XU);
	}
	for (size_t i = 0; i < RT_ARRAY_SIZE(perm_bits); i++) {
		u64 from = blocked ? perm_bits[i].entry : perm_bits[i].shadow;
		u64 to = blocked ? perm_bits[i].shadow : perm_bits[i].entry;

		if (val & from)
			val = (val & ~from) | to;
	}
	return blocked ? val | SEPT_TDB : val & ~SEPT_TDB;
}

void seam_l2_walk_alias(const struct seam *s, const struct seam_td *td, const struct seam_pos *p,
			u32 vm, struct seam_pos *l2)
{
	bool reached = seam_sept_walk(s, td, vm, p->gpa, p->level, l2);

	assert(p->val & SEPT_ALIAS(vm));
	assert(reached);
	(void)reached;
}

u64 seam_l2_attrs(const struct seam *s, const struct seam_td *td, const struct seam_pos *p)
{
	struct seam_pos l2;
	u64 attrs = 0;

	for (u32 vm = 1; vm <= td->nr_l2; vm++) {
		if (!(p->val & SEPT_ALIAS(vm)))
			continue;
		seam_l2_walk_alias(s, td, p, vm, &l2);
		attrs |= (u64)seam_l2_attr(l2.val) << (16 * vm);
	}
	return attrs;
}

void seam_l2_block_aliases(struct seam_ctx *c, const struct seam_td *td, const struct seam_pos *p,
			   bool blocked)
{
	struct seam_pos l2;

	for (u32 vm = 1; vm <= td->nr_l2; vm++) {
		if (!(p->val & SEPT_ALIAS(vm)))
			continue;
		seam_l2_walk_alias(c->s, td, p, vm, &l2);
		seam_sept_write(c, &l2, seam_l2_with_blocked(l2.val, blocked));
	}
}

void seam_l2_free_aliases(struct seam_ctx *c, const struct seam_td *td, const struct seam_pos *p)
{
	struct seam_pos l2;

	for (u32 vm = 1; vm <= td->nr_l2; vm++) {
		if (!(p->val & SEPT_ALIAS(vm)))
			continue;
		seam_l2_walk_alias(c->s, td, p, vm, &l2);
		seam_sept_write(c, &l2, SEPT_FREE_VALUE);
	}
}
