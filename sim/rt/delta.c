// SPDX-License-Identifier: GPL-2.0-only
/*
 * Differences of a world from a base: found by comparing with a twin of the region, kept as words.
 * What of a difference counts as state is in canon.c.
 */
#include "sim/rt/delta_int.h"

#include <stdlib.h>
#include <sys/mman.h>

/*
 * No function of the simulated code has a frame as large as this: below a stretch of that length
 * that is as in the base, nothing was written.
 */
#define CLEAN_STRETCH 8192

static u32 word_of(const struct rt_base *b, const u64 *p)
{
	return (u32)((size_t)((const char *)p - (const char *)b->w) / 8);
}

static void note(struct rt_base *b, const u64 *p)
{
	if (b->nr == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 4096;
		b->off = rt_host_realloc(b->off, b->cap * sizeof(*b->off));
		b->val = rt_host_realloc(b->val, b->cap * sizeof(*b->val));
	}
	b->off[b->nr] = word_of(b, p);
	b->val[b->nr++] = *p;
}

typedef u64 vec __attribute__((vector_size(32)));

/* Whether the 64 bytes at @p and @q are the same. */
static inline bool same_line(const u64 *p, const u64 *q)
{
	const vec *a = (const vec *)p, *c = (const vec *)q;
	vec d = (a[0] ^ c[0]) | (a[1] ^ c[1]);

	return !(d[0] | d[1] | d[2] | d[3]);
}

RT_NO_ASAN static void diff_words(struct rt_base *b, const u64 *p, const u64 *end)
{
	const u64 *q = rt_base_twin(b, p);

	for (; p < end; p++, q++) {
		if (*p != *q)
			note(b, p);
	}
}

/* As diff_words(), with both ends at a multiple of 64. */
RT_NO_ASAN static void diff_lines(struct rt_base *b, const u64 *p, const u64 *end)
{
	const u64 *q = rt_base_twin(b, p);

	for (; p < end; p += 8, q += 8) {
		if (same_line(p, q))
			continue;
		for (u32 i = 0; i < 8; i++) {
			if (p[i] != q[i])
				note(b, p + i);
		}
	}
}

/* ---- stacks ---- */

static u64 *stack_top(const struct rt_world *w, u32 slot)
{
	return (u64 *)(rt_slot_stack(w, slot) + w->opts.stack_size);
}

/* What is dead in slot @slot, below @sp, as it was in the base: from there down to clean memory. */
RT_NO_ASAN static void scrub(struct rt_base *b, u32 slot, u64 *sp)
{
	u64 *low = (u64 *)rt_slot_stack(b->w, slot);
	const u64 *twin = rt_base_twin(b, sp);
	size_t clean = 0;

	while (sp > low && clean < CLEAN_STRETCH / 8) {
		sp--;
		twin--;
		if (*sp == *twin) {
			clean++;
		} else {
			*sp = *twin;
			clean = 0;
		}
	}
}

static void scrub_all(struct rt_base *b)
{
	struct rt_world *w = b->w;
	const struct rt_actor *a;

	for (a = w->s.sched.live; a; a = a->next_live) {
		if (w->ran[a->slot / 64] >> (a->slot % 64) & 1)
			scrub(b, a->slot, (u64 *)rt_fiber_low(&a->fiber));
		w->ran[a->slot / 64] &= ~(1ULL << (a->slot % 64));
	}
	/* What is left belongs to slots whose actors have ended. */
	for (u32 i = 0; i < RT_SLOT_WORDS; i++) {
		for (; w->ran[i]; w->ran[i] &= w->ran[i] - 1) {
			u32 slot = i * 64 + (u32)__builtin_ctzll(w->ran[i]);

			scrub(b, slot, stack_top(w, slot));
		}
	}
}

/* ---- the base ---- */

/* Behind the base the heap is poison, in the twin too. */
static void twin_extend(struct rt_base *b)
{
	struct rt_world *w = b->w;

	if (w->s.heap.brk <= b->twin_pages)
		return;
	memset(rt_base_twin(b, (u64 *)(w->heap + (size_t)b->twin_pages * 4096)), RT_POISON,
	       (size_t)(w->s.heap.brk - b->twin_pages) * 4096);
	b->twin_pages = w->s.heap.brk;
}

static void twin_copy(struct rt_base *b, const void *p, size_t len)
{
	rt_copy_raw(rt_base_twin(b, p), p, len);
}

RT_NO_ASAN static void zero_words(u64 *p, const u64 *end)
{
	while (p < end)
		*(volatile u64 *)p++ = 0;
}

/* Live stacks as they are; below them, and in slots that nobody has, nothing. */
static void copy_stacks(struct rt_base *b)
{
	struct rt_world *w = b->w;
	u64 live[RT_SLOT_WORDS] = {0};

	for (const struct rt_actor *a = w->s.sched.live; a; a = a->next_live) {
		char *low = rt_fiber_low(&a->fiber);

		live[a->slot / 64] |= 1ULL << (a->slot % 64);
		rt_asan_unpoison(rt_slot_stack(w, a->slot),
				 (size_t)(low - rt_slot_stack(w, a->slot)));
		zero_words((u64 *)rt_slot_stack(w, a->slot), (u64 *)low);
		twin_copy(b, low, (size_t)((char *)stack_top(w, a->slot) - low));
	}
	for (u32 i = 0; i < w->slots_mapped; i++) {
		if (live[i / 64] >> (i % 64) & 1)
			continue;
		rt_asan_unpoison(rt_slot_stack(w, i), w->opts.stack_size);
		zero_words((u64 *)rt_slot_stack(w, i), stack_top(w, i));
	}
	memset(w->ran, 0, sizeof(w->ran));
}

struct rt_base *rt_base_new(struct rt_world *w, bool measure)
{
	struct rt_base *b = rt_host_realloc(NULL, sizeof(*b));

	if (w->s.sched.running || w->in_run)
		rt_panic("rt_base_new() inside rt_run()");
	*b = (struct rt_base){.w = w, .floor = w->s.heap.brk, .twin_pages = w->s.heap.brk};
	b->twin = mmap(NULL, w->size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b->twin == MAP_FAILED)
		rt_panic("no address space for the twin of a world");
	rt_heap_fresh(w);
	w->unmeasured = !measure;
	copy_stacks(b);
	twin_copy(b, &w->s, sizeof(w->s));
	twin_copy(b, w->heap, (size_t)b->floor * 4096);
	twin_copy(b, w->pages, b->floor * sizeof(struct rt_page));
	rt_canon_init(b);
	return b;
}

void rt_base_free(struct rt_base *b)
{
	if (!b)
		return;
	munmap(b->twin, b->w->size);
	free(b->off);
	free(b->val);
	rt_canon_exit(b);
	free(b);
}

void rt_base_diff(struct rt_base *b)
{
	struct rt_world *w = b->w;
	u64 *heap = (u64 *)w->heap, *pages = (u64 *)w->pages;

	scrub_all(b);
	twin_extend(b);
	b->nr = 0;
	diff_words(b, (u64 *)&w->s, (u64 *)(&w->s + 1));
	b->nr_state = b->nr;
	diff_lines(b, heap, heap + (size_t)b->floor * 512);
	b->nr_base = b->nr;
	diff_lines(b, heap + (size_t)b->floor * 512, heap + (size_t)w->s.heap.brk * 512);
	b->nr_heap = b->nr;
	for (const struct rt_actor *a = w->s.sched.live; a; a = a->next_live)
		diff_words(b, (u64 *)rt_fiber_low(&a->fiber), stack_top(w, a->slot));
	b->nr_stack = b->nr;
	diff_words(b, pages, pages + w->s.heap.brk * (sizeof(struct rt_page) / 8));
}

/* ---- differences as bytes: count, offsets, padding, values ---- */

static size_t offsets_bytes(u32 nr)
{
	return (sizeof(u32) * (1 + (size_t)nr) + 7) & ~(size_t)7;
}

size_t rt_delta_bytes(const struct rt_base *b)
{
	return offsets_bytes(b->nr) + b->nr * sizeof(u64);
}

void rt_delta_put(const struct rt_base *b, void *to)
{
	*(u32 *)to = b->nr;
	memcpy((u32 *)to + 1, b->off, b->nr * sizeof(u32));
	memcpy((char *)to + offsets_bytes(b->nr), b->val, b->nr * sizeof(u64));
}

RT_NO_ASAN static void write_words(struct rt_base *b, const u32 *off, const u64 *val, u32 nr)
{
	u64 *region = (u64 *)b->w;

	for (u32 i = 0; i < nr; i++)
		region[off[i]] = val[i];
}

RT_NO_ASAN static void undo_words(struct rt_base *b)
{
	u64 *region = (u64 *)b->w;
	const u64 *twin = (const u64 *)b->twin;

	for (u32 i = 0; i < b->nr; i++)
		region[b->off[i]] = twin[b->off[i]];
}

void rt_delta_get(struct rt_base *b, const void *from)
{
	u32 nr = *(const u32 *)from;
	const u32 *off = (const u32 *)from + 1;
	const u64 *val = (const u64 *)((const char *)from + offsets_bytes(nr));

	undo_words(b);
	write_words(b, off, val, nr);
	while (b->cap < nr) {
		b->cap = b->cap ? 2 * b->cap : 4096;
		b->off = rt_host_realloc(b->off, b->cap * sizeof(*b->off));
		b->val = rt_host_realloc(b->val, b->cap * sizeof(*b->val));
	}
	/* Only the places are asked for until the next rt_base_diff(). */
	memcpy(b->off, off, nr * sizeof(*off));
	b->nr = nr;
	rt_sched_rearm(b->w);
}
