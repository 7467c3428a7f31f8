// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations to text, by the same rows as the parser. One spelling for each value, so that two
 * lists that mean the same print the same, and what was parsed comes back.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/ops.h"
#include "sim/lab/words.h"

struct printer {
	const struct lab_scenario *sc;
	char *buf;
	size_t len, n;
};

static void put(struct printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct printer *p, const char *fmt, ...)
{
	size_t left = p->n < p->len ? p->len - p->n : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(left ? p->buf + p->n : NULL, left, fmt, ap);
	va_end(ap);
	p->n += n > 0 ? (size_t)n : 0;
}

static void put_size(struct printer *p, u64 n)
{
	static const char unit[] = "KMGT";

	for (int i = 3; i >= 0; i--) {
		u32 shift = 10 * (u32)(i + 1);

		if (n && !(n & ((1ULL << shift) - 1)) && n >> shift < 10000) {
			put(p, "%llu%c", n >> shift, unit[i]);
			return;
		}
	}
	put(p, n < 4096 ? "%llu" : "0x%llx", n);
}

static void put_addr(struct printer *p, const struct lab_val *v)
{
	if (v->td)
		put(p, "%s.", lab_string(p->sc, v->td));
	if (v->ref) {
		put(p, "slot%u", v->ref - 1);
		if (v->num) {
			put(p, "+");
			put_size(p, v->num);
		}
	} else {
		put(p, "0x%llx", v->num);
	}
}

static void put_regs(struct printer *p, const struct lab_val *v)
{
	for (u32 i = 0; i < v->ref; i++) {
		const struct lab_reg *r = &p->sc->regs[v->num + i];

		if (r->join)
			put(p, "%c", r->join);
		else
			put(p, "%s%s=", i ? " " : "", lab_words_reg[r->reg]);
		if (r->val.td && r->term != LAB_TERM_ADDR && r->term != LAB_TERM_HPA)
			put(p, "%s.", lab_string(p->sc, r->val.td));
		switch (r->term) {
		case LAB_TERM_NUM:
			put(p, r->val.num < 10 ? "%llu" : "0x%llx", r->val.num);
			break;
		case LAB_TERM_ADDR:
			put_addr(p, &r->val);
			break;
		case LAB_TERM_HPA:
			put(p, "hpa(");
			put_addr(p, &r->val);
			put(p, ")");
			break;
		case LAB_TERM_TDR:
			put(p, "tdr");
			break;
		case LAB_TERM_HKID:
			put(p, "hkid");
			break;
		case LAB_TERM_TDVPR:
			put(p, "tdvpr%llu", r->val.num);
			break;
		case LAB_TERM_PAGE:
			put(p, "page%llu", r->val.num);
			break;
		}
	}
}

static void put_calls(struct printer *p, const struct lab_val *v)
{
	bool blank = false;
	char buf[32];

	for (u32 i = 0; i < v->ref; i++) {
		const struct lab_call *c = &p->sc->calls[v->num + i];

		if (blank && c->kind != LAB_CALL_CLOSE)
			put(p, " ");
		if (c->kind == LAB_CALL_OPEN)
			put(p, "(");
		else if (c->kind == LAB_CALL_CLOSE)
			put(p, ")");
		else
			put(p, "%s", lab_leaf_name(c->leaf, buf, sizeof(buf)));
		if (c->count > 1)
			put(p, "*%u", c->count);
		blank = c->kind != LAB_CALL_OPEN;
	}
}

static void put_policies(struct printer *p, const struct lab_val *v)
{
	for (u32 i = 0; i < v->ref; i++) {
		const struct lab_policy *pol = &p->sc->policies[v->num + i];

		put(p, "%s%s=%s", i ? " " : "", lab_policy_key(pol->table, pol->key),
		    lab_policy_value(pol->table, pol->key, pol->value));
	}
}

static void put_status(struct printer *p, const struct lab_val *v)
{
	char buf[32];

	if (v->spelled)
		put(p, "0x%016llx", v->num);
	else
		put(p, "%s", lab_status_name(v->num, buf, sizeof(buf)));
}

static void put_value(struct printer *p, const struct lab_field *f, const struct lab_val *v)
{
	char buf[32];

	switch (f->type) {
	case LAB_T_NUM:
		put(p, v->num < 4096 ? "%llu" : "0x%llx", v->num);
		break;
	case LAB_T_VALUE:
		put(p, "0x%llx", v->num);
		break;
	case LAB_T_SIZE:
		put_size(p, v->num);
		break;
	case LAB_T_ADDR:
		put_addr(p, v);
		break;
	case LAB_T_SWITCH:
		put(p, "%s", v->num ? "on" : "off");
		break;
	case LAB_T_LEVEL:
		put(p, "%s", lab_words_level[v->num - 1]);
		break;
	case LAB_T_WORD:
		put(p, "%s", f->words[v->num]);
		break;
	case LAB_T_FLAG:
		put(p, "%s", f->key);
		break;
	case LAB_T_NAME:
	case LAB_T_TD:
	case LAB_T_GMEM:
	case LAB_T_ACTOR:
	case LAB_T_CHOICE:
	case LAB_T_PROFILE:
	case LAB_T_ORACLE:
	case LAB_T_STAT:
		put(p, "%s", lab_string(p->sc, (u32)v->num));
		break;
	case LAB_T_GMEMOFF:
		put(p, "%s+", lab_string(p->sc, v->ref));
		put_size(p, v->num);
		break;
	case LAB_T_SLOT:
	case LAB_T_VCPU:
		if (v->td)
			put(p, "%s.", lab_string(p->sc, v->td));
		put(p, f->type == LAB_T_SLOT ? "%llu" : "vcpu%llu", v->num);
		break;
	case LAB_T_LEAF:
		put(p, "%s", lab_leaf_name((u32)v->num, buf, sizeof(buf)));
		break;
	case LAB_T_ANYLEAF:
		put(p, "%s",
		    v->ref ? lab_tdcall_name((u32)v->num, buf, sizeof(buf))
			   : lab_leaf_name((u32)v->num, buf, sizeof(buf)));
		break;
	case LAB_T_TDCALL:
		put(p, "%s", lab_tdcall_name((u32)v->num, buf, sizeof(buf)));
		break;
	case LAB_T_STATUS:
		put_status(p, v);
		break;
	case LAB_T_ERRNO:
		put(p, "%s", lab_errno_name((int)v->num, buf, sizeof(buf)));
		break;
	case LAB_T_REGS:
		put_regs(p, v);
		break;
	case LAB_T_CALLS:
		put_calls(p, v);
		break;
	case LAB_T_POLICY:
		put_policies(p, v);
		break;
	case LAB_T_END:
		break;
	}
}

int lab_print_actor(const struct lab_scenario *sc, const struct lab_op *op, char *buf, size_t len)
{
	const char *td = lab_string(sc, op->td);
	const char *dot = *td ? "." : "";

	if (lab_specs[op->kind].section == LAB_VCPU)
		return snprintf(buf, len, "%s%svcpu%u", td, dot, op->index);
	if (op->index)
		return snprintf(buf, len, "%s%shost%u", td, dot, op->index);
	return snprintf(buf, len, "%s%shost", td, dot);
}

int lab_print_op(const struct lab_scenario *sc, const struct lab_op *op, char *buf, size_t len)
{
	const struct lab_spec *spec = &lab_specs[op->kind];
	struct printer p = {sc, buf, len, 0};
	char actor[80];

	if (len)
		buf[0] = 0;
	if (lab_op_is_action(op)) {
		lab_print_actor(sc, op, actor, sizeof(actor));
		put(&p, "%s: ", actor);
	} else if (lab_op_is_inject(op)) {
		put(&p, "inject ");
	} else if (lab_op_is_expect(op)) {
		put(&p, "expect ");
	}
	put(&p, "%s%s", spec->verb, op->kind == LAB_OP_PARALLEL ? " {" : "");
	for (u32 i = 0; spec->field[i].type != LAB_T_END; i++) {
		const struct lab_field *f = &spec->field[i];

		if (!op->v[i].set)
			continue;
		put(&p, " ");
		if (f->form == LAB_KEY)
			put(&p, "%s=", f->key);
		else if (f->form == LAB_BARE && f->type != LAB_T_FLAG)
			put(&p, "%s ", f->key);
		put_value(&p, f, &op->v[i]);
	}
	return (int)p.n;
}

/* Text of any length; the caller frees it. */
static char *op_text(const struct lab_scenario *sc, const struct lab_op *op)
{
	int len = lab_print_op(sc, op, NULL, 0);
	char *buf = malloc((size_t)len + 1);

	if (!buf)
		abort();
	lab_print_op(sc, op, buf, (size_t)len + 1);
	return buf;
}

void lab_print(const struct lab_scenario *sc, FILE *out)
{
	lab_print_without(sc, LAB_OP_NR, out);
}

void lab_print_without(const struct lab_scenario *sc, enum lab_op_kind kind, FILE *out)
{
	bool block = false;

	for (u32 i = 0; i < sc->nr_ops; i++) {
		const struct lab_op *op = &sc->ops[i];
		char *text;

		if (op->kind == kind)
			continue;
		text = op_text(sc, op);
		block &= op->kind != LAB_OP_PARALLEL_END;
		fprintf(out, "%s%s\n", block ? "  " : "", text);
		block |= op->kind == LAB_OP_PARALLEL;
		free(text);
	}
}

bool lab_same(const struct lab_scenario *a, const struct lab_scenario *b)
{
	bool same = a->nr_ops == b->nr_ops;

	/* One spelling for each meaning: equal text is equal content. */
	for (u32 i = 0; same && i < a->nr_ops; i++) {
		char *ta = op_text(a, &a->ops[i]), *tb = op_text(b, &b->ops[i]);

		same = !strcmp(ta, tb);
		free(ta);
		free(tb);
	}
	return same;
}
