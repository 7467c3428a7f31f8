// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building a TD: TDH.MNG.CREATE, KEY.CONFIG, ADDCX and INIT, checks in the order of tdx-module.md
 * 3.3. The way back (VPFLUSHDONE, CACHE.WB, FREEID) is in tdx/leaf_key.c, VCPUs in tdx/leaf_vp.c.
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "sim/rt/sched.h"
#include "tdx/leaf.h"
#include "tdx/sys.h"
#include "tdx/tdparams.h"
#include "tdx/trace.h"

#define PAGE_LINES 64

static bool hkid_private(const struct seam *s, u64 hkid)
{
	return hkid >= s->cfg.hkid_first && hkid < (u64)s->cfg.hkid_first + s->cfg.hkid_count;
}

static u32 global_key(const struct seam *s)
{
	return s->cfg.one_key ? 0 : s->cfg.hkid_global;
}

u64 seam_tdh_mng_create(struct seam_ctx *c)
{
	struct seam *s = c->s;
	struct seam_kot_entry *k;
	struct seam_page pg;
	struct seam_td *td;
	u64 st;

	if (!hkid_private(s, c->in.rdx))
		return SEAM_OPERAND_INVALID | SEAM_OP_RDX;
	st = seam_phpa(c, c->in.rcx, SEAM_PT_NDA, SEAM_EX, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	if (seam_hold_sharex(&c->held, &s->kot_lock, SEAM_EX))
		return SEAM_OPERAND_BUSY | SEAM_OP_KOT;
	seam_point(c, RT_PT_HELD, SEAM_AT(c->lp->id, pg.hpa));
	k = &s->kot[c->in.rdx - s->cfg.hkid_first];
	if (k->state != SEAM_HKID_FREE)
		return SEAM_HKID_NOT_FREE;
	rt_phys_fill(pg.hpa, global_key(s), 0);
	seam_cost(s, SEAM_COST_STORE_LINE, PAGE_LINES);
	td = seam_td_new(s, pg.hpa);
	td->hkid = (u16)c->in.rdx;
	td->lifecycle = SEAM_TD_HKID_ASSIGNED;
	k->state = SEAM_HKID_ASSIGNED;
	seam_pamt_assign(s, &pg, SEAM_PT_TDR, 0);
	return SEAM_SUCCESS;
}

u64 seam_tdh_mng_key_config(struct seam_ctx *c)
{
	u64 st, pkg = RT_BIT(c->lp->pkg);
	struct seam_td *td;

	assert(c->lp->pkg < c->s->cfg.pkgs);
	st = seam_take_td(c, c->in.rcx, SEAM_EX, SEAM_OP_RCX);
	if (st)
		return st;
	td = c->td;
	if (td->fatal)
		return SEAM_TD_FATAL;
	if (td->lifecycle != SEAM_TD_HKID_ASSIGNED)
		return SEAM_LIFECYCLE_STATE_INCORRECT;
	if (td->pkg_keys & pkg)
		return SEAM_KEY_CONFIGURED;
	td->pkg_keys |= (u32)pkg;
	if (td->pkg_keys == RT_BIT(c->s->cfg.pkgs) - 1)
		td->lifecycle = SEAM_TD_KEYS_CONFIGURED;
	return SEAM_SUCCESS;
}

/*
 * The page's contents depend on its index: S-EPT roots begin with FREE entries, the rest is zero.
 */
static void tdcx_init(struct seam_ctx *c, u32 index, u64 hpa)
{
	if (index == SEAM_TDCX_SEPT || index >= SEAM_TDCX_L2)
		seam_sept_fill_free(c->s, c->td, hpa);
	else
		rt_phys_fill(hpa, seam_key(c->s, c->td), 0);
	seam_cost(c->s, SEAM_COST_STORE_LINE, PAGE_LINES);
}

u64 seam_tdh_mng_addcx(struct seam_ctx *c)
{
	struct seam_page pg;
	struct seam_td *td;
	u64 st;

	st = seam_take_td(c, c->in.rdx, SEAM_EX, SEAM_OP_RDX);
	if (st)
		return st;
	td = c->td;
	if (td->fatal)
		return SEAM_TD_FATAL;
	if (td->lifecycle != SEAM_TD_KEYS_CONFIGURED)
		return SEAM_TD_KEYS_NOT_CONFIGURED;
	if (td->nr_tdcx == SEAM_TDCX_MAX)
		return SEAM_TDCX_NUM_INCORRECT;
	st = seam_phpa(c, c->in.rcx, SEAM_PT_NDA, SEAM_EX, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	tdcx_init(c, td->nr_tdcx, pg.hpa);
	/*
	 * With six pages there is an OP_STATE to look at; more are for L2 VMs, before MNG.INIT. A
	 * page that is refused here has already been overwritten.
	 */
	if (td->nr_tdcx >= SEAM_TDCX_MIN) {
		st = seam_check_td_state(c, SEAM_OPS(UNINITIALIZED), false);
		if (st)
			return st;
	}
	td->tdcx[td->nr_tdcx++] = pg.hpa;
	seam_pamt_assign(c->s, &pg, SEAM_PT_TDCX, td->tdr);
	seam_child_add(c->s, td, 1);
	return SEAM_SUCCESS;
}

static void td_configure(struct seam_td *td, const struct seam_td_params *p)
{
	assert(p->levels == 4 || p->levels == 5);
	assert(td->nr_tdcx >= (u32)SEAM_TDCX_MIN + p->nr_l2);
	/* VP.CREATE comes later. */
	assert(!td->vcpus && !td->nr_vcpus && !td->nr_assoc);
	td->attributes = p->attributes;
	td->xfam = p->xfam;
	td->max_vcpus = p->max_vcpus;
	td->nr_l2 = p->nr_l2;
	td->eptp_controls = p->eptp;
	td->config_flags = p->config_flags;
	td->pml5 = p->levels == 5;
	td->tsc_frequency = p->tsc_frequency;
	td->hp_lock_timeout = SEAM_HP_TIMEOUT_DEFAULT_US * SEAM_TSC_PER_US;
	/*
	 * Pending pages make a TD exit instead of a #VE by default where the TD asked for no #VE at
	 * all (7.3).
	 */
	if (p->attributes & SEAM_ATTR_SEPT_VE_DISABLE)
		td->td_ctls = SEAM_CTLS_PENDING_VE_DISABLE;
}

u64 seam_tdh_mng_init(struct seam_ctx *c)
{
	struct seam_td_params p;
	u64 tdr = c->in.rcx, st;
	struct seam_td *td;

	/*
	 * Out: the CPUID leaf that was refused; here none ever is, since CPUID_CONFIG has to be
	 * zero.
	 */
	c->r->rcx = 0;
	/* A flag asks for event filters; they are of a TD with PERFMON, and not modelled. */
	if (c->s->f.features0 & SEAM_FEATURES0_EVENT_FILTERING)
		tdr &= ~SEAM_TDR_FLAG;
	st = seam_take_td(c, tdr, SEAM_EX, SEAM_OP_RCX);
	if (st)
		return st;
	td = c->td;
	st = seam_check_td_state(c, SEAM_OPS(UNINITIALIZED), false);
	if (st)
		return st;
	st = seam_shared_hpa_check(c->s, c->in.rdx, SEAM_TD_PARAMS_SIZE, SEAM_TD_PARAMS_SIZE,
				   SEAM_OP_RDX);
	if (st)
		return st;
	/* A refused call leaves this behind (recorded: td_build_order_errors). */
	td->epoch = 1;
	st = seam_td_params_read(c->s, c->lp, seam_shared_pa(c->s, c->in.rdx), td->nr_tdcx, &p);
	if (st)
		return st;
	td_configure(td, &p);
	td->refcount[0] = 0;
	td->refcount[1] = 0;
	td->opstate = SEAM_OPS_INITIALIZED;
	rt_trace(&seam_ev_opstate, RT_PH_INSTANT, td->tdr, SEAM_OPS_UNINITIALIZED,
		 SEAM_OPS_INITIALIZED);
	return SEAM_SUCCESS;
}
