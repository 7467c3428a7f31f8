/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What memory work costs, in virtual cycles, and how much of it was done (tdx-module.md 9). Every
 * weight is a guess of that section, unconfirmed: only comparisons of counts are sound. All of them
 * are in this table.
 */
#ifndef TDX_COST_H
#define TDX_COST_H

#include "sim/rt/types.h"

struct seam;

/* X(id, cycles of one, text) */
#define SEAM_COSTS(X)                                    \
	X(CALL, 3000, "seamcalls")                       \
	X(TDCALL, 1500, "tdcalls")                       \
	X(ATOMIC, 40, "atomics")                         \
	X(STORE_LINE, 30, "lines stored")                \
	X(RMW_LINE, 20, "cached lines read or modified") \
	X(UNCACHED_LINE, 300, "uncached lines")          \
	X(WALK, 5, "S-EPT entries walked")               \
	X(SHA_BLOCK, 1500, "SHA-384 blocks")             \
	X(INVEPT, 500, "INVEPTs")                        \
	X(ENTER, 8000, "entries and exits")

enum seam_cost {
#define SEAM_X(id, cycles, text) SEAM_COST_##id,
	SEAM_COSTS(SEAM_X)
#undef SEAM_X
	SEAM_COST_NR
};

/* Count @n operations and let the virtual clock run. */
void seam_cost(struct seam *s, enum seam_cost kind, u64 n);
u64 seam_cost_count(const struct seam *s, enum seam_cost kind);
const char *seam_cost_text(enum seam_cost kind);

#endif
