// SPDX-License-Identifier: GPL-2.0-only
/*
 * Durations, by a look after every step. Counting leaves walks the tables, so it is done only after a
 * step that changed a counter of leaves or folios.
 */
#include "sim/lab/compare_watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/util.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"

/* Different whenever a leaf or a folio has come, gone or changed its size. */
static u64 shape(const struct lab_machine *m)
{
	static const enum kvm_stat leaves[] = {KVM_STAT_PAGES_4K, KVM_STAT_PAGES_2M,
					       KVM_STAT_PAGES_1G, KVM_STAT_SPLITS};
	u64 sum = 0;

	for (u32 i = 0; i < RT_ARRAY_SIZE(leaves); i++)
		sum = sum * 0x9e3779b97f4a7c15ULL + kvm_stat(m->host, leaves[i]);
	sum = sum * 0x9e3779b97f4a7c15ULL + kvm_gmem_stat(GMEM_STAT_FOLIO_SPLITS);
	return sum * 0x9e3779b97f4a7c15ULL + kvm_gmem_stat(GMEM_STAT_FOLIO_MERGES);
}

struct mapped {
	u64 gfn, end, pages;
};

static bool add_leaf(void *ctx, const struct kvm_spte_view *v)
{
	struct mapped *r = ctx;
	u64 size = 1ULL << 9 * (v->level - 1), from = v->gfn & ~(size - 1), to = from + size;

	if (!v->leaf)
		return true;
	from = from > r->gfn ? from : r->gfn;
	to = to < r->end ? to : r->end;
	r->pages += to > from ? to - from : 0;
	return true;
}

static u64 mapped_pages(const struct lab_td *td, u64 gfn, u64 end)
{
	struct mapped r = {gfn, end, 0};

	if (td->kvm)
		kvm_for_each_spte(td->kvm, true, gfn, end - gfn, add_leaf, &r);
	return r.pages;
}

/* The conversion or hole that is under way and has just said that it leaves @pages unmapped. */
static void open_gap(struct lab_watch *w, u64 pages, u64 now)
{
	const struct lab_machine *m = w->s->m;

	for (u32 i = 0; i < m->nr_actors && w->nr_gaps < LAB_WATCH_GAPS; i++) {
		const struct lab_actor *a = &m->actor[i];
		struct lab_watch_gap *g = &w->gap[w->nr_gaps];
		const struct lab_op *op;
		u32 td;

		if (a->doing == LAB_NO_OP)
			continue;
		op = lab_op(m, a->doing);
		if (op->kind != LAB_OP_CONVERT && op->kind != LAB_OP_MAPGPA &&
		    op->kind != LAB_OP_PUNCH)
			continue;
		g->gfn = lab_op_gpa(m->sc, m->su, op, "GPA", &td) >> 12;
		g->end = g->gfn + (lab_num(op, "SIZE", 0) >> 12);
		g->td = &m->td[td];
		g->pages = pages;
		g->want = mapped_pages(g->td, g->gfn, g->end) + pages;
		g->since = now;
		w->nr_gaps++;
		return;
	}
}

static void note_length(struct lab_watch *w, const struct lab_watch_gap *g, u64 now)
{
	if (now - g->since > w->longest)
		w->longest = now - g->since;
}

/* Gaps whose pages are all mapped again. */
static void close_gaps(struct lab_watch *w, u64 now)
{
	for (u32 i = 0; i < w->nr_gaps;) {
		struct lab_watch_gap *g = &w->gap[i];

		if (mapped_pages(g->td, g->gfn, g->end) < g->want) {
			i++;
			continue;
		}
		note_length(w, g, now);
		*g = w->gap[--w->nr_gaps];
	}
}

static void read_event(struct lab_watch *w, const struct rt_event *ev)
{
	const char *what = (const char *)(uintptr_t)ev->arg[0];
	enum lab_place *place = &w->place[ev->actor];

	if (!strcmp(ev->type->name, "gmem_step")) {
		if (!strcmp(what, "prealloc"))
			*place = LAB_BEFORE;
		else if (!strcmp(what, "invalidate-begin"))
			*place = LAB_BEGUN;
		else if (!strcmp(what, "zap"))
			*place = LAB_ZAPPED;
	} else if (!strcmp(ev->type->name, "gmem_alloc")) {
		if (!strcmp(what, "filemap-alloc"))
			w->nodes[*place] += ev->arg[1];
		else if (!strcmp(what, "vmemmap-alloc"))
			w->vmemmap[*place] += ev->arg[1];
	}
}

static void read_events(struct lab_watch *w)
{
	const struct rt_trace *t = w->s->trace;
	u64 seq = rt_trace_seq(t), oldest = seq - rt_trace_len(t);

	assert(w->next_event >= oldest); /* or a step made more events than are kept */
	for (; w->next_event < seq; w->next_event++) {
		const struct rt_event *ev = rt_trace_get(t, (size_t)(w->next_event - oldest));

		if (ev->actor < w->s->m->nr_actors && !strcmp(ev->type->cat, "gmem"))
			read_event(w, ev);
	}
}

static void look(void *ctx)
{
	struct lab_watch *w = ctx;
	u64 now = rt_cycles_now(), failed = kvm_gmem_stat(GMEM_STAT_FAILED_UNMAPPED), seen;

	read_events(w);
	if (w->leaves) {
		w->window += now - w->at;
		w->window_steps++;
	}
	w->at = now;
	if (failed != w->failed)
		open_gap(w, failed - w->failed, now);
	w->failed = failed;
	seen = shape(w->s->m);
	if (seen == w->seen)
		return;
	w->seen = seen;
	w->leaves = kvm_gmem_stat(GMEM_STAT_SMALL_FOLIO_LEAVES);
	if (w->leaves > w->most_leaves)
		w->most_leaves = w->leaves;
	close_gaps(w, now);
}

void lab_watch_begin(struct lab_watch *w, struct lab_session *s)
{
	*w = (struct lab_watch){.s = s};
	assert(s->trace);
	rt_world_enter(s->world);
	w->place = lab_zalloc(s->m->nr_actors * sizeof(*w->place));
	w->next_event = rt_trace_seq(s->trace);
	w->at = rt_cycles_now();
	rt_set_step_hook(s->world, look, w);
}

void lab_watch_end(struct lab_watch *w)
{
	rt_world_enter(w->s->world);
	rt_set_step_hook(w->s->world, NULL, NULL);
	for (u32 i = 0; i < w->nr_gaps; i++)
		note_length(w, &w->gap[i], rt_cycles_now());
	free(w->place);
	w->place = NULL;
}

u64 lab_watch_unmapped(const struct lab_watch *w)
{
	u64 pages = 0;

	for (u32 i = 0; i < w->nr_gaps; i++) {
		const struct lab_watch_gap *g = &w->gap[i];

		pages += g->want - mapped_pages(g->td, g->gfn, g->end);
	}
	return pages;
}
