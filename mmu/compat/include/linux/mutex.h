/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct mutex and struct rw_semaphore over sim/rt/lock.h: locks inside which sleeping is allowed.
 */
#ifndef _LINUX_MUTEX_H
#define _LINUX_MUTEX_H

#include <linux/spinlock.h>

struct mutex {
	struct rt_lock rt;
};

struct rw_semaphore {
	struct rt_lock rt;
};

#define mutex_init(l) rt_lock_init(&(l)->rt, RT_LOCK_MUTEX, compat_lock_name(#l))
#define init_rwsem(l) rt_lock_init(&(l)->rt, RT_LOCK_RWSEM, compat_lock_name(#l))

static inline void mutex_lock(struct mutex *l)
{
	rt_lock_take(&l->rt, RT_LOCK_EX);
}

static inline void mutex_unlock(struct mutex *l)
{
	rt_lock_release(&l->rt, RT_LOCK_EX);
}

static inline bool mutex_trylock(struct mutex *l)
{
	return rt_lock_try(&l->rt, RT_LOCK_EX);
}

static inline void mutex_destroy(struct mutex *l)
{
	rt_lock_destroy(&l->rt);
}

static inline void down_read(struct rw_semaphore *l)
{
	rt_lock_take(&l->rt, RT_LOCK_SH);
}

static inline void up_read(struct rw_semaphore *l)
{
	rt_lock_release(&l->rt, RT_LOCK_SH);
}

static inline void down_write(struct rw_semaphore *l)
{
	rt_lock_take(&l->rt, RT_LOCK_EX);
}

static inline void up_write(struct rw_semaphore *l)
{
	rt_lock_release(&l->rt, RT_LOCK_EX);
}

#endif
