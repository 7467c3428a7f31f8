// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operands that take the rest of a line: register values, patterns of calls, policies.
 * Each becomes a slice of a pool of the scenario.
 */
#include "sim/lab/parse_int.h"

#include <stdio.h>
#include <string.h>

#include "sim/lab/setup.h"
#include "sim/lab/util.h"
#include "sim/lab/words.h"

static struct lab_reg *add_reg(struct lab_scenario *sc)
{
	struct lab_reg *r;

	sc->regs = lab_grow(sc->regs, &sc->cap_regs, sc->nr_regs + 1, sizeof(*sc->regs));
	r = &sc->regs[sc->nr_regs++];
	memset(r, 0, sizeof(*r));
	return r;
}

static bool has_prefix(const struct lab_token *t, const char *prefix)
{
	return t->len > strlen(prefix) && !memcmp(t->s, prefix, strlen(prefix));
}

/* One term of a register's sum: a number, an address by slot, or the name of a page of the TD. */
static void parse_term(struct lab_parser *p, const struct lab_token *t, struct lab_reg *r)
{
	static const struct lab_field addr = {"ADDR", LAB_T_ADDR, LAB_POS, true};
	struct lab_token rest = *t;

	if (has_prefix(t, "hpa(") && t->s[t->len - 1] == ')') {
		rest.s += 4;
		rest.len -= 5;
		rest.col += 4;
		r->term = LAB_TERM_HPA;
		lab_parse_value(p, &addr, &rest, &r->val);
		return;
	}
	r->val.set = 1;
	r->val.col = (u16)t->col;
	lab_read_td(p, &rest, &r->val.td);
	if (lab_token_is(&rest, "tdr")) {
		r->term = LAB_TERM_TDR;
	} else if (lab_token_is(&rest, "hkid")) {
		r->term = LAB_TERM_HKID;
	} else if (has_prefix(&rest, "tdvpr") &&
		   lab_read_number(rest.s + 5, rest.len - 5, false, &r->val.num)) {
		r->term = LAB_TERM_TDVPR;
	} else if (!r->val.td && has_prefix(&rest, "page") &&
		   lab_read_number(rest.s + 4, rest.len - 4, false, &r->val.num)) {
		r->term = LAB_TERM_PAGE;
	} else if (has_prefix(&rest, "slot")) {
		r->term = LAB_TERM_ADDR;
		lab_parse_value(p, &addr, t, &r->val);
	} else if (r->val.td || !lab_read_number(t->s, t->len, true, &r->val.num)) {
		lab_parse_expected(p, t,
				   "a number, slot0, tdr, tdvpr0, hkid, page0, hpa(slot0), "
				   "joined by + or |",
				   NULL);
	}
}

/*
 * Length of the term at @s: up to '|', or '+' that does not belong to "slotN+OFFSET", outside of
 * parentheses.
 */
static size_t term_length(const char *s, size_t len)
{
	bool slot = len > 4 && !memcmp(s, "slot", 4);
	u32 depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '(')
			depth++;
		if (s[i] == ')' && depth)
			depth--;
		if (depth)
			continue;
		if (s[i] == '|')
			return i;
		if (s[i] == '+') {
			if (!slot)
				return i;
			slot = false;
		}
	}
	return len;
}

static void parse_reg(struct lab_parser *p, const struct lab_token *t)
{
	const char *eq = memchr(t->s, '=', t->len);
	struct lab_token name = {t->s, eq ? (size_t)(eq - t->s) : t->len, t->col}, term;
	int reg = lab_word_find(lab_words_reg, name.s, name.len);
	char join = 0;

	if (!eq || reg < 0) {
		lab_parse_expected(p, &name, "a register: rcx=..., rdx=..., r8=... r15=...",
				   lab_nearest_of(name.s, name.len, lab_words_reg));
		return;
	}
	term.s = eq + 1;
	term.col = t->col + (u32)name.len + 1;
	do {
		struct lab_reg *r = add_reg(p->sc);
		size_t left = (size_t)(t->s + t->len - term.s);

		term.len = term_length(term.s, left);
		r->reg = (u8)reg;
		r->join = (u8)join;
		parse_term(p, &term, r);
		join = term.len < left ? term.s[term.len] : 0;
		term.s += term.len + 1;
		term.col += (u32)term.len + 1;
	} while (join && !p->failed);
}

void lab_parse_regs(struct lab_parser *p, struct lab_val *v)
{
	u32 first = p->sc->nr_regs;
	struct lab_token t;

	while (!p->failed && lab_next_token(p, &t)) {
		if (!v->set)
			v->col = (u16)t.col;
		v->set = 1;
		parse_reg(p, &t);
	}
	v->num = first;
	v->ref = p->sc->nr_regs - first;
}

static struct lab_call *add_call(struct lab_scenario *sc, enum lab_call_kind kind)
{
	struct lab_call *c;

	sc->calls = lab_grow(sc->calls, &sc->cap_calls, sc->nr_calls + 1, sizeof(*sc->calls));
	c = &sc->calls[sc->nr_calls++];
	memset(c, 0, sizeof(*c));
	c->kind = (u16)kind;
	c->count = 1;
	return c;
}

static const char *next_leaf(const void *ctx, u32 i)
{
	return lab_leaf_at(i, NULL);
}

/* Calls are read character by character, since parentheses and stars need no blanks around them. */
struct call_reader {
	struct lab_parser *p;
	struct lab_token open; /* of the group that is open; len 0: none */
};

static void skip_blanks(struct lab_parser *p)
{
	while (p->cur < p->end && (*p->cur == ' ' || *p->cur == '\t'))
		p->cur++;
}

static struct lab_token here(const struct lab_parser *p, size_t len)
{
	return (struct lab_token){p->cur, len, (u32)(p->cur - p->text) + 1};
}

/* "*N" behind a leaf or a group. */
static void parse_count(struct lab_parser *p, struct lab_call *c)
{
	struct lab_token t;
	u64 n;

	if (p->cur == p->end || *p->cur != '*')
		return;
	p->cur++;
	t = here(p, 0);
	while (p->cur < p->end && !strchr(" \t()*", *p->cur)) {
		p->cur++;
		t.len++;
	}
	if (!lab_read_number(t.s, t.len, false, &n) || !n || n > 1000000)
		lab_parse_expected(p, &t, "how often, from 1 to 1000000", NULL);
	else
		c->count = (u32)n;
}

static void parse_call(struct lab_parser *p)
{
	struct lab_token t = here(p, 0);
	struct lab_call *c;
	u32 leaf;

	while (p->cur < p->end && !strchr(" \t()*", *p->cur)) {
		p->cur++;
		t.len++;
	}
	if (!lab_leaf_find(t.s, t.len, &leaf)) {
		lab_parse_expected(p, &t, "a SEAMCALL (tdxsim list leaves)",
				   lab_nearest(t.s, t.len, next_leaf, NULL));
		return;
	}
	c = add_call(p->sc, LAB_CALL_LEAF);
	c->leaf = (u16)leaf;
	parse_count(p, c);
}

static void parse_call_item(struct call_reader *r)
{
	struct lab_parser *p = r->p;
	struct lab_token t = here(p, 1);

	if (*p->cur == '(') {
		if (r->open.len)
			lab_parse_expected(p, &t, "a SEAMCALL; groups do not nest", NULL);
		r->open = t;
		p->cur++;
		add_call(p->sc, LAB_CALL_OPEN);
	} else if (*p->cur == ')') {
		if (!r->open.len)
			lab_parse_expected(p, &t, "a SEAMCALL; no group is open", NULL);
		r->open.len = 0;
		p->cur++;
		parse_count(p, add_call(p->sc, LAB_CALL_CLOSE));
	} else if (*p->cur == '*') {
		lab_parse_expected(p, &t, "a SEAMCALL in front of *N", NULL);
	} else {
		parse_call(p);
	}
}

void lab_parse_calls(struct lab_parser *p, struct lab_val *v)
{
	struct call_reader r = {p};
	u32 first = p->sc->nr_calls;

	for (skip_blanks(p); !p->failed && p->cur < p->end; skip_blanks(p)) {
		if (!v->set)
			v->col = (u16)(p->cur - p->text + 1);
		v->set = 1;
		parse_call_item(&r);
	}
	if (!p->failed && r.open.len)
		lab_parse_expected(p, &r.open, "its closing parenthesis on this line", NULL);
	v->num = first;
	v->ref = p->sc->nr_calls - first;
}

/* What may stand in front of '=' on a kvm or gmem line: the line's own keys, then the policies. */
static const char *next_policy(const void *ctx, u32 i)
{
	u32 table = *(const u32 *)ctx, n = 0;
	const struct lab_field *f =
		lab_specs[table == LAB_POLICY_KVM ? LAB_OP_KVM : LAB_OP_GMEM].field;

	for (; f->type != LAB_T_END; f++) {
		if (f->form == LAB_KEY && n++ == i)
			return f->key;
	}
	return lab_policy_key(table, i - n);
}

static const char *next_value(const void *ctx, u32 i)
{
	const struct lab_policy *pol = ctx;

	return lab_policy_value(pol->table, pol->key, i);
}

/*
 * An entry at the end of the pool's slice @v; a slice that is not the last of the pool moves there
 * first.
 */
static struct lab_policy *add_policy(struct lab_scenario *sc, struct lab_val *v)
{
	u32 need = sc->nr_policies + v->ref + 1;

	sc->policies = lab_grow(sc->policies, &sc->cap_policies, need, sizeof(*sc->policies));
	if (!v->ref)
		v->num = sc->nr_policies;
	if (v->num + v->ref != sc->nr_policies) {
		memcpy(&sc->policies[sc->nr_policies], &sc->policies[v->num],
		       v->ref * sizeof(*sc->policies));
		v->num = sc->nr_policies;
		sc->nr_policies += v->ref;
	}
	v->ref++;
	return &sc->policies[sc->nr_policies++];
}

void lab_parse_policy(struct lab_parser *p, const struct lab_token *t, const struct lab_op *op,
		      struct lab_val *v)
{
	const char *eq = memchr(t->s, '=', t->len);
	struct lab_token key = {t->s, eq ? (size_t)(eq - t->s) : t->len, t->col}, value;
	u32 table = op->kind == LAB_OP_KVM ? LAB_POLICY_KVM : LAB_POLICY_GMEM;
	struct lab_policy pol = {(u16)table, 0, 0, (u16)t->col};
	const char *w;
	u32 i;

	for (i = 0; (w = lab_policy_key(table, i)) && !lab_token_is(&key, w); i++)
		;
	if (!eq || !w) {
		lab_parse_expected(p, &key, "a key of this line or a policy (tdxsim list policies)",
				   lab_nearest(key.s, key.len, next_policy, &table));
		return;
	}
	pol.key = (u16)i;
	value = (struct lab_token){eq + 1, t->len - key.len - 1, t->col + (u32)key.len + 1};
	for (i = 0; (w = lab_policy_value(table, pol.key, i)) && !lab_token_is(&value, w); i++)
		;
	if (!w) {
		char what[96];

		snprintf(what, sizeof(what), "a value of the policy %.*s (tdxsim list policies)",
			 (int)key.len, key.s);
		lab_parse_expected(p, &value, what,
				   lab_nearest(value.s, value.len, next_value, &pol));
		return;
	}
	pol.value = (u16)i;
	v->set = 1;
	for (i = 0; i < v->ref; i++) {
		struct lab_policy *old = &p->sc->policies[v->num + i];

		/* --set changes what the file says; twice in one line is refused by the caller. */
		if (old->key == pol.key) {
			*old = pol;
			return;
		}
	}
	*add_policy(p->sc, v) = pol;
}
