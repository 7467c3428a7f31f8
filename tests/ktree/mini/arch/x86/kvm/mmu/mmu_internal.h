/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table's page, and a fault on its way.
 */
#ifndef MINI_MMU_INTERNAL_H
#define MINI_MMU_INTERNAL_H

#include <linux/kvm_host.h>

typedef u64 *tdp_ptep_t;

struct kvm_mmu_page {
	struct list_head link;
	union kvm_mmu_page_role role;
	bool nx_huge_page_disallowed;
	bool tdp_mmu_scheduled_root_to_zap;
	gfn_t gfn;
	u64 *spt;
	refcount_t tdp_mmu_root_count;
	struct rcu_head rcu_head;
};

struct kvm_page_fault {
	const gpa_t addr;
	const u64 error_code;
	const bool prefetch, exec, write, present, user, is_tdp, is_private;
	u8 max_level, req_level, goal_level;
	gfn_t gfn;
	struct kvm_memory_slot *slot;
	kvm_pfn_t pfn;
	bool map_writable;
};

enum {
	RET_PF_CONTINUE = 0,
	RET_PF_RETRY,
	RET_PF_EMULATE,
	RET_PF_FIXED,
	RET_PF_SPURIOUS,
};

extern struct kmem_cache *mmu_page_header_cache;
void kvm_mmu_hugepage_adjust(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);

#endif
