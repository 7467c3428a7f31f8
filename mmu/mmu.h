/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MMU as the rest of KVM sees it: life of its state, faults, zapping of slots.
 * Implemented in mmu/mmu.c and mmu/tdp_mmu.c; its inner objects are in mmu/mmu_internal.h.
 */
#ifndef MMU_MMU_H
#define MMU_MMU_H

#include <linux/kvm_host.h>

/*
 * Roots list and locks of a new VM / after the last vCPU is gone and the key is released: zap all,
 * wait for RCU.
 */
int kvm_mmu_init_vm(struct kvm *kvm);
void kvm_mmu_uninit_vm(struct kvm *kvm);
/* Caches and roots of a vCPU. */
int kvm_mmu_create(struct kvm_vcpu *vcpu);
void kvm_mmu_destroy(struct kvm_vcpu *vcpu);
/*
 * Get roots if the vCPU has none (before each entry, before a fault from outside KVM_RUN): 0 or
 * -ENOMEM. Takes mmu_lock.
 */
int kvm_mmu_reload(struct kvm_vcpu *vcpu);
/* KVM_REQ_MMU_FREE_OBSOLETE_ROOTS / give up both roots. */
void kvm_mmu_free_obsolete_roots(struct kvm_vcpu *vcpu);
void kvm_mmu_unload(struct kvm_vcpu *vcpu);

/*
 * kvm_mmu_page_fault - EPT violation at @gpa (with the shared bit); PFERR_* in @error_code.
 * RET_PF_RETRY and the other positive results of spec 1 for the caller's local loop, 0 for a
 * userspace exit that was prepared, negative errno. srcu held.
 */
int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code);
/*
 * One pre-fault of the page at @gpa, repeated while RETRY as spec 2.3 "Prefault" says; *@level:
 * that of the mapping. srcu held.
 */
int kvm_tdp_map_page(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code, u8 *level);
/*
 * Initial memory: map @pfn at 4K, slots_lock and invalidate lock held. 0, -EINTR, -EIO, -ENOMEM ...
 */
int kvm_tdp_mmu_map_private_pfn(struct kvm_vcpu *vcpu, gfn_t gfn, kvm_pfn_t pfn);
/*
 * Around the store of KVM_SET_MEMORY_ATTRIBUTES; slots_lock and write mmu_lock held (kvm-port.md
 * 2.10). pre: widens the running invalidation to the huge pages at the ends, splits (to shared) and
 * zaps; < 0 error, 1 flush, 0. post: recomputes MIXED from the attributes as they are, so it is also
 * right after a failed pre (B66).
 */
int kvm_arch_pre_set_memory_attributes(struct kvm *kvm, struct kvm_gfn_range *range);
int kvm_arch_post_set_memory_attributes(struct kvm *kvm, struct kvm_gfn_range *range);

/*
 * For seam_set_shared_walk(): @ctx is the struct kvm_host; walks the TD's direct table as hardware
 * does, without a lock.
 */
bool kvm_mmu_shared_walk(void *ctx, u64 tdr, u64 gpa, u64 *hpa, bool *writable);

/* Zap a slot that is being deleted: takes mmu_lock for write; slots_lock held. */
void kvm_mmu_zap_memslot(struct kvm *kvm, struct kvm_memory_slot *slot);

#endif
