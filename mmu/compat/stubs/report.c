// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel would print or die of: WARN, BUG, failed lock and RCU assertions go to the world's report hook.
 * Also the names of lock classes and the yielding forms of the rwlock. Nothing here decides what a report means.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/bug.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "sim/rt/fault.h"

void compat_warn(const char *file, int line, const char *what)
{
	rt_report("warn", "%s:%d: %s", file, line, what);
}

/* A BUG() ends the run where there is one to end; outside of actors nothing else than dying is honest. */
void compat_bug(const char *file, int line, const char *what)
{
	rt_report("bug", "%s:%d: %s", file, line, what);
	if (rt_actor_current())
		rt_stop();
	abort();
}

void compat_lockdep_fail(const char *file, int line, const char *what)
{
	char held[128];
	struct rt_actor *cur = rt_actor_current();

	rt_locks_describe(cur ? rt_actor_id(cur) : RT_NOBODY, held, sizeof(held));
	rt_report("lockdep", "%s:%d: %s does not hold; held: %s", file, line, what, held);
}

void compat_rcu_fail(const char *file, int line, const char *what)
{
	rt_report("rcu", "%s:%d: %s used outside a read section", file, line, what);
}

const char *compat_lock_name(const char *expr)
{
	const char *name = expr;

	for (; *expr; expr++) {
		if (*expr == '.' || *expr == '>' || *expr == '&')
			name = expr + 1;
	}
	return name;
}

bool compat_should_fail(const char *site)
{
	return site && rt_fault_fire(site, 0, NULL);
}

int cond_resched_rwlock_write(rwlock_t *l)
{
	lockdep_assert_held_write(l);
	if (!rwlock_needbreak(l) && !need_resched())
		return 0;
	write_unlock(l);
	compat_point_resched();
	write_lock(l);
	return 1;
}

int cond_resched_rwlock_read(rwlock_t *l)
{
	lockdep_assert_held_read(l);
	if (!rwlock_needbreak(l) && !need_resched())
		return 0;
	read_unlock(l);
	compat_point_resched();
	read_lock(l);
	return 1;
}
