// SPDX-License-Identifier: GPL-2.0-only
/*
 * How large a mapping may be: lpage_info, what guest_memfd says, what TDX allows, what tables are
 * there already; and what a change of the VM's attributes does to levels, while it runs and after.
 * The GUEST_INHIBIT flag is set by the accept handling (tdx_ept.c); the counters belong to the
 * memslot code.
 */
#include "mmu/mmu.h"

#include "mmu/kvm_policy.h"
#include "mmu/tdp_mmu.h"

/* What guest_memfd and the TD allow for its pages; the order comes with the page in a fault. */
static int kvm_gmem_max_mapping_level(struct kvm *kvm, const struct kvm_page_fault *fault)
{
	int max_level = fault->max_level;
	int coco_level;

	if (max_level == PG_LEVEL_4K)
		return PG_LEVEL_4K;

	/* 0 is "no limit of mine", not a level (B51). */
	coco_level = kvm_x86_call(gmem_max_mapping_level)(kvm, fault->pfn, fault->is_private);
	if (coco_level)
		max_level = min(max_level, coco_level);
	return max_level;
}

int kvm_mmu_max_mapping_level(struct kvm *kvm, struct kvm_page_fault *fault,
			      const struct kvm_memory_slot *slot, gfn_t gfn)
{
	int max_level = min_t(int, fault->max_level, KVM_MAX_HUGEPAGE_LEVEL);

	/*
	 * Read under the lock that maps: whoever forbids a level does it under write lock and
	 * splits first (R9, R12).
	 */
	lockdep_assert_held(&kvm->mmu_lock);

	while (max_level > PG_LEVEL_4K && lpage_info_slot(gfn, slot, max_level)->disallow_lpage)
		max_level--;
	if (max_level == PG_LEVEL_4K)
		return PG_LEVEL_4K;

	return min(max_level, kvm_gmem_max_mapping_level(kvm, fault));
}

void kvm_mmu_hugepage_adjust(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	kvm_pfn_t mask;

	fault->huge_page_disallowed = fault->exec && fault->nx_huge_page_workaround_enabled;

	if (fault->max_level == PG_LEVEL_4K)
		return;

	fault->req_level = kvm_mmu_max_mapping_level(vcpu->kvm, fault, fault->slot, fault->gfn);
	if (fault->req_level == PG_LEVEL_4K || fault->huge_page_disallowed)
		return;

	fault->goal_level = fault->req_level;
	mask = KVM_PAGES_PER_HPAGE(fault->goal_level) - 1;
	VM_BUG_ON((fault->gfn & mask) != (fault->pfn & mask));
	fault->pfn &= ~mask;
}

void disallowed_hugepage_adjust(struct kvm_page_fault *fault, u64 spte, int cur_level)
{
	u64 page_mask;

	if (cur_level == PG_LEVEL_4K || cur_level != fault->goal_level ||
	    !is_shadow_present_pte(spte) || is_large_pte(spte))
		return;
	if (!spte_to_child_sp(spte)->nx_huge_page_disallowed &&
	    !is_mirror_sp(spte_to_child_sp(spte)))
		return;

	/*
	 * A table stands where the leaf would go, and must stay: its 4K pages may be accepted, and
	 * the module promotes only what is uniform (B49). Go one level down, with the part of the
	 * frame that the larger level had masked.
	 */
	page_mask = KVM_PAGES_PER_HPAGE(cur_level) - KVM_PAGES_PER_HPAGE(cur_level - 1);
	fault->pfn |= fault->gfn & page_mask;
	fault->goal_level--;
}

/* --- MIXED -------------------------------------------------------------- */

static void hugepage_set_mixed(const struct kvm_memory_slot *slot, gfn_t gfn, int level, bool mixed)
{
	struct kvm_lpage_info *info = lpage_info_slot(gfn, slot, level);

	if (mixed)
		info->disallow_lpage |= KVM_LPAGE_MIXED_FLAG;
	else
		info->disallow_lpage &= ~(u32)KVM_LPAGE_MIXED_FLAG;
}

/*
 * Only a huge page that lies wholly in the slot has attributes of its own, and for the others the
 * counter forbids it (B52).
 */
static bool hugepage_in_slot(const struct kvm_memory_slot *slot, gfn_t gfn, int level)
{
	return gfn >= slot->base_gfn &&
	       gfn + KVM_PAGES_PER_HPAGE(level) <= slot->base_gfn + slot->npages;
}

/*
 * A fault is stale by its gfn alone, so a neighbour of the range could still install a huge page over
 * an end of it, by attributes that are about to change (B53): while the change runs, faults on all of
 * such a huge page wait. What is mixed already cannot become one.
 */
static void invalidate_hugepage(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn,
				int level)
{
	if (hugepage_in_slot(slot, gfn, level) &&
	    !(lpage_info_slot(gfn, slot, level)->disallow_lpage & KVM_LPAGE_MIXED_FLAG))
		kvm_mmu_invalidate_range_add(kvm, gfn, gfn + KVM_PAGES_PER_HPAGE(level));
}

int kvm_arch_pre_set_memory_attributes(struct kvm *kvm, struct kvm_gfn_range *range)
{
	const bool to_private = range->arg.attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE;
	const struct kvm_memory_slot *slot = range->slot;
	int level, r, zap_error = 0;
	bool flush;

	lockdep_assert_held_write(&kvm->mmu_lock);
	lockdep_assert_held(&kvm->slots_lock);

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		const gfn_t pages = KVM_PAGES_PER_HPAGE(level);
		const gfn_t head = gfn_round_for_level(range->start, level);
		const gfn_t tail = gfn_round_for_level(range->end - 1, level);

		if (head != range->start || head + pages > range->end)
			invalidate_hugepage(kvm, slot, head, level);
		if (tail != head && tail + pages > range->end)
			invalidate_hugepage(kvm, slot, tail, level);
	}

	/* Pages of the new kind can't be mapped yet; those of the old kind must go. */
	range->attr_filter = to_private ? KVM_FILTER_SHARED : KVM_FILTER_PRIVATE;
	if (!to_private) {
		r = kvm_split_cross_boundary_leafs(kvm, range, false);
		if (r)
			return r;
	}
	range->zap_error = &zap_error;
	flush = kvm_mmu_unmap_gfn_range(kvm, range);
	/* What went before the error is gone from the tables: flush it here, the caller won't. */
	if (zap_error && flush)
		kvm_flush_remote_tlbs(kvm);
	return zap_error ? zap_error : flush;
}

/* All of it has the attribute of its first page. */
static bool hugepage_is_uniform(struct kvm *kvm, gfn_t gfn, int level)
{
	const u64 attrs = kvm_mem_is_private(kvm, gfn) ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;

	return kvm_range_has_memory_attributes(kvm, gfn, gfn + KVM_PAGES_PER_HPAGE(level),
					       KVM_MEMORY_ATTRIBUTE_PRIVATE, attrs);
}

int kvm_arch_post_set_memory_attributes(struct kvm *kvm, struct kvm_gfn_range *range)
{
	const struct kvm_memory_slot *slot = range->slot;
	int level;
	gfn_t gfn;

	lockdep_assert_held_write(&kvm->mmu_lock);
	lockdep_assert_held(&kvm->slots_lock);

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		for (gfn = gfn_round_for_level(range->start, level); gfn < range->end;
		     gfn += KVM_PAGES_PER_HPAGE(level)) {
			if (hugepage_in_slot(slot, gfn, level))
				hugepage_set_mixed(slot, gfn, level,
						   !hugepage_is_uniform(kvm, gfn, level));
		}
	}
	return 0;
}
