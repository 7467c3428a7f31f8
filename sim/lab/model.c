// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference model: ranges of accepted pages, words that were written, and the losses that
 * running actions are entitled to.
 */
#include "sim/lab/model.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "mmu/kvm_policy.h"
#include "sim/rt/lock.h"
#include "sim/rt/world.h"
#include "tdx/inspect.h"

/* Page frames [start, end). */
struct range {
	u64 start, end;
};

/* Invariant: sorted, disjoint, not touching. */
struct ranges {
	struct range *r;
	u32 nr, cap;
};

struct word {
	u64 addr; /* 8-aligned gpa; shared words have bit 0 set */
	u64 val;
};
#define WORD_SHARED 1ULL

struct loss {
	u64 start, end; /* frames asked for */
	u64 done_end;	/* frames in front of it are done */
	enum lab_loss why;
	u32 actor; /* who does it: two may begin at one place */
	bool ended;
	int ret;
};

struct lab_model {
	struct ranges accepted;
	struct ranges used; /* pages that somebody has accepted or written since they came */
	struct word *word;  /* in order of first writing */
	u32 nr_words, cap_words;
	struct loss *loss; /* since the last quiescent point */
	u32 nr_losses, cap_losses;
};

struct lab_model *lab_model_new(void)
{
	return rt_zalloc(sizeof(struct lab_model));
}

void lab_model_clear(struct lab_model *model)
{
	model->accepted.nr = 0;
	model->used.nr = 0;
	model->nr_words = 0;
	model->nr_losses = 0;
}

static void *room(void *p, u32 *cap, u32 need, size_t size)
{
	if (need <= *cap)
		return p;
	*cap = *cap ? 2 * *cap : 8;
	return rt_realloc(p, *cap * size);
}

/* First range that ends behind @gfn. */
static u32 range_at(const struct ranges *rs, u64 gfn)
{
	u32 lo = 0, hi = rs->nr;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (rs->r[mid].end <= gfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void range_insert(struct ranges *rs, u32 at, struct range r)
{
	rs->r = room(rs->r, &rs->cap, rs->nr + 1, sizeof(*rs->r));
	memmove(&rs->r[at + 1], &rs->r[at], (rs->nr - at) * sizeof(*rs->r));
	rs->r[at] = r;
	rs->nr++;
}

static void range_remove(struct ranges *rs, u32 at)
{
	memmove(&rs->r[at], &rs->r[at + 1], (rs->nr - at - 1) * sizeof(*rs->r));
	rs->nr--;
}

static void ranges_cut(struct ranges *rs, u64 start, u64 end)
{
	u32 i = range_at(rs, start);

	while (i < rs->nr && rs->r[i].start < end) {
		struct range old = rs->r[i];

		if (old.start < start && old.end > end) {
			rs->r[i].end = start;
			range_insert(rs, i + 1, (struct range){end, old.end});
			return;
		}
		if (old.start < start) {
			rs->r[i++].end = start;
		} else if (old.end > end) {
			rs->r[i].start = end;
			return;
		} else {
			range_remove(rs, i);
		}
	}
}

static void ranges_add(struct ranges *rs, u64 start, u64 end)
{
	u32 i;

	ranges_cut(rs, start, end);
	i = range_at(rs, start);
	range_insert(rs, i, (struct range){start, end});
	if (i + 1 < rs->nr && rs->r[i + 1].start == end) {
		rs->r[i].end = rs->r[i + 1].end;
		range_remove(rs, i + 1);
	}
	if (i && rs->r[i - 1].end == rs->r[i].start) {
		rs->r[i - 1].end = rs->r[i].end;
		range_remove(rs, i);
	}
}

/*
 * With the shared words: behind an action. A private page that is accepted still was left alone by
 * it, a conversion to what the page was already: its words stay.
 */
static void forget_words(struct lab_model *model, u64 start, u64 end, bool shared_too)
{
	u32 n = 0;

	for (u32 i = 0; i < model->nr_words; i++) {
		struct word w = model->word[i];
		bool in = w.addr >> 12 >= start && w.addr >> 12 < end;
		bool shared = w.addr & WORD_SHARED;

		if (!in || (shared && !shared_too) ||
		    (!shared && shared_too && lab_model_is_accepted(model, w.addr)))
			model->word[n++] = w;
	}
	model->nr_words = n;
}

static struct word *find_word(struct lab_model *model, u64 gpa, bool shared)
{
	u64 addr = (gpa & ~7ULL) | (shared ? WORD_SHARED : 0);

	for (u32 i = 0; i < model->nr_words; i++) {
		if (model->word[i].addr == addr)
			return &model->word[i];
	}
	return NULL;
}

bool lab_model_word(const struct lab_model *model, u32 i, u64 *gpa, bool *shared, u64 *val)
{
	if (i >= model->nr_words)
		return false;
	*gpa = model->word[i].addr & ~7ULL;
	*shared = model->word[i].addr & WORD_SHARED;
	*val = model->word[i].val;
	return true;
}

static void set_word(struct lab_model *model, u64 gpa, bool shared, u64 val)
{
	struct word *w = find_word(model, gpa, shared);

	if (!w) {
		model->word = room(model->word, &model->cap_words, model->nr_words + 1,
				   sizeof(*model->word));
		w = &model->word[model->nr_words++];
		w->addr = (gpa & ~7ULL) | (shared ? WORD_SHARED : 0);
	}
	w->val = val;
}

void lab_model_accepted(struct lab_model *model, u64 gpa, u64 size)
{
	ranges_add(&model->accepted, gpa >> 12, (gpa + size) >> 12);
	ranges_add(&model->used, gpa >> 12, (gpa + size) >> 12);
	forget_words(model, gpa >> 12, (gpa + size) >> 12, false);
}

bool lab_model_is_accepted(const struct lab_model *model, u64 gpa)
{
	u32 i = range_at(&model->accepted, gpa >> 12);

	return i < model->accepted.nr && model->accepted.r[i].start <= gpa >> 12;
}

void lab_model_begin(struct lab_model *model, u64 gpa, u64 size, enum lab_loss why)
{
	struct loss *l;

	model->loss =
		room(model->loss, &model->cap_losses, model->nr_losses + 1, sizeof(*model->loss));
	l = &model->loss[model->nr_losses++];
	*l = (struct loss){.start = gpa >> 12,
			   .end = (gpa + size + 4095) >> 12,
			   .done_end = gpa >> 12,
			   .why = why,
			   .actor = rt_actor_id(rt_actor_current())};
}

void lab_model_end(struct lab_model *model, u64 gpa, u64 size, int ret)
{
	for (u32 i = model->nr_losses; i--;) {
		struct loss *l = &model->loss[i];

		if (l->ended || l->start != gpa >> 12 ||
		    l->actor != rt_actor_id(rt_actor_current()))
			continue;
		l->ended = true;
		l->done_end = l->start + (size >> 12);
		l->ret = ret;
		return;
	}
}

/*
 * An action since the last quiescent point was entitled to touch the page: what it holds now is not
 * judged.
 */
static bool disputed(const struct lab_model *model, u64 gfn)
{
	for (u32 i = 0; i < model->nr_losses; i++) {
		const struct loss *l = &model->loss[i];

		if (l->why == LAB_LOSS_POISON || (gfn >= l->start && gfn < l->end))
			return true;
	}
	return false;
}

static void check_private(struct lab_machine *m, struct lab_actor *v, u64 gpa,
			  const struct seam_access *a)
{
	struct lab_model *model = v->td->model;
	struct word *w = find_word(model, gpa, false);
	u64 want = w ? w->val : 0;

	if (a->integrity)
		rt_report("no-data-loss", "%s touches 0x%llx, which holds data of another key",
			  v->name, gpa);
	else if (a->kind == SEAM_READ && lab_model_is_accepted(model, gpa) &&
		 !disputed(model, gpa >> 12) && a->data != want)
		rt_report("no-data-loss", "%s reads 0x%llx at 0x%llx, where the guest %s 0x%llx",
			  v->name, a->data, gpa, w ? "wrote" : "accepted, so has", want);
}

/*
 * A cached translation may go on being used between BLOCK and the kick: the tables show the entry
 * blocked then. One of shared memory, between the zap and the flush: both lie in one section of
 * mmu_lock. Anything else that the tables no longer say is a missing TRACK, kick or flush (R22).
 */
static void check_stale(struct lab_machine *m, struct lab_actor *v, u64 gpa, bool shared)
{
	struct seam_sept_view e;
	bool blocked = !shared && seam_look_sept(m->seam, kvm_tdr(v->td->kvm), gpa, 0, &e) &&
		       (e.state == SEAM_SEPT_BLOCKED || e.state == SEAM_SEPT_PENDING_BLOCKED ||
			e.state == SEAM_SEPT_NL_BLOCKED);
	bool zapping = shared && kvm_mmu_locked(v->td->kvm) == 2;

	if (!blocked && !zapping)
		rt_report("no-stale-translation",
			  "%s reaches 0x%llx through a translation that the tables no longer give",
			  v->name, gpa);
}

void lab_model_guest_access(struct lab_machine *m, struct lab_actor *v, u64 gpa, bool shared,
			    const struct seam_access *a)
{
	if (a->stale)
		check_stale(m, v, gpa, shared);
	if (!shared)
		check_private(m, v, gpa, a);
	else if (a->kind == SEAM_READ && !m->parallel)
		lab_model_host_access(m, v->td, gpa, false, a->data);
	if (a->kind == SEAM_WRITE) {
		set_word(v->td->model, gpa, shared, a->data);
		ranges_add(&v->td->model->used, gpa >> 12, (gpa >> 12) + 1);
	}
}

void lab_model_host_access(struct lab_machine *m, struct lab_td *td, u64 gpa, bool write, u64 val)
{
	struct word *w = find_word(td->model, gpa, true);
	const struct ranges *used = &td->model->used;
	u32 i = range_at(used, gpa >> 12);

	if (!m->parallel && !lab_vm_attrs(m->su) && lab_is_private(m, td, gpa))
		rt_report("host-sees-no-private", "the host reaches 0x%llx, which is private", gpa);
	if (write)
		set_word(td->model, gpa, true, val);
	else if (w && !m->parallel && w->val != val)
		rt_report("no-data-loss",
			  "shared memory at 0x%llx reads 0x%llx, but 0x%llx was written", gpa, val,
			  w->val);
	else if (val && !m->parallel && (i >= used->nr || used->r[i].start > gpa >> 12))
		rt_report("no-stale-data", "0x%llx reads 0x%llx, and nobody has written there", gpa,
			  val);
	if (write)
		ranges_add(&td->model->used, gpa >> 12, (gpa >> 12) + 1);
}

/*
 * A P1 flow without a split step zaps whole leaves, and so does ZAP_FOLIO on memory failure: known,
 * and counted (R29).
 */
static bool overzap_is_design(const struct lab_machine *m, const struct lab_td *td,
			      const struct lab_model *model)
{
	for (u32 i = 0; i < model->nr_losses; i++) {
		u64 gpa = model->loss[i].start << 12;
		u32 slot = lab_setup_slot_at(m->su, td->index, gpa);
		const char *flow;

		if (slot == LAB_SLOTS)
			continue;
		flow = lab_gmem_policy(&m->su->gmem[m->su->slot[slot].gmem], "conv_order");
		if (model->loss[i].why == LAB_LOSS_POISON)
			return true;
		if (flow &&
		    (!strcmp(flow, "BASE") || !strcmp(flow, "PLAN7") || !strcmp(flow, "ROLLBACK")))
			return true;
	}
	return false;
}

/*
 * Under these flows, and where the zap itself splits, a failed call may leave the range unmapped
 * (I10, weak form); so may several ranges by KVM's ioctl (R31).
 */
static bool failure_may_unmap(const struct lab_machine *m, const struct lab_td *td,
			      const struct loss *l)
{
	u32 slot = lab_setup_slot_at(m->su, td->index, l->start << 12);
	const struct lab_gmem_setup *g;
	const char *flow;

	/* Where a zap may fail, leaves in front of the one that was refused are gone (P10). */
	if (lab_vm_attrs(m->su) || !l->ended ||
	    m->su->kvm_policy[KVM_POLICY_ZAP_ERROR] == KVM_ZAP_ERROR_RETURN)
		return true;
	if (slot == LAB_SLOTS)
		return false;
	g = &m->su->gmem[m->su->slot[slot].gmem];
	flow = lab_gmem_policy(g, "conv_order");
	return !strcmp(flow, "ZAP_FIRST") || !strcmp(flow, "ROLLBACK") ||
	       !strcmp(flow, "ARCH_PREZAP_ZAP_FIRST") ||
	       !strcmp(lab_gmem_policy(g, "split_api"), "IN_ZAP");
}

enum verdict {
	LOST_AS_ASKED,
	LOST_BY_FAILURE,
	LOST_BY_DESIGN,
	LOST
};

/* A conversion or a hole that fails takes nothing behind the place where it stopped (I10). */
static bool must_keep(const struct loss *l)
{
	return l->why == LAB_LOSS_CONVERT || l->why == LAB_LOSS_PUNCH;
}

static enum verdict judge(const struct lab_machine *m, const struct lab_td *td, u64 gfn)
{
	const struct lab_model *model = td->model;
	enum verdict v = overzap_is_design(m, td, model) ? LOST_BY_DESIGN : LOST;

	for (u32 i = 0; i < model->nr_losses; i++) {
		const struct loss *l = &model->loss[i];

		if (gfn < l->start || gfn >= l->end)
			continue;
		if (!must_keep(l) || gfn < l->done_end || !l->ret)
			return LOST_AS_ASKED;
		if (failure_may_unmap(m, td, l))
			v = LOST_BY_FAILURE;
	}
	return v;
}

struct settle {
	struct lab_machine *m;
	struct lab_td *td;
	struct ranges mapped;
};

static bool add_mapped(void *ctx, u64 gpa, const struct seam_sept_view *v)
{
	struct settle *s = ctx;
	/* A blocked entry still has its page: contents are not lost yet. */
	bool holds = v->leaf && (v->state == SEAM_SEPT_MAPPED || v->state == SEAM_SEPT_BLOCKED);

	if (holds)
		ranges_add(&s->mapped, gpa >> 12, (gpa >> 12) + (1ULL << 9 * v->level));
	return true;
}

/*
 * Pages of [start, end) that are gone: count and forget them. False if one of them was nobody's to
 * take.
 */
static bool settle_lost(struct settle *s, u64 start, u64 end, char *why, size_t len)
{
	bool held = true;

	for (u64 gfn = start; gfn < end; gfn++) {
		enum verdict v = judge(s->m, s->td, gfn);

		if (v != LOST_AS_ASKED)
			s->m->reaccept_pages++;
		if (v != LOST || !held)
			continue;
		held = false;
		snprintf(
			why, len,
			"the accepted page at 0x%llx%s lost its contents, and no action asked for it",
			gfn << 12, end - start > 1 ? ", with others," : "");
	}
	ranges_cut(&s->td->model->accepted, start, end);
	forget_words(s->td->model, start, end, false);
	return held;
}

static bool settle_range(struct settle *s, struct range r, char *why, size_t len)
{
	bool held = true;
	u64 at = r.start;

	s->mapped.nr = 0;
	seam_for_each_sept(s->m->seam, kvm_tdr(s->td->kvm), r.start << 12, (r.end - r.start) << 12,
			   add_mapped, s);
	for (u32 i = 0; i < s->mapped.nr && at < r.end; i++) {
		struct range got = s->mapped.r[i];

		if (got.start > at)
			held &= settle_lost(s, at, got.start < r.end ? got.start : r.end, why, len);
		at = got.end > at ? got.end : at;
	}
	if (at < r.end)
		held &= settle_lost(s, at, r.end, why, len);
	return held;
}

/*
 * Outside of what a conversion or a hole asked for it is an imprecise zap (R29); with neither it is
 * plain loss.
 */
static const char *loss_rule(const struct lab_model *model)
{
	for (u32 i = 0; i < model->nr_losses; i++) {
		if (model->loss[i].why == LAB_LOSS_CONVERT || model->loss[i].why == LAB_LOSS_PUNCH)
			return "precise-zap";
	}
	return "no-data-loss";
}

const char *lab_model_settle(struct lab_machine *m, struct lab_td *td, char *why, size_t len)
{
	const char *rule = loss_rule(td->model);
	struct lab_model *model = td->model;
	struct settle s = {m, td, {0}};
	struct range *copy;
	bool held = true;
	u32 nr = model->accepted.nr;

	copy = rt_alloc((nr ? nr : 1) * sizeof(*copy));
	if (nr)
		memcpy(copy, model->accepted.r, nr * sizeof(*copy));
	for (u32 i = 0; i < nr && td->kvm; i++)
		held &= settle_range(&s, copy[i], why, len);
	rt_free(copy);
	rt_free(s.mapped.r);
	/*
	 * What a page holds that changed sides, or that a hole went through, nobody has promised. A
	 * call that failed took nothing more.
	 */
	for (u32 i = 0; i < model->nr_losses; i++) {
		const struct loss *l = &model->loss[i];

		forget_words(model, l->start, l->ret ? l->done_end : l->end, true);
		/*
		 * Beside a hole a write may come before or after it; with attributes of the VM what
		 * is shared lies in other memory than the file's (mmu/user_mem.c).
		 */
		if (l->why == LAB_LOSS_PUNCH && !l->ret && !m->parallel && !lab_vm_attrs(m->su))
			ranges_cut(&model->used, l->start, l->end);
	}
	model->nr_losses = 0;
	return held ? NULL : rule;
}
