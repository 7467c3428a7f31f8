// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report for programs: one JSON object a scenario, one line each event of the report ("JSON
 * lines").
 */
#include "sim/lab/expect.h"
#include "sim/lab/expect_calls.h"
#include "sim/lab/run.h"
#include "sim/lab/util.h"

static void put_key(FILE *out, const char *key, const char *val)
{
	fprintf(out, ",\"%s\":", key);
	lab_put_json(out, val);
}

static void begin(struct lab_run *run)
{
	char text[300];

	lab_setup_describe(&run->su, text, sizeof(text));
	fputs("{\"event\":\"begin\"", run->opts->out);
	put_key(run->opts->out, "file", run->path);
	put_key(run->opts->out, "setup", text);
	put_key(run->opts->out, "search", run->found ? run->found : "");
	fprintf(run->opts->out, ",\"seed\":%llu}\n", run->s->opts.seed);
}

static void action(struct lab_run *run, u32 op)
{
	const struct lab_op *o = &run->sc.ops[op];
	const struct lab_result *res = lab_result(run->s->m, op);
	char text[4000];
	FILE *out = run->opts->out;

	fprintf(out, "{\"event\":\"action\",\"line\":%u,\"steps\":[%llu,%llu]", o->line,
		res->first_step, res->last_step);
	lab_print_op(&run->sc, o, text, sizeof(text));
	put_key(out, "action", text);
	lab_outcome_text(o, &res->out, text, sizeof(text));
	put_key(out, "outcome", text);
	lab_calls_text(run->s->m, run->s->m->parallel ? op : LAB_NO_OP, text, sizeof(text));
	put_key(out, "seamcalls", text);
	fputs("}\n", out);
}

static void failed(struct lab_run *run, u32 op, u32 act, const char *seen)
{
	FILE *out = run->opts->out;
	char text[2000];

	fprintf(out, "{\"event\":\"failed\",\"line\":%u", run->sc.ops[op].line);
	lab_print_op(&run->sc, &run->sc.ops[op], text, sizeof(text));
	put_key(out, "expected", text);
	put_key(out, "seen", seen);
	fputs("}\n", out);
}

static void end(struct lab_run *run)
{
	FILE *out = run->opts->out;

	for (u32 i = 0; i < run->s->nr_broken; i++) {
		const struct lab_broken *b = &run->s->broken[i];

		fprintf(out, "{\"event\":\"broken\",\"step\":%llu,\"forced\":%s", b->step,
			b->excused ? "true" : "false");
		put_key(out, "oracle", b->rule);
		put_key(out, "text", b->text);
		fputs("}\n", out);
	}
	fprintf(out,
		"{\"event\":\"end\",\"verdict\":%d,\"actions\":%u,\"expectations\":%u,\"failed\":%u",
		run->verdict, run->nr_actions, run->nr_expects, run->nr_failed);
	put_key(out, "stuck", run->s->stuck);
	put_key(out, "replay", run->replay ? run->replay : "");
	fputs("}\n", out);
}

static void refused(const struct lab_run_opts *opts, const char *path, u32 file_nr)
{
	fputs("{\"event\":\"refused\"", opts->out);
	put_key(opts->out, "file", path);
	fprintf(opts->out, ",\"verdict\":%d}\n", LAB_BAD_INPUT);
}

static void skipped(const struct lab_run *run, const char *why)
{
	FILE *out = run->opts->out;

	fputs("{\"event\":\"skipped\"", out);
	put_key(out, "file", run->path);
	put_key(out, "why", why);
	fprintf(out, ",\"verdict\":%d}\n", LAB_SKIPPED);
}

static void total(const struct lab_run_opts *opts, const struct lab_total *n)
{
	fprintf(opts->out, "{\"event\":\"total\",\"files\":%u,\"held\":%u", n->files, n->held);
	if (n->skipped)
		fprintf(opts->out, ",\"skipped\":%u", n->skipped);
	fputs("}\n", opts->out);
}

const struct lab_report lab_report_json = {begin, action, failed, end, refused, skipped, total};
