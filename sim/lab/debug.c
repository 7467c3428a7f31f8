// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moving through a run: the chooser that pauses in front of every step, images to go back to, and
 * the script of choices that makes a run the same each time.
 */
#include "sim/lab/debug.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/debug_int.h"
#include "sim/lab/util.h"
#include "sim/rt/schedule.h"
#include "sim/rt/world.h"

#define FIRST_INTERVAL 256 /* steps between images; doubled when there are too many */

/* ---- the script ---- */

/* Place of the first entry at or after @step. */
static size_t script_at(const struct rt_schedule *s, u64 step)
{
	size_t low = 0, high = s->nr;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (s->entries[mid].step < step)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Index of the answer: the script's if it has one that fits, else that of "in order". */
static u32 answer(const struct lab_debugger *d, u64 step, u32 nr, u32 cur, const u32 *ids)
{
	size_t at = script_at(&d->script, step);

	for (u32 i = 0; at < d->script.nr && d->script.entries[at].step == step && i < nr; i++) {
		if (ids[i] == d->script.entries[at].actor)
			return i;
	}
	return cur == RT_NOBODY ? 0 : cur;
}

u32 lab_debug_next(const struct lab_debugger *d)
{
	const struct lab_question *q = &d->question;

	assert(d->told == LAB_PLAY_PAUSED);
	return q->ids[answer(d, rt_step(), q->nr, q->cur, q->ids)];
}

static void drop_snapshots(struct lab_debugger *d, u64 after)
{
	while (d->nr_snaps && d->snap[d->nr_snaps - 1].step > after) {
		struct lab_snapshot *s = &d->snap[--d->nr_snaps];

		lab_mark_free(&s->mark.mark);
		free(s->question.ids);
	}
}

void lab_debug_choose(struct lab_debugger *d, u32 id)
{
	const struct lab_question *q = &d->question;

	d->script.nr = script_at(&d->script, rt_step());
	if (id != q->ids[q->cur == RT_NOBODY ? 0 : q->cur])
		rt_schedule_add(&d->script, rt_step(), id);
	drop_snapshots(d, rt_step());
}

/* ---- steps ---- */

static u32 pick(void *ctx, const struct rt_choice *c)
{
	struct lab_debugger *d = ctx;
	u32 i;

	if (!d->go) {
		d->question.kind = c->kind;
		d->question.nr = c->nr;
		d->question.cur = c->cur;
		d->question.site = c->site;
		d->question.key = c->key;
		memcpy(d->question.ids, c->ids, c->nr * sizeof(*c->ids));
		return RT_PICK_PAUSE;
	}
	d->go--;
	i = answer(d, c->step, c->nr, c->cur, c->ids);
	if (c->kind == RT_CHOICE_ACTOR)
		d->last = c->ids[i];
	return i;
}

bool lab_debug_over(const struct lab_debugger *d)
{
	return d->told == LAB_PLAY_BROKEN || d->told == LAB_PLAY_STUCK || d->told == LAB_PLAY_OVER;
}

static u32 *ids_room(const struct lab_debugger *d)
{
	return lab_zalloc((d->s->m->nr_actors + 2) * sizeof(u32));
}

/* Every second one goes, the first stays: they are to be spread over the whole run. */
static void thin_out(struct lab_debugger *d)
{
	u32 kept = 0;

	for (u32 i = 0; i < d->nr_snaps; i++) {
		if (i % 2 == 0) {
			d->snap[kept++] = d->snap[i];
			continue;
		}
		lab_mark_free(&d->snap[i].mark.mark);
		free(d->snap[i].question.ids);
	}
	d->nr_snaps = kept;
	d->interval *= 2;
}

static void save(struct lab_debugger *d)
{
	struct lab_snapshot *s;

	if (d->nr_snaps && rt_step() < d->snap[d->nr_snaps - 1].step + d->interval)
		return;
	if (d->nr_snaps == LAB_SNAPSHOTS)
		thin_out(d);
	s = &d->snap[d->nr_snaps++];
	s->step = rt_step();
	s->last = d->last;
	s->question = d->question;
	s->question.ids = ids_room(d);
	memcpy(s->question.ids, d->question.ids, d->question.nr * sizeof(u32));
	lab_play_mark(&d->play, &s->mark);
}

static void restore(struct lab_debugger *d, const struct lab_snapshot *s)
{
	u32 *ids = d->question.ids;

	lab_play_back(&d->play, &s->mark);
	memcpy(ids, s->question.ids, s->question.nr * sizeof(u32));
	d->question = s->question;
	d->question.ids = ids;
	d->last = s->last;
	d->told = LAB_PLAY_PAUSED;
	d->seq = rt_trace_seq(d->s->trace);
	d->lines = d->play.nr;
	d->nr_broken = d->s->nr_broken;
}

bool lab_debug_step(struct lab_debugger *d)
{
	if (lab_debug_over(d))
		return false;
	d->seq = rt_trace_seq(d->s->trace);
	d->lines = d->play.nr;
	d->nr_broken = d->s->nr_broken;
	/* Behind an expectation that failed there is no question: on to the next one. */
	d->go = d->told == LAB_PLAY_PAUSED;
	do {
		d->told = lab_play_next(&d->play);
	} while (d->told == LAB_PLAY_LINE);
	if (d->told == LAB_PLAY_PAUSED)
		save(d);
	return !lab_debug_over(d);
}

void lab_debug_goto(struct lab_debugger *d, u64 step)
{
	u32 i = d->nr_snaps - 1;

	if (lab_debug_over(d) || d->told == LAB_PLAY_FAILED || step < rt_step()) {
		while (i && d->snap[i].step > step)
			i--;
		restore(d, &d->snap[i]);
	}
	while ((rt_step() < step || d->told == LAB_PLAY_FAILED) && lab_debug_step(d))
		;
}

/* ---- life ---- */

struct lab_debugger *lab_debug_new(const struct lab_scenario *sc, const struct lab_setup *su,
				   const struct lab_opts *opts, FILE *out, char *err, size_t len)
{
	struct lab_debugger *d = lab_zalloc(sizeof(*d));
	struct lab_opts o = *opts;

	o.random = false;
	o.pct_depth = 0;
	o.schedule = NULL;
	o.trace_cap = 0;
	d->sc = sc;
	d->su = su;
	d->out = out;
	d->last = RT_NOBODY;
	d->interval = FIRST_INTERVAL;
	d->next_number = 1;
	d->s = lab_session_new(sc, su, &o, err, len);
	if (!d->s) {
		free(d);
		return NULL;
	}
	rt_schedule_init(&d->script);
	for (size_t i = 0; opts->schedule && i < opts->schedule->nr; i++)
		rt_schedule_add(&d->script, opts->schedule->entries[i].step,
				opts->schedule->entries[i].actor);
	d->question.ids = ids_room(d);
	d->snap = lab_zalloc(LAB_SNAPSHOTS * sizeof(*d->snap));
	d->chooser =
		(struct rt_chooser){.name = "debugger", .pick = pick, .ctx = d, .all_steps = true};
	lab_session_chooser(d->s, &d->chooser);
	lab_play_init(&d->play, d->s);
	/* Nothing has failed; but so the first step is no step, only the way to the first question. */
	d->told = LAB_PLAY_FAILED;
	lab_debug_step(d);
	return d;
}

void lab_debug_free(struct lab_debugger *d)
{
	if (!d)
		return;
	for (u32 i = 0; i < d->nr_snaps; i++) {
		lab_mark_free(&d->snap[i].mark.mark);
		free(d->snap[i].question.ids);
	}
	free(d->snap);
	free(d->question.ids);
	rt_schedule_free(&d->script);
	lab_session_free(d->s);
	free(d);
}
