// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fault from the violated address to the installed leaf: which page, whether it is still the
 * right one, and how the result leaves KVM. Also pre-fault and the initial memory region, which are
 * faults without a guest. The walk itself is tdp_mmu_map.c; the level is mmu_level.c's.
 */
#include "mmu/mmu.h"

#include "mmu/kvm_policy.h"
#include "mmu/mmutrace.h"
#include "mmu/tdp_mmu.h"

static void kvm_mmu_prepare_memory_fault_exit(struct kvm_vcpu *vcpu,
					      const struct kvm_page_fault *fault)
{
	kvm_prepare_memory_fault_exit(vcpu, gfn_to_gpa(fault->gfn), PAGE_SIZE, fault->write,
				      fault->exec, fault->is_private);
}

static u8 kvm_max_level_for_order(int order)
{
	if (order >= KVM_HPAGE_GFN_SHIFT(PG_LEVEL_1G))
		return PG_LEVEL_1G;
	if (order >= KVM_HPAGE_GFN_SHIFT(PG_LEVEL_2M))
		return PG_LEVEL_2M;
	return PG_LEVEL_4K;
}

/*
 * Private memory always comes from guest_memfd; shared memory too, unless attributes are the VM's
 * and not the file's.
 */
static bool fault_from_gmem(const struct kvm_page_fault *fault)
{
	return fault->is_private || (kvm_slot_has_gmem(fault->slot) &&
				     kvm_policy(KVM_POLICY_VM_ATTRS) == KVM_VM_ATTRS_OFF);
}

static int kvm_mmu_faultin_pfn_gmem(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	int max_order, r;

	if (!kvm_slot_has_gmem(fault->slot)) {
		kvm_mmu_prepare_memory_fault_exit(vcpu, fault);
		return -EFAULT;
	}

	r = kvm_gmem_get_pfn(vcpu->kvm, fault->slot, fault->gfn, &fault->pfn,
			     &fault->refcounted_page, &max_order);
	if (r) {
		kvm_mmu_prepare_memory_fault_exit(vcpu, fault);
		return r;
	}

	fault->map_writable = !(fault->slot->flags & KVM_MEM_READONLY);
	fault->max_level = min(fault->max_level, kvm_max_level_for_order(max_order));
	return RET_PF_CONTINUE;
}

static int __kvm_mmu_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	if (fault_from_gmem(fault))
		return kvm_mmu_faultin_pfn_gmem(vcpu, fault);

	fault->pfn = __kvm_faultin_pfn(fault->slot, fault->gfn, fault->write ? FOLL_WRITE : 0,
				       &fault->map_writable, &fault->refcounted_page);
	if (is_error_pfn(fault->pfn)) {
		kvm_mmu_prepare_memory_fault_exit(vcpu, fault);
		return -EFAULT;
	}
	fault->max_level = PG_LEVEL_4K;
	return RET_PF_CONTINUE;
}

static void kvm_mmu_finish_page_fault(struct kvm_page_fault *fault)
{
	/*
	 * KVM holds no reference while the page is mapped: the invalidation protocol must do (R34,
	 * B59).
	 */
	kvm_gmem_put_page(fault->refcounted_page);
	fault->refcounted_page = NULL;
}

/*
 * kvm_mmu_faultin_pfn - find the page behind the fault, without locks. The snapshot of
 * mmu_invalidate_seq comes first (gmem.md F1): whatever is read after it, attribute and page, is
 * checked against it under mmu_lock by is_page_fault_stale(). RET_PF_CONTINUE with pfn and
 * max_level, RET_PF_RETRY, or an errno.
 */
static int kvm_mmu_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	int ret;

	if (KVM_BUG_ON(fault->gfn & kvm_gfn_direct_bits(kvm), kvm))
		return -EFAULT;

	fault->mmu_seq = kvm->mmu_invalidate_seq;
	smp_rmb();

	if (fault->is_private != kvm_mem_is_private(kvm, fault->gfn)) {
		kvm_mmu_prepare_memory_fault_exit(vcpu, fault);
		return -EFAULT;
	}

	/*
	 * No slot: MMIO. The kernel installs an entry that makes a #VE of the next access and
	 * enters again; devices are not modelled, so the VMM hears of the access instead (ours).
	 */
	if (!fault->slot) {
		kvm_mmu_prepare_memory_fault_exit(vcpu, fault);
		return -EFAULT;
	}

	/*
	 * The slot is going. The deletion waits for srcu, which a vCPU or a pre-fault holds here:
	 * neither may wait for it (B46).
	 */
	if (fault->slot->flags & KVM_MEMSLOT_INVALID)
		return fault->prefetch ? -EAGAIN : RET_PF_RETRY;

	/* Before the page is asked for, which may wait for the invalidate lock for long. */
	if (mmu_invalidate_retry_gfn_unsafe(kvm, fault->mmu_seq, fault->gfn))
		return RET_PF_RETRY;

	ret = __kvm_mmu_faultin_pfn(vcpu, fault);
	if (ret != RET_PF_CONTINUE)
		return ret;

	/* And after: mmu_lock need not be contended for a page that is stale already. */
	if (mmu_invalidate_retry_gfn_unsafe(kvm, fault->mmu_seq, fault->gfn)) {
		kvm_mmu_finish_page_fault(fault);
		return RET_PF_RETRY;
	}
	return RET_PF_CONTINUE;
}

/*
 * Under mmu_lock: an invalidation that covers the gfn runs, or one ended since the snapshot, or the
 * root is going.
 */
static bool is_page_fault_stale(struct kvm_vcpu *vcpu, const struct kvm_page_fault *fault)
{
	const struct kvm_mmu_page *root = root_to_sp(vcpu->arch.mmu->root.hpa);

	if (!root || root->role.invalid)
		return true;
	return mmu_invalidate_retry_gfn(vcpu->kvm, fault->mmu_seq, fault->gfn);
}

static int kvm_tdp_mmu_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	/*
	 * No page tracking and no fast fault: the first is for shadow paging, the second looks at
	 * direct roots' dirty logging.
	 */
	r = mmu_topup_memory_caches(vcpu);
	if (r)
		return r;

	r = kvm_mmu_faultin_pfn(vcpu, fault);
	if (r != RET_PF_CONTINUE)
		return r;

	r = RET_PF_RETRY;
	read_lock(&kvm->mmu_lock);
	if (!is_page_fault_stale(vcpu, fault))
		r = kvm_tdp_mmu_map(vcpu, fault);
	kvm_mmu_finish_page_fault(fault);
	read_unlock(&kvm->mmu_lock);
	return r;
}

/* --- waiting before a retry --------------------------------------------- */

struct retry_wait {
	struct kvm_vcpu *vcpu;
	gfn_t gfn;
	bool mirror;
};

/*
 * Whether a retry could get further: no invalidation covers the page, and nobody has an entry on
 * the way to it frozen. Requests and signals end the wait as they end the loops of the callers
 * (R43).
 */
static bool kvm_mmu_retry_ready(void *arg)
{
	const struct retry_wait *wait = arg;
	const struct kvm *kvm = wait->vcpu->kvm;

	if (kvm_vcpu_has_events(wait->vcpu) || signal_pending_vcpu(wait->vcpu) || kvm->vm_dead)
		return true;
	if (kvm->mmu_invalidate_in_progress && wait->gfn >= kvm->mmu_invalidate_range_start &&
	    wait->gfn < kvm->mmu_invalidate_range_end)
		return false;
	return !kvm_mmu_gfn_frozen(kvm, wait->mirror, wait->gfn);
}

/*
 * The kernel's fault returns RETRY and spins, through the caller's loop or the guest. A scheduler that
 * may starve the one who is waited for would follow that for ever, so the wait is said aloud: for what
 * is known to be in the way, else (the module was busy, a slot is going, a race was lost) until
 * somebody else has done something.
 */
static void kvm_mmu_wait_before_retry(struct kvm_vcpu *vcpu, const struct kvm_page_fault *fault)
{
	struct retry_wait wait = {
		.vcpu = vcpu,
		.gfn = fault->gfn,
		.mirror = !kvm_is_addr_direct(vcpu->kvm, fault->addr),
	};

	if (kvm_mmu_retry_ready(&wait))
		rt_yield();
	else
		rt_block("fault retry", kvm_mmu_retry_ready, &wait);
}

/* --- entry points ------------------------------------------------------- */

static int kvm_mmu_do_page_fault(struct kvm_vcpu *vcpu, gpa_t addr, u64 error_code, bool prefetch,
				 u8 *level)
{
	struct kvm_page_fault fault = {
		.addr = addr,
		.error_code = error_code,
		.prefetch = prefetch,
		.exec = error_code & PFERR_FETCH_MASK,
		.write = error_code & PFERR_WRITE_MASK,
		.is_private = error_code & PFERR_PRIVATE_ACCESS,
		.max_level = KVM_MAX_HUGEPAGE_LEVEL,
		.req_level = PG_LEVEL_4K,
		.goal_level = PG_LEVEL_4K,
	};
	int r;

	if (prefetch && vcpu->arch.pre_fault_max_level != PG_LEVEL_NONE)
		fault.max_level = vcpu->arch.pre_fault_max_level;
	fault.gfn = gpa_to_gfn(addr) & ~kvm_gfn_direct_bits(vcpu->kvm);
	fault.slot = kvm_vcpu_gfn_to_memslot(vcpu, fault.gfn);
	if (!prefetch && vcpu->arch.accept_level != PG_LEVEL_NONE &&
	    gfn_round_for_level(fault.gfn, vcpu->arch.accept_level) == vcpu->arch.accept_gfn)
		fault.max_level = min(fault.max_level, vcpu->arch.accept_level);

	r = kvm_tdp_mmu_page_fault(vcpu, &fault);

	trace_kvm_page_fault(&fault, r);
	if (level)
		*level = fault.goal_level;
	if (r == RET_PF_RETRY) {
		kvm_stat_add(KVM_STAT_PF_RETRY, 1);
		kvm_mmu_wait_before_retry(vcpu, &fault);
	}
	return r;
}

int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	int r;

	if (WARN_ON_ONCE(vcpu->arch.mmu->root.hpa == INVALID_PAGE))
		return RET_PF_RETRY;

	r = kvm_mmu_do_page_fault(vcpu, gpa, error_code, false, NULL);
	/*
	 * CONTINUE is for inside the fault: out here 0 would mean an exit that nobody has prepared.
	 */
	if (KVM_BUG_ON(r == RET_PF_CONTINUE || r == RET_PF_INVALID, vcpu->kvm))
		return -EIO;
	return r;
}

int kvm_tdp_map_page(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code, u8 *level)
{
	int r;

	do {
		if (signal_pending_vcpu(vcpu))
			return -EINTR;
		if (kvm_test_request(KVM_REQ_VM_DEAD, vcpu))
			return -EIO;
		cond_resched();
		r = kvm_mmu_do_page_fault(vcpu, gpa, error_code, true, level);
	} while (r == RET_PF_RETRY);

	if (r < 0)
		return r;
	if (r == RET_PF_FIXED || r == RET_PF_SPURIOUS)
		return 0;
	WARN_ON_ONCE(1);
	return -EIO;
}

int kvm_tdp_mmu_map_private_pfn(struct kvm_vcpu *vcpu, gfn_t gfn, kvm_pfn_t pfn)
{
	struct kvm *kvm = vcpu->kvm;
	struct kvm_page_fault fault = {
		.addr = gfn_to_gpa(gfn),
		.error_code = PFERR_GUEST_FINAL_MASK | PFERR_PRIVATE_ACCESS,
		.prefetch = true,
		.is_private = true,
		.max_level = PG_LEVEL_4K, /* nothing larger exists before RUNNABLE (R14) */
		.req_level = PG_LEVEL_4K,
		.goal_level = PG_LEVEL_4K,
		.gfn = gfn,
		.pfn = pfn,
		.map_writable = true,
	};
	int r;

	lockdep_assert_held(&kvm->slots_lock);

	if (KVM_BUG_ON(kvm_gfn_direct_bits(kvm) & gfn, kvm))
		return -EIO;

	fault.slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn);
	r = kvm_mmu_reload(vcpu);
	if (r)
		return r;
	r = mmu_topup_memory_caches(vcpu);
	if (r)
		return r;

	do {
		if (signal_pending_vcpu(vcpu))
			return -EINTR;
		if (kvm_test_request(KVM_REQ_VM_DEAD, vcpu))
			return -EIO;
		cond_resched();

		read_lock(&kvm->mmu_lock);
		r = kvm_tdp_mmu_map(vcpu, &fault);
		read_unlock(&kvm->mmu_lock);

		/*
		 * Each round may have used entries: refill here, where the kernel's loop drains
		 * what was filled once (B64).
		 */
		if (r == RET_PF_RETRY && mmu_topup_memory_caches(vcpu))
			return -ENOMEM;
	} while (r == RET_PF_RETRY);

	/* The page was there already, or more is wrong: the build is the only one that maps now. */
	return r == RET_PF_FIXED ? 0 : -EIO;
}
