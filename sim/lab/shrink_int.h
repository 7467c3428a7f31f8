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
};

/* @ops (of @nr, owned by the caller) in the place of what is there; true if it fails as it must. */
bool lab_shrink_try(struct lab_shrinker *s, const struct lab_op *ops, u32 nr);
bool lab_shrink_spent(const struct lab_shrinker *s);
/* A copy of the operations with room for @more; the caller frees it. */
struct lab_op *lab_shrink_copy(const struct lab_shrinker *s, u32 more);

/* The passes. True if something went. */
bool lab_shrink_ops(struct lab_shrinker *s);
bool lab_shrink_blocks(struct lab_shrinker *s);
bool lab_shrink_operands(struct lab_shrinker *s);
bool lab_shrink_setup(struct lab_shrinker *s);
void lab_shrink_schedule(struct lab_shrinker *s);

#endif
