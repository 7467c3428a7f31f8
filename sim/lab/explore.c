// SPDX-License-Identifier: GPL-2.0-only
/*
 * The search: which states are expanded next, what becomes of the answers, when it ends.
 */
#include "sim/lab/explore.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/explore_int.h"
#include "sim/lab/util.h"
#include "sim/rt/world.h"

struct lab_ex {
	struct lab_ex_model model;
	struct lab_ex_opts opts;
	struct ex_runner runner;
	struct ex_store store;
	struct ex_queue first; /* one state: from which schedules are played again */
	struct ex_queue now, next;
	struct ex_jobs *jobs;
	struct lab_ex_found found[LAB_EX_FOUND_MAX];
	u32 nr_found;
	struct lab_ex_totals totals;
	bool stop;
};

struct lab_ex *lab_ex_new(const struct lab_ex_model *model, const struct lab_ex_opts *opts)
{
	struct lab_ex *x = lab_zalloc(sizeof(*x));

	assert(model->extra_size <= LAB_EX_EXTRA);
	x->model = *model;
	x->opts = *opts;
	ex_store_init(&x->store);
	ex_queue_init(&x->first);
	ex_queue_init(&x->now);
	ex_queue_init(&x->next);
	ex_runner_init(&x->runner, &x->model, &x->opts);
	x->runner.store = &x->store;
	x->jobs = ex_jobs_new(&x->runner, x->opts.jobs ? x->opts.jobs : 1);
	return x;
}

void lab_ex_free(struct lab_ex *x)
{
	if (!x)
		return;
	ex_jobs_free(x->jobs);
	ex_runner_free(&x->runner);
	ex_store_free(&x->store);
	ex_queue_free(&x->first);
	ex_queue_free(&x->now);
	ex_queue_free(&x->next);
	free(x);
}

/* ---- what becomes of the answers ---- */

static u32 note_found(struct lab_ex *x, const struct ex_state *a)
{
	u32 i;

	for (i = 0; i < x->nr_found; i++) {
		const struct lab_ex_fault *f = &x->found[i].fault;

		if (f->kind == a->fault.kind && f->op == a->fault.op &&
		    !strcmp(f->rule, a->fault.rule))
			return i;
	}
	assert(i < LAB_EX_FOUND_MAX);
	x->found[x->nr_found++] = (struct lab_ex_found){
		.fault = a->fault, .state = a->id, .choice = a->choice, .depth = a->depth};
	return i;
}

static void end_by(struct lab_ex *x, const char *bound)
{
	x->totals.bound = bound;
	x->stop = true;
}

/* A state that was not seen before waits for its turn. EX_NONE: there is no more room. */
static u32 add_state(struct lab_ex *x, const struct ex_state *a)
{
	u64 max = x->opts.max_states ? x->opts.max_states : EX_STATES_MAX;
	struct ex_state *s;
	u32 id = x->store.nr;

	if (id >= max || x->store.nr_edges >= EX_STATES_MAX) {
		end_by(x, x->opts.max_states ? "--max-states" : "the size of the table");
		return EX_NONE;
	}
	ex_store_add(&x->store, &(struct ex_rec){.hash = a->hash,
						 .parent = a->id,
						 .depth = a->depth,
						 .choice = a->choice,
						 .flags = a->stop == LAB_EX_REST ? EX_AT_REST : 0});
	if (a->depth > x->totals.depth)
		x->totals.depth = a->depth;
	s = ex_queue_add(&x->next, a->size - sizeof(*a));
	memcpy(s, a, a->size);
	s->id = id;
	return id;
}

static void take_answer(struct lab_ex *x, const struct ex_state *a)
{
	u32 to = a->target;

	if (a->stop == LAB_EX_END)
		to = EX_END;
	else if (a->stop == LAB_EX_BROKEN)
		to = EX_BROKEN(note_found(x, a));
	else if (to == EX_NONE)
		to = ex_store_find(&x->store, a->hash);
	if (to == EX_NONE)
		to = add_state(x, a);
	if (to != EX_NONE)
		ex_store_edge(&x->store, a->id, to, a->choice);
}

static void prefetch(void *ctx, const struct ex_state *a)
{
	const struct lab_ex *x = ctx;

	ex_store_prefetch(&x->store, a->hash);
}

static void take(void *ctx, const struct ex_state *a)
{
	struct lab_ex *x = ctx;

	if (!x->stop)
		take_answer(x, a);
}

/* States [first, end) of x->now; what is new goes to x->next. */
static void expand_batch(struct lab_ex *x, u32 first, u32 end)
{
	ex_jobs_expand(x->jobs, &x->runner, &x->now, first, end);
	ex_jobs_for_each(x->jobs, prefetch, x);
	ex_jobs_for_each(x->jobs, take, x);
}

static void swap_queues(struct lab_ex *x)
{
	struct ex_queue q = x->now;

	x->now = x->next;
	x->next = q;
	ex_queue_clear(&x->next);
	if (x->now.len > x->totals.frontier_bytes) {
		x->totals.frontier_bytes = x->now.len;
		x->totals.frontier_states = x->now.nr;
	}
}

static void search(struct lab_ex *x)
{
	while (x->next.nr && !x->stop) {
		swap_queues(x);
		for (u32 i = 0; i < x->now.nr && !x->stop; i += EX_BATCH)
			expand_batch(x, i, i + EX_BATCH < x->now.nr ? i + EX_BATCH : x->now.nr);
		if (x->nr_found && !x->opts.all)
			end_by(x, "the first violation");
	}
}

/* ---- the whole ---- */

static void note_loop(struct lab_ex *x, u32 state)
{
	x->found[x->nr_found++] =
		(struct lab_ex_found){.fault = {.kind = LAB_EX_STUCK, .rule = "no progress"},
				      .state = state,
				      .choice = EX_CHOICES,
				      .depth = x->store.rec[state].depth};
}

static void sum_up(struct lab_ex *x)
{
	struct lab_ex_totals *t = &x->totals;
	struct ex_paths p;

	ex_paths(&x->store, &p);
	t->states = x->store.nr;
	t->transitions = x->store.nr_edges;
	t->schedules = p.schedules;
	t->violations = p.violations;
	t->bytes = ex_store_bytes(&x->store);
	for (u32 i = 0; i < x->nr_found; i++)
		x->found[i].schedules = p.by_found[i];
	/* In a search that was ended, what looks like a cycle without a way out may have one. */
	if (!x->stop && p.loop != EX_NONE) {
		note_loop(x, p.loop);
		t->violations++;
	}
	if (!t->bound && x->runner.cut)
		t->bound = "--preemptions";
	t->complete = !t->bound;
}

void lab_ex_run(struct lab_ex *x)
{
	struct ex_state *s;

	ex_put_first(&x->runner, &x->first);
	s = ex_queue_get(&x->first, 0);
	s->id = EX_NONE;
	add_state(x, s);
	search(x);
	sum_up(x);
}

struct lab_ex_totals lab_ex_totals(const struct lab_ex *x)
{
	return x->totals;
}

const struct lab_ex_found *lab_ex_found(const struct lab_ex *x, u32 i)
{
	return i < x->nr_found ? &x->found[i] : NULL;
}

void lab_ex_schedule(struct lab_ex *x, const struct lab_ex_found *f, struct rt_schedule *s)
{
	u32 depth = x->store.rec[f->state].depth, id = f->state;
	u8 *choice = lab_zalloc(depth + 1);
	struct lab_ex_fault fault;

	choice[depth] = f->choice;
	for (u32 i = depth; i-- > 0; id = x->store.rec[id].parent)
		choice[i] = x->store.rec[id].choice;
	ex_restore(&x->runner, ex_queue_get(&x->first, 0));
	rt_record_schedule(x->model.world, s);
	for (u32 i = 0; i <= depth && choice[i] != EX_CHOICES; i++)
		ex_go(&x->runner, choice[i], &fault);
	rt_record_schedule(x->model.world, NULL);
	free(choice);
}

static int compare_hashes(const void *a, const void *b)
{
	const struct rt_hash *x = a, *y = b;

	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

u32 lab_ex_rests(const struct lab_ex *x, struct rt_hash *hash, u32 max)
{
	u32 n = 0;

	for (u32 i = 0; i < x->store.nr; i++) {
		if (!(x->store.rec[i].flags & EX_AT_REST))
			continue;
		if (n < max)
			hash[n] = x->store.rec[i].hash;
		n++;
	}
	qsort(hash, n < max ? n : max, sizeof(*hash), compare_hashes);
	return n;
}
