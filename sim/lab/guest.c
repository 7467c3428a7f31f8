// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest: which instruction comes next of the line that its vCPU is doing, and what the answer
 * means to it. It runs inside KVM_RUN, between TDH.VP.ENTER and the TD exit; words like "accept"
 * mean what docs/design.md says.
 */
#include <assert.h>
#include <errno.h>

#include "sim/lab/machine.h"
#include "sim/lab/model.h"
#include "sim/lab/oracle_watch.h"
#include "sim/rt/fault.h"
#include "sim/rt/lock.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

#define GUEST_4K     4096ULL
#define GUEST_2M     (2ULL << 20)
#define GUEST_IRQ    0xf2 /* vector of the IPI that a kick sends */
#define MAPGPA_LEAF  0x10001
#define MAPGPA_REGS  0x3c00 /* r10 to r13 are handed over */
#define MAPGPA_RETRY 1
#define MAPGPA_TRIES 3
#define BUSY_CYCLES  2000000 /* a millisecond: the guest's back-off when nobody holds the entry */

static bool has_line(const struct lab_machine *m, const struct lab_actor *v)
{
	return v->job.op != LAB_NO_OP || (v->next != LAB_NO_OP && !lab_is_thread_op(m, v->next));
}

bool lab_guest_has_work(const struct kvm_vcpu *vcpu)
{
	return has_line(lab_machine(), kvm_vcpu_data((struct kvm_vcpu *)vcpu));
}

static bool guest_ready(void *arg)
{
	struct lab_machine *m = lab_machine();
	struct lab_actor *v = arg;

	return seam_irq_pending(m->seam, v->lp) || has_line(m, v);
}

void lab_job_start(struct lab_actor *v, u32 i)
{
	struct lab_machine *m = lab_machine();
	const struct lab_op *op = lab_op(m, i);
	u32 td;

	v->job = (struct lab_job){.op = i};
	if (lab_field_find(&lab_specs[op->kind], "GPA", 3) < 0)
		return;
	v->job.gpa = lab_op_gpa(m->sc, m->su, op, "GPA", &td);
	if (lab_field_find(&lab_specs[op->kind], "SIZE", 4) >= 0)
		v->job.end = v->job.gpa + lab_num(op, "SIZE", 0);
	v->job.map_next = v->job.gpa;
}

void lab_job_end(struct lab_actor *v)
{
	assert(v->job.op == v->doing);
	v->job.op = LAB_NO_OP;
	lab_finish(v);
	/* A line of the thread comes next: the guest has to leave. */
	if (v->in_run && lab_is_thread_op(lab_machine(), v->next))
		kvm_vcpu_signal(v->kvcpu, true);
}

static struct lab_outcome *job_out(struct lab_machine *m, struct lab_actor *v)
{
	return &lab_result(m, v->job.op)->out;
}

/* The entry that ACCEPT met busy is free again, or the guest is wanted elsewhere. */
static bool entry_free(void *arg)
{
	struct lab_machine *m = lab_machine();
	struct lab_actor *v = arg;
	struct seam_sept_view view;

	if (seam_irq_pending(m->seam, v->lp))
		return true;
	return !seam_look_sept(m->seam, kvm_tdr(v->td->kvm), v->job.entry_gpa, 0, &view) ||
	       !view.locked;
}

/*
 * ACCEPT was busy. Waiting for the holder is no spinning; where nobody holds the entry (a host that
 * left its reservation), time passes, so that the module's time-out ends it.
 */
static void wait_for_entry(struct lab_actor *v, u64 gpa)
{
	v->job.entry_gpa = gpa;
	if (entry_free(v))
		rt_cycles(BUSY_CYCLES);
	else
		rt_block("S-EPT entry to be free", entry_free, v);
}

/*
 * A guest instruction ended in something else than its completion. True: the LP is in the host now.
 */
static bool not_done(struct lab_machine *m, struct lab_actor *v, enum seam_result res,
		     const struct seam_regs *r, const struct seam_fault *fault)
{
	struct lab_outcome *out = job_out(m, v);

	switch (res) {
	case SEAM_EXIT:
	case SEAM_RESTART_EXIT:
		v->job.same_rip = true;
		lab_watch_exit(m, v, r);
		return true;
	case SEAM_VE:
		out->ve = true;
		out->fault_gpa = fault->gpa;
		break;
	default:
		out->injected = (u8)fault->vector;
		break;
	}
	lab_job_end(v);
	return false;
}

static u32 rip_flag(const struct lab_actor *v)
{
	return v->job.same_rip ? SEAM_SAME_RIP : 0;
}

/*
 * One piece of an accept: its size by the line, what is left, and whether the guest goes through 2M
 * at 4K.
 */
static u32 accept_level(const struct lab_actor *v, const struct lab_op *op)
{
	const struct lab_job *job = &v->job;

	if (lab_set(op, "level"))
		return (u32)lab_num(op, "level", 1) - 1;
	if (job->gpa < job->small_end || job->gpa % GUEST_2M || job->end - job->gpa < GUEST_2M)
		return 0;
	return 1;
}

static void accept_ok(struct lab_machine *m, struct lab_actor *v, u32 level)
{
	struct lab_outcome *out = job_out(m, v);
	u64 size = level ? GUEST_2M : GUEST_4K;

	lab_model_accepted(v->td->model, v->job.gpa, size);
	out->bytes += size;
	out->pages_2m += level == 1;
	out->pages_4k += !level;
	v->job.gpa += size;
	if (v->job.gpa < v->job.end)
		return;
	out->ok = true;
	lab_job_end(v);
}

static bool step_accept(struct lab_machine *m, struct lab_actor *v, u32 lp, const struct lab_op *op,
			struct seam_regs *r)
{
	u32 level = accept_level(v, op);
	struct lab_outcome *out = job_out(m, v);
	struct seam_fault fault = {0};
	enum seam_result res;

	*r = (struct seam_regs){.rax = SEAM_TDG_MEM_PAGE_ACCEPT,
				.rcx = seam_page_info(v->job.gpa, level)};
	res = seam_tdcall(m->seam, lp, r, rip_flag(v), &fault);
	if (res != SEAM_DONE)
		return not_done(m, v, res, r, &fault);
	v->job.same_rip = false;
	out->has_status = true;
	out->status = r->rax;
	if (seam_status(r->rax) == SEAM_SUCCESS) {
		accept_ok(m, v, level);
	} else if (seam_status(r->rax) == SEAM_OPERAND_BUSY) {
		wait_for_entry(v, v->job.gpa);
	} else if (level && !lab_set(op, "level")) {
		v->job.small_end = v->job.gpa + GUEST_2M;
	} else {
		lab_job_end(v);
	}
	return false;
}

static bool step_access(struct lab_machine *m, struct lab_actor *v, u32 lp, const struct lab_op *op,
			struct seam_regs *r)
{
	bool write = op->kind == LAB_OP_WRITE, shared = lab_set(op, "shared");
	struct seam_access a = {
		.gpa = v->job.gpa | (shared ? 1ULL << kvm_shared_bit(v->td->kvm) : 0),
		.kind = write ? SEAM_WRITE : SEAM_READ,
		.has_data = true,
		.data = write ? lab_num(op, "VALUE", 0) : 0,
	};
	struct lab_outcome *out = job_out(m, v);
	struct seam_fault fault = {0};
	enum seam_result res = seam_access(m->seam, lp, &a, rip_flag(v), r, &fault);

	if (res != SEAM_DONE)
		return not_done(m, v, res, r, &fault);
	out->ok = true;
	out->has_value = !write;
	out->value = a.data;
	lab_model_guest_access(m, v, v->job.gpa, shared, &a);
	lab_job_end(v);
	return false;
}

static bool step_mapgpa(struct lab_machine *m, struct lab_actor *v, u32 lp, const struct lab_op *op,
			struct seam_regs *r)
{
	bool to_private = lab_num(op, "shared|private", 0);
	struct seam_fault fault = {0};
	enum seam_result res;

	*r = (struct seam_regs){.rax = SEAM_TDG_VP_VMCALL,
				.rcx = MAPGPA_REGS,
				.r11 = MAPGPA_LEAF,
				.r12 = v->job.map_next,
				.r13 = v->job.end - v->job.map_next};
	if (!to_private)
		r->r12 |= 1ULL << kvm_shared_bit(v->td->kvm);
	res = seam_tdcall(m->seam, lp, r, rip_flag(v), &fault);
	if (res == SEAM_EXIT) {
		v->job.vmcall = true;
		return true;
	}
	if (res != SEAM_DONE)
		return not_done(m, v, res, r, &fault);
	/* The module refused the call itself. */
	job_out(m, v)->err = EINVAL;
	lab_job_end(v);
	return false;
}

static bool step_tdcall(struct lab_machine *m, struct lab_actor *v, u32 lp, const struct lab_op *op,
			struct seam_regs *r)
{
	struct lab_outcome *out = job_out(m, v);
	struct seam_fault fault = {0};
	enum seam_result res;
	struct seam_regs in;

	lab_set_regs(m, op, v->td->index, &in);
	*r = in;
	res = seam_tdcall(m->seam, lp, r, rip_flag(v), &fault);
	if (res == SEAM_EXIT && in.rax == SEAM_TDG_VP_VMCALL) {
		v->job.vmcall = true;
		return true;
	}
	if (res != SEAM_DONE)
		return not_done(m, v, res, r, &fault);
	out->has_status = out->has_value = true;
	out->status = r->rax;
	out->value = r->rcx;
	out->ok = !(r->rax & SEAM_STATUS_ERROR);
	if (in.rax == SEAM_TDG_MEM_PAGE_ACCEPT && seam_status(r->rax) == SEAM_SUCCESS)
		lab_model_accepted(v->td->model, SEAM_INFO_GPA(in.rcx),
				   SEAM_LEVEL_SIZE(SEAM_INFO_LEVEL(in.rcx)));
	lab_job_end(v);
	return false;
}

/*
 * Linux's set_memory_*crypted() path: RETRY goes on at r11, and gives up after three without
 * progress.
 */
static void mapgpa_returned(struct lab_machine *m, struct lab_actor *v, const struct seam_regs *r)
{
	u64 next = r->r11 & ~(1ULL << kvm_shared_bit(v->td->kvm));
	struct lab_outcome *out = job_out(m, v);

	if (r->r10 == MAPGPA_RETRY) {
		v->job.retries = next == v->job.map_next ? v->job.retries + 1 : 0;
		if (next >= v->job.gpa && next < v->job.end && v->job.retries < MAPGPA_TRIES) {
			v->job.map_next = next;
			return;
		}
	}
	out->ok = !r->r10;
	out->err = !r->r10 ? 0 : r->r10 == MAPGPA_RETRY ? EAGAIN : EINVAL;
	lab_job_end(v);
}

/* Back in the guest behind a TDVMCALL: @r has what the VMM answered. */
static void vmcall_returned(struct lab_machine *m, struct lab_actor *v, const struct seam_regs *r)
{
	struct lab_outcome *out;

	v->job.vmcall = false;
	if (v->job.op == LAB_NO_OP)
		return;
	out = job_out(m, v);
	if (lab_op(m, v->job.op)->kind == LAB_OP_MAPGPA) {
		mapgpa_returned(m, v, r);
		return;
	}
	out->has_status = out->has_value = out->ok = true;
	out->status = r->rax;
	out->value = r->r10;
	lab_job_end(v);
}

/* The next instruction of the line. True: it made a TD exit, whose registers are in @r. */
static bool step(struct lab_machine *m, struct lab_actor *v, u32 lp, struct seam_regs *r)
{
	const struct lab_op *op = lab_op(m, v->job.op);

	switch (op->kind) {
	case LAB_OP_ACCEPT:
		return step_accept(m, v, lp, op, r);
	case LAB_OP_READ:
	case LAB_OP_WRITE:
		return step_access(m, v, lp, op, r);
	case LAB_OP_MAPGPA:
		return step_mapgpa(m, v, lp, op, r);
	default:
		assert(op->kind == LAB_OP_TDCALL);
		return step_tdcall(m, v, lp, op, r);
	}
}

/*
 * An interrupt of this LP ends the guest's run before its next instruction. One that is still on
 * its way (inject ipi-late) lets that instruction through; a guest that has none waits for it.
 */
static bool interrupted(const struct lab_machine *m, const struct lab_actor *v, u32 lp)
{
	if (!seam_irq_pending(m->seam, lp))
		return false;
	return !has_line(m, v) || !rt_fault_fire("ipi-late", RT_FAULT_ANY, NULL);
}

void lab_guest_run(struct kvm_vcpu *vcpu, u32 lp, struct seam_regs *r)
{
	struct lab_machine *m = lab_machine();
	struct lab_actor *v = kvm_vcpu_data(vcpu);

	v->lp = lp;
	if (v->job.vmcall)
		vmcall_returned(m, v, r);
	for (;;) {
		rt_idle("a guest instruction to execute", guest_ready, v);
		rt_point(RT_PT_GUEST, v->job.op == LAB_NO_OP ? 0 : v->job.gpa);
		if (interrupted(m, v, lp)) {
			seam_guest_interrupt(m->seam, lp, GUEST_IRQ, r);
			return;
		}
		if (!has_line(m, v))
			continue;
		if (v->job.op == LAB_NO_OP)
			lab_job_start(v, lab_take(v));
		kvm_vcpu_guest_begins(vcpu);
		if (step(m, v, lp, r))
			return;
	}
}
