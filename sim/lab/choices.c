// SPDX-License-Identifier: GPL-2.0-only
/*
 * The three sources of choices. The odometer is filled as questions come: a digit's bound is known
 * only when its question was asked, and may depend on the digits in front of it.
 */
#include "sim/lab/choices.h"

#include <assert.h>
#include <string.h>

#include "sim/rt/mix.h"

void lab_choices_bytes(struct lab_choices *c, const u8 *bytes, size_t len)
{
	c->kind = LAB_CHOICES_BYTES;
	c->bytes = bytes;
	c->len = len;
	c->pos = 0;
}

void lab_choices_random(struct lab_choices *c, u64 seed)
{
	c->kind = LAB_CHOICES_RANDOM;
	c->random = seed;
}

void lab_choices_all(struct lab_choices *c)
{
	c->kind = LAB_CHOICES_ALL;
	c->at = c->depth = 0;
}

static u32 next_bytes(struct lab_choices *c, u32 width)
{
	u32 v = 0;

	for (u32 i = 0; i < width; i++, c->pos++)
		v |= c->pos < c->len ? (u32)c->bytes[c->pos] << 8 * i : 0;
	return v;
}

static u32 next_digit(struct lab_choices *c, u32 n)
{
	assert(c->at < LAB_CHOICES_DEPTH);
	if (c->at == c->depth) {
		c->digit[c->depth].value = 0;
		c->digit[c->depth++].bound = n;
	}
	assert(c->digit[c->at].bound == n);
	return c->digit[c->at++].value;
}

u32 lab_choose(struct lab_choices *c, u32 n, u32 width)
{
	assert(n);
	switch (c->kind) {
	case LAB_CHOICES_BYTES:
		return next_bytes(c, width) % n;
	case LAB_CHOICES_RANDOM:
		return (u32)(((rt_splitmix64(&c->random) >> 32) * n) >> 32);
	case LAB_CHOICES_ALL:
		return next_digit(c, n);
	}
	return 0;
}

bool lab_choices_next(struct lab_choices *c)
{
	assert(c->kind == LAB_CHOICES_ALL);
	/* Digits that the last program did not come to are of another one. */
	c->depth = c->at;
	c->at = 0;
	while (c->depth) {
		if (++c->digit[c->depth - 1].value < c->digit[c->depth - 1].bound)
			return true;
		c->depth--;
	}
	return false;
}
