// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel would print or die of: WARN, BUG, failed lock and RCU assertions go to the
 * world's report hook. Also the names of lock classes and the yielding forms of the rwlock. Nothing
 * here decides what a report means.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/bug.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "sim/rt/fault.h"

/*
 * __FILE__ from the project's root on, wherever the build directory lies: what is reported must not
 * depend on it.
 */
static const char *project_path(const char *file)
{
	static const char *const rooms[] = {"tests/", "mmu/", "gmem/"};
	const char *at;
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(rooms); i++) {
		at = strstr(file, rooms[i]);
		if (at && (at == file || at[-1] == '/'))
			return at;
	}
	return file;
}

void compat_report(const char *rule, const char *who, const char *file, int line, const char *what)
{
	rt_report(rule, "%s:%d: %s: %s", project_path(file), line, who, what);
}

void compat_warn(const char *file, int line, const char *what)
{
	rt_report("warn", "%s:%d: %s", project_path(file), line, what);
}

/*
 * A BUG() ends the run where there is one to end; outside of actors nothing else than dying is
 * honest.
 */
void compat_bug(const char *file, int line, const char *what)
{
	rt_report("bug", "%s:%d: %s", project_path(file), line, what);
	if (rt_actor_current())
		rt_stop();
	abort();
}

void compat_lockdep_fail(const char *file, int line, const char *what)
{
	char held[128];
	struct rt_actor *cur = rt_actor_current();

	rt_locks_describe(cur ? rt_actor_id(cur) : RT_NOBODY, held, sizeof(held));
	rt_report("lockdep", "%s:%d: %s does not hold; held: %s", project_path(file), line, what,
		  held);
}

void compat_rcu_fail(const char *file, int line, const char *what)
{
	rt_report("rcu", "%s:%d: %s used outside a read section", project_path(file), line, what);
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
