// SPDX-License-Identifier: GPL-2.0-only
/*
 * seam_tdcall(): what surrounds every guest leaf, and the leaves that only touch registers and
 * fields. ACCEPT and ATTR.* are in tdx/accept.c and tdx/attr.c, guest memory accesses in
 * tdx/access.c.
 */
#include <assert.h>

#include "sim/rt/fault.h"
#include "tdx/epf.h"
#include "tdx/field.h"
#include "tdx/guest.h"
#include "tdx/tdparams.h"
#include "tdx/trace.h"

/* VMCALL: RAX, RCX, RSP and the upper half can't be handed over (5.12). */
#define VMCALL_RSVD (RT_BIT(0) | RT_BIT(1) | RT_BIT(4) | RT_MASK(63, 32))
#define VMCALL_RBP  RT_BIT(5)

/* Fault sites of guest leaves: keys apart from those of host leaves. */
#define TDG_FAULT_KEY(nr) (SEAM_FAULT_GUEST | (u64)(nr))

static void done(struct seam_tdg *g, u64 status)
{
	g->outcome = SEAM_TDG_DONE;
	g->status = status;
}

void seam_tdg_vp_vmcall(struct seam_tdg *g)
{
	u64 mask = g->c.in.rcx, rsvd = VMCALL_RSVD;

	if (g->c.td->config_flags & SEAM_CONFIG_NO_RBP_MOD)
		rsvd |= VMCALL_RBP;
	if (mask & rsvd) {
		done(g, SEAM_OPERAND_INVALID | SEAM_OP_RCX);
		return;
	}
	g->c.vcpu->vmcall_mask = mask;
	g->outcome = SEAM_TDG_EXIT;
	g->x = (struct seam_td_exit){.reason = SEAM_REASON_TDCALL, .kind = SEAM_EXIT_TDVMCALL};
}

void seam_tdg_vp_info(struct seam_tdg *g)
{
	const struct seam_td *td = g->c.td;
	struct seam_regs *r = g->c.r;

	r->rcx = td->config_flags & SEAM_CONFIG_GPAW ? 52 : 48;
	r->rdx = td->attributes;
	r->r8 = (u64)td->max_vcpus << 32 | td->nr_vcpus;
	r->r9 = g->c.vcpu->index;
	r->r10 = 1; /* TDG.SYS.RD is there */
	r->r11 = 0;
	done(g, SEAM_SUCCESS);
}

void seam_tdg_vp_veinfo_get(struct seam_tdg *g)
{
	struct seam_ve_info *ve = &g->c.vcpu->ve;
	struct seam_regs *r = g->c.r;

	if (!ve->valid) {
		done(g, SEAM_NO_VALID_VE_INFO);
		return;
	}
	r->rcx = ve->reason;
	r->rdx = ve->qual;
	r->r8 = ve->gla;
	r->r9 = ve->gpa;
	r->r10 = ve->insn_len;
	ve->valid = false;
	done(g, SEAM_SUCCESS);
}

void seam_tdg_vp_cpuidve_set(struct seam_tdg *g)
{
	if (g->c.in.rcx & ~RT_MASK(1, 0)) {
		done(g, SEAM_OPERAND_INVALID | SEAM_OP_RCX);
		return;
	}
	g->c.vcpu->cpuid_ve = g->c.in.rcx;
	done(g, SEAM_SUCCESS);
}

/*
 * RCX names the TD, 0 is oneself. Version 1 also tells the next field; there is no list here, so
 * "none".
 */
void seam_tdg_vm_rd(struct seam_tdg *g)
{
	u64 val = 0, st;

	g->c.r->r8 = 0;
	if (g->c.version > 1) {
		done(g, SEAM_OPERAND_INVALID | SEAM_OP_RAX);
		return;
	}
	if (g->c.in.rcx) {
		done(g, SEAM_OPERAND_INVALID | SEAM_OP_RCX);
		return;
	}
	st = seam_td_field_rd(g->c.s, g->c.td, g->c.in.rdx, SEAM_FIELD_TD_GUEST, &val);
	g->c.r->r8 = val;
	if (g->c.version == 1)
		g->c.r->rdx = SEAM_FIELD_NULL;
	done(g, st);
}

void seam_tdg_vm_wr(struct seam_tdg *g)
{
	u64 old = 0, st;

	g->c.r->r8 = 0;
	if (g->c.in.rcx) {
		done(g, SEAM_OPERAND_INVALID | SEAM_OP_RCX);
		return;
	}
	st = seam_td_field_wr(g->c.s, g->c.td, g->c.in.rdx, SEAM_FIELD_TD_GUEST, g->c.in.r8,
			      g->c.in.r9, &old);
	g->c.r->r8 = old;
	done(g, st);
}

void seam_tdg_sys_rd(struct seam_tdg *g)
{
	u64 val = 0, next = SEAM_FIELD_NULL;
	bool found = seam_sys_field(g->c.s, g->c.in.rdx, &val, &next);

	g->c.r->rdx = next;
	g->c.r->r8 = val;
	done(g, found ? SEAM_SUCCESS : SEAM_METADATA_FIELD_ID_INCORRECT);
}

static seam_tdg_fn tdg_find(u32 nr)
{
	static const seam_tdg_fn fns[SEAM_TDG_NR] = {
#define SEAM_X(nr, id, fn, name) [nr] = seam_tdg_##fn,
		SEAM_TDG_MODELLED(SEAM_X)
#undef SEAM_X
	};

	return nr < SEAM_TDG_NR ? fns[nr] : NULL;
}

/* 1.1: reserved bits and version of RAX, then the leaf. */
static void tdg_dispatch(struct seam_tdg *g)
{
	u64 rax = g->c.in.rax;
	u64 forced = 0;
	seam_tdg_fn fn = tdg_find(g->c.nr);

	if ((rax & RT_MASK(63, 24)) || !fn || (g->c.version && g->c.nr != SEAM_TDG_VM_RD)) {
		done(g, SEAM_OPERAND_INVALID | SEAM_OP_RAX);
		return;
	}
	if (rt_fault_fire("busy", TDG_FAULT_KEY(g->c.nr), NULL)) {
		g->c.forced = true;
		done(g, SEAM_OPERAND_BUSY | SEAM_OP_RCX);
		return;
	}
	if (rt_fault_fire("error", TDG_FAULT_KEY(g->c.nr), &forced)) {
		g->c.forced = true;
		done(g, forced);
		return;
	}
	fn(g);
}

/*
 * 6.4: the guest never sees BUSY_HOST_PRIORITY. The first refusal starts a timer that any other
 * status stops; when it has run out, the next refusal is a trap-like TD exit and the timer starts
 * anew.
 */
static void tdg_host_priority(struct seam_tdg *g)
{
	struct seam_vcpu *v = g->c.vcpu;
	bool refused = g->outcome == SEAM_TDG_DONE &&
		       seam_status(g->status) == SEAM_OPERAND_BUSY_HOST_PRIORITY;

	/* A leaf that makes a TD exit never comes back to where the timer is looked at. */
	if (g->outcome == SEAM_TDG_EXIT)
		return;

	if (!refused) {
		v->hp_waiting = false;
		return;
	}
	g->status = SEAM_OPERAND_BUSY | (g->status & RT_MASK(31, 0));
	if (!v->hp_waiting) {
		v->hp_waiting = true;
		v->hp_since = rt_cycles_now();
	} else if (rt_cycles_now() - v->hp_since >= g->c.td->hp_lock_timeout) {
		v->hp_waiting = false;
		g->outcome = SEAM_TDG_EXIT;
		g->x = (struct seam_td_exit){
			.status = SEAM_HOST_PRIORITY_BUSY_TIMEOUT,
			.kind = SEAM_EXIT_TRAP,
		};
	}
}

/* The guest goes on with @r, or the host gets @r. */
static enum seam_result tdg_finish(struct seam_tdg *g, struct seam_regs *r)
{
	struct seam_vcpu *v = g->c.vcpu;
	u32 lp = g->c.lp->id;

	assert(!g->c.held.nr);
	if (g->outcome == SEAM_TDG_DONE) {
		r->rax = g->status;
		v->regs = *r;
		seam_guest_retire(v);
		return SEAM_DONE;
	}
	/*
	 * A fault-like exit shows the guest the registers with which it executes the instruction
	 * again.
	 */
	v->regs = g->c.in;
	if (g->x.kind != SEAM_EXIT_FAULT)
		seam_guest_retire(v);
	if (g->x.kind == SEAM_EXIT_TRAP)
		v->regs.rax = g->status;
	seam_epf_exit(v);
	seam_td_exit(g->c.s, lp, &g->x, r);
	if (g->x.kind == SEAM_EXIT_TDVMCALL)
		seam_vmcall_to_host(r, &g->c.in, v->vmcall_mask);
	return g->outcome == SEAM_TDG_RESTART ? SEAM_RESTART_EXIT : SEAM_EXIT;
}

enum seam_result seam_tdcall(struct seam *s, u32 lp, struct seam_regs *r, u32 flags,
			     struct seam_fault *fault)
{
	struct seam_tdg g;
	enum seam_result res;
	struct seam_vcpu *v = s->lp[lp].in_guest;

	assert(v);
	seam_ctx_init(&g.c, s, lp, r, SEAM_ROW_TDG(0));
	v->regs = g.c.in;
	if (!seam_guest_begin(s, lp, flags, SEAM_REASON_TDCALL, r, fault, &res))
		return res;
	g.c.vcpu = v;
	g.c.td = seam_td_find(s, v->tdr);
	g.outcome = SEAM_TDG_DONE;
	g.status = SEAM_SUCCESS;
	seam_cost(s, SEAM_COST_TDCALL, 1);
	rt_trace(&seam_ev_tdcall, RT_PH_BEGIN, lp, g.c.nr, g.c.in.rcx, g.c.in.rdx, g.c.in.r8);
	tdg_dispatch(&g);
	seam_release_to(&g.c.held, 0);
	tdg_host_priority(&g);
	res = tdg_finish(&g, r);
	if (s->observer && res == SEAM_DONE)
		s->observer->answer(s->observer->ctx, g.c.row, r->rax, g.c.forced);
	rt_trace(&seam_ev_tdcall, RT_PH_END, lp, g.c.nr, r->rcx, r->rdx, r->r8, r->rax);
	return res;
}
