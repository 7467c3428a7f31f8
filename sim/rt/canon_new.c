// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hash of a state: new blocks by number, and the special chunks, which are theirs or point to
 * them. What all of these add depends on nothing but what is in them: it is found anew when any of
 * them has changed, and remembered. Chunks one by one, and their sums, are in canon.c.
 */
#include <stdlib.h>

#include "sim/rt/canon_int.h"

/* ---- special chunks ---- */

static void list_add(struct rt_chunk_list *l, const struct rt_chunk *c)
{
	if (!c->mask || !c->special)
		return;
	if (l->nr == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 256;
		l->chunk = rt_host_realloc(l->chunk, l->cap * sizeof(*l->chunk));
	}
	l->chunk[l->nr++] = c;
}

/* Of what was restored last: the same for all that follows from it. */
static void list_then(struct rt_base *b)
{
	if (b->then_listed)
		return;
	b->special.nr = 0;
	for (u64 i = 0; i < b->then->nr; i++)
		list_add(&b->special, rt_pool_get(&b->pool, b->then->place[i].id));
	b->then_listed = true;
}

/* Of now: what has changed is in the place of what was. */
static void list_now(struct rt_base *b)
{
	const struct rt_chunk *made = (const struct rt_chunk *)b->made;
	u32 t = 0;

	list_then(b);
	b->now.nr = 0;
	for (u32 i = 0; i < b->nr_changed; i++, made = rt_chunk_next(made)) {
		while (t < b->special.nr && b->special.chunk[t]->at < made->at)
			list_add(&b->now, b->special.chunk[t++]);
		if (t < b->special.nr && b->special.chunk[t]->at == made->at)
			t++;
		list_add(&b->now, made);
	}
	while (t < b->special.nr)
		list_add(&b->now, b->special.chunk[t++]);
}

/* ---- new blocks ---- */

static void add_block(void *ctx, const void *p, size_t size, bool is_free)
{
	struct rt_base *b = ctx;
	u64 off = (u64)((const char *)p - (const char *)b->w);

	if (b->nr_block == b->cap_block) {
		b->cap_block = b->cap_block ? 2 * b->cap_block : 64;
		b->block = rt_host_realloc(b->block, b->cap_block * sizeof(*b->block));
		b->found = rt_host_realloc(b->found, b->cap_block * sizeof(*b->found));
	}
	b->block[b->nr_block++] =
		(struct rt_canon_block){.begin = off, .end = off + size, .free = is_free};
}

/* Which chunks are whose; both ascend, and no chunk is of two blocks. */
static void share_chunks(struct rt_base *b)
{
	u32 i = 0;

	for (u32 k = 0; k < b->nr_block; k++) {
		struct rt_canon_block *bl = &b->block[k];

		while (i < b->now.nr && (u64)b->now.chunk[i]->at * CHUNK_SIZE < bl->begin)
			i++;
		bl->first = i;
		while (i < b->now.nr && (u64)b->now.chunk[i]->at * CHUNK_SIZE < bl->end)
			i++;
		bl->nr = i - bl->first;
	}
}

/* A free block that is new is poison as the twin is: what differs, somebody has written. */
static void find_written(struct rt_base *b)
{
	b->written = 0;
	for (u32 k = 0; k < b->nr_block; k++) {
		const struct rt_canon_block *bl = &b->block[k];

		for (u32 i = bl->first; bl->free && i < bl->first + bl->nr; i++) {
			if (!b->now.chunk[i]->silent)
				b->written = (size_t)b->now.chunk[i]->at * CHUNK_SIZE;
		}
	}
}

/* ---- numbers of blocks ---- */

static struct rt_canon_block *block_at(struct rt_base *b, u64 off)
{
	u32 lo = 0, hi = b->nr_block;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (b->block[mid].end > off)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < b->nr_block && b->block[lo].begin <= off ? &b->block[lo] : NULL;
}

static u32 number_of(struct rt_base *b, struct rt_canon_block *bl)
{
	if (!bl->number) {
		b->found[b->nr_found++] = (u32)(bl - b->block);
		bl->number = b->nr_found;
	}
	return bl->number;
}

/* ---- the hash ---- */

/* The pointers of a chunk at @place, by the numbers of the blocks that they lead to. */
static void add_pointers(struct rt_base *b, struct rt_hash *sum, const struct rt_chunk *c,
			 u64 place)
{
	for (u32 bits = c->ptrs; bits; bits &= bits - 1) {
		u32 i = (u32)__builtin_ctz(bits);
		u32 nth = (u32)__builtin_popcount(c->mask & ((1U << i) - 1));
		u64 off = c->word[nth] - (u64)(uintptr_t)b->w, to = ~off;
		struct rt_canon_block *bl = block_at(b, off);

		if (bl)
			to = (u64)number_of(b, bl) << 32 | (off - bl->begin);
		rt_canon_sum(sum, rt_canon_placed((struct rt_hash){rt_mix(to), rt_mix(~to)},
						  place * CHUNK_WORDS + i));
	}
}

static void add_chunk(struct rt_base *b, struct rt_hash *sum, const struct rt_chunk *c, u64 place)
{
	if (c->silent)
		return;
	rt_canon_sum(sum, rt_canon_placed(c->far, place));
	if (c->ptrs)
		add_pointers(b, sum, c, place);
}

static void add_found(struct rt_base *b, struct rt_hash *sum, u32 number)
{
	const struct rt_canon_block bl = b->block[b->found[number - 1]];
	u64 place = (u64)number << 32;

	if (bl.free)
		return;
	rt_canon_sum(sum,
		     rt_canon_placed((struct rt_hash){bl.end - bl.begin, 1}, place | 0xffffffff));
	for (u32 i = bl.first; i < bl.first + bl.nr; i++)
		add_chunk(b, sum, b->now.chunk[i],
			  place + b->now.chunk[i]->at - bl.begin / CHUNK_SIZE);
}

/* Of the special chunks. */
static struct rt_hash far_hash(struct rt_base *b)
{
	struct rt_hash sum = {0};
	u32 done = 0, k = 0;

	for (u32 i = 0; i < b->now.nr; i++) {
		const struct rt_chunk *c = b->now.chunk[i];

		if (!rt_canon_is_new(b, (u64)c->at * CHUNK_SIZE))
			add_chunk(b, &sum, c, c->at);
	}
	for (;;) {
		while (done < b->nr_found)
			add_found(b, &sum, ++done);
		/* What no pointer leads to is state too. */
		while (k < b->nr_block && (b->block[k].free || b->block[k].number))
			k++;
		if (k == b->nr_block)
			break;
		number_of(b, &b->block[k]);
	}
	return sum;
}

/* What the special chunks add: a function of what is in them, which the key stands for. */
static struct rt_hash special_hash(struct rt_base *b)
{
	struct rt_hash key = b->sums.key, far;
	u32 slot = (u32)(key.lo >> 20) % RT_KNOWN_SLOTS;

	b->written = 0;
	if (b->known[slot].key.lo == key.lo && b->known[slot].key.hi == key.hi)
		return b->known[slot].far;
	list_now(b);
	b->nr_block = b->nr_found = 0;
	rt_heap_walk(b->w, b->floor, add_block, b);
	share_chunks(b);
	find_written(b);
	far = far_hash(b);
	if (!b->written) {
		b->known[slot].key = key;
		b->known[slot].far = far;
	}
	return far;
}

struct rt_hash rt_base_hash(struct rt_base *b)
{
	struct rt_hash hash = special_hash(b);

	rt_canon_sum(&hash, b->sums.rest);
	return hash;
}

struct rt_hash rt_base_hash_plain(struct rt_base *b)
{
	special_hash(b);
	return b->sums.near;
}

size_t rt_base_written(const struct rt_base *b)
{
	return b->written ? b->written : b->written_base;
}
