// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an operand of each type is read, and what is said when it is not one.
 * Whether its meaning fits the machine (a slot that is there, a vCPU that exists) is asked in
 * setup.c.
 */
#include "sim/lab/parse_int.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sim/lab/oracle.h"
#include "sim/lab/setup.h"
#include "sim/lab/stats.h"
#include "sim/lab/util.h"
#include "sim/lab/words.h"

bool lab_read_number(const char *s, size_t len, bool sizes, u64 *num)
{
	u32 base = 10, shift = 0;
	u64 n = 0;

	if (len > 2 && s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
		len -= 2;
	}
	if (sizes && len > 1) {
		static const char units[] = "KMGT";
		const char *unit = strchr(units, toupper((unsigned char)s[len - 1]));

		if (unit) {
			shift = 10 * (u32)(unit - units + 1);
			len--;
		}
	}
	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		u32 digit;

		if (isdigit((unsigned char)s[i]))
			digit = (u32)(s[i] - '0');
		else if (base == 16 && isxdigit((unsigned char)s[i]))
			digit = (u32)(tolower((unsigned char)s[i]) - 'a' + 10);
		else
			return false;
		if (n > (~0ULL - digit) / base)
			return false;
		n = n * base + digit;
	}
	if (shift && n > ~0ULL >> shift)
		return false;
	*num = n << shift;
	return true;
}

bool lab_read_identifier(const struct lab_token *t)
{
	if (!t->len || t->len > 31 || !isalpha((unsigned char)t->s[0]))
		return false;
	for (size_t i = 0; i < t->len; i++) {
		if (!isalnum((unsigned char)t->s[i]) && t->s[i] != '_' && t->s[i] != '-')
			return false;
	}
	return true;
}

void lab_read_td(struct lab_parser *p, struct lab_token *t, u32 *td)
{
	const char *dot = memchr(t->s, '.', t->len);
	struct lab_token name = {t->s, dot ? (size_t)(dot - t->s) : 0, t->col};

	*td = 0;
	if (!dot || !lab_read_identifier(&name))
		return;
	*td = lab_intern(p->sc, name.s, name.len);
	t->s += name.len + 1;
	t->len -= name.len + 1;
	t->col += (u32)name.len + 1;
}

/* "WORDn" to n; no leading zeros. */
static bool read_indexed(const struct lab_token *t, const char *word, u64 *n)
{
	size_t len = strlen(word);

	if (t->len <= len || memcmp(t->s, word, len) || !isdigit((unsigned char)t->s[len]))
		return false;
	if (t->s[len] == '0' && t->len > len + 1)
		return false;
	return lab_read_number(t->s + len, t->len - len, false, n);
}

bool lab_read_actor(const struct lab_token *t, bool *vcpu, u16 *index)
{
	u64 n = 0;

	*vcpu = read_indexed(t, "vcpu", &n);
	if (!*vcpu && !lab_token_is(t, "host") && (!read_indexed(t, "host", &n) || !n))
		return false;
	*index = (u16)n;
	return n < 1000;
}

static void parse_addr(struct lab_parser *p, const struct lab_token *t, struct lab_val *v)
{
	struct lab_token rest = *t, slot;
	const char *plus;
	u64 n;

	lab_read_td(p, &rest, &v->td);
	plus = memchr(rest.s, '+', rest.len);
	slot = rest;
	if (plus)
		slot.len = (size_t)(plus - rest.s);
	if (read_indexed(&slot, "slot", &n) && n < 1000) {
		v->ref = (u32)n + 1;
		if (!plus)
			return;
		rest.s = plus + 1;
		rest.len -= slot.len + 1;
	}
	if (!lab_read_number(rest.s, rest.len, true, &v->num))
		lab_parse_expected(p, t, "an address: 0x80000000, 2G, slot0+4K", NULL);
}

static void parse_slot(struct lab_parser *p, const struct lab_token *t, struct lab_val *v)
{
	struct lab_token rest = *t;

	lab_read_td(p, &rest, &v->td);
	if (!lab_read_number(rest.s, rest.len, false, &v->num) || v->num >= 1000)
		lab_parse_expected(p, t, "the number of a slot, or NAME.N", NULL);
}

static void parse_gmem_offset(struct lab_parser *p, const struct lab_token *t, struct lab_val *v)
{
	const char *plus = memchr(t->s, '+', t->len);
	struct lab_token name = *t;

	if (plus)
		name.len = (size_t)(plus - t->s);
	if (!lab_read_identifier(&name) ||
	    (plus && !lab_read_number(plus + 1, t->len - name.len - 1, true, &v->num))) {
		lab_parse_expected(p, t, "a gmem file with an offset: g0+2M", NULL);
		return;
	}
	v->ref = lab_intern(p->sc, name.s, name.len);
}

static void parse_actor(struct lab_parser *p, const struct lab_token *t, struct lab_val *v,
			bool only_vcpu)
{
	struct lab_token rest = *t;
	bool vcpu;
	u16 n;

	lab_read_td(p, &rest, &v->td);
	if (!lab_read_actor(&rest, &vcpu, &n) || (only_vcpu && !vcpu)) {
		lab_parse_expected(p, t,
				   only_vcpu ? "a vCPU: vcpu0, NAME.vcpu0"
					     : "an actor: vcpu0, host, host1, NAME.vcpu0",
				   NULL);
		return;
	}
	/* A vCPU is a number; any actor is kept by its name, as the schedule writes it. */
	v->num = only_vcpu ? n : lab_intern(p->sc, t->s, t->len);
	if (!only_vcpu)
		v->td = 0;
}

/* What the scheduler chose: an actor, or that a fault fires. */
static void parse_choice(struct lab_parser *p, const struct lab_token *t, struct lab_val *v)
{
	if (t->len == strlen(LAB_CHOICE_FAULT) && !memcmp(t->s, LAB_CHOICE_FAULT, t->len))
		v->num = lab_intern(p->sc, t->s, t->len);
	else
		parse_actor(p, t, v, false);
}

static const char *next_leaf(const void *ctx, u32 i)
{
	return lab_leaf_at(i, NULL);
}

static const char *next_tdcall(const void *ctx, u32 i)
{
	return lab_tdcall_at(i, NULL);
}

static const char *next_status(const void *ctx, u32 i)
{
	return lab_status_at(i, NULL);
}

static const char *next_errno(const void *ctx, u32 i)
{
	return lab_errno_at(i, NULL);
}

static const char *next_profile(const void *ctx, u32 i)
{
	return lab_profile_at(i);
}

static const char *next_oracle(const void *ctx, u32 i)
{
	return lab_oracle_name(i);
}

static const char *next_stat(const void *ctx, u32 i)
{
	return lab_stat_name(i);
}

static void parse_leaf(struct lab_parser *p, const struct lab_token *t, struct lab_val *v,
		       enum lab_type type)
{
	u32 nr = 0;

	if (type != LAB_T_TDCALL && lab_leaf_find(t->s, t->len, &nr)) {
		v->num = nr;
	} else if (type != LAB_T_LEAF && lab_tdcall_find(t->s, t->len, &nr)) {
		v->num = nr;
		v->ref = type == LAB_T_ANYLEAF;
	} else if (type == LAB_T_TDCALL || (t->len > 4 && !memcmp(t->s, "TDG.", 4))) {
		lab_parse_expected(p, t, "a TDCALL (tdxsim list leaves)",
				   lab_nearest(t->s, t->len, next_tdcall, NULL));
	} else {
		lab_parse_expected(p, t, "a SEAMCALL (tdxsim list leaves)",
				   lab_nearest(t->s, t->len, next_leaf, NULL));
	}
}

static void parse_status(struct lab_parser *p, const struct lab_token *t, struct lab_val *v)
{
	bool hex = t->len > 2 && t->s[0] == '0';
	struct lab_token bare = *t;

	if (hex && lab_read_number(t->s, t->len, false, &v->num)) {
		v->spelled = 1;
		return;
	}
	if (lab_status_find(t->s, t->len, &v->num))
		return;
	if (bare.len > 4 && !memcmp(bare.s, "TDX_", 4)) {
		bare.s += 4;
		bare.len -= 4;
	}
	lab_parse_expected(p, t, "a status (tdxsim list status)",
			   lab_nearest(bare.s, bare.len, next_status, NULL));
}

static void parse_errno(struct lab_parser *p, const struct lab_token *t, struct lab_val *v)
{
	int err;

	if (lab_errno_find(t->s, t->len, &err))
		v->num = (u64)err;
	else
		lab_parse_expected(p, t, "an errno, or SIGBUS",
				   lab_nearest(t->s, t->len, next_errno, NULL));
}

/* A word out of an open list, kept as a string. */
static void parse_listed(struct lab_parser *p, const struct lab_token *t, struct lab_val *v,
			 const char *(*next)(const void *ctx, u32 i), const char *what)
{
	const char *w;

	for (u32 i = 0; (w = next(NULL, i)); i++) {
		if (lab_token_is(t, w)) {
			v->num = lab_intern(p->sc, t->s, t->len);
			return;
		}
	}
	lab_parse_expected(p, t, what, lab_nearest(t->s, t->len, next, NULL));
}

static void words_text(const char *const *words, char *buf, size_t len)
{
	size_t n = 0;

	for (u32 i = 0; words[i] && n < len; i++)
		n += (size_t)snprintf(buf + n, len - n, "%s%s",
				      !i	     ? ""
				      : words[i + 1] ? ", "
						     : " or ",
				      words[i]);
}

static void parse_word(struct lab_parser *p, const struct lab_field *f, const struct lab_token *t,
		       struct lab_val *v, const char *const *words)
{
	int i = lab_word_find(words, t->s, t->len);
	char what[256];

	if (i < 0) {
		words_text(words, what, sizeof(what));
		lab_parse_expected(p, t, what, lab_nearest_of(t->s, t->len, words));
		return;
	}
	v->num = (u64)i;
	/* A level is the kernel's number whatever subset the row allows. */
	if (f->type == LAB_T_LEVEL)
		v->num = 1 + (u64)lab_word_find(lab_words_level, t->s, t->len);
}

void lab_parse_value(struct lab_parser *p, const struct lab_field *f, const struct lab_token *t,
		     struct lab_val *v)
{
	static const char *const on_off[] = {"off", "on", NULL};

	v->set = 1;
	v->col = (u16)t->col;
	switch (f->type) {
	case LAB_T_NUM:
	case LAB_T_VALUE:
		if (!lab_read_number(t->s, t->len, false, &v->num))
			lab_parse_expected(p, t, "a number", NULL);
		break;
	case LAB_T_SIZE:
		if (!lab_read_number(t->s, t->len, true, &v->num))
			lab_parse_expected(p, t, "a size: 4096, 0x1000, 4K, 2M, 1G", NULL);
		break;
	case LAB_T_ADDR:
		parse_addr(p, t, v);
		break;
	case LAB_T_SWITCH:
		parse_word(p, f, t, v, on_off);
		break;
	case LAB_T_LEVEL:
	case LAB_T_WORD:
		parse_word(p, f, t, v, f->words);
		break;
	case LAB_T_FLAG:
		v->num = 1;
		break;
	case LAB_T_NAME:
	case LAB_T_TD:
	case LAB_T_GMEM:
		if (lab_read_identifier(t))
			v->num = lab_intern(p->sc, t->s, t->len);
		else
			lab_parse_expected(p, t, "a name: letters, digits, - and _", NULL);
		break;
	case LAB_T_GMEMOFF:
		parse_gmem_offset(p, t, v);
		break;
	case LAB_T_SLOT:
		parse_slot(p, t, v);
		break;
	case LAB_T_VCPU:
		parse_actor(p, t, v, true);
		break;
	case LAB_T_ACTOR:
		parse_actor(p, t, v, false);
		break;
	case LAB_T_CHOICE:
		parse_choice(p, t, v);
		break;
	case LAB_T_LEAF:
	case LAB_T_ANYLEAF:
	case LAB_T_TDCALL:
		parse_leaf(p, t, v, f->type);
		break;
	case LAB_T_STATUS:
		parse_status(p, t, v);
		break;
	case LAB_T_ERRNO:
		parse_errno(p, t, v);
		break;
	case LAB_T_PROFILE:
		parse_listed(p, t, v, next_profile, "a release (tdxsim list features)");
		break;
	case LAB_T_ORACLE:
		parse_listed(p, t, v, next_oracle, "an oracle (tdxsim list oracles)");
		break;
	case LAB_T_STAT:
		parse_listed(p, t, v, next_stat, "a statistic (tdxsim list stats)");
		break;
	case LAB_T_REGS:
	case LAB_T_CALLS:
	case LAB_T_POLICY:
	case LAB_T_END:
		break; /* not one operand: parse_list.c */
	}
}
