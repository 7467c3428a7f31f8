// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs of explore_programs.h that need never end. Those that do are in explore_programs.c.
 * Each access that others race with has a point in front.
 */
#include "sim/rt/sched.h"
#include "tests/lab/explore_programs.h"
#include "tests/lab/explore_shared.h"

/* Without rt_yield(): it may look for ever, but only under a scheduler that starves the other. */
static void spin_or_set(void *arg)
{
	if (id_of(arg)) {
		store(0, 1);
		return;
	}
	while (!load(0))
		;
	store(1, 1);
}

static void spin_without_yield(void)
{
	actors(2, spin_or_set);
}

/* Each waits for what the other does afterwards: one state, from which every step leads to itself. */
static void spin_then_set(void *arg)
{
	u32 me = (u32)id_of(arg);

	while (!load(1 - me))
		;
	store(me, 1);
}

static void spin_on_each_other(void)
{
	actors(2, spin_then_set);
}

/* Each gives way as soon as it sees the other: both can, for ever, at the same time. */
static void give_way(void *arg)
{
	u32 me = (u32)id_of(arg);

	for (;;) {
		store(me, 1);
		if (!load(1 - me))
			break;
		store(me, 0);
	}
	store(2 + me, 1);
	store(me, 0);
}

static void both_give_way(void)
{
	actors(2, give_way);
}

/* One alone gives way, so no fair scheduler has them meet for ever. */
static void one_gives_way(void *arg)
{
	if (!id_of(arg)) {
		give_way(arg);
		return;
	}
	store(1, 1);
	store(3, 1);
	store(1, 0);
}

static void one_of_two_gives_way(void)
{
	actors(2, one_gives_way);
}

static bool gate_is_open(void *arg)
{
	return sh()->x[1];
}

/* The gate of cell 1 is opened in each round; who waits in front of it ends the rounds. */
static void gate_each_round(void *arg)
{
	if (id_of(arg)) {
		rt_block("the gate", gate_is_open, NULL);
		sh()->x[0] = 1;
		return;
	}
	while (!load(0)) {
		store(1, 1);
		store(1, 0);
	}
	sh()->x[1] = 1;
}

static void gate_that_opens(void)
{
	actors(2, gate_each_round);
}

/*
 * The gate is opened only in rounds in which cell 2 is seen set, and a third actor sets and clears
 * it: a round can miss that each time. The states with an open gate are in the same component, but
 * the cycle that nobody need leave does without them.
 */
static void gate_some_rounds(void *arg)
{
	switch (id_of(arg)) {
	case 0:
		while (!load(0)) {
			if (!load(2))
				continue;
			store(1, 1);
			store(1, 0);
		}
		sh()->x[1] = 1;
		break;
	case 1:
		rt_block("the gate", gate_is_open, NULL);
		sh()->x[0] = 1;
		break;
	default:
		while (!load(0)) {
			store(2, 1);
			store(2, 0);
		}
	}
}

static void gate_that_may_stay_shut(void)
{
	actors(3, gate_some_rounds);
}

/* The only one who could still end it waits for what never comes. */
static void spin_alone(void *arg)
{
	if (id_of(arg))
		rt_block("the gate", gate_is_open, NULL);
	else
		while (!load(0))
			;
}

static void spin_with_nobody_else(void)
{
	actors(2, spin_alone);
}

/* As long as if it never ended, but it does. */
static void long_way(void *arg)
{
	if (id_of(arg)) {
		rt_block("the gate", gate_is_open, NULL);
		return;
	}
	for (u32 i = 0; i < 3000; i++)
		load(0);
	store(1, 1);
}

static void long_way_alone(void)
{
	actors(2, long_way);
}

const struct program endless_programs[] = {
	{"spinning without a yield", spin_without_yield, outcome_cells, 1},
	{"spinning on each other", spin_on_each_other, outcome_cells, 0, .livelock = true},
	{"both give way", both_give_way, outcome_cells, 1, .livelock = true},
	{"one of two gives way", one_of_two_gives_way, outcome_cells, 1},
	{"a gate that opens each round", gate_that_opens, outcome_cells, 1},
	{"a gate that may stay shut", gate_that_may_stay_shut, outcome_cells, 1, .livelock = true},
	{"spinning with nobody else", spin_with_nobody_else, outcome_cells, 0, .livelock = true},
	{"a long way alone", long_way_alone, outcome_cells, 1},
};
const u32 nr_endless_programs = RT_ARRAY_SIZE(endless_programs);
