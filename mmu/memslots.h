/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of memslots, attributes and the VMM's memory, for the files of mmu/ that make and destroy
 * VMs.
 */
#ifndef MMU_MEMSLOTS_H
#define MMU_MEMSLOTS_H

#include <linux/kvm_host.h>

/* No slots / free all that are left; nobody else may look any more. */
void kvm_init_memslots(struct kvm *kvm);
void kvm_free_memslots(struct kvm *kvm);

/* lpage_info of a new slot, counters for its edges and MIXED for its attributes. slots_lock. */
void kvm_alloc_lpage_info(struct kvm *kvm, struct kvm_memory_slot *slot);
void kvm_free_lpage_info(struct kvm_memory_slot *slot);

void kvm_free_user_pages(struct kvm *kvm);
/* The page of the VMM's own memory behind @gfn of the slot; false if nobody has touched it. */
bool kvm_find_user_page(const struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn,
			kvm_pfn_t *pfn);

#endif
