/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a run that has spent its step budget would never end: it is made once more, and goes on
 * where it stopped until the world is what it was before. For those who run with small budgets
 * (runner.h); a search over all schedules finds its loops itself (explore.h).
 *
 * Invariant: it says so only if nobody else could have helped: through the whole loop one actor
 * alone can go on, and neither an injected fault nor a SEAMCALL past KVM left KVM no choice. Two
 * that keep each other from going on may be kept apart by another schedule: that is no proof.
 */
#ifndef LAB_ENDLESS_H
#define LAB_ENDLESS_H

#include "sim/lab/session.h"

/*
 * lab_endless - @schedule is what the run of @sc, set up by @su, recorded until the budget of @opts
 * was spent. True: it never ends, and @text says who goes round.
 */
bool lab_endless(const struct lab_scenario *sc, const struct lab_setup *su,
		 const struct lab_opts *opts, const struct rt_schedule *schedule, char *text,
		 size_t len);

#endif
