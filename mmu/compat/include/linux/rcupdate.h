/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RCU with the kernel's names over sim/rt/rcu.h. Dereferencing outside a read section (and without
 * the lock that the caller names) is a report of rule "rcu".
 */
#ifndef _LINUX_RCUPDATE_H
#define _LINUX_RCUPDATE_H

#include "sim/rt/rcu.h"
#include <linux/kernel.h>

#define rcu_head rt_rcu_head

void compat_rcu_fail(const char *file, int line, const char *what);

static inline void rcu_read_lock(void)
{
	rt_rcu_read_lock();
}

static inline void rcu_read_unlock(void)
{
	rt_rcu_read_unlock();
}

static inline bool rcu_read_lock_held(void)
{
	return rt_rcu_held();
}

static inline void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	rt_call_rcu(head, fn);
}

static inline void synchronize_rcu(void)
{
	rt_synchronize_rcu();
}

static inline void rcu_barrier(void)
{
	rt_rcu_barrier();
}

#define rcu_dereference_check(p, cond)                           \
	({                                                       \
		if (unlikely(!(rt_rcu_held() || (cond))))        \
			compat_rcu_fail(__FILE__, __LINE__, #p); \
		(p);                                             \
	})
#define rcu_dereference(p) rcu_dereference_check(p, false)
#define rcu_dereference_protected(p, cond)                       \
	({                                                       \
		if (unlikely(!(cond)))                           \
			compat_rcu_fail(__FILE__, __LINE__, #p); \
		(p);                                             \
	})
#define rcu_dereference_raw(p)	 (p)
#define rcu_access_pointer(p)	 READ_ONCE(p)
#define rcu_assign_pointer(p, v) WRITE_ONCE(p, v)
#define RCU_INIT_POINTER(p, v)	 ((void)((p) = (v)))
#define RCU_LOCKDEP_WARN(cond, what)                               \
	do {                                                       \
		if (unlikely(cond))                                \
			compat_rcu_fail(__FILE__, __LINE__, what); \
	} while (0)

#endif
