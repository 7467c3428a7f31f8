/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the byte spelling: the coder, which reads a record out of choices or writes
 * it, with one piece of code for both directions. Not for other rooms.
 */
#ifndef LAB_BYTES_INT_H
#define LAB_BYTES_INT_H

#include "sim/lab/bytes.h"

struct lab_coder {
	struct lab_choices *src; /* NULL: the record is written */
	enum lab_gen gen;
	struct lab_scenario *sc;
	u8 rec[LAB_RECORD_BYTES];
	u32 pos;
	bool unsayable; /* writing: a value does not fit */
};

/* Values worth more than others; the first @small are the alphabet of exhaustive search. */
struct lab_few {
	u32 nr, small;
	u32 v[12];
};

static inline bool lab_coder_writes(const struct lab_coder *k)
{
	return !k->src;
}

/* Whether choices may prefer some values: those of bytes mean what they say. */
static inline bool lab_coder_invents(const struct lab_coder *k)
{
	return k->src && k->src->kind != LAB_CHOICES_BYTES;
}

/*
 * lab_code - a number below @n in @width bytes: writing puts @val there, reading ignores it.
 * Returns the number that is in the record now. @few may be NULL.
 */
u32 lab_code(struct lab_coder *k, u32 val, u32 n, u32 width, const struct lab_few *few);
/* One of the first @nr of a generator's own list; only if it invents. */
u32 lab_coder_pick(struct lab_coder *k, u32 nr, u32 small);
/* An operand of field @f of @op, which is there. */
void lab_code_value(struct lab_coder *k, const struct lab_field *f, const struct lab_op *op,
		    struct lab_val *v);
/* The rest of the record as registers or as policies of @op's line (bytes_list.c). */
void lab_code_regs(struct lab_coder *k, struct lab_val *v);
void lab_code_policies(struct lab_coder *k, const struct lab_op *op, struct lab_val *v);
/* Scaled numbers: @num as one of four units times a 16-bit number; @room: bits of the unit's byte. */
void lab_code_scaled(struct lab_coder *k, u64 *num, u32 *room, u32 room_n);

#endif
