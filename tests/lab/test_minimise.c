// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cursor over a scenario's lines, and the minimiser on top of it: what it gives breaks the same,
 * at the step it says, with as little as it takes.
 */
#include "sim/lab/minimise.h"
#include "tests/lab/scene.h"

/* The first random run that meets the target. */
static void find_failing(const struct scene *s, const struct lab_target *t, u64 seed,
			 struct rt_schedule *made)
{
	for (u64 end = seed + 200; seed < end; seed++) {
		const struct lab_opts o = {.seed = seed, .random = true};

		rt_schedule_init(made);
		if (scene_run(s, &o, t, made))
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

/* The step at which the schedule meets the target in a run with another seed. */
static u64 replay(const struct scene *s, const struct lab_target *t, struct rt_schedule *sched)
{
	const struct lab_opts o = {.seed = 9999, .schedule = sched};

	return scene_run(s, &o, t, NULL);
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
		assert_int_equal(replay(s, t, &res.schedule), res.after.steps);
		rt_schedule_free(&res.schedule);
		rt_schedule_free(&failing);
	}
}

/* The handler has its reference and waits for the lock that the conversion holds: one preemption. */
static void test_minimise__a_rule(void **state)
{
	const struct lab_target t = {
		.kind = LAB_TARGET_RULE, .rule = "bounded-spin", .op = LAB_NO_OP};
	const struct lab_cost least = {.preemptions = 1, .cuts = 2};
	struct scene s;

	scene_init(&s, SCENE_MEMORY_FAILURE);
	check(&s, &t, least);
	scene_free(&s);
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
					     .op = scene_op(&s, LAB_OP_EXP_DATA, n)};

		check(&s, &t, least);
	}
	scene_free(&s);
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
	t.op = scene_op(&s, LAB_OP_EXP_OK, 0);
	check(&s, &t, least);
	scene_free(&s);
}

/* A budget that no schedule keeps to: stuck in the same way, and no choice is to blame. */
static void test_minimise__stuck(void **state)
{
	const struct lab_target t = {
		.kind = LAB_TARGET_STUCK, .rule = "no progress", .op = LAB_NO_OP};
	const struct lab_opts o = {.budget = 50},
			      random = {.budget = 50, .seed = 1, .random = true};
	struct lab_minimised res;
	struct rt_schedule failing;
	struct scene s;
	char err[200];

	scene_init(&s, SCENE_MEMORY_FAILURE);
	rt_schedule_init(&failing);
	assert_true(scene_run(&s, &random, &t, &failing));
	assert_true(failing.nr > 0);
	assert_true(lab_minimise(&s.sc, &s.su, &o, &failing, &t, LAB_MINIMISE_RUNS, &res, err,
				 sizeof(err)));
	assert_true(res.reproduced);
	assert_int_equal(res.schedule.nr, 0);
	rt_schedule_free(&res.schedule);
	rt_schedule_free(&failing);
	scene_free(&s);
}

static void test_minimise__what_does_not_break_is_no_input(void **state)
{
	const struct lab_target t = {
		.kind = LAB_TARGET_RULE, .rule = "bounded-spin", .op = LAB_NO_OP};
	struct lab_minimised res;
	struct rt_schedule empty;
	struct scene s;

	scene_init(&s, SCENE_MEMORY_FAILURE);
	rt_schedule_init(&empty);
	minimise(&s, &t, &empty, LAB_MINIMISE_RUNS, &res);
	assert_false(res.reproduced);
	assert_int_equal(res.schedule.nr, 0);
	assert_int_equal(res.runs, 1);
	rt_schedule_free(&res.schedule);
	scene_free(&s);
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
	t.op = scene_op(&s, LAB_OP_EXP_ATTR, 0);
	find_failing(&s, &t, 1, &failing);
	assert_true(failing.nr > 1);
	minimise(&s, &t, &failing, LAB_MINIMISE_RUNS, &res);
	assert_true(res.reproduced);
	assert_int_equal(res.schedule.nr, 0);
	rt_schedule_free(&res.schedule);
	rt_schedule_free(&failing);
	scene_free(&s);
}

/* A bound on runs is told, and what was found until then is still right. */
static void test_minimise__bounded(void **state)
{
	const struct lab_target t = {
		.kind = LAB_TARGET_RULE, .rule = "bounded-spin", .op = LAB_NO_OP};
	struct rt_schedule failing;
	struct scene s;

	scene_init(&s, SCENE_MEMORY_FAILURE);
	find_failing(&s, &t, 1, &failing);
	for (u32 runs = 1; runs <= 5; runs += 2) {
		struct lab_minimised res;

		minimise(&s, &t, &failing, runs, &res);
		assert_true(res.bounded);
		assert_true(lab_cost_compare(&res.after, &res.before) <= 0);
		assert_int_equal(replay(&s, &t, &res.schedule), res.after.steps);
		rt_schedule_free(&res.schedule);
	}
	rt_schedule_free(&failing);
	scene_free(&s);
}

static void test_minimise__the_same_answer_again(void **state)
{
	const struct lab_target t = {
		.kind = LAB_TARGET_RULE, .rule = "bounded-spin", .op = LAB_NO_OP};
	struct lab_minimised a, b;
	struct rt_schedule failing;
	struct scene s;

	scene_init(&s, SCENE_MEMORY_FAILURE);
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
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimise__a_rule),
		cmocka_unit_test(test_minimise__one_expectation_of_two),
		cmocka_unit_test(test_minimise__a_fault),
		cmocka_unit_test(test_minimise__stuck),
		cmocka_unit_test(test_minimise__what_does_not_break_is_no_input),
		cmocka_unit_test(test_minimise__what_breaks_in_order_needs_no_schedule),
		cmocka_unit_test(test_minimise__bounded),
		cmocka_unit_test(test_minimise__the_same_answer_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
