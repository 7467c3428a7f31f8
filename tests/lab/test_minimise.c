// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cursor over a scenario's lines, and the minimiser on top of it: what it gives breaks the same,
 * at the step it says, with as little as it takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/lab/minimise.h"
#include "sim/rt/schedule.h"
#include "sim/rt/world.h"

struct scene {
	struct lab_scenario sc;
	struct lab_setup su;
	struct lab_source src;
};

static void scene_init(struct scene *s, const char *text)
{
	struct lab_diag d = {stderr, 0};

	s->src = (struct lab_source){.name = "test", .text = text, .len = strlen(text)};
	lab_scenario_init(&s->sc);
	assert_int_equal(lab_parse(&s->sc, &s->src, &d), 0);
	assert_int_equal(lab_setup_resolve(&s->sc, &s->su, &d), 0);
}

/* Index of the @n-th op of @kind, from 0. */
static u32 find_op(const struct scene *s, enum lab_op_kind kind, u32 n)
{
	for (u32 i = 0; i < s->sc.nr_ops; i++) {
		if (s->sc.ops[i].kind == kind && !n--)
			return i;
	}
	fail_msg("no such line");
	return 0;
}

/*
 * One run: by @play, or a random one of @seed. The schedule it made, and the step at which it met
 * the target, 0 if it did not.
 */
static u64 run(const struct scene *s, const struct lab_target *t, u64 seed,
	       struct rt_schedule *play, struct rt_schedule *made)
{
	const struct lab_opts o = {.seed = seed, .random = !play, .schedule = play};
	struct lab_session *ses;
	struct lab_play p;
	char err[200];
	bool met;
	u64 step;

	ses = lab_session_new(&s->sc, &s->su, &o, err, sizeof(err));
	assert_non_null(ses);
	lab_play_init(&p, ses);
	met = lab_play_until(&p, t);
	step = rt_step();
	for (size_t i = 0; made && i < ses->recorded.nr; i++)
		rt_schedule_add(made, ses->recorded.entries[i].step,
				ses->recorded.entries[i].actor);
	lab_session_free(ses);
	return met ? step : 0;
}

/* The first random run that meets the target. */
static void find_failing(const struct scene *s, const struct lab_target *t, u64 seed,
			 struct rt_schedule *made)
{
	for (u64 end = seed + 200; seed < end; seed++) {
		rt_schedule_init(made);
		if (run(s, t, seed, NULL, made))
			return;
		rt_schedule_free(made);
	}
	fail_msg("no seed breaks it");
}

static void minimise(const struct scene *s, const struct lab_target *t,
		     const struct rt_schedule *failing, u32 runs, struct lab_minimised *res)
{
	const struct lab_opts o = {0};
	char err[200];

	assert_true(lab_minimise(&s->sc, &s->su, &o, failing, t, runs, res, err, sizeof(err)));
}

/* From several seeds: small, the same target, the step that was told. */
static void check(const struct scene *s, const struct lab_target *t, struct lab_cost at_most)
{
	for (u64 seed = 1; seed <= 60; seed += 20) {
		struct rt_schedule failing;
		struct lab_minimised res;

		find_failing(s, t, seed, &failing);
		minimise(s, t, &failing, LAB_MINIMISE_RUNS, &res);
		assert_true(res.reproduced);
		assert_false(res.bounded);
		assert_true(lab_cost_compare(&res.after, &res.before) <= 0);
		assert_in_range(res.after.preemptions, 0, at_most.preemptions);
		assert_in_range(res.after.faults, 0, at_most.faults);
		assert_in_range(res.after.cuts, 0, at_most.cuts);
		assert_int_equal(res.schedule.nr, res.after.cuts);
		/* Nothing of the seed may matter. */
		assert_int_equal(run(s, t, 9999, &res.schedule, NULL), res.after.steps);
		rt_schedule_free(&res.schedule);
		rt_schedule_free(&failing);
	}
}

static const char memory_failure[] = "gmem g0 toshared_refs=SPIN\n"
				     "td vcpus=1\n"
				     "vcpu0: accept slot0 4M\n"
				     "vcpu0: write slot0+2M 2\n"
				     "parallel {\n"
				     "  host: memory-failure slot0+4K\n"
				     "  host1: convert slot0+8K 4K shared\n"
				     "  vcpu0: read slot0+2M\n"
				     "}\n";

/* The handler has its reference and waits for the lock that the conversion holds: one preemption. */
static void test_minimise__a_rule(void **state)
{
	const struct lab_target t = {
		.kind = LAB_TARGET_RULE, .rule = "bounded-spin", .op = LAB_NO_OP};
	const struct lab_cost least = {.preemptions = 1, .cuts = 2};
	struct scene s;

	scene_init(&s, memory_failure);
	check(&s, &t, least);
	lab_scenario_free(&s.sc);
}

static const char two_blocks[] = "td vcpus=2\n"
				 "vcpu0: accept slot0 2M\n"
				 "vcpu1: read slot0\n"
				 "parallel {\n vcpu0: write slot0 1\n vcpu1: write slot0 2\n}\n"
				 "expect data slot0 2\n"
				 "parallel {\n vcpu0: write slot0+8 1\n vcpu1: write slot0+8 2\n}\n"
				 "expect data slot0+8 2\n";

/* Who is first is no preemption. The other expectation may fail too, and does not count. */
static void test_minimise__one_expectation_of_two(void **state)
{
	const struct lab_cost least = {.cuts = 1};
	struct scene s;

	scene_init(&s, two_blocks);
	for (u32 n = 0; n < 2; n++) {
		const struct lab_target t = {.kind = LAB_TARGET_EXPECT,
					     .op = find_op(&s, LAB_OP_EXP_DATA, n)};

		check(&s, &t, least);
	}
	lab_scenario_free(&s.sc);
}

/* Of the answers only the fault matters. */
static void test_minimise__a_fault(void **state)
{
	static const char text[] = "td vcpus=2\n"
				   "vcpu0: accept slot0 2M\n"
				   "inject enomem site=spt-alloc maybe\n"
				   "parallel {\n"
				   " host: convert slot0 4K shared\n"
				   " expect ok\n"
				   " vcpu0: write slot0+8K 1\n"
				   " vcpu1: write slot0+16K 1\n"
				   "}\n";
	const struct lab_cost least = {.faults = 1, .cuts = 1};
	struct lab_target t = {.kind = LAB_TARGET_EXPECT};
	struct scene s;

	scene_init(&s, text);
	t.op = find_op(&s, LAB_OP_EXP_OK, 0);
	check(&s, &t, least);
	lab_scenario_free(&s.sc);
}

static void test_minimise__what_does_not_break_is_no_input(void **state)
{
	const struct lab_target t = {
		.kind = LAB_TARGET_RULE, .rule = "bounded-spin", .op = LAB_NO_OP};
	struct lab_minimised res;
	struct rt_schedule empty;
	struct scene s;

	scene_init(&s, memory_failure);
	rt_schedule_init(&empty);
	minimise(&s, &t, &empty, LAB_MINIMISE_RUNS, &res);
	assert_false(res.reproduced);
	assert_int_equal(res.schedule.nr, 0);
	assert_int_equal(res.runs, 1);
	rt_schedule_free(&res.schedule);
	lab_scenario_free(&s.sc);
}

static void test_minimise__what_breaks_in_order_needs_no_schedule(void **state)
{
	struct lab_target t = {.kind = LAB_TARGET_EXPECT};
	struct lab_minimised res;
	struct rt_schedule failing;
	struct scene s;

	scene_init(&s,
		   "td vcpus=2\nparallel {\nvcpu0: accept slot0 4K\nvcpu1: accept slot0+4K 4K\n}\n"
		   "expect attr slot0 shared\n");
	t.op = find_op(&s, LAB_OP_EXP_ATTR, 0);
	find_failing(&s, &t, 1, &failing);
	assert_true(failing.nr > 1);
	minimise(&s, &t, &failing, LAB_MINIMISE_RUNS, &res);
	assert_true(res.reproduced);
	assert_int_equal(res.schedule.nr, 0);
	rt_schedule_free(&res.schedule);
	rt_schedule_free(&failing);
	lab_scenario_free(&s.sc);
}

/* A bound on runs is told, and what was found until then is still right. */
static void test_minimise__bounded(void **state)
{
	const struct lab_target t = {
		.kind = LAB_TARGET_RULE, .rule = "bounded-spin", .op = LAB_NO_OP};
	struct rt_schedule failing;
	struct scene s;

	scene_init(&s, memory_failure);
	find_failing(&s, &t, 1, &failing);
	for (u32 runs = 1; runs <= 5; runs += 2) {
		struct lab_minimised res;

		minimise(&s, &t, &failing, runs, &res);
		assert_true(res.bounded);
		assert_true(lab_cost_compare(&res.after, &res.before) <= 0);
		assert_int_equal(run(&s, &t, 1, &res.schedule, NULL), res.after.steps);
		rt_schedule_free(&res.schedule);
	}
	rt_schedule_free(&failing);
	lab_scenario_free(&s.sc);
}

static void test_minimise__the_same_answer_again(void **state)
{
	const struct lab_target t = {
		.kind = LAB_TARGET_RULE, .rule = "bounded-spin", .op = LAB_NO_OP};
	struct lab_minimised a, b;
	struct rt_schedule failing;
	struct scene s;

	scene_init(&s, memory_failure);
	find_failing(&s, &t, 5, &failing);
	minimise(&s, &t, &failing, LAB_MINIMISE_RUNS, &a);
	minimise(&s, &t, &failing, LAB_MINIMISE_RUNS, &b);
	assert_int_equal(a.runs, b.runs);
	assert_int_equal(a.schedule.nr, b.schedule.nr);
	for (size_t i = 0; i < a.schedule.nr; i++) {
		assert_true(a.schedule.entries[i].step == b.schedule.entries[i].step);
		assert_int_equal(a.schedule.entries[i].actor, b.schedule.entries[i].actor);
	}
	rt_schedule_free(&a.schedule);
	rt_schedule_free(&b.schedule);
	rt_schedule_free(&failing);
	lab_scenario_free(&s.sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimise__a_rule),
		cmocka_unit_test(test_minimise__one_expectation_of_two),
		cmocka_unit_test(test_minimise__a_fault),
		cmocka_unit_test(test_minimise__what_does_not_break_is_no_input),
		cmocka_unit_test(test_minimise__what_breaks_in_order_needs_no_schedule),
		cmocka_unit_test(test_minimise__bounded),
		cmocka_unit_test(test_minimise__the_same_answer_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
