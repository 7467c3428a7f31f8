// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of statements, and the flat list: its pools, its accessors, the grammar as text.
 * No statement is known by name here; parse.c and print.c walk the same rows.
 */
#include "sim/lab/ops.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/util.h"
#include "sim/lab/words.h"

const struct lab_spec lab_specs[LAB_OP_NR] = {
#define LAB_OP(id, section, verb, help, ...) \
	[LAB_OP_##id] = {LAB_##section, verb, help, {__VA_ARGS__}},
#include "sim/lab/ops.def"
#undef LAB_OP
};

int lab_spec_find(enum lab_section section, const char *verb, size_t len)
{
	for (int i = 0; i < LAB_OP_NR; i++) {
		const struct lab_spec *spec = &lab_specs[i];

		if (spec->section == section && strlen(spec->verb) == len &&
		    !memcmp(spec->verb, verb, len))
			return i;
	}
	return -1;
}

int lab_field_find(const struct lab_spec *spec, const char *key, size_t len)
{
	for (int i = 0; spec->field[i].type != LAB_T_END; i++) {
		if (strlen(spec->field[i].key) == len && !memcmp(spec->field[i].key, key, len))
			return i;
	}
	return -1;
}

void lab_scenario_init(struct lab_scenario *sc)
{
	memset(sc, 0, sizeof(*sc));
	/* Id 0 is the empty name, so that a value of all zeros names nothing. */
	sc->strings = lab_grow(sc->strings, &sc->cap_strings, 1, 1);
	sc->strings[0] = 0;
	sc->nr_strings = 1;
}

void lab_scenario_free(struct lab_scenario *sc)
{
	free(sc->ops);
	free(sc->regs);
	free(sc->calls);
	free(sc->policies);
	free(sc->strings);
	memset(sc, 0, sizeof(*sc));
}

u32 lab_intern(struct lab_scenario *sc, const char *s, size_t len)
{
	u32 id;

	for (id = 0; id < sc->nr_strings; id += (u32)strlen(sc->strings + id) + 1) {
		if (strlen(sc->strings + id) == len && !memcmp(sc->strings + id, s, len))
			return id;
	}
	sc->strings = lab_grow(sc->strings, &sc->cap_strings, sc->nr_strings + (u32)len + 1, 1);
	id = sc->nr_strings;
	memcpy(sc->strings + id, s, len);
	sc->strings[id + len] = 0;
	sc->nr_strings += (u32)len + 1;
	return id;
}

const char *lab_string(const struct lab_scenario *sc, u32 id)
{
	assert(id < sc->nr_strings);
	return sc->strings + id;
}

struct lab_op *lab_op_add(struct lab_scenario *sc, enum lab_op_kind kind)
{
	struct lab_op *op;

	sc->ops = lab_grow(sc->ops, &sc->cap_ops, sc->nr_ops + 1, sizeof(*sc->ops));
	op = &sc->ops[sc->nr_ops++];
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	return op;
}

static enum lab_section section_of(const struct lab_op *op)
{
	assert(op->kind < LAB_OP_NR);
	return lab_specs[op->kind].section;
}

bool lab_op_is_setup(const struct lab_op *op)
{
	return section_of(op) == LAB_SETUP;
}

bool lab_op_is_action(const struct lab_op *op)
{
	return section_of(op) == LAB_HOST || section_of(op) == LAB_VCPU;
}

bool lab_op_is_expect(const struct lab_op *op)
{
	return section_of(op) == LAB_EXPECT;
}

bool lab_op_is_inject(const struct lab_op *op)
{
	return section_of(op) == LAB_INJECT;
}

const struct lab_val *lab_get(const struct lab_op *op, const char *key)
{
	int i = lab_field_find(&lab_specs[op->kind], key, strlen(key));

	assert(i >= 0);
	return &op->v[i];
}

u64 lab_num(const struct lab_op *op, const char *key, u64 def)
{
	const struct lab_val *v = lab_get(op, key);

	return v->set ? v->num : def;
}

bool lab_set(const struct lab_op *op, const char *key)
{
	return lab_get(op, key)->set;
}

static void print_words(const char *const *words, FILE *out)
{
	for (u32 i = 0; words[i]; i++)
		fprintf(out, "%s%s", i ? "|" : "", words[i]);
}

static void print_field(const struct lab_field *f, FILE *out)
{
	fprintf(out, " %s", f->required ? "" : "[");
	if (f->form == LAB_KEY) {
		fprintf(out, "%s=", f->key);
		if (f->words)
			print_words(f->words, out);
		else if (f->type == LAB_T_SWITCH)
			fputs("on|off", out);
		else
			fputs(f->type == LAB_T_SIZE  ? "SIZE"
			      : f->type == LAB_T_NUM ? "N"
						     : "NAME",
			      out);
	} else if (f->form == LAB_BARE && f->type != LAB_T_FLAG) {
		fprintf(out, "%s GPA", f->key);
	} else if (f->form == LAB_REST) {
		fprintf(out, "%s ...", f->key);
	} else if (f->words) {
		print_words(f->words, out);
	} else {
		fputs(f->key, out);
	}
	if (!f->required)
		fputs("]", out);
}

void lab_print_grammar(FILE *out)
{
	static const char *const prefix[] = {"", "host: ", "vcpuN: ", "inject ", "expect ", ""};

	for (int i = 0; i < LAB_OP_NR; i++) {
		const struct lab_spec *spec = &lab_specs[i];
		bool brace = i == LAB_OP_PARALLEL;

		fprintf(out, "  %s%s%s", prefix[spec->section], spec->verb, brace ? " {" : "");
		for (const struct lab_field *f = spec->field; f->type != LAB_T_END; f++)
			print_field(f, out);
		fprintf(out, "\n        %s", spec->help);
		for (const struct lab_field *f = spec->field; f->type != LAB_T_END; f++) {
			if (f->def)
				fprintf(out, "; %s: %s", f->key, f->def);
		}
		fputc('\n', out);
	}
}
