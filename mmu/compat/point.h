/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where code in the kernel's dialect may be preempted: the one way from compat/ to the scheduler.
 * Locks, RCU and module calls bring their own points (sim/rt, tdx); here are atomics, IPIs,
 * cond_resched and allocations. No behaviour lives here, only "somebody else may go on now".
 */
#ifndef COMPAT_POINT_H
#define COMPAT_POINT_H

#include "sim/rt/sched.h"
#include "sim/rt/world.h"

/*
 * About to do a marked atomic access to @p. Only writers have a point: everything that two reads of
 * one step can see is one state of the world, and a read that decides something is followed by an
 * atomic, a lock or a call that has a point of its own.
 */
static inline void compat_point_atomic(const volatile void *p)
{
	const void *q = (const void *)p;

	rt_point(RT_PT_ATOMIC, rt_owns(q) ? rt_offset(q) : 0);
}

static inline void compat_point_resched(void)
{
	rt_point(RT_PT_RESCHED, 0);
}

/*
 * One round of a loop that waits for another actor by trying again: every chooser lets the others
 * go first.
 */
static inline void compat_spin_wait(void)
{
	rt_yield();
}

static inline void compat_point_ipi_send(u32 cpu)
{
	rt_point(RT_PT_IPI_SEND, cpu);
}

static inline void compat_point_ipi_recv(u32 cpu)
{
	rt_point(RT_PT_IPI_RECV, cpu);
}

/* Whether an armed fault makes the allocation at @site fail now (sim/rt/fault.h, key 0). */
bool compat_should_fail(const char *site);

#endif
