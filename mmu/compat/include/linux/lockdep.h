/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lock assertions. The order graph and the state of each lock are kept by sim/rt/lock.h; a failed
 * assertion is a report of rule "lockdep" with file and line. Every lock type of the dialect has
 * its struct rt_lock as member "rt".
 */
#ifndef _LINUX_LOCKDEP_H
#define _LINUX_LOCKDEP_H

#include "sim/rt/lock.h"
#include <linux/compiler.h>

void compat_lockdep_fail(const char *file, int line, const char *what);

#define lockdep_is_held(l)	       rt_lock_held_any(&(l)->rt)
#define lockdep_is_held_type(l, write) rt_lock_held(&(l)->rt, (write) ? RT_LOCK_EX : RT_LOCK_SH)

#define lockdep_assert(cond)                                            \
	do {                                                            \
		if (unlikely(!(cond)))                                  \
			compat_lockdep_fail(__FILE__, __LINE__, #cond); \
	} while (0)
#define lockdep_assert_once(cond)    lockdep_assert(cond)
#define lockdep_assert_held(l)	     lockdep_assert(lockdep_is_held(l))
#define lockdep_assert_held_write(l) lockdep_assert(lockdep_is_held_type(l, 1))
#define lockdep_assert_held_read(l)  lockdep_assert(lockdep_is_held_type(l, 0))
#define lockdep_assert_not_held(l)   lockdep_assert(!lockdep_is_held(l))
/* Ours: before a wait for other CPUs. */
#define lockdep_assert_no_spinlock(what) rt_might_wait(what)

#endif
