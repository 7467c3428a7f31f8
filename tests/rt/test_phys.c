// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physical memory: contents, keys, owners, cost, and a long random sequence against a plain model.
 * The pages' users (PAMT, host allocator) have tests of their own.
 */
#include "tests/rt/harness.h"

#include <string.h>

#include "sim/rt/phys.h"

#define MB2 0x200000ULL

static u64 read_ok(u64 pa, u32 key)
{
	u64 val;

	assert_true(rt_phys_read(pa, key, &val));
	return val;
}

static u64 read_bad(u64 pa, u32 key)
{
	u64 val;

	assert_false(rt_phys_read(pa, key, &val));
	return val;
}

static size_t own_bytes(void)
{
	return rt_mem_stats(rt_world_current()).own_bytes;
}

static void test_phys__untouched_memory(void **state)
{
	struct rt_phys_info info = rt_phys_info(0x7654321000);

	assert_int_equal(read_ok(0x1000, 0), 0);
	assert_false(info.touched);
	assert_int_equal(info.key + info.owner + info.owner_arg, 0);
	assert_true(read_bad(0x1000, 5) != 0);
	assert_int_equal(rt_phys_pages(), 0);
	assert_int_equal(own_bytes(), 0);
}

static void test_phys__words(void **state)
{
	for (u32 i = 0; i < 512; i++) {
		rt_phys_write(0x3000 + 8 * i, 0, i + 1);
		for (u32 k = 0; k < 512; k += 73)
			assert_int_equal(read_ok(0x3000 + 8 * k, 0), k <= i ? k + 1 : 0);
	}
	assert_int_equal(rt_phys_pages(), 1);
	assert_int_equal(read_ok(0x2ff8, 0), 0);
	assert_int_equal(read_ok(0x4000, 0), 0);
}

static void test_phys__zero_over_zero_touches_nothing(void **state)
{
	rt_phys_write(0x3000, 0, 0);
	assert_int_equal(rt_phys_pages(), 0);
	assert_int_equal(own_bytes(), 0);
	/* The same in the middle of a run that is alike. */
	rt_phys_fill_range(0x10000, 0x10000, 2, 0x55);
	rt_phys_write(0x18008, 2, 0x5555555555555555ULL);
	assert_true(own_bytes() < 1024);
	assert_int_equal(rt_phys_pages(), 16);
}

static void test_phys__a_few_words_stay_small(void **state)
{
	for (u32 i = 0; i < 7; i++)
		rt_phys_write(0x3000 + 64 * i, 0, i + 1);
	rt_phys_write(0x3000, 0, 99);
	assert_true(own_bytes() < 1024);
	rt_phys_write(0x3ff8, 0, 8);
	assert_true(own_bytes() > 4096);
	assert_int_equal(read_ok(0x3000, 0), 99);
	assert_int_equal(read_ok(0x3180, 0), 7);
	assert_int_equal(read_ok(0x3ff8, 0), 8);
}

static void test_phys__key_of_the_last_write(void **state)
{
	u64 token;

	rt_phys_fill(0x5000, 3, 0xaa);
	assert_true(read_ok(0x5008, 3) == 0xaaaaaaaaaaaaaaaaULL);
	assert_int_equal(rt_phys_info(0x5000).key, 3);
	token = read_bad(0x5008, 4);
	assert_true(token != 0xaaaaaaaaaaaaaaaaULL);
	/* The same wrong read gives the same token; another key or place another one. */
	assert_true(token == read_bad(0x5008, 4));
	assert_true(token != read_bad(0x5008, 6));
	assert_true(token != read_bad(0x5010, 4));
	/* Reading has changed nothing. */
	assert_true(read_ok(0x5008, 3) == 0xaaaaaaaaaaaaaaaaULL);
}

/*
 *	before: key 3 |aaaa|aaaa|aaaa|      write with key 4: |1   |????|????|  key 4
 *	then a write with key 3 does not bring the old contents back
 */
static void test_phys__partial_write_with_another_key(void **state)
{
	static const u32 words[] = {0, 1, 20};

	for (u32 i = 0; i < RT_ARRAY_SIZE(words); i++) {
		u64 pa = 0x10000 + i * 0x1000;

		rt_phys_fill(pa, 3, 0xaa);
		for (u32 k = 0; k < words[i]; k++)
			rt_phys_write(pa + 8 * k, 3, k);
		rt_phys_write(pa + 0x800, 4, 1);
		assert_int_equal(read_ok(pa + 0x800, 4), 1);
		assert_true(read_ok(pa, 4) != 0);
		assert_true(read_ok(pa + 0xff8, 4) != 0xaaaaaaaaaaaaaaaaULL);
		assert_true(read_ok(pa + 0xff8, 4) != read_ok(pa + 0xff0, 4));
		rt_phys_write(pa + 0x808, 3, 2);
		assert_true(read_ok(pa + 0xff8, 3) != 0xaaaaaaaaaaaaaaaaULL);
		assert_true(read_ok(pa + 0x800, 3) != 1);
		/* A whole page written new is clean again. */
		rt_phys_fill(pa, 3, 0);
		assert_int_equal(read_ok(pa + 0xff8, 3), 0);
	}
}

static void test_phys__what_was_lost_depends_on_what_was_there(void **state)
{
	rt_phys_fill(0x1000, 3, 0);
	rt_phys_fill(0x2000, 3, 0);
	rt_phys_write(0x1000, 3, 1);
	rt_phys_write(0x2000, 3, 2);
	rt_phys_write(0x1800, 4, 0);
	rt_phys_write(0x2800, 4, 0);
	assert_true(read_ok(0x1000, 4) != read_ok(0x2000, 4));
}

static void test_phys__fill_is_cheap(void **state)
{
	size_t one;

	rt_phys_fill(4 * MB2, 5, 0);
	one = own_bytes();
	for (u32 i = 1; i < 512; i++)
		rt_phys_fill(4 * MB2 + i * 4096, 5, 0);
	assert_int_equal(own_bytes(), one);
	assert_int_equal(rt_phys_pages(), 512);
	assert_int_equal(read_ok(5 * MB2 - 8, 5), 0);
	read_bad(5 * MB2, 5);
	/* A hole in the middle, and closed again. */
	rt_phys_fill(4 * MB2 + 0x40000, 6, 1);
	assert_int_equal(rt_phys_pages(), 512);
	rt_phys_fill(4 * MB2 + 0x40000, 5, 0);
	for (u32 i = 0; i < 512; i++)
		rt_phys_forget(4 * MB2 + (i * 37 % 512) * 4096);
	assert_int_equal(rt_phys_pages(), 0);
	assert_int_equal(own_bytes(), 0);
}

static void test_phys__fill_range(void **state)
{
	/* Over three chunks, over pages with data, with owners kept. */
	rt_phys_write(MB2 - 4096, 9, 1);
	rt_phys_set_owner(MB2, 7, 70);
	rt_phys_table(MB2 + 0x5000, 9)[3] = 5;
	rt_phys_fill_range(MB2 - 8192, MB2 + 3 * 4096, 2, 0x11);
	assert_int_equal(rt_phys_pages(), 515);
	for (u64 pa = MB2 - 8192; pa < 2 * MB2 + 4096; pa += 4096)
		assert_true(read_ok(pa + 24, 2) == 0x1111111111111111ULL);
	read_bad(MB2 - 12288, 2);
	read_bad(2 * MB2 + 4096, 2);
	assert_int_equal(rt_phys_info(MB2).owner, 7);
	assert_int_equal(rt_phys_info(MB2).owner_arg, 70);
	assert_int_equal(rt_phys_info(MB2 + 4096).owner, 0);
	/* Zeros with key 0 and no owner: as if never touched, but for the owned page. */
	rt_phys_fill_range(0, 3 * MB2, 0, 0);
	assert_int_equal(rt_phys_pages(), 1);
}

static void test_phys__owner(void **state)
{
	rt_phys_write(0x9000, 1, 5);
	rt_phys_set_owner_range(0x8000, 3 * 4096, 4, 44);
	for (u64 pa = 0x8000; pa < 0xb000; pa += 4096) {
		assert_int_equal(rt_phys_info(pa).owner, 4);
		assert_int_equal(rt_phys_info(pa).owner_arg, 44);
		assert_true(rt_phys_info(pa).touched);
	}
	assert_int_equal(read_ok(0x9000, 1), 5);
	assert_int_equal(rt_phys_info(0x9000).key, 1);
	rt_phys_set_owner(0x8123, 0, 0);
	assert_false(rt_phys_info(0x8000).touched);
	/* An owner costs nothing for each page of a run. */
	rt_phys_forget(0x9000);
	rt_phys_set_owner_range(MB2, MB2, 1, 0);
	rt_phys_set_owner_range(MB2 + 0x1000, 0x1000, 2, 0);
	rt_phys_set_owner_range(MB2 + 0x1000, 0x1000, 1, 0);
	assert_true(own_bytes() < 2048);
}

static void test_phys__table_is_used_in_place(void **state)
{
	u64 *t = rt_phys_table(0x40000, 6);

	assert_int_equal((uintptr_t)t % 4096, 0);
	for (u32 i = 0; i < 512; i++)
		assert_true(t[i] != 0); /* zeros of key 0 through key 6 */
	rt_phys_fill(0x40000, 6, 0);
	t = rt_phys_table(0x40000, 6);
	for (u32 i = 0; i < 512; i++)
		assert_int_equal(t[i], 0);
	t[5] = 55;
	assert_int_equal(read_ok(0x40028, 6), 55);
	rt_phys_write(0x40030, 6, 66);
	assert_int_equal(t[6], 66);
	assert_ptr_equal(rt_phys_table(0x40000, 6), t);
	/* Neighbours come and go without moving it. */
	for (u32 i = 1; i < 100; i++)
		rt_phys_write(0x40000 + i * 4096, i, i);
	assert_ptr_equal(rt_phys_table(0x40000, 6), t);
	assert_int_equal(t[5], 55);
}

static void test_phys__copy(void **state)
{
	rt_phys_fill(0x1000, 2, 0x22);
	assert_true(rt_phys_copy(0x2000, 3, 0x1000, 2));
	assert_true(read_ok(0x2000, 3) == 0x2222222222222222ULL);
	rt_phys_write(0x1000, 2, 7);
	assert_true(rt_phys_copy(0x2000, 3, 0x1000, 2));
	assert_int_equal(read_ok(0x2000, 3), 7);
	assert_true(read_ok(0x2008, 3) == 0x2222222222222222ULL);
	/* With the wrong key: noise, but noise of the new key. */
	assert_false(rt_phys_copy(0x3000, 3, 0x1000, 9));
	assert_true(read_ok(0x3000, 3) != 7);
	assert_true(read_ok(0x3000, 3) == read_bad(0x1000, 9));
	/* Of memory that was never touched. */
	assert_true(rt_phys_copy(0x2000, 0, 0x77000, 0));
	assert_false(rt_phys_info(0x2000).touched);
	/* Onto itself, with another key. */
	assert_true(rt_phys_copy(0x1000, 8, 0x1000, 2));
	assert_int_equal(read_ok(0x1000, 8), 7);
}

static void test_phys__peek_and_poke(void **state)
{
	u8 buf[8192], back[8192];

	for (u32 i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)(i * 7);
	rt_phys_poke(0x6ffd, 4, buf, sizeof(buf));
	rt_phys_peek(0x6ffd, back, sizeof(back));
	assert_memory_equal(buf, back, sizeof(buf));
	assert_int_equal(rt_phys_pages(), 3);
	assert_int_equal(rt_phys_info(0x7000).key, 4);
	/* Peek decrypts with each page's own key. */
	rt_phys_fill(0x7000, 5, 0x33);
	rt_phys_peek(0x6ffe, back, 4);
	assert_memory_equal(back, ((u8[]){7, 14, 0x33, 0x33}), 4);
	/* A uniform page stays one. */
	memset(buf, 0, sizeof(buf));
	rt_phys_poke(0x6000, 0, buf, sizeof(buf));
	assert_int_equal(rt_phys_pages(), 1);
	rt_phys_poke(0x8000, 0, buf, 4096);
	assert_int_equal(rt_phys_pages(), 0);
	assert_int_equal(own_bytes(), 0);
}

struct visit {
	u64 pa[16];
	u32 nr, most;
};

static bool on_page(void *ctx, u64 pa, const struct rt_phys_info *info)
{
	struct visit *v = ctx;

	assert_true(info->touched);
	assert_int_equal(info->key, 1);
	v->pa[v->nr++] = pa;
	return v->nr < v->most;
}

static void test_phys__for_each_ascends(void **state)
{
	static const u64 order[] = {0x1000,	 0x2000,	 0x200000,
				    0x1ff000000, 0x7fffff000000, 0xffffffffff000};
	struct visit v = {.most = 16};

	rt_phys_for_each(on_page, &v);
	assert_int_equal(v.nr, 0);
	for (u32 i = 0; i < RT_ARRAY_SIZE(order); i++)
		rt_phys_fill(order[(i * 5 + 2) % RT_ARRAY_SIZE(order)], 1, 9);
	rt_phys_for_each(on_page, &v);
	assert_int_equal(v.nr, RT_ARRAY_SIZE(order));
	assert_memory_equal(v.pa, order, sizeof(order));
	v = (struct visit){.most = 3};
	rt_phys_for_each(on_page, &v);
	assert_int_equal(v.nr, 3);
	for (u32 i = 0; i < RT_ARRAY_SIZE(order); i++)
		rt_phys_forget(order[i]);
	assert_int_equal(own_bytes(), 0);
}

/* ---- against a model: a plain array with a key for each page ---- */

#define PAGES 1200

struct model_page {
	u64 word[4]; /* the only words that are used, far apart */
	bool known[4];
	u32 key, owner;
};

static u64 word_pa(u32 page, u32 word)
{
	return (u64)page * 4096 + word * 1016;
}

static void model_fill(struct model_page *m, u32 first, u32 nr, u32 key, u8 fill)
{
	for (u32 p = first; p < first + nr; p++) {
		m[p].key = key;
		for (u32 i = 0; i < 4; i++) {
			m[p].word[i] = 0x0101010101010101ULL * fill;
			m[p].known[i] = true;
		}
	}
}

static void model_step(struct model_page *m)
{
	u32 page = (u32)rt_random_below(PAGES), nr = (u32)rt_random_below(PAGES - page) + 1;
	u32 key = (u32)rt_random_below(3), word = (u32)rt_random_below(4);
	u64 val = rt_random();

	switch (rt_random_below(7)) {
	case 0:
		rt_phys_fill_range((u64)page * 4096, (u64)nr * 4096, key, (u8)key);
		model_fill(m, page, nr, key, (u8)key);
		break;
	case 1:
		rt_phys_set_owner_range((u64)page * 4096, (u64)nr * 4096, key, 0);
		for (u32 p = page; p < page + nr; p++)
			m[p].owner = key;
		break;
	case 2:
		rt_phys_forget((u64)page * 4096);
		model_fill(m, page, 1, 0, 0);
		m[page].owner = 0;
		break;
	case 3:
		rt_phys_table((u64)page * 4096, m[page].key)[word * 127] = val;
		m[page].word[word] = val;
		m[page].known[word] = true;
		break;
	default:
		rt_phys_write(word_pa(page, word), key, val);
		for (u32 i = 0; i < 4 && key != m[page].key; i++)
			m[page].known[i] = false;
		m[page].key = key;
		m[page].word[word] = val;
		m[page].known[word] = true;
	}
}

static void model_check(const struct model_page *m)
{
	u32 touched = 0;

	for (u32 p = 0; p < PAGES; p++) {
		struct rt_phys_info info = rt_phys_info((u64)p * 4096);

		assert_int_equal(info.key, m[p].key);
		assert_int_equal(info.owner, m[p].owner);
		touched += info.touched;
		for (u32 i = 0; i < 4; i++) {
			if (m[p].known[i])
				assert_true(read_ok(word_pa(p, i), m[p].key) == m[p].word[i]);
		}
	}
	assert_int_equal(rt_phys_pages(), touched);
}

/* Lines of key 5 in [4 MiB, 6 MiB): only writing back that key lets others use the pages. */
static void test_phys__lines_of_an_owner_before(void **state)
{
	struct sink sink;
	u64 at, val;
	u32 key;

	sink_reports(&sink);
	rt_phys_fill_range(2 * MB2, MB2, 5, 1);
	rt_phys_lines_left(2 * MB2, MB2, 5);
	assert_int_equal(read_ok(2 * MB2, 5), 0x0101010101010101ULL); /* the same key may */
	rt_phys_lines_back(2 * MB2, 0x1000, 6);			      /* not its lines */
	assert_true(rt_phys_lines(0, 1ULL << 40, &at, &key));
	assert_int_equal(at, 2 * MB2);
	assert_int_equal(key, 5);
	rt_phys_lines_back(2 * MB2, 0x1000, 5);
	rt_phys_write(2 * MB2, 0, 1);
	assert_int_equal(sink.nr, 0);
	/* A hole in the middle: what is left and right of it counts still. */
	rt_phys_lines_back(2 * MB2 + 0x10000, 0x1000, 5);
	rt_phys_fill(2 * MB2 + 0x10000, 0, 0);
	assert_int_equal(sink.nr, 0);
	rt_phys_fill(2 * MB2 + 0xf000, 0, 0);
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.rule, "cache-written-back");
	assert_string_equal(
		sink.text,
		"page 0x40f000 is used with key 0, and lines of key 5 may be in the caches");
	rt_phys_fill(2 * MB2 + 0xf000, 0, 0); /* told once */
	assert_int_equal(sink.nr, 1);
	rt_phys_read(2 * MB2 + 0x11000, 0, &val);
	rt_phys_copy(0, 0, 2 * MB2 + 0x12000, 0);
	rt_phys_copy(2 * MB2 + 0x13000, 0, 0, 0);
	rt_phys_table(2 * MB2 + 0x14000, 0);
	rt_phys_poke(2 * MB2 + 0x15ffc, 0, "12345678", 8);
	assert_int_equal(sink.nr, 7);
	rt_phys_lines_back_all(5);
	rt_phys_fill_range(2 * MB2, MB2, 0, 0);
	assert_int_equal(sink.nr, 7);
	assert_false(rt_phys_lines(0, 1ULL << 40, &at, &key));
}

static void test_phys__random_sequence_against_a_model(void **state)
{
	static struct model_page m[PAGES];

	model_fill(m, 0, PAGES, 0, 0);
	for (u32 step = 0; step < 3000; step++) {
		model_step(m);
		if (step % 100 == 0)
			model_check(m);
	}
	model_check(m);
	for (u32 p = 0; p < PAGES; p++)
		rt_phys_forget((u64)p * 4096);
	assert_int_equal(own_bytes(), 0);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_phys__untouched_memory),
		CASE(test_phys__words),
		CASE(test_phys__zero_over_zero_touches_nothing),
		CASE(test_phys__a_few_words_stay_small),
		CASE(test_phys__key_of_the_last_write),
		CASE(test_phys__partial_write_with_another_key),
		CASE(test_phys__what_was_lost_depends_on_what_was_there),
		CASE(test_phys__fill_is_cheap),
		CASE(test_phys__fill_range),
		CASE(test_phys__owner),
		CASE(test_phys__table_is_used_in_place),
		CASE(test_phys__copy),
		CASE(test_phys__peek_and_poke),
		CASE(test_phys__for_each_ascends),
		CASE(test_phys__lines_of_an_owner_before),
		CASE(test_phys__random_sequence_against_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
