// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs under one seed after the other, and the chooser of probabilistic concurrency testing with
 * its guarantee.
 */
#include "sim/lab/pct.h"
#include "sim/lab/search.h"
#include "tests/lab/scene.h"

static const struct lab_target spin = {
	.kind = LAB_TARGET_RULE, .rule = "bounded-spin", .op = LAB_NO_OP};

/* The read must not come between the writes: two orderings. */
static const char between[] = "td vcpus=2\n"
			      "vcpu0: accept slot0 2M\n"
			      "vcpu1: read slot0\n"
			      "parallel {\n"
			      " vcpu0: write slot0 1\n"
			      " vcpu0: write slot0 3\n"
			      " vcpu1: read slot0\n"
			      " vcpu1: write slot0+8 1\n"
			      "}\n";

static void search(const struct scene *s, const struct lab_opts *o, u64 runs,
		   struct lab_found *found)
{
	const struct lab_search_opts so = {.runs = runs};
	char err[200];

	assert_true(lab_search(&s->sc, &s->su, o, &so, found, err, sizeof(err)));
}

static void test_search__finds_a_seed_that_breaks_it_alone(void **state)
{
	for (u32 depth = 0; depth < 4; depth += 3) {
		struct lab_opts o = {
			.seed = 1, .random = !depth, .pct_depth = depth, .pct_steps = 800};
		struct rt_schedule made;
		struct lab_found found;
		struct scene s;

		scene_init(&s, SCENE_MEMORY_FAILURE);
		search(&s, &o, 3000, &found);
		assert_true(found.broke);
		assert_int_equal(found.target.kind, LAB_TARGET_RULE);
		assert_string_equal(found.target.rule, spin.rule);
		assert_int_equal(found.seed, found.runs);

		/* The same seed by itself makes the same choices. */
		o.seed = found.seed;
		rt_schedule_init(&made);
		assert_true(scene_run(&s, &o, &spin, &made));
		assert_int_equal(made.nr, found.schedule.nr);
		for (size_t i = 0; i < made.nr; i++) {
			assert_true(made.entries[i].step == found.schedule.entries[i].step);
			assert_int_equal(made.entries[i].actor, found.schedule.entries[i].actor);
		}
		rt_schedule_free(&made);
		rt_schedule_free(&found.schedule);
		scene_free(&s);
	}
}

static void count_calls(void *ctx, u64 done, u64 runs)
{
	u32 *calls = ctx;

	/* Every 64 runs, and once at the end. */
	assert_true(done <= runs && (done < runs) == (*calls < 3));
	++*calls;
}

static void test_search__ends_at_its_bound(void **state)
{
	const struct lab_opts o = {.seed = 7, .random = true};
	u32 calls = 0;
	const struct lab_search_opts so = {.runs = 130, .progress = count_calls, .ctx = &calls};
	struct lab_found found;
	struct scene s;
	char err[200];

	scene_init(
		&s,
		"td vcpus=2\nparallel {\nvcpu0: accept slot0 4K\nvcpu1: accept slot0+4K 4K\n}\n");
	assert_true(lab_search(&s.sc, &s.su, &o, &so, &found, err, sizeof(err)));
	assert_false(found.broke);
	assert_int_equal(found.runs, 130);
	assert_int_equal(found.seed, 136);
	assert_int_equal(found.schedule.nr, 0);
	assert_int_equal(calls, 4);
	scene_free(&s);
}

static void test_search__an_expectation_counts_too(void **state)
{
	const struct lab_opts o = {.seed = 1, .random = true};
	struct lab_found found;
	struct scene s;

	scene_init(
		&s,
		"td vcpus=2\nvcpu0: accept slot0 2M\nvcpu1: read slot0\n"
		"parallel {\nvcpu0: write slot0 1\nvcpu1: write slot0 2\n}\nexpect data slot0 2\n");
	search(&s, &o, 100, &found);
	assert_true(found.broke);
	assert_int_equal(found.target.kind, LAB_TARGET_EXPECT);
	assert_int_equal(found.target.op, scene_op(&s, LAB_OP_EXP_DATA, 0));
	rt_schedule_free(&found.schedule);
	scene_free(&s);
}

static void test_pct__arithmetic(void **state)
{
	assert_true(lab_pct_bound(1, 4, 100) == 0.25);
	assert_true(lab_pct_bound(3, 2, 10) > 0.00499 && lab_pct_bound(3, 2, 10) < 0.00501);
	assert_true(lab_pct_bound_of(0.5, 1) == 0.5);
	assert_true(lab_pct_bound_of(0.5, 3) == 0.875);
	assert_true(lab_pct_bound_of(0, 1000) == 0);
	assert_true(lab_pct_bound_of(1, 5) == 1);
}

/* Whether the read of @between saw the first write alone, in a run from the session's beginning. */
static bool saw_between(const struct scene *s, struct lab_session *ses)
{
	u32 op = scene_op(s, LAB_OP_READ, 1);
	struct lab_play p;
	bool saw = false;

	lab_play_init(&p, ses);
	while (lab_play_next(&p) == LAB_PLAY_LINE) {
		if (lab_in_parallel(ses->m))
			saw = lab_result(ses->m, op)->out.value == 1;
	}
	assert_true(ses->pct->done <= ses->pct->steps);
	return saw;
}

/* Of @runs seeds, under how many it did. */
static u32 count_between(const struct scene *s, const struct lab_opts *o, u32 runs)
{
	struct lab_session *ses = scene_session(s, o);
	struct lab_mark start;
	u32 seen = 0;

	lab_session_mark(ses, &start);
	for (u64 seed = 1; seed <= runs; seed++) {
		lab_session_back(ses, &start);
		lab_session_reseed(ses, seed);
		seen += saw_between(s, ses);
	}
	lab_mark_free(&start);
	lab_session_free(ses);
	return seen;
}

/* As often as the guarantee says, at every depth that is enough; and never at one that is not. */
static void test_pct__keeps_its_guarantee(void **state)
{
	const u32 runs = 500;
	struct lab_opts o = {.no_trace = true};
	struct scene s;
	char err[200];

	scene_init(&s, between);
	o.pct_steps = lab_search_steps(&s.sc, &s.su, &o, err, sizeof(err));
	assert_in_range(o.pct_steps, 6, 200);
	for (o.pct_depth = 1; o.pct_depth <= 3; o.pct_depth++) {
		/* The VMM's thread and the vCPUs. */
		double least = runs * lab_pct_bound(o.pct_depth, 3, o.pct_steps);
		u32 seen = count_between(&s, &o, runs);

		if (o.pct_depth == 1)
			assert_int_equal(seen, 0);
		else
			assert_true(seen >= least);
	}
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search__finds_a_seed_that_breaks_it_alone),
		cmocka_unit_test(test_search__ends_at_its_bound),
		cmocka_unit_test(test_search__an_expectation_counts_too),
		cmocka_unit_test(test_pct__arithmetic),
		cmocka_unit_test(test_pct__keeps_its_guarantee),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
