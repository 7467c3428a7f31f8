// SPDX-License-Identifier: GPL-2.0-only
/*
 * duel(): two actors and a chooser that knows nothing but where the outer one stands.
 * Nothing is asserted inside an actor: a failed assertion may not leave its stack.
 */
#include "tests/tdx/duel.h"

#include "sim/rt/sched.h"

struct meeting {
	struct machine *m;
	struct duel_side *outer, *inner;
	struct rt_actor *outer_actor, *inner_actor;
	enum duel_at at;
	u32 n, seen;
	bool reached;
};

static void run_side(struct machine *m, struct duel_side *side)
{
	side->r = side->in;
	if (side->guest)
		side->res = seam_tdcall(m->s, side->lp, &side->r, 0, &side->fault);
	else
		side->res = seam_call(m->s, side->lp, &side->r);
	side->ran = true;
}

static void run_outer(void *arg)
{
	struct meeting *mt = arg;

	run_side(mt->m, mt->outer);
}

static void run_inner(void *arg)
{
	struct meeting *mt = arg;

	run_side(mt->m, mt->inner);
}

/* The outer actor has just come to the point that is waited for. */
static bool at_the_point(struct meeting *mt)
{
	struct rt_where where = rt_actor_where(mt->outer_actor);
	bool write = where.point == RT_PT_HELD && (where.obj & SEAM_AT_WRITE);

	switch (mt->at) {
	case DUEL_POLL:
		return where.point == RT_PT_POLL && SEAM_AT_WHAT(where.obj) == mt->n;
	case DUEL_WRITE:
		return write;
	case DUEL_HELD:
		return where.point == RT_PT_HELD && !write && ++mt->seen == mt->n;
	}
	return false;
}

static u32 pick(void *ctx, const struct rt_choice *c)
{
	struct meeting *mt = ctx;
	u32 who;

	mt->reached = mt->reached || at_the_point(mt);
	who = rt_actor_id(mt->reached ? mt->inner_actor : mt->outer_actor);
	for (u32 i = 0; i < c->nr; i++) {
		if (c->ids[i] == who)
			return i;
	}
	return 0; /* that one is done: the other */
}

bool duel(struct machine *m, struct duel_side *outer, enum duel_at at, u32 n,
	  struct duel_side *inner)
{
	struct meeting mt = {.m = m, .outer = outer, .inner = inner, .at = at, .n = n};
	const struct rt_chooser ch = {.name = "duel", .pick = pick, .ctx = &mt};

	outer->ran = inner->ran = false;
	mt.outer_actor = rt_actor_new("outer", run_outer, &mt);
	mt.inner_actor = rt_actor_new("inner", run_inner, &mt);
	rt_set_chooser(m->w, &ch);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	rt_set_chooser(m->w, NULL);
	assert_true(outer->ran && inner->ran);
	return mt.reached;
}

u64 duel_rax(const struct duel_side *side)
{
	return side->res == SEAM_ENTERED ? 0 : side->r.rax;
}
