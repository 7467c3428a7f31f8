// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM gets from guest_memfd: the page behind a gfn, how large it may be mapped, its attribute,
 * initial memory (gmem.md 2.2, 2.13). The rules for in-flight faults (snapshot, stale check) are
 * KVM's; here they show as locks and references only. Host faults are in host.c.
 */
#include <linux/kvm_host.h>

#include "gmem/internal.h"

/* get_file_active(): a reference to the slot's file, unless it is being closed. */
static struct kvm_gmem_file *file_get(const struct kvm_memory_slot *slot)
{
	struct kvm_gmem_file *file = slot->gmem.file;

	if (!file || file->closing)
		return NULL;
	file->users++;
	return file;
}

static void file_put(struct kvm_gmem_file *file)
{
	assert(file->users);
	file->users--;
}

static u64 slot_index(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return gfn - slot->base_gfn + slot->gmem.pgoff;
}

static bool bound_at(const struct kvm_gmem_file *file, const struct kvm_memory_slot *slot,
		     u64 index)
{
	const struct gmem_binding *b;

	TAILQ_FOREACH(b, &file->bindings, link)
		if (b->slot == slot)
			return index - b->index < b->nr;
	return false;
}

/*
 * All that a leaf of the largest allowed size would map is zeroed before KVM hears of it: under
 * CONTIG and ATTR that is more than the folio, and a neighbour zeroed later would lose what the
 * guest has written there.
 */
static void make_mappable(struct gmem_inode *inode, u64 index, const struct gmem_folio *f)
{
	u8 order = gmem_max_order(inode, index);

	if (order < f->order)
		order = f->order;
	gmem_make_uptodate(inode, gmem_round_down(index, order), GMEM_PAGES(order));
}

/* invalidate_lock held. The folio comes back unlocked, with its LOOKUP reference. */
static int get_page_locked(struct kvm_gmem_file *file, u64 index, struct gmem_folio *f)
{
	int ret = gmem_folio_get(file->inode, index, f);

	if (ret)
		return ret;
	/* By folio, as the kernel tests it: one bad 4K refuses its whole huge page (B23). */
	if (gmem_pages_poisoned(f->pfn, f->nr))
		ret = -EHWPOISON;
	else if (gmem_pages_failed(gmem_folio_pfn(f, index), 1))
		ret = -EIO; /* the module has it still, under the old mapping */
	else
		make_mappable(file->inode, index, f);
	gmem_folio_unlock(f->pfn);
	if (ret)
		gmem_page_unref(gmem_folio_pfn(f, index), GMEM_REF_LOOKUP);
	return ret;
}

int kvm_gmem_get_pfn(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn, kvm_pfn_t *pfn,
		     struct page **page, int *max_order)
{
	struct kvm_gmem_file *file = file_get(slot);
	struct gmem_inode *inode;
	struct gmem_folio f;
	u64 index = slot_index(slot, gfn);
	int ret;

	*page = NULL;
	if (!file)
		return -EFAULT;
	inode = file->inode;
	/* While a conversion holds it exclusively, vCPUs queue here (P19). */
	gmem_lock_range(inode, index, 1, RT_LOCK_SH);
	if (slot->gmem.file != file)
		ret = -EFAULT;
	else if (!bound_at(file, slot, index))
		ret = -EIO;
	else
		ret = get_page_locked(file, index, &f);
	if (!ret) {
		*pfn = gmem_folio_pfn(&f, index);
		*max_order = gmem_max_order(inode, index);
		/*
		 * [W] keeps the reference until the mapping is in; later trees trust the stale
		 * check (gmem.md 1).
		 */
		if (gmem_policy(inode, GMEM_P_GET_PFN_REF) == GMEM_PFN_REF_HOLD)
			*page = pfn_to_page(*pfn);
		else
			gmem_page_unref(*pfn, GMEM_REF_LOOKUP);
	}
	gmem_unlock_range(inode, index, 1, RT_LOCK_SH);
	gmem_free_work(NULL, false);
	file_put(file);
	return ret;
}

void kvm_gmem_put_page(struct page *page)
{
	if (page)
		gmem_page_unref(page_to_pfn(page), GMEM_REF_LOOKUP);
}

int kvm_gmem_mapping_order(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	const struct kvm_gmem_file *file = slot->gmem.file;

	return file ? gmem_max_order(file->inode, slot_index(slot, gfn)) : 0;
}

bool kvm_gmem_is_private_mem(struct kvm *kvm, gfn_t gfn)
{
	const struct kvm_memory_slot *slot = gfn_to_memslot(kvm, gfn);

	if (!slot || !slot->gmem.file)
		return false;
	return gmem_attr_read(slot->gmem.file->inode, slot_index(slot, gfn));
}

bool kvm_gmem_peek_private(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	const struct kvm_gmem_file *file = slot ? slot->gmem.file : NULL;

	return file && gmem_is_private(file->inode, slot_index(slot, gfn));
}

static int populate_one(struct kvm *kvm, struct kvm_gmem_file *file, gfn_t gfn, u64 index,
			u64 src_hpa, kvm_gmem_populate_cb post_populate, void *opaque)
{
	struct gmem_folio f;
	u64 pfn;
	int ret;

	/*
	 * Zeroed first, although it will be overwritten: a source that fails must not leak host
	 * memory (B11).
	 */
	ret = get_page_locked(file, index, &f);
	if (ret)
		return ret;
	pfn = gmem_folio_pfn(&f, index);
	ret = -EINVAL;
	if (gmem_is_private(file->inode, index)) /* in place: the page is its own source */
		ret = post_populate(kvm, gfn, pfn, src_hpa ? src_hpa : pfn_to_hpa(pfn), 0, opaque);
	gmem_page_unref(pfn, GMEM_REF_LOOKUP);
	return ret;
}

long kvm_gmem_populate(struct kvm *kvm, gfn_t start_gfn, u64 src_hpa, long npages,
		       kvm_gmem_populate_cb post_populate, void *opaque)
{
	struct kvm_memory_slot *slot = gfn_to_memslot(kvm, start_gfn);
	struct kvm_gmem_file *file;
	long i, max;
	int ret = 0;

	lockdep_assert_held(&kvm->slots_lock);
	if (npages < 0 || !kvm_slot_has_gmem(slot))
		return -EINVAL;
	file = file_get(slot);
	if (!file)
		return -EFAULT;
	max = slot->npages - (start_gfn - slot->base_gfn);
	if (npages > max)
		npages = max;
	if (!src_hpa && gmem_policy(file->inode, GMEM_P_INIT_MEM) != GMEM_INIT_INPLACE) {
		file_put(file);
		return -EOPNOTSUPP;
	}
	rt_lock_take(&file->inode->invalidate_lock, RT_LOCK_EX);
	for (i = 0; i < npages; i++) {
		gfn_t gfn = start_gfn + i;

		ret = populate_one(kvm, file, gfn, slot_index(slot, gfn),
				   src_hpa ? src_hpa + (u64)i * PAGE_SIZE : 0, post_populate,
				   opaque);
		if (ret)
			break;
	}
	rt_lock_release(&file->inode->invalidate_lock, RT_LOCK_EX);
	file_put(file);
	return ret && !i ? ret : i;
}
