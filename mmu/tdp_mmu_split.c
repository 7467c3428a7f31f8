// SPDX-License-Identifier: GPL-2.0-only
/*
 * Splitting large leaves: one (tdp_mmu_split_huge_page()), and all of a range that need it. The
 * walk may drop mmu_lock to allocate; what the S-EPT does for a split is tdx_sept.c's. Two users,
 * two shapes: v3 walks a range for leaves that cross its ends, v5 names the blocks at the ends
 * itself.
 */
#include "mmu/tdp_mmu.h"

#include "mmu/mmutrace.h"

int tdp_mmu_split_huge_page(struct kvm *kvm, struct tdp_iter *iter, struct kvm_mmu_page *sp,
			    bool shared)
{
	const u64 huge_spte = iter->old_spte;
	const int level = iter->level;
	int ret, i;

	/* Nobody sees the table before it is linked, so plain stores do. */
	for (i = 0; i < SPTE_ENT_PER_PAGE; i++)
		sp->spt[i] = make_small_spte(kvm, huge_spte, sp->role, i);

	ret = tdp_mmu_link_sp(kvm, iter, sp, shared);
	if (!ret) {
		/* The large leaf was taken off the count when the entry changed. */
		kvm_update_page_stats(kvm, level - 1, SPTE_ENT_PER_PAGE);
		if (is_mirror_sp(sp) && !kvm->vm_bugged)
			kvm_stat_add(KVM_STAT_SPLITS, 1);
	}
	trace_kvm_mmu_split_huge_page(iter->gfn, level, ret);
	return ret;
}

/*
 * A table page for a split, with what the external side needs. Takes no iterator: whether a table
 * is a mirror is asked before RCU is left, not after (B14). Sleeps; no lock that spins may be held.
 * NULL without memory, with nothing left over.
 */
static struct kvm_mmu_page *tdp_mmu_alloc_sp_for_split(struct kvm *kvm, bool mirror)
{
	struct kvm_mmu_page *sp;

	sp = kmem_cache_zalloc(&mmu_page_header_cache, GFP_KERNEL_ACCOUNT);
	if (!sp)
		return NULL;

	sp->spt = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!sp->spt)
		goto err_spt;

	kvm_stat_add(KVM_STAT_ALLOCS_SPT_SPLIT, 1);

	if (mirror) {
		sp->external_spt = kvm_x86_call(alloc_external_sp)();
		if (!sp->external_spt)
			goto err_external_spt;
		kvm_stat_add(KVM_STAT_ALLOCS_EXTERNAL_SPT_SPLIT, 1);

		if (kvm_x86_call(topup_split_cache)(kvm, sp))
			goto err_cache;
	}
	return sp;

err_cache:
	kvm_x86_call(free_split_cache)(sp);
	kvm_x86_call(free_external_sp)(sp->external_spt);
err_external_spt:
	free_page((unsigned long)sp->spt);
err_spt:
	kmem_cache_free(&mmu_page_header_cache, sp);
	return NULL;
}

static void tdp_mmu_lock(struct kvm *kvm, bool shared)
{
	if (shared)
		read_lock(&kvm->mmu_lock);
	else
		write_lock(&kvm->mmu_lock);
}

static void tdp_mmu_unlock(struct kvm *kvm, bool shared)
{
	if (shared)
		read_unlock(&kvm->mmu_lock);
	else
		write_unlock(&kvm->mmu_lock);
}

/* Whether the entry is neither wholly inside the range nor outside of it. */
static bool iter_cross_boundary(const struct tdp_iter *iter, gfn_t start, gfn_t end)
{
	return !(iter->gfn >= start && iter->gfn + KVM_PAGES_PER_HPAGE(iter->level) <= end);
}

/*
 * tdp_mmu_split_huge_pages_root - bring the leaves of [start, end) under @root down to
 * @target_level. @shared: how mmu_lock is held. @only_cross_boundary: leave alone what lies wholly
 * inside the range.
 *
 * mmu_lock and RCU are dropped to allocate and when somebody waits; the walk then starts over at
 * the root, since nothing that was read before counts any more (R18). Returns with mmu_lock held
 * and RCU not, whatever happens (R19, B57): 0; -ENOMEM, what was split stays so; -EIO if the module
 * refused and the VM is gone. @shared on a mirror root also -EBUSY: try again without mmu_lock.
 */
static int tdp_mmu_split_huge_pages_root(struct kvm *kvm, struct kvm_mmu_page *root, gfn_t start,
					 gfn_t end, int target_level, bool shared,
					 bool only_cross_boundary)
{
	const bool mirror = is_mirror_sp(root);
	struct kvm_mmu_page *sp = NULL;
	struct tdp_iter iter;
	int ret = 0;

	rcu_read_lock();

	for_each_tdp_pte_min_level(iter, kvm, root, target_level + 1, start, end) {
retry:
		if (tdp_mmu_iter_cond_resched(kvm, &iter, false, shared))
			continue;

		kvm_stat_add(KVM_STAT_SPLIT_VISITS, 1);
		if (!is_shadow_present_pte(iter.old_spte) || !is_large_pte(iter.old_spte))
			continue;

		if (only_cross_boundary && !iter_cross_boundary(&iter, start, end))
			continue;

		/*
		 * No memory in hand, or the VM's split cache (v3) was drained by another splitter
		 * while the lock was dropped: get it without locks and look at everything again.
		 */
		if (!sp || (mirror && kvm_x86_call(need_topup_split_cache)(kvm, sp, iter.level))) {
			rcu_read_unlock();
			tdp_mmu_unlock(kvm, shared);

			if (!sp) {
				sp = tdp_mmu_alloc_sp_for_split(kvm, mirror);
				ret = sp ? 0 : -ENOMEM;
			} else {
				kvm_stat_add(KVM_STAT_SPLIT_TOPUPS, 1);
				ret = kvm_x86_call(topup_split_cache)(kvm, sp);
			}

			tdp_mmu_lock(kvm, shared);
			if (ret) {
				trace_kvm_mmu_split_huge_page(iter.gfn, iter.level, ret);
				goto out_free;
			}

			rcu_read_lock();
			iter.yielded = true;
			continue;
		}

		tdp_mmu_init_child_sp(sp, &iter);
		ret = tdp_mmu_split_huge_page(kvm, &iter, sp, shared);
		if (ret && shared && mirror) {
			/*
			 * Another CPU is at the entry or inside the module. Whoever called can let go
			 * of mmu_lock and come again, where a loop here would spin on the module.
			 */
			break;
		}
		if (ret)
			goto retry;
		sp = NULL;

		/*
		 * Under write lock a split can't fail, only end the VM: there is nothing to go on
		 * for then.
		 */
		if (kvm->vm_bugged) {
			ret = -EIO;
			break;
		}
	}

	rcu_read_unlock();
out_free:
	if (sp)
		tdp_mmu_free_sp(sp);
	return ret;
}

/*
 * The same over all valid roots of @types. The reference of the root at which it fails is put
 * (B12).
 */
static int tdp_mmu_split_huge_pages(struct kvm *kvm, enum kvm_tdp_mmu_root_types types, gfn_t start,
				    gfn_t end, int target_level, bool shared,
				    bool only_cross_boundary)
{
	struct kvm_mmu_page *root;
	int r;

	for_each_tdp_mmu_root_yield_safe(kvm, root, types) {
		r = tdp_mmu_split_huge_pages_root(kvm, root, start, end, target_level, shared,
						  only_cross_boundary);
		if (r) {
			kvm_tdp_mmu_put_root(kvm, root);
			return r;
		}
	}
	return 0;
}

int kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs(struct kvm *kvm, struct kvm_gfn_range *range,
						     bool shared)
{
	const enum kvm_tdp_mmu_root_types types =
		kvm_gfn_range_filter_to_root_types(kvm, range->attr_filter);

	if (shared)
		lockdep_assert_held_read(&kvm->mmu_lock);
	else
		lockdep_assert_held_write(&kvm->mmu_lock);

	/* Without NON_BLOCKING_RESIZE a mirror leaf can't be split under read lock (v3 p09). */
	if (shared && (types & KVM_MIRROR_ROOTS) && !kvm->host->non_blocking_resize)
		return -EOPNOTSUPP;

	return tdp_mmu_split_huge_pages(kvm, types, range->start, range->end, PG_LEVEL_4K, shared,
					true);
}

int kvm_tdp_mmu_mirrors_split_huge_pages(struct kvm *kvm, gfn_t start, gfn_t end, int target_level)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	return tdp_mmu_split_huge_pages(kvm, KVM_MIRROR_ROOTS, start, end, target_level, false,
					false);
}

int kvm_tdp_mmu_mirrors_split_shared(struct kvm *kvm, gfn_t start, gfn_t end, int target_level)
{
	lockdep_assert_held_read(&kvm->mmu_lock);

	return tdp_mmu_split_huge_pages(kvm, KVM_MIRROR_ROOTS, start, end, target_level, true,
					false);
}
