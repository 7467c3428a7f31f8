/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs have reached: statuses of leaves, S-EPT transitions, policies, oracles; against the
 * tables of what can be reached (tdx/reach.c, policies, oracles). Scenarios and recordings are run
 * for it here; unit tests are not counted.
 */
#ifndef LAB_COVERAGE_H
#define LAB_COVERAGE_H

#include <stdio.h>

#include "sim/rt/types.h"

struct lab_coverage;

struct lab_coverage_sum {
	u32 statuses, statuses_reached,
		statuses_unexplained; /* neither reached nor given a reason */
	u32 entries, entries_reached, entries_unexplained;
	u32 unknown; /* reached, but in no table: the table is wrong */
	u32 failed;  /* scenarios that did not hold, recorded calls that differ */
};

struct lab_coverage *lab_coverage_new(void);
void lab_coverage_free(struct lab_coverage *c);

/*
 * Run what @path names: a scenario, a recording or an archive of them, or a directory of either.
 * What is wrong with it goes to @err. Returns how many things were.
 */
u32 lab_coverage_add(struct lab_coverage *c, const char *path, FILE *err);

/* The tables, all rows (@markdown: as docs/coverage.md has them) or only what was not reached. */
void lab_coverage_print(const struct lab_coverage *c, FILE *out, bool markdown, bool all);
struct lab_coverage_sum lab_coverage_sum(const struct lab_coverage *c);

#endif
