// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a run looks for before the run that is reported: a seed that breaks something, a smaller
 * schedule that breaks the same. How that is done is search.c and minimise.c; here are the words.
 */
#include <stdlib.h>

#include "sim/lab/minimise.h"
#include "sim/lab/pct.h"
#include "sim/lab/run.h"
#include "sim/rt/schedule.h"

static const char *chooser_name(const struct lab_opts *o)
{
	return o->schedule ? "schedule" : o->pct_depth ? "pct" : o->random ? "random" : "in order";
}

/* Never rounded up to certainty. */
static void put_probability(double p, FILE *out)
{
	if (p > 0.999)
		fputs("0.999", out);
	else
		fprintf(out, "%.2g", p);
}

/* The guarantee of the chooser, in numbers. */
static bool say_guarantee(struct lab_run *run, struct lab_opts *o, FILE *out, char *err, size_t len)
{
	u64 runs = run->opts->search.runs ? run->opts->search.runs : 1;
	u32 actors = 0;
	double one;

	if (!o->pct_depth)
		return true;
	o->pct_steps = lab_search_steps(&run->sc, &run->su, o, err, len);
	if (!o->pct_steps)
		return false;
	for (u32 t = 0; t < run->su.nr_tds; t++)
		actors += run->su.td[t].hosts + run->su.td[t].vcpus;
	one = lab_pct_bound(o->pct_depth, actors, o->pct_steps);
	fprintf(out,
		"pct: a bug of depth %u shows with probability 1/(n*k^(d-1)) = 1/(%u*%llu^%u) = ",
		o->pct_depth, actors, o->pct_steps, o->pct_depth - 1);
	put_probability(one, out);
	fputs(" or more in a run", out);
	if (runs > 1) {
		fputs(", ", out);
		put_probability(lab_pct_bound_of(one, runs), out);
		fprintf(out, " or more in %llu runs", runs);
	}
	fputc('\n', out);
	return true;
}

static void say_found(const struct lab_run *run, const struct lab_opts *o,
		      const struct lab_found *found, FILE *out)
{
	char what[80];

	lab_target_text(&run->sc, &found->target, what, sizeof(what));
	if (found->broke)
		fprintf(out, "%s: run %llu of at most %llu, seed %llu, breaks %s\n",
			chooser_name(o), found->runs, run->opts->search.runs, found->seed, what);
	else
		fprintf(out,
			"%s: %llu runs%s, seeds %llu to %llu, and nothing broke; the last one:\n",
			chooser_name(o), found->runs,
			found->stopped ? " (stopped by an interrupt before all were done)" : "",
			o->seed, found->seed);
	if (found->longer)
		fprintf(out,
			"%llu of them took more than k steps: the guarantee is not about those\n",
			found->longer);
}

static void say_minimised(const struct lab_minimised *m, FILE *out)
{
	const struct lab_cost *a = &m->after, *b = &m->before;

	fprintf(out,
		"minimised in %u runs%s: preemptions %u (of %u), faults %u (of %u), choices %u (of %u), steps %llu (of %llu)\n",
		m->runs, m->bounded ? ", all that it may take" : "", a->preemptions, b->preemptions,
		a->faults, b->faults, a->cuts, b->cuts, a->steps, b->steps);
}

static bool minimise(struct lab_run *run, const struct lab_opts *o, struct lab_found *found,
		     FILE *out, char *err, size_t len)
{
	struct lab_minimised m;

	if (!lab_minimise(&run->sc, &run->su, o, &found->schedule, &found->target,
			  LAB_MINIMISE_RUNS, &m, err, len))
		return false;
	if (m.reproduced) {
		say_minimised(&m, out);
		rt_schedule_free(&found->schedule);
		found->schedule = m.schedule;
	} else {
		rt_schedule_free(&m.schedule);
	}
	return true;
}

static bool look(struct lab_run *run, struct lab_opts *o, struct rt_schedule *sched, FILE *out,
		 char *err, size_t len)
{
	const struct lab_run_opts *ro = run->opts;
	struct lab_found found = {0};

	if (!say_guarantee(run, o, out, err, len))
		return false;
	if (!ro->search.runs && !ro->minimise)
		return true;
	if (ro->search.runs) {
		if (!lab_search(&run->sc, &run->su, o, &ro->search, &found, err, len))
			return false;
		say_found(run, o, &found, out);
		o->seed = found.seed;
	} else if (!lab_search_play(&run->sc, &run->su, o, &found, err, len)) {
		return false;
	}
	if (!found.broke) {
		rt_schedule_free(&found.schedule);
		return true;
	}
	if (ro->minimise && !minimise(run, o, &found, out, err, len)) {
		rt_schedule_free(&found.schedule);
		return false;
	}
	rt_schedule_free(sched);
	*sched = found.schedule;
	o->schedule = sched;
	return true;
}

bool lab_run_search(struct lab_run *run, struct lab_opts *o, struct rt_schedule *sched, char *err,
		    size_t len)
{
	size_t size;
	FILE *out = open_memstream(&run->found, &size);
	bool ok;

	if (!out) {
		snprintf(err, len, "no memory for the words of a search");
		return false;
	}
	ok = look(run, o, sched, out, err, len);
	fclose(out);
	return ok;
}
