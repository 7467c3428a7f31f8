// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the runtime's primitives cost: switches, points, locks, images, events, blocks, pages.
 * The harness is in bench.c; the simulated machine above has benchmarks of its own.
 */
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "bench/bench.h"
#include "sim/rt/fiber.h"
#include "sim/rt/lock.h"
#include "sim/rt/phys.h"
#include "sim/rt/sched.h"
#include "sim/rt/trace.h"
#include "sim/rt/world.h"

/* ---- switches ---- */

static char stack[65536] __attribute__((aligned(64)));

struct pair {
	struct rt_fiber main, other;
	ucontext_t uc_main, uc_other;
};

static void fiber_back(void *arg)
{
	struct pair *p = arg;

	for (;;)
		rt_fiber_switch(&p->other, &p->main);
}

static void fiber_round_trip(void *ctx, u64 n)
{
	struct pair *p = ctx;

	while (n--)
		rt_fiber_switch(&p->main, &p->other);
}

static void uc_back(unsigned int hi, unsigned int lo)
{
	struct pair *p = (struct pair *)(uintptr_t)((u64)hi << 32 | lo);

	for (;;)
		swapcontext(&p->uc_other, &p->uc_main);
}

static void uc_round_trip(void *ctx, u64 n)
{
	struct pair *p = ctx;

	while (n--)
		swapcontext(&p->uc_main, &p->uc_other);
}

static void bench_switches(struct bench *b)
{
	struct pair p = {0};

	rt_fiber_init(&p.other, stack, sizeof(stack), fiber_back, &p);
	bench_baseline(b, "fiber round trip", fiber_round_trip, &p);
	getcontext(&p.uc_other);
	p.uc_other.uc_stack.ss_sp = stack;
	p.uc_other.uc_stack.ss_size = sizeof(stack);
	makecontext(&p.uc_other, (void (*)(void))uc_back, 2,
		    (unsigned int)((u64)(uintptr_t)&p >> 32), (unsigned int)(uintptr_t)&p);
	bench_row(b, "swapcontext round trip", uc_round_trip, &p);
}

/* ---- inside of a run: an actor does it n times ---- */

struct job {
	u64 n;
	struct rt_lock lock;
};

static void points(void *arg)
{
	const struct job *j = arg;

	for (u64 i = 0; i < j->n; i++)
		rt_point(RT_PT_CALL, i);
}

static void locks(void *arg)
{
	struct job *j = arg;

	for (u64 i = 0; i < j->n; i++) {
		rt_lock_take(&j->lock, RT_LOCK_EX);
		rt_lock_release(&j->lock, RT_LOCK_EX);
	}
}

/* A run of @actors actors of @fn under the world's chooser, @n rounds in all. */
static void run_job(u64 n, u32 actors, void (*fn)(void *arg))
{
	struct job *j;

	rt_world_reset(rt_world_current());
	j = rt_zalloc(sizeof(*j));
	j->n = n / actors + 1;
	rt_lock_init(&j->lock, RT_LOCK_SPIN, "lock");
	for (u32 i = 0; i < actors; i++)
		rt_actor_new("a", fn, j);
	rt_set_budget(~0ULL >> 1);
	rt_run();
}

static void run_points(void *ctx, u64 n)
{
	run_job(n, *(u32 *)ctx, points);
}

static void run_locks(void *ctx, u64 n)
{
	run_job(n, 1, locks);
}

static void bench_points(struct bench *b, struct rt_world *w)
{
	u32 one = 1, two = 2, four = 4;

	bench_row(b, "rt_point, one actor", run_points, &one);
	bench_row(b, "rt_point, two actors, in order", run_points, &two);
	rt_set_chooser(w, &rt_chooser_random);
	bench_row(b, "rt_point, two actors, random", run_points, &two);
	bench_row(b, "rt_point, four actors, random", run_points, &four);
	rt_set_chooser(w, NULL);
	bench_row(b, "lock and unlock, one actor", run_locks, NULL);
	rt_world_reset(w);
}

/* ---- blocks, events, pages ---- */

static void alloc_free(void *ctx, u64 n)
{
	size_t size = *(size_t *)ctx;

	while (n--) {
		void *p = rt_alloc(size);

		bench_use(p);
		rt_free(p);
	}
}

static const struct rt_event_type ev_row = {"row", "bench", {{"a", RT_ARG_HEX}, {"b", RT_ARG_DEC}}};

static void trace_events(void *ctx, u64 n)
{
	while (n--)
		rt_trace(&ev_row, RT_PH_INSTANT, n, n);
}

static void phys_reads(void *ctx, u64 n)
{
	u64 val, sum = 0;

	while (n--) {
		rt_phys_read(0x40000000 + (n * 4096 * 7 % (1 << 20)), 1, &val);
		sum += val;
	}
	bench_use(&sum);
}

static void phys_fill_2m(void *ctx, u64 n)
{
	while (n--)
		rt_phys_fill_range(0x80000000, 2 << 20, 1 + (u32)(n & 1), 0);
}

static void phys_fill_4k(void *ctx, u64 n)
{
	static u32 key;

	while (n--) {
		key ^= 1;
		for (u64 i = 0; i < 512; i++)
			rt_phys_fill(0x80000000 + i * 4096, 1 + key, 0);
	}
}

static void bench_memory(struct bench *b, struct rt_world *w)
{
	size_t small = 64, page = 4096;
	struct rt_trace *t = rt_trace_new(4096);

	bench_row(b, "rt_alloc and rt_free of 64 bytes", alloc_free, &small);
	bench_row(b, "rt_alloc and rt_free of 4096 bytes", alloc_free, &page);
	rt_trace_attach(w, t);
	bench_row(b, "trace event of two arguments", trace_events, NULL);
	rt_trace_attach(w, NULL);
	rt_trace_free(t);
	for (u64 i = 0; i < 256; i++)
		rt_phys_write(0x40000000 + i * 4096, 1, i);
	bench_row(b, "rt_phys_read of one of 256 pages", phys_reads, NULL);
	bench_row(b, "rt_phys_fill_range of 2 MiB", phys_fill_2m, NULL);
	bench_row(b, "rt_phys_fill of its 512 pages", phys_fill_4k, NULL);
	rt_world_reset(w);
}

/* ---- images ---- */

static void copy_64k(void *ctx, u64 n)
{
	static char from[65536], to[65536];

	while (n--) {
		memcpy(to, from, sizeof(to));
		bench_use(to);
	}
}

static void save_free(void *ctx, u64 n)
{
	while (n--)
		rt_image_free(rt_world_save(rt_world_current()));
}

static void restore(void *ctx, u64 n)
{
	while (n--)
		rt_world_restore(rt_world_current(), ctx);
}

static void restore_reset(void *ctx, u64 n)
{
	while (n--) {
		rt_world_restore(rt_world_current(), ctx);
		rt_world_reset(rt_world_current());
	}
}

static void new_free(void *ctx, u64 n)
{
	struct rt_world *before = rt_world_current();

	while (n--)
		rt_world_free(rt_world_new(NULL));
	rt_world_enter(before);
}

static u32 pause_late(void *ctx, const struct rt_choice *c)
{
	return c->step < 10 ? 0 : RT_PICK_PAUSE;
}

static void bench_images(struct bench *b, struct rt_world *w)
{
	const struct rt_chooser ch = {.name = "pause", .pick = pause_late, .all_steps = true};
	struct job *j = rt_zalloc(sizeof(*j));
	struct rt_image *img;

	/* 64 KiB in small blocks and pages, and two suspended actors: about a TD with two vCPUs. */
	j->n = 1000;
	rt_actor_new("a", points, j);
	rt_actor_new("b", points, j);
	rt_set_chooser(w, &ch);
	rt_run();
	while (rt_mem_stats(w).heap_used < 64 * 1024) {
		rt_alloc(4096);
		for (u32 i = 0; i < 16; i++)
			rt_alloc(200);
	}
	img = rt_world_save(w);
	bench_fact("bytes of that image", (double)rt_image_bytes(img), "bytes");
	bench_baseline(b, "memcpy of 64 KiB (ratios from here on)", copy_64k, NULL);
	bench_row(b, "save and free an image of 64 KiB", save_free, NULL);
	bench_row(b, "restore it", restore, img);
	bench_row(b, "restore it and reset", restore_reset, img);
	bench_row(b, "new and free world", new_free, NULL);
	rt_image_free(img);
}

int main(int argc, char **argv)
{
	struct rt_world *w = rt_world_new(NULL);
	struct bench b;

	bench_init(&b, argc, argv);
	if (!w) {
		perror("rt_world_new");
		return 3;
	}
	bench_switches(&b);
	bench_points(&b, w);
	bench_memory(&b, w);
	bench_images(&b, w);
	rt_world_free(w);
	return 0;
}
