/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of guest_memfd: inodes, files, folios as extents, page records, attribute tree, and
 * what each room offers the others. Only gmem's own .c files and tests/gmem include it; everybody
 * else sees gmem/gmem.h and <linux/kvm_host.h>. Locks, outer first (gmem.md 1): slots_lock,
 * invalidate_lock, what KVM takes for itself, mmu_lock; the folio lock is inside invalidate_lock.
 */
#ifndef GMEM_INTERNAL_H
#define GMEM_INTERNAL_H

#include <assert.h>
#include <errno.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "gmem/gmem.h"
#include "gmem/policy.h"
#include "sim/rt/lock.h"
#include "sim/rt/types.h"

#ifndef __unused
#define __unused __attribute__((unused)) /* libbsd's tree.h expects BSD's */
#endif

struct kvm_memory_slot;

#define GMEM_SHIFT    12
#define GMEM_ORDER_2M 9
#define GMEM_ORDER_1G 18
#define GMEM_PAGES(o) (1ULL << (o))

static inline u64 gmem_round_down(u64 x, u8 order)
{
	return x & ~(GMEM_PAGES(order) - 1);
}

static inline u64 gmem_round_up(u64 x, u8 order)
{
	return gmem_round_down(x + GMEM_PAGES(order) - 1, order);
}

static inline u64 gmem_min(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 gmem_max(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* --- folios -------------------------------------------------------------------------- */

enum gmem_folio_flag {
	GMEM_F_UPTODATE = 1 << 0, /* zeroed once in its life in this inode */
	GMEM_F_HUGETLB = 1 << 1,  /* of HugeTLB in its present shape */
	GMEM_F_HVO = 1 << 2,	  /* all of its vmemmap but one page was given back */
	GMEM_F_FROZEN = 1 << 3,	  /* refcount moved to 0: its shape is being changed */
};

/*
 * Neighbouring folios that are alike and contiguous in index and pfn: one extent stands for nr >>
 * order folios. So a file costs what is touched, and a 1G folio in 262,144 fragments costs one
 * node. What is special about a single page (references, lock, poison) is in its struct gmem_page.
 * Invariants: extents of an inode are disjoint; index, nr and pfn are multiples of the folio's
 * size; two neighbours that could be one extent are one.
 */
struct gmem_extent {
	RB_ENTRY(gmem_extent) by_index; /* inode->filemap */
	RB_ENTRY(gmem_extent) by_pfn;	/* gmem->memory */
	struct gmem_inode *inode;
	u64 index, nr, pfn;
	u8 order;
	u8 orig_order; /* of the block as it came from the allocator */
	u8 flags;
};

/* One folio, by value: true until the next change of the filemap. */
struct gmem_folio {
	u64 index, pfn, nr;
	u8 order, orig_order, flags;
};

/* Who holds a reference beyond the filemap's own (gmem.md 1, "Other holders"). */
enum gmem_ref {
	GMEM_REF_LONGTERM = GMEM_STRAY_PIN,
	GMEM_REF_TRANSIENT = GMEM_STRAY_TRANSIENT,
	GMEM_REF_LRU = GMEM_STRAY_LRU,
	GMEM_REF_LOOKUP, /* in-flight fault, get_pfn or memory failure */
	GMEM_REF_NR
};

/*
 * What is special about one page, keyed by pfn; most pages have no record. A record that is an
 * orphan outlived its place in the filemap: the page is freed when the last reference goes.
 */
struct gmem_page {
	RB_ENTRY(gmem_page) by_pfn;
	u64 pfn, index;
	struct gmem_inode *inode; /* NULL once the inode is gone */
	u32 refs[GMEM_REF_NR];
	u32 lock_owner; /* actor that holds the folio lock; only on a folio's head */
	u8 orig_order;
	bool locked, hwpoison, orphan, hugetlb;
	bool failing;	 /* memory failure holds a reference and waits for invalidate_lock */
	bool zap_failed; /* the module still has it: nobody else may (P10 ERROR_LIST) */
	bool met;	 /* a check or a spin saw its transient references */
};

/*
 * A HugeTLB block some fragments of which were freed: it goes back when all are (gmem.md 2.5,
 * "Freed fragments").
 */
struct gmem_partial {
	RB_ENTRY(gmem_partial) by_pfn;
	u64 pfn, waiting;
	u8 order;
	bool poisoned;
};

/* A HugeTLB block that waits for the work item which restores it (P "free_work"). */
struct gmem_freed {
	TAILQ_ENTRY(gmem_freed) link;
	struct gmem_inode *inode; /* NULL once the inode is gone */
	u64 pfn;
	u8 order;
	bool poisoned, ripe; /* ripe: the call that freed it has returned */
};
TAILQ_HEAD(gmem_freed_list, gmem_freed);

/* A leaf that the module would not give up, as KVM told it under mmu_lock (P10). */
struct gmem_zap_failure {
	TAILQ_ENTRY(gmem_zap_failure) link;
	u64 pfn, nr;
};
TAILQ_HEAD(gmem_zap_failures, gmem_zap_failure);

RB_HEAD(gmem_filemap, gmem_extent);
RB_HEAD(gmem_memory, gmem_extent);
RB_HEAD(gmem_pages, gmem_page);
RB_HEAD(gmem_partials, gmem_partial);

/* --- attributes ---------------------------------------------------------------------- */

/* Invariants: ranges cover [0, size) without a gap; neighbours differ in value. */
struct gmem_attr {
	RB_ENTRY(gmem_attr) node;
	u64 start, last, value;
};
RB_HEAD(gmem_attrs, gmem_attr);

#define GMEM_ATTR_NODES 2 /* a store inside one range makes three of it */

struct gmem_attr_prealloc {
	struct gmem_attr *node[GMEM_ATTR_NODES];
	u32 nr;
};

/* --- inodes and files ---------------------------------------------------------------- */

struct gmem_host_map {
	RB_ENTRY(gmem_host_map) node;
	u64 index, pfn;
	u32 pins; /* of the IOMMU, that have no unpin yet */
};
RB_HEAD(gmem_host_maps, gmem_host_map);

struct gmem_binding {
	TAILQ_ENTRY(gmem_binding) link;
	u64 index, nr;
	struct kvm_memory_slot *slot;
};
TAILQ_HEAD(gmem_bindings, gmem_binding);

struct kvm_gmem_file {
	TAILQ_ENTRY(kvm_gmem_file) link; /* inode->files */
	struct gmem_inode *inode;
	struct kvm *kvm;
	struct gmem_bindings
		bindings; /* by index; changed under invalidate_lock held exclusively */
	u32 invalidating; /* begins without an end */
	u32 users;	  /* faults that hold a reference to the file */
	bool closing;	  /* the last descriptor is closed: no new users */
};
TAILQ_HEAD(gmem_files, kvm_gmem_file);

/* Part of a file that somebody works on (P19 INDEX_RANGE): [start, end). */
struct gmem_range {
	TAILQ_ENTRY(gmem_range) link;
	u64 start, end;
	u64 since; /* cycles when it was taken */
	bool exclusive;
};
TAILQ_HEAD(gmem_ranges, gmem_range);

struct gmem_inode {
	TAILQ_ENTRY(gmem_inode) link; /* gmem->inodes */
	struct gmem_setup setup;
	char name[32];
	u64 nr_pages;
	u8 page_order; /* as asked for at creation: never changes */
	u8 max_order;  /* of the largest folio that may occur: page_order, or 9 for THP */
	struct rt_lock invalidate_lock;
	struct rt_lock iommu_lock; /* VFIO's, around each pin and unpin: before invalidate_lock */
	struct gmem_ranges ranges; /* held; empty under P19 INODE */
	struct gmem_attrs attrs;
	struct gmem_filemap filemap;
	struct gmem_host_maps host_maps;
	struct gmem_host_maps iommu_maps;      /* pins without a reference (P8 NOREF_NOTIFIED) */
	struct gmem_zap_failures zap_failures; /* not yet acted on */
	u32 converting;	   /* conversions under way: more than one only under P19 INDEX_RANGE */
	u64 vmemmap_spare; /* allocated ahead for the running conversion (P4 ON_PREALLOC) */
	/* A store is half done: entries of [hole_start, hole_last] are missing (P11 RCU_UNSAFE). */
	bool attr_hole;
	u64 hole_start, hole_last;
	u64 reserved; /* HugeTLB pages set aside and not in use */
	struct gmem_files files;
};
TAILQ_HEAD(gmem_inodes, gmem_inode);

/* Everything of this floor; root 1 of the world. */
struct gmem {
	struct gmem_inodes inodes;
	struct gmem_memory memory;
	struct gmem_pages pages;
	struct gmem_partials partials;
	struct gmem_freed_list freed;
	u64 reserved; /* sum over inodes */
	u64 stat[GMEM_STAT_NR];
};

struct gmem *gmem_get(void); /* made when first asked for */
void gmem_count(enum gmem_stat st, u64 n);

/* --- policy.c ------------------------------------------------------------------------ */

static inline u8 gmem_policy(const struct gmem_inode *inode, enum gmem_policy p)
{
	return inode->setup.policy[p];
}

/* --- lock.c -------------------------------------------------------------------------- */

/*
 * invalidate_lock as P19 scopes it, for [start, start + nr) in enum rt_lock_mode. Everything below
 * says "invalidate_lock" for either.
 */
void gmem_lock_range(struct gmem_inode *inode, u64 start, u64 nr, enum rt_lock_mode mode);
void gmem_unlock_range(struct gmem_inode *inode, u64 start, u64 nr, enum rt_lock_mode mode);
/* Held so that attributes and shapes may change; for assertions. */
bool gmem_locked_ex(const struct gmem_inode *inode);

/* --- attr.c -------------------------------------------------------------------------- */

void gmem_attr_init(struct gmem_inode *inode, u64 value);
void gmem_attr_destroy(struct gmem_inode *inode);
const struct gmem_attr *gmem_attr_at(const struct gmem_inode *inode, u64 index);
bool gmem_is_private(const struct gmem_inode *inode, u64 index);
/* The same as a fault reads it, without invalidate_lock, in the way of P11. May sleep. */
bool gmem_attr_read(struct gmem_inode *inode, u64 index);
/* Every index of [start, start + nr) has @value. */
bool gmem_attr_uniform(const struct gmem_inode *inode, u64 start, u64 nr, u64 value);
/* 0 or -ENOMEM (site "attr-alloc"); what the store leaves goes by gmem_attr_prealloc_free(). */
int gmem_attr_prealloc(const struct gmem_inode *inode, u64 start, u64 nr, u64 value,
		       struct gmem_attr_prealloc *pre);
void gmem_attr_prealloc_free(struct gmem_attr_prealloc *pre);
/* Cannot fail: uses @pre. invalidate_lock held exclusively. */
void gmem_attr_store(struct gmem_inode *inode, u64 start, u64 nr, u64 value,
		     struct gmem_attr_prealloc *pre);

/* --- filemap.c ----------------------------------------------------------------------- */

/* The folio that covers @index / the first one that reaches into [index, end). */
bool gmem_folio_at(const struct gmem_inode *inode, u64 index, struct gmem_folio *f);
bool gmem_folio_next(const struct gmem_inode *inode, u64 index, u64 end, struct gmem_folio *f);
/*
 * The first extent that reaches beyond @index, and the one after: for walks that must not cost one
 * step a folio.
 */
const struct gmem_extent *gmem_extent_from(const struct gmem_inode *inode, u64 index);
const struct gmem_extent *gmem_extent_next(const struct gmem_extent *e);
/* Where the extent that covers @index ends. */
u64 gmem_extent_end(const struct gmem_inode *inode, u64 index);
/* The extent that holds host page @pfn, in whatever inode; NULL. */
const struct gmem_extent *gmem_extent_of_pfn(u64 pfn);
void gmem_filemap_insert(struct gmem_inode *inode, const struct gmem_folio *f);
/*
 * Give what is in [index, index + nr) another shape; the range consists of whole folios of either
 * shape.
 */
void gmem_filemap_reshape(struct gmem_inode *inode, u64 index, u64 nr, u8 order, u8 flags);
void gmem_filemap_set_flags(struct gmem_inode *inode, u64 index, u64 nr, u8 set, u8 clear);
/* Take [index, index + nr) out; @fn gets each extent when it is out. */
void gmem_filemap_remove(struct gmem_inode *inode, u64 index, u64 nr,
			 void (*fn)(const struct gmem_extent *gone));

/* --- page.c: references, folio lock, poison ------------------------------------------ */

struct gmem_page *gmem_page_from(u64 pfn); /* first record at or above */
struct gmem_page *gmem_page_next(struct gmem_page *p);
void gmem_page_ref(const struct gmem_extent *e, u64 pfn, enum gmem_ref kind);
void gmem_page_unref(u64 pfn, enum gmem_ref kind);
/* Memory failure waits for invalidate_lock with a reference on the page (B16). */
void gmem_page_failing(u64 pfn, bool failing);
void gmem_page_poison(const struct gmem_extent *e, u64 pfn);
bool gmem_pages_poisoned(u64 pfn, u64 nr);
/*
 * Pages that the module still has after a failed zap: no host mapping, no reuse (P10 ERROR_LIST).
 */
void gmem_page_list_failed(const struct gmem_extent *e, u64 pfn);
bool gmem_pages_failed(u64 pfn, u64 nr);
/* References beyond the filemap's own, now. */
u64 gmem_pages_refs(u64 pfn, u64 nr);
/*
 * None, as a check sees it: transient ones are marked as met. *@at: first pfn that is unsafe (may
 * be NULL).
 */
bool gmem_pages_safe(u64 pfn, u64 nr, u64 *at);
void gmem_drain_lru(void);	   /* lru_add_drain_all() */
void gmem_settle_transients(void); /* holders of transient references that somebody met let go */
bool gmem_folio_lock(const struct gmem_folio *f);
void gmem_folio_unlock(u64 head_pfn);
/* Pages of a removed extent: freed, or orphaned where somebody holds a reference. */
void gmem_pages_release(const struct gmem_extent *gone);
/* The inode goes: orphans forget it. */
void gmem_pages_forget_inode(const struct gmem_inode *inode);

/* --- block.c: memory from and to the host -------------------------------------------- */

int gmem_reserve(struct gmem_inode *inode);
void gmem_unreserve(struct gmem_inode *inode);
/*
 * A folio for @index, as the backing makes them; 0 or -ENOMEM. Fills all of @f; not yet in the
 * filemap.
 */
int gmem_block_alloc(struct gmem_inode *inode, u64 index, struct gmem_folio *f);
/*
 * [pfn, pfn + nr), freed by whoever held it last, of blocks of @order. HugeTLB fragments wait for
 * their block (@fragments: smaller folios than that); one with a poisoned page is never used again.
 * @inode NULL: there is no reservation left to refill.
 */
void gmem_block_free(struct gmem_inode *inode, u64 pfn, u64 nr, u8 order, bool hugetlb,
		     bool fragments, bool poisoned);
void gmem_block_put(struct gmem_inode *inode, const struct gmem_folio *f);
/*
 * The work item that restores freed HugeTLB blocks runs between two calls: at the end of each,
 * those that the call before it has freed go back. @all: now. @inode: of it only, which is going.
 */
void gmem_free_work(const struct gmem_inode *inode, bool all);
/* The end of a call into guest_memfd: what only waited for it goes on. */
void gmem_call_ends(void);

/* --- folio.c: get, split, merge ------------------------------------------------------ */

/*
 * Locked, with a LOOKUP reference on @index's page; allocates. invalidate_lock held in either mode.
 */
int gmem_folio_get(struct gmem_inode *inode, u64 index, struct gmem_folio *f);
static inline u64 gmem_folio_pfn(const struct gmem_folio *f, u64 index)
{
	assert(index - f->index < f->nr);
	return f->pfn + (index - f->index);
}
/* Zero what was never zeroed in this inode; the range consists of whole folios, and they stay. */
void gmem_make_uptodate(struct gmem_inode *inode, u64 index, u64 nr);

/* --- restructure.c ------------------------------------------------------------------- */

/*
 * Make all of [start, end) 4K folios; P3 decides about the rest of a folio that reaches out of it.
 * -ENOMEM, -EAGAIN,
 * -EHWPOISON: folios before *@err_index stay split. Costs what is there.
 */
int gmem_range_split(struct gmem_inode *inode, u64 start, u64 end, u64 *err_index);
/*
 * The vmemmap pages that gmem_range_split() would take, ahead of it, so that it cannot fail for
 * lack of them (P4 ON_PREALLOC): 0 or -ENOMEM, with nothing kept. What is left goes by the second
 * call.
 */
int gmem_vmemmap_prealloc(struct gmem_inode *inode, u64 start, u64 end);
void gmem_vmemmap_put(struct gmem_inode *inode);
/* The block is all there, in order, and of one block of the allocator. */
bool gmem_block_whole(const struct gmem_inode *inode, u64 index, u64 nr);
/* References of TDX on pages that it maps (P7 HOLD_MAPPED). */
u64 gmem_tdx_refs(const struct gmem_inode *inode, u64 index, u64 nr);
/*
 * Merge the block of page_order at @index, if all of it is there. -EAGAIN: a fragment could not be
 * frozen.
 */
int gmem_block_merge(struct gmem_inode *inode, u64 index);

/* --- below.c: what guest_memfd asks of KVM, for all files and bound slots ------------ */

enum gmem_roots {
	GMEM_ROOTS_PRIVATE = 1,
	GMEM_ROOTS_SHARED = 2,
	GMEM_ROOTS_BOTH = 3
};

void gmem_kvm_begin(struct gmem_inode *inode, u64 start, u64 nr);
void gmem_kvm_end(struct gmem_inode *inode, u64 start, u64 nr);
/*
 * Every leaf with a part in the range. Fails only under P14 IN_ZAP, where it splits first what it
 * would cut: -errno, and slots in front of the one that failed are zapped. zap_whole() never splits.
 */
int gmem_kvm_zap(struct gmem_inode *inode, u64 start, u64 nr, enum gmem_roots roots);
void gmem_kvm_zap_whole(struct gmem_inode *inode, u64 start, u64 nr, enum gmem_roots roots);
/* B, Z of both kinds and N over all that one file shows: its end. */
void gmem_kvm_zap_file(struct kvm_gmem_file *file);
/* Split leaves that cross an end of the range, by P14; nothing under IN_ZAP. */
int gmem_kvm_split_ends(struct gmem_inode *inode, u64 start, u64 nr);
/* The arch hook, all files and slots. */
int gmem_kvm_convert_hook(struct gmem_inode *inode, u64 start, u64 nr, bool to_private);
/* Split every private leaf in the range down to @order (SEPT_FIRST). */
int gmem_kvm_split_to(struct gmem_inode *inode, u64 start, u64 nr, u8 order);
/*
 * BLOCK_ABORT: no vCPU reaches the private leaves of the range until they are zapped, or unblocked
 * with all that they held. 0, or -EIO when the module refused and the VM is gone.
 */
int gmem_kvm_block(struct gmem_inode *inode, u64 start, u64 nr);
int gmem_kvm_unblock(struct gmem_inode *inode, u64 start, u64 nr);
/* 4K pages of the range that private leaves map now. */
u64 gmem_kvm_mapped(const struct gmem_inode *inode, u64 start, u64 nr);
/*
 * An invalidation of its own of the shared leaves, as the MMU notifier does it when host mappings
 * go (P23).
 */
void gmem_kvm_notify_unmap(struct gmem_inode *inode, u64 start, u64 nr);

/* --- host.c -------------------------------------------------------------------------- */

void gmem_host_unmap(struct gmem_inode *inode, u64 start, u64 nr);
struct gmem_host_map *gmem_host_map_from(const struct gmem_inode *inode, u64 index);
struct gmem_host_map *gmem_host_map_next(struct gmem_host_map *m);
struct gmem_host_map *gmem_iommu_map_from(const struct gmem_inode *inode, u64 index);

/* --- size.c -------------------------------------------------------------------------- */

/* The largest order that may be mapped at @index, by P2. */
u8 gmem_max_order(const struct gmem_inode *inode, u64 index);

/* --- convert.c, flows.c -------------------------------------------------------------- */

/* One batch of a conversion; what the building blocks work on. */
struct gmem_convert {
	struct gmem_inode *inode;
	u64 start, nr;		   /* exactly what changes */
	u64 inval_start, inval_nr; /* what is invalidated (P22) */
	bool to_private;
	u64 value;
	u64 err_index;
	bool *drained;	  /* of the request */
	bool begun;	  /* between B and N */
	bool blocked;	  /* K ran: leaves are blocked until they are zapped or unblocked */
	bool merge_tried; /* an early M ran */
	bool fragile;	  /* a step after Z can fail: count what Z unmaps */
	u64 unmapped;	  /* pages that Z took away, if fragile */
	struct gmem_attr_prealloc pre;
};

/* A building block of gmem.md 2.6 under its letter. */
struct gmem_step {
	char letter;
	const char *name;
	int (*fn)(struct gmem_convert *c);
};
/* Run the step; N is a no-op outside [B, N). */
int gmem_step_run(struct gmem_convert *c, char letter);

struct gmem_flow {
	const char *to_shared, *to_private; /* letters of steps, in order */
	bool fragile;			    /* something that can fail comes after Z */
};
extern const struct gmem_flow gmem_flows[GMEM_FLOW_NR];

/*
 * zaperr.c: what Z could not take away, by P10 and P7. 0, or the error that the call returns
 * although the range is unmapped. invalidate_lock held exclusively; may split folios.
 */
int gmem_zap_errors(struct gmem_inode *inode);

/* The flow that is no word: rollback.c. */
int gmem_rollback_run(struct gmem_convert *c);

/* R: no folio of the range is held by anybody else, after one drain a request. */
int gmem_check_refs(struct gmem_inode *inode, u64 start, u64 nr, bool *drained, u64 *err_index);

/* --- hole.c -------------------------------------------------------------------------- */

/* Merge what can be merged and take the range out of the file, whoever holds references. */
void gmem_truncate(struct gmem_inode *inode, u64 start, u64 nr);

/* --- trace.c ------------------------------------------------------------------------- */

void gmem_trace_step(const struct gmem_convert *c, const struct gmem_step *step, int ret);
void gmem_trace_folio(const char *what, u64 index, u64 pfn, u8 order, int ret);
/* Something was allocated under the fault site @site, @nr times. */
void gmem_trace_alloc(const char *site, u64 nr);
void gmem_trace_attr(u64 start, u64 nr, u64 value);
void gmem_trace_ref(u64 pfn, enum gmem_ref kind, bool get);

#endif
