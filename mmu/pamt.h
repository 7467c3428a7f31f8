/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of Dynamic PAMT, for the SEAMCALL wrappers; the calls that KVM makes are in
 * mmu/tdx_seamcall.h.
 */
#ifndef MMU_PAMT_H
#define MMU_PAMT_H

#include "mmu/tdx_seamcall.h"

struct kvm_host;

/*
 * A pair out of @cache, or of the page allocator if it is NULL; false: not both could be had, and
 * none is kept.
 */
bool tdx_take_pamt_pair(struct tdx_pamt_cache *cache, struct page *pair[2]);
/* To the page allocator, whereever it came from. */
void tdx_free_pamt_pair(struct page *pair[2]);
/* The 2M at @pfn was demoted with a pair: its count goes from 0 to 512. */
void tdx_pamt_demoted(kvm_pfn_t pfn);
u64 tdx_pamt_count(const struct kvm_host *host, kvm_pfn_t pfn);
void tdx_pamt_exit(struct kvm_host *host);

#endif
