// SPDX-License-Identifier: GPL-2.0-only
/*
 * The search: which states are expanded next, what becomes of the answers, when it ends.
 */
#include "sim/lab/explore.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/explore_search.h"
#include "sim/lab/util.h"
#include "sim/rt/world.h"

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

static void end_by(struct lab_ex *x, const char *bound)
{
	x->totals.bound = bound;
	x->stop = true;
}

/* EX_NONE: it is another one than all that there is room for. */
static u32 note_found(struct lab_ex *x, const struct ex_state *a)
{
	u32 i;

	for (i = 0; i < x->nr_found; i++) {
		const struct lab_ex_fault *f = &x->found[i].fault;

		if (f->kind == a->fault.kind && f->op == a->fault.op &&
		    !strcmp(f->rule, a->fault.rule))
			return i;
	}
	if (i == LAB_EX_FOUND_MAX)
		return EX_NONE;
	x->found[x->nr_found++] = (struct lab_ex_found){
		.fault = a->fault, .state = a->id, .choice = a->choice, .depth = a->depth};
	return i;
}

/*
 * A state that was not seen before waits for its turn: the first, or what follows @from. EX_NONE:
 * there is no more room.
 */
static u32 add_state(struct lab_ex *x, const struct ex_state *from, const struct ex_state *a)
{
	u64 max = x->opts.max_states ? x->opts.max_states : EX_STATES_MAX;
	u32 id = x->store.nr;
	struct ex_state *s;

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
	s = from ? ex_next(&x->runner, from, a, &x->next) : ex_queue_copy(&x->next, a);
	s->id = id;
	return id;
}

/* Before they part, the first shard alone tells of schedules that end. */
static bool tells(const struct lab_ex *x)
{
	return x->opts.shards < 2 || x->split || !x->opts.shard;
}

static u32 broken(struct lab_ex *x, const struct ex_state *a)
{
	u32 i = note_found(x, a);

	if (i == EX_NONE)
		end_by(x, "the number of different violations");
	return i == EX_NONE ? EX_NONE : EX_BROKEN(i);
}

static void take_answer(struct lab_ex *x, const struct ex_state *from, const struct ex_state *a)
{
	u32 to = EX_NONE;

	if ((a->stop == LAB_EX_END || a->stop == LAB_EX_BROKEN) && !tells(x))
		return;
	if (a->stop == LAB_EX_END)
		to = EX_END;
	else if (a->stop == LAB_EX_BROKEN)
		to = broken(x, a);
	else
		to = ex_store_find(&x->store, a->hash);
	if (to == EX_NONE && !x->stop)
		to = add_state(x, from, a);
	if (to != EX_NONE)
		ex_store_edge(&x->store, a->id, to, a->choice);
}

static void prefetch(void *ctx, const struct ex_state *from, const struct ex_state *a)
{
	const struct lab_ex *x = ctx;

	ex_store_prefetch(&x->store, a->hash);
}

static void prefetch_state(void *ctx, const struct ex_state *from, const struct ex_state *a)
{
	const struct lab_ex *x = ctx;

	ex_store_prefetch_state(&x->store, a->hash);
}

static void take(void *ctx, const struct ex_state *from, const struct ex_state *a)
{
	struct lab_ex *x = ctx;

	if (!x->stop)
		take_answer(x, from, a);
}

/* States [first, end) of x->now; what is new goes to x->next. */
static void expand_batch(struct lab_ex *x, u32 first, u32 end)
{
	u32 some = x->opts.jobs > 1 ? EX_BATCH : EX_BATCH_ONE;

	for (; first < end && !x->stop; first += some) {
		u32 to = first + some < end ? first + some : end;

		ex_jobs_expand(x->jobs, &x->runner, &x->now, first, to);
		ex_jobs_for_each(x->jobs, prefetch, x);
		ex_jobs_for_each(x->jobs, prefetch_state, x);
		ex_jobs_for_each(x->jobs, take, x);
	}
}

static void note_waiting(struct lab_ex *x)
{
	if (x->now.len > x->totals.frontier_bytes) {
		x->totals.frontier_bytes = x->now.len;
		x->totals.frontier_states = x->now.nr;
	}
}

/* The next depth; or, depth first, what came last. */
static void next_states(struct lab_ex *x)
{
	struct ex_queue q = x->now;

	x->at = 0;
	if (x->opts.depth_first && (x->opts.shards < 2 || x->split)) {
		u32 nr = x->next.nr < EX_BATCH ? x->next.nr : EX_BATCH;

		ex_queue_clear(&x->now);
		for (u32 i = x->next.nr - nr; i < x->next.nr; i++)
			ex_queue_copy(&x->now, ex_queue_get(&x->next, i));
		ex_queue_drop(&x->next, nr);
	} else {
		x->now = x->next;
		x->next = q;
		ex_queue_clear(&x->next);
	}
	note_waiting(x);
}

/* ---- shards ---- */

#define SHARD_STATES 16 /* for each shard, before they part */

/*
 * The states that wait are dealt out, and what was seen is forgotten: from here on a shard finds
 * its own. So a schedule belongs to the shard that has the first of these states on its way.
 */
static void part(struct lab_ex *x)
{
	struct ex_queue q = x->next;
	u32 nr = q.nr, kept = 0;

	x->split = true;
	x->prefix = x->store.nr;
	ex_store_index(&x->store, x->store.nr);
	ex_queue_clear(&x->now);
	for (u32 i = 0; i < nr; i++) {
		const struct ex_state *s = ex_queue_get(&q, i);

		if (i % x->opts.shards != x->opts.shard)
			continue;
		ex_store_deal(&x->store, s->id);
		ex_queue_copy(&x->now, s);
		kept++;
	}
	x->next = x->now;
	x->now = q;
	ex_queue_clear(&x->now);
}

/* ---- the search ---- */

static u64 now_ms(const struct lab_ex *x)
{
	return x->opts.clock_ms ? x->opts.clock_ms(x->opts.clock_ctx) : 0;
}

static void save(struct lab_ex *x, bool at_once)
{
	if (!x->opts.checkpoint || (!at_once && now_ms(x) - x->saved_at < x->opts.checkpoint_ms))
		return;
	if (ex_file_write(x, x->opts.checkpoint))
		x->file = LAB_EX_FILE_UNWRITTEN;
	x->saved_at = now_ms(x);
}

/* For a person at a terminal; what it says depends on the clock, and nothing else does. */
static void show_progress(struct lab_ex *x)
{
	u64 now = now_ms(x), ms = now - x->began_at, rate;

	if (!x->opts.progress || now - x->shown_at < 500 || !ms)
		return;
	x->shown_at = now;
	rate = (x->store.nr - x->began_with) * 1000ULL / ms;
	fprintf(x->opts.progress, "\r%u states, %llu a second, %u wait, depth %u", x->store.nr,
		rate, x->now.nr - x->at + x->next.nr, x->totals.depth);
	if (x->opts.max_states && rate)
		fprintf(x->opts.progress, ", %llu s at most",
			(x->opts.max_states - x->store.nr) / rate);
	fputs("\033[K", x->opts.progress);
	fflush(x->opts.progress);
}

static void end_progress(const struct lab_ex *x)
{
	if (x->opts.progress && x->shown_at)
		fputs("\r\033[K", x->opts.progress);
}

static void expand_all(struct lab_ex *x)
{
	while (x->at < x->now.nr && !x->stop) {
		u32 end = x->at + EX_BATCH < x->now.nr ? x->at + EX_BATCH : x->now.nr;

		expand_batch(x, x->at, end);
		x->at = end;
		if (!x->stop && x->opts.stopped && x->opts.stopped(x->opts.stopped_ctx)) {
			save(x, true);
			end_by(x, "an interrupt");
		}
		if (!x->stop)
			save(x, false);
		show_progress(x);
	}
}

static void search(struct lab_ex *x)
{
	expand_all(x);
	while (x->next.nr && !x->stop) {
		if (x->opts.shards > 1 && !x->split && x->next.nr >= SHARD_STATES * x->opts.shards)
			part(x);
		next_states(x);
		expand_all(x);
		if (x->nr_found && !x->opts.all)
			end_by(x, "the first violation");
	}
	x->over = !x->stop;
}

/* The choices that lead to state @id, with room for one more. */
static u8 *choices_to(const struct lab_ex *x, u32 id)
{
	u32 depth = x->store.rec[id].depth;
	u8 *choice = lab_zalloc(depth + 1);

	for (u32 i = depth; i-- > 0; id = x->store.rec[id].parent)
		choice[i] = x->store.rec[id].choice;
	return choice;
}

/* ---- the whole ---- */

static void note_loop(struct lab_ex *x, u32 state)
{
	x->found[x->nr_found++] =
		(struct lab_ex_found){.fault = {.kind = LAB_EX_STUCK, .rule = "no progress"},
				      .state = state,
				      .choice = EX_CHOICES,
				      .loop = true,
				      .depth = x->store.rec[state].depth};
}

static void sum_up(struct lab_ex *x)
{
	struct lab_ex_totals *t = &x->totals;
	struct ex_paths p;

	ex_paths(&x->store, &p);
	t->states = x->store.nr;
	/* What all shards have in common is the first one's. */
	if (!tells(x))
		t->states = 0;
	else if (x->split && x->opts.shard)
		t->states -= x->prefix;
	t->transitions = x->store.nr_edges;
	t->schedules = p.schedules;
	t->violations = p.violations;
	t->bytes = ex_store_bytes(&x->store);
	for (u32 i = 0; i < x->nr_found; i++)
		x->found[i].schedules = p.by_found[i];
	/* In a search that was ended, what looks like a cycle without a way out may have one. */
	if (!x->stop && p.loop != EX_NONE && x->nr_found < LAB_EX_FOUND_MAX) {
		note_loop(x, p.loop);
		t->violations++;
	}
	if (!t->bound && x->runner.cut)
		t->bound = "--preemptions";
	t->complete = !t->bound;
}

bool ex_rerun(struct lab_ex *x, u32 id, u8 preemptions, struct ex_queue *q)
{
	const struct ex_rec *rec = &x->store.rec[id];
	u8 *choice = choices_to(x, id);
	struct ex_state *s;
	bool same;

	same = ex_follow(&x->runner, ex_queue_get(&x->first, 0), choice, rec->depth);
	free(choice);
	if (!same)
		return false;
	s = ex_put_now(&x->runner, preemptions, q);
	s->id = id;
	s->depth = rec->depth;
	s->choice = rec->choice;
	return s->hash.lo == rec->hash.lo && s->hash.hi == rec->hash.hi;
}

/* From the checkpoint, or from the first state. */
static enum lab_ex_file start(struct lab_ex *x)
{
	enum ex_file_read read = EX_FILE_NONE;

	if (x->opts.checkpoint)
		read = ex_file_read(x, x->opts.checkpoint);
	switch (read) {
	case EX_FILE_READ:
		return LAB_EX_FILE_RESUMED;
	case EX_FILE_DAMAGED:
		return LAB_EX_FILE_DAMAGED;
	case EX_FILE_FOREIGN:
		return LAB_EX_FILE_FOREIGN;
	case EX_FILE_NONE:
		break;
	}
	add_state(x, NULL, ex_queue_get(&x->first, 0));
	return LAB_EX_FILE_NONE;
}

void ex_need_first(struct lab_ex *x)
{
	if (x->first.nr)
		return;
	ex_put_first(&x->runner, &x->first);
	ex_queue_get(&x->first, 0)->id = EX_NONE;
}

enum lab_ex_file lab_ex_run(struct lab_ex *x)
{
	ex_need_first(x);
	x->file = start(x);
	if (x->file == LAB_EX_FILE_DAMAGED || x->file == LAB_EX_FILE_FOREIGN)
		return x->file;
	x->began_at = x->saved_at = now_ms(x);
	x->began_with = x->store.nr;
	/* A file that can't be written is told before the search, not behind it. */
	if (x->file == LAB_EX_FILE_NONE)
		save(x, true);
	if (x->file == LAB_EX_FILE_UNWRITTEN)
		return LAB_EX_FILE_UNWRITABLE;
	search(x);
	end_progress(x);
	if (x->over)
		save(x, true);
	sum_up(x);
	return x->file;
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
	u32 depth = x->store.rec[f->state].depth;
	u8 *choice = choices_to(x, f->state);
	struct lab_ex_fault fault;

	choice[depth] = f->choice;
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
