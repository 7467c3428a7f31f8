// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states that were seen: their hashes in a table of open addressing, where each was first come
 * from, and the edges between them.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/explore_int.h"
#include "sim/lab/util.h"

#define SLOTS_FIRST 4096

void ex_store_init(struct ex_store *st)
{
	*st = (struct ex_store){.nr_slots = SLOTS_FIRST};
	st->slot = lab_zalloc(st->nr_slots * sizeof(*st->slot));
}

void ex_store_free(struct ex_store *st)
{
	free(st->rec);
	free(st->to);
	free(st->by);
	free(st->slot);
}

u64 ex_store_bytes(const struct ex_store *st)
{
	return st->nr * sizeof(*st->rec) + st->nr_edges * (sizeof(*st->to) + sizeof(*st->by)) +
	       st->nr_slots * sizeof(*st->slot);
}

void ex_store_prefetch(const struct ex_store *st, struct rt_hash hash)
{
	__builtin_prefetch(&st->slot[hash.lo & (st->nr_slots - 1)]);
}

void ex_store_prefetch_state(const struct ex_store *st, struct rt_hash hash)
{
	u64 slot = st->slot[hash.lo & (st->nr_slots - 1)];

	if (slot && !((slot ^ hash.hi) >> 32))
		__builtin_prefetch(&st->rec[(u32)slot - 1].hash);
}

static u64 slot_word(u32 id, struct rt_hash hash)
{
	return (hash.hi & ~0xffffffffULL) | (id + 1);
}

/* The slot of that hash, or the empty one where it belongs. */
static u64 *slot_of(const struct ex_store *st, struct rt_hash hash)
{
	u64 i = hash.lo & (st->nr_slots - 1);

	for (; st->slot[i]; i = (i + 1) & (st->nr_slots - 1)) {
		const struct rt_hash *h = &st->rec[(u32)st->slot[i] - 1].hash;

		if ((st->slot[i] ^ hash.hi) >> 32)
			continue;
		if (h->lo == hash.lo && h->hi == hash.hi)
			break;
	}
	return &st->slot[i];
}

u32 ex_store_find(const struct ex_store *st, struct rt_hash hash)
{
	return (u32)*slot_of(st, hash) - 1;
}

static void remember(struct ex_store *st, u32 id)
{
	*slot_of(st, st->rec[id].hash) = slot_word(id, st->rec[id].hash);
}

void ex_store_deal(struct ex_store *st, u32 id)
{
	st->rec[id].flags |= EX_DEALT;
	remember(st, id);
}

static void new_slots(struct ex_store *st)
{
	while (2 * (u64)st->nr > st->nr_slots)
		st->nr_slots *= 2;
	free(st->slot);
	st->slot = lab_zalloc(st->nr_slots * sizeof(*st->slot));
}

void ex_store_index(struct ex_store *st, u32 first)
{
	new_slots(st);
	for (u32 id = 0; id < st->nr; id++) {
		if (id >= first || st->rec[id].flags & EX_DEALT)
			remember(st, id);
	}
}

/* Twice the table, with the states that are in it. */
static void grow(struct ex_store *st)
{
	u64 *old = st->slot, nr = st->nr_slots;

	st->slot = NULL;
	new_slots(st);
	for (u64 i = 0; i < nr; i++) {
		if (old[i])
			remember(st, (u32)old[i] - 1);
	}
	free(old);
}

void ex_store_add(struct ex_store *st, const struct ex_rec *rec)
{
	st->rec = lab_grow(st->rec, &st->cap, st->nr + 1, sizeof(*st->rec));
	st->rec[st->nr++] = *rec;
	if (2 * (u64)st->nr > st->nr_slots)
		grow(st);
	remember(st, st->nr - 1);
}

void ex_store_edge(struct ex_store *st, u32 from, u32 to, u8 by)
{
	struct ex_rec *rec = &st->rec[from];
	u32 cap = st->cap_edges;

	if (!(rec->flags & EX_EXPANDED)) {
		rec->flags |= EX_EXPANDED;
		rec->edge = st->nr_edges;
	}
	st->to = lab_grow(st->to, &st->cap_edges, st->nr_edges + 1, sizeof(*st->to));
	st->by = lab_grow(st->by, &cap, st->nr_edges + 1, sizeof(*st->by));
	st->to[st->nr_edges] = to;
	st->by[st->nr_edges++] = by;
	rec->nr_edges++;
}
