// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MEM.PAGE.ATTR.RD and ATTR.WR: what L2 VMs may do with a page (tdx-module.md 5.12; recorded:
 * page_attr, l2_aliases, matrix_*). Attributes are 16 bits a VM; those of VM 0, the L1, can't be
 * set. L2 entries themselves are tdx/l2.c's.
 */
#include <assert.h>

#include "tdx/guest.h"

#define ATTR_MAX_LEVEL 2
#define ATTR_R	       RT_BIT(0)
#define ATTR_W	       RT_BIT(1)
#define ATTR_PWA       RT_BIT(5)
#define ATTR_FORBIDDEN RT_MASK(14, 7) /* suppress #VE, and reserved bits */
#define ATTR_PENDING   RT_BIT(62)     /* in RCX: the page is not accepted yet */

static u16 attr_of(u64 attrs, u32 vm)
{
	return (u16)(attrs >> (16 * vm));
}

static void attr_result(struct seam_tdg *g, u64 attrs)
{
	const struct seam_pos *p = &g->c.pos;
	bool pending = seam_sept_state(p->val) == SEAM_SEPT_PENDING;

	assert(*p->entry & SEPT_LOCK);
	assert(!attr_of(attrs, 0));
	g->c.r->rcx = (p->gpa & ~(SEAM_LEVEL_SIZE(p->level) - 1)) | p->level |
		      (pending ? ATTR_PENDING : 0);
	g->c.r->rdx = attrs;
	g->status = SEAM_SUCCESS;
}

void seam_tdg_mem_page_attr_rd(struct seam_tdg *g)
{
	struct seam_pos *p = &g->c.pos;
	u8 state;

	g->c.r->rcx = 0;
	g->c.r->rdx = 0;
	/* Any address in the page will do: there is no level to give. */
	g->status = seam_check_gpa(g->c.td, g->c.in.rcx);
	if (g->status)
		return;
	seam_sept_walk(g->c.s, g->c.td, 0, g->c.in.rcx, 0, p);
	if (!seam_tdg_lock_entry(g))
		return;
	state = seam_sept_state(p->val);
	if (state == SEAM_SEPT_MAPPED || state == SEAM_SEPT_PENDING) {
		attr_result(g, seam_l2_attrs(g->c.s, g->c.td, p));
		return;
	}
	/* No details here: an ordinary EPT violation without access bits. */
	g->outcome = SEAM_TDG_EXIT;
	g->x = (struct seam_td_exit){
		.reason = SEAM_REASON_EPT_VIOLATION,
		.gpa = p->gpa & RT_MASK(51, 12),
		.kind = SEAM_EXIT_FAULT,
	};
}

/*
 * RDX and R8, VM by VM: nothing for the L1 or for VMs that the TD has not, and no attributes that
 * are not valid. Whether they make sense is seen when they were merged with what is there.
 */
static u64 attr_check_operands(const struct seam_tdg *g)
{
	u32 vm;

	for (vm = 0; vm <= SEPT_MAX_VM; vm++) {
		u16 attr = attr_of(g->c.in.rdx, vm);
		bool exists = vm && vm <= g->c.td->nr_l2;

		if (attr && !(exists && (attr & SEAM_ATTR_VALID)))
			return SEAM_OPERAND_INVALID | SEAM_OP_RDX;
		if (attr_of(g->c.in.r8, vm) && !exists)
			return SEAM_OPERAND_INVALID | SEAM_OP_R8;
	}
	return SEAM_SUCCESS;
}

/* A combination that an alias can have. */
static bool attr_legal(u16 attr)
{
	if ((attr & (ATTR_W | ATTR_PWA)) && !(attr & ATTR_R))
		return false;
	return !(attr & ATTR_FORBIDDEN);
}

/* What ATTR.WR does to one VM. */
struct attr_change {
	u16 attr; /* what the guest is told */
	bool write, clear;
	struct seam_pos l2;
};

/*
 * VM @vm: the bits that R8 selects change, of an alias that exists already or is to be made. False:
 * g->status says why not; after PAGE_ATTR_INVALID the other VMs are still looked at.
 */
static bool attr_merge(struct seam_tdg *g, u32 vm, struct attr_change *ch)
{
	const struct seam_pos *l1 = &g->c.pos;
	u16 mask = attr_of(g->c.in.r8, vm) | SEAM_ATTR_VALID, cur = 0, want;
	bool aliased = l1->val & SEPT_ALIAS(vm);

	ch->attr = attr_of(g->c.in.rdx, vm);
	if (!(ch->attr & SEAM_ATTR_VALID))
		return true;
	if (aliased) {
		seam_l2_walk_alias(g->c.s, g->c.td, l1, vm, &ch->l2);
		cur = seam_l2_attr(ch->l2.val);
	}
	want = (cur & ~mask) | (ch->attr & mask);
	if (!(want & SEAM_ATTR_PRESENT)) {
		ch->clear = aliased;
		if (aliased)
			ch->attr = SEAM_ATTR_VALID;
		return true;
	}
	if (!attr_legal(want)) {
		ch->attr = cur;
		g->status = SEAM_PAGE_ATTR_INVALID;
		return true;
	}
	ch->attr = want;
	ch->write = true;
	if (aliased || seam_sept_walk(g->c.s, g->c.td, vm, l1->gpa, l1->level, &ch->l2))
		return true;
	g->status = SEAM_L2_SEPT_WALK_FAILED | (u64)vm << 16 | ch->l2.level;
	return false;
}

static void attr_commit(struct seam_tdg *g, u32 vm, struct attr_change *ch)
{
	struct seam_pos *l1 = &g->c.pos;
	bool pending = seam_sept_state(l1->val) == SEAM_SEPT_PENDING;
	u64 hpa = seam_sept_hpa(g->c.s, l1->val, l1->level);

	if (ch->write) {
		seam_sept_write(&g->c, &ch->l2,
				seam_l2_make_leaf(g->c.s, g->c.td, hpa, ch->attr, pending));
		l1->val |= SEPT_ALIAS(vm);
	} else if (ch->clear) {
		seam_sept_write(&g->c, &ch->l2, SEPT_FREE_VALUE);
		l1->val &= ~SEPT_ALIAS(vm);
	}
}

static void attr_write(struct seam_tdg *g)
{
	struct attr_change ch[SEPT_MAX_VM + 1] = {0};
	u64 result = 0, before = g->c.pos.val;
	u32 vm;

	assert(seam_sept_is_leaf(before));
	for (vm = 1; vm <= g->c.td->nr_l2; vm++) {
		if (!attr_merge(g, vm, &ch[vm]))
			return;
		result |= (u64)ch[vm].attr << (16 * vm);
	}
	if (g->status) {
		g->c.r->rdx = result;
		return;
	}
	for (vm = 1; vm <= g->c.td->nr_l2; vm++)
		attr_commit(g, vm, &ch[vm]);
	if (g->c.pos.val != before)
		seam_sept_write(&g->c, &g->c.pos, g->c.pos.val);
	attr_result(g, result);
}

void seam_tdg_mem_page_attr_wr(struct seam_tdg *g)
{
	struct seam_pos *p = &g->c.pos;
	u32 level = SEAM_INFO_LEVEL(g->c.in.rcx);
	u8 state;

	g->c.r->rcx = 0;
	g->c.r->rdx = 0;
	g->status = attr_check_operands(g);
	if (!g->status)
		g->status = seam_check_page_info(g->c.in.rcx, 0, ATTR_MAX_LEVEL);
	if (!g->status)
		g->status = seam_check_gpa(g->c.td, SEAM_INFO_GPA(g->c.in.rcx));
	if (g->status)
		return;
	if (!seam_sept_walk(g->c.s, g->c.td, 0, SEAM_INFO_GPA(g->c.in.rcx), level, p)) {
		seam_tdg_ept_exit(g, SEAM_EXIT_ATTR_WR, level, p);
		return;
	}
	if (!seam_tdg_lock_entry(g))
		return;
	state = seam_sept_state(p->val);
	if (state != SEAM_SEPT_FREE && !seam_sept_is_leaf(p->val))
		g->status = SEAM_PAGE_SIZE_MISMATCH | p->level;
	else if (state == SEAM_SEPT_MAPPED || state == SEAM_SEPT_PENDING)
		attr_write(g);
	else
		seam_tdg_ept_exit(g, SEAM_EXIT_ATTR_WR, level, p);
}
