// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of the programs: see explore_shared.h.
 * The programs themselves are in explore_programs.c and explore_endless.c.
 */
#include "tests/lab/explore_shared.h"

#include <stdio.h>

#include "sim/rt/sched.h"
#include "sim/rt/world.h"

struct shared *sh(void)
{
	return rt_root(0);
}

u64 load(u32 i)
{
	rt_point(RT_PT_ATOMIC, i);
	return sh()->x[i];
}

void store(u32 i, u64 val)
{
	rt_point(RT_PT_ATOMIC, i);
	sh()->x[i] = val;
}

void note(u64 digit)
{
	rt_point(RT_PT_ATOMIC, 100);
	sh()->log = sh()->log * 10 + digit;
	sh()->nr_log++;
}

u64 id_of(void *arg)
{
	return (u64)(uintptr_t)arg;
}

void actors(u32 nr, void (*fn)(void *arg))
{
	char name[16];

	rt_set_root(0, rt_zalloc(sizeof(struct shared)));
	for (u32 i = 0; i < 4; i++)
		rt_lock_init(&sh()->lock[i], RT_LOCK_MUTEX, i ? "fork" : "lock");
	rt_lock_init(&sh()->rw, RT_LOCK_RW, "rw");
	for (u32 i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		rt_actor_new(name, fn, (void *)(uintptr_t)i);
	}
}

u64 outcome_x0(void)
{
	return sh()->x[0];
}

u64 outcome_log(void)
{
	return sh()->log;
}

/* Four bits of each cell. */
u64 outcome_cells(void)
{
	u64 all = 0;

	for (u32 i = 0; i < CELLS; i++)
		all = all << 4 | sh()->x[i];
	return all;
}
