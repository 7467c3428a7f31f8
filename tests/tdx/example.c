// SPDX-License-Identifier: GPL-2.0-only
/*
 * libseam with nothing above it: a host of one page of code builds a TD, maps 2M, lets the guest
 * accept it, and splits it. Every call is printed. docs/libseam.md explains it step by step; what a
 * real host does between the calls (locks, retries, kicks) is the port's business, mmu/.
 */
#include <stdio.h>

#include "sim/rt/phys.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"
#include "tdx/seam.h"

#define GPA   0x80000000ULL
#define LARGE 0x60000000ULL /* the host's 2M page behind it */
#define SIZE  SEAM_LEVEL_SIZE(1)

struct host {
	struct seam *seam;
	u64 next; /* free page */
	u64 tdr, tdvpr;
	int wrong;
};

static u64 page(struct host *h)
{
	h->next += RT_PAGE_SIZE;
	return h->next - RT_PAGE_SIZE;
}

static u64 call(struct host *h, u64 leaf, u64 rcx, u64 rdx, u64 r8, u64 want)
{
	struct seam_regs r = {.rax = leaf, .rcx = rcx, .rdx = rdx, .r8 = r8};

	seam_call(h->seam, 0, &r);
	printf("%-24s rcx=%-12llx rdx=%-10llx r8=%-10llx %s\n", seam_leaf_name(leaf), rcx, rdx, r8,
	       seam_status_name(r.rax));
	h->wrong += seam_status(r.rax) != want;
	return r.rcx;
}

static void build(struct host *h)
{
	const u64 attributes = RT_BIT(28), xfam = 3,
		  eptp = 0x1e; /* SEPT_VE_DISABLE; WB, 4 levels */
	const u16 max_vcpus = 1, tsc = 100;
	const u64 params = 0x10000; /* ordinary memory: TD_PARAMS */

	h->tdr = page(h);
	call(h, SEAM_TDH_MNG_CREATE, h->tdr, 0x21, 0, SEAM_SUCCESS);
	call(h, SEAM_TDH_MNG_KEY_CONFIG, h->tdr, 0, 0, SEAM_SUCCESS);
	for (int i = 0; i < 6; i++)
		call(h, SEAM_TDH_MNG_ADDCX, page(h), h->tdr, 0, SEAM_SUCCESS);
	rt_phys_poke(params, 0, &attributes, sizeof(attributes));
	rt_phys_poke(params + 0x08, 0, &xfam, sizeof(xfam));
	rt_phys_poke(params + 0x10, 0, &max_vcpus, sizeof(max_vcpus));
	rt_phys_poke(params + 0x18, 0, &eptp, sizeof(eptp));
	rt_phys_poke(params + 0x28, 0, &tsc, sizeof(tsc));
	call(h, SEAM_TDH_MNG_INIT, h->tdr, params, 0, SEAM_SUCCESS);

	h->tdvpr = page(h);
	call(h, SEAM_TDH_VP_CREATE, h->tdvpr, h->tdr, 0, SEAM_SUCCESS);
	for (int i = 0; i < 5; i++)
		call(h, SEAM_TDH_VP_ADDCX, page(h), h->tdvpr, 0, SEAM_SUCCESS);
	call(h, SEAM_TDH_VP_INIT, h->tdvpr, 0, 0, SEAM_SUCCESS);
	call(h, SEAM_TDH_MR_FINALIZE, h->tdr, 0, 0, SEAM_SUCCESS);
}

/* Tables for 512G and 1G, then the 2M page; it is PENDING until the guest accepts it. */
static void map(struct host *h)
{
	call(h, SEAM_TDH_MEM_SEPT_ADD, 3, h->tdr, page(h), SEAM_SUCCESS);
	call(h, SEAM_TDH_MEM_SEPT_ADD, GPA | 2, h->tdr, page(h), SEAM_SUCCESS);
	call(h, SEAM_TDH_MEM_PAGE_AUG, GPA | 1, h->tdr, LARGE, SEAM_SUCCESS);
}

/* In, ACCEPT at 2M, and out again: an interrupt makes the guest leave. */
static void guest_accepts(struct host *h)
{
	struct seam_regs r = {.rax = SEAM_TDH_VP_ENTER, .rcx = h->tdvpr};
	struct seam_fault fault;

	h->wrong += seam_call(h->seam, 0, &r) != SEAM_ENTERED;
	printf("%-24s rcx=%llx: in the guest\n", "TDH.VP.ENTER", h->tdvpr);
	r = (struct seam_regs){.rax = SEAM_TDG_MEM_PAGE_ACCEPT, .rcx = GPA | 1};
	h->wrong += seam_tdcall(h->seam, 0, &r, 0, &fault) != SEAM_DONE || r.rax;
	printf("%-24s rcx=%llx: %s\n", "  TDG.MEM.PAGE.ACCEPT", GPA | 1, seam_status_name(r.rax));
	seam_guest_interrupt(h->seam, 0, 0x20, &r);
	printf("%-24s exit reason %llu\n", "  an interrupt", r.rax & 0xffffffff);
}

static void show(struct host *h, u64 gpa)
{
	struct seam_sept_view v;

	if (!seam_look_sept(h->seam, h->tdr, gpa, 0, &v))
		return;
	printf("    %llx: level %u, %s, hpa %llx\n", gpa, v.level, seam_sept_state_name(v.state),
	       v.hpa);
}

/* Blocked, then tracked, then split; the first try shows what the order is for. */
static void split(struct host *h)
{
	u64 table = page(h);

	show(h, GPA + RT_PAGE_SIZE);
	call(h, SEAM_TDH_MEM_RANGE_BLOCK, GPA | 1, h->tdr, 0, SEAM_SUCCESS);
	call(h, SEAM_TDH_MEM_PAGE_DEMOTE, GPA | 1, h->tdr, table, SEAM_TLB_TRACKING_NOT_DONE);
	call(h, SEAM_TDH_MEM_TRACK, h->tdr, 0, 0, SEAM_SUCCESS);
	call(h, SEAM_TDH_MEM_PAGE_DEMOTE, GPA | 1, h->tdr, table, SEAM_SUCCESS);
	show(h, GPA + RT_PAGE_SIZE);
}

int main(void)
{
	const struct seam_config cfg = {.profile = "1.5.28"};
	struct rt_world *w = rt_world_new(NULL);
	struct host h = {.next = 0x40000000ULL};
	struct seam_sept_view v;
	char err[128] = "";

	h.seam = w ? seam_new(&cfg, err, sizeof(err)) : NULL;
	if (!h.seam) {
		fprintf(stderr, "no module: %s\n", err);
		return 1;
	}
	build(&h);
	map(&h);
	guest_accepts(&h);
	split(&h);
	h.wrong += !seam_look_sept(h.seam, h.tdr, GPA + SIZE - RT_PAGE_SIZE, 0, &v) || v.level != 0;
	h.wrong += v.state != SEAM_SEPT_MAPPED || v.hpa != LARGE + SIZE - RT_PAGE_SIZE;
	h.wrong += !seam_check(h.seam, err, sizeof(err));
	seam_free(h.seam);
	rt_world_free(w);
	return h.wrong != 0;
}
