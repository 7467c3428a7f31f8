// SPDX-License-Identifier: GPL-2.0-only
/*
 * The search for a small schedule: take cuts out (delta debugging), try runs with a single one, put
 * cuts where they are no preemption or come earlier, until nothing helps.
 */
#include "sim/lab/minimise.h"

#include "sim/rt/schedule.h"
#include "sim/rt/world.h"

#define PLACES_TRIED 24 /* of one cut that is moved to be earlier */

struct search {
	const struct lab_target *target;
	struct lab_play play;
	struct lab_play_mark base; /* every run begins here, in order before */
	u32 base_last;		   /* who had run last there */
	struct lab_cut_player player;
	struct lab_cuts best; /* in the order of the run */
	struct lab_cost cost;
	struct lab_cuts chances;     /* of the best run */
	struct lab_cuts list;	     /* scratch: what the player plays */
	struct rt_schedule schedule; /* of the best run */
	u32 runs, runs_max;
};

static bool spent(const struct search *f)
{
	return f->runs >= f->runs_max;
}

/* On from where the cursor stands, by the player's cuts. */
static bool run_on(struct search *f)
{
	u64 from = rt_step();
	bool met;

	f->runs++;
	met = lab_play_until(&f->play, f->target);
	f->player.cost.steps = rt_step() - from;
	return met;
}

static bool run_from_base(struct search *f, const struct lab_cuts *cuts)
{
	lab_play_back(&f->play, &f->base);
	lab_cut_player_rewind(&f->player, f->base_last);
	lab_cuts_copy(&f->list, cuts);
	lab_cuts_sort(&f->list);
	f->player.play = &f->list;
	return run_on(f);
}

/* The run that was just done is the best so far. */
static void keep(struct search *f)
{
	f->cost = f->player.cost;
	lab_cuts_copy(&f->best, &f->player.taken);
	lab_cuts_copy(&f->chances, &f->player.chances);
	rt_schedule_copy(&f->schedule, &f->play.s->recorded);
}

static bool try(struct search *f, const struct lab_cuts *cuts)
{
	if (spent(f) || !run_from_base(f, cuts) || lab_cost_compare(&f->player.cost, &f->cost) >= 0)
		return false;
	keep(f);
	return true;
}

/* ---- where runs begin ---- */

/* Stop in front of the line, in order up to there; it is the place to begin from now on. */
static void base_at(struct search *f, const struct lab_play_mark *start, u32 line)
{
	lab_play_back(&f->play, start);
	lab_cut_player_rewind(&f->player, RT_NOBODY);
	f->player.play = NULL;
	while (f->play.nr + 1 < line)
		lab_play_next(&f->play);
	if (f->base.mark.image)
		lab_mark_free(&f->base.mark);
	lab_play_mark(&f->play, &f->base);
	f->base_last = f->player.last;
}

static void cuts_from(const struct lab_cuts *all, u32 line, struct lab_cuts *part)
{
	part->nr = 0;
	for (u32 i = 0; i < all->nr; i++) {
		if (all->cut[i].line >= line)
			lab_cuts_add(part, &all->cut[i]);
	}
}

/*
 * The latest line from which the cuts that remain still break the target: what is in order before
 * need not be run again.
 */
static void find_base(struct search *f, const struct lab_play_mark *start,
		      const struct lab_cuts *all)
{
	struct lab_cuts part = {0};
	u32 line = 0;

	for (u32 i = all->nr; i-- > 0;) {
		if (all->cut[i].line == line)
			continue;
		line = all->cut[i].line;
		cuts_from(all, line, &part);
		base_at(f, start, line);
		if (run_from_base(f, &part)) {
			keep(f);
			break;
		}
	}
	lab_cuts_free(&part);
}

/* ---- smaller ---- */

static void all_but(const struct lab_cuts *from, u32 first, u32 nr, struct lab_cuts *to)
{
	to->nr = 0;
	for (u32 i = 0; i < from->nr; i++) {
		if (i < first || i >= first + nr)
			lab_cuts_add(to, &from->cut[i]);
	}
}

/* Delta debugging: without larger parts first. */
static bool take_out(struct search *f)
{
	struct lab_cuts less = {0};
	bool better = false;

	for (u32 size = (f->best.nr + 1) / 2; size; size /= 2) {
		for (u32 i = 0; i < f->best.nr && !spent(f);) {
			all_but(&f->best, i, size, &less);
			if (try(f, &less))
				better = true;
			else
				i += size;
		}
	}
	lab_cuts_free(&less);
	return better;
}

/* No cut, and each single cut that the run in order has a chance for. */
static bool single_cuts(struct search *f)
{
	struct lab_cuts one = {0}, chances = {0};
	bool better = try(f, &one);

	if (f->cost.cuts > 1) {
		run_from_base(f, &one);
		lab_cuts_copy(&chances, &f->player.chances);
	}
	for (u32 i = 0; i < chances.nr && f->cost.cuts > 1 && !spent(f); i++) {
		one.nr = 0;
		lab_cuts_add(&one, &chances.cut[i]);
		better |= try(f, &one);
	}
	lab_cuts_free(&one);
	lab_cuts_free(&chances);
	return better;
}

/* Cut @i at another of its actor's places. */
static bool move_to(struct search *f, u32 i, const struct lab_cut *place)
{
	struct lab_cuts moved = {0};
	bool better;

	lab_cuts_copy(&moved, &f->best);
	moved.cut[i].local = place->local;
	better = try(f, &moved);
	lab_cuts_free(&moved);
	return better;
}

static bool same_actor(const struct lab_cut *a, const struct lab_cut *b)
{
	return a->line == b->line && a->last == b->last && a->to == b->to;
}

/* A preemption to where the actor has to stop anyway. */
static bool move_to_free(struct search *f, u32 i)
{
	struct lab_cut cut = f->best.cut[i];

	if (cut.free || cut.to == RT_FAULT_FIRES)
		return false;
	for (u32 k = 0; k < f->chances.nr; k++) {
		const struct lab_cut *place = &f->chances.cut[k];

		if (same_actor(place, &cut) && place->free && move_to(f, i, place))
			return true;
	}
	return false;
}

/* Cut @i to an earlier place, the earliest first; of many an even choice. */
static bool move_earlier(struct search *f, u32 i)
{
	struct lab_cut cut = f->best.cut[i];
	struct lab_cuts places = {0};
	bool better = false;
	u32 stride;

	for (u32 k = 0; k < f->chances.nr; k++) {
		if (same_actor(&f->chances.cut[k], &cut) && f->chances.cut[k].local < cut.local)
			lab_cuts_add(&places, &f->chances.cut[k]);
	}
	stride = places.nr / PLACES_TRIED + 1;
	for (u32 k = 0; k < places.nr && !better; k += stride)
		better = move_to(f, i, &places.cut[k]);
	lab_cuts_free(&places);
	return better;
}

static bool move_cuts(struct search *f, bool (*move)(struct search *f, u32 i))
{
	bool better = false;

	for (u32 i = 0; i < f->best.nr && !spent(f); i++) {
		while (i < f->best.nr && move(f, i))
			better = true;
	}
	return better;
}

static void shrink(struct search *f)
{
	bool better;

	take_out(f);
	single_cuts(f);
	do {
		better = move_cuts(f, move_to_free);
		better |= move_cuts(f, move_earlier);
		better |= take_out(f);
	} while (better && !spent(f));
}

/* ---- all of it ---- */

/*
 * Steps that one line of a try may take: what is right takes about as many as the run that was
 * given. One that never ends is known by less than the million steps of a real run; verify() asks
 * again with the whole budget.
 */
static u64 try_budget(const struct search *f)
{
	u64 steps = 100000, given = f->play.s->opts.budget;

	if (f->target->kind != LAB_TARGET_STUCK)
		steps += 4 * f->cost.steps;
	return given && given < steps ? given : steps;
}

/* The best schedule as a run of its own, from the beginning. */
static bool verify(struct search *f, const struct lab_play_mark *start)
{
	lab_play_back(&f->play, start);
	lab_cut_player_rewind(&f->player, RT_NOBODY);
	rt_schedule_rewind(&f->schedule);
	f->player.schedule = &f->schedule;
	rt_set_budget(f->play.s->opts.budget);
	return run_on(f);
}

/* As it was given. False: it does not break the target. */
static bool reproduce(struct search *f, const struct rt_schedule *failing)
{
	struct rt_schedule copy = *failing;
	bool met;

	rt_schedule_rewind(&copy);
	f->player.schedule = &copy;
	met = run_on(f);
	f->player.schedule = NULL;
	if (met)
		keep(f);
	return met;
}

/* The best of what the search finds; what was given if it does not stand on its own. */
static void search(struct search *f, const struct lab_play_mark *start,
		   const struct rt_schedule *failing, struct lab_minimised *res)
{
	struct lab_cuts all = {0};

	rt_set_budget(try_budget(f));
	lab_cuts_copy(&all, &f->best);
	find_base(f, start, &all);
	shrink(f);
	lab_mark_free(&f->base.mark);
	lab_cuts_free(&all);
	res->bounded = spent(f);
	if (verify(f, start)) {
		res->after = f->player.cost;
		return;
	}
	rt_schedule_copy(&f->schedule, failing);
}

static void minimise(struct search *f, const struct rt_schedule *failing, struct lab_minimised *res)
{
	struct lab_play_mark start;

	lab_play_mark(&f->play, &start);
	res->reproduced = reproduce(f, failing);
	res->before = res->after = f->cost;
	if (res->reproduced && f->best.nr)
		search(f, &start, failing, res);
	lab_mark_free(&start.mark);
	rt_schedule_rewind(&f->schedule);
	res->runs = f->runs;
	res->schedule = f->schedule;
}

bool lab_minimise(const struct lab_scenario *sc, const struct lab_setup *su,
		  const struct lab_opts *opts, const struct rt_schedule *failing,
		  const struct lab_target *target, u32 runs, struct lab_minimised *res, char *err,
		  size_t len)
{
	struct search f = {.target = target, .runs_max = runs};
	struct lab_opts o = *opts;
	struct rt_chooser ch;
	struct lab_session *s;

	o.random = false;
	o.schedule = NULL;
	o.no_trace = true;
	*res = (struct lab_minimised){0};
	s = lab_session_new(sc, su, &o, err, len);
	if (!s)
		return false;
	rt_schedule_init(&f.schedule);
	lab_play_init(&f.play, s);
	lab_cut_player_init(&f.player, s->m->nr_actors, &f.play.nr);
	ch = lab_cut_chooser(&f.player);
	lab_session_chooser(s, &ch);
	minimise(&f, failing, res);
	lab_cut_player_free(&f.player);
	lab_cuts_free(&f.best);
	lab_cuts_free(&f.chances);
	lab_cuts_free(&f.list);
	lab_session_free(s);
	return true;
}
