// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order in which each flow calls KVM, and the golden numbers of gmem.md 2.6 as far as they can
 * be seen from here. A recorded call is NAME[from,to):ORDER ATTR: the order of the folio at the
 * converted index and p or s, at that moment.
 */
#include "tests/gmem/double.h"

struct flow_row {
	const char *name, *key, *value, *profile;
	const char *to_shared, *to_private;
	u64 overzap, demotes;
};

#define NOTIFY "begin[1,2):0s zapS[1,2):0s end[0,0):0s "

/* One page of a 2M folio that is mapped by a 2M leaf goes shared and comes back. */
static const struct flow_row rows[] = {
	{"ARCH_PREZAP", NULL, NULL, "SEAN_2026",
	 "begin[0,512):0p hook[1,2):0p zapP[1,2):0p end[0,0):0s",
	 NOTIFY "begin[0,512):0s hookP[1,2):0s zapS[1,2):0s end[0,0):0p", 0, 1},
	{"BASE", "conv_order", "BASE", NULL, "begin[0,512):0p zapP[1,2):0p end[0,0):0s",
	 NOTIFY "begin[0,512):0s zapS[1,2):0s end[0,0):0p", 511, 0},
	{"ZAP_FIRST, stored inside", "conv_order", "ZAP_FIRST", NULL,
	 "begin[0,512):9p hook[1,2):9p zapP[1,2):9p end[0,0):0s",
	 NOTIFY "begin[0,512):0s zapS[1,2):0s end[0,0):0p", 0, 1},
	{"ZAP_FIRST as posted", NULL, NULL, "V3",
	 "begin[0,512):9p cross[1,2):9p zapP[1,2):9p end[0,0):9p",
	 NOTIFY "begin[0,512):0s zapS[1,2):0s end[0,0):0s", 0, 1},
	{"PLAN7", "conv_order", "PLAN7", NULL, "begin[0,512):0p zapP[1,2):0p end[0,0):0s",
	 NOTIFY "begin[0,512):0s zapS[1,2):0s end[0,0):0p", 511, 0},
	{"PLAN7_SEPT", NULL, NULL, "GOOGLE_2026",
	 "begin[0,512):0p hook[1,2):0p zapP[1,2):0p end[0,0):0s",
	 NOTIFY "begin[0,512):0s zapS[1,2):0s end[0,0):0p", 0, 1},
	{"SEPT_FIRST", NULL, NULL, "YAN_2026",
	 "begin[0,512):9p to4K[0,512):9p zapP[1,2):0p end[0,0):0s",
	 NOTIFY "begin[0,512):0s zapS[1,2):0s end[0,0):0p", 0, 1},
	{"PREPARE_COMMIT", "conv_order", "PREPARE_COMMIT", NULL,
	 "begin[0,512):9p hook[1,2):9p zapP[1,2):0p end[0,0):0s",
	 NOTIFY "begin[0,512):0s zapS[1,2):0s end[0,0):0p", 0, 1},
	{"ZAP_LAST", "conv_order", "ZAP_LAST", NULL,
	 "begin[0,512):9p hook[1,2):0p zapP[1,2):0s end[0,0):0s",
	 NOTIFY "begin[0,512):0s zapS[1,2):0p end[0,0):0p", 0, 1},
	{"walk instead of ends", "split_api", "CROSS_BOUNDARY", "GOOGLE_2026",
	 "begin[0,512):0p cross[1,2):0p zapP[1,2):0p end[0,0):0s",
	 NOTIFY "begin[0,512):0s zapS[1,2):0s end[0,0):0p", 0, 1},
	{"the hook walks", "split_api", "CROSS_BOUNDARY", NULL,
	 "begin[0,512):0p cross[1,2):0p zapP[1,2):0p end[0,0):0s",
	 NOTIFY "begin[0,512):0s hookP[1,2):0s zapS[1,2):0s end[0,0):0p", 0, 1},
	{"the zap splits", "split_api", "IN_ZAP", NULL,
	 "begin[0,512):0p to4K[0,512):0p zapP[1,2):0p end[0,0):0s",
	 NOTIFY "begin[0,512):0s hookP[1,2):0s zapS[1,2):0s end[0,0):0p", 0, 1},
	{"shared leaves stay until Z", "shared_stage2", "SKIP", NULL,
	 "begin[0,512):0p hook[1,2):0p zapP[1,2):0p end[0,0):0s",
	 "begin[0,512):0s hookP[1,2):0s zapS[1,2):0s end[0,0):0p", 0, 1},
	{"exact invalidation", "inval_range", "EXACT", NULL,
	 "begin[1,2):0p hook[1,2):0p zapP[1,2):0p end[0,0):0s",
	 NOTIFY "begin[1,2):0s hookP[1,2):0s zapS[1,2):0s end[0,0):0p", 0, 1},
};

static void run_row(const struct flow_row *r)
{
	struct gmem_setup s = setup_of(2 * MB2, GMEM_HUGETLB_2M, r->profile);
	u64 pfn;

	print_message("  %s\n", r->name);
	if (r->key)
		set_policy(&s, r->key, r->value);
	open_file_with(&s);
	assert_int_equal(fault_in(1, PG_LEVEL_2M), 0);
	assert_int_equal(leaf_level(1), PG_LEVEL_2M);
	pfn = folio_view(1).pfn;

	log_reset(1);
	assert_int_equal(to_shared(1, 1), 0);
	assert_string_equal(log_text(), r->to_shared);
	assert_int_equal(fake()->overzap, r->overzap);
	assert_int_equal(fake()->demotes, r->demotes);
	assert_int_equal(leaf_level(1), 0);
	assert_int_equal(folio_view(1).order, 0);
	assert_int_equal(folio_view(1).pfn, pfn + 1); /* I15: in place */
	assert_int_equal(folio_view(1).original_order, 9);

	log_reset(1);
	assert_int_equal(to_private(1, 1), 0);
	assert_string_equal(log_text(), r->to_private);
	assert_int_equal(folio_view(1).order, 9); /* I18 */
	assert_int_equal(folio_view(1).pfn, pfn);
	assert_int_equal(folio_view(1).refcount, 512);
	close_file();
}

static void test_flows__order_of_calls(void **state)
{
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(rows); i++)
		run_row(&rows[i]);
}

static void test_flows__v8_on_4k_pages(void **state)
{
	open_file(MB2, GMEM_4K, "UPSTREAM_4K");
	assert_int_equal(fault_in(3, PG_LEVEL_2M), 0);
	assert_int_equal(leaf_level(3), PG_LEVEL_4K);
	log_reset(3);
	assert_int_equal(to_shared(3, 2), 0);
	assert_string_equal(log_text(), "begin[3,5):0p zapP[3,5):0p end[0,0):0s");
	log_reset(3);
	assert_int_equal(to_private(3, 2), 0);
	assert_string_equal(log_text(), "begin[3,5):0s zapS[3,5):0s end[0,0):0s "
					"begin[3,5):0s zapS[3,5):0s end[0,0):0p");
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_CONVERSIONS), 2);
}

/* Each huge block is a batch of its own; a batch that is as it should be is left alone. */
static void test_flows__batches_end_at_huge_boundaries(void **state)
{
	open_file(4 * MB2, GMEM_HUGETLB_2M, NULL);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(to_shared(512, 512), 0);
	log_reset(0);
	assert_int_equal(to_shared(510, 516), 0);
	assert_string_equal(log_text(),
			    "begin[0,512):0p hook[510,512):0p zapP[510,512):0p end[0,0):0p "
			    "begin[1024,1536):0p hook[1024,1026):0p "
			    "zapP[1024,1026):0p end[0,0):0p");
	log_reset(0);
	assert_int_equal(to_shared(510, 516), 0);
	assert_string_equal(log_text(), ""); /* already so: nothing is touched */
}

static void test_flows__merge_views(void **state)
{
	static const struct {
		const char *view;
		u8 order;
	} views[] = {{"STORE_FIRST", 9}, {"REST_PRIVATE", 9}, {"OLD_TREE", 0}}; /* B3 */
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(views); i++) {
		struct gmem_setup s = setup_of(MB2, GMEM_HUGETLB_2M, NULL);

		set_policy(&s, "conv_order", "BASE");
		set_policy(&s, "merge_view", views[i].view);
		open_file_with(&s);
		assert_int_equal(kvm_gmem_allocate(fake()->file, 0, MB2), 0);
		assert_int_equal(to_shared(0, 512), 0);
		assert_int_equal(to_private(0, 512), 0);
		assert_int_equal(folio_view(0).order, views[i].order);
		close_file();
	}
}

/* --- one 1G folio under 512 leaves of 2M, HVO on (gmem.md 2.6, golden numbers) ------- */

struct golden {
	const char *profile, *key, *value, *shape;
	u64 nr;
	u64 overzap, demotes, removals, large_left, nodes, vmemmap;
};

static const struct golden golden[] = {
	{NULL, "conv_order", "BASE", "UNIFORM_4K", 1, 511, 0, 1, 511, 4161, 4095},
	{NULL, "conv_order", "PLAN7", "UNIFORM_4K", 1, 511, 0, 1, 511, 4161, 4095},
	{"V3", NULL, NULL, "UNIFORM_4K", 1, 0, 1, 1, 511, 4161, 4095},
	{"GOOGLE_2026", NULL, NULL, "UNIFORM_4K", 1, 0, 1, 1, 511, 4161, 4095},
	{"SEAN_2026", NULL, NULL, "UNIFORM_4K", 1, 0, 1, 1, 511, 4161, 4095},
	{"YAN_2026", NULL, NULL, "UNIFORM_4K", 1, 0, 512, 1, 0, 4161, 4095},
	{"YAN_2026", NULL, NULL, "NONUNIFORM", 1, 0, 1, 1, 0, 73, 518},
	{NULL, "conv_order", "BASE", "UNIFORM_4K", 512, 0, 0, 1, 511, 4161, 4095},
	{"V3", NULL, NULL, "UNIFORM_4K", 512, 0, 0, 1, 511, 4161, 4095},
	{"SEAN_2026", NULL, NULL, "UNIFORM_4K", 512, 0, 0, 1, 511, 4161, 4095},
	{"YAN_2026", NULL, NULL, "UNIFORM_4K", 512, 0, 512, 512, 0, 4161, 4095},
	{"YAN_2026", NULL, NULL, "NONUNIFORM", 512, 0, 1, 512, 0, 73, 518},
};

static void run_golden(const struct golden *g)
{
	struct gmem_setup s = setup_of(GB1, GMEM_HUGETLB_1G, g->profile);
	u64 nodes = kvm_gmem_stat(GMEM_STAT_ALLOCS_FILEMAP), i;
	u64 vmemmap = kvm_gmem_stat(GMEM_STAT_ALLOCS_VMEMMAP);

	s.hvo = true;
	if (g->key)
		set_policy(&s, g->key, g->value);
	set_policy(&s, "split_shape", g->shape);
	print_message("  %s %s, %llu pages\n", g->profile ? g->profile : g->value, g->shape, g->nr);
	open_file_with(&s);
	for (i = 0; i < 512; i++)
		assert_int_equal(fault_in(i * P2M, PG_LEVEL_2M), 0);
	log_reset(0);
	assert_int_equal(to_shared(0, g->nr), 0);
	assert_int_equal(fake()->overzap, g->overzap);
	assert_int_equal(fake()->demotes, g->demotes);
	assert_int_equal(fake()->removals, g->removals);
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_SMALL_FOLIO_LEAVES), g->large_left);
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_ALLOCS_FILEMAP) - nodes, g->nodes);
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_ALLOCS_VMEMMAP) - vmemmap, g->vmemmap);
	assert_int_equal(mapped_pages(), P1G - g->nr - g->overzap);
	assert_int_equal(to_private(0, g->nr), 0);
	assert_int_equal(folio_view(0).order, 18);
	assert_true(folio_view(0).hvo);
	close_file();
}

static void test_flows__golden_numbers_of_1g(void **state)
{
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(golden); i++)
		run_golden(&golden[i]);
}

/* --- refusals ------------------------------------------------------------------------ */

static void test_flows__refused_requests(void **state)
{
	static const struct {
		u64 offset, size, attributes;
		int ret;
	} r[] = {
		{0, 0, 0, -EINVAL},
		{KB4 / 2, KB4, 0, -EINVAL},
		{0, KB4 + 8, 0, -EINVAL},
		{0, 2 * MB2, 0, -EINVAL}, /* beyond the end */
		{MB2, KB4, 0, -EINVAL},
		{~0ULL & ~(KB4 - 1), 2 * KB4, 0, -EINVAL}, /* wraps */
		{0, KB4, 1, -EINVAL},			   /* no such attribute */
		{0, KB4, PRIVATE | 1, -EINVAL},
		{0, KB4, PRIVATE, 0},
	};
	u32 i;

	open_file(MB2, GMEM_HUGETLB_2M, NULL);
	for (i = 0; i < RT_ARRAY_SIZE(r); i++)
		assert_int_equal(kvm_gmem_set_attributes(fake()->file, r[i].offset, r[i].size,
							 r[i].attributes, NULL),
				 r[i].ret);
	fake()->kvm.arch.has_private_mem = false;
	assert_int_equal(to_shared(0, 1), -EINVAL);
	fake()->kvm.arch.has_private_mem = true;
	fake()->vm_attrs = true;
	assert_int_equal(to_shared(0, 1), -ENOTTY);
	assert_string_equal(log_text(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flows__order_of_calls, fixture_new,
						fixture_free),
		cmocka_unit_test_setup_teardown(test_flows__v8_on_4k_pages, fixture_new,
						fixture_free),
		cmocka_unit_test_setup_teardown(test_flows__batches_end_at_huge_boundaries,
						fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(test_flows__merge_views, fixture_new, fixture_free),
		cmocka_unit_test_setup_teardown(test_flows__golden_numbers_of_1g, fixture_new,
						fixture_free),
		cmocka_unit_test_setup_teardown(test_flows__refused_requests, fixture_new,
						fixture_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
