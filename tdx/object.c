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

void seam_child_add(struct seam_td *td, u64 pages)
{
	td->child_count += pages;
}

void seam_child_sub(struct seam_td *td, u64 pages)
{
	assert(td->child_count >= pages);
	td->child_count -= pages;
}

static const struct {
	u32 cycles;
	const char *text;
} costs[SEAM_COST_NR] = {
#define SEAM_X(id, cyc, what) [SEAM_COST_##id] = {cyc, what},
	SEAM_COSTS(SEAM_X)
#undef SEAM_X
};

void seam_cost(struct seam *s, enum seam_cost kind, u64 n)
{
	s->cost[kind] += n;
	rt_cycles(costs[kind].cycles * n);
}

u64 seam_cost_count(const struct seam *s, enum seam_cost kind)
{
	return s->cost[kind];
}

const char *seam_cost_text(enum seam_cost kind)
{
	return costs[kind].text;
}
