// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walking one path of a table.
 */
#include "tdp_iter.h"

void tdp_iter_walk(struct tdp_iter *iter, struct kvm_mmu_page *root, gfn_t gfn, int min_level)
{
	u64 *pt = root->spt;

	for (iter->level = root->role.level;; iter->level--) {
		iter->sptep = rcu_dereference(pt) + ((gfn >> ((iter->level - 1) * 9)) & 511);
		iter->old_spte = READ_ONCE(*iter->sptep);
		iter->gfn = gfn & -KVM_PAGES_PER_HPAGE(iter->level);
		if (iter->level == min_level || !is_shadow_present_pte(iter->old_spte) ||
		    is_last_spte(iter->old_spte, iter->level))
			return;
		pt = __va(iter->old_spte & SPTE_BASE_ADDR_MASK);
	}
}
