/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What memory work costs, in virtual cycles, and how much of it each leaf did (tdx-module.md 9).
 * Every weight is a guess of that section, unconfirmed: only comparisons of counts are sound. All
 * of them are in this table; seam_cost() itself, which counts, is in tdx/internal.h.
 */
#ifndef TDX_COST_H
#define TDX_COST_H

#include "tdx/abi.h"

struct seam;

/* X(id, cycles of one: a guess, name of the statistic, text) */
#define SEAM_COSTS(X)                                                                 \
	X(CALL, 3000, "calls", "SEAMCALLs got in and out")                            \
	X(TDCALL, 1500, "tdcalls", "TDCALLs got in and out")                          \
	X(ATOMIC, 40, "atomics", "atomic accesses: locks, S-EPT entries, counters")   \
	X(STORE_LINE, 30, "lines_stored", "cache lines stored whole, without a read") \
	X(READ_LINE, 20, "lines_read", "cached lines only read")                      \
	X(RMW_LINE, 20, "lines_modified", "cached lines read and modified")           \
	X(FLUSHED_LINE, 300, "lines_flushed", "lines written back or uncached")       \
	X(WALK, 5, "entries_walked", "S-EPT entries read by walks")                   \
	X(SHA_BLOCK, 1500, "sha_blocks", "SHA-384 blocks")                            \
	X(INVEPT, 500, "invepts", "INVEPTs")                                          \
	X(ENTER, 8000, "exits", "TD entries with their exits")

enum seam_cost {
#define SEAM_X(id, cycles, name, text) SEAM_COST_##id,
	SEAM_COSTS(SEAM_X)
#undef SEAM_X
	SEAM_COST_NR
};

/* Whose work it was: a SEAMCALL leaf's number, a TDCALL leaf's behind these, or no leaf's. */
#define SEAM_ROW_TDG(nr) (64 + (nr))		   /* no leaf above 63 does any work here */
#define SEAM_ROW_NONE	 SEAM_ROW_TDG(SEAM_TDG_NR) /* guest accesses, exits without a TDCALL */
#define SEAM_ROWS	 (SEAM_ROW_NONE + 1)
#define SEAM_ROW_ALL	 SEAM_ROWS

/* Operations of @kind since seam_new() by one row; SEAM_ROW_ALL: by all. */
u64 seam_cost_count(const struct seam *s, u32 row, enum seam_cost kind);
const char *seam_cost_name(enum seam_cost kind);
const char *seam_cost_text(enum seam_cost kind);
/* The guess. */
u32 seam_cost_cycles(enum seam_cost kind);

#endif
