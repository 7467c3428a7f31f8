// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a world: its region is reserved, set up, reset and unmapped here; roots, random
 * source and virtual time too. Images are in image.c, blocks in alloc.c.
 *
 * The region, at one address for the world's life:
 *
 *	0          64K                  64K + heap_max
 *	| rt_world | heap -> ...........| page map | guard stack | guard stack | ...
 *
 * All of it is address space first; the host gives a page when it is touched, so a large heap costs
 * nothing.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/rt/internal.h"
#include "sim/rt/mix.h"

#define HEAP_OFFSET    65536
#define HEAP_DEFAULT   (4ULL << 30)
#define HEAP_LIMIT     (32ULL << 30) /* struct rt_heap counts in units of 8 bytes, in 32 bits */
#define ACTORS_DEFAULT 64
#define STACK_DEFAULT  (RT_ASAN ? 262144 : 65536)
#define STACK_MIN      16384
#define GUARD	       4096

_Static_assert(sizeof(struct rt_world) <= HEAP_OFFSET, "the heap starts after the world");

_Thread_local struct rt_world *rt_cur;

void rt_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("tdxsim: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

void rt_no_world(void)
{
	rt_panic("no world is current");
}

void *rt_host_realloc(void *p, size_t size)
{
	void *q = realloc(p, size);

	if (!q)
		rt_panic("the host is out of memory (%zu bytes)", size);
	return q;
}

/* Fills in the defaults; false if a value is out of what this file can do. */
static bool opts_complete(struct rt_world_opts *o)
{
	if (!o->heap_max)
		o->heap_max = HEAP_DEFAULT;
	if (!o->actors_max)
		o->actors_max = ACTORS_DEFAULT;
	if (!o->stack_size)
		o->stack_size = STACK_DEFAULT;
	if (o->heap_max > HEAP_LIMIT || o->actors_max > RT_ACTORS_MAX || o->stack_size > HEAP_LIMIT)
		return false;
	if (o->stack_size < STACK_MIN)
		o->stack_size = STACK_MIN;
	o->heap_max = (o->heap_max + 4095) & ~(size_t)4095;
	o->stack_size = (o->stack_size + 4095) & ~(size_t)4095;
	return true;
}

static void state_init(struct rt_world *w)
{
	w->s = (struct rt_state){0};
	w->s.random = w->opts.seed;
	rt_heap_init(w);
}

struct rt_world *rt_world_new(const struct rt_world_opts *opts)
{
	struct rt_world_opts o = opts ? *opts : (struct rt_world_opts){0};
	size_t map_bytes, rw_bytes, size;
	struct rt_world *w;
	char *base;
	int err;

	if (!opts_complete(&o)) {
		errno = EINVAL;
		return NULL;
	}
	map_bytes = (o.heap_max / 4096 * sizeof(struct rt_page) + 4095) & ~(size_t)4095;
	rw_bytes = HEAP_OFFSET + o.heap_max + map_bytes;
	size = rw_bytes + o.actors_max * (o.stack_size + GUARD);

	base = mmap((void *)(uintptr_t)o.at, size, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	if (mprotect(base, rw_bytes, PROT_READ | PROT_WRITE)) {
		err = errno;
		munmap(base, size);
		errno = err;
		return NULL;
	}

	w = (struct rt_world *)base;
	w->size = size;
	w->heap = base + HEAP_OFFSET;
	w->pages = (struct rt_page *)(w->heap + o.heap_max);
	w->stacks = base + rw_bytes;
	w->slot_size = o.stack_size + GUARD;
	w->heap_pages = (u32)(o.heap_max / 4096);
	w->opts = o;
	w->chooser = rt_chooser_in_order;
	state_init(w);
	rt_cur = w;
	return w;
}

/* The world whose variables are those of the process now. */
static _Thread_local struct rt_world *outside_of;

void rt_world_add_outside(void *base, size_t len)
{
	struct rt_world *w = rt_need_world();

	assert(!w->outside.copy && len % 8 == 0);
	w->outside.base = base;
	w->outside.words = len / 8;
	w->outside.copy = rt_own_zalloc(w, len);
	outside_of = w;
	rt_outside_store(w);
}

void rt_outside_load(struct rt_world *w)
{
	if (outside_of != w)
		return;
	for (size_t i = 0; i < w->outside.words; i++)
		w->outside.base[i] = w->outside.copy[i];
}

/* Only what has changed is written: a page that is not written to need not be looked at. */
void rt_outside_store(struct rt_world *w)
{
	if (outside_of != w)
		return;
	for (size_t i = 0; i < w->outside.words; i++) {
		if (w->outside.copy[i] != w->outside.base[i])
			w->outside.copy[i] = w->outside.base[i];
	}
}

void rt_outside_release(void)
{
	if (outside_of)
		rt_outside_store(outside_of);
	outside_of = NULL;
}

static void outside_take(struct rt_world *w)
{
	if (!w->outside.copy || outside_of == w)
		return;
	rt_outside_release();
	outside_of = w;
	rt_outside_load(w);
}

static void outside_drop(struct rt_world *w)
{
	if (outside_of == w)
		outside_of = NULL;
	memset(&w->outside, 0, sizeof(w->outside));
}

void rt_world_free(struct rt_world *w)
{
	if (!w)
		return;
	if (w->in_run)
		rt_panic("rt_world_free() inside rt_run()");
	outside_drop(w);
	if (rt_cur == w)
		rt_cur = NULL;
	/* The addresses may be somebody else's tomorrow. */
	rt_asan_unpoison(w->heap, (size_t)w->heap_peak * 4096);
	rt_asan_unpoison(w->stacks, w->slots_mapped * w->slot_size);
	munmap(w, w->size);
}

void rt_world_reset(struct rt_world *w)
{
	if (w->in_run)
		rt_panic("rt_world_reset() inside rt_run()");
	outside_drop(w);
	rt_asan_poison(w->heap, (size_t)w->s.heap.brk * 4096);
	state_init(w);
	if (w->listener.trace)
		rt_trace_cut(w->listener.trace, w->trace_base);
	rt_sched_rearm(w);
}

struct rt_world *rt_world_current(void)
{
	return rt_cur;
}

struct rt_world *rt_world_enter(struct rt_world *w)
{
	struct rt_world *before = rt_cur;

	if (w)
		outside_take(w);
	rt_cur = w;
	return before;
}

size_t rt_offset(const void *p)
{
	const struct rt_world *w = rt_need_world();
	size_t off = (size_t)((const char *)p - (const char *)w);

	if ((const char *)p < (const char *)w || off >= w->size)
		rt_panic("rt_offset: pointer outside of the world");
	return off;
}

void *rt_at_offset(size_t off)
{
	struct rt_world *w = rt_need_world();

	if (off >= w->size)
		rt_panic("rt_at_offset: %#zx is outside of the world", off);
	return (char *)w + off;
}

bool rt_owns(const void *p)
{
	const struct rt_world *w = rt_need_world();
	const char *c = p;

	return c >= w->heap && c < w->heap + (size_t)w->s.heap.brk * 4096;
}

size_t rt_heap_limit(void)
{
	return HEAP_OFFSET + rt_need_world()->opts.heap_max;
}

struct rt_mem_stats rt_mem_stats(struct rt_world *w)
{
	const struct rt_heap *h = &w->s.heap;
	struct rt_mem_stats st = {
		.live_bytes = h->live_bytes,
		.live_blocks = h->live_blocks,
		.own_bytes = h->own_bytes,
		.own_blocks = h->own_blocks,
		.heap_used = (size_t)h->brk * (4096 + sizeof(struct rt_page)) + sizeof(w->s),
	};

	for (const struct rt_actor *a = w->s.sched.live; a; a = a->next_live) {
		if (a != w->s.sched.running)
			st.stack_used += (size_t)((const char *)a->fiber.stack + a->fiber.size -
						  rt_fiber_low(&a->fiber));
	}
	return st;
}

void *rt_root(u32 slot)
{
	assert(slot < RT_ROOTS);
	return rt_need_world()->s.root[slot];
}

void rt_set_root(u32 slot, void *p)
{
	assert(slot < RT_ROOTS);
	rt_need_world()->s.root[slot] = p;
}

u64 rt_random(void)
{
	return rt_splitmix64(&rt_need_world()->s.random);
}

void rt_reseed(u64 seed)
{
	rt_need_world()->s.random = seed;
}

/*
 * Multiply and take the high half: no division, and a bias below 2^-50 for the small @n that
 * choosers have.
 */
u64 rt_random_below(u64 n)
{
	assert(n > 0);
	return (u64)(((unsigned __int128)rt_random() * n) >> 64);
}

u64 rt_cycles_now(void)
{
	return rt_need_world()->s.cycles;
}

u64 *rt_cycles_counter(void)
{
	return &rt_need_world()->s.cycles;
}

void rt_cycles(u64 n)
{
	rt_need_world()->s.cycles += n;
}
