// SPDX-License-Identifier: GPL-2.0-only
/*
 * The explorer is sound: over small programs with known numbers of outcomes it finds exactly those
 * that running every schedule from the start finds, with and without reduction. Of programs that
 * need never end it knows which a fair scheduler may keep from it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sim/lab/explore.h"
#include "sim/rt/asan.h"
#include "sim/rt/fault.h"
#include "sim/rt/lock.h"
#include "sim/rt/world.h"
#include "tests/lab/explore_programs.h"

#define OUTCOMES_MAX 200

/* Outcomes that were seen, ascending; and how schedules ended otherwise. */
struct outcomes {
	u64 val[OUTCOMES_MAX];
	u32 nr;
	bool deadlock, broken, livelock;
	u64 schedules;
};

static void add_outcome(struct outcomes *o, u64 val)
{
	u32 i = o->nr;

	for (u32 k = 0; k < o->nr; k++) {
		if (o->val[k] == val)
			return;
	}
	assert_true(o->nr < OUTCOMES_MAX);
	for (; i && o->val[i - 1] > val; i--)
		o->val[i] = o->val[i - 1];
	o->val[i] = val;
	o->nr++;
}

struct bench {
	const struct program *p;
	struct outcomes *o;
	struct rt_world *world;
	bool reported;
};

static void on_report(void *ctx, const char *rule, const char *text)
{
	struct bench *b = ctx;

	b->reported = true;
	if (rt_actor_current())
		rt_stop();
}

static void begin(struct bench *b, const struct program *p, struct outcomes *o)
{
	const struct rt_world_opts wo = {.heap_max = 64 << 20, .actors_max = 8};

	*b = (struct bench){.p = p, .o = o, .world = rt_world_new(&wo)};
	assert_non_null(b->world);
	rt_set_report_hook(b->world, on_report, b);
	p->setup();
}

/* ---- every schedule, one after the other, each from the start ---- */

#define DEPTH_MAX 200

struct odometer {
	u32 choice[DEPTH_MAX], of[DEPTH_MAX];
	u32 depth, nr;
};

static u32 next_digit(void *ctx, const struct rt_choice *c)
{
	struct odometer *od = ctx;

	assert_true(od->depth < DEPTH_MAX);
	if (od->depth == od->nr) {
		od->choice[od->nr] = 0;
		od->nr++;
	}
	od->of[od->depth] = c->nr;
	return od->choice[od->depth++];
}

static bool turn(struct odometer *od)
{
	while (od->nr) {
		if (++od->choice[od->nr - 1] < od->of[od->nr - 1])
			return true;
		od->nr--;
	}
	return false;
}

static void brute_force(const struct program *p, struct outcomes *o)
{
	struct odometer od = {.nr = 0};
	const struct rt_chooser ch = {.name = "odometer", .pick = next_digit, .ctx = &od};
	struct rt_image *start;
	struct bench b;

	begin(&b, p, o);
	rt_set_chooser(b.world, &ch);
	start = rt_world_save(b.world);
	do {
		enum rt_run_result res;

		rt_world_restore(b.world, start);
		od.depth = 0;
		b.reported = false;
		res = rt_run();
		o->schedules++;
		if (b.reported)
			o->broken = true;
		else if (res == RT_RUN_DEADLOCK)
			o->deadlock = true;
		else
			add_outcome(o, p->outcome());
	} while (turn(&od));
	rt_image_free(start);
	rt_world_free(b.world);
}

/* ---- the explorer ---- */

static enum lab_ex_stop run(void *ctx, struct lab_ex_fault *f)
{
	struct bench *b = ctx;
	enum rt_run_result res;

	b->reported = false;
	res = rt_run();
	if (b->reported || res == RT_RUN_DEADLOCK) {
		*f = (struct lab_ex_fault){.kind = b->reported ? LAB_EX_RULE : LAB_EX_STUCK};
		snprintf(f->rule, sizeof(f->rule), b->reported ? "report" : "deadlock");
		return LAB_EX_BROKEN;
	}
	if (res == RT_RUN_BUDGET)
		return LAB_EX_LONG;
	return res == RT_RUN_PAUSED ? LAB_EX_CHOICE : LAB_EX_REST;
}

static enum lab_ex_stop rest(void *ctx, struct lab_ex_fault *f)
{
	struct bench *b = ctx;

	add_outcome(b->o, b->p->outcome());
	return LAB_EX_END;
}

static u32 pause_always(void *ctx, const struct rt_choice *c)
{
	return RT_PICK_PAUSE;
}

static struct lab_ex_totals explore(const struct program *p, const struct lab_ex_opts *opts,
				    struct outcomes *o)
{
	const struct rt_chooser ch = {.name = "pause", .pick = pause_always};
	struct lab_ex_model model;
	/* A sanitizer leaves words of its own in frames, other ones on another way to a state. */
	bool estimated = !RT_ASAN && !opts->no_reduction && !opts->checkpoint && !opts->shards;
	struct lab_ex_estimate e = {0};
	struct lab_ex_totals t;
	struct lab_ex *x;
	struct bench b;

	begin(&b, p, o);
	rt_set_chooser(b.world, &ch);
	rt_set_budget(1000);
	assert_int_equal(rt_run(), RT_RUN_PAUSED);
	model = (struct lab_ex_model){
		.ctx = &b, .world = b.world, .run = run, .rest = rest, .measure = false};
	x = lab_ex_new(&model, opts);
	if (estimated)
		e = lab_ex_estimate(x);
	lab_ex_run(x);
	t = lab_ex_totals(x);
	/* Random schedules come to no state that the search does not know, and to most of so few. */
	if (estimated && (e.seen > t.states || (t.states < 500 && e.seen * 2 < t.states)))
		fail_msg("%s: %u of %llu states seen", p->name, e.seen, t.states);
	for (u32 i = 0; lab_ex_found(x, i); i++) {
		const struct lab_ex_fault *f = &lab_ex_found(x, i)->fault;
		bool loop = f->kind == LAB_EX_STUCK && !strcmp(f->rule, "no progress");

		o->livelock |= loop;
		o->deadlock |= f->kind == LAB_EX_STUCK && !loop;
		o->broken |= f->kind == LAB_EX_RULE;
	}
	lab_ex_free(x);
	rt_world_free(b.world);
	return t;
}

static void assert_same(const struct program *p, const struct outcomes *a, const struct outcomes *b)
{
	if (a->nr != b->nr || memcmp(a->val, b->val, a->nr * sizeof(a->val[0])))
		fail_msg("%s: %u outcomes one by one, %u explored", p->name, a->nr, b->nr);
	if (a->deadlock != b->deadlock)
		fail_msg("%s: deadlock %d one by one, %d explored", p->name, a->deadlock,
			 b->deadlock);
	if (a->broken != b->broken && !p->unseen)
		fail_msg("%s: broken %d one by one, %d explored", p->name, a->broken, b->broken);
}

static void test_same_outcomes(void **state)
{
	for (u32 i = 0; i < nr_programs; i++) {
		const struct program *p = &programs[i];
		struct outcomes all = {.nr = 0}, found = {.nr = 0}, plain = {.nr = 0},
				deep = {.nr = 0};
		struct lab_ex_opts opts = {.preemptions = LAB_EX_UNBOUNDED, .all = true};
		struct lab_ex_totals t;

		/* The sanitizer stops such a program itself. */
		if (RT_ASAN && p->unseen)
			continue;
		brute_force(p, &all);
		t = explore(p, &opts, &found);
		print_message("%-42s %7llu schedules, %2u outcomes, %5llu states\n", p->name,
			      all.schedules, all.nr, t.states);
		assert_same(p, &all, &found);
		assert_true(t.complete);
		assert_false(found.livelock);
		opts.no_reduction = true;
		explore(p, &opts, &plain);
		assert_same(p, &all, &plain);
		opts.depth_first = true;
		explore(p, &opts, &deep);
		assert_same(p, &all, &deep);
		if (all.nr != p->outcomes || all.deadlock != p->deadlock ||
		    found.broken != p->broken)
			fail_msg("%s: %u outcomes, deadlock %d, broken %d", p->name, all.nr,
				 all.deadlock, found.broken);
	}
}

/* What no odometer can run: a loop is reported if, and only if, a fair scheduler may stay in it. */
static void test_loops(void **state)
{
	for (u32 i = 0; i < nr_endless_programs; i++) {
		const struct program *p = &endless_programs[i];

		for (u32 way = 0; way < 4; way++) {
			const struct lab_ex_opts opts = {.preemptions = LAB_EX_UNBOUNDED,
							 .all = true,
							 .no_reduction = way & 1,
							 .depth_first = way & 2};
			struct outcomes found = {.nr = 0};
			struct lab_ex_totals t = explore(p, &opts, &found);

			assert_true(t.complete);
			if (found.nr != p->outcomes || found.livelock != p->livelock ||
			    found.deadlock || found.broken)
				fail_msg("%s: %u outcomes, livelock %d, deadlock %d, broken %d",
					 p->name, found.nr, found.livelock, found.deadlock,
					 found.broken);
			if (!way)
				print_message(
					"%-42s %7.0Lf schedules, %2u outcomes, %5llu states\n",
					p->name, t.schedules, found.nr, t.states);
		}
	}
}

/* What a search of one part comes to: in one go, or given up again and again and gone on with. */
static struct lab_ex_totals explore_part(const struct program *p, struct lab_ex_opts opts,
					 const char *path)
{
	struct lab_ex_totals t = {.complete = false};
	struct outcomes o = {.nr = 0};

	opts.checkpoint = path;
	for (u64 max = 40; path && !t.complete && max < 100000; max += 40) {
		opts.max_states = max;
		t = explore(p, &opts, &o);
	}
	opts.max_states = 0;
	return explore(p, &opts, &o);
}

/* Neither a kill nor a resume changes a total; of a part neither. */
static void test_parts_go_on(void **state)
{
	char dir[] = "/tmp/tdxsim-explore-XXXXXX", path[sizeof(dir) + 8];

	if (RT_ASAN)
		skip(); /* frames hold addresses of the sanitizer's, which a resumed search has not */
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/part", dir);
	for (u32 i = 0; i < nr_programs; i++) {
		const struct program *p = &programs[i];

		for (u32 shard = 0; shard < 2; shard++) {
			const struct lab_ex_opts opts = {.preemptions = LAB_EX_UNBOUNDED,
							 .all = true,
							 .shard = shard,
							 .shards = 2};
			struct lab_ex_totals once = explore_part(p, opts, NULL),
					     often = explore_part(p, opts, path);

			if (once.states != often.states || once.transitions != often.transitions ||
			    once.schedules != often.schedules)
				fail_msg("%s, part %u: %llu states in one go, %llu with breaks",
					 p->name, shard, once.states, often.states);
			unlink(path);
		}
	}
	rmdir(dir);
}

/* Waits for a fault that need never come. */
static void wait_for_fault(void *arg)
{
	do
		rt_point(RT_PT_ATOMIC, 0);
	while (!rt_fault_fire("test", 0, NULL));
}

static void one_waits(void)
{
	const struct rt_fault f = {
		.site = "test", .key = RT_FAULT_ANY, .actor = RT_NOBODY, .count = 1, .maybe = true};

	rt_actor_new("a", wait_for_fault, NULL);
	rt_fault_arm(&f);
}

static u64 nothing(void)
{
	return 0;
}

/* However often it did not fire, the state is one; and nobody owes it to anybody that it does. */
static void test_fault_that_never_fires(void **state)
{
	const struct program p = {"waits for a fault", one_waits, nothing, 1};
	const struct lab_ex_opts opts = {
		.preemptions = LAB_EX_UNBOUNDED, .all = true, .max_states = 100};
	struct outcomes o = {.nr = 0};
	struct lab_ex_totals t;

	if (RT_ASAN)
		skip(); /* what the sanitizer leaves in a frame tells the turns of the loop apart */
	t = explore(&p, &opts, &o);
	assert_true(t.complete);
	assert_int_equal(o.nr, 1);
	assert_true(o.livelock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_outcomes),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_parts_go_on),
		cmocka_unit_test(test_fault_that_never_fires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
