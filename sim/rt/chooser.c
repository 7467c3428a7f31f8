// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two choosers that need no state of their own: in order and seeded random.
 * A recorded schedule as chooser is in schedule.c; others (PCT, the explorer) belong to the lab.
 */
#include "sim/rt/sched.h"
#include "sim/rt/world.h"

static u32 pick_in_order(void *ctx, const struct rt_choice *c)
{
	return c->cur == RT_NOBODY ? 0 : c->cur;
}

static u64 ask_never(void *ctx)
{
	return ~0ULL;
}

const struct rt_chooser rt_chooser_in_order = {
	.name = "in-order", .pick = pick_in_order, .ask_from = ask_never};

static u32 pick_random(void *ctx, const struct rt_choice *c)
{
	if (c->kind == RT_CHOICE_FAULT)
		return !rt_random_below(RT_RANDOM_FAULT);
	return (u32)rt_random_below(c->nr);
}

const struct rt_chooser rt_chooser_random = {.name = "random", .pick = pick_random};
