// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLB tracking: when a BLOCK is old enough that no running VCPU can still use what was blocked
 * (tdx-module.md 3.5). TD_EPOCH is raised by MEM.TRACK, counted into by VP.ENTER and out of by a TD
 * exit; BEPOCH is stamped by BLOCK.
 */
#include <assert.h>

#include "tdx/internal.h"

bool seam_epoch_tracked(const struct seam_td *td, u64 bepoch)
{
	assert(bepoch <= td->epoch);
	if (bepoch + 1 < td->epoch)
		return true;
	return bepoch + 1 == td->epoch && td->refcount[bepoch & 1] == 0;
}
