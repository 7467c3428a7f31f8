/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The integer names of the kernel, for all floors.
 * Only names and bit helpers live here; a type with behaviour has a header of its own.
 * The kernel-dialect headers under mmu/compat/ build on these and repeat none of them.
 */
#ifndef RT_TYPES_H
#define RT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;

_Static_assert(sizeof(u64) == 8, "u64 is the kernel's: unsigned long long, 64 bits");

#define RT_BIT(n)	    (1ULL << (n))
#define RT_MASK(hi, lo)	    ((~0ULL >> (63 - (hi))) & (~0ULL << (lo)))
#define RT_FIELD(x, hi, lo) (((x)&RT_MASK(hi, lo)) >> (lo))
#define RT_ARRAY_SIZE(a)    (sizeof(a) / sizeof((a)[0]))

#define rt_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
