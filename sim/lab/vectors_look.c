// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lines of a recording that look instead of calling: the module's state, lock words, memory.
 * "sept" and "pamt" are real calls, with all their effects, whose registers are shown under other names.
 * Comparing is vectors_diff.c, calls as such are vectors_play.c.
 */
#include <string.h>

#include "sim/lab/vectors_int.h"
#include "sim/rt/phys.h"
#include "tdx/abi.h"

static void vec_put(struct vec_result *res, enum vec_key key, u64 val)
{
	res->form = VEC_F_KEYS;
	res->keys |= 1ULL << key;
	res->val[key] = val;
}

static void vec_look_td(const struct vec_event *ev, struct seam *s, struct vec_result *res)
{
	struct seam_td_view v;

	res->form = VEC_F_NONE;
	if (!seam_look_td(s, ev->obj, &v))
		return;
	vec_put(res, VEC_K_LIFECYCLE, v.lifecycle);
	vec_put(res, VEC_K_FATAL, v.fatal);
	vec_put(res, VEC_K_HKID, v.hkid);
	vec_put(res, VEC_K_CHLDCNT, v.child_count);
	vec_put(res, VEC_K_TDCX, v.tdcx);
	if (!v.tdcs_ready)
		return;
	vec_put(res, VEC_K_OPSTATE, v.opstate);
	vec_put(res, VEC_K_EPOCH, v.epoch);
	vec_put(res, VEC_K_REF0, v.refcount[0]);
	vec_put(res, VEC_K_REF1, v.refcount[1]);
	vec_put(res, VEC_K_VCPUS, v.vcpus);
	vec_put(res, VEC_K_ASSOC, v.assoc);
}

static void vec_look_vcpu(const struct vec_event *ev, struct seam *s, struct vec_result *res)
{
	struct seam_vcpu_view v;

	res->form = VEC_F_NONE;
	if (!seam_look_vcpu(s, ev->obj, &v))
		return;
	vec_put(res, VEC_K_STATE, v.state);
	vec_put(res, VEC_K_ASSOC, v.assoc);
	vec_put(res, VEC_K_EPOCH, v.epoch);
	vec_put(res, VEC_K_PAGES, v.pages);
}

static void vec_look_lock(const struct vec_file *f, const struct vec_event *ev, struct seam *s,
			  struct vec_result *res)
{
	struct seam_hold l = vec_lock_of(f, ev);
	struct seam_sept_view v;
	u16 word;

	res->form = VEC_F_NONE;
	if (l.id != SEAM_LOCK_SEPT) {
		if (seam_lock_word(s, &l, &word))
			vec_put(res, VEC_K_WORD, word);
	} else if (seam_look_sept(s, l.obj, l.gpa, l.level, &v) && v.level == l.level) {
		vec_put(res, VEC_K_LOCKED, v.locked);
		vec_put(res, VEC_K_HP, v.hp);
	}
}

static void vec_look_pair(const struct vec_event *ev, struct seam *s, struct vec_result *res)
{
	struct seam_pair_view v;

	res->form = VEC_F_NONE;
	if (!seam_look_pair(s, ev->obj, &v))
		return;
	vec_put(res, VEC_K_PT, v.type);
	vec_put(res, VEC_K_BIT, v.bit);
	if (!v.has_pair)
		return;
	vec_put(res, VEC_K_COUNT, v.count);
	vec_put(res, VEC_K_HPA0, v.hpa0);
	vec_put(res, VEC_K_HPA1, v.hpa1);
}

static void vec_look_memory(const struct vec_file *f, const struct vec_event *ev,
			    struct vec_result *res)
{
	const u8 *want = f->bytes + ev->bytes;
	u8 buf[RT_PAGE_SIZE];
	u64 at = 0, i;

	res->form = VEC_F_BYTES;
	for (; at < ev->arg; at += i) {
		u64 n = ev->arg - at < sizeof(buf) ? ev->arg - at : sizeof(buf);

		rt_phys_peek(ev->obj + at, buf, n);
		for (i = 0; i < n && buf[i] == want[at + i]; i++)
			;
		if (i == n)
			continue;
		res->val[VEC_K_VAL] = buf[i];
		at += i;
		break;
	}
	res->at = at;
}

void vec_look(const struct vec_file *f, const struct vec_event *ev, struct seam *s,
	      struct vec_result *res)
{
	res->keys = 0;
	switch (ev->verb) {
	case VEC_V_TD:
		vec_look_td(ev, s, res);
		break;
	case VEC_V_VCPU:
		vec_look_vcpu(ev, s, res);
		break;
	case VEC_V_LOCK:
		vec_look_lock(f, ev, s, res);
		break;
	case VEC_V_PAIR:
		vec_look_pair(ev, s, res);
		break;
	default:
		vec_look_memory(f, ev, res);
		break;
	}
}

/* TDH.MEM.SEPT.RD, shown as the entry that it read, or as its registers if it failed. */
static void vec_ask_sept(const struct vec_file *f, const struct vec_event *ev, struct seam *s,
			 u32 lp, struct vec_result *res)
{
	struct seam_regs r = {
		.rax = SEAM_RAX(SEAM_TDH_MEM_SEPT_RD, 0),
		.rcx = vec_in(f, ev, VEC_K_GPA, 0) | vec_in(f, ev, VEC_K_LEVEL, 0),
		.rdx = ev->obj,
	};

	seam_call(s, lp, &r);
	vec_put(res, VEC_K_RAX, r.rax);
	if (r.rax) {
		vec_put(res, VEC_K_RCX, r.rcx);
		vec_put(res, VEC_K_RDX, r.rdx);
		return;
	}
	vec_put(res, VEC_K_ENTRY, r.rcx);
	vec_put(res, VEC_K_LEVEL, SEAM_SEPT_INFO_LEVEL(r.rdx));
	vec_put(res, VEC_K_STATE, SEAM_SEPT_INFO_STATE(r.rdx));
}

/* TDH.PHYMEM.PAGE.RDMD; the pair of a non-leaf entry only if there is one. */
static void vec_ask_pamt(const struct vec_event *ev, struct seam *s, u32 lp, struct vec_result *res)
{
	struct seam_regs r = {.rax = SEAM_RAX(SEAM_TDH_PHYMEM_PAGE_RDMD, 0), .rcx = ev->obj};

	seam_call(s, lp, &r);
	vec_put(res, VEC_K_RAX, r.rax);
	if (r.rax)
		return;
	vec_put(res, VEC_K_PT, r.rcx);
	vec_put(res, VEC_K_OWNER, r.rdx);
	vec_put(res, VEC_K_SIZE, r.r8);
	vec_put(res, VEC_K_BEPOCH, r.r9);
	if (r.r10)
		vec_put(res, VEC_K_R10, r.r10);
	if (r.r11)
		vec_put(res, VEC_K_R11, r.r11);
}

void vec_ask(const struct vec_file *f, const struct vec_event *ev, struct seam *s, u32 lp,
	     struct vec_result *res)
{
	res->keys = 0;
	if (ev->verb == VEC_V_SEPT)
		vec_ask_sept(f, ev, s, lp, res);
	else
		vec_ask_pamt(ev, s, lp, res);
}
