// SPDX-License-Identifier: GPL-2.0-only
/*
 * Actors: made, looked up, described, and their stack slots.
 * The order in which they run is decided in sched.c.
 */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>

#include "sim/rt/events.h"
#include "sim/rt/internal.h"

char *rt_slot_stack(const struct rt_world *w, u32 slot)
{
	return w->stacks + slot * w->slot_size + (w->slot_size - w->opts.stack_size);
}

/*
 * The lowest free slot. Its pages are made accessible when it is used for the first time in the
 * life of the region, all but the guard page below it; slots are used from below, so one number
 * remembers which are.
 */
static bool slot_take(struct rt_world *w, u32 *slot)
{
	struct rt_sched *s = &w->s.sched;

	for (u32 i = 0; i < RT_SLOT_WORDS; i++) {
		if (s->slots[i] == ~0ULL)
			continue;
		*slot = i * 64 + (u32)__builtin_ctzll(~s->slots[i]);
		if (*slot >= w->opts.actors_max)
			return false;
		if (*slot >= w->slots_mapped) {
			if (mprotect(rt_slot_stack(w, *slot), w->opts.stack_size,
				     PROT_READ | PROT_WRITE))
				rt_panic("the host gives no memory for the stack of slot %u",
					 *slot);
			w->slots_mapped = *slot + 1;
		}
		s->slots[i] |= 1ULL << (*slot % 64);
		return true;
	}
	return false;
}

/* An actor's whole life; runs on its own stack. */
static void actor_main(void *arg)
{
	struct rt_actor *a = arg;
	struct rt_world *w = rt_cur;

	rt_trace(&rt_ev_actor, RT_PH_BEGIN, (u64)a->id);
	a->fn(a->arg);
	rt_lockdep_exit(w, a);
	rt_rcu_quiescent(w);
	rt_trace(&rt_ev_actor, RT_PH_END, (u64)a->id);
	rt_actor_retire(w, a);
	rt_fiber_switch(&a->fiber, &w->main);
	rt_panic("a finished actor was switched to");
}

struct rt_actor *rt_actor_new(const char *name, void (*fn)(void *arg), void *arg)
{
	struct rt_world *w = rt_need_world();
	struct rt_sched *s = &w->s.sched;
	struct rt_actor *a, **link;
	u32 slot;

	assert(fn);
	if (!slot_take(w, &slot))
		return NULL;
	a = rt_own_zalloc(w, sizeof(*a));
	a->fn = fn;
	a->arg = arg;
	a->slot = slot;
	a->point = RT_PT_START;
	snprintf(a->name, sizeof(a->name), "%s", name);
	a->id = s->nr_actors;
	s->actors = rt_own_grow(w, s->actors, &s->cap_actors, s->nr_actors + 1, sizeof(*s->actors));
	s->actors[s->nr_actors++] = a;
	for (link = &s->live; *link; link = &(*link)->next_live)
		;
	*link = a;
	s->nr_live++;
	rt_fiber_init(&a->fiber, rt_slot_stack(w, slot), w->opts.stack_size, actor_main, a);
	rt_sched_rearm(w);
	return a;
}

/*
 * The slot is free from here on although we still run on it: nothing is started before the switch
 * to the scheduler.
 */
void rt_actor_retire(struct rt_world *w, struct rt_actor *a)
{
	struct rt_sched *s = &w->s.sched;
	struct rt_actor **link;

	a->finished = true;
	for (link = &s->live; *link != a; link = &(*link)->next_live)
		;
	*link = a->next_live;
	a->next_live = NULL;
	s->nr_live--;
	s->slots[a->slot / 64] &= ~(1ULL << (a->slot % 64));
	rt_own_free(w, a->task.held);
	a->task = (struct rt_task){0};
	rt_sched_rearm(w);
}

struct rt_actor *rt_actor_current(void)
{
	return rt_cur ? rt_cur->s.sched.running : NULL;
}

const char *rt_actor_name(const struct rt_actor *a)
{
	return a ? a->name : "-";
}

u32 rt_actor_id(const struct rt_actor *a)
{
	return a ? a->id : RT_NOBODY;
}

struct rt_actor *rt_actor_by_id(u32 id)
{
	struct rt_sched *s = &rt_need_world()->s.sched;

	return id < s->nr_actors ? s->actors[id] : NULL;
}

bool rt_actor_finished(const struct rt_actor *a)
{
	return a->finished;
}

void rt_actor_set_data(struct rt_actor *a, void *data)
{
	a->data = data;
}

void *rt_actor_data(const struct rt_actor *a)
{
	return a->data;
}

struct rt_where rt_actor_where(const struct rt_actor *a)
{
	const struct rt_sched *s = &rt_need_world()->s.sched;
	struct rt_where at = {.point = a->point, .obj = a->obj};

	if (a == s->last)
		at.asks = s->question.site;
	if (!a->finished && !rt_actor_can_go(a)) {
		at.blocked_on = a->why;
		at.idle = a->idle;
	}
	return at;
}

const char *rt_point_name(enum rt_point pt)
{
	static const char *const names[] = {
#define RT_POINT_NAME(id, text) [RT_PT_##id] = text,
		RT_POINTS(RT_POINT_NAME)
#undef RT_POINT_NAME
	};

	return (u32)pt < RT_PT_NR ? names[pt] : "?";
}
