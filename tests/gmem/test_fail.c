// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failure injection, gmem.md section 5: what each flow leaves behind when a step fails, and where
 * error_offset points.
 */
#include "tests/gmem/double.h"

static const char *const strong[] = {"BASE",	    "PLAN7",	      "PLAN7_SEPT", "SEPT_FIRST",
				     "ARCH_PREZAP", "PREPARE_COMMIT", "ZAP_LAST"};

static void open_flow(const char *flow, bool hvo, const char *key, const char *value)
{
	struct gmem_setup s = setup_of(2 * MB2, GMEM_HUGETLB_2M, NULL);

	print_message("  %s\n", flow);
	set_policy(&s, "conv_order", flow);
	if (key)
		set_policy(&s, key, value);
	s.hvo = hvo;
	open_file_with(&s);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(fault_in(512, PG_LEVEL_2M), 0);
	log_reset(0);
}

/* I10, strong: attributes, mappings and contents as before, whatever became smaller. */
static void check_nothing_lost(void)
{
	assert_int_equal(mapped_pages(), 1024);
	assert_true(kvm_gmem_look_private(fake()->file, 1));
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_FAILED_UNMAPPED), 0);
	assert_int_equal(kvm_gmem_invalidating(fake()->file), 0);
}

static void fails_strongly(const char *site, u64 nth, bool hvo, u8 order_after)
{
	u64 err, i;

	for (i = 0; i < RT_ARRAY_SIZE(strong); i++) {
		open_flow(strong[i], hvo, NULL, NULL);
		arm(site, nth);
		assert_int_equal(convert(1, 1, 0, &err), -ENOMEM);
		assert_int_equal(err, 1);
		assert_int_equal(folio_view(0).order, order_after);
		check_nothing_lost();
		assert_int_equal(to_shared(1, 1), 0); /* retrying is legal */
		close_file();
	}
}

static void test_fail__tree_prealloc(void **state)
{
	fails_strongly("attr-alloc", 1, false, 9);
}

static void test_fail__filemap_nodes(void **state)
{
	fails_strongly("filemap-alloc", 8, false, 9);
}

static void test_fail__vmemmap(void **state)
{
	fails_strongly("vmemmap-alloc", 7, true, 9);
}

/* ZAP_FIRST fails after Z: the page is still private, but gone. */
static void test_fail__zap_first_loses_the_range(void **state)
{
	u64 err;

	open_flow("ZAP_FIRST", false, NULL, NULL);
	arm("filemap-alloc", 1);
	assert_int_equal(convert(1, 3, 0, &err), -ENOMEM);
	assert_int_equal(err, 1);
	assert_true(kvm_gmem_look_private(fake()->file, 1));
	assert_int_equal(leaf_level(1), 0);
	assert_int_equal(mapped_pages(), 1024 - 3);
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_FAILED_UNMAPPED), 3);
}

/* E fails: nothing is zapped; PLAN7_SEPT has split the folio by then, ZAP_FIRST has not. */
static void test_fail__sept_split(void **state)
{
	static const struct {
		const char *flow;
		u8 order;
	} r[] = {{"PLAN7_SEPT", 0}, {"ARCH_PREZAP", 0},	   {"ZAP_FIRST", 9},
		 {"SEPT_FIRST", 9}, {"PREPARE_COMMIT", 9}, {"ZAP_LAST", 0}};
	u64 i, err;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		open_flow(r[i].flow, false, NULL, NULL);
		arm("fake-split", 1);
		assert_int_equal(convert(1, 1, 0, &err), -ENOMEM);
		assert_int_equal(err, 1);
		assert_int_equal(folio_view(1).order, r[i].order);
		check_nothing_lost();
		close_file();
	}
}

/*
 * Splits of the first block stay when the second one cannot be split; the first batch is converted.
 */
static void test_fail__later_batch(void **state)
{
	u64 err;

	open_flow("ARCH_PREZAP", false, NULL, NULL);
	arm("fake-split", 2);
	assert_int_equal(convert(510, 4, 0, &err), -ENOMEM);
	assert_int_equal(err, 512);
	assert_false(kvm_gmem_look_private(fake()->file, 511));
	assert_true(kvm_gmem_look_private(fake()->file, 512));
	assert_int_equal(mapped_pages(), 1024 - 2);
}

/*
 * THP has one batch, all or nothing: no memory for the second folio, and error_offset must not say
 * that the first is converted. A reference there is told by its folio.
 */
static void test_fail__second_thp(void **state)
{
	struct gmem_setup s = setup_of(2 * MB2, GMEM_THP_2M, NULL);
	u64 err;

	open_file_with(&s);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(fault_in(512, PG_LEVEL_2M), 0);
	arm("filemap-alloc", 8 + 1);
	assert_int_equal(convert(510, 4, 0, &err), -ENOMEM);
	assert_int_equal(err, 510);
	check_nothing_lost();
	assert_int_equal(folio_view(0).order, 0); /* LEAVE */
	assert_int_equal(folio_view(512).order, 9);
	assert_int_equal(kvm_gmem_stray_ref(fake()->file, 600 * KB4, GMEM_STRAY_PIN), 0);
	assert_int_equal(convert(510, 4, 0, &err), -EAGAIN);
	assert_int_equal(err, 512);
	assert_int_equal(kvm_gmem_unpin(fake()->file, 600 * KB4, KB4), 0);
	assert_int_equal(to_shared(510, 4), 0);
}

/*
 *   1G  ->  512 x 2M  ->  the requested 2M to 4K fails
 *   LEAVE       [2M][2M][2M]...        MERGE_BACK  [1G]
 */
static void test_fail__second_stage(void **state)
{
	static const struct {
		const char *value;
		u8 order;
	} r[] = {{"LEAVE", 9}, {"MERGE_BACK", 18}};
	u64 i;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		struct gmem_setup s = setup_of(GB1, GMEM_HUGETLB_1G, NULL);

		set_policy(&s, "split_shape", "NONUNIFORM");
		set_policy(&s, "split_fail", r[i].value);
		open_file_with(&s);
		assert_int_equal(kvm_gmem_allocate(fake()->file, 0, GB1), 0);
		arm("filemap-alloc", 65 + 1);
		assert_int_equal(to_shared(0, 1), -ENOMEM);
		assert_true(kvm_gmem_look_private(fake()->file, 0));
		assert_int_equal(folio_view(0).order, r[i].order);
		close_file();
	}
}

/* --- references ---------------------------------------------------------------------- */

static void test_fail__refs_to_private(void **state)
{
	u64 err, val = 0;

	open_flow("ARCH_PREZAP", false, NULL, NULL);
	assert_int_equal(to_shared(8, 4), 0);
	assert_int_equal(kvm_gmem_host_write(fake()->file, 9 * KB4, 42), 0);

	/* lru_add: goes with the drain (B10) */
	assert_int_equal(kvm_gmem_stray_ref(fake()->file, 9 * KB4, GMEM_STRAY_LRU), 0);
	assert_int_equal(convert(8, 4, PRIVATE, &err), 0);
	assert_int_equal(to_shared(8, 4), 0);

	/* speculative: one -EAGAIN, then it is gone */
	assert_int_equal(kvm_gmem_stray_ref(fake()->file, 10 * KB4, GMEM_STRAY_TRANSIENT), 0);
	assert_int_equal(convert(8, 4, PRIVATE, &err), -EAGAIN);
	assert_int_equal(err, 10);
	assert_int_equal(convert(8, 4, PRIVATE, &err), 0);
	assert_int_equal(to_shared(8, 4), 0);

	/* a pin: every time, and the host may fault its mapping back in */
	assert_int_equal(kvm_gmem_pin(fake()->file, 11 * KB4, KB4), 0);
	assert_int_equal(convert(8, 4, PRIVATE, &err), -EAGAIN);
	assert_int_equal(convert(8, 4, PRIVATE, &err), -EAGAIN);
	assert_int_equal(err, 11);
	assert_false(kvm_gmem_look_private(fake()->file, 8));
	assert_int_equal(kvm_gmem_host_read(fake()->file, 9 * KB4, &val), 0);
	assert_int_equal(kvm_gmem_unpin(fake()->file, 11 * KB4, KB4), 0);
	assert_int_equal(kvm_gmem_unpin(fake()->file, 11 * KB4, KB4), -EINVAL);
	assert_int_equal(convert(8, 4, PRIVATE, &err), 0);
	assert_int_equal(folio_view(8).order, 9);
}

/*
 * A private folio that somebody holds: -EAGAIN under CHECK, and error_offset not below the start
 * (B8).
 */
static void test_fail__refs_to_shared_check(void **state)
{
	u64 err;

	open_flow("ARCH_PREZAP", false, NULL, NULL);
	assert_int_equal(kvm_gmem_stray_ref(fake()->file, 3 * KB4, GMEM_STRAY_PIN), 0);
	assert_int_equal(folio_view(0).refcount, 513);
	assert_int_equal(convert(100, 1, 0, &err), -EAGAIN);
	assert_int_equal(err, 100);
	assert_int_equal(folio_view(0).order, 9);
	check_nothing_lost();
	assert_int_equal(kvm_gmem_unpin(fake()->file, 3 * KB4, KB4), 0);
	assert_int_equal(to_shared(100, 1), 0);
}

static void test_fail__refs_to_shared_spin(void **state)
{
	open_flow("PLAN7_SEPT", false, "toshared_refs", "SPIN");
	assert_int_equal(kvm_gmem_stray_ref(fake()->file, 3 * KB4, GMEM_STRAY_TRANSIENT), 0);
	assert_int_equal(to_shared(1, 1), 0); /* delayed, no more */
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_SPINS), 1);
}

/*
 * A fragment outside the range is held: R passes, the default M leaves the block in pieces instead
 * of spinning.
 */
static void test_fail__merge_skips_held_fragment(void **state)
{
	open_flow("ARCH_PREZAP", false, NULL, NULL);
	assert_int_equal(to_shared(1, 1), 0);
	assert_int_equal(kvm_gmem_stray_ref(fake()->file, 300 * KB4, GMEM_STRAY_PIN), 0);
	assert_int_equal(to_private(1, 1), 0);
	assert_int_equal(folio_view(1).order, 0);
	assert_int_equal(folio_view(300).refcount, 2);
	assert_int_equal(kvm_gmem_unpin(fake()->file, 300 * KB4, KB4), 0);
}

static void test_fail__poisoned_folio_is_not_split(void **state)
{
	u64 err;

	open_flow("ARCH_PREZAP", false, NULL, NULL);
	assert_int_equal(kvm_gmem_memory_failure(fake()->file, 5 * KB4), 0);
	assert_int_equal(leaf_level(0), 0);
	assert_int_equal(convert(1, 1, 0, &err), -EHWPOISON);
	assert_int_equal(err, 1);
	assert_true(kvm_gmem_look_private(fake()->file, 1));
}

/* Neither is a block with a bad fragment merged. */
static void test_fail__poisoned_fragment_is_not_merged(void **state)
{
	open_flow("ARCH_PREZAP", false, NULL, NULL);
	assert_int_equal(to_shared(1, 1), 0);
	assert_int_equal(kvm_gmem_memory_failure(fake()->file, 5 * KB4), 0);
	assert_int_equal(to_private(1, 1), 0);
	assert_int_equal(folio_view(1).order, 0);
	assert_false(folio_view(1).frozen);
	assert_true(folio_view(5).hwpoison);
	assert_int_equal(fault_in(1, PG_LEVEL_2M), 0); /* the others are still good */
	assert_int_equal(fault_in(5, PG_LEVEL_2M), -EHWPOISON);
}

/* --- allocation ---------------------------------------------------------------------- */

static void test_fail__folio_allocation(void **state)
{
	struct gmem_folio_view v;

	open_file(2 * MB2, GMEM_HUGETLB_2M, NULL);
	arm("folio-alloc", 1);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), -ENOMEM);
	arm("metadata-alloc", 1);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), -ENOMEM);
	assert_int_equal(fake()->host_used, 0);
	assert_int_equal(kvm_gmem_reserved(), 1024);
	arm("folio-alloc", 2); /* earlier allocations stay */
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, 2 * MB2), -ENOMEM);
	assert_true(kvm_gmem_look_folio(fake()->file, 0, &v));
	assert_false(kvm_gmem_look_folio(fake()->file, 512, &v));
	assert_int_equal(kvm_gmem_reserved(), 512);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, 2 * MB2), 0);
}

/*
 * A dead VM's ioctls are EIO; fallocate, no ioctl, goes on: memory must be given back (design.md,
 * "Outcome").
 */
static void test_fail__dead_vm(void **state)
{
	u64 err = ~0ULL;

	open_flow("ARCH_PREZAP", false, NULL, NULL);
	fake()->kvm.vm_dead = true;
	assert_int_equal(convert(1, 1, 0, &err), -EIO);
	assert_string_equal(fake()->log, "");
	assert_int_equal(convert(0, 1024, PRIVATE, &err), -EIO);
	check_nothing_lost();
	assert_int_equal(folio_view(0).order, 9);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, MB2), 0);
	assert_int_equal(mapped_pages(), 512);
	fake()->kvm.vm_dead = false;
	assert_int_equal(to_shared(513, 1), 0);
	close_file();
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_fail__##name, fixture_new, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(tree_prealloc),
		CASE(filemap_nodes),
		CASE(vmemmap),
		CASE(zap_first_loses_the_range),
		CASE(sept_split),
		CASE(later_batch),
		CASE(second_stage),
		CASE(second_thp),
		CASE(refs_to_private),
		CASE(refs_to_shared_check),
		CASE(refs_to_shared_spin),
		CASE(merge_skips_held_fragment),
		CASE(poisoned_folio_is_not_split),
		CASE(poisoned_fragment_is_not_merged),
		CASE(folio_allocation),
		CASE(dead_vm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
