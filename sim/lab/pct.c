// SPDX-License-Identifier: GPL-2.0-only
/*
 * The chooser of probabilistic concurrency testing, and its arithmetic.
 */
#include "sim/lab/pct.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/lab/machine.h"
#include "sim/lab/util.h"
#include "sim/rt/world.h"

/* A random order of the actors, all above the priorities that changes give. */
static void draw_priorities(struct lab_pct *p)
{
	for (u32 i = 0; i < p->nr_actors; i++) {
		u32 k = (u32)rt_random_below(i + 1);

		p->priority[i] = p->priority[k];
		p->priority[k] = p->depth + i;
	}
}

static int ascending(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct lab_pct *lab_pct_new(u32 depth, u32 nr_actors, u64 steps)
{
	struct lab_pct *p = lab_zalloc(sizeof(*p));

	assert(depth && depth <= LAB_PCT_DEPTH_MAX && steps);
	p->depth = depth;
	p->nr_actors = nr_actors;
	p->steps = steps;
	p->last = RT_NOBODY;
	p->priority = lab_zalloc((nr_actors + 1) * sizeof(*p->priority));
	draw_priorities(p);
	for (u32 i = 0; i + 1 < depth; i++)
		p->change[i] = rt_random_below(steps);
	qsort(p->change, depth - 1, sizeof(*p->change), ascending);
	return p;
}

void lab_pct_free(struct lab_pct *p)
{
	if (!p)
		return;
	free(p->priority);
	free(p);
}

/* Changes that are due: each puts the actor that ran last below all that were put there before. */
static void change(struct lab_pct *p)
{
	for (; p->next + 1 < p->depth && p->done >= p->change[p->next]; p->next++) {
		if (p->last < p->nr_actors)
			p->priority[p->last] = p->depth - 1 - p->next;
	}
}

static u32 highest(const struct lab_pct *p, const struct rt_choice *c)
{
	u32 best = 0;

	for (u32 i = 1; i < c->nr; i++) {
		if (p->priority[c->ids[i]] > p->priority[c->ids[best]])
			best = i;
	}
	return best;
}

static u32 pick(void *ctx, const struct rt_choice *c)
{
	const struct lab_machine *m = lab_machine();
	struct lab_pct *p = ctx;
	u32 i;

	if (c->kind == RT_CHOICE_FAULT)
		return !rt_random_below(RT_RANDOM_FAULT);
	if (!lab_in_parallel(m))
		return c->cur == RT_NOBODY ? 0 : c->cur;
	change(p);
	i = highest(p, c);
	p->last = c->ids[i];
	p->done++;
	return i;
}

struct rt_chooser lab_pct_chooser(struct lab_pct *p)
{
	return (struct rt_chooser){.name = "pct", .pick = pick, .ctx = p, .all_steps = true};
}

double lab_pct_bound(u32 depth, u32 nr_actors, u64 steps)
{
	double bound = 1.0 / nr_actors;

	for (u32 i = 1; i < depth; i++)
		bound /= (double)steps;
	return bound;
}

/* 1 - (1 - one)^runs, by squaring: no library of mathematics for one formula. */
double lab_pct_bound_of(double one, u64 runs)
{
	double none = 1.0, factor = 1.0 - one;

	for (; runs; runs >>= 1, factor *= factor) {
		if (runs & 1)
			none *= factor;
	}
	return 1.0 - none;
}
