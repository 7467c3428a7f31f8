// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory between the host and guest_memfd: HugeTLB reservations, a new folio by backing, blocks and
 * fragments that go back. Contents are not touched here: a page is zeroed when somebody first uses
 * it (folio.c). Shape changes inside a file move no memory and are in restructure.c.
 */
#include <linux/mm.h>

#include "gmem/internal.h"
#include "sim/rt/fault.h"
#include "sim/rt/world.h"

static int partial_cmp(const struct gmem_partial *a, const struct gmem_partial *b)
{
	return a->pfn < b->pfn ? -1 : a->pfn > b->pfn;
}

RB_GENERATE_STATIC(gmem_partials, gmem_partial, by_pfn, partial_cmp)

/* HugeTLB sets the whole size aside at creation and never uses surplus pages (gmem.md 1). */
int gmem_reserve(struct gmem_inode *inode)
{
	struct gmem *g = gmem_get();

	if (!inode->page_order)
		return 0;
	if (g->reserved + inode->nr_pages > host_free_pfns_count())
		return -ENOMEM;
	inode->reserved = inode->nr_pages;
	g->reserved += inode->nr_pages;
	return 0;
}

void gmem_unreserve(struct gmem_inode *inode)
{
	gmem_get()->reserved -= inode->reserved;
	inode->reserved = 0;
}

u64 kvm_gmem_reserved(void)
{
	return gmem_get()->reserved;
}

/*
 * THP is best effort: a 2M folio only where the whole aligned 2M lies inside the file and none of
 * it is populated yet; HugeTLB never falls back.
 */
static u8 wanted_order(const struct gmem_inode *inode, u64 index)
{
	u64 start = gmem_round_down(index, GMEM_ORDER_2M);
	struct gmem_folio f;

	if (inode->setup.backing != GMEM_THP_2M)
		return inode->page_order;
	if (start + GMEM_PAGES(GMEM_ORDER_2M) > inode->nr_pages ||
	    gmem_folio_next(inode, start, start + GMEM_PAGES(GMEM_ORDER_2M), &f))
		return 0;
	return GMEM_ORDER_2M;
}

static u64 take_pages(u8 order)
{
	return rt_fault_fire("folio-alloc", 0, NULL) ? 0 : host_alloc_pfns(order);
}

int gmem_block_alloc(struct gmem_inode *inode, u64 index, struct gmem_folio *f)
{
	u8 order = wanted_order(inode, index);
	bool hugetlb = inode->page_order;
	u64 pfn;

	rt_might_sleep("folio allocation");
	/* Never surplus: what was freed a moment ago may not be back yet (free_work=DEFERRED). */
	if (hugetlb && inode->reserved < GMEM_PAGES(order))
		return -ENOMEM;
	pfn = take_pages(order);
	if (!pfn) {
		if (!order || hugetlb)
			return -ENOMEM;
		order = 0;
		pfn = take_pages(order);
		if (!pfn)
			return -ENOMEM;
	}
	/* HugeTLB keeps a record with each folio, so that a fragment finds its parent. */
	if (hugetlb && rt_fault_fire("metadata-alloc", 0, NULL)) {
		host_free_pfns(pfn, order);
		return -ENOMEM;
	}
	if (hugetlb) {
		inode->reserved -= GMEM_PAGES(order);
		gmem_get()->reserved -= GMEM_PAGES(order);
	}
	*f = (struct gmem_folio){
		.index = gmem_round_down(index, order),
		.pfn = pfn,
		.nr = GMEM_PAGES(order),
		.order = order,
		.orig_order = order,
		.flags = (hugetlb ? GMEM_F_HUGETLB : 0) |
			 (hugetlb && inode->setup.hvo ? GMEM_F_HVO : 0),
	};
	return 0;
}

/*
 * A folio that was never in the filemap, or came second (-EEXIST): as if it had not been allocated.
 */
void gmem_block_put(struct gmem_inode *inode, const struct gmem_folio *f)
{
	host_free_pfns(f->pfn, f->order);
	if (inode->page_order) {
		inode->reserved += f->nr;
		gmem_get()->reserved += f->nr;
	}
}

static void block_gone(struct gmem_inode *inode, u64 pfn, u8 order, bool hugetlb, bool poisoned)
{
	if (poisoned)
		gmem_count(GMEM_STAT_RETIRED, GMEM_PAGES(order)); /* and stays with us for ever */
	else
		host_free_pfns(pfn, order);
	if (hugetlb && inode) {
		inode->reserved += GMEM_PAGES(order);
		gmem_get()->reserved += GMEM_PAGES(order);
	}
}

/* The last fragment of a block was freed: it is restored at once, or by the work item. */
static void block_complete(struct gmem_inode *inode, u64 pfn, u8 order, bool poisoned)
{
	struct gmem_freed *w;

	if (!inode || gmem_policy(inode, GMEM_P_FREE_WORK) == GMEM_FREE_AT_ONCE) {
		block_gone(inode, pfn, order, true, poisoned);
		return;
	}
	w = rt_zalloc(sizeof(*w));
	w->inode = inode;
	w->pfn = pfn;
	w->order = order;
	w->poisoned = poisoned;
	TAILQ_INSERT_TAIL(&gmem_get()->freed, w, link);
}

void gmem_free_work(const struct gmem_inode *inode, bool all)
{
	struct gmem_freed_list *list = &gmem_get()->freed;
	struct gmem_freed *w, *next;

	for (w = TAILQ_FIRST(list); w; w = next) {
		next = TAILQ_NEXT(w, link);
		if (inode && w->inode != inode)
			continue;
		if (!all && !w->ripe) {
			w->ripe = true;
			continue;
		}
		TAILQ_REMOVE(list, w, link);
		block_gone(w->inode, w->pfn, w->order, true, w->poisoned);
		rt_free(w);
	}
}

void gmem_call_ends(void)
{
	gmem_settle_transients();
	gmem_free_work(NULL, false);
}

/* Some pages of one HugeTLB block; the last ones restore it and free it. */
static void fragments_gone(struct gmem_inode *inode, u64 pfn, u64 nr, u8 order, bool poisoned)
{
	struct gmem_partials *partials = &gmem_get()->partials;
	struct gmem_partial key = {.pfn = gmem_round_down(pfn, order)}, *p;

	p = RB_FIND(gmem_partials, partials, &key);
	if (!p) {
		p = rt_zalloc(sizeof(*p));
		p->pfn = key.pfn;
		p->order = order;
		RB_INSERT(gmem_partials, partials, p);
	}
	p->waiting += nr;
	p->poisoned |= poisoned;
	assert(p->waiting <= GMEM_PAGES(order));
	if (p->waiting < GMEM_PAGES(order))
		return;
	RB_REMOVE(gmem_partials, partials, p);
	block_complete(inode, p->pfn, order, p->poisoned);
	rt_free(p);
}

void gmem_block_free(struct gmem_inode *inode, u64 pfn, u64 nr, u8 order, bool hugetlb,
		     bool fragments, bool poisoned)
{
	/* Buddy pages are their own: a split THP goes back page by page. */
	u8 unit = hugetlb ? order : 0;
	u64 end = pfn + nr, next;

	for (; pfn < end; pfn = next) {
		next = gmem_min(end, gmem_round_down(pfn, unit) + GMEM_PAGES(unit));
		if (next - pfn == GMEM_PAGES(unit) && hugetlb && fragments)
			block_complete(inode, pfn, unit, poisoned);
		else if (next - pfn == GMEM_PAGES(unit))
			block_gone(inode, pfn, unit, hugetlb, poisoned);
		else
			fragments_gone(inode, pfn, next - pfn, unit, poisoned);
	}
}
