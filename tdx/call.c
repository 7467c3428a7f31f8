// SPDX-License-Identifier: GPL-2.0-only
/*
 * seam_call(): the dispatcher of host leaves, in the order of tdx-module.md 1.1, and the table it
 * dispatches by. Entry and exit of the call are here: scheduling point, counts, trace, injected
 * faults, release of locks. TDCALLs come in through guest.c.
 */
#include <assert.h>

#include "sim/rt/fault.h"
#include "sim/rt/sched.h"
#include "tdx/leaf.h"
#include "tdx/trace.h"
#include "tdx/vcpu.h"

#define ZERO	 SEAM_LEAF_ZERO
#define NOTREADY SEAM_LEAF_NOTREADY
#define SHUTDOWN SEAM_LEAF_SHUTDOWN
#define VERSIONS SEAM_LEAF_VERSIONS
#define R8	 SEAM_LEAF_R8

#define LEAF(id, fn, flags) [SEAM_TDH_##id] = {seam_tdh_##fn, flags}

static const struct seam_leaf leaves[SEAM_TDH_NR] = {
	LEAF(VP_ENTER, vp_enter, 0),
	LEAF(MNG_ADDCX, mng_addcx, 0),
	LEAF(MEM_PAGE_ADD, mem_page_add, ZERO),
	LEAF(MEM_SEPT_ADD, mem_sept_add, ZERO | VERSIONS),
	LEAF(VP_ADDCX, vp_addcx, 0),
	LEAF(MEM_PAGE_RELOCATE, mem_page_relocate, ZERO),
	LEAF(MEM_PAGE_AUG, mem_page_aug, ZERO),
	LEAF(MEM_RANGE_BLOCK, mem_range_block, ZERO),
	LEAF(MNG_KEY_CONFIG, mng_key_config, 0),
	LEAF(MNG_CREATE, mng_create, 0),
	LEAF(VP_CREATE, vp_create, 0),
	LEAF(MNG_RD, mng_rd, VERSIONS | R8),
	LEAF(MEM_RD, mem_rd, ZERO | R8),
	LEAF(MNG_WR, mng_wr, R8),
	LEAF(MEM_WR, mem_wr, ZERO | R8),
	LEAF(MEM_PAGE_DEMOTE, mem_page_demote, ZERO),
	LEAF(MR_EXTEND, mr_extend, ZERO),
	LEAF(MR_FINALIZE, mr_finalize, 0),
	LEAF(VP_FLUSH, vp_flush, 0),
	LEAF(MNG_VPFLUSHDONE, mng_vpflushdone, 0),
	LEAF(MNG_KEY_FREEID, mng_key_freeid, 0),
	LEAF(MNG_INIT, mng_init, 0),
	LEAF(VP_INIT, vp_init, VERSIONS),
	LEAF(MEM_PAGE_PROMOTE, mem_page_promote, ZERO | VERSIONS),
	LEAF(PHYMEM_PAGE_RDMD, phymem_page_rdmd, 0),
	LEAF(MEM_SEPT_RD, mem_sept_rd, ZERO),
	LEAF(VP_RD, vp_rd, VERSIONS | R8),
	LEAF(MNG_KEY_RECLAIMID, mng_key_reclaimid, 0),
	LEAF(PHYMEM_PAGE_RECLAIM, phymem_page_reclaim, 0),
	LEAF(MEM_PAGE_REMOVE, mem_page_remove, ZERO),
	LEAF(MEM_SEPT_REMOVE, mem_sept_remove, ZERO | VERSIONS),
	LEAF(SYS_KEY_CONFIG, sys_key_config, NOTREADY),
	LEAF(SYS_INFO, sys_info, NOTREADY),
	LEAF(SYS_INIT, sys_init, NOTREADY),
	LEAF(SYS_RD, sys_rd, NOTREADY),
	LEAF(SYS_LP_INIT, sys_lp_init, NOTREADY),
	LEAF(SYS_TDMR_INIT, sys_tdmr_init, 0),
	LEAF(SYS_RDALL, sys_rdall, NOTREADY),
	LEAF(MEM_TRACK, mem_track, 0),
	LEAF(MEM_RANGE_UNBLOCK, mem_range_unblock, ZERO),
	LEAF(PHYMEM_CACHE_WB, phymem_cache_wb, 0),
	LEAF(PHYMEM_PAGE_WBINVD, phymem_page_wbinvd, 0),
	LEAF(VP_WR, vp_wr, R8),
	LEAF(SYS_LP_SHUTDOWN, sys_lp_shutdown, NOTREADY | SHUTDOWN),
	LEAF(SYS_CONFIG, sys_config, NOTREADY),
	LEAF(PHYMEM_PAMT_ADD, phymem_pamt_add, 0),
	LEAF(PHYMEM_PAMT_REMOVE, phymem_pamt_remove, 0),
};

const struct seam_leaf *seam_leaf_get(const struct seam *s, u32 nr)
{
	bool pamt_leaf = nr == SEAM_TDH_PHYMEM_PAMT_ADD || nr == SEAM_TDH_PHYMEM_PAMT_REMOVE;

	if (nr >= SEAM_TDH_NR || !leaves[nr].fn || (pamt_leaf && !s->f.dynamic_pamt))
		return NULL;
	return &leaves[nr];
}

static bool version_allowed(const struct seam_ctx *c, const struct seam_leaf *leaf)
{
	if (!c->version)
		return true;
	if (!leaf || !(leaf->flags & SEAM_LEAF_VERSIONS))
		return false;
	return c->nr != SEAM_TDH_VP_INIT || c->s->f.vp_init_v1;
}

/* What is refused before any leaf runs; registers other than RAX stay as they are. */
static u64 check_call(const struct seam_ctx *c, const struct seam_leaf *leaf)
{
	u32 flags = leaf ? leaf->flags : 0;
	u8 state = c->s->sys_state;

	if (c->in.rax >> 24 || !version_allowed(c, leaf))
		return SEAM_OPERAND_INVALID | SEAM_OP_RAX;
	if (state == SEAM_SYS_SHUT_DOWN && !(flags & SEAM_LEAF_SHUTDOWN))
		return SEAM_SYS_SHUTDOWN;
	if (state < SEAM_SYS_READY && !(flags & SEAM_LEAF_NOTREADY))
		return SEAM_SYS_NOT_READY;
	return leaf ? 0 : SEAM_OPERAND_INVALID | SEAM_OP_RAX;
}

/* What BUSY of an injected fault points at: the lock that this leaf meets most (6.2). */
static u32 busy_operand(const struct seam_ctx *c, const struct seam_leaf *leaf)
{
	if (c->nr == SEAM_TDH_MEM_TRACK || c->nr == SEAM_TDH_VP_ENTER)
		return SEAM_OP_TD_EPOCH;
	return leaf->flags & SEAM_LEAF_ZERO ? SEAM_OP_SEPT_TREE : SEAM_OP_RCX;
}

/* An armed "busy" or "error" takes the leaf's place: it has done nothing. */
static u64 injected(struct seam_ctx *c, const struct seam_leaf *leaf)
{
	u64 status;

	c->forced = true;
	if (rt_fault_fire("busy", c->nr, NULL))
		return SEAM_OPERAND_BUSY | busy_operand(c, leaf);
	if (rt_fault_fire("error", c->nr, &status))
		return status;
	c->forced = false;
	return 0;
}

static u64 dispatch(struct seam_ctx *c)
{
	const struct seam_leaf *leaf = seam_leaf_get(c->s, c->nr);
	u64 st = check_call(c, leaf);

	if (st)
		return st;
	if (leaf->flags & SEAM_LEAF_ZERO)
		c->r->rcx = c->r->rdx = 0;
	if (leaf->flags & SEAM_LEAF_R8)
		c->r->r8 = 0;
	st = injected(c, leaf);
	return st ? st : leaf->fn(c);
}

enum seam_result seam_call(struct seam *s, u32 lp, struct seam_regs *r)
{
	struct seam_ctx c;
	u64 status;

	assert(lp < s->cfg.lps && !s->lp[lp].in_guest);
	rt_point(RT_PT_CALL, r->rax & 0xffff);
	seam_ctx_init(&c, s, lp, r, 0);
	rt_trace(&seam_ev_call, RT_PH_BEGIN, lp, c.nr, r->rcx, r->rdx, r->r8);
	seam_cost(s, SEAM_COST_CALL, 1);
	if (c.nr < SEAM_TDH_NR)
		s->nr_calls[c.nr]++;

	s->in_flight++;
	status = dispatch(&c);
	assert(!c.entered || !c.held.nr || s->lp[lp].in_guest);
	seam_release_to(&c.held, 0);
	s->in_flight--;
	if (!c.entered)
		r->rax = status;
	if (s->observer)
		s->observer->answer(s->observer->ctx, c.row, status, c.forced);
	rt_trace(&seam_ev_call, RT_PH_END, lp, c.nr, r->rcx, r->rdx, r->r8, status);
	return c.entered ? SEAM_ENTERED : SEAM_RET;
}

void seam_observe(struct seam *s, const struct seam_observer *o)
{
	s->observer = o;
}

u64 seam_calls(const struct seam *s, u32 leaf)
{
	return leaf < SEAM_TDH_NR ? s->nr_calls[leaf] : 0;
}

u64 seam_entries(const struct seam *s)
{
	return s->nr_entries;
}

u64 seam_sept_changes(const struct seam *s)
{
	return s->nr_sept_writes;
}
