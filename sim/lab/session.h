/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Driving a machine: a world of its own, a chooser, actions one by one or a parallel block at a
 * time, oracles after each. It is what "tdxsim run", the unit-test kit, and later explorer and
 * fuzzer stand on. Judging expectations is expect.h.
 *
 * Invariant: between calls no actor runs; after LAB_BROKEN or LAB_STUCK the world is left as it was
 * found, to be looked at.
 */
#ifndef LAB_SESSION_H
#define LAB_SESSION_H

#include "sim/lab/machine.h"
#include "sim/rt/trace.h"
#include "tdx/inspect.h"

struct lab_pct;

struct lab_opts {
	u64 seed;
	bool random;		      /* chooser: seeded random; else in order */
	u32 pct_depth;		      /* chooser: pct.h, this depth; 0: no */
	u64 pct_steps;		      /* its k */
	struct rt_schedule *schedule; /* play this one; NULL: none */
	u64 budget;		      /* steps of one block, 0: the runtime's default */
	size_t trace_cap;	      /* events kept; 0: all */
	/* world and session lie where they lie in every process, if that is free */
	bool fixed_place;
	bool no_trace;
	bool no_calls; /* nobody will ask which SEAMCALLs there were (expect seamcalls) */
	const struct seam_observer *observer; /* of the module; NULL: none */
	/* Every scheduling point of every actor, @ctx is point_ctx; NULL: nobody looks. */
	void (*point)(void *ctx, enum rt_point pt, u64 obj);
	void *point_ctx;
};

enum lab_step {
	LAB_DONE,   /* the actors are quiet and every line has ended */
	LAB_BROKEN, /* an oracle broke: broken[] */
	LAB_STUCK,  /* deadlock, or no progress: stuck[] says who waits for what */
	LAB_PAUSED, /* the chooser paused: lab_session_resume() goes on */
};

struct lab_broken {
	char rule[32];
	char text[400];
	u64 step;
	u32 op;	      /* line of the actor that reported it; LAB_NO_OP: found at rest */
	bool excused; /* forced by an injected fault: told, but no violation */
};
#define LAB_BROKEN_MAX 8

struct lab_session {
	const struct lab_scenario *sc;
	const struct lab_setup *su;
	struct lab_opts opts;
	struct rt_world *world;
	struct rt_trace *trace;
	struct seam_observer
		watch; /* of the module: what oracle_retry.c needs, and opts.observer */
	struct rt_chooser chooser;
	u64 seeded; /* state of the chooser of a "chooser random" line */
	bool seeded_on;
	struct lab_pct *pct; /* NULL: another chooser */
	struct rt_schedule recorded;
	struct lab_machine *m;
	struct lab_broken broken[LAB_BROKEN_MAX];
	u32 nr_broken;
	char stuck[2000];
	const char *stuck_rule; /* the oracle that being stuck breaks; NULL: not stuck */
	bool out_of_steps;	/* stuck, or not yet: the budget of the last run was spent */
	u64 first_event;	/* sequence number of the first event of the last block */
	/* The same of the last parallel block, and of the first event behind it; end 0: none. */
	u64 parallel_first, parallel_end;
};

/*
 * lab_session_new - a machine for @sc, whose set-up @su must outlive it.
 * NULL and a sentence in @err if the module or the host refuses the set-up.
 */
struct lab_session *lab_session_new(const struct lab_scenario *sc, const struct lab_setup *su,
				    const struct lab_opts *opts, char *err, size_t len);
void lab_session_free(struct lab_session *s);

/*
 * lab_session_chooser - from here on another one than the options and the lines of the scenario
 * ("chooser random") say.
 */
void lab_session_chooser(struct lab_session *s, const struct rt_chooser *ch);

/*
 * lab_session_do - the actions [first, first + nr) of sc->ops, in parallel or a single one; builds
 * what they need first. A build that fails leaves its errno in the TD (build_err).
 */
enum lab_step lab_session_do(struct lab_session *s, u32 first, u32 nr, bool parallel);
/*
 * lab_session_build - only what they need built, so that counters can be read before the actions
 * themselves begin.
 */
enum lab_step lab_session_build(struct lab_session *s, u32 first, u32 nr);
/* The TDs that this would build, as a mask of their indexes. */
u32 lab_session_unbuilt(const struct lab_session *s, u32 first, u32 nr);
/*
 * lab_session_resume - on with a block, a build or the end that was paused, or whose world was
 * restored to where it was paused. After a build the block itself is still to be begun.
 */
enum lab_step lab_session_resume(struct lab_session *s);
/*
 * lab_session_go - the same, but LAB_DONE is told before anything is judged: lab_session_resume()
 * then judges.
 */
enum lab_step lab_session_go(struct lab_session *s);
/* Whether no actor has anything to do: what is broken was found at rest, and the run can go on. */
bool lab_session_quiet(const struct lab_session *s);
/* Arm the fault of an inject line. 0, or -errno of a reference that can't be taken. */
int lab_session_inject(struct lab_session *s, u32 op);
/* Close every TD that still stands and look at what is left. */
enum lab_step lab_session_end(struct lab_session *s);
/* Lines of faults that were never spent, by place; LAB_NO_OP past the end. */
u32 lab_session_unspent(struct lab_session *s, u32 i);

/*
 * lab_session_reseed - at the beginning of a run: as if the session had been made with that seed.
 */
void lab_session_reseed(struct lab_session *s, u64 seed);

/*
 * A place in a run to go back to: the world's image, and what a session keeps outside of it.
 * lab_session_mark() between calls; lab_session_back() as often as wanted, from anywhere behind it.
 * Neither a schedule that is played nor another chooser is moved back: that is whose it is.
 */
struct lab_mark {
	struct rt_image *image;
	u64 first_event, parallel_first, parallel_end;
	u32 nr_broken;
	size_t nr_recorded;
};
void lab_session_mark(struct lab_session *s, struct lab_mark *mark);
void lab_session_back(struct lab_session *s, const struct lab_mark *mark);
/*
 * lab_session_rewind - back to @mark for another run: its operations (s->sc) may be others, its
 * machine may not; the chooser, and @schedule (NULL: as the scenario's lines say), are at their
 * start.
 */
void lab_session_rewind(struct lab_session *s, const struct lab_mark *mark,
			struct rt_schedule *schedule);
void lab_mark_free(struct lab_mark *mark);

/* Oracles that broke and were not forced: what ends a run with status 4. */
bool lab_session_violated(const struct lab_session *s);
/* Whether @rule broke, by a report, by a check, or by the run being stuck. */
bool lab_session_broke(const struct lab_session *s, const char *rule);
/* Where every actor stands, one line each. */
void lab_session_where(struct lab_session *s, char *buf, size_t len);

#endif
