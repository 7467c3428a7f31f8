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

/* Which bits a field has, and which of them who may read and write. */
struct td_right {
	u64 key;
	u64 bits;
	u64 host_rd, host_wr;
	u64 debug_rd, debug_wr; /* the host's, where the TD has DEBUG */
	u64 guest_rd, guest_wr;
};

#define ALL ~0ULL
/* TD_CTLS: what a guest can change at most; which of it its release has is td_ctls_bits(). */
#define CTLS                                                                              \
	(SEAM_CTLS_PENDING_VE_DISABLE | SEAM_CTLS_ENUM_TOPOLOGY | SEAM_CTLS_VIRT_CPUID2 | \
	 SEAM_CTLS_REDUCE_VE | SEAM_CTLS_LOCK)

static const struct td_right td_rights[] = {
	{TD_NUM_VCPUS, RT_MASK(31, 0), ALL, 0, ALL, 0, ALL, 0},
	{TD_ATTRIBUTES, ALL, ALL, 0, ALL, 0, ALL, 0},
	{TD_XFAM, ALL, ALL, 0, ALL, 0, ALL, 0},
	{TD_MAX_VCPUS, RT_MASK(31, 0), ALL, 0, ALL, 0, ALL, 0},
	{TD_GPAW, RT_MASK(7, 0), ALL, 0, ALL, 0, ALL, 0},
	{TD_TSC_OFFSET, ALL, ALL, 0, ALL, 0, 0, 0},
	{TD_TSC_MULTIPLIER, ALL, ALL, 0, ALL, 0, 0, 0},
	{TD_TSC_FREQUENCY, RT_MASK(15, 0), ALL, 0, ALL, 0, ALL, 0},
	{TD_NOTIFY_ENABLES, ALL, 0, 0, ALL, 1, 1, 1},
	{TD_HP_LOCK_TIMEOUT, ALL, ALL, ALL, ALL, ALL, 0, 0},
	{TD_CONFIG_FLAGS, ALL, ALL, 0, ALL, 0, ALL, 0},
	{TD_CTLS, ALL, 0, 0, ALL, 0, ALL, CTLS},
	{TD_TOPOLOGY_ENUM, RT_MASK(7, 0), ALL, 0, ALL, 0, ALL, 0},
};

/* NULL: no such field in this release. */
static const struct td_right *td_right(const struct seam *s, u64 id)
{
	u64 key = SEAM_FIELD_KEY(id);

	if (id & SEAM_FIELD_NOT_SINGLE || (key == TD_TOPOLOGY_ENUM && !s->f.topology_check))
		return NULL;
	for (size_t i = 0; i < RT_ARRAY_SIZE(td_rights); i++)
		if (td_rights[i].key == key)
			return &td_rights[i];
	return NULL;
}

static u64 rd_mask(const struct seam_td *td, const struct td_right *f, enum seam_field_side side)
{
	if (side == SEAM_FIELD_TD_GUEST)
		return f->guest_rd & f->bits;
	return (td->attributes & SEAM_ATTR_DEBUG ? f->debug_rd : f->host_rd) & f->bits;
}

static u64 td_ctls_bits(const struct seam *s)
{
	if (s->f.features0 & SEAM_FEATURES0_VE_REDUCTION)
		return CTLS;
	return SEAM_CTLS_PENDING_VE_DISABLE | (s->f.topology_check ? SEAM_CTLS_ENUM_TOPOLOGY : 0);
}

static u64 wr_mask(const struct seam *s, const struct seam_td *td, const struct td_right *f,
		   enum seam_field_side side)
{
	u64 mask = td->attributes & SEAM_ATTR_DEBUG ? f->debug_wr : f->host_wr;

	if (side == SEAM_FIELD_TD_GUEST)
		mask = f->guest_wr;
	return mask & f->bits & (f->key == TD_CTLS ? td_ctls_bits(s) : ALL);
}

/* A guest can enumerate its topology if each VCPU was given an x2APIC id (VP.INIT version 1). */
static bool topology_configured(const struct seam_td *td)
{
	const struct seam_vcpu *v;

	for (v = td->vcpus; v; v = v->next)
		if (v->state != SEAM_VCPU_UNINIT && !v->has_x2apic_id)
			return false;
	return true;
}

/* In microseconds; newer releases convert only the low half of the ticks. */
static u64 hp_lock_timeout(const struct seam *s, const struct seam_td *td)
{
	u64 ticks = td->hp_lock_timeout;

	return (s->f.hp_timeout_read_32 ? (u32)ticks : ticks) / SEAM_TSC_PER_US;
}

static u64 td_value(const struct seam *s, const struct seam_td *td, u64 key)
{
	switch (key) {
	case TD_NUM_VCPUS:
		return td->nr_vcpus;
	case TD_ATTRIBUTES:
		return td->attributes;
	case TD_XFAM:
		return td->xfam;
	case TD_MAX_VCPUS:
		return td->max_vcpus;
	case TD_GPAW:
		return td->config_flags & SEAM_CONFIG_GPAW ? 1 : 0;
	case TD_TSC_OFFSET:
		return 0; /* not modelled: the virtual TSC is the native one */
	case TD_TSC_MULTIPLIER:
		/* Virtual ticks for a native one of 0.5 ns, 48 bits after the point. */
		return ((u64)td->tsc_frequency << 48) / (SEAM_TSC_PER_US / SEAM_TSC_FREQ_UNIT_MHZ);
	case TD_TSC_FREQUENCY:
		return td->tsc_frequency;
	case TD_NOTIFY_ENABLES:
		return td->notify_enables;
	case TD_HP_LOCK_TIMEOUT:
		return hp_lock_timeout(s, td);
	case TD_CONFIG_FLAGS:
		return td->config_flags;
	case TD_CTLS:
		return td->td_ctls;
	default:
		return topology_configured(td);
	}
}

u64 seam_td_field_rd(const struct seam *s, const struct seam_td *td, u64 id,
		     enum seam_field_side side, u64 *val)
{
	const struct td_right *f = td_right(s, id);

	if (!f)
		return SEAM_METADATA_FIELD_ID_INCORRECT;
	if (!rd_mask(td, f, side))
		return SEAM_METADATA_FIELD_NOT_READABLE;
	*val = td_value(s, td, f->key) & rd_mask(td, f, side);
	return SEAM_SUCCESS;
}

/*
 * What the guest controls. PENDING_VE_DISABLE can be changed only where the TD was configured with
 * FLEXIBLE_PENDING_VE, and nothing once LOCK is set. REDUCE_VE brings the other two with it.
 */
static u64 set_td_ctls(struct seam_td *td, u64 val)
{
	u64 changed = val ^ td->td_ctls;

	if (td->td_ctls & SEAM_CTLS_LOCK)
		return changed ? SEAM_METADATA_FIELD_VALUE_NOT_VALID : SEAM_SUCCESS;
	if ((changed & SEAM_CTLS_PENDING_VE_DISABLE) &&
	    !(td->config_flags & SEAM_CONFIG_FLEXIBLE_PENDING_VE))
		return SEAM_METADATA_FIELD_VALUE_NOT_VALID;
	if (val & SEAM_CTLS_REDUCE_VE)
		val |= SEAM_CTLS_ENUM_TOPOLOGY | SEAM_CTLS_VIRT_CPUID2;
	if ((val & SEAM_CTLS_ENUM_TOPOLOGY) && !topology_configured(td))
		return SEAM_METADATA_FIELD_VALUE_NOT_VALID;
	td->td_ctls = val;
	return SEAM_SUCCESS;
}

/* HP_LOCK_TIMEOUT: written whole, 10 ms to 100 s (3.3). */
static u64 set_hp_lock_timeout(struct seam_td *td, u64 val, u64 mask)
{
	if (mask != ALL)
		return SEAM_METADATA_WR_MASK_NOT_VALID;
	if (val < SEAM_HP_TIMEOUT_MIN_US || val > SEAM_HP_TIMEOUT_MAX_US)
		return SEAM_METADATA_FIELD_VALUE_NOT_VALID;
	td->hp_lock_timeout = val * SEAM_TSC_PER_US;
	return SEAM_SUCCESS;
}

u64 seam_td_field_wr(const struct seam *s, struct seam_td *td, u64 id, enum seam_field_side side,
		     u64 val, u64 mask, u64 *old)
{
	const struct td_right *f = td_right(s, id);
	u64 cur, may, st = SEAM_SUCCESS;

	if (!f)
		return SEAM_METADATA_FIELD_ID_INCORRECT;
	cur = td_value(s, td, f->key);
	may = wr_mask(s, td, f, side);
	if (!(may & mask))
		return SEAM_METADATA_FIELD_NOT_WRITABLE;
	/* Bits that are asked for and can't be written have to be what the caller reads there. */
	if ((val ^ (cur & rd_mask(td, f, side))) & mask & ~may)
		return SEAM_METADATA_FIELD_VALUE_NOT_VALID;
	may &= mask;
	val = (cur & ~may) | (val & may);
	if (f->key == TD_HP_LOCK_TIMEOUT)
		st = set_hp_lock_timeout(td, val, may);
	else if (f->key == TD_CTLS)
		st = set_td_ctls(td, val);
	else
		td->notify_enables = val;
	if (!st)
		*old = cur & rd_mask(td, f, side);
	return st;
}

enum vp_field {
	VP_VMCS_CLASS = 0x00,
	VP_PI_VECTOR = KEY(0x00, 0x0002),
	VP_PI_DESC = KEY(0x00, 0x2016),
	VP_SHARED_EPTP = KEY(0x00, 0x203c),
	VP_PEND_NMI = KEY(0x20, 11),
	VP_STATE_DETAILS = KEY(0x11, 0x100),
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
