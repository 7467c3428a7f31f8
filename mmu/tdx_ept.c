// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPT violations of a TD: what the guest's access or ACCEPT says about the level, and the local
 * retry. Also the S-EPT's part in a conversion, which splits for the same reason: a boundary that
 * is finer than the mapping. The fault proper is mmu_fault.c's; SEAMCALLs are made in tdx_sept.c.
 */
#include "mmu/mmu.h"

#include "mmu/kvm_policy.h"
#include "mmu/mmu_internal.h"
#include "mmu/mmutrace.h"
#include "mmu/tdx.h"

/* Exit qualification of an EPT violation. */
#define EPT_VIOLATION_ACC_READ	BIT_ULL(0)
#define EPT_VIOLATION_ACC_WRITE BIT_ULL(1)
#define EPT_VIOLATION_ACC_INSTR BIT_ULL(2)
#define EPT_VIOLATION_PROT_MASK GENMASK_ULL(5, 3)

/* Extended exit qualification (tdx-module.md 7.3). */
#define TDX_EXT_EXIT_QUAL_TYPE_MASK		     GENMASK_ULL(3, 0)
#define TDX_EXT_EXIT_QUAL_TYPE_ACCEPT		     1
#define TDX_EXT_EXIT_QUAL_TYPE_PENDING_EPT_VIOLATION 6
#define TDX_EXT_EXIT_QUAL_REQ_LEVEL_MASK	     GENMASK_ULL(34, 32)

static u64 tdx_ext_exit_type(struct kvm_vcpu *vcpu)
{
	return FIELD_GET(TDX_EXT_EXIT_QUAL_TYPE_MASK, to_tdx(vcpu)->ext_exit_qualification);
}

/*
 * The guest touched memory that it has not accepted, and asked for no #VE: it does not expect to
 * survive that.
 */
static bool tdx_is_sept_violation_unexpected_pending(struct kvm_vcpu *vcpu)
{
	return tdx_ext_exit_type(vcpu) == TDX_EXT_EXIT_QUAL_TYPE_PENDING_EPT_VIOLATION &&
	       !(to_tdx(vcpu)->exit_qualification & EPT_VIOLATION_PROT_MASK);
}

/* --- accept level ------------------------------------------------------- */

/*
 * Bring what covers @gfn down to the level of the accept. v3 says it as a range whose ends leaves
 * may not cross, v5 by level; for one aligned page both name the same leaf. mmu_lock as @shared
 * says; it may be dropped and retaken.
 */
static int tdx_split_for_accept(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn, int level,
				bool shared)
{
	const gfn_t start = gfn_round_for_level(gfn, level);
	const gfn_t end = start + KVM_PAGES_PER_HPAGE(level);
	struct kvm_gfn_range range = {
		.slot = slot,
		.start = start,
		.end = end,
		.attr_filter = KVM_FILTER_PRIVATE,
		.may_block = true,
	};

	if (kvm_policy(KVM_POLICY_SPLIT_API) == KVM_SPLIT_API_CROSS)
		return kvm_split_cross_boundary_leafs(kvm, &range, shared);
	if (shared)
		return kvm_tdp_mmu_mirrors_split_shared(kvm, start, end, level);
	return kvm_tdp_mmu_mirrors_split_huge_pages(kvm, start, end, level);
}

/*
 * Who shall map no larger from now on. global: everybody, for good, by lpage_info. vcpu (RFC v1):
 * the faults of this vCPU in the range of this request, until its next one.
 */
static void tdx_note_accept_level(struct kvm_vcpu *vcpu, struct kvm_memory_slot *slot, gfn_t gfn,
				  int level)
{
	if (kvm_policy(KVM_POLICY_ACCEPT_INFO) == KVM_ACCEPT_INFO_VCPU) {
		vcpu->arch.accept_gfn = gfn_round_for_level(gfn, level);
		vcpu->arch.accept_level = level;
		return;
	}
	hugepage_set_guest_inhibit(slot, gfn, level + 1);
	if (level == PG_LEVEL_4K)
		hugepage_set_guest_inhibit(slot, gfn, level + 2);
}

/*
 * With NON_BLOCKING_RESIZE read mmu_lock suffices: the split needs no vCPU to leave, and a fault
 * that maps a large leaf between it and the flag is split by the next fault that needs a small one.
 * BUSY is another CPU inside the module: let it go on.
 */
static int tdx_handle_accept_shared(struct kvm_vcpu *vcpu, struct kvm_memory_slot *slot, gfn_t gfn,
				    int level)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	for (;;) {
		read_lock(&kvm->mmu_lock);
		r = tdx_split_for_accept(kvm, slot, gfn, level, true);
		if (!r)
			tdx_note_accept_level(vcpu, slot, gfn, level);
		read_unlock(&kvm->mmu_lock);
		/* A signal or a dead VM: the fault that follows sees it, too. */
		if (r != -EBUSY || signal_pending_vcpu(vcpu) || kvm->vm_dead)
			return r == -EBUSY ? 0 : r;
		cpu_relax();
	}
}

static int tdx_handle_accept(struct kvm_vcpu *vcpu, struct kvm_memory_slot *slot, gfn_t gfn,
			     int level)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	if (kvm->host->non_blocking_resize)
		return tdx_handle_accept_shared(vcpu, slot, gfn, level);

	write_lock(&kvm->mmu_lock);
	r = tdx_split_for_accept(kvm, slot, gfn, level, false);
	if (!r)
		tdx_note_accept_level(vcpu, slot, gfn, level);
	write_unlock(&kvm->mmu_lock);
	return r;
}

/*
 * Without the lock: 17626 write acquisitions of a boot were 11 (aGSoDnODoG2/pbYn). Only a flag that
 * all vCPUs see, and that is set after the split, can be trusted so.
 */
static bool tdx_accept_level_known(struct kvm_memory_slot *slot, gfn_t gfn, int level)
{
	return kvm_policy(KVM_POLICY_INHIBIT_TEST) == KVM_INHIBIT_TEST_LOCKLESS &&
	       hugepage_test_guest_inhibit(slot, gfn, level + 1);
}

/*
 * tdx_handle_mismatched_accept (v3: tdx_honor_guest_accept_level) - the guest accepts at a smaller
 * level than may be mapped. Split first, then forbid the larger levels for good: who sees the flag
 * may rely on the split (R12), so the test needs no lock (aGSoDnODoG2/pbYn: write acquisitions in a
 * boot fall from 17626 to 11). The split may drop mmu_lock, but its last look at the entry and the
 * flag are in one write section, and faults read the flag under read lock. 0, or the errno of the
 * split for userspace: to make RETRY of it would repeat the exit for ever (B36).
 */
static int tdx_handle_mismatched_accept(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn);
	int level, r;

	/* A request of before is over: this vCPU faults for something else. */
	vcpu->arch.accept_level = PG_LEVEL_NONE;
	if (!slot || tdx_ext_exit_type(vcpu) != TDX_EXT_EXIT_QUAL_TYPE_ACCEPT)
		return 0;

	level = FIELD_GET(TDX_EXT_EXIT_QUAL_REQ_LEVEL_MASK, to_tdx(vcpu)->ext_exit_qualification) +
		1;
	if (level != PG_LEVEL_4K && level != PG_LEVEL_2M)
		return 0;

	if (tdx_accept_level_known(slot, gfn, level)) {
		trace_kvm_accept_level(gfn_to_gpa(gfn), level, false);
		return 0;
	}

	r = tdx_handle_accept(vcpu, slot, gfn, level);

	trace_kvm_accept_level(gfn_to_gpa(gfn), level, true);
	return r;
}

/* --- the violation ------------------------------------------------------ */

static int __vmx_handle_ept_violation(struct kvm_vcpu *vcpu, gpa_t gpa, u64 exit_qualification)
{
	u64 error_code = 0;

	if (exit_qualification & EPT_VIOLATION_ACC_READ)
		error_code |= PFERR_USER_MASK;
	if (exit_qualification & EPT_VIOLATION_ACC_WRITE)
		error_code |= PFERR_WRITE_MASK;
	if (exit_qualification & EPT_VIOLATION_ACC_INSTR)
		error_code |= PFERR_FETCH_MASK;
	if (exit_qualification & EPT_VIOLATION_PROT_MASK)
		error_code |= PFERR_PRESENT_MASK;
	if (kvm_is_private_gpa(vcpu->kvm, gpa))
		error_code |= PFERR_PRIVATE_ACCESS;

	return kvm_mmu_page_fault(vcpu, gpa, error_code);
}

/*
 * Whether the fault may be tried again without entering the guest; *@ret is replaced if the VM
 * died.
 */
static bool tdx_may_retry_fault(struct kvm_vcpu *vcpu, gpa_t gpa, int *ret)
{
	const struct kvm_memory_slot *slot;

	if (kvm_vcpu_has_events(vcpu) || signal_pending_vcpu(vcpu))
		return false;

	if (kvm_test_request(KVM_REQ_VM_DEAD, vcpu)) {
		*ret = -EIO;
		return false;
	}

	/* Its deletion waits for the srcu section that this loop is in (B46). */
	slot = kvm_vcpu_gfn_to_memslot(vcpu, gpa_to_gfn(gpa));
	return !slot || !(slot->flags & KVM_MEMSLOT_INVALID);
}

int tdx_handle_ept_violation(struct kvm_vcpu *vcpu)
{
	const gpa_t gpa = to_tdx(vcpu)->exit_gpa;
	u64 exit_qual = to_tdx(vcpu)->exit_qualification;
	bool local_retry = false;
	int ret;

	if (kvm_is_private_gpa(vcpu->kvm, gpa)) {
		if (tdx_is_sept_violation_unexpected_pending(vcpu)) {
			kvm_vm_dead(vcpu->kvm);
			return -EIO;
		}

		/*
		 * Always as a write: for a read a page may be mapped that is replaced at the first
		 * write, and the module has no way to replace (B50).
		 */
		exit_qual = EPT_VIOLATION_ACC_WRITE;

		ret = tdx_handle_mismatched_accept(vcpu, gpa_to_gfn(gpa));
		if (ret)
			return ret;

		/*
		 * A level that only this vCPU knows can be overtaken: another one maps a large leaf
		 * again, and only the next exit splits it (accept_info=vcpu, B35).
		 */
		if (vcpu->arch.accept_level != PG_LEVEL_NONE)
			return __vmx_handle_ept_violation(vcpu, gpa, exit_qual);

		/*
		 * To enter with the fault not fixed makes the module suspect zero-stepping;
		 * VP.ENTER then takes the S-EPT tree and makes other vCPUs' AUG and SEPT.ADD busy
		 * (B45). So try here as long as that may help.
		 */
		local_retry = true;
	} else if (KVM_BUG_ON(exit_qual & EPT_VIOLATION_ACC_INSTR, vcpu->kvm)) {
		/* The guest can't execute shared memory: the module would have injected a fault. */
		return -EIO;
	}

	for (;;) {
		ret = __vmx_handle_ept_violation(vcpu, gpa, exit_qual);
		if (ret != RET_PF_RETRY || !local_retry)
			break;
		if (!tdx_may_retry_fault(vcpu, gpa, &ret))
			break;
		cond_resched();
	}
	return ret;
}

/* --- conversion --------------------------------------------------------- */

/*
 * Split what crosses an end of [start, end): the 2M block of an end that is not aligned, once if it
 * is the same block. Nothing else is walked, a hole of terabytes costs nothing. tdx_split_lock() held.
 */
static int tdx_split_head_and_tail(struct kvm *kvm, gfn_t start, gfn_t end)
{
	const gfn_t pages = KVM_PAGES_PER_HPAGE(PG_LEVEL_2M);
	const gfn_t head = gfn_round_for_level(start, PG_LEVEL_2M);
	const gfn_t tail = gfn_round_for_level(end, PG_LEVEL_2M);
	int r;

	if (head != start) {
		r = kvm_tdp_mmu_mirrors_split_huge_pages(kvm, head, head + pages, PG_LEVEL_4K);
		if (r)
			return r;
	}
	if (tail != end && (head != tail || head == start))
		return kvm_tdp_mmu_mirrors_split_huge_pages(kvm, tail, tail + pages, PG_LEVEL_4K);
	return 0;
}

int tdx_gmem_convert(struct kvm *kvm, gfn_t start, gfn_t end, bool to_private)
{
	int r;

	/* Shared memory has no S-EPT. */
	if (to_private || !kvm_has_mirrored_tdp(kvm))
		return 0;

	tdx_split_lock(kvm);
	r = tdx_split_head_and_tail(kvm, start, end);
	tdx_split_unlock(kvm);
	return r;
}
