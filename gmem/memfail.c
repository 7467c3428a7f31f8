// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory failure: a page goes bad, its mappings go, the memory stays in the file and is never
 * handed out again (gmem.md 2.9). There is no truncation (MF_DELAYED); later faults get -EHWPOISON.
 * What a split, merge or free does with a poisoned page is in restructure.c and block.c.
 */
#include <linux/bug.h>

#include "gmem/internal.h"
#include "sim/rt/sched.h"

/*
 * error_folio: the range of the folio as it is now; a leaf is assumed to lie inside it, except
 * under P9's other values.
 */
static int error_folio(struct gmem_inode *inode, u64 index, u64 pfn)
{
	u8 mode = gmem_policy(inode, GMEM_P_MEM_FAILURE);
	struct gmem_folio f;
	int ret = 0;

	gmem_lock_range(inode, index, 1, RT_LOCK_SH);
	gmem_page_failing(pfn, false);
	/* A truncation may have been faster: then the page is nobody's. */
	if (gmem_folio_at(inode, index, &f) && gmem_folio_pfn(&f, index) == pfn) {
		gmem_kvm_notify_unmap(inode, f.index, f.nr);
		gmem_host_unmap(inode, f.index, f.nr);
		gmem_kvm_begin(inode, f.index, f.nr);
		if (mode != GMEM_MF_ZAP_FOLIO)
			ret = gmem_kvm_split_ends(inode, f.index, f.nr);
		if (mode == GMEM_MF_SPLIT_ELSE_ZAP)
			ret = 0;
		if (!ret)
			ret = gmem_kvm_zap(inode, f.index, f.nr, GMEM_ROOTS_BOTH);
		if (ret && mode != GMEM_MF_SPLIT_FAIL) {
			gmem_kvm_zap_whole(inode, f.index, f.nr, GMEM_ROOTS_BOTH);
			ret = 0;
		}
		gmem_kvm_end(inode, f.index, f.nr);
	}
	gmem_unlock_range(inode, index, 1, RT_LOCK_SH);
	return ret;
}

int kvm_gmem_migrate_folio(struct kvm_gmem_file *file, u64 offset)
{
	struct gmem_folio f;

	if (!gmem_folio_at(file->inode, offset >> GMEM_SHIFT, &f))
		return -ENOENT;
	/* The mapping is inaccessible to the kernel: nobody may have tried (gmem.md 2.10). */
	WARN_ON_ONCE(f.nr);
	return -EINVAL;
}

int kvm_gmem_memory_failure(struct kvm_gmem_file *file, u64 offset)
{
	struct gmem_inode *inode = file->inode;
	u64 index = offset >> GMEM_SHIFT, pfn;
	const struct gmem_extent *e;
	struct gmem_folio f;
	bool locked;
	int ret;

	if (index >= inode->nr_pages || !gmem_folio_at(inode, index, &f))
		return -ENOENT;
	pfn = gmem_folio_pfn(&f, index);
	e = gmem_extent_of_pfn(pfn);
	if (gmem_pages_poisoned(pfn, 1))
		return -EHWPOISON;
	gmem_page_poison(e, pfn);
	/*
	 * Reference and folio lock before invalidate_lock: the other way round than every fault. A
	 * conversion that spins for this reference while it holds invalidate_lock never ends (B16).
	 */
	gmem_page_ref(e, pfn, GMEM_REF_LOOKUP);
	gmem_page_failing(pfn, true);
	locked = gmem_folio_lock(&f);
	ret = error_folio(inode, index, pfn);
	if (locked)
		gmem_folio_unlock(f.pfn);
	gmem_page_unref(pfn, GMEM_REF_LOOKUP);
	gmem_lock_range(inode, index, 1, RT_LOCK_SH);
	if (gmem_zap_errors(inode))
		ret = ret ? ret : -EIO;
	gmem_unlock_range(inode, index, 1, RT_LOCK_SH);
	return ret;
}
