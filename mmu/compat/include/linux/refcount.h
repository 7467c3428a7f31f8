/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reference counts that complain about misuse: an increment from 0 and a fall below 0 are reported
 * as "warn".
 */
#ifndef _LINUX_REFCOUNT_H
#define _LINUX_REFCOUNT_H

#include <linux/atomic.h>
#include <linux/bug.h>

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

#define REFCOUNT_INIT(n)       \
	{                      \
		ATOMIC_INIT(n) \
	}
#define refcount_set(r, n) ((void)((r)->refs.counter = (n)))
#define refcount_read(r)   READ_ONCE((r)->refs.counter)

static inline void refcount_inc(refcount_t *r)
{
	compat_point_atomic(r);
	WARN_ON_ONCE(r->refs.counter <= 0);
	r->refs.counter++;
}

static inline __must_check bool refcount_inc_not_zero(refcount_t *r)
{
	compat_point_atomic(r);
	if (!r->refs.counter)
		return false;
	r->refs.counter++;
	return true;
}

static inline __must_check bool refcount_dec_and_test(refcount_t *r)
{
	compat_point_atomic(r);
	WARN_ON_ONCE(r->refs.counter <= 0);
	return --r->refs.counter == 0;
}

#endif
