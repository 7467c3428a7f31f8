// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making SPTEs: leaves, the small ones that replace a large one, links to tables.
 * Pure functions of their arguments; which table an SPTE goes into, and when, is not decided here.
 * From an SPTE to the page that describes its table leads to_shadow_page() of mmu_internal.h.
 */
#include "mmu/spte.h"

#define SPTE_HOST_WRITABLE BIT_ULL(57)
#define SPTE_MMU_WRITABLE  BIT_ULL(58)

struct kvm_mmu_page *spte_to_child_sp(u64 spte)
{
	return to_shadow_page(spte & SPTE_BASE_ADDR_MASK);
}

struct kvm_mmu_page *sptep_to_sp(const u64 *sptep)
{
	return to_shadow_page(__pa(sptep));
}

struct kvm_mmu_page *root_to_sp(hpa_t root)
{
	return root == INVALID_PAGE ? NULL : to_shadow_page(root);
}

u64 *spte_to_child_pt(u64 spte, int level)
{
	if (!is_shadow_present_pte(spte) || is_last_spte(spte, level))
		return NULL;
	return __va(spte & SPTE_BASE_ADDR_MASK);
}

u64 make_spte(struct kvm_mmu_page *sp, unsigned int pte_access, kvm_pfn_t pfn, bool prefetch,
	      bool host_writable)
{
	u64 spte = SPTE_MMU_PRESENT_MASK | VMX_EPT_READABLE_MASK | VMX_EPT_MT_WB | VMX_EPT_IPAT_BIT;

	WARN_ON_ONCE(pfn & ~(SPTE_BASE_ADDR_MASK >> PAGE_SHIFT));
	/* A large leaf has no bits for the low part of an unaligned frame. */
	WARN_ON_ONCE(pfn & (KVM_PAGES_PER_HPAGE(sp->role.level) - 1));

	spte |= pfn_to_hpa(pfn);
	if (sp->role.level > PG_LEVEL_4K)
		spte |= PT_PAGE_SIZE_MASK;
	/*
	 * What was only prefetched has not been accessed; both bits mean nothing in a mirror SPTE
	 * (kvm-port.md 1).
	 */
	if (!prefetch)
		spte |= VMX_EPT_ACCESS_BIT;
	if (pte_access & ACC_EXEC_MASK)
		spte |= VMX_EPT_EXECUTABLE_MASK;
	if (host_writable)
		spte |= SPTE_HOST_WRITABLE;
	if ((pte_access & ACC_WRITE_MASK) && host_writable)
		spte |= VMX_EPT_WRITABLE_MASK | SPTE_MMU_WRITABLE | VMX_EPT_DIRTY_BIT;
	return spte;
}

u64 make_small_spte(struct kvm *kvm, u64 huge_spte, union kvm_mmu_page_role role, int index)
{
	u64 child_spte = huge_spte;

	KVM_BUG_ON(!is_shadow_present_pte(huge_spte) || !is_large_pte(huge_spte), kvm);

	/*
	 * The attributes carry over; the address moves on by the index, and a 4K leaf has no PS
	 * bit.
	 */
	child_spte |= ((u64)index * KVM_PAGES_PER_HPAGE(role.level)) << PAGE_SHIFT;
	if (role.level == PG_LEVEL_4K)
		child_spte &= ~PT_PAGE_SIZE_MASK;
	return child_spte;
}

u64 make_nonleaf_spte(u64 *child_pt, bool ad_disabled)
{
	u64 spte = SPTE_MMU_PRESENT_MASK | VMX_EPT_RWX_MASK | __pa(child_pt);

	if (!ad_disabled)
		spte |= VMX_EPT_ACCESS_BIT;
	return spte;
}
