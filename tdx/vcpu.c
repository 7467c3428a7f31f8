// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU objects: making, finding and freeing them, and their association with an LP (3.4).
 * Entering and leaving the guest is in tdx/enter.c and tdx/exit.c; the leaves that build a VCPU are
 * in tdx/leaf_vp.c.
 */
#include <assert.h>

#include "tdx/vcpu.h"

struct seam_vcpu *seam_vcpu_new(struct seam_td *td, u64 tdvpr)
{
	struct seam_vcpu *v = rt_zalloc(sizeof(*v));

	v->tdvpr = tdvpr;
	v->tdr = td->tdr;
	v->pages = 1;
	v->state = SEAM_VCPU_UNINIT;
	v->assoc = SEAM_LP_NONE;
	v->next = td->vcpus;
	td->vcpus = v;
	return v;
}

struct seam_vcpu *seam_vcpu_get(const struct seam *s, u64 tdvpr)
{
	struct seam_pamt_entry e;
	struct seam_vcpu *v;
	struct seam_td *td;

	if (!seam_pamt_peek(s, tdvpr, 0, &e) || e.type != SEAM_PT_TDVPR)
		return NULL;
	td = seam_td_find(s, seam_pamt_owner(&e));
	for (v = td ? td->vcpus : NULL; v; v = v->next)
		if (v->tdvpr == tdvpr)
			return v;
	return NULL;
}

void seam_vcpu_free(struct seam *s, struct seam_vcpu *v)
{
	struct seam_td *td = seam_td_find(s, v->tdr);
	struct seam_vcpu **link;
	u32 i;

	assert(td && !seam_vcpu_running(s, v));
	for (link = &td->vcpus; *link != v; link = &(*link)->next)
		assert(*link);
	*link = v->next;
	for (i = 0; i < s->cfg.lps; i++)
		if (s->lp[i].last_vcpu == v)
			s->lp[i].last_vcpu = NULL;
	seam_tlb_destroy(&v->tlb);
	rt_free(v);
}

void seam_invept(struct seam *s, struct seam_td *td, u32 lp)
{
	struct seam_vcpu *v;

	seam_cost(s, SEAM_COST_INVEPT, 1);
	/*
	 * INVEPT names the TD's tables, so a sibling that is associated with the same LP loses its
	 * translations too.
	 */
	for (v = td->vcpus; v; v = v->next)
		if (v->assoc == lp)
			seam_tlb_flush(&v->tlb);
}

u64 seam_vcpu_associate(struct seam_td *td, struct seam_vcpu *v, u32 lp)
{
	if (v->assoc == lp)
		return SEAM_SUCCESS;
	if (v->assoc != SEAM_LP_NONE)
		return SEAM_VCPU_ASSOCIATED;
	v->assoc = lp;
	v->flush_due = true;
	td->nr_assoc++;
	return SEAM_SUCCESS;
}

void seam_vcpu_dissociate(struct seam *s, struct seam_td *td, struct seam_vcpu *v)
{
	assert(v->assoc != SEAM_LP_NONE && td->nr_assoc > 0);
	assert(!seam_vcpu_running(s, v));
	seam_invept(s, td, v->assoc);
	v->assoc = SEAM_LP_NONE;
	td->nr_assoc--;
}

bool seam_vcpu_running(const struct seam *s, const struct seam_vcpu *v)
{
	return v->assoc != SEAM_LP_NONE && s->lp[v->assoc].in_guest == v;
}

u64 seam_vcpu_state_error(const struct seam *s, const struct seam_vcpu *v)
{
	return SEAM_VCPU_STATE_INCORRECT | (s->f.vcpu_state_in_details ? v->state : 0);
}

u32 seam_tdvps_pages(const struct seam_td *td)
{
	return SEAM_TDVPS_MIN + SEAM_TDVPS_PER_L2 * td->nr_l2;
}
