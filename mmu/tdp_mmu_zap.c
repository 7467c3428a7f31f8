// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking mappings away: the leaves of a range, and whole roots at the end of a VM. Always under
 * write mmu_lock: a leaf can leave the S-EPT only while no vCPU may enter (R15). Tables stay when
 * leaves go; only the teardown removes them, when the key id is free and pages can be reclaimed.
 */
#include "mmu/tdp_mmu.h"

#include "mmu/kvm_policy.h"

/* Bytes of the leaf under the iterator that nobody asked to zap (B8). */
static u64 tdp_iter_overzap_bytes(const struct tdp_iter *iter, gfn_t start, gfn_t end)
{
	const gfn_t leaf_end = iter->gfn + KVM_PAGES_PER_HPAGE(iter->level);
	u64 pages = 0;

	if (iter->gfn < start)
		pages += start - iter->gfn;
	if (leaf_end > end)
		pages += leaf_end - end;
	return pages << PAGE_SHIFT;
}

/*
 * One leaf away. False: the module refused and the leaf is as before, which policy zap_error=return
 * allows where somebody can be told (R3).
 */
static bool tdp_mmu_zap_leaf(struct kvm *kvm, struct tdp_iter *iter, bool must_zap)
{
	if (!must_zap && is_mirror_sp(sptep_to_sp(rcu_dereference(iter->sptep))) &&
	    kvm_policy(KVM_POLICY_ZAP_ERROR) == KVM_ZAP_ERROR_RETURN)
		return !tdp_mmu_iter_try_zap(kvm, iter);
	tdp_mmu_iter_set_spte(kvm, iter, SHADOW_NONPRESENT_VALUE);
	return true;
}

/*
 * tdp_mmu_zap_leafs - every leaf that has a part in [start, end), also one that is larger than the
 * range. @range: says whether mmu_lock may be dropped on the way, and where a refusal goes. Returns
 * whether TLBs must be flushed; after a yield what was zapped before it has been flushed.
 */
static bool tdp_mmu_zap_leafs(struct kvm *kvm, struct kvm_mmu_page *root,
			      const struct kvm_gfn_range *range, bool flush)
{
	const gfn_t start = range->start, end = range->end;
	struct tdp_iter iter;

	lockdep_assert_held_write(&kvm->mmu_lock);

	rcu_read_lock();
	for_each_tdp_pte(iter, kvm, root, start, end) {
		if (range->may_block && tdp_mmu_iter_cond_resched(kvm, &iter, flush, false)) {
			flush = false;
			continue;
		}

		if (!is_shadow_present_pte(iter.old_spte) ||
		    !is_last_spte(iter.old_spte, iter.level))
			continue;

		if (!tdp_mmu_zap_leaf(kvm, &iter, range->must_zap)) {
			if (range->zap_error && !*range->zap_error)
				*range->zap_error = -EIO;
			continue;
		}
		if (is_mirror_sp(root))
			kvm_stat_add(KVM_STAT_OVERZAP_BYTES,
				     tdp_iter_overzap_bytes(&iter, start, end));

		/* No vCPU uses an invalid root. */
		if (!root->role.invalid)
			flush = true;
	}
	rcu_read_unlock();

	return flush;
}

bool kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range, bool flush)
{
	const enum kvm_tdp_mmu_root_types types =
		kvm_gfn_range_filter_to_root_types(kvm, range->attr_filter) | KVM_INVALID_ROOTS;
	struct kvm_mmu_page *root;

	for_each_tdp_mmu_root_yield_safe(kvm, root, types)
		flush = tdp_mmu_zap_leafs(kvm, root, range, flush);
	return flush;
}

/* Entries of level @zap_level and below, from the whole table. */
static void __tdp_mmu_zap_root(struct kvm *kvm, struct kvm_mmu_page *root, int zap_level)
{
	struct tdp_iter iter;

	for_each_tdp_pte_min_level_all(iter, root, zap_level) {
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, false))
			continue;
		if (!is_shadow_present_pte(iter.old_spte) || iter.level > zap_level)
			continue;
		tdp_mmu_iter_set_spte(kvm, &iter, SHADOW_NONPRESENT_VALUE);
	}
}

/*
 * Zap a root that nobody can use any more: leaves first, then level by level, so that no pass has
 * more than one table's worth of work between two chances to yield; the entries of the root itself
 * come last.
 */
static void tdp_mmu_zap_root(struct kvm *kvm, struct kvm_mmu_page *root)
{
	lockdep_assert_held_write(&kvm->mmu_lock);
	KVM_BUG_ON(!root->role.invalid && is_mirror_sp(root), kvm);

	rcu_read_lock();
	__tdp_mmu_zap_root(kvm, root, PG_LEVEL_4K);
	__tdp_mmu_zap_root(kvm, root, PG_LEVEL_2M);
	__tdp_mmu_zap_root(kvm, root, PG_LEVEL_1G);
	__tdp_mmu_zap_root(kvm, root, root->role.level);
	rcu_read_unlock();
}

void kvm_tdp_mmu_zap_invalidated_roots(struct kvm *kvm)
{
	struct kvm_mmu_page *root;

	write_lock(&kvm->mmu_lock);
	for_each_tdp_mmu_root_yield_safe(kvm, root, KVM_ALL_ROOTS) {
		if (!root->tdp_mmu_scheduled_root_to_zap)
			continue;
		root->tdp_mmu_scheduled_root_to_zap = false;
		KVM_BUG_ON(!root->role.invalid, kvm);

		tdp_mmu_zap_root(kvm, root);
		/* The TDP MMU's own reference; the loop still has one. */
		kvm_tdp_mmu_put_root(kvm, root);
	}
	write_unlock(&kvm->mmu_lock);
}

void kvm_mmu_uninit_tdp_mmu(struct kvm *kvm)
{
	kvm_tdp_mmu_invalidate_roots(kvm, KVM_VALID_ROOTS);
	kvm_tdp_mmu_zap_invalidated_roots(kvm);

	WARN_ON_ONCE(atomic64_read(&kvm->arch.tdp_mmu_pages));
	WARN_ON_ONCE(!list_empty(&kvm->arch.tdp_mmu_roots));

	/* Tables and roots are freed by callbacks that nobody may outlive. */
	rcu_barrier();
}
