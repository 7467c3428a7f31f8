// SPDX-License-Identifier: GPL-2.0-only
/*
 * Oracles over guest_memfd: who backs a leaf, what the host can see, the attribute tree, poisoned
 * pages.
 */
#include <string.h>

#include "sim/lab/oracle_int.h"

/* gmem file and page index behind a guest frame, false where no slot with a file is. */
static bool behind(struct lab_check *c, u64 gfn, u32 *gmem, u64 *index)
{
	u64 offset;
	bool found = lab_file_at(c->m, c->td->index, gfn << 12, gmem, &offset);

	*index = offset >> 12;
	return found;
}

/* Whether attributes are guest_memfd's, and not the VM's. */
static bool gmem_attrs(const struct lab_check *c)
{
	return !lab_vm_attrs(c->m->su);
}

/*
 * Every 4K of the leaf is the page that the file has there, or a page of a file that was closed
 * over it (none may be).
 */
bool lab_check_owner(struct lab_check *c)
{
	for (u32 i = 0; i < c->nr_mirror; i++) {
		const struct kvm_spte_view *k = &c->mirror[i];
		u64 pages = k->leaf ? 1ULL << 9 * (k->level - 1) : 0;

		for (u64 n = 0; n < pages;) {
			u64 index, run, pfn;
			u32 gmem;

			if (!behind(c, k->gfn + n, &gmem, &index))
				return lab_broken(c, "0x%llx is mapped, and no file backs it",
						  (k->gfn + n) << 12);
			run = kvm_gmem_look_run(c->m->file[gmem], index, &pfn);
			if (!run)
				return lab_broken(
					c,
					"0x%llx is mapped to host page 0x%llx, and %s has no page there",
					(k->gfn + n) << 12, (k->pfn + n) << 12,
					c->m->su->gmem[gmem].name);
			if (pfn != k->pfn + n)
				return lab_broken(
					c,
					"0x%llx is mapped to host page 0x%llx, and %s has 0x%llx there",
					(k->gfn + n) << 12, (k->pfn + n) << 12,
					c->m->su->gmem[gmem].name, pfn << 12);
			n += run;
		}
	}
	return true;
}

/* Size rule FOLIO: one folio. CONTIG, ATTR: one private block of one folio as it was at first. */
static bool leaf_fits(struct lab_check *c, const struct kvm_spte_view *k, u32 gmem, u64 index)
{
	const char *rule = lab_gmem_policy(&c->m->su->gmem[gmem], "size_rule");
	u64 pages = 1ULL << 9 * (k->level - 1);
	struct gmem_folio_view f;
	u32 order;

	if (!kvm_gmem_look_folio(c->m->file[gmem], index, &f))
		return true; /* leaf-owns-page says so */
	order = rule && strcmp(rule, "FOLIO") ? f.original_order : f.order;
	if (order < 9u * (k->level - 1u) || index % pages)
		return lab_broken(c, "0x%llx is mapped at %s over a %u page folio (size_rule=%s)",
				  k->gfn << 12, k->level == 2 ? "2M" : "1G", 1U << order,
				  rule ? rule : "?");
	/* That all of it is private is "no-leaf-over-shared". */
	return true;
}

bool lab_check_folio(struct lab_check *c)
{
	for (u32 i = 0; i < c->nr_mirror; i++) {
		const struct kvm_spte_view *k = &c->mirror[i];
		u64 index;
		u32 gmem;

		if (k->leaf && k->level > 1 && behind(c, k->gfn, &gmem, &index) &&
		    !leaf_fits(c, k, gmem, index))
			return false;
	}
	return true;
}

struct file_walk {
	struct lab_check *c;
	u32 gmem;
	bool held;
	u64 next; /* attr tree: where the next range begins */
	bool last, first;
};

static bool check_host_map(void *ctx, u64 index, u64 pfn)
{
	struct file_walk *w = ctx;

	if (kvm_gmem_look_private(w->c->m->file[w->gmem], index))
		w->held =
			lab_broken(w->c,
				   "page %llu of %s is private, and the host maps it (page 0x%llx)",
				   index, w->c->m->su->gmem[w->gmem].name, pfn << 12);
	return w->held;
}

/* @fn over each open file of the TD as long as w->held. */
static bool each_file(struct lab_check *c, void (*fn)(struct file_walk *w))
{
	struct file_walk w = {.c = c, .held = true};

	for (w.gmem = 0; w.gmem < c->m->su->nr_gmems && w.held; w.gmem++) {
		if (c->m->su->gmem[w.gmem].td == c->td->index && c->m->file[w.gmem])
			fn(&w);
	}
	return w.held;
}

static void host_maps_of(struct file_walk *w)
{
	kvm_gmem_for_each_host_map(w->c->m->file[w->gmem], check_host_map, w);
}

bool lab_check_host_private(struct lab_check *c)
{
	return !gmem_attrs(c) || each_file(c, host_maps_of);
}

static bool check_shared_folio(void *ctx, const struct gmem_folio_view *f)
{
	struct file_walk *w = ctx;

	if (f->order)
		w->held = lab_broken(w->c,
				     "page %llu of %s is shared, and lies in a folio of %u pages",
				     f->index, w->c->m->su->gmem[w->gmem].name, 1U << f->order);
	return w->held;
}

static bool check_shared_range(void *ctx, u64 index, u64 nr, bool private_)
{
	struct file_walk *w = ctx;

	if (!private_)
		kvm_gmem_for_each_folio(w->c->m->file[w->gmem], index, nr, check_shared_folio, w);
	return w->held;
}

static void shared_folios_of(struct file_walk *w)
{
	kvm_gmem_for_each_attr(w->c->m->file[w->gmem], check_shared_range, w);
}

bool lab_check_shared_4k(struct lab_check *c)
{
	return !gmem_attrs(c) || each_file(c, shared_folios_of);
}

/* Leaves in [gpa, gpa + size) of the S-EPT; the first one, if there is any. */
static bool first_leaf(void *ctx, u64 gpa, const struct seam_sept_view *v)
{
	if (v->leaf)
		*(u64 *)ctx = gpa;
	return !v->leaf;
}

/*
 * A range of one attribute, cut to what each slot of the file shows: no leaf may cover a shared one
 * (I2).
 */
static bool check_shared_unmapped(void *ctx, u64 index, u64 nr, bool private_)
{
	struct file_walk *w = ctx;
	const struct lab_machine *m = w->c->m;

	for (u32 i = 0; i < m->su->nr_slots && !private_ && w->held; i++) {
		const struct lab_slot_setup *s = &m->su->slot[i];
		u64 from = index << 12, to = (index + nr) << 12, leaf = ~0ULL;

		from = from > s->offset ? from : s->offset;
		to = to < s->offset + s->size ? to : s->offset + s->size;
		if (s->gmem != w->gmem || !m->slot_in[i] || from >= to)
			continue;
		seam_for_each_sept(m->seam, kvm_tdr(w->c->td->kvm), s->gpa + from - s->offset,
				   to - from, first_leaf, &leaf);
		if (leaf != ~0ULL)
			w->held = lab_broken(w->c,
					     "the S-EPT has a leaf at 0x%llx, and 0x%llx is shared",
					     leaf, s->gpa + from - s->offset);
	}
	return w->held;
}

static void shared_leaves_of(struct file_walk *w)
{
	kvm_gmem_for_each_attr(w->c->m->file[w->gmem], check_shared_unmapped, w);
}

/* The same by attributes that are the VM's own (R9). */
static bool check_vm_shared_leaf(struct lab_check *c)
{
	for (u32 i = 0; i < c->nr_sept; i++) {
		const struct lab_sept_entry *s = &c->sept[i];
		u64 gfn = s->gpa >> 12, end = gfn + (1ULL << 9 * s->v.level), same;

		if (!s->v.leaf)
			continue;
		same = kvm_look_attr_end(c->td->kvm, gfn);
		if (kvm_look_private(c->td->kvm, gfn) && same >= end)
			continue;
		return lab_broken(c, "the S-EPT has a leaf at 0x%llx, and 0x%llx is shared", s->gpa,
				  (kvm_look_private(c->td->kvm, gfn) ? same : gfn) << 12);
	}
	return true;
}

bool lab_check_shared_leaf(struct lab_check *c)
{
	return gmem_attrs(c) ? each_file(c, shared_leaves_of) : check_vm_shared_leaf(c);
}

static bool check_attr_range(void *ctx, u64 index, u64 nr, bool private_)
{
	struct file_walk *w = ctx;

	if (index != w->next)
		w->held =
			lab_broken(w->c, "the attribute tree of %s has a gap in front of page %llu",
				   w->c->m->su->gmem[w->gmem].name, index);
	else if (index && w->last == private_)
		w->held = lab_broken(
			w->c,
			"the attribute tree of %s has two equal ranges that meet at page %llu",
			w->c->m->su->gmem[w->gmem].name, index);
	w->next = index + nr;
	w->last = private_;
	return w->held;
}

static void attrs_of(struct file_walk *w)
{
	u64 pages = w->c->m->su->gmem[w->gmem].gmem.size >> 12;

	w->next = 0;
	kvm_gmem_for_each_attr(w->c->m->file[w->gmem], check_attr_range, w);
	if (w->held && w->next < pages)
		w->held = lab_broken(w->c, "the attribute tree of %s ends at page %llu of %llu",
				     w->c->m->su->gmem[w->gmem].name, w->next, pages);
}

bool lab_check_attr_tree(struct lab_check *c)
{
	return !gmem_attrs(c) || each_file(c, attrs_of);
}

static void invalidations_of(struct file_walk *w)
{
	u32 open = kvm_gmem_invalidating(w->c->m->file[w->gmem]);

	if (open)
		w->held = lab_broken(w->c, "%u invalidation%s of %s began and never ended", open,
				     open > 1 ? "s" : "", w->c->m->su->gmem[w->gmem].name);
}

bool lab_check_invalidate(struct lab_check *c)
{
	long open = kvm_look_invalidating(c->td->kvm);

	if (!each_file(c, invalidations_of))
		return false;
	/* Also by KVM's own ioctl: faults in the range would wait for ever (B65). */
	if (open)
		return lab_broken(c, "%ld invalidation%s of the VM began and never ended", open,
				  open > 1 ? "s" : "");
	return true;
}

static bool host_map_is_good(void *ctx, u64 index, u64 pfn)
{
	struct file_walk *w = ctx;

	if (kvm_gmem_look_poisoned(w->c->m->file[w->gmem], index, 1))
		w->held = lab_broken(w->c, "page %llu of %s is poisoned, and the host maps it",
				     index, w->c->m->su->gmem[w->gmem].name);
	return w->held;
}

static void good_host_maps_of(struct file_walk *w)
{
	kvm_gmem_for_each_host_map(w->c->m->file[w->gmem], host_map_is_good, w);
}

/* A leaf may be larger than its folio, so all of what it maps counts. */
bool lab_check_poison(struct lab_check *c)
{
	for (u32 i = 0; i < c->nr_mirror; i++) {
		const struct kvm_spte_view *k = &c->mirror[i];
		u64 index;
		u32 gmem;

		if (k->leaf && behind(c, k->gfn, &gmem, &index) &&
		    kvm_gmem_look_poisoned(c->m->file[gmem], index, 1ULL << 9 * (k->level - 1)))
			return lab_broken(c, "0x%llx is mapped, and a page of it is poisoned",
					  k->gfn << 12);
	}
	return each_file(c, good_host_maps_of);
}
