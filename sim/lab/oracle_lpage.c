// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle over lpage_info: a 2M page is forbidden exactly where there is a reason (R9). The
 * guest's inhibit has oracles of its own (oracle_tables.c). Looked at are the ends of slots, where
 * reasons are, and the ends of what the last actions were about.
 */
#include "sim/lab/oracle_int.h"

#define LPAGE_MIXED   0x80000000U
#define LPAGE_INHIBIT 0x40000000U
#define HUGE_GFNS     512ULL

/* Attributes of a file forbid by what the file offers (max-order-uniform), those of a VM by MIXED. */
static bool is_mixed(struct lab_check *c, u64 gfn)
{
	return lab_vm_attrs(c->m->su) && kvm_look_attr_end(c->td->kvm, gfn) < gfn + HUGE_GFNS;
}

static bool page_is_right(struct lab_check *c, const struct lab_slot_setup *s, u64 gfn)
{
	u64 base = s->gpa >> 12, end = (s->gpa + s->size) >> 12;
	u32 word = kvm_look_lpage(c->td->kvm, gfn, 2);
	bool counted = word & ~(LPAGE_MIXED | LPAGE_INHIBIT), marked = word & LPAGE_MIXED;
	bool congruent = !((base ^ (s->offset >> 12)) & (HUGE_GFNS - 1));
	bool whole;

	gfn &= ~(HUGE_GFNS - 1);
	whole = gfn >= base && gfn + HUGE_GFNS <= end;
	/* Part of its attributes are nobody's: they say nothing about the page (B52). */
	if (!whole && marked)
		return lab_broken(c, "the 2M at 0x%llx is MIXED, and reaches out of its slot",
				  gfn << 12);
	if (whole && marked != is_mixed(c, gfn))
		return lab_broken(c, "the 2M at 0x%llx is%s MIXED, and its attributes %s",
				  gfn << 12, marked ? "" : " not",
				  marked ? "are all the same" : "differ");
	if (counted != (whole && congruent))
		return true;
	return lab_broken(c, "the 2M at 0x%llx %s mapped as one, and %s", gfn << 12,
			  counted ? "may not be" : "may be",
			  counted ? "nothing is in the way"
			  : whole ? "its frames are not aligned"
				  : "they reach out of their slot");
}

static bool page_in_slot(struct lab_check *c, const struct lab_slot_setup *s, u64 gpa)
{
	return gpa < s->gpa || gpa >= s->gpa + s->size || page_is_right(c, s, gpa >> 12);
}

/* The pages at both ends of what an action converted, and behind them. */
static bool asked_pages(struct lab_check *c, const struct lab_slot_setup *s,
			const struct lab_op *op)
{
	u64 gpa, end, huge = HUGE_GFNS << 12;
	u32 td = c->td->index;

	if (op->kind != LAB_OP_CONVERT && op->kind != LAB_OP_MAPGPA)
		return true;
	gpa = lab_setup_gpa(c->m->sc, c->m->su, lab_get(op, "GPA"), &td);
	end = gpa + lab_num(op, "SIZE", 0);
	return td != c->td->index || (page_in_slot(c, s, gpa) && page_in_slot(c, s, gpa - huge) &&
				      page_in_slot(c, s, end) && page_in_slot(c, s, end - 1));
}

bool lab_check_lpage(struct lab_check *c)
{
	const struct lab_machine *m = c->m;

	for (u32 i = 0; i < m->su->nr_slots; i++) {
		const struct lab_slot_setup *s = &m->su->slot[i];

		if (s->td != c->td->index || !m->slot_in[i])
			continue;
		if (!page_in_slot(c, s, s->gpa) || !page_in_slot(c, s, s->gpa + s->size - 1))
			return false;
		for (u32 k = 0; k < m->block_nr; k++) {
			if (!asked_pages(c, s, lab_op(m, m->block + k)))
				return false;
		}
	}
	return true;
}
