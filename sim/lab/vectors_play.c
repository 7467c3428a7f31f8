// SPDX-License-Identifier: GPL-2.0-only
/*
 * Playing one recording: its events in order on a fresh module, and each result compared.
 * Interrupts and calls of other LPs that a recording arms happen at the scheduling points inside a call, so all of
 * it runs in the point hook, without actors: a recording already says who goes on where.
 * Results that no call makes are vectors_look.c and vectors_hold.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/util.h"
#include "sim/lab/vectors_int.h"
#include "sim/rt/phys.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

/* A call or guest event that is under way on an LP; others may run inside it, on other LPs. */
struct vec_frame {
	struct vec_frame *outer;
	u32 lp;
	u32 polls;
	u32 irq;  /* poll at which an interrupt becomes pending; 0: none */
	u32 at;	  /* the armed event that is still to run here; 0: none (event 0 never is one) */
	u32 poll; /* poll at which it runs; 0: at the first write of a locked entry */
};

struct vec_lp {
	bool in_guest, busy;
	u32 irq;		/* armed for the next event here */
	u32 at;			/* "at" event + 1 armed for it */
	struct vec_frame frame; /* of the event under way, if busy */
	struct vec_result done; /* what the last armed event gave */
};

struct vec_player {
	const struct vec_file *f;
	const struct lab_vectors_opts *opts;
	struct lab_vectors_sum *sum;
	struct seam *s;
	struct vec_frame *top; /* NULL between events */
	struct vec_holds holds;
	u32 lps;
	struct vec_lp lp[];
};

static void vec_do(struct vec_player *p, const struct vec_event *ev, struct vec_result *res);

static bool vec_cant(struct vec_result *res, const char *why)
{
	res->form = VEC_F_CANT;
	res->keys = 0;
	res->why = why;
	return false;
}

/* Begin an event on its LP: what was armed for it is now armed in its frame. False: it can't be done, *res says so. */
static bool vec_begin(struct vec_player *p, const struct vec_event *ev, struct vec_result *res)
{
	struct vec_lp *lp = &p->lp[ev->lp];
	struct vec_frame *fr = &lp->frame;
	bool host = ev->verb == VEC_V_CALL;

	assert(ev->lp < p->lps);
	if (lp->busy)
		return vec_cant(res, "the LP is inside another call");
	if (lp->in_guest == host)
		return vec_cant(res, host ? "the LP is in a guest" : "the LP is not in a guest");
	*fr = (struct vec_frame){.outer = p->top, .lp = ev->lp, .irq = lp->irq};
	if (lp->at) {
		const struct vec_event *at = &p->f->ev[lp->at - 1];

		fr->at = lp->at;
		fr->poll = at->flags & VEC_WRITE ? 0 : (u32)at->arg;
	}
	lp->irq = lp->at = 0;
	lp->busy = true;
	p->top = fr;
	return true;
}

static void vec_end(struct vec_player *p, u32 nr, struct vec_result *res)
{
	struct vec_lp *lp = &p->lp[nr];

	assert(lp->busy && p->top == &lp->frame); /* events nest */
	if (lp->frame.irq)
		seam_irq_clear(p->s, nr, SEAM_IRQ_INTR);
	lp->busy = false;
	p->top = lp->frame.outer;
	res->val[VEC_K_POLLS] = lp->frame.polls;
	res->keys |= VEC_BIT(POLLS);
}

/* The event that is armed in the running frame: it runs completely, then the outer one goes on. */
static void vec_fire(struct vec_player *p, struct vec_frame *fr)
{
	const struct vec_event *inner = &p->f->ev[fr->at];

	assert(fr->at < p->f->nr_ev && inner->flags & VEC_INNER);
	fr->at = 0;
	vec_do(p, inner, &p->lp[fr->lp].done);
}

static void vec_point(void *ctx, enum rt_point pt, u64 obj)
{
	struct vec_player *p = ctx;
	struct vec_frame *fr = p->top;

	if (!fr) /* sept and pamt: nothing is armed for them */
		return;
	if (pt == RT_PT_POLL) {
		fr->polls++;
		if (fr->at && fr->polls == fr->poll)
			vec_fire(p, fr);
		if (fr->polls == fr->irq)
			seam_irq_raise(p->s, fr->lp, SEAM_IRQ_INTR);
	} else if (pt == RT_PT_HELD && obj & SEAM_AT_WRITE && fr->at && !fr->poll) {
		vec_fire(p, fr);
	}
}

/* Registers of the input; those that are not given are 0. */
static void vec_load(const struct vec_file *f, const struct vec_event *ev, struct seam_regs *r)
{
	const u64 *val = f->vals + ev->in;
	u64 set;

	memset(r, 0, sizeof(*r));
	for (set = ev->in_keys & VEC_REGS; set; set &= set - 1)
		((u64 *)r)[__builtin_ctzll(set)] = *val++;
}

static void vec_registers_out(struct vec_result *res, const struct seam_regs *r)
{
	memcpy(res->val, r, sizeof(*r));
	res->keys = VEC_REGS;
}

/* What a guest event came to. @r: the registers of the guest or, after an exit, of the host. */
static void vec_outcome(struct vec_player *p, u32 lp, enum seam_result what,
			const struct seam_regs *r, const struct seam_fault *fault,
			struct vec_result *res)
{
	switch (what) {
	case SEAM_RET:
	case SEAM_DONE:
		res->form = VEC_F_KEYS;
		vec_registers_out(res, r);
		break;
	case SEAM_ENTERED:
		p->lp[lp].in_guest = true;
		res->form = VEC_F_ENTERED;
		res->keys = 0;
		break;
	case SEAM_EXIT:
	case SEAM_RESTART_EXIT:
		p->lp[lp].in_guest = false;
		res->form = what == SEAM_EXIT ? VEC_F_EXIT : VEC_F_RESTART;
		vec_registers_out(res, r);
		break;
	case SEAM_VE:
		res->form = VEC_F_VE;
		res->keys = VEC_BIT(REASON) | VEC_BIT(QUAL) | VEC_BIT(GLA) | VEC_BIT(GPA);
		res->val[VEC_K_REASON] = fault->reason;
		res->val[VEC_K_QUAL] = fault->qual;
		res->val[VEC_K_GLA] = fault->gla;
		res->val[VEC_K_GPA] = fault->gpa;
		break;
	case SEAM_INJECT:
		res->form = VEC_F_INJECT;
		res->keys = VEC_BIT(VECTOR);
		res->val[VEC_K_VECTOR] = fault->vector;
		break;
	}
}

static u32 vec_flags(const struct vec_event *ev)
{
	return (ev->flags & VEC_RETRY ? SEAM_SAME_RIP : 0) |
	       (ev->flags & VEC_KEEPVE ? SEAM_KEEP_VE : 0);
}

static void vec_do_access(struct vec_player *p, const struct vec_event *ev, struct vec_result *res)
{
	u64 data = VEC_BIT(DATA);
	struct seam_access a = {
		.gpa = vec_in(p->f, ev, VEC_K_GPA, 0),
		.kind = ev->what,
		.has_data = ev->in_keys & data,
		.data = vec_in(p->f, ev, VEC_K_DATA, 0),
	};
	struct seam_fault fault = {0};
	struct seam_regs r = {0};
	enum seam_result what = seam_access(p->s, ev->lp, &a, vec_flags(ev), &r, &fault);

	if (what != SEAM_DONE) {
		vec_outcome(p, ev->lp, what, &r, &fault, res);
		return;
	}
	res->form = VEC_F_OK;
	res->keys = VEC_BIT(HPA) | VEC_BIT(LEVEL);
	res->val[VEC_K_HPA] = a.hpa;
	res->val[VEC_K_LEVEL] = a.level;
	if (a.has_data && a.kind == SEAM_READ) {
		res->keys |= VEC_BIT(VAL);
		res->val[VEC_K_VAL] = a.data;
	}
}

/* What runs on an LP. */
static void vec_run(struct vec_player *p, const struct vec_event *ev, struct vec_result *res)
{
	struct seam_fault fault = {0};
	enum seam_result what = SEAM_EXIT;
	struct seam_regs r;

	if (!vec_begin(p, ev, res))
		return;
	switch (ev->verb) {
	case VEC_V_CALL:
		vec_load(p->f, ev, &r);
		what = seam_call(p->s, ev->lp, &r);
		break;
	case VEC_V_GUEST:
		vec_load(p->f, ev, &r);
		what = seam_tdcall(p->s, ev->lp, &r, vec_flags(ev), &fault);
		break;
	case VEC_V_INTR:
		seam_guest_interrupt(p->s, ev->lp, (u32)vec_in(p->f, ev, VEC_K_VEC, 0x30), &r);
		break;
	case VEC_V_MC:
		seam_guest_machine_check(p->s, ev->lp, &r);
		break;
	}
	if (ev->verb == VEC_V_ACCESS)
		vec_do_access(p, ev, res);
	else
		vec_outcome(p, ev->lp, what, &r, &fault, res);
	vec_end(p, ev->lp, res);
}

static void vec_fill(const struct vec_event *ev)
{
	u64 at = ev->obj, end = ev->obj + ev->arg;
	u8 part[RT_PAGE_SIZE];

	memset(part, ev->what, sizeof(part));
	while (at < end) {
		u64 n = RT_PAGE_SIZE - at % RT_PAGE_SIZE;

		if (n == RT_PAGE_SIZE && n <= end - at) {
			rt_phys_fill(at, 0, ev->what);
		} else {
			n = n < end - at ? n : end - at;
			rt_phys_poke(at, 0, part, n);
		}
		at += n;
	}
}

/* sept and pamt are made on the lowest LP that is in the host. */
static void vec_do_ask(struct vec_player *p, const struct vec_event *ev, struct vec_result *res)
{
	struct vec_frame *top = p->top;
	u32 lp;

	for (lp = 0; lp < p->lps && (p->lp[lp].in_guest || p->lp[lp].busy); lp++)
		;
	if (lp == p->lps) {
		vec_cant(res, "every LP is in a guest");
		return;
	}
	p->top = NULL;
	vec_ask(p->f, ev, p->s, lp, res);
	p->top = top;
}

static void vec_do(struct vec_player *p, const struct vec_event *ev, struct vec_result *res)
{
	switch ((enum vec_verb)ev->verb) {
	case VEC_V_CALL:
	case VEC_V_GUEST:
	case VEC_V_ACCESS:
	case VEC_V_INTR:
	case VEC_V_MC:
		vec_run(p, ev, res);
		break;
	case VEC_V_IRQ:
		p->lp[ev->lp].irq = (u32)ev->arg;
		break;
	case VEC_V_AT:
		p->lp[ev->lp].at = (u32)(ev - p->f->ev) + 1;
		p->lp[ev->lp].done.form = VEC_F_NOTRUN;
		p->lp[ev->lp].done.keys = 0;
		break;
	case VEC_V_TSC:
		rt_cycles(ev->obj);
		break;
	case VEC_V_MEM:
		rt_phys_poke(ev->obj, 0, p->f->bytes + ev->bytes, ev->arg);
		break;
	case VEC_V_FILL:
		vec_fill(ev);
		break;
	case VEC_V_SEPT:
	case VEC_V_PAMT:
		vec_do_ask(p, ev, res);
		break;
	case VEC_V_HOLD:
	case VEC_V_DROP:
		vec_hold_or_drop(&p->holds, p->f, ev, p->s, res);
		break;
	default:
		vec_look(p->f, ev, p->s, res);
		break;
	}
}

/* The module's own conservation rules, where no lock is held that no call took. */
static void vec_check(struct vec_player *p, const struct vec_event *ev)
{
	char why[200];

	if (p->holds.nr || seam_check(p->s, why, sizeof(why)))
		return;
	p->sum->unsound++;
	if (p->opts->out)
		fprintf(p->opts->out, "%s:%u: %.*s\n    left the module unsound: %s\n", p->f->name,
			ev->line, (int)ev->in_len, p->f->text + ev->text, why);
}

static void vec_events(struct vec_player *p)
{
	const struct vec_file *f = p->f;
	struct vec_result res;
	u32 i;

	assert(!p->top);
	for (i = 0; i < f->nr_ev; i++) {
		const struct vec_event *ev = &f->ev[i], *did = ev;
		const struct vec_result *got = &res;
		u64 diff;

		if (ev->flags & VEC_INNER)
			continue;
		if (ev->verb == VEC_V_ATDONE) {
			assert(ev->link < i && f->ev[ev->link].flags & VEC_INNER);
			did = &f->ev[ev->link];
			got = &p->lp[ev->lp].done;
		} else {
			vec_do(p, ev, &res);
		}
		if (ev->form == VEC_F_NOTHING)
			continue;
		p->sum->calls++;
		diff = vec_differs(f, ev, did, got);
		if (!diff)
			p->sum->matched++;
		else if (p->opts->out)
			vec_print(p->opts->out, f, ev, did, got, diff);
		if (p->opts->check)
			vec_check(p, ev);
	}
}

void vec_play(const struct vec_file *f, const struct lab_vectors_opts *opts,
	      struct lab_vectors_sum *sum)
{
	u32 lps = f->config.lps ? f->config.lps : 4, lp;
	struct vec_player *p = lab_zalloc(sizeof(*p) + lps * sizeof(p->lp[0]));
	struct seam_config cfg = f->config;
	char why[200] = "";

	cfg.profile = f->profile[0] ? f->profile : NULL;
	p->f = f;
	p->opts = opts;
	p->sum = sum;
	p->lps = lps;
	p->s = seam_new(&cfg, why, sizeof(why));
	sum->files++;
	if (p->s) {
		seam_observe(p->s, opts->observer);
		for (lp = 0; lp < lps; lp++)
			seam_set_if(p->s, lp, true);
		rt_set_point_hook(rt_world_current(), vec_point, p);
		vec_events(p);
		rt_set_point_hook(rt_world_current(), NULL, NULL);
	} else {
		sum->no_machine++;
		sum->calls += f->calls;
		if (opts->out)
			fprintf(opts->out, "%s:%u:%u: no such machine: %s\n", f->name,
				f->config_line, f->config_col, why);
	}
	free(p->holds.h);
	free(p);
}
