/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map behind sim/rt/phys.h: which records describe which pages.
 * Physical memory is a radix tree of chunks of 2 MiB; a chunk is a sorted array of extents, runs of
 * pages that are alike. What the contents of a page mean is in phys.c.
 *
 * Invariants of a chunk:
 *  - Extents are sorted, do not overlap, and no two neighbours could be one.
 *  - An extent with data of its own is one page long.
 *  - No extent describes pages that are as if never touched; a chunk without extents does not
 *    exist.
 */
#ifndef RT_PHYS_MAP_H
#define RT_PHYS_MAP_H

#include "sim/rt/internal.h"

#define CHUNK_SHIFT 21
#define CHUNK_PAGES 512

enum rt_ext_kind {
	RT_EXT_FILL,  /* every byte is @fill */
	RT_EXT_WORDS, /* @data: struct rt_phys_words, a few words over a background */
	RT_EXT_PAGE,  /* @data: 512 words */
};

struct rt_phys_ext {
	u16 first; /* page in the chunk */
	u16 nr;
	u8 kind;
	u8 fill;
	u32 key;
	u32 owner;
	u64 owner_arg;
	void *data;
};

struct rt_phys_chunk {
	u64 no;
	u32 nr, cap;
	struct rt_phys_ext *ext;
};

/*
 * The extent that has the page at @pa, NULL if it was never touched. Valid until the map changes.
 */
struct rt_phys_ext *rt_phys_find(struct rt_world *w, u64 pa);
/* The same, made to describe that one page and nothing else, so that it may be changed. */
struct rt_phys_ext *rt_phys_isolate(struct rt_world *w, u64 pa);
/*
 * After a change: join the page's extent with its neighbours or drop it, as the invariants ask for.
 * For an extent without data; one that has data is never joined.
 */
void rt_phys_settle(struct rt_world *w, u64 pa);
/*
 * Describe [@pa, @pa + @len) by @like (its first and nr do not matter); data of the pages is freed.
 * Within one chunk.
 */
void rt_phys_replace(struct rt_world *w, u64 pa, u64 len, const struct rt_phys_ext *like);
/*
 * The fast path of rt_phys_fill(): true if the page is filled like that already (a page never
 * touched is zero under key 0), or continues the run before it and has been joined to it. Its owner
 * stays.
 */
bool rt_phys_fill_next(struct rt_world *w, u64 pa, u32 key, u8 fill);
/* Lowest chunk whose number is >= @no, NULL if there is none. */
struct rt_phys_chunk *rt_phys_next_chunk(struct rt_world *w, u64 no);

/* Where rt_phys_table() remembers the page at @pa. */
static inline struct rt_phys_table *rt_phys_table_slot(struct rt_world *w, u64 pa)
{
	return &w->s.phys.table[(pa >> 12) % RT_PHYS_TABLES];
}
/* The words of the page at @pa go away, or get another key. */
static inline void rt_phys_table_gone(struct rt_world *w, u64 pa)
{
	struct rt_phys_table *t = rt_phys_table_slot(w, pa);

	if (t->pa == pa)
		t->words = NULL;
}

/*
 * Somebody reads or writes whole pages of [@pa, @pa + @len) with @key: reports if lines that
 * somebody else has left there may still fall over them.
 */
void rt_phys_use_early(struct rt_world *w, u64 pa, u64 len, u32 key);
static inline void rt_phys_use(struct rt_world *w, u64 pa, u64 len, u32 key)
{
	if (w->s.phys.nr_lines)
		rt_phys_use_early(w, pa, len, key);
}

static inline u32 rt_phys_page_no(u64 pa)
{
	return (u32)(pa >> 12) % CHUNK_PAGES;
}

#endif
