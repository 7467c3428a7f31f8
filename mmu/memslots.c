// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots: the active set, look-up under SRCU, creation and deletion. The set is replaced as a
 * whole and the old one freed after an SRCU grace period, while slots_lock is held (spec 1): a
 * fault that waits for slots_lock inside its SRCU section would wait for ever (B46). lpage_info is
 * in mmu/lpage.c.
 */
#include <string.h>

#include <linux/kvm_host.h>

#include "mmu/memslots.h"
#include "mmu/mmu.h"

#define KVM_USER_MEM_SLOTS   512
#define KVM_MEM_MAX_NR_PAGES ((1ULL << 31) - 1)

static struct kvm_memslots *alloc_set(u32 nr, u64 generation)
{
	struct kvm_memslots *set = rt_zalloc(sizeof(*set) + nr * sizeof(set->slots[0]));

	set->generation = generation;
	return set;
}

void kvm_init_memslots(struct kvm *kvm)
{
	kvm->memslots = alloc_set(0, 0);
}

static void free_slot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	if (slot->flags & KVM_MEM_GUEST_MEMFD)
		kvm_gmem_unbind(slot);
	kvm_free_lpage_info(slot);
	rt_free(slot);
}

void kvm_free_memslots(struct kvm *kvm)
{
	u32 i;

	for (i = 0; i < kvm->memslots->nr; i++)
		free_slot(kvm, kvm->memslots->slots[i]);
	rt_free(kvm->memslots);
	kvm->memslots = NULL;
}

struct kvm_memslots *kvm_memslots(struct kvm *kvm)
{
	return srcu_dereference_check(kvm->memslots, &kvm->srcu, lockdep_is_held(&kvm->slots_lock));
}

/* The number of slots that begin at or below @gfn. */
static u32 slots_up_to(const struct kvm_memslots *set, gfn_t gfn)
{
	u32 lo = 0, hi = set->nr;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (set->slots[mid]->base_gfn <= gfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct kvm_memory_slot *gfn_to_memslot(struct kvm *kvm, gfn_t gfn)
{
	struct kvm_memslots *set = kvm_memslots(kvm);
	u32 at = slots_up_to(set, gfn);

	if (!at || gfn - set->slots[at - 1]->base_gfn >= set->slots[at - 1]->npages)
		return NULL;
	return set->slots[at - 1];
}

struct kvm_memory_slot *id_to_memslot(struct kvm_memslots *set, u32 id)
{
	u32 i;

	for (i = 0; i < set->nr; i++) {
		if (set->slots[i]->id == id)
			return set->slots[i];
	}
	return NULL;
}

/*
 * A set with @old replaced by @new; either may be NULL. Publishes it, waits for readers of the
 * former one, frees that.
 */
static void replace_slot(struct kvm *kvm, struct kvm_memory_slot *old, struct kvm_memory_slot *new)
{
	struct kvm_memslots *was = kvm_memslots(kvm);
	struct kvm_memslots *set = alloc_set(was->nr + 1, was->generation + 1);
	u32 i;

	for (i = 0; i < was->nr; i++) {
		if (new && (!set->nr || set->slots[set->nr - 1] != new) &&
		    was->slots[i]->base_gfn >= new->base_gfn) {
			set->slots[set->nr++] = new;
			new = NULL;
		}
		if (was->slots[i] != old)
			set->slots[set->nr++] = was->slots[i];
	}
	if (new)
		set->slots[set->nr++] = new;
	rcu_assign_pointer(kvm->memslots, set);
	synchronize_srcu(&kvm->srcu);
	rt_free(was);
}

/*
 * First a copy that is marked invalid goes in, so that no new fault uses the slot; when all that
 * did are gone the leaves go, and then the slot, or @new takes its place. Tables stay (spec 2.6, S9).
 */
static void swap_out_slot(struct kvm *kvm, struct kvm_memory_slot *old, struct kvm_memory_slot *new)
{
	struct kvm_memory_slot *invalid = rt_alloc(sizeof(*invalid));

	*invalid = *old;
	invalid->flags |= KVM_MEMSLOT_INVALID;
	replace_slot(kvm, old, invalid);
	kvm_mmu_zap_memslot(kvm, old);
	replace_slot(kvm, invalid, new);
	rt_free(invalid);
	free_slot(kvm, old);
}

/* Whether a slot other than @but has a page of the range. */
static bool overlaps(struct kvm *kvm, gfn_t base, u64 npages, const struct kvm_memory_slot *but)
{
	struct kvm_memslots *set = kvm_memslots(kvm);
	u32 at;

	for (at = slots_up_to(set, base + npages - 1); at; at--) {
		if (set->slots[at - 1]->base_gfn + set->slots[at - 1]->npages <= base)
			return false;
		if (set->slots[at - 1] != but)
			return true;
	}
	return false;
}

static struct kvm_memory_slot *new_slot(struct kvm *kvm,
					const struct kvm_userspace_memory_region2 *mem)
{
	struct kvm_memory_slot *slot = rt_zalloc(sizeof(*slot));

	slot->kvm = kvm;
	slot->id = mem->slot;
	slot->base_gfn = gpa_to_gfn(mem->guest_phys_addr);
	slot->npages = PHYS_PFN(mem->memory_size);
	slot->flags = mem->flags;
	slot->userspace_addr = mem->userspace_addr;
	return slot;
}

static int create_slot(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem)
{
	struct kvm_memory_slot *slot;
	int ret;

	if (overlaps(kvm, gpa_to_gfn(mem->guest_phys_addr), PHYS_PFN(mem->memory_size), NULL))
		return -EEXIST;
	slot = new_slot(kvm, mem);
	if (mem->flags & KVM_MEM_GUEST_MEMFD) {
		ret = kvm_gmem_bind(kvm, slot, mem->guest_memfd, mem->guest_memfd_offset);
		if (ret) {
			rt_free(slot);
			return ret;
		}
	}
	kvm_alloc_lpage_info(kvm, slot);
	replace_slot(kvm, NULL, slot);
	return 0;
}

/* Private memory is never read-only, and its place in the file is as aligned as everything else. */
static bool region_is_sane(const struct kvm_userspace_memory_region2 *mem)
{
	const bool gmem = mem->flags & KVM_MEM_GUEST_MEMFD;

	if (mem->slot >= KVM_USER_MEM_SLOTS ||
	    (mem->flags & ~(KVM_MEM_READONLY | KVM_MEM_GUEST_MEMFD)))
		return false;
	if (!IS_ALIGNED(mem->memory_size | mem->guest_phys_addr | mem->userspace_addr, PAGE_SIZE))
		return false;
	if (gmem && ((mem->flags & KVM_MEM_READONLY) || !mem->guest_memfd ||
		     !IS_ALIGNED(mem->guest_memfd_offset, PAGE_SIZE) ||
		     mem->guest_memfd_offset + mem->memory_size < mem->guest_memfd_offset))
		return false;
	if (PHYS_PFN(mem->memory_size) > KVM_MEM_MAX_NR_PAGES)
		return false;
	return mem->guest_phys_addr + mem->memory_size >= mem->guest_phys_addr;
}

/*
 * The slot begins elsewhere: as a deletion and a creation in one, with the same wait for readers in
 * the middle. What the guest had mapped at the old place goes. Refused, as in the kernel: anything
 * about a slot with guest_memfd, whose offsets are bound, another size, other memory of userspace,
 * another read-only flag.
 */
static int move_slot(struct kvm *kvm, struct kvm_memory_slot *old,
		     const struct kvm_userspace_memory_region2 *mem)
{
	struct kvm_memory_slot *slot;

	if (((old->flags | mem->flags) & KVM_MEM_GUEST_MEMFD) ||
	    old->npages != PHYS_PFN(mem->memory_size) ||
	    old->userspace_addr != mem->userspace_addr || old->flags != mem->flags)
		return -EINVAL;
	if (old->base_gfn == gpa_to_gfn(mem->guest_phys_addr))
		return 0;
	if (overlaps(kvm, gpa_to_gfn(mem->guest_phys_addr), old->npages, old))
		return -EEXIST;
	slot = new_slot(kvm, mem);
	kvm_alloc_lpage_info(kvm, slot);
	swap_out_slot(kvm, old, slot);
	return 0;
}

static int set_region_locked(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem)
{
	struct kvm_memory_slot *old = id_to_memslot(kvm_memslots(kvm), mem->slot);

	if (!mem->memory_size) {
		if (!old)
			return -EINVAL;
		swap_out_slot(kvm, old, NULL);
		return 0;
	}
	return old ? move_slot(kvm, old, mem) : create_slot(kvm, mem);
}

int kvm_vm_ioctl_set_memory_region(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem)
{
	int ret;

	if (kvm->vm_dead)
		return -EIO;
	if (!region_is_sane(mem))
		return -EINVAL;
	mutex_lock(&kvm->slots_lock);
	ret = set_region_locked(kvm, mem);
	mutex_unlock(&kvm->slots_lock);
	return ret;
}
