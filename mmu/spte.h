/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bits of an SPTE and the questions that are asked of one; the same format for the direct and
 * the mirror table. Making SPTEs is in spte.c, changing them in a table is tdp_mmu.c's business
 * alone. What the module's own entries look like is not here: KVM never reads an S-EPT page
 * (kvm-port.md 1).
 */
#ifndef KVM_X86_MMU_SPTE_H
#define KVM_X86_MMU_SPTE_H

#include <linux/kvm_host.h>

#include "mmu/mmu_internal.h"

/*
 * Layout (EPT):
 *
 *   63   62..52      51..............12   11   10  9  8  7  6  5..3  2 1 0
 *   SVE  software    pfn                  MMU      D  A  PS IP MT    X W R
 *
 * MMU is the one bit that says "present" to KVM; hardware looks at RWX.
 */
#define SPTE_MMU_PRESENT_MASK	BIT_ULL(11)
#define SPTE_BASE_ADDR_MASK	GENMASK_ULL(51, 12)
#define PT_PAGE_SIZE_MASK	BIT_ULL(7)
#define VMX_EPT_READABLE_MASK	BIT_ULL(0)
#define VMX_EPT_WRITABLE_MASK	BIT_ULL(1)
#define VMX_EPT_EXECUTABLE_MASK BIT_ULL(2)
#define VMX_EPT_RWX_MASK	GENMASK_ULL(2, 0)
#define VMX_EPT_MT_WB		(6ULL << 3)
#define VMX_EPT_IPAT_BIT	BIT_ULL(6)
#define VMX_EPT_ACCESS_BIT	BIT_ULL(8)
#define VMX_EPT_DIRTY_BIT	BIT_ULL(9)
#define VMX_EPT_SUPPRESS_VE_BIT BIT_ULL(63)

#define ACC_EXEC_MASK  1U
#define ACC_WRITE_MASK 2U
#define ACC_USER_MASK  4U
#define ACC_ALL	       (ACC_EXEC_MASK | ACC_WRITE_MASK | ACC_USER_MASK)

/* Not present, and no hardware #VE for it: with TDX on the host every empty entry must say so. */
#define SHADOW_NONPRESENT_VALUE VMX_EPT_SUPPRESS_VE_BIT

/*
 * Somebody is changing this entry under read mmu_lock: not present, no RWX, no pfn, no A/D.
 * The value since October 2024 (0x5a0 before).
 */
#define FROZEN_SPTE (SHADOW_NONPRESENT_VALUE | 0x498ULL)
_Static_assert(!(FROZEN_SPTE & SPTE_MMU_PRESENT_MASK), "a frozen SPTE is not present");
_Static_assert(!(FROZEN_SPTE & VMX_EPT_RWX_MASK), "hardware must not follow a frozen SPTE");

#define SPTE_LEVEL_BITS	  9
#define SPTE_ENT_PER_PAGE 512
/* Index of a gfn's entry in a table of that level. */
#define SPTE_INDEX(gfn, level) \
	((u32)(((gfn) >> (((level)-1) * SPTE_LEVEL_BITS)) & (SPTE_ENT_PER_PAGE - 1)))

static inline bool is_frozen_spte(u64 spte)
{
	return spte == FROZEN_SPTE;
}

static inline bool is_shadow_present_pte(u64 spte)
{
	return spte & SPTE_MMU_PRESENT_MASK;
}

static inline bool is_large_pte(u64 spte)
{
	return spte & PT_PAGE_SIZE_MASK;
}

/* Whether a present entry of that level maps memory, not a table. */
static inline bool is_last_spte(u64 spte, int level)
{
	return level == PG_LEVEL_4K || is_large_pte(spte);
}

/*
 * The MMIO value of a TD is 0: an MMIO access must become a #VE in the guest, which needs SVE
 * clear.
 */
static inline bool is_mmio_spte(u64 spte)
{
	return !is_shadow_present_pte(spte) && !(spte & VMX_EPT_SUPPRESS_VE_BIT);
}

static inline kvm_pfn_t spte_to_pfn(u64 spte)
{
	return (spte & SPTE_BASE_ADDR_MASK) >> PAGE_SHIFT;
}

static inline bool is_writable_pte(u64 spte)
{
	return spte & VMX_EPT_WRITABLE_MASK;
}

static inline bool is_executable_pte(u64 spte)
{
	return spte & VMX_EPT_EXECUTABLE_MASK;
}

/* Whether the access of @fault is allowed by a present leaf. */
static inline bool is_access_allowed(const struct kvm_page_fault *fault, u64 spte)
{
	if (fault->exec)
		return is_executable_pte(spte);
	if (fault->write)
		return is_writable_pte(spte);
	return spte & VMX_EPT_READABLE_MASK;
}

/* From an SPTE, or from the place of one, to the page that describes the table. */
struct kvm_mmu_page *spte_to_child_sp(u64 spte);
struct kvm_mmu_page *sptep_to_sp(const u64 *sptep);
struct kvm_mmu_page *root_to_sp(hpa_t root);
u64 *spte_to_child_pt(u64 spte, int level);

/*
 * make_spte - a leaf of the level of @sp that maps @pfn. @pte_access: ACC_*; @host_writable:
 * userspace's slot is not read-only. Shorter than the kernel's: nothing tracks writes here, so no
 * SPTE is ever made read-only for that.
 */
u64 make_spte(struct kvm_mmu_page *sp, unsigned int pte_access, kvm_pfn_t pfn, bool prefetch,
	      bool host_writable);
/* Entry @index of the table that replaces the leaf @huge_spte; @role is the new table's. */
u64 make_small_spte(struct kvm *kvm, u64 huge_spte, union kvm_mmu_page_role role, int index);
u64 make_nonleaf_spte(u64 *child_pt, bool ad_disabled);

#endif
