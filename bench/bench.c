// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmarks' harness: see bench.h.
 * What is measured is in the programs next to this file.
 */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

void bench_init(struct bench *b, int argc, char **argv)
{
	*b = (struct bench){.seconds = 0.2};
	if (argc == 3 && !strcmp(argv[1], "--seconds")) {
		char *end;

		b->seconds = strtod(argv[2], &end);
		if (*end || !(b->seconds > 0) || b->seconds > 3600)
			argc = 0;
	} else if (argc != 1) {
		argc = 0;
	}
	if (!argc) {
		fprintf(stderr, "usage: %s [--seconds S]\n", argv[0]);
		exit(2);
	}
	printf("%-44s %12s %10s\n", "name", "ns", "ratio");
}

static double run_ns(void (*fn)(void *ctx, u64 n), void *ctx, u64 n)
{
	double start = bench_now_ns();

	fn(ctx, n);
	return bench_now_ns() - start;
}

double bench_row(struct bench *b, const char *name, void (*fn)(void *ctx, u64 n), void *ctx)
{
	const double enough = 2e6; /* a run of 2 ms makes the clock's own cost vanish */
	double best = 0, spent = 0;
	u64 n = 1;

	for (;;) {
		double t = run_ns(fn, ctx, n);

		if (t < enough) {
			n *= 2;
			continue;
		}
		spent += t;
		if (best == 0 || t / (double)n < best)
			best = t / (double)n;
		if (spent >= b->seconds * 1e9)
			break;
	}
	if (b->baseline > 0)
		printf("%-44s %12.1f %10.2f\n", name, best, best / b->baseline);
	else
		printf("%-44s %12.1f %10s\n", name, best, "-");
	fflush(stdout);
	return best;
}

double bench_baseline(struct bench *b, const char *name, void (*fn)(void *ctx, u64 n), void *ctx)
{
	double ns;

	b->baseline = 0;
	ns = bench_row(b, name, fn, ctx);
	b->baseline = ns;
	return ns;
}

void bench_fact(const char *name, double value, const char *unit)
{
	printf("%-44s %12.0f %10s\n", name, value, unit);
	fflush(stdout);
}

struct fill_area {
	u64 sept[512];
	struct {
		u64 head, bepoch;
	} pamt[512];
};

/*
 * With all that the compiler can do for it: a slow unit would flatter every ratio. clang does not know the
 * attribute, and vectorises at -O2 without it.
 */
#ifndef __clang__
__attribute__((optimize("O3", "unroll-loops")))
#endif
static void
fill_12k(void *ctx, u64 n)
{
	struct fill_area *a = ctx;

	for (u64 k = 0; k < n; k++) {
		for (u64 i = 0; i < 512; i++)
			a->sept[i] = 0x80000000600004f7ULL + (k << 21) + (i << 12);
		for (u64 i = 0; i < 512; i++) {
			a->pamt[i].head = 0x4000000000030000ULL + k;
			a->pamt[i].bepoch = 0;
		}
		bench_use(a);
	}
}

double bench_fill(struct bench *b)
{
	struct fill_area *a = aligned_alloc(4096, sizeof(*a));
	double ns;

	if (!a)
		abort();
	ns = bench_baseline(b, "fill of 4 KiB + 8 KiB (ratios are to this)", fill_12k, a);
	free(a);
	return ns;
}
