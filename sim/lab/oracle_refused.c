// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle over actions that failed: an error has to have a cause that is there. What a failed
 * action may leave behind is judged elsewhere (oracle_convert.c, model.c).
 */
#include <errno.h>

#include "sim/lab/inject.h"
#include "sim/lab/oracle_int.h"

/* EAGAIN is for a reference that somebody holds; a batch is emptied by a drain (gmem.md B10). */
static bool batched(struct lab_check *c, u64 gpa, u64 size)
{
	u64 offset;
	u32 gmem;

	return lab_file_at(c->m, c->td->index, gpa, &gmem, &offset) &&
	       kvm_gmem_look_batched(c->m->file[gmem], offset >> 12, (size + 4095) >> 12);
}

/* The memory of a HugeTLB file is set aside when the file is made (gmem.md 1). */
static bool memory_is_reserved(struct lab_check *c, u64 gpa)
{
	u64 offset;
	u32 gmem;

	return lab_file_at(c->m, c->td->index, gpa, &gmem, &offset) &&
	       c->m->su->gmem[gmem].gmem.backing >= GMEM_HUGETLB_2M &&
	       !lab_inject_took_memory(c->m);
}

static bool unmapped(struct lab_check *c, u64 gpa)
{
	struct kvm_spte_view v;

	return !kvm_look_spte(c->td->kvm, true, gpa >> 12, &v) &&
	       !kvm_look_spte(c->td->kvm, false, gpa >> 12, &v);
}

static bool cause_is_there(struct lab_check *c, const struct lab_op *op, int err)
{
	u32 td;
	u64 gpa;

	if (!err || lab_field_find(&lab_specs[op->kind], "GPA", 3) < 0)
		return true;
	gpa = lab_op_gpa(c->m->sc, c->m->su, op, "GPA", &td);
	if (td != c->td->index)
		return true;
	switch (op->kind) {
	case LAB_OP_CONVERT:
	case LAB_OP_PUNCH:
		if (err == EAGAIN && batched(c, gpa, lab_num(op, "SIZE", 0)))
			return lab_broken(c, "EAGAIN for references that a drain would have put");
		return true;
	case LAB_OP_ALLOC:
		if (err == ENOMEM && memory_is_reserved(c, gpa))
			return lab_broken(c, "ENOMEM in a file whose memory is set aside");
		return true;
	case LAB_OP_MEMORY_FAILURE:
		/* Delayed is no failure: the mappings are gone (gmem.md B13). */
		if (err == EBUSY && unmapped(c, gpa))
			return lab_broken(c, "EBUSY for a broken page that nobody maps any more");
		return true;
	}
	return true;
}

bool lab_check_refused(struct lab_check *c)
{
	const struct lab_machine *m = c->m;
	const struct lab_op *op;

	/* Beside others the cause may have come and gone. */
	if (m->block_nr != 1)
		return true;
	op = lab_op(m, m->block);
	return !lab_op_is_action(op) || !m->result[0].out.done ||
	       cause_is_there(c, op, m->result[0].out.err);
}
