// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text to operations: lines, words, and which statement a line is. The rows of ops.def say what
 * follows the verb. A line with an error is left out and named once; reading goes on behind it, so
 * that one run shows all of them.
 */
#include "sim/lab/parse_int.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/lab/util.h"
#include "sim/lab/words.h"

bool lab_peek_token(const struct lab_parser *p, struct lab_token *t)
{
	const char *s = p->cur;

	while (s < p->end && (*s == ' ' || *s == '\t'))
		s++;
	t->s = s;
	t->col = (u32)(s - p->text) + 1;
	while (s < p->end && *s != ' ' && *s != '\t')
		s++;
	t->len = (size_t)(s - t->s);
	return t->len;
}

bool lab_next_token(struct lab_parser *p, struct lab_token *t)
{
	bool more = lab_peek_token(p, t);

	p->cur = t->s + t->len;
	return more;
}

bool lab_token_is(const struct lab_token *t, const char *word)
{
	return strlen(word) == t->len && !memcmp(t->s, word, t->len);
}

void lab_parse_error(struct lab_parser *p, const struct lab_token *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (p->failed)
		return;
	p->failed = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	lab_diag_at(p->d, p->src, p->line, t->col, t->len ? (u32)t->len : 1, "%s", text);
}

void lab_parse_expected(struct lab_parser *p, const struct lab_token *t, const char *what,
			const char *nearest)
{
	char found[80];

	if (!t->len)
		snprintf(found, sizeof(found), "the end of the line");
	else
		snprintf(found, sizeof(found), "\"%.*s\"%s", (int)(t->len > 60 ? 60 : t->len), t->s,
			 t->len > 60 ? "..." : "");
	if (nearest)
		lab_parse_error(p, t, "found %s, expected %s; did you mean \"%s\"?", found, what,
				nearest);
	else
		lab_parse_error(p, t, "found %s, expected %s", found, what);
}

/* What may stand in front of '=' or alone in this row, for "did you mean". */
struct keys_ctx {
	const struct lab_spec *spec;
	bool setup_policies;
	u32 table;
};

static const char *next_key(const void *ctx, u32 i)
{
	const struct keys_ctx *c = ctx;
	u32 n = 0;

	for (const struct lab_field *f = c->spec->field; f->type != LAB_T_END; f++) {
		if ((f->form == LAB_KEY || f->form == LAB_BARE) && n++ == i)
			return f->key;
	}
	return c->setup_policies ? lab_policy_key(c->table, i - n) : NULL;
}

/* "GPA, SIZE, level=..." of what is still missing, or may still come. */
static void missing_text(const struct lab_spec *spec, const struct lab_op *op, char *buf,
			 size_t len)
{
	size_t n = 0;

	buf[0] = 0;
	for (u32 i = 0; spec->field[i].type != LAB_T_END; i++) {
		const struct lab_field *f = &spec->field[i];

		if (op->v[i].set || n >= len)
			continue;
		n += (size_t)snprintf(buf + n, len - n, "%s%s%s", n ? ", " : "", f->key,
				      f->form == LAB_KEY ? "=" : "");
	}
	if (!n)
		snprintf(buf, len, "the end of the line");
}

/* The field that takes the word @t: "key=", a bare key, else the next place. -1: none does. */
static int field_for(const struct lab_spec *spec, const struct lab_op *op, struct lab_token *t)
{
	const char *eq = memchr(t->s, '=', t->len);
	size_t key_len = eq ? (size_t)(eq - t->s) : t->len;
	int i = lab_field_find(spec, t->s, key_len);

	/* "==" of expect stat is an operand by place. */
	if (eq && i >= 0 && spec->field[i].form == LAB_KEY && key_len) {
		t->s += key_len + 1;
		t->len -= key_len + 1;
		t->col += (u32)key_len + 1;
		return i;
	}
	if (!eq && i >= 0 && spec->field[i].form == LAB_BARE)
		return i;
	if (eq && key_len && key_len + 1 < t->len && eq[1] != '=' && eq[-1] != '<' &&
	    eq[-1] != '>' && eq[-1] != '!')
		return -1;
	for (i = 0; spec->field[i].type != LAB_T_END; i++) {
		if (spec->field[i].form == LAB_POS && !op->v[i].set)
			return i;
	}
	return -1;
}

static int rest_field(const struct lab_spec *spec, enum lab_type type)
{
	for (int i = 0; spec->field[i].type != LAB_T_END; i++) {
		if (spec->field[i].form == LAB_REST && spec->field[i].type == type)
			return i;
	}
	return -1;
}

static void parse_operand(struct lab_parser *p, struct lab_op *op, struct lab_token t)
{
	const struct lab_spec *spec = &lab_specs[op->kind];
	int rest = rest_field(spec, LAB_T_POLICY);
	struct lab_token word = t;
	int i = field_for(spec, op, &t);
	char what[256];

	if (i < 0 && rest >= 0) {
		lab_parse_policy(p, &word, op, &op->v[rest]);
		return;
	}
	if (i < 0) {
		struct keys_ctx ctx = {spec, false, 0};
		const char *eq = memchr(word.s, '=', word.len);

		if (eq)
			word.len = (size_t)(eq - word.s);
		missing_text(spec, op, what, sizeof(what));
		lab_parse_expected(p, &word, what, lab_nearest(word.s, word.len, next_key, &ctx));
		return;
	}
	if (op->v[i].set) {
		lab_parse_error(p, &word, "\"%s\" is given twice", spec->field[i].key);
		return;
	}
	if (spec->field[i].form == LAB_BARE && spec->field[i].type != LAB_T_FLAG &&
	    !lab_next_token(p, &t)) {
		lab_parse_expected(p, &t, spec->field[i].key, NULL);
		return;
	}
	lab_parse_value(p, &spec->field[i], &t, &op->v[i]);
}

static void parse_operands(struct lab_parser *p, struct lab_op *op)
{
	const struct lab_spec *spec = &lab_specs[op->kind];
	struct lab_token t;
	char what[256];
	int i;

	while (!p->failed && lab_peek_token(p, &t)) {
		bool places = false;

		for (i = 0; spec->field[i].type != LAB_T_END; i++)
			places |= spec->field[i].form == LAB_POS && !op->v[i].set;
		if (!places && (i = rest_field(spec, LAB_T_REGS)) >= 0)
			lab_parse_regs(p, &op->v[i]);
		else if (!places && (i = rest_field(spec, LAB_T_CALLS)) >= 0)
			lab_parse_calls(p, &op->v[i]);
		else if (lab_next_token(p, &t))
			parse_operand(p, op, t);
	}
	for (i = 0; !p->failed && spec->field[i].type != LAB_T_END; i++) {
		if (!spec->field[i].required || op->v[i].set)
			continue;
		lab_next_token(p, &t);
		if (spec->field[i].words && spec->field[i].form == LAB_POS)
			snprintf(what, sizeof(what), "%s", spec->field[i].key);
		else
			missing_text(spec, op, what, sizeof(what));
		lab_parse_expected(p, &t, what, NULL);
	}
}

static const char *next_verb(const void *ctx, u32 i)
{
	enum lab_section section = *(const enum lab_section *)ctx;

	for (int k = 0; k < LAB_OP_NR; k++) {
		if (lab_specs[k].section == section && !i--)
			return lab_specs[k].verb;
	}
	return NULL;
}

/* The row of verb @t in @section, with an error naming all verbs if there is none. */
static int parse_verb(struct lab_parser *p, enum lab_section section, const struct lab_token *t,
		      const char *kind)
{
	int row = lab_spec_find(section, t->s, t->len);
	char what[512];
	const char *verb;
	size_t n;

	if (row >= 0)
		return row;
	n = (size_t)snprintf(what, sizeof(what), "%s:", kind);
	for (u32 i = 0; (verb = next_verb(&section, i)) && n < sizeof(what); i++)
		n += (size_t)snprintf(what + n, sizeof(what) - n, "%s %s", i ? "," : "", verb);
	lab_parse_expected(p, t, what, lab_nearest(t->s, t->len, next_verb, &section));
	return -1;
}

static struct lab_op *begin_op(struct lab_parser *p, int row)
{
	struct lab_op *op = lab_op_add(p->sc, (enum lab_op_kind)row);

	op->line = p->line;
	return op;
}

static void parse_action(struct lab_parser *p, struct lab_token actor)
{
	struct lab_token verb, name = actor;
	struct lab_op *op;
	u32 td;
	bool vcpu;
	u16 index;
	int row;

	name.len--; /* the colon */
	lab_read_td(p, &name, &td);
	if (!lab_read_actor(&name, &vcpu, &index)) {
		lab_parse_expected(p, &actor, "an actor: vcpu0:, host:, host1:, NAME.vcpu0:", NULL);
		return;
	}
	lab_next_token(p, &verb);
	row = parse_verb(p, vcpu ? LAB_VCPU : LAB_HOST, &verb,
			 vcpu ? "an action of a vCPU" : "an action of the VMM");
	if (row < 0)
		return;
	p->seen_action = true;
	op = begin_op(p, row);
	op->td = td;
	op->index = index;
	parse_operands(p, op);
}

static void parse_block(struct lab_parser *p, const struct lab_token *t)
{
	struct lab_token brace, rest;

	if (t->s[0] == 'p') {
		lab_next_token(p, &brace);
		if (!lab_token_is(&brace, "{")) {
			lab_parse_expected(p, &brace, "{", NULL);
			return;
		}
		if (p->in_block)
			lab_parse_error(p, t, "a parallel block inside a parallel block");
		p->in_block = true;
		p->seen_action = true;
		p->block_line = p->line;
		p->block_col = t->col;
		begin_op(p, LAB_OP_PARALLEL);
	} else {
		if (!p->in_block)
			lab_parse_error(p, t, "found \"}\", but no parallel block is open");
		p->in_block = false;
		begin_op(p, LAB_OP_PARALLEL_END);
	}
	if (lab_next_token(p, &rest))
		lab_parse_expected(p, &rest, "the end of the line", NULL);
}

static const char *next_first_word(const void *ctx, u32 i)
{
	static const char *const more[] = {"inject", "expect", "parallel", NULL};
	enum lab_section setup = LAB_SETUP;
	const char *w = next_verb(&setup, i);
	u32 n = 0;

	while (next_verb(&setup, n))
		n++;
	return w ? w : i < n ? NULL : more[i - n];
}

static void parse_other(struct lab_parser *p, const struct lab_token *t)
{
	struct lab_token bare = *t;
	bool vcpu;
	u16 n;
	u32 td;

	lab_read_td(p, &bare, &td);
	if (lab_read_actor(&bare, &vcpu, &n))
		lab_parse_error(p, t, "found \"%.*s\" without a colon, expected \"%.*s: ACTION\"",
				(int)t->len, t->s, (int)t->len, t->s);
	else
		lab_parse_expected(p, t,
				   "a set-up line (module, host, td, kvm, gmem, slot, region), "
				   "ACTOR: ACTION, inject, expect or parallel",
				   lab_nearest(t->s, t->len, next_first_word, NULL));
}

static void parse_setup(struct lab_parser *p, const struct lab_token *t, int row)
{
	if (p->seen_action && row != LAB_OP_SCHEDULE) {
		lab_parse_error(p, t, "set-up comes before the first action; \"%.*s\" is too late",
				(int)t->len, t->s);
		return;
	}
	parse_operands(p, begin_op(p, row));
}

/* "host convert ...": the set-up line has a namesake, and what follows is one of its actions. */
static bool lacks_colon(const struct lab_parser *p, const struct lab_token *t)
{
	struct lab_parser ahead = *p;
	struct lab_token verb;

	return lab_token_is(t, "host") && lab_next_token(&ahead, &verb) &&
	       lab_spec_find(LAB_HOST, verb.s, verb.len) >= 0;
}

static void parse_statement(struct lab_parser *p)
{
	struct lab_token t, verb;
	int row;

	if (!lab_next_token(p, &t))
		return;
	row = lab_spec_find(LAB_SETUP, t.s, t.len);
	if (t.s[t.len - 1] == ':') {
		parse_action(p, t);
	} else if (lab_token_is(&t, "inject") || lab_token_is(&t, "expect")) {
		bool inject = t.s[0] == 'i';

		lab_next_token(p, &verb);
		row = parse_verb(p, inject ? LAB_INJECT : LAB_EXPECT, &verb,
				 inject ? "a fault" : "an expectation");
		if (row >= 0)
			parse_operands(p, begin_op(p, row));
	} else if (lab_token_is(&t, "parallel") || lab_token_is(&t, "}")) {
		parse_block(p, &t);
	} else if (row >= 0 && !lacks_colon(p, &t)) {
		parse_setup(p, &t, row);
	} else {
		parse_other(p, &t);
	}
}

/* One line from @text; what it added is taken back if it has an error. */
static void parse_line(struct lab_parser *p, const char *text, size_t len)
{
	const char *comment = memchr(text, '#', len);
	u32 nr_ops = p->sc->nr_ops;

	p->text = p->cur = text;
	p->end = comment ? comment : text + len;
	while (p->end > text && (p->end[-1] == '\r' || p->end[-1] == ' '))
		p->end--;
	p->failed = false;
	parse_statement(p);
	if (p->failed)
		p->sc->nr_ops = nr_ops;
}

u32 lab_parse(struct lab_scenario *sc, const struct lab_source *src, struct lab_diag *d)
{
	struct lab_parser p = {.sc = sc, .src = src, .d = d};
	const char *s = src->text, *end = src->text + src->len;
	u32 before = d->errors;

	sc->src = *src;
	while (s < end) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));
		size_t len = (size_t)((eol ? eol : end) - s);

		p.line++;
		parse_line(&p, s, len);
		s += len + 1;
	}
	if (p.in_block)
		lab_diag_at(d, src, p.block_line, p.block_col, 8,
			    "this parallel block has no closing brace");
	if (d->out && d->errors > LAB_DIAG_MAX)
		fprintf(d->out, "%s: %u more errors\n", src->name, d->errors - LAB_DIAG_MAX);
	return d->errors - before;
}

u32 lab_parse_line(struct lab_scenario *sc, const char *text, struct lab_diag *d)
{
	struct lab_source src = {"line", text, strlen(text)};
	struct lab_parser p = {.sc = sc, .src = &src, .d = d, .line = 1};
	u32 before = d->errors;

	parse_line(&p, text, src.len);
	return d->errors - before;
}

/* A line of that section in front of all others, for --set on a scenario without one. */
static struct lab_op *insert_setup(struct lab_scenario *sc, int row)
{
	struct lab_op op;

	lab_op_add(sc, (enum lab_op_kind)row);
	op = sc->ops[sc->nr_ops - 1];
	memmove(sc->ops + 1, sc->ops, (sc->nr_ops - 1) * sizeof(op));
	if (row == LAB_OP_GMEM) {
		op.v[0].num = lab_intern(sc, "g0", 2);
		op.v[0].set = 1;
	}
	if (row == LAB_OP_SLOT)
		op.v[0].set = 1;
	sc->ops[0] = op;
	return &sc->ops[0];
}

u32 lab_parse_set(struct lab_scenario *sc, const char *text, struct lab_diag *d)
{
	struct lab_source src = {"--set", text, strlen(text)};
	struct lab_parser p = {.sc = sc, .src = &src, .d = d, .line = 1, .text = text};
	const char *dot = strchr(text, '.');
	struct lab_token section = {text, dot ? (size_t)(dot - text) : strlen(text), 1};
	int row = lab_spec_find(LAB_SETUP, section.s, section.len);
	struct lab_token key = {text, 0, 1};
	u32 before = d->errors, found = 0;

	p.cur = p.end = text + src.len;
	if (row < 0 || row == LAB_OP_SCHEDULE || !dot || !strchr(dot, '=')) {
		lab_parse_expected(&p, &section,
				   "SECTION.KEY=VALUE with a section of the set-up: module, host, "
				   "td, kvm, gmem, slot, region",
				   NULL);
		return 1;
	}
	key = (struct lab_token){dot + 1, src.len - section.len - 1, (u32)section.len + 2};
	for (u32 i = 0; i < sc->nr_ops && !p.failed; i++)
		found += sc->ops[i].kind == row;
	if (!found)
		insert_setup(sc, row);
	for (u32 i = 0; i < sc->nr_ops && !p.failed; i++) {
		struct lab_op *op = &sc->ops[i];
		const char *eq = strchr(key.s, '=');
		int f = lab_field_find(&lab_specs[row], key.s, (size_t)(eq - key.s));

		if (op->kind != row)
			continue;
		if (f >= 0)
			memset(&op->v[f], 0, sizeof(op->v[f]));
		parse_operand(&p, op, key);
		/* Columns of another text would put the caret in the wrong place. */
		if (f >= 0)
			op->v[f].col = 0;
	}
	return d->errors - before;
}
