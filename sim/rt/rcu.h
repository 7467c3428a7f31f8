/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RCU and SRCU as the scheduler sees them: read sections, callbacks, grace periods.
 * A grace period ends only when no reader that began before is left; when exactly is the
 * scheduler's choice. Freed memory is poisoned by the allocator (sim/rt/world.h), so a late reader
 * sees poison.
 *
 * Where a grace period ends: at the first quiescent point of any actor (or of the code outside of
 * actors) at which no reader that began before it is left. Quiescent points are: the outermost
 * rt_rcu_read_unlock(), the release of a last lock, rt_point(RT_PT_RESCHED), rt_synchronize_rcu(),
 * rt_rcu_barrier() and an actor's end, each after its scheduling point, if the actor then is in no
 * read section and holds no lock (for the barrier: no spinning lock). So the scheduler's choice of
 * who goes on at those points is the choice of when a grace period ends, and "in order" it ends as
 * early as it can.
 *
 * Invariant: a callback runs outside every actor's read section, on the actor that ends the grace
 * period, never earlier than all read sections that were open at rt_call_rcu().
 */
#ifndef RT_RCU_H
#define RT_RCU_H

#include "sim/rt/types.h"

struct rt_rcu_head {
	struct rt_rcu_head *next;
	void (*fn)(struct rt_rcu_head *head);
	u64 gp; /* grace period that must have ended */
};

/* Read sections nest. Both are scheduling points at the outermost level. */
void rt_rcu_read_lock(void);
void rt_rcu_read_unlock(void);
bool rt_rcu_held(void);
/* Queue @fn for after a grace period. */
void rt_call_rcu(struct rt_rcu_head *head, void (*fn)(struct rt_rcu_head *head));
/* Wait for all readers / for all callbacks queued so far. Both sleep. */
void rt_synchronize_rcu(void);
void rt_rcu_barrier(void);

struct rt_srcu {
	u32 readers[2];
	u32 idx;
};
void rt_srcu_init(struct rt_srcu *s);
int rt_srcu_read_lock(struct rt_srcu *s);
void rt_srcu_read_unlock(struct rt_srcu *s, int idx);
/* Held by the running actor. */
bool rt_srcu_held(const struct rt_srcu *s);
void rt_synchronize_srcu(struct rt_srcu *s);

#endif
