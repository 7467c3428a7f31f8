// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim run": options to struct lab_run_opts. The run itself is sim/lab/run.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/lab/pct.h"
#include "sim/lab/run.h"
#include "tools/cmd.h"
#include "tools/interrupt.h"
#include "tools/opts.h"

#define SETS_MAX 64

struct run_ctx {
	struct lab_run_opts opts;
	const char *set[SETS_MAX + 1];
	u32 nr_sets;
	bool grammar;
	bool seeded, has_chooser, has_depth;
	int chooser;
	u64 depth;
};

enum {
	OPT_SEED,
	OPT_CHOOSER,
	OPT_DEPTH,
	OPT_RUNS,
	OPT_MINIMISE,
	OPT_SCHEDULE,
	OPT_SET,
	OPT_TRACE,
	OPT_TRACE_FORMAT,
	OPT_FORMAT,
	OPT_NARRATE,
	OPT_LANES,
	OPT_REPLAY,
	OPT_BUDGET,
	OPT_GRAMMAR,
};

static const struct opt run_options[] = {
	[OPT_SEED] = {"seed", "N",
		      "random schedule from this seed (with --chooser pct: one of those)"},
	[OPT_CHOOSER] = {"chooser", "NAME",
			 "in-order, random, or pct (probabilistic concurrency testing)"},
	[OPT_DEPTH] = {"depth", "D", "of --chooser pct: orderings that a bug takes (3)"},
	[OPT_RUNS] = {"runs", "N", "seeds from --seed on until one breaks something, at most N"},
	[OPT_MINIMISE] =
		{"minimise", NULL,
		 "look for the smallest schedule that breaks the same, and report that run"},
	[OPT_SCHEDULE] = {"schedule", "FILE", "play the schedule lines of a replay file"},
	[OPT_SET] = {"set", "SECTION.KEY=VALUE", "change the set-up: --set kvm.tdx_huge_page=off"},
	[OPT_TRACE] = {"trace", "FILE", "write every event"},
	[OPT_TRACE_FORMAT] = {"trace-format", "FORMAT", "text, json (opens in Perfetto) or ftrace"},
	[OPT_FORMAT] =
		{"format", "FORMAT",
		 "report as text, tap, json (one object a line) or record (of tables, for diff-mmu)"},
	[OPT_NARRATE] = {"narrate", NULL,
			 "tell what each action did, and draw the S-EPT at the end"},
	[OPT_LANES] = {"lanes", NULL, "show the last parallel block as a column for each actor"},
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
		"scenario sets up. Of several files the worst wins: 3, 4, 5, 1, 2.\n",
	.mmu = true,
	.set = run_set,
};

static bool run_set(void *arg, u32 i, const char *val)
{
	static const char *const formats[] = {"text", "tap", "json", "record", NULL};
	static const char *const traces[] = {"text", "json", "ftrace", NULL};
	static const char *const choosers[] = {"in-order", "random", "pct", NULL};
	struct run_ctx *c = arg;
	int word;

	switch (i) {
	case OPT_SEED:
		c->seeded = true;
		return opts_number(&run_opts, i, val, &c->opts.session.seed);
	case OPT_CHOOSER:
		c->chooser = opts_word(&run_opts, i, val, choosers);
		c->has_chooser = true;
		return c->chooser >= 0;
	case OPT_DEPTH:
		c->has_depth = true;
		return opts_number(&run_opts, i, val, &c->depth);
	case OPT_RUNS:
		if (!opts_number(&run_opts, i, val, &c->opts.search.runs))
			return false;
		if (!c->opts.search.runs)
			opts_error(&run_opts, "--runs: found 0, expected 1 or more");
		return c->opts.search.runs;
	case OPT_MINIMISE:
		c->opts.minimise = true;
		return true;
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
	case OPT_LANES:
		c->opts.lanes = true;
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

enum {
	IN_ORDER,
	RANDOM,
	PCT
};

/* What --seed, --chooser, --depth, --runs and --schedule say together. False: they don't fit. */
static bool settle_chooser(struct run_ctx *c)
{
	struct lab_opts *o = &c->opts.session;

	if (c->opts.schedule_path && (c->has_chooser || c->seeded || c->opts.search.runs)) {
		opts_error(&run_opts, "--schedule is a chooser: no --seed, --chooser or --runs");
		return false;
	}
	if (!c->has_chooser)
		c->chooser = c->seeded || c->opts.search.runs ? RANDOM : IN_ORDER;
	if (c->chooser == IN_ORDER && (c->seeded || c->opts.search.runs)) {
		opts_error(&run_opts, "--chooser in-order has one run: no --seed, no --runs");
		return false;
	}
	if (c->has_depth && (c->chooser != PCT || !c->depth || c->depth > LAB_PCT_DEPTH_MAX)) {
		opts_error(&run_opts, "--depth: expected 1 to %d, with --chooser pct",
			   LAB_PCT_DEPTH_MAX);
		return false;
	}
	if (c->chooser != IN_ORDER && !c->seeded)
		o->seed = 1;
	o->random = c->chooser == RANDOM;
	o->pct_depth = c->chooser != PCT ? 0 : c->has_depth ? (u32)c->depth : 3;
	return true;
}

static void show_progress(void *ctx, u64 done, u64 runs)
{
	if (done == runs)
		fputs("\r\033[K", stderr);
	else
		fprintf(stderr, "\r%llu of at most %llu runs", done, runs);
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
	if (!settle_chooser(&c))
		return 2;
	if (isatty(STDERR_FILENO))
		c.opts.search.progress = show_progress;
	if (c.opts.search.runs) {
		c.opts.search.stopped = interrupt_came;
		interrupt_catch();
	}
	if (c.opts.trace_path && argc - first > 1)
		return opts_error(&run_opts, "--trace is for one scenario at a time");
	/* Without a trace to write, the last events are enough for a report. */
	events = c.opts.trace_path || c.opts.narrate || c.opts.lanes;
	c.opts.session.trace_cap = events ? 0 : 4096;
	c.opts.set = c.set;
	c.opts.colour = want_colour();
	return (int)lab_run_files(argv + first, (u32)(argc - first), &c.opts);
}
