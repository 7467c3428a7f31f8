// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.VP.ENTER: the order of its checks, the epoch step, and what stays locked while the guest runs
 * (tdx-module.md 5.10, 3.5). Everything that happens when the guest leaves is in tdx/exit.c.
 *
 * What is held when the LP is in the guest: the TDVPR's 4K PAMT entry with its 2M and 1G parents,
 * and the TDR's own 4K entry, all shared.
 */
#include <assert.h>

#include "sim/rt/sched.h"
#include "tdx/epf.h"
#include "tdx/leaf.h"
#include "tdx/trace.h"
#include "tdx/vcpu.h"

#define ENTER_HOST_RECOVERABLE RT_BIT(52)
#define ENTER_RESUME_L1	       RT_BIT(53)
#define ENTER_RSVD	       (RT_MASK(63, 54) | RT_MASK(11, 0))

#define RUNNABLE_STATES (SEAM_OPS(RUNNABLE) | SEAM_OPS(LIVE_EXPORT) | SEAM_OPS(LIVE_IMPORT))

/* Registers that TDG.VP.VMCALL's mask can name (5.12): RDX, RBX, RBP, RSI, RDI, R8 to R15. */
static void copy_masked(struct seam_regs *to, const struct seam_regs *from, u64 mask)
{
	u64 *const t[16] = {
		[2] = &to->rdx,	 [3] = &to->rbx,  [5] = &to->rbp,  [6] = &to->rsi,  [7] = &to->rdi,
		[8] = &to->r8,	 [9] = &to->r9,	  [10] = &to->r10, [11] = &to->r11, [12] = &to->r12,
		[13] = &to->r13, [14] = &to->r14, [15] = &to->r15};
	const u64 f[16] = {[2] = from->rdx,  [3] = from->rbx,  [5] = from->rbp,	 [6] = from->rsi,
			   [7] = from->rdi,  [8] = from->r8,   [9] = from->r9,	 [10] = from->r10,
			   [11] = from->r11, [12] = from->r12, [13] = from->r13, [14] = from->r14,
			   [15] = from->r15};
	u32 i;

	for (i = 0; i < 16; i++)
		if (t[i] && (mask & RT_BIT(i)))
			*t[i] = f[i];
}

void seam_vmcall_to_host(struct seam_regs *host, const struct seam_regs *guest, u64 mask)
{
	copy_masked(host, guest, mask);
	host->rcx = mask;
}

/*
 * The hint answers an exit whose status has that bit, and nothing else; and no L2 VM ever runs
 * here, so there is no L1 to resume. Both come after the association (recorded: vcpu_association),
 * which stays.
 */
static u64 enter_check_flags(const struct seam_ctx *c)
{
	bool hint = c->in.rcx & ENTER_HOST_RECOVERABLE;

	if ((c->in.rcx & ENTER_RESUME_L1) || (hint && !c->vcpu->exit_recoverable))
		return SEAM_OPERAND_INVALID | SEAM_OP_RCX;
	return SEAM_SUCCESS;
}

/* TDVPR, TDR, states, association: everything before the first change of state. */
static u64 enter_check(struct seam_ctx *c)
{
	struct seam_page pg;
	u64 st;

	if (c->in.rcx & ENTER_RSVD)
		return SEAM_OPERAND_INVALID | SEAM_OP_RCX;
	st = seam_phpa(c, c->in.rcx & RT_MASK(51, 12), SEAM_PT_TDVPR, SEAM_SH, SEAM_OP_RCX, &pg);
	if (st)
		return st;
	st = seam_take_td_implicit(c, seam_pamt_owner(pg.e), SEAM_SH);
	if (st)
		return st;
	c->vcpu = seam_vcpu_get(c->s, pg.hpa);
	assert(c->vcpu);
	st = seam_check_td_state(c, RUNNABLE_STATES, true);
	if (st)
		return st;
	if (c->vcpu->pages < seam_tdvps_pages(c->td))
		return SEAM_TDCX_NUM_INCORRECT;
	if (c->vcpu->state != SEAM_VCPU_READY)
		return seam_vcpu_state_error(c->s, c->vcpu);
	st = seam_vcpu_associate(c->td, c->vcpu, c->lp->id);
	if (st)
		return st;
	st = enter_check_flags(c);
	return st ? st : seam_check_tsc_adjust(c->s, c->lp);
}

/*
 * 3.5: count the VCPU in its epoch; flush if it has not run since the epoch began, or not on this
 * LP.
 */
static u64 enter_epoch(struct seam_ctx *c)
{
	struct seam_td *td = c->td;
	struct seam_vcpu *v = c->vcpu;
	u64 e;

	if (seam_hold_sharex(&c->held, &td->epoch_lock, SEAM_SH))
		return SEAM_OPERAND_BUSY | SEAM_OP_TD_EPOCH;
	seam_point(c, RT_PT_HELD, SEAM_AT(c->lp->id, v->tdvpr));
	e = td->epoch;
	td->refcount[e & 1]++;
	seam_cost(c->s, SEAM_COST_ATOMIC, 3);
	seam_release(&c->held, &td->epoch_lock);
	assert(v->epoch <= e);
	if (v->epoch != e || v->flush_due)
		seam_invept(c->s, td, c->lp->id);
	v->flush_due = false;
	v->epoch = e;
	return SEAM_SUCCESS;
}

static void enter_undo_epoch(struct seam_ctx *c)
{
	assert(c->td->refcount[c->vcpu->epoch & 1] > 0);
	c->td->refcount[c->vcpu->epoch & 1]--;
}

static void enter_load_regs(struct seam_ctx *c)
{
	struct seam_vcpu *v = c->vcpu;

	if (v->exit_kind == SEAM_EXIT_TDVMCALL) {
		copy_masked(&v->regs, &c->in, v->vmcall_mask);
		v->regs.rax = SEAM_SUCCESS;
		v->exit_kind = SEAM_EXIT_TRAP;
	}
	*c->r = v->regs;
}

/* Keep TDVPR and TDR, let go of OP_STATE and (zero-step) the tree, and be in the guest. */
static void enter_guest(struct seam_ctx *c)
{
	struct seam_vcpu *v = c->vcpu;
	struct seam_td *td = c->td;

	seam_release(&c->held, &td->opstate_lock);
	assert(c->held.nr == SEAM_ENTER_HELD && !v->held.nr);
	assert(!c->lp->in_guest && v->assoc == c->lp->id);
	if (c->lp->last_vcpu != v)
		seam_invept(c->s, td, c->lp->id);
	seam_hold_move(&c->held, &v->held);
	v->state = SEAM_VCPU_ACTIVE;
	v->entry_rip = v->rip;
	v->entry_tsc = rt_cycles_now();
	v->retired = 0;
	c->lp->in_guest = v;
	c->lp->last_vcpu = v;
	c->s->nr_entries++;
	c->entered = true;
	rt_trace(&seam_ev_enter, RT_PH_INSTANT, c->lp->id, v->tdvpr, v->epoch);
}

u64 seam_tdh_vp_enter(struct seam_ctx *c)
{
	u32 mark;
	u64 st;

	st = enter_check(c);
	if (st)
		return st;
	st = enter_epoch(c);
	if (st)
		return st;
	mark = c->held.nr;
	st = seam_epf_filter(c);
	if (st) {
		enter_undo_epoch(c);
		return st;
	}
	enter_load_regs(c);
	seam_release_to(&c->held, mark);
	enter_guest(c);
	return SEAM_SUCCESS;
}
