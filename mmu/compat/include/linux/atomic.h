/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Atomic accesses. Each is one scheduling point (before it happens) and then a plain access: there
 * is one host thread. try_cmpxchg64() writes the value that it saw back into *old on failure, as
 * the kernel's does.
 */
#ifndef _LINUX_ATOMIC_H
#define _LINUX_ATOMIC_H

#include <linux/types.h>

#define xchg(ptr, val)                                    \
	({                                                \
		__typeof__(ptr) __xp = (ptr);             \
		__typeof__(*__xp) __xnew = (val), __xold; \
		compat_point_atomic(__xp);                \
		__xold = *__xp;                           \
		*__xp = __xnew;                           \
		__xold;                                   \
	})

#define cmpxchg(ptr, old, new)                                             \
	({                                                                 \
		__typeof__(ptr) __cp = (ptr);                              \
		__typeof__(*__cp) __cold = (old), __cnew = (new), __cseen; \
		compat_point_atomic(__cp);                                 \
		__cseen = *__cp;                                           \
		if (__cseen == __cold)                                     \
			*__cp = __cnew;                                    \
		__cseen;                                                   \
	})

#define try_cmpxchg(ptr, oldp, new)                                    \
	({                                                             \
		__typeof__(oldp) __top = (oldp);                       \
		__typeof__(*__top) __texp = *__top;                    \
		__typeof__(*__top) __tsaw = cmpxchg(ptr, __texp, new); \
		if (__tsaw != __texp)                                  \
			*__top = __tsaw;                               \
		__tsaw == __texp;                                      \
	})
#define try_cmpxchg64(ptr, oldp, new) try_cmpxchg(ptr, oldp, new)
#define cmpxchg64(ptr, old, new)      cmpxchg(ptr, old, new)

#define ATOMIC_INIT(i) \
	{              \
		(i)    \
	}
#define ATOMIC64_INIT(i) \
	{                \
		(i)      \
	}
#define atomic_read(v)	   READ_ONCE((v)->counter)
#define atomic_set(v, i)   WRITE_ONCE((v)->counter, i)
#define atomic64_read(v)   READ_ONCE((v)->counter)
#define atomic64_set(v, i) WRITE_ONCE((v)->counter, i)
#define atomic_add_return(i, v)         \
	({                              \
		compat_point_atomic(v); \
		(v)->counter += (i);    \
	})
#define atomic_inc_return(v)	    atomic_add_return(1, v)
#define atomic_dec_return(v)	    atomic_add_return(-1, v)
#define atomic_inc(v)		    ((void)atomic_add_return(1, v))
#define atomic_dec(v)		    ((void)atomic_add_return(-1, v))
#define atomic64_add(i, v)	    ((void)atomic_add_return(i, v))
#define atomic64_inc(v)		    ((void)atomic_add_return(1, v))
#define atomic_dec_and_test(v)	    (atomic_dec_return(v) == 0)
#define atomic_cmpxchg(v, old, new) cmpxchg(&(v)->counter, old, new)

/* Waiting for another CPU: without a point a loop of it would never end. */
#define cpu_relax() compat_spin_wait()

#endif
