/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What coverage.c collects and coverage_print.c prints.
 * Only these two include it.
 */
#ifndef LAB_COVERAGE_INT_H
#define LAB_COVERAGE_INT_H

#include "mmu/policy.h"
#include "sim/lab/coverage.h"
#include "tdx/cost.h"
#include "tdx/inspect.h"

#define COVER_STATUSES 32U /* different ones of a leaf: more than the longest table */
#define COVER_ENTRIES  16U
#define COVER_ORACLES  64U

struct cover_row {
	u32 nr_status, nr_entry;
	struct {
		u64 status, count;
	} status[COVER_STATUSES];
	struct {
		u64 count;
		u8 from, to;
	} entry[COVER_ENTRIES];
};

struct lab_coverage {
	struct cover_row row[SEAM_ROWS];
	struct seam_observer observer;
	u64 kvm_policy[KVM_POLICIES_MAX]; /* bit n: value n was in force */
	u64 oracle[COVER_ORACLES];	  /* scenarios that break it on purpose */
	u32 scenarios, calls, failed;
};

/* Times that it was reached. */
u64 cover_status(const struct lab_coverage *c, u32 row, u64 status);
u64 cover_entry(const struct lab_coverage *c, u32 row, u8 from, u8 to);
/* "TDH.MEM.TRACK", "TDG.VP.INFO", "any leaf". */
const char *cover_row_name(u32 row);

#endif
