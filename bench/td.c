// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD on the module alone: see td.h. What is timed is in the programs next to this file.
 */
#include "bench/td.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rt/phys.h"
#include "tdx/inspect.h"

#define HKID	 0x21
#define SIZE_2M	 SEAM_LEVEL_SIZE(1)
#define PAIRS_AT 0x50000000ULL /* pages of pairs: between the small pages and what is mapped */

static void need(bool ok, const char *what, u64 rax)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s %#llx\n", what, seam_status_name(rax), rax);
	exit(3);
}

void bench_call(struct bench_td *t, u64 rax, u64 rcx, u64 rdx, u64 r8)
{
	t->r.rax = rax;
	t->r.rcx = rcx;
	t->r.rdx = rdx;
	t->r.r8 = r8;
	seam_call(t->s, 0, &t->r);
	if (__builtin_expect(t->r.rax != SEAM_SUCCESS, 0))
		need(false, seam_leaf_name(rax & 0xffff), t->r.rax);
}

void bench_pair(struct bench_td *t, u64 *hpa0, u64 *hpa1)
{
	*hpa0 = t->pair[0];
	*hpa1 = t->pair[0] + RT_PAGE_SIZE;
	t->pair[0] += 2 * RT_PAGE_SIZE;
}

u64 bench_page(struct bench_td *t)
{
	u64 page = t->small, hpa0, hpa1;

	if (t->dynamic_pamt && page >= t->paired) {
		bench_pair(t, &hpa0, &hpa1);
		bench_call(t, SEAM_TDH_PHYMEM_PAMT_ADD, t->paired | 1, hpa0, hpa1);
		t->paired += SIZE_2M;
	}
	t->small += RT_PAGE_SIZE;
	return page;
}

void bench_td_module(struct bench_td *t, const char *profile, bool dynamic_pamt, u64 mem)
{
	const struct seam_config cfg = {
		.profile = profile,
		.dynamic_pamt = dynamic_pamt,
		.tdmr = {{BENCH_SMALL, mem}},
		.nr_tdmr = 1,
	};
	char err[128] = "";

	memset(t, 0, sizeof(*t));
	t->dynamic_pamt = dynamic_pamt;
	t->small = t->paired = BENCH_SMALL;
	t->pair[0] = PAIRS_AT;
	t->w = rt_world_new(NULL);
	t->s = t->w ? seam_new(&cfg, err, sizeof(err)) : NULL;
	if (!t->s) {
		fprintf(stderr, "no machine: %s\n", err);
		exit(3);
	}
}

void bench_params(void)
{
	const u64 zero[128] = {0}, attributes = 1, xfam = 3, eptp = 0x1e;
	const u16 max_vcpus = 4, tsc = 100;

	rt_phys_poke(BENCH_PARAMS, 0, zero, sizeof(zero));
	rt_phys_poke(BENCH_PARAMS, 0, &attributes, sizeof(attributes));
	rt_phys_poke(BENCH_PARAMS + 0x08, 0, &xfam, sizeof(xfam));
	rt_phys_poke(BENCH_PARAMS + 0x10, 0, &max_vcpus, sizeof(max_vcpus));
	rt_phys_poke(BENCH_PARAMS + 0x18, 0, &eptp, sizeof(eptp));
	rt_phys_poke(BENCH_PARAMS + 0x28, 0, &tsc, sizeof(tsc));
}

void bench_td_build(struct bench_td *t)
{
	t->tdr = bench_page(t);
	bench_call(t, SEAM_TDH_MNG_CREATE, t->tdr, HKID, 0);
	bench_call(t, SEAM_TDH_MNG_KEY_CONFIG, t->tdr, 0, 0);
	for (u32 i = 0; i < BENCH_TDCX; i++)
		bench_call(t, SEAM_TDH_MNG_ADDCX, t->tdcx[i] = bench_page(t), t->tdr, 0);
	bench_params();
	bench_call(t, SEAM_TDH_MNG_INIT, t->tdr, BENCH_PARAMS, 0);
	t->vcpu = bench_page(t);
	bench_call(t, SEAM_TDH_VP_CREATE, t->vcpu, t->tdr, 0);
	for (u32 i = 0; i < BENCH_TDVPX; i++)
		bench_call(t, SEAM_TDH_VP_ADDCX, t->tdvpx[i] = bench_page(t), t->vcpu, 0);
	bench_call(t, SEAM_TDH_VP_INIT, t->vcpu, 0, 0);
	bench_call(t, SEAM_TDH_MR_FINALIZE, t->tdr, 0, 0);
}

void bench_td_free(struct bench_td *t)
{
	rt_world_free(t->w);
}

void bench_enter(struct bench_td *t)
{
	t->r.rax = SEAM_TDH_VP_ENTER;
	t->r.rcx = t->vcpu;
	need(seam_call(t->s, 0, &t->r) == SEAM_ENTERED, "TDH.VP.ENTER", t->r.rax);
}

void bench_tdcall(struct bench_td *t, u64 leaf, u64 rcx)
{
	struct seam_fault fault;
	enum seam_result res;

	t->r.rax = leaf;
	t->r.rcx = rcx;
	res = seam_tdcall(t->s, 0, &t->r, 0, &fault);
	if (__builtin_expect(res != SEAM_DONE || t->r.rax != SEAM_SUCCESS, 0))
		need(leaf == SEAM_TDG_VP_VMCALL && res == SEAM_EXIT, seam_tdg_leaf_name(leaf),
		     t->r.rax);
}

void bench_leave(struct bench_td *t)
{
	bench_tdcall(t, SEAM_TDG_VP_VMCALL, 0);
}
