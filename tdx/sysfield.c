// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metadata fields of the platform and the module: the table behind SYS.RD, SYS.RDALL and SYS.INFO.
 * Ids are the published ABI's; the order of the table is the order in which the module names the
 * next field. How a call asks for them is in tdx/leaf_sysrd.c.
 */
#include "sim/rt/phys.h"
#include "tdx/abi.h"
#include "tdx/field.h"
#include "tdx/sys.h"
#include "tdx/tdparams.h"

static u64 sys_vendor(const struct seam *s, u32 i)
{
	return SEAM_VENDOR_INTEL;
}

/* Version "major.minor.update" as in the profile's name. */
static u64 version_part(const struct seam *s, u32 part)
{
	const char *p = s->cfg.profile;
	u64 v = 0;

	for (; *p; p++) {
		if (*p == '.')
			part--;
		else if (part == 0)
			v = v * 10 + (u64)(*p - '0');
		if (part == ~0U)
			break;
	}
	return v;
}

static u64 sys_major(const struct seam *s, u32 i)
{
	return version_part(s, 0);
}

static u64 sys_minor(const struct seam *s, u32 i)
{
	return version_part(s, 1);
}

static u64 sys_update(const struct seam *s, u32 i)
{
	return version_part(s, 2);
}

static u64 sys_features0(const struct seam *s, u32 i)
{
	return seam_features(s)->features0;
}

static u64 sys_num_cmrs(const struct seam *s, u32 i)
{
	return 1;
}

static u64 sys_cmr_base(const struct seam *s, u32 i)
{
	return i ? 0 : seam_cmr(s).base;
}

static u64 sys_cmr_size(const struct seam *s, u32 i)
{
	return i ? 0 : seam_cmr(s).size;
}

static u64 sys_max_tdmrs(const struct seam *s, u32 i)
{
	return SEAM_MAX_TDMRS;
}

static u64 sys_max_rsvd(const struct seam *s, u32 i)
{
	return SEAM_RSVD_PER_TDMR;
}

static u64 sys_pamt_entry(const struct seam *s, u32 i)
{
	return SEAM_PAMT_ENTRY_BYTES;
}

static u64 sys_pamt_bits(const struct seam *s, u32 i)
{
	return 1;
}

/* Recorded as the id that follows the bitmap field; its meaning is not public. */
static u64 sys_unknown(const struct seam *s, u32 i)
{
	return 0;
}

static u64 sys_tdr_size(const struct seam *s, u32 i)
{
	return RT_PAGE_SIZE;
}

static u64 sys_tdcs_size(const struct seam *s, u32 i)
{
	return SEAM_TDCX_MIN * RT_PAGE_SIZE;
}

static u64 sys_tdvps_size(const struct seam *s, u32 i)
{
	return SEAM_TDVPS_MIN * RT_PAGE_SIZE;
}

static u64 sys_attributes_fixed0(const struct seam *s, u32 i)
{
	return SEAM_ATTR_ALLOWED;
}

static u64 sys_zero(const struct seam *s, u32 i)
{
	return 0;
}

static u64 sys_xfam_fixed0(const struct seam *s, u32 i)
{
	return SEAM_XFAM_ALLOWED;
}

static u64 sys_xfam_fixed1(const struct seam *s, u32 i)
{
	return SEAM_XFAM_REQUIRED;
}

static u64 sys_max_vcpus(const struct seam *s, u32 i)
{
	return SEAM_MAX_VCPUS;
}

struct sys_field {
	u64 id; /* of element 0 */
	u32 count;
	u64 (*get)(const struct seam *s, u32 i);
	bool dynamic_pamt; /* only where Dynamic PAMT can be */
};

/* In the module's order: by class, then by code. */
static const struct sys_field sys_fields[] = {
	{0x0800000200000000, 1, sys_vendor},
	{0x0800000100000003, 1, sys_minor},
	{0x0800000100000004, 1, sys_major},
	{0x0800000100000005, 1, sys_update},
	{0x0a00000300000008, 1, sys_features0},
	{0x9000000100000000, 1, sys_num_cmrs},
	{0x9000000300000080, SEAM_MAX_CMRS, sys_cmr_base},
	{0x9000000300000100, SEAM_MAX_CMRS, sys_cmr_size},
	{0x9100000100000008, 1, sys_max_tdmrs},
	{0x9100000100000009, 1, sys_max_rsvd},
	{0x9100000100000010, 1, sys_pamt_entry},
	{0x9100000100000011, 1, sys_pamt_entry},
	{0x9100000100000012, 1, sys_pamt_entry},
	{0x9100000000000013, 1, sys_pamt_bits, true},
	{0x9100000000000014, 1, sys_unknown, true},
	{0x9800000100000000, 1, sys_tdr_size},
	{0x9800000100000100, 1, sys_tdcs_size},
	{0x9800000100000200, 1, sys_tdvps_size},
	{0x1900000300000000, 1, sys_attributes_fixed0},
	{0x1900000300000001, 1, sys_zero}, /* ATTRIBUTES_FIXED1 */
	{0x1900000300000002, 1, sys_xfam_fixed0},
	{0x1900000300000003, 1, sys_xfam_fixed1},
	{0x9900000100000004, 1, sys_zero}, /* NUM_CPUID_CONFIG: CPUID is not modelled */
	{0x9900000100000008, 1, sys_max_vcpus},
};

static bool sys_field_exists(const struct seam *s, const struct sys_field *f)
{
	return !f->dynamic_pamt || s->f.dynamic_pamt;
}

static u64 sys_field_after(const struct seam *s, u32 at)
{
	for (at++; at < RT_ARRAY_SIZE(sys_fields); at++)
		if (sys_field_exists(s, &sys_fields[at]))
			return sys_fields[at].id;
	return SEAM_FIELD_NULL;
}

bool seam_sys_field(const struct seam *s, u64 id, u64 *val, u64 *next)
{
	u64 key = SEAM_FIELD_KEY(id);
	u32 at;

	for (at = 0; at < RT_ARRAY_SIZE(sys_fields); at++) {
		const struct sys_field *f = &sys_fields[at];
		u64 i = key - SEAM_FIELD_KEY(f->id);

		if (key < SEAM_FIELD_KEY(f->id) || i >= f->count || !sys_field_exists(s, f))
			continue;
		*val = f->get(s, (u32)i);
		*next = i + 1 < f->count ? f->id + i + 1 : sys_field_after(s, at);
		return true;
	}
	return false;
}

u64 seam_sys_field_first(const struct seam *s)
{
	return sys_fields[0].id;
}
