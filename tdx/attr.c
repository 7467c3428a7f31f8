// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MEM.PAGE.ATTR.RD and ATTR.WR: what L2 VMs may do with a page (tdx-module.md 5.12; recorded:
 * page_attr, l2_aliases, matrix_*). Attributes are 16 bits a VM; those of VM 0, the L1, can't be
 * set. L2 entries themselves are tdx/l2.c's.
 */
#include <assert.h>

#include "tdx/guest.h"

#define ATTR_MAX_LEVEL	2
#define ATTR_R		RT_BIT(0)
#define ATTR_W		RT_BIT(1)
#define ATTR_RSVD	RT_MASK(14, 8)
#define ATTR_PENDING	RT_BIT(62) /* in RCX: the page is not accepted yet */
#define ATTR_WRITE_MASK RT_MASK(6, 0)

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
	g->status = seam_check_page_info(g->c.in.rcx, 0, 0);
	if (!g->status)
		g->status = seam_check_gpa(g->c.td, SEAM_INFO_GPA(g->c.in.rcx));
	if (g->status)
		return;
	seam_sept_walk(g->c.s, g->c.td, 0, SEAM_INFO_GPA(g->c.in.rcx), 0, p);
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
 * RDX: nothing for the L1 or for VMs that the TD has not, no reserved bits. R8 likewise, its bit 15
 * asks for INVEPT.
 */
static u64 attr_check_operands(const struct seam_tdg *g)
{
	u64 used = 0;
	u32 vm;

	for (vm = 1; vm <= g->c.td->nr_l2; vm++)
		used |= (RT_MASK(15, 0) & ~ATTR_RSVD) << (16 * vm);
	if (g->c.in.rdx & ~used)
		return SEAM_OPERAND_INVALID | SEAM_OP_RDX;
	if (g->c.in.r8 & ~used)
		return SEAM_OPERAND_INVALID | SEAM_OP_R8;
	return SEAM_SUCCESS;
}

/* What VM @vm's attributes become; false: not a combination that EPT has (write without read). */
static bool attr_merge(const struct seam_tdg *g, u32 vm, u64 now, u16 *to)
{
	u16 req = attr_of(g->c.in.rdx, vm), mask = attr_of(g->c.in.r8, vm) & ATTR_WRITE_MASK;
	u16 cur = attr_of(now, vm) & SEAM_ATTR_PERMS;

	*to = (cur & ~mask) | (req & mask);
	return !(*to & ATTR_W) || (*to & ATTR_R);
}

/*
 * The L2 entry of @vm := @attr, or FREE without any; the alias bit of the L1 entry follows. False:
 * TD exit, no L2 table there.
 */
static bool attr_write_l2(struct seam_tdg *g, u32 vm, u16 attr)
{
	struct seam_pos l1 = g->c.pos, l2;
	bool blocked = seam_sept_state(l1.val) == SEAM_SEPT_PENDING;
	u64 hpa = seam_sept_hpa(g->c.s, l1.val, l1.level);

	assert(vm >= 1 && vm <= g->c.td->nr_l2);
	assert(seam_sept_is_leaf(l1.val));
	if (!seam_sept_walk(g->c.s, g->c.td, vm, l1.gpa, l1.level, &l2)) {
		seam_tdg_ept_exit(g, SEAM_EXIT_ATTR_WR, l1.level, &l2);
		g->x.ext |= (u64)vm << 52;
		return false;
	}
	if (attr & SEAM_ATTR_PERMS) {
		seam_sept_write(&g->c, &l2, seam_l2_make_leaf(g->c.s, g->c.td, hpa, attr, blocked));
		g->c.pos.val |= SEPT_ALIAS(vm);
	} else {
		seam_sept_write(&g->c, &l2, SEPT_FREE_VALUE);
		g->c.pos.val &= ~SEPT_ALIAS(vm);
	}
	return true;
}

static void attr_write(struct seam_tdg *g)
{
	u64 now = seam_l2_attrs(g->c.s, g->c.td, &g->c.pos), result = 0, before;
	u16 to[SEPT_MAX_VM + 1] = {0};
	u32 vm;

	for (vm = 1; vm <= g->c.td->nr_l2; vm++) {
		if (!(attr_of(g->c.in.rdx, vm) & SEAM_ATTR_VALID))
			continue;
		if (!attr_merge(g, vm, now, &to[vm])) {
			g->c.r->rdx = now;
			g->status = SEAM_PAGE_ATTR_INVALID;
			return;
		}
		result |= (to[vm] | SEAM_ATTR_VALID) << (16 * vm);
	}
	before = g->c.pos.val;
	for (vm = 1; vm <= g->c.td->nr_l2; vm++) {
		bool asked = attr_of(g->c.in.rdx, vm) & SEAM_ATTR_VALID;

		if (asked && !attr_write_l2(g, vm, to[vm]))
			return;
	}
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
