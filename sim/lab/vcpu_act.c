// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's thread: into KVM_RUN at its first action and back into it after every kick, what it does
 * with exits to the VMM, and how others get it out of KVM_RUN. What runs inside the guest is
 * guest.c.
 */
#include <assert.h>
#include <errno.h>

#include "sim/lab/machine.h"
#include "sim/lab/model.h"

bool lab_is_thread_op(const struct lab_machine *m, u32 op)
{
	return op != LAB_NO_OP && lab_op(m, op)->kind == LAB_OP_CPU;
}

static bool has_left(void *arg)
{
	return !((struct lab_actor *)arg)->in_run;
}

void lab_vcpu_stop(struct lab_actor *v)
{
	v->stop++;
	if (!v->in_run)
		return;
	kvm_vcpu_signal(v->kvcpu, true);
	rt_block("vCPU to leave KVM_RUN", has_left, v);
}

void lab_vcpu_go(struct lab_actor *v)
{
	assert(v->stop);
	/*
	 * The signal that took it out is taken; one that KVM_RUN has not seen must not hit the next
	 * run. First, while the thread is kept out: behind it somebody else may have sent his own.
	 */
	if (v->stop == 1 && v->kvcpu)
		kvm_vcpu_signal(v->kvcpu, false);
	v->stop--;
}

/* The thread has something to do: a line of its own, KVM_RUN to go back to, or the end. */
static bool vcpu_ready(void *arg)
{
	struct lab_actor *v = arg;

	return !v->stop && (v->next != LAB_NO_OP || v->running);
}

static void do_cpu(struct lab_machine *m, struct lab_actor *v, u32 i)
{
	struct lab_outcome *out = &lab_result(m, i)->out;
	u32 cpu = (u32)lab_num(lab_op(m, i), "M", 0);
	int ret = -ENODEV;

	if (v->kvcpu) {
		v->td->users++; /* a close waits for it, as for every call on the VM */
		ret = kvm_vcpu_set_cpu(v->kvcpu, cpu);
		v->td->users--;
	}
	if (!ret)
		v->cpu = cpu;
	out->err = -ret;
	out->ok = !ret;
}

/* The current instruction ended with the run: its outcome is the run's. */
static void job_ended_by_run(struct lab_actor *v, int ret)
{
	struct kvm_run *run = kvm_vcpu_run_page(v->kvcpu);
	struct lab_outcome *out;

	if (v->job.op == LAB_NO_OP)
		return;
	out = &lab_result(lab_machine(), v->job.op)->out;
	out->err = ret < 0 ? -ret : 0;
	out->exited = ret >= 0 || run->exit_reason == KVM_EXIT_MEMORY_FAULT;
	out->exit_reason = run->exit_reason;
	if (run->exit_reason == KVM_EXIT_MEMORY_FAULT)
		out->fault_gpa = run->memory_fault.gpa;
	out->ok = false;
	lab_job_end(v);
}

/*
 * KVM_EXIT_HYPERCALL: the guest asks for a conversion, and the VMM does it on this thread (gmem.md
 * 2.12).
 */
static void map_gpa_range(struct lab_machine *m, struct lab_actor *v, struct kvm_run *run)
{
	bool to_private = run->hypercall.attributes & KVM_MAP_GPA_RANGE_ENCRYPTED;
	u64 size = run->hypercall.npages << 12;
	struct lab_outcome out = {0};
	int ret;

	v->td->users++;
	lab_model_begin(v->td->model, run->hypercall.gpa, size, LAB_LOSS_CONVERT);
	ret = lab_convert(m, v->td, run->hypercall.gpa, size, to_private, &out);
	lab_model_end(v->td->model, run->hypercall.gpa, ret ? out.bytes : size, ret);
	v->td->users--;
	/* -EAGAIN asks the guest to try again; anything else is refused (gmem.md 2.12). */
	run->hypercall.ret = ret == -EAGAIN ? EAGAIN : ret ? EINVAL : 0;
}

/* What a VMM does with the end of one KVM_RUN; false: its run is over. */
static bool handle_exit(struct lab_machine *m, struct lab_actor *v, int ret)
{
	struct kvm_run *run = kvm_vcpu_run_page(v->kvcpu);

	if (ret == -EINTR) {
		kvm_vcpu_signal(v->kvcpu, false);
		return true;
	}
	if (ret == -EAGAIN || (!ret && run->exit_reason == KVM_EXIT_INTR))
		return true;
	if (!ret && run->exit_reason == KVM_EXIT_HYPERCALL &&
	    run->hypercall.nr == KVM_HC_MAP_GPA_RANGE) {
		map_gpa_range(m, v, run);
		return true;
	}
	job_ended_by_run(v, ret);
	return false;
}

/* In KVM_RUN until somebody wants the thread, or its run is over. */
static void run_loop(struct lab_machine *m, struct lab_actor *v)
{
	v->in_run = true;
	while (v->running && !v->stop) {
		int ret;

		if (v->job.op == LAB_NO_OP && lab_is_thread_op(m, v->next))
			break;
		/*
		 * Taken before KVM_RUN, so that a run that never gets into the guest ends this line
		 * too.
		 */
		if (v->job.op == LAB_NO_OP && v->next != LAB_NO_OP)
			lab_job_start(v, lab_take(v));
		ret = kvm_vcpu_ioctl_run(v->kvcpu);
		v->running = handle_exit(m, v, ret);
	}
	v->in_run = false;
}

/* A line of the thread itself, or one for which there is no vCPU any more. */
static void thread_line(struct lab_machine *m, struct lab_actor *v)
{
	u32 i = lab_take(v);

	if (v->kvcpu)
		do_cpu(m, v, i);
	else
		lab_result(m, i)->out.err = ENODEV;
	lab_finish(v);
}

void lab_vcpu_main(void *arg)
{
	struct lab_machine *m = lab_machine();
	struct lab_actor *v = arg;

	for (;;) {
		rt_idle("its next action", vcpu_ready, v);
		if (v->job.op == LAB_NO_OP && (!v->kvcpu || lab_is_thread_op(m, v->next))) {
			thread_line(m, v);
			continue;
		}
		v->running = true;
		run_loop(m, v);
	}
}
