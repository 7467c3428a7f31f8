// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TDP MMU of one direct table: enough to map and zap, with the locks, RCU and caches of the real
 * one. Written for the tests of tools/ktree; nothing here is a kernel's.
 */
#include "tdp_mmu.h"

#include "tdp_iter.h"

void kvm_mmu_init_tdp_mmu(struct kvm *kvm)
{
	INIT_LIST_HEAD(&kvm->arch.tdp_mmu_roots);
	spin_lock_init(&kvm->arch.tdp_mmu_pages_lock);
}

/* --- tables ------------------------------------------------------------- */

static void free_sp(struct kvm_mmu_page *sp)
{
	free_pages((unsigned long)sp->spt, 0);
	kmem_cache_free(mmu_page_header_cache, sp);
}

static void free_sp_callback(struct rcu_head *head)
{
	free_sp(container_of(head, struct kvm_mmu_page, rcu_head));
}

static void init_sp(struct kvm_mmu_page *sp, gfn_t gfn, union kvm_mmu_page_role role)
{
	set_page_private(virt_to_page(sp->spt), (unsigned long)sp);
	sp->role = role;
	sp->gfn = gfn;
}

static struct kvm_mmu_page *cached_sp(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu_page *sp = kvm_mmu_memory_cache_alloc(&vcpu->arch.mmu_page_header_cache);

	sp->spt = kvm_mmu_memory_cache_alloc(&vcpu->arch.mmu_shadow_page_cache);
	return sp;
}

static void init_child_sp(struct kvm_mmu_page *sp, const struct tdp_iter *iter)
{
	union kvm_mmu_page_role role = {.word = 0};

	role.level = iter->level - 1;
	role.direct = true;
	init_sp(sp, iter->gfn, role);
}

static void count(struct kvm *kvm, int level, u64 spte, int n)
{
	if (is_shadow_present_pte(spte) && is_last_spte(spte, level))
		kvm_update_page_stats(kvm, level, n);
}

/* What hung below an entry that is gone. */
static void drop_children(struct kvm *kvm, u64 spte, int level)
{
	struct kvm_mmu_page *sp;
	int i;

	count(kvm, level, spte, -1);
	if (!is_shadow_present_pte(spte) || is_last_spte(spte, level))
		return;
	sp = spte_to_child_sp(spte);
	for (i = 0; i < SPTE_ENT_PER_PAGE; i++)
		drop_children(kvm, xchg(&sp->spt[i], FROZEN_SPTE), level - 1);
	call_rcu(&sp->rcu_head, free_sp_callback);
}

/* --- roots -------------------------------------------------------------- */

static struct kvm_mmu_page *find_root(struct kvm *kvm, u32 word)
{
	struct kvm_mmu_page *root;

	list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link) {
		if (root->role.word == word && refcount_inc_not_zero(&root->tdp_mmu_root_count))
			return root;
	}
	return NULL;
}

int kvm_tdp_mmu_alloc_root(struct kvm_vcpu *vcpu)
{
	union kvm_mmu_page_role role = vcpu->arch.mmu->root_role;
	struct kvm *kvm = vcpu->kvm;
	struct kvm_mmu_page *root;

	read_lock(&kvm->mmu_lock);
	spin_lock(&kvm->arch.tdp_mmu_pages_lock);
	root = find_root(kvm, role.word);
	if (!root) {
		root = cached_sp(vcpu);
		init_sp(root, 0, role);
		refcount_set(&root->tdp_mmu_root_count, 2);
		list_add_rcu(&root->link, &kvm->arch.tdp_mmu_roots);
	}
	spin_unlock(&kvm->arch.tdp_mmu_pages_lock);
	read_unlock(&kvm->mmu_lock);
	vcpu->arch.mmu->root.hpa = __pa(root->spt);
	return 0;
}

void kvm_tdp_mmu_put_root(struct kvm *kvm, struct kvm_mmu_page *root)
{
	lockdep_assert_held(&kvm->mmu_lock);
	if (!refcount_dec_and_test(&root->tdp_mmu_root_count))
		return;
	KVM_BUG_ON(!root->role.invalid, kvm);
	spin_lock(&kvm->arch.tdp_mmu_pages_lock);
	list_del_rcu(&root->link);
	spin_unlock(&kvm->arch.tdp_mmu_pages_lock);
	call_rcu(&root->rcu_head, free_sp_callback);
}

void kvm_mmu_uninit_tdp_mmu(struct kvm *kvm)
{
	struct list_head *at, *next;
	int i;

	write_lock(&kvm->mmu_lock);
	for (at = kvm->arch.tdp_mmu_roots.next; at != &kvm->arch.tdp_mmu_roots; at = next) {
		struct kvm_mmu_page *root = list_entry(at, struct kvm_mmu_page, link);

		next = at->next;
		root->role.invalid = true;
		for (i = 0; i < SPTE_ENT_PER_PAGE; i++)
			drop_children(kvm, xchg(&root->spt[i], SHADOW_NONPRESENT_VALUE),
				      root->role.level);
		kvm_tdp_mmu_put_root(kvm, root);
	}
	write_unlock(&kvm->mmu_lock);
	WARN_ON_ONCE(!list_empty(&kvm->arch.tdp_mmu_roots));
	rcu_barrier();
}

/* --- faults ------------------------------------------------------------- */

static bool link_sp(struct kvm *kvm, struct tdp_iter *iter, struct kvm_mmu_page *sp)
{
	const u64 old = iter->old_spte;
	int i;

	for (i = 0; i < SPTE_ENT_PER_PAGE && is_shadow_present_pte(old); i++)
		sp->spt[i] = make_small_spte(old, sp->role.level, i);
	if (!try_cmpxchg64(iter->sptep, &iter->old_spte, make_nonleaf_spte(sp->spt)))
		return false;
	count(kvm, iter->level, old, -1);
	if (is_shadow_present_pte(old))
		kvm_update_page_stats(kvm, sp->role.level, SPTE_ENT_PER_PAGE);
	return true;
}

static int set_leaf(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault, struct tdp_iter *iter)
{
	u64 spte = make_spte(vcpu, iter->level, fault), old = iter->old_spte;

	if (is_shadow_present_pte(old) && is_last_spte(old, iter->level))
		return RET_PF_SPURIOUS;
	if (!try_cmpxchg64(iter->sptep, &iter->old_spte, spte))
		return RET_PF_RETRY;
	count(vcpu->kvm, iter->level, spte, 1);
	/* A table was in its place. */
	if (is_shadow_present_pte(old)) {
		drop_children(vcpu->kvm, old, iter->level);
		kvm_flush_remote_tlbs(vcpu->kvm);
	}
	return RET_PF_FIXED;
}

int kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm_mmu_page *root = root_to_sp(vcpu->arch.mmu->root.hpa), *sp;
	struct tdp_iter iter;
	int ret = RET_PF_RETRY;

	lockdep_assert_held_read(&vcpu->kvm->mmu_lock);
	kvm_mmu_hugepage_adjust(vcpu, fault);
	rcu_read_lock();
	for (;;) {
		tdp_iter_walk(&iter, root, fault->gfn, fault->goal_level);
		if (is_frozen_spte(iter.old_spte))
			break;
		if (iter.level == fault->goal_level) {
			ret = set_leaf(vcpu, fault, &iter);
			break;
		}
		sp = cached_sp(vcpu);
		init_child_sp(sp, &iter);
		if (!link_sp(vcpu->kvm, &iter, sp)) {
			free_sp(sp);
			break;
		}
	}
	rcu_read_unlock();
	return ret;
}

/* --- ranges ------------------------------------------------------------- */

/* Let others have the lock; the walk begins again at its gfn. */
static void give_way(struct kvm *kvm, bool shared)
{
	if (!need_resched() && !rwlock_needbreak(&kvm->mmu_lock))
		return;
	rcu_read_unlock();
	if (shared)
		__cond_resched_rwlock_read(&kvm->mmu_lock);
	else
		__cond_resched_rwlock_write(&kvm->mmu_lock);
	rcu_read_lock();
}

bool kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range, bool flush)
{
	struct kvm_mmu_page *root;
	struct tdp_iter iter;
	gfn_t gfn;

	lockdep_assert_held_write(&kvm->mmu_lock);
	rcu_read_lock();
	list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link) {
		for (gfn = range->start; gfn < range->end;
		     gfn = iter.gfn + KVM_PAGES_PER_HPAGE(iter.level)) {
			if (range->may_block)
				give_way(kvm, false);
			tdp_iter_walk(&iter, root, gfn, PG_LEVEL_4K);
			if (!is_shadow_present_pte(iter.old_spte))
				continue;
			WRITE_ONCE(*iter.sptep, SHADOW_NONPRESENT_VALUE);
			count(kvm, iter.level, iter.old_spte, -1);
			flush = true;
		}
	}
	rcu_read_unlock();
	return flush;
}
