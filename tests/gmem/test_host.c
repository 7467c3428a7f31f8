// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host mappings, pins, and races: a host fault in its window, memory failure against a conversion,
 * faults while a file closes. The races run under many seeds; each test says which outcomes must
 * have been seen.
 */
#include "tests/gmem/double.h"

static void test_host__access_follows_attributes(void **state)
{
	struct kvm_gmem_file *file;
	u64 val;

	open_file(8 * KB4, GMEM_4K, NULL);
	file = fake()->file;
	assert_int_equal(kvm_gmem_host_read(file, 0, &val), -EFAULT);	    /* private */
	assert_int_equal(kvm_gmem_host_read(file, 8 * KB4, &val), -EFAULT); /* beyond the end */
	assert_int_equal(kvm_gmem_host_read(file, 4, &val), -EINVAL);
	assert_int_equal(kvm_gmem_host_write(file, 4, 0), -EINVAL);
	assert_int_equal(to_shared(0, 2), 0);
	assert_int_equal(kvm_gmem_host_write(file, 8, 77), 0);
	assert_int_equal(kvm_gmem_host_read(file, 8, &val), 0);
	assert_int_equal(val, 77);
	assert_int_equal(to_private(0, 2), 0);
	assert_int_equal(kvm_gmem_host_read(file, 8, &val), -EFAULT);
	assert_int_equal(to_shared(0, 2),
			 0); /* never mapped by a TD: not wiped, and in place (2.14) */
	assert_int_equal(kvm_gmem_host_read(file, 8, &val), 0);
	assert_int_equal(val, 77);
	arm("folio-alloc", 1);
	assert_int_equal(kvm_gmem_host_read(file, KB4, &val), -ENOMEM);
}

static void test_host__pins(void **state)
{
	struct kvm_gmem_file *file;

	open_file(8 * KB4, GMEM_4K, NULL);
	file = fake()->file;
	assert_int_equal(kvm_gmem_pin(file, 0, KB4), -EFAULT);
	assert_int_equal(kvm_gmem_pin(file, 0, 0), -EINVAL);
	assert_int_equal(kvm_gmem_unpin(file, 0, 9 * KB4), -EINVAL);
	assert_int_equal(to_shared(0, 2), 0);
	assert_int_equal(kvm_gmem_pin(file, 0, 3 * KB4),
			 -EFAULT); /* page 2 is private: none stays pinned */
	assert_int_equal(folio_view(0).refcount, 1);
	assert_int_equal(kvm_gmem_pin(file, 0, 2 * KB4), 0);
	assert_int_equal(kvm_gmem_pin(file, 0, KB4), 0);
	assert_int_equal(folio_view(0).refcount, 3);
	assert_int_equal(kvm_gmem_unpin(file, 0, 3 * KB4), -EINVAL);
	assert_int_equal(kvm_gmem_unpin(file, 0, 2 * KB4), 0);
	assert_int_equal(kvm_gmem_unpin(file, 0, KB4), 0);
	assert_int_equal(folio_view(0).refcount, 1);
	assert_int_equal(kvm_gmem_stray_ref(file, 7 * KB4, GMEM_STRAY_LRU), -ENOENT);
	assert_int_equal(kvm_gmem_stray_ref(file, 0, (enum gmem_stray)9), -EINVAL);
}

/* --- races --------------------------------------------------------------------------- */

#define SEEDS 300

struct race {
	int a, b;
	bool a_done, b_done;
};

static const char *reported; /* the rule, "" if none */

static void note_report(void *ctx, const char *rule, const char *text)
{
	reported = rule;
}

/* Both actors under one seed in a fresh world; @set_up makes the file. */
static enum rt_run_result run_race(u64 seed, void (*set_up)(void), void (*a)(void *),
				   void (*b)(void *), struct race *r)
{
	struct rt_world_opts opts = {.seed = seed};
	struct rt_world *w = rt_world_new(&opts);
	enum rt_run_result res;
	void *fix;

	assert_int_equal(fixture_in(w, &fix), 0);
	memset(r, 0, sizeof(*r));
	set_up();
	rt_set_chooser(w, &rt_chooser_random);
	reported = "";
	rt_set_report_hook(w, note_report, NULL);
	assert_non_null(rt_actor_new("a", a, r));
	assert_non_null(rt_actor_new("b", b, r));
	res = rt_run();
	if (res == RT_RUN_QUIET) {
		assert_true(r->a_done && r->b_done);
		fixture_free(&fix);
	} else {
		rt_world_free(w);
	}
	return res;
}

static void set_up_shared(void)
{
	open_file(MB2, GMEM_HUGETLB_2M, NULL);
	assert_int_equal(to_shared(4, 1), 0);
}

static void host_writes(void *arg)
{
	struct race *r = arg;

	r->a = kvm_gmem_host_write(fake()->file, 4 * KB4, 9);
	r->a_done = true;
}

static bool map_is_shared(void *ctx, u64 index, u64 pfn)
{
	assert_false(kvm_gmem_look_private(fake()->file, index)); /* I1 */
	return true;
}

static void goes_private(void *arg)
{
	struct race *r = arg;

	r->b = to_private(4, 1);
	kvm_gmem_for_each_host_map(fake()->file, map_is_shared, NULL);
	r->b_done = true;
}

/* The window of gmem.md 2.4: the fault has let go of invalidate_lock and has only its reference. */
static void test_host__fault_window_against_to_private(void **state)
{
	bool refused = false, again = false, clean = false;
	struct race r;
	u64 seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		assert_int_equal(run_race(seed, set_up_shared, host_writes, goes_private, &r),
				 RT_RUN_QUIET);
		assert_true(r.a == 0 || r.a == -EFAULT);
		assert_true(r.b == 0 || r.b == -EAGAIN);
		refused |= r.a == -EFAULT;
		again |= r.b == -EAGAIN;
		clean |= r.a == 0 && r.b == 0;
	}
	assert_true(refused && again && clean);
}

static void set_up_mapped(void)
{
	open_file(MB2, GMEM_HUGETLB_2M, NULL);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
}

static void set_up_mapped_spin(void)
{
	struct gmem_setup s = setup_of(MB2, GMEM_HUGETLB_2M, NULL);

	set_policy(&s, "toshared_refs", "SPIN");
	open_file_with(&s);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
}

static void memory_fails(void *arg)
{
	struct race *r = arg;

	r->a = kvm_gmem_memory_failure(fake()->file, 7 * KB4);
	r->a_done = true;
}

static void goes_shared(void *arg)
{
	struct race *r = arg;

	r->b = to_shared(1, 1);
	r->b_done = true;
}

/*
 * B16: memory failure holds folio lock and reference and wants invalidate_lock; only SPIN waits for
 * it in turn, and is told so (I17).
 */
static void test_host__memory_failure_against_to_shared(void **state)
{
	bool ok = false, again = false, poison = false, deadlock = false;
	struct race r;
	u64 seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		assert_int_equal(run_race(seed, set_up_mapped, memory_fails, goes_shared, &r),
				 RT_RUN_QUIET);
		assert_int_equal(r.a, 0);
		ok |= r.b == 0;
		again |= r.b == -EAGAIN;
		poison |= r.b == -EHWPOISON;
		if (run_race(seed, set_up_mapped_spin, memory_fails, goes_shared, &r) ==
		    RT_RUN_DEADLOCK) {
			assert_string_equal(reported, "bounded-spin");
			deadlock = true;
		}
	}
	assert_true(ok && again && poison && deadlock);
}

static void guest_faults(void *arg)
{
	struct race *r = arg;
	struct page *page;
	kvm_pfn_t pfn;
	int order;

	r->a = kvm_gmem_get_pfn(&fake()->kvm, &fake()->slot, BASE_GFN + 9, &pfn, &page, &order);
	if (!r->a)
		kvm_gmem_put_page(page);
	r->a_done = true;
}

static void file_closes(void *arg)
{
	struct race *r = arg;

	kvm_gmem_release(fake()->file);
	fake()->file = NULL;
	r->b_done = true;
}

static void set_up_v3(void)
{
	open_file(MB2, GMEM_HUGETLB_2M, "V3");
}

/* A fault that has the file keeps it open; one that comes later finds none. */
static void test_host__fault_against_release(void **state)
{
	bool got = false, late = false;
	struct race r;
	u64 seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		assert_int_equal(run_race(seed, set_up_v3, guest_faults, file_closes, &r),
				 RT_RUN_QUIET);
		assert_true(r.a == 0 || r.a == -EFAULT);
		got |= r.a == 0;
		late |= r.a == -EFAULT;
	}
	assert_true(got && late);
}

static void punches(void *arg)
{
	struct race *r = arg;

	r->b = kvm_gmem_punch_hole(fake()->file, 0, 16 * KB4);
	kvm_gmem_for_each_host_map(fake()->file, map_is_shared, NULL);
	r->b_done = true;
}

static void set_up_4k_shared(void)
{
	open_file(16 * KB4, GMEM_4K, NULL);
	assert_int_equal(to_shared(4, 1), 0);
}

static bool map_is_current(void *ctx, u64 index, u64 pfn)
{
	assert_int_equal(folio_view(index).pfn, pfn);
	return true;
}

static void host_reads_twice(void *arg)
{
	struct race *r = arg;
	u64 val;

	r->a = kvm_gmem_host_read(fake()->file, 4 * KB4, &val);
	kvm_gmem_for_each_host_map(fake()->file, map_is_current, NULL);
	r->a_done = true;
}

/*
 * A hole in the window takes the page away: the fault starts over and never maps what left the
 * file.
 */
static void test_host__fault_window_against_hole(void **state)
{
	struct race r;
	u64 seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		assert_int_equal(run_race(seed, set_up_4k_shared, host_reads_twice, punches, &r),
				 RT_RUN_QUIET);
		assert_int_equal(r.a, 0);
		assert_int_equal(r.b, 0);
	}
}

static void faults_too(void *arg)
{
	struct race *r = arg;
	struct page *page;
	kvm_pfn_t pfn;
	int order;

	r->b = kvm_gmem_get_pfn(&fake()->kvm, &fake()->slot, BASE_GFN + 200, &pfn, &page, &order);
	kvm_gmem_put_page(page);
	r->b_done = true;
}

/* Two vCPUs want the same block: one allocates, the other finds it. */
static void test_host__two_faults_one_folio(void **state)
{
	struct race r;
	u64 seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		assert_int_equal(run_race(seed, set_up_shared, guest_faults, faults_too, &r),
				 RT_RUN_QUIET);
		assert_int_equal(r.a, 0);
		assert_int_equal(r.b, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_host__access_follows_attributes, fixture_new,
						fixture_free),
		cmocka_unit_test_setup_teardown(test_host__pins, fixture_new, fixture_free),
		cmocka_unit_test(test_host__fault_window_against_to_private),
		cmocka_unit_test(test_host__memory_failure_against_to_shared),
		cmocka_unit_test(test_host__fault_against_release),
		cmocka_unit_test(test_host__fault_window_against_hole),
		cmocka_unit_test(test_host__two_faults_one_folio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
