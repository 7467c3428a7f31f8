// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim coverage": what scenarios and recordings reached of what can be reached.
 * Running and counting is sim/lab/coverage.h; here are only the options and the exit status.
 */
#include <stdio.h>

#include "sim/lab/coverage.h"
#include "tools/cmd.h"
#include "tools/opts.h"

enum option {
	OPT_ALL,
	OPT_MARKDOWN
};

struct coverage_ctx {
	bool all, markdown;
};

static bool coverage_option(void *ctx, u32 i, const char *arg)
{
	struct coverage_ctx *c = ctx;

	if (i == OPT_ALL)
		c->all = true;
	else
		c->all = c->markdown = true;
	return true;
}

static const struct opt coverage_options[] = {
	[OPT_ALL] = {"all", NULL, "also what was reached, with how often"},
	[OPT_MARKDOWN] = {"markdown", NULL, "all of it as the tables of docs/coverage.md"},
	{0},
};

static const struct opts coverage_opts = {
	.command = "coverage",
	.operands = "FILE|DIR...",
	.what = "Runs scenarios and recordings and tells which statuses of which leaf, which changes of\n"
		"S-EPT entries, which policies and which oracles they reached, and which they did not.",
	.opt = coverage_options,
	.more = "The last line counts; \"unexplained\" are those neither reached nor given a reason why not.\n"
		"Exit status: 0; 1 a scenario did not hold, a recorded call differs, or something was\n"
		"reached that the tables do not have; 2 bad input.\n",
	.set = coverage_option,
};

int cmd_coverage(int argc, char **argv)
{
	struct coverage_ctx ctx = {0};
	struct lab_coverage_sum s;
	struct lab_coverage *c;
	u32 wrong = 0;
	int status, i = opts_parse(&coverage_opts, argc, argv, &ctx, &status);

	if (i < 0)
		return status;
	if (i == argc)
		return opts_error(&coverage_opts, "found no operand, expected FILE or DIR");
	c = lab_coverage_new();
	for (; i < argc; i++)
		wrong += lab_coverage_add(c, argv[i], stderr);
	if (wrong) {
		lab_coverage_free(c);
		return opts_error(&coverage_opts, "no table: not everything could be read");
	}
	lab_coverage_print(c, stdout, ctx.markdown, ctx.all);
	s = lab_coverage_sum(c);
	lab_coverage_free(c);
	printf("%sstatuses=%u reached=%u unexplained=%u transitions=%u reached=%u unexplained=%u unknown=%u\n",
	       ctx.markdown ? "\n" : "", s.statuses, s.statuses_reached, s.statuses_unexplained,
	       s.entries, s.entries_reached, s.entries_unexplained, s.unknown);
	return s.failed || s.unknown ? 1 : 0;
}
