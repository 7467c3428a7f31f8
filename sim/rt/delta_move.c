// SPDX-License-Identifier: GPL-2.0-only
/*
 * From state to state: what was found by delta.c as bytes, and the world as it was then.
 * A state is a row of numbers of chunks, which are in the pool; so states that have much in common
 * are small, and going from one to the next is little work.
 */
#include <stdlib.h>

#include "sim/rt/delta_int.h"

/*
 * Behind the base the heap is poison, in the twin and in the mirror too; and in the world, where
 * the pages were taken by another process, which has searched another part.
 */
void rt_twin_extend(struct rt_base *b, bool world)
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
	rt_hot_add(b, b->twin_pages, w->s.heap.brk);
	b->twin_pages = w->s.heap.brk;
}

void rt_find_stacks(const struct rt_base *b, char **sp)
{
	memset(sp, 0, b->w->slots_mapped * sizeof(*sp));
	for (const struct rt_actor *a = b->w->s.sched.live; a; a = a->next_live)
		sp[a->slot] = rt_fiber_low(&a->fiber);
}

/* ---- what a run has changed, as bytes ---- */

size_t rt_step_bytes(const struct rt_base *b)
{
	return sizeof(struct rt_step) + b->made_len;
}

void rt_step_put(const struct rt_base *b, void *to)
{
	*(struct rt_step *)to = (struct rt_step){.sums = b->sums, .nr = b->nr_changed};
	memcpy((struct rt_step *)to + 1, b->made, b->made_len);
}

/* ---- states, as bytes ---- */

static size_t delta_bytes(u64 nr)
{
	return sizeof(struct rt_delta) + nr * sizeof(struct rt_place);
}

/* @from with @nr chunks from @c on in the place of what it has there. */
static size_t join(struct rt_base *b, const struct rt_delta *from, const struct rt_chunk *c, u64 nr,
		   struct rt_delta *to)
{
	const struct rt_place *p = from->place, *end = p + from->nr;
	struct rt_place *out = to->place;

	for (; nr--; c = rt_chunk_next(c)) {
		while (p < end && p->at < c->at)
			*out++ = *p++;
		if (p < end && p->at == c->at)
			p++;
		if (c->mask)
			*out++ = (struct rt_place){c->at, rt_pool_add(&b->pool, c)};
	}
	while (p < end)
		*out++ = *p++;
	to->nr = (u64)(out - to->place);
	return delta_bytes(to->nr);
}

size_t rt_delta_room(const void *from, const void *step)
{
	const struct rt_delta *d = from;
	const struct rt_step *s = step;

	return delta_bytes(d->nr + s->nr);
}

size_t rt_delta_next(struct rt_base *b, const void *from, const void *step, void *to)
{
	const struct rt_step *s = step;
	struct rt_delta *d = to;

	d->sums = s->sums;
	return join(b, from, (const struct rt_chunk *)(s + 1), s->nr, d);
}

size_t rt_delta_bytes(const struct rt_base *b)
{
	return delta_bytes(b->then->nr + b->nr_changed);
}

size_t rt_delta_put(struct rt_base *b, void *to)
{
	struct rt_delta *d = to;

	d->sums = b->sums;
	return join(b, b->then, (const struct rt_chunk *)b->made, b->nr_changed, d);
}

/* ---- the world as it was ---- */

RT_NO_ASAN static void undo(struct rt_base *b)
{
	for (u32 i = 0; i < b->nr_changed; i++) {
		size_t off = (size_t)b->changed[i] * CHUNK_SIZE;

		rt_copy_raw((char *)b->w + off, b->mirror + off, CHUNK_SIZE);
	}
	b->nr_changed = 0;
}

/* Words of @mask of the chunk at @at, to the world and to the mirror: from @word, or the base's. */
RT_NO_ASAN static void set_words(struct rt_base *b, u32 at, u32 mask, const u64 *word)
{
	size_t off = (size_t)at * CHUNK_SIZE;
	u64 *p = (u64 *)((char *)b->w + off), *m = (u64 *)(b->mirror + off);
	const u64 *twin = (const u64 *)(b->twin + off);

	for (u32 bits = mask; bits; bits &= bits - 1) {
		u32 i = (u32)__builtin_ctz(bits);

		p[i] = m[i] = word ? *word++ : twin[i];
	}
}

static void move_chunk(struct rt_base *b, struct rt_place p)
{
	const struct rt_chunk *old = b->cur[p.at] ? rt_pool_get(&b->pool, b->cur[p.at]) : NULL;
	const struct rt_chunk *c = p.id ? rt_pool_get(&b->pool, p.id) : NULL;

	if (old)
		set_words(b, p.at, c ? old->mask & ~c->mask : old->mask, NULL);
	if (c)
		set_words(b, p.at, c->mask, c->word);
	b->cur[p.at] = p.id;
}

static void need_change(struct rt_base *b, struct rt_place p)
{
	if (b->nr_change == b->cap_change) {
		b->cap_change = b->cap_change ? 2 * b->cap_change : 256;
		b->change = rt_host_realloc(b->change, b->cap_change * sizeof(*b->change));
	}
	b->change[b->nr_change++] = p;
	if (p.id)
		rt_pool_prefetch(&b->pool, p.id);
}

/* Where the state of then is not that of @next, and what is there: 0 as in the base. */
static void find_changes(struct rt_base *b, const struct rt_delta *next)
{
	const struct rt_place *old = b->then->place, *old_end = old + b->then->nr;
	const struct rt_place *p = next->place, *end = p + next->nr;

	b->nr_change = 0;
	while (old < old_end && p < end) {
		if (old->at == p->at) {
			if (old->id != p->id)
				need_change(b, *p);
			old++;
			p++;
		} else if (old->at < p->at) {
			need_change(b, (struct rt_place){.at = old++->at});
		} else {
			need_change(b, *p++);
		}
	}
	while (old < old_end)
		need_change(b, (struct rt_place){.at = old++->at});
	while (p < end)
		need_change(b, *p++);
}

/* From the state of then to that of @next. */
static void move_to(struct rt_base *b, const struct rt_delta *next)
{
	u32 heap = (u32)((size_t)(b->w->heap - (char *)b->w) / CHUNK_SIZE);

	find_changes(b, next);
	for (u32 i = 0; i < b->nr_change; i++) {
		/* The top of the heap is in the chunks before. */
		if (b->change[i].at >= heap)
			rt_twin_extend(b, true);
		move_chunk(b, b->change[i]);
	}
	rt_twin_extend(b, true);
}

static void keep_then(struct rt_base *b, const struct rt_delta *d)
{
	size_t len = delta_bytes(d->nr);

	if (len > b->then_cap) {
		b->then_cap = 2 * len;
		b->then = rt_host_realloc(b->then, b->then_cap);
	}
	memcpy(b->then, d, len);
	b->then_listed = false;
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

void rt_delta_get(struct rt_base *b, const void *from)
{
	undo(b);
	move_to(b, from);
	keep_then(b, from);
	rt_find_stacks(b, b->low);
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
