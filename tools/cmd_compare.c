// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim compare": options to struct lab_compare_opts. The comparison is sim/lab/compare.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/lab/compare.h"
#include "tools/cmd.h"
#include "tools/opts.h"

struct compare_ctx {
	struct lab_compare_opts opts;
	const char *policy[LAB_COLUMNS_MAX];
};

enum {
	OPT_POLICY,
	OPT_FORMAT,
	OPT_DIFFERENCES,
	OPT_FAIL_EACH,
	OPT_BUSY,
};

static const struct opt compare_options[] = {
	[OPT_POLICY] = {"policy", "POLICY",
			"a column: PROFILE, SERIES, KEY=VALUE, or several with commas"},
	[OPT_FORMAT] = {"format", "FORMAT", "the table as text, json or csv"},
	[OPT_DIFFERENCES] = {"differences", NULL, "only the rows that differ"},
	[OPT_FAIL_EACH] = {"fail-each", NULL,
			   "also a run for each thing that can fail, and what it leaves behind"},
	[OPT_BUSY] = {"busy", NULL, "with --fail-each: BUSY at each SEAMCALL, too"},
	{0},
};

static bool compare_set(void *arg, u32 i, const char *val);

static const struct opts compare_opts = {
	.command = "compare",
	.operands = "FILE",
	.what = "Runs a scenario, in order, once under each policy, and prints one table with a column for each.\n"
		"A PROFILE is one of guest_memfd (V3, GOOGLE_2026 ...), a SERIES one of KVM (v3, v5); KEY=VALUE is a\n"
		"switch of a gmem or kvm line (tdxsim list policies). They take the place of what the file says about\n"
		"the same switches; whatever else the file sets stays.",
	.opt = compare_options,
	.more = "Counters begin with the first action: an implied build and the end of the TDs are not in them.\n"
		"Rows whose columns differ have a star in front, and stand out on a terminal (not under NO_COLOR).\n\n"
		"--fail-each counts, in one run without failures, every allocation, every SEAMCALL and every check of\n"
		"references from the first action on, and then makes each of them fail once, in a run of its own: the\n"
		"allocation gives nothing, the SEAMCALL answers OPERAND_INVALID, the check meets one reference more.\n\n"
		"Exit status: what holds under one policy and not under another is a difference: a row, and no failure.\n"
		"0 no failure under all of them; 1 an expectation holds under none; 2 bad input; 3 a defect of tdxsim;\n"
		"4 an oracle broke under all of them; 5 no progress under all of them.\n",
	.mmu = true,
	.set = compare_set,
};

static bool compare_set(void *arg, u32 i, const char *val)
{
	static const char *const formats[] = {"text", "json", "csv", NULL};
	struct compare_ctx *c = arg;
	int word;

	switch (i) {
	case OPT_POLICY:
		if (c->opts.nr_policies == LAB_COLUMNS_MAX) {
			opts_error(&compare_opts, "at most %d times --policy", LAB_COLUMNS_MAX);
			return false;
		}
		c->policy[c->opts.nr_policies++] = val;
		return true;
	case OPT_FORMAT:
		word = opts_word(&compare_opts, i, val, formats);
		c->opts.format = (enum lab_compare_format)word;
		return word >= 0;
	case OPT_DIFFERENCES:
		c->opts.differences = true;
		return true;
	case OPT_FAIL_EACH:
		c->opts.fail_each = true;
		return true;
	case OPT_BUSY:
		c->opts.busy = true;
		return true;
	}
	return false;
}

int cmd_compare(int argc, char **argv)
{
	struct compare_ctx c = {.opts = {.out = stdout, .err = stderr}};
	int status, first = opts_parse(&compare_opts, argc, argv, &c, &status);
	const char *no = getenv("NO_COLOR");

	if (first < 0)
		return status;
	if (argc - first != 1) {
		opts_help(&compare_opts, stderr);
		return opts_error(&compare_opts, "found %d operands, expected one FILE",
				  argc - first);
	}
	if (!c.opts.nr_policies)
		return opts_error(&compare_opts, "found no --policy, expected at least one");
	if (c.opts.busy && !c.opts.fail_each)
		return opts_error(&compare_opts, "--busy goes with --fail-each");
	c.opts.path = argv[first];
	c.opts.policy = c.policy;
	c.opts.colour = isatty(STDOUT_FILENO) && !(no && *no);
	c.opts.progress = isatty(STDERR_FILENO);
	return (int)lab_compare(&c.opts);
}
