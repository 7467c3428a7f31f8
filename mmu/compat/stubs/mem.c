// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel memory in the world's heap: slab objects, heap pages with their private word, host pages
 * one by one, and the caches that KVM fills before it takes mmu_lock. Fault sites fire here. Which
 * host frames are free is in hostmem.c.
 */
#include <string.h>

#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "sim/rt/phys.h"

static void check_gfp(gfp_t gfp, const char *what)
{
	if (gfpflags_allow_blocking(gfp))
		rt_might_sleep(what);
}

void *kmem_cache_zalloc(const struct kmem_cache *cache, gfp_t gfp)
{
	check_gfp(gfp, cache->name);
	return compat_should_fail(cache->site) ? NULL : rt_zalloc(cache->size);
}

void kmem_cache_free(const struct kmem_cache *cache, void *p)
{
	rt_free(p);
}

/* What the statistics call an allocation at @site. */
static void count_alloc(const char *site)
{
	if (!site)
		return;
	if (!strcmp(site, "spt-alloc"))
		kvm_stat_add(KVM_STAT_ALLOCS_SPT, 1);
	else if (!strcmp(site, "external-spt-alloc"))
		kvm_stat_add(KVM_STAT_ALLOCS_EXTERNAL_SPT, 1);
	else if (!strcmp(site, "pamt-alloc"))
		kvm_stat_add(KVM_STAT_ALLOCS_PAMT, 1);
}

unsigned long compat_get_zeroed_page(gfp_t gfp, const char *site)
{
	check_gfp(gfp, "get_zeroed_page");
	if (compat_should_fail(site))
		return 0;
	count_alloc(site);
	return (unsigned long)rt_zalloc(PAGE_SIZE);
}

void free_page(unsigned long addr)
{
	if (!addr)
		return;
	if (addr >= COMPAT_DIRECT_MAP)
		host_free_pfns(PHYS_PFN(__pa(addr)), 0);
	else
		rt_free((void *)addr);
}

struct page *compat_alloc_page(gfp_t gfp, const char *site)
{
	u64 pfn;

	check_gfp(gfp, "alloc_page");
	if (compat_should_fail(site))
		return NULL;
	pfn = host_alloc_pfns(0);
	if (!pfn)
		return NULL;
	if (gfp & __GFP_ZERO)
		rt_phys_fill(PFN_PHYS(pfn), 0, 0);
	count_alloc(site);
	return pfn_to_page(pfn);
}

void __free_page(struct page *page)
{
	host_free_pfns(page_to_pfn(page), 0);
}

/*
 * Heap pages are few and dense, so their words are a plain array by page number, grown to what is
 * asked for.
 */
static u64 heap_index(const struct page *page)
{
	u64 pa = page_to_phys(page);

	BUG_ON(pa < COMPAT_HEAP_PHYS);
	return PHYS_PFN(pa - COMPAT_HEAP_PHYS);
}

void set_page_private(struct page *page, unsigned long private)
{
	struct kvm_host *host = kvm_host_current();
	u64 i = heap_index(page);

	if (i >= host->cap_page_private) {
		u64 cap = max_t(u64, i + 1, 2 * host->cap_page_private);

		host->page_private = rt_realloc(host->page_private, cap * sizeof(long));
		memset(host->page_private + host->cap_page_private, 0,
		       (cap - host->cap_page_private) * sizeof(long));
		host->cap_page_private = cap;
	}
	host->page_private[i] = private;
}

unsigned long page_private(const struct page *page)
{
	struct kvm_host *host = kvm_host_current();
	u64 i = heap_index(page);

	return i < host->cap_page_private ? host->page_private[i] : 0;
}

/* --- KVM's object caches --------------------------------------------------------------------- */

static void *cache_heap_object(const struct kvm_mmu_memory_cache *mc)
{
	u64 *page;
	u32 i;

	if (mc->kmem_cache)
		return rt_zalloc(mc->kmem_cache->size);
	page = rt_zalloc(PAGE_SIZE);
	for (i = 0; mc->init_value && i < PAGE_SIZE / sizeof(*page); i++)
		page[i] = mc->init_value;
	return page;
}

static const char *cache_site(const struct kvm_mmu_memory_cache *mc)
{
	return mc->kmem_cache ? mc->kmem_cache->site : mc->site;
}

static bool cache_add_one(struct kvm_mmu_memory_cache *mc, gfp_t gfp)
{
	void *page;

	check_gfp(gfp, "kvm_mmu_topup_memory_cache");
	if (mc->page_get) {
		page = mc->page_get();
		if (!page)
			return false;
		mc->objects[mc->nobjs++] = page;
		return true;
	}
	if (compat_should_fail(cache_site(mc)))
		return false;
	count_alloc(cache_site(mc));
	mc->nobjs++;
	return true;
}

/*
 * Two deliberate differences to the kernel: filling stops at @min, so that a world stays small and
 * the n-th allocation is easy to name; and heap objects are only promised here and get their memory
 * in kvm_mmu_memory_cache_alloc(), which cannot fail.
 */
int kvm_mmu_topup_memory_cache(struct kvm_mmu_memory_cache *mc, int min)
{
	const gfp_t gfp = mc->gfp_custom ? mc->gfp_custom : GFP_KERNEL_ACCOUNT;

	if (mc->nobjs >= min)
		return 0;
	if (!mc->capacity)
		mc->capacity = KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE;
	BUG_ON(min > mc->capacity);
	if (mc->page_get && !mc->objects)
		mc->objects = rt_zalloc(mc->capacity * sizeof(void *));
	while (mc->nobjs < min) {
		if (!cache_add_one(mc, gfp | mc->gfp_zero))
			return -ENOMEM;
	}
	return 0;
}

int kvm_mmu_memory_cache_nr_free_objects(struct kvm_mmu_memory_cache *mc)
{
	return mc->nobjs;
}

void *kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc)
{
	struct page *page;

	if (WARN_ON(!mc->nobjs)) {
		/* The kernel's last resort: an atomic allocation, which BUGs when it fails. */
		if (!mc->page_get)
			return cache_heap_object(mc);
		page = compat_alloc_page(GFP_ATOMIC, NULL);
		BUG_ON(!page);
		return page_address(page);
	}
	mc->nobjs--;
	return mc->page_get ? mc->objects[mc->nobjs] : cache_heap_object(mc);
}

void kvm_mmu_free_memory_cache(struct kvm_mmu_memory_cache *mc)
{
	while (mc->nobjs) {
		mc->nobjs--;
		if (mc->page_get)
			mc->page_free(mc->objects[mc->nobjs]);
	}
	rt_free(mc->objects);
	mc->objects = NULL;
}
