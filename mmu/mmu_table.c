// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table as those see it who only look: where its entries are, and what one says. The one place
 * that knows the format for them, so that the tables of a user's kernel tree can stand in
 * (compat/tree/). Walking is mmu_look.c's.
 */
#include "mmu/mmu.h"

#include "mmu/tdp_mmu.h"

struct kvm_mmu_table kvm_mmu_root_table(const struct kvm *kvm, bool mirror)
{
	const struct kvm_mmu_page *root = tdp_mmu_find_root(kvm, mirror);

	if (!root)
		return (struct kvm_mmu_table){0};
	return (struct kvm_mmu_table){
		.entries = root->spt,
		.level = root->role.level,
		.index_bits = mirror ? 0 : kvm_gfn_direct_bits(kvm),
	};
}

struct kvm_mmu_entry kvm_mmu_read_entry(const struct kvm *kvm, bool mirror, u64 spte, int level)
{
	struct kvm_mmu_entry e = {
		.present = is_shadow_present_pte(spte),
		.frozen = is_frozen_spte(spte),
	};

	if (!e.present)
		return e;

	e.leaf = is_last_spte(spte, level);
	e.writable = is_writable_pte(spte);
	e.pfn = spte_to_pfn(spte);
	e.child = spte_to_child_pt(spte, level);
	if (e.child && mirror) {
		const struct kvm_mmu_page *child = spte_to_child_sp(spte);

		e.pfn = child->external_spt ? PHYS_PFN(__pa(child->external_spt)) : 0;
	}
	return e;
}
