// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMM's mapping of the file: 4K page table entries that exist for shared indices only, faults,
 * accesses, long-term pins. One process maps each file. What a conversion does to these mappings
 * (U) calls gmem_host_unmap(). Guest faults are in fault.c.
 */
#include <linux/mm.h>

#include "gmem/internal.h"
#include "sim/rt/phys.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"

static int map_cmp(const struct gmem_host_map *a, const struct gmem_host_map *b)
{
	return a->index < b->index ? -1 : a->index > b->index;
}

RB_GENERATE_STATIC(gmem_host_maps, gmem_host_map, node, map_cmp)

struct gmem_host_map *gmem_host_map_from(const struct gmem_inode *inode, u64 index)
{
	struct gmem_host_map key = {.index = index};

	return RB_NFIND(gmem_host_maps, (struct gmem_host_maps *)&inode->host_maps, &key);
}

struct gmem_host_map *gmem_host_map_next(struct gmem_host_map *m)
{
	return RB_NEXT(gmem_host_maps, NULL, m);
}

struct gmem_host_map *gmem_iommu_map_from(const struct gmem_inode *inode, u64 index)
{
	struct gmem_host_map key = {.index = index};

	return RB_NFIND(gmem_host_maps, (struct gmem_host_maps *)&inode->iommu_maps, &key);
}

static struct gmem_host_map *map_at(const struct gmem_inode *inode, u64 index)
{
	struct gmem_host_map *m = gmem_host_map_from(inode, index);

	return m && m->index == index ? m : NULL;
}

void gmem_host_unmap(struct gmem_inode *inode, u64 start, u64 nr)
{
	struct gmem_host_map *m, *next;

	for (m = gmem_host_map_from(inode, start); m && m->index < start + nr; m = next) {
		next = gmem_host_map_next(m);
		RB_REMOVE(gmem_host_maps, &inode->host_maps, m);
		rt_free(m);
	}
	/* P8 NOREF_NOTIFIED: the IOMMU is told, and lets go; nobody asks userspace. */
	for (m = gmem_iommu_map_from(inode, start); m && m->index < start + nr; m = next) {
		next = gmem_host_map_next(m);
		RB_REMOVE(gmem_host_maps, &inode->iommu_maps, m);
		rt_free(m);
		gmem_count(GMEM_STAT_IOMMU_UNMAPS, 1);
	}
}

static struct gmem_host_map *map_add(struct gmem_host_maps *maps, u64 index, u64 pfn)
{
	struct gmem_host_map *m = rt_zalloc(sizeof(*m));

	m->index = index;
	m->pfn = pfn;
	RB_INSERT(gmem_host_maps, maps, m);
	return m;
}

/*
 * The folio is ours by reference and lock alone: invalidate_lock is free again. A to-private
 * conversion sees the reference and gives -EAGAIN; a truncation in the kernel would wait for the
 * folio lock, here the fault starts over instead.
 */
static int fault_finish(struct gmem_inode *inode, u64 index, struct gmem_folio *f)
{
	struct gmem_folio now;
	u64 pfn = gmem_folio_pfn(f, index);

	rt_point(RT_PT_RESCHED, pfn);
	if (!gmem_folio_at(inode, index, &now) || gmem_folio_pfn(&now, index) != pfn)
		return -EAGAIN;
	if (now.order && gmem_policy(inode, GMEM_P_SHARED_HUGE) != GMEM_HUGE_SHARED_REFCOUNT)
		return -EFAULT;
	if (gmem_pages_poisoned(pfn, 1) || gmem_pages_failed(pfn, 1))
		return -EFAULT;
	gmem_make_uptodate(inode, now.index, now.nr);
	if (!map_at(inode, index)) /* else another thread's fault was first */
		map_add(&inode->host_maps, index, pfn);
	return 0;
}

static int fault_once(struct gmem_inode *inode, u64 index)
{
	struct gmem_folio f;
	int ret;

	gmem_lock_range(inode, index, 1, RT_LOCK_SH);
	ret = gmem_is_private(inode, index) ? -EFAULT : gmem_folio_get(inode, index, &f);
	gmem_unlock_range(inode, index, 1, RT_LOCK_SH);
	if (ret)
		return ret;
	ret = fault_finish(inode, index, &f);
	gmem_folio_unlock(f.pfn);
	gmem_page_unref(gmem_folio_pfn(&f, index), GMEM_REF_LOOKUP);
	return ret;
}

/*
 * Until there is a mapping: VM_FAULT_RETRY repeats the access, and a conversion may take the
 * mapping away again.
 */
static int host_map(struct gmem_inode *inode, u64 index, struct gmem_host_map **m)
{
	int ret;

	if (index >= inode->nr_pages)
		return -EFAULT;
	while (!(*m = map_at(inode, index))) {
		ret = fault_once(inode, index);
		if (ret && ret != -EAGAIN)
			return ret;
	}
	return 0;
}

int kvm_gmem_host_read(struct kvm_gmem_file *file, u64 offset, u64 *val)
{
	struct gmem_host_map *m;
	int ret = offset & 7 ? -EINVAL : host_map(file->inode, offset >> GMEM_SHIFT, &m);

	/* Memory that a TD left behind reads as ciphertext: a token that is nobody's data. */
	if (!ret)
		rt_phys_read(PFN_PHYS(m->pfn) | (offset & (PAGE_SIZE - 1)), 0, val);
	return ret;
}

int kvm_gmem_host_write(struct kvm_gmem_file *file, u64 offset, u64 val)
{
	struct gmem_host_map *m;
	int ret = offset & 7 ? -EINVAL : host_map(file->inode, offset >> GMEM_SHIFT, &m);

	if (!ret)
		rt_phys_write(PFN_PHYS(m->pfn) | (offset & (PAGE_SIZE - 1)), 0, val);
	return ret;
}

/* --- pins ---------------------------------------------------------------------------- */

static int check_pages(const struct gmem_inode *inode, u64 offset, u64 size)
{
	if (!size || ((offset | size) & ~PAGE_MASK) || offset + size < offset ||
	    offset + size > inode->nr_pages << GMEM_SHIFT)
		return -EINVAL;
	return 0;
}

/*
 * The pinned page of @index: where it is now, or as an orphan of a hole that was punched under the
 * pin.
 */
static struct gmem_page *pinned_page(const struct gmem_inode *inode, u64 index)
{
	struct gmem_folio f;
	struct gmem_page *p;

	if (gmem_folio_at(inode, index, &f)) {
		p = gmem_page_from(gmem_folio_pfn(&f, index));
		if (p && p->pfn == gmem_folio_pfn(&f, index) && p->refs[GMEM_REF_LONGTERM])
			return p;
	}
	for (p = gmem_page_from(0); p; p = gmem_page_next(p))
		if (p->orphan && p->inode == inode && p->index == index &&
		    p->refs[GMEM_REF_LONGTERM])
			return p;
	return NULL;
}

/* P8 NOREF_NOTIFIED: the mapping of the IOMMU, if it is there still. */
static struct gmem_host_map *iommu_map_at(const struct gmem_inode *inode, u64 index)
{
	struct gmem_host_map *m = gmem_iommu_map_from(inode, index);

	return m && m->index == index ? m : NULL;
}

static bool pins_refer(const struct gmem_inode *inode)
{
	return gmem_policy(inode, GMEM_P_IOMMU) == GMEM_IOMMU_REF;
}

static bool is_pinned(const struct gmem_inode *inode, u64 index)
{
	return pins_refer(inode) ? pinned_page(inode, index) != NULL
				 : iommu_map_at(inode, index) != NULL;
}

static void pin_page(struct gmem_inode *inode, u64 index, u64 pfn)
{
	struct gmem_host_map *m;

	if (pins_refer(inode)) {
		gmem_page_ref(gmem_extent_of_pfn(pfn), pfn, GMEM_REF_LONGTERM);
		return;
	}
	m = iommu_map_at(inode, index);
	if (!m)
		m = map_add(&inode->iommu_maps, index, pfn);
	m->pins++;
}

static void unpin_page(struct gmem_inode *inode, u64 index)
{
	struct gmem_host_map *m;

	if (pins_refer(inode)) {
		gmem_page_unref(pinned_page(inode, index)->pfn, GMEM_REF_LONGTERM);
		return;
	}
	/* Gone if the IOMMU was told to let go. */
	m = iommu_map_at(inode, index);
	if (!m || --m->pins)
		return;
	RB_REMOVE(gmem_host_maps, &inode->iommu_maps, m);
	rt_free(m);
}

/* All or nothing. Caller: iommu_lock, so that nobody else takes away what is pinned so far. */
static int pin_range(struct gmem_inode *inode, u64 start, u64 nr)
{
	struct gmem_host_map *m;
	u64 index;
	int ret;

	for (index = start; index < start + nr; index++) {
		ret = host_map(inode, index, &m);
		if (ret) {
			while (index-- > start)
				unpin_page(inode, index);
			return ret;
		}
		pin_page(inode, index, m->pfn);
	}
	return 0;
}

int kvm_gmem_pin(struct kvm_gmem_file *file, u64 offset, u64 size)
{
	struct gmem_inode *inode = file->inode;
	int ret = check_pages(inode, offset, size);

	if (ret)
		return ret;
	rt_lock_take(&inode->iommu_lock, RT_LOCK_EX);
	ret = pin_range(inode, offset >> GMEM_SHIFT, size >> GMEM_SHIFT);
	rt_lock_release(&inode->iommu_lock, RT_LOCK_EX);
	return ret;
}

int kvm_gmem_unpin(struct kvm_gmem_file *file, u64 offset, u64 size)
{
	struct gmem_inode *inode = file->inode;
	u64 start = offset >> GMEM_SHIFT, nr = size >> GMEM_SHIFT, index;
	int ret = check_pages(inode, offset, size);

	if (ret)
		return ret;
	rt_lock_take(&inode->iommu_lock, RT_LOCK_EX);
	for (index = start; !ret && index < start + nr; index++)
		if (!is_pinned(inode, index))
			ret = -EINVAL;
	for (index = start; !ret && index < start + nr; index++)
		unpin_page(inode, index);
	rt_lock_release(&inode->iommu_lock, RT_LOCK_EX);
	return ret;
}

int kvm_gmem_stray_ref(struct kvm_gmem_file *file, u64 offset, enum gmem_stray kind)
{
	struct gmem_folio f;
	u64 index = offset >> GMEM_SHIFT, pfn;

	if (kind > GMEM_STRAY_LRU)
		return -EINVAL;
	if (index >= file->inode->nr_pages || !gmem_folio_at(file->inode, index, &f))
		return -ENOENT;
	pfn = gmem_folio_pfn(&f, index);
	gmem_page_ref(gmem_extent_of_pfn(pfn), pfn, (enum gmem_ref)kind);
	return 0;
}
