// SPDX-License-Identifier: GPL-2.0-only
/*
 * Below the tree's TDX code: SEAMCALLs leave for the simulator's module, and what it does to memory
 * that is only a number here (cache lines, MOVDIR64B) is said instead of done. Only for trees whose
 * TDX code is linked.
 */
#include "kern.h"

static u64 seamcall(u64 fn, struct tdx_module_args *args, enum ksim_call kind)
{
	int preempt;
	u64 ret;

	BUILD_BUG_ON(sizeof(*args) != 13 * sizeof(u64));
	BUILD_BUG_ON(offsetof(struct tdx_module_args, r8) != 2 * sizeof(u64));
	BUILD_BUG_ON(offsetof(struct tdx_module_args, r12) != 6 * sizeof(u64));
	BUILD_BUG_ON(offsetof(struct tdx_module_args, rsi) != 12 * sizeof(u64));
	preempt = ktree_before_point();
	ret = ksim_seamcall(fn, args, kind);
	ktree_after_point(preempt);
	return ret;
}

u64 __seamcall(u64 fn, struct tdx_module_args *args)
{
	return seamcall(fn, args, KSIM_SEAMCALL);
}

u64 __seamcall_ret(u64 fn, struct tdx_module_args *args)
{
	return seamcall(fn, args, KSIM_SEAMCALL_RET);
}

u64 __seamcall_saved_ret(u64 fn, struct tdx_module_args *args)
{
	return seamcall(fn, args, KSIM_SEAMCALL_SAVED_RET);
}

void clflush_cache_range(void *addr, unsigned int size)
{
	ksim_clflush(size);
}

/* Called in place of the tree's, whose one instruction would write to the page (tools/ktree). */
void ktree_quirk_reset_paddr(unsigned long base, unsigned long size);
void ktree_quirk_reset_paddr(unsigned long base, unsigned long size)
{
	ksim_reset_page(base, size);
}

void ktree_quirk_reset_page(struct page *page);
void ktree_quirk_reset_page(struct page *page)
{
	ksim_reset_page(page_to_phys(page), PAGE_SIZE);
}
