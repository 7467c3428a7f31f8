// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scheduler: scheduling points, waiting, and the loop that decides who goes on.
 * An actor that stops switches to the loop, which runs on the stack of rt_run(); while "in order"
 * holds it need not stop. What the choosers answer is in chooser.c and schedule.c.
 */
#include <assert.h>

#include "sim/rt/events.h"
#include "sim/rt/internal.h"

#define BUDGET_DEFAULT 10000000ULL

/*
 * Before w->fast_until an actor at a point goes on without a look at anything else: nobody wants to
 * be asked, nobody looks at steps, and the budget lasts. That is what makes a point cheap.
 */
void rt_sched_rearm(struct rt_world *w)
{
	const struct rt_chooser *ch = &w->chooser;

	w->ask_from = ch->ask_from ? ch->ask_from(ch->ctx) : 0;
	if (!w->in_run || w->step_hook || ch->all_steps)
		w->fast_until = 0;
	else if (w->s.sched.nr_live <= 1)
		w->fast_until = w->limit;
	else
		w->fast_until = w->ask_from < w->limit ? w->ask_from : w->limit;
}

/* Give up the processor. Returns when the loop has chosen @a again. */
static void yield(struct rt_world *w, struct rt_actor *a)
{
	rt_fiber_switch(&a->fiber, &w->main);
}

void rt_point(enum rt_point pt, u64 obj)
{
	struct rt_world *w = rt_need_world();
	struct rt_actor *a;

	if (w->point_hook)
		w->point_hook(w->point_ctx, pt, obj);
	a = w->s.sched.running;
	if (a) {
		a->point = (u8)pt;
		a->obj = obj;
		if (__builtin_expect(w->s.sched.step < w->fast_until, 1))
			w->s.sched.step++;
		else
			yield(w, a);
	}
	if (pt == RT_PT_RESCHED)
		rt_rcu_quiescent(w);
}

void rt_yield(void)
{
	struct rt_world *w = rt_need_world();
	struct rt_actor *a;

	if (w->point_hook)
		w->point_hook(w->point_ctx, RT_PT_RESCHED, 0);
	a = w->s.sched.running;
	if (a) {
		a->point = RT_PT_RESCHED;
		a->obj = 0;
		a->yields = true;
		w->s.sched.nr_yields++;
		yield(w, a);
	}
	rt_rcu_quiescent(w);
}

static void wait_for(const char *why, bool (*ready)(void *arg), void *arg, bool idle)
{
	struct rt_world *w = rt_need_world();
	struct rt_actor *a = w->s.sched.running;

	if (ready(arg))
		return;
	if (!a)
		rt_panic("code outside of actors would wait for ever: %s", why);
	rt_trace(&rt_ev_wait, RT_PH_BEGIN, (u64)(uintptr_t)why, idle);
	a->ready = ready;
	a->ready_arg = arg;
	a->why = why;
	a->idle = idle;
	a->point = RT_PT_WAKE;
	yield(w, a);
	a->ready = NULL;
	a->ready_arg = NULL;
	a->why = NULL;
	a->idle = false;
	assert(ready(arg));
	rt_trace(&rt_ev_wait, RT_PH_END, (u64)(uintptr_t)why, idle);
}

void rt_block(const char *why, bool (*ready)(void *arg), void *arg)
{
	wait_for(why, ready, arg, false);
}

void rt_idle(const char *why, bool (*ready)(void *arg), void *arg)
{
	wait_for(why, ready, arg, true);
}

bool rt_sched_ask_fault(struct rt_world *w, const char *site, u64 key)
{
	struct rt_sched *s = &w->s.sched;

	if (!s->running)
		return false;
	/* An actor that is alone needs no question who goes on; this one it does. */
	if (s->step < w->fast_until && s->step < w->ask_from) {
		s->step++;
		return false;
	}
	s->question = (struct rt_question){.site = site, .key = key};
	yield(w, s->running);
	return s->question.fires;
}

void rt_stop(void)
{
	struct rt_world *w = rt_need_world();

	w->stop = true;
	if (w->s.sched.running)
		yield(w, w->s.sched.running);
}

/*
 * The answer of "in order": the actor that just stopped if it can go on, else the lowest id that
 * can. One that yields goes on only if nobody else can.
 */
static struct rt_actor *in_order(const struct rt_sched *s)
{
	struct rt_actor *yielder = NULL;

	if (s->last && !s->last->yields && rt_actor_can_go(s->last))
		return s->last;
	for (struct rt_actor *a = s->live; a; a = a->next_live) {
		if (a->yields && !yielder)
			yielder = a;
		else if (!a->yields && rt_actor_can_go(a))
			return a;
	}
	return yielder;
}

/* Nobody can go on: is that an end or a deadlock? */
static enum rt_run_result at_rest(const struct rt_sched *s)
{
	for (const struct rt_actor *a = s->live; a; a = a->next_live) {
		if (!a->idle)
			return RT_RUN_DEADLOCK;
	}
	return RT_RUN_QUIET;
}

/* All that can go on, in order of id: those that yield (@yields), or the others. */
static void collect(struct rt_world *w, struct rt_choice *c, bool yields)
{
	const struct rt_sched *s = &w->s.sched;

	for (struct rt_actor *a = s->live; a; a = a->next_live) {
		if (a->yields != yields || !rt_actor_can_go(a))
			continue;
		if (a == s->last)
			c->cur = c->nr;
		w->choice[c->nr++] = a->id;
	}
}

/* The full question, and the chooser's answer. NULL: nobody can go on, or it paused (*@paused). */
static struct rt_actor *ask(struct rt_world *w, bool *paused)
{
	struct rt_sched *s = &w->s.sched;
	struct rt_choice c = {.step = s->step, .cur = RT_NOBODY, .ids = w->choice};
	struct rt_actor *def, *picked;
	u32 i;

	collect(w, &c, false);
	if (!c.nr && s->nr_yields) {
		collect(w, &c, true);
		c.cur = RT_NOBODY;
	}
	if (!c.nr)
		return NULL;
	def = s->actors[w->choice[c.cur == RT_NOBODY ? 0 : c.cur]];
	if (c.nr == 1 && !w->chooser.all_steps)
		return def;
	i = w->chooser.pick(w->chooser.ctx, &c);
	if (i == RT_PICK_PAUSE) {
		*paused = true;
		return NULL;
	}
	if (i >= c.nr)
		rt_panic("chooser '%s' picked %u of %u", w->chooser.name, i, c.nr);
	picked = s->actors[w->choice[i]];
	if (w->record && picked != def)
		rt_schedule_add(w->record, s->step, picked->id);
	rt_sched_rearm(w);
	return picked;
}

/* The open question goes to the chooser; the actor that asks goes on. NULL: it paused (*@paused). */
static struct rt_actor *answer_fault(struct rt_world *w, bool *paused)
{
	static const u32 ids[] = {RT_FAULT_NO, RT_FAULT_FIRES};
	struct rt_sched *s = &w->s.sched;
	struct rt_question *q = &s->question;
	const struct rt_choice c = {.step = s->step,
				    .nr = RT_ARRAY_SIZE(ids),
				    .ids = ids,
				    .kind = RT_CHOICE_FAULT,
				    .actor = s->last->id,
				    .site = q->site,
				    .key = q->key};
	u32 i = 0;

	if (s->step >= w->ask_from || w->chooser.all_steps)
		i = w->chooser.pick(w->chooser.ctx, &c);
	if (i == RT_PICK_PAUSE) {
		*paused = true;
		return NULL;
	}
	if (i >= c.nr)
		rt_panic("chooser '%s' picked %u of %u", w->chooser.name, i, c.nr);
	if (w->record && i)
		rt_schedule_add(w->record, s->step, ids[i]);
	q->site = NULL;
	q->fires = i;
	rt_sched_rearm(w);
	return s->last;
}

/* Somebody makes a step: that is what those that yield have waited for. */
static void end_yields(struct rt_sched *s)
{
	for (struct rt_actor *a = s->live; a; a = a->next_live)
		a->yields = false;
	s->nr_yields = 0;
}

static void run_one(struct rt_world *w, struct rt_actor *a)
{
	struct rt_sched *s = &w->s.sched;
	u32 before = rt_actor_id(s->last);

	s->step++;
	if (s->nr_yields)
		end_yields(s);
	s->running = a;
	if (s->last != a)
		rt_trace(&rt_ev_switch, RT_PH_INSTANT, (u64)before);
	s->last = a;
	w->ran[a->slot / 64] |= 1ULL << (a->slot % 64);
	rt_fiber_switch(&w->main, &a->fiber);
	s->running = NULL;
	if (w->step_hook)
		w->step_hook(w->step_ctx);
}

static enum rt_run_result run_loop(struct rt_world *w)
{
	struct rt_sched *s = &w->s.sched;
	struct rt_actor *next;
	bool paused = false;

	for (;;) {
		if (w->stop)
			return RT_RUN_STOPPED;
		if (s->step >= w->limit)
			return in_order(s) ? RT_RUN_BUDGET : at_rest(s);
		if (s->question.site)
			next = answer_fault(w, &paused);
		else if (s->step < w->ask_from && !w->chooser.all_steps)
			next = in_order(s);
		else
			next = ask(w, &paused);
		if (paused)
			return RT_RUN_PAUSED;
		if (!next)
			return at_rest(s);
		run_one(w, next);
	}
}

enum rt_run_result rt_run(void)
{
	struct rt_world *w = rt_need_world();
	enum rt_run_result res;

	if (w->in_run)
		rt_panic("rt_run() inside rt_run()");
	w->in_run = true;
	w->stop = false;
	w->limit = w->s.sched.step + (w->budget ? w->budget : BUDGET_DEFAULT);
	rt_sched_rearm(w);
	res = run_loop(w);
	w->in_run = false;
	rt_sched_rearm(w);
	return res;
}

void rt_set_budget(u64 steps)
{
	rt_need_world()->budget = steps;
}

u64 rt_step(void)
{
	return rt_need_world()->s.sched.step;
}

void rt_set_chooser(struct rt_world *w, const struct rt_chooser *ch)
{
	w->chooser = ch ? *ch : rt_chooser_in_order;
	rt_sched_rearm(w);
}

void rt_record_schedule(struct rt_world *w, struct rt_schedule *s)
{
	w->record = s;
}

void rt_set_point_hook(struct rt_world *w, void (*fn)(void *ctx, enum rt_point pt, u64 obj),
		       void *ctx)
{
	w->point_hook = fn;
	w->point_ctx = ctx;
}

void rt_set_step_hook(struct rt_world *w, void (*fn)(void *ctx), void *ctx)
{
	w->step_hook = fn;
	w->step_ctx = ctx;
	rt_sched_rearm(w);
}
