/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TDP MMU over an external table that only takes notes: one VM, one vCPU, one slot, no module.
 * The fake stands in for mmu/tdx_sept.c at link time; tests of the real one are in test_tdx_sept.c.
 */
#ifndef TESTS_MMU_FAKE_EXTERNAL_H
#define TESTS_MMU_FAKE_EXTERNAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mmu/tdp_mmu.h"

enum fake_op {
	FAKE_MAP,
	FAKE_LINK,
	FAKE_SPLIT,
	FAKE_REMOVE,
	FAKE_RECLAIM,
	FAKE_OPS
};

struct fake_external {
	u32 calls[FAKE_OPS]; /* that succeeded */
	int error;	     /* what the next call returns; 0: it succeeds */
	u32 reports;	     /* rt_report() calls */
	char last_report[256];
};

struct mmu_fixture {
	struct rt_world *world;
	struct kvm *kvm;
	struct kvm_vcpu *vcpu;
	struct kvm_memory_slot *slot;
	struct fake_external *fake;
};

#define FIXTURE_SLOT_PAGES 0x4000ULL /* 64M from gfn 0 */

int mmu_fixture_setup(void **state);
int mmu_fixture_teardown(void **state);

/* Pin a page at @pfn under @gfn as a private write fault does; RET_PF_*. */
int fixture_map(struct mmu_fixture *f, gfn_t gfn, kvm_pfn_t pfn, u8 max_level);
/* Level of the mirror leaf at @gfn, 0 without one. */
u8 fixture_level(struct mmu_fixture *f, gfn_t gfn);
/* Zap [start, end) of private memory as a conversion does; its flush flag. */
bool fixture_zap(struct mmu_fixture *f, gfn_t start, gfn_t end);

#endif
