// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making entries.
 */
#include "mmu.h"
#include "spte.h"

u64 shadow_accessed_mask;

void kvm_mmu_set_ept_masks(bool has_ad_bits, bool has_exec_only)
{
	shadow_accessed_mask = has_ad_bits ? 1ULL << 8 : 0;
}

u64 make_spte(struct kvm_vcpu *vcpu, int level, const struct kvm_page_fault *fault)
{
	u64 spte = SPTE_MMU_PRESENT_MASK | 5 | (fault->pfn << PAGE_SHIFT);

	spte |= __SCT__kvm_x86_get_mt_mask(vcpu, fault->gfn, false);
	if (fault->map_writable)
		spte |= VMX_EPT_WRITABLE_MASK;
	if (level > PG_LEVEL_4K)
		spte |= PT_PAGE_SIZE_MASK;
	return fault->prefetch ? spte : spte | shadow_accessed_mask;
}

u64 make_small_spte(u64 huge, int level, int index)
{
	huge |= (index * KVM_PAGES_PER_HPAGE(level)) << PAGE_SHIFT;
	return level == PG_LEVEL_4K ? huge & ~PT_PAGE_SIZE_MASK : huge;
}

u64 make_nonleaf_spte(u64 *child)
{
	return SPTE_MMU_PRESENT_MASK | 7 | shadow_accessed_mask | __pa(child);
}
