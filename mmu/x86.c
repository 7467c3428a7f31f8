// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running a vCPU (kernel: arch/x86/kvm/x86.c): the KVM_RUN loop with its requests, signals and
 * guest modes, and KVM_PRE_FAULT_MEMORY. What an exit means is in mmu/tdx_vcpu.c; which CPU runs it
 * in mmu/cpu.c.
 */
#include <linux/kvm_host.h>

#include "mmu/mmu.h"
#include "mmu/tdx.h"
#include "mmu/x86.h"

/* > 0: nothing that keeps the vCPU out for good. */
static int handle_requests(struct kvm_vcpu *vcpu)
{
	if (!kvm_request_pending(vcpu))
		return 1;
	/* A dead VM stays dead: the request is looked at, not taken. */
	if (kvm_test_request(KVM_REQ_VM_DEAD, vcpu))
		return -EIO;
	if (kvm_check_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, vcpu))
		kvm_mmu_free_obsolete_roots(vcpu);
	if (kvm_check_request(KVM_REQ_TLB_FLUSH, vcpu))
		tdx_flush_tlb_all(vcpu);
	return 1;
}

/* Something came between the look at the requests and the announcement of guest mode. */
static bool exit_request(const struct kvm_vcpu *vcpu)
{
	return vcpu->mode == EXITING_GUEST_MODE || kvm_request_pending(vcpu) ||
	       signal_pending_vcpu(vcpu);
}

/*
 * The part that the kernel runs without preemption: on the CPU, in guest mode. Guest mode is
 * announced before requests are looked at again, and a sender looks at the mode after it has made
 * its request, so one of the two sees the other.
 */
static enum exit_fastpath_completion run_on_cpu(struct kvm_vcpu *vcpu)
{
	enum exit_fastpath_completion fastpath = EXIT_FASTPATH_EXIT_HANDLED;

	smp_store_release(&vcpu->mode, IN_GUEST_MODE);
	srcu_read_unlock(&vcpu->kvm->srcu, vcpu->srcu_idx);
	smp_mb__after_srcu_read_unlock();

	if (!exit_request(vcpu))
		fastpath = tdx_vcpu_run(vcpu);

	vcpu->mode = OUTSIDE_GUEST_MODE;
	smp_wmb();
	kvm_cpu_put(vcpu->cpu);
	return fastpath;
}

/* One round: > 0 go on, 0 to userspace, < 0 errno. srcu held on entry and return. */
static int vcpu_enter_guest(struct kvm_vcpu *vcpu)
{
	enum exit_fastpath_completion fastpath;
	int r;

	r = handle_requests(vcpu);
	if (r <= 0)
		return r;
	r = kvm_mmu_reload(vcpu);
	if (unlikely(r))
		return r;

	/* Waiting for the CPU must not hold up who waits for SRCU readers. */
	srcu_read_unlock(&vcpu->kvm->srcu, vcpu->srcu_idx);
	r = kvm_cpu_get_for_guest(vcpu);
	vcpu->srcu_idx = srcu_read_lock(&vcpu->kvm->srcu);
	if (!r)
		return 1;

	fastpath = run_on_cpu(vcpu);
	tdx_wait_for_sept_zap(vcpu);
	vcpu->srcu_idx = srcu_read_lock(&vcpu->kvm->srcu);

	if (fastpath == EXIT_FASTPATH_NONE)
		return tdx_handle_exit(vcpu);
	/*
	 * Refused or BUSY: whoever is in the way has to get on before the next round makes sense.
	 */
	compat_spin_wait();
	return 1;
}

static int vcpu_run(struct kvm_vcpu *vcpu)
{
	int r;

	vcpu->run.exit_reason = KVM_EXIT_UNKNOWN;
	vcpu->srcu_idx = srcu_read_lock(&vcpu->kvm->srcu);
	for (;;) {
		r = vcpu_enter_guest(vcpu);
		if (r <= 0)
			break;
		if (signal_pending_vcpu(vcpu)) {
			vcpu->run.exit_reason = KVM_EXIT_INTR;
			r = -EINTR;
			break;
		}
	}
	srcu_read_unlock(&vcpu->kvm->srcu, vcpu->srcu_idx);
	return r;
}

static int vcpu_ioctl_run_loaded(struct kvm_vcpu *vcpu)
{
	int r = tdx_vcpu_pre_run(vcpu);

	if (r)
		return r;
	r = tdx_complete_userspace_io(vcpu);
	if (r <= 0)
		return r;
	if (vcpu->run.immediate_exit || signal_pending_vcpu(vcpu)) {
		vcpu->run.exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	return vcpu_run(vcpu);
}

int kvm_vcpu_ioctl_run(struct kvm_vcpu *vcpu)
{
	int r;

	if (vcpu->kvm->vm_dead)
		return -EIO;
	mutex_lock(&vcpu->mutex);
	vcpu_load(vcpu);
	r = vcpu_ioctl_run_loaded(vcpu);
	vcpu_put(vcpu);
	mutex_unlock(&vcpu->mutex);
	return r;
}

struct kvm_run *kvm_vcpu_run_page(struct kvm_vcpu *vcpu)
{
	return &vcpu->run;
}

/* --- pre-fault ------------------------------------------------------------------------------- */

/* Bytes mapped at @gpa (to the end of the mapping or of the range), or -errno. */
static s64 prefault_one(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size)
{
	u64 error_code = PFERR_GUEST_FINAL_MASK;
	gpa_t addr = gpa, end;
	u8 level;
	int r;

	if (!vcpu->kvm->arch.pre_fault_allowed)
		return -EOPNOTSUPP;
	if (!kvm_is_private_gpa(vcpu->kvm, gpa))
		return -EINVAL;
	r = kvm_mmu_reload(vcpu);
	if (r)
		return r;
	if (kvm_mem_is_private(vcpu->kvm, gpa_to_gfn(gpa)))
		error_code |= PFERR_PRIVATE_ACCESS;
	else
		addr |= gfn_to_gpa(vcpu->kvm->arch.gfn_direct_bits);
	r = kvm_tdp_map_page(vcpu, addr, error_code, &level);
	if (r < 0)
		return r;
	end = ALIGN_DOWN(gpa, KVM_HPAGE_SIZE(level)) + KVM_HPAGE_SIZE(level);
	return min(size, end - gpa);
}

/* What was done counts: an error after the first page is told by the next call. */
static int prefault_loaded(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size, u64 *done)
{
	const int idx = srcu_read_lock(&vcpu->kvm->srcu);
	s64 r = 0;

	while (*done < size) {
		if (signal_pending_vcpu(vcpu)) {
			r = -EINTR;
			break;
		}
		r = prefault_one(vcpu, gpa + *done, size - *done);
		if (r < 0)
			break;
		*done += r;
		cond_resched();
	}
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return *done || r >= 0 ? 0 : (int)r;
}

int kvm_vcpu_ioctl_pre_fault(struct kvm_vcpu *vcpu, u64 gpa, u64 size, bool level4k, u64 *done)
{
	int r;

	*done = 0;
	if (vcpu->kvm->vm_dead)
		return -EIO;
	if (!IS_ALIGNED(gpa | size, PAGE_SIZE) || gpa + size <= gpa)
		return -EINVAL;
	mutex_lock(&vcpu->mutex);
	vcpu_load(vcpu);
	vcpu->arch.pre_fault_max_level = level4k ? PG_LEVEL_4K : PG_LEVEL_NONE;
	r = prefault_loaded(vcpu, gpa, size, done);
	vcpu->arch.pre_fault_max_level = PG_LEVEL_NONE;
	vcpu_put(vcpu);
	mutex_unlock(&vcpu->mutex);
	return r;
}

/* --- the thread of a vCPU -------------------------------------------------------------------- */

static int set_cpu_locked(struct kvm_vcpu *vcpu, u32 cpu)
{
	if (vcpu->loaded)
		return -EBUSY;
	if (cpu == vcpu->cpu)
		return 0;
	tdx_flush_vp(vcpu);
	vcpu->cpu = cpu;
	return vcpu->kvm->vm_dead ? -EIO : 0;
}

/*
 * The thread goes on elsewhere. The kernel flushes at the next vcpu_load(), by an IPI to the old
 * CPU and under the mutex of an ioctl; nothing of this vCPU happens in between, so it is done at
 * once.
 */
int kvm_vcpu_set_cpu(struct kvm_vcpu *vcpu, u32 cpu)
{
	int r;

	if (cpu >= vcpu->kvm->host->nr_cpus)
		return -EINVAL;
	mutex_lock(&vcpu->mutex);
	r = set_cpu_locked(vcpu, cpu);
	mutex_unlock(&vcpu->mutex);
	return r;
}

u32 kvm_vcpu_cpu(const struct kvm_vcpu *vcpu)
{
	return vcpu->cpu;
}

void kvm_vcpu_signal(struct kvm_vcpu *vcpu, bool pending)
{
	WRITE_ONCE(vcpu->signal, pending);
	if (pending)
		kvm_vcpu_kick(vcpu);
}

void kvm_vcpu_set_data(struct kvm_vcpu *vcpu, void *data)
{
	vcpu->data = data;
}

void *kvm_vcpu_data(const struct kvm_vcpu *vcpu)
{
	return vcpu->data;
}

void kvm_prepare_memory_fault_exit(struct kvm_vcpu *vcpu, gpa_t gpa, gpa_t size, bool is_write,
				   bool is_exec, bool is_private)
{
	vcpu->run.exit_reason = KVM_EXIT_MEMORY_FAULT;
	vcpu->run.memory_fault.gpa = gpa;
	vcpu->run.memory_fault.size = size;
	/* RWX flags are not defined yet. */
	vcpu->run.memory_fault.flags = is_private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;
}

void kvm_arch_split_lock(struct kvm *kvm)
{
	kvm_x86_call(split_lock)(kvm);
}

void kvm_arch_split_unlock(struct kvm *kvm)
{
	kvm_x86_call(split_unlock)(kvm);
}

/*
 * Before [start, end) changes: leaves that would be cut are split, so that the zap that follows
 * cannot fail (gmem.md, ARCH_PREZAP).
 */
int kvm_arch_gmem_convert(struct kvm *kvm, gfn_t start, gfn_t end, bool to_private)
{
	return kvm_x86_call(gmem_convert)(kvm, start, end, to_private);
}
