// SPDX-License-Identifier: GPL-2.0-only
/*
 * Differences of a world from a base: found by comparing with a mirror of what was restored last,
 * kept as chunks. Where to look is in scan.c; what of a difference counts as state in canon.c.
 */
#include "sim/rt/delta_int.h"

#include <stdlib.h>
#include <sys/mman.h>

/* ---- the base ---- */

static char *stack_top(const struct rt_world *w, u32 slot)
{
	return rt_slot_stack(w, slot) + w->opts.stack_size;
}

/*
 * Behind the base the heap is poison, in the twin and in the mirror too; and in the world, where
 * the pages were taken by another process, which has searched another part.
 */
static void twin_extend(struct rt_base *b, bool world)
{
	struct rt_world *w = b->w;
	char *p = w->heap + (size_t)b->twin_pages * 4096;
	size_t len;

	if (w->s.heap.brk <= b->twin_pages)
		return;
	len = (size_t)(w->s.heap.brk - b->twin_pages) * 4096;
	memset(rt_base_twin(b, p), RT_POISON, len);
	memset(rt_base_mirror(b, p), RT_POISON, len);
	if (world) {
		rt_asan_unpoison(p, len);
		memset(p, RT_POISON, len);
	}
	b->twin_pages = w->s.heap.brk;
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

static char *reserve(const struct rt_world *w)
{
	char *p = mmap(NULL, w->size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		rt_panic("no address space for the twin of a world");
	return p;
}

struct rt_base *rt_base_new(struct rt_world *w, u32 flags)
{
	struct rt_base *b = rt_host_realloc(NULL, sizeof(*b));

	if (w->s.sched.running || w->in_run)
		rt_panic("rt_base_new() inside rt_run()");
	rt_outside_store(w);
	*b = (struct rt_base){.w = w, .floor = w->s.heap.brk, .twin_pages = w->s.heap.brk};
	b->twin = reserve(w);
	b->mirror = reserve(w);
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
	free(b->then.list.chunk);
	free(b->then.bytes);
	free(b->before.list.chunk);
	free(b->before.bytes);
	free(b->now.chunk);
	free(b->low);
	free(b->sp);
	free(b->changed);
	free(b->made);
	free(b);
}

/* ---- what a run has changed ---- */

void rt_chunk_add(struct rt_chunk_list *l, const struct rt_chunk *c)
{
	if (l->nr == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 256;
		l->chunk = rt_host_realloc(l->chunk, l->cap * sizeof(*l->chunk));
	}
	l->chunk[l->nr++] = c;
}

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
	u32 mask = 0, n = 0;

	for (u32 i = 0; i < CHUNK_WORDS; i++) {
		c->word[n] = p[i];
		n += p[i] != q[i];
		mask |= (u32)(p[i] != q[i]) << i;
	}
	c->mask = mask;
	c->nr = (u16)n;
}

/* What has changed, as chunks; those that are as in the base again are none. */
static void make_chunks(struct rt_base *b)
{
	size_t most = b->nr_changed * (sizeof(struct rt_chunk) + CHUNK_SIZE) + CHUNK_SIZE;

	if (most > b->made_cap) {
		b->made_cap = 2 * most;
		b->made = rt_host_realloc(b->made, b->made_cap);
	}
	b->made_len = 0;
	for (u32 i = 0; i < b->nr_changed; i++) {
		struct rt_chunk *c = (struct rt_chunk *)(b->made + b->made_len);
		const char *p = (const char *)b->w + (size_t)b->changed[i] * CHUNK_SIZE;

		c->at = b->changed[i];
		encode_words((const u64 *)p, rt_base_twin(b, p), c);
		if (!c->mask)
			continue;
		rt_canon_chunk(b, c);
		b->made_len += rt_chunk_bytes(c);
	}
}

/* What was restored, with what has changed in its place. */
static void merge(struct rt_base *b)
{
	const char *made = b->made, *end = made + b->made_len;
	u32 t = 0;

	b->now.nr = 0;
	for (u32 i = 0; i < b->nr_changed; i++) {
		const struct rt_chunk *c = (const struct rt_chunk *)made;

		while (t < b->then.list.nr && b->then.list.chunk[t]->at < b->changed[i])
			rt_chunk_add(&b->now, b->then.list.chunk[t++]);
		if (t < b->then.list.nr && b->then.list.chunk[t]->at == b->changed[i])
			t++;
		if (made < end && c->at == b->changed[i]) {
			rt_chunk_add(&b->now, c);
			made += rt_chunk_bytes(c);
		}
	}
	while (t < b->then.list.nr)
		rt_chunk_add(&b->now, b->then.list.chunk[t++]);
}

static void find_stacks(struct rt_base *b, char **sp)
{
	memset(sp, 0, b->w->slots_mapped * sizeof(*sp));
	for (const struct rt_actor *a = b->w->s.sched.live; a; a = a->next_live)
		sp[a->slot] = rt_fiber_low(&a->fiber);
}

void rt_base_diff(struct rt_base *b)
{
	struct rt_world *w = b->w;

	rt_outside_store(w);
	twin_extend(b, false);
	find_stacks(b, b->sp);
	b->nr_changed = 0;
	rt_scan(b, &w->s, (sizeof(w->s) + CHUNK_SIZE - 1) & ~(CHUNK_SIZE - 1UL));
	rt_scan_hot(b);
	rt_scan(b, w->heap + (size_t)b->floor * 4096, (size_t)(w->s.heap.brk - b->floor) * 4096);
	/* Pages that were taken since are told by the map; those of the base do not change hands. */
	rt_scan(b, chunk_floor((char *)&w->pages[0]),
		((size_t)w->s.heap.brk * sizeof(struct rt_page) + CHUNK_SIZE - 1) &
			~(CHUNK_SIZE - 1UL));
	scan_stacks(b);
	memset(w->ran, 0, sizeof(w->ran));
	make_chunks(b);
	merge(b);
}

/* ---- differences as bytes: the number of chunks, and the chunks ---- */

size_t rt_delta_bytes(const struct rt_base *b)
{
	size_t n = 8;

	for (u32 i = 0; i < b->now.nr; i++)
		n += rt_chunk_bytes(b->now.chunk[i]);
	return n;
}

void rt_delta_put(const struct rt_base *b, void *to)
{
	char *p = (char *)to + 8;

	*(u64 *)to = b->now.nr;
	for (u32 i = 0; i < b->now.nr; i++) {
		size_t len = rt_chunk_bytes(b->now.chunk[i]);

		memcpy(p, b->now.chunk[i], len);
		p += len;
	}
}

/* Words of @c to the world and to the mirror: of the base, or its own. */
RT_NO_ASAN static void set_words(struct rt_base *b, const struct rt_chunk *c, bool to_base)
{
	size_t off = (size_t)c->at * CHUNK_SIZE;
	u64 *p = (u64 *)((char *)b->w + off), *m = (u64 *)(b->mirror + off);
	const u64 *twin = (const u64 *)(b->twin + off), *word = c->word;

	for (u32 bits = c->mask; bits; bits &= bits - 1) {
		u32 i = (u32)__builtin_ctz(bits);

		p[i] = m[i] = to_base ? twin[i] : *word;
		word++;
	}
}

RT_NO_ASAN static void undo(struct rt_base *b)
{
	for (u32 i = 0; i < b->nr_changed; i++) {
		size_t off = (size_t)b->changed[i] * CHUNK_SIZE;

		rt_copy_raw((char *)b->w + off, b->mirror + off, CHUNK_SIZE);
	}
	b->nr_changed = 0;
}

static bool same_chunk(const struct rt_chunk *a, const struct rt_chunk *c)
{
	return a->pure && c->pure && a->mask == c->mask && a->near.lo == c->near.lo &&
	       a->near.hi == c->near.hi;
}

/* From the state of then[] to that of @next, whose chunks ascend too. */
static void move_to(struct rt_base *b, const struct rt_chunk_list *next)
{
	u32 t = 0, heap = (u32)((size_t)(b->w->heap - (char *)b->w) / CHUNK_SIZE);

	for (u32 i = 0; i < next->nr; i++) {
		const struct rt_chunk *c = next->chunk[i], *old;

		/* The top of the heap is in the chunks before. */
		if (c->at >= heap)
			twin_extend(b, true);
		while (t < b->then.list.nr && b->then.list.chunk[t]->at < c->at)
			set_words(b, b->then.list.chunk[t++], true);
		old = t < b->then.list.nr && b->then.list.chunk[t]->at == c->at
			      ? b->then.list.chunk[t++]
			      : NULL;
		if (old && same_chunk(old, c))
			continue;
		if (old)
			set_words(b, old, true);
		set_words(b, c, false);
	}
	while (t < b->then.list.nr)
		set_words(b, b->then.list.chunk[t++], true);
	twin_extend(b, true);
}

/* The bytes of a difference, kept, and its chunks as a list. */
static void read_chunks(struct rt_kept *k, const void *from, size_t len)
{
	const char *p;

	if (len > k->cap) {
		k->cap = 2 * len;
		k->bytes = rt_host_realloc(k->bytes, k->cap);
	}
	memcpy(k->bytes, from, len);
	k->list.nr = 0;
	p = k->bytes + 8;
	for (u64 i = 0; i < *(const u64 *)k->bytes; i++) {
		const struct rt_chunk *c = (const struct rt_chunk *)p;

		rt_chunk_add(&k->list, c);
		p += rt_chunk_bytes(c);
	}
}

/*
 * What the sanitizer knows of heap and stacks is of another state. It learns again from what is
 * called and allocated from here on.
 */
static void forget_shadow(struct rt_base *b)
{
	struct rt_world *w = b->w;

	rt_asan_unpoison(w->heap, (size_t)w->s.heap.brk * 4096);
	for (u32 i = 0; i < w->slots_mapped; i++)
		rt_asan_unpoison(rt_slot_stack(w, i), w->opts.stack_size);
}

void rt_delta_get(struct rt_base *b, const void *from, size_t len)
{
	struct rt_kept next = b->before;

	undo(b);
	read_chunks(&next, from, len);
	move_to(b, &next.list);
	b->before = b->then;
	b->then = next;
	find_stacks(b, b->low);
	forget_shadow(b);
	rt_outside_load(b->w);
	rt_sched_rearm(b->w);
}

void rt_delta_again(struct rt_base *b)
{
	undo(b);
	forget_shadow(b);
	rt_outside_load(b->w);
	rt_sched_rearm(b->w);
}
