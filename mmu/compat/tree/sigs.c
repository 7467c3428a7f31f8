// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which form each prototype of the tree has. tools/ktree compiles this to assembler and reads the
 * comments: "KTREE group form 0|1". Of a group marked "!" one form must be the tree's, or the
 * adapters do not fit; of the others none may be. Only names that occur in the tree's headers are
 * asked for (HAVE_*), so that the compiler knows them all.
 */
#include "kernel/kern.h"

#define ASK(group, form, is) \
	asm volatile("# KTREE " group " " form " %c0" : : "i"(__builtin_types_compatible_p is))
#define FN(fn, ret, ...) (typeof(&fn), ret (*)(__VA_ARGS__))

void ktree_sigs(void);
void ktree_sigs(void)
{
	ASK("!kvm_mmu_init_tdp_mmu", "-", FN(kvm_mmu_init_tdp_mmu, void, struct kvm *));
	ASK("!kvm_mmu_uninit_tdp_mmu", "-", FN(kvm_mmu_uninit_tdp_mmu, void, struct kvm *));
	ASK("!kvm_tdp_mmu_alloc_root", "SIG_ALLOC_ROOT_MIRROR",
	    FN(kvm_tdp_mmu_alloc_root, void, struct kvm_vcpu *, bool));
	ASK("!kvm_tdp_mmu_alloc_root", "-", FN(kvm_tdp_mmu_alloc_root, int, struct kvm_vcpu *));
	ASK("!kvm_tdp_mmu_put_root", "-",
	    FN(kvm_tdp_mmu_put_root, void, struct kvm *, struct kvm_mmu_page *));
	ASK("!kvm_tdp_mmu_map", "-",
	    FN(kvm_tdp_mmu_map, int, struct kvm_vcpu *, struct kvm_page_fault *));
	ASK("!kvm_tdp_mmu_unmap_gfn_range", "-",
	    FN(kvm_tdp_mmu_unmap_gfn_range, bool, struct kvm *, struct kvm_gfn_range *, bool));
	ASK("!kvm_mmu_set_ept_masks", "SIG_SET_EPT_MASKS_2",
	    FN(kvm_mmu_set_ept_masks, void, bool, bool));
	ASK("!kvm_mmu_set_ept_masks", "-", FN(kvm_mmu_set_ept_masks, void, bool));
#ifdef HAVE_kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs
	ASK("kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs", "SIG_SPLIT_CROSS_BOUNDARY",
	    FN(kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs, int, struct kvm *,
	       struct kvm_gfn_range *, bool));
#endif
#ifdef HAVE_kvm_tdp_mmu_mirrors_split_huge_pages
	ASK("kvm_tdp_mmu_mirrors_split_huge_pages", "SIG_MIRRORS_SPLIT",
	    FN(kvm_tdp_mmu_mirrors_split_huge_pages, int, struct kvm *, gfn_t, gfn_t, int));
#endif
}
