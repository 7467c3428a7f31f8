// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario from its file to its verdict.
 */
#include "sim/lab/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/expect.h"
#include "sim/lab/expect_calls.h"
#include "sim/lab/lines.h"
#include "sim/lab/oracle.h"
#include "sim/lab/replay.h"
#include "sim/lab/util.h"
#include "sim/rt/world.h"

enum lab_verdict lab_worse(enum lab_verdict a, enum lab_verdict b)
{
	/* Best to worst: 0, 2, 1, 5, 4, 3. Input that can't be read says nothing about what ran. */
	static const u8 rank[] = {0, 2, 1, 5, 4, 3};

	/* What did not run says nothing beside what did. */
	if (a == LAB_SKIPPED || b == LAB_SKIPPED)
		return a == LAB_SKIPPED ? b : a;
	return rank[a] >= rank[b] ? a : b;
}

static const struct lab_report *report_of(const struct lab_run_opts *opts)
{
	static const struct lab_report *const reports[] = {
		[LAB_TEXT] = &lab_report_text,
		[LAB_TAP] = &lab_report_tap,
		[LAB_JSON] = &lab_report_json,
		[LAB_TABLES] = &lab_report_record,
	};

	return reports[opts->format];
}

static void settle_verdict(struct lab_run *run, enum lab_verdict v)
{
	run->verdict = lab_worse(run->verdict, v);
}

static void judge(struct lab_run *run, u32 op, u32 action)
{
	char *seen = lab_zalloc(8192);

	run->nr_expects++;
	if (!lab_expect(run->s->m, &run->sc.ops[op], action, seen, 8192)) {
		run->nr_failed++;
		settle_verdict(run, LAB_FAILED);
		report_of(run->opts)->failed(run, op, action, seen);
	}
	free(seen);
}

/* The expectations of a parallel block: each is about the action above it. */
static void judge_block(struct lab_run *run, u32 first, u32 nr)
{
	u32 action = LAB_NO_OP;

	for (u32 i = first; i < first + nr; i++) {
		if (lab_op_is_action(&run->sc.ops[i]))
			action = i;
		else if (lab_op_is_expect(&run->sc.ops[i]))
			judge(run, i, action);
	}
}

static bool is_conversion(const struct lab_op *op)
{
	return op->kind == LAB_OP_CONVERT || op->kind == LAB_OP_MAPGPA || op->kind == LAB_OP_PUNCH;
}

/* The 2M-aligned surroundings of a conversion, as they are now. */
static char *draw_around(struct lab_run *run, const struct lab_op *op)
{
	u64 mask = (2ULL << 20) - 1, gpa, end;
	u32 td;

	gpa = lab_op_gpa(&run->sc, &run->su, op, "GPA", &td);
	end = (gpa + lab_num(op, "SIZE", 0) + mask) & ~mask;
	gpa &= ~mask;
	return lab_draw_sept(run->s, td, gpa, end - gpa);
}

static void draw_before(struct lab_run *run, const struct lab_op *op)
{
	if (!run->opts->narrate || !is_conversion(op))
		return;
	free(run->before);
	run->before = draw_around(run, op);
}

static void draw_after(struct lab_run *run, const struct lab_op *op)
{
	if (!run->opts->narrate || !is_conversion(op))
		return;
	free(run->after);
	run->after = draw_around(run, op);
}

/* One action or one block. False: the run is over. */
static bool do_block(struct lab_run *run, u32 first, u32 nr, bool parallel)
{
	const struct lab_op *ops = run->sc.ops;
	enum lab_step step;

	for (u32 i = first; i < first + nr; i++) {
		if (lab_op_is_inject(&ops[i]))
			lab_session_inject(run->s, i);
		else if (lab_op_is_action(&ops[i]))
			draw_before(run, &ops[i]);
	}
	step = lab_session_do(run->s, first, nr, parallel);
	for (u32 i = first; i < first + nr; i++) {
		if (!lab_op_is_action(&ops[i]) || run->s->m->block_nr != nr)
			continue;
		run->nr_actions++;
		report_of(run->opts)->action(run, i);
		if (step == LAB_DONE)
			draw_after(run, &ops[i]);
	}
	if (step == LAB_STUCK)
		settle_verdict(run, LAB_NO_PROGRESS);
	if (step == LAB_BROKEN)
		settle_verdict(run, LAB_VIOLATED);
	if (step == LAB_DONE && parallel)
		judge_block(run, first, nr);
	return step == LAB_DONE;
}

/*
 * A build that nobody wrote down and that failed: everything behind it is about a TD that is not
 * there.
 */
static bool build_failed(struct lab_run *run)
{
	for (u32 t = 0; t < run->su.nr_tds; t++) {
		if (run->s->m->td[t].build_err && !run->s->m->td[t].built)
			return true;
	}
	return false;
}

/* All lines in order. False: the run ended before the last. */
static bool do_lines(struct lab_run *run)
{
	struct lab_lines l = {0};
	u32 at = 0;

	while (lab_lines_next(&run->sc, run->sc.nr_ops, &at, &l)) {
		if (l.kind == LAB_LINES_INJECT)
			lab_session_inject(run->s, l.first);
		else if (l.kind == LAB_LINES_EXPECT)
			judge(run, l.first, l.action);
		else if (!do_block(run, l.first, l.nr, l.parallel))
			return false;
	}
	return true;
}

static const char *first_broken(const struct lab_session *s)
{
	for (u32 i = 0; i < s->nr_broken; i++) {
		if (!s->broken[i].excused)
			return s->broken[i].rule;
	}
	return s->stuck_rule ? s->stuck_rule : "no oracle broke";
}

/*
 * Lines "expect violation": the run has to break that oracle, and then it has done what it is for.
 */
static void judge_violations(struct lab_run *run)
{
	bool met = true;

	for (u32 i = 0; i < run->sc.nr_ops; i++) {
		const struct lab_op *op = &run->sc.ops[i];
		const char *rule;

		if (op->kind != LAB_OP_EXP_VIOLATION)
			continue;
		run->expected_violations++;
		rule = lab_string(&run->sc, (u32)lab_num(op, "ORACLE", 0));
		if (lab_session_broke(run->s, rule))
			continue;
		met = false;
		run->nr_failed++;
		report_of(run->opts)->failed(run, i, LAB_NO_OP, first_broken(run->s));
	}
	if (!run->expected_violations)
		return;
	if (met && (run->verdict == LAB_VIOLATED || run->verdict == LAB_NO_PROGRESS))
		run->verdict = run->nr_failed ? LAB_FAILED : LAB_HELD;
	else if (!met)
		settle_verdict(run, LAB_FAILED);
}

static const char *actor_name_of(u32 id)
{
	struct lab_machine *m = lab_machine();

	return m && id < m->nr_actors ? m->actor[id].name : "-";
}

static void write_trace(struct lab_run *run)
{
	const struct lab_run_opts *o = run->opts;
	FILE *f = run->trace;
	int ret;

	if (!f)
		return;
	run->trace = NULL;
	rt_world_enter(run->s->world);
	if (o->trace_format == LAB_TRACE_JSON)
		ret = rt_trace_write_json(run->s->trace, f, actor_name_of);
	else if (o->trace_format == LAB_TRACE_FTRACE)
		ret = rt_trace_write_ftrace(run->s->trace, f, actor_name_of);
	else
		ret = rt_trace_write_text(run->s->trace, f, actor_name_of);
	if (fclose(f) || ret) {
		fprintf(o->err, "%s: the trace could not be written whole\n", o->trace_path);
		settle_verdict(run, LAB_BAD_INPUT);
	}
}

static bool is_scenario(const struct lab_run *run, const char *path)
{
	return lab_same_file(run->path, path);
}

/* Before the run: a place that can't be written shall not cost an hour. */
static bool open_trace(struct lab_run *run)
{
	const struct lab_run_opts *o = run->opts;

	if (!o->trace_path)
		return true;
	if (is_scenario(run, o->trace_path)) {
		fprintf(o->err, "%s: this is the scenario; expected another file for --trace\n",
			o->trace_path);
		return false;
	}
	run->trace = fopen(o->trace_path, "w");
	if (!run->trace)
		fprintf(o->err, "%s: --trace: %s\n", o->trace_path, strerror(errno));
	return run->trace;
}

static void how(const struct lab_run *run, char *buf, size_t len)
{
	const struct lab_opts *o = &run->opts->session;
	char budget[60] = "";

	/* What ends with its budget ends so only under the same one. */
	if (o->budget)
		snprintf(budget, sizeof(budget), "; to be run with --budget %llu", o->budget);
	snprintf(buf, len, "seed %llu, chooser %s%s%s", run->s->opts.seed,
		 o->pct_depth ? "pct"
		 : o->random  ? "random"
			      : "in order",
		 run->opts->minimise ? ", minimised" : "", budget);
}

static void write_replay(struct lab_run *run, char **name)
{
	char text[160];
	int ret;

	*name = NULL;
	if (run->verdict != LAB_VIOLATED && run->verdict != LAB_NO_PROGRESS &&
	    !(run->verdict == LAB_FAILED && run->opts->search.runs))
		return;
	*name = run->opts->replay_path ? lab_strdup(run->opts->replay_path)
				       : lab_replay_name(run->path, 1);
	if (is_scenario(run, *name)) {
		fprintf(run->opts->err,
			"%s: this is the scenario; expected another file for --replay\n", *name);
		return;
	}
	how(run, text, sizeof(text));
	ret = lab_replay_write(run->s, text, *name);
	if (ret)
		fprintf(run->opts->err, "%s: the replay file was not written: %s\n", *name,
			strerror(ret));
	else
		run->replay = *name;
}

static void run_session(struct lab_run *run)
{
	char *replay;

	run->began = true;
	report_of(run->opts)->begin(run);
	if (do_lines(run) && lab_session_end(run->s) != LAB_DONE)
		settle_verdict(run, *run->s->stuck ? LAB_NO_PROGRESS : LAB_VIOLATED);
	if (run->verdict != LAB_VIOLATED && build_failed(run))
		settle_verdict(run, LAB_FAILED);
	judge_violations(run);
	run->in_tree = kvm_mmu_tree_calls(run->s->m->host);
	write_trace(run);
	write_replay(run, &replay);
	report_of(run->opts)->end(run);
	run->replay = NULL;
	free(replay);
}

/* The schedule to play: of --schedule, else of the scenario's own schedule lines. */
static u32 load_schedule(struct lab_run *run, struct rt_schedule *sched, struct lab_diag *d)
{
	rt_schedule_init(sched);
	if (run->opts->schedule_path)
		return lab_replay_load(run->opts->schedule_path, &run->su, sched, &run->left_out,
				       d);
	run->left_out = lab_replay_read(&run->sc, &run->su, sched);
	return 0;
}

static u32 read_input(struct lab_run *run, const struct lab_source *src, struct lab_diag *d)
{
	u32 errors = lab_parse(&run->sc, src, d);

	for (u32 i = 0; !errors && run->opts->set && run->opts->set[i]; i++)
		errors += lab_parse_set(&run->sc, run->opts->set[i], d);
	if (!errors)
		errors = lab_setup_resolve(&run->sc, &run->su, d);
	return errors;
}

static void run_source(struct lab_run *run, const struct lab_source *src, struct lab_diag *d)
{
	struct lab_opts opts = run->opts->session;
	struct rt_schedule sched;
	const char *lacks;
	char err[400];

	lab_scenario_init(&run->sc);
	if (read_input(run, src, d) || load_schedule(run, &sched, d)) {
		run->verdict = LAB_BAD_INPUT;
		lab_scenario_free(&run->sc);
		return;
	}
	lacks = lab_machine_lacks(&run->su);
	if (lacks) {
		report_of(run->opts)->skipped(run, lacks);
		run->verdict = LAB_SKIPPED;
	} else if (!open_trace(run)) {
		run->verdict = LAB_BAD_INPUT;
	}
	if (run->verdict) {
		rt_schedule_free(&sched);
		lab_scenario_free(&run->sc);
		return;
	}
	opts.schedule = sched.nr ? &sched : NULL;
	if (lab_run_search(run, &opts, &sched, err, sizeof(err)))
		run->s = lab_session_new(&run->sc, &run->su, &opts, err, sizeof(err));
	if (run->s) {
		run_session(run);
	} else {
		lab_diag_at(d, src, 0, 0, 0, "%s", err);
		run->verdict = LAB_BAD_INPUT;
	}
	if (run->trace)
		fclose(run->trace);
	lab_session_free(run->s);
	rt_schedule_free(&sched);
	lab_scenario_free(&run->sc);
	free(run->before);
	free(run->after);
	free(run->found);
}

static enum lab_verdict run_file(const char *path, u32 file_nr, const struct lab_run_opts *opts,
				 struct lab_total *n)
{
	struct lab_run *run = lab_zalloc(sizeof(*run));
	struct lab_diag d = {opts->err, 0};
	enum lab_verdict verdict = LAB_BAD_INPUT;
	struct lab_source src;
	char *text;

	run->path = path;
	run->opts = opts;
	run->file_nr = file_nr;
	text = lab_source_read(path, &src, &d);
	if (text) {
		run_source(run, &src, &d);
		verdict = run->verdict;
	}
	n->files++;
	n->held += verdict == LAB_HELD;
	n->skipped += verdict == LAB_SKIPPED;
	n->tree += verdict == LAB_HELD && run->in_tree;
	if (verdict == LAB_BAD_INPUT && !run->began && report_of(opts)->refused)
		report_of(opts)->refused(opts, path, file_nr);
	free(text);
	free(run);
	return verdict;
}

enum lab_verdict lab_run_file(const char *path, u32 file_nr, const struct lab_run_opts *opts)
{
	struct lab_total n = {0};

	return run_file(path, file_nr, opts, &n);
}

enum lab_verdict lab_run_files(char *const *path, u32 nr, const struct lab_run_opts *opts)
{
	const struct lab_search_opts *search = &opts->search;
	enum lab_verdict worst = LAB_SKIPPED;
	struct lab_total n = {0};

	for (u32 i = 0; i < nr; i++) {
		worst = lab_worse(worst, run_file(path[i], i + 1, opts, &n));
		fflush(opts->out);
		if (i + 1 < nr && search->stopped && search->stopped(search->ctx)) {
			fprintf(opts->err, "stopped by an interrupt: %u of %u files were not run\n",
				nr - i - 1, nr);
			break;
		}
	}
	if (report_of(opts)->total)
		report_of(opts)->total(opts, &n);
	return worst;
}
