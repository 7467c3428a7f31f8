// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's locks: taking, waiting, releasing, and what they count.
 * A wait is a condition that the scheduler knows, never a loop. No queue: who of several waiters
 * gets a lock is the scheduler's choice, which covers the orders that a fair lock allows. The rules
 * on using them are in lockdep.c.
 */
#include <assert.h>
#include <stdio.h>

#include "sim/rt/events.h"
#include "sim/rt/internal.h"

static const char *mode_name(enum rt_lock_mode mode)
{
	return mode == RT_LOCK_EX ? "W" : "R";
}

void rt_lock_init(struct rt_lock *l, enum rt_lock_kind kind, const char *name)
{
	struct rt_world *w = rt_need_world();

	*l = (struct rt_lock){.name = name,
			      .class_id = rt_lockdep_class(w, name, kind),
			      .id = w->s.lockdep.lock_serial++,
			      .kind = (u16)kind,
			      .owner = RT_NOBODY};
}

static bool can_read(void *arg)
{
	const struct rt_lock *l = arg;

	return !l->held_ex;
}

static bool can_write(void *arg)
{
	const struct rt_lock *l = arg;

	return !l->held_ex && !l->readers;
}

static void count_taken(struct rt_world *w, struct rt_lock *l, enum rt_lock_mode mode)
{
	if (mode == RT_LOCK_EX) {
		l->since = w->s.cycles;
		l->stats.ex++;
	} else {
		l->stats.sh++;
	}
}

static void count_held(struct rt_world *w, struct rt_lock *l)
{
	u64 held = w->s.cycles - l->since;

	l->stats.held_cycles += held;
	if (held > l->stats.longest_cycles)
		l->stats.longest_cycles = held;
}

static void acquired(struct rt_world *w, struct rt_lock *l, enum rt_lock_mode mode)
{
	if (mode == RT_LOCK_EX) {
		l->held_ex = true;
		l->owner = rt_actor_id(w->s.sched.running);
	} else {
		l->readers++;
	}
	if (!w->unmeasured)
		count_taken(w, l, mode);
	rt_held_add(w, (struct rt_held){.obj = l, .kind = RT_HELD_LOCK, .mode = (u8)mode});
	rt_trace(&rt_ev_lock, RT_PH_INSTANT, (u64)(uintptr_t)l->name, (u64)mode, (u64)l->id);
}

/* A lock of zeroes: told once, then made, so that a run that goes on does so with a lock. */
static void check_init(struct rt_lock *l, enum rt_lock_mode mode)
{
	if (l->name)
		return;
	rt_report("lockdep", "%s uses a lock that nobody has initialised",
		  rt_actor_name(rt_need_world()->s.sched.running));
	rt_lock_init(l, mode == RT_LOCK_EX ? RT_LOCK_MUTEX : RT_LOCK_RWSEM, "uninitialised lock");
}

/*
 * Spinlocks and mutexes have one mode; asking for the other is a mistake of the code that wraps
 * them.
 */
static void check_mode(struct rt_lock *l, enum rt_lock_mode mode)
{
	bool shareable;

	check_init(l, mode);
	shareable = l->kind == RT_LOCK_RW || l->kind == RT_LOCK_RWSEM;
	assert(mode == RT_LOCK_EX || shareable);
	(void)shareable;
}

void rt_lock_take(struct rt_lock *l, enum rt_lock_mode mode)
{
	struct rt_world *w = rt_need_world();
	bool (*ready)(void *arg) = mode == RT_LOCK_EX ? can_write : can_read;
	u16 *waiting = mode == RT_LOCK_EX ? &l->writers_waiting : &l->readers_waiting;

	check_mode(l, mode);
	if (!rt_lock_spins(l))
		rt_might_sleep(l->name);
	rt_lockdep_before(w, l);
	rt_point(RT_PT_LOCK, l->id);
	if (!ready(l)) {
		l->stats.waits += !w->unmeasured;
		++*waiting;
		rt_block(l->name, ready, l);
		--*waiting;
	}
	acquired(w, l, mode);
}

/*
 * A lock that is only tried can't be part of a deadlock, so it adds no edge to the order; what is
 * taken under it does.
 */
bool rt_lock_try(struct rt_lock *l, enum rt_lock_mode mode)
{
	struct rt_world *w = rt_need_world();
	bool free;

	check_mode(l, mode);
	rt_point(RT_PT_LOCK, l->id);
	free = mode == RT_LOCK_EX ? can_write(l) : can_read(l);
	if (free)
		acquired(w, l, mode);
	return free;
}

static void released(struct rt_world *w, struct rt_lock *l, enum rt_lock_mode mode)
{
	if (mode == RT_LOCK_EX) {
		l->held_ex = false;
		l->owner = RT_NOBODY;
		if (!w->unmeasured)
			count_held(w, l);
	} else {
		assert(l->readers > 0);
		l->readers--;
	}
	rt_trace(&rt_ev_unlock, RT_PH_INSTANT, (u64)(uintptr_t)l->name, (u64)mode, (u64)l->id);
}

void rt_lock_release(struct rt_lock *l, enum rt_lock_mode mode)
{
	struct rt_world *w = rt_need_world();
	struct rt_task *t = rt_task_current(w);
	struct rt_held *h = rt_held_find(t, l, RT_HELD_LOCK);

	check_mode(l, mode);
	if (!h || h->mode != mode) {
		rt_report("lockdep", "%s releases %s(%s), which it does not hold%s",
			  rt_actor_name(w->s.sched.running), l->name, mode_name(mode),
			  h ? " in that mode" : "");
		return;
	}
	rt_held_del(t, h);
	released(w, l, mode);
	rt_point(RT_PT_UNLOCK, l->id);
	rt_rcu_quiescent(w);
}

/* Takes @l out of what @t holds, as often as it is there. */
static void forget_held(struct rt_task *t, const struct rt_lock *l)
{
	struct rt_held *h;

	while ((h = rt_held_find(t, l, RT_HELD_LOCK)))
		rt_held_del(t, h);
}

void rt_lock_destroy(struct rt_lock *l)
{
	struct rt_world *w = rt_need_world();

	if (!l->held_ex && !l->readers && !l->writers_waiting && !l->readers_waiting)
		return;
	rt_report("lockdep", "%s is destroyed while it is held or waited for", l->name);
	/* The memory goes away: nobody may find it in a list later. */
	forget_held(&w->s.nobody, l);
	for (struct rt_actor *a = w->s.sched.live; a; a = a->next_live)
		forget_held(&a->task, l);
	l->held_ex = false;
	l->readers = 0;
}

bool rt_lock_held(const struct rt_lock *l, enum rt_lock_mode mode)
{
	const struct rt_held *h = rt_held_find(rt_task_current(rt_need_world()), l, RT_HELD_LOCK);

	return h && h->mode == mode;
}

bool rt_lock_held_any(const struct rt_lock *l)
{
	return rt_held_find(rt_task_current(rt_need_world()), l, RT_HELD_LOCK);
}

bool rt_lock_contended(const struct rt_lock *l)
{
	return l->writers_waiting || l->readers_waiting;
}

u32 rt_locks_held(void)
{
	return rt_task_current(rt_need_world())->nr_locks;
}

void rt_locks_describe(u32 id, char *buf, size_t len)
{
	struct rt_world *w = rt_need_world();
	const struct rt_actor *a = rt_actor_by_id(id);
	const struct rt_task *t = a ? &a->task : &w->s.nobody;
	size_t pos = 0;

	assert(len > 0);
	buf[0] = '\0';
	for (u32 i = 0; i < t->nr_held; i++) {
		const struct rt_held *h = &t->held[i];
		const struct rt_lock *l = h->obj;
		int n;

		if (h->kind != RT_HELD_LOCK)
			continue;
		n = snprintf(buf + pos, len - pos, "%s%s", pos ? " " : "", l->name);
		if (n > 0 && (size_t)n < len - pos)
			pos += (size_t)n;
		if (l->kind != RT_LOCK_RW && l->kind != RT_LOCK_RWSEM)
			continue;
		n = snprintf(buf + pos, len - pos, "(%s)", mode_name(h->mode));
		if (n > 0 && (size_t)n < len - pos)
			pos += (size_t)n;
	}
}
