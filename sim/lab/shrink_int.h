/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the shrinker: the scenario as it is now, and trying another one. Not for
 * other rooms.
 */
#ifndef LAB_SHRINK_INT_H
#define LAB_SHRINK_INT_H

#include "sim/lab/shrink.h"

/*
 * Invariant: now.ops[] is what failed last; candidates differ from it in their operations only, and
 * use the same pools, which only grow.
 */
struct lab_shrinker {
	struct lab_runner *r;
	struct lab_scenario now;
	struct lab_setup su; /* of the candidate */
	struct lab_fate want, fate;
	bool races; /* the scheduler has a say */
	u32 runs, max_runs;
	u32 kept_runs; /* that only the schedule may take */
};

/* @ops (of @nr, owned by the caller) in the place of what is there; true if it fails as it must. */
bool lab_shrink_try(struct lab_shrinker *s, const struct lab_op *ops, u32 nr);
/* @sc, whether or not all runs are spent; leaves su and fate. */
bool lab_shrink_run(struct lab_shrinker *s, struct lab_scenario *sc);
/* @ops are what there is now. */
void lab_shrink_keep(struct lab_shrinker *s, const struct lab_op *ops, u32 nr);
/*
 * To @to (room for one more than @nr): without what the scheduler reads, and with
 * "chooser random seed=@seed" (0: in order) in front. How many there are.
 */
u32 lab_shrink_seeded(const struct lab_op *ops, u32 nr, u64 seed, struct lab_op *to);
/* The choices of the last run as schedule lines in front of everything else. */
void lab_shrink_choices(struct lab_shrinker *s);
bool lab_shrink_spent(const struct lab_shrinker *s);
/* A copy of the operations with room for @more; the caller frees it. */
struct lab_op *lab_shrink_copy(const struct lab_shrinker *s, u32 more);

/* The passes. True if something went. */
bool lab_shrink_ops(struct lab_shrinker *s);
bool lab_shrink_lines(struct lab_shrinker *s);
bool lab_shrink_blocks(struct lab_shrinker *s);
bool lab_shrink_operands(struct lab_shrinker *s);
bool lab_shrink_setup(struct lab_shrinker *s);
/* Few preemptions (minimise.h) and as schedule lines. */
void lab_shrink_schedule(struct lab_shrinker *s);

#endif
