// SPDX-License-Identifier: GPL-2.0-only
/*
 * Splitting and merging folios: filemap nodes, freezing, HVO, the new shape; what each costs and
 * where it can fail (gmem.md 2.5). Memory keeps its place: only the shape of the folios over it
 * changes, which is why hpa survives a conversion (I15). Which folios are to be restructured, and
 * when, is decided in convert.c.
 */
#include <linux/bug.h>
#include <linux/mm.h>

#include "gmem/internal.h"
#include "sim/rt/fault.h"
#include "sim/rt/sched.h"

/*
 * Nodes of the index tree (64 slots each) between an entry of order @from and entries of order @to;
 * entries of order 9 take 8 slots of a node that spans 4096 pages: 2M to 4K needs 8, 1G to 4K 1 +
 * 64 + 4096, 1G to 2M 1 + 64.
 */
static u64 filemap_nodes(u8 from, u8 to)
{
	u64 nodes = 0;

	if (to == 0)
		nodes += GMEM_PAGES(from) / 64;
	if (from == GMEM_ORDER_1G)
		nodes += 1 + 64;
	return nodes;
}

/* Two levels of the tree at once are one too many for the stock xas_split(). */
#define XAS_SPLIT_MAX 12

/* vmemmap pages to bring back: a page struct has 64 bytes, an optimised folio keeps one page. */
static u64 vmemmap_pages(u8 from, u8 to)
{
	u64 all = GMEM_PAGES(from) * 64 / PAGE_SIZE;

	return to ? GMEM_PAGES(from - to) - 1 : all - 1;
}

static u64 vmemmap_of(const struct gmem_inode *inode, const struct gmem_folio *f, u64 start,
		      u64 end)
{
	u64 from = gmem_max(start, f->index), to = gmem_min(end, f->index + f->nr), blocks;

	if (!(f->flags & GMEM_F_HVO))
		return 0;
	if (f->order < GMEM_ORDER_1G ||
	    gmem_policy(inode, GMEM_P_SPLIT_SHAPE) == GMEM_SHAPE_UNIFORM)
		return vmemmap_pages(f->order, 0);
	blocks = (gmem_round_up(to, GMEM_ORDER_2M) - gmem_round_down(from, GMEM_ORDER_2M)) >>
		 GMEM_ORDER_2M;
	return vmemmap_pages(f->order, GMEM_ORDER_2M) + blocks * vmemmap_pages(GMEM_ORDER_2M, 0);
}

static int alloc_many(const char *site, enum gmem_stat st, u64 nr)
{
	u64 i;

	rt_might_sleep(site);
	for (i = 0; i < nr; i++)
		if (rt_fault_fire(site, 0, NULL))
			return -ENOMEM;
	gmem_count(st, nr);
	if (nr)
		gmem_trace_alloc(site, nr);
	return 0;
}

int gmem_vmemmap_prealloc(struct gmem_inode *inode, u64 start, u64 end)
{
	u64 at = start, need = 0;
	struct gmem_folio f;
	int ret;

	while (gmem_folio_next(inode, at, end, &f)) {
		need += vmemmap_of(inode, &f, start, end);
		at = f.order ? f.index + f.nr : gmem_extent_end(inode, f.index);
	}
	ret = alloc_many("vmemmap-alloc", GMEM_STAT_ALLOCS_VMEMMAP, need);
	if (!ret)
		inode->vmemmap_spare += need;
	return ret;
}

void gmem_vmemmap_put(struct gmem_inode *inode)
{
	/* Another conversion of the file may count on what is there. */
	if (!inode->converting)
		inode->vmemmap_spare = 0;
}

/* Undo HVO of one folio: from what was set aside, else now. */
static int restore_vmemmap(struct gmem_inode *inode, u64 nr)
{
	if (inode->vmemmap_spare >= nr) {
		inode->vmemmap_spare -= nr;
		return 0;
	}
	return alloc_many("vmemmap-alloc", GMEM_STAT_ALLOCS_VMEMMAP, nr);
}

/*
 * References that TDX holds under P7 HOLD_MAPPED: one for each page that a private leaf maps. They
 * are counted where they come from, so that none can be leaked.
 */
u64 gmem_tdx_refs(const struct gmem_inode *inode, u64 index, u64 nr)
{
	if (gmem_policy(inode, GMEM_P_TDX_REF) != GMEM_TDX_REF_MAPPED)
		return 0;
	return gmem_kvm_mapped(inode, index, nr);
}

struct freeze_wait {
	const struct gmem_inode *inode;
	u64 index, pfn, nr;
};

static bool freezable(void *arg)
{
	const struct freeze_wait *w = arg;

	return !gmem_pages_refs(w->pfn, w->nr) && !gmem_tdx_refs(w->inode, w->index, w->nr);
}

/*
 * Whoever holds a part of it waits for us: TDX, whose leaves only we will zap, or memory failure,
 * which has its reference and wants the lock that we hold (B16). A pin may end some day: if it does
 * not, the run ends without progress.
 */
static bool hopeless(const struct gmem_inode *inode, u64 index, u64 pfn, u64 nr)
{
	struct gmem_page *p;

	if (gmem_tdx_refs(inode, index, nr))
		return true;
	for (p = gmem_page_from(pfn); p && p->pfn < pfn + nr; p = gmem_page_next(p))
		if (p->failing && p->refs[GMEM_REF_LOOKUP])
			return true;
	return false;
}

/*
 * Move the refcount of every folio in the range from nr_pages to 0. SPIN waits for whoever holds a
 * reference, as the kernel's loop does; CHECK_EAGAIN gives up at once, because its check came
 * before and a late holder may be waiting for us (memory failure on invalidate_lock, B16).
 */
static int freeze(struct gmem_inode *inode, u64 index, u64 pfn, u64 nr)
{
	struct freeze_wait w = {.inode = inode, .index = index, .pfn = pfn, .nr = nr};
	bool met = rt_fault_fire("ref-check", 0, NULL);

	while (!gmem_pages_safe(pfn, nr, NULL) || met || gmem_tdx_refs(inode, index, nr)) {
		if (gmem_policy(inode, GMEM_P_TOSHARED_REFS) != GMEM_REFS_SPIN)
			return -EAGAIN;
		met = false;
		gmem_count(GMEM_STAT_SPINS, 1);
		if (hopeless(inode, index, pfn, nr))
			rt_report("bounded-spin",
				  "a freeze of page %llu spins for a reference that cannot go",
				  index);
		gmem_settle_transients();
		rt_point(RT_PT_RESCHED, pfn);
		rt_block("folio reference to go", freezable, &w);
	}
	gmem_filemap_set_flags(inode, index, nr, GMEM_F_FROZEN, 0);
	return 0;
}

/*
 * Split the folio @f to folios of order @to, all of it. Fails as a whole: everything is as before
 * then.
 */
static int split_uniform(struct gmem_inode *inode, const struct gmem_folio *f, u8 to)
{
	u8 keep = f->flags & GMEM_F_UPTODATE;
	int ret;

	assert(f->order > to && rt_lock_held_any(&inode->invalidate_lock));
	if (f->order - to >= XAS_SPLIT_MAX &&
	    gmem_policy(inode, GMEM_P_XAS_SPLIT) == GMEM_XAS_ONE_STEP) {
		WARN_ON_ONCE(f->order - to >= XAS_SPLIT_MAX);
		ret = -ENOMEM;
		goto out;
	}
	ret = alloc_many("filemap-alloc", GMEM_STAT_ALLOCS_FILEMAP, filemap_nodes(f->order, to));
	if (ret)
		goto out;
	ret = freeze(inode, f->index, f->pfn, f->nr);
	if (ret)
		goto out;
	/*
	 * HugeTLB only warns about a poisoned folio, but its pieces would not know which of them is
	 * bad (gmem.md 5).
	 */
	if (gmem_pages_poisoned(f->pfn, f->nr))
		ret = -EHWPOISON;
	else if (f->flags & GMEM_F_HVO)
		ret = restore_vmemmap(inode, vmemmap_pages(f->order, to));
	if (ret) {
		gmem_filemap_set_flags(inode, f->index, f->nr, 0, GMEM_F_FROZEN);
		goto out;
	}
	if (to) /* a smaller HugeTLB folio keeps what it can of HVO */
		keep |= f->flags & (GMEM_F_HUGETLB | GMEM_F_HVO);
	gmem_filemap_reshape(inode, f->index, f->nr, to, keep);
	gmem_count(GMEM_STAT_FOLIO_SPLITS, 1);
out:
	gmem_trace_folio("split", f->index, f->pfn, f->order, ret);
	return ret;
}

/* What the folio has of [start, end) becomes 4K. */
static int split_folio(struct gmem_inode *inode, const struct gmem_folio *f, u64 start, u64 end)
{
	bool nonuniform = gmem_policy(inode, GMEM_P_SPLIT_SHAPE) == GMEM_SHAPE_NONUNIFORM;
	struct gmem_folio part;
	u64 at, stop;
	int ret;

	if (!nonuniform || f->order <= GMEM_ORDER_2M)
		return split_uniform(inode, f, 0);
	ret = split_uniform(inode, f, GMEM_ORDER_2M);
	stop = gmem_min(end, f->index + f->nr);
	for (at = gmem_max(start, f->index); !ret && at < stop;
	     at = gmem_round_up(at + 1, GMEM_ORDER_2M)) {
		gmem_folio_at(inode, at, &part);
		ret = split_uniform(inode, &part, 0);
	}
	return ret;
}

int gmem_range_split(struct gmem_inode *inode, u64 start, u64 end, u64 *err_index)
{
	const struct gmem_extent *e;
	struct gmem_folio f;
	u64 at = start;
	int ret = 0;

	while (!ret && at < end && (e = gmem_extent_from(inode, at)) && e->index < end) {
		if (!e->order) {
			at = e->index + e->nr;
			continue;
		}
		gmem_folio_next(inode, at, end, &f);
		at = f.index + f.nr;
		ret = split_folio(inode, &f, start, end);
		/* Which page stands in the way; no memory is no page's fault. */
		if (ret == -EAGAIN || ret == -EHWPOISON)
			*err_index = gmem_max(start, f.index);
	}
	return ret;
}

/* The fragments of one block as they lie: all there, contiguous, of one block. */
bool gmem_block_whole(const struct gmem_inode *inode, u64 index, u64 nr)
{
	const struct gmem_extent *e = gmem_extent_from(inode, index);
	u64 at = index, pfn;

	if (!e || e->index > index)
		return false;
	pfn = e->pfn + (index - e->index);
	if (e->orig_order != inode->page_order || (pfn & (nr - 1)))
		return false;
	for (; e && at < index + nr; e = gmem_extent_next(e)) {
		if (e->index > at || e->pfn + (at - e->index) != pfn + (at - index))
			return false;
		at = e->index + e->nr;
	}
	return at >= index + nr;
}

/*
 * The head's uptodate flag will stand for all pages, so those that were never zeroed, and so never
 * mapped, are zeroed now (B19). Nothing to do if no fragment was.
 */
static u8 merged_uptodate(struct gmem_inode *inode, u64 index, u64 nr)
{
	const struct gmem_extent *e;
	u8 flags = 0;

	for (e = gmem_extent_from(inode, index); e && e->index < index + nr;
	     e = gmem_extent_next(e))
		flags |= e->flags & GMEM_F_UPTODATE;
	if (flags)
		gmem_make_uptodate(inode, index, nr);
	return flags;
}

int gmem_block_merge(struct gmem_inode *inode, u64 index)
{
	u8 order = inode->page_order, flags;
	u64 nr = GMEM_PAGES(order), pfn;
	struct gmem_folio f;
	int ret;

	assert(order && gmem_locked_ex(inode));
	index = gmem_round_down(index, order);
	if (!gmem_block_whole(inode, index, nr))
		return 0;
	gmem_folio_at(inode, index, &f);
	if (f.order == order)
		return 0;
	pfn = f.pfn;
	ret = freeze(inode, index, pfn, nr);
	if (ret)
		gmem_count(GMEM_STAT_MERGES_REFUSED, 1);
	if (!ret && gmem_pages_poisoned(pfn, nr)) {
		gmem_filemap_set_flags(inode, index, nr, 0, GMEM_F_FROZEN);
		ret = -EHWPOISON;
	}
	if (!ret) {
		flags = merged_uptodate(inode, index, nr) | GMEM_F_HUGETLB;
		if (inode->setup
			    /* best effort in the kernel; freeing vmemmap does not fail here */
			    .hvo)
			flags |= GMEM_F_HVO;
		gmem_filemap_reshape(inode, index, nr, order, flags);
		gmem_count(GMEM_STAT_FOLIO_MERGES, 1);
	}
	gmem_trace_folio("merge", index, pfn, order, ret);
	return ret;
}
