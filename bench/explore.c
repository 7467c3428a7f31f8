// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the explorer pays for a transition: a state restored, a step run, what it changed found,
 * named and copied out; then whole searches of the same scenario, bench/split.scn unless another is
 * given. bench/spin.py has the same scenario beside SPIN.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "mmu/kvm_vm.h"
#include "sim/lab/explore_model.h"
#include "sim/rt/fiber.h"
#include "sim/rt/world.h"

#define STATES	   32	 /* that are restored by turns */
#define MAX_STATES 20000 /* of one search */

struct exploring {
	char *text;
	struct lab_scenario sc;
	struct lab_ex_placed *at; /* of sc; with its set-up */
	struct lab_session *s;
	struct lab_ex_scn scn;
	/* the parts, one by one */
	struct rt_base *base;
	void *state[STATES];
	size_t size; /* of the last */
	struct lab_play play[STATES];
	u32 nr, turn;
	bool answered;
	void *room;
	/* whole searches */
	struct lab_ex_totals totals;
};

/* ---- a fiber there and back: what a step costs at least ---- */

static char stack[65536] __attribute__((aligned(64)));

struct pair {
	struct rt_fiber main, other;
};

static void fiber_back(void *arg)
{
	struct pair *p = arg;

	for (;;)
		rt_fiber_switch(&p->other, &p->main);
}

static void fiber_round_trip(void *ctx, u64 n)
{
	struct pair *p = ctx;

	while (n--)
		rt_fiber_switch(&p->main, &p->other);
}

/* ---- a scenario at its first choice ---- */

static void refuse(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(2);
}

static void read_scenario(struct exploring *e, const char *path)
{
	struct lab_diag d = {stderr, 0};
	struct lab_source src;

	e->text = lab_source_read(path, &src, &d);
	if (!e->text)
		exit(2);
	lab_scenario_init(&e->sc);
	if (lab_parse(&e->sc, &src, &d))
		exit(2);
	e->at = lab_ex_place(&e->sc);
	if (lab_setup_resolve(&e->at->sc, &e->at->su, &d))
		exit(2);
}

static void begin(struct exploring *e)
{
	const struct lab_opts opts = {
		.no_trace = true, .fixed_place = true, .no_calls = !lab_ex_scn_wants_calls(&e->sc)};
	struct lab_ex_fault f;
	char err[400];

	e->s = lab_session_new(&e->at->sc, &e->at->su, &opts, err, sizeof(err));
	if (!e->s)
		refuse("bench-explore", err);
	e->s->m->timeless = true;
	kvm_host_set_lanes(e->s->m->host, e->s->m->nr_actors);
	lab_ex_scn_init(&e->scn, e->s);
	if (lab_ex_scn_begin(&e->scn, &f) != LAB_EX_CHOICE)
		refuse("bench-explore", "found a scenario without a choice");
}

/* ---- the parts of a transition ---- */

/* One answer, another actor's turn each time, then a pause. */
static u32 pick(void *ctx, const struct rt_choice *c)
{
	struct exploring *e = ctx;

	if (!e->scn.model.asking(e->scn.model.ctx))
		return c->cur == RT_NOBODY ? 0 : c->cur;
	if (e->answered)
		return RT_PICK_PAUSE;
	e->answered = true;
	return e->turn % c->nr;
}

static enum lab_ex_stop step(struct exploring *e)
{
	struct lab_ex_fault f;

	e->answered = false;
	return e->scn.model.run(e->scn.model.ctx, &f);
}

static void keep_state(struct exploring *e)
{
	u32 i = e->nr++;

	e->state[i] = malloc(rt_delta_bytes(e->base));
	if (!e->state[i])
		abort();
	e->size = rt_delta_put(e->base, e->state[i]);
	e->play[i] = e->scn.play;
}

/* The states of one schedule that goes from actor to actor. */
static void walk(struct exploring *e)
{
	const struct rt_chooser ch = {.name = "bench", .pick = pick, .ctx = e};

	rt_set_chooser(e->s->world, &ch);
	rt_record_schedule(e->s->world, NULL);
	e->base = rt_base_new(e->s->world, e->scn.model.measure ? RT_BASE_MEASURE : 0);
	e->scn.model.ignore(e->scn.model.ctx, e->base);
	while (e->nr < STATES && step(e) == LAB_EX_CHOICE) {
		rt_base_diff(e->base);
		keep_state(e);
		e->turn++;
	}
	if (!e->nr)
		refuse("bench-explore", "found a scenario with a single choice");
	e->room = malloc(1 << 24);
	if (!e->room)
		abort();
}

static void restore(struct exploring *e, u32 i)
{
	rt_delta_get(e->base, e->state[i]);
	e->scn.play = e->play[i];
}

static void restore_all(void *ctx, u64 n)
{
	struct exploring *e = ctx;

	while (n--)
		restore(e, (u32)(n % e->nr));
}

static void again_and_step(void *ctx, u64 n)
{
	struct exploring *e = ctx;

	while (n--) {
		rt_delta_again(e->base);
		e->scn.play = e->play[e->nr / 2];
		step(e);
		rt_base_diff(e->base);
	}
}

static void diff(void *ctx, u64 n)
{
	const struct exploring *e = ctx;

	while (n--)
		rt_base_diff(e->base);
}

static void hash(void *ctx, u64 n)
{
	const struct exploring *e = ctx;

	while (n--) {
		struct rt_hash h = rt_base_hash(e->base);

		bench_use(&h);
	}
}

static void put_step(void *ctx, u64 n)
{
	const struct exploring *e = ctx;

	while (n--) {
		rt_step_put(e->base, e->room);
		bench_use(e->room);
	}
}

static void put(void *ctx, u64 n)
{
	const struct exploring *e = ctx;

	while (n--) {
		rt_delta_put(e->base, e->room);
		bench_use(e->room);
	}
}

static void bench_parts(struct bench *b, struct exploring *e)
{
	u32 i;

	begin(e);
	walk(e);
	bench_row(b, "rt_delta_get, a state and its neighbour", restore_all, e);
	i = e->nr / 2;
	restore(e, i);
	step(e);
	rt_base_diff(e->base);
	bench_row(b, "rt_delta_again, a step, rt_base_diff", again_and_step, e);
	bench_row(b, "rt_base_diff alone", diff, e);
	bench_row(b, "rt_base_hash", hash, e);
	bench_row(b, "rt_step_put", put_step, e);
	bench_row(b, "rt_delta_put", put, e);
	bench_fact("a step", (double)rt_step_bytes(e->base), "bytes");
	bench_fact("a state", (double)e->size, "bytes");
	rt_base_free(e->base);
	for (i = 0; i < e->nr; i++)
		free(e->state[i]);
	free(e->room);
	lab_session_free(e->s);
}

/* ---- the whole ---- */

static void search(void *ctx, u64 n)
{
	const struct lab_ex_opts opts = {.preemptions = LAB_EX_UNBOUNDED, .max_states = MAX_STATES};
	struct exploring *e = ctx;

	while (n--) {
		struct lab_ex *x;

		begin(e);
		x = lab_ex_new(&e->scn.model, &opts);
		lab_ex_run(x);
		e->totals = lab_ex_totals(x);
		lab_ex_free(x);
		lab_session_free(e->s);
	}
}

static void bench_search(struct bench *b, struct exploring *e)
{
	const struct lab_ex_totals *t = &e->totals;
	double ns = bench_row(b, "a search", search, e);

	bench_fact("states of it", (double)t->states, "");
	bench_fact("transitions of it", (double)t->transitions, "");
	bench_fact("states", (double)t->states * 1e9 / ns, "/s");
	bench_fact("transitions", (double)t->transitions * 1e9 / ns, "/s");
	bench_fact("a state that was seen", (double)t->bytes / (double)t->states, "bytes");
	bench_fact("a state that waits", (double)t->frontier_bytes / (double)t->frontier_states,
		   "bytes");
}

/* Usage: bench-explore [FILE] [--seconds S]; FILE is bench/split.scn unless given. */
int main(int argc, char **argv)
{
	struct exploring *e = calloc(1, sizeof(*e));
	const char *path = "bench/split.scn";
	struct pair p = {0};
	struct bench b;

	if (!e)
		abort();
	if (argc > 1 && argv[1][0] != '-') {
		path = argv[1];
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	read_scenario(e, path);
	bench_init(&b, argc, argv);
	rt_fiber_init(&p.other, stack, sizeof(stack), fiber_back, &p);
	bench_baseline(&b, "fiber round trip", fiber_round_trip, &p);
	bench_parts(&b, e);
	bench_search(&b, e);
	lab_ex_unplace(e->at);
	lab_scenario_free(&e->sc);
	free(e->text);
	free(e);
	return 0;
}
