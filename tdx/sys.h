/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the SYS leaves and others share about the platform: shared memory operands, the CMR, limits
 * of TDMRs.
 */
#ifndef TDX_SYS_H
#define TDX_SYS_H

#include "tdx/internal.h"

#define SEAM_VENDOR_INTEL     0x8086
#define SEAM_MAX_CMRS	      32
#define SEAM_RSVD_PER_TDMR    16
#define SEAM_PAMT_ENTRY_BYTES 16

/*
 * "Shared HPA" operand (2.3): aligned to @align, below MAXPA, not in SEAMRR, HKID bits of a shared
 * key. OPERAND_INVALID | @op. @size bytes from @pa are meant.
 */
u64 seam_shared_hpa_check(const struct seam *s, u64 pa, u64 align, u64 size, u32 op);
/* The PA without its HKID bits, and the key to read it with. */
u64 seam_shared_pa(const struct seam *s, u64 pa);

/*
 * The one convertible memory range of the platform: everything below the end of the last configured
 * TDMR, and a GiB more (assumed).
 */
struct seam_range seam_cmr(const struct seam *s);

#endif
