/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Actors, scheduling points and choosers: who goes on, and where that is decided.
 * An actor is a fiber (sim/rt/fiber.h); it gives up the processor only at rt_point(), rt_block()
 * and its end. Locks are in sim/rt/lock.h; what actors do is the business of the floors above.
 *
 * Invariants:
 *  - A run is a function of the world and of the chooser's answers, nothing else.
 *  - A step is one decision of the scheduler; steps count from 0 in each world and only go up.
 *  - The chooser is asked only when more than one actor could go on, or whether a fault that may
 *    fire does; a recorded schedule lists the answers that differ from "in order".
 */
#ifndef RT_SCHED_H
#define RT_SCHED_H

#include "sim/rt/types.h"

struct rt_actor;
struct rt_world;

/* Where an actor is when it may be preempted. What happens next, not what has happened. */
#define RT_POINTS(X)                                                                            \
	X(LOCK, "lock")	    /* about to take a lock; obj = lock id */                           \
	X(UNLOCK, "unlock") /* has just released one; obj = lock id */                          \
	X(CALL, "call")	    /* about to enter the machine below; obj = its function number */   \
	X(HELD, "held")	    /* inside the machine below, locks held that others can run into */ \
	X(POLL, "poll")	    /* about to poll for a pending interrupt */                         \
	X(ATOMIC,                                                                               \
	  "atomic") /* about to do an atomic access that others race with; obj = rt_offset */   \
	X(GUEST, "guest")     /* about to execute a guest instruction; obj = gpa */             \
	X(IPI_SEND, "ipi")    /* about to send an IPI; obj = cpu */                             \
	X(IPI_RECV, "ipi-in") /* about to handle one; obj = cpu */                              \
	X(RESCHED, "resched") /* cond_resched() and its kin */                                  \
	X(RCU, "rcu")	      /* enters or leaves a read section, or ends a grace period */     \
	X(WAKE, "wake")	      /* was blocked and can go on */                                   \
	X(START, "start")     /* first instruction of an actor */

enum rt_point {
#define RT_POINT_ENUM(id, text) RT_PT_##id,
	RT_POINTS(RT_POINT_ENUM)
#undef RT_POINT_ENUM
	RT_PT_NR
};

const char *rt_point_name(enum rt_point pt);

/*
 * rt_actor_new - create an actor that starts in @fn when first chosen.
 * @name is copied (at most 31 characters). Returns NULL if the world has no free stack slot.
 * The struct lives as long as the world, so that ids stay valid.
 * An actor that returns from @fn is finished; its slot is reused by the next rt_actor_new().
 */
struct rt_actor *rt_actor_new(const char *name, void (*fn)(void *arg), void *arg);

/* The running actor, NULL outside of one (set-up code, unit tests, vectors). */
struct rt_actor *rt_actor_current(void);
const char *rt_actor_name(const struct rt_actor *a);
/* Small number, dense, in order of creation; 0 is the first actor. Outside an actor: RT_NOBODY. */
#define RT_NOBODY 0xffffffffU
u32 rt_actor_id(const struct rt_actor *a);
struct rt_actor *rt_actor_by_id(u32 id);
bool rt_actor_finished(const struct rt_actor *a);
/* One pointer that the floors above may keep with an actor (the lab keeps its script there). */
void rt_actor_set_data(struct rt_actor *a, void *data);
void *rt_actor_data(const struct rt_actor *a);
/*
 * Where it stands: point kind, object, and why it is blocked (NULL if it is not). For reports and
 * the explorer.
 */
struct rt_where {
	enum rt_point point;
	u64 obj;
	const char *blocked_on;
	bool idle;
	const char *asks; /* site of the fault whose question is open; NULL: none */
};
struct rt_where rt_actor_where(const struct rt_actor *a);

/*
 * rt_point - a scheduling point. Outside an actor it only calls the point hook, if one is set.
 * @obj: what the step is about to touch; used by reports and by partial-order reduction.
 */
void rt_point(enum rt_point pt, u64 obj);

/*
 * rt_yield - the point of a loop that tries again until somebody else has done something
 * (cpu_relax(), a retried call): as rt_point(RT_PT_RESCHED, 0), but the actor goes on only after
 * another has made a step, or if nobody else can go on. So no chooser, and no search, spins. Two
 * that only wait for each other this way end with the step budget.
 */
void rt_yield(void);

/*
 * rt_block - wait until @ready(@arg) holds. @why is a literal for reports ("mmu_lock", "vCPU to
 * leave guest mode").
 * @ready must be a pure function of the world; it is called by the scheduler, possibly often.
 * Returns at once if it holds already (and that is no scheduling point). Outside an actor a
 * condition that does not hold can never come true: it aborts with @why.
 */
void rt_block(const char *why, bool (*ready)(void *arg), void *arg);

/*
 * As rt_block(), but waiting here is no deadlock: the actor has nothing to do until somebody gives
 * it work.
 */
void rt_idle(const char *why, bool (*ready)(void *arg), void *arg);

enum rt_run_result {
	RT_RUN_QUIET,	 /* every actor is finished or idle */
	RT_RUN_DEADLOCK, /* somebody is blocked, and nobody can go on */
	RT_RUN_BUDGET,	 /* the step budget is spent: no progress, or too small a budget */
	RT_RUN_STOPPED,	 /* rt_stop() */
	RT_RUN_PAUSED,	 /* the chooser said RT_PICK_PAUSE; rt_run() goes on from here */
};

/* Run actors until one of the above. Not from inside an actor. */
enum rt_run_result rt_run(void);
/* End the run from inside (an oracle broke): does not return to the actor in this rt_run(). */
void rt_stop(void);
/*
 * Steps that one rt_run() may take; 0 is the default of 10 million. Attached to the current world
 * from outside, not saved.
 */
void rt_set_budget(u64 steps);
u64 rt_step(void);

/*
 * Choosers. @pick gets the choice and returns an index into @c->ids, or RT_PICK_PAUSE.
 * The chooser hangs on the world from outside: it is not saved with it.
 */
enum rt_choice_kind {
	RT_CHOICE_ACTOR, /* who goes on */
	RT_CHOICE_FAULT, /* a fault may fire where an actor stands: does it? */
};

struct rt_choice {
	u64 step;
	u32 cur; /* index in ids[] of the actor that just stopped; RT_NOBODY if it can't go on */
	u32 nr;	 /* >= 2, or >= 1 when the chooser asked to see every step (all_steps) */
	const u32 *ids; /* actor ids, ascending; of a fault: RT_FAULT_NO, RT_FAULT_FIRES */
	enum rt_choice_kind kind;
	/* Of a fault, for which cur is 0 (it does not fire): who asks, at which site, with which key. */
	u32 actor;
	const char *site;
	u64 key;
};
/* What stands in the place of an actor's id where the choice is about a fault. */
#define RT_FAULT_NO    0xfffffffcU
#define RT_FAULT_FIRES 0xfffffffdU
#define RT_PICK_PAUSE  0xfffffffeU /* rt_run() returns; the next one asks the same question again */

struct rt_chooser {
	const char *name;
	u32 (*pick)(void *ctx, const struct rt_choice *c);
	void *ctx;
	bool all_steps;
	/*
	 * First step, from now on, at which it wants to be asked; before that the run is "in
	 * order", and costs nothing. NULL: always asked. Asked again after each pick, at the start
	 * of rt_run() and after a restore.
	 */
	u64 (*ask_from)(void *ctx);
};
void rt_set_chooser(struct rt_world *w, const struct rt_chooser *ch);

/* "In order": the current actor as long as it can, else the lowest id. The default. */
extern const struct rt_chooser rt_chooser_in_order;
/*
 * "Seeded random": uniform over those that can go on, from the world's random source; a fault that
 * may fire does so once in RT_RANDOM_FAULT times.
 */
#define RT_RANDOM_FAULT 4
extern const struct rt_chooser rt_chooser_random;

/*
 * A recorded schedule: the answers that differ from "in order", as (step, actor id or
 * RT_FAULT_FIRES), steps ascending. As a chooser it is tolerant: an answer that no longer fits is skipped and counted, and
 * the first such step kept.
 */
struct rt_schedule_entry {
	u64 step;
	u32 actor;
};
struct rt_schedule {
	struct rt_schedule_entry *entries; /* jemalloc's */
	size_t nr, cap;
	size_t pos; /* next entry to play */
	size_t skipped;
	u64 first_divergence; /* step; ~0 if none */
};
void rt_schedule_init(struct rt_schedule *s);
void rt_schedule_free(struct rt_schedule *s);
void rt_schedule_add(struct rt_schedule *s, u64 step, u32 actor);
/* The entries of @from in the place of those of @to. */
void rt_schedule_copy(struct rt_schedule *to, const struct rt_schedule *from);
/* A chooser that plays @s; and recording of what any chooser answers into @s (NULL stops it). */
struct rt_chooser rt_schedule_chooser(struct rt_schedule *s);
void rt_record_schedule(struct rt_world *w, struct rt_schedule *s);

/*
 * Hooks, attached from outside. The point hook runs at every rt_point(), before the decision;
 * outside actors too. The step hook runs after every step, on the scheduler's stack (cheap
 * oracles).
 */
void rt_set_point_hook(struct rt_world *w, void (*fn)(void *ctx, enum rt_point pt, u64 obj),
		       void *ctx);
void rt_set_step_hook(struct rt_world *w, void (*fn)(void *ctx), void *ctx);

#endif
