// SPDX-License-Identifier: GPL-2.0-only
/*
 * One seed after the other. How a run goes is play.c's, which schedule a seed makes is the
 * chooser's.
 */
#include "sim/lab/search.h"

#include "sim/lab/pct.h"
#include "sim/rt/schedule.h"
#include "sim/rt/world.h"

#define PROGRESS_EVERY 64

/* On to the first thing that breaks. */
static struct lab_target first_broken(struct lab_play *p)
{
	enum lab_played told;

	do {
		told = lab_play_next(p);
	} while (told == LAB_PLAY_LINE);
	return lab_play_target(p, told);
}

static void take_schedule(struct lab_found *found, const struct lab_session *s)
{
	rt_schedule_copy(&found->schedule, &s->recorded);
}

/* A run from its beginning under the session's chooser. */
static void run_once(struct lab_session *s, struct lab_found *found)
{
	struct lab_play p;

	lab_play_init(&p, s);
	found->target = first_broken(&p);
	found->broke = found->target.kind;
	found->runs++;
	found->longer += s->pct && s->pct->done > s->pct->steps;
	if (found->broke)
		take_schedule(found, s);
}

bool lab_search_play(const struct lab_scenario *sc, const struct lab_setup *su,
		     const struct lab_opts *opts, struct lab_found *found, char *err, size_t len)
{
	struct lab_opts o = *opts;
	struct lab_session *s;

	o.no_trace = true;
	*found = (struct lab_found){.seed = opts->seed};
	rt_schedule_init(&found->schedule);
	if (o.schedule)
		rt_schedule_rewind(o.schedule);
	s = lab_session_new(sc, su, &o, err, len);
	if (!s)
		return false;
	run_once(s, found);
	if (!found->broke)
		take_schedule(found, s);
	lab_session_free(s);
	if (o.schedule)
		rt_schedule_rewind(o.schedule);
	return true;
}

static bool is_stopped(const struct lab_search_opts *so)
{
	return so->stopped && so->stopped(so->ctx);
}

bool lab_search(const struct lab_scenario *sc, const struct lab_setup *su,
		const struct lab_opts *opts, const struct lab_search_opts *so,
		struct lab_found *found, char *err, size_t len)
{
	struct lab_opts o = *opts;
	struct lab_session *s;
	struct lab_mark start;

	o.no_trace = true;
	*found = (struct lab_found){.seed = opts->seed};
	rt_schedule_init(&found->schedule);
	s = lab_session_new(sc, su, &o, err, len);
	if (!s)
		return false;
	lab_session_mark(s, &start);
	for (u64 i = 0; i < so->runs && !found->broke && !found->stopped; i++) {
		found->seed = opts->seed + i;
		lab_session_back(s, &start);
		lab_session_reseed(s, found->seed);
		run_once(s, found);
		if (so->progress && i % PROGRESS_EVERY == 0)
			so->progress(so->ctx, i, so->runs);
		found->stopped = !found->broke && i + 1 < so->runs && is_stopped(so);
	}
	if (so->progress)
		so->progress(so->ctx, so->runs, so->runs);
	lab_mark_free(&start);
	lab_session_free(s);
	return true;
}

/* In order, and counts the steps of parallel blocks. */
static u32 count(void *ctx, const struct rt_choice *c)
{
	u64 *steps = ctx;

	*steps += c->kind == RT_CHOICE_ACTOR && lab_in_parallel(lab_machine());
	return c->cur == RT_NOBODY ? 0 : c->cur;
}

u64 lab_search_steps(const struct lab_scenario *sc, const struct lab_setup *su,
		     const struct lab_opts *opts, char *err, size_t len)
{
	struct lab_opts o = {.budget = opts->budget, .no_trace = true};
	struct lab_session *s;
	struct lab_play p;
	enum lab_played told;
	u64 k = 0;
	const struct rt_chooser ch = {.name = "count", .pick = count, .ctx = &k, .all_steps = true};

	s = lab_session_new(sc, su, &o, err, len);
	if (!s)
		return 0;
	lab_session_chooser(s, &ch);
	lab_play_init(&p, s);
	do {
		told = lab_play_next(&p);
	} while (told == LAB_PLAY_LINE || told == LAB_PLAY_FAILED);
	lab_session_free(s);
	return k + k / 4 + 1;
}
