// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private or shared per VM (policy vm_attrs=on): the array of attributes and
 * KVM_SET_MEMORY_ATTRIBUTES (spec 2.10). With vm_attrs=off the attribute is the gmem file's, and
 * only the question is answered here.
 */
#include <string.h>

#include <linux/kvm_host.h>

#include "mmu/mmu.h"

/*
 * Private gfns [start, end). Invariant of the array: ascending, not empty, no two touch. Everything
 * else is shared.
 */
struct kvm_mem_attr_run {
	gfn_t start, end;
};

static bool vm_attrs(void)
{
	return kvm_policy(KVM_POLICY_VM_ATTRS) == KVM_VM_ATTRS_ON;
}

/* The first run that ends behind @gfn, nr_mem_attr if none does. */
static u32 find_run(const struct kvm *kvm, gfn_t gfn)
{
	u32 lo = 0, hi = kvm->nr_mem_attr;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (kvm->mem_attr[mid].end <= gfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool kvm_range_has_memory_attributes(struct kvm *kvm, gfn_t start, gfn_t end, u64 mask, u64 attrs)
{
	const u32 i = find_run(kvm, start);
	const struct kvm_mem_attr_run *run = i < kvm->nr_mem_attr ? &kvm->mem_attr[i] : NULL;

	if (!(mask & KVM_MEMORY_ATTRIBUTE_PRIVATE))
		return true;
	if (attrs & KVM_MEMORY_ATTRIBUTE_PRIVATE)
		return run && run->start <= start && run->end >= end;
	return !run || run->start >= end;
}

bool kvm_mem_is_private(struct kvm *kvm, gfn_t gfn)
{
	if (!vm_attrs())
		return kvm_gmem_is_private_mem(kvm, gfn);
	return kvm_range_has_memory_attributes(kvm, gfn, gfn + 1, KVM_MEMORY_ATTRIBUTE_PRIVATE,
					       KVM_MEMORY_ATTRIBUTE_PRIVATE);
}

bool kvm_look_private(const struct kvm *kvm, u64 gfn)
{
	if (vm_attrs()) {
		const u32 i = find_run(kvm, gfn);

		return i < kvm->nr_mem_attr && kvm->mem_attr[i].start <= gfn;
	}
	return kvm_gmem_peek_private(gfn_to_memslot((struct kvm *)kvm, gfn), gfn);
}

u64 kvm_look_attr_end(const struct kvm *kvm, u64 gfn)
{
	const u32 i = find_run(kvm, gfn);

	if (i == kvm->nr_mem_attr)
		return ~0ULL;
	return kvm->mem_attr[i].start <= gfn ? kvm->mem_attr[i].end : kvm->mem_attr[i].start;
}

/*
 * Room for two more runs: a change splits one run at the most and adds one. The kernel's
 * xa_reserve().
 */
static int reserve_runs(struct kvm *kvm)
{
	if (compat_should_fail("attr-alloc"))
		return -ENOMEM;
	if (kvm->nr_mem_attr + 2 > kvm->cap_mem_attr) {
		kvm->cap_mem_attr = 2 * kvm->cap_mem_attr + 4;
		kvm->mem_attr =
			rt_realloc(kvm->mem_attr, kvm->cap_mem_attr * sizeof(*kvm->mem_attr));
	}
	return 0;
}

static void insert_run(struct kvm *kvm, u32 at, gfn_t start, gfn_t end)
{
	memmove(&kvm->mem_attr[at + 1], &kvm->mem_attr[at],
		(kvm->nr_mem_attr - at) * sizeof(*kvm->mem_attr));
	kvm->mem_attr[at] = (struct kvm_mem_attr_run){start, end};
	kvm->nr_mem_attr++;
}

static void remove_runs(struct kvm *kvm, u32 from, u32 to)
{
	memmove(&kvm->mem_attr[from], &kvm->mem_attr[to],
		(kvm->nr_mem_attr - to) * sizeof(*kvm->mem_attr));
	kvm->nr_mem_attr -= to - from;
}

static void store_shared(struct kvm *kvm, gfn_t start, gfn_t end)
{
	u32 from = find_run(kvm, start), to;
	gfn_t tail;

	if (from < kvm->nr_mem_attr && kvm->mem_attr[from].start < start) {
		tail = kvm->mem_attr[from].end;
		kvm->mem_attr[from].end = start;
		from++;
		if (tail > end)
			insert_run(kvm, from, end, tail);
	}
	for (to = from; to < kvm->nr_mem_attr && kvm->mem_attr[to].end <= end; to++)
		;
	remove_runs(kvm, from, to);
	if (from < kvm->nr_mem_attr && kvm->mem_attr[from].start < end)
		kvm->mem_attr[from].start = end;
}

static void store_private(struct kvm *kvm, gfn_t start, gfn_t end)
{
	/* Also a run that ends where this one begins is swallowed. */
	const u32 from = find_run(kvm, start ? start - 1 : 0);
	u32 to;

	for (to = from; to < kvm->nr_mem_attr && kvm->mem_attr[to].start <= end; to++) {
		start = min(start, kvm->mem_attr[to].start);
		end = max(end, kvm->mem_attr[to].end);
	}
	remove_runs(kvm, from, to);
	insert_run(kvm, from, start, end);
}

/* --- the ioctl ------------------------------------------------------------------------------- */

/*
 * Call @handler for each slot's part of @range in one write section. < 0: error, which ends it; >
 * 0: flush.
 */
static int handle_gfn_range(struct kvm *kvm, const struct kvm_gfn_range *range,
			    void (*on_lock)(struct kvm *kvm),
			    int (*handler)(struct kvm *kvm, struct kvm_gfn_range *range))
{
	struct kvm_memslots *slots = kvm_memslots(kvm);
	struct kvm_memory_slot *slot;
	bool locked = false, flush = false;
	int ret = 0;
	u32 i;

	kvm_for_each_memslot(slot, i, slots) {
		struct kvm_gfn_range part = *range;

		part.slot = slot;
		part.start = max(range->start, slot->base_gfn);
		part.end = min(range->end, slot->base_gfn + slot->npages);
		if (part.start >= part.end)
			continue;
		if (!locked) {
			locked = true;
			write_lock(&kvm->mmu_lock);
			on_lock(kvm);
		}
		ret = handler(kvm, &part);
		if (ret < 0)
			break;
		flush |= ret;
	}
	/*
	 * What was zapped before an error is gone from the tables, so it must be gone from the TLBs
	 * too.
	 */
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	if (locked)
		write_unlock(&kvm->mmu_lock);
	return min(ret, 0);
}

static int pre_set(struct kvm *kvm, struct kvm_gfn_range *range)
{
	kvm_mmu_invalidate_range_add(kvm, range->start, range->end);
	return kvm_arch_pre_set_memory_attributes(kvm, range);
}

static int post_set(struct kvm *kvm, struct kvm_gfn_range *range)
{
	return kvm_arch_post_set_memory_attributes(kvm, range);
}

/*
 * Split and zap, store, recompute what is MIXED. After a failed split the second pass runs all the
 * same, over what is still stored: the invalidation that the first pass began must end (B65).
 */
static int set_attributes_locked(struct kvm *kvm, gfn_t start, gfn_t end, u64 attributes)
{
	struct kvm_gfn_range range = {
		.start = start,
		.end = end,
		.arg.attributes = attributes,
		.attr_filter = attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE ? KVM_FILTER_SHARED
									 : KVM_FILTER_PRIVATE,
		.may_block = true,
	};
	int ret;

	if (kvm_range_has_memory_attributes(kvm, start, end, KVM_MEMORY_ATTRIBUTE_PRIVATE,
					    attributes))
		return 0;
	ret = reserve_runs(kvm);
	if (ret)
		return ret;
	ret = handle_gfn_range(kvm, &range, kvm_mmu_invalidate_begin, pre_set);
	if (!ret && (attributes & KVM_MEMORY_ATTRIBUTE_PRIVATE))
		store_private(kvm, start, end);
	else if (!ret)
		store_shared(kvm, start, end);
	KVM_BUG_ON(handle_gfn_range(kvm, &range, kvm_mmu_invalidate_end, post_set) < 0, kvm);
	return ret;
}

int kvm_vm_ioctl_set_mem_attributes(struct kvm *kvm, u64 gpa, u64 size, u64 attributes)
{
	int ret;

	if (kvm->vm_dead)
		return -EIO;
	if (!vm_attrs())
		return -ENOTTY;
	if ((attributes & ~KVM_MEMORY_ATTRIBUTE_PRIVATE) || !size || gpa + size < gpa ||
	    !IS_ALIGNED(gpa | size, PAGE_SIZE))
		return -EINVAL;
	mutex_lock(&kvm->slots_lock);
	ret = set_attributes_locked(kvm, gpa_to_gfn(gpa), gpa_to_gfn(gpa + size), attributes);
	mutex_unlock(&kvm->slots_lock);
	return ret;
}
