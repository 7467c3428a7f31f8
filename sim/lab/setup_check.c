// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every operation against the machine that it will run on: TDs, vCPUs, slots, files, CPUs that it
 * names must be there. What only a run can tell (an errno, a state) is not asked here.
 */
#include <string.h>

#include "sim/lab/machine.h"
#include "sim/lab/setup_int.h"
#include "sim/lab/words.h"
#include "tdx/abi.h"

static void check_addr(struct lab_resolver *r, const struct lab_op *op, const struct lab_field *f,
		       const struct lab_val *v, u32 td)
{
	if (v->td)
		td = lab_setup_td(r->sc, r->su, v->td);
	if (td == LAB_TDS)
		lab_setup_error(r, op, f->key, "no td line names \"%s\"", lab_string(r->sc, v->td));
	else if (v->ref && lab_setup_slot(r->su, td, v->ref - 1) == LAB_SLOTS)
		lab_setup_error(r, op, f->key, "there is no slot %u", v->ref - 1);
	else if (v->num >> 52)
		lab_setup_error(r, op, f->key, "an address has at most 52 bits");
}

static bool gmem_known(const struct lab_resolver *r, const char *name)
{
	for (u32 i = 0; i < r->su->nr_gmems; i++) {
		if (!strcmp(r->su->gmem[i].name, name))
			return true;
	}
	return false;
}

/* "vcpu0", "a.host1" as a string: an actor that this machine has. */
static bool actor_known(struct lab_resolver *r, const char *name)
{
	char buf[80];

	for (u32 t = 0; t < r->su->nr_tds; t++) {
		const struct lab_td_setup *td = &r->su->td[t];

		for (u32 i = 0; i < td->vcpus + LAB_HOSTS; i++) {
			lab_actor_name(r->su, t, i >= LAB_HOSTS, i >= LAB_HOSTS ? i - LAB_HOSTS : i,
				       buf, sizeof(buf));
			if (!strcmp(buf, name))
				return true;
		}
	}
	return false;
}

static void check_value(struct lab_resolver *r, const struct lab_op *op, const struct lab_field *f,
			const struct lab_val *v, u32 td)
{
	switch (f->type) {
	case LAB_T_ADDR:
		check_addr(r, op, f, v, td);
		break;
	case LAB_T_SLOT:
		td = v->td ? lab_setup_td(r->sc, r->su, v->td) : td;
		if (td == LAB_TDS || lab_setup_slot(r->su, td, (u32)v->num) == LAB_SLOTS)
			lab_setup_error(r, op, f->key, "there is no slot %llu", v->num);
		break;
	case LAB_T_GMEM:
		if (!gmem_known(r, lab_string(r->sc, (u32)v->num)))
			lab_setup_error(r, op, f->key, "no gmem line declares \"%s\"",
					lab_string(r->sc, (u32)v->num));
		break;
	case LAB_T_VCPU:
		td = v->td ? lab_setup_td(r->sc, r->su, v->td) : td;
		if (td == LAB_TDS || v->num >= r->su->td[td].vcpus)
			lab_setup_error(r, op, f->key, "there is no vcpu%llu (td vcpus=%u)", v->num,
					td == LAB_TDS ? 0 : r->su->td[td].vcpus);
		break;
	case LAB_T_CHOICE:
		if (!strcmp(lab_string(r->sc, (u32)v->num), LAB_CHOICE_FAULT))
			break;
		/* fallthrough */
	case LAB_T_ACTOR:
		if (!actor_known(r, lab_string(r->sc, (u32)v->num)))
			lab_setup_error(r, op, f->key, "there is no actor \"%s\"",
					lab_string(r->sc, (u32)v->num));
		break;
	case LAB_T_REGS:
		for (u32 i = 0; i < v->ref; i++) {
			const struct lab_reg *reg = &r->sc->regs[v->num + i];
			u32 t = reg->val.td ? lab_setup_td(r->sc, r->su, reg->val.td) : td;

			if (t == LAB_TDS)
				lab_setup_error(r, op, NULL, "no td line names \"%s\"",
						lab_string(r->sc, reg->val.td));
			else if (reg->term == LAB_TERM_ADDR || reg->term == LAB_TERM_HPA)
				check_addr(r, op, f, &reg->val, t);
			else if (reg->term == LAB_TERM_TDVPR && reg->val.num >= r->su->td[t].vcpus)
				lab_setup_error(r, op, NULL, "there is no vcpu%llu", reg->val.num);
		}
		break;
	default:
		break;
	}
}

static void check_action(struct lab_resolver *r, const struct lab_op *op, u32 td)
{
	bool vcpu = lab_specs[op->kind].section == LAB_VCPU;
	u64 step = lab_field_find(&lab_specs[op->kind], "level", 5) >= 0 &&
				   lab_num(op, "level", 1) == 2
			   ? 2ULL << 20
			   : 4096;
	u32 of = td;

	if (vcpu && op->index >= r->su->td[td].vcpus)
		lab_setup_error(r, op, NULL, "there is no vcpu%u; td vcpus=%u", op->index,
				r->su->td[td].vcpus);
	if (!vcpu && op->index >= LAB_HOSTS)
		lab_setup_error(r, op, NULL, "at most %d threads of the VMM", LAB_HOSTS);
	else if (!vcpu && op->index >= r->su->td[td].hosts)
		r->su->td[td].hosts = op->index + 1u;
	if (op->kind == LAB_OP_CPU && lab_num(op, "M", 0) >= r->su->cpus)
		lab_setup_error(r, op, "M", "there is no CPU %llu; host cpus=%u",
				lab_num(op, "M", 0), r->su->cpus);
	if (op->kind == LAB_OP_BUILD && lab_set(op, "vcpu") &&
	    (lab_num(op, "step", LAB_BUILD_ALL) != LAB_BUILD_VCPUS ||
	     lab_num(op, "vcpu", 0) >= r->su->td[td].vcpus))
		lab_setup_error(r, op, "vcpu", "vcpu= is for step=vcpus, and below td vcpus=%u",
				r->su->td[td].vcpus);
	if (op->kind != LAB_OP_ACCEPT)
		return;
	if (!lab_num(op, "SIZE", 0) || lab_num(op, "SIZE", 0) % step ||
	    lab_setup_gpa(r->sc, r->su, lab_get(op, "GPA"), &of) % step)
		lab_setup_error(r, op, "SIZE",
				"GPA and SIZE of an accept are multiples of %s, and SIZE is not 0",
				step == 4096 ? "4K" : "the level");
}

static void check_expect(struct lab_resolver *r, const struct lab_op *op, bool seen_action)
{
	bool on_action = op->kind == LAB_OP_EXP_OK || op->kind == LAB_OP_EXP_ERROR ||
			 op->kind == LAB_OP_EXP_STATUS || op->kind == LAB_OP_EXP_VE ||
			 op->kind == LAB_OP_EXP_EXIT || op->kind == LAB_OP_EXP_SEAMCALLS;

	if (on_action && !seen_action)
		lab_setup_error(r, op, NULL, "there is no action in front of this expectation");
	if (op->kind == LAB_OP_EXP_MAP && !lab_set(op, "none") && !lab_set(op, "level") &&
	    !lab_set(op, "state"))
		lab_setup_error(r, op, NULL, "expected \"none\", \"level=\" or \"state=\"");
	if (op->kind == LAB_OP_EXP_MIRROR && !lab_set(op, "none") && !lab_set(op, "level"))
		lab_setup_error(r, op, NULL, "expected \"none\" or \"level=\"");
	if ((op->kind == LAB_OP_EXP_MAP || op->kind == LAB_OP_EXP_MIRROR) && lab_set(op, "none") &&
	    (lab_set(op, "level") || (op->kind == LAB_OP_EXP_MAP && lab_set(op, "state"))))
		lab_setup_error(r, op, "none", "\"none\" has neither level nor state");
}

static void check_inject(struct lab_resolver *r, const struct lab_op *op)
{
	bool counted = op->kind != LAB_OP_INJ_REF;
	char name[80];

	if (counted && (!lab_num(op, "nth", 1) || !lab_num(op, "count", 1)))
		lab_setup_error(r, op, NULL, "nth and count start at 1");
	/* A call that says that it did what it did not do is no failure. */
	if (op->kind == LAB_OP_INJ_ERROR && !(lab_num(op, "status", 0) & SEAM_STATUS_ERROR))
		lab_setup_error(r, op, "status", "found a status that is no error: %s",
				lab_status_name(lab_num(op, "status", 0), name, sizeof(name)));
}

/* Choices stand in the order in which they were made. */
static void check_schedule(struct lab_resolver *r, const struct lab_op *op, u64 *next_step)
{
	if (op->kind != LAB_OP_SCHEDULE)
		return;
	if (lab_num(op, "STEP", 0) < *next_step)
		lab_setup_error(r, op, "STEP", "found step %llu, expected one from %llu on",
				lab_num(op, "STEP", 0), *next_step);
	*next_step = lab_num(op, "STEP", 0) + 1;
}

void lab_setup_check(struct lab_resolver *r)
{
	bool seen_action = false;
	u64 next_step = 0;

	for (u32 i = 0; i < r->sc->nr_ops; i++) {
		const struct lab_op *op = &r->sc->ops[i];
		const struct lab_spec *spec = &lab_specs[op->kind];
		u32 td = lab_setup_td(r->sc, r->su, op->td), errors = r->d->errors;

		if (op->kind == LAB_OP_SLOT || op->kind == LAB_OP_REGION)
			continue; /* resolved already */
		if (td == LAB_TDS) {
			lab_setup_error(r, op, NULL, "no td line names \"%s\"",
					lab_string(r->sc, op->td));
			continue;
		}
		for (u32 f = 0; spec->field[f].type != LAB_T_END; f++) {
			if (op->v[f].set)
				check_value(r, op, &spec->field[f], &op->v[f], td);
		}
		check_schedule(r, op, &next_step);
		if (r->d->errors != errors)
			continue;
		if (op->kind == LAB_OP_PARALLEL)
			seen_action =
				false; /* inside, an expectation belongs to the action above */
		if (lab_op_is_action(op)) {
			check_action(r, op, td);
			seen_action = true;
		} else if (lab_op_is_expect(op)) {
			check_expect(r, op, seen_action);
		} else if (lab_op_is_inject(op)) {
			check_inject(r, op);
		}
	}
}
