/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which function each vendor operation is: TDX is the only vendor here, so kvm_x86_call(op) is
 * resolved when it is compiled.
 */
#ifndef _ASM_KVM_X86_OPS_H
#define _ASM_KVM_X86_OPS_H

#include <linux/kvm_types.h>

struct kvm;
struct kvm_vcpu;
struct kvm_mmu_page;

#define kvm_x86_call(op)		  kvm_x86_op_##op
#define kvm_x86_op_set_external_spte	  tdx_sept_set_private_spte
#define kvm_x86_op_reclaim_external_sp	  tdx_sept_reclaim_private_sp
#define kvm_x86_op_alloc_external_sp	  tdx_sept_alloc_private_sp
#define kvm_x86_op_free_external_sp	  tdx_sept_free_private_sp
#define kvm_x86_op_topup_external_cache	  tdx_topup_external_pamt_cache
#define kvm_x86_op_topup_split_cache	  tdx_topup_split_cache
#define kvm_x86_op_free_split_cache	  tdx_free_split_cache
#define kvm_x86_op_need_topup_split_cache tdx_need_topup_split_cache
#define kvm_x86_op_split_lock		  tdx_split_lock
#define kvm_x86_op_split_unlock		  tdx_split_unlock
#define kvm_x86_op_gmem_convert		  tdx_gmem_convert
#define kvm_x86_op_gmem_max_mapping_level tdx_gmem_max_mapping_level

/* mmu/tdx_sept.c; contracts in spec 2 (table) and 2.7. */
int tdx_sept_set_private_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte,
			      enum pg_level level);
void tdx_sept_reclaim_private_sp(struct kvm *kvm, gfn_t gfn, struct kvm_mmu_page *sp);
/*
 * A page to become an S-EPT page, and back if it never did; NULL without memory. Sleeps.
 */
void *tdx_sept_alloc_private_sp(void);
void tdx_sept_free_private_sp(void *external_spt);
/* The vCPU's cache, for the tables of one fault. Sleeps; 0 or -ENOMEM. */
int tdx_topup_external_pamt_cache(struct kvm *kvm, struct kvm_vcpu *vcpu, int min_nr_spts);
/*
 * What a split that links @sp will draw: into the cache that policy split_cache names (mutex, and
 * no vCPU runs on this thread: pamt_cache_lock held; vcpu: into @sp itself). Sleeps; 0 or -errno.
 * tdx_free_split_cache() frees what is left with @sp.
 */
int tdx_topup_split_cache(struct kvm *kvm, struct kvm_mmu_page *sp);
void tdx_free_split_cache(struct kvm_mmu_page *sp);
/*
 * Whether a split of @level that links @sp finds too little in the cache that it will draw from: one
 * that others may drain, v3's per-VM cache. mmu_lock; under read lock the answer is old at once, and
 * the split looks again.
 */
bool tdx_need_topup_split_cache(struct kvm *kvm, struct kvm_mmu_page *sp, enum pg_level level);
/* mmu_lock for write, and outside of it what keeps the split cache for its owner (split_cache=mutex). */
void tdx_split_lock(struct kvm *kvm);
void tdx_split_unlock(struct kvm *kvm);
int tdx_gmem_convert(struct kvm *kvm, gfn_t start, gfn_t end, bool to_private);
int tdx_gmem_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn, bool is_private);

#endif
