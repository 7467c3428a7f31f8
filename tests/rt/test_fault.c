// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault injection: which visit fires, for whom, how often; the list of armed faults.
 * What a fault does is tested where it fires.
 */
#include "tests/rt/harness.h"

#include <stdio.h>

#include "sim/rt/fault.h"
#include "sim/rt/schedule.h"

static u32 arm(const char *site, u64 key, u64 nth, u64 count)
{
	struct rt_fault f = {.key = key, .actor = RT_NOBODY, .nth = nth, .count = count};

	f.value = 7;
	snprintf(f.site, sizeof(f.site), "%s", site);
	return rt_fault_arm(&f);
}

/* Visits @n times; bit i of the result: visit i fired. */
static u32 visit(const char *site, u64 key, u32 n)
{
	u32 fired = 0;

	for (u32 i = 0; i < n; i++)
		fired |= (u32)rt_fault_fire(site, key, NULL) << i;
	return fired;
}

static void test_fault__nth_and_count(void **state)
{
	static const struct {
		u64 nth, count;
		u32 fired;
	} cases[] = {
		{0, 0, 0x01}, {1, 1, 0x01}, {3, 1, 0x04}, {2, 3, 0x0e}, {9, 1, 0x00}, {8, 4, 0x80},
	};

	for (u32 i = 0; i < RT_ARRAY_SIZE(cases); i++) {
		u32 id = arm("busy", RT_FAULT_ANY, cases[i].nth, cases[i].count);

		assert_int_equal(visit("busy", 5, 8), cases[i].fired);
		rt_fault_disarm(id);
		assert_false(rt_fault_fire("busy", 5, NULL));
	}
}

static void test_fault__site_and_key(void **state)
{
	u64 value = 0;

	assert_false(rt_fault_fire("busy", 5, &value));
	arm("busy", 5, 1, 1);
	assert_false(rt_fault_fire("enomem", 5, &value));
	assert_false(rt_fault_fire("busy", 6, &value));
	assert_int_equal(value, 0);
	assert_true(rt_fault_fire("busy", 5, &value));
	assert_int_equal(value, 7);
	assert_false(rt_fault_fire("busy", 5, &value));
}

static void visitor(void *arg)
{
	bool *fired = arg;

	fired[rt_actor_id(rt_actor_current())] = rt_fault_fire("busy", 0, NULL);
}

static void test_fault__actor(void **state)
{
	const struct rt_fault f = {.site = "busy", .key = RT_FAULT_ANY, .actor = 1, .nth = 1};
	bool *fired = rt_zalloc(3 * sizeof(*fired));

	rt_fault_arm(&f);
	assert_false(rt_fault_fire("busy", 0, NULL));
	for (u32 i = 0; i < 3; i++)
		rt_actor_new("v", visitor, fired);
	rt_run();
	assert_false(fired[0]);
	assert_true(fired[1]);
	assert_false(fired[2]);
}

/* Both count each visit, one of them fires. */
static void test_fault__two_at_one_site(void **state)
{
	arm("busy", RT_FAULT_ANY, 2, 2);
	arm("busy", RT_FAULT_ANY, 3, 2);
	assert_int_equal(visit("busy", 0, 6), 0x0e);
	assert_int_equal(rt_fault_get(0)->fired, 2);
	assert_int_equal(rt_fault_get(1)->fired, 1);
	assert_int_equal(rt_fault_get(1)->seen, 4);
}

static void test_fault__list_in_order_of_arming(void **state)
{
	u32 a = arm("a", 0, 1, 1), b = arm("b", 0, 1, 1), c = arm("c", 0, 1, 1);

	assert_int_equal(rt_fault_get(0)->id, a);
	assert_int_equal(rt_fault_get(2)->id, c);
	assert_null(rt_fault_get(3));
	rt_fault_disarm(b);
	assert_string_equal(rt_fault_get(1)->site, "c");
	rt_fault_disarm(c);
	rt_fault_disarm(a);
	rt_fault_disarm(a);
	assert_null(rt_fault_get(0));
	assert_int_equal(rt_mem_stats(*state).own_blocks, 0);
	a = arm("d", 0, 1, 1);
	assert_false(rt_fault_spent(rt_fault_get(0)));
	assert_true(rt_fault_fire("d", 0, NULL));
	/* A spent one stays in the list until it is taken out. */
	assert_true(rt_fault_spent(rt_fault_get(0)));
	rt_fault_disarm(a);
	assert_null(rt_fault_get(0));
}

static void test_fault__images_have_the_counts(void **state)
{
	struct rt_image *img;

	arm("busy", RT_FAULT_ANY, 3, 1);
	assert_int_equal(visit("busy", 0, 1), 0);
	img = rt_world_save(*state);
	for (u32 round = 0; round < 2; round++) {
		assert_int_equal(visit("busy", 0, 4), 0x2);
		rt_world_restore(*state, img);
	}
	rt_image_free(img);
}

/* A chooser that says yes at its @yes-th question, and pauses once at its @pause-th (from 1). */
struct oracle {
	u32 asked, yes, pause;
	struct rt_choice last;
};

static u32 pick_scripted(void *ctx, const struct rt_choice *c)
{
	struct oracle *o = ctx;

	if (c->kind != RT_CHOICE_FAULT)
		return c->cur == RT_NOBODY ? 0 : c->cur;
	o->last = *c;
	if (o->asked + 1 == o->pause) {
		o->pause = 0;
		return RT_PICK_PAUSE;
	}
	return ++o->asked == o->yes;
}

#define VISITS 6

struct tour {
	u32 fired, end; /* bit of each visit that fired; step after the last */
};

static void tourist(void *arg)
{
	struct tour *t = arg;

	for (u32 i = 0; i < VISITS; i++) {
		t->fired |= (u32)rt_fault_fire("busy", 7, NULL) << i;
		rt_point(RT_PT_GUEST, i);
	}
	t->end = (u32)rt_step();
}

static struct tour *send_tourist(void)
{
	struct tour *t = rt_zalloc(sizeof(*t));

	assert_non_null(rt_actor_new("tourist", tourist, t));
	return t;
}

static u32 arm_maybe(u64 nth, u64 count)
{
	const struct rt_fault f = {.site = "busy",
				   .key = RT_FAULT_ANY,
				   .actor = RT_NOBODY,
				   .nth = nth,
				   .count = count,
				   .maybe = true};

	return rt_fault_arm(&f);
}

static void test_fault__maybe_asks_until_it_is_spent(void **state)
{
	static const struct {
		u32 nth, count, yes, fired, asked;
	} cases[] = {
		{1, 1, 3, 0x04, 3}, /* then it is spent, and nobody is asked again */
		{4, 1, 1, 0x08, 1}, /* nth: asked from there on */
		{1, 2, 2, 0x02, 6}, /* the second chance is not taken */
		{1, 1, 99, 0, 6},
	};

	for (u32 i = 0; i < RT_ARRAY_SIZE(cases); i++) {
		struct oracle o = {.yes = cases[i].yes};
		const struct rt_chooser ch = {.name = "scripted", .pick = pick_scripted, .ctx = &o};
		u32 id = arm_maybe(cases[i].nth, cases[i].count);
		struct tour *t = send_tourist();

		rt_set_chooser(*state, &ch);
		assert_int_equal(rt_run(), RT_RUN_QUIET);
		assert_int_equal(t->fired, cases[i].fired);
		assert_int_equal(o.asked, cases[i].asked);
		assert_int_equal(o.last.nr, 2);
		assert_int_equal(o.last.cur, 0);
		assert_int_equal(o.last.ids[0], RT_FAULT_NO);
		assert_int_equal(o.last.ids[1], RT_FAULT_FIRES);
		assert_string_equal(o.last.site, "busy");
		assert_int_equal(o.last.key, 7);
		assert_int_equal(o.last.actor, i);
		rt_fault_disarm(id);
	}
}

static void test_fault__maybe_outside_of_actors_is_no(void **state)
{
	struct oracle o = {.yes = 1};
	const struct rt_chooser ch = {.name = "scripted", .pick = pick_scripted, .ctx = &o};

	rt_set_chooser(*state, &ch);
	arm_maybe(1, 1);
	assert_int_equal(visit("busy", 0, 4), 0);
	assert_int_equal(o.asked, 0);
	assert_false(rt_fault_spent(rt_fault_get(0)));
}

/* Both answers from one image that was taken in the middle of the question. */
static void test_fault__maybe_pauses_in_the_middle(void **state)
{
	struct oracle o = {.pause = 2, .yes = 99};
	const struct rt_chooser ch = {.name = "scripted", .pick = pick_scripted, .ctx = &o};
	struct tour *t = send_tourist();
	struct rt_image *img;

	arm_maybe(1, 1);
	rt_set_chooser(*state, &ch);
	assert_int_equal(rt_run(), RT_RUN_PAUSED);
	assert_string_equal(rt_actor_where(rt_actor_by_id(0)).asks, "busy");
	img = rt_world_save(*state);
	for (u32 yes = 0; yes < 2; yes++) {
		rt_world_restore(*state, img);
		o.asked = 0;
		o.yes = yes;
		assert_int_equal(rt_run(), RT_RUN_QUIET);
		assert_int_equal(t->fired, yes ? 0x02 : 0);
		assert_null(rt_actor_where(rt_actor_by_id(0)).asks);
	}
	rt_image_free(img);
}

static u32 say_no(void *ctx, const struct rt_choice *c)
{
	return c->cur == RT_NOBODY ? 0 : c->cur;
}

/* A question is a step, whether somebody is asked or not: schedules fit all choosers. */
static void test_fault__maybe_takes_a_step_for_all_choosers(void **state)
{
	const struct rt_chooser asks = {.name = "asks", .pick = say_no};
	const struct rt_chooser sees_all = {.name = "all", .pick = say_no, .all_steps = true};
	const struct rt_chooser *chooser[] = {&rt_chooser_in_order, &asks, &sees_all};

	for (u32 i = 0; i < RT_ARRAY_SIZE(chooser); i++) {
		struct tour *t;

		rt_world_reset(*state);
		rt_set_chooser(*state, chooser[i]);
		arm_maybe(1, 1);
		t = send_tourist();
		rt_run();
		/* Its first step, a question and a point at each visit. */
		assert_int_equal(t->end, 1 + 2 * VISITS);
		assert_int_equal(t->fired, 0);
	}
}

static void test_fault__maybe_is_recorded_and_played(void **state)
{
	u32 fired = 0;

	for (u32 round = 0; round < 40; round++) {
		struct rt_schedule rec;
		struct rt_chooser play;
		struct tour *t;
		u32 first;

		rt_world_reset(*state);
		for (u32 i = 0; i < round; i++)
			rt_random(); /* each round draws other numbers */
		rt_schedule_init(&rec);
		rt_set_chooser(*state, &rt_chooser_random);
		rt_record_schedule(*state, &rec);
		arm_maybe(1, 3);
		t = send_tourist();
		rt_run();
		first = t->fired;
		fired += (u32)__builtin_popcount(first);
		assert_int_equal(rec.nr, __builtin_popcount(first));

		rt_record_schedule(*state, NULL);
		rt_world_reset(*state);
		play = rt_schedule_chooser(&rec);
		rt_set_chooser(*state, &play);
		arm_maybe(1, 3);
		t = send_tourist();
		rt_run();
		assert_int_equal(t->fired, first);
		assert_int_equal(rt_schedule_unplayed(&rec), 0);
		rt_schedule_free(&rec);
	}
	/* One in RT_RANDOM_FAULT of 40 * VISITS. */
	assert_in_range(fired, 30, 90);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_fault__nth_and_count),
		CASE(test_fault__site_and_key),
		CASE(test_fault__actor),
		CASE(test_fault__two_at_one_site),
		CASE(test_fault__list_in_order_of_arming),
		CASE(test_fault__images_have_the_counts),
		CASE(test_fault__maybe_asks_until_it_is_spent),
		CASE(test_fault__maybe_outside_of_actors_is_no),
		CASE(test_fault__maybe_pauses_in_the_middle),
		CASE(test_fault__maybe_takes_a_step_for_all_choosers),
		CASE(test_fault__maybe_is_recorded_and_played),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
