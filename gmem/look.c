// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking inside without a lock and without a change: what oracles, expectations and reports see of
 * guest_memfd. Folios are shown one by one, also where an extent stands for many. Statistics are
 * read here, counted elsewhere.
 */
#include <linux/kvm_host.h>

#include "gmem/internal.h"
#include "sim/rt/world.h"

static void view_of(const struct gmem_folio *f, struct gmem_folio_view *v)
{
	bool frozen = f->flags & GMEM_F_FROZEN;

	*v = (struct gmem_folio_view){
		.index = f->index,
		.pfn = f->pfn,
		.order = f->order,
		.refcount = frozen ? 0 : f->nr + gmem_pages_refs(f->pfn, f->nr),
		.hwpoison = gmem_pages_poisoned(f->pfn, f->nr),
		.uptodate = f->flags & GMEM_F_UPTODATE,
		.frozen = frozen,
		.hugetlb = f->flags & GMEM_F_HUGETLB,
		.hvo = f->flags & GMEM_F_HVO,
		.original_order = f->orig_order,
	};
}

bool kvm_gmem_look_folio(const struct kvm_gmem_file *file, u64 index, struct gmem_folio_view *v)
{
	struct gmem_folio f;

	if (!gmem_folio_at(file->inode, index, &f))
		return false;
	view_of(&f, v);
	return true;
}

void kvm_gmem_for_each_folio(const struct kvm_gmem_file *file, u64 index, u64 nr,
			     bool (*fn)(void *ctx, const struct gmem_folio_view *v), void *ctx)
{
	struct gmem_folio_view v;
	struct gmem_folio f;
	u64 at = index;

	while (gmem_folio_next(file->inode, at, index + nr, &f)) {
		view_of(&f, &v);
		if (!fn(ctx, &v))
			return;
		at = f.index + f.nr;
	}
}

static void extent_view(const struct gmem_extent *e, struct gmem_extent_view *v)
{
	*v = (struct gmem_extent_view){
		.index = e->index,
		.nr = e->nr,
		.pfn = e->pfn,
		.order = e->order,
		.original_order = e->orig_order,
		.frozen = e->flags & GMEM_F_FROZEN,
	};
}

bool kvm_gmem_look_extent(const struct kvm_gmem_file *file, u64 index, struct gmem_extent_view *v)
{
	const struct gmem_extent *e = gmem_extent_from(file->inode, index);

	if (!e || e->index > index)
		return false;
	extent_view(e, v);
	return true;
}

void kvm_gmem_for_each_extent(const struct kvm_gmem_file *file,
			      bool (*fn)(void *ctx, const struct gmem_extent_view *v), void *ctx)
{
	const struct gmem_extent *e;
	struct gmem_extent_view v;

	for (e = gmem_extent_from(file->inode, 0); e; e = gmem_extent_next(e)) {
		extent_view(e, &v);
		if (!fn(ctx, &v))
			return;
	}
}

bool kvm_gmem_look_poisoned(const struct kvm_gmem_file *file, u64 index, u64 nr)
{
	const struct gmem_extent *e;
	u64 from, to;

	for (e = gmem_extent_from(file->inode, index); e && e->index < index + nr;
	     e = gmem_extent_next(e)) {
		from = gmem_max(index, e->index);
		to = gmem_min(index + nr, e->index + e->nr);
		if (gmem_pages_poisoned(e->pfn + (from - e->index), to - from))
			return true;
	}
	return false;
}

bool kvm_gmem_look_batched(const struct kvm_gmem_file *file, u64 index, u64 nr)
{
	struct gmem_folio f;
	struct gmem_page *p;
	u64 at;

	for (at = index; gmem_folio_next(file->inode, at, index + nr, &f); at = f.index + f.nr)
		for (p = gmem_page_from(f.pfn); p && p->pfn < f.pfn + f.nr; p = gmem_page_next(p))
			if (p->refs[GMEM_REF_LRU])
				return true;
	return false;
}

bool kvm_gmem_look_block_mergeable(const struct kvm_gmem_file *file, u64 index)
{
	const struct gmem_inode *inode = file->inode;
	u64 nr = GMEM_PAGES(inode->page_order), pfn;
	struct gmem_folio f;

	index = gmem_round_down(index, inode->page_order);
	if (!inode->page_order || index + nr > inode->nr_pages ||
	    !gmem_attr_uniform(inode, index, nr, KVM_MEMORY_ATTRIBUTE_PRIVATE) ||
	    !gmem_folio_at(inode, index, &f) || !gmem_block_whole(inode, index, nr))
		return false;
	pfn = gmem_folio_pfn(&f, index);
	return !gmem_pages_poisoned(pfn, nr) && !gmem_pages_refs(pfn, nr) &&
	       !gmem_tdx_refs(inode, index, nr);
}

bool kvm_gmem_look_private(const struct kvm_gmem_file *file, u64 index)
{
	return gmem_is_private(file->inode, index);
}

void kvm_gmem_for_each_attr(const struct kvm_gmem_file *file,
			    bool (*fn)(void *ctx, u64 index, u64 nr, bool private_), void *ctx)
{
	const struct gmem_attr *a;
	u64 at;

	for (at = 0; at < file->inode->nr_pages; at = a->last + 1) {
		a = gmem_attr_at(file->inode, at);
		if (!fn(ctx, a->start, a->last - a->start + 1,
			a->value & KVM_MEMORY_ATTRIBUTE_PRIVATE))
			return;
	}
}

void kvm_gmem_for_each_host_map(const struct kvm_gmem_file *file,
				bool (*fn)(void *ctx, u64 index, u64 pfn), void *ctx)
{
	struct gmem_host_map *m;

	for (m = gmem_host_map_from(file->inode, 0); m; m = gmem_host_map_next(m))
		if (!fn(ctx, m->index, m->pfn))
			return;
	for (m = gmem_iommu_map_from(file->inode, 0); m; m = gmem_host_map_next(m))
		if (!fn(ctx, m->index, m->pfn))
			return;
}

u32 kvm_gmem_invalidating(const struct kvm_gmem_file *file)
{
	return file->invalidating;
}

u64 kvm_gmem_look_run(const struct kvm_gmem_file *file, u64 index, u64 *pfn)
{
	const struct gmem_extent *e = gmem_extent_from(file->inode, index);
	u64 at;

	if (!e || e->index > index)
		return 0;
	*pfn = e->pfn + (index - e->index);
	for (at = index; e && e->index <= at && e->pfn + (at - e->index) == *pfn + (at - index);
	     e = gmem_extent_next(e))
		at = e->index + e->nr;
	return at - index;
}

u8 kvm_gmem_look_max_order(const struct kvm_gmem_file *file, u64 index)
{
	return gmem_max_order(file->inode, index);
}

bool kvm_gmem_page_folio(u64 pfn, u64 *head_pfn, int *order)
{
	const struct gmem_extent *e = gmem_extent_of_pfn(pfn);

	if (!e)
		return false;
	*head_pfn = gmem_round_down(pfn, e->order);
	*order = e->order;
	return true;
}

/* --- leaves larger than their folio -------------------------------------------------- */

static bool count_large(void *ctx, const struct kvm_spte_view *v)
{
	u64 *n = ctx, head;
	int order;

	if (v->leaf && v->level > PG_LEVEL_4K && kvm_gmem_page_folio(v->pfn, &head, &order))
		*n += order < (v->level - PG_LEVEL_4K) * GMEM_ORDER_2M;
	return true;
}

static u64 small_folio_leaves(const struct gmem *g)
{
	const struct kvm_gmem_file *file;
	const struct gmem_inode *inode;
	const struct gmem_binding *b;
	u64 n = 0;

	TAILQ_FOREACH(inode, &g->inodes, link)
		TAILQ_FOREACH(file, &inode->files, link)
			TAILQ_FOREACH(b, &file->bindings, link)
				kvm_for_each_spte(file->kvm, true, b->slot->base_gfn, b->nr,
						  count_large, &n);
	return n;
}

/* Of inodes that are there, by their locks; of those that are gone, and of ranges, as counted. */
static u64 inval_lock_cycles(const struct gmem *g)
{
	u64 sum = g->stat[GMEM_STAT_INVAL_LOCK_CYCLES];
	const struct gmem_inode *inode;

	TAILQ_FOREACH(inode, &g->inodes, link)
		sum += inode->invalidate_lock.stats.held_cycles;
	return sum;
}

void kvm_gmem_for_each_counter(void (*fn)(void *ctx, const void *p, size_t len), void *ctx)
{
	struct gmem *g = gmem_get();

	fn(ctx, g->stat, sizeof(g->stat));
}

u64 kvm_gmem_stat(enum gmem_stat st)
{
	const struct gmem *g = rt_root(1);

	if (!g || st >= GMEM_STAT_NR)
		return 0;
	if (st == GMEM_STAT_INVAL_LOCK_CYCLES)
		return inval_lock_cycles(g);
	return st == GMEM_STAT_SMALL_FOLIO_LEAVES ? small_folio_leaves(g) : g->stat[st];
}
