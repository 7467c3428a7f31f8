// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMM's ordinary memory behind slots (vm_attrs=on: shared pages live there, private ones in
 * guest_memfd). Only that it is there, page by page as it is touched: it is neither swapped nor
 * moved, so there are no MMU notifiers.
 */
#include <string.h>

#include <linux/kvm_host.h>

#include "mmu/memslots.h"
#include "sim/rt/phys.h"

/* Invariant of the VM's array: ascending by upn. */
struct kvm_user_page {
	u64 upn; /* userspace address >> 12 */
	kvm_pfn_t pfn;
};

static u32 find_user_page(const struct kvm *kvm, u64 upn)
{
	u32 lo = 0, hi = kvm->nr_user_pages;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (kvm->user_pages[mid].upn < upn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static kvm_pfn_t fault_in_user_page(struct kvm *kvm, u64 upn)
{
	const u32 at = find_user_page(kvm, upn);
	kvm_pfn_t pfn;

	if (at < kvm->nr_user_pages && kvm->user_pages[at].upn == upn)
		return kvm->user_pages[at].pfn;
	pfn = host_alloc_pfns(0);
	if (!pfn)
		return KVM_PFN_ERR_FAULT;
	rt_phys_fill(PFN_PHYS(pfn), 0, 0);
	if (kvm->nr_user_pages == kvm->cap_user_pages) {
		kvm->cap_user_pages = 2 * kvm->cap_user_pages + 8;
		kvm->user_pages =
			rt_realloc(kvm->user_pages, kvm->cap_user_pages * sizeof(*kvm->user_pages));
	}
	memmove(&kvm->user_pages[at + 1], &kvm->user_pages[at],
		(kvm->nr_user_pages - at) * sizeof(*kvm->user_pages));
	kvm->user_pages[at] = (struct kvm_user_page){.upn = upn, .pfn = pfn};
	kvm->nr_user_pages++;
	return pfn;
}

kvm_pfn_t __kvm_faultin_pfn(const struct kvm_memory_slot *slot, gfn_t gfn, unsigned int foll,
			    bool *writable, struct page **refcounted_page)
{
	if (writable)
		*writable = !(slot->flags & KVM_MEM_READONLY);
	*refcounted_page = NULL;
	if (!slot->userspace_addr)
		return KVM_PFN_ERR_FAULT;
	might_sleep();
	return fault_in_user_page(slot->kvm, PHYS_PFN(slot->userspace_addr) + gfn - slot->base_gfn);
}

bool kvm_find_user_page(const struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn,
			kvm_pfn_t *pfn)
{
	const u64 upn = PHYS_PFN(slot->userspace_addr) + gfn - slot->base_gfn;
	const u32 at = find_user_page(kvm, upn);

	if (at == kvm->nr_user_pages || kvm->user_pages[at].upn != upn)
		return false;
	*pfn = kvm->user_pages[at].pfn;
	return true;
}

void kvm_free_user_pages(struct kvm *kvm)
{
	u32 i;

	for (i = 0; i < kvm->nr_user_pages; i++)
		host_free_pfns(kvm->user_pages[i].pfn, 0);
	rt_free(kvm->user_pages);
}

static int user_pfn(struct kvm *kvm, gfn_t gfn, kvm_pfn_t *pfn)
{
	struct kvm_memory_slot *slot = gfn_to_memslot(kvm, gfn);
	struct page *page;

	if (!slot || kvm_mem_is_private(kvm, gfn))
		return -EFAULT;
	*pfn = __kvm_faultin_pfn(slot, gfn, 0, NULL, &page);
	return is_error_pfn(*pfn) ? -EFAULT : 0;
}

int kvm_vm_host_access(struct kvm *kvm, u64 gpa, bool write, u64 *val)
{
	kvm_pfn_t pfn;
	int idx, ret;

	if (kvm_policy(KVM_POLICY_VM_ATTRS) != KVM_VM_ATTRS_ON)
		return -EFAULT;
	idx = srcu_read_lock(&kvm->srcu);
	ret = user_pfn(kvm, gpa_to_gfn(gpa), &pfn);
	srcu_read_unlock(&kvm->srcu, idx);
	if (ret)
		return ret;
	gpa = PFN_PHYS(pfn) | (gpa & ~PAGE_MASK & ~7ULL);
	if (write)
		rt_phys_write(gpa, 0, *val);
	else
		rt_phys_read(gpa, 0, val);
	return 0;
}
