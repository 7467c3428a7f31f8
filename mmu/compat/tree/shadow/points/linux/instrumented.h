/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Found before the tree's <linux/instrumented.h>, which every atomic operation calls before it
 * happens: a scheduling point there. The rest of that header is the tree's.
 */
#ifndef KTREE_SHADOW_INSTRUMENTED_H
#define KTREE_SHADOW_INSTRUMENTED_H

#define instrument_atomic_write	     ktree_unused_instrument_atomic_write
#define instrument_atomic_read_write ktree_unused_instrument_atomic_read_write
#include_next <linux/instrumented.h>
#undef instrument_atomic_write
#undef instrument_atomic_read_write

extern void ktree_point_atomic(const volatile void *p);

static __always_inline void instrument_atomic_write(const volatile void *v, size_t size)
{
	ktree_point_atomic(v);
}

static __always_inline void instrument_atomic_read_write(const volatile void *v, size_t size)
{
	ktree_point_atomic(v);
}

#endif
