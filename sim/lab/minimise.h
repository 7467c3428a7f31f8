/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a schedule that breaks a rule to a small one that breaks the same: fewest preemptions, then
 * fewest faults, fewest answers that differ from "in order", fewest steps until it breaks.
 * How one looks is cuts.h; how a run of it is done is play.h.
 *
 * The result is never about another rule, and never larger than what was given. It is found by
 * trying, so it is small, not proven smallest; only that nothing of it can be left out is certain,
 * unless the bound on runs ended the search.
 */
#ifndef LAB_MINIMISE_H
#define LAB_MINIMISE_H

#include "sim/lab/cuts.h"
#include "sim/lab/play.h"

#define LAB_MINIMISE_RUNS 4000 /* a good bound */

struct lab_minimised {
	struct rt_schedule schedule; /* the caller frees it */
	struct lab_cost before, after;
	u32 runs;	 /* tried */
	bool reproduced; /* what was given breaks the target; else the schedule is empty */
	bool bounded;	 /* the bound ended the search */
};

/*
 * lab_minimise - @failing is what a run of @sc, set up by @su, recorded before it broke @target.
 * @opts: of that run; seed, chooser and trace do not matter. @runs: tries after which nothing
 * smaller is looked for.
 * The same answer for the same input. NULL in @err's place is not allowed; a sentence is left there
 * and false returned only if no session can be made.
 */
bool lab_minimise(const struct lab_scenario *sc, const struct lab_setup *su,
		  const struct lab_opts *opts, const struct rt_schedule *failing,
		  const struct lab_target *target, u32 runs, struct lab_minimised *res, char *err,
		  size_t len);

#endif
