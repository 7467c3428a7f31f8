// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filemap: which folio holds which index of an inode, as extents of folios that are alike
 * (gmem/internal.h). Look-up both ways, insertion, change of shape and removal live here; every
 * change keeps the extents maximal. When folios may change shape, and what that costs, is in
 * restructure.c.
 */
#include "gmem/internal.h"
#include "sim/rt/world.h"

static int cmp_index(const struct gmem_extent *a, const struct gmem_extent *b)
{
	u64 la = a->index + a->nr, lb = b->index + b->nr;

	return la < lb ? -1 : la > lb;
}

static int cmp_pfn(const struct gmem_extent *a, const struct gmem_extent *b)
{
	u64 la = a->pfn + a->nr, lb = b->pfn + b->nr;

	return la < lb ? -1 : la > lb;
}

RB_GENERATE_STATIC(gmem_filemap, gmem_extent, by_index, cmp_index)
RB_GENERATE_STATIC(gmem_memory, gmem_extent, by_pfn, cmp_pfn)

static struct gmem_extent *extent_from(const struct gmem_inode *inode, u64 index)
{
	struct gmem_extent key = {.index = index, .nr = 1};

	return RB_NFIND(gmem_filemap, (struct gmem_filemap *)&inode->filemap, &key);
}

static struct gmem_extent *extent_at(const struct gmem_inode *inode, u64 index)
{
	struct gmem_extent *e = extent_from(inode, index);

	return e && e->index <= index ? e : NULL;
}

const struct gmem_extent *gmem_extent_from(const struct gmem_inode *inode, u64 index)
{
	return extent_from(inode, index);
}

const struct gmem_extent *gmem_extent_next(const struct gmem_extent *e)
{
	return RB_NEXT(gmem_filemap, NULL, (struct gmem_extent *)e);
}

u64 gmem_extent_end(const struct gmem_inode *inode, u64 index)
{
	const struct gmem_extent *e = extent_at(inode, index);

	assert(e);
	return e->index + e->nr;
}

const struct gmem_extent *gmem_extent_of_pfn(u64 pfn)
{
	struct gmem_extent key = {.pfn = pfn, .nr = 1};
	struct gmem_extent *e = RB_NFIND(gmem_memory, &gmem_get()->memory, &key);

	return e && e->pfn <= pfn ? e : NULL;
}

static void folio_of(const struct gmem_extent *e, u64 index, struct gmem_folio *f)
{
	f->order = e->order;
	f->nr = GMEM_PAGES(e->order);
	f->index = gmem_round_down(index, e->order);
	f->pfn = e->pfn + (f->index - e->index);
	f->orig_order = e->orig_order;
	f->flags = e->flags;
}

bool gmem_folio_at(const struct gmem_inode *inode, u64 index, struct gmem_folio *f)
{
	const struct gmem_extent *e = extent_at(inode, index);

	if (e)
		folio_of(e, index, f);
	return e;
}

bool gmem_folio_next(const struct gmem_inode *inode, u64 index, u64 end, struct gmem_folio *f)
{
	const struct gmem_extent *e = extent_from(inode, index);

	if (index >= end || !e || e->index >= end)
		return false;
	folio_of(e, gmem_max(index, e->index), f);
	return true;
}

static bool extents_join(const struct gmem_extent *a, const struct gmem_extent *b)
{
	return a && b && a->index + a->nr == b->index && a->pfn + a->nr == b->pfn &&
	       a->order == b->order && a->orig_order == b->orig_order && a->flags == b->flags;
}

static void extent_link(struct gmem_extent *e)
{
	struct gmem_extent *hit;

	assert(!(e->index & (GMEM_PAGES(e->order) - 1)) && !(e->pfn & (GMEM_PAGES(e->order) - 1)));
	assert(e->nr && !(e->nr & (GMEM_PAGES(e->order) - 1)));
	hit = RB_INSERT(gmem_filemap, &e->inode->filemap, e);
	assert(!hit);
	hit = RB_INSERT(gmem_memory, &gmem_get()->memory, e);
	assert(!hit);
	(void)hit;
}

static void extent_unlink(struct gmem_extent *e)
{
	RB_REMOVE(gmem_filemap, &e->inode->filemap, e);
	RB_REMOVE(gmem_memory, &gmem_get()->memory, e);
}

/* @b goes into @a, which keeps its place in both trees: the order of the ends does not change. */
static void extent_join(struct gmem_extent *a, struct gmem_extent *b)
{
	extent_unlink(b);
	a->nr += b->nr;
	rt_free(b);
}

static void extent_coalesce(struct gmem_extent *e)
{
	struct gmem_extent *prev = RB_PREV(gmem_filemap, NULL, e);
	struct gmem_extent *next = RB_NEXT(gmem_filemap, NULL, e);

	if (extents_join(e, next))
		extent_join(e, next);
	if (extents_join(prev, e))
		extent_join(prev, e);
}

/* Make @index the start of an extent, if it is inside one. */
static void extent_cut(struct gmem_inode *inode, u64 index)
{
	struct gmem_extent *e = extent_at(inode, index), *tail;

	if (!e || e->index == index)
		return;
	assert(!(index & (GMEM_PAGES(e->order) - 1)));
	tail = rt_alloc(sizeof(*tail));
	*tail = *e;
	e->nr = index - e->index;
	tail->index += e->nr;
	tail->pfn += e->nr;
	tail->nr -= e->nr;
	extent_link(tail);
}

void gmem_filemap_insert(struct gmem_inode *inode, const struct gmem_folio *f)
{
	struct gmem_extent *e = rt_zalloc(sizeof(*e));

	e->inode = inode;
	e->index = f->index;
	e->nr = f->nr;
	e->pfn = f->pfn;
	e->order = f->order;
	e->orig_order = f->orig_order;
	e->flags = f->flags;
	extent_link(e);
	extent_coalesce(e);
}

void gmem_filemap_reshape(struct gmem_inode *inode, u64 index, u64 nr, u8 order, u8 flags)
{
	struct gmem_extent *e;
	u64 at, end = index + nr;

	assert(!(index & (GMEM_PAGES(order) - 1)) && !(nr & (GMEM_PAGES(order) - 1)));
	extent_cut(inode, index);
	extent_cut(inode, end);
	/* One extent first, so that folios which grow never reach over the end of theirs. */
	for (at = index; at < end; at = e->index + e->nr) {
		e = extent_at(inode, at);
		assert(e && e->index == at);
		e->flags = flags;
		e->order = 0;
	}
	for (e = extent_at(inode, index); e->index + e->nr < end;)
		extent_join(e, RB_NEXT(gmem_filemap, NULL, e));
	assert(e->index == index && e->nr == nr);
	e->order = order;
	extent_coalesce(e);
}

void gmem_filemap_set_flags(struct gmem_inode *inode, u64 index, u64 nr, u8 set, u8 clear)
{
	u64 at, end = index + nr;

	extent_cut(inode, index);
	extent_cut(inode, end);
	for (at = index; at < end;) {
		struct gmem_extent *e = extent_from(inode, at);

		if (!e || e->index >= end)
			break;
		at = e->index + e->nr;
		e->flags = (e->flags | set) & ~clear;
		extent_coalesce(e);
	}
}

void gmem_filemap_remove(struct gmem_inode *inode, u64 index, u64 nr,
			 void (*fn)(const struct gmem_extent *gone))
{
	struct gmem_extent *e;
	u64 end = index + nr;

	extent_cut(inode, index);
	extent_cut(inode, end);
	while ((e = extent_from(inode, index)) && e->index < end) {
		extent_unlink(e);
		fn(e);
		rt_free(e);
	}
}
