// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM from outside, for oracles and reports: VM, vCPU and host. Nothing is locked, nothing changes.
 * Page tables are looked at in mmu/mmu_look.c.
 */
#include <linux/kvm_host.h>

#include "mmu/memslots.h"
#include "mmu/pamt.h"
#include "mmu/tdx.h"

static const struct kvm_tdx *tdx_of(const struct kvm *kvm)
{
	return to_kvm_tdx((struct kvm *)kvm);
}

u64 kvm_tdr(const struct kvm *kvm)
{
	const struct page *tdr = tdx_of(kvm)->td.tdr_page;

	return tdr ? page_to_phys(tdr) : 0;
}

u64 kvm_tdvpr(const struct kvm_vcpu *vcpu)
{
	const struct page *tdvpr = to_tdx((struct kvm_vcpu *)vcpu)->vp.tdvpr_page;

	return tdvpr ? page_to_phys(tdvpr) : 0;
}

const char *kvm_name(const struct kvm *kvm)
{
	return kvm->name;
}

bool kvm_is_bugged(const struct kvm *kvm)
{
	return kvm->vm_bugged;
}

bool kvm_is_dead(const struct kvm *kvm)
{
	return kvm->vm_dead;
}

bool kvm_is_finalized(const struct kvm *kvm)
{
	return tdx_of(kvm)->state == TD_STATE_RUNNABLE;
}

u32 kvm_shared_bit(const struct kvm *kvm)
{
	return fls64(kvm->arch.gfn_direct_bits) - 1 + PAGE_SHIFT;
}

u32 kvm_hkid(const struct kvm *kvm)
{
	return is_hkid_assigned(tdx_of(kvm)) ? tdx_of(kvm)->hkid : 0;
}

bool kvm_look_wait_for_sept_zap(const struct kvm *kvm)
{
	return tdx_of(kvm)->wait_for_sept_zap;
}

u64 kvm_look_mmu_lock(const struct kvm *kvm)
{
	return kvm->mmu_lock.rt.id;
}

long kvm_look_invalidating(const struct kvm *kvm)
{
	return kvm->mmu_invalidate_in_progress;
}

u64 kvm_look_pamt_count(const struct kvm_host *host, u64 pfn)
{
	return tdx_pamt_count(host, pfn);
}

u64 kvm_look_invalidated(const struct kvm *kvm)
{
	return kvm->mmu_invalidate_seq + kvm->memslots->generation;
}

u32 kvm_mmu_locked(const struct kvm *kvm)
{
	if (kvm->mmu_lock.rt.held_ex)
		return 2;
	return kvm->mmu_lock.rt.readers ? 1 : 0;
}

bool kvm_mmu_write_locked(const struct kvm *kvm)
{
	return rt_lock_held(&kvm->mmu_lock.rt, RT_LOCK_EX);
}

static const struct kvm_memory_slot *look_slot(const struct kvm *kvm, gfn_t gfn)
{
	const struct kvm_memslots *slots = kvm->memslots;
	const struct kvm_memory_slot *s;
	u32 i;

	kvm_for_each_memslot(s, i, slots) {
		if (gfn - s->base_gfn < s->npages)
			return s;
	}
	return NULL;
}

u32 kvm_look_lpage(const struct kvm *kvm, u64 gfn, u8 level)
{
	const struct kvm_memory_slot *slot = look_slot(kvm, gfn);

	return slot ? lpage_info_slot(gfn, slot, level)->disallow_lpage : ~0U;
}

bool kvm_look_slot(const struct kvm *kvm, u64 gpa, u32 *slot, struct kvm_gmem_file **file,
		   u64 *index)
{
	const gfn_t gfn = gpa_to_gfn(gpa);
	const struct kvm_memory_slot *s = look_slot(kvm, gfn);

	if (!s)
		return false;
	*slot = s->id;
	*file = s->gmem.file;
	*index = gfn - s->base_gfn + s->gmem.pgoff;
	return true;
}

bool kvm_look_user_page(const struct kvm *kvm, u64 gfn, u64 *pfn)
{
	const struct kvm_memory_slot *slot = look_slot(kvm, gfn);

	return slot && kvm_find_user_page(kvm, slot, gfn, pfn);
}

bool kvm_look_host_page(const struct kvm_host *host, u64 pfn)
{
	return host_pfn_used(pfn);
}

u64 kvm_host_pages_used(const struct kvm_host *host)
{
	return host_pages_used();
}
