/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the MMU share: the page that describes a table, the fault on its way, its
 * results. Structures that the rest of KVM sees are in <linux/kvm_host.h>; entry points for it are
 * in mmu/mmu.h.
 *
 * Invariants of a kvm_mmu_page (kvm-port.md 1):
 *  - is_mirror says that an S-EPT page stands at the same place; external_spt is that page, NULL
 *    for a root.
 *  - A child has its parent's role with level - 1.
 *  - It is linked at ptep from tdp_mmu_link_sp() until handle_removed_pt(), then freed after a
 *    grace period.
 */
#ifndef KVM_X86_MMU_INTERNAL_H
#define KVM_X86_MMU_INTERNAL_H

#include <linux/kvm_host.h>

#define PT64_ROOT_MAX_LEVEL 5

/* The place of an SPTE; RCU, or the write lock, keeps the table that it is in. */
typedef u64 __rcu *tdp_ptep_t;

/* Two roots with equal words are interchangeable: kvm_tdp_mmu_alloc_root() reuses by that. */
union kvm_mmu_page_role {
	u32 word;
	struct {
		unsigned level : 4;
		unsigned direct : 1;
		unsigned access : 3;
		unsigned invalid : 1;
		unsigned ad_disabled : 1;
		unsigned is_mirror : 1;
		unsigned smm : 8;
	};
};
_Static_assert(sizeof(union kvm_mmu_page_role) == sizeof(u32), "roles are compared as one word");

struct kvm_mmu_page {
	struct list_head link; /* of a root: in kvm->arch.tdp_mmu_roots */
	union kvm_mmu_page_role role;
	bool nx_huge_page_disallowed;
	bool tdp_mmu_scheduled_root_to_zap; /* invalid, and the TDP MMU still has its reference */
	gfn_t gfn;			    /* first frame that the table can map */
	u64 *spt;
	void *external_spt; /* S-EPT page; KVM neither reads nor writes it */
	void *split_cache; /* what its own link will draw (split_cache=vcpu), the vendor's; else NULL */
	tdp_ptep_t ptep; /* parent entry, NULL for a root or an unlinked page */
	refcount_t tdp_mmu_root_count;
	struct rcu_head rcu_head;
};

static inline bool is_mirror_sp(const struct kvm_mmu_page *sp)
{
	return sp->role.is_mirror;
}

static inline int kvm_mmu_page_as_id(const struct kvm_mmu_page *sp)
{
	return sp->role.smm;
}

/* Outcome of a fault. 0 and above stay in KVM, a negative errno goes to userspace. */
enum {
	RET_PF_CONTINUE = 0, /* so far nothing stops it */
	RET_PF_RETRY,	     /* let the guest, or a loop above, fault again */
	RET_PF_EMULATE,
	RET_PF_WRITE_PROTECTED,
	RET_PF_INVALID,
	RET_PF_FIXED,	 /* this fault installed the mapping */
	RET_PF_SPURIOUS, /* somebody else had, before us */
};

struct kvm_page_fault {
	/* as the caller sets them */
	gpa_t addr; /* with the shared bit as in the access */
	u64 error_code;
	bool prefetch;
	bool exec;
	bool write;
	bool is_private;
	bool nx_huge_page_workaround_enabled;
	bool huge_page_disallowed;

	u8 max_level;  /* what the pfn's source allows */
	u8 req_level;  /* what everything but the NX workaround allows */
	u8 goal_level; /* what will be mapped, unless a table is in the way */

	gfn_t gfn; /* without the shared bit */
	struct kvm_memory_slot *slot;

	/* filled by kvm_mmu_faultin_pfn() */
	unsigned long mmu_seq;
	kvm_pfn_t pfn;
	struct page *refcounted_page;
	bool map_writable;
};

/* Kinds of roots, for walks over more than one. */
enum kvm_tdp_mmu_root_types {
	KVM_INVALID_ROOTS = BIT(0),
	KVM_DIRECT_ROOTS = BIT(1),
	KVM_MIRROR_ROOTS = BIT(2),
	KVM_VALID_ROOTS = KVM_DIRECT_ROOTS | KVM_MIRROR_ROOTS,
	KVM_ALL_ROOTS = KVM_VALID_ROOTS | KVM_INVALID_ROOTS,
};

static inline gfn_t kvm_gfn_direct_bits(const struct kvm *kvm)
{
	return kvm->arch.gfn_direct_bits;
}

/* Whether the address selects the direct (shared) table: always without a shared bit. */
static inline bool kvm_is_addr_direct(const struct kvm *kvm, gpa_t gpa)
{
	const gpa_t bits = gfn_to_gpa(kvm_gfn_direct_bits(kvm));

	return !bits || (gpa & bits);
}

static inline gfn_t kvm_gfn_root_bits(const struct kvm *kvm, const struct kvm_mmu_page *root)
{
	return is_mirror_sp(root) ? 0 : kvm_gfn_direct_bits(kvm);
}

static inline gfn_t gfn_round_for_level(gfn_t gfn, int level)
{
	return gfn & -(gfn_t)KVM_PAGES_PER_HPAGE(level);
}

/* Descriptors of table pages (mmu.c). */
extern const struct kmem_cache mmu_page_header_cache;

static inline struct kvm_mmu_page *to_shadow_page(hpa_t shadow_page)
{
	return (struct kvm_mmu_page *)page_private(pfn_to_page(shadow_page >> PAGE_SHIFT));
}

/* Fill the vCPU's caches for one fault; sleeps, -ENOMEM. (mmu.c) */
int mmu_topup_memory_caches(struct kvm_vcpu *vcpu);
/* Whether the walk towards @gfn ends at an entry that somebody has frozen. No lock. (mmu_look.c) */
bool kvm_mmu_gfn_frozen(const struct kvm *kvm, bool mirror, gfn_t gfn);

/*
 * For those who only look (mmu_table.c): the valid root's table, without entries if there is none,
 * and what an entry of it says. No lock, no point.
 */
struct kvm_mmu_table {
	const u64 *entries;
	int level;
	gfn_t index_bits; /* to be added to a gfn before it is an index */
};
struct kvm_mmu_entry {
	bool present, frozen, leaf, writable;
	kvm_pfn_t pfn;	  /* leaf: of the page; table: of its S-EPT page (mirror) or of the table */
	const u64 *child; /* table: its entries; NULL for anything else */
};
struct kvm_mmu_table kvm_mmu_root_table(const struct kvm *kvm, bool mirror);
struct kvm_mmu_entry kvm_mmu_read_entry(const struct kvm *kvm, bool mirror, u64 spte, int level);

/* mmu_level.c; mmu_lock held either way */
void kvm_mmu_hugepage_adjust(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);
void disallowed_hugepage_adjust(struct kvm_page_fault *fault, u64 spte, int cur_level);
int kvm_mmu_max_mapping_level(struct kvm *kvm, struct kvm_page_fault *fault,
			      const struct kvm_memory_slot *slot, gfn_t gfn);

#endif
