/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic helpers of the kernel's dialect: min, max, ALIGN and the like. No state, no behaviour.
 * Printing helpers write to nobody: what the kernel would say to its log goes to rt_report() or is
 * left out.
 */
#ifndef _LINUX_KERNEL_H
#define _LINUX_KERNEL_H

#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/types.h>

#define ARRAY_SIZE(a)			RT_ARRAY_SIZE(a)
#define container_of(ptr, type, member) rt_container_of(ptr, type, member)
#define IS_ERR_VALUE(x)			unlikely((unsigned long)(x) >= (unsigned long)-4095)

#define min(a, b)                                  \
	({                                         \
		__typeof__(a) __mina = (a);        \
		__typeof__(b) __minb = (b);        \
		__mina < __minb ? __mina : __minb; \
	})
#define max(a, b)                                  \
	({                                         \
		__typeof__(a) __maxa = (a);        \
		__typeof__(b) __maxb = (b);        \
		__maxa > __maxb ? __maxa : __maxb; \
	})
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))

/* @a is a power of two. */
#define ALIGN(x, a)	       (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a)       ((x) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a)       (((x) & ((__typeof__(x))(a)-1)) == 0)
#define round_up(x, y)	       ALIGN(x, y)
#define round_down(x, y)       ALIGN_DOWN(x, y)
#define DIV_ROUND_UP(n, d)     (((n) + (d)-1) / (d))
#define DIV_ROUND_UP_ULL(n, d) DIV_ROUND_UP(n, d)

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE(ptr);
}

#endif
