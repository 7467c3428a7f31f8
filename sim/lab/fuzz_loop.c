// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rounds: make programs, run them on as many threads as there are, take the results in order. Only
 * the first thread makes, keeps and reports.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/bytes.h"
#include "sim/lab/diff.h"
#include "sim/lab/fuzz_int.h"
#include "sim/lab/mutate.h"
#include "sim/lab/util.h"
#include "sim/rt/mix.h"

#define ROUND 128U /* runs; the same for every number of jobs */
/* Programs out of nothing: one of so many, and all as long as the corpus is smaller than that. */
#define OUT_OF_NOTHING 8U
/* Half of the parents are among the youngest. */
#define YOUNG 32U

/* One program of a round, and what it came to. */
struct slot {
	u8 bytes[LAB_INPUT_MAX];
	u32 len;
	struct lab_fate fate;
	bool ran, fresh;
	struct lab_map_item *item; /* if it is fresh against the map at the round's start */
	u32 nr_items;
};

struct fuzz;

struct worker {
	struct fuzz *f;
	u32 job;
	pthread_t thread;
	struct lab_runner *runner;
	struct lab_map *map;
	struct lab_setup *su;
	struct lab_scenario sc; /* its pools are kept from run to run */
};

struct fuzz {
	const struct lab_fuzz_opts *opts;
	struct lab_fuzz_sum *sum;
	struct lab_corpus corpus;
	struct lab_finder finder;
	struct lab_diff *diff; /* NULL: each program is run once */
	struct lab_seen_map *seen;
	struct lab_choices source; /* of exhaustive search */
	u32 length;		   /* of its programs now */
	bool exhausted;
	struct slot *slot;
	u32 nr; /* slots of this round */
	atomic_uint next;
	struct worker *worker;
	u32 jobs;
	pthread_barrier_t begin, end;
	bool over;
};

/* ---- running ---- */

static void empty_scenario(struct lab_scenario *sc)
{
	sc->nr_ops = sc->nr_regs = sc->nr_calls = sc->nr_policies = 0;
	sc->nr_strings = 1;
}

static void run_slot(struct worker *w, struct slot *s)
{
	const struct lab_fuzz_opts *o = w->f->opts;

	if (o->running)
		o->running(o->ctx, w->job, s->bytes, s->len);
	empty_scenario(&w->sc);
	lab_bytes_decode(s->bytes, s->len, &w->sc, w->su);
	lab_map_begin(w->map, w->su);
	s->ran = lab_runner_run(w->runner, &w->sc, w->su, NULL, &s->fate);
	s->fresh = false;
	if (!s->ran)
		return;
	lab_map_end(w->map, &s->fate);
	s->fresh = lab_map_new(w->f->seen, w->map, false);
	if (!s->fresh)
		return;
	s->item = realloc(s->item, w->map->nr_touched * sizeof(*s->item));
	if (!s->item)
		abort();
	s->nr_items = lab_map_list(w->map, s->item, w->map->nr_touched);
}

static void run_slots(struct worker *w)
{
	u32 i;

	while ((i = atomic_fetch_add(&w->f->next, 1)) < w->f->nr)
		run_slot(w, &w->f->slot[i]);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		pthread_barrier_wait(&w->f->begin);
		if (w->f->over)
			return NULL;
		run_slots(w);
		pthread_barrier_wait(&w->f->end);
	}
}

static void start_workers(struct fuzz *f)
{
	f->jobs = f->opts->jobs ? f->opts->jobs : 1;
	f->worker = lab_zalloc(f->jobs * sizeof(*f->worker));
	pthread_barrier_init(&f->begin, NULL, f->jobs);
	pthread_barrier_init(&f->end, NULL, f->jobs);
	for (u32 i = 0; i < f->jobs; i++) {
		struct worker *w = &f->worker[i];
		struct lab_runner_opts opts = {
			.budget = f->opts->budget ? f->opts->budget : LAB_FUZZ_BUDGET,
			.begin = lab_map_forget,
			.point = lab_map_point,
			.block = lab_map_block,
			.diff = f->diff,
		};

		w->f = f;
		w->job = i;
		w->map = lab_zalloc(sizeof(*w->map));
		w->su = lab_zalloc(sizeof(*w->su));
		lab_map_init(w->map);
		lab_scenario_init(&w->sc);
		opts.ctx = w->map;
		opts.observer = &w->map->observer;
		w->runner = lab_runner_new(&opts);
		if (i && pthread_create(&w->thread, NULL, work, w))
			abort();
	}
}

static void stop_workers(struct fuzz *f)
{
	f->over = true;
	pthread_barrier_wait(&f->begin);
	for (u32 i = 0; i < f->jobs; i++) {
		struct worker *w = &f->worker[i];

		if (i)
			pthread_join(w->thread, NULL);
		lab_runner_free(w->runner);
		lab_scenario_free(&w->sc);
		free(w->map);
		free(w->su);
	}
	pthread_barrier_destroy(&f->begin);
	pthread_barrier_destroy(&f->end);
	free(f->worker);
}

static void run_round(struct fuzz *f)
{
	atomic_store(&f->next, 0);
	pthread_barrier_wait(&f->begin);
	run_slots(&f->worker[0]);
	pthread_barrier_wait(&f->end);
}

/* ---- making ---- */

static const struct lab_input *pick_input(struct fuzz *f, struct lab_choices *src)
{
	u32 young = f->corpus.nr < YOUNG ? f->corpus.nr : YOUNG;

	if (lab_choose(src, 2, 1))
		return &f->corpus.input[f->corpus.nr - 1 - lab_choose(src, young, 1)];
	return &f->corpus.input[lab_choose(src, f->corpus.nr, 1)];
}

/* Program number @nr: a function of the seed, the number and the corpus. */
static void make_random(struct fuzz *f, u64 nr, struct slot *s)
{
	const struct lab_input *parent, *other;
	struct lab_choices src;
	u64 seed = f->opts->seed;

	lab_choices_random(&src, rt_splitmix64(&seed) ^ nr * 0x9e3779b97f4a7c15ULL);
	if (f->corpus.nr < OUT_OF_NOTHING || !lab_choose(&src, OUT_OF_NOTHING, 1)) {
		s->len = (u32)lab_generate(&src, s->bytes, sizeof(s->bytes));
		return;
	}
	parent = pick_input(f, &src);
	other = pick_input(f, &src);
	memcpy(s->bytes, parent->bytes, parent->len);
	s->len = (u32)lab_mutate(&src, s->bytes, parent->len, sizeof(s->bytes), other->bytes,
				 other->len);
}

/* The next program of the enumeration, shorter ones first; false if there is none. */
static bool make_next(struct fuzz *f, struct slot *s)
{
	if (f->exhausted || f->length > f->opts->exhaustive)
		return false;
	s->len = (u32)lab_generate_small(&f->source, f->length, s->bytes, sizeof(s->bytes));
	if (!lab_choices_next(&f->source)) {
		lab_choices_all(&f->source);
		f->exhausted = ++f->length > f->opts->exhaustive;
	}
	return true;
}

static void drop_setup(struct slot *s)
{
	u32 n = 0;

	for (u32 i = 0; i + LAB_RECORD_BYTES <= s->len; i += LAB_RECORD_BYTES) {
		struct lab_op op = {.kind = (u16)lab_record_kind(s->bytes + i)};

		if (lab_op_makes_machine(&op))
			continue;
		memmove(s->bytes + n, s->bytes + i, LAB_RECORD_BYTES);
		n += LAB_RECORD_BYTES;
	}
	s->len = n;
}

/* The given machine in front of what is left; the end of a program that is too long goes. */
static void put_machine(const struct lab_fuzz_opts *o, struct slot *s)
{
	u32 room = sizeof(s->bytes) - o->machine_len;

	s->len = s->len < room ? s->len : room;
	memmove(s->bytes + o->machine_len, s->bytes, s->len);
	memcpy(s->bytes, o->machine, o->machine_len);
	s->len += o->machine_len;
}

static void make_round(struct fuzz *f)
{
	u64 left = f->opts->runs ? f->opts->runs - f->corpus.runs : ROUND;

	f->nr = 0;
	while (f->nr < ROUND && f->nr < left) {
		struct slot *s = &f->slot[f->nr];

		if (!f->opts->exhaustive)
			make_random(f, f->corpus.runs + f->nr, s);
		else if (!make_next(f, s))
			break;
		if (f->opts->defaults || f->opts->machine)
			drop_setup(s);
		if (f->opts->machine)
			put_machine(f->opts, s);
		f->nr++;
	}
}

/* ---- taking ---- */

static int take_slot(struct fuzz *f, u64 nr, const struct slot *s, bool *changed)
{
	u32 keys = f->corpus.nr_keys;
	int ret = 0;

	if (!s->ran)
		return 0;
	f->sum->steps += s->fate.steps;
	/* A budget that is spent, or a machine that a fault kept from being built. */
	f->sum->slow += s->fate.spent;
	if (s->fate.spent || !strcmp(s->fate.rule, "build"))
		return 0;
	if (s->fate.verdict != LAB_HELD)
		ret = lab_find(&f->finder, nr, s->bytes, s->len, &s->fate);
	*changed |= keys != f->corpus.nr_keys;
	if (ret || !s->fresh || !lab_map_new_items(f->seen, s->item, s->nr_items, true))
		return ret;
	lab_corpus_add(&f->corpus, s->bytes, s->len);
	*changed = true;
	return 0;
}

static void sum_up(struct fuzz *f)
{
	f->sum->runs = f->corpus.runs;
	f->sum->inputs = f->corpus.nr;
	f->sum->places = f->seen->places;
	f->sum->bits = f->seen->bits;
}

static int take_round(struct fuzz *f)
{
	bool changed = false;
	int ret = 0;

	for (u32 i = 0; i < f->nr && !ret; i++)
		ret = take_slot(f, f->corpus.runs + i, &f->slot[i], &changed);
	f->corpus.runs += f->nr;
	sum_up(f);
	if (!ret && changed)
		ret = lab_corpus_save(&f->corpus, f->opts->seed, f->opts->err);
	return ret;
}

/* What the inputs that are there reach: the map is not kept, it follows from them. */
static int replay_corpus(struct fuzz *f, bool judge)
{
	int ret = 0;

	for (u32 done = 0; done < f->corpus.nr && !ret; done += f->nr) {
		f->nr = f->corpus.nr - done < ROUND ? f->corpus.nr - done : ROUND;
		for (u32 i = 0; i < f->nr; i++) {
			const struct lab_input *in = &f->corpus.input[done + i];

			memcpy(f->slot[i].bytes, in->bytes, in->len);
			f->slot[i].len = in->len;
		}
		run_round(f);
		for (u32 i = 0; i < f->nr && !ret; i++) {
			struct slot *s = &f->slot[i];

			if (s->fresh)
				lab_map_new_items(f->seen, s->item, s->nr_items, true);
			if (judge && s->ran && s->fate.verdict == LAB_VIOLATED)
				ret = lab_find(&f->finder, 0, s->bytes, s->len, &s->fate);
		}
	}
	return ret;
}

/* ---- the whole ---- */

static int shorter_first(const void *a, const void *b)
{
	const struct lab_input *x = a, *y = b;
	u32 min = x->len < y->len ? x->len : y->len;

	return x->len != y->len ? (x->len < y->len ? -1 : 1) : memcmp(x->bytes, y->bytes, min);
}

/* Of all inputs of the directories those that reach what shorter ones do not. */
static int merge(struct fuzz *f)
{
	struct lab_corpus all = {0};
	int ret = 0;

	for (u32 i = 0; f->opts->merge[i] && !ret; i++)
		ret = lab_corpus_read(&all, f->opts->merge[i], f->opts->err);
	if (all.nr)
		qsort(all.input, all.nr, sizeof(*all.input), shorter_first);
	for (u32 done = 0; done < all.nr && !ret; done += f->nr) {
		f->nr = all.nr - done < ROUND ? all.nr - done : ROUND;
		for (u32 i = 0; i < f->nr; i++) {
			memcpy(f->slot[i].bytes, all.input[done + i].bytes,
			       all.input[done + i].len);
			f->slot[i].len = all.input[done + i].len;
		}
		run_round(f);
		ret = take_round(f);
	}
	lab_corpus_free(&all);
	return ret ? ret : lab_corpus_save(&f->corpus, f->opts->seed, f->opts->err);
}

/* An enumeration that goes on starts behind what was run. */
static void skip_done(struct fuzz *f)
{
	for (u64 i = 0; f->opts->exhaustive && i < f->corpus.runs; i++) {
		if (!make_next(f, &f->slot[0]))
			return;
	}
}

static int fuzz(struct fuzz *f)
{
	int ret = 0;

	skip_done(f);

	while (!ret && (!f->opts->runs || f->corpus.runs < f->opts->runs)) {
		make_round(f);
		if (!f->nr)
			break;
		run_round(f);
		ret = take_round(f);
		if (f->opts->between && f->opts->between(f->opts->ctx))
			break;
		if (f->opts->findings_max && f->corpus.findings >= f->opts->findings_max)
			break;
	}
	return ret ? ret : lab_corpus_save(&f->corpus, f->opts->seed, f->opts->err);
}

int lab_fuzz(const struct lab_fuzz_opts *opts, struct lab_fuzz_sum *sum)
{
	struct fuzz *f = lab_zalloc(sizeof(*f));
	struct lab_runner_opts plain = {.budget = opts->budget ? opts->budget : LAB_FUZZ_BUDGET};
	bool resumed = false;
	int ret = 0;

	memset(sum, 0, sizeof(*sum));
	f->opts = opts;
	f->sum = sum;
	f->length = 1;
	lab_choices_all(&f->source);
	if (opts->diff_a) {
		f->diff = lab_diff_new(opts->diff_a, opts->diff_b, opts->err);
		plain.diff = f->diff;
		ret = f->diff ? 0 : EINVAL;
	}
	f->seen = lab_zalloc(sizeof(*f->seen));
	f->slot = lab_zalloc(ROUND * sizeof(*f->slot));
	f->finder = (struct lab_finder){opts, &f->corpus, sum, f->diff, lab_runner_new(&plain)};
	if (!ret && opts->known) {
		f->finder.known = lab_known_read(opts->known, opts->err);
		ret = f->finder.known ? 0 : EINVAL;
	}
	if (!ret && opts->corpus)
		ret = lab_corpus_open(&f->corpus, opts->corpus, opts->seed, &resumed, opts->err);
	sum->findings = f->corpus.findings;
	sum->runs = sum->before = f->corpus.runs;
	if (!ret) {
		start_workers(f);
		ret = replay_corpus(f, !resumed);
		sum_up(f);
		if (!ret)
			ret = opts->merge ? merge(f) : fuzz(f);
		stop_workers(f);
	}
	lab_runner_free(f->finder.runner);
	lab_known_free(f->finder.known);
	lab_diff_free(f->diff);
	lab_corpus_free(&f->corpus);
	for (u32 i = 0; i < ROUND; i++)
		free(f->slot[i].item);
	free(f->slot);
	free(f->seen);
	free(f);
	return ret;
}
