/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of a world, for the files of this room only.
 * What is fixed or attached from outside is in struct rt_world; what an image saves is struct
 * rt_state and the heap. Everything that other rooms may use is in the headers next to this one.
 */
#ifndef RT_INTERNAL_H
#define RT_INTERNAL_H

#include "sim/rt/asan.h"
#include "sim/rt/fiber.h"
#include "sim/rt/lock.h"
#include "sim/rt/rcu.h"
#include "sim/rt/sched.h"
#include "sim/rt/trace.h"
#include "sim/rt/world.h"

/*
 * A defect of the program around the simulation, never of the simulated code: says what, and
 * aborts.
 */
void rt_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void rt_no_world(void) __attribute__((noreturn));
/* The current world, which must be. */
static inline struct rt_world *rt_need_world(void)
{
	if (__builtin_expect(!rt_cur, 0))
		rt_no_world();
	return rt_cur;
}
/* realloc() that does not fail; for what lies outside of worlds. */
void *rt_host_realloc(void *p, size_t size);

/* ---- the heap: alloc.c over pages.c ---- */

#define RT_NO_PAGE   0xffffffffU
#define RT_PAGE_BINS 32

enum rt_page_kind {
	RT_PG_NONE,  /* never used, or inside of a free span */
	RT_PG_SMALL, /* carved into small blocks, for good */
	RT_PG_LARGE, /* first page of a live block */
	RT_PG_OWN,   /* the same, and the block is the runtime's own */
	RT_PG_TAIL,  /* a later page of a live block */
	RT_PG_FREE,  /* first or last page of a free span */
};

struct rt_page {
	u32 kind;
	u32 nr;	  /* pages of the span; valid in the first page, and in the last of a free span */
	u32 next; /* free: next span of its bin; live: bytes at the end that were not asked for */
	u32 prev; /* free: previous span of its bin */
};

#define RT_CLASSES 27

struct rt_heap {
	size_t live_bytes, live_blocks; /* of the rooms above */
	size_t own_bytes, own_blocks;	/* of the runtime */
	u32 brk;			/* pages in use, free spans included */
	u32 fresh; /* 1: what is free is not used again, all that is new lies at the top */
	u32 run_cur, run_end;	/* small blocks are carved from here: offsets / 8 in the heap */
	u32 bin_map;		/* bit n: bins[n] is not empty */
	u32 bins[RT_PAGE_BINS]; /* free spans of n + 1 pages; the last has all longer ones */
	u32 free[RT_CLASSES];	/* free small blocks: offset / 16 in the heap, 0 ends */
};

/*
 * As rt_alloc() and so on, for the runtime's own needs: counted apart, so that a leak above is a
 * number.
 */
void *rt_own_alloc(struct rt_world *w, size_t size);
void *rt_own_zalloc(struct rt_world *w, size_t size);
void rt_own_free(struct rt_world *w, void *p);
/* Grow a zeroed array of the runtime to at least @nr elements of @size; *@cap is updated. */
void *rt_own_grow(struct rt_world *w, void *p, u32 *cap, u32 nr, size_t size);

void rt_heap_init(struct rt_world *w);
/* From now on nothing that is free is used again, and what is new comes from behind the top. */
void rt_heap_fresh(struct rt_world *w);
/* All blocks from page @first on, which the heap had as its top when rt_heap_fresh() was called. */
void rt_heap_walk(struct rt_world *w, u32 first,
		  void (*fn)(void *ctx, const void *p, size_t size, bool is_free), void *ctx);
/* Small blocks that are new then begin at a multiple of this. */
#define RT_FRESH_ALIGN 256
/* Whether the word at @p is the header of a block. */
bool rt_heap_is_header(const struct rt_world *w, const void *p);
/* Whether it is that of a block that was freed since rt_heap_fresh(), of @size bytes. */
bool rt_heap_is_freed(const struct rt_world *w, const void *p, u32 *size);
/* Size of the block whose header is at @p, if it is live; else 0. */
u32 rt_heap_live_size(const struct rt_world *w, const void *p);
bool rt_heap_is_poison(const char *p, size_t len);
/* All words of the heap that are headers of blocks. */
void rt_heap_headers(struct rt_world *w, void (*fn)(void *ctx, const void *p), void *ctx);
u32 rt_pages_take(struct rt_world *w, u32 nr, bool *fresh);
void rt_pages_give(struct rt_world *w, u32 page, u32 nr);

/* ---- actors and what they hold ---- */

enum rt_held_kind {
	RT_HELD_LOCK,
	RT_HELD_SRCU,
};

struct rt_held {
	void *obj;
	u64 since; /* SRCU: the grace-period clock when the section began */
	u8 kind;
	u8 mode; /* lock: enum rt_lock_mode; SRCU: the index that was handed out */
};

/* What lockdep and RCU know about an actor, or about the code outside of actors. */
struct rt_task {
	struct rt_held *held;
	u32 nr_held, cap_held;
	u32 nr_locks;  /* of nr_held */
	u32 nr_atomic; /* of those, locks under which nobody may sleep */
	u32 rcu_nest;
	bool in_callback;
	u64 rcu_since; /* the grace-period clock when the outermost read section began */
};

#define RT_NAME_LEN 32

struct rt_actor {
	struct rt_fiber fiber;
	struct rt_actor *next_live; /* ascending ids */
	void (*fn)(void *arg);
	void *arg;
	void *data;
	bool (*ready)(void *arg); /* NULL: can go on */
	void *ready_arg;
	const char *why;
	u64 obj;
	u32 id;
	u32 slot;
	u8 point;
	bool idle;
	bool yields; /* at rt_yield(), and nobody has made a step since */
	bool finished;
	char name[RT_NAME_LEN];
	struct rt_task task;
};

#define RT_SLOT_WORDS 16
#define RT_ACTORS_MAX (RT_SLOT_WORDS * 64)

/* A fault may fire where the actor stands that ran last, and the chooser has to say. */
struct rt_question {
	const char *site; /* NULL: none is open */
	u64 key;
	bool fires; /* the answer */
};

struct rt_sched {
	u64 step;
	struct rt_actor *running; /* NULL outside of actors, so in every image */
	struct rt_actor *last;	  /* who ran last */
	struct rt_actor *live;	  /* not finished, by id */
	struct rt_actor **actors; /* all, by id */
	u32 nr_actors, cap_actors;
	u32 nr_live;
	u32 nr_yields; /* actors that yield */
	struct rt_question question;
	u64 slots[RT_SLOT_WORDS]; /* stack slots in use */
};

/* Whether @a could go on now. */
static inline bool rt_actor_can_go(const struct rt_actor *a)
{
	return !a->finished && (!a->ready || a->ready(a->ready_arg));
}

/*
 * Compute again until when rt_point() may just go on, after anything that this depends on has
 * changed.
 */
void rt_sched_rearm(struct rt_world *w);
/* The running actor passes a fault that may fire: does it? A step of its own. */
bool rt_sched_ask_fault(struct rt_world *w, const char *site, u64 key);
/* actor.c: the running actor is at its end. */
void rt_actor_retire(struct rt_world *w, struct rt_actor *a);
char *rt_slot_stack(const struct rt_world *w, u32 slot);

/* ---- lock.c, lockdep.c ---- */

struct rt_lock_class {
	const char *name;
	u32 kind;
	u32 words;		   /* of after[] */
	u64 *after;		   /* classes that were taken while one of this class was held */
	bool in_callback, in_task; /* spinning: taken in an RCU callback, and elsewhere */
};

struct rt_lockdep {
	struct rt_lock_class *classes;
	u32 nr, cap;
	u32 lock_serial;
};

u32 rt_lockdep_class(struct rt_world *w, const char *name, u32 kind);
/* @l is about to be taken, waiting if need be: the rules on that. */
void rt_lockdep_before(struct rt_world *w, const struct rt_lock *l);
/* Memory is freed: reports a lock in it that the running actor holds. */
void rt_lockdep_freed(struct rt_world *w, const void *p, size_t len);
/* An actor ends: reports what it still holds. */
void rt_lockdep_exit(struct rt_world *w, struct rt_actor *a);

/* What a task holds, oldest first. */
static inline struct rt_task *rt_task_current(struct rt_world *w);
void rt_held_add(struct rt_world *w, struct rt_held h);
struct rt_held *rt_held_find(struct rt_task *t, const void *obj, enum rt_held_kind kind);
void rt_held_del(struct rt_task *t, struct rt_held *h);
static inline bool rt_lock_spins(const struct rt_lock *l)
{
	return l->kind == RT_LOCK_SPIN || l->kind == RT_LOCK_RW;
}

/* ---- rcu.c ---- */

struct rt_rcu {
	u64 clock;		  /* grows with each grace period that is asked for */
	struct rt_rcu_head *head; /* callbacks, oldest first */
	struct rt_rcu_head *tail;
	u64 queued, done;
	bool running; /* somebody is in the callbacks */
};

/* Run the callbacks whose grace period is over, if the running actor may. */
void rt_rcu_run_ready(struct rt_world *w);
/*
 * The same at a quiescent point: also the running actor must hold no lock at all, not even one that
 * may be slept under.
 */
static inline void rt_rcu_quiescent(struct rt_world *w);

/* ---- phys.c and phys_cache.c over phys_map.c; fault.c ---- */

struct rt_phys_chunk;
struct rt_phys_lines;

/* Pages used in place, found again without a search. A power of two; each page has one place. */
#define RT_PHYS_TABLES 32
struct rt_phys_table {
	u64 pa;
	u64 *words; /* NULL: empty */
	u32 key;
};

struct rt_phys {
	struct rt_phys_table table[RT_PHYS_TABLES];
	void *root;  /* radix tree of chunks of 2 MiB */
	u32 height;  /* 0: empty */
	u64 last_no; /* the chunk that was looked up last: @last, or NULL if it does not exist */
	struct rt_phys_chunk *last;
	size_t pages;
	struct rt_phys_lines *lines; /* in the caches, of owners before (phys_cache.c) */
	u32 nr_lines, cap_lines;
};

struct rt_fault_slot;

struct rt_faults {
	struct rt_fault_slot *first, *last;
	u32 serial;
	u32 unspent;
};

/* ---- the world ---- */

struct rt_state {
	struct rt_heap heap;
	struct rt_sched sched;
	struct rt_task nobody; /* the code outside of actors */
	struct rt_lockdep lockdep;
	struct rt_rcu rcu;
	struct rt_phys phys;
	struct rt_faults faults;
	u64 random;
	u64 cycles;
	u64 reports;
	void *root[RT_ROOTS];
};

struct rt_world {
	struct rt_listener listener; /* first: rt_trace_on() looks there */

	/* Geometry, fixed for the world's life. The struct itself lies at the region's start. */
	size_t size;
	char *heap;
	struct rt_page *pages;
	char *stacks;
	size_t slot_size; /* guard page and stack */
	u32 heap_pages;
	struct rt_world_opts opts;

	/* What of it the host really gave us; only grows. */
	u32 slots_mapped;
	u32 heap_peak;

	/* Attached from outside. */
	struct rt_chooser chooser;
	struct rt_schedule *record;
	void (*point_hook)(void *ctx, enum rt_point pt, u64 obj);
	void *point_ctx;
	void (*step_hook)(void *ctx);
	void *step_ctx;
	void (*report_hook)(void *ctx, const char *rule, const char *text);
	void *report_ctx;
	u64 trace_base; /* events in it when it was attached */
	u64 budget;
	struct {
		u64 *base, *copy; /* NULL: none */
		size_t words;
	} outside;

	/* Of the rt_run() that is under way. */
	struct rt_fiber main;
	u32 choice[RT_ACTORS_MAX]; /* ids for the chooser */
	bool in_run;
	bool stop;
	struct rt_base *base;	/* of a search (delta.h); NULL: none */
	bool unmeasured;	/* locks keep no counts and no times (delta.h) */
	u64 ran[RT_SLOT_WORDS]; /* stack slots whose actors have run, for delta.c */
	u64 limit;		/* step at which the budget is spent */
	u64 ask_from;		/* first step at which the chooser wants to be asked */
	u64 fast_until;		/* before this step, an actor at a point just goes on */

	struct rt_state s __attribute__((aligned(256))); /* a difference has chunks of that size */
};

static inline struct rt_task *rt_task_current(struct rt_world *w)
{
	return w->s.sched.running ? &w->s.sched.running->task : &w->s.nobody;
}

static inline void rt_rcu_quiescent(struct rt_world *w)
{
	if (__builtin_expect(w->s.rcu.head != NULL, 0) && !rt_task_current(w)->nr_locks)
		rt_rcu_run_ready(w);
}

/*
 * world.c: what lies outside of the region, from its copy in the heap and to it. Nothing if another
 * world has it now.
 */
void rt_outside_load(struct rt_world *w);
void rt_outside_store(struct rt_world *w);
/* trace.c: forget all events from number @seq on. */
void rt_trace_cut(struct rt_trace *t, u64 seq);

#endif
