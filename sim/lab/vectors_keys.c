// SPDX-License-Identifier: GPL-2.0-only
/*
 * The half of the parser that all events share: <key>=<value> fields, and results.
 * Which keys and results each kind of event may have is one table, vec_rules[].
 * What else stands in a line is vectors_parse.c.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/lab/util.h"
#include "sim/lab/vectors_parse.h"

const char *const vec_key_names[VEC_K_NR] = {
#define VEC_X(id, text) [VEC_K_##id] = text,
	VEC_KEYS(VEC_X)
#undef VEC_X
};

const char *const vec_form_names[VEC_F_NR] = {
#define VEC_X(id, text) [VEC_F_##id] = text,
	VEC_FORMS(VEC_X)
#undef VEC_X
};

#define F(id)	    (1U << VEC_F_##id)
#define B(id)	    VEC_BIT(id)
#define TDCS_KEYS   (B(OPSTATE) | B(EPOCH) | B(REF0) | B(REF1) | B(VCPUS) | B(ASSOC))
#define TDR_KEYS    (B(LIFECYCLE) | B(FATAL) | B(HKID) | B(CHLDCNT) | B(TDCX))
#define VCPU_KEYS   (B(STATE) | B(ASSOC) | B(EPOCH) | B(PAGES))
#define SHUT_DOWN   (F(FATAL) | F(DEAD))
#define LOCK_ANSWER (F(NOTD) | F(NOWALK) | F(NOPAMT) | F(DEAD))

const struct vec_rule vec_rules[VEC_V_NR] = {
	[VEC_V_CALL] = {VEC_REGS | B(VER), 0, F(KEYS) | F(ENTERED) | SHUT_DOWN, VEC_REGS_POLLS,
			B(RAX)},
	[VEC_V_GUEST] = {VEC_REGS | B(VER), 0,
			 F(KEYS) | F(EXIT) | F(RESTART) | F(VE) | F(INJECT) | SHUT_DOWN,
			 VEC_REGS_POLLS, B(RAX)},
	[VEC_V_ACCESS] = {B(GPA) | B(DATA) | B(KEEPVE), B(GPA),
			  F(OK) | F(EXIT) | F(VE) | F(INJECT) | SHUT_DOWN, 0, 0},
	[VEC_V_INTR] = {B(VEC), 0, F(EXIT) | SHUT_DOWN, 0, 0},
	[VEC_V_MC] = {0, 0, F(EXIT) | SHUT_DOWN, 0, 0},
	[VEC_V_HOLD] = {B(GPA) | B(LEVEL) | B(MODE) | B(SIDE), 0, F(OK) | F(BUSY) | LOCK_ANSWER, 0,
			0},
	[VEC_V_DROP] = {B(GPA) | B(LEVEL) | B(MODE) | B(SIDE), 0, F(OK) | F(NOTHELD) | LOCK_ANSWER,
			0, 0},
	[VEC_V_LOCK] = {B(GPA) | B(LEVEL), 0, F(KEYS) | F(NONE) | LOCK_ANSWER,
			B(WORD) | B(LOCKED) | B(HP), 0},
	[VEC_V_PEEK] = {0, 0, F(BYTES), 0, 0},
	[VEC_V_SEPT] = {B(GPA) | B(LEVEL), B(GPA) | B(LEVEL), F(KEYS) | F(DEAD),
			B(RAX) | B(ENTRY) | B(LEVEL) | B(STATE) | B(RCX) | B(RDX), B(RAX)},
	[VEC_V_PAMT] = {0, 0, F(KEYS) | F(DEAD),
			B(RAX) | B(PT) | B(OWNER) | B(SIZE) | B(BEPOCH) | B(R10) | B(R11), B(RAX)},
	[VEC_V_TD] = {0, 0, F(KEYS) | F(NONE) | F(DEAD), TDR_KEYS | TDCS_KEYS, TDR_KEYS},
	[VEC_V_VCPU] = {0, 0, F(KEYS) | F(NONE) | F(DEAD), VCPU_KEYS, VCPU_KEYS},
	[VEC_V_PAIR] = {0, 0, F(KEYS) | F(NONE) | F(DEAD),
			B(PT) | B(BIT) | B(COUNT) | B(HPA0) | B(HPA1), B(PT) | B(BIT)},
};

/* Names of a set of keys or forms, for "expected ...". */
static void vec_list(char *buf, size_t size, u64 set, const char *const *names, const char *tail)
{
	size_t n = 0;

	buf[0] = '\0';
	for (; set && n < size; set &= set - 1) {
		const char *name = names[__builtin_ctzll(set)];

		n += (size_t)snprintf(buf + n, size - n, "%s%s%s", n ? ", " : "", name, tail);
	}
}

/* "; the nearest is ..." if the word at @t is a slip of one of @set, which number words of @w. */
static const char *vec_nearest(const struct vec_words *w, const char *s, size_t len, u64 set,
			       char *buf, size_t size)
{
	const char *near = vec_words_nearest(w, s, len);
	u32 k;

	buf[0] = '\0';
	if (near && vec_words_find(w, near, strlen(near), &k) && set & 1ULL << k)
		snprintf(buf, size, "; the nearest is \"%s\"", near);
	return buf;
}

static bool vec_fail_keys(struct vec_parser *p, const struct vec_tok *t, u64 allowed)
{
	const char *eq = memchr(t->s, '=', t->len);
	u64 but_rax = VEC_REGS & ~B(RAX);
	const char *regs = (allowed & VEC_REGS) == VEC_REGS  ? "a register=, "
			   : (allowed & VEC_REGS) == but_rax ? "a register= but rax=, "
							     : "";
	char list[200], near[40];

	if (!allowed)
		return vec_fail(&p->lx, t->s, t->len, "the end of the line or \"=\"");
	vec_list(list, sizeof(list), *regs ? allowed & ~VEC_REGS : allowed, vec_key_names, "=");
	vec_nearest(&p->d->keys, t->s, eq ? (size_t)(eq - t->s) : t->len, allowed, near,
		    sizeof(near));
	return vec_fail(&p->lx, t->s, t->len, "%s%s%s", regs, list, near);
}

/* mode= and side=, the two keys whose values are words. */
static bool vec_word_value(struct vec_parser *p, struct vec_event *ev, u32 key,
			   const struct vec_tok *val)
{
	bool is_mode = key == VEC_K_MODE;

	if (vec_is(val, is_mode ? "sh" : "guest"))
		ev->flags |= is_mode ? VEC_SHARED : VEC_SIDE;
	else if (!vec_is(val, is_mode ? "ex" : "host"))
		return vec_fail(&p->lx, val->s, val->len, is_mode ? "ex or sh" : "host or guest");
	return true;
}

static u64 vec_key_max(const struct vec_parser *p, u32 key)
{
	if (p->result)
		return ~0ULL;
	switch (key) {
	case VEC_K_LEVEL:
		return p->level_max;
	case VEC_K_VER:
	case VEC_K_VEC:
		return 0xff;
	case VEC_K_KEEPVE:
		return 1;
	default:
		return ~0ULL;
	}
}

/* One <key>=<value> of the keys @allowed; into p->val[] and *set. */
static bool vec_key(struct vec_parser *p, struct vec_event *ev, const struct vec_tok *t,
		    u64 allowed, u64 *set)
{
	const char *eq = memchr(t->s, '=', t->len);
	struct vec_tok key = {t->s, eq ? (u32)(eq - t->s) : t->len};
	struct vec_tok val;
	u32 k;

	if (!eq && p->retry_ok && !p->result && vec_is(t, "retry")) {
		ev->flags |= VEC_RETRY;
		return true;
	}
	if (!eq || !vec_words_find(&p->d->keys, key.s, key.len, &k) || !(allowed & 1ULL << k))
		return vec_fail_keys(p, t, allowed);
	if (*set & 1ULL << k)
		return vec_fail(&p->lx, t->s, t->len, "each key once");
	*set |= 1ULL << k;
	val = (struct vec_tok){eq + 1, t->len - key.len - 1};
	if (k == VEC_K_MODE || k == VEC_K_SIDE)
		return vec_word_value(p, ev, k, &val);
	return vec_hex(&p->lx, val.s, val.len, vec_key_max(p, k), "a value", &p->val[k]);
}

u32 vec_store(struct vec_parser *p, u64 set)
{
	struct vec_file *f = p->f;
	u32 at = f->nr_vals;

	f->vals = lab_grow(f->vals, &f->cap_vals, at + VEC_K_NR, sizeof(*f->vals));
	assert(!(set >> VEC_K_NR));
	for (; set; set &= set - 1)
		f->vals[f->nr_vals++] = p->val[__builtin_ctzll(set)];
	return at;
}

bool vec_inputs(struct vec_parser *p, struct vec_event *ev, u64 allowed, u64 need)
{
	struct vec_tok t = {p->lx.eol, 0};
	u64 set = 0;

	while (p->lx.more) {
		if (!vec_field(&p->lx, &t, "a field"))
			return false;
		if (t.len == 1 && *t.s == '=') {
			p->result = true;
			ev->in_len = (u32)(t.s - p->text) - 1 - ev->text;
			break;
		}
		if (!vec_key(p, ev, &t, allowed, &set))
			return false;
		t = (struct vec_tok){p->lx.eol, 0};
	}
	if (need & ~set) {
		char list[80];

		vec_list(list, sizeof(list), need & ~set, vec_key_names, "=");
		return vec_fail(&p->lx, t.s, t.len, "%s", list);
	}
	if (set & B(KEEPVE) && p->val[VEC_K_KEEPVE])
		ev->flags |= VEC_KEEPVE;
	ev->in_keys = set & ~(B(MODE) | B(SIDE) | B(KEEPVE));
	return true;
}

/* The keys of a result; @t is the first of them that was already read, unless its len is 0. */
static bool vec_outputs(struct vec_parser *p, struct vec_event *ev, struct vec_tok t, u64 allowed,
			u64 need)
{
	u64 set = 0;

	if (t.len && !vec_key(p, ev, &t, allowed, &set))
		return false;
	while (p->lx.more) {
		if (!allowed)
			return vec_line_end(&p->lx);
		if (!vec_field(&p->lx, &t, "a key of the result") ||
		    !vec_key(p, ev, &t, allowed, &set))
			return false;
	}
	if (need & ~set) {
		char list[120];

		vec_list(list, sizeof(list), need & ~set, vec_key_names, "=");
		return vec_fail(&p->lx, p->lx.eol, 0, "%s", list);
	}
	ev->out_keys = set;
	ev->out = vec_store(p, set);
	return true;
}

static bool vec_form(struct vec_parser *p, struct vec_event *ev, u32 form, bool is_access)
{
	static const u64 ve = B(REASON) | B(QUAL) | B(GLA) | B(GPA);
	struct vec_tok none = {p->lx.pos, 0}, t;

	ev->form = (u8)form;
	switch (form) {
	case VEC_F_ENTERED:
		return vec_outputs(p, ev, none, B(POLLS), 0);
	case VEC_F_RESTART:
		if (!vec_field(&p->lx, &t, "exit"))
			return false;
		if (!vec_is(&t, "exit"))
			return vec_fail(&p->lx, t.s, t.len, "exit");
		return vec_outputs(p, ev, none, VEC_REGS_POLLS, B(RAX));
	case VEC_F_EXIT:
		return vec_outputs(p, ev, none, VEC_REGS_POLLS, B(RAX));
	case VEC_F_VE:
		return vec_outputs(p, ev, none, ve | B(POLLS), ve);
	case VEC_F_INJECT:
		return vec_outputs(p, ev, none, B(VECTOR) | B(POLLS), B(VECTOR));
	case VEC_F_OK:
		if (is_access)
			return vec_outputs(p, ev, none, B(HPA) | B(LEVEL) | B(VAL) | B(POLLS),
					   B(HPA) | B(LEVEL));
		return vec_outputs(p, ev, none, 0, 0);
	case VEC_F_FATAL: /* its details are free text */
		p->lx.more = false;
		return true;
	default:
		return vec_outputs(p, ev, none, 0, 0);
	}
}

bool vec_result(struct vec_parser *p, struct vec_event *ev, u32 verb, u32 extra)
{
	const struct vec_rule *r = &vec_rules[verb];
	u32 forms = r->forms | extra;
	struct vec_tok t;
	char list[160], near[40];
	u32 form;

	assert(forms);
	if (!p->result)
		return vec_fail(&p->lx, p->lx.eol, 0, "\" = \" and a result");
	p->f->calls++;
	if (!vec_field(&p->lx, &t, "a result"))
		return false;
	if (forms & F(KEYS) && memchr(t.s, '=', t.len)) {
		ev->form = VEC_F_KEYS;
		return vec_outputs(p, ev, t, r->ret_keys, r->ret_need);
	}
	if (vec_words_find(&p->d->forms, t.s, t.len, &form) && forms & 1U << form)
		return vec_form(p, ev, form, verb == VEC_V_ACCESS);
	vec_list(list, sizeof(list), forms & ~(F(KEYS) | F(BYTES)), vec_form_names, "");
	vec_nearest(&p->d->forms, t.s, t.len, forms, near, sizeof(near));
	if (forms & F(KEYS) && r->ret_need)
		return vec_fail(&p->lx, t.s, t.len, "%s=, %s%s",
				vec_key_names[__builtin_ctzll(r->ret_need)], list, near);
	return vec_fail(&p->lx, t.s, t.len, "%s%s", list, near);
}
