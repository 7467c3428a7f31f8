// SPDX-License-Identifier: GPL-2.0-only
/*
 * Oracles over what an action changed in a guest_memfd file: attributes as asked, memory in place,
 * no over-zap, merged again. They compare with what was seen at the quiescent point before. What
 * holds at a single point in time is in oracle_gmem.c; what the guest lost is judged by the model
 * (model.c).
 */
#include <errno.h>
#include <string.h>

#include "sim/lab/oracle_int.h"
#include "sim/rt/world.h"

struct run {
	u64 index, nr;
	bool private_;
};

/* A file as it was at the last quiescent point. In the world, so that a saved run has its own. */
struct lab_seen {
	bool open;
	struct run *run;
	u32 nr_runs, cap_runs;
	struct gmem_extent_view *ext;
	u32 nr_ext, cap_ext;
	u64 overzap, refused; /* of the machine: overzap_bytes, merges_refused */
};

static void *room(void *p, u32 *cap, u32 need, size_t size)
{
	if (need <= *cap)
		return p;
	*cap = *cap ? 2 * *cap : 16;
	return rt_realloc(p, *cap * size);
}

static bool see_run(void *ctx, u64 index, u64 nr, bool private_)
{
	struct lab_seen *s = ctx;

	s->run = room(s->run, &s->cap_runs, s->nr_runs + 1, sizeof(*s->run));
	s->run[s->nr_runs++] = (struct run){index, nr, private_};
	return true;
}

static bool see_extent(void *ctx, const struct gmem_extent_view *v)
{
	struct lab_seen *s = ctx;

	s->ext = room(s->ext, &s->cap_ext, s->nr_ext + 1, sizeof(*s->ext));
	s->ext[s->nr_ext++] = *v;
	return true;
}

void lab_seen_note(struct lab_machine *m)
{
	if (!m->seen)
		m->seen = rt_zalloc(m->su->nr_gmems * sizeof(*m->seen));
	for (u32 g = 0; g < m->su->nr_gmems; g++) {
		struct lab_seen *s = &m->seen[g];

		s->nr_runs = s->nr_ext = 0;
		s->open = m->file[g] && !lab_vm_attrs(m->su);
		s->overzap = kvm_stat(m->host, KVM_STAT_OVERZAP_BYTES);
		s->refused = kvm_gmem_stat(GMEM_STAT_MERGES_REFUSED);
		if (!s->open)
			continue;
		kvm_gmem_for_each_attr(m->file[g], see_run, s);
		kvm_gmem_for_each_extent(m->file[g], see_extent, s);
	}
}

/*
 * The conversion that was the only action since the last quiescent point, and what it means for a
 * file.
 */
struct asked {
	const struct lab_outcome *out;
	u32 gmem;
	u64 gpa;	/* of start */
	u64 start, end; /* indexes of the file */
	bool private_;
};

/* The part of [gpa, gpa + size) that the slots of @gmem show; one slot, as scenarios have it. */
static bool asked_of(struct lab_check *c, u32 gmem, struct asked *a)
{
	const struct lab_machine *m = c->m;
	const struct lab_op *op;
	u32 td;
	u64 gpa, end;

	if (m->block_nr != 1)
		return false;
	op = lab_op(m, m->block);
	if (op->kind != LAB_OP_CONVERT)
		return false;
	gpa = lab_op_gpa(m->sc, m->su, op, "GPA", &td);
	end = gpa + lab_num(op, "SIZE", 0);
	if (td != c->td->index)
		return false;
	for (u32 i = 0; i < m->su->nr_slots; i++) {
		const struct lab_slot_setup *s = &m->su->slot[i];
		u64 from = gpa > s->gpa ? gpa : s->gpa;
		u64 to = end < s->gpa + s->size ? end : s->gpa + s->size;

		if (s->td != td || s->gmem != gmem || from >= to)
			continue;
		a->out = &m->result[0].out;
		a->gmem = gmem;
		a->gpa = from;
		a->start = (s->offset + from - s->gpa) >> 12;
		a->end = (s->offset + to - s->gpa) >> 12;
		a->private_ = lab_num(op, "shared|private", 0);
		return a->out->done;
	}
	return false;
}

/* Where a failed call may have got to: everything in front of the batch that failed. */
static u64 converted_end(struct lab_check *c, const struct asked *a)
{
	const struct lab_gmem_setup *g = &c->m->su->gmem[a->gmem];
	u64 block = g->gmem.backing == GMEM_HUGETLB_1G	 ? 1ULL << 18
		    : g->gmem.backing == GMEM_HUGETLB_2M ? 1ULL << 9
							 : 0;
	u64 to = a->gpa + ((a->end - a->start) << 12), done;
	u32 td;

	if (a->out->ok)
		return a->end;
	if (!a->out->has_err_gpa) {
		if (a->out->err == EFAULT)
			return a->end;
		/* The VMM goes slot by slot: slots in front of the one that failed are done. */
		done = lab_op_gpa(c->m->sc, c->m->su, lab_op(c->m, c->m->block), "GPA", &td) +
		       a->out->bytes;
	} else {
		done = a->out->err_gpa;
		if (done >= a->gpa && done < to) {
			if (!strcmp(lab_gmem_policy(g, "conv_order"), "ROLLBACK") || !block)
				return a->start;
			done = a->start + ((done - a->gpa) >> 12);
			done &= ~(block - 1);
			return done > a->start ? done : a->start;
		}
	}
	return done <= a->gpa ? a->start : done >= to ? a->end : a->start + ((done - a->gpa) >> 12);
}

static bool old_attr(const struct lab_seen *s, u64 index)
{
	u32 lo = 0, hi = s->nr_runs;

	while (hi - lo > 1) {
		u32 mid = (lo + hi) / 2;

		if (s->run[mid].index <= index)
			lo = mid;
		else
			hi = mid;
	}
	return s->run[lo].private_;
}

struct attr_walk {
	struct lab_check *c;
	const struct lab_seen *s;
	struct asked a;
	u64 done; /* [a.start, done) has the new value; from there on nothing changed */
	bool asked, held;
};

static bool want_attr(const struct attr_walk *w, u64 index)
{
	if (w->asked && index >= w->a.start && index < w->done)
		return w->a.private_;
	return old_attr(w->s, index);
}

/* The value is constant over the run, so only places where the wanted value may change count. */
static bool check_run(void *ctx, u64 index, u64 nr, bool private_)
{
	struct attr_walk *w = ctx;

	for (u32 i = 0; w->held && i < w->s->nr_runs + 3; i++) {
		u64 at = i < w->s->nr_runs	  ? w->s->run[i].index
			 : i == w->s->nr_runs	  ? index
			 : i == w->s->nr_runs + 1 ? w->a.start
						  : w->done;

		if (at >= index && at < index + nr && want_attr(w, at) != private_)
			w->held = lab_broken(w->c, "page %llu of %s is %s after %s", at,
					     w->c->m->su->gmem[w->a.gmem].name,
					     private_ ? "private" : "shared",
					     !w->asked ? "an action that asked for no such thing"
					     : w->a.out->ok ? "a conversion that succeeded"
							    : "a conversion that failed");
	}
	return w->held;
}

/* Actions that may change attributes, other than one conversion of its own. */
static bool others_convert(const struct lab_machine *m)
{
	for (u32 i = 0; i < m->block_nr; i++) {
		u32 kind = lab_op(m, m->block + i)->kind;

		if (kind == LAB_OP_MAPGPA || (kind == LAB_OP_CONVERT && m->block_nr > 1))
			return true;
	}
	return false;
}

/* A build makes the files of its TD anew, behind a destroy or behind a build that had failed. */
static bool made_anew(const struct lab_machine *m, const struct lab_td *td)
{
	for (u32 i = 0; i < m->block_nr; i++) {
		const struct lab_op *op = lab_op(m, m->block + i);

		if (op->kind == LAB_OP_BUILD && lab_setup_td(m->sc, m->su, op->td) == td->index)
			return true;
	}
	return false;
}

/* A file that was open then and is now. */
static const struct lab_seen *seen_of(struct lab_check *c, u32 gmem)
{
	const struct lab_machine *m = c->m;

	if (m->su->gmem[gmem].td != c->td->index || !m->seen || !m->seen[gmem].open ||
	    !m->file[gmem] || made_anew(m, c->td))
		return NULL;
	return &m->seen[gmem];
}

bool lab_check_convert(struct lab_check *c)
{
	bool held = true;

	for (u32 g = 0; held && g < c->m->su->nr_gmems && !others_convert(c->m); g++) {
		struct attr_walk w = {.c = c, .s = seen_of(c, g), .held = true};

		if (!w.s)
			continue;
		w.a.gmem = g;
		w.asked = asked_of(c, g, &w.a);
		w.done = w.asked ? converted_end(c, &w.a) : 0;
		if (w.asked && w.a.out->has_err_gpa && w.a.out->err) {
			u32 td;
			const struct lab_op *op = lab_op(c->m, c->m->block);
			u64 gpa = lab_op_gpa(c->m->sc, c->m->su, op, "GPA", &td);

			if (w.a.out->err_gpa < gpa ||
			    w.a.out->err_gpa >= gpa + lab_num(op, "SIZE", 0))
				return lab_broken(c,
						  "error_offset says 0x%llx, outside the request",
						  w.a.out->err_gpa);
		}
		kvm_gmem_for_each_attr(c->m->file[g], check_run, &w);
		held = w.held;
	}
	return held;
}

/* --- in place ------------------------------------------------------------------------ */

static bool memory_may_go(const struct lab_machine *m)
{
	for (u32 i = 0; i < m->block_nr; i++) {
		u32 kind = lab_op(m, m->block + i)->kind;

		if (kind == LAB_OP_PUNCH || kind == LAB_OP_CLOSE || kind == LAB_OP_DESTROY)
			return true;
	}
	return false;
}

/* Every page of the extent is where it was: the pieces that lie there now, one after the other. */
static bool extent_stays(struct lab_check *c, u32 gmem, const struct gmem_extent_view *was)
{
	struct gmem_extent_view now;
	u64 at = was->index;

	while (at < was->index + was->nr) {
		if (!kvm_gmem_look_extent(c->m->file[gmem], at, &now))
			return lab_broken(c, "page %llu of %s is gone, and no hole was punched", at,
					  c->m->su->gmem[gmem].name);
		if (now.pfn + (at - now.index) != was->pfn + (at - was->index))
			return lab_broken(c, "page %llu of %s was host page 0x%llx and is 0x%llx",
					  at, c->m->su->gmem[gmem].name,
					  (was->pfn + (at - was->index)) << 12,
					  (now.pfn + (at - now.index)) << 12);
		at = now.index + now.nr;
	}
	return true;
}

bool lab_check_in_place(struct lab_check *c)
{
	bool held = true;

	for (u32 g = 0; g < c->m->su->nr_gmems && !memory_may_go(c->m); g++) {
		const struct lab_seen *s = seen_of(c, g);

		for (u32 i = 0; held && s && i < s->nr_ext; i++)
			held = extent_stays(c, g, &s->ext[i]);
	}
	return held;
}

/* --- over-zap and merge --------------------------------------------------------------- */

/* E or its like is in the flow. */
static bool flow_splits(const struct lab_gmem_setup *g)
{
	const char *flow = lab_gmem_policy(g, "conv_order");

	return strcmp(flow, "BASE") && strcmp(flow, "PLAN7") && strcmp(flow, "ROLLBACK");
}

bool lab_check_overzap(struct lab_check *c)
{
	u64 now = kvm_stat(c->m->host, KVM_STAT_OVERZAP_BYTES);
	struct asked a;

	for (u32 g = 0; g < c->m->su->nr_gmems; g++) {
		const struct lab_seen *s = seen_of(c, g);

		if (!s || !asked_of(c, g, &a) || a.private_ || !a.out->ok ||
		    !flow_splits(&c->m->su->gmem[g]))
			continue;
		if (now != s->overzap)
			return lab_broken(c, "a conversion zapped %llu bytes that nobody asked for",
					  now - s->overzap);
	}
	return true;
}

/*
 * The conversion changed something in [start, end): one that finds all as it should be does
 * nothing.
 */
static bool was_shared(const struct lab_seen *s, u64 start, u64 end)
{
	for (u32 i = 0; i < s->nr_runs; i++) {
		const struct run *r = &s->run[i];

		if (!r->private_ && r->index < end && start < r->index + r->nr)
			return true;
	}
	return false;
}

/*
 * Blocks of which the conversion took back the last shared page are one folio again, unless
 * somebody held a piece just then (the default merge does not wait).
 */
bool lab_check_merged(struct lab_check *c)
{
	for (u32 g = 0; g < c->m->su->nr_gmems; g++) {
		const struct lab_gmem_setup *gs = &c->m->su->gmem[g];
		u8 order = gs->gmem.backing == GMEM_HUGETLB_1G ? 18 : 9;
		const struct lab_seen *s = seen_of(c, g);
		struct gmem_extent_view v;
		struct asked a;

		if (gs->gmem.backing < GMEM_HUGETLB_2M || !s || !asked_of(c, g, &a) ||
		    !a.private_ || !a.out->ok ||
		    s->refused != kvm_gmem_stat(GMEM_STAT_MERGES_REFUSED))
			continue;
		for (u64 at = a.start >> order << order; at < a.end; at += 1ULL << order) {
			u64 end = at + (1ULL << order);

			if (!was_shared(s, at > a.start ? at : a.start,
					end < a.end ? end : a.end) ||
			    !kvm_gmem_look_block_mergeable(c->m->file[g], at))
				continue;
			if (!kvm_gmem_look_extent(c->m->file[g], at, &v) || v.order != order)
				return lab_broken(
					c, "block %llu of %s is all private, and still in pieces",
					at >> order, gs->name);
		}
	}
	return true;
}

/* --- sizes and books ------------------------------------------------------------------ */

struct size_walk {
	struct lab_check *c;
	u32 gmem;
	bool held;
};

static bool size_is_honest(struct size_walk *w, u64 index, u64 from, u64 nr)
{
	u8 order = kvm_gmem_look_max_order(w->c->m->file[w->gmem], index);
	u64 start = index >> order << order, end = start + (1ULL << order);

	if (start < from || end > from + nr)
		w->held =
			lab_broken(w->c,
				   "%s offers %llu pages at page %llu, and not all are of one kind",
				   w->c->m->su->gmem[w->gmem].name, end - start, index);
	return w->held;
}

static bool check_sizes(void *ctx, u64 index, u64 nr, bool private_)
{
	struct size_walk *w = ctx;

	/* The ends of a run are where a look that is not aligned goes wrong (B18). */
	return size_is_honest(w, index, index, nr) && size_is_honest(w, index + nr - 1, index, nr);
}

bool lab_check_max_order(struct lab_check *c)
{
	struct size_walk w = {.c = c, .held = true};

	for (w.gmem = 0; w.held && w.gmem < c->m->su->nr_gmems; w.gmem++) {
		if (seen_of(c, w.gmem))
			kvm_gmem_for_each_attr(c->m->file[w.gmem], check_sizes, &w);
	}
	return w.held;
}

struct book_walk {
	struct lab_check *c;
	u32 gmem;
	u64 next;
	bool held;
};

static bool check_extent(void *ctx, const struct gmem_extent_view *v)
{
	struct book_walk *w = ctx;
	const char *name = w->c->m->su->gmem[w->gmem].name;
	u64 mask = (1ULL << v->order) - 1;

	if (v->index < w->next)
		w->held = lab_broken(w->c, "page %llu of %s has two folios", v->index, name);
	else if ((v->index | v->nr | v->pfn) & mask)
		w->held = lab_broken(w->c, "the folios at page %llu of %s are not aligned",
				     v->index, name);
	else if (v->order > v->original_order)
		w->held = lab_broken(w->c, "the folio at page %llu of %s is larger than its block",
				     v->index, name);
	else if (v->frozen)
		w->held = lab_broken(w->c, "the folio at page %llu of %s is still frozen", v->index,
				     name);
	w->next = v->index + v->nr;
	return w->held;
}

bool lab_check_folio_books(struct lab_check *c)
{
	struct book_walk w = {.c = c, .held = true};

	for (w.gmem = 0; w.held && w.gmem < c->m->su->nr_gmems; w.gmem++) {
		w.next = 0;
		if (c->m->su->gmem[w.gmem].td == c->td->index && c->m->file[w.gmem])
			kvm_gmem_for_each_extent(c->m->file[w.gmem], check_extent, &w);
	}
	return w.held;
}
