// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of bytes to the machine that they run on: a vCPU, a slot, a file that is not there
 * becomes one that is. What setup_check.c would refuse is mended here, and nothing else is
 * touched.
 */
#include <stdio.h>
#include <string.h>

#include "sim/lab/bytes.h"
#include "sim/lab/machine.h"
#include "sim/lab/words.h"
#include "tdx/abi.h"

struct fit {
	struct lab_scenario *sc;
	const struct lab_setup *su;
	u32 td; /* index of the operation's own */
};

/* A TD that a value names; if there is none such, the value names none. */
static u32 fit_td(const struct fit *f, u32 *id)
{
	u32 td = lab_setup_td(f->sc, f->su, *id);

	if (*id && td == LAB_TDS)
		*id = 0;
	return *id ? td : f->td;
}

/* One of the TD that bytes can name. */
static bool is_slot(const struct lab_slot_setup *s, u32 td)
{
	return s->td == td && s->number < LAB_BYTES_SLOTS;
}

/* The number of a slot of the TD: the given one, or one by its place. */
static u32 fit_slot(const struct lab_setup *su, u32 td, u32 number)
{
	u32 n = 0, place;

	if (lab_setup_slot(su, td, number) != LAB_SLOTS)
		return number;
	for (u32 i = 0; i < su->nr_slots; i++)
		n += is_slot(&su->slot[i], td);
	place = n ? number % n : 0;
	for (u32 i = 0; i < su->nr_slots; i++) {
		if (is_slot(&su->slot[i], td) && !place--)
			return su->slot[i].number;
	}
	return LAB_SLOTS; /* a TD without any */
}

static void fit_addr(const struct fit *f, struct lab_val *v)
{
	u32 td = fit_td(f, &v->td), slot;

	if (v->ref) {
		slot = fit_slot(f->su, td, v->ref - 1);
		v->ref = slot == LAB_SLOTS ? 0 : slot + 1;
	}
	v->num &= (1ULL << 52) - 1;
}

static bool file_there(const struct fit *f, const char *name)
{
	for (u32 i = 0; i < f->su->nr_gmems; i++) {
		if (!strcmp(f->su->gmem[i].name, name))
			return true;
	}
	return false;
}

/* A file that is there; the name stays where none has one that bytes know. */
static void fit_file(const struct fit *f, struct lab_val *v)
{
	if (file_there(f, lab_string(f->sc, (u32)v->num)))
		return;
	for (u32 i = 0; i < f->su->nr_gmems; i++) {
		const char *name = f->su->gmem[i].name;

		if (!lab_bytes_knows(name))
			continue;
		v->num = lab_intern(f->sc, name, strlen(name));
		return;
	}
}

/* "b.vcpu3": the name of an actor of this machine, by what it is made of. */
static void fit_actor(const struct fit *f, struct lab_val *v)
{
	char name[80], buf[80], *dot;
	const char *bare = name;
	u32 td = 0, n;
	bool vcpu;

	/* A copy: what is interned may move the pool that the name lies in. */
	snprintf(name, sizeof(name), "%s", lab_string(f->sc, (u32)v->num));
	if (!strcmp(name, LAB_CHOICE_FAULT))
		return;
	dot = strchr(name, '.');
	if (dot) {
		td = lab_setup_td(f->sc, f->su, lab_intern(f->sc, name, (size_t)(dot - name)));
		bare = dot + 1;
	}
	td = td == LAB_TDS ? 0 : td;
	vcpu = *bare == 'v';
	n = bare[4] ? (u32)(bare[4] - '0') : 0;
	lab_actor_name(f->su, td, vcpu, vcpu ? n % f->su->td[td].vcpus : n, buf, sizeof(buf));
	if (strcmp(buf, name))
		v->num = lab_intern(f->sc, buf, strlen(buf));
}

static void fit_regs(const struct fit *f, const struct lab_val *v)
{
	for (u32 i = 0; i < v->ref; i++) {
		struct lab_reg *r = &f->sc->regs[v->num + i];
		u32 td = fit_td(f, &r->val.td);

		if (r->term == LAB_TERM_ADDR || r->term == LAB_TERM_HPA)
			fit_addr(f, &r->val);
		if (r->term == LAB_TERM_ADDR && !r->val.ref)
			r->term = LAB_TERM_NUM;
		if (r->term == LAB_TERM_TDVPR)
			r->val.num %= f->su->td[td].vcpus;
	}
}

static void fit_value(const struct fit *f, const struct lab_field *field, struct lab_val *v)
{
	u32 td, slot;

	switch (field->type) {
	case LAB_T_ADDR:
		fit_addr(f, v);
		break;
	case LAB_T_SLOT:
		td = fit_td(f, &v->td);
		slot = fit_slot(f->su, td, (u32)v->num);
		v->num = slot;
		break;
	case LAB_T_GMEM:
		fit_file(f, v);
		break;
	case LAB_T_VCPU:
		td = fit_td(f, &v->td);
		v->num %= f->su->td[td].vcpus;
		break;
	case LAB_T_ACTOR:
	case LAB_T_CHOICE:
		fit_actor(f, v);
		break;
	case LAB_T_STATUS:
		if (!(v->num & SEAM_STATUS_ERROR)) /* of a fault: a call fails with it */
			v->num = SEAM_OPERAND_INVALID;
		break;
	case LAB_T_REGS:
		fit_regs(f, v);
		break;
	default:
		break;
	}
}

/* Place and size of an accept are multiples of its level, and it is not empty. */
static void fit_accept(const struct fit *f, struct lab_op *op)
{
	struct lab_val *gpa = &op->v[lab_field_find(&lab_specs[op->kind], "GPA", 3)];
	struct lab_val *size = &op->v[lab_field_find(&lab_specs[op->kind], "SIZE", 4)];
	u64 step = lab_num(op, "level", 1) == 2 ? 2ULL << 20 : 4096, num = gpa->num;
	u32 td = f->td;

	size->num &= ~(step - 1);
	if (!size->num)
		size->num = step;
	if (!((lab_setup_gpa(f->sc, f->su, gpa, &td)) & (step - 1)))
		return;
	gpa->num = 0;
	if (lab_setup_gpa(f->sc, f->su, gpa, &td) & (step - 1))
		gpa->ref = 0; /* the slot itself is not aligned */
	else
		gpa->num = num & ~(step - 1);
}

/* One vCPU is made by a step of its own. */
static void fit_build(const struct fit *f, struct lab_op *op)
{
	struct lab_val *vcpu = &op->v[lab_field_find(&lab_specs[op->kind], "vcpu", 4)];

	if (lab_num(op, "step", LAB_BUILD_ALL) != LAB_BUILD_VCPUS)
		*vcpu = (struct lab_val){0};
	vcpu->num %= f->su->td[f->td].vcpus;
}

/* The statement whose actor or operand the machine does not have at all. */
static void fit_nothing(struct lab_op *op)
{
	*op = (struct lab_op){.kind = LAB_OP_DESTROY};
}

static bool needs_slot(const struct fit *f, const struct lab_op *op)
{
	const struct lab_val *n;

	if (op->kind != LAB_OP_SLOT_ADD && op->kind != LAB_OP_SLOT_DELETE)
		return false;
	n = lab_get(op, "N");
	return lab_setup_slot(f->su, n->td ? lab_setup_td(f->sc, f->su, n->td) : f->td,
			      (u32)n->num) == LAB_SLOTS;
}

static bool needs_file(const struct fit *f, const struct lab_op *op)
{
	return op->kind == LAB_OP_CLOSE &&
	       !file_there(f, lab_string(f->sc, (u32)lab_num(op, "GMEM", 0)));
}

void lab_bytes_fit(struct lab_scenario *sc, const struct lab_setup *su, struct lab_op *op)
{
	const struct lab_spec *spec = &lab_specs[op->kind];
	struct fit f = {sc, su, 0};

	f.td = fit_td(&f, &op->td);
	if (spec->section == LAB_VCPU)
		op->index = (u16)(op->index % su->td[f.td].vcpus);
	for (u32 i = 0; spec->field[i].type != LAB_T_END; i++) {
		if (op->v[i].set)
			fit_value(&f, &spec->field[i], &op->v[i]);
	}
	if (op->kind == LAB_OP_CPU)
		op->v[0].num %= su->cpus;
	if (op->kind == LAB_OP_BUILD)
		fit_build(&f, op);
	if (op->kind == LAB_OP_ACCEPT)
		fit_accept(&f, op);
	if (needs_slot(&f, op) || needs_file(&f, op))
		fit_nothing(op);
	for (u32 i = 0; lab_op_is_inject(op) && spec->field[i].type != LAB_T_END; i++) {
		if (spec->field[i].type == LAB_T_NUM && op->v[i].set && !op->v[i].num)
			op->v[i].num = 1; /* nth and count start there */
	}
}
