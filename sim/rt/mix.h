/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * splitmix64 (Steele, Lea, Flood 2014): a counter and a mixer, so that the state is one word and
 * every seed is a good one. All random numbers are made here, whoever owns the state; hashes of
 * whole states are canon.c's.
 */
#ifndef RT_MIX_H
#define RT_MIX_H

#include "sim/rt/types.h"

/* A word to one that looks unrelated; no two words become the same. */
static inline u64 rt_mix(u64 z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* The next number of the sequence whose state is @state. */
static inline u64 rt_splitmix64(u64 *state)
{
	return rt_mix(*state += 0x9e3779b97f4a7c15ULL);
}

#endif
