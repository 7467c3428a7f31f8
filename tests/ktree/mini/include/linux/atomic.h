/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marked and atomic accesses. Each atomic one says so first; nobody but the simulator runs them, on
 * one thread, so they need no more.
 */
#ifndef MINI_ATOMIC_H
#define MINI_ATOMIC_H

#include <linux/types.h>

#include <linux/instrumented.h>

#define READ_ONCE(x)	   (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile typeof(x) *)&(x) = (val))

typedef struct {
	long long counter;
} atomic64_t;

typedef struct {
	int refs;
} refcount_t;

enum refcount_saturation_type {
	REFCOUNT_ADD_UAF,
	REFCOUNT_SUB_UAF
};
#define REFCOUNT_SATURATED (-1000000)
void refcount_warn_saturate(refcount_t *r, enum refcount_saturation_type t);

static inline long long atomic64_read(const atomic64_t *v)
{
	return READ_ONCE(v->counter);
}

static inline void atomic64_add(long long n, atomic64_t *v)
{
	instrument_atomic_read_write(v, sizeof(*v));
	v->counter += n;
}

static inline void refcount_set(refcount_t *r, int n)
{
	WRITE_ONCE(r->refs, n);
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	instrument_atomic_read_write(r, sizeof(*r));
	if (!r->refs)
		return false;
	r->refs++;
	return true;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	instrument_atomic_read_write(r, sizeof(*r));
	if (r->refs <= 0)
		refcount_warn_saturate(r, REFCOUNT_SUB_UAF);
	return --r->refs == 0;
}

static inline bool try_cmpxchg64(u64 *p, u64 *old, u64 val)
{
	instrument_atomic_read_write(p, sizeof(*p));
	if (*p != *old) {
		*old = *p;
		return false;
	}
	*p = val;
	return true;
}

static inline u64 xchg(u64 *p, u64 val)
{
	u64 old;

	instrument_atomic_read_write(p, sizeof(*p));
	old = *p;
	*p = val;
	return old;
}

#endif
