// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left of the scheduler's choices: the smallest schedule that minimise.h finds for what is
 * there now, as schedule lines. How operations shrink is in the other files.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/minimise.h"
#include "sim/lab/search.h"
#include "sim/lab/shrink_int.h"
#include "sim/lab/util.h"
#include "sim/lab/words.h"
#include "sim/rt/schedule.h"

static struct lab_op choice_line(struct lab_shrinker *s, const struct rt_schedule_entry *e)
{
	const struct lab_machine *m = lab_runner_session(s->r)->m;
	const char *name = e->actor < m->nr_actors ? m->actor[e->actor].name : LAB_CHOICE_FAULT;
	struct lab_op op = {.kind = LAB_OP_SCHEDULE};

	op.v[0] = (struct lab_val){.num = e->step, .set = 1};
	op.v[1].num = lab_intern(&s->now, name, strlen(name));
	op.v[1].set = 1;
	return op;
}

static void choices_of(struct lab_shrinker *s, const struct rt_schedule *sched)
{
	struct lab_op *ops = lab_zalloc((sched->nr + s->now.nr_ops + 1) * sizeof(*ops));
	u32 n = 0;

	for (size_t i = 0; i < sched->nr; i++)
		ops[n++] = choice_line(s, &sched->entries[i]);
	n += lab_shrink_seeded(s->now.ops, s->now.nr_ops, 0, ops + n);
	lab_shrink_keep(s, ops, n);
	free(ops);
}

static void without_lines(struct lab_shrinker *s)
{
	choices_of(s, &(struct rt_schedule){0});
}

void lab_shrink_choices(struct lab_shrinker *s)
{
	choices_of(s, lab_runner_recorded(s->r));
}

/*
 * The last run's choices, made few. False: it breaks something else when it is played by them, or
 * the smaller one does. The operations are without the scheduler's lines then or have their own.
 */
static bool minimise(struct lab_shrinker *s)
{
	struct lab_opts opts = {.budget = lab_runner_session(s->r)->opts.budget};
	struct lab_minimised min = {0};
	struct lab_found found = {0};
	struct rt_schedule all;
	char err[400];
	bool ok;

	rt_schedule_init(&all);
	rt_schedule_copy(&all, lab_runner_recorded(s->r));
	without_lines(s);
	opts.schedule = &all;
	ok = lab_search_play(&s->now, &s->su, &opts, &found, err, sizeof(err)) && found.broke &&
	     lab_minimise(&s->now, &s->su, &opts, &found.schedule, &found.target,
			  s->max_runs - s->runs, &min, err, sizeof(err)) &&
	     min.reproduced;
	s->runs += min.runs;
	if (ok) {
		choices_of(s, &min.schedule);
		ok = lab_shrink_run(s, &s->now);
	}
	if (!ok)
		choices_of(s, &all);
	rt_schedule_free(&all);
	rt_schedule_free(&found.schedule);
	rt_schedule_free(&min.schedule);
	return ok;
}

void lab_shrink_schedule(struct lab_shrinker *s)
{
	if (!lab_shrink_run(s, &s->now) || lab_shrink_spent(s))
		return;
	/* In other words than before it may be another defect: then one line after the other goes. */
	if (!minimise(s))
		lab_shrink_lines(s);
}
