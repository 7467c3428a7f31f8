// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lockdep: the order graph of lock classes, and the rules on double taking, sleeping, freeing and
 * leaving with locks held. Also the list of what each task holds, since every rule asks it. The
 * locks themselves are in lock.c.
 */
#include <assert.h>
#include <string.h>

#include "sim/rt/internal.h"

/* ---- what a task holds ---- */

static bool held_spins(const struct rt_held *h)
{
	return h->kind == RT_HELD_LOCK && rt_lock_spins(h->obj);
}

void rt_held_add(struct rt_world *w, struct rt_held h)
{
	struct rt_task *t = rt_task_current(w);

	if (t->nr_held == t->cap_held)
		t->held = rt_own_grow(w, t->held, &t->cap_held, t->nr_held + 1, sizeof(h));
	t->held[t->nr_held++] = h;
	t->nr_locks += h.kind == RT_HELD_LOCK;
	t->nr_atomic += held_spins(&h);
}

/* The youngest entry, since locks are mostly released in reverse order. */
struct rt_held *rt_held_find(struct rt_task *t, const void *obj, enum rt_held_kind kind)
{
	for (u32 i = t->nr_held; i-- > 0;) {
		if (t->held[i].obj == obj && t->held[i].kind == kind)
			return &t->held[i];
	}
	return NULL;
}

void rt_held_del(struct rt_task *t, struct rt_held *h)
{
	u32 i = (u32)(h - t->held);

	assert(i < t->nr_held);
	t->nr_locks -= h->kind == RT_HELD_LOCK;
	t->nr_atomic -= held_spins(h);
	memmove(h, h + 1, (t->nr_held - i - 1) * sizeof(*h));
	t->held[--t->nr_held] = (struct rt_held){0};
}

/* ---- the order graph ---- */

u32 rt_lockdep_class(struct rt_world *w, const char *name, u32 kind)
{
	struct rt_lockdep *ld = &w->s.lockdep;

	/* By text: the same literal has another address in each file. */
	for (u32 i = 0; i < ld->nr; i++) {
		if (ld->classes[i].kind == kind && !strcmp(ld->classes[i].name, name))
			return i;
	}
	ld->classes =
		rt_own_grow(w, ld->classes, &ld->cap, ld->nr + 1, sizeof(struct rt_lock_class));
	ld->classes[ld->nr] = (struct rt_lock_class){.name = name, .kind = kind};
	return ld->nr++;
}

static bool edge_test(const struct rt_lock_class *c, u32 to)
{
	return to / 64 < c->words && (c->after[to / 64] >> (to % 64) & 1);
}

static void edge_set(struct rt_world *w, struct rt_lock_class *c, u32 to)
{
	c->after = rt_own_grow(w, c->after, &c->words, to / 64 + 1, sizeof(u64));
	c->after[to / 64] |= RT_BIT(to % 64);
}

/* Whether the graph leads from @from to @to; @seen has a bit for each class. */
static bool reaches(const struct rt_lockdep *ld, u32 from, u32 to, u64 *seen)
{
	const struct rt_lock_class *c = &ld->classes[from];

	if (from == to)
		return true;
	seen[from / 64] |= RT_BIT(from % 64);
	for (u32 i = 0; i < ld->nr; i++) {
		bool fresh = !(seen[i / 64] >> (i % 64) & 1);

		if (fresh && edge_test(c, i) && reaches(ld, i, to, seen))
			return true;
	}
	return false;
}

/*
 * @to is taken under @from. The edge stays even if it closes a cycle, so that each cycle is
 * reported once.
 */
static void order_add(struct rt_world *w, u32 from, u32 to)
{
	struct rt_lockdep *ld = &w->s.lockdep;
	bool cycle;
	u64 *seen;

	if (edge_test(&ld->classes[from], to))
		return;
	seen = rt_own_zalloc(w, (ld->nr + 63) / 64 * sizeof(u64));
	cycle = reaches(ld, to, from, seen);
	rt_own_free(w, seen);
	edge_set(w, &ld->classes[from], to);
	if (cycle)
		rt_report("lockdep", "%s takes %s under %s, the other order was seen before",
			  rt_actor_name(w->s.sched.running), ld->classes[to].name,
			  ld->classes[from].name);
}

/*
 * The kernel runs RCU callbacks in softirq, which can interrupt whoever holds a spinning lock on that
 * CPU: a callback that takes it then waits for ever. No lock here is taken with softirqs off.
 */
static void usage_add(struct rt_world *w, const struct rt_task *t, const struct rt_lock *l)
{
	struct rt_lock_class *c = &w->s.lockdep.classes[l->class_id];
	const bool told = c->in_callback && c->in_task;

	c->in_callback |= t->in_callback;
	c->in_task |= !t->in_callback;
	if (c->in_callback && c->in_task && !told)
		rt_report("lockdep",
			  "%s takes %s %s an RCU callback, and it is taken %s: a callback can "
			  "interrupt its holder",
			  rt_actor_name(w->s.sched.running), l->name,
			  t->in_callback ? "in" : "outside of",
			  t->in_callback ? "by tasks, too" : "in callbacks, too");
}

void rt_lockdep_before(struct rt_world *w, const struct rt_lock *l)
{
	const struct rt_task *t = rt_task_current(w);
	const char *who = rt_actor_name(w->s.sched.running);

	if (rt_lock_spins(l))
		usage_add(w, t, l);
	for (u32 i = 0; i < t->nr_held; i++) {
		const struct rt_lock *held = t->held[i].obj;

		if (t->held[i].kind != RT_HELD_LOCK)
			continue;
		if (held == l)
			rt_report("lockdep", "%s takes %s, which it holds already", who, l->name);
		else if (held->class_id != l->class_id)
			order_add(w, held->class_id, l->class_id);
		else if (held->id > l->id)
			/*
			 * Two of one class nest in the order of their creation, or two actors could
			 * each hold one.
			 */
			rt_report("lockdep", "%s takes an older %s under a younger one", who,
				  l->name);
	}
}

/* ---- the other rules ---- */

void rt_might_sleep(const char *what)
{
	struct rt_world *w = rt_need_world();
	const struct rt_task *t = rt_task_current(w);
	const char *who = rt_actor_name(w->s.sched.running);

	if (t->rcu_nest)
		rt_report("rcu", "%s may sleep (%s) inside an RCU read section", who, what);
	if (!t->nr_atomic)
		return;
	for (u32 i = 0; i < t->nr_held; i++) {
		const struct rt_lock *l = t->held[i].obj;

		if (held_spins(&t->held[i])) {
			rt_report("lockdep", "%s may sleep (%s) under %s", who, what, l->name);
			return;
		}
	}
}

void rt_might_wait(const char *what)
{
	struct rt_world *w = rt_need_world();
	const struct rt_task *t = rt_task_current(w);

	for (u32 i = 0; i < t->nr_held; i++) {
		const struct rt_lock *l = t->held[i].obj;

		if (t->held[i].kind != RT_HELD_LOCK || l->kind != RT_LOCK_SPIN)
			continue;
		rt_report("lockdep", "%s waits for %s under %s", rt_actor_name(w->s.sched.running),
			  what, l->name);
		return;
	}
}

void rt_lockdep_freed(struct rt_world *w, const void *p, size_t len)
{
	struct rt_task *t = rt_task_current(w);
	const char *begin = p;

	for (u32 i = t->nr_held; i-- > 0;) {
		const char *obj = t->held[i].obj;

		if (obj < begin || obj >= begin + len)
			continue;
		rt_report("lockdep", "%s frees memory with %s in it, which it holds",
			  rt_actor_name(w->s.sched.running),
			  t->held[i].kind == RT_HELD_LOCK ? ((const struct rt_lock *)obj)->name
							  : "an SRCU domain");
		rt_held_del(t, &t->held[i]);
	}
}

void rt_lockdep_exit(struct rt_world *w, struct rt_actor *a)
{
	char held[128];

	if (a->task.nr_locks) {
		rt_locks_describe(a->id, held, sizeof(held));
		rt_report("lockdep", "%s ends with locks held: %s", a->name, held);
	} else if (a->task.nr_held) {
		rt_report("rcu", "%s ends inside an SRCU read section", a->name);
	}
	if (a->task.rcu_nest)
		rt_report("rcu", "%s ends inside an RCU read section", a->name);
}
