// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that a mapping or a split needs while nobody may sleep: S-EPT pages, and the PAMT pairs in
 * the cache that policy split_cache names. Filling is done without mmu_lock, drawing under it. What
 * the pages are used for is tdx_sept.c's and pamt.c's business.
 */
#include "mmu/tdx.h"

#include "mmu/kvm_policy.h"
#include "mmu/mmu_internal.h"

/*
 * Page pairs of Dynamic PAMT for one split: the new S-EPT page, DEMOTE, and DEMOTE's second try
 * after BUSY (B10).
 */
#define TDX_SPLIT_PAMT_PAIRS 3

static bool sept_pamt_at_alloc(void)
{
	return kvm_policy(KVM_POLICY_SEPT_PAMT) == KVM_SEPT_PAMT_ALLOC;
}

/* --- S-EPT pages -------------------------------------------------------- */

/*
 * v5 as posted makes it a control page here, with its reference; the fix gets the reference when the
 * page is linked, so that pages which only lie in caches cost no PAMT (spec 2.9).
 */
void *tdx_sept_alloc_private_sp(void)
{
	struct page *page = compat_alloc_page(GFP_KERNEL_ACCOUNT, "external-spt-alloc");

	if (!page)
		return NULL;
	if (sept_pamt_at_alloc() && tdx_pamt_get(page_to_pfn(page), NULL)) {
		__free_page(page);
		return NULL;
	}
	return page_address(page);
}

void tdx_sept_free_private_sp(void *external_spt)
{
	struct page *page = virt_to_page(external_spt);

	if (sept_pamt_at_alloc())
		tdx_pamt_put(page_to_pfn(page));
	__free_page(page);
}

int tdx_sept_page_get(struct kvm_mmu_page *sp, struct tdx_pamt_cache *cache)
{
	return sept_pamt_at_alloc() ? 0 : tdx_pamt_get(external_spt_pfn(sp), cache);
}

void tdx_sept_page_put(struct kvm_mmu_page *sp)
{
	if (!sept_pamt_at_alloc())
		tdx_pamt_put(external_spt_pfn(sp));
}

/* --- filling ------------------------------------------------------------ */

int tdx_topup_external_pamt_cache(struct kvm *kvm, struct kvm_vcpu *vcpu, int min_nr_spts)
{
	/*
	 * A pair for each table but the root, whose page is the TDCS's, and one for the guest page;
	 * a split under read lock draws from the same cache.
	 */
	return tdx_topup_pamt_cache(&to_tdx(vcpu)->pamt_cache,
				    max(min_nr_spts, TDX_SPLIT_PAMT_PAIRS));
}

static u32 tdx_min_split_cache_sz(void)
{
	return TDX_SPLIT_PAMT_PAIRS * tdx_dpamt_entry_pages();
}

/*
 * Page by page, allocated without the lock: v3. Others may draw meanwhile, so the walk asks again
 * under mmu_lock.
 */
static int tdx_topup_vm_split_cache(struct kvm_tdx *kvm_tdx)
{
	struct tdx_pamt_cache *cache = &kvm_tdx->prealloc_split_cache;
	struct page *page;

	while (READ_ONCE(cache->cnt) < tdx_min_split_cache_sz()) {
		page = compat_alloc_page(GFP_KERNEL_ACCOUNT, "pamt-alloc");
		if (!page)
			return -ENOMEM;

		spin_lock(&kvm_tdx->prealloc_split_cache_lock);
		if (cache->cnt < TDX_PAMT_CACHE_MAX) {
			cache->pages[cache->cnt++] = page;
			page = NULL;
		}
		spin_unlock(&kvm_tdx->prealloc_split_cache_lock);
		if (page)
			__free_page(page);
	}
	return 0;
}

/*
 * Who splits draws from the cache of the vCPU whose thread it is, else from one of the VM's: v5's,
 * if the caller holds its mutex, so that nobody else can draw; v3's, which any holder of mmu_lock
 * may find drained (R38). NULL only for a bug.
 *
 * A vCPU that splits under read lock always uses its own (ours): whoever holds the VM's for read may
 * be many.
 */
static struct tdx_pamt_cache *tdx_split_cache(struct kvm *kvm, struct kvm_mmu_page *sp, bool shared)
{
	const u32 owner = kvm_policy(KVM_POLICY_SPLIT_CACHE);
	struct kvm_vcpu *vcpu = kvm_get_running_vcpu();
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);

	if (owner == KVM_SPLIT_CACHE_SPIN && !shared)
		return &kvm_tdx->prealloc_split_cache;
	if (vcpu)
		return KVM_BUG_ON(vcpu->kvm != kvm, kvm) ? NULL : &to_tdx(vcpu)->pamt_cache;
	if (owner == KVM_SPLIT_CACHE_VCPU)
		return sp->split_cache;
	if (lockdep_is_held(&kvm_tdx->pamt_cache_lock))
		return &kvm_tdx->pamt_cache;
	return &kvm_tdx->prealloc_split_cache;
}

static int __tdx_topup_split_cache(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	const bool shared = kvm->host->non_blocking_resize && kvm_get_running_vcpu();
	struct tdx_pamt_cache *cache;

	if (kvm_policy(KVM_POLICY_SPLIT_CACHE) == KVM_SPLIT_CACHE_VCPU && !sp->split_cache &&
	    !kvm_get_running_vcpu())
		sp->split_cache = rt_zalloc(sizeof(*cache));
	cache = tdx_split_cache(kvm, sp, shared);
	if (!cache)
		return -EIO;
	if (cache == &to_kvm_tdx(kvm)->prealloc_split_cache)
		return tdx_topup_vm_split_cache(to_kvm_tdx(kvm));
	return tdx_topup_pamt_cache(cache, TDX_SPLIT_PAMT_PAIRS);
}

int tdx_topup_split_cache(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	const u64 before = kvm->host->stats[KVM_STAT_ALLOCS_PAMT];
	int ret;

	if (!tdx_dpamt_entry_pages())
		return 0;
	ret = __tdx_topup_split_cache(kvm, sp);
	kvm_stat_add(KVM_STAT_ALLOCS_PAMT_SPLIT, kvm->host->stats[KVM_STAT_ALLOCS_PAMT] - before);
	return ret;
}

void tdx_free_split_cache(struct kvm_mmu_page *sp)
{
	if (!sp->split_cache)
		return;
	tdx_free_pamt_cache(sp->split_cache);
	rt_free(sp->split_cache);
	sp->split_cache = NULL;
}

bool tdx_need_topup_split_cache(struct kvm *kvm, struct kvm_mmu_page *sp, enum pg_level level)
{
	const bool shared = !lockdep_is_held_type(&kvm->mmu_lock, 1);
	const struct tdx_pamt_cache *cache = tdx_split_cache(kvm, sp, shared);

	KVM_BUG_ON(level != PG_LEVEL_2M, kvm);
	/*
	 * Everywhere else a mutex keeps others away, or being the running vCPU does, or the pages are
	 * the table's: what was filled is there.
	 */
	if (cache != &to_kvm_tdx(kvm)->prealloc_split_cache)
		return false;
	return READ_ONCE(cache->cnt) < tdx_min_split_cache_sz();
}

/* --- owning ------------------------------------------------------------- */

void tdx_split_lock(struct kvm *kvm)
{
	if (kvm_policy(KVM_POLICY_SPLIT_CACHE) == KVM_SPLIT_CACHE_MUTEX)
		mutex_lock(&to_kvm_tdx(kvm)->pamt_cache_lock);
	write_lock(&kvm->mmu_lock);
}

void tdx_split_unlock(struct kvm *kvm)
{
	write_unlock(&kvm->mmu_lock);
	if (kvm_policy(KVM_POLICY_SPLIT_CACHE) == KVM_SPLIT_CACHE_MUTEX)
		mutex_unlock(&to_kvm_tdx(kvm)->pamt_cache_lock);
}

/* --- drawing ------------------------------------------------------------ */

static void tdx_move_pamt_pages(struct kvm_tdx *kvm_tdx, struct tdx_pamt_cache *to,
				struct tdx_pamt_cache *from)
{
	const bool locked =
		to == &kvm_tdx->prealloc_split_cache || from == &kvm_tdx->prealloc_split_cache;

	if (locked)
		spin_lock(&kvm_tdx->prealloc_split_cache_lock);
	while (from->cnt && to->cnt < TDX_PAMT_CACHE_MAX)
		to->pages[to->cnt++] = from->pages[--from->cnt];
	if (locked)
		spin_unlock(&kvm_tdx->prealloc_split_cache_lock);
}

struct tdx_pamt_cache *tdx_split_draw(struct kvm *kvm, struct kvm_mmu_page *sp, bool shared,
				      struct tdx_pamt_cache *split)
{
	struct tdx_pamt_cache *cache = tdx_split_cache(kvm, sp, shared);

	split->cnt = 0;
	if (cache)
		tdx_move_pamt_pages(to_kvm_tdx(kvm), split, cache);
	return cache;
}

void tdx_split_return(struct kvm *kvm, struct kvm_mmu_page *sp, struct tdx_pamt_cache *cache,
		      struct tdx_pamt_cache *split)
{
	tdx_move_pamt_pages(to_kvm_tdx(kvm), cache, split);
	tdx_free_pamt_cache(split);
	if (cache == sp->split_cache)
		tdx_free_split_cache(sp);
}
