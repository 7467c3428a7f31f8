// SPDX-License-Identifier: GPL-2.0-only
/*
 * Oracles over books: Dynamic PAMT counts, calls that KVM must not make, locks between actions, the
 * module's own conservation, and whether everything is back when the last TD is gone.
 */
#include <stdio.h>
#include <string.h>

#include "gmem/gmem.h"
#include "mmu/kvm_policy.h"
#include "sim/lab/oracle_int.h"
#include "sim/rt/lock.h"
#include "tdx/abi.h"
#include "tdx/features.h"

struct pamt_walk {
	struct lab_check *c;
	u64 block; /* 2M of host memory that is being counted */
	u64 count;
	u32 kept; /* ranges whose pair could not be removed, that were not met yet */
	bool held;
};

static void close_block(struct pamt_walk *w)
{
	u64 said;

	if (!w->count || !w->held)
		return;
	said = kvm_look_pamt_count(w->c->m->host, w->block << 9);
	/* sept_pamt=alloc counts S-EPT pages that still lie in caches, which no module knows. */
	if (w->c->m->su->kvm_policy[KVM_POLICY_SEPT_PAMT] == KVM_SEPT_PAMT_ALLOC && said > w->count)
		return;
	/* The count stays at one where the pair could not be removed (B24). */
	if (said == w->count + 1 && w->kept) {
		w->kept--;
		return;
	}
	if (said != w->count)
		w->held = lab_broken(
			w->c,
			"KVM counts %llu pages in the 2M of host memory at 0x%llx, the module has %llu",
			said, w->block << 21, w->count);
}

static bool count_page(void *ctx, u64 hpa, const struct seam_pamt_view *v)
{
	struct pamt_walk *w = ctx;

	/*
	 * Only pages at 4K need a pair; the spare GiB behind the host's memory is the scenario's
	 * own.
	 */
	if (v->level || v->type == SEAM_PT_RSVD || v->type == SEAM_PT_PAMT ||
	    hpa >= w->c->m->spare_pages)
		return true;
	if (hpa >> 21 != w->block) {
		close_block(w);
		w->block = hpa >> 21;
		w->count = 0;
	}
	w->count++;
	return w->held;
}

static bool pair_is_counted(void *ctx, u64 hpa, const struct seam_pair_view *v)
{
	struct pamt_walk *w = ctx;

	if (hpa < w->c->m->spare_pages && !kvm_look_pamt_count(w->c->m->host, hpa >> 12))
		w->held = lab_broken(
			w->c,
			"KVM counts no page in the 2M of host memory at 0x%llx, the module has a pair there",
			hpa);
	return w->held;
}

bool lab_check_pamt_count(struct lab_check *c)
{
	struct pamt_walk w = {.c = c, .kept = c->m->pamt_kept, .held = true};

	if (!c->m->su->dynamic_pamt)
		return true;
	seam_for_each_pamt(c->m->seam, count_page, &w);
	close_block(&w);
	if (w.held)
		seam_for_each_pair(c->m->seam, pair_is_counted, &w);
	return w.held;
}

/* Whether the line that an actor was doing was a SEAMCALL past KVM. */
static bool past_kvm(const struct lab_machine *m, const struct lab_rec *rec)
{
	return rec->op != LAB_NO_OP && lab_op(m, rec->op)->kind == LAB_OP_SEAMCALL;
}

bool lab_check_unblock(struct lab_check *c)
{
	/* Only the designs that take a refused removal, or a whole conversion, back make the call. */
	if (c->m->su->kvm_policy[KVM_POLICY_ZAP_ERROR] == KVM_ZAP_ERROR_RETURN)
		return true;
	for (u32 i = 0; i < c->m->su->nr_gmems; i++) {
		if (!strcmp(lab_gmem_policy(&c->m->su->gmem[i], "conv_order"), "BLOCK_ABORT"))
			return true;
	}
	for (u32 i = 0; i < c->m->nr_rec; i++) {
		const struct lab_rec *rec = &c->m->rec[i];

		if (rec->leaf == SEAM_TDH_MEM_RANGE_UNBLOCK && !past_kvm(c->m, rec))
			return lab_broken(c, "KVM called TDH.MEM.RANGE.UNBLOCK");
	}
	return true;
}

bool lab_check_demote(struct lab_check *c)
{
	if (seam_features(c->m->seam)->enh_demote)
		return true;
	for (u32 i = 0; i < c->m->nr_rec; i++) {
		const struct lab_rec *rec = &c->m->rec[i];

		if (rec->leaf == SEAM_TDH_MEM_PAGE_DEMOTE && !past_kvm(c->m, rec))
			return lab_broken(
				c,
				"KVM called TDH.MEM.PAGE.DEMOTE of a module without feature bit 51");
	}
	return true;
}

bool lab_check_locks(struct lab_check *c)
{
	char text[160];

	for (u32 i = 0; i < c->m->nr_actors; i++) {
		text[0] = 0;
		rt_locks_describe(i, text, sizeof(text));
		/* In KVM_RUN a vCPU holds its mutex, as it does in the kernel. */
		if (*text && !(c->m->actor[i].in_run && !strcmp(text, "mutex")))
			return lab_broken(c, "%s still holds %s", c->m->actor[i].name, text);
	}
	return true;
}

bool lab_check_module(struct lab_check *c)
{
	char why[300];

	why[0] = 0;
	if (!seam_check(c->m->seam, why, sizeof(why)))
		return lab_broken(c, "%s", why);
	return true;
}

static bool first_owned(void *ctx, u64 hpa, const struct seam_pamt_view *v)
{
	struct lab_check *c = ctx;

	if (v->type == SEAM_PT_RSVD || hpa >= c->m->spare_pages)
		return true;
	lab_broken(c, "the module still has host page 0x%llx (type %u) after the last TD", hpa,
		   v->type);
	return false;
}

bool lab_check_accounted(struct lab_check *c)
{
	u64 used = kvm_host_pages_used(c->m->host), lost = kvm_gmem_stat(GMEM_STAT_RETIRED);

	c->why[0] = 0;
	seam_for_each_pamt(c->m->seam, first_owned, c);
	if (c->why[0])
		return false;
	/* Poisoned pages never come back; pins that outlive their file do, when they end. */
	if (used != c->m->pages_before + lost + kvm_gmem_orphans())
		return lab_broken(
			c,
			"%llu host pages were in use before the first TD, and %llu after the last",
			c->m->pages_before, used - lost);
	return true;
}
