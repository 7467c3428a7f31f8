// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.MR.EXTEND and TDH.MR.FINALIZE: measuring the build, and ending it (tdx-module.md 3.3).
 * The header that PAGE.ADD adds for each page comes from its own leaf through seam_mr_extend().
 */
#include <assert.h>
#include <xxhash.h>

#include "sim/rt/phys.h"
#include "tdx/leaf.h"
#include "tdx/mr.h"
#include "tdx/trace.h"

#define EXTEND_BYTES 256

void seam_mr_extend(struct seam_td *td, enum seam_mr_what what, u64 gpa, const void *data,
		    size_t len)
{
	const u64 head[3] = {what, gpa, len};

	td->mrtd = XXH64(head, sizeof(head), td->mrtd);
	if (len)
		td->mrtd = XXH64(data, len, td->mrtd);
}

u64 seam_tdh_mr_extend(struct seam_ctx *c)
{
	u64 gpa = c->in.rcx, st;
	u8 data[EXTEND_BYTES];

	st = seam_take_td(c, c->in.rdx, SEAM_EX, SEAM_OP_RDX);
	if (st)
		return st;
	/* The TDR is exclusive, so neither OP_STATE nor tree nor entry is locked. */
	st = seam_check_td_state(c, SEAM_OPS(INITIALIZED), false);
	if (st)
		return st;
	if (gpa & (EXTEND_BYTES - 1))
		return SEAM_OPERAND_INVALID | SEAM_OP_RCX;
	st = seam_check_gpa(c->td, gpa);
	if (st)
		return st;
	seam_sept_walk(c->s, c->td, 0, gpa, 0, &c->pos);
	if (seam_sept_state(c->pos.val) != SEAM_SEPT_MAPPED)
		return seam_entry_error(c, &c->pos, SEAM_EPT_ENTRY_NOT_PRESENT | SEAM_OP_RCX);
	rt_phys_peek(seam_sept_hpa(c->s, c->pos.val, c->pos.level) +
			     (gpa & (SEAM_LEVEL_SIZE(c->pos.level) - 1)),
		     data, sizeof(data));
	seam_mr_extend(c->td, SEAM_MR_EXTEND, gpa, data, sizeof(data));
	seam_cost(c->s, SEAM_COST_READ_LINE, 4);
	seam_cost(c->s, SEAM_COST_SHA_BLOCK, 3);
	return SEAM_SUCCESS;
}

u64 seam_tdh_mr_finalize(struct seam_ctx *c)
{
	u64 st;

	st = seam_take_td(c, c->in.rcx, SEAM_EX, SEAM_OP_RCX);
	if (st)
		return st;
	st = seam_check_td_state(c, SEAM_OPS(INITIALIZED), false);
	if (st)
		return st;
	if (!c->td->nr_vcpus)
		return SEAM_NO_VCPUS;
	assert(c->td->nr_vcpus <= c->td->max_vcpus);
	assert(!c->td->refcount[0] && !c->td->refcount[1]);
	seam_mr_extend(c->td, SEAM_MR_CLOSE, 0, NULL, 0);
	c->td->opstate = SEAM_OPS_RUNNABLE;
	rt_trace(&seam_ev_opstate, RT_PH_INSTANT, c->td->tdr, SEAM_OPS_INITIALIZED,
		 SEAM_OPS_RUNNABLE);
	return SEAM_SUCCESS;
}
