/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TD on the module alone, for benchmarks: no KVM, no guest_memfd, SEAMCALLs only.
 * Every call is expected to succeed; one that does not ends the program, since its time would be
 * worth nothing.
 */
#ifndef BENCH_TD_H
#define BENCH_TD_H

#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/seam.h"

#define BENCH_TDCX   6 /* TDCX pages of the TD */
#define BENCH_TDVPX  5 /* and of its VCPU, besides the TDVPR */
#define BENCH_PARAMS 0x10000ULL
#define BENCH_SMALL  0x40000000ULL /* small pages come from here, ascending */

struct bench_td {
	struct rt_world *w;
	struct seam *s;
	struct seam_regs r; /* of the last call */
	bool dynamic_pamt;
	u64 small;   /* next small page */
	u64 paired;  /* Dynamic PAMT: small pages below have pairs */
	u64 pair[2]; /* Dynamic PAMT: where bench_pair() takes the next pair from */
	u64 tdr, vcpu;
	u64 tdcx[BENCH_TDCX], tdvpx[BENCH_TDVPX];
};

/* A world with a module: one TDMR of @mem bytes from 1 GiB, a heap of 4 GiB. */
void bench_td_module(struct bench_td *t, const char *profile, bool dynamic_pamt, u64 mem);
/* A debug TD with one VCPU on LP 0, runnable, with no table below the root. */
void bench_td_build(struct bench_td *t);
void bench_td_free(struct bench_td *t);

/* A free page of its own, in a range with a pair. Pages are not given back. */
u64 bench_page(struct bench_td *t);
/* Two pages for a pair, in a range that needs none. */
void bench_pair(struct bench_td *t, u64 *hpa0, u64 *hpa1);

/* SEAMCALL on LP 0 that must succeed, with the registers of @t->r as operands. */
void bench_call(struct bench_td *t, u64 rax, u64 rcx, u64 rdx, u64 r8);
/* TD_PARAMS at BENCH_PARAMS, of a debug TD. */
void bench_params(void);
/* The VCPU enters; leaves by TDG.VP.VMCALL; executes a TDCALL. */
void bench_enter(struct bench_td *t);
void bench_leave(struct bench_td *t);
void bench_tdcall(struct bench_td *t, u64 leaf, u64 rcx);

#endif
