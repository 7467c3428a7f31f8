/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest_memfd as userspace and the lab see it: files, conversion, holes, host mappings, pins,
 * memory failure. What KVM calls of it (kvm_gmem_get_pfn() and its kin) is declared in
 * <linux/kvm_host.h>, as in the kernel. Policies P1 to P23 of gmem.md are a table like KVM's
 * (mmu/policy.h).
 *
 * Conventions: offset and size in bytes of the file; index in 4 KiB pages; 0 or negative errno.
 * Callers hold no lock; all may sleep.
 */
#ifndef GMEM_GMEM_H
#define GMEM_GMEM_H

#include "mmu/policy.h"
#include "sim/rt/types.h"

struct kvm;
struct kvm_gmem_file;

enum gmem_backing {
	GMEM_4K, /* buddy pages */
	GMEM_THP_2M,
	GMEM_HUGETLB_2M,
	GMEM_HUGETLB_1G,
};

extern const struct policy_desc
	gmem_policies[]; /* ends with key NULL; keys "conv_order" (P1), "size_rule" (P2) ... */
#define GMEM_POLICIES_MAX 32

/*
 * A named bundle of values ("SEAN_2026"): fills policy[]; false if the name is unknown.
 * gmem_profile_name(i) lists, NULL ends.
 */
bool gmem_profile(const char *name, u8 policy[GMEM_POLICIES_MAX]);
const char *gmem_profile_name(u32 i);

struct gmem_setup {
	const char *name; /* "g0" */
	u64 size;
	enum gmem_backing backing;
	bool hvo;
	bool init_shared;   /* GUEST_MEMFD_FLAG_INIT_SHARED */
	bool no_direct_map; /* a VM with private memory is refused: TDX flushes by kernel address */
	u8 policy[GMEM_POLICIES_MAX];
};

/* KVM_CREATE_GUEST_MEMFD: checks of gmem.md 1 "Creation". */
int kvm_gmem_create(struct kvm *kvm, const struct gmem_setup *setup, struct kvm_gmem_file **file);
/*
 * Another VM's file on the inode of @of. The ioctl for it is only proposed (gmem.md 1), so no
 * scenario has it; what loops over files is tested by it. Keep one page out of two S-EPTs.
 */
struct kvm_gmem_file *kvm_gmem_link(struct kvm *kvm, struct kvm_gmem_file *of);
/* Last close: release (gmem.md 2.11). The memory goes when no file is left on the inode. */
void kvm_gmem_release(struct kvm_gmem_file *file);
const char *kvm_gmem_name(const struct kvm_gmem_file *file);
const struct gmem_setup *kvm_gmem_setup(const struct kvm_gmem_file *file);

/* KVM_SET_MEMORY_ATTRIBUTES2 (gmem.md 2.6). @attributes: KVM_MEMORY_ATTRIBUTE_PRIVATE or 0. */
int kvm_gmem_set_attributes(struct kvm_gmem_file *file, u64 offset, u64 size, u64 attributes,
			    u64 *error_offset);
/* fallocate(PUNCH_HOLE | KEEP_SIZE) and fallocate(KEEP_SIZE). */
int kvm_gmem_punch_hole(struct kvm_gmem_file *file, u64 offset, u64 size);
int kvm_gmem_allocate(struct kvm_gmem_file *file, u64 offset, u64 size);

/*
 * Host userspace mapping of the file: one 8-byte access at @offset. -EFAULT stands for SIGBUS
 * (EACCES inside).
 */
int kvm_gmem_host_read(struct kvm_gmem_file *file, u64 offset, u64 *val);
int kvm_gmem_host_write(struct kvm_gmem_file *file, u64 offset, u64 val);
/* Long-term GUP pins (VFIO). Pinning faults the pages in like a host access. */
int kvm_gmem_pin(struct kvm_gmem_file *file, u64 offset, u64 size);
int kvm_gmem_unpin(struct kvm_gmem_file *file, u64 offset, u64 size);
/*
 * An unexpected reference on the page at @offset; -ENOENT if no folio covers it. The first two
 * values are those of a bool "transient". A pin ends with kvm_gmem_unpin() or
 * kvm_gmem_put_strays(), the others by themselves.
 */
enum gmem_stray {
	GMEM_STRAY_PIN,	      /* for good: GUP pin, IOMMU */
	GMEM_STRAY_TRANSIENT, /* speculative: one check or spin meets it, then it goes */
	GMEM_STRAY_LRU,	      /* per-CPU lru_add batch: goes at the next drain */
};
int kvm_gmem_stray_ref(struct kvm_gmem_file *file, u64 offset, enum gmem_stray kind);
/*
 * Everybody who holds a reference beyond the life of its inode lets go: the memory returns to the
 * host (I13 after settling).
 */
void kvm_gmem_put_strays(void);
/* Migration of the folio at @offset: never possible, a warning and -EINVAL (gmem.md 2.10). */
int kvm_gmem_migrate_folio(struct kvm_gmem_file *file, u64 offset);
/* Memory failure at @offset (gmem.md 2.9): -EHWPOISON path of error_folio. */
int kvm_gmem_memory_failure(struct kvm_gmem_file *file, u64 offset);

/* --- looking inside; no lock, no change ---------------------------------------------- */

struct gmem_folio_view {
	u64 index; /* of the head */
	u64 pfn;
	u8 order; /* 0, 9, 18 */
	u32 refcount;
	bool hwpoison, uptodate, frozen, hugetlb;
	u8 original_order;
	bool hvo; /* its vmemmap is given back but for one page */
};
bool kvm_gmem_look_folio(const struct kvm_gmem_file *file, u64 index, struct gmem_folio_view *v);
/* Whether a page of [index, index + nr) is poisoned. */
bool kvm_gmem_look_poisoned(const struct kvm_gmem_file *file, u64 index, u64 nr);
void kvm_gmem_for_each_folio(const struct kvm_gmem_file *file, u64 index, u64 nr,
			     bool (*fn)(void *ctx, const struct gmem_folio_view *v), void *ctx);
/* Neighbouring folios that are alike and contiguous: pages [index, index + nr) at pfn. */
struct gmem_extent_view {
	u64 index, nr, pfn;
	u8 order, original_order;
	bool frozen;
};
bool kvm_gmem_look_extent(const struct kvm_gmem_file *file, u64 index, struct gmem_extent_view *v);
void kvm_gmem_for_each_extent(const struct kvm_gmem_file *file,
			      bool (*fn)(void *ctx, const struct gmem_extent_view *v), void *ctx);
/* Whether a page of [index, index + nr) sits in an lru_add batch, which a drain would empty. */
bool kvm_gmem_look_batched(const struct kvm_gmem_file *file, u64 index, u64 nr);
/*
 * Whether nothing stands against the whole block of the file's page size at @index being one folio:
 * all there, private, of one block of the allocator, not poisoned, and nobody holds a part (I18).
 */
bool kvm_gmem_look_block_mergeable(const struct kvm_gmem_file *file, u64 index);
bool kvm_gmem_look_private(const struct kvm_gmem_file *file, u64 index);
/* Ranges of equal attribute, ascending, over the whole file. */
void kvm_gmem_for_each_attr(const struct kvm_gmem_file *file,
			    bool (*fn)(void *ctx, u64 index, u64 nr, bool private_), void *ctx);
/* Host mappings that exist now, then those of an IOMMU that hold no reference (P8). */
void kvm_gmem_for_each_host_map(const struct kvm_gmem_file *file,
				bool (*fn)(void *ctx, u64 index, u64 pfn), void *ctx);
u32 kvm_gmem_invalidating(const struct kvm_gmem_file *file); /* calls between begin and end */
/*
 * How many pages from @index on lie one behind the other in host memory, in one block; *@pfn is the
 * first. 0 if there is none.
 */
u64 kvm_gmem_look_run(const struct kvm_gmem_file *file, u64 index, u64 *pfn);
/* The largest order that may be mapped at @index now, by the size rule (I6). */
u8 kvm_gmem_look_max_order(const struct kvm_gmem_file *file, u64 index);
/*
 * page_folio(): the folio that host page @pfn belongs to; false if guest_memfd does not own it. Any
 * inode.
 */
bool kvm_gmem_page_folio(u64 pfn, u64 *head_pfn, int *order);
/*
 * HugeTLB pages that are set aside for files and not in use; pages lost to memory failure; pages
 * whose references outlived them.
 */
u64 kvm_gmem_reserved(void);
u64 kvm_gmem_orphans(void);

#define GMEM_STATS(X)                                                                             \
	X(ALLOCS_TREE, "allocs.tree", "attribute tree nodes preallocated")                        \
	X(ALLOCS_FILEMAP, "allocs.filemap-node", "filemap tree nodes for folio splits")           \
	X(ALLOCS_VMEMMAP, "allocs.vmemmap", "vmemmap pages to undo HVO")                          \
	X(FAILED_UNMAPPED, "failed_unmapped", "pages unmapped though the call failed")            \
	X(SMALL_FOLIO_LEAVES, "small_folio_leaves", "mirror leaves larger than their folio, now") \
	X(SPINS, "spins", "freeze iterations that waited")                                        \
	X(CONVERSIONS, "conversions", "conversion calls that succeeded")                          \
	X(FOLIO_SPLITS, "folio_splits", "folios split")                                           \
	X(FOLIO_MERGES, "folio_merges", "blocks merged")                                          \
	X(MERGES_REFUSED, "merges_refused", "blocks left in pieces, because somebody held one")   \
	X(IOMMU_UNMAPS, "iommu_unmaps", "IOMMU mappings that went because they were told to")     \
	X(RETIRED, "retired_pages", "pages lost to memory failure, never given back")             \
	X(INVAL_LOCK_CYCLES, "invalidate_lock_cycles",                                            \
	  "cycles for which invalidate_lock, or a range of it, was held exclusively")
enum gmem_stat {
#define GMEM_STAT_ENUM(id, name, text) GMEM_STAT_##id,
	GMEM_STATS(GMEM_STAT_ENUM)
#undef GMEM_STAT_ENUM
	GMEM_STAT_NR
};
u64 kvm_gmem_stat(enum gmem_stat st);
/* Where the statistics are: @fn gets each range. */
void kvm_gmem_for_each_counter(void (*fn)(void *ctx, const void *p, size_t len), void *ctx);

/*
 * KVM's spelling of a gmem policy value ("size_rule=CONTIG" is "size_rule=contiguity"): one switch
 * under two names; the rows that only KVM branches on (P10, P15, P16) are in its table alone. Ends
 * with gmem_key NULL.
 */
struct gmem_alias {
	const char *gmem_key, *gmem_value, *kvm_key, *kvm_value;
};
extern const struct gmem_alias gmem_aliases[];

/*
 * Fault sites, key 0: "attr-alloc", "filemap-alloc", "vmemmap-alloc", "folio-alloc",
 * "metadata-alloc", "copy-out" (error_offset cannot be written: -EFAULT), "ref-check" (a check of
 * references, or a freeze, meets one that nobody expected; it is gone afterwards).
 */

#endif
