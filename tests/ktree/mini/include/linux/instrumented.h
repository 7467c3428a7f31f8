/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Called before each atomic access of the small tree, as a kernel's are.
 */
#ifndef MINI_INSTRUMENTED_H
#define MINI_INSTRUMENTED_H

static inline void instrument_atomic_write(const volatile void *v, size_t size)
{
}

static inline void instrument_atomic_read_write(const volatile void *v, size_t size)
{
}

#endif
