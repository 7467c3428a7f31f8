// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdxsim explore: options of the search.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "sim/lab/explore_scn.h"
#include "tools/cmd.h"
#include "tools/interrupt.h"
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
	OPT_SHARD,
	OPT_CHECKPOINT,
	OPT_CHECKPOINT_MS,
	OPT_ALL,
	OPT_MODE,
	OPT_NO_REDUCTION,
	OPT_SYMMETRY,
	OPT_SET,
	OPT_REPLAY,
	OPT_RESTS,
};

static const struct opt explore_options[] = {
	[OPT_PREEMPTIONS] = {"preemptions", "N", "only schedules with at most N preemptions"},
	[OPT_MAX_STATES] = {"max-states", "N", "give up after that many states"},
	[OPT_JOBS] = {"jobs", "N", "processes that search (1); the totals are the same"},
	[OPT_SHARD] = {"shard", "I/N", "part I, from 0, of N: schedules and violations add up"},
	[OPT_CHECKPOINT] = {"checkpoint", "FILE",
			    "keep the search there, and go on from there if it exists"},
	[OPT_CHECKPOINT_MS] = {"checkpoint-ms", "N",
			       "not more often than every N milliseconds (5000)"},
	[OPT_ALL] = {"all", NULL, "go on behind a violation: every rule that can break"},
	[OPT_MODE] = {"mode", "bfs|dfs", "breadth first (shortest schedule first), or depth first"},
	[OPT_NO_REDUCTION] = {"no-reduction", NULL,
			      "states that differ in the order of allocations are not one"},
	[OPT_SYMMETRY] =
		{"symmetry", NULL,
		 "vCPUs with the same lines begin in order of number: assumes that they are alike"},
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
		"Exit status: 0 every schedule that was run held (all of them if complete=yes); 1 an expectation failed; 2 bad input; 3 a defect of tdxsim;\n"
		"4 an oracle broke; 5 deadlock or no progress. Ctrl-C ends the search with what it has covered: complete=no.\n",
	.mmu = true,
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

static bool shard(const char *val, struct lab_ex_opts *o)
{
	char *slash, *end;
	unsigned long i = strtoul(val, &slash, 10), n = 0;

	if (*slash == '/' && slash != val)
		n = strtoul(slash + 1, &end, 10);
	if (n && !*end && n <= 1000000 && i < n && val[0] != '-' && slash[1] != '-') {
		o->shard = (u32)i;
		o->shards = (u32)n;
		return true;
	}
	opts_error(&explore_opts, "--shard: found \"%s\", expected I/N with I from 0 to N - 1",
		   val);
	return false;
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
		if (!opts_number(&explore_opts, i, val, &c->o.search.max_states))
			return false;
		if (!c->o.search.max_states)
			opts_error(&explore_opts, "--max-states: found 0, expected 1 or more");
		return c->o.search.max_states;
	case OPT_JOBS:
		if (!number32(i, val, &c->o.search.jobs))
			return false;
		if (c->o.search.jobs && c->o.search.jobs <= LAB_EX_JOBS_MAX)
			return true;
		opts_error(&explore_opts, "--jobs: found \"%s\", expected 1 to %d", val,
			   LAB_EX_JOBS_MAX);
		return false;
	case OPT_SHARD:
		return shard(val, &c->o.search);
	case OPT_CHECKPOINT:
		c->o.search.checkpoint = val;
		return true;
	case OPT_CHECKPOINT_MS:
		return number32(i, val, &c->o.search.checkpoint_ms);
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
	case OPT_SYMMETRY:
		c->o.search.symmetry = true;
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

/* A clock that nothing of a search depends on: milliseconds since it was made, or none. */
struct ticker {
	int fd;
	u64 ms;
};

static u64 ticker_ms(void *ctx)
{
	struct ticker *t = ctx;
	u64 ticks;

	if (t->fd >= 0 && read(t->fd, &ticks, sizeof(ticks)) == sizeof(ticks))
		t->ms += ticks;
	return t->ms;
}

static void ticker_start(struct ticker *t)
{
	const struct itimerspec every = {{0, 1000000}, {0, 1000000}};

	t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (t->fd >= 0 && timerfd_settime(t->fd, 0, &every, NULL)) {
		close(t->fd);
		t->fd = -1;
	}
}

int cmd_explore(int argc, char **argv)
{
	struct explore_ctx c = {.o = {.out = stdout, .err = stderr}};
	struct ticker clock = {.fd = -1};
	int status, first;

	c.o.search.preemptions = LAB_EX_UNBOUNDED;
	c.o.search.checkpoint_ms = 5000;
	first = opts_parse(&explore_opts, argc, argv, &c, &status);
	if (first < 0)
		return status;
	if (argc - first != 1) {
		opts_help(&explore_opts, stderr);
		return opts_error(&explore_opts, "found %d operands, expected one FILE",
				  argc - first);
	}
	c.o.set = c.set;
	ticker_start(&clock);
	c.o.search.clock_ms = ticker_ms;
	c.o.search.clock_ctx = &clock;
	c.o.search.stopped = interrupt_came;
	interrupt_catch();
	c.o.search.progress = isatty(STDERR_FILENO) ? stderr : NULL;
	status = (int)lab_explore_file(argv[first], &c.o);
	if (clock.fd >= 0)
		close(clock.fd);
	return status;
}
