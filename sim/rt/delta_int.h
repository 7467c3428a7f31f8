/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between delta.c, scan.c and canon.c: a base, and a difference as a list of chunks.
 *
 * Invariants:
 *  - The mirror is the world as it was restored last; between a run and rt_delta_get() the world
 *    differs from it in the chunks of changed[] only.
 *  - Lists of chunks ascend.
 */
#ifndef RT_DELTA_INT_H
#define RT_DELTA_INT_H

#include <signal.h>

#include "sim/rt/delta.h"
#include "sim/rt/internal.h"

#define CHUNK_WORDS 32
#define CHUNK_SIZE  (CHUNK_WORDS * 8)

/* A chunk that is not as in the base; in a difference, and what is known about it. */
struct rt_chunk {
	u32 at;		     /* offset in the region / CHUNK_SIZE */
	u32 mask;	     /* words that differ */
	u32 ptrs;	     /* of those, pointers to new blocks */
	u16 nr;		     /* their number */
	bool pure;	     /* no word of it is ignored: the same hash is the same contents */
	struct rt_hash near; /* with addresses of new blocks */
	struct rt_hash far;  /* without */
	u64 word[];
};

/* A block that was allocated behind the base. */
struct rt_canon_block {
	u64 begin, end; /* offsets in the region */
	u32 first, nr;	/* its chunks, in rt_base.now[] */
	u32 number;	/* in the order in which it was found, from 1; 0: not yet */
	bool free;
};

struct rt_chunk_list {
	const struct rt_chunk **chunk;
	u32 nr, cap;
};

/* A difference of which the base has its own copy. */
struct rt_kept {
	char *bytes;
	size_t cap;
	struct rt_chunk_list list;
};

#define RT_NEAR_SLOTS 65536 /* hashes that are remembered */

struct rt_base {
	struct rt_world *w;
	char *twin;	/* what the base has at offset x of the region lies at twin + x */
	char *mirror;	/* the same of what was restored last */
	u32 floor;	/* pages of the base's heap */
	u32 twin_pages; /* pages of the heap that twin and mirror have, poison behind the base */
	bool compares;	/* all pages each time, no handler */
	char *alt_stack;
	struct sigaction old_fault; /* who was to hear of faults before us */
	u64 *hot;		    /* a bit for each page of the base's heap: it was written to */

	struct rt_kept then, before; /* what was restored last; room for the next */
	struct rt_chunk_list now;    /* those of the difference that was found last */
	char **low;		     /* of each stack slot, as restored: lowest live byte; NULL */
	char **sp;		     /* the same of now */
	u32 *changed, nr_changed, cap_changed;
	char *made; /* chunks of changed[] that are not as in the base */
	size_t made_len, made_cap;

	/* canon.c */
	u32 *ignored; /* words of each chunk up to the end of the base's heap */
	struct rt_canon_block *block;
	u32 nr_block, cap_block;
	u32 *found; /* blocks by number, from 1 */
	u32 nr_found;
	size_t written;
	struct {
		struct rt_hash near, far;
	} * known;
};

/* Where the twin, or the mirror, has what the world has at @p. */
static inline void *rt_base_twin(const struct rt_base *b, const void *p)
{
	return b->twin + ((const char *)p - (const char *)b->w);
}

static inline void *rt_base_mirror(const struct rt_base *b, const void *p)
{
	return b->mirror + ((const char *)p - (const char *)b->w);
}

static inline size_t rt_chunk_bytes(const struct rt_chunk *c)
{
	return sizeof(*c) + c->nr * sizeof(u64);
}

void rt_chunk_add(struct rt_chunk_list *l, const struct rt_chunk *c);

/* scan.c: chunks of [@p, @p + @len) in which the world is not as in the mirror, to changed[]. */
void rt_scan(struct rt_base *b, const void *p, size_t len);
/*
 * From @sp down: the world as in the base, until a stretch that is. As long as no frame of the
 * simulated code is as large as that stretch, nothing below was written.
 */
void rt_scrub(struct rt_base *b, u32 slot, char *sp);
/* Pages of the base's heap are found hot when they are written to. */
void rt_hot_begin(struct rt_base *b);
void rt_hot_end(struct rt_base *b);
void rt_scan_hot(struct rt_base *b);

/* canon.c */
void rt_canon_init(struct rt_base *b);
void rt_canon_exit(struct rt_base *b);
/* What the chunk at @c->at is now, as part of the state: ptrs, pure, hashes. */
void rt_canon_chunk(struct rt_base *b, struct rt_chunk *c);

#endif
