// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz-seamcall: raw registers against libseam alone, without KVM. An input is a list of calls: a
 * leaf, the LP, and for each operand register what it is made of. After each call the module's books
 * must agree. Guest instructions are TDCALLs and accesses of the VCPU that is in the guest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/td.h"
#include "tdx/inspect.h"
#include "tests/fuzz/target.h"

#define CALL_BYTES 12U /* leaf, LP, then for RCX, RDX, R8, R9, R10: kind and number */
#define CALLS_MAX  64U
#define REGS	   5U
#define IRQ	   0xf2
#define GPA_BASE   0x80000000ULL
#define LARGE_BASE 0x60000000ULL

static struct {
	struct bench_td td;
	struct rt_image *built;
	u64 free_page; /* first page that the build left */
} kept;

static void start(void)
{
	if (kept.built)
		return;
	bench_td_module(&kept.td, "1.5.28", false, 1ULL << 30);
	bench_td_build(&kept.td);
	kept.free_page = kept.td.small;
	kept.built = rt_world_save(kept.td.w);
}

/* What a register holds: one of the TD's own pages, a free page, a gpa with a level, or a number. */
static u64 operand(u8 kind, u8 n)
{
	switch (kind % 8) {
	case 0:
		return n;
	case 1:
		return kept.td.tdr;
	case 2:
		return kept.td.vcpu;
	case 3:
		return kept.free_page + (u64)(n % 32) * 4096;
	case 4:
		return (GPA_BASE + (u64)(n / 8 % 4) * 0x200000 + (u64)(n / 32) * 4096) | n % 4;
	case 5:
		return LARGE_BASE + (u64)(n % 8) * 0x200000;
	case 6:
		return n & 1 ? kept.td.tdcx[n % BENCH_TDCX] : kept.td.tdvpx[n % BENCH_TDVPX];
	default:
		return (u64)n << (kind >> 3);
	}
}

static void check(const struct seam *s, const u8 *c)
{
	char why[400];

	if (seam_check(s, why, sizeof(why)))
		return;
	fprintf(stderr, "after leaf byte %u on LP %u: %s\n", c[0], c[1], why);
	abort();
}

/* True: the guest is still there. */
static bool guest_step(struct seam *s, u32 lp, const u8 *c, struct seam_regs *r)
{
	struct seam_access a = {.gpa = operand(c[2], c[3]),
				.kind = c[0] & 1 ? SEAM_WRITE : SEAM_READ,
				.has_data = true};
	struct seam_fault fault = {0};
	enum seam_result res;

	if ((c[0] & 0xc0) == 0x40) {
		seam_guest_interrupt(s, lp, IRQ, r);
		return false;
	}
	res = c[0] & 0x80 ? seam_access(s, lp, &a, 0, r, &fault) : seam_tdcall(s, lp, r, 0, &fault);
	return res != SEAM_EXIT && res != SEAM_RESTART_EXIT;
}

static void one_call(struct seam *s, bool *inside, const u8 *c)
{
	struct seam_regs r = {.rax = c[0] | (u64)(c[1] >> 4) << 16};
	u64 *const reg[REGS] = {&r.rcx, &r.rdx, &r.r8, &r.r9, &r.r10};
	u32 lp = c[1] & 1;

	for (u32 i = 0; i < REGS; i++)
		*reg[i] = operand(c[2 + 2 * i], c[3 + 2 * i]);
	if (inside[lp])
		inside[lp] = guest_step(s, lp, c, &r);
	else
		inside[lp] = seam_call(s, lp, &r) == SEAM_ENTERED;
	check(s, c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool inside[2] = {false};

	start();
	rt_world_enter(kept.td.w);
	rt_world_restore(kept.td.w, kept.built);
	for (u32 i = 0; i < CALLS_MAX && (i + 1) * CALL_BYTES <= size; i++)
		one_call(kept.td.s, inside, data + i * CALL_BYTES);
	return 0;
}
