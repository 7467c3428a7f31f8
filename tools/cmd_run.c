// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim run": options to struct lab_run_opts. The run itself is sim/lab/run.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/lab/run.h"
#include "tools/cmd.h"
#include "tools/opts.h"

#define SETS_MAX 64

struct run_ctx {
	struct lab_run_opts opts;
	const char *set[SETS_MAX + 1];
	u32 nr_sets;
	bool grammar;
};

enum {
	OPT_SEED,
	OPT_SCHEDULE,
	OPT_SET,
	OPT_TRACE,
	OPT_TRACE_FORMAT,
	OPT_FORMAT,
	OPT_NARRATE,
	OPT_REPLAY,
	OPT_BUDGET,
	OPT_GRAMMAR,
};

static const struct opt run_options[] = {
	[OPT_SEED] = {"seed", "N", "random schedule from this seed; without it, in order"},
	[OPT_SCHEDULE] = {"schedule", "FILE", "play the schedule lines of a replay file"},
	[OPT_SET] = {"set", "SECTION.KEY=VALUE", "change the set-up: --set kvm.tdx_huge_page=off"},
	[OPT_TRACE] = {"trace", "FILE", "write every event"},
	[OPT_TRACE_FORMAT] = {"trace-format", "FORMAT", "text, json (opens in Perfetto) or ftrace"},
	[OPT_FORMAT] =
		{"format", "FORMAT",
		 "report as text, tap, json (one object a line) or record (of tables, for diff-mmu)"},
	[OPT_NARRATE] = {"narrate", NULL,
			 "tell what each action did, and draw the S-EPT at the end"},
	[OPT_REPLAY] = {"replay", "FILE",
			"where a run that broke is written; NAME.replay otherwise"},
	[OPT_BUDGET] = {"budget", "STEPS", "steps that one action may take (10000000)"},
	[OPT_GRAMMAR] = {"grammar", NULL, "print the scenario language and end"},
	{0},
};

static bool run_set(void *arg, u32 i, const char *val);

static const struct opts run_opts = {
	.command = "run",
	.operands = "FILE...",
	.what = "Runs scenarios, prints one line per action with its outcome, and judges expectations and oracles.",
	.opt = run_options,
	.more = "Exit status: 0 everything held; 1 an expectation failed; 2 bad input; 3 a defect of tdxsim;\n"
		"4 an oracle broke; 5 deadlock or no progress; 77 skipped, with --mmu: the tree can't do what the\n"
		"scenario sets up. Of several files the worst wins: 3, 4, 5, 1.\n",
	.mmu = true,
	.set = run_set,
};

static bool run_set(void *arg, u32 i, const char *val)
{
	static const char *const formats[] = {"text", "tap", "json", "record", NULL};
	static const char *const traces[] = {"text", "json", "ftrace", NULL};
	struct run_ctx *c = arg;
	int word;

	switch (i) {
	case OPT_SEED:
		c->opts.session.random = true;
		return opts_number(&run_opts, i, val, &c->opts.session.seed);
	case OPT_BUDGET:
		return opts_number(&run_opts, i, val, &c->opts.session.budget);
	case OPT_SCHEDULE:
		c->opts.schedule_path = val;
		return true;
	case OPT_SET:
		if (c->nr_sets == SETS_MAX) {
			opts_error(&run_opts, "at most %d times --set", SETS_MAX);
			return false;
		}
		c->set[c->nr_sets++] = val;
		return true;
	case OPT_TRACE:
		c->opts.trace_path = val;
		return true;
	case OPT_TRACE_FORMAT:
		word = opts_word(&run_opts, i, val, traces);
		c->opts.trace_format = (enum lab_trace_format)word;
		return word >= 0;
	case OPT_FORMAT:
		word = opts_word(&run_opts, i, val, formats);
		c->opts.format = (enum lab_format)word;
		return word >= 0;
	case OPT_NARRATE:
		c->opts.narrate = true;
		return true;
	case OPT_REPLAY:
		c->opts.replay_path = val;
		return true;
	case OPT_GRAMMAR:
		c->grammar = true;
		return true;
	}
	return false;
}

/* Only for people's eyes: on a terminal, and not where NO_COLOR says no (no-color.org). */
static bool want_colour(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no);
}

int cmd_run(int argc, char **argv)
{
	struct run_ctx c = {.opts = {.out = stdout, .err = stderr}};
	int status, first = opts_parse(&run_opts, argc, argv, &c, &status);
	bool events;

	if (first < 0)
		return status;
	if (c.grammar) {
		lab_print_grammar(stdout);
		return 0;
	}
	if (first == argc) {
		opts_help(&run_opts, stderr);
		return opts_error(&run_opts, "found no operand, expected FILE");
	}
	if (c.opts.trace_path && argc - first > 1)
		return opts_error(&run_opts, "--trace is for one scenario at a time");
	/* Without a trace to write, the last events are enough for a report. */
	events = c.opts.trace_path || c.opts.narrate;
	c.opts.session.trace_cap = events ? 0 : 4096;
	c.opts.set = c.set;
	c.opts.colour = want_colour();
	return (int)lab_run_files(argv + first, (u32)(argc - first), &c.opts);
}
