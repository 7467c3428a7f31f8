/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the explorer's engine. Not for other rooms.
 */
#ifndef LAB_EXPLORE_INT_H
#define LAB_EXPLORE_INT_H

#include "sim/lab/explore.h"

/* ---- explore_store.c: states that were seen, and the edges between them ---- */

#define EX_NONE 0xffffffffU
/* Where an edge may lead but to a state. */
#define EX_END		0xfffffffeU
#define EX_BROKEN(i)	(0xffffff00U + (i)) /* of found[i] */
#define EX_IS_STATE(to) ((to) < 0xffffff00U)
#define EX_STATES_MAX	(1U << 30)

/* Choices as bytes: an actor's id, or one of these. */
#define EX_GO_ON   253 /* at rest there is nothing to choose */
#define EX_NOFAULT 254
#define EX_FAULT   255
#define EX_CHOICES LAB_EX_ACTORS_MAX

#define EX_LONG_MAX 1000 /* stops with LAB_EX_LONG in a row */

#define EX_AT_REST  1 /* flags of a state */
#define EX_EXPANDED 2
#define EX_DEALT    4 /* to this shard, when they parted */

struct ex_rec {
	struct rt_hash hash;
	u32 parent; /* EX_NONE: the first */
	u32 depth;
	u32 edge; /* first of its edges */
	u16 nr_edges;
	u8 choice; /* that led here from @parent */
	u8 flags;
};

struct ex_store {
	struct ex_rec *rec;
	u32 nr, cap;
	u32 *to; /* edges */
	u8 *by;	 /* choices that they are */
	u32 nr_edges, cap_edges;
	u64 *slot; /* open addressing: id + 1 and the upper half of the hash; 0: empty */
	u64 nr_slots;
};

void ex_store_init(struct ex_store *st);
void ex_store_free(struct ex_store *st);
/* The state of that hash, EX_NONE if it was not seen. */
u32 ex_store_find(const struct ex_store *st, struct rt_hash hash);
/* Soon that will be asked: first where to look, then, when that is there, what to look at. */
void ex_store_prefetch(const struct ex_store *st, struct rt_hash hash);
void ex_store_prefetch_state(const struct ex_store *st, struct rt_hash hash);
/* A state that was not seen. */
void ex_store_add(struct ex_store *st, const struct ex_rec *rec);
/* Edges of the state that is expanded, one after the other. */
void ex_store_edge(struct ex_store *st, u32 from, u32 to, u8 by);
/* The table anew: of the states from @first on, and of those before that were dealt. */
void ex_store_index(struct ex_store *st, u32 first);
/* One more of them, which is not in the table. */
void ex_store_deal(struct ex_store *st, u32 id);
u64 ex_store_bytes(const struct ex_store *st);

/* ---- explore_step.c: one state to the next ---- */

/*
 * A state on its way. In a queue, @bytes is extra and the world (rt_delta_get()); of an answer that
 * is new, extra and what the step has changed (rt_step_put()).
 */
struct ex_state {
	u32 size; /* of all, a multiple of 8 */
	u32 id;	  /* its own; of an answer: of the state that it comes from */
	u32 depth;
	struct rt_hash hash;
	u8 stop;   /* enum lab_ex_stop */
	u8 choice; /* that led here */
	u8 preemptions;
	u8 nr, cur; /* choices, and which of them goes on as before (EX_CHOICES: none) */
	u8 id_of[EX_CHOICES];
	struct lab_ex_fault fault; /* EX_BROKEN */
	u64 bytes[];
};

/* A growing row of states in memory that forked workers see too. */
struct ex_queue {
	char *mem;
	size_t len;
	size_t *at; /* places of the states */
	u32 nr, cap;
};

struct ex_runner {
	const struct lab_ex_model *model;
	const struct lab_ex_opts *opts;
	struct rt_base *base;
	u8 answer; /* to the next question */
	bool answered;
	u8 nr, cur;
	u8 id_of[EX_CHOICES];
	enum lab_ex_stop stop; /* of ex_follow() */
	bool cut;	       /* --preemptions left something out */
};

void ex_runner_init(struct ex_runner *r, const struct lab_ex_model *model,
		    const struct lab_ex_opts *opts);
void ex_runner_free(struct ex_runner *r);
/* The state in which the world is now, to the end of @q. */
void ex_put_first(struct ex_runner *r, struct ex_queue *q);
/* All that follows from @s, as answers to the end of @q. */
void ex_expand(struct ex_runner *r, const struct ex_state *s, struct ex_queue *q);
/*
 * On from where the world is by @choice; ex_answer(): without a look at what has changed, and so
 * maybe LAB_EX_LONG.
 */
enum lab_ex_stop ex_answer(struct ex_runner *r, u8 choice, struct lab_ex_fault *f);
/* The name of the state in which the world is, with no preemptions counted. */
struct rt_hash ex_name_now(struct ex_runner *r, enum lab_ex_stop stop);
enum lab_ex_stop ex_go(struct ex_runner *r, u8 choice, struct lab_ex_fault *f);
/*
 * On from @s by @nr choices, whose answers are known to lead to choices again. False: they do not.
 */
bool ex_follow(struct ex_runner *r, const struct ex_state *s, const u8 *choice, u32 nr);
/* The state in which the world is now, to the end of @q; not as an answer. */
struct ex_state *ex_put_now(struct ex_runner *r, u8 preemptions, struct ex_queue *q);
/* Answer @a to a choice in @from as a state of its own, to the end of @q. */
struct ex_state *ex_next(struct ex_runner *r, const struct ex_state *from, const struct ex_state *a,
			 struct ex_queue *q);
/* The world as it was in @s. */
void ex_restore(struct ex_runner *r, const struct ex_state *s);

void ex_queue_init(struct ex_queue *q);
void ex_queue_free(struct ex_queue *q);
void ex_queue_clear(struct ex_queue *q);
struct ex_state *ex_queue_add(struct ex_queue *q, size_t bytes);
/* The last one has @bytes, not more than it had room for. */
void ex_queue_fit(struct ex_queue *q, size_t bytes);
/* A copy of @s to the end. */
struct ex_state *ex_queue_copy(struct ex_queue *q, const struct ex_state *s);
/* The last @nr states go. */
void ex_queue_drop(struct ex_queue *q, u32 nr);
static inline struct ex_state *ex_queue_get(const struct ex_queue *q, u32 i)
{
	return (struct ex_state *)(q->mem + q->at[i]);
}

/* ---- explore_jobs.c: a batch, by one process or several ---- */

/*
 * States that are expanded before their answers are looked at: by several processes, and by one, so
 * that what is looked up is on its way by then, and the answers are still near.
 */
#define EX_BATCH     64
#define EX_BATCH_ONE 8

struct ex_jobs;
struct ex_jobs *ex_jobs_new(struct ex_runner *r, u32 nr);
void ex_jobs_free(struct ex_jobs *j);
/* States [first, end) of @q, at most EX_BATCH. */
void ex_jobs_expand(struct ex_jobs *j, struct ex_runner *r, const struct ex_queue *q, u32 first,
		    u32 end);
typedef void ex_answer_fn(void *ctx, const struct ex_state *from, const struct ex_state *a);
/* All that followed, in order. */
void ex_jobs_for_each(const struct ex_jobs *j, ex_answer_fn *fn, void *ctx);

/* ---- explore_graph.c: what the edges say ---- */

struct ex_paths {
	long double schedules, violations;
	long double by_found[LAB_EX_FOUND_MAX];
	u32 loop; /* a state on a cycle that no fair scheduler need ever leave; EX_NONE */
};
void ex_paths(const struct ex_store *st, struct ex_paths *p);

#endif
