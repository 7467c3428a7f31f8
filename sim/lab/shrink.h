/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A failing scenario made small, to the same broken rule: fewer operations, then plainer operands,
 * then fewer choices of the scheduler, then less set-up. What broke is a fate (runner.h); a
 * candidate counts only if its fate is the same one, so shrinking never drifts to another defect.
 */
#ifndef LAB_SHRINK_H
#define LAB_SHRINK_H

#include "sim/lab/runner.h"

struct lab_shrunk {
	struct lab_scenario sc; /* owned; lab_scenario_free() */
	struct lab_setup su;
	struct lab_fate first, last; /* as given, and as shrunk */
	u32 runs;
	u32 actions_first, actions_last; /* actions and faults */
};

/*
 * lab_shrink - @sc on machines of @r. @schedule: it fails under this one (NULL: under what its
 * lines say). @max_runs: stop after so many; 0: 20000. The result has its choices as schedule
 * lines, if it needs any. False if it holds, with @out->first saying so, or no machine can be made.
 */
bool lab_shrink(struct lab_runner *r, const struct lab_scenario *sc, struct rt_schedule *schedule,
		u32 max_runs, struct lab_shrunk *out);

/* As a scenario file: @reason as a comment ("" for none), then what broke, then the operations. */
void lab_shrunk_write(const struct lab_shrunk *s, const char *reason, FILE *out);

#endif
