/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel heap objects: the world's heap, with the sleeping check and a fault site. An allocation
 * without a fault site cannot fail: simulated failure is injected, never met by accident.
 */
#ifndef _LINUX_SLAB_H
#define _LINUX_SLAB_H

#include <linux/gfp.h>
#include <linux/kernel.h>

/* A cache is a constant description; @site is the fault site of its allocations, NULL for none. */
struct kmem_cache {
	const char *name;
	size_t size;
	const char *site;
};
void *kmem_cache_zalloc(const struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(const struct kmem_cache *cache, void *p);

#endif
