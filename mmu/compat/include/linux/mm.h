/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two kinds of pages, and how addresses turn into frames.
 *
 *  heap pages  page tables that KVM dereferences: memory of the world, physical address
 *              COMPAT_HEAP_PHYS + rt_offset(). get_zeroed_page(), free_page().
 *  host pages  frames of the host's page allocator, inside the TDMRs: S-EPT, PAMT, TDX control
 *              pages, guest memory. Contents are in sim/rt/phys.h; the "kernel address"
 *              COMPAT_DIRECT_MAP + pa is a name and is never dereferenced. alloc_page(),
 *              __free_page(); orders 9 and 18 for guest_memfd by host_alloc_pfns().
 *
 * A struct page is a name as well: it encodes the frame number and points to nothing.
 */
#ifndef _LINUX_MM_H
#define _LINUX_MM_H

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/kvm_types.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1ULL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define COMPAT_HEAP_PHYS   (1ULL << 45)
#define COMPAT_DIRECT_MAP  0xffff888000000000ULL
#define COMPAT_VMEMMAP	   0xffffea0000000000ULL
#define COMPAT_PAGE_STRUCT 64ULL

#define PHYS_PFN(x) ((u64)(x) >> PAGE_SHIFT)
#define PFN_PHYS(x) ((u64)(x) << PAGE_SHIFT)

struct page; /* never defined */

#define FOLL_WRITE 1U

static inline struct page *pfn_to_page(u64 pfn)
{
	return (struct page *)(uintptr_t)(COMPAT_VMEMMAP + pfn * COMPAT_PAGE_STRUCT);
}

static inline u64 page_to_pfn(const struct page *page)
{
	return ((uintptr_t)page - COMPAT_VMEMMAP) / COMPAT_PAGE_STRUCT;
}

static inline u64 page_to_phys(const struct page *page)
{
	return PFN_PHYS(page_to_pfn(page));
}

static inline void *page_address(const struct page *page)
{
	return (void *)(uintptr_t)(COMPAT_DIRECT_MAP + page_to_phys(page));
}

/* Physical address of a kernel address of either kind. */
static inline phys_addr_t compat_pa(const void *va)
{
	if ((uintptr_t)va >= COMPAT_DIRECT_MAP)
		return (uintptr_t)va - COMPAT_DIRECT_MAP;
	return COMPAT_HEAP_PHYS + rt_offset(va);
}

/* Kernel address of a physical one: dereferenceable for heap pages only. */
static inline void *compat_va(phys_addr_t pa)
{
	if (pa >= COMPAT_HEAP_PHYS)
		return rt_at_offset(pa - COMPAT_HEAP_PHYS);
	return (void *)(uintptr_t)(COMPAT_DIRECT_MAP + pa);
}

#define __pa(va)	 compat_pa((const void *)(uintptr_t)(va))
#define __va(pa)	 compat_va(pa)
#define virt_to_page(va) pfn_to_page(PHYS_PFN(__pa(va)))
#define virt_to_phys(va) __pa(va)

/*
 * Zeroed 4 KiB heap page as an address; 0 on an injected failure. @site: fault site, NULL for none.
 */
unsigned long compat_get_zeroed_page(gfp_t gfp, const char *site);
#define get_zeroed_page(gfp) compat_get_zeroed_page(gfp, "spt-alloc")
/* Free a page of either kind by its kernel address. */
void free_page(unsigned long addr);

/* A word that the owner of a heap page keeps with it (to_shadow_page()). */
void set_page_private(struct page *page, unsigned long private);
unsigned long page_private(const struct page *page);

/* Host page; @site as above. NULL on an injected failure or when the host has none left. */
struct page *compat_alloc_page(gfp_t gfp, const char *site);
#define alloc_page(gfp) compat_alloc_page(gfp, NULL)
void __free_page(struct page *page);

/*
 * host_alloc_pfns - 2^order contiguous, aligned frames (order 0, 9 or 18) from the host's page
 * allocator: the lowest that fit. Contents are what the last user left. Returns the first frame, 0
 * when there is no room (frame 0 is never memory of the host). host_free_pfns() takes any part
 * back: the frames of one allocation may be freed in pieces of another order (a split folio).
 * Neither sleeps, and there is no fault site inside; a 1G block costs no more than a page.
 */
u64 host_alloc_pfns(u32 order);
void host_free_pfns(u64 pfn, u32 order);
/*
 * Frames that are handed out; that are free; of the host; whether this one is out; whether it is
 * memory of the host at all.
 */
u64 host_pages_used(void);
u64 host_free_pfns_count(void);
u64 host_pages_total(void);
bool host_pfn_used(u64 pfn);
bool pfn_valid(u64 pfn);

#endif
