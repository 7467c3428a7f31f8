// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdxsim explore: options of the search.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/lab/explore_scn.h"
#include "tools/cmd.h"
#include "tools/opts.h"

#define SETS_MAX 32

struct explore_ctx {
	struct lab_explore_opts o;
	const char *set[SETS_MAX + 1];
	u32 nr_sets;
};

enum {
	OPT_PREEMPTIONS,
	OPT_MAX_STATES,
	OPT_JOBS,
	OPT_ALL,
	OPT_MODE,
	OPT_NO_REDUCTION,
	OPT_SET,
	OPT_REPLAY,
	OPT_RESTS,
};

static const struct opt explore_options[] = {
	[OPT_PREEMPTIONS] = {"preemptions", "N", "only schedules with at most N preemptions"},
	[OPT_MAX_STATES] = {"max-states", "N", "give up after that many states"},
	[OPT_JOBS] = {"jobs", "N", "processes that search (1); the totals are the same"},
	[OPT_ALL] = {"all", NULL, "go on behind a violation: every rule that can break"},
	[OPT_MODE] = {"mode", "bfs|dfs", "breadth first (shortest schedule first), or depth first"},
	[OPT_NO_REDUCTION] = {"no-reduction", NULL,
			      "also schedules that differ only in the order of independent steps"},
	[OPT_SET] = {"set", "SECTION.KEY=VALUE", "change a set-up line, e.g. kvm.series=v3"},
	[OPT_REPLAY] = {"replay", "FILE",
			"where the first schedule that breaks is written; NAME.replay otherwise"},
	[OPT_RESTS] = {"rests", NULL, "print a hash of each state in which all actors are done"},
	{0},
};

static bool explore_set(void *arg, u32 i, const char *val);

static const struct opts explore_opts = {
	.command = "explore",
	.operands = "FILE",
	.what = "Runs every schedule of a scenario's parallel blocks: proves that it holds, or hands over the\n"
		"shortest schedule that breaks a rule, made small, with a replay file.",
	.opt = explore_options,
	.more = "The last line says what was covered: states=N schedules=N violations=N complete=yes|no.\n"
		"Exit status: 0 every schedule held; 1 an expectation failed; 2 bad input; 3 a defect of tdxsim;\n"
		"4 an oracle broke; 5 deadlock or no progress.\n",
	.set = explore_set,
};

static bool number32(u32 i, const char *val, u32 *num)
{
	u64 n;

	if (!opts_number(&explore_opts, i, val, &n))
		return false;
	if (n > 1000000000) {
		opts_error(&explore_opts, "--%s: found \"%s\", expected at most 1000000000",
			   explore_options[i].name, val);
		return false;
	}
	*num = (u32)n;
	return true;
}

static bool explore_set(void *arg, u32 i, const char *val)
{
	static const char *const modes[] = {"bfs", "dfs", NULL};
	struct explore_ctx *c = arg;
	int word;

	switch (i) {
	case OPT_PREEMPTIONS:
		return number32(i, val, &c->o.search.preemptions);
	case OPT_MAX_STATES:
		return opts_number(&explore_opts, i, val, &c->o.search.max_states);
	case OPT_JOBS:
		if (!number32(i, val, &c->o.search.jobs))
			return false;
		if (c->o.search.jobs && c->o.search.jobs <= LAB_EX_JOBS_MAX)
			return true;
		opts_error(&explore_opts, "--jobs: found \"%s\", expected 1 to %d", val,
			   LAB_EX_JOBS_MAX);
		return false;
	case OPT_ALL:
		c->o.search.all = true;
		return true;
	case OPT_MODE:
		word = opts_word(&explore_opts, i, val, modes);
		c->o.search.depth_first = word == 1;
		return word >= 0;
	case OPT_NO_REDUCTION:
		c->o.search.no_reduction = true;
		return true;
	case OPT_SET:
		if (c->nr_sets == SETS_MAX) {
			opts_error(&explore_opts, "at most %d times --set", SETS_MAX);
			return false;
		}
		c->set[c->nr_sets++] = val;
		return true;
	case OPT_REPLAY:
		c->o.replay_path = val;
		return true;
	case OPT_RESTS:
		c->o.rests = true;
		return true;
	}
	return false;
}

int cmd_explore(int argc, char **argv)
{
	struct explore_ctx c = {.o = {.out = stdout, .err = stderr}};
	int status, first;

	c.o.search.preemptions = LAB_EX_UNBOUNDED;
	first = opts_parse(&explore_opts, argc, argv, &c, &status);
	if (first < 0)
		return status;
	if (argc - first != 1) {
		opts_help(&explore_opts, stderr);
		return opts_error(&explore_opts, "found %d operands, expected one FILE",
				  argc - first);
	}
	c.o.set = c.set;
	return (int)lab_explore_file(argv[first], &c.o);
}
