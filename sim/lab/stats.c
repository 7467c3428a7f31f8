// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of statistics and where each comes from.
 */
#include "sim/lab/stats.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/lab/machine.h"
#include "sim/lab/words.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/cost.h"
#include "tdx/inspect.h"

/* X(ID, name, sentence): what neither KVM nor guest_memfd counts. */
#define LAB_STATS(X)                                                                     \
	X(REACCEPT, "reaccept_pages",                                                    \
	  "accepted pages that must be accepted again, outside a successful conversion") \
	X(MEM, "mem_bytes", "memory of the world: live blocks of its heap")              \
	X(VP_ENTERS, "vp_enters", "TDH.VP.ENTER that got into the guest")                \
	X(SEAMCALLS, "seamcalls", "SEAMCALLs of all leaves, every attempt, without TDH.VP.ENTER")

enum own_stat {
#define LAB_X(id, name, text) OWN_##id,
	LAB_STATS(LAB_X)
#undef LAB_X
	OWN_NR
};

static const struct {
	const char *name, *text;
} own_stats[] =
	{
#define LAB_X(id, name, text) {name, text},
		LAB_STATS(LAB_X)
#undef LAB_X
},
  kvm_stats[] =
	  {
#define LAB_X(id, name, text) {name, text},
		  KVM_STATS(LAB_X)
#undef LAB_X
},
  gmem_stats[] = {
#define LAB_X(id, name, text) {name, text},
	  GMEM_STATS(LAB_X)
#undef LAB_X
};

static const struct {
	u32 leaf;
	const char *name;
} leaf_stats[] = {
#define SEAM_X(nr, id, fn, name) {nr, "seamcalls." name},
	SEAM_TDH_LEAVES(SEAM_X)
#undef SEAM_X
};

/*
 * What the module's memory work came to (tdx/cost.h): each kind by all leaves, and each kind by
 * each leaf. Names are made here, once, of the tables of both.
 */
struct cost_stat {
	const char *name, *text;
	u32 row;
	enum seam_cost kind;
};

static const struct cost_stat cost_stats[] = {
#define SEAM_X(id, cycles, name, text) {"cost." name, text, SEAM_ROW_ALL, SEAM_COST_##id},
	SEAM_COSTS(SEAM_X)
#undef SEAM_X
#define SEAM_X(nr, id, fn, name)                                                             \
	{"cost.atomics." name, "atomic accesses by this leaf", nr, SEAM_COST_ATOMIC},        \
		{"cost.lines_stored." name, "cache lines stored whole by it", nr,            \
		 SEAM_COST_STORE_LINE},                                                      \
		{"cost.lines_read." name, "lines only read by it", nr, SEAM_COST_READ_LINE}, \
		{"cost.lines_modified." name, "lines read and modified by it", nr,           \
		 SEAM_COST_RMW_LINE},
		SEAM_TDH_LEAVES(SEAM_X)
#undef SEAM_X
#define SEAM_X(nr, id, fn, name)                                                                \
	{"cost.atomics." name, "atomic accesses by this leaf", SEAM_ROW_TDG(nr),                \
	 SEAM_COST_ATOMIC},                                                                     \
		{"cost.lines_stored." name, "cache lines stored whole by it", SEAM_ROW_TDG(nr), \
		 SEAM_COST_STORE_LINE},
			SEAM_TDG_LEAVES(SEAM_X)
#undef SEAM_X
};

#define FIRST_GMEM ((u32)RT_ARRAY_SIZE(kvm_stats))
#define FIRST_OWN  (FIRST_GMEM + (u32)RT_ARRAY_SIZE(gmem_stats))
#define FIRST_LEAF (FIRST_OWN + (u32)RT_ARRAY_SIZE(own_stats))
#define FIRST_COST (FIRST_LEAF + (u32)RT_ARRAY_SIZE(leaf_stats))
#define ALL_STATS  (FIRST_COST + (u32)RT_ARRAY_SIZE(cost_stats))

const char *lab_stat_name(u32 i)
{
	if (i < FIRST_GMEM)
		return kvm_stats[i].name;
	if (i < FIRST_OWN)
		return gmem_stats[i - FIRST_GMEM].name;
	if (i < FIRST_LEAF)
		return own_stats[i - FIRST_OWN].name;
	if (i < FIRST_COST)
		return leaf_stats[i - FIRST_LEAF].name;
	return i < ALL_STATS ? cost_stats[i - FIRST_COST].name : NULL;
}

const char *lab_stat_text(u32 i)
{
	if (i < FIRST_GMEM)
		return kvm_stats[i].text;
	if (i < FIRST_OWN)
		return gmem_stats[i - FIRST_GMEM].text;
	if (i < FIRST_LEAF)
		return own_stats[i - FIRST_OWN].text;
	if (i < FIRST_COST)
		return "calls of this leaf, every attempt";
	return i < ALL_STATS ? cost_stats[i - FIRST_COST].text : NULL;
}

static u64 own_stat(struct lab_machine *m, enum own_stat i)
{
	u64 n = 0;

	switch (i) {
	case OWN_REACCEPT:
		return m->reaccept_pages;
	case OWN_MEM:
		return rt_mem_stats(rt_world_current()).live_bytes;
	case OWN_VP_ENTERS:
		return seam_entries(m->seam);
	case OWN_SEAMCALLS:
		for (u32 k = 0; k < RT_ARRAY_SIZE(leaf_stats); k++) {
			if (leaf_stats[k].leaf != SEAM_TDH_VP_ENTER)
				n += seam_calls(m->seam, leaf_stats[k].leaf);
		}
		return n;
	case OWN_NR:
		break;
	}
	return 0;
}

u32 lab_stat_find(const char *name)
{
	u32 i = 0;

	while (i < ALL_STATS && strcmp(lab_stat_name(i), name))
		i++;
	assert(i < ALL_STATS);
	return i;
}

u64 lab_stat(struct lab_machine *m, const char *name)
{
	return lab_stat_at(m, lab_stat_find(name));
}

u64 lab_stat_at(struct lab_machine *m, u32 i)
{
	assert(i < ALL_STATS);
	if (i < FIRST_GMEM)
		return kvm_stat(m->host, (enum kvm_stat)i);
	if (i < FIRST_OWN)
		return kvm_gmem_stat((enum gmem_stat)(i - FIRST_GMEM));
	if (i < FIRST_LEAF)
		return own_stat(m, (enum own_stat)(i - FIRST_OWN));
	if (i < FIRST_COST)
		return seam_calls(m->seam, leaf_stats[i - FIRST_LEAF].leaf);
	return seam_cost_count(m->seam, cost_stats[i - FIRST_COST].row,
			       cost_stats[i - FIRST_COST].kind);
}
