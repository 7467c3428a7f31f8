// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building and flushing a VCPU: TDH.VP.CREATE, ADDCX, INIT and FLUSH, checks in the order of tdx-
 * module.md 3.3. Entering it is tdx/enter.c's, its metadata fields tdx/leaf_md.c's.
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "sim/rt/sched.h"
#include "tdx/leaf.h"
#include "tdx/vcpu.h"

#define PAGE_LINES 64
/*
 * CPUID(1).EAX as a guest finds it in RDX at its first instruction: family, model, stepping of the
 * simulated processor (assumed).
 */
#define CPUID_1_EAX	 0x000806f8
#define VP_CREATE_STATES (SEAM_OPS(INITIALIZED) | SEAM_OPS(STATE_IMPORT))

static void zero_page(struct seam_ctx *c, u64 hpa)
{
	rt_phys_fill(hpa, seam_key(c->s, c->td), 0);
	seam_cost(c->s, SEAM_COST_STORE_LINE, PAGE_LINES);
}

u64 seam_tdh_vp_create(struct seam_ctx *c)
{
	struct seam_page pg;
	u64 st;

	st = seam_take_td(c, c->in.rdx, SEAM_SH, SEAM_OP_RDX);
	if (st)
		return st;
	st = seam_check_td_state(c, VP_CREATE_STATES, true);
	if (st)
		return st;
	st = seam_phpa(c, c->in.rcx, SEAM_PT_NDA, SEAM_EX, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	zero_page(c, pg.hpa);
	seam_vcpu_new(c->td, pg.hpa);
	seam_pamt_assign(c->s, &pg, SEAM_PT_TDVPR, c->td->tdr);
	seam_child_add(c->s, c->td, 1);
	return SEAM_SUCCESS;
}

/* TDVPR operand in @mode, then its TD in @td_mode: c->vcpu, c->td. */
static u64 take_vcpu(struct seam_ctx *c, u64 tdvpr, enum seam_mode mode, u32 op,
		     enum seam_mode td_mode)
{
	struct seam_page pg;
	u64 st;

	st = seam_phpa(c, tdvpr, SEAM_PT_TDVPR, mode, op, &pg);
	if (st)
		return st;
	st = seam_take_td_implicit(c, seam_pamt_owner(pg.e), td_mode);
	if (st)
		return st;
	c->vcpu = seam_vcpu_get(c->s, pg.hpa);
	assert(c->vcpu);
	/* Every other call on this VCPU is refused now. */
	seam_point(c, RT_PT_HELD, SEAM_AT(c->lp->id, pg.hpa));
	return SEAM_SUCCESS;
}

u64 seam_tdh_vp_addcx(struct seam_ctx *c)
{
	struct seam_page pg;
	u64 st;

	st = take_vcpu(c, c->in.rdx, SEAM_EX, SEAM_OP_RDX, SEAM_SH);
	if (st)
		return st;
	st = seam_check_td_state(c, VP_CREATE_STATES, true);
	if (st)
		return st;
	if (c->vcpu->state != SEAM_VCPU_UNINIT)
		return seam_vcpu_state_error(c->s, c->vcpu);
	if (c->vcpu->pages == SEAM_TDVPS_MAX)
		return SEAM_TDCX_NUM_INCORRECT;
	st = seam_phpa(c, c->in.rcx, SEAM_PT_NDA, SEAM_EX, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	zero_page(c, pg.hpa);
	c->vcpu->pages++;
	seam_pamt_assign(c->s, &pg, SEAM_PT_TDCX, c->td->tdr);
	seam_child_add(c->s, c->td, 1);
	return SEAM_SUCCESS;
}

static bool x2apic_id_used(const struct seam_td *td, u32 id)
{
	const struct seam_vcpu *v;

	for (v = td->vcpus; v; v = v->next)
		if (v->has_x2apic_id && v->x2apic_id == id)
			return true;
	return false;
}

/* Version 1: the host chooses the x2APIC id. */
static u64 init_x2apic(struct seam_ctx *c)
{
	u64 id = c->in.r8;

	if (id >> 32)
		return SEAM_OPERAND_INVALID | SEAM_OP_R8;
	if (x2apic_id_used(c->td, (u32)id)) {
		if (c->s->f.x2apic_clash_loses_slot)
			c->td->nr_vcpus++;
		return SEAM_X2APIC_ID_NOT_UNIQUE | id;
	}
	c->vcpu->x2apic_id = (u32)id;
	c->vcpu->has_x2apic_id = true;
	return SEAM_SUCCESS;
}

/*
 * What the guest finds in its registers at its first instruction (ABI, initial state of guest
 * GPRs).
 */
static void init_regs(const struct seam_td *td, struct seam_vcpu *v, u64 rcx)
{
	v->regs = (struct seam_regs){
		.rbx = td->config_flags & SEAM_CONFIG_GPAW ? 52 : 48,
		.rcx = rcx,
		.rdx = CPUID_1_EAX,
		.rsi = v->index,
		.r8 = rcx,
	};
}

u64 seam_tdh_vp_init(struct seam_ctx *c)
{
	bool v1 = c->version == 1;
	struct seam_vcpu *v;
	struct seam_td *td;
	u64 st;

	st = c->s->f.tsc_adjust_first ? seam_check_tsc_adjust(c->s, c->lp) : SEAM_SUCCESS;
	if (st)
		return st;
	if (c->version > 1 || (v1 && !c->s->f.vp_init_v1))
		return SEAM_OPERAND_INVALID | SEAM_OP_RAX;
	st = take_vcpu(c, c->in.rcx, SEAM_EX, SEAM_OP_RCX, v1 ? SEAM_EX : SEAM_SH);
	if (st)
		return st;
	td = c->td;
	v = c->vcpu;
	st = seam_check_td_state(c, SEAM_OPS(INITIALIZED), true);
	if (st)
		return st;
	if (v->pages < seam_tdvps_pages(td))
		return SEAM_TDCX_NUM_INCORRECT;
	if (v->state != SEAM_VCPU_UNINIT)
		return seam_vcpu_state_error(c->s, v);
	if (td->nr_vcpus + 1 > td->max_vcpus)
		return SEAM_MAX_VCPUS_EXCEEDED;
	if (v1) {
		st = init_x2apic(c);
		if (st)
			return st;
	}
	v->index = td->nr_vcpus++;
	/*
	 * Later releases have compared already. Here the slot is taken and not given back (module
	 * source).
	 */
	st = seam_check_tsc_adjust(c->s, c->lp);
	if (st)
		return st;
	init_regs(td, v, c->in.rdx);
	v->state = SEAM_VCPU_READY;
	return seam_vcpu_associate(td, v, c->lp->id);
}

u64 seam_tdh_vp_flush(struct seam_ctx *c)
{
	u64 st;

	/* BUSY | RCX while it runs: ENTER holds the TDVPR shared. */
	st = take_vcpu(c, c->in.rcx, SEAM_EX, SEAM_OP_RCX, SEAM_SH);
	if (st)
		return st;
	/* The fatal flag is not looked at: a dead TD has to be torn down too. */
	if (c->td->lifecycle != SEAM_TD_KEYS_CONFIGURED)
		return SEAM_TD_KEYS_NOT_CONFIGURED;
	if (c->vcpu->pages < seam_tdvps_pages(c->td))
		return SEAM_TDCX_NUM_INCORRECT;
	if (c->vcpu->assoc != c->lp->id)
		return SEAM_VCPU_NOT_ASSOCIATED;
	seam_vcpu_dissociate(c->s, c->td, c->vcpu);
	return SEAM_SUCCESS;
}
