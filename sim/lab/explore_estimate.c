// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many states there may be, told before the search by random schedules and what they have in
 * common. The search itself does not look at it.
 */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/lab/explore_search.h"
#include "sim/lab/util.h"
#include "sim/rt/mix.h"

#define WALKS_MIN     16
#define WALKS_MAX     2048
#define SAMPLES	      8192 /* states looked at, about */
#define WALK_STEPS    4096 /* of one schedule: one that retries is cut */
#define TABLE_SLOTS   (4 * (SAMPLES + WALK_STEPS * WALKS_MIN))
#define WEIGHT_LEVELS 8
#define WEIGHT_STEPS  16 /* choices between two draws of weights, on average */
#define WHO	      256

/* What was met, and how often. */
struct seen {
	struct {
		u64 key;
		u32 times; /* 0: the slot is free */
	} * slot;
	u32 nr, once, twice;
};

struct walker {
	struct lab_ex *x;
	u64 random;
	u32 samples;
	struct seen states;
	struct seen places; /* how far each actor is, whatever the state */
	u32 weight[WHO];    /* how eagerly each actor goes */
	u32 choices[WHO];   /* of each actor in the schedule under way */
	u32 most[WHO];	    /* the same, of any that ended */
	bool moved[WHO];
	struct lab_ex_estimate e;
};

static void note(struct seen *s, u64 key)
{
	u64 at = key % TABLE_SLOTS;

	while (s->slot[at].times && s->slot[at].key != key)
		at = (at + 1) % TABLE_SLOTS;
	s->slot[at].key = key;
	s->slot[at].times++;
	s->nr += s->slot[at].times == 1;
	s->once += (s->slot[at].times == 1) - (s->slot[at].times == 2);
	s->twice += (s->slot[at].times == 2) - (s->slot[at].times == 3);
}

/*
 * Under equal chances all actors would come along together, and only the middle of the space would
 * be seen. So some are more eager than others, by powers of four, and others after a while.
 */
static void draw_weights(struct walker *w)
{
	for (u32 i = 0; i < WHO; i++)
		w->weight[i] = 1U << 2 * (rt_splitmix64(&w->random) % WEIGHT_LEVELS);
}

static u8 draw(struct walker *w)
{
	const struct ex_runner *r = &w->x->runner;
	u64 sum = 0, at;
	u32 i;

	if (!(rt_splitmix64(&w->random) % WEIGHT_STEPS))
		draw_weights(w);
	for (i = 0; i < r->nr; i++)
		sum += w->weight[r->id_of[i]];
	at = rt_splitmix64(&w->random) % sum;
	for (i = 0; at >= w->weight[r->id_of[i]]; i++)
		at -= w->weight[r->id_of[i]];
	return r->id_of[i];
}

static void note_ways(struct walker *w)
{
	for (u32 i = 0; i < WHO; i++) {
		if (w->choices[i] > w->most[i])
			w->most[i] = w->choices[i];
	}
}

static void walk(struct walker *w)
{
	struct ex_runner *r = &w->x->runner;
	enum lab_ex_stop stop = LAB_EX_CHOICE;
	struct lab_ex_fault f;
	u32 n;

	draw_weights(w);
	memset(w->choices, 0, sizeof(w->choices));
	ex_restore(r, ex_queue_get(&w->x->first, 0));
	for (n = 0; n < WALK_STEPS && stop == LAB_EX_CHOICE; n++) {
		u8 by = draw(w);

		w->choices[by]++;
		w->moved[by] = true;
		stop = ex_answer(r, by, &f);
		if (stop != LAB_EX_CHOICE && stop != LAB_EX_REST)
			continue;
		note(&w->states, ex_name_now(r, stop).lo);
		note(&w->places, XXH3_64bits(w->choices, sizeof(w->choices)));
		w->samples++;
	}
	rt_base_diff(r->base);
	w->e.schedules++;
	/* How far one gets on a way without an end says nothing. */
	if (n < WALK_STEPS)
		note_ways(w);
	w->e.least = n < w->e.least ? n : w->e.least;
	w->e.most = n > w->e.most ? n : w->e.most;
}

/*
 * Chao's lower bound of the number of species: many that were met but once mean many that were not
 * met. Schedules are no fair sample of states, so it is low.
 */
static double by_meetings(const struct walker *w)
{
	double once = w->states.once;

	return w->states.nr + once * (once - 1) / (2. * (w->states.twice + 1));
}

/*
 * So many states at each place as at those that were seen, and all places that the longest ways of
 * all actors span. High if an actor's way is long only where another's is not.
 */
static double by_places(const struct walker *w)
{
	double n = w->places.nr ? (double)w->states.nr / w->places.nr : 1;

	for (u32 i = 0; i < WHO; i++)
		n *= w->most[i] + 1;
	return n;
}

struct lab_ex_estimate lab_ex_estimate(struct lab_ex *x)
{
	struct walker w = {.x = x, .random = 1, .e = {.least = ~0U}};

	ex_need_first(x);
	w.states.slot = lab_zalloc(TABLE_SLOTS * sizeof(*w.states.slot));
	w.places.slot = lab_zalloc(TABLE_SLOTS * sizeof(*w.places.slot));
	while (w.e.schedules < WALKS_MIN || (w.samples < SAMPLES && w.e.schedules < WALKS_MAX))
		walk(&w);
	for (u32 i = 0; i < EX_GO_ON; i++)
		w.e.actors += w.moved[i];
	w.e.seen = w.states.nr;
	w.e.states = by_meetings(&w) > by_places(&w) ? by_meetings(&w) : by_places(&w);
	free(w.states.slot);
	free(w.places.slot);
	return w.e;
}
