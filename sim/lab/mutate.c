// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mutations, each on whole records; which one comes is a choice of the source.
 */
#include "sim/lab/mutate.h"

#include <assert.h>
#include <string.h>

#include "sim/lab/bytes.h"

#define PROGRAM_MAX 24U /* statements of a program out of nothing */
#define CHANGES_MAX 4U

struct change {
	struct lab_choices *src;
	u8 *bytes;
	u32 nr, max; /* records */
	const u8 *other;
	u32 nr_other;
};

static u8 *record(struct change *c, u32 i)
{
	return c->bytes + (size_t)i * LAB_RECORD_BYTES;
}

static u32 below(struct change *c, u32 n)
{
	return lab_choose(c->src, n, 1);
}

static void invent(struct lab_choices *src, enum lab_gen gen, u8 rec[LAB_RECORD_BYTES])
{
	struct lab_scenario sc;

	lab_scenario_init(&sc);
	lab_record_read(src, gen, &sc, rec);
	lab_scenario_free(&sc);
}

/* Room for @n records in front of @at; how many there is room for. */
static u32 open_gap(struct change *c, u32 at, u32 n)
{
	if (n > c->max - c->nr)
		n = c->max - c->nr;
	memmove(record(c, at + n), record(c, at), (size_t)(c->nr - at) * LAB_RECORD_BYTES);
	c->nr += n;
	return n;
}

static void remove_records(struct change *c, u32 at, u32 n)
{
	memmove(record(c, at), record(c, at + n), (size_t)(c->nr - at - n) * LAB_RECORD_BYTES);
	c->nr -= n;
}

static void insert_new(struct change *c)
{
	u32 at = below(c, c->nr + 1), n = 1 + below(c, 3);

	n = open_gap(c, at, n);
	for (u32 i = 0; i < n; i++)
		invent(c->src, LAB_GEN_ACTION, record(c, at + i));
}

static void insert_setup(struct change *c)
{
	if (open_gap(c, 0, 1))
		invent(c->src, LAB_GEN_SETUP, record(c, 0));
}

static void delete_some(struct change *c)
{
	u32 at, n;

	if (c->nr < 2)
		return;
	at = below(c, c->nr);
	n = 1 + below(c, 4);
	remove_records(c, at, n < c->nr - at ? n : c->nr - at);
}

static void duplicate(struct change *c)
{
	u8 copy[4 * LAB_RECORD_BYTES];
	u32 from, to, n = 1 + below(c, 4);

	if (!c->nr)
		return;
	from = below(c, c->nr);
	n = n < c->nr - from ? n : c->nr - from;
	memcpy(copy, record(c, from), (size_t)n * LAB_RECORD_BYTES);
	to = below(c, c->nr + 1);
	n = open_gap(c, to, n);
	memcpy(record(c, to), copy, (size_t)n * LAB_RECORD_BYTES);
}

static void swap_two(struct change *c)
{
	u8 copy[LAB_RECORD_BYTES];
	u32 a, b;

	if (c->nr < 2)
		return;
	a = below(c, c->nr);
	b = below(c, c->nr);
	memcpy(copy, record(c, a), LAB_RECORD_BYTES);
	memmove(record(c, a), record(c, b), LAB_RECORD_BYTES);
	memcpy(record(c, b), copy, LAB_RECORD_BYTES);
}

static void splice(struct change *c)
{
	u32 from, to, n;

	if (!c->nr_other)
		return;
	from = below(c, c->nr_other);
	n = 1 + below(c, c->nr_other - from);
	to = below(c, c->nr + 1);
	n = open_gap(c, to, n);
	memcpy(record(c, to), c->other + (size_t)from * LAB_RECORD_BYTES,
	       (size_t)n * LAB_RECORD_BYTES);
}

/* The same statement with other operands; one time in two only a stretch of them. */
static void change_operands(struct change *c)
{
	u8 made[LAB_RECORD_BYTES], *rec;
	u32 from = 2, n = LAB_RECORD_BYTES - 2, tries = 64;

	if (!c->nr)
		return;
	rec = record(c, below(c, c->nr));
	do {
		invent(c->src, LAB_GEN_ANY, made);
	} while (lab_record_kind(made) != lab_record_kind(rec) && --tries);
	if (!tries)
		return;
	if (below(c, 2)) {
		from = 2 + below(c, LAB_RECORD_BYTES - 2);
		n = 1 + below(c, LAB_RECORD_BYTES - from);
	}
	memcpy(rec + from, made + from, n);
}

static void change_actor(struct change *c)
{
	u8 made[LAB_RECORD_BYTES];

	if (!c->nr)
		return;
	invent(c->src, LAB_GEN_ACTION, made);
	record(c, below(c, c->nr))[1] = made[1];
}

/* A number in a record, one up or down. */
static void nudge(struct change *c)
{
	u8 *rec;

	if (!c->nr)
		return;
	rec = record(c, below(c, c->nr));
	rec[1 + below(c, LAB_RECORD_BYTES - 1)] += below(c, 2) ? 1 : 255;
}

/* Some statements next to each other become a block. */
static void put_in_block(struct change *c)
{
	struct lab_scenario sc;
	u32 from, n;

	if (c->nr < 2 || c->max - c->nr < 2)
		return;
	from = below(c, c->nr - 1);
	n = 2 + below(c, 3);
	n = n < c->nr - from ? n : c->nr - from;
	lab_scenario_init(&sc);
	open_gap(c, from + n, 1);
	lab_record_write(&sc, &(struct lab_op){.kind = LAB_OP_PARALLEL_END}, record(c, from + n));
	open_gap(c, from, 1);
	lab_record_write(&sc, &(struct lab_op){.kind = LAB_OP_PARALLEL}, record(c, from));
	lab_scenario_free(&sc);
}

/* Another seed of the scheduler, or a first one. */
static void change_seed(struct change *c)
{
	struct lab_op op = {.kind = LAB_OP_CHOOSER};
	struct lab_scenario sc;
	u32 at = 0;

	while (at < c->nr && lab_record_kind(record(c, at)) != LAB_OP_CHOOSER)
		at++;
	if (at == c->nr && !open_gap(c, at = 0, 1))
		return;
	op.v[0] = (struct lab_val){.num = 1, .set = 1};
	op.v[1] = (struct lab_val){.num = below(c, 1 << 16), .set = 1};
	lab_scenario_init(&sc);
	lab_record_write(&sc, &op, record(c, at));
	lab_scenario_free(&sc);
}

static void (*const changes[])(struct change *c) = {
	insert_new,	 insert_new, insert_new,   delete_some,	    delete_some,  duplicate,
	swap_two,	 splice,     splice,	   change_operands, change_actor, change_operands,
	change_operands, nudge,	     put_in_block, change_seed,	    change_seed,  insert_setup,
};

size_t lab_mutate(struct lab_choices *src, u8 *bytes, size_t len, size_t max, const u8 *other,
		  size_t other_len)
{
	struct change c = {
		.src = src,
		.bytes = bytes,
		.nr = (u32)(len / LAB_RECORD_BYTES),
		.max = (u32)(max / LAB_RECORD_BYTES),
		.other = other,
		.nr_other = (u32)(other_len / LAB_RECORD_BYTES),
	};
	u32 n = 1 + below(&c, CHANGES_MAX);

	assert(len <= max);
	while (n--)
		changes[below(&c, RT_ARRAY_SIZE(changes))](&c);
	return (size_t)c.nr * LAB_RECORD_BYTES;
}

size_t lab_generate(struct lab_choices *src, u8 *bytes, size_t max)
{
	struct change c = {.src = src, .bytes = bytes, .max = (u32)(max / LAB_RECORD_BYTES)};
	u32 setups = below(&c, 3) ? 0 : 1 + below(&c, 3);

	c.nr = setups + 1 + below(&c, PROGRAM_MAX);
	if (c.nr > c.max)
		c.nr = c.max;
	for (u32 i = 0; i < c.nr; i++)
		invent(src, i < setups ? LAB_GEN_SETUP : LAB_GEN_ACTION, record(&c, i));
	/* In half of the programs actors meet. */
	if (below(&c, 2)) {
		put_in_block(&c);
		change_seed(&c);
	}
	return (size_t)c.nr * LAB_RECORD_BYTES;
}

size_t lab_generate_small(struct lab_choices *src, u32 n, u8 *bytes, size_t max)
{
	assert((size_t)n * LAB_RECORD_BYTES <= max);
	for (u32 i = 0; i < n; i++)
		invent(src, LAB_GEN_SMALL, bytes + (size_t)i * LAB_RECORD_BYTES);
	return (size_t)n * LAB_RECORD_BYTES;
}
