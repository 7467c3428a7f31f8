// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VMM's threads do: each action is the system call or ioctl that a VMM makes, on the
 * thread that the line names. Outcomes are recorded, never judged, here.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sim/lab/excuse.h"
#include "sim/lab/machine.h"
#include "sim/lab/model.h"
#include "sim/lab/words.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"

static void set_err(struct lab_outcome *out, int ret)
{
	out->err = ret < 0 ? -ret : 0;
	out->ok = ret >= 0;
}

/*
 * [gpa, gpa + size) slot by slot, ascending, as a VMM does it: @fn on each part. The first error
 * ends it; *@done are the bytes in front of that part.
 */
static int each_slot(struct lab_machine *m, u32 td, u64 gpa, u64 size, u64 *done,
		     int (*fn)(struct kvm_gmem_file *file, u64 offset, u64 size))
{
	const u64 end = gpa + size;
	int ret;

	*done = 0;
	if (!size)
		return -EINVAL;
	while (gpa + *done < end) {
		u64 at = gpa + *done, part, offset;
		u32 slot = lab_setup_slot_at(m->su, td, at), gmem;

		if (slot == LAB_SLOTS)
			return -EINVAL;
		if (!lab_file_at(m, td, at, &gmem, &offset))
			return -EBADF;
		part = m->su->slot[slot].gpa + m->su->slot[slot].size - at;
		part = part < end - at ? part : end - at;
		ret = fn(m->file[gmem], offset, part);
		if (ret)
			return ret;
		*done += part;
	}
	return 0;
}

int lab_convert(struct lab_machine *m, struct lab_td *td, u64 gpa, u64 size, bool to_private,
		struct lab_outcome *out)
{
	u64 attrs = to_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;

	if (lab_vm_attrs(m->su)) {
		int ret = kvm_vm_ioctl_set_mem_attributes(td->kvm, gpa, size, attrs);

		out->bytes = ret ? 0 : size;
		return ret;
	}
	if (!size)
		return -EINVAL;
	while (size) {
		u32 slot = lab_setup_slot_at(m->su, td->index, gpa), gmem;
		u64 part, offset, err_offset = ~0ULL;
		int ret;

		if (slot == LAB_SLOTS)
			return -EINVAL;
		if (!lab_file_at(m, td->index, gpa, &gmem, &offset))
			return -EBADF;
		part = m->su->slot[slot].gpa + m->su->slot[slot].size - gpa;
		part = part < size ? part : size;
		ret = kvm_gmem_set_attributes(m->file[gmem], offset, part, attrs, &err_offset);
		if (ret) {
			out->has_err_gpa = err_offset != ~0ULL;
			out->err_gpa = gpa + err_offset - offset;
			/* Batches in front of it stay converted (gmem.md 2.6). */
			if (out->has_err_gpa && out->err_gpa > gpa)
				out->bytes += out->err_gpa - gpa;
			return ret;
		}
		out->bytes += part;
		gpa += part;
		size -= part;
	}
	return 0;
}

/* The lowest vCPU that is not in KVM_RUN, else vCPU 0. */
static struct lab_actor *prefault_vcpu(struct lab_machine *m, struct lab_td *td)
{
	for (u32 i = 0; i < m->su->td[td->index].vcpus; i++) {
		if (!td->vcpu[i]->in_run)
			return td->vcpu[i];
	}
	return td->vcpu[0];
}

static int prefault(struct lab_machine *m, struct lab_td *td, u64 gpa, u64 size, bool level4k,
		    struct lab_outcome *out)
{
	struct lab_actor *v = prefault_vcpu(m, td);
	int ret = 0;

	/* A build that failed may have come to no vCPU. */
	if (!v->kvcpu)
		return -ENODEV;
	lab_vcpu_stop(v);
	/*
	 * The ioctl returns early with what it has done; userspace calls again
	 * (KVM_PRE_FAULT_MEMORY's contract).
	 */
	while (size && !ret) {
		u64 done = 0;

		ret = kvm_vcpu_ioctl_pre_fault(v->kvcpu, gpa, size, level4k, &done);
		out->bytes += done;
		gpa += done;
		size -= done < size ? done : size;
		if (!ret && !done)
			ret = -EIO;
		else if (done)
			ret = size ? 0 : ret;
	}
	lab_vcpu_go(v);
	return ret;
}

static int host_access(struct lab_machine *m, struct lab_td *td, u64 gpa, bool write, u64 *val)
{
	u64 offset;
	u32 gmem;
	int ret;

	if (lab_vm_attrs(m->su))
		ret = kvm_vm_host_access(td->kvm, gpa, write, val);
	else if (!lab_file_at(m, td->index, gpa, &gmem, &offset))
		ret = -EFAULT;
	else if (write)
		ret = kvm_gmem_host_write(m->file[gmem], offset, *val);
	else
		ret = kvm_gmem_host_read(m->file[gmem], offset, val);
	return ret == -EFAULT || ret == -EACCES ? -LAB_SIGBUS : ret;
}

static int memory_failure(struct lab_machine *m, u32 td, u64 gpa)
{
	u64 offset;
	u32 gmem;

	if (!lab_file_at(m, td, gpa, &gmem, &offset))
		return -EINVAL;
	return kvm_gmem_memory_failure(m->file[gmem], offset & ~4095ULL);
}

static int close_file(struct lab_machine *m, const char *name)
{
	for (u32 i = 0; i < m->su->nr_gmems; i++) {
		struct kvm_gmem_file *file = m->file[i];

		if (!file || strcmp(m->su->gmem[i].name, name))
			continue;
		/*
		 * From here on the descriptor is gone for everybody else, also while release runs.
		 */
		m->file[i] = NULL;
		kvm_gmem_release(file);
		return 0;
	}
	return -EBADF;
}

static u64 *reg_of(struct seam_regs *r, u32 reg)
{
	u64 *const regs[] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rbp, &r->rsi, &r->rdi, &r->r8,
			     &r->r9,  &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15};

	assert(reg < RT_ARRAY_SIZE(regs));
	return regs[reg];
}

/* 0, which no page is, as long as there is no such vCPU: the build may have failed before it. */
static u64 tdvpr_of(struct lab_machine *m, u32 td, u32 vcpu)
{
	struct kvm_vcpu *kvcpu = m->td[td].kvm ? m->td[td].vcpu[vcpu]->kvcpu : NULL;

	return kvcpu ? kvm_tdvpr(kvcpu) : 0;
}

static u64 term_value(struct lab_machine *m, u32 td, const struct lab_reg *reg)
{
	u64 hpa = 0, gpa;

	if (reg->val.td)
		td = lab_setup_td(m->sc, m->su, reg->val.td);
	switch (reg->term) {
	case LAB_TERM_NUM:
		return reg->val.num;
	case LAB_TERM_ADDR:
		return lab_setup_gpa(m->sc, m->su, &reg->val, &td);
	case LAB_TERM_TDR:
		return m->td[td].kvm ? kvm_tdr(m->td[td].kvm) : 0;
	case LAB_TERM_TDVPR:
		return tdvpr_of(m, td, (u32)reg->val.num);
	case LAB_TERM_HKID:
		/*
		 * Key ids are the top 6 bits of a 52-bit physical address (struct seam_config,
		 * keyid_bits).
		 */
		return m->td[td].kvm ? (u64)kvm_hkid(m->td[td].kvm) << 46 : 0;
	case LAB_TERM_PAGE:
		return m->spare_pages + (reg->val.num << 12);
	case LAB_TERM_HPA:
		gpa = lab_setup_gpa(m->sc, m->su, &reg->val, &td);
		lab_host_page(m, &m->td[td], gpa, &hpa);
		return hpa;
	}
	return 0;
}

/*
 * Where a leaf takes the TDR (1) or the TDVPR (2) if the line leaves the register out: 1 in rcx, 2
 * in rdx.
 */
static void default_handles(struct lab_machine *m, u32 leaf, u32 td, const bool *given,
			    struct seam_regs *r)
{
	struct kvm *kvm = m->td[td].kvm;

	if (!kvm)
		return;
	switch (leaf) {
	case SEAM_TDH_MEM_PAGE_ADD:
	case SEAM_TDH_MEM_SEPT_ADD:
	case SEAM_TDH_MEM_PAGE_RELOCATE:
	case SEAM_TDH_MEM_PAGE_AUG:
	case SEAM_TDH_MEM_RANGE_BLOCK:
	case SEAM_TDH_MEM_RANGE_UNBLOCK:
	case SEAM_TDH_MEM_PAGE_DEMOTE:
	case SEAM_TDH_MEM_PAGE_PROMOTE:
	case SEAM_TDH_MEM_PAGE_REMOVE:
	case SEAM_TDH_MEM_SEPT_REMOVE:
	case SEAM_TDH_MEM_SEPT_RD:
	case SEAM_TDH_MEM_RD:
	case SEAM_TDH_MEM_WR:
	case SEAM_TDH_MR_EXTEND:
	case SEAM_TDH_VP_CREATE:
	case SEAM_TDH_MNG_ADDCX:
		if (!given[2])
			r->rdx = kvm_tdr(kvm);
		break;
	case SEAM_TDH_MEM_TRACK:
	case SEAM_TDH_MR_FINALIZE:
	case SEAM_TDH_MNG_RD:
	case SEAM_TDH_MNG_WR:
	case SEAM_TDH_MNG_VPFLUSHDONE:
	case SEAM_TDH_MNG_KEY_CONFIG:
	case SEAM_TDH_MNG_KEY_FREEID:
	case SEAM_TDH_MNG_KEY_RECLAIMID:
		if (!given[1])
			r->rcx = kvm_tdr(kvm);
		break;
	case SEAM_TDH_VP_FLUSH:
	case SEAM_TDH_VP_RD:
	case SEAM_TDH_VP_WR:
		if (!given[1])
			r->rcx = tdvpr_of(m, td, 0);
		break;
	}
}

void lab_set_regs(struct lab_machine *m, const struct lab_op *op, u32 td, struct seam_regs *r)
{
	const struct lab_val *v = lab_get(op, "REG=VALUE");
	bool given[16] = {false};

	*r = (struct seam_regs){.rax = lab_num(op, "LEAF", 0)};
	for (u32 i = 0; i < v->ref; i++) {
		const struct lab_reg *reg = &m->sc->regs[v->num + i];
		u64 *dst = reg_of(r, reg->reg), val = term_value(m, td, reg);

		/* rax=1<<16 adds a version to the leaf. */
		if (reg->join == '|' || (!reg->join && !reg->reg))
			*dst |= val;
		else if (reg->join == '+')
			*dst += val;
		else
			*dst = val;
		given[reg->reg] = true;
	}
	if (op->kind == LAB_OP_SEAMCALL)
		default_handles(m, (u32)lab_num(op, "LEAF", 0), td, given, r);
}

/*
 * A SEAMCALL that changes tables behind KVM's back: what they are from here on is the scenario's
 * business. TRACK moves the epoch alone, which only KVM's next TRACK can tell.
 */
static bool leaf_changes(u32 leaf)
{
	return leaf != SEAM_TDH_MEM_TRACK && leaf != SEAM_TDH_MEM_SEPT_RD &&
	       leaf != SEAM_TDH_PHYMEM_PAGE_RDMD && leaf != SEAM_TDH_MEM_RD &&
	       leaf != SEAM_TDH_MNG_RD && leaf != SEAM_TDH_VP_RD && leaf != SEAM_TDH_SYS_RD;
}

static void note_tracked(struct lab_machine *m, u64 tdr)
{
	for (u32 t = 0; t < m->su->nr_tds; t++)
		m->td[t].tracked |= m->td[t].kvm && kvm_tdr(m->td[t].kvm) == tdr;
}

#define RAW_IRQ 0xf2 /* vector */

static void raw_seamcall(struct lab_machine *m, struct lab_td *td, const struct lab_op *op,
			 struct lab_outcome *out)
{
	struct seam_regs r;
	bool changes, track, enters;
	u64 tdr;

	lab_set_regs(m, op, td->index, &r);
	changes = leaf_changes((u32)(r.rax & 0xffff));
	track = (r.rax & 0xffff) == SEAM_TDH_MEM_TRACK;
	enters = (r.rax & 0xffff) == SEAM_TDH_VP_ENTER;
	tdr = r.rcx;
	lab_excuse_raw_begin(m, changes);
	/* A guest that was entered past KVM has nothing to do: an interrupt gets it out again. */
	if (seam_call(m->seam, m->spare_lp, &r) == SEAM_ENTERED)
		seam_guest_interrupt(m->seam, m->spare_lp, RAW_IRQ, &r);
	lab_excuse_raw_end(m, changes);
	/* Back in the host the CPU takes what was pending, before it can call again. */
	seam_irq_clear(m->seam, m->spare_lp, seam_irq_pending(m->seam, m->spare_lp));
	out->has_status = true;
	out->status = r.rax;
	out->ok = !(r.rax & SEAM_STATUS_ERROR);
	out->has_value = true;
	out->value = r.rcx;
	/* An entry ties the vCPU to its LP even if it fails. */
	td->tainted |= changes && (out->ok || enters);
	if (out->ok && track)
		note_tracked(m, tdr);
}

static int on_range(struct lab_machine *m, struct lab_td *td, const struct lab_op *op, u64 gpa,
		    struct lab_outcome *out)
{
	u64 size = lab_num(op, "SIZE", 0), done;
	bool to_private;
	int ret;

	switch (op->kind) {
	case LAB_OP_CONVERT:
		to_private = lab_num(op, "shared|private", 0);
		lab_model_begin(td->model, gpa, size, LAB_LOSS_CONVERT);
		ret = lab_convert(m, td, gpa, size, to_private, out);
		lab_model_end(td->model, gpa, ret ? out->bytes : size, ret);
		return ret;
	case LAB_OP_PUNCH:
		lab_model_begin(td->model, gpa, size, LAB_LOSS_PUNCH);
		ret = each_slot(m, td->index, gpa, size, &done, kvm_gmem_punch_hole);
		lab_model_end(td->model, gpa, done, ret);
		return ret;
	case LAB_OP_ALLOC:
		return each_slot(m, td->index, gpa, size, &done, kvm_gmem_allocate);
	case LAB_OP_PIN:
		return each_slot(m, td->index, gpa, size, &done, kvm_gmem_pin);
	case LAB_OP_UNPIN:
		return each_slot(m, td->index, gpa, size, &done, kvm_gmem_unpin);
	case LAB_OP_PREFAULT:
		return prefault(m, td, gpa, size, lab_num(op, "level", 2) == 1, out);
	}
	return -EINVAL;
}

static int slot_action(struct lab_machine *m, struct lab_td *td, const struct lab_op *op)
{
	const struct lab_val *n = lab_get(op, "N");
	u32 of = n->td ? lab_setup_td(m->sc, m->su, n->td) : td->index;
	u32 slot = lab_setup_slot(m->su, of, (u32)n->num);
	const struct lab_slot_setup *s = &m->su->slot[slot];
	bool add = op->kind == LAB_OP_SLOT_ADD;
	int ret;

	if (!add)
		lab_model_begin(m->td[of].model, s->gpa, s->size, LAB_LOSS_ANY);
	ret = lab_set_slot(m, slot, add);
	if (!add)
		lab_model_end(m->td[of].model, s->gpa, s->size, ret);
	return ret;
}

static bool no_users(void *arg)
{
	return !((struct lab_td *)arg)->users;
}

/* The TD that a file belongs to, whoever closes it. */
static struct lab_td *owner_of(struct lab_machine *m, const char *name)
{
	for (u32 i = 0; i < m->su->nr_gmems; i++) {
		if (!strcmp(m->su->gmem[i].name, name))
			return &m->td[m->su->gmem[i].td];
	}
	return NULL;
}

static int close_action(struct lab_machine *m, const struct lab_op *op)
{
	const char *name = lab_string(m->sc, (u32)lab_num(op, "GMEM", 0));
	struct lab_td *td = owner_of(m, name);
	int ret;

	if (!td)
		return -EBADF;

	for (u32 i = 0; i < m->su->nr_slots; i++) {
		const struct lab_slot_setup *s = &m->su->slot[i];

		if (!strcmp(m->su->gmem[s->gmem].name, name))
			lab_model_begin(m->td[s->td].model, s->gpa, s->size, LAB_LOSS_ANY);
	}
	/*
	 * A call that is under way holds the file; release comes when the last of them has
	 * returned.
	 */
	td->closers++;
	rt_block("calls on the file to return", no_users, td);
	ret = close_file(m, name);
	td->closers--;
	for (u32 i = 0; i < m->su->nr_slots; i++) {
		const struct lab_slot_setup *s = &m->su->slot[i];

		if (!strcmp(m->su->gmem[s->gmem].name, name))
			lab_model_end(m->td[s->td].model, s->gpa, s->size, ret);
	}
	return ret;
}

static void access_action(struct lab_machine *m, struct lab_td *td, const struct lab_op *op,
			  u64 gpa, struct lab_outcome *out)
{
	bool write = op->kind == LAB_OP_HOST_WRITE;
	int ret;

	out->value = write ? lab_num(op, "VALUE", 0) : 0;
	ret = host_access(m, td, gpa, write, &out->value);
	set_err(out, ret);
	out->has_value = !ret && !write;
	if (!ret)
		lab_model_host_access(m, td, gpa, write, out->value);
}

static int signal_action(struct lab_machine *m, struct lab_td *td, const struct lab_op *op)
{
	const struct lab_val *v = lab_get(op, "vcpuN");
	u32 of = v->td ? lab_setup_td(m->sc, m->su, v->td) : td->index;
	struct kvm_vcpu *kvcpu = m->td[of].vcpu[v->num]->kvcpu;

	if (!kvcpu)
		return -ENODEV;
	kvm_vcpu_signal(kvcpu, true);
	return 0;
}

static int build_action(struct lab_machine *m, struct lab_td *td, const struct lab_op *op)
{
	enum lab_build_step step = lab_num(op, "step", LAB_BUILD_ALL);

	if (step == LAB_BUILD_ALL)
		return lab_build(m, td);
	return lab_build_step(m, td, step, (u32)lab_num(op, "vcpu", LAB_VCPUS));
}

void lab_host_action(struct lab_machine *m, struct lab_actor *a, const struct lab_op *op,
		     struct lab_outcome *out)
{
	u32 t = a->td->index;
	struct lab_td *td = a->td;
	const struct lab_val *addr = NULL;
	u64 gpa = 0;

	if (lab_field_find(&lab_specs[op->kind], "GPA", 3) >= 0) {
		addr = lab_get(op, "GPA");
		gpa = lab_setup_gpa(m->sc, m->su, addr, &t);
		td = &m->td[t];
	}
	if (op->kind == LAB_OP_BUILD) {
		set_err(out, build_action(m, td, op));
		return;
	}
	if (!td->kvm || td->destroyed) {
		set_err(out, -ENODEV);
		return;
	}
	if (op->kind == LAB_OP_DESTROY) {
		set_err(out, lab_destroy(m, td));
		return;
	}
	if (op->kind == LAB_OP_CLOSE) {
		set_err(out, close_action(m, op));
		return;
	}
	td->users++;
	switch (op->kind) {
	case LAB_OP_HOST_READ:
	case LAB_OP_HOST_WRITE:
		access_action(m, td, op, gpa, out);
		break;
	case LAB_OP_MEMORY_FAILURE:
		lab_model_begin(td->model, gpa & ~4095ULL, 4096, LAB_LOSS_POISON);
		set_err(out, memory_failure(m, t, gpa));
		lab_model_end(td->model, gpa & ~4095ULL, 4096, -out->err);
		break;
	case LAB_OP_SEAMCALL:
		raw_seamcall(m, td, op, out);
		break;
	case LAB_OP_SLOT_DELETE:
	case LAB_OP_SLOT_ADD:
		set_err(out, slot_action(m, td, op));
		break;
	case LAB_OP_SIGNAL:
		set_err(out, signal_action(m, td, op));
		break;
	default:
		set_err(out, on_range(m, td, op, gpa, out));
		break;
	}
	td->users--;
}

static bool host_ready(void *arg)
{
	const struct lab_machine *m = lab_machine();
	const struct lab_actor *a = arg;

	return a->next != LAB_NO_OP || (!a->id && (m->build_td || m->destroy_all));
}

/*
 * What is implied: the build of TDs that a line needs, and the end of all of them. The first actor
 * does it.
 */
static void implied(struct lab_machine *m)
{
	for (u32 t = 0; t < m->su->nr_tds; t++) {
		m->implied = &m->td[t];
		if (m->build_td & 1U << t)
			lab_build(m, &m->td[t]);
		if (m->destroy_all)
			lab_destroy(m, &m->td[t]);
	}
	m->implied = NULL;
	m->build_td = 0;
	m->destroy_all = false;
}

void lab_host_main(void *arg)
{
	struct lab_machine *m = lab_machine();
	struct lab_actor *a = arg;

	for (;;) {
		u32 i;

		rt_idle("its next action", host_ready, a);
		if (!a->id)
			implied(m);
		if (a->next == LAB_NO_OP)
			continue;
		i = lab_take(a);
		lab_host_action(m, a, lab_op(m, i), &lab_result(m, i)->out);
		lab_finish(a);
	}
}
