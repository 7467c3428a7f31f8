// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject lines to armed faults.
 */
#include "sim/lab/inject.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/lab/words.h"
#include "sim/rt/fault.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

static int take_ref(struct lab_machine *m, const struct lab_op *op)
{
	u32 td, gmem;
	u64 gpa = lab_op_gpa(m->sc, m->su, op, "gpa", &td), offset;
	static const enum gmem_stray kinds[] = {GMEM_STRAY_TRANSIENT, GMEM_STRAY_PIN,
						GMEM_STRAY_LRU};

	if (!lab_file_at(m, td, gpa, &gmem, &offset))
		return -ENODEV;
	return kvm_gmem_stray_ref(m->file[gmem], offset, kinds[lab_num(op, "kind", 0)]);
}

static void set_site(struct rt_fault *f, const struct lab_op *op)
{
	const struct lab_val *leaf;

	if (op->kind == LAB_OP_INJ_ENOMEM) {
		snprintf(f->site, sizeof(f->site), "%s", lab_words_site[lab_num(op, "site", 0)]);
		f->key = RT_FAULT_ANY;
		return;
	}
	if (op->kind == LAB_OP_INJ_REF_CHECK || op->kind == LAB_OP_INJ_IPI_LATE) {
		snprintf(f->site, sizeof(f->site), "%s", lab_specs[op->kind].verb);
		f->key = RT_FAULT_ANY;
		return;
	}
	leaf = lab_get(op, "leaf");
	snprintf(f->site, sizeof(f->site), "%s", lab_specs[op->kind].verb);
	f->key = leaf->num | (leaf->ref ? LAB_FAULT_TDG : 0);
	if (op->kind == LAB_OP_INJ_ERROR)
		f->value = lab_num(op, "status", 0);
	if (op->kind == LAB_OP_INJ_INTERRUPT)
		f->value = 1ULL << lab_num(op, "kind", 0);
}

/* A thread of the VMM that does nothing is not made: such a fault is never spent. */
static u32 actor_id(struct lab_machine *m, const char *name)
{
	const struct lab_actor *a = lab_actor_by_name(m, name);

	return a ? a->id : m->nr_actors;
}

int lab_inject_arm(struct lab_machine *m, u32 i)
{
	const struct lab_op *op = lab_op(m, i);
	struct rt_fault f = {.actor = RT_NOBODY};
	struct lab_armed *armed;

	if (op->kind == LAB_OP_INJ_REF)
		return take_ref(m, op);
	f.nth = lab_num(op, "nth", 1);
	f.count = lab_num(op, "count", 1);
	f.maybe = lab_set(op, "maybe");
	if (lab_set(op, "actor"))
		f.actor = actor_id(m, lab_string(m->sc, (u32)lab_num(op, "actor", 0)));
	set_site(&f, op);
	armed = rt_realloc(m->armed, (m->nr_armed + 1) * sizeof(*armed));
	m->armed = armed;
	armed[m->nr_armed++] = (struct lab_armed){i, rt_fault_arm(&f)};
	return 0;
}

static const struct rt_fault *find_fault(u32 id)
{
	const struct rt_fault *f;

	for (u32 i = 0; (f = rt_fault_get(i)); i++) {
		if (f->id == id)
			return f;
	}
	return NULL;
}

u32 lab_inject_unspent(struct lab_machine *m, u32 n)
{
	for (u32 i = 0; i < m->nr_armed; i++) {
		const struct rt_fault *f = find_fault(m->armed[i].fault);

		/* That a fault which may fire did not is no news; that its site was never passed is. */
		if (f && (f->maybe ? f->seen < f->nth : !rt_fault_spent(f)) && !n--)
			return m->armed[i].op;
	}
	return LAB_NO_OP;
}

u64 lab_inject_fired(struct lab_machine *m)
{
	u64 n = 0;

	for (u32 i = 0; i < m->nr_armed; i++) {
		const struct rt_fault *f = find_fault(m->armed[i].fault);

		if (f && lab_op(m, m->armed[i].op)->kind != LAB_OP_INJ_ENOMEM)
			n += f->fired;
	}
	return n;
}

bool lab_inject_took_memory(struct lab_machine *m)
{
	for (u32 i = 0; i < m->nr_armed; i++) {
		const struct rt_fault *f = find_fault(m->armed[i].fault);

		if (f && f->fired && lab_op(m, m->armed[i].op)->kind == LAB_OP_INJ_ENOMEM)
			return true;
	}
	return false;
}
