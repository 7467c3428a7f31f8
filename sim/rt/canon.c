// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a difference is state, chunk by chunk; the hash of all is in canon_new.c.
 * The hash of a difference is a sum over its chunks, so that only those that changed are hashed
 * again. Words of the base's memory are named by their place. New blocks are named by the order in
 * which pointers lead to them, so that neither their addresses nor the order of their allocation
 * matter. Pointers into the region and into the program are taken relative to those, so that the
 * hash is the same in every process.
 */
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/rt/canon_int.h"

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

static u64 chunks_of_base(const struct rt_base *b)
{
	return ((u64)(b->w->heap - (char *)b->w) + (u64)b->floor * 4096) / CHUNK_SIZE;
}

/* The chunks behind that of the header at @p, as far as its block goes. */
static void own_small(void *ctx, const void *p)
{
	struct rt_base *b = ctx;
	u64 off = (u64)((const char *)p - (const char *)b->w);
	u32 size = rt_heap_live_size(b->w, p);

	for (u64 at = off / CHUNK_SIZE + 1; size && at * CHUNK_SIZE < off + 8 + size; at++)
		b->owner[at] = (u32)(off / 8);
}

void rt_canon_init(struct rt_base *b)
{
	size_t chunks = chunks_of_base(b);

	b->ignored = calloc(chunks, sizeof(*b->ignored));
	b->owner = calloc(chunks, sizeof(*b->owner));
	b->known = calloc(RT_KNOWN_SLOTS, sizeof(*b->known));
	if (!b->ignored || !b->owner || !b->known)
		rt_panic("the host is out of memory");
	ignore_own(b);
	rt_heap_headers(b->w, own_small, b);
}

void rt_canon_exit(struct rt_base *b)
{
	free(b->ignored);
	free(b->owner);
	free(b->known);
	free(b->special.chunk);
	free(b->now.chunk);
	free(b->block);
	free(b->found);
}

/* ---- one chunk ---- */

static u32 ignored_of(const struct rt_base *b, u32 at)
{
	u64 off = (u64)at * CHUNK_SIZE;
	const u64 *word = (const u64 *)((const char *)b->w + off);

	if (off < rt_canon_new_begin(b))
		return b->ignored[at];
	/* The last word may be the header of the block that begins with the next chunk. */
	if (off < rt_canon_new_end(b))
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
		return rt_canon_is_new(b, in_region) ? KIND_BLOCK : KIND_REGION;
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

/* All that is in a special chunk, also what is no state: it may say where blocks begin and end. */
static struct rt_hash key_of(const struct rt_chunk *c)
{
	u64 out[1 + CHUNK_WORDS];

	out[0] = (u64)c->ptrs << 32 | c->mask;
	memcpy(&out[1], c->word, c->nr * sizeof(u64));
	return rt_canon_placed(hash_words(out, 1 + c->nr), c->at);
}

/* Chunks of new blocks, the map of their pages, and what points to them. */
static bool is_special(const struct rt_base *b, const struct rt_chunk *c)
{
	u64 off = (u64)c->at * CHUNK_SIZE;

	return c->ptrs ||
	       (off >= rt_canon_new_begin(b) && off < (u64)(b->w->stacks - (const char *)b->w));
}

static void hash_chunk(const struct rt_base *b, struct rt_chunk *c)
{
	u32 ignored = ignored_of(b, c->at), mask = c->mask & ~ignored, n = 2, ptr[CHUNK_WORDS];
	u64 out[2 + CHUNK_WORDS], kinds = 0;
	const u64 *word = c->word;
	u32 nr_ptrs = 0;

	c->silent = !mask;
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
	c->far = hash_words(out, n);
	c->near = rt_canon_placed(c->far, c->at);
	if (nr_ptrs) {
		for (u32 i = 0; i < nr_ptrs; i++)
			out[ptr[i]] = 0;
		c->far = hash_words(out, n);
	}
}

void rt_canon_chunk(struct rt_base *b, struct rt_chunk *c)
{
	c->ptrs = 0;
	c->near = c->far = c->key = (struct rt_hash){0};
	hash_chunk(b, c);
	c->special = is_special(b, c);
	if (c->special)
		c->key = key_of(c);
	else
		c->far = (struct rt_hash){0};
}

/* ---- sums ---- */

static void sub(struct rt_hash *sum, struct rt_hash h)
{
	sum->lo -= h.lo;
	sum->hi -= h.hi;
}

void rt_canon_add(struct rt_sums *s, const struct rt_chunk *c)
{
	rt_canon_sum(&s->near, c->near);
	rt_canon_sum(c->special ? &s->key : &s->rest, c->special ? c->key : c->near);
}

void rt_canon_sub(struct rt_sums *s, const struct rt_chunk *c)
{
	sub(&s->near, c->near);
	sub(c->special ? &s->key : &s->rest, c->special ? c->key : c->near);
}

/* ---- writes to what is free ---- */

/*
 * What is free is poison, so a write to it is a change of some chunk: each is looked at when it has
 * changed. A block that is freed in the same step has all of its chunks poison or changed.
 */
static void need_poison(struct rt_base *b, u64 off, u64 end)
{
	u64 chunk_end = (off / CHUNK_SIZE + 1) * CHUNK_SIZE;

	end = end < chunk_end ? end : chunk_end;
	if (!b->written_base && off < end &&
	    !rt_heap_is_poison((char *)b->w + off, (size_t)(end - off)))
		b->written_base = off;
}

/* The block whose header is at @header, as far as it is in the chunk from @from on. */
static void check_small(struct rt_base *b, u64 header, u64 from)
{
	const char *p = (const char *)b->w + header;
	u32 size;

	if (p >= b->w->heap && rt_heap_is_freed(b->w, p, &size))
		need_poison(b, from, header + 8 + (size & ~7U));
}

/* Of a large block all pages are given back at once. */
static void check_large(struct rt_base *b, u64 off)
{
	const struct rt_page *was = rt_base_twin(b, b->w->pages);
	u64 heap = (u64)(b->w->heap - (char *)b->w), page = (off - heap) / 4096;

	if (off >= heap && was[page].kind != RT_PG_NONE && was[page].kind != RT_PG_FREE &&
	    b->w->pages[page].kind == RT_PG_NONE)
		need_poison(b, off, off + CHUNK_SIZE);
}

void rt_canon_check(struct rt_base *b)
{
	const struct rt_chunk *c = (const struct rt_chunk *)b->made;

	b->written_base = 0;
	for (u32 i = 0; i < b->nr_changed; i++, c = rt_chunk_next(c)) {
		u64 off = (u64)c->at * CHUNK_SIZE;

		if (off >= rt_canon_new_begin(b))
			break;
		check_large(b, off);
		if (b->owner[c->at])
			check_small(b, 8ULL * b->owner[c->at], off);
		/* Their headers differ from the base's, in which these were not free. */
		for (u32 bits = c->mask & b->ignored[c->at]; bits; bits &= bits - 1) {
			u64 header = off + 8ULL * (u32)__builtin_ctz(bits);

			check_small(b, header, header + 8);
		}
	}
}
