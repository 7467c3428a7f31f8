// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conservation checks of tdx-module.md 10: what must hold between calls, whatever was called.
 * They look at everything, so they cost what is mapped; tests and oracles run them at quiet points.
 */
#include <stdio.h>

#include "tdx/inspect.h"
#include "tdx/internal.h"
#include "tdx/vcpu.h"

#define BROKEN(...)                              \
	do {                                     \
		snprintf(why, len, __VA_ARGS__); \
		return false;                    \
	} while (0)

struct blocked_count {
	u64 mapped, pending; /* 4K units */
};

static bool count_blocked(void *ctx, u64 gpa, const struct seam_sept_view *v)
{
	struct blocked_count *n = ctx;

	(void)gpa;
	if (v->state == SEAM_SEPT_BLOCKED)
		n->mapped += SEAM_LEVEL_PAGES(v->level);
	else if (v->state == SEAM_SEPT_PENDING_BLOCKED)
		n->pending += SEAM_LEVEL_PAGES(v->level);
	return true;
}

/* Profile blocked_counters (8.2). A TD on its way out has no tables to count in. */
static bool check_blocked(const struct seam *s, const struct seam_td *td, char *why, size_t len)
{
	struct blocked_count n = {0, 0};

	if (!s->f.blocked_counters || td->lifecycle != SEAM_TD_KEYS_CONFIGURED || !td->epoch)
		return true;
	seam_for_each_sept(s, td->tdr, 0, ~0ULL, count_blocked, &n);
	if (n.mapped != td->blocked_pages || n.pending != td->pending_blocked_pages)
		BROKEN("TD %#llx: %llu + %llu pages counted as blocked, %llu + %llu are", td->tdr,
		       td->blocked_pages, td->pending_blocked_pages, n.mapped, n.pending);
	return true;
}

/* A rule about one TD: counts against what they count. */
static bool check_td(const struct seam *s, const struct seam_td *td, char *why, size_t len)
{
	u64 owned = seam_count_owned(s, td->tdr);
	u32 running[2] = {0, 0}, assoc = 0;

	if (owned != td->child_count)
		BROKEN("TD %#llx: child count %llu, but the PAMT has %llu of its pages", td->tdr,
		       td->child_count, owned);
	for (const struct seam_vcpu *v = td->vcpus; v; v = v->next) {
		if (seam_vcpu_running(s, v))
			running[v->epoch & 1]++;
		if (v->assoc != SEAM_LP_NONE)
			assoc++;
	}
	if (assoc != td->nr_assoc)
		BROKEN("TD %#llx: %u VCPUs counted as associated, %u are", td->tdr, td->nr_assoc,
		       assoc);
	/* A dead TD's exits leave counts up for good (3.5). */
	for (u32 i = 0; !td->fatal && i < 2; i++) {
		if (running[i] != td->refcount[i])
			BROKEN("TD %#llx: REFCOUNT[%u] is %u, %u VCPUs of that parity run", td->tdr,
			       i, td->refcount[i], running[i]);
	}
	return check_blocked(s, td, why, len);
}

static bool no_calls_under_way(const struct seam *s)
{
	for (u32 i = 0; i < s->cfg.lps; i++) {
		if (s->lp[i].in_guest)
			return false;
	}
	return !s->in_flight && !s->nr_holds;
}

static bool check_td_locks(const struct seam_td *td, char *why, size_t len)
{
	u16 tree = td->tree_lock & ~SEAM_WORD_HP, ops = td->opstate_lock & ~SEAM_WORD_HP;

	if (tree || ops || td->epoch_lock)
		BROKEN("TD %#llx: a lock is left: tree %#x, OP_STATE %#x, epoch %#x", td->tdr,
		       td->tree_lock, td->opstate_lock, td->epoch_lock);
	return true;
}

struct pamt_check {
	const struct seam *s;
	bool locks; /* none may be held */
	u64 pairs, bits;
	char *why;
	size_t len;
};

static bool check_lock(const struct pamt_check *k, const struct seam_pamt_entry *e, u64 hpa,
		       u32 level)
{
	char *why = k->why;
	size_t len = k->len;

	if (k->locks && (e->lock & ~SEAM_WORD_HP))
		BROKEN("PAMT entry of %#llx, level %u: lock word %#x is left", hpa, level, e->lock);
	return true;
}

static bool check_pair(struct pamt_check *k, const struct seam_pamt_4k *sub, u64 hpa, u32 assigned)
{
	char *why = k->why;
	size_t len = k->len;

	for (u32 i = 0; i < RT_ARRAY_SIZE(sub->bitmap); i++)
		k->bits += (u64)__builtin_popcountll(sub->bitmap[i]);
	if (!sub->has_pair)
		return true;
	k->pairs++;
	if (sub->count != assigned)
		BROKEN("pair of %#llx: page count %u, %u entries are assigned", hpa, sub->count,
		       assigned);
	for (u32 i = 0; i < 2; i++) {
		struct seam_pamt_entry e;

		if (!seam_bitmap_test(k->s, sub->pair[i]))
			BROKEN("pair of %#llx: page %#llx has no bitmap bit", hpa, sub->pair[i]);
		if (seam_pamt_peek(k->s, sub->pair[i], 0, &e) && e.type != SEAM_PT_NDA)
			BROKEN("pair of %#llx: page %#llx is assigned, type %u", hpa, sub->pair[i],
			       e.type);
	}
	return true;
}

static bool check_block(struct pamt_check *k, const struct seam_pamt_2m *b, u64 hpa, bool in_1g)
{
	char *why = k->why;
	size_t len = k->len;
	u32 assigned = 0;

	if (!check_lock(k, &b->e, hpa, 1))
		return false;
	if (in_1g && b->e.type != SEAM_PT_NDA)
		BROKEN("%#llx is described at 1G and, as type %u, at 2M", hpa, b->e.type);
	for (u32 i = 0; b->sub && i < SEPT_ENTRIES; i++) {
		const struct seam_pamt_entry *chunk = b->sub->chunk[i / SEAM_PAMT_CHUNK];
		const struct seam_pamt_entry *e = &b->sub->uniform;

		if (chunk)
			e = &chunk[i % SEAM_PAMT_CHUNK];
		if (!check_lock(k, e, hpa + i * SEAM_LEVEL_SIZE(0), 0))
			return false;
		assigned += e->type != SEAM_PT_NDA;
	}
	if (assigned && (in_1g || b->e.type == SEAM_PT_REG))
		BROKEN("%#llx is one large page, but %u of its 4K entries are not NDA", hpa,
		       assigned);
	return b->sub ? check_pair(k, b->sub, hpa, assigned) : true;
}

static bool check_pamt(struct pamt_check *k)
{
	for (u32 i = 0; i < k->s->nr_tdmr; i++) {
		const struct seam_tdmr *t = &k->s->tdmr[i];

		for (u64 hpa = t->base; hpa - t->base < t->size; hpa += SEAM_LEVEL_SIZE(2)) {
			const struct seam_pamt_1g *g = seam_pamt_gb(k->s, hpa);

			if (g && !check_lock(k, &g->e, hpa, 2))
				return false;
			for (u32 m = 0; g && m < SEPT_ENTRIES; m++) {
				u64 at = hpa + m * SEAM_LEVEL_SIZE(1);
				const struct seam_pamt_2m *group = g->group[m / SEAM_PAMT_GROUP];

				if (!group)
					m |= SEAM_PAMT_GROUP - 1;
				else if (!check_block(k, &group[m % SEAM_PAMT_GROUP], at,
						      g->e.type == SEAM_PT_REG))
					return false;
			}
		}
	}
	return true;
}

bool seam_check(const struct seam *s, char *why, size_t len)
{
	struct pamt_check k = {
		.s = s,
		.locks = no_calls_under_way(s),
		.why = why,
		.len = len,
	};

	for (u32 i = 0; i < SEAM_TD_BUCKETS; i++) {
		for (const struct seam_td *td = s->td[i]; td; td = td->next) {
			if (!s->in_flight && !check_td(s, td, why, len))
				return false;
			if (k.locks && !check_td_locks(td, why, len))
				return false;
		}
	}
	if (s->in_flight)
		return true;
	if (!check_pamt(&k))
		return false;
	if (s->dynamic_pamt && k.bits != 2 * k.pairs + s->reserved_pages)
		BROKEN("%llu bitmap bits are set, %llu pairs and %llu reserved pages exist", k.bits,
		       k.pairs, s->reserved_pages);
	return true;
}
