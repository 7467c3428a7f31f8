// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attribute tree against a plain array, its preallocation, and that ranges stay coalesced (I8).
 */
#include "tests/gmem/double.h"
#include "gmem/internal.h"

#define PAGES 96

static bool check_range(void *ctx, u64 index, u64 nr, bool private_)
{
	struct {
		const bool *want;
		u64 next;
		int last;
	} *c = ctx;
	u64 i;

	assert_int_equal(index, c->next); /* no gap */
	assert_true(nr > 0);
	assert_int_not_equal(c->last, private_); /* no two equal neighbours */
	for (i = index; i < index + nr; i++)
		assert_int_equal(c->want[i], private_);
	c->next = index + nr;
	c->last = private_;
	return true;
}

static void check(const bool *want)
{
	struct {
		const bool *want;
		u64 next;
		int last;
	} c = {want, 0, -1};

	kvm_gmem_for_each_attr(fake()->file, check_range, &c);
	assert_int_equal(c.next, PAGES);
}

static void test_attr__random_stores_match_an_array(void **state)
{
	struct gmem_inode *inode;
	struct gmem_attr_prealloc pre;
	bool want[PAGES];
	u32 round, i;

	open_file(PAGES * KB4, GMEM_4K, NULL);
	inode = fake()->file->inode;
	memset(want, true, sizeof(want));
	rt_lock_take(&inode->invalidate_lock, RT_LOCK_EX);
	for (round = 0; round < 3000; round++) {
		u64 start = rt_random_below(PAGES), nr = 1 + rt_random_below(PAGES - start);
		bool private_ = rt_random_below(2), uniform = true;

		for (i = start; i < start + nr; i++)
			uniform &= want[i] == private_;
		assert_int_equal(uniform,
				 gmem_attr_uniform(inode, start, nr, private_ ? PRIVATE : 0));
		assert_int_equal(gmem_attr_prealloc(inode, start, nr, private_ ? PRIVATE : 0, &pre),
				 0);
		assert_in_range(pre.nr, 1, GMEM_ATTR_NODES);
		gmem_attr_store(inode, start, nr, private_ ? PRIVATE : 0, &pre);
		gmem_attr_prealloc_free(&pre);
		for (i = start; i < start + nr; i++)
			want[i] = private_;
		check(want);
	}
	rt_lock_release(&inode->invalidate_lock, RT_LOCK_EX);
}

/*
 *        0    10   20        96
 *        pppp ssss pppppppppp      shared over [5, 25): the middle and parts of both ends
 *        ppss sssssss ppppppp
 */
static void test_attr__store_takes_in_equal_neighbours(void **state)
{
	bool want[PAGES];

	open_file(PAGES * KB4, GMEM_4K, NULL);
	memset(want, true, sizeof(want));
	assert_int_equal(to_shared(10, 10), 0);
	memset(want + 10, false, 10);
	check(want);
	assert_int_equal(to_shared(5, 20), 0);
	memset(want + 5, false, 20);
	check(want);
	assert_int_equal(to_private(0, PAGES), 0);
	memset(want, true, sizeof(want));
	check(want);
}

static void test_attr__injected_failure_of_either_node(void **state)
{
	u64 nth;

	open_file(PAGES * KB4, GMEM_4K, NULL);
	for (nth = 1; nth <= 2; nth++) {
		arm("attr-alloc", nth);
		assert_int_equal(to_shared(10, 10), -ENOMEM); /* one range to three: two nodes */
		assert_true(kvm_gmem_look_private(fake()->file, 10));
		assert_string_equal(log_text(), "");
	}
	assert_int_equal(to_shared(10, 10), 0);
	assert_false(kvm_gmem_look_private(fake()->file, 10));
	assert_true(kvm_gmem_look_private(fake()->file, 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_attr__random_stores_match_an_array,
						fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(test_attr__store_takes_in_equal_neighbours,
						fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(test_attr__injected_failure_of_either_node,
						fixture_new, fixture_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
