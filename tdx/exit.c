// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaving the guest: the one way out for every TD exit, interrupts and machine checks, and the
 * frame of a guest instruction. Which instruction or access causes an exit is decided in
 * tdx/guest.c, tdx/accept.c and tdx/access.c.
 */
#include <assert.h>

#include "tdx/epf.h"
#include "tdx/trace.h"
#include "tdx/vcpu.h"

/* Interruption information (R9): valid, type, vector. */
#define INTR_VALID    RT_BIT(31)
#define INTR_NMI      (INTR_VALID | 2 << 8 | 2)
#define INTR_HARDWARE (3 << 8)
#define INTR_MC	      (INTR_VALID | INTR_HARDWARE | 18)
/* The LP's pending INTR has no vector in this model: the one that the recorded machine used. */
#define INTR_VECTOR 0x30

#define STATUS_RECOVERABLE RT_BIT(60)
#define VECTOR_DF	   8
#define VECTOR_VE	   20
#define INSN_LEN	   4 /* of TDCALL; every guest instruction counts as one */
/*
 * From one guest event to the next: what lies between them is not simulated, but it has moved RIP.
 */
#define EVENT_DISTANCE 0x100

void seam_td_exit(struct seam *s, u32 lp, const struct seam_td_exit *x, struct seam_regs *out)
{
	struct seam_vcpu *v = s->lp[lp].in_guest;
	struct seam_td *td = seam_td_find(s, v->tdr);

	assert(td && v->state == SEAM_VCPU_ACTIVE && v->assoc == lp);
	*out = (struct seam_regs){
		.rax = x->status | x->reason,
		.rcx = x->qual,
		.rdx = x->ext,
		.r8 = x->gpa,
		.r9 = x->intr,
	};
	/*
	 * 3.5: nothing of a dead TD's VCPU is written any more, so its count stays up for good and
	 * its state ACTIVE.
	 */
	if (seam_status(x->status) != SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE) {
		v->exit_kind = x->kind;
		v->exit_recoverable = x->status & STATUS_RECOVERABLE;
		v->state = SEAM_VCPU_READY;
		assert(td->refcount[v->epoch & 1] > 0);
		td->refcount[v->epoch & 1]--;
	}
	assert(v->held.nr == SEAM_ENTER_HELD);
	s->lp[lp].in_guest = NULL;
	seam_release_to(&v->held, 0);
	seam_cost(s, SEAM_COST_ENTER, 1);
	if (s->observer)
		s->observer->answer(s->observer->ctx, SEAM_TDH_VP_ENTER, out->rax, false);
	rt_trace(&seam_ev_exit, RT_PH_INSTANT, lp, out->rax, out->rcx, out->rdx, out->r8);
}

bool seam_exit_for_irq(const struct seam *s, u32 lp, struct seam_td_exit *x)
{
	u32 irq = s->lp[lp].irq;

	*x = (struct seam_td_exit){.kind = SEAM_EXIT_FAULT};
	if (irq & SEAM_IRQ_INTR) {
		x->reason = SEAM_REASON_INTERRUPT;
		x->intr = INTR_VALID | INTR_VECTOR;
	} else if (irq & SEAM_IRQ_NMI) {
		x->reason = SEAM_REASON_EXCEPTION_NMI;
		x->intr = INTR_NMI;
	} else if (irq & SEAM_IRQ_SMI) {
		x->reason = SEAM_REASON_SMI;
	}
	return irq;
}

void seam_guest_interrupt(struct seam *s, u32 lp, u32 vector, struct seam_regs *exit)
{
	struct seam_vcpu *v = s->lp[lp].in_guest;
	bool dead = seam_td_find(s, v->tdr)->fatal;
	const struct seam_td_exit x = {
		.status = dead ? SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE : SEAM_SUCCESS,
		.reason = SEAM_REASON_INTERRUPT,
		.intr = INTR_VALID | (vector & 0xff),
		.kind = SEAM_EXIT_FAULT,
	};

	s->cost_row = SEAM_ROW_NONE;
	if (!dead)
		seam_single_step_check(s, v);
	seam_epf_exit(v);
	seam_td_exit(s, lp, &x, exit);
}

void seam_guest_machine_check(struct seam *s, u32 lp, struct seam_regs *exit)
{
	const struct seam_td_exit x = {
		.status = SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
		.reason = SEAM_REASON_EXCEPTION_NMI,
		.intr = INTR_MC,
		.kind = SEAM_EXIT_FAULT,
	};

	assert(s->lp[lp].in_guest);
	s->cost_row = SEAM_ROW_NONE;
	/* Memory of the TD can no longer be trusted: every later leaf says TD_FATAL. */
	seam_td_find(s, s->lp[lp].in_guest->tdr)->fatal = true;
	seam_td_exit(s, lp, &x, exit);
}

enum seam_result seam_inject_ve(struct seam_vcpu *v, const struct seam_ve_info *info, u32 flags,
				struct seam_fault *fault)
{
	if (v->ve.valid) {
		*fault = (struct seam_fault){.vector = VECTOR_DF};
		return SEAM_INJECT;
	}
	*fault = (struct seam_fault){
		.vector = VECTOR_VE,
		.reason = info->reason,
		.qual = info->qual,
		.gla = info->gla,
		.gpa = info->gpa,
	};
	v->ve = *info;
	/*
	 * Unless told otherwise the guest's handler reads VE_INFO at once, which makes room for the
	 * next.
	 */
	v->ve.valid = flags & SEAM_KEEP_VE;
	return SEAM_VE;
}

bool seam_guest_begin(struct seam *s, u32 lp, u32 flags, u64 reason, struct seam_regs *out,
		      struct seam_fault *fault, enum seam_result *res)
{
	struct seam_vcpu *v = s->lp[lp].in_guest;
	const struct seam_td_exit dead = {
		.status = SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
		.reason = (u32)reason,
		.kind = SEAM_EXIT_FAULT,
	};

	assert(v && v->state == SEAM_VCPU_ACTIVE);
	if (!(flags & SEAM_SAME_RIP))
		v->last_rip += EVENT_DISTANCE;
	v->rip = v->last_rip;
	if (v->notify_due) {
		const struct seam_ve_info info = {
			.reason = SEAM_REASON_EPT_VIOLATION,
			.insn_len = INSN_LEN,
		};

		v->notify_due = false;
		*res = seam_inject_ve(v, &info, flags, fault);
		return false;
	}
	/*
	 * Only what makes a VM exit notices that the TD died; plain accesses ask with reason 0 and
	 * go on.
	 */
	if (reason && seam_td_find(s, v->tdr)->fatal) {
		seam_td_exit(s, lp, &dead, out);
		*res = SEAM_EXIT;
		return false;
	}
	return true;
}

void seam_guest_retire(struct seam_vcpu *v)
{
	v->rip = v->last_rip + INSN_LEN;
	v->retired++;
}
