/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine with the module on it, and short spellings of calls, for the tests of tdx/.
 * Pages are handed out in ascending order, so a test can name what it will get. No KVM is involved.
 */
#ifndef TESTS_TDX_MACHINE_H
#define TESTS_TDX_MACHINE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"
#include "tdx/seam.h"

#define TDMR_BASE 0x40000000ULL
#define SMALL	  0x40000000ULL /* first page of machine_page() */
#define LARGE	  0x60000000ULL /* first 2M page of machine_large() */
#define PARAMS	  0x10000ULL
#define GPA	  0x80000000ULL /* a 2M range with a 4K table below it */
#define GPA_2M	  0x40000000ULL /* a 1G range with a 2M table below it */

struct machine {
	struct rt_world *w;
	struct seam *s;
	struct seam_regs r;	 /* of the last call or guest event */
	struct seam_fault fault; /* of the last guest event */
	u64 small, large;	 /* next free pages */
	u64 tdr;
	u64 vcpu[4];
	u32 nr_vcpus;
};

/* With @profile; the TLB is on, keys are real. */
void machine_init(struct machine *m, const char *profile);
void machine_init_cfg(struct machine *m, const struct seam_config *cfg);
void machine_free(struct machine *m);
u64 machine_page(struct machine *m);
u64 machine_large(struct machine *m);

/* A SEAMCALL on @lp with RCX, RDX, R8, R9; returns RAX, all registers in m->r. */
u64 call4(struct machine *m, u32 lp, u64 leaf, u64 rcx, u64 rdx, u64 r8, u64 r9);
#define call(m, lp, leaf, rcx, rdx, r8) call4(m, lp, SEAM_TDH_##leaf, rcx, rdx, r8, 0)
#define expect_status(got, want)                                                \
	do {                                                                    \
		u64 got_ = (got), want_ = (want);                               \
		if (got_ != want_)                                              \
			print_error("status %llx, wanted %llx\n", got_, want_); \
		assert_int_equal(got_, want_);                                  \
	} while (0)
#define call_ok(m, lp, leaf, rcx, rdx, r8) expect_status(call(m, lp, leaf, rcx, rdx, r8), 0)

/* TD_PARAMS at PARAMS: ATTRIBUTES, MAX_VCPUS 4, 4 levels, 48-bit GPAs. */
void params(u64 attributes);
/* Up to KEY.CONFIG and six ADDCX. */
void td_create(struct machine *m);
/* td_create(), INIT, @vcpus VCPUs on LP 0, tables for GPA (4K) and GPA_2M (2M), FINALIZE. */
void td_build(struct machine *m, u64 attributes, u32 vcpus);
u64 vcpu_create(struct machine *m, u32 lp);

/* The guest's side of @lp. */
enum seam_result tdcall(struct machine *m, u32 lp, u64 leaf, u64 rcx);
enum seam_result guest_read(struct machine *m, u32 lp, u64 gpa, u32 flags, struct seam_access *a);
void enter(struct machine *m, u32 lp, u32 vcpu);
/* TDG.VP.VMCALL without registers. */
void leave(struct machine *m, u32 lp);
u8 sept_state(struct machine *m, u64 gpa, u8 level);

#endif
