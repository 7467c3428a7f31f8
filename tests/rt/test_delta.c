// SPDX-License-Identifier: GPL-2.0-only
/*
 * Differences from a base: that no write is missed, however long its page was left alone; that a
 * state comes back as it was, and has its own hash; that writes to what is free are seen. What a
 * search makes of it is in tests/lab/test_explore.c.
 */
#include "tests/rt/harness.h"

#include <stdlib.h>
#include <string.h>

#include "sim/rt/asan.h"
#include "sim/rt/delta.h"

#define BLOCKS 24
#define BYTES  5000 /* so each has pages of its own */
#define SMALL  1000
#define STATES 64
#define ROUNDS 6000

/* What the blocks have, in the world and as it should be. */
struct scene {
	char *block[BLOCKS];
	struct rt_base *base;
};

struct kept {
	char want[BLOCKS][BYTES];
	struct rt_hash hash;
	void *delta;
};

static void build(struct scene *s)
{
	for (u32 i = 0; i < BLOCKS; i++) {
		s->block[i] = rt_alloc(BYTES);
		memset(s->block[i], (int)i, BYTES);
	}
}

static void read_blocks(const struct scene *s, struct kept *k)
{
	for (u32 i = 0; i < BLOCKS; i++)
		memcpy(k->want[i], s->block[i], BYTES);
}

static void assert_blocks(const struct scene *s, const struct kept *k)
{
	for (u32 i = 0; i < BLOCKS; i++)
		assert_memory_equal(s->block[i], k->want[i], BYTES);
}

static void keep(const struct scene *s, struct kept *k)
{
	rt_base_diff(s->base);
	k->hash = rt_base_hash(s->base);
	free(k->delta);
	k->delta = malloc(rt_delta_bytes(s->base));
	assert_non_null(k->delta);
	rt_delta_put(s->base, k->delta);
	read_blocks(s, k);
}

static bool same_hash(struct rt_hash a, struct rt_hash b)
{
	return a.lo == b.lo && a.hi == b.hi;
}

static struct kept *new_kept(void)
{
	struct kept *k = calloc(STATES, sizeof(*k));

	assert_non_null(k);
	return k;
}

static void free_kept(struct kept *k)
{
	for (u32 i = 0; i < STATES; i++)
		free(k[i].delta);
	free(k);
}

/* Not the world's: that one goes back with it. */
static u64 next_random(u64 *random)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return *random >> 11;
}

/* Single bytes, mostly in a few blocks: the pages of the others are left alone for long. */
static void scribble(const struct scene *s, u64 *random)
{
	u32 nr = 1 + (u32)(next_random(random) % 3);

	while (nr--) {
		u32 of = next_random(random) % 16 ? 3 : BLOCKS;
		u32 block = (u32)(next_random(random) % of);

		s->block[block][next_random(random) % BYTES] ^=
			(char)(1 + next_random(random) % 255);
	}
}

static void test_delta__every_byte_is_found_and_comes_back(void **state)
{
	struct kept *k = new_kept();
	struct scene s;
	u64 random = 1;
	u32 nr = 1, from = 0;

	build(&s);
	s.base = rt_base_new(*state, 0);
	keep(&s, &k[0]);
	for (u32 round = 0; round < ROUNDS; round++) {
		u32 to = nr < STATES ? nr++ : 1 + (u32)(next_random(&random) % (STATES - 1));

		rt_delta_get(s.base, k[from].delta);
		assert_blocks(&s, &k[from]);
		scribble(&s, &random);
		keep(&s, &k[to]);
		from = (u32)(next_random(&random) % nr);
		for (u32 i = 0; i < nr; i++) {
			bool same = !memcmp(k[i].want, k[to].want, sizeof(k[i].want));

			assert_int_equal(same_hash(k[i].hash, k[to].hash), same);
		}
	}
	rt_base_free(s.base);
	free_kept(k);
}

static void test_delta__again_undoes_what_a_step_has_done(void **state)
{
	struct kept *k = new_kept();
	struct scene s;
	u64 random = 2;

	build(&s);
	s.base = rt_base_new(*state, 0);
	keep(&s, &k[0]);
	rt_delta_get(s.base, k[0].delta);
	for (u32 round = 0; round < 1000; round++) {
		scribble(&s, &random);
		rt_base_diff(s.base);
		rt_delta_again(s.base);
		assert_blocks(&s, &k[0]);
	}
	rt_base_diff(s.base);
	assert_true(same_hash(rt_base_hash(s.base), k[0].hash));
	rt_base_free(s.base);
	free_kept(k);
}

/* What a step has changed, told to the process that makes states, is the state itself. */
static void test_delta__a_step_makes_the_state(void **state)
{
	struct kept *k = new_kept();
	struct scene s;
	u64 random = 2;

	build(&s);
	s.base = rt_base_new(*state, 0);
	keep(&s, &k[0]);
	for (u32 round = 0; round + 1 < STATES; round++) {
		char *step, *next;

		rt_delta_get(s.base, k[round].delta);
		scribble(&s, &random);
		keep(&s, &k[round + 1]);
		step = malloc(rt_step_bytes(s.base));
		assert_non_null(step);
		rt_step_put(s.base, step);
		next = malloc(rt_delta_room(k[round].delta, step));
		assert_non_null(next);
		rt_delta_next(s.base, k[round].delta, step, next);
		rt_delta_get(s.base, k[0].delta);
		rt_delta_get(s.base, next);
		assert_blocks(&s, &k[round + 1]);
		rt_base_diff(s.base);
		assert_true(same_hash(rt_base_hash(s.base), k[round + 1].hash));
		free(step);
		free(next);
	}
	rt_base_free(s.base);
	free_kept(k);
}

/* Blocks that are new lie elsewhere if they are made in another order, and are the same. */
static void test_delta__order_of_allocations_is_no_state(void **state)
{
	u64 **root = rt_zalloc(2 * sizeof(*root));
	struct rt_base *b = rt_base_new(*state, 0);
	struct rt_hash hash[2], plain[2];
	char first[4096];

	rt_base_diff(b);
	assert_true(rt_delta_bytes(b) <= sizeof(first));
	rt_delta_put(b, first);
	for (u32 i = 0; i < 2; i++) {
		rt_delta_get(b, first);
		root[i] = rt_zalloc(8);
		root[!i] = rt_zalloc(8);
		*root[0] = 17;
		*root[1] = 18;
		rt_base_diff(b);
		hash[i] = rt_base_hash(b);
		plain[i] = rt_base_hash_plain(b);
	}
	assert_true(same_hash(hash[0], hash[1]));
	assert_false(same_hash(plain[0], plain[1]));
	*root[1] = 19;
	rt_base_diff(b);
	assert_false(same_hash(hash[0], rt_base_hash(b)));
	rt_base_free(b);
}

/* Where of a block of @size bytes a write is seen, after it was freed in a step of its own. */
static void write_freed(struct rt_world *w, size_t size, bool in_base)
{
	char *volatile p = in_base ? rt_alloc(size) : NULL, first[8192];
	struct rt_base *b = rt_base_new(w, 0);

	if (!in_base)
		p = rt_alloc(size);
	memset(p, 7, size);
	rt_free(p);
	rt_base_diff(b);
	rt_base_hash(b);
	assert_int_equal(rt_base_written(b), 0);
	assert_true(rt_delta_bytes(b) <= sizeof(first));
	rt_delta_put(b, first);
	for (size_t at = 0; at + 8 <= size; at += 200) {
		rt_delta_get(b, first);
		rt_base_diff(b);
		rt_base_hash(b);
		assert_int_equal(rt_base_written(b), 0);
		p[at] = 7;
		rt_base_diff(b);
		rt_base_hash(b);
		assert_int_not_equal(rt_base_written(b), 0);
	}
	rt_base_free(b);
}

static void test_delta__writes_to_freed_memory_are_seen(void **state)
{
	/* A sanitizer ends the program at such a write. */
	if (RT_ASAN)
		skip();
	write_freed(*state, SMALL, true);
	write_freed(*state, 3 * BYTES, true);
	write_freed(*state, SMALL, false);
	write_freed(*state, 3 * BYTES, false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_delta__##name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_byte_is_found_and_comes_back),
		TEST(again_undoes_what_a_step_has_done),
		TEST(a_step_makes_the_state),
		TEST(order_of_allocations_is_no_state),
		TEST(writes_to_freed_memory_are_seen),
	};

	return cmocka_run_group_tests_name("delta", tests, NULL, NULL);
}
