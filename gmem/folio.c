// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting a folio: look-up under its lock, allocation, a fresh folio that must be split at once,
 * and zeroing. The callers are faults from guest and host, fallocate and populate (fault.c, host.c,
 * hole.c). Restructuring of folios that are in use is in restructure.c.
 */
#include <linux/mm.h>

#include "gmem/internal.h"
#include "mmu/kvm_vm.h"
#include "sim/rt/phys.h"
#include "sim/rt/sched.h"

/*
 * A fresh huge folio over a block that has shared indices is split before anybody can see it: no
 * scheduling point lies between insertion and split, so no waiter holds a reference that the freeze
 * would wait for, and a failure takes the folio out again. ([W] leaves it behind unsplit, B9; a
 * waiter on the locked fresh folio deadlocks, B16.)
 */
static int folio_add(struct gmem_inode *inode, u64 index)
{
	struct gmem_folio f, other;
	u64 at, stop, end, err;
	int ret;

	ret = gmem_block_alloc(inode, index, &f);
	if (ret)
		return ret;
	/*
	 * Charging sleeps, and so another fault may be there first: -EEXIST, look again. HugeTLB
	 * has a mutex for each block instead, or two faults would ask for one reserved folio.
	 */
	if (!inode->page_order)
		rt_point(RT_PT_RESCHED, f.pfn);
	if (gmem_folio_next(inode, f.index, f.index + f.nr, &other)) {
		gmem_block_put(inode, &f);
		/*
		 * A block of which a hole took a part has no room for a whole one, ever (P12
		 * SPLIT).
		 */
		return inode->page_order && !gmem_folio_at(inode, index, &other) ? -EEXIST : 0;
	}
	gmem_filemap_insert(inode, &f);
	gmem_trace_folio("alloc", f.index, f.pfn, f.order, 0);
	end = f.index + f.nr;
	if (gmem_policy(inode, GMEM_P_SHARED_HUGE) == GMEM_HUGE_SHARED_REFCOUNT)
		return 0;
	for (at = f.index; f.order && at < end && !ret; at = stop) {
		const struct gmem_attr *a = gmem_attr_at(inode, at);

		stop = gmem_min(a->last + 1, end);
		if (!(a->value & KVM_MEMORY_ATTRIBUTE_PRIVATE))
			ret = gmem_range_split(inode, at, stop, &err);
	}
	if (ret && gmem_policy(inode, GMEM_P_FRESH_FAIL) == GMEM_FRESH_REMOVE)
		gmem_filemap_remove(inode, f.index, f.nr, gmem_pages_release);
	return ret;
}

int gmem_folio_get(struct gmem_inode *inode, u64 index, struct gmem_folio *f)
{
	struct gmem_folio now;
	u64 pfn;
	int ret;

	assert(rt_lock_held_any(&inode->invalidate_lock));
	for (;;) {
		if (!gmem_folio_at(inode, index, f)) {
			ret = folio_add(inode, index);
			if (ret)
				return ret;
			continue;
		}
		pfn = gmem_folio_pfn(f, index);
		gmem_page_ref(gmem_extent_of_pfn(pfn), pfn, GMEM_REF_LOOKUP);
		if (gmem_folio_lock(f)) {
			/* The lock was waited for: is it still the lock of the folio at @index? */
			if (gmem_folio_at(inode, index, &now) && now.pfn == f->pfn &&
			    now.index == f->index) {
				*f = now;
				return 0;
			}
			gmem_folio_unlock(f->pfn);
		}
		gmem_page_unref(pfn, GMEM_REF_LOOKUP);
	}
}

/* Whole folios, not only their first pages: a later split copies the flag (B19). */
void gmem_make_uptodate(struct gmem_inode *inode, u64 index, u64 nr)
{
	u64 end = index + nr, at = index, stop, pfn;
	const struct gmem_extent *e;

	for (; at < end && (e = gmem_extent_from(inode, at)) && e->index < end; at = stop) {
		at = gmem_max(at, e->index);
		stop = gmem_min(end, e->index + e->nr);
		if (e->flags & GMEM_F_UPTODATE)
			continue;
		for (pfn = e->pfn + (at - e->index); pfn < e->pfn + (stop - e->index); pfn++)
			if (rt_phys_info(PFN_PHYS(pfn)).touched) /* else it is zero already */
				rt_phys_fill(PFN_PHYS(pfn), 0, 0);
		gmem_filemap_set_flags(inode, at, stop - at, GMEM_F_UPTODATE, 0);
	}
}
