// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zero-step: a host that lets the same instruction fault again and again learns what it touches.
 * The module counts private EPT violations at one RIP and, beyond a threshold, refuses entry until
 * the GPAs are resolved (recorded: ept_fault_stepping, n_zero_step*). Single-step: read in source,
 * not recorded. The extra instructions run as cycles here, since the guest's program is the
 * caller's.
 */
#include <assert.h>
#include <xxhash.h>

#include "tdx/epf.h"
#include "tdx/tdparams.h"

/* Single-step: closer than this to the entry is suspicious (7.4). */
#define STEP_RIP_DELTA	 32
#define STEP_TSC_DELTA	 4096
#define STEP_MAX	 32   /* instructions under the monitor trap */
#define STEP_INSN_CYCLES 2000 /* one VM exit each (guess) */

static void epf_reset(struct seam_epf *e)
{
	e->count = 0;
	e->nr = 0;
}

void seam_epf_exit(struct seam_vcpu *v)
{
	v->epf.last = false;
	if (v->rip != v->entry_rip)
		epf_reset(&v->epf);
}

void seam_epf_log(struct seam_vcpu *v, u64 gpa)
{
	struct seam_epf *e = &v->epf;
	u32 i;

	e->last = true;
	if (e->count < SEAM_EPF_THRESHOLD) {
		e->count++;
		return;
	}
	assert(e->nr <= SEAM_EPF_LIST);
	gpa &= RT_MASK(51, 12);
	for (i = 0; i < e->nr; i++)
		if (e->gpa[i] == gpa)
			return;
	if (e->nr < SEAM_EPF_LIST)
		e->gpa[e->nr++] = gpa;
}

/* Would an access to @gpa make a TD exit again? */
static bool epf_still_faults(const struct seam *s, const struct seam_td *td, u64 gpa)
{
	struct seam_pos p;
	u8 state;

	seam_sept_walk(s, td, 0, gpa, 0, &p);
	state = seam_sept_state(p.val);
	if (state != SEAM_SEPT_PENDING)
		return !(seam_sept_is_leaf(p.val) && (p.val & SEPT_RWX));
	if (s->f.zero_step_ve_pending_faults)
		return true;
	return td->td_ctls & SEAM_CTLS_PENDING_VE_DISABLE;
}

static u64 epf_refuse(struct seam_ctx *c, u64 gpa)
{
	*c->r = (struct seam_regs){.rcx = RT_BIT(1), .r8 = gpa};
	return SEAM_REASON_EPT_VIOLATION;
}

/*
 * The guest asked to be told (NOTIFY_ENABLES bit 0); what VE_INFO then holds is not recorded: an
 * EPT violation without address.
 */
static void epf_notify(struct seam_ctx *c)
{
	struct seam_vcpu *v = c->vcpu;

	if ((c->td->notify_enables & 1) && v->epf.last && !v->ve.valid)
		v->notify_due = true;
}

u64 seam_epf_filter(struct seam_ctx *c)
{
	struct seam_epf *e = &c->vcpu->epf;
	u64 st;
	u32 i;

	if (!e->nr)
		return 0;
	assert(e->nr <= SEAM_EPF_LIST && e->count >= SEAM_EPF_THRESHOLD);
	st = seam_take_tree(c, c->s->f.zero_step_tree_ex ? SEAM_EX : SEAM_SH, e->gpa[0]);
	if (st)
		return st;
	for (i = 0; i < e->nr; i++)
		if (epf_still_faults(c->s, c->td, e->gpa[i]))
			return epf_refuse(c, e->gpa[i]);
	epf_notify(c);
	return 0;
}

static bool step_suspicious(const struct seam *s, const struct seam_td *td,
			    const struct seam_vcpu *v)
{
	bool by_retired = s->f.single_step && !(td->attributes & SEAM_ATTR_PERFMON);

	if (by_retired)
		return v->retired <= 1;
	return v->rip - v->entry_rip <= STEP_RIP_DELTA &&
	       rt_cycles_now() - v->entry_tsc <= STEP_TSC_DELTA;
}

void seam_single_step_check(struct seam *s, struct seam_vcpu *v)
{
	const struct seam_td *td = seam_td_find(s, v->tdr);
	u64 seed[2] = {v->tdvpr, v->single_steps};
	u64 steps;

	assert(td && v->state == SEAM_VCPU_ACTIVE);
	if (!step_suspicious(s, td, v))
		return;
	/*
	 * The module draws a random number; a run must be repeatable, so it is a function of the
	 * VCPU's history.
	 */
	steps = 1 + XXH64(seed, sizeof(seed), 0) % STEP_MAX;
	v->single_steps += steps;
	rt_cycles(steps * STEP_INSN_CYCLES);
}
