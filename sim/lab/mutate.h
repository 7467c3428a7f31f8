/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changing inputs by statements: records go, come, move, change one operand towards interesting
 * values, change actors, policies, the scheduler's seed. Used by "tdxsim fuzz" and, as custom
 * mutator, by libFuzzer and AFL++. What bytes mean is bytes.h.
 */
#ifndef LAB_MUTATE_H
#define LAB_MUTATE_H

#include "sim/lab/choices.h"

/* A program out of nothing, at most @max bytes: sometimes a set-up, then 1 to 24 statements. */
size_t lab_generate(struct lab_choices *src, u8 *bytes, size_t max);

/*
 * lab_mutate - one to four changes of @bytes (@len of them, room for @max). @other: an input to
 * take statements from, may be empty. Returns the new length; it is a multiple of LAB_RECORD_BYTES.
 */
size_t lab_mutate(struct lab_choices *src, u8 *bytes, size_t len, size_t max, const u8 *other,
		  size_t other_len);

/* Every program of @n statements of the small alphabet, by an enumerating source. */
size_t lab_generate_small(struct lab_choices *src, u32 n, u8 *bytes, size_t max);

#endif
