// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle over lpage_info: a 2M page is forbidden exactly where there is a reason (R9). The
 * guest's own inhibit is judged in oracle_tables.c. Only pages at the ends of slots and of what the
 * last actions were about are looked at: everything else is as it was.
 */
#include "sim/lab/oracle_int.h"

#define LPAGE_MIXED   0x80000000U
#define LPAGE_INHIBIT 0x40000000U
#define HUGE_GFNS     512ULL

static bool is_mixed(struct lab_check *c, u64 gfn)
{
	bool first = kvm_look_private(c->td->kvm, gfn);

	for (u64 i = 1; i < HUGE_GFNS; i++) {
		if (kvm_look_private(c->td->kvm, gfn + i) != first)
			return true;
	}
	return false;
}

static bool page_is_right(struct lab_check *c, const struct lab_slot_setup *s, u64 gfn)
{
	u64 base = s->gpa >> 12, end = (s->gpa + s->size) >> 12;
	u32 word = kvm_look_lpage(c->td->kvm, gfn, 2);
	bool whole, congruent, mixed;

	gfn &= ~(HUGE_GFNS - 1);
	whole = gfn >= base && gfn + HUGE_GFNS <= end;
	congruent = !((base ^ (s->offset >> 12)) & (HUGE_GFNS - 1));
	/* Attributes of the file forbid by what the file offers (max-order-uniform). */
	mixed = whole && lab_vm_attrs(c->m->su) && is_mixed(c, gfn);

	if (!(word & ~(LPAGE_MIXED | LPAGE_INHIBIT)) == !(whole && congruent))
		return lab_broken(c, "0x%llx may %sbe mapped at 2M, and its slot %s", gfn << 12,
				  whole && congruent ? "not " : "",
				  whole && congruent ? "allows it" : "forbids it");
	if (!(word & LPAGE_MIXED) != !mixed)
		return lab_broken(c, "the 2M at 0x%llx are%s marked MIXED, and their attributes %s",
				  gfn << 12, mixed ? " not" : "",
				  mixed ? "differ" : "are all the same");
	return true;
}

static bool page_in_slot(struct lab_check *c, const struct lab_slot_setup *s, u64 gpa)
{
	if (gpa < s->gpa || gpa >= s->gpa + s->size)
		return true;
	return page_is_right(c, s, gpa >> 12);
}

/* The pages at both ends of what an action asked for, and those outside of them. */
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
