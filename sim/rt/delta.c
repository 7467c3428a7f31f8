// SPDX-License-Identifier: GPL-2.0-only
/*
 * Differences of a world from a base: found by comparing with a mirror of what was restored last.
 * Where to look is in scan.c; what of a difference counts as state in canon.c; how it is kept and
 * restored in delta_move.c.
 */
#include "sim/rt/delta_int.h"

#include <stdlib.h>
#include <sys/mman.h>

/* ---- the base ---- */

static char *stack_top(const struct rt_world *w, u32 slot)
{
	return rt_slot_stack(w, slot) + w->opts.stack_size;
}

static void twin_copy(struct rt_base *b, const void *p, size_t len)
{
	rt_copy_raw(rt_base_twin(b, p), p, len);
	rt_copy_raw(rt_base_mirror(b, p), p, len);
}

RT_NO_ASAN static void zero_words(char *from, const char *end)
{
	for (volatile u64 *p = (volatile u64 *)from; (const char *)p < end; p++)
		*p = 0;
}

/* Live stacks as they are; below them, and in slots that nobody has, nothing. */
static void copy_stacks(struct rt_base *b)
{
	struct rt_world *w = b->w;

	for (const struct rt_actor *a = w->s.sched.live; a; a = a->next_live)
		b->low[a->slot] = rt_fiber_low(&a->fiber);
	for (u32 i = 0; i < w->slots_mapped; i++) {
		char *low = b->low[i] ? b->low[i] : stack_top(w, i);

		rt_asan_unpoison(rt_slot_stack(w, i), (size_t)(low - rt_slot_stack(w, i)));
		zero_words(rt_slot_stack(w, i), low);
		twin_copy(b, low, (size_t)(stack_top(w, i) - low));
	}
	memset(w->ran, 0, sizeof(w->ran));
}

static void *reserve(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		rt_panic("no address space for the twin of a world");
	return p;
}

static size_t cur_size(const struct rt_world *w)
{
	return (w->size / CHUNK_SIZE + 1) * sizeof(u32);
}

struct rt_base *rt_base_new(struct rt_world *w, u32 flags)
{
	struct rt_base *b = rt_host_realloc(NULL, sizeof(*b));

	if (w->s.sched.running || w->in_run)
		rt_panic("rt_base_new() inside rt_run()");
	rt_outside_store(w);
	*b = (struct rt_base){.w = w, .floor = w->s.heap.brk, .twin_pages = w->s.heap.brk};
	b->twin = reserve(w->size);
	b->mirror = reserve(w->size);
	b->cur = reserve(cur_size(w));
	b->then_cap = sizeof(*b->then);
	b->then = rt_host_realloc(NULL, b->then_cap);
	*b->then = (struct rt_delta){0};
	rt_pool_init(&b->pool);
	b->low = rt_host_realloc(NULL, w->opts.actors_max * sizeof(*b->low));
	b->sp = rt_host_realloc(NULL, w->opts.actors_max * sizeof(*b->sp));
	memset(b->low, 0, w->opts.actors_max * sizeof(*b->low));
	rt_heap_fresh(w);
	w->unmeasured = !(flags & RT_BASE_MEASURE);
	/* A sanitizer has its own handler. */
	b->compares = RT_ASAN || flags & RT_BASE_COMPARE;
	copy_stacks(b);
	twin_copy(b, &w->s, sizeof(w->s));
	twin_copy(b, w->heap, (size_t)b->floor * 4096);
	twin_copy(b, w->pages, b->floor * sizeof(struct rt_page));
	rt_canon_init(b);
	rt_hot_begin(b);
	return b;
}

void rt_base_free(struct rt_base *b)
{
	if (!b)
		return;
	rt_hot_end(b);
	rt_canon_exit(b);
	munmap(b->twin, b->w->size);
	munmap(b->mirror, b->w->size);
	munmap(b->cur, cur_size(b->w));
	rt_pool_exit(&b->pool);
	free(b->then);
	free(b->change);
	free(b->low);
	free(b->sp);
	free(b->changed);
	free(b->made);
	free(b);
}

/* ---- what a run has changed ---- */

static char *chunk_floor(const char *p)
{
	return (char *)((uintptr_t)p & ~(uintptr_t)(CHUNK_SIZE - 1));
}

/* A live stack, and what of it was live when it was restored; dead memory is as in the base. */
static void scan_stack(struct rt_base *b, u32 slot, char *sp)
{
	char *low = chunk_floor(b->low[slot] && b->low[slot] < sp ? b->low[slot] : sp);

	rt_scan(b, low, (size_t)(stack_top(b->w, slot) - low));
}

static void scan_stacks(struct rt_base *b)
{
	struct rt_world *w = b->w;

	/* By slot, so that the list ascends. */
	for (u32 slot = 0; slot < w->slots_mapped; slot++) {
		bool ran = w->ran[slot / 64] >> (slot % 64) & 1;
		char *sp = b->sp[slot] ? b->sp[slot] : stack_top(w, slot);

		if (ran)
			rt_scrub(b, slot, sp);
		if (b->sp[slot] || b->low[slot])
			scan_stack(b, slot, sp);
	}
}

/* The words of @p that are not as in @q, to @c, which has room for all. */
RT_NO_ASAN static void encode_words(const u64 *p, const u64 *q, struct rt_chunk *c)
{
	u64 *word = c->word;

	c->mask = rt_scan_words(p, q);
	for (u32 bits = c->mask; bits; bits &= bits - 1)
		*word++ = p[__builtin_ctz(bits)];
	c->nr = (u16)(word - c->word);
}

/* What has changed, as chunks, and the sums with them in the place of what was there. */
static void make_chunks(struct rt_base *b)
{
	size_t most = b->nr_changed * (sizeof(struct rt_chunk) + CHUNK_SIZE) + CHUNK_SIZE;

	if (most > b->made_cap) {
		b->made_cap = 2 * most;
		b->made = rt_host_realloc(b->made, b->made_cap);
	}
	b->made_len = 0;
	b->sums = b->then->sums;
	for (u32 i = 0; i < b->nr_changed; i++) {
		struct rt_chunk *c = (struct rt_chunk *)(b->made + b->made_len);
		const char *p = (const char *)b->w + (size_t)b->changed[i] * CHUNK_SIZE;
		u32 was = b->cur[b->changed[i]];

		c->at = b->changed[i];
		encode_words((const u64 *)p, rt_base_twin(b, p), c);
		rt_canon_chunk(b, c);
		if (was)
			rt_canon_sub(&b->sums, rt_pool_get(&b->pool, was));
		rt_canon_add(&b->sums, c);
		b->made_len += rt_chunk_bytes(c);
	}
}

void rt_base_diff(struct rt_base *b)
{
	struct rt_world *w = b->w;

	rt_outside_store(w);
	rt_twin_extend(b, false);
	rt_find_stacks(b, b->sp);
	b->nr_changed = 0;
	rt_scan(b, &w->s, (sizeof(w->s) + CHUNK_SIZE - 1) & ~(CHUNK_SIZE - 1UL));
	rt_scan_hot(b);
	/* Pages that were taken since are told by the map; those of the base do not change hands. */
	rt_scan(b, chunk_floor((char *)&w->pages[0]),
		((size_t)w->s.heap.brk * sizeof(struct rt_page) + CHUNK_SIZE - 1) &
			~(CHUNK_SIZE - 1UL));
	scan_stacks(b);
	memset(w->ran, 0, sizeof(w->ran));
	make_chunks(b);
	rt_canon_check(b);
}
