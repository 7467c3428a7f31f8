// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metadata fields as the host reads and writes them: TDH.MNG.RD/WR and TDH.VP.RD/WR (tdx-module.md
 * 3.3). Which fields there are is tdx/tdfield.c's. R8 is 0 on every error: the dispatcher clears it
 * first.
 */
#include <assert.h>

#include "tdx/field.h"
#include "tdx/leaf.h"

/* 3.2: reading from INITIALIZED on; writing not while a TD is exported or paused. */
#define RD_STATES RT_MASK(10, 1)
#define WR_STATES (RT_MASK(3, 1) | RT_MASK(10, 6))

static u64 take_td(struct seam_ctx *c, u64 states)
{
	u64 st;

	st = seam_take_td(c, c->in.rcx, SEAM_SH, SEAM_OP_RCX);
	return st ? st : seam_check_td_state(c, states, true);
}

u64 seam_tdh_mng_rd(struct seam_ctx *c)
{
	u64 st, val = 0;

	if (c->version > 1)
		return SEAM_OPERAND_INVALID | SEAM_OP_RAX;
	st = take_td(c, RD_STATES);
	if (st)
		return st;
	st = seam_td_field_rd(c->s, c->td, c->in.rdx, SEAM_FIELD_HOST, &val);
	c->r->r8 = val;
	if (c->version == 1)
		c->r->rdx = SEAM_FIELD_NULL;
	return st;
}

u64 seam_tdh_mng_wr(struct seam_ctx *c)
{
	u64 st, old = 0;

	st = take_td(c, WR_STATES);
	if (st)
		return st;
	st = seam_td_field_wr(c->s, c->td, c->in.rdx, SEAM_FIELD_HOST, c->in.r8, c->in.r9, &old);
	c->r->r8 = old;
	return st;
}

/*
 * @states: of the TD. @disabled: a DISABLED VCPU may still be read. The VCPU becomes associated
 * with this LP.
 */
static u64 take_vcpu(struct seam_ctx *c, u64 states, bool disabled)
{
	struct seam_page pg;
	struct seam_vcpu *v;
	u64 st;

	st = seam_phpa(c, c->in.rcx, SEAM_PT_TDVPR, SEAM_SH, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	st = seam_take_td_implicit(c, seam_pamt_owner(pg.e), SEAM_SH);
	if (st)
		return st;
	st = seam_check_td_state(c, states, true);
	if (st)
		return st;
	v = seam_vcpu_get(c->s, pg.hpa);
	assert(v);
	c->vcpu = v;
	if (v->pages < seam_tdvps_pages(c->td))
		return SEAM_TDCX_NUM_INCORRECT;
	if (v->state != SEAM_VCPU_READY && !(disabled && v->state == SEAM_VCPU_DISABLED))
		return seam_vcpu_state_error(c->s, v);
	return seam_vcpu_associate(c->td, v, c->lp->id);
}

u64 seam_tdh_vp_rd(struct seam_ctx *c)
{
	u64 st, val = 0;

	if (c->version > 1)
		return SEAM_OPERAND_INVALID | SEAM_OP_RAX;
	st = take_vcpu(c, RD_STATES, true);
	if (st)
		return st;
	st = seam_vp_field_rd(c->vcpu, c->in.rdx, &val);
	c->r->r8 = val;
	if (c->version == 1)
		c->r->rdx = SEAM_FIELD_NULL;
	return st;
}

u64 seam_tdh_vp_wr(struct seam_ctx *c)
{
	u64 st, old = 0;

	st = take_vcpu(c, WR_STATES, false);
	if (st)
		return st;
	st = seam_vp_field_wr(c->vcpu, c->in.rdx, c->in.r8, c->in.r9, &old);
	c->r->r8 = old;
	return st;
}
