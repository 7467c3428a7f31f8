/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a run has reached, cheaply: counters by a hash of what happened. It is about the model, not
 * about our code: S-EPT transitions, statuses by leaf, what each statement came to under which
 * policies, in which state it left its page, scheduling points one behind the other, statistics by
 * magnitude. Named coverage for people is coverage.h.
 *
 * Invariant: the same run gives the same map, whatever ran before it.
 */
#ifndef LAB_FUZZ_MAP_H
#define LAB_FUZZ_MAP_H

#include "sim/lab/runner.h"
#include "tdx/inspect.h"

#define LAB_MAP_SIZE (1U << 16)

/* Of one run. */
struct lab_map {
	struct seam_observer observer;
	u8 count[LAB_MAP_SIZE];
	u16 touched[LAB_MAP_SIZE]; /* places that are not 0, in the order of their first hit */
	u32 nr_touched;
	u32 last_answer, last_entry, last_op;
	u32 last_point[16]; /* by actor, modulo */
	u32 policies;	    /* hash of those that are not the default */
};

/* One more hit of what @what stands for. */
void lab_map_hit(struct lab_map *m, u64 what);
/* Empty, and for runs on @su. */
void lab_map_begin(struct lab_map *m, const struct lab_setup *su);
void lab_map_init(struct lab_map *m);
/*
 * Hooks of a runner; ctx is the map. A machine that was kept needs no build, so what a build
 * reaches before the first line is forgotten.
 */
void lab_map_forget(void *ctx);
void lab_map_point(void *ctx, enum rt_point pt, u64 obj);
void lab_map_block(void *ctx, struct lab_session *s, u32 first, u32 nr);
/* The fate of the run, as the last hit. */
void lab_map_end(struct lab_map *m, const struct lab_fate *fate);

/*
 * Of all runs so far: bit n of a place is set if one has hit it so often as the n-th of four classes
 * says (1, 2-7, 8-63, more). Finer ones fill the corpus with what differs in nothing.
 */
struct lab_seen_map {
	u8 classes[LAB_MAP_SIZE];
	u32 places, bits;
};
/* What is new in @m: 0 nothing, 1 a count of another class, 2 a place. @add: it is seen now. */
u32 lab_map_new(struct lab_seen_map *all, const struct lab_map *m, bool add);
/* The same for a list of places and classes, as lab_map_list() makes it. */
struct lab_map_item {
	u16 place;
	u8 class;
};
u32 lab_map_list(const struct lab_map *m, struct lab_map_item *item, u32 max);
u32 lab_map_new_items(struct lab_seen_map *all, const struct lab_map_item *item, u32 nr, bool add);

#endif
