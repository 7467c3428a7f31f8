// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of frames on their way to the module, as the parties of the dispute want them. What a
 * wrapper answers after a failed check is policy sw_error (virt_tdx.c).
 */
#include <linux/kvm_host.h>

#include "gmem/gmem.h"
#include "mmu/tdx_check.h"

/* In a TDMR: here the whole of the host's page allocator is. */
static bool tdx_is_convertible_pfn(kvm_pfn_t pfn)
{
	return pfn_valid(pfn);
}

/* page_folio(): where it begins and how large it is; a page by itself if it is not guest_memfd's. */
static void folio_of(kvm_pfn_t pfn, u64 *head, u64 *npages)
{
	int order = 0;

	if (!kvm_gmem_page_folio(pfn, head, &order))
		*head = pfn;
	*npages = 1ULL << order;
}

static bool inside_one_folio(kvm_pfn_t pfn, u64 npages)
{
	u64 head, folio;

	folio_of(pfn, &head, &folio);
	return pfn + npages <= head + folio;
}

static bool gmem_owns(kvm_pfn_t pfn, u64 npages)
{
	const kvm_pfn_t end = pfn + npages;
	u64 head;
	int order;

	for (; pfn < end; pfn = head + (1ULL << order)) {
		if (!kvm_gmem_page_folio(pfn, &head, &order))
			return false;
	}
	return true;
}

static bool all_convertible(kvm_pfn_t pfn, u64 npages)
{
	return tdx_is_convertible_pfn(pfn) && tdx_is_convertible_pfn(pfn + npages - 1);
}

bool tdx_check_map(kvm_pfn_t pfn, enum pg_level level)
{
	const u64 npages = KVM_PAGES_PER_HPAGE(level);

	switch (kvm_policy(KVM_POLICY_CHECK_AT)) {
	case KVM_CHECK_AT_GLUE:
		KVM_MMU_WARN_ON(!all_convertible(pfn, npages));
		return true;
	case KVM_CHECK_AT_GMEM:
		KVM_MMU_WARN_ON(!gmem_owns(pfn, npages));
		return true;
	case KVM_CHECK_AT_TYPED:
		return IS_ALIGNED(pfn, npages) && all_convertible(pfn, npages);
	default:
		return true;
	}
}

bool tdx_check_operand(kvm_pfn_t pfn, enum pg_level level)
{
	const u64 npages = KVM_PAGES_PER_HPAGE(level);

	switch (kvm_policy(KVM_POLICY_CHECK_AT)) {
	case KVM_CHECK_AT_MODULE:
	case KVM_CHECK_AT_TYPED:
		return true;
	case KVM_CHECK_AT_WRAPPER:
		return IS_ALIGNED(pfn, npages) && inside_one_folio(pfn, npages);
	case KVM_CHECK_AT_PAGE_NR:
		return all_convertible(pfn, npages);
	default:
		return IS_ALIGNED(pfn, npages);
	}
}
