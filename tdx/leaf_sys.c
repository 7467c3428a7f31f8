// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing the module up and down: TDH.SYS.INIT, LP.INIT, KEY.CONFIG, TDMR.INIT, LP.SHUTDOWN (tdx-
 * module.md 5.11). SYS.CONFIG with its TDMR_INFO checks is in tdx/leaf_config.c; reading what the
 * module is, in tdx/leaf_sysrd.c.
 *
 * States only go up: SYSINIT_PENDING, SYSINIT_DONE, SYSCONFIG_DONE, SYS_READY, and SHUT_DOWN from
 * any of them.
 */
#include <assert.h>

#include "tdx/leaf.h"

/* 4K pages whose PAMT one SYS.TDMR.INIT does: 1024 entries, or the bitmap of 4096 pages (8.4). */
#define TDMR_INIT_PAGES	       1024ULL
#define TDMR_INIT_PAGES_BITMAP 4096ULL
#define PAMT_LINES_PER_INIT    256
#define GIB		       RT_BIT(30)

static u64 take_global(struct seam_ctx *c, enum seam_mode mode)
{
	if (seam_hold_sharex(&c->held, &c->s->global_lock, mode))
		return SEAM_SYS_BUSY;
	return SEAM_SUCCESS;
}

u64 seam_tdh_sys_init(struct seam_ctx *c)
{
	u64 st = take_global(c, SEAM_EX);

	if (st)
		return st;
	if (c->s->sys_state != SEAM_SYSINIT_PENDING)
		return SEAM_SYS_INIT_NOT_PENDING;
	/* RCX: attributes, none of which is defined. */
	if (c->in.rcx)
		return SEAM_OPERAND_INVALID | SEAM_OP_RCX;
	c->s->tsc_adjust = c->lp->tsc_adjust;
	c->s->sys_state = SEAM_SYSINIT_DONE;
	return SEAM_SUCCESS;
}

u64 seam_tdh_sys_lp_init(struct seam_ctx *c)
{
	u64 st = take_global(c, SEAM_SH);

	if (st)
		return st;
	if (c->s->sys_state != SEAM_SYSINIT_DONE)
		return SEAM_SYS_LP_INIT_NOT_PENDING;
	if (c->lp->init_done)
		return SEAM_SYS_LP_INIT_DONE;
	st = seam_check_tsc_adjust(c->s, c->lp);
	if (st)
		return st;
	assert(!c->s->key_pkgs && !c->s->nr_tdmr);
	c->lp->init_done = true;
	return SEAM_SUCCESS;
}

u64 seam_tdh_sys_key_config(struct seam_ctx *c)
{
	u64 st = take_global(c, SEAM_EX), pkg = RT_BIT(c->lp->pkg);
	struct seam *s = c->s;

	if (st)
		return st;
	if (s->sys_state != SEAM_SYSCONFIG_DONE)
		return SEAM_SYS_KEY_CONFIG_NOT_PENDING;
	if (s->key_pkgs & pkg)
		return SEAM_KEY_CONFIGURED;
	s->key_pkgs |= (u32)pkg;
	if (s->key_pkgs == RT_BIT(s->cfg.pkgs) - 1)
		s->sys_state = SEAM_SYS_READY;
	return SEAM_SUCCESS;
}

static struct seam_tdmr *tdmr_at(struct seam *s, u64 base)
{
	u32 i;

	for (i = 0; i < s->nr_tdmr; i++)
		if (s->tdmr[i].base == base)
			return &s->tdmr[i];
	return NULL;
}

u64 seam_tdh_sys_tdmr_init(struct seam_ctx *c)
{
	struct seam_tdmr *t = tdmr_at(c->s, c->in.rcx);
	u64 step = c->s->dynamic_pamt ? TDMR_INIT_PAGES_BITMAP : TDMR_INIT_PAGES;

	if ((c->in.rcx & (GIB - 1)) || !t)
		return SEAM_OPERAND_INVALID | SEAM_OP_RCX;
	if (seam_hold_mutex(&c->held, &t->lock))
		return SEAM_OPERAND_BUSY | SEAM_OP_RCX;
	if (t->next == t->base + t->size)
		return SEAM_TDMR_ALREADY_INITIALIZED;
	t->next += step << 12;
	seam_cost(c->s, SEAM_COST_STORE_LINE, PAMT_LINES_PER_INIT);
	/* Only whole blocks of 1G can be used, and only those are told. */
	c->r->rdx = t->next & ~(GIB - 1);
	return SEAM_SUCCESS;
}

u64 seam_tdh_sys_lp_shutdown(struct seam_ctx *c)
{
	u64 st = take_global(c, SEAM_EX);

	if (st)
		return st;
	c->s->sys_state = SEAM_SYS_SHUT_DOWN;
	return SEAM_SUCCESS;
}
