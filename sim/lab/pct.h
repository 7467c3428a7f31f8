/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probabilistic concurrency testing as a chooser (Burckhardt, Kothari, Musuvathi, Nagarakatte:
 * "A randomized scheduler with probabilistic guarantees of finding bugs", 2010): each actor has a
 * random priority, the highest that can go on does, and at depth - 1 random steps the actor that
 * ran last falls below all others. A bug that takes depth orderings of n actors shows in a run of at
 * most k steps with probability 1 / (n * k^(depth - 1)) or more.
 *
 * Only parallel blocks are scheduled so, and only their steps count; the rest is in order. Faults
 * that may fire are as in the random chooser, and not in the guarantee.
 */
#ifndef LAB_PCT_H
#define LAB_PCT_H

#include "sim/rt/sched.h"

#define LAB_PCT_DEPTH_MAX 16

struct lab_pct {
	u32 depth, nr_actors;
	u64 steps;			   /* k: among how many steps the changes are spread */
	u64 done;			   /* steps of parallel blocks so far */
	u32 last;			   /* actor that ran last, RT_NOBODY before the first */
	u32 next;			   /* change that is to come */
	u64 change[LAB_PCT_DEPTH_MAX - 1]; /* steps, ascending */
	u32 *priority;			   /* [nr_actors]; higher goes first */
};

/*
 * lab_pct_new - for the current world, from whose random source it draws.
 * @depth from 1 to LAB_PCT_DEPTH_MAX, @steps at least 1.
 */
struct lab_pct *lab_pct_new(u32 depth, u32 nr_actors, u64 steps);
void lab_pct_free(struct lab_pct *p);
struct rt_chooser lab_pct_chooser(struct lab_pct *p);

/* 1 / (n * k^(depth - 1)); and of @runs of them, that at least one shows the bug. */
double lab_pct_bound(u32 depth, u32 nr_actors, u64 steps);
double lab_pct_bound_of(double one, u64 runs);

#endif
