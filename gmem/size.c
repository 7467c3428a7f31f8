// SPDX-License-Identifier: GPL-2.0-only
/*
 * The size rule (P2): how large a leaf may be over an index, as folio, as contiguous memory, or as
 * attributes alone. What KVM does with the answer, and which other limits it has, is KVM's
 * business.
 */
#include <linux/kvm_host.h>

#include "gmem/internal.h"

/* All of [index, index + nr) belongs to the block that begins at @pfn, in order. */
static bool contiguous(const struct gmem_inode *inode, u64 index, u64 nr, u64 pfn)
{
	const struct gmem_extent *e;
	u64 at = index;

	for (e = gmem_extent_from(inode, index); e && at < index + nr; e = gmem_extent_next(e)) {
		if (e->index > at || e->pfn + (at - e->index) != pfn + (at - index))
			return false;
		at = e->index + e->nr;
	}
	return at >= index + nr;
}

/*
 * ATTR reads the attributes alone, which is enough where memory comes and goes in whole blocks. A
 * THP has holes of 4K, and so has HugeTLB under P12 SPLIT: the page in a hole is another's.
 */
static bool blocks_are_whole(const struct gmem_inode *inode)
{
	return inode->page_order && gmem_policy(inode, GMEM_P_HOLE) != GMEM_HOLE_SPLIT;
}

/* By the sub-switch of P2; what the module did not give back is nobody's in any case (P10). */
static bool pages_usable(const struct gmem_inode *inode, u64 pfn, u64 nr)
{
	if (gmem_policy(inode, GMEM_P_SIZE_POISON) == GMEM_POISON_BREAKS &&
	    gmem_pages_poisoned(pfn, nr))
		return false;
	return !gmem_pages_failed(pfn, nr);
}

u8 gmem_max_order(const struct gmem_inode *inode, u64 index)
{
	static const u8 orders[] = {GMEM_ORDER_1G, GMEM_ORDER_2M};
	u8 rule = gmem_policy(inode, GMEM_P_SIZE_RULE), i;
	u64 value = gmem_is_private(inode, index) ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
	struct gmem_folio f;

	if (!gmem_folio_at(inode, index, &f))
		return 0;
	/*
	 * P13 NONE: shared memory is mapped at 4K, since host mappings are. The others allow one
	 * leaf over a block that is all shared, whatever its folios.
	 */
	if (!value && gmem_policy(inode, GMEM_P_SHARED_HUGE) == GMEM_HUGE_SHARED_NONE)
		return 0;
	if (!value)
		rule = GMEM_SIZE_CONTIG;
	/*
	 * FOLIO: zap callbacks cannot know why they run, so only the folio says what may be torn
	 * down as one; it mirrors the primary MMU, and a buggy split shows at once.
	 */
	if (rule == GMEM_SIZE_FOLIO)
		return f.order;
	/*
	 * CONTIG and ATTR: folios are split only for the sake of shared pages' reference counts;
	 * the memory stays contiguous and private, and KVM must not infer sizes from folios. The
	 * aligned block is what counts, not the pages from @index on (B18).
	 */
	for (i = 0; i < RT_ARRAY_SIZE(orders); i++) {
		u64 start = gmem_round_down(index, orders[i]), nr = GMEM_PAGES(orders[i]);
		u64 pfn = gmem_folio_pfn(&f, index) - (index - start);

		if (orders[i] > inode->max_order || orders[i] > f.orig_order ||
		    start + nr > inode->nr_pages)
			continue;
		if (!gmem_attr_uniform(inode, start, nr, value) || !pages_usable(inode, pfn, nr))
			continue;
		if ((rule == GMEM_SIZE_ATTR && blocks_are_whole(inode)) ||
		    contiguous(inode, start, nr, pfn))
			return orders[i];
	}
	return 0;
}

bool kvm_gmem_lpage_aligned(const struct kvm_memory_slot *slot, u64 mask)
{
	const struct kvm_gmem_file *file = slot->gmem.file;
	u8 rule = file ? gmem_policy(file->inode, GMEM_P_LPAGE_ALIGN) : GMEM_LPAGE_SKIP_UGFN;
	bool ugfn = !((slot->base_gfn ^ (slot->userspace_addr >> PAGE_SHIFT)) & mask);
	bool pgoff = !((slot->base_gfn ^ slot->gmem.pgoff) & mask);

	switch (rule) {
	case GMEM_LPAGE_UGFN: /* stock: a slot of guest_memfd need not have a useful address (B4) */
		return ugfn;
	case GMEM_LPAGE_PGOFF:
		return ugfn && pgoff;
	case GMEM_LPAGE_SKIP_ALL:
		return true;
	default:
		return pgoff;
	}
}
