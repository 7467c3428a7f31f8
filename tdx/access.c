// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's load, store or fetch: translation by the VCPU's TLB or by a walk without locks, and the
 * module's answer to an EPT violation (tdx-module.md 7.3; recorded: access_states,
 * access_gpa_width, access_sept_ve_disable, ve_twice). What is kept in the TLB is tdx/tlb.c's,
 * counting faults for the zero-step defence tdx/epf.c's.
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "tdx/access.h"
#include "tdx/epf.h"
#include "tdx/tdparams.h"
#include "tdx/trace.h"

#define VECTOR_PF 14
#define INSN_LEN  4
/*
 * Exit qualification of an EPT violation as hardware gives it: linear address valid, access to the
 * translated address.
 */
#define QUAL_GLA_VALID RT_MASK(8, 7)

static u64 td_shared_bit(const struct seam_td *td)
{
	return td->config_flags & SEAM_CONFIG_GPAW ? RT_BIT(51) : RT_BIT(47);
}

/* Private translation by the tables, false with *@p at the entry that has none. */
static bool walk_private(const struct seam *s, const struct seam_td *td, u64 gpa,
			 struct seam_pos *p, struct seam_tlb_entry *e)
{
	u64 size;

	seam_sept_walk(s, td, 0, gpa & RT_MASK(51, 12), 0, p);
	if (!(p->val & SEPT_RWX) || !seam_sept_is_leaf(p->val))
		return false;
	size = SEAM_LEVEL_SIZE(p->level);
	*e = (struct seam_tlb_entry){
		.gpa = gpa & ~(size - 1),
		.hpa = seam_sept_hpa(s, p->val, p->level),
		.level = p->level,
		.writable = p->val & SEPT_W,
	};
	assert(!(e->hpa & (size - 1)));
	return true;
}

static bool walk_shared(const struct seam *s, const struct seam_td *td, u64 gpa,
			struct seam_tlb_entry *e)
{
	u64 page = gpa & RT_MASK(51, 12), hpa;
	bool writable;

	if (!s->shared_walk || !s->shared_walk(s->shared_ctx, td->tdr, page, &hpa, &writable))
		return false;
	*e = (struct seam_tlb_entry){.gpa = page, .hpa = hpa, .shared = true, .writable = writable};
	return true;
}

static bool walk_tables(const struct seam *s, const struct seam_td *td, u64 gpa, struct seam_pos *p,
			struct seam_tlb_entry *e)
{
	if (gpa & td_shared_bit(td))
		return walk_shared(s, td, gpa, e);
	return walk_private(s, td, gpa, p, e);
}

/*
 * The tables still translate @gpa as @e does. Another size with the same bytes behind it is no
 * staleness (DEMOTE, PROMOTE).
 */
static bool still_translates(const struct seam *s, const struct seam_td *td,
			     const struct seam_tlb_entry *e, u64 gpa, u32 *level)
{
	struct seam_tlb_entry now;
	struct seam_pos p;

	if (!walk_tables(s, td, gpa, &p, &now))
		return false;
	*level = now.level;
	return now.hpa + (gpa - now.gpa) == e->hpa + (gpa - e->gpa) &&
	       (!e->writable || now.writable);
}

bool seam_tlb_stale(const struct seam *s, const struct seam_td *td, const struct seam_tlb_entry *e)
{
	u64 gpa = e->gpa, end = e->gpa + SEAM_LEVEL_SIZE(e->level);
	u32 level = 0;

	for (; gpa < end; gpa += SEAM_LEVEL_SIZE(level))
		if (!still_translates(s, td, e, gpa, &level))
			return true;
	return false;
}

static u64 access_qual(const struct seam_access *a, u64 perms)
{
	return a->kind | perms << 3 | QUAL_GLA_VALID;
}

static enum seam_result access_exit(struct seam *s, u32 lp, const struct seam_access *a, u64 perms,
				    enum seam_exit_type type, struct seam_regs *exit)
{
	struct seam_vcpu *v = s->lp[lp].in_guest;
	/*
	 * The host learns the page, not the offset, and not whether a linear address was involved.
	 */
	const struct seam_td_exit x = {
		.reason = SEAM_REASON_EPT_VIOLATION,
		.qual = access_qual(a, perms) & ~RT_MASK(12, 7),
		.ext = type,
		.gpa = a->gpa & RT_MASK(51, 12),
		.kind = SEAM_EXIT_FAULT,
	};
	bool shared = a->gpa & td_shared_bit(seam_td_find(s, v->tdr));

	seam_epf_exit(v);
	if (!shared)
		seam_epf_log(v, a->gpa);
	seam_td_exit(s, lp, &x, exit);
	return SEAM_EXIT;
}

/*
 * A dead TD's VCPU leaves at its next VM exit, whatever that is about: the host gets hardware's
 * qualification as it is, and no address.
 */
static enum seam_result access_exit_dead(struct seam *s, u32 lp, const struct seam_access *a,
					 u64 perms, struct seam_regs *exit)
{
	const struct seam_td_exit x = {
		.status = SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
		.reason = SEAM_REASON_EPT_VIOLATION,
		.qual = access_qual(a, perms),
		.kind = SEAM_EXIT_FAULT,
	};

	seam_td_exit(s, lp, &x, exit);
	return SEAM_EXIT;
}

/*
 * Private EPT violation: PENDING is the guest's matter (#VE, or exit type 6 where it has disabled
 * that), the rest is the host's.
 */
static enum seam_result access_violation(struct seam *s, u32 lp, const struct seam_access *a,
					 const struct seam_pos *p, u32 flags,
					 struct seam_regs *exit, struct seam_fault *fault)
{
	struct seam_vcpu *v = s->lp[lp].in_guest;
	const struct seam_td *td = seam_td_find(s, v->tdr);
	u64 perms = p ? p->val & SEPT_RWX : 0;
	bool pending = p && seam_sept_state(p->val) == SEAM_SEPT_PENDING;
	const struct seam_ve_info ve = {
		.reason = SEAM_REASON_EPT_VIOLATION,
		.qual = access_qual(a, perms),
		.gla = a->gpa,
		.gpa = a->gpa,
		.insn_len = INSN_LEN,
	};

	if (td->fatal)
		return access_exit_dead(s, lp, a, perms, exit);
	if (!pending)
		return access_exit(s, lp, a, perms, SEAM_EXIT_NONE, exit);
	if (td->td_ctls & SEAM_CTLS_PENDING_VE_DISABLE)
		return access_exit(s, lp, a, perms, SEAM_EXIT_PENDING_EPT_VIOLATION, exit);
	return seam_inject_ve(v, &ve, flags, fault);
}

/*
 * Store or load the word around the address, with the key that the translation implies: the TD's,
 * or none for shared memory.
 */
static void access_data(const struct seam *s, const struct seam_td *td, struct seam_access *a,
			const struct seam_tlb_entry *e)
{
	u32 key = e->shared ? 0 : seam_key(s, td);
	u64 pa = a->hpa & ~7ULL, val = 0;
	struct rt_phys_info info = rt_phys_info(pa & ~(RT_PAGE_SIZE - 1));

	a->integrity = info.touched && info.key != key;
	if (!a->has_data)
		return;
	if (a->kind == SEAM_WRITE) {
		rt_phys_write(pa, key, a->data);
		return;
	}
	a->integrity |= !rt_phys_read(pa, key, &val);
	a->data = val;
}

/*
 * Hardware's translation: the TLB if it has one, else the tables, which fill it. NULL: EPT
 * violation at *@p.
 */
static const struct seam_tlb_entry *translate(struct seam *s, const struct seam_td *td,
					      struct seam_vcpu *v, struct seam_access *a,
					      struct seam_pos *p, struct seam_tlb_entry *walked)
{
	const struct seam_tlb_entry *hit = NULL;
	u32 level;

	a->stale = false;
	if (!s->cfg.no_tlb)
		hit = seam_tlb_lookup(&v->tlb, a->gpa);
	/*
	 * A translation without write permission is walked again, as hardware does before it
	 * faults.
	 */
	if (hit && (a->kind != SEAM_WRITE || hit->writable)) {
		a->stale = !still_translates(s, td, hit, a->gpa & RT_MASK(51, 12), &level);
		return hit;
	}
	if (!walk_tables(s, td, a->gpa, p, walked))
		return NULL;
	if (a->kind == SEAM_WRITE && !walked->writable)
		return NULL;
	if (!s->cfg.no_tlb)
		seam_tlb_fill(&v->tlb, walked);
	return walked;
}

/*
 * Wider than the GPA space: hardware's page walk faults in the guest (#PF), the module only
 * forwards it.
 */
static bool gpa_too_wide(const struct seam_td *td, u64 gpa)
{
	return gpa & ~(td_shared_bit(td) | (td_shared_bit(td) - 1));
}

enum seam_result seam_access(struct seam *s, u32 lp, struct seam_access *a, u32 flags,
			     struct seam_regs *exit, struct seam_fault *fault)
{
	struct seam_vcpu *v = s->lp[lp].in_guest;
	const struct seam_tlb_entry *e;
	const struct seam_td *td;
	struct seam_tlb_entry walked;
	struct seam_pos p;
	enum seam_result res;
	bool shared;

	s->cost_row = SEAM_ROW_NONE;
	if (!seam_guest_begin(s, lp, flags, 0, exit, fault, &res))
		return res;
	td = seam_td_find(s, v->tdr);
	if (gpa_too_wide(td, a->gpa) && !td->fatal) {
		*fault = (struct seam_fault){.vector = VECTOR_PF};
		return SEAM_INJECT;
	}
	shared = a->gpa & td_shared_bit(td);
	if (gpa_too_wide(td, a->gpa))
		return access_violation(s, lp, a, NULL, flags, exit, fault);
	e = translate(s, td, v, a, &p, &walked);
	if (!e)
		return access_violation(s, lp, a, shared ? NULL : &p, flags, exit, fault);
	assert(a->gpa - e->gpa < SEAM_LEVEL_SIZE(e->level));
	a->hpa = e->hpa + (a->gpa - e->gpa);
	a->level = e->level;
	rt_trace(&seam_ev_access, RT_PH_INSTANT, (u64)lp, a->gpa, a->kind == SEAM_WRITE, a->hpa,
		 (u64)a->level, a->stale ? 2ULL : e != &walked);
	access_data(s, td, a, e);
	seam_guest_retire(v);
	return SEAM_DONE;
}

void seam_set_shared_walk(struct seam *s,
			  bool (*walk)(void *ctx, u64 tdr, u64 gpa, u64 *hpa, bool *writable),
			  void *ctx)
{
	s->shared_walk = walk;
	s->shared_ctx = ctx;
}

void seam_shared_flush(struct seam *s, u64 tdr, u64 gpa, u64 size)
{
	struct seam_td *td = seam_td_find(s, tdr);
	struct seam_vcpu *v;

	s->cost_row = SEAM_ROW_NONE;
	seam_cost(s, SEAM_COST_INVEPT, 1);
	for (v = td ? td->vcpus : NULL; v; v = v->next)
		seam_tlb_drop_shared(&v->tlb, gpa, size);
}
