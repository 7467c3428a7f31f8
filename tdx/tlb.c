// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VCPU's TLB as a growing array, replaced oldest first at its limit.
 * A linear look-up behind a last-hit check: guests of a scenario touch few pages, and the array
 * stays small in an image. Nothing here knows S-EPT formats or epochs.
 */
#include <assert.h>
#include <string.h>

#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/tlb.h"

static bool tlb_covers(const struct seam_tlb_entry *e, u64 gpa)
{
	return gpa - e->gpa < SEAM_LEVEL_SIZE(e->level);
}

static bool tlb_overlaps(const struct seam_tlb_entry *e, u64 gpa, u64 size)
{
	return e->gpa < gpa + size && gpa < e->gpa + SEAM_LEVEL_SIZE(e->level);
}

const struct seam_tlb_entry *seam_tlb_lookup(struct seam_tlb *t, u64 gpa)
{
	u32 i;

	if (t->last < t->nr && tlb_covers(&t->e[t->last], gpa))
		return &t->e[t->last];
	/*
	 * Newest first: after a refill of an address the older entry is gone, but a larger one may
	 * overlap.
	 */
	for (i = t->nr; i-- > 0;) {
		if (tlb_covers(&t->e[i], gpa)) {
			t->last = i;
			return &t->e[i];
		}
	}
	return NULL;
}

void seam_tlb_fill(struct seam_tlb *t, const struct seam_tlb_entry *e)
{
	u32 at = t->nr;

	assert((e->gpa & (SEAM_LEVEL_SIZE(e->level) - 1)) == 0);
	assert(t->nr <= t->cap && t->nr <= SEAM_TLB_MAX);
	assert(!(e->hpa & (SEAM_LEVEL_SIZE(e->level) - 1)));
	if (t->nr == SEAM_TLB_MAX) {
		at = t->oldest;
		t->oldest = (t->oldest + 1) % SEAM_TLB_MAX;
	} else if (t->nr == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 8;
		t->e = rt_realloc(t->e, t->cap * sizeof(*t->e));
	}
	t->e[at] = *e;
	t->last = at;
	if (at == t->nr)
		t->nr++;
}

void seam_tlb_flush(struct seam_tlb *t)
{
	/* Nothing is left behind: two flushed TLBs are the same, whatever was in them. */
	if (t->nr)
		memset(t->e, 0, t->nr * sizeof(*t->e));
	t->nr = 0;
	t->oldest = 0;
	t->last = 0;
}

void seam_tlb_drop_shared(struct seam_tlb *t, u64 gpa, u64 size)
{
	u32 i, kept = 0;

	for (i = 0; i < t->nr; i++) {
		bool drop = t->e[i].shared && (!size || tlb_overlaps(&t->e[i], gpa, size));

		if (!drop)
			t->e[kept++] = t->e[i];
	}
	if (kept != t->nr) {
		/*
		 * The order of age is only lost at the limit, where any victim is as good as
		 * another.
		 */
		t->nr = kept;
		t->oldest = 0;
		t->last = 0;
	}
}

void seam_tlb_destroy(struct seam_tlb *t)
{
	rt_free(t->e);
	*t = (struct seam_tlb){0};
}
