/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the two files that name differences: sums of hashes, and which offsets in the region are
 * those of new blocks.
 */
#ifndef RT_CANON_INT_H
#define RT_CANON_INT_H

#include "sim/rt/delta_int.h"
#include "sim/rt/mix.h"

/* What @h adds to a sum, at @place. */
static inline struct rt_hash rt_canon_placed(struct rt_hash h, u64 place)
{
	return (struct rt_hash){rt_mix(h.lo + place * 0x9e3779b97f4a7c15ULL),
				rt_mix(h.hi ^ place * 0xc2b2ae3d27d4eb4fULL)};
}

static inline void rt_canon_sum(struct rt_hash *sum, struct rt_hash h)
{
	sum->lo += h.lo;
	sum->hi += h.hi;
}

static inline u64 rt_canon_new_begin(const struct rt_base *b)
{
	return (u64)(b->w->heap - (char *)b->w) + (u64)b->floor * 4096;
}

static inline u64 rt_canon_new_end(const struct rt_base *b)
{
	return (u64)(b->w->heap - (char *)b->w) + (u64)b->w->s.heap.brk * 4096;
}

static inline bool rt_canon_is_new(const struct rt_base *b, u64 off)
{
	return off - rt_canon_new_begin(b) < rt_canon_new_end(b) - rt_canon_new_begin(b);
}

#endif
