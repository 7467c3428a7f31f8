/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walk over a TDP table: pre-order, one entry at a time, able to give up its locks and go on.
 * It only reads; who changes an entry on the way re-reads through old_spte and the setters of
 * tdp_mmu.c.
 *
 * Invariants:
 *  - old_spte is a snapshot of *sptep; the entry may differ already.
 *  - pt_path[level - 1] is the table that sptep points into; it is safe only inside the RCU
 *    section, or the write lock, in which it was read. After `yielded` was set nothing but the gfns
 *    may be used (R18).
 *  - An entry is visited before its children; a table that appeared under the current entry is
 *    descended into, since the next step reads the entry again.
 */
#ifndef KVM_X86_MMU_TDP_ITER_H
#define KVM_X86_MMU_TDP_ITER_H

#include <linux/kvm_host.h>

#include "mmu/mmu_internal.h"
#include "mmu/spte.h"

struct tdp_iter {
	gfn_t next_last_level_gfn; /* the goal: the walk is somewhere on the way to it */
	gfn_t yielded_gfn;	   /* goal at the last yield: no second one without progress */
	tdp_ptep_t pt_path[PT64_ROOT_MAX_LEVEL];
	tdp_ptep_t sptep;
	gfn_t gfn;	/* first frame of the entry, without gfn_bits */
	gfn_t gfn_bits; /* ORed in for the index: the shared bit in a direct root */
	int root_level;
	int min_level;
	int level;
	int as_id;
	u64 old_spte;
	bool valid;
	bool yielded; /* the next step restarts at the root */
};

u64 kvm_tdp_mmu_read_spte(tdp_ptep_t sptep);
/* Write that returns what was there before, in one step. */
u64 kvm_tdp_mmu_write_spte_atomic(tdp_ptep_t sptep, u64 new_spte);
/* Plain store: for an entry that the caller has frozen, or that nobody else can change. */
void __kvm_tdp_mmu_write_spte(tdp_ptep_t sptep, u64 new_spte);

void tdp_iter_start(struct tdp_iter *iter, struct kvm_mmu_page *root, int min_level,
		    gfn_t next_last_level_gfn, gfn_t gfn_bits);
void tdp_iter_next(struct tdp_iter *iter);
/* Go back to the root and down again towards next_last_level_gfn. */
void tdp_iter_restart(struct tdp_iter *iter);

#define for_each_tdp_pte_min_level(iter, kvm, root, min_level, start, end)                \
	for (tdp_iter_start(&iter, root, min_level, start, kvm_gfn_root_bits(kvm, root)); \
	     iter.valid && iter.gfn < end; tdp_iter_next(&iter))

#define for_each_tdp_pte(iter, kvm, root, start, end) \
	for_each_tdp_pte_min_level(iter, kvm, root, PG_LEVEL_4K, start, end)

/* Every entry that can exist in the table: up to the first frame that the root does not map. */
#define for_each_tdp_pte_min_level_all(iter, root, min_level) \
	for (tdp_iter_start(&iter, root, min_level, 0, 0);    \
	     iter.valid && iter.gfn < tdp_mmu_max_gfn_exclusive(root); tdp_iter_next(&iter))

static inline gfn_t tdp_mmu_max_gfn_exclusive(const struct kvm_mmu_page *root)
{
	return (gfn_t)1 << (SPTE_LEVEL_BITS * root->role.level);
}

#endif
