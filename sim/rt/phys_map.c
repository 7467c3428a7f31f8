// SPDX-License-Identifier: GPL-2.0-only
/*
 * The radix tree of chunks, and the extents in them: found, split, joined, replaced.
 * Cost grows with runs of pages that are alike, not with pages: a 2 MiB page that was accepted is
 * one extent. The invariants are in phys_map.h.
 */
#include <assert.h>
#include <string.h>

#include "sim/rt/phys_map.h"

/* ---- the radix tree: low fan-out, because a small world has a handful of chunks ---- */

#define NODE_BITS  4
#define NODE_SLOTS (1U << NODE_BITS)

struct node {
	u32 used;
	void *slot[NODE_SLOTS]; /* nodes, or chunks in the lowest */
};

/* Whether a tree of that height has a place for chunk @no. */
static bool covers(u32 height, u64 no)
{
	return height * NODE_BITS >= 64 || !(no >> (height * NODE_BITS));
}

static u32 slot_of(u64 no, u32 level)
{
	return (u32)(no >> (level * NODE_BITS)) % NODE_SLOTS;
}

static struct rt_phys_chunk *chunk_find(struct rt_world *w, u64 no)
{
	struct rt_phys *p = &w->s.phys;
	void *at = covers(p->height, no) ? p->root : NULL;

	if (p->last_no == no)
		return p->last;
	for (u32 level = p->height; at && level-- > 0;)
		at = ((struct node *)at)->slot[slot_of(no, level)];
	p->last = at;
	p->last_no = no;
	return at;
}

static struct rt_phys_chunk *chunk_make(struct rt_world *w, u64 no)
{
	struct rt_phys *p = &w->s.phys;
	struct rt_phys_chunk *c = chunk_find(w, no);
	struct node *n;

	if (c)
		return c;
	while (!p->height || !covers(p->height, no)) {
		n = rt_own_zalloc(w, sizeof(*n));
		n->slot[0] = p->root;
		n->used = p->root != NULL;
		p->root = n;
		p->height++;
	}
	n = p->root;
	for (u32 level = p->height; --level > 0;) {
		void **slot = &n->slot[slot_of(no, level)];

		if (!*slot) {
			*slot = rt_own_zalloc(w, sizeof(*n));
			n->used++;
		}
		n = *slot;
	}
	c = rt_own_zalloc(w, sizeof(*c));
	c->no = no;
	n->slot[slot_of(no, 0)] = c;
	n->used++;
	p->last = c;
	p->last_no = no;
	return c;
}

/* Takes chunk @no out below @n; true if @n is empty then. */
static bool node_remove(struct rt_world *w, struct node *n, u32 level, u64 no)
{
	void **slot = &n->slot[slot_of(no, level)];

	if (level && !node_remove(w, *slot, level - 1, no))
		return false;
	rt_own_free(w, *slot);
	*slot = NULL;
	return --n->used == 0;
}

static void chunk_free(struct rt_world *w, struct rt_phys_chunk *c)
{
	struct rt_phys *p = &w->s.phys;
	u64 no = c->no;

	assert(!c->nr);
	rt_own_free(w, c->ext);
	p->last_no = no;
	p->last = NULL;
	if (node_remove(w, p->root, p->height - 1, no)) {
		rt_own_free(w, p->root);
		p->root = NULL;
		p->height = 0;
	}
}

static struct rt_phys_chunk *node_next(struct node *n, u32 level, u64 base, u64 no)
{
	for (u32 i = 0; i < NODE_SLOTS; i++) {
		u64 first = base + ((u64)i << (level * NODE_BITS));
		u64 last = first + ((1ULL << (level * NODE_BITS)) - 1);
		struct rt_phys_chunk *c;

		if (!n->slot[i] || last < no)
			continue;
		if (!level)
			return n->slot[i];
		c = node_next(n->slot[i], level - 1, first, no);
		if (c)
			return c;
	}
	return NULL;
}

struct rt_phys_chunk *rt_phys_next_chunk(struct rt_world *w, u64 no)
{
	struct rt_phys *p = &w->s.phys;

	return p->root ? node_next(p->root, p->height - 1, 0, no) : NULL;
}

/* ---- extents ---- */

/* Index of the first extent that ends behind @page. */
static u32 ext_index(const struct rt_phys_chunk *c, u32 page)
{
	u32 lo = 0, hi = c->nr;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (c->ext[mid].first + (u32)c->ext[mid].nr > page)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static bool ext_has(const struct rt_phys_chunk *c, u32 i, u32 page)
{
	return i < c->nr && c->ext[i].first <= page;
}

static bool untouched(const struct rt_phys_ext *e)
{
	return e->kind == RT_EXT_FILL && !e->fill && !e->key && !e->owner && !e->owner_arg;
}

static bool alike(const struct rt_phys_ext *a, const struct rt_phys_ext *b)
{
	return a->kind == RT_EXT_FILL && b->kind == RT_EXT_FILL && a->fill == b->fill &&
	       a->key == b->key && a->owner == b->owner && a->owner_arg == b->owner_arg;
}

static void ext_insert(struct rt_world *w, struct rt_phys_chunk *c, u32 i, struct rt_phys_ext e)
{
	c->ext = rt_own_grow(w, c->ext, &c->cap, c->nr + 1, sizeof(e));
	memmove(&c->ext[i + 1], &c->ext[i], (c->nr - i) * sizeof(e));
	c->ext[i] = e;
	c->nr++;
}

static void ext_remove(struct rt_phys_chunk *c, u32 i, u32 nr)
{
	if (!nr)
		return;
	memmove(&c->ext[i], &c->ext[i + nr], (c->nr - i - nr) * sizeof(c->ext[0]));
	c->nr -= nr;
}

/* Make @page the first of an extent, if an extent has it. */
static void ext_split(struct rt_world *w, struct rt_phys_chunk *c, u32 page)
{
	u32 i = ext_index(c, page);
	struct rt_phys_ext right;

	if (!ext_has(c, i, page) || c->ext[i].first == page)
		return;
	assert(c->ext[i].kind == RT_EXT_FILL);
	right = c->ext[i];
	right.first = (u16)page;
	right.nr = (u16)(c->ext[i].first + c->ext[i].nr - page);
	c->ext[i].nr = (u16)(page - c->ext[i].first);
	ext_insert(w, c, i + 1, right);
}

/* Join extent @i with the one before and the one behind it, as far as they are alike. */
static void ext_join(struct rt_phys_chunk *c, u32 i)
{
	struct rt_phys_ext *e = c->ext;

	if (i + 1 < c->nr && e[i].first + e[i].nr == e[i + 1].first && alike(&e[i], &e[i + 1])) {
		e[i].nr = (u16)(e[i].nr + e[i + 1].nr);
		ext_remove(c, i + 1, 1);
	}
	if (i > 0 && e[i - 1].first + e[i - 1].nr == e[i].first && alike(&e[i - 1], &e[i])) {
		e[i - 1].nr = (u16)(e[i - 1].nr + e[i].nr);
		ext_remove(c, i, 1);
	}
}

struct rt_phys_ext *rt_phys_find(struct rt_world *w, u64 pa)
{
	struct rt_phys_chunk *c = chunk_find(w, pa >> CHUNK_SHIFT);
	u32 page = rt_phys_page_no(pa), i;

	if (!c)
		return NULL;
	i = ext_index(c, page);
	return ext_has(c, i, page) ? &c->ext[i] : NULL;
}

struct rt_phys_ext *rt_phys_isolate(struct rt_world *w, u64 pa)
{
	struct rt_phys_chunk *c = chunk_make(w, pa >> CHUNK_SHIFT);
	u32 page = rt_phys_page_no(pa);
	u32 i = ext_index(c, page);

	if (!ext_has(c, i, page)) {
		ext_insert(w, c, i, (struct rt_phys_ext){.first = (u16)page, .nr = 1});
		w->s.phys.pages++;
	} else if (c->ext[i].nr > 1) {
		ext_split(w, c, page);
		ext_split(w, c, page + 1);
		i = ext_index(c, page);
	}
	return &c->ext[i];
}

void rt_phys_settle(struct rt_world *w, u64 pa)
{
	struct rt_phys_chunk *c = chunk_find(w, pa >> CHUNK_SHIFT);
	u32 i = ext_index(c, rt_phys_page_no(pa));

	assert(ext_has(c, i, rt_phys_page_no(pa)));
	if (!untouched(&c->ext[i])) {
		ext_join(c, i);
		return;
	}
	w->s.phys.pages -= c->ext[i].nr;
	ext_remove(c, i, 1);
	if (!c->nr)
		chunk_free(w, c);
}

/* What an extent has of its own is freed. */
static void ext_drop_data(struct rt_world *w, const struct rt_phys_chunk *c, u32 i)
{
	const struct rt_phys_ext *e = &c->ext[i];

	if (!e->data)
		return;
	rt_phys_table_gone(w, (c->no * CHUNK_PAGES + e->first) << 12);
	rt_own_free(w, e->data);
}

/*
 * The case that matters for speed: one page that continues the run before it, as when 512 pages are
 * cleared one by one. The border between the two runs moves up by a page.
 */
static bool grow_run(struct rt_world *w, struct rt_phys_chunk *c, u32 i, u32 page,
		     const struct rt_phys_ext *like)
{
	struct rt_phys_ext *e;

	if (!i)
		return false;
	e = &c->ext[i];
	if (e[-1].first + e[-1].nr != page || !alike(&e[-1], like))
		return false;
	e[-1].nr++;
	if (!ext_has(c, i, page)) {
		w->s.phys.pages++;
	} else if (e->nr > 1) {
		e->first++;
		e->nr--;
	} else {
		ext_drop_data(w, c, i);
		ext_remove(c, i, 1);
	}
	ext_join(c, i - 1);
	return true;
}

bool rt_phys_fill_next(struct rt_world *w, u64 pa, u32 key, u8 fill)
{
	struct rt_phys_chunk *c = chunk_find(w, pa >> CHUNK_SHIFT);
	struct rt_phys_ext like = {.key = key, .fill = fill};
	u32 page = rt_phys_page_no(pa), i;

	if (!c)
		return untouched(&like);
	i = ext_index(c, page);
	if (ext_has(c, i, page)) {
		like.owner = c->ext[i].owner;
		like.owner_arg = c->ext[i].owner_arg;
		if (alike(&c->ext[i], &like))
			return true;
	} else if (untouched(&like)) {
		return true;
	}
	return grow_run(w, c, i, page, &like);
}

void rt_phys_replace(struct rt_world *w, u64 pa, u64 len, const struct rt_phys_ext *like)
{
	u32 page = rt_phys_page_no(pa), nr = (u32)(len >> 12), i, end;
	bool gone = untouched(like);
	struct rt_phys_chunk *c;
	struct rt_phys_ext e = *like;

	assert(like->kind == RT_EXT_FILL && page + nr <= CHUNK_PAGES && nr > 0);
	c = gone ? chunk_find(w, pa >> CHUNK_SHIFT) : chunk_make(w, pa >> CHUNK_SHIFT);
	if (!c || (nr == 1 && grow_run(w, c, ext_index(c, page), page, like)))
		return;
	ext_split(w, c, page);
	ext_split(w, c, page + nr);
	i = ext_index(c, page);
	for (end = i; end < c->nr && c->ext[end].first < page + nr; end++) {
		w->s.phys.pages -= c->ext[end].nr;
		ext_drop_data(w, c, end);
	}
	ext_remove(c, i, end - i);
	if (!gone) {
		e.first = (u16)page;
		e.nr = (u16)nr;
		e.data = NULL;
		ext_insert(w, c, i, e);
		w->s.phys.pages += nr;
		ext_join(c, i);
	} else if (!c->nr) {
		chunk_free(w, c);
	}
}
