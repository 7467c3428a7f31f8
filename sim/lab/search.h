/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs of a scenario under one seed after the other, until one breaks something: random schedules,
 * or those of probabilistic concurrency testing (pct.h). A search of all schedules is not this.
 * A seed makes the same run here and in "tdxsim run --seed".
 */
#ifndef LAB_SEARCH_H
#define LAB_SEARCH_H

#include "sim/lab/play.h"

struct lab_search_opts {
	u64 runs; /* the most; 0: no search */
	/* Told now and then how far it is; NULL: nobody wants to know. */
	void (*progress)(void *ctx, u64 done, u64 runs); /* once more, with @runs, at the end */
	/* Whether somebody wants it to end behind this run; NULL: nobody. */
	bool (*stopped)(void *ctx);
	void *ctx;
};

struct lab_found {
	bool broke;
	struct lab_target target; /* what did */
	u64 seed;		  /* under which; else the last that was tried */
	u64 runs;		  /* done */
	bool stopped;		  /* before all that were asked for, and nothing broke */
	u64 longer;		  /* of those, runs of more than the k steps of their guarantee */
	struct rt_schedule schedule; /* of the run that broke; the caller frees it always */
};

/*
 * lab_search - seeds from @opts->seed on, with the chooser that @opts names.
 * False, with a sentence in @err, if no session can be made.
 */
bool lab_search(const struct lab_scenario *sc, const struct lab_setup *su,
		const struct lab_opts *opts, const struct lab_search_opts *so,
		struct lab_found *found, char *err, size_t len);

/*
 * lab_search_play - one run, as @opts has it (seed or schedule): what it breaks, and its schedule,
 * also of a run that breaks nothing.
 */
bool lab_search_play(const struct lab_scenario *sc, const struct lab_setup *su,
		     const struct lab_opts *opts, struct lab_found *found, char *err, size_t len);

/*
 * The k of a guarantee: steps of the parallel blocks in order, and a quarter more, since other
 * schedules take a little longer. 0, with a sentence in @err, if no session can be made.
 */
u64 lab_search_steps(const struct lab_scenario *sc, const struct lab_setup *su,
		     const struct lab_opts *opts, char *err, size_t len);

#endif
