// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is said about bad input, to the letter: place, what was found, what was expected, caret,
 * nearest known word.
 */
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

static char *messages(const char *text)
{
	struct lab_source src = {"f.scn", text, strlen(text)};
	struct lab_scenario sc;
	struct lab_setup su;
	struct lab_diag d = {0};
	char *out = NULL;
	size_t len;

	d.out = open_memstream(&out, &len);
	lab_scenario_init(&sc);
	if (!lab_parse(&sc, &src, &d))
		lab_setup_resolve(&sc, &su, &d);
	lab_scenario_free(&sc);
	fclose(d.out);
	return out;
}

static const struct {
	const char *text, *message;
} bad[] = {
	{"vcpu0: acept slot0 2M\n",
	 "f.scn:1:8: found \"acept\", expected an action of a vCPU: accept, read, write, cpu, mapgpa, tdcall; "
	 "did you mean \"accept\"?\n  vcpu0: acept slot0 2M\n         ^~~~~\n"},
	{"\thost:\tbild\n",
	 "f.scn:1:8: found \"bild\", expected an action of the VMM: build, convert, punch, prefault, read, write, "
	 "pin, unpin, memory-failure, seamcall, destroy, alloc, slot-delete, slot-add, close, signal; "
	 "did you mean \"build\"?\n  \thost:\tbild\n  \t     \t^~~~\n"},
	{"modul profile=1.5.28\n",
	 "f.scn:1:1: found \"modul\", expected a set-up line (module, host, td, kvm, gmem, slot, region), "
	 "ACTOR: ACTION, inject, expect or parallel; did you mean \"module\"?\n"
	 "  modul profile=1.5.28\n  ^~~~~\n"},
	{"vcpu0 accept slot0 4K\n",
	 "f.scn:1:1: found \"vcpu0\" without a colon, expected \"vcpu0: ACTION\"\n"
	 "  vcpu0 accept slot0 4K\n  ^~~~~\n"},
	{"host: convert slot0 4K sharde\n",
	 "f.scn:1:24: found \"sharde\", expected shared or private; did you mean \"shared\"?\n"
	 "  host: convert slot0 4K sharde\n                         ^~~~~~\n"},
	{"host: convert slot0\n",
	 "f.scn:1:20: found the end of the line, expected SIZE, shared|private\n"
	 "  host: convert slot0\n                     ^\n"},
	{"host: destroy now\n", "f.scn:1:15: found \"now\", expected the end of the line\n"
				"  host: destroy now\n                ^~~\n"},
	{"host cpus=four\n", "f.scn:1:11: found \"four\", expected a number\n"
			     "  host cpus=four\n            ^~~~\n"},
	{"host cpus=2 cpus=3\n",
	 "f.scn:1:13: \"cpus\" is given twice\n  host cpus=2 cpus=3\n              ^~~~~~\n"},
	{"gmem g0 sise=4M\n",
	 "f.scn:1:9: found \"sise\", expected a key of this line or a policy (tdxsim list policies); "
	 "did you mean \"size\"?\n"
	 "  gmem g0 sise=4M\n          ^~~~\n"},
	{"kvm tdx_hugepage=on\n",
	 "f.scn:1:5: found \"tdx_hugepage\", expected a key of this line or a policy (tdxsim list policies); "
	 "did you mean \"tdx_huge_page\"?\n  kvm tdx_hugepage=on\n      ^~~~~~~~~~~~\n"},
	{"kvm series=v6\n",
	 "f.scn:1:12: found \"v6\", expected a value of the policy series (tdxsim list policies); did you mean "
	 "\"v3\"?\n  kvm series=v6\n             ^~\n"},
	{"module profile=1.5.27\n",
	 "f.scn:1:16: found \"1.5.27\", expected a release (tdxsim list features); did you mean \"1.5.20\"?\n"
	 "  module profile=1.5.27\n                 ^~~~~~\n"},
	{"host: seamcall TDH.MEM.TRAK\n",
	 "f.scn:1:16: found \"TDH.MEM.TRAK\", expected a SEAMCALL (tdxsim list leaves); did you mean "
	 "\"TDH.MEM.TRACK\"?\n  host: seamcall TDH.MEM.TRAK\n                 ^~~~~~~~~~~~\n"},
	{"host: seamcall TDH.MEM.TRACK rxc=1\n",
	 "f.scn:1:30: found \"rxc\", expected a register: rcx=..., rdx=..., r8=... r15=...; did you mean \"rcx\"?\n"
	 "  host: seamcall TDH.MEM.TRACK rxc=1\n                               ^~~\n"},
	{"host: build\nexpect seamcalls (TDH.MEM.TRACK\n",
	 "f.scn:2:18: found \"(\", expected its closing parenthesis on this line\n"
	 "  expect seamcalls (TDH.MEM.TRACK\n                   ^\n"},
	{"host: build\nexpect seamcalls TDH.MEM.TRACK*0\n",
	 "f.scn:2:32: found \"0\", expected how often, from 1 to 1000000\n"
	 "  expect seamcalls TDH.MEM.TRACK*0\n                                 ^\n"},
	{"host: build\nexpect stat page_4k == 1\n",
	 "f.scn:2:13: found \"page_4k\", expected a statistic (tdxsim list stats); did you mean \"pages_4k\"?\n"
	 "  expect stat page_4k == 1\n              ^~~~~~~\n"},
	{"host: build\ntd vcpus=1\n",
	 "f.scn:2:1: set-up comes before the first action; \"td\" is too late\n"
	 "  td vcpus=1\n  ^~\n"},
	{"host: build\nhost convert slot0 4K shared\n",
	 "f.scn:2:1: found \"host\" without a colon, expected \"host: ACTION\"\n"
	 "  host convert slot0 4K shared\n  ^~~~\n"},
	{"parallel {\nhost: build\n",
	 "f.scn:1:1: this parallel block has no closing brace\n  parallel {\n  ^~~~~~~~\n"},
	{"}\n", "f.scn:1:1: found \"}\", but no parallel block is open\n  }\n  ^\n"},
	/* What does not fit the machine. */
	{"vcpu2: accept slot0 4K\n",
	 "f.scn:1:1: there is no vcpu2; td vcpus=2\n  vcpu2: accept slot0 4K\n  ^\n"},
	{"vcpu0: accept slot3 4K\n",
	 "f.scn:1:15: there is no slot 3\n  vcpu0: accept slot3 4K\n                ^\n"},
	{"vcpu0: accept slot0 6K\n",
	 "f.scn:1:21: GPA and SIZE of an accept are multiples of 4K, and SIZE is not 0\n"
	 "  vcpu0: accept slot0 6K\n                      ^\n"},
	{"module profile=1.5.16 dynamic_pamt=on\n",
	 "f.scn:1:36: profile 1.5.16 has no Dynamic PAMT; it comes with 1.5.20\n"
	 "  module profile=1.5.16 dynamic_pamt=on\n                                     ^\n"},
	{"module profile=1.5.25 enhanced_demote_interruptibility=on\n",
	 "f.scn:1:56: profile 1.5.25 does not have feature bit 51; it comes with 1.5.28\n"
	 "  module profile=1.5.25 enhanced_demote_interruptibility=on\n"
	 "                                                         ^\n"},
	{"kvm size_rule=folio\ngmem g0 size_rule=CONTIG\n",
	 "f.scn:2:1: size_rule=CONTIG contradicts size_rule=folio of the kvm line: it is one switch\n"
	 "  gmem g0 size_rule=CONTIG\n  ^\n"},
	{"slot 0 gmem=g7+0\n",
	 "f.scn:1:13: no gmem line declares \"g7\"\n  slot 0 gmem=g7+0\n              ^\n"},
	{"expect ok\n",
	 "f.scn:1:1: there is no action in front of this expectation\n  expect ok\n  ^\n"},
	{"host: build\nexpect map slot0\n",
	 "f.scn:2:1: expected \"none\", \"level=\" or \"state=\"\n  expect map slot0\n  ^\n"},
};

static void test_messages__are_exact(void **state)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(bad); i++) {
		char *said = messages(bad[i].text);

		assert_string_equal(said, bad[i].message);
		free(said);
	}
}

static void test_messages__each_wrong_line_is_named_once(void **state)
{
	char *said = messages("fo\nhost: bild\nhost: build\nvcpu0: red slot0\n");
	u32 lines = 0;

	for (const char *p = said; (p = strstr(p, "f.scn:")); p++)
		lines++;
	assert_int_equal(lines, 3);
	free(said);
}

/* A file that is no scenario is refused with one line. */
static void assert_refused(const char *path, const char *message)
{
	struct lab_source src;
	struct lab_diag d = {0};
	char *out = NULL, want[600];
	size_t len;

	d.out = open_memstream(&out, &len);
	assert_null(lab_source_read(path, &src, &d));
	fclose(d.out);
	snprintf(want, sizeof(want), "%s: %s\n", path, message);
	assert_string_equal(out, want);
	free(out);
}

static void write_file(const char *path, const char *text, size_t len, u32 times)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	while (times--)
		fwrite(text, 1, len, f);
	fclose(f);
}

static void test_messages__what_is_no_scenario_is_refused(void **state)
{
	assert_refused("/", "this is a directory; expected the file of a scenario");
	assert_refused("no-such-file.scn", "No such file or directory");
	write_file("lab-test.tmp", "", 0, 1);
	assert_refused("lab-test.tmp", "the file is empty; expected a scenario");
	write_file("lab-test.tmp", "host\0build", 10, 1);
	assert_refused("lab-test.tmp", "this is a binary file; expected the text of a scenario");
	write_file("lab-test.tmp", "# ten megabytes\n", 16, 655360);
	assert_refused("lab-test.tmp", "the file is larger than 1 MiB; no scenario is");
	remove("lab-test.tmp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages__are_exact),
		cmocka_unit_test(test_messages__each_wrong_line_is_named_once),
		cmocka_unit_test(test_messages__what_is_no_scenario_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
