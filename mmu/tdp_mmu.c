// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing an SPTE: the setters for read and for write mmu_lock, the bookkeeping of a change with
 * its one external call, the removal of tables, and the pages that tables are made of. Who changes
 * what and why is elsewhere: tdp_mmu_map.c, tdp_mmu_split.c, tdp_mmu_zap.c; roots are in
 * tdp_mmu_root.c.
 */
#include "mmu/tdp_mmu.h"

#include "mmu/mmutrace.h"

/* --- table pages -------------------------------------------------------- */

struct kvm_mmu_page *tdp_mmu_alloc_sp(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu_page *sp;

	sp = kvm_mmu_memory_cache_alloc(&vcpu->arch.mmu_page_header_cache);
	sp->spt = kvm_mmu_memory_cache_alloc(&vcpu->arch.mmu_shadow_page_cache);
	return sp;
}

void tdp_mmu_init_sp(struct kvm_mmu_page *sp, tdp_ptep_t sptep, gfn_t gfn,
		     union kvm_mmu_page_role role)
{
	set_page_private(virt_to_page(sp->spt), (unsigned long)sp);

	sp->role = role;
	sp->gfn = gfn;
	sp->ptep = sptep;
}

void tdp_mmu_init_child_sp(struct kvm_mmu_page *child_sp, struct tdp_iter *iter)
{
	union kvm_mmu_page_role role = sptep_to_sp(rcu_dereference(iter->sptep))->role;

	role.level--;
	tdp_mmu_init_sp(child_sp, iter->sptep, iter->gfn, role);
}

static void __tdp_mmu_free_sp(struct kvm_mmu_page *sp)
{
	set_page_private(virt_to_page(sp->spt), 0);
	free_page((unsigned long)sp->spt);
	kmem_cache_free(&mmu_page_header_cache, sp);
}

void tdp_mmu_free_sp(struct kvm_mmu_page *sp)
{
	kvm_x86_call(free_split_cache)(sp);
	if (sp->external_spt)
		kvm_x86_call(free_external_sp)(sp->external_spt);
	__tdp_mmu_free_sp(sp);
}

void tdp_mmu_free_sp_rcu_callback(struct rcu_head *head)
{
	struct kvm_mmu_page *sp = container_of(head, struct kvm_mmu_page, rcu_head);

	/*
	 * Given back, or leaked on purpose, when the table was removed: a callback may not call the
	 * module (B15).
	 */
	WARN_ON_ONCE(sp->external_spt);
	__tdp_mmu_free_sp(sp);
}

static void tdp_account_mmu_page(struct kvm *kvm)
{
	atomic64_inc(&kvm->arch.tdp_mmu_pages);
}

static void tdp_unaccount_mmu_page(struct kvm *kvm)
{
	atomic64_add(-1, &kvm->arch.tdp_mmu_pages);
}

/* --- bookkeeping of a change -------------------------------------------- */

static void handle_changed_spte(struct kvm *kvm, struct kvm_mmu_page *sp, gfn_t gfn, u64 old_spte,
				u64 new_spte, int level, bool shared);

/*
 * Take one entry out of a table that was unlinked. Under read mmu_lock others may still be changing
 * it: insist until the value that goes is nobody's frozen one. Under write lock an absent entry
 * stays as it is, since nothing can race with it. Returns false if there was nothing.
 */
static bool tdp_mmu_take_removed_spte(tdp_ptep_t sptep, bool shared, u64 *old_spte)
{
	if (!shared) {
		*old_spte = kvm_tdp_mmu_read_spte(sptep);
		if (!is_shadow_present_pte(*old_spte))
			return false;
		__kvm_tdp_mmu_write_spte(sptep, FROZEN_SPTE);
		return true;
	}

	for (;;) {
		*old_spte = kvm_tdp_mmu_write_spte_atomic(sptep, FROZEN_SPTE);
		if (!is_frozen_spte(*old_spte))
			return true;
		cpu_relax();
	}
}

/*
 * handle_removed_pt - the table @pt was unlinked: take its entries out, children first, then give
 * the S-EPT page back. Callers: mmu_lock; for a mirror table for write, since leaves can be removed
 * from the S-EPT only so.
 *
 * The order is the module's: PHYMEM.PAGE.RECLAIM is done when the key id is free, and whatever is
 * below must be gone before (R28). Freeing the S-EPT page from the RCU callback instead would call
 * the module in softirq, with pamt_lock (B15).
 */
static void handle_removed_pt(struct kvm *kvm, tdp_ptep_t pt, bool shared)
{
	struct kvm_mmu_page *sp = sptep_to_sp(rcu_dereference(pt));
	const int level = sp->role.level;
	const gfn_t base_gfn = sp->gfn;
	u64 old_spte;
	int i;

	KVM_BUG_ON(shared && is_mirror_sp(sp), kvm);
	tdp_unaccount_mmu_page(kvm);

	for (i = 0; i < SPTE_ENT_PER_PAGE; i++) {
		if (tdp_mmu_take_removed_spte(pt + i, shared, &old_spte))
			handle_changed_spte(kvm, sp, base_gfn + i * KVM_PAGES_PER_HPAGE(level),
					    old_spte, FROZEN_SPTE, level, shared);
	}

	if (is_mirror_sp(sp)) {
		kvm_x86_call(reclaim_external_sp)(kvm, base_gfn, sp);
		WARN_ON_ONCE(sp->external_spt);
	}

	call_rcu(&sp->rcu_head, tdp_mmu_free_sp_rcu_callback);
}

/*
 * __handle_changed_spte - what follows from @old_spte having become (or, frozen, being about to
 * become) @new_spte. @sp: the table that the entry is in. @shared: mmu_lock is held for read.
 * Returns the external operation's error: then nothing was counted and nothing traced, and under
 * read lock the caller puts the old value back (B18, R3).
 */
static int __handle_changed_spte(struct kvm *kvm, struct kvm_mmu_page *sp, gfn_t gfn, u64 old_spte,
				 u64 new_spte, int level, bool shared)
{
	const bool was_present = is_shadow_present_pte(old_spte);
	const bool is_present = is_shadow_present_pte(new_spte);
	const bool was_leaf = was_present && is_last_spte(old_spte, level);
	const bool is_leaf = is_present && is_last_spte(new_spte, level);
	const bool pfn_changed = spte_to_pfn(old_spte) != spte_to_pfn(new_spte);
	int ret = 0;

	WARN_ON_ONCE(level < PG_LEVEL_4K || level > PT64_ROOT_MAX_LEVEL);
	WARN_ON_ONCE(gfn & (KVM_PAGES_PER_HPAGE(level) - 1));

	/*
	 * A mapping changed its page without being zapped and flushed in between: the guest may go
	 * on using the old page. There is no safe way on (R5).
	 */
	if (was_leaf && is_leaf && pfn_changed)
		BUG();

	if (old_spte == new_spte)
		return 0;

	if (!was_present && !is_present) {
		/*
		 * Only MMIO entries are worth rewriting, or somebody froze an empty entry of a
		 * removed table.
		 */
		WARN_ON_ONCE(!is_mmio_spte(old_spte) && !is_mmio_spte(new_spte) &&
			     !is_frozen_spte(new_spte));
		return 0;
	}

	if (was_present && !was_leaf && (is_leaf || !is_present || WARN_ON_ONCE(pfn_changed)))
		handle_removed_pt(kvm, spte_to_child_pt(old_spte, level), shared);
	else if (is_mirror_sp(sp))
		ret = kvm_x86_call(set_external_spte)(kvm, gfn, old_spte, new_spte, level);
	if (ret)
		return ret;

	trace_kvm_tdp_mmu_spte_changed(sp, gfn, level, old_spte, new_spte);
	if (was_leaf != is_leaf)
		kvm_update_page_stats(kvm, level, is_leaf ? 1 : -1);
	return 0;
}

/*
 * For changes that are done already, where a refusal of the module cannot be undone: it ends the
 * VM.
 */
static void handle_changed_spte(struct kvm *kvm, struct kvm_mmu_page *sp, gfn_t gfn, u64 old_spte,
				u64 new_spte, int level, bool shared)
{
	KVM_BUG_ON(__handle_changed_spte(kvm, sp, gfn, old_spte, new_spte, level, shared), kvm);
}

/* --- setters ------------------------------------------------------------ */

/*
 * The compare-exchange alone. On failure iter->old_spte is what the other actor wrote (B19: else a
 * retry never ends).
 */
static int __must_check __tdp_mmu_set_spte_atomic(struct tdp_iter *iter, u64 new_spte)
{
	WARN_ON_ONCE(iter->yielded || is_frozen_spte(iter->old_spte));

	if (!try_cmpxchg64(rcu_dereference(iter->sptep), &iter->old_spte, new_spte))
		return -EBUSY;
	return 0;
}

int tdp_mmu_set_spte_atomic(struct kvm *kvm, struct tdp_iter *iter, u64 new_spte)
{
	struct kvm_mmu_page *sp = sptep_to_sp(rcu_dereference(iter->sptep));
	int ret;

	lockdep_assert_held_read(&kvm->mmu_lock);
	KVM_MMU_WARN_ON(is_frozen_spte(new_spte));

	if (!is_mirror_sp(sp)) {
		ret = __tdp_mmu_set_spte_atomic(iter, new_spte);
		if (ret)
			return ret;
		handle_changed_spte(kvm, sp, iter->gfn, iter->old_spte, new_spte, iter->level,
				    true);
		return 0;
	}

	/*
	 * A mirror entry must not be seen before the S-EPT has it, and only one actor may talk to
	 * the module about it: freeze, call, then show the new value, or the old one again.
	 */
	ret = __tdp_mmu_set_spte_atomic(iter, FROZEN_SPTE);
	if (ret)
		return ret;

	ret = __handle_changed_spte(kvm, sp, iter->gfn, iter->old_spte, new_spte, iter->level,
				    true);
	__kvm_tdp_mmu_write_spte(iter->sptep, ret ? iter->old_spte : new_spte);
	return ret;
}

u64 tdp_mmu_set_spte(struct kvm *kvm, struct kvm_mmu_page *sp, tdp_ptep_t sptep, u64 old_spte,
		     u64 new_spte, gfn_t gfn, int level)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	/*
	 * Nobody holds the lock for read, so nobody can have an entry frozen, and nobody needs to
	 * be kept out.
	 */
	WARN_ON_ONCE(is_frozen_spte(old_spte) || is_frozen_spte(new_spte));

	old_spte = kvm_tdp_mmu_write_spte_atomic(sptep, new_spte);
	handle_changed_spte(kvm, sp, gfn, old_spte, new_spte, level, false);
	return old_spte;
}

void tdp_mmu_iter_set_spte(struct kvm *kvm, struct tdp_iter *iter, u64 new_spte)
{
	struct kvm_mmu_page *sp = sptep_to_sp(rcu_dereference(iter->sptep));

	WARN_ON_ONCE(iter->yielded);
	iter->old_spte = tdp_mmu_set_spte(kvm, sp, iter->sptep, iter->old_spte, new_spte, iter->gfn,
					  iter->level);
}

int tdp_mmu_iter_try_zap(struct kvm *kvm, struct tdp_iter *iter)
{
	struct kvm_mmu_page *sp = sptep_to_sp(rcu_dereference(iter->sptep));
	const u64 old_spte = iter->old_spte;
	int ret;

	lockdep_assert_held_write(&kvm->mmu_lock);
	WARN_ON_ONCE(iter->yielded || !is_last_spte(old_spte, iter->level));

	/* Nobody reads the entry meanwhile: write first and put it back, as for an atomic change. */
	__kvm_tdp_mmu_write_spte(iter->sptep, SHADOW_NONPRESENT_VALUE);
	ret = __handle_changed_spte(kvm, sp, iter->gfn, old_spte, SHADOW_NONPRESENT_VALUE,
				    iter->level, false);
	if (ret)
		__kvm_tdp_mmu_write_spte(iter->sptep, old_spte);
	iter->old_spte = ret ? old_spte : SHADOW_NONPRESENT_VALUE;
	return ret;
}

int tdp_mmu_link_sp(struct kvm *kvm, struct tdp_iter *iter, struct kvm_mmu_page *sp, bool shared)
{
	const u64 spte = make_nonleaf_spte(sp->spt, sp->role.ad_disabled);
	int ret = 0;

	if (shared)
		ret = tdp_mmu_set_spte_atomic(kvm, iter, spte);
	else
		tdp_mmu_iter_set_spte(kvm, iter, spte);

	if (!ret)
		tdp_account_mmu_page(kvm);
	return ret;
}
