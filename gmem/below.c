// SPDX-License-Identifier: GPL-2.0-only
/*
 * What guest_memfd asks of KVM: begin, split, zap and end for every file of an inode and every slot
 * bound to the range. The only room that takes mmu_lock or calls the MMU; index ranges become gfn
 * ranges here. The order of these calls is made in flows.c, hole.c and memfail.c.
 */
#include <linux/kvm_host.h>

#include "gmem/internal.h"

/* The part of [start, start + nr) that @b shows, as gfns. */
static bool slot_range(const struct gmem_binding *b, u64 start, u64 nr, enum gmem_roots roots,
		       struct kvm_gfn_range *r)
{
	u64 from = gmem_max(start, b->index), to = gmem_min(start + nr, b->index + b->nr);

	if (from >= to)
		return false;
	*r = (struct kvm_gfn_range){
		.slot = b->slot,
		.start = b->slot->base_gfn + (from - b->index),
		.end = b->slot->base_gfn + (to - b->index),
		.attr_filter = (roots & GMEM_ROOTS_PRIVATE ? KVM_FILTER_PRIVATE : 0) |
			       (roots & GMEM_ROOTS_SHARED ? KVM_FILTER_SHARED : 0),
		.may_block = true,
	};
	return true;
}

static bool file_bound(const struct kvm_gmem_file *file, u64 start, u64 nr)
{
	const struct gmem_binding *b;
	struct kvm_gfn_range r;

	TAILQ_FOREACH(b, &file->bindings, link)
		if (slot_range(b, start, nr, GMEM_ROOTS_BOTH, &r))
			return true;
	return false;
}

/* mmu_lock held for write. */
static void file_begin(struct kvm_gmem_file *file, u64 start, u64 nr)
{
	struct gmem_binding *b;
	struct kvm_gfn_range r;

	kvm_mmu_invalidate_begin(file->kvm);
	TAILQ_FOREACH(b, &file->bindings, link)
		if (slot_range(b, start, nr, GMEM_ROOTS_BOTH, &r))
			kvm_mmu_invalidate_range_add(file->kvm, r.start, r.end);
}

/*
 * P14 IN_ZAP: the zap splits what it is about to cut, one leaf at each end. mmu_lock held for write,
 * may be dropped.
 */
static int zap_split_ends(struct kvm *kvm, const struct kvm_gfn_range *r)
{
	const gfn_t pages = GMEM_PAGES(GMEM_ORDER_2M);
	const gfn_t head = gmem_round_down(r->start, GMEM_ORDER_2M);
	const gfn_t tail = gmem_round_down(r->end, GMEM_ORDER_2M);
	int ret = 0;

	if (head != r->start)
		ret = kvm_tdp_mmu_mirrors_split_huge_pages(kvm, head, head + pages, PG_LEVEL_4K);
	if (!ret && tail != r->end && (tail != head || head == r->start))
		ret = kvm_tdp_mmu_mirrors_split_huge_pages(kvm, tail, tail + pages, PG_LEVEL_4K);
	return ret;
}

/* mmu_lock held for write. */
static void file_zap(struct kvm_gmem_file *file, u64 start, u64 nr, enum gmem_roots roots)
{
	struct gmem_binding *b;
	struct kvm_gfn_range r;
	bool flush = false;

	TAILQ_FOREACH(b, &file->bindings, link)
		if (slot_range(b, start, nr, roots, &r))
			flush |= kvm_mmu_unmap_gfn_range(file->kvm, &r);
	if (flush)
		kvm_flush_remote_tlbs(file->kvm);
}

/*
 * Bindings change only under invalidate_lock held exclusively, so between begin and end the same
 * files have slots in the range, and begin and end stay balanced without a record of who began.
 */
void gmem_kvm_begin(struct gmem_inode *inode, u64 start, u64 nr)
{
	struct kvm_gmem_file *file;

	assert(rt_lock_held_any(&inode->invalidate_lock));
	TAILQ_FOREACH(file, &inode->files, link) {
		if (!file_bound(file, start, nr))
			continue;
		write_lock(&file->kvm->mmu_lock);
		file_begin(file, start, nr);
		file->invalidating++;
		write_unlock(&file->kvm->mmu_lock);
	}
}

void gmem_kvm_end(struct gmem_inode *inode, u64 start, u64 nr)
{
	struct kvm_gmem_file *file;

	TAILQ_FOREACH(file, &inode->files, link) {
		if (!file_bound(file, start, nr))
			continue;
		write_lock(&file->kvm->mmu_lock);
		assert(file->invalidating);
		file->invalidating--;
		kvm_mmu_invalidate_end(file->kvm);
		write_unlock(&file->kvm->mmu_lock);
	}
}

/*
 * Slot by slot and file by file: those in front of a split that failed are zapped (which is why the
 * idea was given up, gmem.md P14).
 */
static int file_split_and_zap(struct kvm_gmem_file *file, u64 start, u64 nr, enum gmem_roots roots)
{
	struct gmem_binding *b;
	struct kvm_gfn_range r;
	bool flush = false;
	int ret = 0;

	kvm_arch_split_lock(file->kvm);
	TAILQ_FOREACH(b, &file->bindings, link) {
		if (!slot_range(b, start, nr, roots, &r))
			continue;
		if (roots & GMEM_ROOTS_PRIVATE)
			ret = zap_split_ends(file->kvm, &r);
		if (ret)
			break;
		flush |= kvm_mmu_unmap_gfn_range(file->kvm, &r);
	}
	if (flush)
		kvm_flush_remote_tlbs(file->kvm);
	kvm_arch_split_unlock(file->kvm);
	return ret;
}

int gmem_kvm_zap(struct gmem_inode *inode, u64 start, u64 nr, enum gmem_roots roots)
{
	struct kvm_gmem_file *file;
	int ret;

	if (gmem_policy(inode, GMEM_P_SPLIT_API) != GMEM_API_IN_ZAP) {
		gmem_kvm_zap_whole(inode, start, nr, roots);
		return 0;
	}
	assert(rt_lock_held_any(&inode->invalidate_lock));
	TAILQ_FOREACH(file, &inode->files, link) {
		if (!file_bound(file, start, nr))
			continue;
		ret = file_split_and_zap(file, start, nr, roots);
		if (ret)
			return ret;
	}
	return 0;
}

void gmem_kvm_zap_whole(struct gmem_inode *inode, u64 start, u64 nr, enum gmem_roots roots)
{
	struct kvm_gmem_file *file;

	assert(rt_lock_held_any(&inode->invalidate_lock));
	TAILQ_FOREACH(file, &inode->files, link) {
		if (!file_bound(file, start, nr))
			continue;
		write_lock(&file->kvm->mmu_lock);
		file_zap(file, start, nr, roots);
		write_unlock(&file->kvm->mmu_lock);
	}
}

void gmem_kvm_zap_file(struct kvm_gmem_file *file)
{
	u64 nr = file->inode->nr_pages;

	if (TAILQ_EMPTY(&file->bindings))
		return;
	write_lock(&file->kvm->mmu_lock);
	file_begin(file, 0, nr);
	file->invalidating++;
	file_zap(file, 0, nr, GMEM_ROOTS_BOTH);
	file->invalidating--;
	kvm_mmu_invalidate_end(file->kvm);
	write_unlock(&file->kvm->mmu_lock);
}

void gmem_kvm_notify_unmap(struct gmem_inode *inode, u64 start, u64 nr)
{
	struct kvm_gmem_file *file;

	TAILQ_FOREACH(file, &inode->files, link) {
		if (!file_bound(file, start, nr))
			continue;
		write_lock(&file->kvm->mmu_lock);
		file_begin(file, start, nr);
		file_zap(file, start, nr, GMEM_ROOTS_SHARED);
		kvm_mmu_invalidate_end(file->kvm);
		write_unlock(&file->kvm->mmu_lock);
	}
}

/*
 * v3's walk: one write section a file; splits that were done stay when a later one fails (gmem.md
 * 2.7).
 */
static int file_split_crossing(struct kvm_gmem_file *file, u64 start, u64 nr)
{
	struct gmem_binding *b;
	struct kvm_gfn_range r;
	int ret = 0; /* not a bool: -ENOMEM must not become 1 (B17) */

	if (!file_bound(file, start, nr))
		return 0;
	kvm_arch_split_lock(file->kvm);
	TAILQ_FOREACH(b, &file->bindings, link) {
		if (slot_range(b, start, nr, GMEM_ROOTS_PRIVATE, &r))
			ret = kvm_split_cross_boundary_leafs(file->kvm, &r, false);
		if (ret)
			break;
	}
	kvm_arch_split_unlock(file->kvm);
	return ret;
}

int gmem_kvm_convert_hook(struct gmem_inode *inode, u64 start, u64 nr, bool to_private)
{
	struct kvm_gmem_file *file;
	struct gmem_binding *b;
	struct kvm_gfn_range r;
	int ret;

	TAILQ_FOREACH(file, &inode->files, link) {
		TAILQ_FOREACH(b, &file->bindings, link) {
			if (!slot_range(b, start, nr, GMEM_ROOTS_BOTH, &r))
				continue;
			ret = kvm_arch_gmem_convert(file->kvm, r.start, r.end, to_private);
			if (ret)
				return ret;
		}
	}
	return 0;
}

int gmem_kvm_split_ends(struct gmem_inode *inode, u64 start, u64 nr)
{
	struct kvm_gmem_file *file;
	int ret;

	switch (gmem_policy(inode, GMEM_P_SPLIT_API)) {
	case GMEM_API_HEAD_TAIL:
		return gmem_kvm_convert_hook(inode, start, nr, false);
	case GMEM_API_IN_ZAP:
		return 0;
	}
	TAILQ_FOREACH(file, &inode->files, link) {
		ret = file_split_crossing(file, start, nr);
		if (ret)
			return ret;
	}
	return 0;
}

int gmem_kvm_split_to(struct gmem_inode *inode, u64 start, u64 nr, u8 order)
{
	int level = order == GMEM_ORDER_2M ? PG_LEVEL_2M : PG_LEVEL_4K, ret = 0;
	struct kvm_gmem_file *file;
	struct gmem_binding *b;
	struct kvm_gfn_range r;

	TAILQ_FOREACH(file, &inode->files, link) {
		if (!file_bound(file, start, nr))
			continue;
		kvm_arch_split_lock(file->kvm);
		TAILQ_FOREACH(b, &file->bindings, link) {
			if (slot_range(b, start, nr, GMEM_ROOTS_PRIVATE, &r))
				ret = kvm_tdp_mmu_mirrors_split_huge_pages(file->kvm, r.start,
									   r.end, level);
			if (ret)
				break;
		}
		kvm_arch_split_unlock(file->kvm);
		if (ret)
			return ret;
	}
	return 0;
}

static int each_private(struct gmem_inode *inode, u64 start, u64 nr,
			int (*fn)(struct kvm *kvm, gfn_t start, gfn_t end))
{
	struct kvm_gmem_file *file;
	struct gmem_binding *b;
	struct kvm_gfn_range r;
	int ret = 0, err;

	TAILQ_FOREACH(file, &inode->files, link) {
		if (!file_bound(file, start, nr))
			continue;
		write_lock(&file->kvm->mmu_lock);
		TAILQ_FOREACH(b, &file->bindings, link) {
			if (!slot_range(b, start, nr, GMEM_ROOTS_PRIVATE, &r))
				continue;
			err = fn(file->kvm, r.start, r.end);
			ret = ret ? ret : err;
		}
		write_unlock(&file->kvm->mmu_lock);
	}
	return ret;
}

int gmem_kvm_block(struct gmem_inode *inode, u64 start, u64 nr)
{
	return each_private(inode, start, nr, kvm_mmu_block_gfn_range);
}

int gmem_kvm_unblock(struct gmem_inode *inode, u64 start, u64 nr)
{
	return each_private(inode, start, nr, kvm_mmu_unblock_gfn_range);
}

struct mapped_count {
	u64 start, end, pages;
};

static bool count_leaf(void *ctx, const struct kvm_spte_view *v)
{
	struct mapped_count *c = ctx;
	u64 nr = KVM_PAGES_PER_HPAGE(v->level), from, to;

	if (!v->leaf)
		return true;
	from = gmem_max(v->gfn, c->start);
	to = gmem_min(v->gfn + nr, c->end);
	if (from < to)
		c->pages += to - from;
	return true;
}

u64 gmem_kvm_mapped(const struct gmem_inode *inode, u64 start, u64 nr)
{
	const struct kvm_gmem_file *file;
	const struct gmem_binding *b;
	struct kvm_gfn_range r;
	struct mapped_count c = {.pages = 0};

	TAILQ_FOREACH(file, &inode->files, link) {
		TAILQ_FOREACH(b, &file->bindings, link) {
			if (!slot_range(b, start, nr, GMEM_ROOTS_PRIVATE, &r))
				continue;
			c.start = r.start;
			c.end = r.end;
			kvm_for_each_spte(file->kvm, true, r.start, r.end - r.start, count_leaf,
					  &c);
		}
	}
	return c.pages;
}
