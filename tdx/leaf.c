// SPDX-License-Identifier: GPL-2.0-only
/*
 * The steps that many leaves share (tdx-module.md 3.2 ST, 5 prefix C, tracking T, interrupt polls),
 * in the module's order. What they hold they record in the call's list, so an early return is all
 * that an error needs.
 */
#include "tdx/leaf.h"

#include <assert.h>

#include "sim/rt/fault.h"
#include "sim/rt/sched.h"

void seam_ctx_init(struct seam_ctx *c, struct seam *s, u32 lp, struct seam_regs *r, u32 first_row)
{
	u32 limit = first_row ? SEAM_TDG_NR : SEAM_ROW_TDG(0);

	assert(lp < s->cfg.lps);
	c->s = s;
	c->lp = &s->lp[lp];
	c->r = r;
	c->in = *r;
	c->nr = (u32)RT_FIELD(r->rax, 15, 0);
	c->version = (u32)RT_FIELD(r->rax, 23, 16);
	c->row = c->nr < limit ? first_row + c->nr : SEAM_ROW_NONE;
	s->cost_row = c->row;
	c->polls = 0;
	c->wrote_locked = false;
	c->forced = false;
	c->entered = false;
	c->td = NULL;
	c->vcpu = NULL;
	c->pos.entry = NULL;
	c->held.nr = 0;
}

u64 seam_take_td(struct seam_ctx *c, u64 tdr, enum seam_mode mode, u32 op)
{
	struct seam_page pg;
	u64 st = seam_phpa(c, tdr, SEAM_PT_TDR, mode, op, &pg);

	if (st)
		return st;
	c->td = seam_td_find(c->s, tdr);
	assert(c->td);
	/* Every other call on this TD is refused now: a place to be met at, as under the tree. */
	if (mode == SEAM_EX)
		seam_point(c, RT_PT_HELD, SEAM_AT(c->lp->id, tdr));
	return 0;
}

u64 seam_take_td_implicit(struct seam_ctx *c, u64 tdr, enum seam_mode mode)
{
	struct seam_page pg;
	u64 st = seam_pamt_implicit(c, tdr, 0, mode, SEAM_OP_TDR, &pg);

	if (st)
		return st;
	assert(pg.e->type == SEAM_PT_TDR); /* whoever has pages has a TDR (3.1) */
	c->td = seam_td_find(c->s, tdr);
	assert(c->td);
	return 0;
}

u64 seam_check_td_state(struct seam_ctx *c, u64 allowed, bool lock)
{
	struct seam_td *td = c->td;
	enum seam_try t;

	assert(td && allowed);
	if (td->fatal)
		return SEAM_TD_FATAL;
	if (td->lifecycle != SEAM_TD_KEYS_CONFIGURED)
		return SEAM_TD_KEYS_NOT_CONFIGURED;
	if (td->nr_tdcx < SEAM_TDCX_MIN)
		return SEAM_TDCS_NOT_ALLOCATED;
	if (lock) {
		seam_cost(c->s, SEAM_COST_ATOMIC, 2);
		t = seam_hold_sharex_hp(&c->held, &td->opstate_lock, SEAM_SH, SEAM_HOST);
		if (t != SEAM_TRY_OK)
			return SEAM_OPERAND_BUSY | SEAM_OP_OP_STATE;
	}
	if (!(allowed & RT_BIT(td->opstate)))
		return SEAM_OP_STATE_INCORRECT | (c->s->f.op_state_in_details ? td->opstate : 0);
	return 0;
}

bool seam_tracking_required(const struct seam_td *td)
{
	const u64 states = SEAM_OPS(RUNNABLE) | SEAM_OPS(LIVE_EXPORT) | SEAM_OPS(LIVE_IMPORT);

	return states & RT_BIT(td->opstate);
}

u64 seam_check_page_info(u64 info, u32 min, u32 max)
{
	u32 level = SEAM_INFO_LEVEL(info);
	bool ok = !(info & SEAM_INFO_RSVD) && level >= min && level <= max &&
		  !(SEAM_INFO_GPA(info) & (SEAM_LEVEL_SIZE(level) - 1));

	return ok ? 0 : SEAM_OPERAND_INVALID | SEAM_OP_RCX;
}

u64 seam_check_gpa(const struct seam_td *td, u64 gpa)
{
	return seam_gpa_private(td, gpa) ? 0 : SEAM_OPERAND_INVALID | SEAM_OP_RCX;
}

u64 seam_take_tree(struct seam_ctx *c, enum seam_mode mode, u64 gpa)
{
	u16 *word = &c->td->tree_lock;
	enum seam_try t;

	assert(mode == SEAM_SH || mode == SEAM_EX);
	seam_cost(c->s, SEAM_COST_ATOMIC, 2);
	if (c->s->f.tree_hp)
		t = seam_hold_sharex_hp(&c->held, word, mode, SEAM_HOST);
	else
		t = seam_hold_sharex(&c->held, word, mode);
	if (t != SEAM_TRY_OK)
		return SEAM_OPERAND_BUSY | SEAM_OP_SEPT_TREE;
	seam_point(c, RT_PT_HELD, SEAM_AT(c->lp->id, gpa));
	return 0;
}

u64 seam_entry_error(struct seam_ctx *c, const struct seam_pos *p, u64 status)
{
	c->r->rcx = seam_sept_shown(c->s, p->val);
	c->r->rdx = seam_sept_info(p);
	return status;
}

u64 seam_sept_prefix(struct seam_ctx *c, u64 tdr, const struct seam_prefix *p)
{
	u64 st = seam_take_td(c, tdr, SEAM_SH, SEAM_OP_RDX);

	if (!st)
		st = seam_check_td_state(c, p->allowed, true);
	return st ? st : seam_sept_prefix_tail(c, p);
}

u64 seam_sept_prefix_tail(struct seam_ctx *c, const struct seam_prefix *p)
{
	u64 info = c->in.rcx, gpa = SEAM_INFO_GPA(info);
	u32 level = SEAM_INFO_LEVEL(info);
	u32 max = p->max == SEAM_TOP ? seam_sept_top(c->td) : p->max;
	u64 st;

	assert(c->td && p->min <= max);
	st = seam_check_page_info(info, p->min, max);
	if (!st)
		st = seam_check_gpa(c->td, gpa);
	if (!st)
		st = seam_take_tree(c, (enum seam_mode)p->tree, gpa);
	if (st)
		return st;

	seam_cost(c->s, SEAM_COST_WALK, seam_sept_top(c->td) - level + 1);
	if (!seam_sept_walk(c->s, c->td, 0, gpa, level, &c->pos))
		return seam_entry_error(c, &c->pos, SEAM_EPT_WALK_FAILED | SEAM_OP_RCX);
	seam_cost(c->s, SEAM_COST_ATOMIC, 2);
	if (seam_hold_entry(&c->held, c->pos.entry, SEAM_HOST) != SEAM_TRY_OK)
		return seam_entry_error(c, &c->pos, SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	seam_sept_reread(&c->pos);
	return 0;
}

bool seam_state_in(u8 state, u64 states)
{
	return states & SEAM_STATE_BIT(state);
}

u64 seam_check_entry_state(struct seam_ctx *c, u64 states)
{
	assert(c->pos.entry && !c->pos.vm);
	if (seam_state_in(seam_sept_state(c->pos.val), states))
		return 0;
	return seam_entry_error(c, &c->pos, SEAM_EPT_ENTRY_STATE_INCORRECT | SEAM_OP_RCX);
}

u64 seam_check_tracking(struct seam_ctx *c, u64 bepoch)
{
	u8 state = seam_sept_state(c->pos.val);
	bool flagged = state != SEAM_SEPT_FREE && state != SEAM_SEPT_REMOVED;

	if (!flagged || !seam_tracking_required(c->td))
		return 0;
	if (!seam_state_any_blocked(state))
		return seam_entry_error(c, &c->pos, SEAM_GPA_RANGE_NOT_BLOCKED | SEAM_OP_RCX);
	if (!seam_epoch_tracked(c->td, bepoch))
		return SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX;
	return 0;
}

void seam_count_blocked(struct seam_ctx *c, u8 state, int sign)
{
	bool pending = state == SEAM_SEPT_PENDING || state == SEAM_SEPT_PENDING_BLOCKED;
	bool leaf = pending || state == SEAM_SEPT_MAPPED || state == SEAM_SEPT_BLOCKED;
	u64 *count = pending ? &c->td->pending_blocked_pages : &c->td->blocked_pages;

	assert(sign == 1 || sign == -1);
	if (c->s->f.blocked_counters && leaf)
		*count += (u64)(s64)sign * SEAM_LEVEL_PAGES(c->pos.level);
}

/*
 * The n-th poll of this call: others may run just before it is answered, and a fault may raise
 * events at it.
 */
static u32 poll(struct seam_ctx *c, u64 fault_key)
{
	u64 events;

	c->polls++;
	seam_point(c, RT_PT_POLL, SEAM_AT(c->lp->id, c->polls));
	if (rt_fault_fire("interrupt", fault_key, &events))
		c->lp->irq |= (u32)events;
	return c->lp->irq;
}

u64 seam_poll_host(struct seam_ctx *c, u64 interrupted)
{
	u32 events = poll(c, c->nr);
	u64 st = 0;

	assert(interrupted == SEAM_INTERRUPTED_RESTARTABLE ||
	       interrupted == SEAM_INTERRUPTED_RESUMABLE);
	if (!c->lp->if_on)
		events &= ~SEAM_IRQ_INTR;
	if (events)
		st = interrupted;
	else if (c->s->f.poll_hp && c->td && (c->td->tree_lock & SEAM_WORD_HP))
		st = SEAM_INTERRUPTED_BUSY;
	if (st) {
		c->r->rcx = c->in.rcx;
		c->r->rdx = c->in.rdx;
	}
	return st;
}

bool seam_poll_guest(struct seam_ctx *c)
{
	return poll(c, SEAM_FAULT_GUEST | c->nr) != 0;
}
