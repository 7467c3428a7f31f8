// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim shrink": a failing scenario to a short one that fails the same way. Shrinking itself is
 * sim/lab/shrink.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/replay.h"
#include "sim/lab/shrink.h"
#include "sim/rt/schedule.h"
#include "tools/cmd.h"
#include "tools/opts.h"

enum {
	OPT_SCHEDULE,
	OPT_SEED,
	OPT_OUT,
	OPT_RUNS,
	OPT_BUDGET,
};

struct shrink_ctx {
	const char *schedule, *out;
	u64 seed, runs, budget;
	bool seeded;
	/* Filled on the way. */
	struct lab_scenario sc, choices;
	struct lab_setup su;
	struct rt_schedule sched;
};

static const struct opt shrink_options[] = {
	[OPT_SCHEDULE] = {"schedule", "FILE", "it fails under the schedule lines of this file"},
	[OPT_SEED] = {"seed", "N", "it fails under this seed, from the first action on"},
	[OPT_OUT] = {"out", "FILE", "write the result there; without it, to standard output"},
	[OPT_RUNS] = {"runs", "N", "take at most so many runs (20000)"},
	[OPT_BUDGET] = {"budget", "STEPS", "steps that one action may take (10000000)"},
	{0},
};

static bool shrink_set(void *arg, u32 i, const char *val);

static const struct opts shrink_opts = {
	.command = "shrink",
	.operands = "FILE",
	.what = "Makes a failing scenario small: fewer operations, plainer operands, fewer choices of the\n"
		"scheduler, less set-up; the same rule breaks in the same words.",
	.opt = shrink_options,
	.more = "Exit status: 0 it was shrunk; 1 it does not fail; 2 bad input.\n",
	.mmu = true,
	.set = shrink_set,
};

static bool shrink_set(void *arg, u32 i, const char *val)
{
	struct shrink_ctx *c = arg;

	switch (i) {
	case OPT_SCHEDULE:
		c->schedule = val;
		return true;
	case OPT_SEED:
		c->seeded = true;
		return opts_number(&shrink_opts, i, val, &c->seed);
	case OPT_OUT:
		c->out = val;
		return true;
	case OPT_RUNS:
		return opts_number(&shrink_opts, i, val, &c->runs);
	default:
		return opts_number(&shrink_opts, i, val, &c->budget);
	}
}

/* Text of @path into @sc, appended; the number of errors. */
static u32 read_scenario(const char *path, struct lab_scenario *sc, char **text)
{
	struct lab_diag d = {stderr, 0};
	struct lab_source src;

	*text = lab_source_read(path, &src, &d);
	return *text ? lab_parse(sc, &src, &d) : 1;
}

static bool read_input(struct shrink_ctx *c, const char *path, char **text, char **choices)
{
	struct lab_diag d = {stderr, 0};
	char seed[60];

	if (read_scenario(path, &c->sc, text))
		return false;
	if (c->seeded) {
		struct lab_op op;

		snprintf(seed, sizeof(seed), "chooser random seed=%llu", c->seed);
		if (c->sc.nr_ops && lab_parse_line(&c->sc, seed, &d))
			return false;
		/* Set-up comes first. */
		op = c->sc.ops[c->sc.nr_ops - 1];
		memmove(c->sc.ops + 1, c->sc.ops, (c->sc.nr_ops - 1) * sizeof(op));
		c->sc.ops[0] = op;
	}
	if (lab_setup_resolve(&c->sc, &c->su, &d))
		return false;
	if (c->schedule && read_scenario(c->schedule, &c->choices, choices))
		return false;
	lab_replay_read(&c->choices, &c->su, &c->sched);
	return true;
}

static int write_result(const struct shrink_ctx *c, const struct lab_shrunk *s)
{
	FILE *out = c->out ? fopen(c->out, "w") : stdout;

	if (!out)
		return opts_error(&shrink_opts, "--out %s: %s", c->out, strerror(errno));
	lab_shrunk_write(s, "", out);
	if (c->out && fclose(out))
		return opts_error(&shrink_opts, "--out %s: %s", c->out, strerror(errno));
	fprintf(stderr, "%u of %u actions and faults are left, after %u runs\n", s->actions_last,
		s->actions_first, s->runs);
	return 0;
}

static int shrink(struct shrink_ctx *c, const char *path)
{
	const struct lab_runner_opts opts = {.budget = c->budget};
	struct lab_runner *r = lab_runner_new(&opts);
	struct lab_shrunk s;
	int ret = 0;

	if (lab_shrink(r, &c->sc, c->sched.nr ? &c->sched : NULL, (u32)c->runs, &s)) {
		ret = write_result(c, &s);
	} else if (*s.first.text) {
		ret = opts_error(&shrink_opts, "%s: %s", path, s.first.text);
	} else {
		opts_error(&shrink_opts,
			   "%s: everything holds; expected a scenario that fails "
			   "(under a schedule: --schedule, --seed)",
			   path);
		ret = 1;
	}
	lab_scenario_free(&s.sc);
	lab_runner_free(r);
	return ret;
}

int cmd_shrink(int argc, char **argv)
{
	struct shrink_ctx *c = calloc(1, sizeof(*c));
	int status, i;
	char *text = NULL, *choices = NULL;

	if (!c)
		return 3;
	i = opts_parse(&shrink_opts, argc, argv, c, &status);
	if (i >= 0 && i + 1 != argc)
		status = opts_error(&shrink_opts, "found %d operands, expected FILE", argc - i);
	if (i < 0 || i + 1 != argc) {
		free(c);
		return status;
	}
	lab_scenario_init(&c->sc);
	lab_scenario_init(&c->choices);
	rt_schedule_init(&c->sched);
	status = read_input(c, argv[i], &text, &choices) ? shrink(c, argv[i]) : 2;
	rt_schedule_free(&c->sched);
	lab_scenario_free(&c->sc);
	lab_scenario_free(&c->choices);
	free(text);
	free(choices);
	free(c);
	return status;
}
