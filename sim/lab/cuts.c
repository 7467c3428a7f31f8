// SPDX-License-Identifier: GPL-2.0-only
/*
 * The chooser that plays cuts, and lists of them.
 */
#include "sim/lab/cuts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/util.h"

int lab_cost_compare(const struct lab_cost *a, const struct lab_cost *b)
{
	if (a->preemptions != b->preemptions)
		return a->preemptions < b->preemptions ? -1 : 1;
	if (a->faults != b->faults)
		return a->faults < b->faults ? -1 : 1;
	if (a->cuts != b->cuts)
		return a->cuts < b->cuts ? -1 : 1;
	return a->steps < b->steps ? -1 : a->steps > b->steps;
}

void lab_cuts_add(struct lab_cuts *c, const struct lab_cut *cut)
{
	c->cut = lab_grow(c->cut, &c->cap, c->nr + 1, sizeof(*c->cut));
	c->cut[c->nr++] = *cut;
}

void lab_cuts_copy(struct lab_cuts *to, const struct lab_cuts *from)
{
	to->nr = 0;
	for (u32 i = 0; i < from->nr; i++)
		lab_cuts_add(to, &from->cut[i]);
}

static int compare(const void *va, const void *vb)
{
	const struct lab_cut *a = va, *b = vb;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	return a->local < b->local ? -1 : a->local > b->local;
}

void lab_cuts_sort(struct lab_cuts *c)
{
	if (c->nr)
		qsort(c->cut, c->nr, sizeof(*c->cut), compare);
}

void lab_cuts_free(struct lab_cuts *c)
{
	free(c->cut);
	*c = (struct lab_cuts){0};
}

void lab_cut_player_init(struct lab_cut_player *p, u32 nr_actors, const u32 *line)
{
	*p = (struct lab_cut_player){.line = line, .nr_actors = nr_actors};
	p->local = lab_zalloc((nr_actors + 1) * sizeof(*p->local));
	lab_cut_player_rewind(p, RT_NOBODY);
}

void lab_cut_player_free(struct lab_cut_player *p)
{
	lab_cuts_free(&p->taken);
	lab_cuts_free(&p->chances);
	free(p->local);
}

void lab_cut_player_rewind(struct lab_cut_player *p, u32 last)
{
	p->taken.nr = p->chances.nr = 0;
	p->cost = (struct lab_cost){0};
	p->at_line = 0; /* lines count from 1: the first question begins one */
	p->last = last;
}

static u64 *local_of(struct lab_cut_player *p, u32 actor)
{
	return &p->local[actor < p->nr_actors ? actor : p->nr_actors];
}

/* What the list, or the schedule, says here: an index into the choice's ids. */
static u32 answer(struct lab_cut_player *p, const struct rt_choice *c, const struct lab_cut *here)
{
	u32 def = c->cur == RT_NOBODY ? 0 : c->cur;
	const struct lab_cut *cut = NULL;

	if (p->schedule) {
		struct rt_chooser ch = rt_schedule_chooser(p->schedule);

		return ch.pick(ch.ctx, c);
	}
	if (p->play && p->play->nr)
		cut = bsearch(here, p->play->cut, p->play->nr, sizeof(*here), compare);
	for (u32 i = 0; cut && i < c->nr; i++) {
		if (c->ids[i] == cut->to)
			return i;
	}
	return def;
}

/* Every other answer that there is. */
static void note_chances(struct lab_cut_player *p, const struct rt_choice *c, struct lab_cut here)
{
	u32 def = c->cur == RT_NOBODY ? 0 : c->cur;

	for (u32 i = 0; i < c->nr; i++) {
		here.to = c->ids[i];
		if (i != def)
			lab_cuts_add(&p->chances, &here);
	}
}

static void take(struct lab_cut_player *p, const struct lab_cut *cut)
{
	lab_cuts_add(&p->taken, cut);
	p->cost.cuts++;
	if (cut->to == RT_FAULT_FIRES)
		p->cost.faults++;
	else if (!cut->free)
		p->cost.preemptions++;
}

static u32 pick(void *ctx, const struct rt_choice *c)
{
	struct lab_cut_player *p = ctx;
	struct lab_cut here = {.line = *p->line, .last = p->last};
	u32 i;

	if (p->at_line != here.line) {
		p->at_line = here.line;
		memset(p->local, 0, (p->nr_actors + 1) * sizeof(*p->local));
	}
	here.local = *local_of(p, p->last);
	here.free = c->cur == RT_NOBODY || !here.local;
	note_chances(p, c, here);
	i = answer(p, c, &here);
	if (i != (c->cur == RT_NOBODY ? 0 : c->cur)) {
		here.to = c->ids[i];
		take(p, &here);
	}
	if (c->kind == RT_CHOICE_ACTOR)
		p->last = c->ids[i];
	++*local_of(p, p->last);
	return i;
}

struct rt_chooser lab_cut_chooser(struct lab_cut_player *p)
{
	return (struct rt_chooser){.name = "cuts", .pick = pick, .ctx = p, .all_steps = true};
}
