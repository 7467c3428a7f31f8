// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDs as objects of the model: found by the HPA of their TDR, made and freed with it. And what
 * memory work costs. The real module keeps this state in the pages themselves; here a page only
 * says, in the PAMT, that it is a TDR.
 */
#include <assert.h>

#include "tdx/internal.h"

static u32 bucket(u64 tdr)
{
	return (tdr >> 12) % SEAM_TD_BUCKETS;
}

struct seam_td *seam_td_new(struct seam *s, u64 tdr)
{
	struct seam_td *td = rt_zalloc(sizeof(*td));

	assert(!seam_td_find(s, tdr));
	td->tdr = tdr;
	td->next = s->td[bucket(tdr)];
	s->td[bucket(tdr)] = td;
	return td;
}

struct seam_td *seam_td_find(const struct seam *s, u64 tdr)
{
	struct seam_td *td = s->td[bucket(tdr)];

	while (td && td->tdr != tdr)
		td = td->next;
	return td;
}

void seam_td_free(struct seam *s, struct seam_td *td)
{
	struct seam_td **p = &s->td[bucket(td->tdr)];

	assert(!td->vcpus);
	while (*p != td)
		p = &(*p)->next;
	*p = td->next;
	rt_free(td);
}

void seam_child_add(struct seam *s, struct seam_td *td, u64 pages)
{
	td->child_count += pages;
	seam_cost(s, SEAM_COST_ATOMIC, 1);
}

void seam_child_sub(struct seam *s, struct seam_td *td, u64 pages)
{
	assert(td->child_count >= pages);
	td->child_count -= pages;
	seam_cost(s, SEAM_COST_ATOMIC, 1);
}

static const struct {
	u32 cycles;
	const char *name, *text;
} costs[SEAM_COST_NR] = {
#define SEAM_X(id, cyc, stat, what) [SEAM_COST_##id] = {cyc, stat, what},
	SEAM_COSTS(SEAM_X)
#undef SEAM_X
};

u64 seam_cost_count(const struct seam *s, u32 row, enum seam_cost kind)
{
	u64 n = 0;

	assert(row <= SEAM_ROW_ALL && kind < SEAM_COST_NR);
	if (row < SEAM_ROWS)
		return s->cost[row][kind];
	for (row = 0; row < SEAM_ROWS; row++)
		n += s->cost[row][kind];
	return n;
}

const char *seam_cost_name(enum seam_cost kind)
{
	return costs[kind].name;
}

const char *seam_cost_text(enum seam_cost kind)
{
	return costs[kind].text;
}

u32 seam_cost_cycles(enum seam_cost kind)
{
	return costs[kind].cycles;
}
