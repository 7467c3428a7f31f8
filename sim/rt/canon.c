// SPDX-License-Identifier: GPL-2.0-only
/*
 * The canonical form of a difference, and its hash.
 * Words of the base's memory are named by their place. New blocks are named by the order in which
 * pointers lead to them, so that neither their addresses nor the order of their allocation matter.
 * Pointers into the region and into the program are taken relative to those, so that the form is
 * the same in every process.
 */
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/rt/delta_int.h"

/* The linker's: first byte of the program, and the one behind its last. */
extern const char __executable_start[], _end[];

/* What a value is, in the high bits of the word that names its place. */
enum {
	KIND_PLAIN,
	KIND_REGION,  /* offset in the region */
	KIND_PROGRAM, /* offset in the program */
	KIND_BLOCK,   /* number of a new block, and offset in it */
};
#define KIND_SHIFT 60
#define PLACE_HEAD (1ULL << 40) /* the head of a new block */

/* ---- what is no state ---- */

static void ignore_words(struct rt_base *b, size_t first, size_t nr)
{
	for (size_t i = first; i < first + nr; i++)
		b->ignored[i / 64] |= 1ULL << (i % 64);
}

void rt_base_ignore(struct rt_base *b, const void *p, size_t len)
{
	size_t off = (size_t)((const char *)p - (const char *)b->w);

	if (off % 8 || len % 8 ||
	    off + len > (size_t)(b->w->heap - (char *)b->w) + (size_t)b->floor * 4096)
		rt_panic("rt_base_ignore(): not in the base");
	ignore_words(b, off / 8, len / 8);
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
	size_t words = (size_t)(b->w->heap - (char *)b->w) / 8 + (size_t)b->floor * 512;

	b->ignored = calloc((words + 63) / 64, sizeof(u64));
	if (!b->ignored)
		rt_panic("the host is out of memory");
	ignore_own(b);
}

void rt_canon_exit(struct rt_base *b)
{
	free(b->ignored);
	free(b->block);
	free(b->found);
	free(b->out);
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

/* Which words of the difference are whose; both ascend. */
static void share_words(struct rt_base *b)
{
	u32 i = b->nr_base;

	for (u32 k = 0; k < b->nr_block; k++) {
		struct rt_canon_block *bl = &b->block[k];

		while (i < b->nr_heap && b->off[i] * 8ULL < bl->begin)
			i++;
		bl->first = i;
		while (i < b->nr_heap && b->off[i] * 8ULL < bl->end)
			i++;
		bl->nr = i - bl->first;
		if (bl->free && bl->nr && !b->written)
			b->written = b->off[bl->first] * 8ULL;
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

/* ---- the form ---- */

static void out(struct rt_base *b, u64 place, u64 val)
{
	if (b->nr_out + 2 > b->cap_out) {
		b->cap_out = b->cap_out ? 2 * b->cap_out : 4096;
		b->out = rt_host_realloc(b->out, b->cap_out * sizeof(*b->out));
	}
	b->out[b->nr_out++] = place;
	b->out[b->nr_out++] = val;
}

static void out_value(struct rt_base *b, u64 place, u64 val)
{
	u64 in_region = val - (u64)(uintptr_t)b->w;
	u64 in_program = val - (u64)(uintptr_t)__executable_start;
	u64 kind = KIND_PLAIN;

	if (in_region < b->w->size) {
		struct rt_canon_block *bl = block_at(b, in_region);

		kind = bl ? KIND_BLOCK : KIND_REGION;
		val = bl ? (u64)number_of(b, bl) << 32 | (in_region - bl->begin) : in_region;
	} else if (in_program < (u64)(_end - __executable_start)) {
		kind = KIND_PROGRAM;
		val = in_program;
	}
	out(b, kind << KIND_SHIFT | place, val);
}

static void out_base(struct rt_base *b, u32 first, u32 end)
{
	for (u32 i = first; i < end; i++) {
		u32 off = b->off[i];

		if (!(b->ignored[off / 64] >> (off % 64) & 1))
			out_value(b, off, b->val[i]);
	}
}

static void out_block(struct rt_base *b, u32 number)
{
	const struct rt_canon_block bl = b->block[b->found[number - 1]];

	out(b, PLACE_HEAD | number, bl.free ? 0 : bl.end - bl.begin);
	for (u32 i = bl.first; !bl.free && i < bl.first + bl.nr; i++)
		out_value(b, b->off[i] - bl.begin / 8, b->val[i]);
}

struct rt_hash rt_base_hash(struct rt_base *b)
{
	u32 done = 0, k = 0;
	XXH128_hash_t h;

	b->nr_block = b->nr_found = b->nr_out = 0;
	b->written = 0;
	rt_heap_walk(b->w, b->floor, add_block, b);
	share_words(b);
	out_base(b, 0, b->nr_base);
	for (u32 i = b->nr_heap; i < b->nr_stack; i++)
		out_value(b, b->off[i], b->val[i]);
	for (;;) {
		while (done < b->nr_found)
			out_block(b, ++done);
		/* What no pointer leads to is state too. */
		while (k < b->nr_block && (b->block[k].free || b->block[k].number))
			k++;
		if (k == b->nr_block)
			break;
		number_of(b, &b->block[k]);
	}
	h = XXH3_128bits(b->out, b->nr_out * sizeof(*b->out));
	return (struct rt_hash){h.low64, h.high64};
}

size_t rt_base_written(const struct rt_base *b)
{
	return b->written;
}
