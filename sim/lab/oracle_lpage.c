// SPDX-License-Identifier: GPL-2.0-only
/*
 * Oracles over lpage_info (R9): the counters forbid a 2M page, and MIXED a huge page of either size,
 * exactly where there is a reason. Counters change with slots alone, so the first and the last page
 * of each slot are looked at, where reasons are. The guest's inhibit is oracle_tables.c's.
 */
#include "sim/lab/oracle_int.h"

#define LPAGE_MIXED 0x80000000U
#define LPAGE_FLAGS 0xc0000000U
#define HUGE_GFNS   512ULL

static bool page_is_right(struct lab_check *c, const struct lab_slot_setup *s, u64 gfn)
{
	u64 base = s->gpa >> 12, end = (s->gpa + s->size) >> 12;
	u32 word = kvm_look_lpage(c->td->kvm, gfn, 2);
	bool counted = word & ~LPAGE_FLAGS;
	bool congruent = !((base ^ (s->offset >> 12)) & (HUGE_GFNS - 1));
	bool whole;

	gfn &= ~(HUGE_GFNS - 1);
	whole = gfn >= base && gfn + HUGE_GFNS <= end;
	/* Part of its attributes are nobody's: they say nothing about the page (B52). */
	if (!whole && (word & LPAGE_MIXED))
		return lab_broken(c, "the 2M at 0x%llx is MIXED, and reaches out of its slot",
				  gfn << 12);
	if (counted != (whole && congruent))
		return true;
	return lab_broken(c, "the 2M at 0x%llx %s mapped as one, and %s", gfn << 12,
			  counted ? "may not be" : "may be",
			  counted ? "nothing is in the way"
			  : whole ? "its frames are not aligned"
				  : "they reach out of their slot");
}

bool lab_check_lpage(struct lab_check *c)
{
	const struct lab_machine *m = c->m;

	for (u32 i = 0; i < m->su->nr_slots; i++) {
		const struct lab_slot_setup *s = &m->su->slot[i];

		if (s->td == c->td->index && m->slot_in[i] &&
		    (!page_is_right(c, s, s->gpa >> 12) ||
		     !page_is_right(c, s, (s->gpa + s->size - 1) >> 12)))
			return false;
	}
	return true;
}

/* Only a huge page that lies wholly in the slot has attributes of its own (B52). */
static bool mixed_is_right(struct lab_check *c, const struct lab_slot_setup *slot, u8 level)
{
	const u64 pages = 1ULL << 9 * (level - 1);
	const u64 end = (slot->gpa + slot->size) >> 12;
	const struct kvm *kvm = c->td->kvm;

	for (u64 gfn = ((slot->gpa >> 12) + pages - 1) & ~(pages - 1); gfn + pages <= end;
	     gfn += pages) {
		bool on = kvm_look_lpage(kvm, gfn, level) & LPAGE_MIXED;
		bool want = kvm_look_attr_end(kvm, gfn) < gfn + pages;

		if (on != want)
			return lab_broken(c, "MIXED of 0x%llx at %s is %s, and its attributes %s",
					  gfn << 12, level == 2 ? "2M" : "1G", on ? "on" : "off",
					  want ? "differ" : "are all the same");
	}
	return true;
}

bool lab_check_mixed(struct lab_check *c)
{
	const struct lab_setup *su = c->m->su;

	for (u32 i = 0; lab_vm_attrs(su) && i < su->nr_slots; i++) {
		const struct lab_slot_setup *s = &su->slot[i];

		if (s->td == c->td->index && c->m->slot_in[i] &&
		    (!mixed_is_right(c, s, 2) || !mixed_is_right(c, s, 3)))
			return false;
	}
	return true;
}
