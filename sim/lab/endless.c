// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking for a loop: the world at one step (the anchor), and whether it is the same again when the
 * same actor stands at the same place. Anchors lie further and further apart (Brent), so that a loop
 * of any length is found within three times its length.
 */
#include "sim/lab/endless.h"

#include <stdio.h>
#include <string.h>

#include "sim/lab/excuse.h"
#include "sim/lab/explore_model.h"
#include "sim/lab/play.h"
#include "sim/rt/delta.h"
#include "sim/rt/fault.h"
#include "sim/rt/schedule.h"
#include "tdx/inspect.h"

/* Steps behind the budget; a loop is at most a third as long. */
#define STEPS 30000U

struct state {
	struct rt_hash hash;
	u64 kicks, stepping; /* counters that are acted upon */
};

struct probe {
	struct lab_machine *m;
	struct rt_base *base;
	u32 last, next; /* actor that ran last, and that is to run now */
	u64 steps;
	u64 company; /* the last of them at which another could have gone on */
	bool looked; /* at the world, at this step */
	struct {
		u64 step, next; /* where it is, and where the next one will be */
		u32 actor;
		struct rt_where where;
		struct state state;
	} anchor;
};

/* Whoever comes behind the one that ran last: nobody is left out. */
static u32 next_one(const struct probe *p, const struct rt_choice *c)
{
	for (u32 i = 0; i < c->nr; i++) {
		if (c->ids[i] > p->last)
			return i;
	}
	return 0;
}

static bool at_anchor(const struct probe *p)
{
	struct rt_where now = rt_actor_where(p->m->actor[p->next].rt);

	return p->next == p->anchor.actor && now.point == p->anchor.where.point &&
	       now.obj == p->anchor.where.obj;
}

static u32 pick(void *ctx, const struct rt_choice *c)
{
	struct probe *p = ctx;
	u32 i;

	if (c->kind == RT_CHOICE_FAULT)
		return 0;
	i = next_one(p, c);
	p->next = c->ids[i];
	if (!p->looked && (p->steps >= p->anchor.next || p->steps >= STEPS || at_anchor(p)))
		return RT_PICK_PAUSE;
	if (c->nr > 1)
		p->company = p->steps;
	p->looked = false;
	p->last = c->ids[i];
	p->steps++;
	return i;
}

static struct state look(const struct probe *p)
{
	rt_base_diff(p->base);
	return (struct state){
		.hash = rt_base_hash(p->base),
		.kicks = kvm_look_kicks(p->m->host),
		.stepping = seam_look_steps(p->m->seam),
	};
}

static void drop_anchor(struct probe *p, const struct state *now)
{
	p->anchor.step = p->steps;
	p->anchor.next = p->steps * 2 + 16;
	p->anchor.actor = p->next;
	p->anchor.where = rt_actor_where(p->m->actor[p->next].rt);
	p->anchor.state = *now;
}

/* From pause to pause until the world repeats itself (true), the run ends, or it is enough. */
static bool goes_round(struct probe *p)
{
	while (rt_run() == RT_RUN_PAUSED && p->steps < STEPS) {
		struct state now = look(p);

		p->looked = true;
		if (p->steps > p->anchor.step && p->company <= p->anchor.step &&
		    !memcmp(&now, &p->anchor.state, sizeof(now)))
			return true;
		if (p->steps >= p->anchor.next)
			drop_anchor(p, &now);
	}
	return false;
}

/*
 * What counts, and how often an interrupt was pending: a loop that only the end of interrupts would
 * end is one. That of other faults is state: a call that is BUSY a thousand times may be made so
 * often.
 */
static void ignore_counters(struct lab_machine *m, struct rt_base *b)
{
	const struct rt_fault *f;

	lab_ex_ignore_counters(m, b);
	for (u32 i = 0; (f = rt_fault_get(i)); i++) {
		if (strcmp(f->site, "interrupt"))
			continue;
		rt_base_ignore(b, &f->seen, sizeof(f->seen));
		rt_base_ignore(b, &f->fired, sizeof(f->fired));
	}
	for (u32 i = 0; i < m->nr_actors; i++)
		rt_base_ignore(b, &m->actor[i].job.exit_changes, sizeof(u64));
}

static bool probe(struct lab_session *s, char *text, size_t len)
{
	struct probe p = {.m = s->m, .last = RT_NOBODY};
	const struct rt_chooser ch = {
		.name = "endless", .pick = pick, .ctx = &p, .all_steps = true};
	bool found;

	s->opts.no_calls = true;
	rt_record_schedule(s->world, NULL);
	lab_session_chooser(s, &ch);
	p.base = rt_base_new(s->world, RT_BASE_COMPARE);
	ignore_counters(s->m, p.base);
	found = goes_round(&p) && !lab_excused(s->m);
	if (found)
		snprintf(
			text, len,
			"%s goes round for ever: the world is the same again after %llu steps, and nobody else can go on",
			p.m->actor[p.next].name, p.steps - p.anchor.step);
	rt_base_free(p.base);
	return found;
}

bool lab_endless(const struct lab_scenario *sc, const struct lab_setup *su,
		 const struct lab_opts *opts, const struct rt_schedule *schedule, char *text,
		 size_t len)
{
	struct lab_opts o = {.budget = opts->budget, .no_trace = true};
	struct rt_schedule copy;
	enum lab_played told;
	struct lab_session *s;
	struct lab_play play;
	bool found = false;

	rt_schedule_init(&copy);
	rt_schedule_copy(&copy, schedule);
	rt_schedule_rewind(&copy);
	o.schedule = &copy;
	s = lab_session_new(sc, su, &o, text, len);
	if (s) {
		lab_play_init(&play, s);
		do
			told = lab_play_next(&play);
		while (told == LAB_PLAY_LINE || told == LAB_PLAY_FAILED);
		found = told == LAB_PLAY_STUCK && probe(s, text, len);
		lab_session_free(s);
	}
	rt_schedule_free(&copy);
	return found;
}
