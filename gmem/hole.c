// SPDX-License-Identifier: GPL-2.0-only
/*
 * fallocate: punching holes and allocating ahead, and taking memory out of a file (gmem.md 2.3,
 * 2.8). A hole changes no attribute: the next fault allocates by the attribute that is there.
 * Conversions, which keep the memory, are in flows.c.
 */
#include <linux/mm.h>

#include "gmem/internal.h"
#include "sim/rt/phys.h"

/*
 * Fragments that leave together go back as the block they came from, so they need no merge before;
 * what somebody still holds is an orphan, and its block waits for it (page.c, block.c).
 */
void gmem_truncate(struct gmem_inode *inode, u64 start, u64 nr)
{
	gmem_host_unmap(inode, start, nr);
	gmem_filemap_remove(inode, start, nr, gmem_pages_release);
}

struct hole {
	u64 start, end;	      /* asked for */
	u64 inner, inner_end; /* whole huge pages inside: what leaves the file */
};

static u8 unit_order(u64 unit)
{
	return (u8)__builtin_ctzll(unit >> PAGE_SHIFT);
}

static int hole_check(const struct gmem_inode *inode, u64 offset, u64 size, struct hole *h)
{
	u64 unit = PAGE_SIZE << inode->page_order;

	if (!size || offset + size < offset || ((offset | size) & ~PAGE_MASK))
		return -EINVAL;
	if (gmem_policy(inode, GMEM_P_HOLE) == GMEM_HOLE_ALIGNED && ((offset | size) & (unit - 1)))
		return -EINVAL;
	h->start = gmem_min(offset >> GMEM_SHIFT, inode->nr_pages);
	h->end = gmem_min((offset + size) >> GMEM_SHIFT, inode->nr_pages);
	if (gmem_policy(inode, GMEM_P_HOLE) == GMEM_HOLE_SPLIT)
		unit = PAGE_SIZE;
	h->inner = gmem_round_up(h->start, unit_order(unit));
	h->inner_end = gmem_max(h->inner, gmem_round_down(h->end, unit_order(unit)));
	return 0;
}

/*
 * ZERO_PARTIAL, as in [R]: the ends of the hole that are no whole huge page stay, and lose their
 * contents.
 */
static void zero_range(struct gmem_inode *inode, u64 start, u64 end)
{
	const struct gmem_extent *e;
	u64 pfn, at;

	for (e = gmem_extent_from(inode, start); e && e->index < end; e = gmem_extent_next(e)) {
		for (at = gmem_max(start, e->index); at < gmem_min(end, e->index + e->nr); at++) {
			pfn = e->pfn + (at - e->index);
			rt_phys_fill(PFN_PHYS(pfn), 0, 0);
		}
	}
}

static int hole_unmap_and_check(struct gmem_inode *inode, const struct hole *h)
{
	bool drained = false;
	u64 at;

	gmem_kvm_notify_unmap(inode, h->start, h->end - h->start);
	gmem_host_unmap(inode, h->start, h->end - h->start);
	return gmem_check_refs(inode, h->start, h->end - h->start, &drained, &at);
}

/*
 * The folio over @at, if it reaches over both sides of it: 4K, by P3 at least what the hole has of
 * it.
 */
static int split_at(struct gmem_inode *inode, const struct hole *h, u64 at)
{
	struct gmem_folio f;
	u64 err;

	if (!gmem_folio_at(inode, at, &f) || f.index == at)
		return 0;
	return gmem_range_split(inode, gmem_max(h->start, f.index),
				gmem_min(h->end, f.index + f.nr), &err);
}

/*
 * A hole ends inside a folio under P12 SPLIT, and always may for THP. What cannot be split then is
 * an error for HugeTLB; a THP stays, and its part of the hole is zeroed.
 */
static int hole_split_folios(struct gmem_inode *inode, struct hole *h)
{
	struct gmem_folio f;
	int ret = split_at(inode, h, h->start);

	if (ret && inode->page_order)
		return ret;
	if (ret && gmem_folio_at(inode, h->start, &f))
		h->inner = f.index + f.nr;
	if (h->inner >= h->end) { /* all of it lies in that folio */
		h->inner_end = h->inner;
		return 0;
	}
	ret = split_at(inode, h, h->end);
	if (ret && inode->page_order)
		return ret;
	if (ret && gmem_folio_at(inode, h->end, &f))
		h->inner_end = f.index;
	return 0;
}

/* Between begin and end; the range is not empty. */
static int hole_zap_and_remove(struct gmem_inode *inode, struct hole *h, bool check_late)
{
	u64 nr = h->end - h->start;
	int ret;

	ret = gmem_kvm_split_ends(inode, h->start, nr);
	if (ret)
		return ret;
	if (!inode->page_order || gmem_policy(inode, GMEM_P_HOLE) == GMEM_HOLE_SPLIT)
		ret = hole_split_folios(inode, h);
	if (ret)
		return ret;
	ret = gmem_kvm_zap(inode, h->start, nr, GMEM_ROOTS_BOTH);
	if (!ret)
		ret = gmem_zap_errors(inode);
	if (ret)
		return ret;
	if (check_late) {
		/* [W]: an error after the contents are gone; folios and attributes stay (B20). */
		ret = hole_unmap_and_check(inode, h);
		if (ret)
			return ret;
	}
	zero_range(inode, h->start, gmem_min(h->inner, h->end));
	zero_range(inode, gmem_max(h->inner_end, h->start), h->end);
	if (h->inner < h->inner_end)
		gmem_truncate(inode, h->inner, h->inner_end - h->inner);
	return 0;
}

int kvm_gmem_punch_hole(struct kvm_gmem_file *file, u64 offset, u64 size)
{
	struct gmem_inode *inode = file->inode;
	bool late = gmem_policy(inode, GMEM_P_HOLE_CHECK) == GMEM_HOLE_ZAP_FIRST;
	struct hole h;
	u64 from, to;
	int ret;

	ret = hole_check(inode, offset, size, &h);
	if (ret || h.start == h.end)
		return ret;
	from = gmem_round_down(h.start, inode->max_order);
	to = gmem_min(gmem_round_up(h.end, inode->max_order), inode->nr_pages);

	gmem_lock_range(inode, from, to - from, RT_LOCK_EX);
	/*
	 * Buddy pages are simply dropped from the file, whoever holds them; a HugeTLB block must
	 * come back whole.
	 */
	if (inode->page_order && !late)
		ret = hole_unmap_and_check(inode, &h);
	if (!ret) {
		gmem_kvm_begin(inode, from, to - from);
		ret = hole_zap_and_remove(inode, &h, inode->page_order && late);
		gmem_kvm_end(inode, from, to - from);
	}
	gmem_unlock_range(inode, from, to - from, RT_LOCK_EX);
	gmem_call_ends();
	return ret;
}

int kvm_gmem_allocate(struct kvm_gmem_file *file, u64 offset, u64 size)
{
	struct gmem_inode *inode = file->inode;
	u64 unit = PAGE_SIZE << inode->page_order, at, end;
	struct gmem_folio f;
	int ret = 0;

	if (!size || offset + size < offset || ((offset | size) & (unit - 1)) ||
	    offset + size > inode->nr_pages << GMEM_SHIFT)
		return -EINVAL;
	at = offset >> GMEM_SHIFT;
	end = (offset + size) >> GMEM_SHIFT;
	gmem_lock_range(inode, at, end - at, RT_LOCK_SH);
	/* What was allocated before an error stays. */
	for (; at < end && !ret; at = f.index + f.nr) {
		const struct gmem_extent *e = gmem_extent_from(inode, at);

		if (e && e->index <= at) { /* there already, all of it */
			f.index = e->index;
			f.nr = e->nr;
			continue;
		}
		ret = gmem_folio_get(inode, at, &f);
		if (ret)
			break;
		gmem_folio_unlock(f.pfn);
		gmem_page_unref(gmem_folio_pfn(&f, at), GMEM_REF_LOOKUP);
	}
	gmem_unlock_range(inode, offset >> GMEM_SHIFT, size >> GMEM_SHIFT, RT_LOCK_SH);
	gmem_free_work(NULL, false);
	return ret;
}
