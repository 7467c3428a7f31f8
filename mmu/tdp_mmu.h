/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TDP MMU's inner face: roots, walks over them, and the functions that may change an SPTE. Used
 * by the tdp_mmu*.c rooms and by mmu.c; the rest of KVM goes through mmu/mmu.h and
 * <linux/kvm_host.h>.
 *
 * Invariants of an SPTE change (kvm-port.md 2.4):
 *  - Under read mmu_lock only tdp_mmu_set_spte_atomic() changes an entry; it freezes a mirror entry
 *    first, so that one actor at a time talks to the module about it, and puts the old value back
 *    if the module refused.
 *  - Under write mmu_lock tdp_mmu_set_spte() does, mirror first, and a failure of the module bugs
 *    the VM.
 *  - Both make the one external call for the change in __handle_changed_spte().
 */
#ifndef KVM_X86_MMU_TDP_MMU_H
#define KVM_X86_MMU_TDP_MMU_H

#include "mmu/mmu.h"
#include "mmu/mmu_internal.h"
#include "mmu/tdp_iter.h"

/* --- roots (tdp_mmu_root.c) --------------------------------------------- */

/* Takes a reference unless the root is on its way out. */
static inline bool __must_check kvm_tdp_mmu_get_root(struct kvm_mmu_page *root)
{
	return refcount_inc_not_zero(&root->tdp_mmu_root_count);
}
/* The last one unlinks the root and frees it after a grace period. mmu_lock held either way. */
void kvm_tdp_mmu_put_root(struct kvm *kvm, struct kvm_mmu_page *root);
/*
 * Find or make the vCPU's direct or mirror root, with a reference for the vCPU. Takes read
 * mmu_lock; caches topped up.
 */
void kvm_tdp_mmu_alloc_root(struct kvm_vcpu *vcpu, bool mirror);
/* The root that translates the faulting address. */
struct kvm_mmu_page *tdp_mmu_get_root_for_fault(struct kvm_vcpu *vcpu,
						const struct kvm_page_fault *fault);
enum kvm_tdp_mmu_root_types kvm_gfn_range_filter_to_root_types(struct kvm *kvm,
							       enum kvm_gfn_range_filter process);
bool tdp_mmu_root_match(const struct kvm_mmu_page *root, enum kvm_tdp_mmu_root_types types);
/*
 * The root after @prev (NULL: the first) that matches, with a reference; puts @prev. mmu_lock held
 * either way.
 */
struct kvm_mmu_page *tdp_mmu_next_root(struct kvm *kvm, struct kvm_mmu_page *prev,
				       enum kvm_tdp_mmu_root_types types);
/*
 * The valid root of that kind, NULL before the first vCPU has one. mmu_lock held either way, or
 * nothing runs.
 */
struct kvm_mmu_page *tdp_mmu_find_root(const struct kvm *kvm, bool mirror);

/*
 * The body may drop mmu_lock: the loop holds a reference on the root. Who leaves early puts it
 * (B12).
 */
#define for_each_tdp_mmu_root_yield_safe(kvm, root, types)       \
	for (root = tdp_mmu_next_root(kvm, NULL, types); (root); \
	     root = tdp_mmu_next_root(kvm, root, types))

/*
 * Give up mmu_lock and RCU if somebody waits, and the walk has moved since the last time. True: the
 * caller must `continue` (the iterator restarts) and trust nothing that it read before.
 */
bool __must_check tdp_mmu_iter_cond_resched(struct kvm *kvm, struct tdp_iter *iter, bool flush,
					    bool shared);

/* --- table pages and SPTEs (tdp_mmu.c) ---------------------------------- */

/* From the vCPU's caches; never sleeps. */
struct kvm_mmu_page *tdp_mmu_alloc_sp(struct kvm_vcpu *vcpu);
void tdp_mmu_init_sp(struct kvm_mmu_page *sp, tdp_ptep_t sptep, gfn_t gfn,
		     union kvm_mmu_page_role role);
void tdp_mmu_init_child_sp(struct kvm_mmu_page *child_sp, struct tdp_iter *iter);
/* A page that was never linked, with its S-EPT page if it has one. */
void tdp_mmu_free_sp(struct kvm_mmu_page *sp);
/* RCU callback of a page that was linked: its S-EPT page went in handle_removed_pt(). */
void tdp_mmu_free_sp_rcu_callback(struct rcu_head *head);

/*
 * tdp_mmu_set_spte_atomic - change the iterator's entry under read mmu_lock, inside RCU. 0; -EBUSY:
 * another actor was faster (old_spte is refreshed) or the module is busy; other errors as
 * set_external_spte(). On an error the entry is as before.
 */
int __must_check tdp_mmu_set_spte_atomic(struct kvm *kvm, struct tdp_iter *iter, u64 new_spte);
/*
 * The same under write mmu_lock. Cannot fail: an error of the module bugs the VM. Returns what was
 * there before.
 */
u64 tdp_mmu_set_spte(struct kvm *kvm, struct kvm_mmu_page *sp, tdp_ptep_t sptep, u64 old_spte,
		     u64 new_spte, gfn_t gfn, int level);
void tdp_mmu_iter_set_spte(struct kvm *kvm, struct tdp_iter *iter, u64 new_spte);
/*
 * Remove the iterator's leaf under write mmu_lock where a refusal can be told (zap_error=return): 0,
 * or the external operation's error with the leaf as it was.
 */
int __must_check tdp_mmu_iter_try_zap(struct kvm *kvm, struct tdp_iter *iter);
/*
 * Link the table @sp at the iterator's entry; @shared says how mmu_lock is held. Fails only if
 * @shared.
 */
int tdp_mmu_link_sp(struct kvm *kvm, struct tdp_iter *iter, struct kvm_mmu_page *sp, bool shared);

/* --- map, split, zap ---------------------------------------------------- */

/* Map the fault's page at its goal level, or below. Read mmu_lock. RET_PF_*. (tdp_mmu_map.c) */
int kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);
/* Replace the leaf under the iterator by the table @sp, filled with its parts. (tdp_mmu_split.c) */
int tdp_mmu_split_huge_page(struct kvm *kvm, struct tdp_iter *iter, struct kvm_mmu_page *sp,
			    bool shared);
int kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs(struct kvm *kvm, struct kvm_gfn_range *range,
						     bool shared);
/*
 * Zap the leaves of the range; write mmu_lock, yields if the range may block. Returns @flush or
 * "flush needed". (tdp_mmu_zap.c)
 */
bool kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range, bool flush);
/*
 * Roots of these kinds become invalid: nobody maps in them any more. Write mmu_lock, or no vCPU is
 * left.
 */
void kvm_tdp_mmu_invalidate_roots(struct kvm *kvm, enum kvm_tdp_mmu_root_types types);
/* Zap what was invalidated and drop the TDP MMU's reference on it. Takes write mmu_lock, yields. */
void kvm_tdp_mmu_zap_invalidated_roots(struct kvm *kvm);
/*
 * Teardown: all of the above, then wait for RCU. The key id must be free: S-EPT pages are
 * reclaimed. Takes mmu_lock.
 */
void kvm_mmu_uninit_tdp_mmu(struct kvm *kvm);

#endif
