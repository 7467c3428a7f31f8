/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metadata fields: what SYS.RD, MNG.RD/WR, VP.RD/WR and the guest's VM.RD/WR can name, and their
 * values. Only fields that a host or a guest of the field reads or writes for memory's sake are
 * here; any other id is answered as unknown. Leaves that use fields are in tdx/leaf_sys.c,
 * tdx/leaf_md.c and tdx/guest.c.
 *
 * A field id (ABI): 23:0 code, 33:32 size of an element, 37:34 and 46:38 lengths of a sequence, 50
 * increment, 51 write mask valid, 54:52 context, 61:56 class, 63 not architectural. Looking up uses
 * class and code alone: the real module takes ids with another element size too (recorded for
 * 9100000100000013). An id of one element has no lengths and no reserved bits.
 */
#ifndef TDX_FIELD_H
#define TDX_FIELD_H

#include "tdx/vcpu.h"

#define SEAM_FIELD_NULL	   (~0ULL)
#define SEAM_FIELD_KEY(id) ((id) & (RT_MASK(61, 56) | RT_MASK(23, 0)))
/* Lengths of a sequence and reserved bits: not in the id of a single element. */
#define SEAM_FIELD_NOT_SINGLE \
	(RT_MASK(31, 24) | RT_MASK(46, 34) | RT_MASK(49, 47) | RT_BIT(55) | RT_BIT(62))

/* Who asks; what may be read or written differs. */
enum seam_field_side {
	SEAM_FIELD_HOST,
	SEAM_FIELD_TD_GUEST,
};

/*
 * Fields of the platform and the module (SYS.RD). False: no such field. @next: id of the one after
 * it, or SEAM_FIELD_NULL.
 */
bool seam_sys_field(const struct seam *s, u64 id, u64 *val, u64 *next);
/* Id that a walk over all fields starts with. */
u64 seam_sys_field_first(const struct seam *s);

/* Fields of a TD. SUCCESS or METADATA_FIELD_ID_INCORRECT / NOT_READABLE / NOT_WRITABLE. */
u64 seam_td_field_rd(const struct seam *s, const struct seam_td *td, u64 id,
		     enum seam_field_side side, u64 *val);
/* Also METADATA_FIELD_VALUE_NOT_VALID / WR_MASK_NOT_VALID. @mask: the bits of @val that count. */
u64 seam_td_field_wr(const struct seam *s, struct seam_td *td, u64 id, enum seam_field_side side,
		     u64 val, u64 mask, u64 *old);

/* Fields of a VCPU, the host's side. */
u64 seam_vp_field_rd(const struct seam_vcpu *v, u64 id, u64 *val);
u64 seam_vp_field_wr(struct seam_vcpu *v, u64 id, u64 val, u64 mask, u64 *old);

#endif
