// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module tells about itself: TDH.SYS.RD, SYS.RDALL and SYS.INFO.
 * The fields are tdx/sysfield.c's; here is how a call walks them and in which memory format they
 * are handed over.
 */
#include <string.h>

#include "sim/rt/phys.h"
#include "tdx/field.h"
#include "tdx/leaf.h"
#include "tdx/sys.h"
#include "tdx/tdparams.h"

#define LIST_BYTES    4096
#define LIST_HEADER   8	 /* buffer size 15:0, number of sequences 31:16 */
#define LIST_ELEMENT  16 /* a sequence of one field: its id and its value */
#define FIRST_ID_MASK RT_MASK(55, 0)

u64 seam_tdh_sys_rd(struct seam_ctx *c)
{
	u64 val = 0, next = SEAM_FIELD_NULL;
	bool found;

	/* All ones asks for the first field; the answer has no class (recorded: n_sys_rd). */
	if (c->in.rdx == SEAM_FIELD_NULL) {
		c->r->rdx = seam_sys_field_first(c->s) & FIRST_ID_MASK;
		return SEAM_METADATA_FIRST_FIELD_ID_IN_CONTEXT;
	}
	found = seam_sys_field(c->s, c->in.rdx, &val, &next);
	c->r->rdx = next;
	c->r->r8 = val;
	return found ? SEAM_SUCCESS : SEAM_METADATA_FIELD_ID_INCORRECT;
}

/*
 * Fields from @id on as a metadata list in one page; returns the first that did not fit, or
 * SEAM_FIELD_NULL.
 */
static u64 fill_list(const struct seam *s, u64 id, u8 *page)
{
	u64 len = LIST_HEADER, nr = 0, val, next, head;

	memset(page, 0, LIST_BYTES);
	while (id != SEAM_FIELD_NULL && len + LIST_ELEMENT <= LIST_BYTES &&
	       seam_sys_field(s, id, &val, &next)) {
		memcpy(page + len, &id, sizeof(id));
		memcpy(page + len + 8, &val, sizeof(val));
		len += LIST_ELEMENT;
		nr++;
		id = next;
	}
	head = len | nr << 16;
	memcpy(page, &head, sizeof(head));
	return id;
}

u64 seam_tdh_sys_rdall(struct seam_ctx *c)
{
	u64 id = c->in.rdx, val, next, st;
	u8 page[LIST_BYTES];

	st = seam_shared_hpa_check(c->s, c->in.rcx, LIST_BYTES, LIST_BYTES, SEAM_OP_RCX);
	if (st)
		return st;
	if (id == SEAM_FIELD_NULL)
		id = seam_sys_field_first(c->s);
	if (!seam_sys_field(c->s, id, &val, &next)) {
		c->r->rdx = SEAM_FIELD_NULL;
		return SEAM_METADATA_FIELD_ID_INCORRECT;
	}
	c->r->rdx = fill_list(c->s, id, page);
	rt_phys_poke(seam_shared_pa(c->s, c->in.rcx), 0, page, sizeof(page));
	return SEAM_SUCCESS;
}

/* TDSYSINFO_STRUCT: where its fields lie, with the field id that has the value. */
static const struct {
	u16 off, len;
	u64 id;
} info_fields[] = {
	{4, 4, 0x0800000200000000},   /* VENDOR_ID */
	{14, 2, 0x0800000100000003},  /* MINOR_VERSION */
	{16, 2, 0x0800000100000004},  /* MAJOR_VERSION */
	{32, 2, 0x9100000100000008},  /* MAX_TDMRS */
	{34, 2, 0x9100000100000009},  /* MAX_RESERVED_PER_TDMR */
	{36, 2, 0x9100000100000010},  /* PAMT_ENTRY_SIZE */
	{48, 2, 0x9800000100000100},  /* TDCS_BASE_SIZE */
	{52, 2, 0x9800000100000200},  /* TDVPS_BASE_SIZE */
	{64, 8, 0x1900000300000000},  /* ATTRIBUTES_FIXED0 */
	{72, 8, 0x1900000300000001},  /* ATTRIBUTES_FIXED1 */
	{80, 8, 0x1900000300000002},  /* XFAM_FIXED0 */
	{88, 8, 0x1900000300000003},  /* XFAM_FIXED1 */
	{128, 4, 0x9900000100000004}, /* NUM_CPUID_CONFIG */
};

#define INFO_BYTES  1024
#define INFO_SYS_RD 18 /* byte: SYS.RD is there */
#define CMR_BYTES   16
#define CMR_ALIGN   512

static void fill_info(const struct seam *s, u8 *info)
{
	u64 val, next;
	u32 i;

	memset(info, 0, INFO_BYTES);
	info[INFO_SYS_RD] = 1;
	for (i = 0; i < RT_ARRAY_SIZE(info_fields); i++)
		if (seam_sys_field(s, info_fields[i].id, &val, &next))
			memcpy(info + info_fields[i].off, &val, info_fields[i].len);
}

u64 seam_tdh_sys_info(struct seam_ctx *c)
{
	struct seam_range cmrs[SEAM_MAX_CMRS] = {seam_cmr(c->s)};
	u8 info[INFO_BYTES];
	u64 st;

	st = seam_shared_hpa_check(c->s, c->in.rcx, INFO_BYTES, INFO_BYTES, SEAM_OP_RCX);
	if (st)
		return st;
	if (c->in.rdx < INFO_BYTES)
		return SEAM_OPERAND_INVALID | SEAM_OP_RDX;
	st = seam_shared_hpa_check(c->s, c->in.r8, CMR_ALIGN, sizeof(cmrs), SEAM_OP_R8);
	if (st)
		return st;
	if (c->in.r9 < SEAM_MAX_CMRS)
		return SEAM_OPERAND_INVALID | SEAM_OP_R9;
	fill_info(c->s, info);
	rt_phys_poke(seam_shared_pa(c->s, c->in.rcx), 0, info, sizeof(info));
	rt_phys_poke(seam_shared_pa(c->s, c->in.r8), 0, cmrs, sizeof(cmrs));
	c->r->rdx = INFO_BYTES;
	c->r->r9 = 1;
	return SEAM_SUCCESS;
}
