// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory as the tree sees it: where addresses and struct page lie, tables, page headers, and what a
 * CPU has of its own. A process has %gs at 0, so a per-CPU variable is a variable, and there is one
 * CPU. Every table is memory of the world's heap.
 */
#include "kern.h"

#include <asm/e820/types.h>

/* Physical addresses of the heap begin here (COMPAT_HEAP_PHYS of the simulator). */
#define HEAP_PHYS (1UL << 45)

unsigned long page_offset_base;
unsigned long vmemmap_base;
unsigned long phys_base;

/* Who "current" is. Nothing of it is looked at but the flag that asks for the CPU. */
static struct task_struct the_task;

#ifdef HAVE_PCPU_HOT
typeof(pcpu_hot) pcpu_hot;
#else
typeof(current_task) current_task;
typeof(__preempt_count) __preempt_count;
#endif
#ifdef HAVE_CACHE_STATE_INCOHERENT
typeof(cache_state_incoherent) cache_state_incoherent;
#endif
typeof(hardirqs_enabled) hardirqs_enabled = 1;
typeof(lockdep_recursion) lockdep_recursion;
typeof(boot_cpu_data) boot_cpu_data;
typeof(kvm_host) kvm_host;
typeof(kvm_x86_ops) kvm_x86_ops;
typeof(mem_section) mem_section;
typeof(tdp_enabled) tdp_enabled = true;
typeof(nx_huge_pages) nx_huge_pages;
typeof(mmu_page_header_cache) mmu_page_header_cache;
/* Frame of the page of zeros, which a dummy root is: no frame here is 0. By either name. */
unsigned long frame_of_zeros asm("zero_pfn");
unsigned long newer_frame_of_zeros asm("zero_page_pfn");

/* Ordinary memory of a guest with TDX: write-back, and the guest's PAT does not matter. */
unsigned long ktree_get_mt_mask(struct kvm_vcpu *vcpu, gfn_t gfn, bool is_mmio);
unsigned long ktree_get_mt_mask(struct kvm_vcpu *vcpu, gfn_t gfn, bool is_mmio)
{
	return (6UL << 3) | VMX_EPT_IPAT_BIT;
}

void ktree_boot(unsigned long page_offset, unsigned long page_array, unsigned int phys_bits)
{
	page_offset_base = page_offset;
	vmemmap_base = page_array;
#ifdef HAVE_PCPU_HOT
	pcpu_hot.current_task = &the_task;

#else
	current_task = &the_task;

#endif
	preempt_count_set(PREEMPT_ENABLED);
	ktree_vms_init();
	/* Never dereferenced: objects know their size by who allocates them. */
	mmu_page_header_cache = (void *)&the_task;
	boot_cpu_data.x86_phys_bits = phys_bits;
	kvm_host.maxphyaddr = 52;
	kvm_x86_ops.get_mt_mask = (void *)ktree_get_mt_mask;
#ifdef SIG_SET_EPT_MASKS_2
	kvm_mmu_set_ept_masks(true, true);
#else
	kvm_mmu_set_ept_masks(true);
#endif
}

bool ktree_is_heap(unsigned long addr)
{
	return __pa(addr) >= HEAP_PHYS;
}

void ktree_set_page_private(struct page *page, unsigned long val)
{
	ksim_set_page_private(page_to_pfn(page), val);
}

unsigned long ktree_page_private(const struct page *page)
{
	return ksim_page_private(page_to_pfn(page));
}

unsigned long get_zeroed_page_noprof(gfp_t gfp)
{
	return (unsigned long)ksim_table_alloc();
}

unsigned long get_free_pages_noprof(gfp_t gfp, unsigned int order)
{
	return order ? 0 : (unsigned long)ksim_table_alloc();
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (!addr)
		return;
	if (ktree_is_heap(addr))
		ksim_table_free((void *)addr);
	else
		ksim_host_page_free(__pa(addr));
}

void __free_pages(struct page *page, unsigned int order)
{
	ksim_host_page_free(page_to_phys(page));
}

/* The one cache from which objects are taken here is that of page headers. */
void *kmem_cache_alloc_noprof(struct kmem_cache *cache, gfp_t gfp)
{
	return ksim_header_alloc(sizeof(struct kvm_mmu_page));
}

void kmem_cache_free(struct kmem_cache *cache, void *p)
{
	ksim_header_free(p);
}

/* The simulator's cache stands where the objects of the tree's would. */
void *kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc)
{
	return ksim_cache_alloc(mc->objects);
}

void mod_node_page_state(struct pglist_data *pgdat, enum node_stat_item item, long delta)
{
}

/* What has no struct page is memory all the same: the host's, whose pages are only numbers here. */
bool e820__mapped_raw_any(u64 start, u64 end, enum e820_type type)
{
	return true;
}
