/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a generator's choices come from: random numbers, the bytes of an input, or an enumeration
 * of everything. The generator does not know which, so that one generator serves fuzzing, replay
 * and exhaustive search. What is chosen is the generator's business (bytes_*.c).
 *
 * Invariant: equal sources give equal answers to equal questions; nothing else has a say.
 */
#ifndef LAB_CHOICES_H
#define LAB_CHOICES_H

#include "sim/rt/types.h"

enum lab_choices_kind {
	LAB_CHOICES_BYTES,  /* one byte or more for each choice; zeros behind the end */
	LAB_CHOICES_RANDOM, /* rt_splitmix64() over a seed */
	LAB_CHOICES_ALL,    /* an odometer: every combination once, by lab_choices_next() */
};

/* Choices of one program that an enumeration can hold. */
#define LAB_CHOICES_DEPTH 512

struct lab_choices {
	enum lab_choices_kind kind;
	const u8 *bytes;
	size_t len, pos;
	u64 random;
	u32 at, depth; /* of the odometer: the next digit, digits in use */
	struct {
		u32 value, bound;
	} digit[LAB_CHOICES_DEPTH];
};

void lab_choices_bytes(struct lab_choices *c, const u8 *bytes, size_t len);
void lab_choices_random(struct lab_choices *c, u64 seed);
void lab_choices_all(struct lab_choices *c);

/*
 * lab_choose - one of @n (at least 1) alternatives, 0 to n - 1. Of bytes it takes @width, little
 * endian, modulo @n; the other sources don't look at @width.
 */
u32 lab_choose(struct lab_choices *c, u32 n, u32 width);

/* The next combination of an enumeration; false if that was the last. Then start over with it. */
bool lab_choices_next(struct lab_choices *c);

#endif
