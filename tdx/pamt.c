// SPDX-License-Identifier: GPL-2.0-only
/*
 * PAMT storage, walk and operand checks (tdx-module.md 2.1 to 2.3). Split and merge are in
 * pamt_split.c, pairs and bitmap of Dynamic PAMT in dpamt.c.
 *
 *   TDMR -> gb[i] (1G entry) -> group[8] -> 64 x (2M entry, sub)
 *                                                 sub -> chunk[16] -> 32 x 4K entry
 *                                                  `--> uniform: the value of chunks not stored
 */
#include <assert.h>
#include <string.h>

#include "sim/rt/phys.h"
#include "tdx/leaf.h"
#include "tdx/trace.h"

static struct seam_tdmr *tdmr_of(const struct seam *s, u64 hpa)
{
	for (u32 i = 0; i < s->nr_tdmr; i++) {
		const struct seam_tdmr *t = &s->tdmr[i];

		if (hpa >= t->base && hpa - t->base < t->size)
			return (struct seam_tdmr *)t;
	}
	return NULL;
}

void seam_pamt_add_tdmr(struct seam *s, u64 base, u64 size, bool ready)
{
	struct seam_tdmr *t = &s->tdmr[s->nr_tdmr++];

	assert(!(base % SEAM_LEVEL_SIZE(2)) && !(size % SEAM_LEVEL_SIZE(2)));
	assert(s->nr_tdmr <= SEAM_MAX_TDMRS);
	t->base = base;
	t->size = size;
	t->next = ready ? base + size : base;
	t->gb = rt_zalloc((size >> SEAM_LEVEL_SHIFT(2)) * sizeof(*t->gb));
}

/* A reserved page is a bitmap bit with Dynamic PAMT, else a 4K entry of type RSVD (2.1). */
static void reserve_4k(struct seam *s, u64 hpa)
{
	if (s->dynamic_pamt)
		seam_bitmap_set(s, hpa);
	else
		seam_pamt_at(s, hpa, 0)->type = SEAM_PT_RSVD;
}

static void reserve_2m(struct seam *s, u64 hpa)
{
	struct seam_pamt_4k *sub = seam_pamt_sub_make(seam_pamt_block_make(s, hpa));

	if (s->dynamic_pamt)
		memset(sub->bitmap, 0xff, sizeof(sub->bitmap));
	else
		sub->uniform.type = SEAM_PT_RSVD;
}

void seam_pamt_reserve(struct seam *s, u64 base, u64 size)
{
	u64 end = base + size, hpa = base;

	assert(!(base % SEAM_LEVEL_SIZE(0)) && !(size % SEAM_LEVEL_SIZE(0)));
	s->reserved_pages += size >> SEAM_LEVEL_SHIFT(0);
	while (hpa < end) {
		bool whole = !(hpa % SEAM_LEVEL_SIZE(1)) && end - hpa >= SEAM_LEVEL_SIZE(1);

		if (whole)
			reserve_2m(s, hpa);
		else
			reserve_4k(s, hpa);
		hpa += SEAM_LEVEL_SIZE(whole ? 1 : 0);
	}
}

static void free_block(struct seam_pamt_2m *b)
{
	if (!b->sub)
		return;
	for (u32 i = 0; i < SEAM_PAMT_CHUNKS; i++)
		rt_free(b->sub->chunk[i]);
	rt_free(b->sub);
}

static void free_gb(struct seam_pamt_1g *g)
{
	for (u32 i = 0; g && i < SEAM_PAMT_GROUPS; i++) {
		for (u32 k = 0; g->group[i] && k < SEAM_PAMT_GROUP; k++)
			free_block(&g->group[i][k]);
		rt_free(g->group[i]);
	}
	rt_free(g);
}

void seam_pamt_free_all(struct seam *s)
{
	for (u32 i = 0; i < s->nr_tdmr; i++) {
		struct seam_tdmr *t = &s->tdmr[i];

		for (u64 k = 0; k < t->size >> SEAM_LEVEL_SHIFT(2); k++)
			free_gb(t->gb[k]);
		rt_free(t->gb);
	}
	s->nr_tdmr = 0;
}

bool seam_pamt_in_range(const struct seam *s, u64 hpa)
{
	const struct seam_tdmr *t = tdmr_of(s, hpa);

	return t && hpa < (t->next & ~(SEAM_LEVEL_SIZE(2) - 1));
}

static struct seam_pamt_1g **gb_slot(const struct seam *s, u64 hpa)
{
	const struct seam_tdmr *t = tdmr_of(s, hpa);

	return t ? &t->gb[(hpa - t->base) >> SEAM_LEVEL_SHIFT(2)] : NULL;
}

struct seam_pamt_1g *seam_pamt_gb(const struct seam *s, u64 hpa)
{
	struct seam_pamt_1g **slot = gb_slot(s, hpa);

	return slot ? *slot : NULL;
}

struct seam_pamt_1g *seam_pamt_gb_make(struct seam *s, u64 hpa)
{
	struct seam_pamt_1g **slot = gb_slot(s, hpa);

	if (!slot)
		return NULL;
	if (!*slot)
		*slot = rt_zalloc(sizeof(**slot));
	return *slot;
}

static u32 index_2m(u64 hpa)
{
	return (hpa >> SEAM_LEVEL_SHIFT(1)) % SEPT_ENTRIES;
}

static u32 index_4k(u64 hpa)
{
	return (hpa >> SEAM_LEVEL_SHIFT(0)) % SEPT_ENTRIES;
}

struct seam_pamt_2m *seam_pamt_block(const struct seam *s, u64 hpa)
{
	struct seam_pamt_1g *g = seam_pamt_gb(s, hpa);
	u32 i = index_2m(hpa);

	if (!g || !g->group[i / SEAM_PAMT_GROUP])
		return NULL;
	return &g->group[i / SEAM_PAMT_GROUP][i % SEAM_PAMT_GROUP];
}

struct seam_pamt_2m *seam_pamt_block_make(struct seam *s, u64 hpa)
{
	struct seam_pamt_1g *g = seam_pamt_gb_make(s, hpa);
	u32 i = index_2m(hpa);
	struct seam_pamt_2m **group;

	if (!g)
		return NULL;
	group = &g->group[i / SEAM_PAMT_GROUP];
	if (!*group)
		*group = rt_zalloc(SEAM_PAMT_GROUP * sizeof(**group));
	return &(*group)[i % SEAM_PAMT_GROUP];
}

struct seam_pamt_4k *seam_pamt_sub_make(struct seam_pamt_2m *b)
{
	if (!b->sub)
		b->sub = rt_zalloc(sizeof(*b->sub));
	return b->sub;
}

static struct seam_pamt_entry *entry_4k_make(struct seam_pamt_2m *b, u64 hpa)
{
	struct seam_pamt_4k *sub = seam_pamt_sub_make(b);
	u32 i = index_4k(hpa);
	struct seam_pamt_entry **chunk = &sub->chunk[i / SEAM_PAMT_CHUNK];

	assert(!sub->uniform.lock); /* nobody can hold what is not stored */
	if (!*chunk) {
		*chunk = rt_alloc(SEAM_PAMT_CHUNK * sizeof(**chunk));
		for (u32 k = 0; k < SEAM_PAMT_CHUNK; k++)
			(*chunk)[k] = sub->uniform;
	}
	return &(*chunk)[i % SEAM_PAMT_CHUNK];
}

struct seam_pamt_entry *seam_pamt_at(struct seam *s, u64 hpa, u32 level)
{
	struct seam_pamt_2m *b;

	if (level == 2) {
		struct seam_pamt_1g *g = seam_pamt_gb_make(s, hpa);

		return g ? &g->e : NULL;
	}
	b = seam_pamt_block_make(s, hpa);
	if (!b)
		return NULL;
	if (level == 1)
		return &b->e;
	if (s->dynamic_pamt && !(b->sub && b->sub->has_pair))
		return NULL;
	return entry_4k_make(b, hpa);
}

bool seam_pamt_peek(const struct seam *s, u64 hpa, u32 level, struct seam_pamt_entry *e)
{
	const struct seam_pamt_1g *g = seam_pamt_gb(s, hpa);
	const struct seam_pamt_2m *b = seam_pamt_block(s, hpa);
	const struct seam_pamt_4k *sub = b ? b->sub : NULL;
	u32 i = index_4k(hpa);

	memset(e, 0, sizeof(*e));
	if (!tdmr_of(s, hpa))
		return false;
	if (level == 0 && s->dynamic_pamt && !(sub && sub->has_pair))
		return false;
	if (level == 2 && g)
		*e = g->e;
	else if (level == 1 && b)
		*e = b->e;
	else if (level == 0 && sub && sub->chunk[i / SEAM_PAMT_CHUNK])
		*e = sub->chunk[i / SEAM_PAMT_CHUNK][i % SEAM_PAMT_CHUNK];
	else if (level == 0 && sub)
		*e = sub->uniform;
	return true;
}

u64 seam_hpa_check(const struct seam *s, u64 hpa, u32 level, u32 op)
{
	bool aligned = !(hpa & (SEAM_LEVEL_SIZE(level) - 1));
	bool plain = !(hpa & ~seam_pa_mask(s));

	return aligned && plain ? 0 : SEAM_OPERAND_INVALID | op;
}

u64 seam_hpa_range_check(const struct seam *s, u64 hpa, u32 op)
{
	return seam_pamt_in_range(s, hpa) ? 0 : SEAM_OPERAND_ADDR_RANGE_ERROR | op;
}

static bool hold(struct seam_ctx *c, struct seam_pamt_entry *e, enum seam_mode mode)
{
	seam_cost(c->s, SEAM_COST_ATOMIC, 2); /* taking, and the release that follows */
	return seam_hold_sharex_hp(&c->held, &e->lock, mode, SEAM_HOST) == SEAM_TRY_OK;
}

/* The walk ends at this entry, which is held shared: convert to @mode. */
static u64 walk_ends(struct seam_ctx *c, struct seam_page *pg, enum seam_mode mode, u32 op)
{
	assert(pg->level == 2 || pg->block);
	if (mode == SEAM_EX && seam_hold_upgrade(&c->held, &pg->e->lock) != SEAM_TRY_OK)
		return SEAM_OPERAND_BUSY | op;
	return 0;
}

u64 seam_pamt_walk(struct seam_ctx *c, u64 hpa, u32 level, enum seam_mode mode, u32 op,
		   struct seam_page *pg)
{
	struct seam *s = c->s;
	struct seam_pamt_1g *g = seam_pamt_gb_make(s, hpa);
	struct seam_pamt_2m *b;

	assert(g && level <= 2);
	*pg = (struct seam_page){
		.hpa = hpa & ~(SEAM_LEVEL_SIZE(2) - 1),
		.e = &g->e,
		.level = 2,
	};
	if (!hold(c, &g->e, SEAM_SH))
		return SEAM_OPERAND_BUSY | op;
	if (level == 2 || g->e.type == SEAM_PT_REG)
		return walk_ends(c, pg, mode, op);

	b = seam_pamt_block_make(s, hpa);
	*pg = (struct seam_page){
		.hpa = hpa & ~(SEAM_LEVEL_SIZE(1) - 1),
		.e = &b->e,
		.block = b,
		.level = 1,
	};
	if (!hold(c, &b->e, SEAM_SH))
		return SEAM_OPERAND_BUSY | op;
	if (level == 1 || b->e.type == SEAM_PT_REG)
		return walk_ends(c, pg, mode, op);
	/* No pair, no 4K entries: the walk ends here, as at a page (8.4 "Walk"). */
	if (s->dynamic_pamt && b->e.type == SEAM_PT_NDA)
		return walk_ends(c, pg, mode, op);

	*pg = (struct seam_page){
		.hpa = hpa & ~(SEAM_LEVEL_SIZE(0) - 1),
		.e = entry_4k_make(b, hpa),
		.block = b,
		.level = 0,
	};
	return hold(c, pg->e, mode) ? 0 : SEAM_OPERAND_BUSY | op;
}

u64 seam_phpa(struct seam_ctx *c, u64 hpa, u8 type, enum seam_mode mode, u32 op,
	      struct seam_page *pg)
{
	struct seam *s = c->s;
	bool no_pair;
	u64 st;

	assert(type != SEAM_PT_RSVD && type != SEAM_PT_PAMT);
	st = seam_hpa_check(s, hpa, 0, op);
	if (!st)
		st = seam_hpa_range_check(s, hpa, op);
	if (!st)
		st = seam_pamt_walk(c, hpa, 0, mode, op, pg);
	if (st)
		return st;

	no_pair = s->dynamic_pamt && pg->level == 1 && pg->e->type == SEAM_PT_NDA;
	if (no_pair && type == SEAM_PT_NDA)
		return SEAM_MISSING_PAMT_PAGE_PAIR | op;
	if (pg->level != 0 || pg->e->type != type)
		return SEAM_PAGE_METADATA_INCORRECT | op;
	if (s->dynamic_pamt && type == SEAM_PT_NDA && seam_bitmap_test(s, hpa))
		return SEAM_PAGE_METADATA_INCORRECT | op;
	return 0;
}

/* Nothing in the 2M block is described at 4K: without locks, as the module scans it (2.3). */
static bool block_is_free(const struct seam *s, const struct seam_pamt_2m *b)
{
	u32 first;

	if (!s->dynamic_pamt)
		return seam_pamt_all_nda(b->sub, &first);
	for (u32 i = 0; b->sub && i < RT_ARRAY_SIZE(b->sub->bitmap); i++) {
		if (b->sub->bitmap[i])
			return false;
	}
	return true;
}

u64 seam_phpa_free(struct seam_ctx *c, u64 hpa, u32 level, u32 op, struct seam_page *pg)
{
	struct seam *s = c->s;
	u64 st;

	if (level == 0)
		return seam_phpa(c, hpa, SEAM_PT_NDA, SEAM_EX, op, pg);

	assert(level == 1);
	st = seam_hpa_check(s, hpa, 1, op);
	if (!st)
		st = seam_hpa_range_check(s, hpa, op);
	if (!st)
		st = seam_pamt_walk(c, hpa, 1, SEAM_EX, op, pg);
	if (st)
		return st;
	seam_cost(s, SEAM_COST_READ_LINE, s->dynamic_pamt ? 1 : 128);
	if (pg->level != 1 || pg->e->type != SEAM_PT_NDA || !block_is_free(s, pg->block))
		return SEAM_PAGE_METADATA_INCORRECT | op;
	return 0;
}

u64 seam_pamt_implicit(struct seam_ctx *c, u64 hpa, u32 level, enum seam_mode mode, u32 op,
		       struct seam_page *pg)
{
	*pg = (struct seam_page){
		.hpa = hpa,
		.e = seam_pamt_at(c->s, hpa, level),
		.block = level < 2 ? seam_pamt_block_make(c->s, hpa) : NULL,
		.level = (u8)level,
	};
	assert(pg->e);
	return hold(c, pg->e, mode) ? 0 : SEAM_OPERAND_BUSY | op;
}

void seam_pamt_assign(struct seam *s, struct seam_page *pg, u8 type, u64 owner)
{
	struct seam_pamt_entry *e = pg->e;

	assert(type != SEAM_PT_NDA && e->type == SEAM_PT_NDA);
	rt_trace(&seam_ev_pamt, RT_PH_INSTANT, pg->hpa, pg->level, e->type, type, owner);
	assert(!(owner & (SEAM_LEVEL_SIZE(0) - 1)) && !(owner & ~seam_pa_mask(s)));
	if (s->dynamic_pamt && pg->level == 0) {
		assert(pg->block->sub->has_pair && pg->block->sub->count < SEPT_ENTRIES);
		pg->block->sub->count++;
	}
	e->type = type;
	seam_pamt_set_owner(e, owner);
	seam_cost(s, SEAM_COST_RMW_LINE, 1);
}

/*
 * What the module gives back may have lines of its key in the caches (2.5): of the TD's, or, a TDR,
 * of the module's own. Not once the key was freed: CACHE.WB came before.
 */
static void leave_lines(struct seam *s, const struct seam_page *pg)
{
	const struct seam_td *td;
	u32 key = s->cfg.hkid_global;

	if (pg->e->type != SEAM_PT_TDR) {
		td = seam_td_find(s, seam_pamt_owner(pg->e));
		if (!td || td->lifecycle == SEAM_TD_TEARDOWN)
			return;
		key = td->hkid;
	}
	if (!s->cfg.one_key)
		rt_phys_lines_left(pg->hpa, SEAM_LEVEL_PAGES(pg->level) * RT_PAGE_SIZE, key);
}

bool seam_pamt_unassign(struct seam *s, struct seam_page *pg)
{
	struct seam_pamt_entry *e = pg->e;

	assert(e->type != SEAM_PT_NDA);
	leave_lines(s, pg);
	rt_trace(&seam_ev_pamt, RT_PH_INSTANT, pg->hpa, pg->level, e->type, SEAM_PT_NDA,
		 seam_pamt_owner(e));
	e->type = SEAM_PT_NDA; /* the owner stays, and RDMD shows it (2.5) */
	seam_cost(s, SEAM_COST_RMW_LINE, 1);
	if (!s->dynamic_pamt || pg->level != 0)
		return false;
	assert(pg->block->sub->has_pair && pg->block->sub->count);
	return --pg->block->sub->count == 0;
}

bool seam_pamt_all_nda(const struct seam_pamt_4k *sub, u32 *first)
{
	for (u32 i = 0; sub && i < SEAM_PAMT_CHUNKS; i++) {
		const struct seam_pamt_entry *chunk = sub->chunk[i];

		*first = i * SEAM_PAMT_CHUNK;
		if (!chunk && sub->uniform.type != SEAM_PT_NDA)
			return false;
		for (u32 k = 0; chunk && k < SEAM_PAMT_CHUNK; k++, ++*first) {
			if (chunk[k].type != SEAM_PT_NDA)
				return false;
		}
	}
	return true;
}
