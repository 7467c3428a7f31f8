// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heap's pages: spans of 4 KiB pages, taken and given back, neighbours joined.
 * The map of pages lies in the region and is all the bookkeeping there is; free pages keep their
 * poison. Blocks are made of them in alloc.c.
 */
#include <assert.h>

#include "sim/rt/internal.h"

static u32 bin_of(u32 nr)
{
	return nr < RT_PAGE_BINS ? nr - 1 : RT_PAGE_BINS - 1;
}

static void span_link(struct rt_world *w, u32 page, u32 nr)
{
	struct rt_heap *h = &w->s.heap;
	u32 bin = bin_of(nr);

	w->pages[page + nr - 1] = (struct rt_page){.kind = RT_PG_FREE, .nr = nr};
	w->pages[page] = (struct rt_page){
		.kind = RT_PG_FREE, .nr = nr, .next = h->bins[bin], .prev = RT_NO_PAGE};
	if (h->bins[bin] != RT_NO_PAGE)
		w->pages[h->bins[bin]].prev = page;
	h->bins[bin] = page;
	h->bin_map |= 1U << bin;
}

/*
 * The entries of both ends become "never used", so that no neighbour takes them for a span any
 * more.
 */
static void span_unlink(struct rt_world *w, u32 page)
{
	struct rt_heap *h = &w->s.heap;
	struct rt_page *pg = &w->pages[page];
	u32 bin = bin_of(pg->nr);

	assert(pg->kind == RT_PG_FREE);
	if (pg->prev == RT_NO_PAGE)
		h->bins[bin] = pg->next;
	else
		w->pages[pg->prev].next = pg->next;
	if (pg->next != RT_NO_PAGE)
		w->pages[pg->next].prev = pg->prev;
	if (h->bins[bin] == RT_NO_PAGE)
		h->bin_map &= ~(1U << bin);
	w->pages[page + pg->nr - 1].kind = RT_PG_NONE;
	pg->kind = RT_PG_NONE;
}

/* A free span of at least @nr pages, of the smallest bin that has one. */
static u32 span_find(const struct rt_world *w, u32 nr)
{
	const struct rt_heap *h = &w->s.heap;
	u32 map = h->bin_map & (~0U << bin_of(nr));
	u32 page;

	if (!map)
		return RT_NO_PAGE;
	page = h->bins[__builtin_ctz(map)];
	/* Only the last bin has spans of different lengths. */
	while (page != RT_NO_PAGE && w->pages[page].nr < nr)
		page = w->pages[page].next;
	return page;
}

/*
 * Take @nr pages; the caller fills in their map entries. *@fresh: they come from above the used
 * part and hold anything; otherwise they hold the poison of what was freed. Running out of reserved
 * address space is fatal.
 */
u32 rt_pages_take(struct rt_world *w, u32 nr, bool *fresh)
{
	struct rt_heap *h = &w->s.heap;
	u32 page = h->fresh ? RT_NO_PAGE : span_find(w, nr);

	assert(nr > 0);
	*fresh = page == RT_NO_PAGE;
	if (*fresh) {
		if (nr > w->heap_pages - h->brk)
			rt_panic("the world's heap of %u pages is used up", w->heap_pages);
		page = h->brk;
		h->brk += nr;
		if (h->brk > w->heap_peak)
			w->heap_peak = h->brk;
	} else {
		u32 have = w->pages[page].nr;

		span_unlink(w, page);
		if (have > nr)
			span_link(w, page + nr, have - nr);
	}
	return page;
}

/*
 * Give @nr pages back, poisoned by the caller. The top of the heap comes down when they are the
 * last ones.
 */
void rt_pages_give(struct rt_world *w, u32 page, u32 nr)
{
	struct rt_heap *h = &w->s.heap;

	assert(page + nr <= h->brk);
	for (u32 i = 0; i < nr; i++)
		w->pages[page + i] = (struct rt_page){.kind = RT_PG_NONE};
	if (h->fresh)
		return;
	if (page + nr < h->brk && w->pages[page + nr].kind == RT_PG_FREE) {
		u32 after = page + nr;

		nr += w->pages[after].nr;
		span_unlink(w, after);
	}
	if (page > 0 && w->pages[page - 1].kind == RT_PG_FREE) {
		u32 before = w->pages[page - 1].nr;

		page -= before;
		nr += before;
		span_unlink(w, page);
	}
	if (page + nr == h->brk)
		h->brk = page;
	else
		span_link(w, page, nr);
}
