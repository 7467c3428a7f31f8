// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving a TD's key back: TDH.MNG.VPFLUSHDONE, PHYMEM.CACHE.WB, MNG.KEY.FREEID and RECLAIMID (tdx-
 * module.md 2.4, 2.5, 3.3). The key ownership table changes here and in MNG.CREATE only. Reclaiming
 * pages afterwards is tdx/phymem.c's.
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "tdx/leaf.h"

static struct seam_kot_entry *kot_of(struct seam *s, const struct seam_td *td)
{
	assert(td->hkid >= s->cfg.hkid_first);
	assert(td->hkid - s->cfg.hkid_first < s->cfg.hkid_count);
	return &s->kot[td->hkid - s->cfg.hkid_first];
}

u64 seam_tdh_mng_vpflushdone(struct seam_ctx *c)
{
	struct seam_kot_entry *k;
	struct seam_td *td;
	bool has_vcpus;
	u64 st;

	st = seam_take_td(c, c->in.rcx, SEAM_EX, SEAM_OP_RCX);
	if (st)
		return st;
	td = c->td;
	if (seam_hold_sharex(&c->held, &c->s->kot_lock, SEAM_EX))
		return SEAM_OPERAND_BUSY | SEAM_OP_KOT;
	if (td->lifecycle > SEAM_TD_KEYS_CONFIGURED)
		return SEAM_LIFECYCLE_STATE_INCORRECT;
	has_vcpus = td->nr_tdcx >= SEAM_TDCX_MIN && td->opstate != SEAM_OPS_UNINITIALIZED;
	if (has_vcpus && td->nr_assoc)
		return SEAM_FLUSHVP_NOT_DONE;
	k = kot_of(c->s, td);
	assert(k->state == SEAM_HKID_ASSIGNED);
	k->state = SEAM_HKID_FLUSHED;
	k->wb_pending = (u32)(RT_BIT(c->s->cfg.pkgs) - 1);
	td->lifecycle = SEAM_TD_BLOCKED;
	return SEAM_SUCCESS;
}

u64 seam_tdh_mng_key_freeid(struct seam_ctx *c)
{
	struct seam_kot_entry *k;
	u64 st;

	st = seam_take_td(c, c->in.rcx, SEAM_EX, SEAM_OP_RCX);
	if (st)
		return st;
	if (c->td->lifecycle != SEAM_TD_BLOCKED)
		return SEAM_LIFECYCLE_STATE_INCORRECT;
	if (seam_hold_sharex(&c->held, &c->s->kot_lock, SEAM_EX))
		return SEAM_OPERAND_BUSY | SEAM_OP_KOT;
	k = kot_of(c->s, c->td);
	if (k->wb_pending)
		return SEAM_WBCACHE_NOT_COMPLETE;
	assert(k->state == SEAM_HKID_FLUSHED);
	k->state = SEAM_HKID_FREE;
	rt_phys_lines_back_all(c->td->hkid); /* CACHE.WB of every package did that */
	c->td->lifecycle = SEAM_TD_TEARDOWN;
	return SEAM_SUCCESS;
}

/* Kept by the ABI for old hosts; it does nothing (3.3). */
u64 seam_tdh_mng_key_reclaimid(struct seam_ctx *c)
{
	return SEAM_SUCCESS;
}

/* The HKIDs whose lines this write-back is for: those FLUSHED when it starts. False: none. */
static bool wb_begin(struct seam *s, struct seam_wb *wb)
{
	bool any = false;
	u32 i;

	for (i = 0; i < s->cfg.hkid_count; i++)
		any |= s->kot[i].state == SEAM_HKID_FLUSHED;
	if (!any)
		return false;
	for (i = 0; i < s->cfg.hkid_count; i++)
		wb->hkids[i] = s->kot[i].state == SEAM_HKID_FLUSHED;
	wb->next_block = 0;
	return true;
}

static void wb_end(struct seam *s, struct seam_wb *wb, u32 pkg)
{
	u32 i;

	for (i = 0; i < s->cfg.hkid_count; i++)
		if (wb->hkids[i])
			s->kot[i].wb_pending &= ~(u32)RT_BIT(pkg);
	wb->interrupted = false;
}

/*
 * Sub-block by sub-block; a poll between two of them. Interrupted: the record says where to go on.
 */
static u64 wb_run(struct seam_ctx *c, struct seam_wb *wb)
{
	u64 st;

	assert(wb->next_block < c->s->cfg.wb_blocks);
	for (;;) {
		wb->next_block++;
		seam_cost(c->s, SEAM_COST_FLUSHED_LINE, 1);
		if (wb->next_block >= c->s->cfg.wb_blocks)
			break;
		st = seam_poll_host(c, SEAM_INTERRUPTED_RESUMABLE);
		if (st) {
			wb->interrupted = true;
			return st;
		}
	}
	wb_end(c->s, wb, c->lp->pkg);
	return SEAM_SUCCESS;
}

u64 seam_tdh_phymem_cache_wb(struct seam_ctx *c)
{
	struct seam_wb *wb = &c->s->wb[c->lp->pkg];
	bool resume = c->in.rcx == 1;

	if (c->in.rcx > 1)
		return SEAM_OPERAND_INVALID | SEAM_OP_RCX;
	if (seam_hold_mutex(&c->held, &wb->lock))
		return SEAM_OPERAND_BUSY | SEAM_OP_WBCACHE;
	if (seam_hold_sharex(&c->held, &c->s->kot_lock, SEAM_SH))
		return SEAM_OPERAND_BUSY | SEAM_OP_KOT;
	if (resume && !wb->interrupted)
		return SEAM_WBCACHE_RESUME_ERROR;
	if (!resume && !wb_begin(c->s, wb))
		return SEAM_NO_HKID_READY_TO_WBCACHE;
	return wb_run(c, wb);
}
