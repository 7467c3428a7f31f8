/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory accesses: what hardware does with a GPA, for tdx/access.c and for looking at TLBs
 * (tdx/inspect.h).
 */
#ifndef TDX_ACCESS_H
#define TDX_ACCESS_H

#include "tdx/vcpu.h"

/* The tables no longer give this translation (private: the S-EPT; shared: the VMM's walk). */
bool seam_tlb_stale(const struct seam *s, const struct seam_td *td, const struct seam_tlb_entry *e);

#endif
