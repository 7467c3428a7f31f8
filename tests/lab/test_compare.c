// SPDX-License-Identifier: GPL-2.0-only
/*
 * The comparison: its tables hold the golden numbers of gmem.md 2.6, its three spellings agree, every
 * run of it is the same, wrong policies are refused with the nearest word, and --fail-each tells the
 * designs apart. What a policy does is tested where it branches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/lab/compare.h"
#include "sim/rt/types.h"

#define COLUMNS 6

struct result {
	enum lab_verdict verdict;
	char *out, *err;
};

static struct result compare(const struct lab_compare_opts *how, const char *path,
			     const char *const *policy, u32 nr)
{
	struct lab_compare_opts opts = *how;
	struct result r = {0};
	size_t out_len, err_len;

	opts.path = path;
	opts.policy = policy;
	opts.nr_policies = nr;
	opts.out = open_memstream(&r.out, &out_len);
	opts.err = open_memstream(&r.err, &err_len);
	assert_non_null(opts.out);
	assert_non_null(opts.err);
	r.verdict = lab_compare(&opts);
	fclose(opts.out);
	fclose(opts.err);
	return r;
}

static void done(struct result *r)
{
	free(r->out);
	free(r->err);
}

/* A scenario of this source tree. */
static const char *scenario(const char *name)
{
	static char path[500];

	snprintf(path, sizeof(path), "%s/tests/scenarios/%s", getenv("TDXSIM_SOURCE"), name);
	return path;
}

/* A scenario as a file of its own, until end_file(). */
static char file_name[] = "/tmp/tdxsim-compare-XXXXXX";

static const char *begin_file(const char *text)
{
	int fd;

	memcpy(file_name + strlen(file_name) - 6, "XXXXXX", 6);
	fd = mkstemp(file_name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return file_name;
}

static void end_file(void)
{
	unlink(file_name);
}

/* The cell of a csv table: row @group,@name; its text in @cell. */
static void cell(const char *csv, const char *group, const char *name, u32 col, char *buf,
		 size_t len)
{
	char key[200], quoted[200];
	const char *at;

	snprintf(key, sizeof(key), "\n%s,%s,", group, name);
	snprintf(quoted, sizeof(quoted), "\n\"%s\",\"%s\",", group, name);
	at = strstr(csv, key);
	if (!at) {
		snprintf(key, sizeof(key), "\n%s,\"%s\",", group, name);
		at = strstr(csv, key);
	}
	if (!at) {
		snprintf(key, sizeof(key), "\n\"%s\",%s,", group, name);
		at = strstr(csv, key);
	}
	if (!at) {
		snprintf(key, sizeof(key), "%s", quoted);
		at = strstr(csv, key);
	}
	if (!at)
		fail_msg("no row \"%s\", \"%s\" in\n%s", group, name, csv);
	at += strlen(key);
	for (u32 c = 0; c <= col; c++)
		at = strpbrk(at, ",\r") + 1;
	snprintf(buf, len, "%.*s", (int)strcspn(at, ",\r"), at);
}

static u64 number(const char *csv, const char *group, const char *name, u32 col)
{
	char text[200];

	cell(csv, group, name, col, text, sizeof(text));
	return strtoull(text, NULL, 10);
}

static const char *const golden_policy[COLUMNS] = {
	"conv_order=BASE", "V3",       "GOOGLE_2026",
	"SEAN_2026",	   "YAN_2026", "YAN_2026,split_shape=UNIFORM_4K",
};

struct golden_row {
	const char *group, *name;
	u64 value[COLUMNS];
};

/* gmem.md 2.6: one 1G folio under 512 accepted leaves gives 0-4K, and 0-2M, to the host. */
static const struct golden_row golden_4k[] = {
	{"guest memory", "over-zapped bytes", {2093056, 0, 0, 0, 0, 0}},
	{"guest memory", "pages to accept again", {511, 0, 0, 0, 0, 0}},
	{"SEAMCALLs", "TDH.MEM.RANGE.BLOCK", {1, 2, 2, 2, 2, 513}},
	{"SEAMCALLs", "TDH.MEM.TRACK", {1, 2, 2, 2, 2, 513}},
	{"SEAMCALLs", "TDH.MEM.PAGE.DEMOTE", {0, 1, 1, 1, 1, 512}},
	{"SEAMCALLs", "TDH.MEM.PAGE.REMOVE", {1, 1, 1, 1, 1, 1}},
	{"SEAMCALLs", "TDH.PHYMEM.PAGE.WBINVD", {512, 1, 1, 1, 1, 1}},
	{"waiting and retries", "kicks", {1, 2, 2, 2, 2, 513}},
	{"allocations", "filemap nodes", {4161, 4161, 4161, 4161, 73, 4161}},
	{"allocations", "vmemmap pages", {4095, 4095, 4095, 4095, 518, 4095}},
	{"leaves and folios",
	 "leaves over a smaller folio, at the end",
	 {511, 511, 511, 511, 0, 0}},
};
static const struct golden_row golden_2m[] = {
	{"guest memory", "over-zapped bytes", {0, 0, 0, 0, 0, 0}},
	{"SEAMCALLs", "TDH.MEM.RANGE.BLOCK", {1, 1, 1, 1, 513, 1024}},
	{"SEAMCALLs", "TDH.MEM.PAGE.DEMOTE", {0, 0, 0, 0, 1, 512}},
	{"SEAMCALLs", "TDH.MEM.PAGE.REMOVE", {1, 1, 1, 1, 512, 512}},
	{"SEAMCALLs", "TDH.PHYMEM.PAGE.WBINVD", {512, 512, 512, 512, 512, 512}},
	{"waiting and retries", "kicks", {1, 1, 1, 1, 513, 1024}},
	{"allocations", "filemap nodes", {4161, 4161, 4161, 4161, 73, 4161}},
	{"allocations", "vmemmap pages", {4095, 4095, 4095, 4095, 518, 4095}},
	{"leaves and folios",
	 "leaves over a smaller folio, at the end",
	 {511, 511, 511, 511, 0, 0}},
};

static void check_golden(const char *name, const struct golden_row *row, u32 nr)
{
	struct lab_compare_opts how = {.format = LAB_COMPARE_CSV};
	struct result r = compare(&how, scenario(name), golden_policy, COLUMNS);

	assert_string_equal(r.err, "");
	assert_int_equal(r.verdict, LAB_HELD);
	for (u32 i = 0; i < nr; i++) {
		for (u32 c = 0; c < COLUMNS; c++) {
			u64 seen = number(r.out, row[i].group, row[i].name, c);

			if (seen != row[i].value[c])
				fail_msg("%s, %s, %s: %llu, not %llu", name, row[i].name,
					 golden_policy[c], seen, row[i].value[c]);
		}
	}
	done(&r);
}

static void test_compare__golden_numbers(void **state)
{
	check_golden("convert-4k-of-1g.scn", golden_4k, RT_ARRAY_SIZE(golden_4k));
	check_golden("convert-2m-of-1g.scn", golden_2m, RT_ARRAY_SIZE(golden_2m));
}

/*
 *   order        before B      B .. Z      behind Z
 *   ZAP_FIRST                              4161
 *   PLAN7_SEPT   4161
 *   SEPT_FIRST                 73
 */
static void test_compare__allocations_by_place(void **state)
{
	static const char *const policy[] = {"V3", "GOOGLE_2026", "YAN_2026"};
	static const char *const place[] = {"filemap nodes, before begin",
					    "filemap nodes, between begin and zap",
					    "filemap nodes, behind the zap"};
	static const u64 want[3][3] = {{0, 4161, 0}, {0, 0, 73}, {4161, 0, 0}};
	struct lab_compare_opts how = {.format = LAB_COMPARE_CSV};
	struct result r = compare(&how, scenario("convert-4k-of-1g.scn"), policy, 3);

	for (u32 p = 0; p < 3; p++) {
		for (u32 c = 0; c < 3; c++)
			assert_int_equal(number(r.out, "allocations", place[p], c), want[p][c]);
	}
	done(&r);
}

static void test_compare__same_every_time(void **state)
{
	static const char *const policy[] = {"V3", "YAN_2026"};
	struct lab_compare_opts how = {.fail_each = true, .busy = true};
	struct result a = compare(&how, scenario("s05-convert-4k.scn"), policy, 2);
	struct result b = compare(&how, scenario("s05-convert-4k.scn"), policy, 2);

	assert_string_equal(a.out, b.out);
	assert_null(strchr(a.out, '\033'));
	done(&a);
	done(&b);
}

static void test_compare__marks_what_differs(void **state)
{
	static const char *const policy[] = {"V3", "YAN_2026"}, *const same[] = {"V3", "V3"};
	struct lab_compare_opts how = {.colour = true}, bare = {.differences = true};
	struct result r = compare(&how, scenario("convert-4k-of-1g.scn"), policy, 2);

	assert_non_null(strstr(r.out, "\033[1m* filemap nodes"));
	assert_non_null(strstr(r.out, "\n  kicks"));
	done(&r);
	r = compare(&bare, scenario("convert-4k-of-1g.scn"), same, 2);

	assert_null(strstr(r.out, "kicks"));
	done(&r);
}

/*
 * A rule that one design breaks is a difference; one that all break is a failure, and so with
 * expectations.
 */
static void test_compare__verdict_is_what_all_have(void **state)
{
	static const char *const both[] = {"conv_order=BASE", "SEAN_2026"};
	static const struct {
		const char *text;
		enum lab_verdict one, all;
	} cases[] = {
		{"gmem g0 size=4M\nvcpu0: accept slot0 4M\nhost: convert slot0 4K shared\n"
		 "expect stat overzap_bytes == 0\n",
		 LAB_FAILED, LAB_HELD},
		{"gmem g0 size=4M\nvcpu0: accept slot0 4M\nhost: convert slot0 4K shared\n"
		 "expect stat kicks == 77\n",
		 LAB_FAILED, LAB_FAILED},
		{"gmem g0 size=4M\nvcpu0: accept slot0 4M\nhost: convert slot0 4K shared\n"
		 "expect ok\n",
		 LAB_HELD, LAB_HELD},
	};
	struct lab_compare_opts how = {0};

	for (u32 i = 0; i < RT_ARRAY_SIZE(cases); i++) {
		const char *path = begin_file(cases[i].text);
		struct result r = compare(&how, path, both, 1);

		assert_int_equal(r.verdict, cases[i].one);
		done(&r);
		r = compare(&how, path, both, 2);
		assert_int_equal(r.verdict, cases[i].all);
		done(&r);
		end_file();
	}
}

static void test_compare__wrong_policies_and_the_nearest(void **state)
{
	static const struct {
		const char *policy, *says;
	} cases[] = {
		{"V33", "--policy:1:1: found \"V33\""},
		{"V33", "did you mean \"V3\"?"},
		{"SEAN_2025", "did you mean \"SEAN_2026\"?"},
		{"conv_ordre=BASE", "did you mean \"conv_order\"?"},
		{"V3,conv_order=PLAN8", "--policy:1:15: found \"PLAN8\""},
		{"conv_order=PLAN8", "did you mean \"PLAN7\"?"},
		{"size_rule=folioo", "did you mean \"folio\"?"},
		{"V3,,BASE", "found \"\""},
		{"", "found \"\""},
		{"hvo=onn", "did you mean \"on\"?"},
		{"module.profle=1.5.28", "did you mean \"profile\"?"},
	};
	struct lab_compare_opts how = {0};

	for (u32 i = 0; i < RT_ARRAY_SIZE(cases); i++) {
		struct result r =
			compare(&how, scenario("s05-convert-4k.scn"), &cases[i].policy, 1);

		assert_int_equal(r.verdict, LAB_BAD_INPUT);
		assert_string_equal(r.out, "");
		if (!strstr(r.err, cases[i].says))
			fail_msg("\"%s\": expected %s, got %s", cases[i].policy, cases[i].says,
				 r.err);
		done(&r);
	}
}

/* What the file says of a switch gives way, under either of its names. */
static void test_compare__policies_replace_the_files_own(void **state)
{
	static const char *const policy[] = {"V3", "conv_order=PLAN7", "split_order=sept",
					     "SEAN_2026,size_rule=contiguity"};
	const char *path =
		begin_file("kvm split_order=folio size_rule=gmem\n"
			   "gmem g0 size=4M conv_order=PLAN7_SEPT split_shape=NONUNIFORM\n"
			   "vcpu0: accept slot0 4M\nhost: convert slot0 4K shared\n");
	struct lab_compare_opts how = {.format = LAB_COMPARE_CSV};
	struct result r = compare(&how, path, policy, 4);
	char text[64];

	assert_string_equal(r.err, "");
	cell(r.out, "policies", "gmem g0 conv_order", 0, text, sizeof(text));
	assert_string_equal(text, "ZAP_FIRST");
	cell(r.out, "policies", "gmem g0 conv_order", 1, text, sizeof(text));
	assert_string_equal(text, "PLAN7");
	cell(r.out, "policies", "gmem g0 conv_order", 2, text, sizeof(text));
	assert_string_equal(text, "SEPT_FIRST");
	cell(r.out, "policies", "gmem g0 size_rule", 3, text, sizeof(text));
	assert_string_equal(text, "CONTIG");
	cell(r.out, "policies", "gmem g0 split_shape", 0, text, sizeof(text));
	assert_string_equal(text, "UNIFORM_4K");
	cell(r.out, "policies", "gmem g0 split_shape", 1, text, sizeof(text));
	assert_string_equal(text, "NONUNIFORM");
	done(&r);
	end_file();
}

/*
 * Which failure loses what: V3 zaps before it splits folios, so what fails there has cost the page;
 * the others have split, or given up, before.
 */
static void test_compare__fail_each_tells_designs_apart(void **state)
{
	static const char *const policy[] = {"V3", "GOOGLE_2026", "YAN_2026", "SEAN_2026"};
	static const char alloc[] = "one allocation fails",
			  refs[] = "one check of references fails";
	const char *path = begin_file("td vcpus=1\ngmem g0 size=4M backing=hugetlb-2m hvo=on\n"
				      "vcpu0: accept slot0 4M\nhost: convert slot0 4K shared\n");
	struct lab_compare_opts how = {.format = LAB_COMPARE_CSV, .fail_each = true};
	struct result r = compare(&how, path, policy, 4);

	assert_string_equal(r.err, "");
	/* 8 filemap nodes and 7 pages of vmemmap, behind the zap under V3. */
	assert_int_equal(number(r.out, alloc, "private data lost", 0), 15);
	assert_int_equal(number(r.out, refs, "private data lost", 0), 1);
	for (u32 c = 1; c < 4; c++) {
		assert_int_equal(number(r.out, alloc, "private data lost", c), 0);
		assert_true(number(r.out, alloc, "runs", c) >= 15);
		assert_int_equal(number(r.out, refs, "private data lost", c), 0);
	}
	for (u32 c = 0; c < 4; c++) {
		assert_int_equal(number(r.out, alloc, "attributes and mappings apart", c), 0);
		assert_int_equal(number(r.out, alloc, "VM dead", c), 0);
		/* BLOCK, TRACK, DEMOTE ... answer what KVM does not expect: BUG_VM. */
		assert_true(number(r.out, "one SEAMCALL fails", "VM dead", c) > 0);
	}
	done(&r);
	end_file();
}

/*
 * A failure is judged by the rules that it breaks: under FOLIO a folio split that stands alone leaves
 * a leaf over smaller folios. What breaks without any failure (OLD_TREE never merges) is no failure's.
 */
static void test_compare__fail_each_judges_by_rules(void **state)
{
	static const char *const policy[] = {"GOOGLE_2026,size_rule=FOLIO",
					     "conv_order=BASE,merge_view=OLD_TREE"};
	const char *path = begin_file("td vcpus=1\ngmem g0 size=4M backing=hugetlb-2m\n"
				      "vcpu0: accept slot0 2M\nhost: convert slot0 4K shared\n"
				      "host: convert slot0 4K private\n");
	struct lab_compare_opts how = {.format = LAB_COMPARE_CSV, .fail_each = true};
	struct result r = compare(&how, path, policy, 2);
	static const char alloc[] = "one allocation fails", other[] = "another oracle broke";

	assert_non_null(strstr(r.out, "oracles that broke,yes,none,merge-restores"));
	assert_true(number(r.out, alloc, other, 0) > 0);
	assert_int_equal(number(r.out, alloc, other, 1), 0);
	assert_int_equal(number(r.out, alloc, "private data lost", 0), 0);
	done(&r);
	end_file();
}

/* The line that a note gives is the failure that it tells of. */
static void test_compare__an_example_replays(void **state)
{
	static const char *const policy[] = {"V3"};
	static const char text[] = "td vcpus=1\ngmem g0 size=4M hvo=on\nvcpu0: accept slot0 4M\n%s"
				   "host: convert slot0 4K shared\n";
	struct lab_compare_opts how = {.fail_each = true}, csv = {.format = LAB_COMPARE_CSV};
	char plain[400], line[100], with[600], *at;
	struct result r;

	snprintf(plain, sizeof(plain), text, "");
	r = compare(&how, begin_file(plain), policy, 1);
	end_file();
	at = strstr(r.out, "V3: private data lost: for one, with \"");
	assert_non_null(at);
	at = strchr(at, '"') + 1;
	snprintf(line, sizeof(line), "%.*s\n", (int)strcspn(at, "\""), at);
	assert_non_null(strstr(at, "in front of line 4"));
	done(&r);

	snprintf(with, sizeof(with), text, line);
	r = compare(&csv, begin_file(with), policy, 1);
	end_file();
	assert_int_equal(number(r.out, "guest memory", "failed_unmapped, pages", 0), 1);
	assert_int_equal(number(r.out, "guest memory", "failed_unmapped, pages at the end", 0), 1);
	assert_int_equal(number(r.out, "guest memory", "pages to accept again", 0), 1);
	done(&r);
}

/* From the end of the failed call to the accept that brings the page back. */
static void test_compare__failed_unmapped_has_an_end(void **state)
{
	static const char *const policy[] = {"V3"};
	const char *path = begin_file("td vcpus=1\ngmem g0 size=4M hvo=on\nvcpu0: accept slot0 4M\n"
				      "inject enomem site=vmemmap-alloc\n"
				      "host: convert slot0 4K shared\nexpect error ENOMEM\n"
				      "vcpu0: accept slot0 4K\n");
	struct lab_compare_opts how = {.format = LAB_COMPARE_CSV};
	struct result r = compare(&how, path, policy, 1);

	assert_int_equal(r.verdict, LAB_HELD);
	assert_int_equal(number(r.out, "guest memory", "failed_unmapped, pages", 0), 1);
	assert_int_equal(number(r.out, "guest memory", "failed_unmapped, pages at the end", 0), 0);
	assert_true(number(r.out, "guest memory", "failed_unmapped, longest in cycles", 0) > 0);
	done(&r);
	end_file();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare__golden_numbers),
		cmocka_unit_test(test_compare__allocations_by_place),
		cmocka_unit_test(test_compare__same_every_time),
		cmocka_unit_test(test_compare__marks_what_differs),
		cmocka_unit_test(test_compare__verdict_is_what_all_have),
		cmocka_unit_test(test_compare__wrong_policies_and_the_nearest),
		cmocka_unit_test(test_compare__policies_replace_the_files_own),
		cmocka_unit_test(test_compare__fail_each_tells_designs_apart),
		cmocka_unit_test(test_compare__fail_each_judges_by_rules),
		cmocka_unit_test(test_compare__an_example_replays),
		cmocka_unit_test(test_compare__failed_unmapped_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
