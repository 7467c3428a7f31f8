// SPDX-License-Identifier: GPL-2.0-only
/*
 * RCU and SRCU: read sections, grace periods, callbacks.
 * One clock counts the grace periods that were asked for; a read section remembers what it showed
 * at its start, so "all readers that began before" is a comparison. Poison in what callbacks free
 * is the allocator's (alloc.c).
 */
#include <assert.h>

#include "sim/rt/events.h"
#include "sim/rt/internal.h"

/* No reader is left that began before grace period @gp was asked for. */
static bool gp_over(const struct rt_world *w, u64 gp)
{
	const struct rt_task *t = &w->s.nobody;

	if (t->rcu_nest && t->rcu_since < gp)
		return false;
	for (const struct rt_actor *a = w->s.sched.live; a; a = a->next_live) {
		if (a->task.rcu_nest && a->task.rcu_since < gp)
			return false;
	}
	return true;
}

void rt_rcu_read_lock(void)
{
	struct rt_world *w = rt_need_world();
	struct rt_task *t = rt_task_current(w);

	if (!t->rcu_nest) {
		rt_point(RT_PT_RCU, 0);
		t->rcu_since = w->s.rcu.clock;
	}
	t->rcu_nest++;
}

void rt_rcu_read_unlock(void)
{
	struct rt_world *w = rt_need_world();
	struct rt_task *t = rt_task_current(w);

	if (!t->rcu_nest) {
		rt_report("rcu", "%s leaves an RCU read section that it is not in",
			  rt_actor_name(w->s.sched.running));
		return;
	}
	if (--t->rcu_nest)
		return;
	t->rcu_since = 0;
	rt_point(RT_PT_RCU, 0);
	rt_rcu_quiescent(w);
}

bool rt_rcu_held(void)
{
	return rt_task_current(rt_need_world())->rcu_nest;
}

void rt_call_rcu(struct rt_rcu_head *head, void (*fn)(struct rt_rcu_head *head))
{
	struct rt_rcu *r = &rt_need_world()->s.rcu;

	*head = (struct rt_rcu_head){.fn = fn, .gp = ++r->clock};
	if (r->head)
		r->tail->next = head;
	else
		r->head = head;
	r->tail = head;
	r->queued++;
}

/*
 * One actor at a time runs callbacks, oldest first, so that "all queued so far have run" is a
 * comparison of two numbers. A callback may take locks and so stop at points; others that come here
 * meanwhile leave the rest to this one.
 */
void rt_rcu_run_ready(struct rt_world *w)
{
	struct rt_task *t = rt_task_current(w);
	struct rt_rcu *r = &w->s.rcu;

	if (r->running || t->in_callback || t->rcu_nest || t->nr_atomic)
		return;
	if (!r->head || !gp_over(w, r->head->gp))
		return;
	r->running = true;
	t->in_callback = true;
	rt_trace(&rt_ev_rcu, RT_PH_BEGIN, r->done);
	while (r->head && gp_over(w, r->head->gp)) {
		struct rt_rcu_head *head = r->head;

		r->head = head->next;
		head->fn(head); /* may free it */
		r->done++;
	}
	rt_trace(&rt_ev_rcu, RT_PH_END, r->done);
	t->in_callback = false;
	r->running = false;
}

struct gp_wait {
	const struct rt_world *w;
	u64 gp;
};

static bool gp_wait_over(void *arg)
{
	const struct gp_wait *wait = arg;

	return gp_over(wait->w, wait->gp);
}

/*
 * Waiting for readers from inside of a read section would be for ever: says so, and does not wait.
 */
static bool may_wait(struct rt_world *w, const char *what)
{
	rt_might_sleep(what);
	return !rt_task_current(w)->rcu_nest;
}

void rt_synchronize_rcu(void)
{
	struct rt_world *w = rt_need_world();
	struct gp_wait wait = {.w = w};

	if (!may_wait(w, "synchronize_rcu"))
		return;
	rt_point(RT_PT_RCU, 0);
	wait.gp = ++w->s.rcu.clock;
	rt_block("RCU grace period", gp_wait_over, &wait);
	rt_rcu_quiescent(w);
}

struct barrier_wait {
	const struct rt_world *w;
	u64 target;
};

/* Either all have run, or this actor could run the next one itself. */
static bool barrier_ready(void *arg)
{
	const struct barrier_wait *wait = arg;
	const struct rt_rcu *r = &wait->w->s.rcu;

	if (r->done >= wait->target)
		return true;
	return !r->running && r->head && gp_over(wait->w, r->head->gp);
}

void rt_rcu_barrier(void)
{
	struct rt_world *w = rt_need_world();
	struct rt_task *t = rt_task_current(w);
	struct barrier_wait wait = {.w = w};

	if (!may_wait(w, "rcu_barrier"))
		return;
	if (t->in_callback || t->nr_atomic) {
		rt_report("rcu", "%s waits for RCU callbacks where it can't run them",
			  rt_actor_name(w->s.sched.running));
		return;
	}
	rt_point(RT_PT_RCU, 0);
	wait.target = w->s.rcu.queued;
	while (w->s.rcu.done < wait.target) {
		rt_block("RCU callbacks", barrier_ready, &wait);
		rt_rcu_run_ready(w);
	}
}

void rt_srcu_init(struct rt_srcu *s)
{
	*s = (struct rt_srcu){0};
}

int rt_srcu_read_lock(struct rt_srcu *s)
{
	struct rt_world *w = rt_need_world();
	u32 idx;

	rt_point(RT_PT_RCU, 0);
	idx = s->idx;
	s->readers[idx]++;
	rt_held_add(w, (struct rt_held){.obj = s,
					.kind = RT_HELD_SRCU,
					.mode = (u8)idx,
					.since = w->s.rcu.clock});
	return (int)idx;
}

void rt_srcu_read_unlock(struct rt_srcu *s, int idx)
{
	struct rt_world *w = rt_need_world();
	struct rt_task *t = rt_task_current(w);
	struct rt_held *h = rt_held_find(t, s, RT_HELD_SRCU);

	if (!h || h->mode != idx) {
		rt_report("rcu", "%s leaves an SRCU read section %s",
			  rt_actor_name(w->s.sched.running),
			  h ? "with the index of another" : "that it is not in");
		return;
	}
	s->readers[idx]--;
	rt_held_del(t, h);
	rt_point(RT_PT_RCU, 0);
}

bool rt_srcu_held(const struct rt_srcu *s)
{
	return rt_held_find(rt_task_current(rt_need_world()), s, RT_HELD_SRCU);
}

struct srcu_wait {
	const struct rt_world *w;
	const struct rt_srcu *s;
	u64 gp;
};

static bool task_reads(const struct rt_task *t, const struct srcu_wait *wait)
{
	for (u32 i = 0; i < t->nr_held; i++) {
		const struct rt_held *h = &t->held[i];

		if (h->obj == wait->s && h->kind == RT_HELD_SRCU && h->since < wait->gp)
			return true;
	}
	return false;
}

/*
 * Exactly the readers that began before; the index flips for show, as users of the kernel's expect
 * it to.
 */
static bool srcu_over(void *arg)
{
	const struct srcu_wait *wait = arg;

	if (!wait->s->readers[0] && !wait->s->readers[1])
		return true;
	if (task_reads(&wait->w->s.nobody, wait))
		return false;
	for (const struct rt_actor *a = wait->w->s.sched.live; a; a = a->next_live) {
		if (task_reads(&a->task, wait))
			return false;
	}
	return true;
}

void rt_synchronize_srcu(struct rt_srcu *s)
{
	struct rt_world *w = rt_need_world();
	struct srcu_wait wait = {.w = w, .s = s};

	rt_might_sleep("synchronize_srcu");
	if (rt_srcu_held(s)) {
		rt_report("rcu", "%s waits for SRCU readers inside a read section of the same",
			  rt_actor_name(w->s.sched.running));
		return;
	}
	rt_point(RT_PT_RCU, 0);
	wait.gp = ++w->s.rcu.clock;
	s->idx ^= 1;
	rt_block("SRCU grace period", srcu_over, &wait);
}
