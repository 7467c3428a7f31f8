// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host and the platform do to an LP outside of calls: events that the module's polls see
 * (tdx-module.md 5, interrupt predicate), RFLAGS.IF, IA32_TSC_ADJUST. When it happens is the host's
 * and the tests' business; who polls, and with what mask, is in tdx/leaf.h.
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

void seam_set_tsc_adjust(struct seam *s, u32 lp, u64 value)
{
	lp_get(s, lp)->tsc_adjust = value;
}
