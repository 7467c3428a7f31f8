// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metadata fields of a TD and of a VCPU: ids as published, access rights of a production TD.
 * The host (MNG.*, VP.*) and the guest (VM.*) look into the same fields with different rights.
 * Locks and states are checked by the leaves (tdx/leaf_md.c, tdx/guest.c).
 */
#include "tdx/abi.h"
#include "tdx/field.h"
#include "tdx/tdparams.h"

/* Class and code of a field (RT_MASK(61, 56) and 23:0), as SEAM_FIELD_KEY() leaves them. */
#define KEY(class, code) ((u64)(class) << 56 | (code))

enum td_field {
	TD_NUM_VCPUS = KEY(0x10, 1),
	TD_ATTRIBUTES = KEY(0x11, 0),
	TD_XFAM = KEY(0x11, 1),
	TD_MAX_VCPUS = KEY(0x11, 2),
	TD_GPAW = KEY(0x11, 3),
	TD_TSC_OFFSET = KEY(0x11, 10),
	TD_TSC_MULTIPLIER = KEY(0x11, 11),
	TD_TSC_FREQUENCY = KEY(0x11, 12),
	TD_NOTIFY_ENABLES = KEY(0x11, 0x10),
	TD_HP_LOCK_TIMEOUT = KEY(0x11, 0x11),
	TD_CONFIG_FLAGS = KEY(0x11, 0x16),
	TD_CTLS = KEY(0x11, 0x17),
	TD_TOPOLOGY_ENUM = KEY(0x11, 0x19),
};

u64 seam_td_field_rd(const struct seam_td *td, u64 id, enum seam_field_side side, u64 *val)
{
	if (id & SEAM_FIELD_NOT_SINGLE)
		return SEAM_METADATA_FIELD_ID_INCORRECT;
	switch (SEAM_FIELD_KEY(id)) {
	case TD_NUM_VCPUS:
		*val = td->nr_vcpus;
		return SEAM_SUCCESS;
	case TD_ATTRIBUTES:
		*val = td->attributes;
		return SEAM_SUCCESS;
	case TD_XFAM:
		*val = td->xfam;
		return SEAM_SUCCESS;
	case TD_MAX_VCPUS:
		*val = td->max_vcpus;
		return SEAM_SUCCESS;
	case TD_GPAW:
		*val = td->config_flags & SEAM_CONFIG_GPAW ? 1 : 0;
		return SEAM_SUCCESS;
	case TD_TSC_OFFSET:
		*val = 0;
		return SEAM_SUCCESS;
	case TD_TSC_MULTIPLIER:
		*val = RT_BIT(48); /* 1.0: the virtual TSC runs at the native frequency */
		return SEAM_SUCCESS;
	case TD_TSC_FREQUENCY:
		*val = td->tsc_frequency;
		return SEAM_SUCCESS;
	case TD_NOTIFY_ENABLES:
		if (side == SEAM_FIELD_HOST)
			return SEAM_METADATA_FIELD_NOT_READABLE;
		*val = td->notify_enables;
		return SEAM_SUCCESS;
	case TD_HP_LOCK_TIMEOUT:
		*val = td->hp_lock_timeout / SEAM_TSC_PER_US;
		return SEAM_SUCCESS;
	case TD_CONFIG_FLAGS:
		*val = td->config_flags;
		return SEAM_SUCCESS;
	case TD_CTLS:
		*val = td->td_ctls;
		return SEAM_SUCCESS;
	case TD_TOPOLOGY_ENUM:
		*val = 0;
		return SEAM_SUCCESS;
	default:
		return SEAM_METADATA_FIELD_ID_INCORRECT;
	}
}

/* PENDING_VE_DISABLE can be changed only where the TD was configured with FLEXIBLE_PENDING_VE. */
static bool td_ctls_ok(const struct seam_td *td, u64 val)
{
	u64 changed = val ^ td->td_ctls;

	if (val & ~(SEAM_CTLS_PENDING_VE_DISABLE | SEAM_CTLS_ENUM_TOPOLOGY))
		return false;
	return !(changed & SEAM_CTLS_PENDING_VE_DISABLE) ||
	       (td->config_flags & SEAM_CONFIG_FLEXIBLE_PENDING_VE);
}

/* The guest's controls: what it may change after the TD was built. */
static u64 td_field_wr_guest(struct seam_td *td, u64 key, u64 val)
{
	switch (key) {
	case TD_NOTIFY_ENABLES:
		if (val & ~1ULL)
			return SEAM_METADATA_FIELD_VALUE_NOT_VALID;
		td->notify_enables = val;
		return SEAM_SUCCESS;
	case TD_CTLS:
		if (!td_ctls_ok(td, val))
			return SEAM_METADATA_FIELD_VALUE_NOT_VALID;
		td->td_ctls = val;
		return SEAM_SUCCESS;
	default:
		return SEAM_METADATA_FIELD_NOT_WRITABLE;
	}
}

/* HP_LOCK_TIMEOUT: 10 ms to 100 s (3.3). */
static u64 td_field_wr_host(struct seam_td *td, u64 key, u64 val)
{
	if (key != TD_HP_LOCK_TIMEOUT)
		return SEAM_METADATA_FIELD_NOT_WRITABLE;
	if (val < SEAM_HP_TIMEOUT_MIN_US || val > SEAM_HP_TIMEOUT_MAX_US)
		return SEAM_METADATA_FIELD_VALUE_NOT_VALID;
	td->hp_lock_timeout = val * SEAM_TSC_PER_US;
	return SEAM_SUCCESS;
}

u64 seam_td_field_wr(struct seam_td *td, u64 id, enum seam_field_side side, u64 val, u64 mask,
		     u64 *old)
{
	u64 key = SEAM_FIELD_KEY(id), cur, st;

	st = seam_td_field_rd(td, id, side, &cur);
	if (st)
		return st;
	val = (cur & ~mask) | (val & mask);
	if (side == SEAM_FIELD_HOST)
		st = td_field_wr_host(td, key, val);
	else
		st = td_field_wr_guest(td, key, val);
	if (!st)
		*old = cur;
	return st;
}

enum vp_field {
	VP_VMCS_CLASS = 0x00,
	VP_PI_VECTOR = KEY(0x00, 0x0002),
	VP_PI_DESC = KEY(0x00, 0x2016),
	VP_SHARED_EPTP = KEY(0x00, 0x203c),
	VP_PEND_NMI = KEY(0x20, 11),
	VP_STATE_DETAILS = KEY(0x20, 0x100),
	VP_STATE = KEY(0x20, 0),
};

u64 seam_vp_field_rd(const struct seam_vcpu *v, u64 id, u64 *val)
{
	u64 key = SEAM_FIELD_KEY(id);

	if (id & SEAM_FIELD_NOT_SINGLE)
		return SEAM_METADATA_FIELD_ID_INCORRECT;
	switch (key) {
	case VP_PI_VECTOR:
		*val = v->pi_vector;
		return SEAM_SUCCESS;
	case VP_PI_DESC:
		*val = v->pi_desc;
		return SEAM_SUCCESS;
	case VP_SHARED_EPTP:
		*val = v->shared_eptp;
		return SEAM_SUCCESS;
	case VP_PEND_NMI:
		*val = v->pend_nmi;
		return SEAM_SUCCESS;
	case VP_STATE_DETAILS:
		*val = 0; /* none pending: the guest's own interrupts are not modelled */
		return SEAM_SUCCESS;
	case VP_STATE:
		return SEAM_METADATA_FIELD_NOT_READABLE;
	default:
		/* Any other VMCS field exists, for debug TDs only. */
		return key >> 56 == VP_VMCS_CLASS ? SEAM_METADATA_FIELD_NOT_READABLE
						  : SEAM_METADATA_FIELD_ID_INCORRECT;
	}
}

u64 seam_vp_field_wr(struct seam_vcpu *v, u64 id, u64 val, u64 mask, u64 *old)
{
	u64 cur, st;

	st = seam_vp_field_rd(v, id, &cur);
	if (st == SEAM_METADATA_FIELD_NOT_READABLE)
		return SEAM_METADATA_FIELD_NOT_WRITABLE;
	if (st)
		return st;
	val = (cur & ~mask) | (val & mask);
	switch (SEAM_FIELD_KEY(id)) {
	case VP_PI_VECTOR:
		v->pi_vector = (u16)val;
		break;
	case VP_PI_DESC:
		v->pi_desc = val;
		break;
	case VP_SHARED_EPTP:
		v->shared_eptp = val;
		break;
	case VP_PEND_NMI:
		v->pend_nmi = (u8)val;
		break;
	default:
		return SEAM_METADATA_FIELD_NOT_WRITABLE;
	}
	*old = cur;
	return SEAM_SUCCESS;
}
