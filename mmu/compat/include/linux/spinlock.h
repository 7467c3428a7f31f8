/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * spinlock_t and rwlock_t over sim/rt/lock.h, with the yielding helpers of <linux/sched.h>. A
 * lock's name is the last member of the expression that initialises it: "&kvm->mmu_lock" is of
 * class "mmu_lock".
 */
#ifndef _LINUX_SPINLOCK_H
#define _LINUX_SPINLOCK_H

#include <linux/lockdep.h>

typedef struct {
	struct rt_lock rt;
} spinlock_t;

typedef struct {
	struct rt_lock rt;
} rwlock_t;

/*
 * The name of a lock class: @expr from behind its last '.', '>' or '&'. A suffix of the literal, so
 * it lives for ever.
 */
const char *compat_lock_name(const char *expr);

#define spin_lock_init(l) rt_lock_init(&(l)->rt, RT_LOCK_SPIN, compat_lock_name(#l))
#define rwlock_init(l)	  rt_lock_init(&(l)->rt, RT_LOCK_RW, compat_lock_name(#l))

static inline void spin_lock(spinlock_t *l)
{
	rt_lock_take(&l->rt, RT_LOCK_EX);
}

static inline void spin_unlock(spinlock_t *l)
{
	rt_lock_release(&l->rt, RT_LOCK_EX);
}

static inline bool spin_trylock(spinlock_t *l)
{
	return rt_lock_try(&l->rt, RT_LOCK_EX);
}

static inline void read_lock(rwlock_t *l)
{
	rt_lock_take(&l->rt, RT_LOCK_SH);
}

static inline void read_unlock(rwlock_t *l)
{
	rt_lock_release(&l->rt, RT_LOCK_SH);
}

static inline void write_lock(rwlock_t *l)
{
	rt_lock_take(&l->rt, RT_LOCK_EX);
}

static inline void write_unlock(rwlock_t *l)
{
	rt_lock_release(&l->rt, RT_LOCK_EX);
}

/* Somebody waits for the lock, so a long walk should let go of it. */
static inline bool rwlock_needbreak(rwlock_t *l)
{
	return rt_lock_contended(&l->rt);
}

static inline bool spin_needbreak(spinlock_t *l)
{
	return rt_lock_contended(&l->rt);
}

#endif
