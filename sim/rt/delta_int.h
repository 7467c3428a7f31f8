/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between delta.c and canon.c: a base, its twin, the difference that was found last.
 */
#ifndef RT_DELTA_INT_H
#define RT_DELTA_INT_H

#include "sim/rt/delta.h"
#include "sim/rt/internal.h"

/* A block that was allocated behind the base, and the words of the difference that are in it. */
struct rt_canon_block {
	u64 begin, end; /* offsets in the region */
	u32 first, nr;	/* in rt_base.off[] */
	u32 number;	/* in the order in which it was found, from 1; 0: not yet */
	bool free;
};

struct rt_base {
	struct rt_world *w;
	char *twin;	/* what the base has at offset x of the region lies at twin + x */
	u32 floor;	/* pages of the base's heap */
	u32 twin_pages; /* pages of the heap that the twin has, poison behind the base */

	/*
	 * The difference, as offsets in words and values, ascending in each part: [0, nr_state) of
	 * struct rt_state, to nr_base of the base's heap, to nr_heap behind it, to nr_stack of
	 * stacks, to nr of the page map.
	 */
	u32 *off;
	u64 *val;
	u32 nr, cap;
	u32 nr_state, nr_base, nr_heap, nr_stack;

	/* canon.c */
	u64 *ignored; /* a bit for each word up to the end of the base's heap */
	struct rt_canon_block *block;
	u32 nr_block, cap_block;
	u32 *found; /* blocks by number, from 1 */
	u32 nr_found;
	u64 *out; /* what is hashed */
	u32 nr_out, cap_out;
	size_t written;
};

static inline u64 *rt_base_twin(const struct rt_base *b, const void *p)
{
	return (u64 *)(b->twin + ((const char *)p - (const char *)b->w));
}

void rt_canon_init(struct rt_base *b);
void rt_canon_exit(struct rt_base *b);

#endif
