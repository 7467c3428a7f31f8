// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle on calls that were BUSY (R23): KVM makes them once more, after it has kept all vCPUs
 * out. It watches calls as they are made; what a call does is not known here.
 */
#include "mmu/kvm_policy.h"
#include "mmu/kvm_vm.h"
#include "sim/lab/oracle_watch.h"
#include "sim/rt/lock.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

/* Calls under write mmu_lock, where BUSY can only be answered by a kick. */
static bool kicks_when_busy(u32 leaf)
{
	return leaf == SEAM_TDH_MEM_RANGE_BLOCK || leaf == SEAM_TDH_MEM_TRACK ||
	       leaf == SEAM_TDH_MEM_PAGE_REMOVE || leaf == SEAM_TDH_MEM_PAGE_DEMOTE;
}

/* All of it, so that worlds that differ in nothing else are the same world to a search. */
static void forget_busy(struct lab_actor *a)
{
	a->busy = a->busy_leaf = a->busy_op = 0;
}

void lab_retry_answer(struct lab_machine *m, u32 leaf, u64 rax)
{
	struct lab_actor *a = lab_actor_current(m);

	if (!a || !kicks_when_busy(leaf))
		return;
	if (seam_status(rax) != SEAM_OPERAND_BUSY) {
		forget_busy(a);
		return;
	}
	a->busy = a->busy_leaf == leaf ? a->busy + 1 : 1;
	a->busy_leaf = leaf;
	a->busy_op = a->doing;
}

static const struct lab_actor *vcpu_inside(const struct lab_machine *m, const struct lab_td *td)
{
	for (u32 i = 0; i < m->su->td[td->index].vcpus; i++) {
		const struct lab_actor *v = td->vcpu[i];
		struct seam_vcpu_view view;

		if (v->kvcpu && seam_look_vcpu(m->seam, kvm_tdvpr(v->kvcpu), &view) &&
		    view.in_guest)
			return v;
	}
	return NULL;
}

/* The TD whose mmu_lock the caller holds for write; it may be another one's file that it closes. */
static const struct lab_td *td_in_hand(const struct lab_machine *m)
{
	for (u32 t = 0; t < m->su->nr_tds; t++) {
		if (m->td[t].kvm && kvm_mmu_write_locked(m->td[t].kvm))
			return &m->td[t];
	}
	return NULL;
}

void lab_retry_call(struct lab_machine *m, u32 leaf)
{
	struct lab_actor *a = lab_actor_current(m);
	const struct lab_actor *inside;
	const struct lab_td *td;

	if (!a || !a->busy)
		return;
	/* Anything else in between: it was given up, and this is another try. */
	if (a->busy_leaf != leaf || a->busy_op != a->doing) {
		forget_busy(a);
		return;
	}
	/* Past KVM, or with a VM that the second BUSY has ended, or where BUSY may be returned. */
	td = td_in_hand(m);
	if (!td || td->tainted || kvm_is_bugged(td->kvm))
		return;
	/* A zap that may fail gave up behind the second one, and whoever asked for it asks again. */
	if (a->busy > 1 && m->su->kvm_policy[KVM_POLICY_ZAP_ERROR] == KVM_ZAP_ERROR_RETURN) {
		forget_busy(a);
		return;
	}
	inside = vcpu_inside(m, td);
	if (a->busy > 1)
		rt_report("retry-alone", "%s calls %s again, which was BUSY %u times", a->name,
			  seam_leaf_name(leaf), a->busy);
	else if (inside)
		rt_report("retry-alone",
			  "%s calls %s again, which was BUSY, and %s is in the guest", a->name,
			  seam_leaf_name(leaf), inside->name);
	else if (!kvm_look_wait_for_sept_zap(td->kvm))
		rt_report("retry-alone", "%s calls %s again, which was BUSY, and vCPUs can enter",
			  a->name, seam_leaf_name(leaf));
}
