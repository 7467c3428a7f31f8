/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The explorer's engine: every schedule of a model, by saving and restoring its world.
 * What runs between two choices is the model's (explore_scn.h has that of a scenario); what a state
 * is, is sim/rt/delta.h. This is the search: which state comes next, which was seen before, what
 * was covered.
 *
 * Invariants:
 *  - Totals are a function of model and options: neither the number of jobs, nor a kill and a
 *    resume, changes them.
 *  - Breadth first, the first violation is one with fewest choices.
 *  - A search that left anything out says so, and which bound it was.
 */
#ifndef LAB_EXPLORE_H
#define LAB_EXPLORE_H

#include <stdio.h>

#include "sim/rt/delta.h"
#include "sim/rt/sched.h"

/* How a run from one choice to the next ended. */
enum lab_ex_stop {
	LAB_EX_CHOICE, /* the chooser is asked again */
	LAB_EX_REST,   /* nobody has anything to do: model->rest() goes on */
	LAB_EX_END,    /* the end of a schedule that held */
	LAB_EX_BROKEN, /* it broke something */
	LAB_EX_LONG,   /* nobody was asked for many steps; model->run() goes on */
};

enum lab_ex_kind {
	LAB_EX_RULE,   /* an oracle, by name */
	LAB_EX_EXPECT, /* the expectation at op does not hold */
	LAB_EX_STUCK,  /* deadlock, no progress */
};
struct lab_ex_fault {
	enum lab_ex_kind kind;
	char rule[32];
	u32 op;
};

#define LAB_EX_OBSERVED 64
#define LAB_EX_EXTRA	128

struct lab_ex_model {
	void *ctx;
	struct rt_world *world;
	/*
	 * From where the chooser paused to the next stop. The engine's chooser is set; it answers
	 * once and pauses at the next question as long as @asking says so. What may never end stops
	 * with LAB_EX_LONG now and then: only the engine knows whether it comes back to where it was.
	 */
	enum lab_ex_stop (*run)(void *ctx, struct lab_ex_fault *f);
	enum lab_ex_stop (*rest)(void *ctx, struct lab_ex_fault *f);
	/* Whether a question now is a choice, or answered "in order". NULL: always. */
	bool (*asking)(void *ctx);
	/*
	 * What else is state, at most LAB_EX_OBSERVED words: counters that somebody will read, and
	 * what of @extra a run depends on. NULL: nothing.
	 */
	u32 (*observe)(void *ctx, u64 *word);
	/* Ranges of the world that are no state: for rt_base_ignore(). NULL: none. */
	void (*ignore)(void *ctx, struct rt_base *b);
	bool measure; /* counts and times of locks are state */
	/*
	 * Whether two actors have yet to begin, and are the same in all but their number. NULL: no
	 * two are. For opts->symmetry.
	 */
	bool (*alike)(void *ctx, u32 a, u32 b);
	/* Memory outside of the world that goes with a state, at most LAB_EX_EXTRA bytes. */
	void *extra;
	size_t extra_size;
};

struct lab_ex_opts {
	u64 max_states;	   /* 0: no bound */
	u32 preemptions;   /* most of one schedule; LAB_EX_UNBOUNDED */
	bool no_reduction; /* the order of allocations makes a difference */
	bool symmetry;	   /* of like actors the lowest begins first: an assumption */
	bool depth_first;
	bool all;		/* go on behind a violation */
	u32 jobs;		/* processes; 0 is 1 */
	u32 shard, shards;	/* part @shard, from 0, of @shards; 0 of 0: all of it */
	const char *checkpoint; /* file; NULL: none */
	u32 checkpoint_ms;	/* between two of them at least */
	struct rt_hash input;	/* of the model: a checkpoint of another is refused */
	FILE *progress;		/* a terminal; NULL: nobody looks */
	/* The host's clock, for those two only. NULL: it stands still. */
	u64 (*clock_ms)(void *ctx);
	void *clock_ctx;
	/* Whether somebody wants it to end now, with what it has. NULL: nobody. */
	bool (*stopped)(void *ctx);
	void *stopped_ctx;
};
#define LAB_EX_UNBOUNDED  0xffffffffU
#define LAB_EX_JOBS_MAX	  64
#define LAB_EX_ACTORS_MAX 60 /* actors of a model, so also answers to a question */

/* What was found first of a rule. */
struct lab_ex_found {
	struct lab_ex_fault fault;
	u32 state; /* in which the choice was made that broke it */
	u8 choice;
	u32 depth;
	bool loop;	       /* no choice breaks it: from @state on one can go round for ever */
	long double schedules; /* that break it */
};
#define LAB_EX_FOUND_MAX 64

/*
 * Schedules are paths through the states that were visited, a loop taken at most once; exact below
 * 2^64.
 */
struct lab_ex_totals {
	u64 states, transitions;
	u32 depth;
	long double schedules, violations;
	bool complete;
	const char *bound; /* what ended it or left something out; NULL: nothing */
	u64 bytes;	   /* of all states: what the visited set and its edges take */
	u64 frontier_bytes, frontier_states; /* at its largest: what was kept to go on from */
};

/* What became of a checkpoint. */
enum lab_ex_file {
	LAB_EX_FILE_NONE,	/* there was none: the search began */
	LAB_EX_FILE_RESUMED,	/* it went on from there */
	LAB_EX_FILE_DAMAGED,	/* it can't be read, or is not whole: nothing was searched */
	LAB_EX_FILE_FOREIGN,	/* of another scenario, other options or another build: the same */
	LAB_EX_FILE_UNWRITABLE, /* it can't be written from the start: the same */
	LAB_EX_FILE_UNWRITTEN,	/* it could not be written in the end */
};

/*
 * What random schedules tell before the search: choices that were answered, and by how many actors;
 * states that they came to, and how many there may be, by how often they came to the same. The
 * order of magnitude at best.
 */
struct lab_ex_estimate {
	u32 schedules, actors;
	u32 least, most; /* choices of a schedule */
	u32 seen;
	double states;
};

struct lab_ex;

/*
 * lab_ex_new - a search from where @model's world is paused now. The world is the search's until
 * lab_ex_free(), and good for nothing afterwards.
 */
struct lab_ex *lab_ex_new(const struct lab_ex_model *model, const struct lab_ex_opts *opts);
void lab_ex_free(struct lab_ex *x);

struct lab_ex_estimate lab_ex_estimate(struct lab_ex *x);
enum lab_ex_file lab_ex_run(struct lab_ex *x);
struct lab_ex_totals lab_ex_totals(const struct lab_ex *x);
const struct lab_ex_found *lab_ex_found(const struct lab_ex *x, u32 i);
/* The schedule that breaks it, appended to @s (initialised). */
void lab_ex_schedule(struct lab_ex *x, const struct lab_ex_found *f, struct rt_schedule *s);

/* Every state in which nobody had anything left to do: hashes, ascending. For tests. */
u32 lab_ex_rests(const struct lab_ex *x, struct rt_hash *hash, u32 max);

#endif
