/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Yielding. Whether somebody wants the CPU is not modelled apart from the scheduler: cond_resched()
 * is a point at which the chooser may switch. The rwlock forms drop the lock only when another
 * actor waits for it, as rwlock_needbreak() says.
 */
#ifndef _LINUX_SCHED_H
#define _LINUX_SCHED_H

#include <linux/spinlock.h>

static inline void cond_resched(void)
{
	rt_might_sleep("cond_resched");
	compat_point_resched();
}

/*
 * The kernel asks for the tick's wish; there is no tick, so only lock contention makes long walks
 * yield.
 */
static inline bool need_resched(void)
{
	return false;
}

/* Drop @l, let others go on, take it again; returns 1 if that was done. */
int cond_resched_rwlock_write(rwlock_t *l);
int cond_resched_rwlock_read(rwlock_t *l);

#define might_sleep() rt_might_sleep(__func__)

#endif
