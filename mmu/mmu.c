// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a VM's and a vCPU's MMU state, and the entry points for zap and split that KVM and
 * guest_memfd call. Faults are in mmu_fault.c, levels in mmu_level.c; tables are changed in
 * tdp_mmu*.c alone. Nothing here talks to the module.
 */
#include "mmu/mmu.h"

#include "mmu/kvm_policy.h"
#include "mmu/tdp_mmu.h"

const struct kmem_cache mmu_page_header_cache = {
	.name = "kvm_mmu_page_header",
	.size = sizeof(struct kvm_mmu_page),
	.site = "sp-alloc",
};

int kvm_mmu_init_vm(struct kvm *kvm)
{
	INIT_LIST_HEAD(&kvm->arch.tdp_mmu_roots);
	spin_lock_init(&kvm->arch.tdp_mmu_pages_lock);
	atomic64_set(&kvm->arch.tdp_mmu_pages, 0);
	return 0;
}

void kvm_mmu_uninit_vm(struct kvm *kvm)
{
	kvm_mmu_uninit_tdp_mmu(kvm);
}

int kvm_mmu_create(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_arch *arch = &vcpu->arch;

	arch->mmu_page_header_cache.kmem_cache = &mmu_page_header_cache;
	arch->mmu_page_header_cache.gfp_zero = __GFP_ZERO;

	/* An empty entry must suppress #VE: zero would be an MMIO entry, which makes one. */
	arch->mmu_shadow_page_cache.init_value = SHADOW_NONPRESENT_VALUE;
	arch->mmu_shadow_page_cache.site = "spt-alloc";

	arch->mmu_external_spt_cache.page_get = kvm_x86_call(alloc_external_sp);
	arch->mmu_external_spt_cache.page_free = kvm_x86_call(free_external_sp);

	arch->mmu = &arch->root_mmu;
	arch->mmu->root.hpa = INVALID_PAGE;
	arch->mmu->mirror_root_hpa = INVALID_PAGE;
	return 0;
}

void kvm_mmu_destroy(struct kvm_vcpu *vcpu)
{
	kvm_mmu_unload(vcpu);
	kvm_mmu_free_memory_cache(&vcpu->arch.mmu_page_header_cache);
	kvm_mmu_free_memory_cache(&vcpu->arch.mmu_shadow_page_cache);
	kvm_mmu_free_memory_cache(&vcpu->arch.mmu_external_spt_cache);
}

int mmu_topup_memory_caches(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	if (kvm_has_mirrored_tdp(kvm)) {
		r = kvm_mmu_topup_memory_cache(&vcpu->arch.mmu_external_spt_cache,
					       PT64_ROOT_MAX_LEVEL);
		if (r)
			return r;
		r = kvm_x86_call(topup_external_cache)(kvm, vcpu, PT64_ROOT_MAX_LEVEL);
		if (r)
			return r;
	}

	r = kvm_mmu_topup_memory_cache(&vcpu->arch.mmu_shadow_page_cache, PT64_ROOT_MAX_LEVEL);
	if (r)
		return r;
	return kvm_mmu_topup_memory_cache(&vcpu->arch.mmu_page_header_cache, PT64_ROOT_MAX_LEVEL);
}

int kvm_mmu_reload(struct kvm_vcpu *vcpu)
{
	int r;

	if (likely(vcpu->arch.mmu->root.hpa != INVALID_PAGE))
		return 0;

	r = mmu_topup_memory_caches(vcpu);
	if (r)
		return r;

	if (kvm_has_mirrored_tdp(vcpu->kvm) && vcpu->arch.mmu->mirror_root_hpa == INVALID_PAGE)
		kvm_tdp_mmu_alloc_root(vcpu, true);
	kvm_tdp_mmu_alloc_root(vcpu, false);
	return 0;
}

static void mmu_free_root_page(struct kvm *kvm, hpa_t *root_hpa)
{
	if (*root_hpa == INVALID_PAGE)
		return;
	kvm_tdp_mmu_put_root(kvm, root_to_sp(*root_hpa));
	*root_hpa = INVALID_PAGE;
}

void kvm_mmu_unload(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu *mmu = vcpu->arch.mmu;

	if (mmu->root.hpa == INVALID_PAGE && mmu->mirror_root_hpa == INVALID_PAGE)
		return;

	read_lock(&vcpu->kvm->mmu_lock);
	mmu_free_root_page(vcpu->kvm, &mmu->root.hpa);
	mmu_free_root_page(vcpu->kvm, &mmu->mirror_root_hpa);
	read_unlock(&vcpu->kvm->mmu_lock);
}

void kvm_mmu_free_obsolete_roots(struct kvm_vcpu *vcpu)
{
	const struct kvm_mmu_page *root = root_to_sp(vcpu->arch.mmu->root.hpa);

	if (root && root->role.invalid)
		kvm_mmu_unload(vcpu);
}

bool kvm_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range)
{
	bool flush;

	/*
	 * Faults must either be held off by an invalidation or be impossible, because the slot is
	 * going (B54).
	 */
	lockdep_assert_once(kvm->mmu_invalidate_in_progress || lockdep_is_held(&kvm->slots_lock));

	flush = kvm_tdp_mmu_unmap_gfn_range(kvm, range, false);
	if (kvm_policy(KVM_POLICY_INHIBIT) == KVM_INHIBIT_CLEAR &&
	    (range->attr_filter & KVM_FILTER_PRIVATE))
		hugepage_clear_guest_inhibit(range->slot, range->start, range->end);
	return flush;
}

void kvm_mmu_zap_memslot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	struct kvm_gfn_range range = {
		.slot = slot,
		.start = slot->base_gfn,
		.end = slot->base_gfn + slot->npages,
		.attr_filter = KVM_FILTER_PRIVATE | KVM_FILTER_SHARED,
		.may_block = true,
		.must_zap = true,
	};

	lockdep_assert_held(&kvm->slots_lock);

	write_lock(&kvm->mmu_lock);
	if (kvm_mmu_unmap_gfn_range(kvm, &range))
		kvm_flush_remote_tlbs(kvm);
	write_unlock(&kvm->mmu_lock);
}

int kvm_split_cross_boundary_leafs(struct kvm *kvm, struct kvm_gfn_range *range, bool shared)
{
	/*
	 * Somebody must keep faults from putting the large leaf back, or, for an accept, keep the
	 * slot. The result is an int on purpose: as posted a bool turned -ENOMEM into 1, "flush
	 * needed" (B2).
	 */
	lockdep_assert_once(kvm->mmu_invalidate_in_progress || lockdep_is_held(&kvm->slots_lock) ||
			    srcu_read_lock_held(&kvm->srcu));

	if (!range->may_block)
		return -EOPNOTSUPP;
	return kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs(kvm, range, shared);
}
