// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allocator: alignment, sizes, exact counts, poison, misuse, and a long random sequence against
 * a model. Images of the heap are tested in test_world.c.
 */
#include "tests/rt/harness.h"

#include <string.h>

#include "sim/rt/asan.h"

static void test_alloc__alignment_and_size(void **state)
{
	static const size_t sizes[] = {0,    1,	   8,	 16,   24,   25,   56,	 120,  121,  152,
				       1000, 2000, 3576, 3577, 4095, 4096, 4097, 8192, 9000, 65536};

	for (u32 i = 0; i < RT_ARRAY_SIZE(sizes); i++) {
		u8 *p = rt_zalloc(sizes[i]);

		assert_int_equal((uintptr_t)p % 16, 0);
		if (sizes[i] >= 4096)
			assert_int_equal((uintptr_t)p % 4096, 0);
		assert_int_equal(rt_alloc_size(p), sizes[i]);
		assert_true(rt_owns(p));
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, sizes[i]);
	}
}

static void test_alloc__fresh_and_reused_memory_is_poison(void **state)
{
	static const size_t sizes[] = {8, 100, 3000, 4096, 12000};

	for (u32 i = 0; i < RT_ARRAY_SIZE(sizes); i++) {
		for (u32 round = 0; round < 2; round++) {
			u8 *p = rt_alloc(sizes[i]);

			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(p[k], RT_POISON);
			memset(p, 0, sizes[i]);
			rt_free(p);
		}
	}
}

static void test_alloc__counts_are_exact(void **state)
{
	struct rt_world *w = *state;
	void *small = rt_alloc(24), *middle = rt_alloc(100), *large = rt_alloc(5000);
	struct rt_mem_stats st = rt_mem_stats(w);

	/* 24 and its header are 32; 100 and its header are 112; 5000 are two pages. */
	assert_int_equal(st.live_blocks, 3);
	assert_int_equal(st.live_bytes, 32 + 112 + 8192);
	rt_free(middle);
	rt_free(large);
	st = rt_mem_stats(w);
	assert_int_equal(st.live_blocks, 1);
	assert_int_equal(st.live_bytes, 32);
	rt_free(small);
	rt_free(NULL);
	st = rt_mem_stats(w);
	assert_int_equal(st.live_blocks, 0);
	assert_int_equal(st.live_bytes, 0);
}

static void test_alloc__the_runtime_counts_apart(void **state)
{
	struct rt_lock *l = rt_alloc(sizeof(*l));
	struct rt_mem_stats st;

	rt_lock_init(l, RT_LOCK_MUTEX, "m");
	st = rt_mem_stats(*state);
	assert_int_equal(st.live_blocks, 1);
	assert_true(st.own_blocks > 0);
}

static void test_alloc__small_blocks_share_pages(void **state)
{
	/* One of each of 20 sizes: a slab for each would take 80 KiB. */
	for (size_t size = 24; size <= 24 + 19 * 16; size += 16)
		rt_alloc(size);
	assert_true(rt_mem_stats(*state).heap_used < 3 * 4096);
}

static void test_alloc__heap_top_comes_down(void **state)
{
	struct rt_world *w = *state;
	size_t before;
	void *a, *b, *c;

	rt_alloc(8);
	before = rt_mem_stats(w).heap_used;
	a = rt_alloc(4096);
	b = rt_alloc(8192);
	c = rt_alloc(40 * 4096);
	/* Out of order: the free spans are joined, and leave together. */
	rt_free(a);
	rt_free(c);
	assert_true(rt_mem_stats(w).heap_used > before);
	rt_free(b);
	assert_int_equal(rt_mem_stats(w).heap_used, before);
}

static void test_alloc__joined_spans_serve_larger_blocks(void **state)
{
	struct rt_world *w = *state;
	void *p[6], *barrier;
	size_t used;

	for (u32 i = 0; i < 6; i++)
		p[i] = rt_alloc(4096 * 10);
	barrier = rt_alloc(4096);
	used = rt_mem_stats(w).heap_used;
	for (u32 i = 0; i < 6; i++)
		rt_free(p[i ^ 1]);
	/* 60 pages in one span now: a block of 55, and one of 5 in the rest. */
	assert_ptr_equal(rt_alloc(4096 * 55), p[0]);
	rt_alloc(4096 * 5);
	assert_int_equal(rt_mem_stats(w).heap_used, used);
	rt_free(barrier);
}

static void test_alloc__longest_bin_is_searched(void **state)
{
	void *a = rt_alloc(4096 * 40), *g1 = rt_alloc(4096);
	void *b = rt_alloc(4096 * 50), *g2 = rt_alloc(4096);

	rt_free(b);
	rt_free(a);
	assert_ptr_equal(rt_alloc(4096 * 45), b);
	rt_free(g1);
	rt_free(g2);
}

static void test_alloc__rest_of_a_run_is_used(void **state)
{
	struct rt_world *w = *state;
	char *first = rt_alloc(3000);
	char *page = rt_alloc(4096); /* the run can't go on behind the first page */
	size_t used;
	char *next = rt_alloc(3000);

	assert_true(next > page);
	used = rt_mem_stats(w).heap_used;
	/*
	 * 4096 - 8 - 3072 = 1016 bytes were left in the first page: a block of 896 and one of 112.
	 */
	assert_true((char *)rt_alloc(880) < first + 4096);
	assert_true((char *)rt_alloc(100) < first + 4096);
	assert_int_equal(rt_mem_stats(w).heap_used, used);
}

/*
 * A run of pages is carved without gaps, so some payloads start a page, and some blocks straddle
 * two.
 */
static void test_alloc__long_runs(void **state)
{
	enum {
		N = 2000
	};
	static u8 *p[N];
	u32 at_page_start = 0;

	for (u32 i = 0; i < N; i++) {
		p[i] = rt_alloc(40 + i % 3 * 16);
		memset(p[i], (int)i, 40);
		at_page_start += (uintptr_t)p[i] % 4096 == 0;
	}
	assert_true(at_page_start > 0);
	for (u32 i = 0; i < N; i++) {
		assert_int_equal(p[i][0], (u8)i);
		assert_int_equal(p[i][39], (u8)i);
		assert_int_equal(rt_alloc_size(p[i]), 40 + i % 3 * 16);
		rt_free(p[i]);
	}
	assert_int_equal(rt_mem_stats(*state).live_bytes, 0);
}

static void test_alloc__realloc(void **state)
{
	u8 *p = rt_realloc(NULL, 10);

	memcpy(p, "0123456789", 10);
	p = rt_realloc(p, 6000);
	assert_memory_equal(p, "0123456789", 10);
	p = rt_realloc(p, 4);
	assert_memory_equal(p, "0123", 4);
	assert_int_equal(rt_alloc_size(p), 4);
	assert_int_equal(rt_mem_stats(*state).live_blocks, 1);
	rt_free(p);
}

static void do_free(void *arg)
{
	rt_free(arg);
}

static void test_alloc__double_free_aborts(void **state)
{
	static const size_t sizes[] = {8, 300, 4096, 20000};

	for (u32 i = 0; i < RT_ARRAY_SIZE(sizes); i++) {
		void *p = rt_alloc(sizes[i]);
		void *above = rt_alloc(sizes[i]);

		rt_free(p);
		assert_true(aborts(do_free, p));
		assert_non_null(strstr(last_abort(), "free already"));
		rt_free(above);
	}
}

static void test_alloc__wild_pointers_abort(void **state)
{
	char *small = rt_alloc(200), *large = rt_alloc(9000);
	int local;
	void *const wild[] = {small + 1,    small + 16, large + 16,
			      large + 4096, &local,	rt_at_offset(8)};

	for (u32 i = 0; i < RT_ARRAY_SIZE(wild); i++)
		assert_true(aborts(do_free, wild[i]));
	assert_int_equal(rt_mem_stats(*state).live_blocks, 2);
}

static void use_it_up(void *arg)
{
	for (u32 i = 0; i < 100; i++)
		rt_alloc(40000);
}

static void one_too_large(void *arg)
{
	rt_alloc(100 * 4096);
}

static void test_alloc__reserved_space_can_run_out(void **state)
{
	const struct rt_world_opts opts = {.heap_max = 64 * 4096};
	struct rt_world *w = rt_world_new(&opts);

	assert_true(aborts(one_too_large, NULL));
	assert_true(aborts(use_it_up, NULL));
	assert_non_null(strstr(last_abort(), "used up"));
	rt_world_free(w);
	rt_world_enter(*state);
}

/* ASan stops at the write itself, so there is nothing left to find later. */
static void test_alloc__write_after_free_is_reported(void **state)
{
	static const size_t sizes[] = {64, 4096};
	struct sink sink;

	if (RT_ASAN)
		skip();
	sink_reports(&sink);
	for (u32 i = 0; i < RT_ARRAY_SIZE(sizes); i++) {
		u64 *p = rt_alloc(sizes[i]);
		void *above = rt_alloc(sizes[i]);
		u64 *volatile late = p;

		rt_free(p);
		late[3] = 1;
		rt_alloc(sizes[i]);
		assert_int_equal(sink.nr, i + 1);
		assert_string_equal(sink.rule, "use-after-free");
		rt_free(above);
	}
	assert_int_equal(rt_reports(), 2);
}

/* Nobody takes the memory again: it is looked at in the end, and told once. */
static void test_alloc__write_after_free_is_found_in_the_end(void **state)
{
	static const size_t sizes[] = {64, 1000, 4096, 5 * 4096, 100 * 4096};
	struct sink sink;

	if (RT_ASAN)
		skip();
	sink_reports(&sink);
	for (u32 i = 0; i < RT_ARRAY_SIZE(sizes); i++) {
		u64 *p = rt_alloc(sizes[i]);
		void *above = rt_alloc(sizes[i]);
		u64 *volatile last = p + sizes[i] / 8 - 1;
		u64 was;

		rt_free(p);
		rt_heap_check();
		assert_int_equal(sink.nr, i);
		was = *last;
		*last = 1;
		rt_heap_check();
		assert_int_equal(sink.nr, i + 1);
		assert_string_equal(sink.rule, "use-after-free");
		*last = was;
		rt_free(above);
	}
}

static void test_alloc__asan_knows_the_bounds(void **state)
{
#if RT_ASAN
	u8 *p = rt_alloc(20), *q = rt_alloc(5000);

	assert_false(__asan_address_is_poisoned(p + 19));
	assert_true(__asan_address_is_poisoned(p + 20));
	assert_true(__asan_address_is_poisoned(p - 1));
	assert_true(__asan_address_is_poisoned(q + 5000));
	rt_free(p);
	rt_free(q);
	assert_true(__asan_address_is_poisoned(p));
	assert_true(__asan_address_is_poisoned(q));
#else
	skip();
#endif
}

#define SLOTS 200

/* What the model knows about a block: every byte of it. */
struct model {
	u8 *p;
	size_t size;
	u8 byte;
};

static size_t random_size(void)
{
	switch (rt_random_below(8)) {
	case 0:
		return rt_random_below(40000);
	case 1:
		return 4096;
	default:
		return rt_random_below(600);
	}
}

static void check_block(const struct model *m)
{
	for (size_t i = 0; i < m->size; i++)
		assert_int_equal(m->p[i], m->byte);
	assert_int_equal(rt_alloc_size(m->p), m->size);
}

static void model_step(struct model *m, u64 step)
{
	if (m->p) {
		check_block(m);
		if (rt_random_below(4)) {
			rt_free(m->p);
			*m = (struct model){0};
			return;
		}
		m->size = random_size();
		m->p = rt_realloc(m->p, m->size);
	} else {
		m->size = random_size();
		m->p = rt_alloc(m->size);
	}
	m->byte = (u8)step;
	memset(m->p, m->byte, m->size);
}

/*
 * Blocks never overlap, never lose a byte, and counts are those of the model; also across an image.
 */
static void test_alloc__random_sequence_against_a_model(void **state)
{
	struct rt_world *w = *state;
	struct model m[SLOTS] = {{0}}, then[SLOTS] = {{0}};
	struct rt_image *img = NULL;

	for (u64 step = 0; step < 20000; step++) {
		u32 live = 0;

		model_step(&m[rt_random_below(SLOTS)], step);
		if (step == 10000) {
			img = rt_world_save(w);
			memcpy(then, m, sizeof(m));
		}
		if (step % 1000)
			continue;
		for (u32 i = 0; i < SLOTS; i++)
			live += m[i].p != NULL;
		assert_int_equal(rt_mem_stats(w).live_blocks, live);
	}
	rt_world_restore(w, img);
	for (u32 i = 0; i < SLOTS; i++) {
		if (!then[i].p)
			continue;
		check_block(&then[i]);
		rt_free(then[i].p);
	}
	assert_int_equal(rt_mem_stats(w).live_blocks, 0);
	assert_int_equal(rt_mem_stats(w).live_bytes, 0);
	rt_image_free(img);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_alloc__alignment_and_size),
		CASE(test_alloc__fresh_and_reused_memory_is_poison),
		CASE(test_alloc__counts_are_exact),
		CASE(test_alloc__the_runtime_counts_apart),
		CASE(test_alloc__small_blocks_share_pages),
		CASE(test_alloc__heap_top_comes_down),
		CASE(test_alloc__joined_spans_serve_larger_blocks),
		CASE(test_alloc__longest_bin_is_searched),
		CASE(test_alloc__rest_of_a_run_is_used),
		CASE(test_alloc__long_runs),
		CASE(test_alloc__realloc),
		CASE(test_alloc__double_free_aborts),
		CASE(test_alloc__wild_pointers_abort),
		CASE(test_alloc__reserved_space_can_run_out),
		CASE(test_alloc__write_after_free_is_reported),
		CASE(test_alloc__write_after_free_is_found_in_the_end),
		CASE(test_alloc__asan_knows_the_bounds),
		CASE(test_alloc__random_sequence_against_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
