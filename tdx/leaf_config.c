// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.SYS.CONFIG: the host's TDMR_INFO array, checked, becomes the module's TDMRs (tdx-module.md
 * 2.1, 5.11). The fine order of these checks is not confirmed by a recording; status and operand of
 * each are.
 */
#include "sim/rt/phys.h"
#include "tdx/leaf.h"
#include "tdx/sys.h"

#define GIB		RT_BIT(30)
#define TDMR_INFO_ALIGN 512
#define CONFIG_DYN_PAMT RT_BIT(16)
#define CONFIG_HKID	RT_MASK(15, 0)
#define PAMT_KINDS	3

/* TDMR_INFO as it lies in memory. */
struct tdmr_info {
	u64 base, size;
	struct seam_range pamt[PAMT_KINDS];	    /* 1G, 2M, 4K entries (or the bitmap) */
	struct seam_range rsvd[SEAM_RSVD_PER_TDMR]; /* offset, size */
};

struct config {
	u32 nr;
	bool dynamic_pamt;
	struct tdmr_info *t;
};

/* details_l2: bytes from the lowest: TDMR, PAMT kind or reserved area, the other TDMR. */
static u64 tdmr_error(u64 status, u32 tdmr, u32 sub, u32 other)
{
	return status | tdmr | (u64)sub << 8 | (u64)other << 16;
}

static bool overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool in_cmr(const struct seam *s, u64 base, u64 size)
{
	struct seam_range cmr = seam_cmr(s);

	return base >= cmr.base && base + size <= cmr.base + cmr.size && base + size >= base;
}

/* Bytes of metadata that a TDMR of @size needs. */
static u64 pamt_bytes(const struct config *cf, u64 size, u32 kind)
{
	u64 bytes;

	if (kind == 2 && cf->dynamic_pamt)
		bytes = (size >> 12) / 8;
	else
		bytes = (size >> SEAM_LEVEL_SHIFT(2 - kind)) * SEAM_PAMT_ENTRY_BYTES;
	return (bytes + RT_PAGE_SIZE - 1) & ~(RT_PAGE_SIZE - 1);
}

/* Reserved areas: 4K granular, inside, ascending; the first with size 0 ends the list. */
static u64 check_reserved(const struct tdmr_info *t, u32 i)
{
	u64 last = 0;
	u32 r;

	for (r = 0; r < SEAM_RSVD_PER_TDMR && t->rsvd[r].size; r++) {
		const struct seam_range *a = &t->rsvd[r];

		if (((a->base | a->size) & (RT_PAGE_SIZE - 1)) || a->base + a->size > t->size ||
		    a->base + a->size < a->base)
			return tdmr_error(SEAM_INVALID_RESERVED_IN_TDMR, i, r, 0);
		if (a->base < last)
			return tdmr_error(SEAM_NON_ORDERED_RESERVED_IN_TDMR, i, r, 0);
		last = a->base + a->size;
	}
	return SEAM_SUCCESS;
}

/* All of [@base, @base + @size) that lies in the TDMR lies in one of its reserved areas. */
static bool reserved_there(const struct tdmr_info *t, u64 base, u64 size)
{
	u32 r;

	if (!overlap(t->base, t->size, base, size))
		return true;
	for (r = 0; r < SEAM_RSVD_PER_TDMR && t->rsvd[r].size; r++) {
		u64 from = t->base + t->rsvd[r].base;

		if (base >= from && base + size <= from + t->rsvd[r].size)
			return true;
	}
	return false;
}

static u64 check_pamt(const struct seam *s, const struct config *cf, u32 i)
{
	const struct tdmr_info *t = &cf->t[i];
	u32 kind, j, k;

	for (kind = 0; kind < PAMT_KINDS; kind++) {
		const struct seam_range *p = &t->pamt[kind];

		if (((p->base | p->size) & (RT_PAGE_SIZE - 1)) ||
		    p->size < pamt_bytes(cf, t->size, kind))
			return tdmr_error(SEAM_INVALID_PAMT, i, kind, 0);
		if (!in_cmr(s, p->base, p->size))
			return tdmr_error(SEAM_PAMT_OUTSIDE_CMRS, i, kind, 0);
		for (j = 0; j < cf->nr; j++)
			if (!reserved_there(&cf->t[j], p->base, p->size))
				return tdmr_error(SEAM_PAMT_OVERLAP, i, kind, j);
		for (j = 0; j <= i; j++)
			for (k = 0; k < (j == i ? kind : PAMT_KINDS); k++)
				if (overlap(cf->t[j].pamt[k].base, cf->t[j].pamt[k].size, p->base,
					    p->size))
					return tdmr_error(SEAM_PAMT_OVERLAP, i, kind, j);
	}
	return SEAM_SUCCESS;
}

static u64 check_tdmr(const struct seam *s, const struct config *cf, u32 i)
{
	const struct tdmr_info *t = &cf->t[i];
	u64 st;

	if (!t->size || ((t->base | t->size) & (GIB - 1)) || t->base + t->size < t->base ||
	    (t->base + t->size) & ~seam_pa_mask(s))
		return tdmr_error(SEAM_INVALID_TDMR, i, 0, 0);
	if (i && t->base < cf->t[i - 1].base + cf->t[i - 1].size)
		return tdmr_error(SEAM_NON_ORDERED_TDMR, i, 0, 0);
	st = check_reserved(t, i);
	if (st)
		return st;
	if (!in_cmr(s, t->base, t->size))
		return tdmr_error(SEAM_TDMR_OUTSIDE_CMRS, i, 0, 0);
	return SEAM_SUCCESS;
}

static u64 check_operands(const struct seam_ctx *c)
{
	const struct seam *s = c->s;
	u64 hkid = c->in.r8 & CONFIG_HKID, rsvd = ~(CONFIG_HKID | CONFIG_DYN_PAMT);

	if ((c->in.r8 & rsvd) || ((c->in.r8 & CONFIG_DYN_PAMT) && !s->f.dynamic_pamt))
		return SEAM_OPERAND_INVALID | SEAM_OP_R8;
	if (hkid < s->cfg.hkid_first || hkid >= (u64)s->cfg.hkid_first + s->cfg.hkid_count)
		return SEAM_OPERAND_INVALID | SEAM_OP_R8;
	if (!c->in.rdx || c->in.rdx > SEAM_MAX_TDMRS)
		return SEAM_OPERAND_INVALID | SEAM_OP_RDX;
	return seam_shared_hpa_check(s, c->in.rcx, TDMR_INFO_ALIGN, c->in.rdx * sizeof(u64),
				     SEAM_OP_RCX);
}

static u64 read_infos(const struct seam_ctx *c, struct config *cf)
{
	u64 pa[SEAM_MAX_TDMRS], st;
	u32 i;

	rt_phys_peek(seam_shared_pa(c->s, c->in.rcx), pa, cf->nr * sizeof(pa[0]));
	for (i = 0; i < cf->nr; i++) {
		st = seam_shared_hpa_check(c->s, pa[i], TDMR_INFO_ALIGN, sizeof(cf->t[i]),
					   SEAM_OP_TDMR_INFO_PA);
		if (st)
			return st;
		rt_phys_peek(seam_shared_pa(c->s, pa[i]), &cf->t[i], sizeof(cf->t[i]));
	}
	return SEAM_SUCCESS;
}

static u64 check_all(const struct seam_ctx *c, struct config *cf)
{
	u64 st = read_infos(c, cf);
	u32 i;

	for (i = 0; i < cf->nr && !st; i++)
		st = check_tdmr(c->s, cf, i);
	for (i = 0; i < cf->nr && !st; i++)
		st = check_pamt(c->s, cf, i);
	return st;
}

static void configure(struct seam_ctx *c, const struct config *cf)
{
	struct seam *s = c->s;
	u32 i, r;

	s->dynamic_pamt = cf->dynamic_pamt;
	for (i = 0; i < cf->nr; i++) {
		const struct tdmr_info *t = &cf->t[i];

		seam_pamt_add_tdmr(s, t->base, t->size, false);
		for (r = 0; r < SEAM_RSVD_PER_TDMR && t->rsvd[r].size; r++)
			seam_pamt_reserve(s, t->base + t->rsvd[r].base, t->rsvd[r].size);
	}
	s->cfg.hkid_global = (u32)(c->in.r8 & CONFIG_HKID);
	s->kot[s->cfg.hkid_global - s->cfg.hkid_first].state = SEAM_HKID_RESERVED;
	s->sys_state = SEAM_SYSCONFIG_DONE;
}

static bool all_lps_done(const struct seam *s)
{
	u32 i;

	for (i = 0; i < s->cfg.lps; i++)
		if (!s->lp[i].init_done)
			return false;
	return true;
}

u64 seam_tdh_sys_config(struct seam_ctx *c)
{
	struct config cf = {
		.nr = (u32)c->in.rdx,
		.dynamic_pamt = c->in.r8 & CONFIG_DYN_PAMT,
	};
	u64 st;

	if (seam_hold_sharex(&c->held, &c->s->global_lock, SEAM_EX))
		return SEAM_SYS_BUSY;
	if (c->s->sys_state != SEAM_SYSINIT_DONE || !all_lps_done(c->s))
		return SEAM_SYS_CONFIG_NOT_PENDING;
	st = check_operands(c);
	if (st)
		return st;
	cf.t = rt_alloc(cf.nr * sizeof(*cf.t));
	st = check_all(c, &cf);
	if (!st)
		configure(c, &cf);
	rt_free(cf.t);
	return st;
}
