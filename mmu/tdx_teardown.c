// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD's end in KVM (kernel: arch/x86/kvm/vmx/tdx.c): vCPUs flushed, the key id released, control
 * pages taken back, in the order of spec 2.11; and who has which key id. S-EPT pages are given back
 * by the MMU (tdx_sept_reclaim_private_sp()) between the key's release and the TDCS.
 */
#include <linux/kvm_host.h>

#include "mmu/tdx.h"
#include "mmu/x86.h"

/* Rounds of an interrupted cache write-back before it is given up (spec 2.11). */
#define TDX_CACHE_WB_ROUNDS_MAX 10000

/* --- key ids --------------------------------------------------------------------------------- */

int tdx_guest_keyid_alloc(struct kvm_host *host)
{
	u32 i;

	for (i = 0; i < host->hkid_count; i++) {
		if (test_bit(i, host->hkid_used) || host->hkid_first + i == host->hkid_global)
			continue;
		__set_bit(i, host->hkid_used);
		return host->hkid_first + i;
	}
	return -ENOSPC;
}

void tdx_guest_keyid_free(struct kvm_tdx *kvm_tdx)
{
	struct kvm_host *host = kvm_tdx->kvm.host;

	__clear_bit(kvm_tdx->hkid - host->hkid_first, host->hkid_used);
	kvm_tdx->hkid = -1;
}

/* The first CPU of a package: what has to be done once per package is done there. */
u32 tdx_package_cpu(const struct kvm_host *host, u32 pkg)
{
	u32 i;

	for (i = 0; i < host->nr_cpus && host->cpus[i].pkg != pkg; i++)
		;
	return i;
}

/* --- teardown -------------------------------------------------------------------------------- */

void tdx_flush_vp(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	u64 err;

	if (!tdx->associated || !is_hkid_assigned(to_kvm_tdx(vcpu->kvm)))
		return;
	err = tdh_vp_flush(&tdx->vp, vcpu->cpu);
	tdx->associated = false;
	if (tdx_status(err) != TDX_VCPU_NOT_ASSOCIATED)
		TDX_BUG_ON(err, TDH_VP_FLUSH, vcpu->kvm);
}

static u64 cache_wb(u32 cpu)
{
	u64 err = tdh_phymem_cache_wb(false, cpu);
	int rounds = TDX_CACHE_WB_ROUNDS_MAX;

	while (tdx_status(err) == TDX_INTERRUPTED_RESUMABLE && rounds--)
		err = tdh_phymem_cache_wb(true, cpu);
	/* Another TD's write-back may have done ours as well. */
	return tdx_status(err) == TDX_NO_HKID_READY_TO_WBCACHE ? TDX_SUCCESS : err;
}

static bool flush_caches(struct kvm *kvm)
{
	struct kvm_host *host = kvm->host;
	u32 pkg, cpu;

	for (pkg = 0; pkg < host->nr_pkgs; pkg++) {
		cpu = tdx_package_cpu(host, pkg);
		if (cpu < host->nr_cpus && TDX_BUG_ON(cache_wb(cpu), TDH_PHYMEM_CACHE_WB, kvm))
			return false;
	}
	return true;
}

static bool release_key(struct kvm *kvm)
{
	struct tdx_td *td = &to_kvm_tdx(kvm)->td;

	return !TDX_BUG_ON(tdh_mng_vpflushdone(td), TDH_MNG_VPFLUSHDONE, kvm) &&
	       flush_caches(kvm) && !TDX_BUG_ON(tdh_mng_key_freeid(td), TDH_MNG_KEY_FREEID, kvm);
}

/*
 * A key id that cannot be freed is leaked together with all pages: using either again would be
 * worse.
 */
void tdx_mmu_release_hkid(struct kvm *kvm)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct kvm_vcpu *vcpu;
	u32 i;

	if (!is_hkid_assigned(kvm_tdx))
		return;
	kvm_for_each_vcpu(i, vcpu, kvm)
		tdx_flush_vp(vcpu);
	mutex_lock(&kvm->host->tdx_lock);
	if (release_key(kvm))
		tdx_guest_keyid_free(kvm_tdx);
	mutex_unlock(&kvm->host->tdx_lock);
}

static bool reclaim_page(struct page *page)
{
	u64 type = 0, owner = 0, size = 0;
	u64 err = tdh_phymem_page_reclaim(page, &type, &owner, &size);

	return !TDX_BUG_ON_3(err, TDH_PHYMEM_PAGE_RECLAIM, type, owner, size, NULL);
}

static void reclaim_control_page(struct page *page)
{
	if (!reclaim_page(page))
		return;
	tdx_quirk_reset_page(page_to_pfn(page));
	tdx_free_control_page(page);
}

void tdx_vcpu_free(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	u32 i;

	/* Without the key's release the module gives nothing back. */
	if (!is_hkid_assigned(to_kvm_tdx(vcpu->kvm))) {
		for (i = 0; i < tdx->vp.tdcx_nr_pages; i++)
			reclaim_control_page(tdx->vp.tdcx_pages[i]);
		if (tdx->vp.tdvpr_page)
			reclaim_control_page(tdx->vp.tdvpr_page);
	}
	rt_free(tdx->vp.tdcx_pages);
	tdx_free_pamt_cache(&tdx->pamt_cache);
}

/* The TDR is written by the module with its own key, so it is that key's lines that have to go. */
static void reclaim_tdr(struct kvm_tdx *kvm_tdx)
{
	struct page *tdr = kvm_tdx->td.tdr_page;

	if (!reclaim_page(tdr))
		return;
	if (TDX_BUG_ON(tdh_phymem_page_wbinvd_tdr(&kvm_tdx->td), TDH_PHYMEM_PAGE_WBINVD, NULL))
		return;
	tdx_quirk_reset_page(page_to_pfn(tdr));
	tdx_free_control_page(tdr);
	kvm_tdx->td.tdr_page = NULL;
}

void tdx_vm_destroy(struct kvm *kvm)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u32 i;

	if (!is_hkid_assigned(kvm_tdx) && kvm_tdx->td.tdr_page) {
		for (i = 0; i < kvm_tdx->td.tdcs_nr_pages; i++)
			reclaim_control_page(kvm_tdx->td.tdcs_pages[i]);
		reclaim_tdr(kvm_tdx);
	}
	rt_free(kvm_tdx->td.tdcs_pages);
	rt_free(kvm_tdx->blocked);
	tdx_free_pamt_cache(&kvm_tdx->prealloc_split_cache);
	tdx_free_pamt_cache(&kvm_tdx->pamt_cache);
	rt_lock_destroy(&kvm_tdx->prealloc_split_cache_lock.rt);
	mutex_destroy(&kvm_tdx->pamt_cache_lock);
}
