// SPDX-License-Identifier: GPL-2.0-only
/*
 * lpage_info: for each huge page of a slot, why it may not be mapped huge (spec 1). Counters and
 * the guest's inhibit are here; MIXED changes with the attributes in the MMU
 * (kvm_arch_pre/post_set_memory_attributes).
 */
#include <linux/kvm_host.h>

#include "mmu/memslots.h"

#define LPAGE_FLAGS (KVM_LPAGE_MIXED_FLAG | KVM_LPAGE_GUEST_INHIBIT_FLAG)

static u64 gfn_to_index(gfn_t gfn, gfn_t base_gfn, int level)
{
	return (gfn >> KVM_HPAGE_GFN_SHIFT(level)) - (base_gfn >> KVM_HPAGE_GFN_SHIFT(level));
}

struct kvm_lpage_info *lpage_info_slot(gfn_t gfn, const struct kvm_memory_slot *slot, int level)
{
	return &slot->arch.lpage_info[level - 2][gfn_to_index(gfn, slot->base_gfn, level)];
}

void update_gfn_disallow_lpage_count(const struct kvm_memory_slot *slot, gfn_t gfn, int count)
{
	struct kvm_lpage_info *linfo;
	u32 old;
	int level;

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		linfo = lpage_info_slot(gfn, slot, level);
		old = linfo->disallow_lpage;
		linfo->disallow_lpage += count;
		WARN_ON_ONCE((old ^ linfo->disallow_lpage) & LPAGE_FLAGS);
	}
}

bool hugepage_test_guest_inhibit(const struct kvm_memory_slot *slot, gfn_t gfn, int level)
{
	if (level > KVM_MAX_HUGEPAGE_LEVEL)
		return false;
	return READ_ONCE(lpage_info_slot(gfn, slot, level)->disallow_lpage) &
	       KVM_LPAGE_GUEST_INHIBIT_FLAG;
}

/*
 * A set flag says that the split is done, so it may be read without a lock (spec 2.2). Write
 * mmu_lock, or, where a split needs no more (shared_split=nonblocking), read mmu_lock.
 */
void hugepage_set_guest_inhibit(const struct kvm_memory_slot *slot, gfn_t gfn, int level)
{
	struct kvm_lpage_info *linfo;

	if (level > KVM_MAX_HUGEPAGE_LEVEL)
		return;
	if (slot->kvm->host->non_blocking_resize)
		lockdep_assert_held(&slot->kvm->mmu_lock);
	else
		lockdep_assert_held_write(&slot->kvm->mmu_lock);
	linfo = lpage_info_slot(gfn, slot, level);
	WRITE_ONCE(linfo->disallow_lpage, linfo->disallow_lpage | KVM_LPAGE_GUEST_INHIBIT_FLAG);
}

/*
 * The alternative of policy inhibit=clear: what is not mapped may be mapped huge again. The series
 * has no such function (R11).
 */
void hugepage_clear_guest_inhibit(const struct kvm_memory_slot *slot, gfn_t start, gfn_t end)
{
	gfn_t gfn, pages;
	int level;

	lockdep_assert_held_write(&slot->kvm->mmu_lock);
	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		pages = KVM_PAGES_PER_HPAGE(level);
		for (gfn = ALIGN(start, pages); gfn + pages <= end; gfn += pages)
			lpage_info_slot(gfn, slot, level)->disallow_lpage &=
				~(u32)KVM_LPAGE_GUEST_INHIBIT_FLAG;
	}
}

/*
 * Whether gfns are congruent with what backs them, so that a huge page can be mapped at all: for
 * guest_memfd as its policy says (gmem.md P18), else with the userspace address, where huge pages
 * of the VMM would begin.
 */
static bool backing_aligned(const struct kvm_memory_slot *slot, u64 mask)
{
	if (slot->flags & KVM_MEM_GUEST_MEMFD)
		return kvm_gmem_lpage_aligned(slot, mask);
	return !((slot->base_gfn ^ (slot->userspace_addr >> PAGE_SHIFT)) & mask);
}

static void init_level(struct kvm_memory_slot *slot, struct kvm_lpage_info *linfo, u64 nr,
		       int level)
{
	const u64 mask = KVM_PAGES_PER_HPAGE(level) - 1;
	u64 i;

	if (slot->base_gfn & mask)
		linfo[0].disallow_lpage = 1;
	if ((slot->base_gfn + slot->npages) & mask)
		linfo[nr - 1].disallow_lpage = 1;
	if (backing_aligned(slot, mask))
		return;
	for (i = 0; i < nr; i++)
		linfo[i].disallow_lpage = 1;
}

/*
 * Attributes outlive slots: a new slot may lie over a range that is mixed already. Only huge pages
 * wholly inside count (B52).
 */
static void init_mixed(struct kvm *kvm, struct kvm_memory_slot *slot, int level)
{
	const u64 pages = KVM_PAGES_PER_HPAGE(level);
	gfn_t gfn, end = slot->base_gfn + slot->npages;

	for (gfn = round_up(slot->base_gfn, pages); gfn + pages <= end; gfn += pages) {
		if (!kvm_range_has_memory_attributes(kvm, gfn, gfn + pages,
						     KVM_MEMORY_ATTRIBUTE_PRIVATE, 0) &&
		    !kvm_range_has_memory_attributes(kvm, gfn, gfn + pages,
						     KVM_MEMORY_ATTRIBUTE_PRIVATE,
						     KVM_MEMORY_ATTRIBUTE_PRIVATE))
			lpage_info_slot(gfn, slot, level)->disallow_lpage |= KVM_LPAGE_MIXED_FLAG;
	}
}

void kvm_alloc_lpage_info(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	struct kvm_lpage_info *linfo;
	int level;
	u64 nr;

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		nr = gfn_to_index(slot->base_gfn + slot->npages - 1, slot->base_gfn, level) + 1;
		linfo = rt_zalloc(nr * sizeof(*linfo));
		slot->arch.lpage_info[level - 2] = linfo;
		init_level(slot, linfo, nr, level);
		if (kvm->nr_mem_attr)
			init_mixed(kvm, slot, level);
	}
}

void kvm_free_lpage_info(struct kvm_memory_slot *slot)
{
	int level;

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++)
		rt_free(slot->arch.lpage_info[level - 2]);
}
