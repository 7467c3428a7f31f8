// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each leaf costs: ns a call, against a null call through seam_call() and against plainly
 * storing the 12 KiB of a split. Where the real module's own code was timed in userspace
 * (tdx-module.md 9), its figure stands beside ours. A leaf that changes state is timed by its phase
 * in a cycle that ends where it began; what is above the module is timed in split.c.
 */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/td.h"
#include "sim/rt/phys.h"
#include "tdx/features.h"
#include "tdx/inspect.h"

#define MEM	   (1ULL << 30)
#define BATCH	   8U /* ranges or pages in a phase: in cache, as the real module's were */
#define CYCLES	   200U
#define LIFE_PAGES 17U		 /* of a whole TD */
#define GPA	   0x80000000ULL /* 4K pages: below a table */
#define GPA_2M	   0xC0000000ULL /* 2M pages */
#define LARGE	   0x60000000ULL /* host memory behind them */
#define SIZE_2M	   SEAM_LEVEL_SIZE(1)

/* X(id, name, what the real module took in fills, the same with Dynamic PAMT); 0: not known. */
#define ROWS(X)                                                  \
	X(SYS_INIT, "TDH.SYS.INIT", 0, 0)                        \
	X(SYS_LP_INIT, "TDH.SYS.LP.INIT", 0, 0)                  \
	X(SYS_CONFIG, "TDH.SYS.CONFIG, 1 TDMR", 0, 0)            \
	X(SYS_KEY_CONFIG, "TDH.SYS.KEY.CONFIG", 0, 0)            \
	X(SYS_TDMR_INIT, "TDH.SYS.TDMR.INIT", 0, 0)              \
	X(SYS_LP_SHUTDOWN, "TDH.SYS.LP.SHUTDOWN", 0, 0)          \
	X(SYS_RD, "TDH.SYS.RD", 0, 0)                            \
	X(SYS_RDALL, "TDH.SYS.RDALL", 0, 0)                      \
	X(SYS_INFO, "TDH.SYS.INFO", 0, 0)                        \
	X(MNG_CREATE, "TDH.MNG.CREATE", 0, 0)                    \
	X(MNG_KEY_CONFIG, "TDH.MNG.KEY.CONFIG", 0, 0)            \
	X(MNG_ADDCX, "TDH.MNG.ADDCX", 0, 0)                      \
	X(MNG_INIT, "TDH.MNG.INIT", 0, 0)                        \
	X(VP_CREATE, "TDH.VP.CREATE", 0, 0)                      \
	X(VP_ADDCX, "TDH.VP.ADDCX", 0, 0)                        \
	X(VP_INIT, "TDH.VP.INIT", 0, 0)                          \
	X(MEM_SEPT_ADD, "TDH.MEM.SEPT.ADD", 0, 0)                \
	X(MEM_PAGE_ADD, "TDH.MEM.PAGE.ADD", 0, 0)                \
	X(MR_EXTEND, "TDH.MR.EXTEND", 0, 0)                      \
	X(MR_FINALIZE, "TDH.MR.FINALIZE", 0, 0)                  \
	X(VP_ENTER, "TDH.VP.ENTER", 0, 0)                        \
	X(VP_VMCALL, "TDG.VP.VMCALL with the exit", 0, 0)        \
	X(VP_FLUSH, "TDH.VP.FLUSH", 0, 0)                        \
	X(MNG_VPFLUSHDONE, "TDH.MNG.VPFLUSHDONE", 0, 0)          \
	X(PHYMEM_CACHE_WB, "TDH.PHYMEM.CACHE.WB", 0, 0)          \
	X(MNG_KEY_RECLAIMID, "TDH.MNG.KEY.RECLAIMID", 0, 0)      \
	X(MNG_KEY_FREEID, "TDH.MNG.KEY.FREEID", 0, 0)            \
	X(PHYMEM_PAGE_RECLAIM, "TDH.PHYMEM.PAGE.RECLAIM", 0, 0)  \
	X(MNG_RD, "TDH.MNG.RD", 0, 0)                            \
	X(MNG_WR, "TDH.MNG.WR", 0, 0)                            \
	X(VP_RD, "TDH.VP.RD", 0, 0)                              \
	X(VP_WR, "TDH.VP.WR", 0, 0)                              \
	X(MEM_TRACK, "TDH.MEM.TRACK", 0.65, 0.65)                \
	X(MEM_SEPT_RD, "TDH.MEM.SEPT.RD", 0.9, 0.89)             \
	X(PHYMEM_PAGE_RDMD, "TDH.PHYMEM.PAGE.RDMD", 0, 0)        \
	X(PHYMEM_PAGE_WBINVD, "TDH.PHYMEM.PAGE.WBINVD", 0, 0)    \
	X(MEM_PAGE_AUG, "TDH.MEM.PAGE.AUG 4K", 0, 0)             \
	X(ACCEPT_4K, "TDG.MEM.PAGE.ACCEPT 4K", 0, 0)             \
	X(ATTR_RD, "TDG.MEM.PAGE.ATTR.RD", 0, 0)                 \
	X(ATTR_WR, "TDG.MEM.PAGE.ATTR.WR", 0, 0)                 \
	X(MEM_RD, "TDH.MEM.RD", 0, 0)                            \
	X(MEM_WR, "TDH.MEM.WR", 0, 0)                            \
	X(MEM_RANGE_BLOCK, "TDH.MEM.RANGE.BLOCK 4K", 0, 0)       \
	X(MEM_RANGE_UNBLOCK, "TDH.MEM.RANGE.UNBLOCK 4K", 0, 0)   \
	X(BLOCK_UNBLOCK, "  BLOCK + UNBLOCK 4K", 2.0, 1.99)      \
	X(MEM_PAGE_RELOCATE, "TDH.MEM.PAGE.RELOCATE", 0, 0)      \
	X(MEM_PAGE_REMOVE, "TDH.MEM.PAGE.REMOVE 4K", 0, 0)       \
	X(AUG_REMOVE, "  AUG + REMOVE 4K", 2.2, 2.31)            \
	X(MEM_SEPT_REMOVE, "TDH.MEM.SEPT.REMOVE", 0, 0)          \
	X(AUG_2M, "TDH.MEM.PAGE.AUG 2M", 0, 0)                   \
	X(ACCEPT_2M, "TDG.MEM.PAGE.ACCEPT 2M", 0, 0)             \
	X(BLOCK_2M, "TDH.MEM.RANGE.BLOCK 2M", 0, 0)              \
	X(MEM_PAGE_DEMOTE, "TDH.MEM.PAGE.DEMOTE 2M", 6.9, 5.2)   \
	X(MEM_PAGE_PROMOTE, "TDH.MEM.PAGE.PROMOTE 2M", 8.8, 6.7) \
	X(REMOVE_2M, "TDH.MEM.PAGE.REMOVE 2M", 0, 0)             \
	X(AUG_REMOVE_2M, "  AUG + REMOVE 2M", 2.6, 2.24)         \
	X(PAMT_ADD, "TDH.PHYMEM.PAMT.ADD", 0, 0)                 \
	X(PAMT_REMOVE, "TDH.PHYMEM.PAMT.REMOVE", 0, 0)

enum row {
#define ROW_ID(id, name, real, dpamt) ROW_##id,
	ROWS(ROW_ID)
#undef ROW_ID
	ROW_NR
};

static const struct {
	const char *name;
	double real, dpamt;
} rows[] = {
#define ROW_TEXT(id, name, real, dpamt) {name, real, dpamt},
	ROWS(ROW_TEXT)
#undef ROW_TEXT
};

struct run {
	struct bench_td t;
	double clock; /* what reading it costs */
	double since;
	double sum[ROW_NR]; /* of this pass */
	u64 calls[ROW_NR];
	double best[ROW_NR];
	u64 page[BATCH], table[BATCH], pair[BATCH][2], spare[BATCH];
	u64 life[LIFE_PAGES]; /* TDR, TDCX, TDVPR, its TDCX, three tables, a page */
	u64 source;
};

static void start(struct run *r)
{
	r->since = bench_now_ns();
}

static void stop(struct run *r, enum row row, u64 calls)
{
	r->sum[row] += bench_now_ns() - r->since - r->clock;
	r->calls[row] += calls;
}

#define call(r, leaf, rcx, rdx, r8) bench_call(&(r)->t, SEAM_TDH_##leaf, rcx, rdx, r8)
/* One call, timed alone. */
#define once(r, leaf, rcx, rdx, r8)          \
	do {                                 \
		start(r);                    \
		call(r, leaf, rcx, rdx, r8); \
		stop(r, ROW_##leaf, 1);      \
	} while (0)
/* A statement for each i below BATCH, timed together. */
#define phase(r, row, ...)                        \
	do {                                      \
		start(r);                         \
		for (u32 i = 0; i < BATCH; i++) { \
			__VA_ARGS__;              \
		}                                 \
		stop(r, ROW_##row, BATCH);        \
	} while (0)
#define each(...)                                 \
	do {                                      \
		for (u32 i = 0; i < BATCH; i++) { \
			__VA_ARGS__;              \
		}                                 \
	} while (0)

/* ---- the module comes up, and goes down ---- */

static void cycle_sys(struct run *r)
{
	static const u64 info[64] = {BENCH_SMALL, MEM,	  0x10000000, 0x1000,
				     0x10001000,  0x2000, 0x10100000, 0x400000};
	const u64 info_pa = 0x20000;
	struct seam_config cfg = {.profile = "1.5.25", .cold = true};
	struct seam *other = r->t.s;
	char err[128] = "";

	r->t.s = seam_new(&cfg, err, sizeof(err));
	rt_phys_poke(info_pa, 0, info, sizeof(info));
	rt_phys_poke(info_pa + 0x1000, 0, &info_pa, sizeof(info_pa));
	once(r, SYS_INIT, 0, 0, 0);
	for (u32 lp = 0; lp < 4; lp++) {
		r->t.r.rax = SEAM_TDH_SYS_LP_INIT;
		start(r);
		seam_call(r->t.s, lp, &r->t.r);
		stop(r, ROW_SYS_LP_INIT, 1);
	}
	once(r, SYS_CONFIG, info_pa + 0x1000, 1, 0x20);
	once(r, SYS_KEY_CONFIG, 0, 0, 0);
	start(r);
	for (u64 i = 0; i < MEM / RT_PAGE_SIZE / 1024; i++)
		call(r, SYS_TDMR_INIT, BENCH_SMALL, 0, 0);
	stop(r, ROW_SYS_TDMR_INIT, MEM / RT_PAGE_SIZE / 1024);
	phase(r, SYS_RD, call(r, SYS_RD, 0, 0x0A00000300000008ULL, 0));
	once(r, SYS_RDALL, 0x30000, ~0ULL, 0);
	r->t.r.r9 = 32;
	once(r, SYS_INFO, 0x31000, 1024, 0x32000);
	once(r, SYS_LP_SHUTDOWN, 0, 0, 0);
	seam_free(r->t.s);
	r->t.s = other;
}

/* ---- the life of a TD ---- */

static void create_td(struct run *r, const u64 *pg)
{
	const u64 tdr = pg[0], vcpu = pg[7];

	once(r, MNG_CREATE, tdr, 0x22, 0);
	once(r, MNG_KEY_CONFIG, tdr, 0, 0);
	start(r);
	for (u32 i = 0; i < BENCH_TDCX; i++)
		call(r, MNG_ADDCX, pg[1 + i], tdr, 0);
	stop(r, ROW_MNG_ADDCX, BENCH_TDCX);
	once(r, MNG_INIT, tdr, BENCH_PARAMS, 0);
	once(r, VP_CREATE, vcpu, tdr, 0);
	start(r);
	for (u32 i = 0; i < BENCH_TDVPX; i++)
		call(r, VP_ADDCX, pg[8 + i], vcpu, 0);
	stop(r, ROW_VP_ADDCX, BENCH_TDVPX);
	once(r, VP_INIT, vcpu, 0, 0);
	start(r);
	call(r, MEM_SEPT_ADD, 3, tdr, pg[13]);
	call(r, MEM_SEPT_ADD, GPA | 2, tdr, pg[14]);
	call(r, MEM_SEPT_ADD, GPA | 1, tdr, pg[15]);
	stop(r, ROW_MEM_SEPT_ADD, 3);
	r->t.r.r9 = r->source;
	once(r, MEM_PAGE_ADD, GPA, tdr, pg[16]);
	start(r);
	for (u32 i = 0; i < 16; i++)
		call(r, MR_EXTEND, GPA + i * 256, tdr, 0);
	stop(r, ROW_MR_EXTEND, 16);
	once(r, MR_FINALIZE, tdr, 0, 0);
}

static void cycle_td(struct run *r)
{
	const u64 *pg = r->life, tdr = pg[0], old = r->t.vcpu;

	create_td(r, pg);
	r->t.vcpu = pg[7];
	for (u32 i = 0; i < 4; i++) {
		start(r);
		bench_enter(&r->t);
		stop(r, ROW_VP_ENTER, 1);
		start(r);
		bench_leave(&r->t);
		stop(r, ROW_VP_VMCALL, 1);
	}
	once(r, VP_FLUSH, pg[7], 0, 0);
	r->t.vcpu = old;
	once(r, MNG_VPFLUSHDONE, tdr, 0, 0);
	once(r, PHYMEM_CACHE_WB, 0, 0, 0);
	once(r, MNG_KEY_RECLAIMID, tdr, 0, 0);
	once(r, MNG_KEY_FREEID, tdr, 0, 0);
	start(r);
	for (u32 i = LIFE_PAGES; i-- > 0;)
		call(r, PHYMEM_PAGE_RECLAIM, pg[i], 0, 0);
	stop(r, ROW_PHYMEM_PAGE_RECLAIM, LIFE_PAGES);
}

/* ---- calls that change nothing, or nothing that matters ---- */

static void cycle_fields(struct run *r)
{
	const u64 tdr = r->t.tdr, vcpu = r->t.vcpu;
	const u64 td_field = 0x9110000300000011ULL, vp_field = 0x000000030000203cULL;

	phase(r, MNG_RD, call(r, MNG_RD, tdr, td_field, 0));
	r->t.r.r9 = ~0ULL;
	phase(r, MNG_WR, call(r, MNG_WR, tdr, td_field, 20000));
	phase(r, VP_RD, call(r, VP_RD, vcpu, vp_field, 0));
	r->t.r.r9 = ~0ULL;
	phase(r, VP_WR, call(r, VP_WR, vcpu, vp_field, 0x1000));
	phase(r, MEM_TRACK, call(r, MEM_TRACK, tdr, 0, 0));
	phase(r, MEM_SEPT_RD, call(r, MEM_SEPT_RD, GPA, tdr, 0));
	phase(r, PHYMEM_PAGE_RDMD, call(r, PHYMEM_PAGE_RDMD, tdr, 0, 0));
	phase(r, PHYMEM_PAGE_WBINVD, call(r, PHYMEM_PAGE_WBINVD, r->spare[i], 0, 0));
}

/* ---- 4K pages ---- */

static void guest_4k(struct run *r)
{
	bench_enter(&r->t);
	phase(r, ACCEPT_4K, bench_tdcall(&r->t, SEAM_TDG_MEM_PAGE_ACCEPT, GPA + i * RT_PAGE_SIZE));
	phase(r, ATTR_RD, bench_tdcall(&r->t, SEAM_TDG_MEM_PAGE_ATTR_RD, GPA + i * RT_PAGE_SIZE));
	r->t.r.rdx = 0;
	r->t.r.r8 = 0;
	phase(r, ATTR_WR, r->t.r.rdx = 0;
	      bench_tdcall(&r->t, SEAM_TDG_MEM_PAGE_ATTR_WR, GPA + i * RT_PAGE_SIZE));
	bench_leave(&r->t);
}

static void cycle_4k(struct run *r)
{
	const u64 tdr = r->t.tdr;

	phase(r, MEM_PAGE_AUG, call(r, MEM_PAGE_AUG, GPA + i * RT_PAGE_SIZE, tdr, r->page[i]));
	guest_4k(r);
	phase(r, MEM_WR, call(r, MEM_WR, GPA + i * RT_PAGE_SIZE, tdr, i));
	phase(r, MEM_RD, call(r, MEM_RD, GPA + i * RT_PAGE_SIZE, tdr, 0));
	phase(r, MEM_RANGE_BLOCK, call(r, MEM_RANGE_BLOCK, GPA + i * RT_PAGE_SIZE, tdr, 0));
	call(r, MEM_TRACK, tdr, 0, 0);
	phase(r, MEM_RANGE_UNBLOCK, call(r, MEM_RANGE_UNBLOCK, GPA + i * RT_PAGE_SIZE, tdr, 0));
	each(call(r, MEM_RANGE_BLOCK, GPA + i * RT_PAGE_SIZE, tdr, 0));
	call(r, MEM_TRACK, tdr, 0, 0);
	phase(r, MEM_PAGE_RELOCATE,
	      call(r, MEM_PAGE_RELOCATE, GPA + i * RT_PAGE_SIZE, tdr, r->spare[i]));
	each(call(r, MEM_RANGE_BLOCK, GPA + i * RT_PAGE_SIZE, tdr, 0));
	call(r, MEM_TRACK, tdr, 0, 0);
	phase(r, MEM_PAGE_REMOVE, call(r, MEM_PAGE_REMOVE, GPA + i * RT_PAGE_SIZE, tdr, 0));
}

/* ---- 2M pages ---- */

static void split_and_merge(struct run *r)
{
	const u64 tdr = r->t.tdr;

	each(call(r, MEM_RANGE_BLOCK, (GPA_2M + i * SIZE_2M) | 1, tdr, 0));
	call(r, MEM_TRACK, tdr, 0, 0);
	phase(r, MEM_PAGE_DEMOTE, r->t.r.r12 = r->pair[i][0]; r->t.r.r13 = r->pair[i][1];
	      call(r, MEM_PAGE_DEMOTE, (GPA_2M + i * SIZE_2M) | 1, tdr, r->table[i]));
	each(call(r, MEM_RANGE_BLOCK, (GPA_2M + i * SIZE_2M) | 1, tdr, 0));
	call(r, MEM_TRACK, tdr, 0, 0);
	phase(r, MEM_PAGE_PROMOTE, call(r, MEM_PAGE_PROMOTE, (GPA_2M + i * SIZE_2M) | 1, tdr, 0));
}

static void cycle_2m(struct run *r)
{
	const u64 tdr = r->t.tdr;

	phase(r, AUG_2M,
	      call(r, MEM_PAGE_AUG, (GPA_2M + i * SIZE_2M) | 1, tdr, LARGE + i * SIZE_2M));
	bench_enter(&r->t);
	phase(r, ACCEPT_2M,
	      bench_tdcall(&r->t, SEAM_TDG_MEM_PAGE_ACCEPT, (GPA_2M + i * SIZE_2M) | 1));
	bench_leave(&r->t);
	split_and_merge(r);
	phase(r, BLOCK_2M, call(r, MEM_RANGE_BLOCK, (GPA_2M + i * SIZE_2M) | 1, tdr, 0));
	call(r, MEM_TRACK, tdr, 0, 0);
	phase(r, REMOVE_2M, call(r, MEM_PAGE_REMOVE, (GPA_2M + i * SIZE_2M) | 1, tdr, 0));
	each(call(r, MEM_SEPT_ADD, (GPA_2M + i * SIZE_2M) | 1, tdr, r->table[i]);
	     call(r, MEM_RANGE_BLOCK, (GPA_2M + i * SIZE_2M) | 1, tdr, 0));
	call(r, MEM_TRACK, tdr, 0, 0);
	phase(r, MEM_SEPT_REMOVE, call(r, MEM_SEPT_REMOVE, (GPA_2M + i * SIZE_2M) | 1, tdr, 0));
	if (!r->t.dynamic_pamt)
		return;
	phase(r, PAMT_ADD,
	      call(r, PHYMEM_PAMT_ADD, (LARGE + i * SIZE_2M) | 1, r->pair[i][0], r->pair[i][1]));
	phase(r, PAMT_REMOVE, call(r, PHYMEM_PAMT_REMOVE, (LARGE + i * SIZE_2M) | 1, 0, 0));
}

/* ---- rows ---- */

static void setup(struct run *r, bool dynamic_pamt)
{
	struct bench_td *t = &r->t;

	bench_td_module(t, "1.5.25", dynamic_pamt, MEM);
	bench_td_build(t);
	call(r, MEM_SEPT_ADD, 3, t->tdr, bench_page(t));
	call(r, MEM_SEPT_ADD, GPA | 2, t->tdr, bench_page(t));
	call(r, MEM_SEPT_ADD, GPA | 1, t->tdr, bench_page(t));
	call(r, MEM_SEPT_ADD, GPA_2M | 2, t->tdr, bench_page(t));
	each(r->page[i] = bench_page(t); r->table[i] = bench_page(t); r->spare[i] = bench_page(t));
	for (u32 i = 0; i < LIFE_PAGES; i++)
		r->life[i] = bench_page(t);
	each(bench_pair(t, &r->pair[i][0], &r->pair[i][1]));
	r->source = 0x40000;
	rt_phys_fill(r->source, 0, 0x5a);
}

static void sum_rows(struct run *r, enum row a, enum row b, enum row to)
{
	if (r->best[a] > 0 && r->best[b] > 0)
		r->best[to] = r->best[a] + r->best[b];
}

static void measure(struct run *r, double seconds)
{
	double until = bench_now_ns() + seconds * 1e9;

	do {
		memset(r->sum, 0, sizeof(r->sum));
		memset(r->calls, 0, sizeof(r->calls));
		for (u32 i = 0; i < CYCLES; i++) {
			cycle_fields(r);
			cycle_4k(r);
			cycle_2m(r);
			cycle_td(r);
		}
		for (u32 i = 0; i < CYCLES / 20; i++)
			cycle_sys(r);
		for (u32 i = 0; i < ROW_NR; i++) {
			double ns = r->calls[i] ? r->sum[i] / (double)r->calls[i] : 0;

			if (ns > 0 && (r->best[i] == 0 || ns < r->best[i]))
				r->best[i] = ns;
		}
	} while (bench_now_ns() < until);
	sum_rows(r, ROW_MEM_RANGE_BLOCK, ROW_MEM_RANGE_UNBLOCK, ROW_BLOCK_UNBLOCK);
	sum_rows(r, ROW_MEM_PAGE_AUG, ROW_MEM_PAGE_REMOVE, ROW_AUG_REMOVE);
	sum_rows(r, ROW_AUG_2M, ROW_REMOVE_2M, ROW_AUG_REMOVE_2M);
}

/* Every pass does the same, so the best one is the one that nothing else disturbed. */
static u32 print_rows(const struct run *r, double null, double fill)
{
	u32 above = 0;

	for (u32 i = 0; i < ROW_NR; i++) {
		double real = r->t.dynamic_pamt ? rows[i].dpamt : rows[i].real;
		bool low = r->best[i] / fill < real;

		if (!(r->best[i] > 0))
			continue;
		printf("%-36s %9.1f %9.2f %9.2f", rows[i].name, r->best[i], r->best[i] / null,
		       r->best[i] / fill);
		if (real > 0)
			printf(" %9.2f %s", real, low ? "below" : "ABOVE");
		printf("\n");
		above += real > 0 && !low;
	}
	return above;
}

/* A SEAMCALL that the dispatcher refuses: what getting in and out costs. */
static void null_call(void *ctx, u64 n)
{
	struct seam_regs r = {0};

	while (n--) {
		r.rax = 0xffff;
		seam_call(ctx, 0, &r);
	}
	bench_use(&r);
}

static double clock_cost(void)
{
	double best = 1e9;

	for (u32 i = 0; i < 1000; i++) {
		double t = bench_now_ns(), d = bench_now_ns() - t;

		best = d < best ? d : best;
	}
	return best;
}

static u32 table(struct bench *b, bool dynamic_pamt, double fill)
{
	static struct run r;
	double null;
	u32 above;

	memset(&r, 0, sizeof(r));
	r.clock = clock_cost();
	setup(&r, dynamic_pamt);
	null = bench_row(b, dynamic_pamt ? "a null SEAMCALL, Dynamic PAMT" : "a null SEAMCALL",
			 null_call, r.t.s);
	measure(&r, 10 * b->seconds);
	printf("\n%-36s %9s %9s %9s %9s\n",
	       dynamic_pamt ? "profile 1.5.25, Dynamic PAMT" : "profile 1.5.25", "ns", "/ null",
	       "/ fill", "real");
	above = print_rows(&r, null, fill);
	printf("\n");
	bench_td_free(&r.t);
	return above;
}

int main(int argc, char **argv)
{
	struct bench b;
	double fill;
	u32 above;

	bench_init(&b, argc, argv);
	fill = bench_fill(&b);
	above = table(&b, false, fill);
	above += table(&b, true, fill);
	bench_fact("rows above the real module", above, "rows");
	return 0;
}
