/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small programs of locks, counters, waiting and memory, written on the runtime alone, with the
 * number of outcomes that their schedules have. How they are run is in test_explore.c.
 */
#ifndef TEST_EXPLORE_PROGRAMS_H
#define TEST_EXPLORE_PROGRAMS_H

#include "sim/rt/types.h"

struct program {
	const char *name;
	void (*setup)(void);  /* makes shared memory and actors in the current world */
	u64 (*outcome)(void); /* of a schedule that came to rest */
	u32 outcomes;	      /* different ones, over all schedules */
	bool deadlock;	      /* some schedule ends in one */
	bool broken;	      /* some schedule breaks a rule of the runtime */
	bool unseen;   /* but only the explorer sees it: it looks at free memory after each step */
	bool livelock; /* a fair scheduler may keep it from its end */
};

extern const struct program programs[];
extern const u32 nr_programs;
/* Some schedules of these never end, so they can't be run one by one. */
extern const struct program endless_programs[];
extern const u32 nr_endless_programs;

#endif
