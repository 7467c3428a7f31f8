/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmarks' harness: a row is a name, the best time of several runs, and its ratio to a
 * baseline of the same run. The only place of the project where a clock is read; nothing here links
 * into a simulation. Machines differ and are noisy: read the ratios, not the nanoseconds.
 */
#ifndef BENCH_H
#define BENCH_H

#include "sim/rt/types.h"

struct bench {
	double baseline; /* ns of the row that ratios refer to; 0: none yet */
	double seconds;	 /* spent on each row, at least */
};

/*
 * Reads "--seconds S" (default 0.2); prints the heading. Anything else ends the program with status
 * 2.
 */
void bench_init(struct bench *b, int argc, char **argv);

/*
 * bench_row - time @fn(@ctx, @n), which does the thing @n times.
 * @n grows until a run is long enough for the clock; printed is the best of the runs, for one time.
 * Returns it in ns.
 */
double bench_row(struct bench *b, const char *name, void (*fn)(void *ctx, u64 n), void *ctx);
/* The same, and ratios refer to this row from here on. */
double bench_baseline(struct bench *b, const char *name, void (*fn)(void *ctx, u64 n), void *ctx);
/* A row of something that is no time: bytes, counts. */
void bench_fact(const char *name, double value, const char *unit);

/* The clock; what reading it costs is the caller's to know. */
double bench_now_ns(void);
/*
 * The unit of the module's rows, as a baseline: plain stores of 512 S-EPT entries (4 KiB) and of
 * 512 PAMT entries (8 KiB), which is what a split leaves in memory.
 */
double bench_fill(struct bench *b);

/* Makes the compiler believe that @p is used, and that memory has changed. */
static inline void bench_use(const void *p)
{
	__asm__ volatile("" : : "g"(p) : "memory");
}

#endif
