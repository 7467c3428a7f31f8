// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim debug": a scenario, the schedule to begin with, and the loop that reads commands. What
 * they do is sim/lab/debug.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/lab/debug.h"
#include "sim/lab/replay.h"
#include "sim/lab/search.h"
#include "sim/rt/schedule.h"
#include "tools/cmd.h"
#include "tools/line.h"
#include "tools/opts.h"

#define SETS_MAX 64

struct debug_ctx {
	struct lab_opts opts;
	const char *schedule_path;
	const char *set[SETS_MAX];
	u32 nr_sets;
};

enum {
	OPT_SEED,
	OPT_SCHEDULE,
	OPT_SET,
	OPT_BUDGET,
};

static const struct opt debug_options[] = {
	[OPT_SEED] = {"seed", "N", "the random run of this seed; without it, in order"},
	[OPT_SCHEDULE] = {"schedule", "FILE", "play the schedule lines of a replay file"},
	[OPT_SET] = {"set", "SECTION.KEY=VALUE", "change the set-up: --set kvm.tdx_huge_page=off"},
	[OPT_BUDGET] = {"budget", "STEPS", "steps that one action may take (10000000)"},
	{0},
};

static bool debug_set(void *arg, u32 i, const char *val);

static const struct opts debug_opts = {
	.command = "debug",
	.operands = "FILE",
	.what = "Walks through a run of a scenario, forward and backward, by commands: gdb's words where it has them.\n"
		"Commands come from the terminal, or as a script from standard input.",
	.opt = debug_options,
	.more = "\"help\" lists the commands; docs/debugging.md has a session.\n"
		"Exit status: 0; 2 bad input, or a script with a command that was wrong.\n",
	.mmu = true,
	.set = debug_set,
};

static bool debug_set(void *arg, u32 i, const char *val)
{
	struct debug_ctx *c = arg;

	switch (i) {
	case OPT_SEED:
		c->opts.random = true;
		return opts_number(&debug_opts, i, val, &c->opts.seed);
	case OPT_BUDGET:
		return opts_number(&debug_opts, i, val, &c->opts.budget);
	case OPT_SCHEDULE:
		c->schedule_path = val;
		return true;
	case OPT_SET:
		if (c->nr_sets == SETS_MAX) {
			opts_error(&debug_opts, "at most %d times --set", SETS_MAX);
			return false;
		}
		c->set[c->nr_sets++] = val;
		return true;
	}
	return false;
}

/* Everything that commands have to say, line by line. The exit status. */
static int talk(struct lab_debugger *d)
{
	struct line_reader *r = line_open("(tdxsim) ");
	enum lab_debug_answer answer = LAB_DEBUG_DONE;
	const char *line;
	bool wrong = false;

	if (!r)
		return 3;
	lab_debug_where(d);
	while (answer != LAB_DEBUG_QUIT && (line = line_next(r))) {
		/* In a script an empty line is for the eye. */
		if (!*line && !line_typed(r))
			continue;
		answer = lab_debug_command(d, line);
		wrong |= answer == LAB_DEBUG_WRONG && !line_typed(r);
		fflush(stdout);
	}
	line_close(r);
	return wrong ? 2 : 0;
}

static bool has_seed(const struct lab_scenario *sc)
{
	for (u32 i = 0; i < sc->nr_ops; i++) {
		if (sc->ops[i].kind == LAB_OP_CHOOSER)
			return true;
	}
	return false;
}

/*
 * The schedule that the run begins with: of --schedule, of the scenario itself, or of the random run
 * of --seed or of a line "chooser random", which is made first.
 */
static bool first_schedule(struct debug_ctx *c, const struct lab_scenario *sc,
			   const struct lab_setup *su, struct rt_schedule *sched,
			   struct lab_diag *d)
{
	struct lab_found found;
	u32 left_out = 0;
	char err[400];

	if (c->schedule_path && lab_replay_load(c->schedule_path, su, sched, &left_out, d))
		return false;
	if (!c->schedule_path)
		left_out = lab_replay_read(sc, su, sched);
	if (left_out)
		printf("the schedule does not fit: %u choices left out, of actors that are not here\n",
		       left_out);
	if (!c->opts.random && (c->schedule_path || sched->nr || !has_seed(sc)))
		return true;
	if (!lab_search_play(sc, su, &c->opts, &found, err, sizeof(err))) {
		lab_diag_at(d, &sc->src, 0, 0, 0, "%s", err);
		return false;
	}
	rt_schedule_free(sched);
	*sched = found.schedule;
	return true;
}

static int debug(struct debug_ctx *c, const struct lab_scenario *sc, const struct lab_setup *su,
		 struct lab_diag *diag)
{
	struct lab_debugger *d = NULL;
	struct rt_schedule sched;
	char err[400];
	int status = 2;

	rt_schedule_init(&sched);
	if (first_schedule(c, sc, su, &sched, diag)) {
		c->opts.schedule = &sched;
		d = lab_debug_new(sc, su, &c->opts, stdout, err, sizeof(err));
		if (d)
			status = talk(d);
		else
			lab_diag_at(diag, &sc->src, 0, 0, 0, "%s", err);
	}
	lab_debug_free(d);
	rt_schedule_free(&sched);
	return status;
}

int cmd_debug(int argc, char **argv)
{
	struct debug_ctx c = {{0}};
	int status, first = opts_parse(&debug_opts, argc, argv, &c, &status);
	struct lab_diag diag = {stderr, 0};
	struct lab_scenario sc;
	struct lab_source src;
	struct lab_setup su;
	u32 errors;
	char *text;

	if (first < 0)
		return status;
	if (argc - first != 1) {
		opts_help(&debug_opts, stderr);
		return opts_error(&debug_opts, "expected one FILE");
	}
	if (c.schedule_path && c.opts.random)
		return opts_error(&debug_opts, "--schedule is a chooser: no --seed");
	text = lab_source_read(argv[first], &src, &diag);
	if (!text)
		return 2;
	lab_scenario_init(&sc);
	errors = lab_parse(&sc, &src, &diag);
	for (u32 i = 0; !errors && i < c.nr_sets; i++)
		errors = lab_parse_set(&sc, c.set[i], &diag);
	if (!errors)
		errors = lab_setup_resolve(&sc, &su, &diag);
	status = errors ? 2 : debug(&c, &sc, &su, &diag);
	lab_scenario_free(&sc);
	free(text);
	return status;
}
