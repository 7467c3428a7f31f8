// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a difference is state, and its hash.
 * The hash of a difference is a sum over its chunks, so that only those that changed are hashed
 * again. Words of the base's memory are named by their place. New blocks are named by the order in
 * which pointers lead to them, so that neither their addresses nor the order of their allocation
 * matter. Pointers into the region and into the program are taken relative to those, so that the
 * hash is the same in every process.
 */
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/rt/delta_int.h"

/* The linker's: first byte of the program, and the one behind its last. */
extern const char __executable_start[], _end[];

/* What a value is, two bits for each word. */
enum {
	KIND_PLAIN,
	KIND_REGION,  /* offset in the region */
	KIND_PROGRAM, /* offset in the program */
	KIND_BLOCK,   /* pointer behind the base's heap */
};

_Static_assert(CHUNK_SIZE == RT_FRESH_ALIGN, "a new block begins with a chunk");

/* ---- what is no state ---- */

void rt_base_ignore(struct rt_base *b, const void *p, size_t len)
{
	size_t off = (size_t)((const char *)p - (const char *)b->w);

	if (off % 8 || len % 8 ||
	    off + len > (size_t)(b->w->heap - (char *)b->w) + (size_t)b->floor * 4096)
		rt_panic("rt_base_ignore(): not in the base");
	for (; len; len -= 8, off += 8)
		b->ignored[off / CHUNK_SIZE] |= 1U << (off % CHUNK_SIZE / 8);
}

static void ignore_header(void *ctx, const void *p)
{
	rt_base_ignore(ctx, p, 8);
}

#define IGNORE(b, lvalue) rt_base_ignore(b, &(lvalue), sizeof(lvalue))

/* Bookkeeping, virtual time, caches, and what only reports read. */
static void ignore_own(struct rt_base *b)
{
	struct rt_state *s = &b->w->s;

	IGNORE(b, s->heap);
	IGNORE(b, s->sched.step);
	IGNORE(b, s->sched.last);
	IGNORE(b, s->phys.table);
	IGNORE(b, s->phys.last_no);
	IGNORE(b, s->phys.last);
	IGNORE(b, s->random);
	IGNORE(b, s->cycles);
	IGNORE(b, s->reports);
	for (u32 i = 0; i < s->sched.nr_actors; i++)
		IGNORE(b, s->sched.actors[i]->obj);
	rt_heap_headers(b->w, ignore_header, b);
}

void rt_canon_init(struct rt_base *b)
{
	size_t chunks = (size_t)(b->w->heap - (char *)b->w + (size_t)b->floor * 4096) / CHUNK_SIZE;

	b->ignored = calloc(chunks, sizeof(*b->ignored));
	b->known = calloc(RT_NEAR_SLOTS, sizeof(*b->known));
	if (!b->ignored || !b->known)
		rt_panic("the host is out of memory");
	ignore_own(b);
}

void rt_canon_exit(struct rt_base *b)
{
	free(b->ignored);
	free(b->known);
	free(b->block);
	free(b->found);
}

/* ---- one chunk ---- */

static u64 new_begin(const struct rt_base *b)
{
	return (u64)(b->w->heap - (char *)b->w) + (u64)b->floor * 4096;
}

static u64 new_end(const struct rt_base *b)
{
	return (u64)(b->w->heap - (char *)b->w) + (u64)b->w->s.heap.brk * 4096;
}

static bool is_new(const struct rt_base *b, u64 off)
{
	return off - new_begin(b) < new_end(b) - new_begin(b);
}

static u32 ignored_of(const struct rt_base *b, u32 at)
{
	u64 off = (u64)at * CHUNK_SIZE;
	const u64 *word = (const u64 *)((const char *)b->w + off);

	if (off < new_begin(b))
		return b->ignored[at];
	/* The last word may be the header of the block that begins with the next chunk. */
	if (off < new_end(b))
		return rt_heap_is_header(b->w, &word[CHUNK_WORDS - 1]) ? 1U << (CHUNK_WORDS - 1)
								       : 0;
	/* The page map is bookkeeping; behind it are stacks. */
	return (const char *)word < b->w->stacks ? ~0U : 0;
}

static u64 kind_of(const struct rt_base *b, u64 *val)
{
	u64 in_region = *val - (u64)(uintptr_t)b->w;
	u64 in_program = *val - (u64)(uintptr_t)__executable_start;

	if (in_region < b->w->size) {
		*val = in_region;
		return is_new(b, in_region) ? KIND_BLOCK : KIND_REGION;
	}
	if (in_program < (u64)(_end - __executable_start)) {
		*val = in_program;
		return KIND_PROGRAM;
	}
	return KIND_PLAIN;
}

static struct rt_hash hash_words(const u64 *out, u32 nr)
{
	XXH128_hash_t h = XXH3_128bits(out, nr * sizeof(*out));

	return (struct rt_hash){h.low64, h.high64};
}

void rt_canon_chunk(struct rt_base *b, struct rt_chunk *c)
{
	u32 ignored = ignored_of(b, c->at), mask = c->mask & ~ignored, n = 2, ptr[CHUNK_WORDS];
	u64 out[2 + CHUNK_WORDS], kinds = 0;
	const u64 *word = c->word;
	u32 nr_ptrs = 0;

	c->ptrs = 0;
	c->pure = !ignored;
	c->near = c->far = (struct rt_hash){0};
	if (!mask)
		return;
	for (u32 bits = c->mask; bits; bits &= bits - 1, word++) {
		u32 i = (u32)__builtin_ctz(bits);
		u64 kind;

		if (ignored >> i & 1)
			continue;
		out[n] = *word;
		kind = kind_of(b, &out[n]);
		kinds |= kind << (2 * i);
		if (kind == KIND_BLOCK) {
			c->ptrs |= 1U << i;
			ptr[nr_ptrs++] = n;
		}
		n++;
	}
	out[0] = mask;
	out[1] = kinds;
	c->near = c->far = hash_words(out, n);
	if (nr_ptrs) {
		for (u32 i = 0; i < nr_ptrs; i++)
			out[ptr[i]] = 0;
		c->far = hash_words(out, n);
	}
}

/* ---- sums ---- */

static u64 mix(u64 z)
{
	z = (z ^ (z >> 32)) * 0xbea225f9eb34556dULL;
	z = (z ^ (z >> 29)) * 0xbea225f9eb34556dULL;
	return z ^ (z >> 32);
}

static void add(struct rt_hash *sum, struct rt_hash h, u64 place)
{
	sum->lo += mix(h.lo + place * 0x9e3779b97f4a7c15ULL);
	sum->hi += mix(h.hi ^ place * 0xc2b2ae3d27d4eb4fULL);
}

static bool silent(const struct rt_chunk *c)
{
	return !c->near.lo && !c->near.hi;
}

static struct rt_hash near_hash(const struct rt_base *b)
{
	struct rt_hash sum = {0};

	for (u32 i = 0; i < b->now.nr; i++) {
		if (!silent(b->now.chunk[i]))
			add(&sum, b->now.chunk[i]->near, b->now.chunk[i]->at);
	}
	return sum;
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

/* ---- writes to what is free ---- */

static void need_poison(struct rt_base *b, u64 off, size_t len)
{
	if (!b->written && !rt_heap_is_poison((char *)b->w + off, len))
		b->written = off;
}

/* Small blocks of the base that are free now: their headers are in chunks that differ. */
static void check_freed(struct rt_base *b, const struct rt_chunk *c)
{
	for (u32 bits = c->mask & b->ignored[c->at]; bits; bits &= bits - 1) {
		u64 off = (u64)c->at * CHUNK_SIZE + 8ULL * (u32)__builtin_ctz(bits);
		const char *p = (const char *)b->w + off;
		u32 size;

		if (p >= b->w->heap && rt_heap_is_freed(b->w, p, &size))
			need_poison(b, off + 8, size & ~7U);
	}
}

/* The same of large ones, by the page map. */
static void check_freed_pages(struct rt_base *b)
{
	const struct rt_world *w = b->w;
	const struct rt_page *was = rt_base_twin(b, w->pages);

	for (u32 i = 0; i < b->floor; i++) {
		bool live = was[i].kind == RT_PG_LARGE || was[i].kind == RT_PG_OWN;

		if (live && w->pages[i].kind == RT_PG_NONE)
			need_poison(b, (u64)(w->heap - (char *)w) + 4096ULL * i,
				    4096UL * was[i].nr);
	}
}

/* A free block is poison as the base is: what differs, somebody has written. */
static void find_written(struct rt_base *b)
{
	b->written = 0;
	for (u32 i = 0; i < b->now.nr; i++) {
		if ((u64)b->now.chunk[i]->at * CHUNK_SIZE < new_begin(b))
			check_freed(b, b->now.chunk[i]);
	}
	check_freed_pages(b);
	for (u32 k = 0; k < b->nr_block; k++) {
		const struct rt_canon_block *bl = &b->block[k];

		for (u32 i = bl->first; bl->free && i < bl->first + bl->nr; i++) {
			if (!silent(b->now.chunk[i]))
				b->written = (size_t)b->now.chunk[i]->at * CHUNK_SIZE;
		}
	}
}

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
		add(sum, (struct rt_hash){mix(to), mix(~to)}, place * CHUNK_WORDS + i);
	}
}

static void add_chunk(struct rt_base *b, struct rt_hash *sum, const struct rt_chunk *c, u64 place)
{
	if (silent(c))
		return;
	add(sum, c->far, place);
	if (c->ptrs)
		add_pointers(b, sum, c, place);
}

static void add_found(struct rt_base *b, struct rt_hash *sum, u32 number)
{
	const struct rt_canon_block bl = b->block[b->found[number - 1]];
	u64 place = (u64)number << 32;

	if (bl.free)
		return;
	add(sum, (struct rt_hash){bl.end - bl.begin, 1}, place | 0xffffffff);
	for (u32 i = bl.first; i < bl.first + bl.nr; i++)
		add_chunk(b, sum, b->now.chunk[i],
			  place + b->now.chunk[i]->at - bl.begin / CHUNK_SIZE);
}

static struct rt_hash far_hash(struct rt_base *b)
{
	struct rt_hash sum = {0};
	u32 done = 0, k = 0;

	for (u32 i = 0; i < b->now.nr; i++) {
		const struct rt_chunk *c = b->now.chunk[i];

		if (!is_new(b, (u64)c->at * CHUNK_SIZE))
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

struct rt_hash rt_base_hash(struct rt_base *b)
{
	struct rt_hash near = near_hash(b), far;
	u32 slot = (u32)(near.lo >> 20) % RT_NEAR_SLOTS;

	b->written = 0;
	if (b->known[slot].near.lo == near.lo && b->known[slot].near.hi == near.hi)
		return b->known[slot].far;
	b->nr_block = b->nr_found = 0;
	rt_heap_walk(b->w, b->floor, add_block, b);
	share_chunks(b);
	find_written(b);
	far = far_hash(b);
	if (!b->written) {
		b->known[slot].near = near;
		b->known[slot].far = far;
	}
	return far;
}

struct rt_hash rt_base_hash_plain(struct rt_base *b)
{
	rt_base_hash(b);
	return near_hash(b);
}

size_t rt_base_written(const struct rt_base *b)
{
	return b->written;
}
