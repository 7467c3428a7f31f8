// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events that are pending at an LP, as its platform presents them to the module's polls (tdx-
 * module.md 5, interrupt predicate). Raising and clearing is the host's and the tests' business;
 * who polls, and with what mask, is in tdx/leaf.h.
 */
#include <assert.h>

#include "tdx/internal.h"

static struct seam_lp *lp_get(const struct seam *s, u32 lp)
{
	assert(lp < s->cfg.lps);
	return &s->lp[lp];
}

void seam_irq_raise(struct seam *s, u32 lp, u32 events)
{
	lp_get(s, lp)->irq |= events;
}

void seam_irq_clear(struct seam *s, u32 lp, u32 events)
{
	lp_get(s, lp)->irq &= ~events;
}

u32 seam_irq_pending(const struct seam *s, u32 lp)
{
	return lp_get(s, lp)->irq;
}

void seam_set_if(struct seam *s, u32 lp, bool interrupts_on)
{
	lp_get(s, lp)->if_on = interrupts_on;
}
