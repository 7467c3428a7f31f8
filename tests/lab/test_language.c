// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scenario language: every statement parses, printing it gives it back, and what the docs show
 * is accepted.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/lab/ops.h"
#include "sim/lab/setup.h"

static u32 parse(struct lab_scenario *sc, const char *text)
{
	struct lab_source src = {"test", text, strlen(text)};
	struct lab_diag d = {stderr, 0};

	lab_scenario_init(sc);
	return lab_parse(sc, &src, &d);
}

static char *print(const struct lab_scenario *sc)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	lab_print(sc, f);
	fclose(f);
	return text;
}

/*
 * text -> operations -> text -> operations: both lists say the same, and both texts are the same.
 */
static void assert_round_trip(const char *text)
{
	struct lab_scenario a, b;
	char *first, *second;

	assert_int_equal(parse(&a, text), 0);
	first = print(&a);
	assert_int_equal(parse(&b, first), 0);
	second = print(&b);
	assert_true(lab_same(&a, &b));
	assert_string_equal(first, second);
	free(first);
	free(second);
	lab_scenario_free(&a);
	lab_scenario_free(&b);
}

/* One spelling in, the canonical one out. */
static const struct {
	const char *text, *printed;
} spellings[] = {
	{"module profile=1.5.28 dynamic_pamt=on enhanced_demote_interruptibility=on non_blocking_resize=off",
	 NULL},
	{"host cpus=4 mem=4096M", "host cpus=4 mem=4G"},
	{"td vcpus=2 sept_ve_disable=on", NULL},
	{"td a vcpus=1", NULL},
	{"kvm tdx_huge_page=on series=v5", NULL},
	{"kvm series=v3 split_cache=mutex", NULL},
	{"gmem g0 size=4M backing=hugetlb-2m hvo=off profile=SEAN_2026 conv_order=ZAP_FIRST", NULL},
	{"slot 0 gpa=0x80000000 size=4M gmem=g0+0", "slot 0 gpa=2G size=4M gmem=g0+0"},
	{"slot a.3 gpa=0x80001000 gmem=g0+2M", NULL},
	{"region 0x0 16K", "region 0 16K"},
	{"region none td=a", NULL},
	{"schedule 12 a.vcpu0", NULL},
	{"host: build", NULL},
	{"host: convert 0x80000000 4096 shared", "host: convert 0x80000000 4K shared"},
	{"host3: convert slot0+8K 2M private", NULL},
	{"a.host: punch slot1 2M", NULL},
	{"host: prefault a.slot0+2M 2M level=4K", NULL},
	{"host: read 2G", "host: read 0x80000000"},
	{"host: write slot0 17", "host: write slot0 0x11"},
	{"host: pin slot0 4K", NULL},
	{"host: unpin slot0 4K", NULL},
	{"host: memory-failure slot0+0", "host: memory-failure slot0"},
	{"host: seamcall TDH.MEM.RANGE.BLOCK rcx=slot0+4K|1 rdx=tdr", NULL},
	{"host: seamcall TDH.MEM.PAGE.DEMOTE rcx=1|slot0 r8=page0 r12=hpa(slot0+2M)+4K",
	 "host: seamcall TDH.MEM.PAGE.DEMOTE rcx=1|slot0 r8=page0 r12=hpa(slot0+2M)+0x1000"},
	{"host: seamcall TDH.VP.FLUSH rcx=a.tdvpr1", NULL},
	{"host: destroy", NULL},
	{"host: alloc slot0 4M", NULL},
	{"host: slot-delete 0", NULL},
	{"host: slot-add a.0", NULL},
	{"host: close g0", NULL},
	{"host: signal vcpu1", NULL},
	{"vcpu0: accept slot0 2M level=2M", NULL},
	{"vcpu12: read slot0 shared", NULL},
	{"a.vcpu0: write slot0 0x2222 shared", NULL},
	{"vcpu0: cpu 3", NULL},
	{"vcpu0: mapgpa slot0 2M shared", NULL},
	{"vcpu0: tdcall TDG.MEM.PAGE.ACCEPT rcx=slot0", NULL},
	{"inject busy leaf=TDH.MEM.PAGE.DEMOTE nth=2 count=3 actor=host", NULL},
	{"inject interrupt leaf=TDG.MEM.PAGE.ACCEPT kind=nmi nth=3", NULL},
	{"inject error leaf=TDH.MEM.PAGE.REMOVE status=TDX_OPERAND_INVALID",
	 "inject error leaf=TDH.MEM.PAGE.REMOVE status=OPERAND_INVALID"},
	{"inject enomem site=external-spt-alloc", NULL},
	{"inject ref gpa=slot0 kind=pin", NULL},
	{"inject ref-check nth=2", NULL},
	{"inject busy leaf=TDH.MEM.PAGE.DEMOTE maybe", NULL},
	{"inject interrupt leaf=TDH.MEM.PAGE.DEMOTE kind=smi nth=2 count=3 actor=host maybe", NULL},
	{"inject ipi-late count=2 maybe", NULL},
	{"schedule 17 fault", NULL},
	{"chooser random seed=7", NULL},
	{"parallel {\nvcpu0: accept slot0 4K\nexpect ok\n}",
	 "parallel {\n  vcpu0: accept slot0 4K\n  expect ok\n}"},
	{"expect ok", NULL},
	{"expect error ENOMEM", NULL},
	{"expect error EAGAIN at slot0+4K", NULL},
	{"expect error SIGBUS", NULL},
	{"expect status TDX_PAGE_SIZE_MISMATCH", "expect status PAGE_SIZE_MISMATCH"},
	{"expect status 0xC0000B0800000001", "expect status 0xc0000b0800000001"},
	{"expect ve", NULL},
	{"expect exit memory-fault", NULL},
	{"expect seamcalls", NULL},
	{"expect seamcalls (TDH.MEM.RANGE.BLOCK TDH.MEM.TRACK)*2 TDH.PHYMEM.PAGE.WBINVD*512", NULL},
	{"expect map slot0 none", NULL},
	{"expect map state=pending_blocked slot0 level=2M",
	 "expect map slot0 level=2M state=pending_blocked"},
	{"expect mirror slot0 level=1G", NULL},
	{"expect attr slot0 private", NULL},
	{"expect folio slot0 size=4K", NULL},
	{"expect inhibit slot0 level=2M on", NULL},
	{"expect data slot0 0x3333", NULL},
	{"expect stat seamcalls.TDH.MEM.PAGE.AUG >= 2", NULL},
	{"expect stat mem_bytes < 102400", "expect stat mem_bytes < 100K"},
	{"expect violation mirror-matches-sept", NULL},
	{"expect pamt slot0 511", NULL},
	{"expect mixed slot0 level=1G off", NULL},
	{"expect vm bugged", NULL},
};

static void test_language__every_statement_comes_back(void **state)
{
	bool seen[LAB_OP_NR] = {false};

	for (u32 i = 0; i < RT_ARRAY_SIZE(spellings); i++) {
		const char *want = spellings[i].printed ? spellings[i].printed : spellings[i].text;
		struct lab_scenario sc;
		char *text;

		assert_int_equal(parse(&sc, spellings[i].text), 0);
		text = print(&sc);
		assert_int_equal(strlen(text), strlen(want) + 1);
		assert_memory_equal(text, want, strlen(want));
		for (u32 k = 0; k < sc.nr_ops; k++)
			seen[sc.ops[k].kind] = true;
		free(text);
		lab_scenario_free(&sc);
		assert_round_trip(spellings[i].text);
	}
	for (u32 k = 0; k < LAB_OP_NR; k++)
		assert_true(seen[k]);
}

static void test_language__comments_and_blanks_are_nothing(void **state)
{
	struct lab_scenario sc;

	assert_int_equal(parse(&sc, "# one\n\n \t # two\r\nhost:\tbuild # three\n"), 0);
	assert_int_equal(sc.nr_ops, 1);
	assert_int_equal(sc.ops[0].line, 4);
	lab_scenario_free(&sc);
}

static void test_language__set_changes_or_adds(void **state)
{
	struct lab_diag d = {stderr, 0};
	struct lab_scenario sc;
	struct lab_setup su;

	assert_int_equal(parse(&sc, "gmem g0 size=4M\ngmem g1 size=2M\nhost: build\n"), 0);
	assert_int_equal(lab_parse_set(&sc, "gmem.hvo=on", &d), 0);
	assert_int_equal(lab_parse_set(&sc, "gmem.size_rule=FOLIO", &d), 0);
	assert_int_equal(lab_parse_set(&sc, "td.vcpus=3", &d), 0);
	assert_int_equal(lab_setup_resolve(&sc, &su, &d), 0);
	assert_int_equal(su.td[0].vcpus, 3);
	assert_true(su.gmem[0].gmem.hvo);
	assert_true(su.gmem[1].gmem.hvo);
	assert_string_equal(lab_gmem_policy(&su.gmem[1], "size_rule"), "FOLIO");
	lab_scenario_free(&sc);
}

static void test_language__defaults_are_the_documented_ones(void **state)
{
	struct lab_diag d = {stderr, 0};
	struct lab_scenario sc;
	struct lab_setup su;

	assert_int_equal(parse(&sc, "vcpu1: accept slot0 4K\n"), 0);
	assert_int_equal(lab_setup_resolve(&sc, &su, &d), 0);
	assert_string_equal(su.profile, "1.5.28");
	assert_true(su.dynamic_pamt);
	assert_true(su.tdx_huge_page);
	assert_int_equal(su.cpus, 4);
	assert_int_equal(su.mem, 4ULL << 30);
	assert_int_equal(su.td[0].vcpus, 2);
	assert_true(su.td[0].sept_ve_disable);
	assert_int_equal(su.slot[0].gpa, 0x80000000);
	assert_int_equal(su.slot[0].size, 4 << 20);
	assert_int_equal(su.gmem[0].gmem.backing, GMEM_HUGETLB_2M);
	assert_int_equal(su.nr_regions, 1);
	assert_int_equal(su.region[0].size, 16384);
	assert_true(su.slot[su.region[0].slot].made_for_region);
	lab_scenario_free(&sc);
}

static char *read_all(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

static const char *source_dir(void)
{
	const char *dir = getenv("TDXSIM_SOURCE");

	return dir ? dir : ".";
}

static void test_language__scenarios_of_the_tree_come_back(void **state)
{
	char pattern[512];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/tests/scenarios/*.scn", source_dir());
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		char *text = read_all(g.gl_pathv[i]);

		assert_round_trip(text);
		free(text);
	}
	globfree(&g);
}

/* Docs and grammar must not drift apart: each block that says it is a scenario is one. */
static void test_language__blocks_of_the_docs_are_accepted(void **state)
{
	struct lab_diag d = {stderr, 0};
	char path[512], *text, *block, *end;
	u32 blocks = 0;

	snprintf(path, sizeof(path), "%s/docs/scenarios.md", source_dir());
	text = read_all(path);
	for (block = strstr(text, "```scn\n"); block; block = strstr(end + 4, "```scn\n")) {
		struct lab_scenario sc;
		struct lab_setup su;

		block += strlen("```scn\n");
		end = strstr(block, "```");
		assert_non_null(end);
		*end = 0;
		assert_int_equal(parse(&sc, block), 0);
		assert_int_equal(lab_setup_resolve(&sc, &su, &d), 0);
		lab_scenario_free(&sc);
		assert_round_trip(block);
		blocks++;
	}
	assert_true(blocks >= 4);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_language__every_statement_comes_back),
		cmocka_unit_test(test_language__comments_and_blanks_are_nothing),
		cmocka_unit_test(test_language__set_changes_or_adds),
		cmocka_unit_test(test_language__defaults_are_the_documented_ones),
		cmocka_unit_test(test_language__scenarios_of_the_tree_come_back),
		cmocka_unit_test(test_language__blocks_of_the_docs_are_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
