/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRCU with the kernel's names over sim/rt/rcu.h: readers may sleep, so memslots are read under it.
 */
#ifndef _LINUX_SRCU_H
#define _LINUX_SRCU_H

#include <linux/rcupdate.h>

struct srcu_struct {
	struct rt_srcu rt;
};

static inline int init_srcu_struct(struct srcu_struct *s)
{
	rt_srcu_init(&s->rt);
	return 0;
}

static inline int srcu_read_lock(struct srcu_struct *s)
{
	return rt_srcu_read_lock(&s->rt);
}

static inline void srcu_read_unlock(struct srcu_struct *s, int idx)
{
	rt_srcu_read_unlock(&s->rt, idx);
}

static inline bool srcu_read_lock_held(const struct srcu_struct *s)
{
	return rt_srcu_held(&s->rt);
}

static inline void synchronize_srcu(struct srcu_struct *s)
{
	rt_synchronize_srcu(&s->rt);
}

#define synchronize_srcu_expedited(s) synchronize_srcu(s)

#define srcu_dereference_check(p, s, cond)                         \
	({                                                         \
		if (unlikely(!(srcu_read_lock_held(s) || (cond)))) \
			compat_rcu_fail(__FILE__, __LINE__, #p);   \
		(p);                                               \
	})

#endif
