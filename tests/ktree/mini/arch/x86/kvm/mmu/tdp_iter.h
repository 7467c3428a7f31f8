/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a walk towards a gfn ends.
 */
#ifndef MINI_TDP_ITER_H
#define MINI_TDP_ITER_H

#include "spte.h"

struct tdp_iter {
	u64 *sptep;
	u64 old_spte;
	int level;
	gfn_t gfn;
};

/* From the root to the entry of @gfn that is no table, or that is of @min_level. RCU. */
void tdp_iter_walk(struct tdp_iter *iter, struct kvm_mmu_page *root, gfn_t gfn, int min_level);

#endif
