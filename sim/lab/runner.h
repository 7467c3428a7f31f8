/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many runs of many scenarios, fast: machines are kept as images, built and not yet built, and a
 * run begins by restoring one. What a run ends with is a fate; fuzzer, shrinker and differential
 * mode stand on it. A run is the same as that of "tdxsim run", only its report is missing.
 *
 * Invariants:
 *  - A run's fate depends on its scenario and schedule alone, not on what ran before.
 *  - Nothing that a run allocates outlives it, but for the machines that are kept (a fixed number).
 */
#ifndef LAB_RUNNER_H
#define LAB_RUNNER_H

#include "sim/lab/run.h"

struct lab_fate {
	enum lab_verdict verdict; /* LAB_HELD, LAB_FAILED, LAB_VIOLATED, LAB_NO_PROGRESS */
	/* The oracle; "deadlock", "no-progress"; "expectation", "build"; "" if all held. */
	char rule[32];
	char text[400]; /* a sentence about it */
	u32 op;	   /* the action or block, or the expectation, at which it ended; LAB_NO_OP: none */
	u32 doing; /* the line of the actor that met it; LAB_NO_OP: found at rest */
	bool spent; /* the step budget, and nothing says that more would not be enough (endless.h) */
	u64 step, steps; /* where it broke, and how many there were from the first action on */
};

struct lab_diff;
typedef void lab_look(void *ctx, struct lab_session *s, u32 first, u32 nr);

struct lab_runner_opts {
	u64 budget; /* steps of one block; 0: the runtime's default */
	u32 keep;   /* machines; 0: 24 */
	const struct seam_observer *observer;
	void (*point)(void *ctx, enum rt_point pt, u64 obj);
	/* Behind each action and block [first, first + nr) that ended, and before the teardown (nr 0). */
	lab_look *block;
	void (*begin)(
		void *ctx); /* the machine stands at its first line: what was before is not told */
	void *ctx;
	const struct lab_diff *diff; /* every run is two, and differing is a fate too (diff.h) */
};

struct lab_runner;

struct lab_runner *lab_runner_new(const struct lab_runner_opts *opts);
void lab_runner_free(struct lab_runner *r);

/*
 * lab_runner_run - @sc on the machine @su, which it resolves to without an error. @schedule: play
 * this one (NULL: what the scenario's lines say). False if no machine can be made of it; then
 * @fate->text says why.
 */
bool lab_runner_run(struct lab_runner *r, const struct lab_scenario *sc, const struct lab_setup *su,
		    struct rt_schedule *schedule, struct lab_fate *fate);
/* One run, whatever opts->diff says; @look (NULL: nobody) is called where opts->block is. */
bool lab_runner_once(struct lab_runner *r, const struct lab_scenario *sc,
		     const struct lab_setup *su, struct rt_schedule *schedule, lab_look *look,
		     void *look_ctx, struct lab_fate *fate);
/* The choices of the last run that differ from "in order"; valid until the next one. */
const struct rt_schedule *lab_runner_recorded(const struct lab_runner *r);
/* Its session, as it ended. */
struct lab_session *lab_runner_session(const struct lab_runner *r);
/* Machines that are kept now, and their images' bytes: what of a runner may grow. */
u32 lab_runner_machines(const struct lab_runner *r);

/* Whether two runs broke the same rule, in the same words but for their numbers. */
bool lab_same_fate(const struct lab_fate *a, const struct lab_fate *b);
/*
 * lab_fate_key - where a fate is, so that two findings of one defect get one key: the rule, the
 * statement, and the sentence without its numbers.
 */
u64 lab_fate_key(const struct lab_scenario *sc, const struct lab_fate *fate);

#endif
