// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault injection: which visit fires, for whom, how often; the list of armed faults.
 * What a fault does is tested where it fires.
 */
#include "tests/rt/harness.h"

#include <stdio.h>

#include "sim/rt/fault.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
