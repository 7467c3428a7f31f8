// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report for people: one line per action with its outcome, and all that is known where
 * something did not hold.
 */
#include <string.h>

#include "sim/lab/expect.h"
#include "sim/lab/lanes.h"
#include "sim/lab/run.h"
#include "sim/lab/words.h"
#include "sim/lab/util.h"

#define EVENTS_SHOWN 40

struct colours {
	const char *good, *bad, *dim, *off;
};

static struct colours colours_of(const struct lab_run *run)
{
	if (!run->opts->colour)
		return (struct colours){"", "", "", ""};
	return (struct colours){"\033[32m", "\033[31m", "\033[2m", "\033[0m"};
}

static void begin(struct lab_run *run)
{
	const struct lab_opts *o = &run->s->opts;
	char text[300];

	lab_setup_describe(&run->su, text, sizeof(text));
	fprintf(run->opts->out, "%s\n  %s, seed %llu, %s\n", run->path, text, o->seed,
		o->schedule    ? "recorded schedule"
		: o->pct_depth ? "pct schedule"
		: o->random    ? "random schedule"
			       : "in order");
	lab_put_lines(run->opts->out, "  ", run->found);
}

static void action(struct lab_run *run, u32 op)
{
	struct colours c = colours_of(run);
	const struct lab_op *o = &run->sc.ops[op];
	char text[300], out[200];

	lab_print_op(&run->sc, o, text, sizeof(text));
	lab_outcome_text(o, &lab_result(run->s->m, op)->out, out, sizeof(out));
	fprintf(run->opts->out, "%5u %s%-*s %s%s%s\n", o->line, run->s->m->parallel ? "| " : "",
		run->s->m->parallel ? 50 : 52, text, c.dim, out, c.off);
	if (run->opts->narrate && !run->s->m->parallel)
		lab_narrate(run, run->opts->out);
}

/* "expect map 0x... none" without its first word. */
static void wanted(const struct lab_run *run, u32 op, char *buf, size_t len)
{
	char text[2000];

	lab_print_op(&run->sc, &run->sc.ops[op], text, sizeof(text));
	snprintf(buf, len, "%s", text + strlen("expect "));
}

static void failed(struct lab_run *run, u32 op, u32 act, const char *seen)
{
	struct colours c = colours_of(run);
	FILE *out = run->opts->out;
	char text[2000];

	wanted(run, op, text, sizeof(text));
	fprintf(out, "%s:%u: %sexpectation failed%s\n", run->path, run->sc.ops[op].line, c.bad,
		c.off);
	fprintf(out, "  expected: %s\n  seen:     %s\n", text, seen);
	if (act == LAB_NO_OP)
		return;
	lab_print_op(&run->sc, &run->sc.ops[act], text, sizeof(text));
	if (run->events_shown == act + 1) {
		fprintf(out, "  events since the last action (line %u): as above\n",
			run->sc.ops[act].line);
		return;
	}
	run->events_shown = act + 1;
	fprintf(out, "  events since the last action (line %u, %s):\n", run->sc.ops[act].line,
		text);
	lab_print_events(run->s, out, EVENTS_SHOWN, "    ");
}

static void broken(struct lab_run *run, const struct lab_broken *b)
{
	struct colours c = colours_of(run);
	FILE *out = run->opts->out;
	char text[2000];

	if (b->excused) {
		fprintf(out, "  forced by an injected fault: %s: %s\n", b->rule, b->text);
		return;
	}
	fprintf(out, "%s%s: oracle %s broke%s at step %llu\n  %s\n", c.bad, run->path, b->rule,
		c.off, b->step, b->text);
	if (run->verdict != LAB_VIOLATED)
		return; /* expected */
	lab_session_where(run->s, text, sizeof(text));
	fprintf(out, "  the actors:\n%s  the last events:\n", text);
	lab_print_events(run->s, out, EVENTS_SHOWN, "    ");
}

static void drawings(struct lab_run *run)
{
	FILE *out = run->opts->out;

	if (!run->before || !run->after)
		return;
	fprintf(out,
		"\nThe S-EPT around the last conversion, before it:\n\n%s\nand after it:\n\n%s\n",
		run->before, run->after);
	fprintf(out,
		"What to look at: a range that became shared, or a hole, is free now; every other page still\n"
		"has the state and the host page that it had, whatever became of the size of its mapping.\n\n");
}

static void build_errors(struct lab_run *run)
{
	char name[24];

	for (u32 t = 0; t < run->su.nr_tds; t++) {
		const struct lab_td *td = &run->s->m->td[t];

		if (td->build_err && !td->built)
			fprintf(run->opts->out, "  the build of the TD failed: error %s\n",
				lab_errno_name(-td->build_err, name, sizeof(name)));
	}
}

/*
 * What a schedule said that this run could not do. A run that ended early owes nothing for the
 * steps behind its end.
 */
static void misfits(struct lab_run *run)
{
	const struct rt_schedule *s = run->s->opts.schedule;
	bool whole = !run->s->nr_broken && !*run->s->stuck;
	FILE *out = run->opts->out;

	if (run->left_out)
		fprintf(out,
			"  the schedule does not fit: %u choices left out, of actors that are not here\n",
			run->left_out);
	if (s && s->skipped)
		fprintf(out,
			"  the schedule no longer fits: %zu choices skipped, the first at step %llu\n",
			s->skipped, s->first_divergence);
	if (s && whole && s->pos < s->nr)
		fprintf(out,
			"  the schedule no longer fits: %zu choices not come to, the first at step %llu\n",
			s->nr - s->pos, s->entries[s->pos].step);
}

static void end(struct lab_run *run)
{
	struct colours c = colours_of(run);
	FILE *out = run->opts->out;
	char text[300];
	u32 op;

	for (u32 i = 0; i < run->s->nr_broken; i++)
		broken(run, &run->s->broken[i]);
	if (*run->s->stuck)
		fprintf(out, "%s%s: %s%s", c.bad, run->path, run->s->stuck, c.off);
	if (*run->s->stuck)
		lab_print_events(run->s, out, EVENTS_SHOWN, "    ");
	build_errors(run);
	drawings(run);
	if (run->opts->lanes)
		lab_lanes(run->s, out, run->opts->colour);
	for (u32 i = 0; (op = lab_session_unspent(run->s, i)) != LAB_NO_OP; i++) {
		lab_print_op(&run->sc, &run->sc.ops[op], text, sizeof(text));
		fprintf(out, "  line %u, %s: never %s\n", run->sc.ops[op].line, text,
			lab_set(&run->sc.ops[op], "maybe") ? "asked about" : "spent");
	}
	misfits(run);
	if (run->replay)
		fprintf(out, "  replay file: %s\n", run->replay);
	fprintf(out, "  %s%s%s: %u actions, %u expectations", run->verdict ? c.bad : c.good,
		run->verdict ? "failed" : "ok", c.off, run->nr_actions, run->nr_expects);
	if (run->nr_failed)
		fprintf(out, ", %u failed", run->nr_failed);
	if (run->verdict == LAB_HELD && run->expected_violations)
		fprintf(out, ", broke what it was to break");
	fprintf(out, "\n");
}

static void skipped(const struct lab_run *run, const char *why)
{
	fprintf(run->opts->out, "%s\n  skipped: %s\n", run->path, why);
}

static void total(const struct lab_run_opts *opts, const struct lab_total *n)
{
	if (n->files < 2)
		return;
	fprintf(opts->out, "%u scenarios: %u ok, %u not", n->files, n->held,
		n->files - n->held - n->skipped);
	if (n->skipped)
		fprintf(opts->out, ", %u skipped", n->skipped);
	if (kvm_mmu_tree())
		fprintf(opts->out, "; %u of the ok ones ran code of the kernel tree (%s)", n->tree,
			kvm_mmu_tree());
	fprintf(opts->out, "\n");
}

const struct lab_report lab_report_text = {begin, action, failed, end, NULL, skipped, total};
