// SPDX-License-Identifier: GPL-2.0-only
/*
 * The platform as the module sees it: which memory is shared, which is convertible.
 * Leaves that bring the module up are in tdx/leaf_sys.c.
 */
#include <assert.h>

#include "sim/rt/phys.h"
#include "tdx/sys.h"

#define GIB RT_BIT(30)

u64 seam_shared_pa(const struct seam *s, u64 pa)
{
	return pa & seam_pa_mask(s);
}

u64 seam_shared_hpa_check(const struct seam *s, u64 pa, u64 align, u64 size, u32 op)
{
	const struct seam_range *r = &s->cfg.seamrr;
	u64 hkid = RT_FIELD(pa, SEAM_MAXPA - 1, SEAM_MAXPA - s->cfg.keyid_bits);
	u64 plain = seam_shared_pa(s, pa);
	bool in_seamrr = plain < r->base + r->size && r->base < plain + size;

	assert(size && !(align & (align - 1)));
	if ((pa & (align - 1)) || (pa >> SEAM_MAXPA) || in_seamrr || hkid >= s->cfg.hkid_first)
		return SEAM_OPERAND_INVALID | op;
	return SEAM_SUCCESS;
}

struct seam_range seam_cmr(const struct seam *s)
{
	u64 end = 0;
	u32 i;

	for (i = 0; i < s->cfg.nr_tdmr; i++)
		if (s->cfg.tdmr[i].base + s->cfg.tdmr[i].size > end)
			end = s->cfg.tdmr[i].base + s->cfg.tdmr[i].size;
	return (struct seam_range){.base = 0, .size = end + GIB};
}
