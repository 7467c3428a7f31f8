/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The x86 part of KVM's objects: page sizes, fault error codes, struct kvm_arch, kvm_vcpu_arch and
 * the memslot's lpage_info. The MMU's inner objects (struct kvm_mmu_page, struct kvm_page_fault)
 * are in mmu/mmu_internal.h.
 */
#ifndef _ASM_X86_KVM_HOST_H
#define _ASM_X86_KVM_HOST_H

#include <linux/kvm_types.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>

#define KVM_MAX_HUGEPAGE_LEVEL PG_LEVEL_1G
#define KVM_NR_PAGE_SIZES      (KVM_MAX_HUGEPAGE_LEVEL - PG_LEVEL_4K + 1)
#define KVM_HPAGE_GFN_SHIFT(l) (((l)-1) * 9)
#define KVM_HPAGE_SHIFT(l)     (PAGE_SHIFT + KVM_HPAGE_GFN_SHIFT(l))
#define KVM_HPAGE_SIZE(l)      (1ULL << KVM_HPAGE_SHIFT(l))
#define KVM_HPAGE_MASK(l)      (~(KVM_HPAGE_SIZE(l) - 1))
#define KVM_PAGES_PER_HPAGE(l) (1ULL << KVM_HPAGE_GFN_SHIFT(l))

#define PFERR_PRESENT_MASK     BIT_ULL(0)
#define PFERR_WRITE_MASK       BIT_ULL(1)
#define PFERR_USER_MASK	       BIT_ULL(2)
#define PFERR_FETCH_MASK       BIT_ULL(4)
#define PFERR_GUEST_FINAL_MASK BIT_ULL(32)
#define PFERR_PRIVATE_ACCESS   BIT_ULL(49) /* made by KVM: the fault is on private memory */

/*
 * disallow_lpage: bit 31 mixed attributes, bit 30 the guest accepted below this level, the rest is
 * a counter (spec 1).
 */
#define KVM_LPAGE_MIXED_FLAG	     BIT(31)
#define KVM_LPAGE_GUEST_INHIBIT_FLAG BIT(30)

struct kvm_lpage_info {
	u32 disallow_lpage; /* any non-zero word forbids the level */
};

struct kvm_arch_memory_slot {
	/* [level - 2][index], index = (gfn >> s) - (base_gfn >> s), s = 9 * (level - 1) */
	struct kvm_lpage_info *lpage_info[KVM_NR_PAGE_SIZES - 1];
};

struct kvm_mmu_root_info {
	hpa_t hpa; /* INVALID_PAGE: none */
};

struct kvm_mmu {
	struct kvm_mmu_root_info root; /* direct (shared) root */
	hpa_t mirror_root_hpa;
};

struct kvm_vcpu_arch {
	struct kvm_mmu *mmu;
	struct kvm_mmu root_mmu;
	struct kvm_mmu_memory_cache mmu_shadow_page_cache;
	struct kvm_mmu_memory_cache mmu_page_header_cache;
	struct kvm_mmu_memory_cache mmu_external_spt_cache;
	/*
	 * KVM_PRE_FAULT_MEMORY in its RFC v1 variant: the fault's max_level is capped at this;
	 * PG_LEVEL_NONE: no cap.
	 */
	u8 pre_fault_max_level;
	/* accept_info=vcpu: level of the accept that is being handled, PG_LEVEL_NONE: none. */
	u8 accept_level;
	gfn_t accept_gfn;
};

#define KVM_X86_TDX_VM 5

struct kvm_arch {
	unsigned long vm_type;		/* KVM_X86_TDX_VM: the only one */
	struct list_head tdp_mmu_roots; /* RCU list, changed under tdp_mmu_pages_lock */
	spinlock_t tdp_mmu_pages_lock;
	atomic64_t tdp_mmu_pages;
	gfn_t gfn_direct_bits; /* the shared bit as a gfn bit */
	bool pre_fault_allowed;
	bool has_private_mem;
	bool has_protected_state;
};

#endif
