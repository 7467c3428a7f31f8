/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries, with the bits of the kernel's.
 */
#ifndef MINI_SPTE_H
#define MINI_SPTE_H

#include "mmu_internal.h"

#define SPTE_MMU_PRESENT_MASK	(1ULL << 11)
#define SPTE_BASE_ADDR_MASK	0xffffffffff000ULL
#define PT_PAGE_SIZE_MASK	(1ULL << 7)
#define VMX_EPT_IPAT_BIT	(1ULL << 6)
#define VMX_EPT_WRITABLE_MASK	2ULL
#define ACC_ALL			7
#define SHADOW_NONPRESENT_VALUE (1ULL << 63)
#define FROZEN_SPTE		(SHADOW_NONPRESENT_VALUE | 0x5a0ULL)
#define SPTE_ENT_PER_PAGE	512

extern u64 shadow_accessed_mask;

static inline bool is_frozen_spte(u64 spte)
{
	return spte == FROZEN_SPTE;
}

static inline bool is_shadow_present_pte(u64 spte)
{
	return spte & SPTE_MMU_PRESENT_MASK;
}

static inline bool is_large_pte(u64 spte)
{
	return spte & PT_PAGE_SIZE_MASK;
}

static inline bool is_last_spte(u64 spte, int level)
{
	return level == PG_LEVEL_4K || is_large_pte(spte);
}

static inline bool is_writable_pte(u64 spte)
{
	return spte & VMX_EPT_WRITABLE_MASK;
}

static inline kvm_pfn_t spte_to_pfn(u64 spte)
{
	return (spte & SPTE_BASE_ADDR_MASK) >> PAGE_SHIFT;
}

static inline struct kvm_mmu_page *to_shadow_page(hpa_t pa)
{
	return (struct kvm_mmu_page *)page_private(pfn_to_page(pa >> PAGE_SHIFT));
}

static inline struct kvm_mmu_page *spte_to_child_sp(u64 spte)
{
	return to_shadow_page(spte & SPTE_BASE_ADDR_MASK);
}

static inline struct kvm_mmu_page *root_to_sp(hpa_t root)
{
	return to_shadow_page(root);
}

u64 make_spte(struct kvm_vcpu *vcpu, int level, const struct kvm_page_fault *fault);
u64 make_small_spte(u64 huge, int level, int index);
u64 make_nonleaf_spte(u64 *child);

#endif
