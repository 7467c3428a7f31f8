// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD's vCPU from entry to exit (kernel: arch/x86/kvm/vmx/tdx.c): VP.ENTER, refused entries, what
 * an exit leads to, MapGPA. EPT violations go on to mmu/tdx_ept.c; the loop around all this is in
 * mmu/x86.c.
 */
#include <linux/kvm_host.h>

#include "mmu/mmu.h"
#include "mmu/tdx.h"
#include "mmu/x86.h"
#include "sim/rt/trace.h"

/* VMX exit reasons: RAX bits 15:0 of a TD exit. */
#define EXIT_REASON_EXCEPTION_NMI      0
#define EXIT_REASON_EXTERNAL_INTERRUPT 1
#define EXIT_REASON_TRIPLE_FAULT       2
#define EXIT_REASON_OTHER_SMI	       6
#define EXIT_REASON_EPT_VIOLATION      48
#define EXIT_REASON_TDCALL	       77

#define TDVMCALL_MAP_GPA 0x10001ULL

#define TDVMCALL_STATUS_SUCCESS		    0ULL
#define TDVMCALL_STATUS_RETRY		    1ULL
#define TDVMCALL_STATUS_INVALID_OPERAND	    0x8000000000000000ULL
#define TDVMCALL_STATUS_ALIGN_ERROR	    0x8000000000000002ULL
#define TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED 0x8000000000000003ULL

/*
 * MapGPA goes to userspace in pieces of this size, counted from where the request begins (gmem.md
 * 2.12).
 */
#define TDX_MAP_GPA_MAX_LEN (2ULL << 20)

static const struct rt_event_type ev_exit = {
	.name = "kvm_exit",
	.cat = "mmu",
	.arg = {{"vcpu", RT_ARG_DEC}, {"reason", RT_ARG_HEX}, {"gpa", RT_ARG_HEX}},
};

/* --- keeping vCPUs out ----------------------------------------------------------------------- */

void tdx_no_vcpus_enter_start(struct kvm_tdx *kvm_tdx)
{
	struct kvm *kvm = &kvm_tdx->kvm;

	lockdep_assert_held_write(&kvm->mmu_lock);
	WRITE_ONCE(kvm_tdx->wait_for_sept_zap, true);
	kvm_stat_add(KVM_STAT_SEAMCALL_RETRIES, 1);
	kvm_make_all_cpus_request(kvm, KVM_REQ_OUTSIDE_GUEST_MODE);
}

void tdx_no_vcpus_enter_stop(struct kvm_tdx *kvm_tdx)
{
	lockdep_assert_held_write(&kvm_tdx->kvm.mmu_lock);
	WRITE_ONCE(kvm_tdx->wait_for_sept_zap, false);
}

static bool may_enter_again(void *arg)
{
	struct kvm_vcpu *vcpu = arg;

	return !to_kvm_tdx(vcpu->kvm)->wait_for_sept_zap || kvm_request_pending(vcpu) ||
	       signal_pending_vcpu(vcpu);
}

/*
 * The kernel goes round its loop meanwhile; waiting for the condition is the same to everybody else
 * and ends by itself.
 */
void tdx_wait_for_sept_zap(struct kvm_vcpu *vcpu)
{
	rt_block("S-EPT zap", may_enter_again, vcpu);
}

void tdx_flush_tlb_all(struct kvm_vcpu *vcpu)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(vcpu->kvm);

	seam_shared_flush(vcpu->kvm->host->seam, page_to_phys(kvm_tdx->td.tdr_page), 0, 0);
}

/* --- entry ----------------------------------------------------------------------------------- */

int tdx_vcpu_pre_run(struct kvm_vcpu *vcpu)
{
	if (to_tdx(vcpu)->state != VCPU_TD_STATE_INITIALIZED ||
	    to_kvm_tdx(vcpu->kvm)->state != TD_STATE_RUNNABLE)
		return -EINVAL;
	return 0;
}

/*
 * A refused entry leaves no exit: exit_valid says so, or the previous one would be handled a second
 * time (B42). BUSY is the epoch lock, or the tree lock under suspicion of zero-stepping: out and
 * round again, so that requests are looked at.
 */
enum exit_fastpath_completion tdx_vcpu_run(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	struct tdx_module_args *args = &tdx->vp_enter_args;

	tdx->exit_valid = false;
	if (unlikely(READ_ONCE(to_kvm_tdx(vcpu->kvm)->wait_for_sept_zap)))
		return EXIT_FASTPATH_EXIT_HANDLED;
	tdx->associated = true;
	tdx->vp_enter_ret = tdh_vp_enter(&tdx->vp, args);
	if (unlikely(tdx_operand_busy(tdx->vp_enter_ret)))
		return EXIT_FASTPATH_EXIT_HANDLED;

	tdx->exit_qualification = args->rcx;
	tdx->ext_exit_qualification = args->rdx;
	tdx->exit_gpa = args->r8;
	tdx->exit_intr_info = args->r9;
	tdx->exit_valid = true;
	rt_trace(&ev_exit, RT_PH_INSTANT, vcpu->vcpu_id, tdx->vp_enter_ret, tdx->exit_gpa);
	return EXIT_FASTPATH_NONE;
}

/* --- MapGPA ---------------------------------------------------------------------------------- */

static void tdvmcall_set_return(struct vcpu_tdx *tdx, u64 code, u64 r11)
{
	tdx->vp_enter_args.r10 = code;
	tdx->vp_enter_args.r11 = r11;
}

/* The next piece goes to userspace, which converts it. Always 0. */
static int map_gpa_chunk(struct vcpu_tdx *tdx)
{
	struct kvm_run *run = &tdx->vcpu.run;
	const u64 size = min(tdx->map_gpa_end - tdx->map_gpa_next, TDX_MAP_GPA_MAX_LEN);

	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	run->hypercall.gpa = tdx->map_gpa_next;
	run->hypercall.npages = PHYS_PFN(size);
	run->hypercall.attributes = tdx->map_gpa_to_private ? KVM_MAP_GPA_RANGE_ENCRYPTED : 0;
	run->hypercall.ret = 0;
	tdx->map_gpa_pending = true;
	return 0;
}

/*
 * Guest register R12 is the range's begin, with the shared bit if it shall be shared; R13 its size.
 */
static int tdx_map_gpa(struct vcpu_tdx *tdx)
{
	const struct kvm *kvm = tdx->vcpu.kvm;
	const gpa_t shared = gfn_to_gpa(kvm->arch.gfn_direct_bits);
	const u64 gpa = tdx->vp_enter_args.r12, size = tdx->vp_enter_args.r13;
	const gpa_t begin = gpa & ~shared;

	/* Empty, wrapping, above the guest's width, or with ends of different privacy. */
	if (gpa + size <= gpa || begin + size > shared) {
		tdvmcall_set_return(tdx, TDVMCALL_STATUS_INVALID_OPERAND, gpa);
		return 1;
	}
	if (!IS_ALIGNED(gpa | size, PAGE_SIZE)) {
		tdvmcall_set_return(tdx, TDVMCALL_STATUS_ALIGN_ERROR, gpa);
		return 1;
	}
	tdx->map_gpa_next = begin;
	tdx->map_gpa_end = begin + size;
	tdx->map_gpa_to_private = !(gpa & shared);
	return map_gpa_chunk(tdx);
}

/* Where the guest goes on after a RETRY: in its own terms, with the shared bit. */
static u64 map_gpa_guest_next(const struct vcpu_tdx *tdx)
{
	const gpa_t shared = gfn_to_gpa(tdx->vcpu.kvm->arch.gfn_direct_bits);

	return tdx->map_gpa_next | (tdx->map_gpa_to_private ? 0 : shared);
}

int tdx_complete_userspace_io(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);

	if (!tdx->map_gpa_pending)
		return 1;
	tdx->map_gpa_pending = false;
	switch (vcpu->run.hypercall.ret) {
	case 0:
		break;
	case EAGAIN:
		tdvmcall_set_return(tdx, TDVMCALL_STATUS_RETRY, map_gpa_guest_next(tdx));
		return 1;
	case EINVAL:
		tdvmcall_set_return(tdx, TDVMCALL_STATUS_INVALID_OPERAND, map_gpa_guest_next(tdx));
		return 1;
	default:
		return -EINVAL;
	}
	tdx->map_gpa_next += min(tdx->map_gpa_end - tdx->map_gpa_next, TDX_MAP_GPA_MAX_LEN);
	if (tdx->map_gpa_next == tdx->map_gpa_end) {
		tdvmcall_set_return(tdx, TDVMCALL_STATUS_SUCCESS, 0);
		return 1;
	}
	/* A long request must not keep events from the guest: let it ask again for the rest. */
	if (kvm_vcpu_has_events(vcpu)) {
		tdvmcall_set_return(tdx, TDVMCALL_STATUS_RETRY, map_gpa_guest_next(tdx));
		return 1;
	}
	return map_gpa_chunk(tdx);
}

/* --- exits ----------------------------------------------------------------------------------- */

static int handle_tdvmcall(struct vcpu_tdx *tdx)
{
	/* R10: 0 for the calls of the GHCI, else a vendor's. */
	if (!tdx->vp_enter_args.r10 && tdx->vp_enter_args.r11 == TDVMCALL_MAP_GPA)
		return tdx_map_gpa(tdx);
	tdvmcall_set_return(tdx, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED, 0);
	return 1;
}

static int unhandled_exit(struct kvm_vcpu *vcpu)
{
	vcpu->run.exit_reason = KVM_EXIT_INTERNAL_ERROR;
	return 0;
}

int tdx_handle_exit(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	const u32 reason = RT_FIELD(tdx->vp_enter_ret, 15, 0);

	if (KVM_BUG_ON(!tdx->exit_valid, vcpu->kvm))
		return -EIO;
	/*
	 * The VP.ENTER itself failed, or the TD is beyond saving. A triple fault is both and has a
	 * name of its own.
	 */
	if ((tdx->vp_enter_ret & (TDX_ERROR_BIT | TDX_NON_RECOVERABLE_BIT)) &&
	    reason != EXIT_REASON_TRIPLE_FAULT)
		return unhandled_exit(vcpu);
	switch (reason) {
	case EXIT_REASON_EXCEPTION_NMI: /* an NMI: the host has had it by now */
	case EXIT_REASON_EXTERNAL_INTERRUPT:
	case EXIT_REASON_OTHER_SMI:
		return 1;
	case EXIT_REASON_TRIPLE_FAULT:
		vcpu->run.exit_reason = KVM_EXIT_SHUTDOWN;
		return 0;
	case EXIT_REASON_TDCALL:
		return handle_tdvmcall(tdx);
	case EXIT_REASON_EPT_VIOLATION:
		return tdx_handle_ept_violation(vcpu);
	default:
		return unhandled_exit(vcpu);
	}
}
