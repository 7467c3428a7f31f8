/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's address and frame types, page levels, and the object cache that is filled before mmu_lock
 * is taken. gfn and pfn count 4 KiB pages; gpa and hpa are bytes. Level 1 is 4K, as the kernel
 * counts (the module's levels are one less).
 */
#ifndef _LINUX_KVM_TYPES_H
#define _LINUX_KVM_TYPES_H

#include <linux/gfp.h>
#include <linux/types.h>

typedef u64 gpa_t;
typedef u64 gfn_t;
typedef u64 hpa_t;
typedef u64 hfn_t;
typedef unsigned long gva_t;
typedef u64 kvm_pfn_t;

#define INVALID_GPA  (~(gpa_t)0)
#define INVALID_PAGE (~(hpa_t)0)

enum pg_level {
	PG_LEVEL_NONE,
	PG_LEVEL_4K,
	PG_LEVEL_2M,
	PG_LEVEL_1G,
	PG_LEVEL_512G,
	PG_LEVEL_256T,
	PG_LEVEL_NUM,
};

struct kmem_cache;

#define KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE 40

/*
 * Objects ready for use under mmu_lock. Source: @kmem_cache, or host pages by @page_get, or heap
 * pages filled with @init_value. @site: fault site of the top-up. Unlike the kernel's, the array is
 * allocated with the first top-up, at @capacity entries.
 */
struct kvm_mmu_memory_cache {
	gfp_t gfp_zero;
	gfp_t gfp_custom;
	u64 init_value;
	const struct kmem_cache *kmem_cache;
	const char *site;
	void *(*page_get)(void);
	void (*page_free)(void *page);
	int capacity;
	int nobjs;
	void **objects;
};

#endif
