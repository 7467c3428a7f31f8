// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle over the counters of lpage_info: a slot forbids a 2M page exactly where there is a
 * reason (R9). The flags beside them have oracles of their own. Counters change with slots alone, so
 * the first and the last page of each slot are looked at, where reasons are.
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
