// SPDX-License-Identifier: GPL-2.0-only
/*
 * The building blocks of a conversion, one function a letter of gmem.md 2.6: A U R B E F Z S N M,
 * and those that single flows add (H the arch hook, X the split of SEPT_FIRST, n an early end, m an
 * early merge). A block knows nothing of its neighbours; the order, and what an error undoes, is in
 * flows.c.
 */
#include "gmem/internal.h"
#include "mmu/kvm_vm.h"
#include "sim/rt/fault.h"
#include "sim/rt/world.h"

static u64 convert_end(const struct gmem_convert *c)
{
	return c->start + c->nr;
}

/* A: what the store will need, so that S cannot fail. */
static int step_prealloc(struct gmem_convert *c)
{
	return gmem_attr_prealloc(c->inode, c->start, c->nr, c->value, &c->pre);
}

/* P: vmemmap ahead of B, so that F cannot lack it (P4 ON_PREALLOC). */
static int step_vmemmap(struct gmem_convert *c)
{
	if (c->to_private || gmem_policy(c->inode, GMEM_P_HVO_UNDO) == GMEM_HVO_AT_SPLIT ||
	    gmem_policy(c->inode, GMEM_P_SHARED_HUGE) == GMEM_HUGE_SHARED_REFCOUNT)
		return 0;
	return gmem_vmemmap_prealloc(c->inode, c->start, convert_end(c));
}

/* U: host page tables of the exact range. Nothing to undo on failure: host faults come back. */
static int step_unmap(struct gmem_convert *c)
{
	if (!c->to_private)
		return 0;
	if (gmem_policy(c->inode, GMEM_P_SHARED_STAGE2) == GMEM_STAGE2_NOTIFIER)
		gmem_kvm_notify_unmap(c->inode, c->start, c->nr);
	gmem_host_unmap(c->inode, c->start, c->nr);
	return 0;
}

/*
 * One pass over the folios of the range: a reference anywhere on a folio makes all of it unsafe.
 * @large_only: to-shared asks for the sake of F, which leaves 4K folios alone.
 */
static bool refs_safe(struct gmem_inode *inode, u64 start, u64 end, bool large_only, u64 *err_index)
{
	bool by_page = gmem_policy(inode, GMEM_P_SHARED_HUGE) == GMEM_HUGE_SHARED_REFCOUNT;
	const struct gmem_extent *e;
	u64 from, to, at;
	u8 order;

	for (e = gmem_extent_from(inode, start); e && e->index < end; e = gmem_extent_next(e)) {
		if (large_only && (!e->order || by_page))
			continue;
		order = by_page ? 0 : e->order;
		from = gmem_round_down(gmem_max(start, e->index), order);
		to = gmem_min(gmem_round_up(end, order), e->index + e->nr);
		if (gmem_pages_safe(e->pfn + (from - e->index), to - from, &at)) {
			if (!gmem_tdx_refs(inode, from, to - from))
				continue;
			at = e->pfn + (from - e->index);
		}
		/* Where the unsafe folio begins, but never below what was asked for (B8). */
		at = gmem_round_down(e->index + (at - e->pfn), order);
		*err_index = gmem_max(start, at);
		return false;
	}
	return true;
}

static int check_refs(struct gmem_inode *inode, u64 start, u64 nr, bool large_only, bool *drained,
		      u64 *err_index)
{
	/* Somebody's reference that no scenario asked for: this one check meets it, and no drain helps. */
	const bool met = rt_fault_fire("ref-check", 0, NULL);

	if (refs_safe(inode, start, start + nr, large_only, err_index) && !met)
		return 0;
	/*
	 * Pages that were faulted in just now sit in lru_add batches: drain, but once a request
	 * (B10).
	 */
	if (!*drained) {
		*drained = true;
		gmem_drain_lru();
		if (refs_safe(inode, start, start + nr, large_only, err_index) && !met)
			return 0;
	}
	if (met)
		*err_index = start;
	return -EAGAIN;
}

int gmem_check_refs(struct gmem_inode *inode, u64 start, u64 nr, bool *drained, u64 *err_index)
{
	return check_refs(inode, start, nr, false, drained, err_index);
}

/* R: to-private always; to-shared only where P6 prefers an error to spinning in the freeze of F. */
static int step_refs(struct gmem_convert *c)
{
	if (!c->to_private && gmem_policy(c->inode, GMEM_P_TOSHARED_REFS) == GMEM_REFS_SPIN)
		return 0;
	return check_refs(c->inode, c->start, c->nr, !c->to_private, c->drained, &c->err_index);
}

/*
 * B: over the aligned range, because a stale fault is known by its gfn only, not by the leaf it
 * would install.
 */
static int step_begin(struct gmem_convert *c)
{
	gmem_kvm_begin(c->inode, c->inval_start, c->inval_nr);
	c->begun = true;
	return 0;
}

/* E: leaves that cross an end of the exact range; fully covered ones stay huge. */
static int step_split_sept(struct gmem_convert *c)
{
	return c->to_private ? 0 : gmem_kvm_split_ends(c->inode, c->start, c->nr);
}

/* K: BLOCK what the range maps; metadata and contents stay. */
static int step_block(struct gmem_convert *c)
{
	c->blocked = true;
	return gmem_kvm_block(c->inode, c->start, c->nr);
}

/* k: the way back from K. */
static int step_unblock(struct gmem_convert *c)
{
	c->blocked = false;
	return gmem_kvm_unblock(c->inode, c->start, c->nr);
}

/*
 * H: the arch hook, for all files and slots before the first zap; x86 does nothing to-private. What
 * it looks at is P14's question.
 */
static int step_hook(struct gmem_convert *c)
{
	if (c->to_private)
		return gmem_kvm_convert_hook(c->inode, c->start, c->nr, true);
	return gmem_kvm_split_ends(c->inode, c->start, c->nr);
}

/* The part of E' for one folio: down to the size that F is about to give it. */
static int shrink_leaves(struct gmem_convert *c, const struct gmem_folio *f)
{
	u64 end = gmem_min(convert_end(c), f->index + f->nr), at, to;
	int ret;

	if (f->order < GMEM_ORDER_1G ||
	    gmem_policy(c->inode, GMEM_P_SPLIT_SHAPE) == GMEM_SHAPE_UNIFORM)
		return gmem_kvm_split_to(c->inode, f->index, f->nr, 0);
	ret = gmem_kvm_split_to(c->inode, f->index, f->nr, GMEM_ORDER_2M);
	at = gmem_round_down(gmem_max(c->start, f->index), GMEM_ORDER_2M);
	to = gmem_round_up(end, GMEM_ORDER_2M);
	return ret ? ret : gmem_kvm_split_to(c->inode, at, to - at, 0);
}

/*
 * X: SEPT_FIRST's E'. Where folios are 4K already a larger leaf may lie over them only under CONTIG
 * and ATTR.
 */
static int step_shrink(struct gmem_convert *c)
{
	const struct gmem_extent *e;
	struct gmem_folio f;
	u64 at = c->start, end = convert_end(c), stop;
	int ret = 0;

	if (c->to_private)
		return 0;
	while (!ret && at < end && (e = gmem_extent_from(c->inode, at)) && e->index < end) {
		if (e->order) {
			gmem_folio_next(c->inode, at, end, &f);
			ret = shrink_leaves(c, &f);
			at = f.index + f.nr;
			continue;
		}
		at = gmem_max(at, e->index);
		stop = gmem_min(end, e->index + e->nr);
		ret = gmem_kvm_split_to(c->inode, at, stop - at, 0);
		at = stop;
	}
	return ret;
}

/*
 * Whether all of a block will be private once the batch has succeeded (or is now, without a range).
 */
static bool block_private(struct gmem_inode *inode, u64 block, u64 start, u64 end)
{
	u64 nr = GMEM_PAGES(inode->page_order), last = block + nr;

	if (start <= block && end >= last)
		return true;
	if (start >= last || end <= block)
		return gmem_attr_uniform(inode, block, nr, KVM_MEMORY_ATTRIBUTE_PRIVATE);
	return (start <= block ||
		gmem_attr_uniform(inode, block, start - block, KVM_MEMORY_ATTRIBUTE_PRIVATE)) &&
	       (end >= last ||
		gmem_attr_uniform(inode, end, last - end, KVM_MEMORY_ATTRIBUTE_PRIVATE));
}

/*
 * Blocks of the batch that are all private; @ahead: counting the range itself as private already.
 */
static void merge_blocks(struct gmem_convert *c, bool ahead)
{
	u8 order = c->inode->page_order;
	u64 block;

	if (!order)
		return;
	for (block = gmem_round_down(c->start, order); block < convert_end(c);
	     block += GMEM_PAGES(order)) {
		u64 start = ahead ? c->start : block, end = ahead ? convert_end(c) : block;

		/*
		 * A fragment that somebody holds keeps the block in pieces: a lost optimisation, no
		 * error.
		 */
		if (block_private(c->inode, block, start, end))
			(void)gmem_block_merge(c->inode, block);
	}
}

/* F: all folios of the range to 4K. */
static int step_split_folios(struct gmem_convert *c)
{
	int ret;

	/* REFCOUNT (P13): shared pages are counted one by one, so their folio may stay whole. */
	if (c->to_private || gmem_policy(c->inode, GMEM_P_SHARED_HUGE) == GMEM_HUGE_SHARED_REFCOUNT)
		return 0;
	ret = gmem_range_split(c->inode, c->start, convert_end(c), &c->err_index);
	if (ret && gmem_policy(c->inode, GMEM_P_SPLIT_FAIL) == GMEM_FAIL_MERGE_BACK)
		merge_blocks(c, false);
	return ret;
}

/* Whether Z itself may end in an error (P7, P10, P14): then it is no point of no return. */
static bool zap_can_fail(const struct gmem_inode *inode)
{
	return gmem_policy(inode, GMEM_P_SPLIT_API) == GMEM_API_IN_ZAP ||
	       gmem_policy(inode, GMEM_P_ZAP_ERROR) == GMEM_ZAPERR_RETURN ||
	       gmem_policy(inode, GMEM_P_TDX_REF) == GMEM_TDX_REF_ON_ERROR;
}

/*
 * Z: the exact range, and for TDX the point of no return: pages lose their contents and the guest
 * must accept again. The roots follow from the old attribute, whatever S has done since.
 */
static int step_zap(struct gmem_convert *c)
{
	int ret;

	if (!c->to_private && (c->fragile || zap_can_fail(c->inode)))
		c->unmapped = gmem_kvm_mapped(c->inode, c->start, c->nr);
	ret = gmem_kvm_zap(c->inode, c->start, c->nr,
			   c->to_private ? GMEM_ROOTS_SHARED : GMEM_ROOTS_PRIVATE);
	if (ret)
		return ret;
	c->blocked = false; /* and whatever K blocked of them is gone */
	return gmem_zap_errors(c->inode);
}

/* N. */
static int step_end(struct gmem_convert *c)
{
	if (c->begun)
		gmem_kvm_end(c->inode, c->inval_start, c->inval_nr);
	c->begun = false;
	return 0;
}

static bool store_after_end(const struct gmem_convert *c)
{
	return gmem_policy(c->inode, GMEM_P_SEQ_ORDER) == GMEM_SEQ_AFTER;
}

/*
 * n: where a flow as posted ended the invalidation, before the store (B6); only P21 STORE_AFTER
 * still does.
 */
static int step_end_early(struct gmem_convert *c)
{
	return store_after_end(c) ? step_end(c) : 0;
}

/*
 * S: cannot fail. Strictly between B and N, or a fault that began after N could still see the old
 * value.
 */
static int step_store(struct gmem_convert *c)
{
	if (store_after_end(c))
		step_end(c);
	gmem_attr_store(c->inode, c->start, c->nr, c->value, &c->pre);
	return 0;
}

/*
 * m: a merge before the store. OLD_TREE asks the tree as it is and so never merges (B3);
 * STORE_FIRST leaves it to M.
 */
static int step_merge_early(struct gmem_convert *c)
{
	u8 view = gmem_policy(c->inode, GMEM_P_MERGE_VIEW);

	if (!c->to_private || view == GMEM_VIEW_STORE_FIRST)
		return 0;
	merge_blocks(c, view == GMEM_VIEW_REST_PRIVATE);
	c->merge_tried = true;
	return 0;
}

/* M: after the store, so the tree already says what it will say. */
static int step_merge(struct gmem_convert *c)
{
	if (c->to_private && !c->merge_tried)
		merge_blocks(c, false);
	return 0;
}

static const struct gmem_step steps[] = {
	{'A', "prealloc", step_prealloc},
	{'P', "prealloc-vmemmap", step_vmemmap},
	{'U', "unmap-host", step_unmap},
	{'R', "check-refs", step_refs},
	{'B', "invalidate-begin", step_begin},
	{'E', "split-sept", step_split_sept},
	{'H', "arch-hook", step_hook},
	{'X', "shrink-sept", step_shrink},
	{'F', "split-folios", step_split_folios},
	{'K', "block", step_block},
	{'k', "unblock", step_unblock},
	{'Z', "zap", step_zap},
	{'n', "invalidate-end-early", step_end_early},
	{'S', "store", step_store},
	{'N', "invalidate-end", step_end},
	{'m', "merge-early", step_merge_early},
	{'M', "merge", step_merge},
};

int gmem_step_run(struct gmem_convert *c, char letter)
{
	u32 i = 0;
	int ret;

	while (steps[i].letter != letter) {
		i++;
		assert(i < RT_ARRAY_SIZE(steps));
	}
	ret = steps[i].fn(c);
	gmem_trace_step(c, &steps[i], ret);
	return ret;
}
