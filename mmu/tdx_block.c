// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves of the S-EPT that are blocked ahead of what becomes of them: the idea behind guest_memfd's
 * flow BLOCK_ABORT (gmem.md 2.6), which no series has. A blocked leaf keeps its mirror SPTE;
 * splitting or removing it skips BLOCK and TRACK, and UNBLOCK gives it back to the guest with its
 * contents. Everybody else blocks and removes in one go (tdx_sept.c).
 */
#include "mmu/tdx.h"

#include "sim/rt/world.h"

struct block_walk {
	struct kvm *kvm;
	int ret;
};

static bool blocked_at(const struct kvm_tdx *kvm_tdx, gfn_t gfn, enum pg_level level, u32 *at)
{
	for (*at = 0; *at < kvm_tdx->nr_blocked; (*at)++)
		if (kvm_tdx->blocked[*at].gfn == gfn && kvm_tdx->blocked[*at].level == level)
			return true;
	return false;
}

bool tdx_sept_was_blocked(struct kvm *kvm, gfn_t gfn, enum pg_level level)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u32 i;

	lockdep_assert_held_write(&kvm->mmu_lock);
	if (!blocked_at(kvm_tdx, gfn, level, &i))
		return false;
	kvm_tdx->blocked[i] = kvm_tdx->blocked[--kvm_tdx->nr_blocked];
	return true;
}

static bool block_leaf(void *ctx, const struct kvm_spte_view *v)
{
	struct block_walk *w = ctx;
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(w->kvm);
	u64 entry, level_state, err;
	u32 i;

	if (!v->leaf || blocked_at(kvm_tdx, v->gfn, v->level, &i))
		return true;
	err = tdh_do_no_vcpus(tdh_mem_range_block, w->kvm, &kvm_tdx->td, gfn_to_gpa(v->gfn),
			      v->level, &entry, &level_state);
	if (TDX_BUG_ON_2(err, TDH_MEM_RANGE_BLOCK, entry, level_state, w->kvm)) {
		w->ret = -EIO;
		return false;
	}
	if (kvm_tdx->nr_blocked == kvm_tdx->cap_blocked) {
		kvm_tdx->cap_blocked = kvm_tdx->cap_blocked ? 2 * kvm_tdx->cap_blocked : 8;
		kvm_tdx->blocked = rt_realloc(kvm_tdx->blocked,
					      kvm_tdx->cap_blocked * sizeof(*kvm_tdx->blocked));
	}
	kvm_tdx->blocked[kvm_tdx->nr_blocked].gfn = v->gfn;
	kvm_tdx->blocked[kvm_tdx->nr_blocked++].level = v->level;
	return true;
}

int kvm_mmu_block_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end)
{
	struct block_walk w = {.kvm = kvm};

	lockdep_assert_held_write(&kvm->mmu_lock);
	/* Or a fault would meet a blocked entry that is nobody's business to repair. */
	lockdep_assert_once(kvm->mmu_invalidate_in_progress);
	kvm_for_each_spte(kvm, true, start, end - start, block_leaf, &w);
	/* One TRACK for all: nobody uses an old translation of any of them afterwards. */
	if (!w.ret && to_kvm_tdx(kvm)->nr_blocked)
		tdx_track(kvm);
	return w.ret;
}

int kvm_mmu_unblock_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u64 entry, level_state, err;
	u32 i = 0;

	lockdep_assert_held_write(&kvm->mmu_lock);
	while (i < kvm_tdx->nr_blocked) {
		gfn_t gfn = kvm_tdx->blocked[i].gfn;
		enum pg_level level = kvm_tdx->blocked[i].level;

		if (gfn >= end || gfn + KVM_PAGES_PER_HPAGE(level) <= start) {
			i++;
			continue;
		}
		kvm_tdx->blocked[i] = kvm_tdx->blocked[--kvm_tdx->nr_blocked];
		if (kvm->vm_bugged)
			continue;
		/* UNBLOCK takes the entry's lock, so it can be BUSY as any other call can. */
		err = tdh_do_no_vcpus(tdh_mem_range_unblock, kvm, &kvm_tdx->td, gfn_to_gpa(gfn),
				      level, &entry, &level_state);
		TDX_BUG_ON_2(err, TDH_MEM_RANGE_UNBLOCK, entry, level_state, kvm);
	}
	return kvm->vm_bugged ? -EIO : 0;
}
