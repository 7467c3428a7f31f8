/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files that make differences: a base, a chunk, the pool of chunks.
 *
 * Invariants:
 *  - The mirror is the world as it was restored last; between a run and rt_delta_get() the world
 *    differs from it in the chunks of changed[] only.
 *  - Rows of chunks ascend.
 */
#ifndef RT_DELTA_INT_H
#define RT_DELTA_INT_H

#include <signal.h>

#include "sim/rt/delta.h"
#include "sim/rt/internal.h"

#define CHUNK_WORDS 32
#define CHUNK_SIZE  (CHUNK_WORDS * 8)

/* A chunk that is not as in the base, and what it adds to the sums of its state. */
struct rt_chunk {
	u32 at;		     /* offset in the region / CHUNK_SIZE */
	u32 mask;	     /* words that differ; 0: it is as in the base again */
	u32 ptrs;	     /* of those, pointers to new blocks */
	u16 nr;		     /* their number */
	bool special;	     /* its share in the hash depends on other chunks (canon.c) */
	bool silent;	     /* nothing in it is state */
	struct rt_hash near; /* to sums.near; 0 if silent */
	struct rt_hash far;  /* special: hash of what is no pointer to a new block */
	struct rt_hash key;  /* special: to sums.key */
	u64 word[];
};

/*
 * Sums over the chunks of a state, of hashes that have a chunk's place in them: so that only those
 * that changed are looked at again.
 */
struct rt_sums {
	struct rt_hash near; /* all, with addresses of new blocks */
	struct rt_hash rest; /* the same of those that are not special */
	struct rt_hash key;  /* all that is in those that are */
};

/* ---- pool.c ---- */

struct rt_pooled {
	u64 next; /* of its bucket; 0 ends */
	struct rt_chunk chunk;
};

struct rt_pool {
	char *mem; /* shared */
	size_t used;
	u32 *bucket;
	u32 nr_buckets, nr;
};

void rt_pool_init(struct rt_pool *p);
void rt_pool_exit(struct rt_pool *p);
/* The number of @c, never 0. Only in the process that called rt_pool_init(). */
u32 rt_pool_add(struct rt_pool *p, const struct rt_chunk *c);
static inline const struct rt_chunk *rt_pool_get(const struct rt_pool *p, u32 id)
{
	return &((const struct rt_pooled *)(p->mem + (size_t)id * 8))->chunk;
}

static inline void rt_pool_prefetch(const struct rt_pool *p, u32 id)
{
	const char *c = p->mem + (size_t)id * 8;

	__builtin_prefetch(c);
	__builtin_prefetch(c + 64);
}

/* ---- the base ---- */

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

/* A chunk of a state: where, and which of the pool. */
struct rt_place {
	u32 at, id;
};

/* A state: what rt_delta_get() takes. */
struct rt_delta {
	struct rt_sums sums;
	u64 nr;
	struct rt_place place[];
};

/* What a run has changed since a state was restored; chunks follow. */
struct rt_step {
	struct rt_sums sums; /* after it */
	u64 nr;
};

#define RT_KNOWN_SLOTS 16384 /* hashes of special chunks that are remembered */

struct rt_base {
	struct rt_world *w;
	char *twin;	/* what the base has at offset x of the region lies at twin + x */
	char *mirror;	/* the same of what was restored last */
	u32 floor;	/* pages of the base's heap */
	u32 twin_pages; /* pages of the heap that twin and mirror have, poison behind the base */

	/* scan.c: pages that are not hot can't be written to */
	bool compares; /* all pages are hot and stay so, and nobody handles faults */
	char *alt_stack;
	struct sigaction old_fault; /* who was to hear of faults before us */
	u64 *hot;		    /* a bit for each page of the heap */
	u8 *idle;		    /* scans in which a hot page was as in the mirror */

	struct rt_pool pool;
	struct rt_delta *then; /* what was restored last */
	size_t then_cap;
	u32 *cur;		 /* which of the pool the mirror has, by place; 0: as in the base */
	struct rt_place *change; /* what is to be restored */
	u32 nr_change, cap_change;
	char **low; /* of each stack slot, as restored: lowest live byte; NULL */
	char **sp;  /* the same of now */
	u32 *changed, nr_changed, cap_changed;
	char *made; /* chunks of changed[], as in struct rt_step */
	size_t made_len, made_cap;
	struct rt_sums sums; /* of now */

	/* canon.c, canon_new.c */
	struct rt_chunk_list special; /* special chunks of what was restored last, if then_listed */
	struct rt_chunk_list now;     /* those of now */
	bool then_listed;
	u32 *ignored; /* words of each chunk up to the end of the base's heap */
	u32 *owner;   /* of the base's heap: the header of the block that goes on into a chunk */
	struct rt_canon_block *block;
	u32 nr_block, cap_block;
	u32 *found; /* blocks by number, from 1 */
	u32 nr_found;
	size_t written_base, written;
	struct {
		struct rt_hash key, far;
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

static inline const struct rt_chunk *rt_chunk_next(const struct rt_chunk *c)
{
	return (const struct rt_chunk *)((const char *)c + rt_chunk_bytes(c));
}

/* scan.c: chunks of [@p, @p + @len) in which the world is not as in the mirror, to changed[]. */
void rt_scan(struct rt_base *b, const void *p, size_t len);
/* The words of the chunk at @p that are not as at @q. */
u32 rt_scan_words(const void *p, const void *q);
/*
 * From @sp down: the world as in the base, until a stretch that is. As long as no frame of the
 * simulated code is as large as that stretch, nothing below was written.
 */
void rt_scrub(struct rt_base *b, u32 slot, char *sp);
/* Pages of the heap are hot from the first write to them until nobody has written for a while. */
void rt_hot_begin(struct rt_base *b);
void rt_hot_end(struct rt_base *b);
/* Pages [@first, @end) are new, and hot. */
void rt_hot_add(struct rt_base *b, u32 first, u32 end);
void rt_scan_hot(struct rt_base *b);

/* canon.c */
void rt_canon_init(struct rt_base *b);
void rt_canon_exit(struct rt_base *b);
/* What the chunk at @c->at is now, as part of the state: all but @c's words. */
void rt_canon_chunk(struct rt_base *b, struct rt_chunk *c);
/* @c is part of the sums from now on, or no more. */
void rt_canon_add(struct rt_sums *s, const struct rt_chunk *c);
void rt_canon_sub(struct rt_sums *s, const struct rt_chunk *c);
/* Looks for writes to blocks of the base that are free, in what has changed. */
void rt_canon_check(struct rt_base *b);

/* delta_move.c: pages of the heap that the world has and the twin has not; the world's too. */
void rt_twin_extend(struct rt_base *b, bool world);
/* Where live stacks end. */
void rt_find_stacks(const struct rt_base *b, char **sp);

#endif
