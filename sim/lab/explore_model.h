/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario as the explorer's model (explore.h): the cursor over its lines, and which counters are
 * state because an expectation or an oracle reads them.
 *
 * Invariant: everything that a run can depend on is in the world, in the cursor, or outside of both
 * and constant.
 */
#ifndef LAB_EXPLORE_MODEL_H
#define LAB_EXPLORE_MODEL_H

#include "sim/lab/explore.h"
#include "sim/lab/play.h"

struct lab_ex_scn {
	struct lab_ex_model model;
	struct lab_play play;
	u32 stat[LAB_EX_OBSERVED - 8]; /* places in the list of statistics */
	u32 nr_stats;
	bool too_many; /* of them: the model is not to be used */
	bool timed;    /* one of them is a time that a lock was held */
};

/* explore_place.c: a copy of a scenario, and room for its set-up, at a place of their own. */
struct lab_ex_placed {
	struct lab_scenario sc; /* not for lab_scenario_free() */
	struct lab_setup su;
	size_t size;
};
struct lab_ex_placed *lab_ex_place(const struct lab_scenario *sc);
void lab_ex_unplace(struct lab_ex_placed *p);

/* Whether sessions of @sc need their SEAMCALLs recorded (struct lab_opts). */
bool lab_ex_scn_wants_calls(const struct lab_scenario *sc);
/* What counts and is no state; @b is a base of the machine's world. */
struct rt_base;
void lab_ex_ignore_counters(struct lab_machine *m, struct rt_base *b);
/* For @s, fresh. It stays where it is as long as the model is used. */
void lab_ex_scn_init(struct lab_ex_scn *x, struct lab_session *s);
/*
 * To the first choice: LAB_EX_CHOICE. LAB_EX_END if there is none at all, LAB_EX_BROKEN if it
 * breaks before.
 */
enum lab_ex_stop lab_ex_scn_begin(struct lab_ex_scn *x, struct lab_ex_fault *f);

#endif
