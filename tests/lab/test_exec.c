// SPDX-License-Identifier: GPL-2.0-only
/*
 * The executor: what actions mean, how they end, what is recorded, faults, several actors and
 * several TDs.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/lab/kit.h"
#include "sim/lab/run.h"
#include "sim/lab/words.h"

static void test_exec__accept_takes_the_largest_pieces(void **state)
{
	struct lab_kit *k = lab_kit_new("gmem g0 size=8M");

	/*  [2M-4K][ 2M ][4K]   of slot 0 */
	assert_int_equal(lab_kit_do(k, "vcpu0: accept slot0+2044K 2056K"), 0);
	assert_int_equal(lab_kit_outcome(k)->pages_2m, 1);
	assert_int_equal(lab_kit_outcome(k)->pages_4k, 2);
	lab_kit_free(k);
}

static void test_exec__accept_falls_back_to_4k(void **state)
{
	struct lab_kit *k = lab_kit_new("");

	assert_int_equal(lab_kit_do(k, "vcpu0: accept slot0+4K 4K"), 0);
	/*
	 * A table is in the way: with level= that is the outcome, without it the guest goes through
	 * at 4K up to page 1.
	 */
	assert_int_equal(lab_kit_do(k, "vcpu0: accept slot0 2M level=2M"), -EPROTO);
	assert_true(lab_kit_expect(k, "status PAGE_SIZE_MISMATCH"));
	assert_int_equal(lab_kit_do(k, "vcpu0: accept slot0 2M"), -EPROTO);
	assert_true(lab_kit_expect(k, "status PAGE_ALREADY_ACCEPTED"));
	assert_int_equal(lab_kit_outcome(k)->pages_4k, 1);
	lab_kit_free(k);
}

static void test_exec__a_host_access_to_private_memory_is_sigbus(void **state)
{
	struct lab_kit *k = lab_kit_new("");

	assert_int_equal(lab_kit_do(k, "host: read slot0"), -LAB_SIGBUS);
	assert_int_equal(lab_kit_convert(k, 0x80000000, 4096, false), 0);
	assert_int_equal(lab_kit_do(k, "host: write slot0 0x12"), 0);
	assert_int_equal(lab_kit_do(k, "vcpu0: read slot0 shared"), 0);
	assert_int_equal(lab_kit_outcome(k)->value, 0x12);
	lab_kit_free(k);
}

static void test_exec__a_private_access_to_a_shared_page_exits(void **state)
{
	struct lab_kit *k = lab_kit_new("");

	assert_int_equal(lab_kit_convert(k, 0x80000000, 4096, false), 0);
	assert_int_equal(lab_kit_do(k, "vcpu0: read slot0"), -EFAULT);
	assert_true(lab_kit_expect(k, "exit memory-fault"));
	/* Its run is over; the next line begins another. */
	assert_int_equal(lab_kit_do(k, "vcpu0: accept slot0+4K 4K"), 0);
	lab_kit_free(k);
}

static void test_exec__a_vcpu_moves_and_stays_in_the_guest(void **state)
{
	struct lab_kit *k = lab_kit_new("td vcpus=2\nhost cpus=4");
	struct lab_machine *m;

	assert_int_equal(lab_kit_accept(k, 0, 0x80000000, 2 << 20), 0);
	m = lab_kit_machine(k);
	assert_true(m->td[0].vcpu[0]->in_run);
	assert_false(m->td[0].vcpu[1]->in_run);
	assert_int_equal(lab_kit_do(k, "vcpu0: cpu 3"), 0);
	assert_int_equal(lab_kit_write(k, 0, 0x80000000, 5), 0);
	assert_int_equal(kvm_vcpu_cpu(m->td[0].vcpu[0]->kvcpu), 3);
	assert_string_equal(lab_kit_seamcalls(k), "none");
	lab_kit_free(k);
}

static void test_exec__more_vcpus_than_cpus(void **state)
{
	struct lab_kit *k = lab_kit_new("host cpus=1\ntd vcpus=3");

	for (u32 v = 0; v < 3; v++)
		assert_int_equal(lab_kit_accept(k, v, 0x80000000 + v * 4096, 4096), 0);
	assert_true(lab_kit_parallel(k, 3,
				     "vcpu0: write slot0 1\nvcpu1: write slot0+4K 2\n"
				     "vcpu2: write slot0+8K 3\nvcpu0: read slot0+8K\n"));
	lab_kit_free(k);
}

static void test_exec__prefault_goes_through_a_vcpu_that_is_free(void **state)
{
	struct lab_kit *k = lab_kit_new("td vcpus=1");

	assert_int_equal(lab_kit_do(k, "host: prefault slot0 4M"), 0);
	assert_int_equal(lab_kit_outcome(k)->bytes, 4 << 20);
	assert_int_equal(lab_kit_accept(k, 0, 0x80000000, 4 << 20), 0);
	/* The only vCPU is in KVM_RUN: it leaves for the time of the call. */
	assert_int_equal(lab_kit_do(k, "host: prefault slot0 4M level=4K"), 0);
	assert_true(lab_kit_machine(k)->td[0].vcpu[0]->in_run);
	lab_kit_free(k);
}

static void test_exec__mapgpa_converts_both_ways(void **state)
{
	struct lab_kit *k = lab_kit_new("");

	assert_int_equal(lab_kit_accept(k, 0, 0x80000000, 4 << 20), 0);
	assert_int_equal(lab_kit_do(k, "vcpu0: mapgpa slot0 4M shared"), 0);
	assert_true(lab_kit_expect(k, "attr slot0+2M shared"));
	assert_int_equal(lab_kit_do(k, "vcpu0: mapgpa slot0 4M private"), 0);
	assert_true(lab_kit_expect(k, "attr slot0+2M private"));
	/*
	 * Somebody holds a page of it: the VMM says EAGAIN, and the guest gives up after three
	 * rounds.
	 */
	assert_int_equal(lab_kit_do(k, "vcpu0: mapgpa slot0 4K shared"), 0);
	assert_int_equal(lab_kit_do(k, "host: pin slot0 4K"), 0);
	assert_int_equal(lab_kit_do(k, "vcpu0: mapgpa slot0 4K private"), -EAGAIN);
	assert_int_equal(lab_kit_do(k, "host: unpin slot0 4K"), 0);
	assert_int_equal(lab_kit_do(k, "vcpu0: mapgpa slot0 4K private"), 0);
	lab_kit_free(k);
}

static void test_exec__calls_are_recorded_by_action(void **state)
{
	struct lab_kit *k = lab_kit_new("");

	assert_int_equal(lab_kit_do(k, "host: prefault slot0 2M"), 0);
	assert_string_equal(lab_kit_seamcalls(k), "TDH.MEM.SEPT.ADD TDH.MEM.PAGE.AUG");
	assert_true(lab_kit_expect(k, "seamcalls TDH.MEM.SEPT.ADD TDH.MEM.PAGE.AUG"));
	assert_false(lab_kit_expect(k, "seamcalls TDH.MEM.SEPT.ADD"));
	assert_false(lab_kit_expect(k, "seamcalls TDH.MEM.SEPT.ADD*2"));
	lab_kit_free(k);
}

static void test_exec__a_fault_fires_at_its_visit(void **state)
{
	struct lab_kit *k = lab_kit_new("");

	assert_int_equal(lab_kit_accept(k, 0, 0x80000000, 4 << 20), 0);
	lab_kit_inject(k, "enomem site=spt-alloc nth=2");
	assert_int_equal(lab_kit_convert(k, 0x80000000, 4096, false), 0);
	assert_int_equal(lab_kit_convert(k, 0x80200000, 4096, false), -ENOMEM);
	assert_int_equal(lab_kit_convert(k, 0x80200000, 4096, false), 0);
	lab_kit_free(k);
}

static void test_exec__an_injected_reference_makes_it_eagain(void **state)
{
	struct lab_kit *k = lab_kit_new("");

	assert_int_equal(lab_kit_convert(k, 0x80000000, 8192, false), 0);
	assert_int_equal(lab_kit_do(k, "host: write slot0+4K 1"), 0);
	lab_kit_inject(k, "ref gpa=slot0+4K kind=pin");
	assert_int_equal(lab_kit_convert(k, 0x80000000, 8192, true), -EAGAIN);
	assert_true(lab_kit_expect(k, "error EAGAIN at slot0+4K"));
	lab_kit_free(k);
}

static void test_exec__two_tds_on_one_host(void **state)
{
	struct lab_kit *k = lab_kit_new("td a vcpus=1\ntd b vcpus=1\n"
					"gmem ga size=2M\ngmem gb size=2M\n"
					"slot a.0 gmem=ga\nslot b.0 gmem=gb");

	assert_int_equal(lab_kit_do(k, "a.vcpu0: accept a.slot0 2M"), 0);
	assert_int_equal(lab_kit_do(k, "b.vcpu0: accept b.slot0 2M"), 0);
	assert_true(lab_kit_parallel(k, 11,
				     "a.host: convert a.slot0+4K 4K shared\n"
				     "b.host: convert b.slot0+4K 4K shared\n"));
	assert_true(lab_kit_expect(k, "map a.slot0 level=4K state=mapped"));
	assert_int_equal(lab_kit_do(k, "b.host: destroy"), 0);
	assert_int_equal(lab_kit_do(k, "b.vcpu0: read b.slot0"), -ENODEV);
	assert_int_equal(lab_kit_do(k, "a.vcpu0: read a.slot0"), 0);
	lab_kit_free(k);
}

/* The report of a scenario, with or without a seed, and its verdict. */
static enum lab_verdict run_text(const char *text, u64 seed, char **report)
{
	struct lab_run_opts opts = {.session = {.seed = seed, .random = seed != 0, .budget = 20000},
				    .trace_path = "lab-test.trace"};
	enum lab_verdict v;
	size_t len;
	FILE *f = fopen("lab-test.scn", "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	*report = NULL;
	opts.out = opts.err = open_memstream(report, &len);
	v = lab_run_file("lab-test.scn", 1, &opts);
	fclose(opts.out);
	remove("lab-test.scn");
	return v;
}

static char *trace_text(void)
{
	FILE *f = fopen("lab-test.trace", "r");
	char *text = calloc(1, 1 << 22);

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 22) - 1, f) > 0);
	fclose(f);
	remove("lab-test.trace");
	return text;
}

static const char race[] = "vcpu0: accept slot0 2M\n"
			   "parallel {\n"
			   "  vcpu0: accept slot0+2M 2M\n"
			   "  vcpu1: accept slot0+2M 4K\n"
			   "  host: convert slot0+4K 4K shared\n"
			   "}\n";

static void test_exec__same_seed_same_trace(void **state)
{
	char *report, *first, *second, *other;

	assert_int_equal(run_text(race, 7, &report), LAB_HELD);
	free(report);
	first = trace_text();
	assert_int_equal(run_text(race, 7, &report), LAB_HELD);
	free(report);
	second = trace_text();
	assert_int_equal(run_text(race, 8, &report), LAB_HELD);
	free(report);
	other = trace_text();
	assert_string_equal(first, second);
	assert_true(strcmp(first, other) != 0);
	free(first);
	free(second);
	free(other);
}

/* Of 30 random runs of @text, in how many the fault came to its turn. */
static u32 runs_that_met(const char *text, const char *not_met)
{
	u32 n = 0;

	for (u64 seed = 1; seed <= 30; seed++) {
		char *report;

		assert_int_equal(run_text(text, seed, &report), LAB_HELD);
		n += !strstr(report, not_met);
		free(report);
	}
	remove("lab-test.trace");
	return n;
}

/* The IPI comes between two pieces of the accept; the guest may go through one more. */
static void test_exec__a_late_ipi_is_a_matter_of_the_schedule(void **state)
{
	static const char text[] = "region none\ninject ipi-late\n"
				   "host: prefault slot0+4K 64K level=4K\nparallel {\n"
				   "vcpu0: accept slot0+4K 64K\nhost: signal vcpu0\nexpect ok\n}\n";
	u32 met = runs_that_met(text, "never spent");

	assert_in_range(met, 1, 29);
}

static void test_exec__a_fault_that_may_fire(void **state)
{
	static const char text[] = "inject busy leaf=TDH.MEM.PAGE.DEMOTE maybe\n"
				   "vcpu0: accept slot0 2M\nhost: convert slot0 4K shared\n";
	static const char never[] = "inject busy leaf=TDH.MEM.SEPT.RD maybe\n"
				    "vcpu0: accept slot0 2M\nhost: convert slot0 4K shared\n";

	/* The demote is asked about each time, and a BUSY of it heals. */
	assert_int_equal(runs_that_met(text, "never asked about"), 30);
	assert_int_equal(runs_that_met(never, "never asked about"), 0);
}

static void test_exec__verdicts(void **state)
{
	static const struct {
		const char *text;
		enum lab_verdict want;
		const char *says;
	} runs[] = {
		{"host: build\nexpect ok\n", LAB_HELD, "ok: 1 actions, 1 expectations"},
		{"host: build\nexpect stat splits == 1\n", LAB_FAILED,
		 "lab-test.scn:2: expectation failed\n  expected: stat splits == 1\n  seen:     0\n"},
		{"host: bild\n", LAB_BAD_INPUT, "did you mean \"build\"?"},
		{"host: build\nexpect violation precise-zap\n", LAB_FAILED, "no oracle broke"},
		{"inject busy leaf=TDH.MEM.PAGE.DEMOTE\nhost: build\n", LAB_HELD,
		 "line 1, inject busy leaf=TDH.MEM.PAGE.DEMOTE: never spent"},
		{"inject enomem site=sp-alloc\nvcpu0: accept slot0 4K\n", LAB_FAILED,
		 "the build of the TD failed"},
		{"inject busy leaf=TDH.MEM.PAGE.AUG count=9999\nvcpu0: accept slot0 4K\n"
		 "expect violation no-progress\n",
		 LAB_HELD, "broke what it was to break"},
		{"inject busy leaf=TDH.MEM.PAGE.AUG count=9999\nvcpu0: accept slot0 4K\n"
		 "expect violation deadlock\n",
		 LAB_NO_PROGRESS, "seen:     no-progress"},
		{"inject busy leaf=TDH.MEM.PAGE.AUG count=9999\nvcpu0: accept slot0 4K\n",
		 LAB_NO_PROGRESS, "no progress: the step budget is spent"},
	};

	for (u32 i = 0; i < RT_ARRAY_SIZE(runs); i++) {
		char *report;

		assert_int_equal(run_text(runs[i].text, 0, &report), runs[i].want);
		if (!strstr(report, runs[i].says))
			fail_msg("%s", report);
		free(report);
	}
	remove("lab-test.trace");
	remove("lab-test.replay");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec__accept_takes_the_largest_pieces),
		cmocka_unit_test(test_exec__accept_falls_back_to_4k),
		cmocka_unit_test(test_exec__a_host_access_to_private_memory_is_sigbus),
		cmocka_unit_test(test_exec__a_private_access_to_a_shared_page_exits),
		cmocka_unit_test(test_exec__a_vcpu_moves_and_stays_in_the_guest),
		cmocka_unit_test(test_exec__more_vcpus_than_cpus),
		cmocka_unit_test(test_exec__prefault_goes_through_a_vcpu_that_is_free),
		cmocka_unit_test(test_exec__mapgpa_converts_both_ways),
		cmocka_unit_test(test_exec__calls_are_recorded_by_action),
		cmocka_unit_test(test_exec__a_fault_fires_at_its_visit),
		cmocka_unit_test(test_exec__an_injected_reference_makes_it_eagain),
		cmocka_unit_test(test_exec__two_tds_on_one_host),
		cmocka_unit_test(test_exec__same_seed_same_trace),
		cmocka_unit_test(test_exec__a_late_ipi_is_a_matter_of_the_schedule),
		cmocka_unit_test(test_exec__a_fault_that_may_fire),
		cmocka_unit_test(test_exec__verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
