// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fault's walk: down from the root to the goal level, linking tables on the way, and the leaf
 * at its end. Everything here runs under read mmu_lock, beside other faults; it only adds, it never
 * takes away. What pfn and which level is decided in mmu.c and mmu_level.c.
 */
#include "mmu/tdp_mmu.h"

/* The iterator is at the goal level: install the leaf, or find that somebody did. */
static int tdp_mmu_map_handle_target_level(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault,
					   struct tdp_iter *iter)
{
	struct kvm_mmu_page *sp = sptep_to_sp(rcu_dereference(iter->sptep));
	const bool was_present = is_shadow_present_pte(iter->old_spte);
	const bool was_leaf = was_present && is_last_spte(iter->old_spte, iter->level);
	u64 new_spte;

	if (WARN_ON_ONCE(sp->role.level != fault->goal_level))
		return RET_PF_RETRY;

	if (was_leaf && (fault->prefetch || is_access_allowed(fault, iter->old_spte))) {
		WARN_ON_ONCE(fault->pfn != spte_to_pfn(iter->old_spte));
		return RET_PF_SPURIOUS;
	}

	new_spte = make_spte(sp, ACC_ALL, fault->pfn, fault->prefetch, fault->map_writable);
	if (new_spte == iter->old_spte)
		return RET_PF_SPURIOUS;

	/*
	 * Lost a race, or the module is busy, or the VM has just died: whoever loops looks at all
	 * of it anew (R26).
	 */
	if (tdp_mmu_set_spte_atomic(vcpu->kvm, iter, new_spte))
		return RET_PF_RETRY;

	/*
	 * A table was replaced: its small translations may still be cached. Only in the direct
	 * table (R5).
	 */
	if (was_present && !was_leaf)
		kvm_flush_remote_tlbs(vcpu->kvm);
	return RET_PF_FIXED;
}

/*
 * Nothing, or a leaf that is too large, where a table is needed: 0 when the walk can go on below.
 */
static int tdp_mmu_map_link_or_split(struct kvm_vcpu *vcpu, struct tdp_iter *iter, bool mirror)
{
	struct kvm_mmu_page *sp = tdp_mmu_alloc_sp(vcpu);
	int r;

	if (mirror)
		sp->external_spt = kvm_mmu_memory_cache_alloc(&vcpu->arch.mmu_external_spt_cache);
	tdp_mmu_init_child_sp(sp, iter);

	/*
	 * A mirror leaf can't be split here: the module would have to wait for vCPUs. The TDX side
	 * refuses it (R15), unless the module can split without (shared_split=nonblocking).
	 */
	if (is_shadow_present_pte(iter->old_spte))
		r = tdp_mmu_split_huge_page(vcpu->kvm, iter, sp, true);
	else
		r = tdp_mmu_link_sp(vcpu->kvm, iter, sp, true);
	if (r)
		tdp_mmu_free_sp(sp);
	return r;
}

int kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm_mmu_page *root = tdp_mmu_get_root_for_fault(vcpu, fault);
	struct kvm *kvm = vcpu->kvm;
	const bool mirror = is_mirror_sp(root);
	struct tdp_iter iter;
	int ret = RET_PF_RETRY;

	lockdep_assert_held_read(&kvm->mmu_lock);

	kvm_mmu_hugepage_adjust(vcpu, fault);

	rcu_read_lock();
	for_each_tdp_pte(iter, kvm, root, fault->gfn, fault->gfn + 1) {
		if (fault->nx_huge_page_workaround_enabled || mirror)
			disallowed_hugepage_adjust(fault, iter.old_spte, iter.level);

		/*
		 * Somebody else is at this entry. To wait for it here would be to spin on the
		 * module under mmu_lock.
		 */
		if (is_frozen_spte(iter.old_spte))
			goto out;

		if (iter.level == fault->goal_level) {
			ret = tdp_mmu_map_handle_target_level(vcpu, fault, &iter);
			goto out;
		}

		if (is_shadow_present_pte(iter.old_spte) && !is_large_pte(iter.old_spte))
			continue;

		/*
		 * A prefetch that asks for 4K (RFC v1's pre-fault) over a larger leaf: the memory
		 * is mapped, which is all that a prefetch wants (B48). Ours; without it the refused
		 * split would be retried until a signal.
		 */
		if (mirror && fault->prefetch && is_shadow_present_pte(iter.old_spte)) {
			ret = RET_PF_SPURIOUS;
			goto out;
		}

		/*
		 * Mapped by a vCPU that does not know what this one's guest accepts: the next exit
		 * splits it under write lock (accept_info=vcpu, B35).
		 */
		if (mirror && is_shadow_present_pte(iter.old_spte) &&
		    vcpu->arch.accept_level != PG_LEVEL_NONE && !kvm->host->non_blocking_resize)
			goto out;

		if (tdp_mmu_map_link_or_split(vcpu, &iter, mirror))
			goto out;
	}
	/*
	 * The walk ends at the goal level at the latest, unless a table appeared there (mirror:
	 * goal is lowered then).
	 */
	WARN_ON_ONCE(iter.level == fault->goal_level);
out:
	rcu_read_unlock();
	return ret;
}
