// SPDX-License-Identifier: GPL-2.0-only
/*
 * The size rule (P2): how large a leaf may be over an index, as folio, as contiguous memory, or as
 * attributes alone. What KVM does with the answer, and which other limits it has, is KVM's
 * business.
 */
#include "gmem/internal.h"
#include "mmu/kvm_vm.h"

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

u8 gmem_max_order(const struct gmem_inode *inode, u64 index)
{
	static const u8 orders[] = {GMEM_ORDER_1G, GMEM_ORDER_2M};
	u8 rule = gmem_policy(inode, GMEM_P_SIZE_RULE), i;
	struct gmem_folio f;

	/* Shared memory is mapped at 4K whatever the folio: host mappings are 4K (P13 NONE). */
	if (!gmem_is_private(inode, index) || !gmem_folio_at(inode, index, &f))
		return 0;
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
		if (!gmem_attr_uniform(inode, start, nr, KVM_MEMORY_ATTRIBUTE_PRIVATE))
			continue;
		if (rule == GMEM_SIZE_ATTR || contiguous(inode, start, nr, pfn))
			return orders[i];
	}
	return 0;
}
