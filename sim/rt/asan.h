/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What AddressSanitizer has to be told, as inline functions that are empty in other builds.
 * Poisoning, shadow of a saved range and switched stacks are here; who calls them when is decided
 * in the files of this room. Nothing here changes behaviour: a run is the same with and without it.
 */
#ifndef RT_ASAN_H
#define RT_ASAN_H

#include <string.h>

#include "sim/rt/types.h"

#if defined(__SANITIZE_ADDRESS__)
#define RT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RT_ASAN 1
#endif
#endif
#ifndef RT_ASAN
#define RT_ASAN 0
#endif

#if RT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

/* For reads and writes of poisoned bookkeeping; never inlined into checked code. */
#define RT_NO_ASAN __attribute__((no_sanitize("address"), noinline, unused))

static inline void rt_asan_poison(const void *p, size_t len)
{
	__asan_poison_memory_region(p, len);
}

static inline void rt_asan_unpoison(const void *p, size_t len)
{
	__asan_unpoison_memory_region(p, len);
}

static inline void rt_asan_start_switch(void **fake, const void *stack, size_t size)
{
	__sanitizer_start_switch_fiber(fake, stack, size);
}

static inline void rt_asan_finish_switch(void *fake, const void **stack, size_t *size)
{
	__sanitizer_finish_switch_fiber(fake, stack, size);
}

RT_NO_ASAN static volatile u8 *rt_shadow_of(const void *p)
{
	size_t scale, offset;

	__asan_get_shadow_mapping(&scale, &offset);
	return (volatile u8 *)(((uintptr_t)p >> scale) + offset);
}

/*
 * Copy of memory that may be poisoned (stacks with red zones, freed blocks): @dst, @src and @len
 * are multiples of 8. Volatile words, because a plain loop would be turned into the checked
 * memcpy().
 */
RT_NO_ASAN static void rt_copy_raw(void *dst, const void *src, size_t len)
{
	volatile u64 *d = dst;
	const volatile u64 *s = src;

	for (size_t i = 0; i < len / 8; i++)
		d[i] = s[i];
}

/* Bytes of shadow that describe @len bytes. */
static inline size_t rt_shadow_len(size_t len)
{
	return (len / 8 + 7) & ~(size_t)7;
}

RT_NO_ASAN static void rt_shadow_save(u8 *to, const void *p, size_t len)
{
	const volatile u8 *s = rt_shadow_of(p);

	for (size_t i = 0; i < len / 8; i++)
		to[i] = s[i];
}

RT_NO_ASAN static void rt_shadow_restore(const void *p, const u8 *from, size_t len)
{
	volatile u8 *s = rt_shadow_of(p);

	for (size_t i = 0; i < len / 8; i++)
		s[i] = from[i];
}
#else
#define RT_NO_ASAN

static inline void rt_asan_poison(const void *p, size_t len)
{
}

static inline void rt_asan_unpoison(const void *p, size_t len)
{
}

static inline void rt_asan_start_switch(void **fake, const void *stack, size_t size)
{
}

static inline void rt_asan_finish_switch(void *fake, const void **stack, size_t *size)
{
}

static inline void rt_copy_raw(void *dst, const void *src, size_t len)
{
	memcpy(dst, src, len);
}

static inline size_t rt_shadow_len(size_t len)
{
	return 0;
}

static inline void rt_shadow_save(u8 *to, const void *p, size_t len)
{
}

static inline void rt_shadow_restore(const void *p, const u8 *from, size_t len)
{
}
#endif

#endif
