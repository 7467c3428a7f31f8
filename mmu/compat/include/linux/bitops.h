/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bits: constants, and bit operations on unsigned long words.
 * set_bit() and kin are atomic in the kernel, so they are scheduling points; the __ forms are not.
 */
#ifndef _LINUX_BITOPS_H
#define _LINUX_BITOPS_H

#include <linux/types.h>

#define BITS_PER_LONG	    64
#define BIT(n)		    (1UL << (n))
#define BIT_ULL(n)	    (1ULL << (n))
#define GENMASK_ULL(h, l)   RT_MASK(h, l)
#define GENMASK(h, l)	    ((unsigned long)RT_MASK(h, l))
#define BITS_TO_LONGS(n)    (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define FIELD_GET(mask, x)  (((x) & (mask)) >> __builtin_ctzll(mask))
#define FIELD_PREP(mask, x) (((u64)(x) << __builtin_ctzll(mask)) & (mask))

static inline bool test_bit(long nr, const volatile unsigned long *addr)
{
	return addr[nr / BITS_PER_LONG] & BIT(nr % BITS_PER_LONG);
}

static inline void __set_bit(long nr, unsigned long *addr)
{
	addr[nr / BITS_PER_LONG] |= BIT(nr % BITS_PER_LONG);
}

static inline void __clear_bit(long nr, unsigned long *addr)
{
	addr[nr / BITS_PER_LONG] &= ~BIT(nr % BITS_PER_LONG);
}

static inline void set_bit(long nr, unsigned long *addr)
{
	compat_point_atomic(addr);
	__set_bit(nr, addr);
}

static inline void clear_bit(long nr, unsigned long *addr)
{
	compat_point_atomic(addr);
	__clear_bit(nr, addr);
}

static inline bool test_and_clear_bit(long nr, unsigned long *addr)
{
	bool was;

	compat_point_atomic(addr);
	was = test_bit(nr, addr);
	__clear_bit(nr, addr);
	return was;
}

static inline bool is_power_of_2(u64 n)
{
	return n && !(n & (n - 1));
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

#endif
