// SPDX-License-Identifier: GPL-2.0-only
/*
 * What size costs: a TD of up to 1 TiB mapped by TDH.MEM.PAGE.AUG at 2M, without and with Dynamic
 * PAMT. Shown are the world's memory and the time of one AUG over the last GiB that was mapped,
 * which must not depend on how much is mapped already. Single leaves are timed in module.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/td.h"

#define GIB	RT_BIT(30)
#define SIZE_2M SEAM_LEVEL_SIZE(1)
#define MEM	(2052ULL * GIB)
#define LIMIT	(64ULL << 20) /* bytes of world for 1 TiB */

/* One GiB more of the TD, with its table; its AUGs in ns each. */
static double map_gib(struct bench_td *t, u64 gib)
{
	u64 gpa = gib * GIB, hpa = 8 * GIB + gpa;
	double start;

	if (gib % 512 == 0)
		bench_call(t, SEAM_TDH_MEM_SEPT_ADD, gpa | 3, t->tdr, bench_page(t));
	bench_call(t, SEAM_TDH_MEM_SEPT_ADD, gpa | 2, t->tdr, bench_page(t));
	start = bench_now_ns();
	for (u32 i = 0; i < 512; i++)
		bench_call(t, SEAM_TDH_MEM_PAGE_AUG, (gpa + i * SIZE_2M) | 1, t->tdr,
			   hpa + i * SIZE_2M);
	return (bench_now_ns() - start) / 512;
}

static bool rows(bool dynamic_pamt)
{
	static const u64 sizes[] = {1, 16, 256, 1024};
	const char *name = dynamic_pamt ? "Dynamic PAMT" : "static PAMT";
	struct bench_td t;
	size_t bytes = 0;
	u64 gib = 0;

	bench_td_module(&t, "1.5.25", dynamic_pamt, MEM);
	bench_td_build(&t);
	for (u32 i = 0; i < RT_ARRAY_SIZE(sizes); i++) {
		double best = 0, all = bench_now_ns();
		u64 first = gib;

		while (gib < sizes[i]) {
			double ns = map_gib(&t, gib++);

			best = best == 0 || ns < best ? ns : best;
		}
		all = (bench_now_ns() - all) / (double)((gib - first) * 512);
		bytes = rt_mem_stats(t.w).heap_used;
		printf("%-14s %6llu GiB %10.1f KiB %10.1f ns best %10.1f ns mean\n", name, gib,
		       (double)bytes / 1024, best, all);
	}
	bench_td_free(&t);
	return bytes < LIMIT;
}

int main(int argc, char **argv)
{
	bool ok;

	if (argc != 1) {
		fprintf(stderr, "usage: %s\n", argv[0]);
		return 2;
	}
	printf("%-14s %10s %14s %13s %18s\n", "", "mapped", "world", "AUG of a GiB",
	       "with its table");
	ok = rows(false);
	ok = rows(true) && ok;
	printf("1 TiB in less than 64 MiB: %s\n", ok ? "yes" : "no");
	return ok ? 0 : 1;
}
