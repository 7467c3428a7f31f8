/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compiler names of the kernel's dialect, and marked accesses. READ_ONCE() is a plain volatile
 * read; WRITE_ONCE() is a scheduling point (compat/point.h says why only writes are). Memory order
 * is sequential consistency: barriers compile to nothing and are kept for the reader.
 */
#ifndef _LINUX_COMPILER_H
#define _LINUX_COMPILER_H

#include "mmu/compat/point.h"

#define likely(x)      __builtin_expect(!!(x), 1)
#define unlikely(x)    __builtin_expect(!!(x), 0)
#define noinline       __attribute__((noinline))
#define __must_check   __attribute__((warn_unused_result))
#define __maybe_unused __attribute__((unused))
#define __noreturn     __attribute__((noreturn))
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define fallthrough    __attribute__((fallthrough))
#define __rcu
#define __user
#define __init
#define __read_mostly
#define __ro_after_init

#define barrier() __asm__ __volatile__("" ::: "memory")

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val)                               \
	do {                                             \
		compat_point_atomic(&(x));               \
		*(volatile __typeof__(x) *)&(x) = (val); \
	} while (0)

#define smp_mb()			 barrier()
#define smp_rmb()			 barrier()
#define smp_wmb()			 barrier()
#define smp_mb__after_srcu_read_unlock() barrier()
#define smp_load_acquire(p)		 READ_ONCE(*(p))
#define smp_store_release(p, v)		 WRITE_ONCE(*(p), v)
#define smp_store_mb(var, v)		 WRITE_ONCE(var, v)

#define BUILD_BUG_ON(cond) _Static_assert(!(cond), "BUILD_BUG_ON: " #cond)
#define static_assert(cond, ...) _Static_assert(cond, #cond)

#endif
