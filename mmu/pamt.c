// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dynamic PAMT (spec 2.9): how many 4K TDX pages each 2M of host memory holds, and the page pair
 * that it needs as long as there are any. The caches that keep pairs ready for use under mmu_lock
 * are here; who fills which is decided by their owners.
 *
 * Invariants: count 0 <=> KVM has no pair installed there; counts change under pamt_lock; a pair
 * taken out of a cache either ends up installed or goes to the page allocator, never back into the
 * cache.
 */
#include <linux/kvm_host.h>

#include "mmu/pamt.h"

#define RANGE_SHIFT 9
#define PAIR	    2

u32 tdx_dpamt_entry_pages(void)
{
	return kvm_host_current()->dynamic_pamt ? PAIR : 0;
}

/* --- counts ---------------------------------------------------------------------------------- */

/*
 * Slot of the range in the table, or the empty one where it belongs. Never full: see grow_refs().
 */
static struct tdx_pamt_ref *probe(struct tdx_pamt_ref *refs, u32 cap, u64 index)
{
	u64 i = index * 0x9e3779b97f4a7c15ULL >> 32;

	while (refs[i % cap].used && refs[i % cap].index != index)
		i++;
	return &refs[i % cap];
}

static void grow_refs(struct kvm_host *host)
{
	u32 i, cap = max_t(u32, 16, 2 * host->cap_pamt_refs);
	struct tdx_pamt_ref *refs = rt_zalloc(cap * sizeof(*refs));

	for (i = 0; i < host->cap_pamt_refs; i++) {
		if (host->pamt_refs[i].used)
			*probe(refs, cap, host->pamt_refs[i].index) = host->pamt_refs[i];
	}
	rt_free(host->pamt_refs);
	host->pamt_refs = refs;
	host->cap_pamt_refs = cap;
}

/*
 * The range's reference count, for writing. A range stays in the table once it was seen, but the
 * table moves when it grows, and with demote_pamt_lock=off another TD's DEMOTE may make it grow while
 * a SEAMCALL runs: ask again after each. (The kernel has one counter for each 2M of memory, in place.)
 */
static u64 *pamt_ref(struct kvm_host *host, kvm_pfn_t pfn)
{
	struct tdx_pamt_ref *ref;

	if (4 * (host->nr_pamt_refs + 1) > 3 * host->cap_pamt_refs)
		grow_refs(host);
	ref = probe(host->pamt_refs, host->cap_pamt_refs, pfn >> RANGE_SHIFT);
	if (!ref->used) {
		ref->used = true;
		ref->index = pfn >> RANGE_SHIFT;
		host->nr_pamt_refs++;
	}
	return &ref->count;
}

u64 tdx_pamt_count(const struct kvm_host *host, kvm_pfn_t pfn)
{
	if (!host->cap_pamt_refs)
		return 0;
	return probe(host->pamt_refs, host->cap_pamt_refs, pfn >> RANGE_SHIFT)->count;
}

void tdx_pamt_exit(struct kvm_host *host)
{
	rt_free(host->pamt_refs);
	host->pamt_refs = NULL;
}

/* --- caches ---------------------------------------------------------------------------------- */

int tdx_topup_pamt_cache(struct tdx_pamt_cache *cache, u32 npages)
{
	const u32 want = npages * tdx_dpamt_entry_pages();
	struct page *page;

	BUG_ON(want > TDX_PAMT_CACHE_MAX);
	while (cache->cnt < want) {
		page = compat_alloc_page(GFP_KERNEL_ACCOUNT, "pamt-alloc");
		if (!page)
			return -ENOMEM;
		cache->pages[cache->cnt++] = page;
	}
	return 0;
}

void tdx_free_pamt_cache(struct tdx_pamt_cache *cache)
{
	while (cache->cnt)
		__free_page(cache->pages[--cache->cnt]);
}

/* Without a cache the caller may sleep: it is no path under mmu_lock. */
static struct page *take_pamt_page(struct tdx_pamt_cache *cache)
{
	struct page *page;

	if (!cache) {
		page = compat_alloc_page(GFP_KERNEL_ACCOUNT, "pamt-alloc");
		if (page)
			kvm_stat_add(KVM_STAT_ALLOCS_PAMT_CONTROL, 1);
		return page;
	}
	return cache->cnt ? cache->pages[--cache->cnt] : NULL;
}

bool tdx_take_pamt_pair(struct tdx_pamt_cache *cache, struct page *pair[2])
{
	pair[0] = take_pamt_page(cache);
	if (!pair[0])
		return false;
	pair[1] = take_pamt_page(cache);
	if (pair[1])
		return true;
	__free_page(pair[0]);
	return false;
}

void tdx_free_pamt_pair(struct page *pair[2])
{
	__free_page(pair[0]);
	__free_page(pair[1]);
}

/* --- references ------------------------------------------------------------------------------ */

/*
 * The pair is taken before the lock, whether or not it turns out to be needed, so that nothing can
 * fail or sleep inside; the decision is made under the lock, since a count that falls to 0
 * elsewhere takes the pair away with it (B23).
 */
int tdx_pamt_get(kvm_pfn_t pfn, struct tdx_pamt_cache *cache)
{
	struct kvm_host *host = kvm_host_current();
	struct page *pair[2];
	u64 *ref, err;

	if (!host->dynamic_pamt)
		return 0;
	if (!tdx_take_pamt_pair(cache, pair))
		return -ENOMEM;

	spin_lock(&host->pamt_lock);
	ref = pamt_ref(host, pfn);
	if (*ref) {
		++*ref;
		spin_unlock(&host->pamt_lock);
		tdx_free_pamt_pair(pair);
		return 0;
	}
	err = tdh_phymem_pamt_add(PFN_PHYS(round_down(pfn, 1ULL << RANGE_SHIFT)), pair);
	if (err == TDX_SUCCESS) {
		*pamt_ref(host, pfn) = 1;
		kvm_stat_add(KVM_STAT_HOST_PAGES_PAMT, PAIR);
	}
	spin_unlock(&host->pamt_lock);

	if (!WARN_ON_ONCE(err != TDX_SUCCESS))
		return 0;
	tdx_free_pamt_pair(pair);
	return -EIO;
}

/*
 * A failed PAMT.REMOVE leaves the count: the pair is leaked, and the range stays at 4K for good
 * (B24).
 */
void tdx_pamt_put(kvm_pfn_t pfn)
{
	struct kvm_host *host = kvm_host_current();
	struct page *pair[2];
	u64 *ref, err;

	if (!host->dynamic_pamt)
		return;
	spin_lock(&host->pamt_lock);
	ref = pamt_ref(host, pfn);
	if (WARN_ON_ONCE(!*ref) || *ref > 1) {
		*ref -= !!*ref;
		spin_unlock(&host->pamt_lock);
		return;
	}
	err = tdh_phymem_pamt_remove(PFN_PHYS(round_down(pfn, 1ULL << RANGE_SHIFT)), pair);
	if (err == TDX_SUCCESS) {
		*pamt_ref(host, pfn) = 0;
		kvm_stat_add(KVM_STAT_HOST_PAGES_PAMT, -PAIR);
	}
	spin_unlock(&host->pamt_lock);

	if (WARN_ON_ONCE(err != TDX_SUCCESS))
		return;
	tdx_quirk_reset_page(page_to_pfn(pair[0]));
	tdx_quirk_reset_page(page_to_pfn(pair[1]));
	tdx_free_pamt_pair(pair);
}

void tdx_pamt_demoted(kvm_pfn_t pfn)
{
	u64 *ref = pamt_ref(kvm_host_current(), pfn);

	WARN_ON_ONCE(*ref);
	if (!*ref)
		*ref = 1ULL << RANGE_SHIFT;
	kvm_stat_add(KVM_STAT_HOST_PAGES_PAMT, PAIR);
}

struct page *tdx_alloc_control_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return NULL;
	if (!tdx_pamt_get(page_to_pfn(page), NULL))
		return page;
	__free_page(page);
	return NULL;
}

void tdx_free_control_page(struct page *page)
{
	if (!page)
		return;
	tdx_pamt_put(page_to_pfn(page));
	__free_page(page);
}
