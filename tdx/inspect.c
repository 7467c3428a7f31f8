// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at the module without a call: S-EPT, TDs, VCPUs, PAMT, pairs, TLBs (tdx/inspect.h).
 * Nothing is changed here, nothing stored that was not. Holds are in inspect_lock.c, the
 * conservation checks in check.c.
 */
#include "tdx/inspect.h"

#include <assert.h>

#include "sim/rt/mix.h"
#include "tdx/access.h"
#include "tdx/internal.h"
#include "tdx/vcpu.h"

/* The TD's tables are there: all TDCX pages given, none of them reclaimed yet. */
static const struct seam_td *td_with_tables(const struct seam *s, u64 tdr)
{
	const struct seam_td *td = seam_td_find(s, tdr);
	bool usable = td && td->nr_tdcx >= SEAM_TDCX_MIN && td->lifecycle != SEAM_TD_TEARDOWN;

	return usable ? td : NULL;
}

static void view_sept(const struct seam *s, const struct seam_td *td, const struct seam_pos *p,
		      struct seam_sept_view *v)
{
	struct seam_pamt_entry e;

	*v = (struct seam_sept_view){
		.raw = *p->entry,
		.shown = seam_sept_shown(s, p->val),
		.level = p->level,
		.state = seam_sept_state(p->val),
		.leaf = seam_sept_is_leaf(p->val),
		.locked = *p->entry & SEPT_LOCK,
		.hp = *p->entry & SEPT_HP,
	};
	if (v->state != SEAM_SEPT_FREE && v->state != SEAM_SEPT_REMOVED)
		v->hpa = seam_sept_hpa(s, p->val, p->level);
	if (seam_state_any_blocked(v->state)) {
		seam_pamt_peek(s, v->hpa, v->leaf ? v->level : 0, &e);
		v->tracked = seam_epoch_tracked(td, e.bepoch);
	}
}

bool seam_look_sept(const struct seam *s, u64 tdr, u64 gpa, u8 level, struct seam_sept_view *v)
{
	const struct seam_td *td = td_with_tables(s, tdr);
	struct seam_pos p;

	if (!td || level > seam_sept_top(td))
		return false;
	seam_sept_walk(s, td, 0, gpa, level, &p);
	view_sept(s, td, &p, v);
	return true;
}

struct sept_visit {
	const struct seam *s;
	const struct seam_td *td;
	u64 gpa, last; /* inclusive */
	bool (*fn)(void *ctx, u64 gpa, const struct seam_sept_view *v);
	void *ctx;
};

static bool visit_table(const struct sept_visit *w, u64 table_hpa, u32 level, u64 base)
{
	u64 *table = seam_sept_table(w->s, w->td, table_hpa);
	u64 size = SEAM_LEVEL_SIZE(level);
	u64 first = w->gpa > base ? (w->gpa - base) / size : 0;

	for (u64 i = first; i < SEPT_ENTRIES && base + i * size <= w->last; i++) {
		struct seam_pos p = {
			.entry = &table[i],
			.gpa = base + i * size,
			.level = (u8)level,
		};
		struct seam_sept_view v;

		/* Most are, and neither locked nor waited for. */
		if (table[i] == SEPT_FREE_VALUE)
			continue;
		seam_sept_reread(&p);
		if (p.val == SEPT_FREE_VALUE)
			continue;
		view_sept(w->s, w->td, &p, &v);
		if (!w->fn(w->ctx, p.gpa, &v))
			return false;
		if (level && !v.leaf && v.hpa && !visit_table(w, v.hpa, level - 1, p.gpa))
			return false;
	}
	return true;
}

void seam_for_each_sept(const struct seam *s, u64 tdr, u64 gpa, u64 size,
			bool (*fn)(void *ctx, u64 gpa, const struct seam_sept_view *v), void *ctx)
{
	struct sept_visit w = {
		.s = s,
		.td = td_with_tables(s, tdr),
		.gpa = gpa,
		.last = size && gpa + size - 1 >= gpa ? gpa + size - 1 : ~0ULL,
		.fn = fn,
		.ctx = ctx,
	};

	if (w.td && size)
		visit_table(&w, w.td->tdcx[SEAM_TDCX_SEPT], seam_sept_top(w.td), 0);
}

bool seam_look_td(const struct seam *s, u64 tdr, struct seam_td_view *v)
{
	const struct seam_td *td = seam_td_find(s, tdr);

	if (!td)
		return false;
	*v = (struct seam_td_view){
		.lifecycle = td->lifecycle,
		.fatal = td->fatal,
		.tdcs_ready =
			td->nr_tdcx >= SEAM_TDCX_MIN && td->lifecycle <= SEAM_TD_KEYS_CONFIGURED,
		.hkid = td->hkid,
		.child_count = td->child_count,
		.tdcx = td->nr_tdcx,
		.vcpus = td->nr_vcpus,
		.assoc = td->nr_assoc,
		.opstate = td->opstate,
		.epoch = td->epoch,
		.refcount = {td->refcount[0], td->refcount[1]},
		.blocked = td->blocked_pages,
		.pending_blocked = td->pending_blocked_pages,
	};
	return true;
}

bool seam_look_vcpu(const struct seam *s, u64 tdvpr, struct seam_vcpu_view *v)
{
	const struct seam_vcpu *vcpu = seam_vcpu_get(s, tdvpr);

	if (!vcpu)
		return false;
	*v = (struct seam_vcpu_view){
		.state = vcpu->state,
		.assoc = vcpu->assoc,
		.epoch = vcpu->epoch,
		.pages = vcpu->pages,
		.in_guest = seam_vcpu_running(s, vcpu),
		.tdr = vcpu->tdr,
	};
	return true;
}

static void view_pamt(const struct seam_pamt_entry *e, u32 level, struct seam_pamt_view *v)
{
	*v = (struct seam_pamt_view){
		.type = e->type,
		.level = (u8)level,
		.owner = seam_pamt_owner(e),
		.bepoch = e->bepoch,
		.lock_word = e->lock,
	};
}

bool seam_look_pamt(const struct seam *s, u64 hpa, struct seam_pamt_view *v)
{
	struct seam_pamt_entry e;

	if (!seam_pamt_peek(s, hpa, 2, &e))
		return false;
	view_pamt(&e, 2, v);
	if (e.type == SEAM_PT_REG)
		return true;
	seam_pamt_peek(s, hpa, 1, &e);
	view_pamt(&e, 1, v);
	if (e.type == SEAM_PT_REG)
		return true;
	if (s->dynamic_pamt && seam_bitmap_test(s, hpa)) {
		*v = (struct seam_pamt_view){.type = SEAM_PT_PAMT};
		return true;
	}
	if (seam_pamt_peek(s, hpa, 0, &e))
		view_pamt(&e, 0, v);
	return true;
}

struct pamt_visit {
	bool (*fn)(void *ctx, u64 hpa, const struct seam_pamt_view *v);
	void *ctx;
};

static bool visit_entry(const struct pamt_visit *w, const struct seam_pamt_entry *e, u32 level,
			u64 hpa)
{
	struct seam_pamt_view v;

	if (e->type == SEAM_PT_NDA || e->type == SEAM_PT_PAMT)
		return true;
	view_pamt(e, level, &v);
	return w->fn(w->ctx, hpa, &v);
}

static bool visit_4k(const struct pamt_visit *w, const struct seam_pamt_4k *sub, u64 base)
{
	for (u32 i = 0; i < SEPT_ENTRIES; i++) {
		const struct seam_pamt_entry *chunk = sub->chunk[i / SEAM_PAMT_CHUNK];
		const struct seam_pamt_entry *e = &sub->uniform;

		if (chunk)
			e = &chunk[i % SEAM_PAMT_CHUNK];
		if (!visit_entry(w, e, 0, base + i * SEAM_LEVEL_SIZE(0)))
			return false;
	}
	return true;
}

static bool visit_gb(const struct pamt_visit *w, const struct seam_pamt_1g *g, u64 base)
{
	if (!visit_entry(w, &g->e, 2, base))
		return false;
	for (u32 i = 0; i < SEPT_ENTRIES; i++) {
		const struct seam_pamt_2m *group = g->group[i / SEAM_PAMT_GROUP];
		const struct seam_pamt_2m *b = group ? &group[i % SEAM_PAMT_GROUP] : NULL;
		u64 hpa = base + i * SEAM_LEVEL_SIZE(1);

		if (!b) {
			i |= SEAM_PAMT_GROUP - 1;
			continue;
		}
		if (!visit_entry(w, &b->e, 1, hpa) || (b->sub && !visit_4k(w, b->sub, hpa)))
			return false;
	}
	return true;
}

void seam_for_each_pamt(const struct seam *s,
			bool (*fn)(void *ctx, u64 hpa, const struct seam_pamt_view *v), void *ctx)
{
	struct pamt_visit w = {fn, ctx};

	for (u32 i = 0; i < s->nr_tdmr; i++) {
		const struct seam_tdmr *t = &s->tdmr[i];

		for (u64 k = 0; k < t->size >> SEAM_LEVEL_SHIFT(2); k++) {
			if (t->gb[k] && !visit_gb(&w, t->gb[k], t->base + k * SEAM_LEVEL_SIZE(2)))
				return;
		}
	}
}

struct owned {
	u64 tdr, pages;
};

static bool add_owned(void *ctx, u64 hpa, const struct seam_pamt_view *v)
{
	struct owned *o = ctx;

	if (v->type != SEAM_PT_TDR && v->type != SEAM_PT_RSVD && v->owner == o->tdr)
		o->pages += SEAM_LEVEL_PAGES(v->level);
	return true;
}

u64 seam_count_owned(const struct seam *s, u64 tdr)
{
	struct owned o = {.tdr = tdr};

	seam_for_each_pamt(s, add_owned, &o);
	return o.pages;
}

bool seam_look_pair(const struct seam *s, u64 hpa, struct seam_pair_view *v)
{
	const struct seam_pamt_2m *b = seam_pamt_block(s, hpa);
	struct seam_pamt_entry e;

	if (!seam_pamt_in_range(s, hpa) || !seam_pamt_peek(s, hpa, 1, &e))
		return false;
	*v = (struct seam_pair_view){
		.type = e.type,
		.bit = seam_bitmap_test(s, hpa),
	};
	if (b && b->sub && b->sub->has_pair) {
		v->has_pair = true;
		v->count = b->sub->count;
		v->hpa0 = b->sub->pair[0];
		v->hpa1 = b->sub->pair[1];
	}
	return true;
}

struct pair_visit {
	const struct seam *s;
	bool (*fn)(void *ctx, u64 hpa, const struct seam_pair_view *v);
	void *ctx;
};

static bool visit_pairs_of_gb(const struct pair_visit *w, const struct seam_pamt_1g *g, u64 base)
{
	for (u32 i = 0; i < SEPT_ENTRIES; i++) {
		const struct seam_pamt_2m *group = g->group[i / SEAM_PAMT_GROUP];
		const struct seam_pamt_2m *b = group ? &group[i % SEAM_PAMT_GROUP] : NULL;
		u64 hpa = base + i * SEAM_LEVEL_SIZE(1);
		struct seam_pair_view v;

		if (b && b->sub && b->sub->has_pair && seam_look_pair(w->s, hpa, &v) &&
		    !w->fn(w->ctx, hpa, &v))
			return false;
	}
	return true;
}

void seam_for_each_pair(const struct seam *s,
			bool (*fn)(void *ctx, u64 hpa, const struct seam_pair_view *v), void *ctx)
{
	const struct pair_visit w = {s, fn, ctx};

	for (u32 i = 0; i < s->nr_tdmr; i++) {
		const struct seam_tdmr *t = &s->tdmr[i];

		for (u64 k = 0; k < t->size >> SEAM_LEVEL_SHIFT(2); k++) {
			if (t->gb[k] &&
			    !visit_pairs_of_gb(&w, t->gb[k], t->base + k * SEAM_LEVEL_SIZE(2)))
				return;
		}
	}
}

void seam_for_each_tlb(const struct seam *s, u64 tdvpr,
		       bool (*fn)(void *ctx, const struct seam_tlb_view *v), void *ctx)
{
	const struct seam_vcpu *vcpu = seam_vcpu_get(s, tdvpr);
	const struct seam_td *td = vcpu ? seam_td_find(s, vcpu->tdr) : NULL;

	for (u32 i = 0; vcpu && i < vcpu->tlb.nr; i++) {
		const struct seam_tlb_entry *e = &vcpu->tlb.e[i];
		struct seam_tlb_view v = {
			.gpa = e->gpa,
			.hpa = e->hpa,
			.level = e->level,
			.shared = e->shared,
			.stale = seam_tlb_stale(s, td, e),
		};

		if (!fn(ctx, &v))
			return;
	}
}

void seam_for_each_counter(const struct seam *s, void (*fn)(void *ctx, const void *p, size_t len),
			   void *ctx)
{
	/* Calls, entries, costs, and whose work it is now: the clock's place follows. */
	fn(ctx, s->nr_calls, offsetof(struct seam, clock) - offsetof(struct seam, nr_calls));
	for (u32 i = 0; i < SEAM_TD_BUCKETS; i++) {
		for (const struct seam_td *td = s->td[i]; td; td = td->next) {
			for (const struct seam_vcpu *v = td->vcpus; v; v = v->next) {
				/* Where it is (seam_look_steps()), and the monitor trap's. */
				fn(ctx, &v->rip,
				   offsetof(struct seam_vcpu, epf) -
					   offsetof(struct seam_vcpu, rip));
				fn(ctx, &v->hp_since, sizeof(v->hp_since));
			}
		}
	}
}

u64 seam_look_steps(const struct seam *s)
{
	u64 all = 0;

	for (u32 i = 0; i < SEAM_TD_BUCKETS; i++) {
		for (const struct seam_td *td = s->td[i]; td; td = td->next) {
			for (const struct seam_vcpu *v = td->vcpus; v; v = v->next) {
				u64 moved = v->rip - v->last_rip;
				/* An entry before the newest event is as good as any other. */
				u64 entered = v->entry_rip < v->last_rip
						      ? ~0ULL
						      : v->entry_rip - v->last_rip;

				all = rt_mix(rt_mix(all + moved) + entered);
			}
		}
	}
	return all;
}
