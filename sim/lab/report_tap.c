// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report for test runners: TAP, one test a scenario, its details as diagnostics.
 */
#include <string.h>

#include "sim/lab/expect.h"
#include "sim/lab/run.h"
#include "sim/lab/util.h"

static void begin(struct lab_run *run)
{
	char text[300];

	lab_setup_describe(&run->su, text, sizeof(text));
	fprintf(run->opts->out, "# %s: %s\n", run->path, text);
	lab_put_lines(run->opts->out, "# ", run->found);
}

static void action(struct lab_run *run, u32 op)
{
}

static void failed(struct lab_run *run, u32 op, u32 act, const char *seen)
{
	char text[2000];

	lab_print_op(&run->sc, &run->sc.ops[op], text, sizeof(text));
	fprintf(run->opts->out, "# %s:%u: expectation failed\n#   expected: %s\n#   seen: %s\n",
		run->path, run->sc.ops[op].line, text, seen);
	if (act != LAB_NO_OP)
		lab_print_events(run->s, run->opts->out, 20, "#     ");
}

static void end(struct lab_run *run)
{
	FILE *out = run->opts->out;

	for (u32 i = 0; i < run->s->nr_broken; i++)
		fprintf(out, "# %s: %s%s\n", run->s->broken[i].rule, run->s->broken[i].text,
			run->s->broken[i].excused ? " (forced by an injected fault)" : "");
	/* What is no "# " line would be a line of the protocol. */
	lab_put_lines(out, "# ", run->s->stuck);
	if (run->replay)
		fprintf(out, "# replay file: %s\n", run->replay);
	fprintf(out, "%s %u - %s\n", run->verdict ? "not ok" : "ok", run->file_nr, run->path);
}

static void refused(const struct lab_run_opts *opts, const char *path, u32 file_nr)
{
	fprintf(opts->out, "# %s: bad input, not run\nnot ok %u - %s\n", path, file_nr, path);
}

static void skipped(const struct lab_run *run, const char *why)
{
	fprintf(run->opts->out, "ok %u - %s # SKIP %s\n", run->file_nr, run->path, why);
}

static void total(const struct lab_run_opts *opts, const struct lab_total *n)
{
	fprintf(opts->out, "1..%u\n", n->files);
}

const struct lab_report lab_report_tap = {begin, action, failed, end, refused, skipped, total};
