// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exploring a scenario file: read, searched, told. What was found is made small (minimise.h), and
 * written as a replay file.
 */
#include "sim/lab/explore_scn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/lab/explore_model.h"
#include "sim/lab/lanes.h"
#include "sim/lab/minimise.h"
#include "sim/lab/replay.h"
#include "sim/lab/util.h"
#include "sim/rt/schedule.h"

struct explored {
	const char *path;
	const struct lab_explore_opts *o;
	struct lab_scenario sc;
	struct lab_ex_placed *at; /* of sc; with its set-up */
	struct lab_ex_opts search;
	struct lab_ex_totals totals;
	bool searched;
	enum lab_verdict verdict;
	u32 nr_replays;
};

static enum lab_verdict verdict_of(const struct lab_ex_fault *f)
{
	switch (f->kind) {
	case LAB_EX_RULE:
		return LAB_VIOLATED;
	case LAB_EX_EXPECT:
		return LAB_FAILED;
	case LAB_EX_STUCK:
		return LAB_NO_PROGRESS;
	}
	return LAB_DEFECT;
}

static struct lab_target target_of(const struct lab_ex_fault *f)
{
	struct lab_target t = {.op = f->kind == LAB_EX_EXPECT ? f->op : LAB_NO_OP};

	t.kind = f->kind == LAB_EX_RULE	    ? LAB_TARGET_RULE
		 : f->kind == LAB_EX_EXPECT ? LAB_TARGET_EXPECT
					    : LAB_TARGET_STUCK;
	memcpy(t.rule, f->rule, sizeof(t.rule));
	return t;
}

static void write_replay(struct explored *e, struct lab_session *s)
{
	char *name;
	int ret;

	e->nr_replays++;
	name = e->o->replay_path && e->nr_replays == 1 ? lab_strdup(e->o->replay_path)
						       : lab_replay_name(e->path, e->nr_replays);
	if (lab_same_file(e->path, name)) {
		fprintf(e->o->err, "%s: this is the scenario; expected another file for --replay\n",
			name);
		e->verdict = lab_worse(e->verdict, LAB_BAD_INPUT);
		free(name);
		return;
	}
	ret = lab_replay_write(s, "explored", name);
	if (ret) {
		fprintf(e->o->err, "%s: the replay file was not written: %s\n", name,
			strerror(ret));
		e->verdict = lab_worse(e->verdict, LAB_BAD_INPUT);
	} else {
		fprintf(e->o->out, "  replay: tdxsim run %s\n", name);
	}
	free(name);
}

static void tell_broken(struct explored *e, struct lab_session *s)
{
	for (u32 i = 0; i < s->nr_broken; i++) {
		if (!s->broken[i].excused)
			fprintf(e->o->out, "  at step %llu: %s: %s\n", s->broken[i].step,
				s->broken[i].rule, s->broken[i].text);
	}
	if (*s->stuck)
		fprintf(e->o->out, "  %s", s->stuck);
	lab_lanes(s, e->o->out, false);
}

/*
 * The schedule is played again from the first line, by what "tdxsim run" would do. @anyway: it is
 * told and written also if that does not break @t.
 */
static bool play_again(struct explored *e, const struct lab_target *t, struct rt_schedule *sched,
		       bool anyway)
{
	struct lab_opts opts = e->o->session;
	struct lab_session *s;
	struct lab_play p;
	char err[400];
	bool met;

	rt_schedule_rewind(sched);
	opts.schedule = sched->nr ? sched : NULL;
	s = lab_session_new(&e->at->sc, &e->at->su, &opts, err, sizeof(err));
	if (!s) {
		fprintf(e->o->err, "%s: %s\n", e->path, err);
		return false;
	}
	lab_play_init(&p, s);
	met = lab_play_until(&p, t);
	if (met || anyway) {
		tell_broken(e, s);
		write_replay(e, s);
	}
	lab_session_free(s);
	return met;
}

/*
 * A cycle of choices can't be played for ever: the replay leads to where it begins, and goes on in
 * order, which may well lead out of it.
 */
static void tell_loop(struct explored *e, const struct lab_target *t, struct rt_schedule *sched)
{
	fputs("  a scheduler that gives everybody a turn can go round from here for ever; played "
	      "again, it goes on in order:\n",
	      e->o->out);
	play_again(e, t, sched, true);
}

static void tell_small(struct explored *e, const struct lab_target *t, struct rt_schedule *sched)
{
	struct lab_minimised res;
	char err[400];

	if (!lab_minimise(&e->at->sc, &e->at->su, &e->o->session, sched, t, LAB_MINIMISE_RUNS, &res,
			  err, sizeof(err))) {
		fprintf(e->o->err, "%s: %s\n", e->path, err);
		return;
	}
	if (res.reproduced)
		fprintf(e->o->out, "  made small: %u to %u preemptions, %llu to %llu steps\n",
			res.before.preemptions, res.after.preemptions, res.before.steps,
			res.after.steps);
	if (!play_again(e, t, res.reproduced ? &res.schedule : sched, false)) {
		fputs("  the schedule does not break it when it is played again: a defect of "
		      "tdxsim\n",
		      e->o->out);
		e->verdict = lab_worse(e->verdict, LAB_DEFECT);
	}
	rt_schedule_free(&res.schedule);
}

static void tell_found(struct explored *e, struct lab_ex *x, const struct lab_ex_found *f)
{
	struct lab_target t = target_of(&f->fault);
	struct rt_schedule sched;
	char text[120];

	lab_target_text(&e->sc, &t, text, sizeof(text));
	fprintf(e->o->out, "broken: %s, after %u choices\n", text, f->depth);
	e->verdict = lab_worse(e->verdict, verdict_of(&f->fault));
	rt_schedule_init(&sched);
	lab_ex_schedule(x, f, &sched);
	if (f->loop)
		tell_loop(e, &t, &sched);
	else
		tell_small(e, &t, &sched);
	rt_schedule_free(&sched);
}

static void print_count(FILE *out, const char *name, long double n)
{
	if (n < 1e18L)
		fprintf(out, "%s=%llu ", name, (u64)n);
	else
		fprintf(out, "%s=%.6Le ", name, n);
}

static void print_totals(const struct explored *e)
{
	const struct lab_ex_totals *t = &e->totals;
	FILE *out = e->o->out;

	if (e->search.symmetry)
		fputs("assumed: vCPUs with the same lines differ in nothing but their number\n",
		      out);
	if (t->bound)
		fprintf(out, "not complete: stopped by %s\n", t->bound);
	fprintf(out, "states=%llu ", t->states);
	print_count(out, "schedules", t->schedules);
	print_count(out, "violations", t->violations);
	fprintf(out, "complete=%s\n", t->complete ? "yes" : "no");
}

static void print_rests(const struct explored *e, struct lab_ex *x)
{
	u32 nr = lab_ex_rests(x, NULL, 0);
	struct rt_hash *h = lab_zalloc((nr + 1) * sizeof(*h));

	lab_ex_rests(x, h, nr);
	for (u32 i = 0; i < nr; i++)
		fprintf(e->o->out, "rest %016llx%016llx\n", h[i].hi, h[i].lo);
	free(h);
}

static void print_estimate(const struct explored *e, struct lab_ex *x)
{
	struct lab_ex_estimate est = lab_ex_estimate(x);

	fprintf(e->o->out, "estimate: %u actors, %u to %u choices in %u random schedules; ",
		est.actors, est.least, est.most, est.schedules);
	fprintf(e->o->out, "%u states seen, about %.1e in all\n", est.seen, est.states);
}

/* What became of the checkpoint; false: nothing was searched. */
static bool is_fine(struct explored *e, enum lab_ex_file file)
{
	const char *path = e->search.checkpoint;

	switch (file) {
	case LAB_EX_FILE_NONE:
	case LAB_EX_FILE_RESUMED:
		return true;
	case LAB_EX_FILE_UNWRITTEN:
		fprintf(e->o->err, "%s: --checkpoint: it could not be written\n", path);
		e->verdict = LAB_BAD_INPUT;
		return true;
	case LAB_EX_FILE_UNWRITABLE:
		fprintf(e->o->err,
			"%s: --checkpoint: it can't be written; nothing was searched; "
			"expected a file in a folder that is there\n",
			path);
		break;
	case LAB_EX_FILE_DAMAGED:
		fprintf(e->o->err,
			"%s: --checkpoint: found a file that is no whole checkpoint; "
			"expected one, or a name that is not taken\n",
			path);
		break;
	case LAB_EX_FILE_FOREIGN:
		fprintf(e->o->err,
			"%s: --checkpoint: found one of another scenario, other options or another "
			"build; remove it to begin anew, or take another name\n",
			path);
		break;
	}
	e->verdict = LAB_BAD_INPUT;
	return false;
}

static void search(struct explored *e, struct lab_ex_scn *scn)
{
	struct lab_ex *x = lab_ex_new(&scn->model, &e->search);

	print_estimate(e, x);
	if (!is_fine(e, lab_ex_run(x))) {
		lab_ex_free(x);
		return;
	}
	e->searched = true;
	e->totals = lab_ex_totals(x);
	fprintf(e->o->out,
		"transitions=%llu depth=%u bytes-per-state=%llu waiting=%llu of %llu bytes\n",
		e->totals.transitions, e->totals.depth,
		e->totals.states ? e->totals.bytes / e->totals.states : 0,
		e->totals.frontier_states, e->totals.frontier_bytes);
	if (e->o->rests)
		print_rests(e, x);
	for (u32 i = 0; lab_ex_found(x, i); i++)
		tell_found(e, x, lab_ex_found(x, i));
	lab_ex_free(x);
}

/* A scenario that never asks has one schedule. */
static void tell_only(struct explored *e, enum lab_ex_stop stop, const struct lab_ex_fault *f)
{
	struct rt_schedule none;
	struct lab_target t;

	e->searched = true;
	e->totals = (struct lab_ex_totals){.schedules = 1, .complete = true};
	fputs("one schedule: nobody asks who goes on; expected a parallel block with two actors, or "
	      "a fault with \"maybe\"\n",
	      e->o->out);
	if (stop != LAB_EX_BROKEN)
		return;
	e->totals.violations = 1;
	e->verdict = verdict_of(f);
	t = target_of(f);
	rt_schedule_init(&none);
	play_again(e, &t, &none, false);
}

/* False, and a line that says why, if the scenario is larger than what a search has room for. */
static bool fits(const struct explored *e, const struct lab_session *s,
		 const struct lab_ex_scn *scn)
{
	if (scn->too_many)
		fprintf(e->o->err,
			"%s: found more different statistics in its expectations than explore can "
			"tell states apart by; expected at most %zu, with those that rules look at\n",
			e->path, RT_ARRAY_SIZE(scn->stat));
	else if (s->m->nr_actors > LAB_EX_ACTORS_MAX)
		fprintf(e->o->err,
			"%s: found %u actors, with all vCPUs and host threads of its TDs, expected at "
			"most %d in what is explored\n",
			e->path, s->m->nr_actors, LAB_EX_ACTORS_MAX);
	else
		return true;
	return false;
}

static void explore(struct explored *e)
{
	struct lab_opts opts = e->o->session;
	struct lab_ex_scn scn;
	struct lab_session *s;
	struct lab_ex_fault f;
	enum lab_ex_stop stop;
	char err[400];

	opts.no_trace = true;
	opts.fixed_place = true;
	opts.no_calls = !lab_ex_scn_wants_calls(&e->sc);
	s = lab_session_new(&e->at->sc, &e->at->su, &opts, err, sizeof(err));
	if (!s) {
		fprintf(e->o->err, "%s: %s\n", e->path, err);
		e->verdict = LAB_BAD_INPUT;
		return;
	}
	s->m->timeless = true;
	kvm_host_set_lanes(s->m->host, s->m->nr_actors);
	lab_ex_scn_init(&scn, s);
	if (!fits(e, s, &scn)) {
		e->verdict = LAB_BAD_INPUT;
		lab_session_free(s);
		return;
	}
	stop = lab_ex_scn_begin(&scn, &f);
	if (stop == LAB_EX_CHOICE)
		search(e, &scn);
	else
		tell_only(e, stop, &f);
	if (e->searched)
		print_totals(e);
	lab_session_free(s);
}

/* Of the scenario in its canonical spelling: comments may change. */
static struct rt_hash hash_of_scenario(const struct lab_scenario *sc)
{
	XXH128_hash_t h;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return (struct rt_hash){0};
	lab_print(sc, f);
	fclose(f);
	h = XXH3_128bits(text, len);
	free(text);
	return (struct rt_hash){h.low64, h.high64};
}

static bool read_input(struct explored *e, const struct lab_source *src, struct lab_diag *d)
{
	u32 errors = lab_parse(&e->sc, src, d);

	for (u32 i = 0; !errors && e->o->set && e->o->set[i]; i++)
		errors += lab_parse_set(&e->sc, e->o->set[i], d);
	if (!errors) {
		e->search.input = hash_of_scenario(&e->sc);
		e->at = lab_ex_place(&e->sc);
		errors = lab_setup_resolve(&e->at->sc, &e->at->su, d);
	}
	return !errors;
}

enum lab_verdict lab_explore_file(const char *path, const struct lab_explore_opts *o)
{
	struct explored *e = lab_zalloc(sizeof(*e));
	struct lab_diag d = {o->err, 0};
	enum lab_verdict verdict = LAB_BAD_INPUT;
	struct lab_source src;
	char *text = lab_source_read(path, &src, &d);

	e->path = path;
	e->o = o;
	e->search = o->search;
	if (text) {
		lab_scenario_init(&e->sc);
		if (read_input(e, &src, &d)) {
			explore(e);
			verdict = e->verdict;
		}
		lab_ex_unplace(e->at);
		lab_scenario_free(&e->sc);
	}
	free(text);
	free(e);
	return verdict;
}
