// SPDX-License-Identifier: GPL-2.0-only
/*
 * Worlds: options, images, reset, two at a time, roots, random source, virtual time.
 * The allocator has a file of its own, and so has the scheduler whose actors are saved here.
 */
#include "tests/rt/harness.h"

#include <errno.h>
#include <string.h>

#include "sim/rt/phys.h"
#include "sim/rt/trace.h"

static void test_world__fresh_world_is_current_and_empty(void **state)
{
	struct rt_mem_stats st = rt_mem_stats(*state);

	assert_ptr_equal(rt_world_current(), *state);
	assert_int_equal(st.live_bytes, 0);
	assert_int_equal(st.live_blocks, 0);
	assert_int_equal(st.own_blocks, 0);
	assert_int_equal(st.stack_used, 0);
	/* Nothing but the fixed part: a world is small before it is used. */
	assert_true(st.heap_used < 4096);
	assert_int_equal(rt_step(), 0);
	assert_int_equal(rt_cycles_now(), 0);
	for (u32 i = 0; i < RT_ROOTS; i++)
		assert_null(rt_root(i));
}

static void test_world__refuses_what_it_cannot_count(void **state)
{
	const struct rt_world_opts bad[] = {
		{.heap_max = 64ULL << 30},
		{.actors_max = 100000},
		{.stack_size = 1ULL << 40},
	};

	for (u32 i = 0; i < RT_ARRAY_SIZE(bad); i++) {
		errno = 0;
		assert_null(rt_world_new(&bad[i]));
		assert_int_equal(errno, EINVAL);
	}
}

static void test_world__free_makes_none_current(void **state)
{
	struct rt_world *before = rt_world_current();
	struct rt_world *w = rt_world_new(NULL);

	assert_non_null(w);
	assert_ptr_equal(rt_world_current(), w);
	rt_world_free(w);
	assert_null(rt_world_current());
	rt_world_free(NULL);
	rt_world_enter(before);
}

static void test_world__two_worlds_do_not_meet(void **state)
{
	struct rt_world *a = *state;
	struct rt_world *b = rt_world_new(NULL);
	u64 *in_a, *in_b;

	assert_ptr_equal(rt_world_enter(a), b);
	in_a = rt_alloc(sizeof(*in_a));
	*in_a = 1;
	rt_set_root(0, in_a);
	rt_cycles(5);
	rt_world_enter(b);
	in_b = rt_alloc(sizeof(*in_b));
	*in_b = 2;
	rt_set_root(0, in_b);
	assert_true(rt_owns(in_b));
	assert_false(rt_owns(in_a));
	assert_int_equal(rt_cycles_now(), 0);
	rt_world_free(b);
	rt_world_enter(a);
	assert_int_equal(*(u64 *)rt_root(0), 1);
	assert_int_equal(rt_cycles_now(), 5);
}

static void test_world__offsets_are_the_same_in_every_world(void **state)
{
	void *p = rt_alloc(100), *q;
	size_t off = rt_offset(p);
	struct rt_world *b;

	assert_ptr_equal(rt_at_offset(off), p);
	b = rt_world_new(NULL);
	q = rt_alloc(100);
	assert_ptr_not_equal(p, q);
	assert_int_equal(rt_offset(q), off);
	rt_world_free(b);
	rt_world_enter(*state);
}

static void bad_offset(void *arg)
{
	int local = 0;

	rt_offset(arg ? arg : &local);
}

static void bad_at_offset(void *arg)
{
	rt_at_offset(1ULL << 50);
}

static void test_world__offset_of_a_foreign_pointer_aborts(void **state)
{
	assert_true(aborts(bad_offset, NULL));
	assert_non_null(strstr(last_abort(), "outside of the world"));
	assert_true(aborts(bad_at_offset, NULL));
}

static void alloc_nowhere(void *arg)
{
	rt_alloc(8);
}

static void test_world__no_world_aborts(void **state)
{
	rt_world_enter(NULL);
	assert_true(aborts(alloc_nowhere, NULL));
	assert_non_null(strstr(last_abort(), "no world is current"));
	assert_null(rt_actor_current());
	assert_false(rt_trace_on());
	rt_world_enter(*state);
}

static void test_world__random_is_a_function_of_the_seed(void **state)
{
	const struct rt_world_opts opts = {.seed = 7};
	u64 first[8];

	for (u32 round = 0; round < 2; round++) {
		struct rt_world *w = rt_world_new(&opts);

		for (u32 i = 0; i < RT_ARRAY_SIZE(first); i++) {
			u64 r = rt_random();

			if (round)
				assert_int_equal(r, first[i]);
			first[i] = r;
		}
		for (u32 i = 0; i < 1000; i++)
			assert_true(rt_random_below(3) < 3);
		rt_world_free(w);
	}
	assert_int_not_equal(first[0], first[1]);
	rt_world_enter(*state);
}

/* splitmix64's published first output for the state 0. */
static void test_world__random_is_splitmix64(void **state)
{
	struct rt_world *w = rt_world_new(NULL);

	assert_true(rt_random() == 0xe220a8397b1dcdafULL);
	rt_world_free(w);
	rt_world_enter(*state);
}

struct node {
	struct node *next;
	u64 val;
};

static struct node *push(struct node *list, u64 val)
{
	struct node *n = rt_alloc(sizeof(*n));

	*n = (struct node){list, val};
	return n;
}

static u64 sum(const struct node *n)
{
	u64 s = 0;

	for (; n; n = n->next)
		s += n->val;
	return s;
}

/*
 *	save            change           restore
 *	3 -> 2 -> 1     9 -> 3 -> 2      3 -> 2 -> 1     same addresses, same counts
 */
static void test_world__restore_brings_everything_back(void **state)
{
	struct rt_world *w = *state;
	struct node *list = NULL;
	struct rt_mem_stats before, after;
	struct rt_image *img;
	u64 *big;

	for (u64 i = 1; i <= 3; i++)
		list = push(list, i);
	big = rt_zalloc(10000);
	big[1000] = 42;
	rt_set_root(0, list);
	rt_set_root(1, big);
	rt_cycles(100);
	before = rt_mem_stats(w);
	img = rt_world_save(w);
	assert_true(rt_image_bytes(img) >= before.heap_used);

	list->next->val = 77;
	rt_free(list->next->next);
	rt_set_root(0, push(list, 9));
	rt_free(big);
	rt_cycles(1);
	rt_random();
	for (u32 i = 0; i < 100; i++)
		memset(rt_alloc(5000), 0xff, 5000);

	for (u32 round = 0; round < 2; round++) {
		rt_world_restore(w, img);
		after = rt_mem_stats(w);
		assert_memory_equal(&before, &after, sizeof(before));
		assert_ptr_equal(rt_root(0), list);
		assert_int_equal(sum(rt_root(0)), 6);
		assert_int_equal(((u64 *)rt_root(1))[1000], 42);
		assert_int_equal(rt_cycles_now(), 100);
		/* The allocator goes on from there too: the same next block in both rounds. */
		rt_set_root(2, push(NULL, 1));
		rt_free(rt_root(1));
	}
	rt_image_free(img);
}

static void restore_other(void *arg)
{
	rt_world_restore(rt_world_current(), arg);
}

static void test_world__image_of_another_world_aborts(void **state)
{
	struct rt_image *img = rt_world_save(*state);
	struct rt_world *b = rt_world_new(NULL);

	assert_true(aborts(restore_other, img));
	assert_non_null(strstr(last_abort(), "another world"));
	rt_world_free(b);
	rt_image_free(img);
	rt_world_enter(*state);
}

static void some_work(void)
{
	u64 *p = rt_alloc(48);

	*p = rt_random();
	rt_set_root(3, p);
	rt_phys_write(0x5000, 3, *p);
	rt_cycles(*p % 1000);
}

static void test_world__reset_is_as_good_as_new(void **state)
{
	struct rt_world *w = *state;
	struct rt_mem_stats fresh = rt_mem_stats(w), st;
	size_t off = 0;
	u64 val = 0;

	for (u32 round = 0; round < 3; round++) {
		some_work();
		if (round) {
			assert_int_equal(rt_offset(rt_root(3)), off);
			assert_true(*(u64 *)rt_root(3) == val);
		}
		off = rt_offset(rt_root(3));
		val = *(u64 *)rt_root(3);
		rt_world_reset(w);
		st = rt_mem_stats(w);
		assert_memory_equal(&fresh, &st, sizeof(st));
		assert_null(rt_root(3));
		assert_int_equal(rt_phys_pages(), 0);
	}
}

/* Saves inside of a run: only the scheduler's stack has nothing to say at that moment. */
static void try_save(void *arg)
{
	rt_world_save(rt_world_current());
}

static void try_reset(void *arg)
{
	rt_world_reset(rt_world_current());
}

static void try_free(void *arg)
{
	rt_world_free(rt_world_current());
}

static u32 refuse_all(void *ctx, const struct rt_choice *c)
{
	u32 *refused = ctx;

	*refused += aborts(try_save, NULL);
	*refused += aborts(try_reset, NULL);
	*refused += aborts(try_free, NULL);
	return RT_PICK_PAUSE;
}

static void nothing(void *arg)
{
}

static void test_world__no_image_inside_a_run(void **state)
{
	u32 refused = 0;
	const struct rt_chooser ch = {"refuse", refuse_all, &refused, true};

	rt_actor_new("a", nothing, NULL);
	rt_set_chooser(*state, &ch);
	assert_int_equal(rt_run(), RT_RUN_PAUSED);
	assert_int_equal(refused, 3);
}

/* Variables that are not in any world's region, as those of a kernel tree's objects. */
static u64 outside[2];

static void test_world__outside_is_saved_and_restored(void **state)
{
	struct rt_image *img;

	outside[0] = 1;
	outside[1] = 2;
	rt_world_add_outside(outside, sizeof(outside));
	img = rt_world_save(*state);
	outside[0] = 3;
	outside[1] = 4;
	rt_world_restore(*state, img);
	assert_int_equal(outside[0], 1);
	assert_int_equal(outside[1], 2);
	rt_image_free(img);
}

static void test_world__outside_belongs_to_the_world_that_is_entered(void **state)
{
	struct rt_world *first = *state, *second;
	struct rt_image *img;

	outside[0] = 1;
	rt_world_add_outside(outside, sizeof(outside));
	second = rt_world_new(NULL);
	outside[0] = 2; /* still the first one's: the second has none yet */
	rt_outside_release();
	outside[0] = 10;
	rt_world_add_outside(outside, sizeof(outside));
	rt_world_enter(first);
	assert_int_equal(outside[0], 2);
	outside[0] = 3;
	/* Saving a world that is not entered neither reads nor writes what another has. */
	rt_world_enter(second);
	img = rt_world_save(first);
	assert_int_equal(outside[0], 10);
	rt_world_enter(first);
	outside[0] = 4;
	rt_world_enter(second);
	rt_world_restore(first, img);
	assert_int_equal(outside[0], 10);
	rt_world_enter(first);
	assert_int_equal(outside[0], 3);
	rt_image_free(img);
	rt_world_free(second);
	rt_world_enter(first);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_world__fresh_world_is_current_and_empty),
		CASE(test_world__refuses_what_it_cannot_count),
		CASE(test_world__free_makes_none_current),
		CASE(test_world__outside_is_saved_and_restored),
		CASE(test_world__outside_belongs_to_the_world_that_is_entered),
		CASE(test_world__two_worlds_do_not_meet),
		CASE(test_world__offsets_are_the_same_in_every_world),
		CASE(test_world__offset_of_a_foreign_pointer_aborts),
		CASE(test_world__no_world_aborts),
		CASE(test_world__random_is_a_function_of_the_seed),
		CASE(test_world__random_is_splitmix64),
		CASE(test_world__restore_brings_everything_back),
		CASE(test_world__image_of_another_world_aborts),
		CASE(test_world__reset_is_as_good_as_new),
		CASE(test_world__no_image_inside_a_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
