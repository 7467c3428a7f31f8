// SPDX-License-Identifier: GPL-2.0-only
/*
 * The golden numbers of gmem.md 2.6 on the real floors: KVM's port and the module under
 * guest_memfd. One private folio of 1G under 512 accepted leaves of 2M loses 4K, then 2M, to the
 * host, once under each design. test_flows.c has the same numbers over a double of KVM.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim/lab/kit.h"

#define GPA 0x80000000ULL

struct golden {
	const char *policy;
	u64 size;
	u64 block; /* = TRACK = kicks */
	u64 demote, remove, wbinvd;
	u64 overzap, reaccepts, small_leaves, nodes, vmemmap;
};

#define KB4	  4096ULL
#define MB2	  (2ULL << 20)
#define WHOLE_2M  (MB2 - KB4)
#define UNIFORM	  4161, 4095
#define BY_LEVELS 73, 518

static const struct golden golden[] = {
	{"conv_order=BASE", KB4, 1, 0, 1, 512, WHOLE_2M, 511, 511, UNIFORM},
	{"conv_order=PLAN7", KB4, 1, 0, 1, 512, WHOLE_2M, 511, 511, UNIFORM},
	{"profile=SEAN_2026", KB4, 2, 1, 1, 1, 0, 0, 511, UNIFORM},
	{"profile=GOOGLE_2026", KB4, 2, 1, 1, 1, 0, 0, 511, UNIFORM},
	{"conv_order=ZAP_FIRST", KB4, 2, 1, 1, 1, 0, 0, 511, UNIFORM},
	{"conv_order=ARCH_PREZAP_ZAP_FIRST", KB4, 2, 1, 1, 1, 0, 0, 511, UNIFORM},
	{"conv_order=PREPARE_COMMIT", KB4, 2, 1, 1, 1, 0, 0, 511, UNIFORM},
	{"conv_order=ZAP_LAST", KB4, 2, 1, 1, 1, 0, 0, 511, UNIFORM},
	{"conv_order=BLOCK_ABORT", KB4, 2, 1, 1, 1, 0, 0, 511, UNIFORM},
	{"conv_order=ROLLBACK", KB4, 1, 0, 1, 512, WHOLE_2M, 511, 511, UNIFORM},
	{"profile=YAN_2026", KB4, 2, 1, 1, 1, 0, 0, 0, BY_LEVELS},
	{"profile=YAN_2026 split_shape=UNIFORM_4K", KB4, 513, 512, 1, 1, 0, 0, 0, UNIFORM},
	{"profile=SEAN_2026 hvo_undo=ON_PREALLOC", KB4, 2, 1, 1, 1, 0, 0, 511, UNIFORM},
	{"profile=YAN_2026 hvo_undo=ON_PREALLOC", KB4, 2, 1, 1, 1, 0, 0, 0, BY_LEVELS},

	{"conv_order=BASE", MB2, 1, 0, 1, 512, 0, 0, 511, UNIFORM},
	{"conv_order=PLAN7", MB2, 1, 0, 1, 512, 0, 0, 511, UNIFORM},
	{"profile=SEAN_2026", MB2, 1, 0, 1, 512, 0, 0, 511, UNIFORM},
	{"profile=GOOGLE_2026", MB2, 1, 0, 1, 512, 0, 0, 511, UNIFORM},
	{"conv_order=ZAP_FIRST", MB2, 1, 0, 1, 512, 0, 0, 511, UNIFORM},
	{"conv_order=ARCH_PREZAP_ZAP_FIRST", MB2, 1, 0, 1, 512, 0, 0, 511, UNIFORM},
	{"conv_order=PREPARE_COMMIT", MB2, 1, 0, 1, 512, 0, 0, 511, UNIFORM},
	{"conv_order=ZAP_LAST", MB2, 1, 0, 1, 512, 0, 0, 511, UNIFORM},
	{"conv_order=BLOCK_ABORT", MB2, 1, 0, 1, 512, 0, 0, 511, UNIFORM},
	{"conv_order=ROLLBACK", MB2, 1, 0, 1, 512, 0, 0, 511, UNIFORM},
	{"profile=YAN_2026", MB2, 513, 1, 512, 512, 0, 0, 0, BY_LEVELS},
	{"profile=YAN_2026 split_shape=UNIFORM_4K", MB2, 1024, 512, 512, 512, 0, 0, 0, UNIFORM},
};

static const char *const names[] = {
	"seamcalls.TDH.MEM.RANGE.BLOCK",
	"seamcalls.TDH.MEM.TRACK",
	"kicks",
	"seamcalls.TDH.MEM.PAGE.DEMOTE",
	"seamcalls.TDH.MEM.PAGE.REMOVE",
	"seamcalls.TDH.PHYMEM.PAGE.WBINVD",
	"overzap_bytes",
	"reaccept_pages",
	"allocs.filemap-node",
	"allocs.vmemmap",
};
#define NAMES RT_ARRAY_SIZE(names)

static void read_stats(struct lab_kit *k, u64 *v)
{
	u32 i;

	for (i = 0; i < NAMES; i++)
		v[i] = lab_kit_stat(k, names[i]);
}

static void run(const struct golden *g)
{
	const u64 want[NAMES] = {g->block,  g->block,	g->block,     g->demote, g->remove,
				 g->wbinvd, g->overzap, g->reaccepts, g->nodes,	 g->vmemmap};
	u64 before[NAMES], after[NAMES];
	struct lab_kit *k;
	char setup[256];
	u32 i;

	print_message("  %s, %llu bytes\n", g->policy, g->size);
	snprintf(setup, sizeof(setup),
		 "module profile=1.5.28\nhost mem=4G\ntd vcpus=1\n"
		 "gmem g0 size=1G backing=hugetlb-1g hvo=on %s\nslot 0 gpa=0x80000000 size=1G\n",
		 g->policy);
	k = lab_kit_new(setup);
	assert_int_equal(lab_kit_accept(k, 0, GPA, 1ULL << 30), 0);
	assert_int_equal(lab_kit_stat(k, "pages_2m"), 512);
	read_stats(k, before);
	assert_int_equal(lab_kit_convert(k, GPA, g->size, false), 0);
	read_stats(k, after);
	for (i = 0; i < NAMES; i++) {
		if (after[i] - before[i] != want[i])
			fail_msg("%s is %llu, not %llu", names[i], after[i] - before[i], want[i]);
	}
	assert_int_equal(lab_kit_stat(k, "small_folio_leaves"), g->small_leaves);
	lab_kit_free(k);
}

static void test_golden__one_1g_folio_under_each_flow(void **state)
{
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(golden); i++)
		run(&golden[i]);
}

/*
 * UPSTREAM_4K has no huge folio to begin with: no split, no tree nodes, no vmemmap, one REMOVE a
 * page.
 */
static void test_golden__upstream_4k(void **state)
{
	struct lab_kit *k = lab_kit_new("module profile=1.5.28\ntd vcpus=1\n"
					"gmem g0 size=4M backing=4k profile=UPSTREAM_4K\n");

	assert_int_equal(lab_kit_accept(k, 0, GPA, MB2), 0);
	assert_int_equal(lab_kit_stat(k, "pages_4k"), 512 + 4); /* the initial memory's */
	assert_int_equal(lab_kit_convert(k, GPA, 2 * KB4, false), 0);
	assert_int_equal(lab_kit_stat(k, "seamcalls.TDH.MEM.PAGE.REMOVE"), 2);
	assert_int_equal(lab_kit_stat(k, "seamcalls.TDH.MEM.PAGE.DEMOTE"), 0);
	assert_int_equal(lab_kit_stat(k, "allocs.filemap-node"), 0);
	assert_int_equal(lab_kit_stat(k, "overzap_bytes"), 0);
	lab_kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden__one_1g_folio_under_each_flow),
		cmocka_unit_test(test_golden__upstream_4k),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
