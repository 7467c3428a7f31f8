// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser of recordings: lines into events, all of them checked before the first is played.
 * Here is what each kind of event is made of; keys and results, which they share, are vectors_keys.c.
 * Fields and words are vectors_lex.c, the "config" line vectors_config.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/util.h"
#include "sim/lab/vectors_parse.h"
#include "tdx/abi.h"

#define VEC_PA_MAX RT_MASK(51, 0)

#define F(id) (1U << VEC_F_##id)
#define B(id) VEC_BIT(id)

/* Locks that "hold", "drop" and "lock" name. */
static const struct vec_lock {
	const char *name, *obj; /* what its object is; NULL: it has none */
	u8 id, level_max;
	u64 keys, need; /* besides mode and side */
} vec_locks[] = {
	{"tdr", "the HPA of a TDR", SEAM_LOCK_TDR, 0, 0, 0},
	{"pamt", "an HPA", SEAM_LOCK_PAMT, 2, B(LEVEL), 0},
	{"opstate", "the HPA of a TDR", SEAM_LOCK_OPSTATE, 0, 0, 0},
	{"septtree", "the HPA of a TDR", SEAM_LOCK_SEPTTREE, 0, 0, 0},
	{"epoch", "the HPA of a TDR", SEAM_LOCK_EPOCH, 0, 0, 0},
	{"sept", "the HPA of a TDR", SEAM_LOCK_SEPT, 4, B(GPA) | B(LEVEL), B(GPA) | B(LEVEL)},
	{"kot", NULL, SEAM_LOCK_KOT, 0, 0, 0},
	{"wbt", "a package", SEAM_LOCK_WBT, 0, 0, 0},
};

struct vec_dict *vec_dict_new(void)
{
	struct vec_dict *d = lab_zalloc(sizeof(*d));
	u32 i;

	for (i = 0; i < VEC_K_NR; i++)
		vec_words_add(&d->keys, vec_key_names[i], i);
	for (i = 0; i < VEC_F_NR; i++)
		if (vec_form_names[i][0])
			vec_words_add(&d->forms, vec_form_names[i], i);
#define VEC_X(id, text) vec_words_add(&d->verbs, text, VEC_V_##id);
	VEC_VERBS(VEC_X)
#undef VEC_X
#define SEAM_X(nr, id, fn, name) vec_words_add(&d->leaves, name, nr);
	SEAM_TDH_LEAVES(SEAM_X)
#undef SEAM_X
#define SEAM_X(nr, id, name) vec_words_add(&d->leaves, name, nr);
	SEAM_TDH_FOREIGN(SEAM_X)
#undef SEAM_X
	vec_words_add(&d->leaves, "RAW", VEC_LEAF_RAW);
#define SEAM_X(nr, id, fn, name) vec_words_add(&d->tdcalls, name, nr);
	SEAM_TDG_LEAVES(SEAM_X)
#undef SEAM_X
	vec_words_add(&d->tdcalls, "RAW", VEC_LEAF_RAW);
	/* Not TDCALLs, but near misses of them should be offered. */
	vec_words_add(&d->tdcalls, "access", VEC_LEAF_RAW + VEC_V_ACCESS);
	vec_words_add(&d->tdcalls, "intr", VEC_LEAF_RAW + VEC_V_INTR);
	vec_words_add(&d->tdcalls, "mc", VEC_LEAF_RAW + VEC_V_MC);
	for (i = 0; i < RT_ARRAY_SIZE(vec_locks); i++)
		vec_words_add(&d->locks, vec_locks[i].name, i);
	vec_config_words(&d->config);
	return d;
}

void vec_dict_free(struct vec_dict *d)
{
	free(d);
}

void vec_file_free(struct vec_file *f)
{
	free(f->name);
	free(f->text);
	free(f->ev);
	free(f->vals);
	free(f->bytes);
	memset(f, 0, sizeof(*f));
}

u64 vec_in(const struct vec_file *f, const struct vec_event *ev, enum vec_key key, u64 otherwise)
{
	u64 bit = 1ULL << key;

	assert(key < VEC_K_NR && ev->in + (u32)__builtin_popcountll(ev->in_keys) <= f->nr_vals);
	if (!(ev->in_keys & bit))
		return otherwise;
	return f->vals[ev->in + (u32)__builtin_popcountll(ev->in_keys & (bit - 1))];
}

/* A field that is a number. */
static bool vec_number(struct vec_parser *p, const char *what, u64 max, u64 *val)
{
	struct vec_tok t;

	return vec_field(&p->lx, &t, what) && vec_hex(&p->lx, t.s, t.len, max, what, val);
}

/* The number of a poll at @s: they count from 1. */
static bool vec_poll(struct vec_parser *p, struct vec_event *ev, const char *s, u32 len)
{
	if (!vec_hex(&p->lx, s, len, 0xffffffff, "the number of a poll", &ev->arg))
		return false;
	return ev->arg || vec_fail(&p->lx, s, len, "the number of a poll (1 is the first)");
}

static bool vec_lp(struct vec_parser *p, struct vec_event *ev)
{
	u64 lp;

	if (!vec_number(p, "an LP", p->lps - 1, &lp))
		return false;
	ev->lp = (u16)lp;
	return true;
}

/* Registers of a SEAMCALL or TDCALL; RAX is made of the leaf's number and "ver=", but RAW gives it. */
static bool vec_registers(struct vec_parser *p, struct vec_event *ev, u32 leaf)
{
	bool raw = leaf == VEC_LEAF_RAW;
	u64 allowed = vec_rules[ev->verb].keys;

	if (!vec_inputs(p, ev, raw ? allowed & ~B(VER) : allowed & ~B(RAX), raw ? B(RAX) : 0))
		return false;
	if (!raw) {
		u64 ver = ev->in_keys & B(VER) ? p->val[VEC_K_VER] : 0;

		p->val[VEC_K_RAX] = SEAM_RAX(leaf, ver);
		ev->in_keys = (ev->in_keys & ~B(VER)) | B(RAX);
	}
	ev->in = vec_store(p, ev->in_keys);
	return true;
}

static bool vec_call(struct vec_parser *p, struct vec_event *ev)
{
	struct vec_tok t;
	u32 leaf;

	if (!vec_lp(p, ev) || !vec_field(&p->lx, &t, "a SEAMCALL leaf"))
		return false;
	if (!vec_words_find(&p->d->leaves, t.s, t.len, &leaf))
		return vec_fail_word(&p->lx, &t, &p->d->leaves, "a SEAMCALL leaf or RAW");
	return vec_registers(p, ev, leaf);
}

static bool vec_access(struct vec_parser *p, struct vec_event *ev)
{
	struct vec_tok t;

	if (!vec_field(&p->lx, &t, "r, w or x"))
		return false;
	if (t.len != 1 || !strchr("rwx", *t.s))
		return vec_fail(&p->lx, t.s, t.len, "r, w or x");
	ev->what = *t.s == 'r' ? SEAM_READ : *t.s == 'w' ? SEAM_WRITE : SEAM_EXEC;
	return true;
}

static bool vec_guest(struct vec_parser *p, struct vec_event *ev)
{
	struct vec_tok t;
	u32 leaf;

	if (!vec_lp(p, ev) || !vec_field(&p->lx, &t, "a TDCALL leaf, access, intr or mc"))
		return false;
	if (!vec_words_find(&p->d->tdcalls, t.s, t.len, &leaf))
		return vec_fail_word(&p->lx, &t, &p->d->tdcalls,
				     "a TDCALL leaf, RAW, access, intr or mc");
	p->retry_ok = leaf <= VEC_LEAF_RAW + VEC_V_ACCESS;
	if (leaf <= VEC_LEAF_RAW)
		return vec_registers(p, ev, leaf);
	ev->verb = (u8)(leaf - VEC_LEAF_RAW);
	if (ev->verb == VEC_V_ACCESS && !vec_access(p, ev))
		return false;
	if (!vec_inputs(p, ev, vec_rules[ev->verb].keys, vec_rules[ev->verb].need))
		return false;
	ev->in = vec_store(p, ev->in_keys);
	return true;
}

/* hold, drop, lock: the lock that is meant. */
static bool vec_which_lock(struct vec_parser *p, struct vec_event *ev)
{
	const struct vec_lock *l;
	u64 words = vec_rules[ev->verb].keys & (B(MODE) | B(SIDE));
	struct vec_tok t;
	u32 i;

	if (!vec_field(&p->lx, &t, "a lock"))
		return false;
	if (!vec_words_find(&p->d->locks, t.s, t.len, &i))
		return vec_fail_word(&p->lx, &t, &p->d->locks,
				     "tdr, pamt, opstate, septtree, epoch, sept, kot or wbt");
	l = &vec_locks[i];
	ev->what = l->id;
	p->level_max = l->level_max;
	/* Where there is no such lock the answer says so: any address is one to ask for. */
	if (l->obj &&
	    !vec_number(p, l->obj, l->id == SEAM_LOCK_WBT ? p->pkgs - 1 : ~0ULL, &ev->obj))
		return false;
	if (!vec_inputs(p, ev, l->keys | words, l->need))
		return false;
	ev->in = vec_store(p, ev->in_keys);
	return true;
}

/* Bare hexadecimal bytes, at least one, to the end of bytes[]; their number to ev->arg. */
static bool vec_bytes(struct vec_parser *p, struct vec_event *ev)
{
	struct vec_file *f = p->f;
	struct vec_tok t;
	u32 i;

	if (!vec_field(&p->lx, &t, "hexadecimal bytes"))
		return false;
	if (t.len & 1)
		return vec_fail(&p->lx, t.s, t.len, "whole bytes, two digits each");
	f->bytes = lab_grow(f->bytes, &f->cap_bytes, f->nr_bytes + t.len / 2, 1);
	ev->bytes = f->nr_bytes;
	ev->arg = t.len / 2;
	for (i = 0; i < t.len; i += 2) {
		int hi = vec_digit(t.s[i]), lo = vec_digit(t.s[i + 1]);

		if (hi < 0 || lo < 0)
			return vec_fail(&p->lx, t.s + i, 2, "a byte, two hexadecimal digits");
		f->bytes[f->nr_bytes++] = (u8)(hi << 4 | lo);
	}
	return true;
}

/* mem, fill, peek: they end below the 52 bits of a physical address. */
static bool vec_memory(struct vec_parser *p, struct vec_event *ev)
{
	const char *start = p->lx.pos;
	u64 byte = 0, len = 0;

	if (!vec_number(p, "an HPA", VEC_PA_MAX, &ev->obj))
		return false;
	if (ev->verb != VEC_V_MEM && !vec_number(p, "a length", VEC_LEN_MAX, &len))
		return false;
	ev->arg = len;
	if (ev->verb == VEC_V_FILL && !vec_number(p, "a byte", 0xff, &byte))
		return false;
	ev->what = (u8)byte;
	if (ev->verb == VEC_V_MEM && !vec_bytes(p, ev))
		return false;
	if (ev->verb == VEC_V_PEEK) {
		if (!vec_inputs(p, ev, 0, 0))
			return false;
		if (!p->result)
			return vec_fail(&p->lx, p->lx.eol, 0, "\" = \" and bytes");
		p->f->calls++;
		ev->form = VEC_F_BYTES;
		if (!vec_bytes(p, ev))
			return false;
		if (ev->arg != len)
			return vec_fail(&p->lx, p->lx.eol, 0, "%llx bytes in all", len);
	}
	if (ev->obj + ev->arg > VEC_PA_MAX + 1)
		return vec_fail(&p->lx, start, (size_t)(p->lx.eol - start),
				"memory below 10000000000000");
	return vec_line_end(&p->lx);
}

/* irq <lp> <n> */
static bool vec_irq(struct vec_parser *p, struct vec_event *ev)
{
	struct vec_tok t;

	return vec_lp(p, ev) && vec_field(&p->lx, &t, "the number of a poll") &&
	       vec_poll(p, ev, t.s, t.len) && vec_line_end(&p->lx);
}

/* An inspection of the object at an address. */
static bool vec_object(struct vec_parser *p, struct vec_event *ev)
{
	/* Any operand of a call has an answer, and where there is nothing to look at it is "none". */
	p->level_max = 7;
	if (!vec_number(p, "an HPA", ~0ULL, &ev->obj) ||
	    !vec_inputs(p, ev, vec_rules[ev->verb].keys, vec_rules[ev->verb].need))
		return false;
	ev->in = vec_store(p, ev->in_keys);
	return true;
}

static struct vec_event *vec_event_new(struct vec_parser *p, const char *start)
{
	struct vec_file *f = p->f;
	struct vec_event *ev;

	f->ev = lab_grow(f->ev, &f->cap_ev, f->nr_ev + 1, sizeof(*f->ev));
	ev = &f->ev[f->nr_ev++];
	*ev = (struct vec_event){
		.line = p->lx.line,
		.text = (u32)(start - p->text),
		.text_len = (u32)(p->lx.eol - start),
		.in_len = (u32)(p->lx.eol - start),
	};
	return ev;
}

/* The input of the event @ev whose verb was read; its result, if it has one, is still to come. */
static bool vec_input(struct vec_parser *p, struct vec_event *ev)
{
	p->result = p->retry_ok = false;
	switch (ev->verb) {
	case VEC_V_CALL:
		return vec_call(p, ev);
	case VEC_V_GUEST:
		return vec_guest(p, ev);
	case VEC_V_HOLD:
	case VEC_V_DROP:
	case VEC_V_LOCK:
		return vec_which_lock(p, ev);
	default:
		return vec_object(p, ev);
	}
}

/* at <lp> <p<n>|w> <event>: the event that it arms becomes the next in the file. */
static bool vec_at(struct vec_parser *p, struct vec_event *ev)
{
	u32 at = (u32)(ev - p->f->ev);
	struct vec_event *inner;
	struct vec_tok t;
	u32 verb;

	if (!vec_lp(p, ev) || !vec_field(&p->lx, &t, "p<n> or w"))
		return false;
	if (vec_is(&t, "w"))
		ev->flags |= VEC_WRITE;
	else if (*t.s != 'p')
		return vec_fail(&p->lx, t.s, t.len, "p<n> or w");
	else if (!vec_poll(p, ev, t.s + 1, t.len - 1))
		return false;
	if (!vec_field(&p->lx, &t, "call, guest, hold or drop"))
		return false;
	if (!vec_words_find(&p->d->verbs, t.s, t.len, &verb) ||
	    (verb != VEC_V_CALL && verb != VEC_V_GUEST && verb != VEC_V_HOLD && verb != VEC_V_DROP))
		return vec_fail(&p->lx, t.s, t.len, "call, guest, hold or drop");
	inner = vec_event_new(p, t.s); /* may move *ev */
	inner->verb = (u8)verb;
	inner->flags = VEC_INNER;
	if (!vec_input(p, inner))
		return false;
	if (p->result)
		return vec_fail(&p->lx, inner->in_len + p->text + inner->text + 1, 1,
				"the end of the line (its result is in \"atdone\")");
	ev = &p->f->ev[at];
	if (verb != VEC_V_HOLD && verb != VEC_V_DROP && inner->lp == ev->lp)
		return vec_fail(&p->lx, t.s, inner->text_len, "an event of another LP");
	p->armed[ev->lp] = at + 1;
	return true;
}

static bool vec_atdone(struct vec_parser *p, struct vec_event *ev)
{
	const char *start = p->lx.pos;

	p->result = false;
	if (!vec_lp(p, ev))
		return false;
	if (!p->armed[ev->lp])
		return vec_fail(&p->lx, start, (size_t)(p->lx.eol - start),
				"an LP that \"at\" armed before");
	ev->link = p->armed[ev->lp];
	if (!vec_inputs(p, ev, 0, 0))
		return false;
	return vec_result(p, ev, p->f->ev[ev->link].verb, F(NOTRUN));
}

static bool vec_event(struct vec_parser *p, u32 verb, const char *start)
{
	struct vec_event *ev = vec_event_new(p, start);

	ev->verb = (u8)verb;
	switch (verb) {
	case VEC_V_AT:
		return vec_at(p, ev);
	case VEC_V_ATDONE:
		return vec_atdone(p, ev);
	case VEC_V_IRQ:
		return vec_irq(p, ev);
	case VEC_V_TSC:
		return vec_number(p, "a number of cycles", RT_MASK(55, 0), &ev->obj) &&
		       vec_line_end(&p->lx);
	case VEC_V_MEM:
	case VEC_V_FILL:
	case VEC_V_PEEK:
		return vec_memory(p, ev);
	default:
		return vec_input(p, ev) && vec_result(p, ev, ev->verb, 0);
	}
}

static bool vec_config(struct vec_parser *p, const struct vec_tok *t)
{
	struct vec_file *f = p->f;

	if (f->config_line)
		return vec_fail(&p->lx, t->s, t->len, "one configuration only");
	if (f->nr_ev)
		return vec_fail(&p->lx, t->s, t->len, "the configuration before the first event");
	if (!vec_parse_config(p->d, &p->lx, f))
		return false;
	if (f->config.lps)
		p->lps = f->config.lps;
	if (f->config.pkgs)
		p->pkgs = f->config.pkgs;
	return true;
}

static bool vec_line(struct vec_parser *p)
{
	struct vec_tok t;
	u32 verb;

	if (p->lx.bol == p->lx.eol || *p->lx.bol == '#')
		return true;
	if (!vec_field(&p->lx, &t, "an event"))
		return false;
	if (!vec_words_find(&p->d->verbs, t.s, t.len, &verb))
		return vec_fail_word(&p->lx, &t, &p->d->verbs, "an event");
	return verb == VEC_V_CONFIG ? vec_config(p, &t) : vec_event(p, verb, t.s);
}

static bool vec_lines(struct vec_parser *p)
{
	struct vec_tok t;

	if (!vec_lex_line(&p->lx) || !vec_field(&p->lx, &t, "\"tdxvec 1\""))
		return vec_fail(&p->lx, p->lx.pos, 0, "\"tdxvec 1\"");
	if (!vec_is(&t, "tdxvec"))
		return vec_fail(&p->lx, t.s, t.len, "\"tdxvec 1\"");
	if (!vec_field(&p->lx, &t, "version 1"))
		return false;
	if (!vec_is(&t, "1"))
		return vec_fail(&p->lx, t.s, t.len, "version 1");
	if (!vec_line_end(&p->lx))
		return false;
	while (vec_lex_line(&p->lx))
		if (!vec_line(p))
			return false;
	return true;
}

bool vec_parse(const struct vec_dict *d, const char *name, const char *text, size_t len,
	       struct vec_file *f, struct vec_error *err)
{
	struct vec_parser p = {.d = d, .text = text, .f = f, .lps = 4, .pkgs = 1};

	memset(f, 0, sizeof(*f));
	f->name = lab_strdup(name);
	f->text = lab_zalloc(len + 1);
	memcpy(f->text, text, len);
	/* The machine of the recordings: no memory encryption, and every guest access walks (FORMAT). */
	f->config.one_key = f->config.no_tlb = true;
	vec_lex_init(&p.lx, text, len, err);
	if (!vec_lines(&p)) {
		vec_file_free(f);
		return false;
	}
	return true;
}
