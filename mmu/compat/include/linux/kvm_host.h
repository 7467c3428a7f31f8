/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's inner interface: VM, vCPU, memslot, requests, invalidation, and what KVM and guest_memfd
 * call of each other. Userspace's view is mmu/kvm_vm.h; the host that all VMs share is mmu/host.h;
 * page tables are behind mmu/mmu.h.
 *
 * Lock order, outer first (spec 2.1): kvm->lock > vcpu->mutex > slots_lock > gmem invalidate lock >
 * pamt_cache_lock > mmu_lock > {tdp_mmu_pages_lock, prealloc_split_cache_lock} > pamt_lock. vCPU
 * paths hold kvm->srcu for reading.
 */
#ifndef __KVM_HOST_H
#define __KVM_HOST_H

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/kvm_types.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include <asm/kvm-x86-ops.h>
#include <asm/kvm_host.h>

#include "mmu/host.h"
#include "mmu/kvm_vm.h"

#define KVM_MEMSLOT_INVALID (1U << 16) /* being deleted or moved */

/* --- memslots -------------------------------------------------------------------------------- */

struct kvm_memory_slot {
	struct kvm *kvm; /* whose VMM's memory is behind userspace_addr */
	gfn_t base_gfn;
	u64 npages;
	u32 flags;
	u16 id, as_id;
	u64 userspace_addr;
	struct kvm_arch_memory_slot arch;
	struct {
		/*
		 * NULL after unbind; not a reference. Written by gmem/ under slots_lock and its
		 * invalidate lock.
		 */
		struct kvm_gmem_file *file;
		pgoff_t pgoff; /* of base_gfn in the file, in 4K pages */
	} gmem;
};

/* The active set: immutable once published, replaced as a whole; ascending by base_gfn. */
struct kvm_memslots {
	u64 generation;
	u32 nr;
	struct kvm_memory_slot *slots[];
};

static inline bool kvm_slot_has_gmem(const struct kvm_memory_slot *slot)
{
	return slot && (slot->flags & KVM_MEM_GUEST_MEMFD);
}

static inline gfn_t gpa_to_gfn(gpa_t gpa)
{
	return gpa >> PAGE_SHIFT;
}

static inline gpa_t gfn_to_gpa(gfn_t gfn)
{
	return gfn << PAGE_SHIFT;
}

static inline hpa_t pfn_to_hpa(kvm_pfn_t pfn)
{
	return pfn << PAGE_SHIFT;
}

/* --- VM -------------------------------------------------------------------------------------- */

struct kvm_vm_stat {
	atomic64_t pages[KVM_NR_PAGE_SIZES]; /* present leaves by level - 1 */
};

struct kvm {
	struct kvm_host *host;
	struct list_head vm_list;
	const char *name;

	rwlock_t mmu_lock;
	struct mutex slots_lock;
	struct mutex lock;
	struct srcu_struct srcu;

	struct kvm_memslots *memslots; /* RCU by srcu; changed under slots_lock */
	struct kvm_vcpu **vcpus;       /* [created_vcpus], by order of creation */
	u32 created_vcpus, max_vcpus;
	refcount_t users_count; /* the VM descriptor and each gmem file */

	/*
	 * Per-VM attributes (policy vm_attrs=on): sorted runs of private gfns, under slots_lock.
	 * See mmu/mem_attr.c.
	 */
	struct kvm_mem_attr_run *mem_attr;
	u32 nr_mem_attr, cap_mem_attr;

	/* Invalidation; written under write mmu_lock (spec 1, gmem.md 1). */
	u64 mmu_invalidate_seq;
	long mmu_invalidate_in_progress;
	gfn_t mmu_invalidate_range_start, mmu_invalidate_range_end;

	/*
	 * Frames of the VMM's ordinary memory by userspace page, ascending. mmu/user_mem.c, under
	 * slots_lock or srcu.
	 */
	struct kvm_user_page *user_pages;
	u32 nr_user_pages, cap_user_pages;

	bool vm_bugged, vm_dead;
	struct kvm_vm_stat stat;
	struct kvm_arch arch;
};

/* "The VM type is TDX": private memory has a mirror and an external table. */
static inline bool kvm_has_mirrored_tdp(const struct kvm *kvm)
{
	return kvm->arch.has_private_mem;
}

/* --- vCPU ------------------------------------------------------------------------------------ */

enum {
	OUTSIDE_GUEST_MODE,
	IN_GUEST_MODE,
	EXITING_GUEST_MODE,
};

#define KVM_REQUEST_MASK      0xffU
#define KVM_REQUEST_NO_WAKEUP BIT(8)
#define KVM_REQUEST_WAIT      BIT(9)  /* return only when every target has left guest mode */
#define KVM_REQUEST_NO_ACTION BIT(10) /* only the kick matters: no request bit is set */

#define KVM_REQ_TLB_FLUSH		(0 | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_VM_DEAD			(1 | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_MMU_FREE_OBSOLETE_ROOTS (8 | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_OUTSIDE_GUEST_MODE \
	(KVM_REQUEST_NO_ACTION | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)

struct kvm_vcpu {
	struct kvm *kvm;
	struct mutex mutex; /* held by the ioctl that has it loaded */
	u32 vcpu_id, vcpu_idx;
	u32 cpu;       /* host CPU of its thread */
	u32 loaded_by; /* actor whose thread has it loaded; RT_NOBODY outside an actor */
	bool loaded;   /* between vcpu_load() and vcpu_put() */
	struct list_head loaded_list;
	int mode; /* OUTSIDE_GUEST_MODE ... */
	unsigned long requests;
	bool wants_to_run, signal;
	int srcu_idx;
	/* The last IPI of a request to all vCPUs: whoever waits for it looks here. */
	bool kicked;
	u32 kick_cpu;
	u64 kick_cookie;
	struct kvm_run run;
	void *data; /* the lab's */
	struct kvm_vcpu_arch arch;
};

#define kvm_for_each_vcpu(idx, vcpup, kvm) \
	for (idx = 0; idx < (kvm)->created_vcpus && ((vcpup) = (kvm)->vcpus[idx]); idx++)

/* The vCPU that the calling thread has loaded, NULL if none. */
struct kvm_vcpu *kvm_get_running_vcpu(void);
void vcpu_load(struct kvm_vcpu *vcpu);
void vcpu_put(struct kvm_vcpu *vcpu);
/*
 * Something besides the guest wants the thread's attention: interrupts are not modelled, so only
 * requests and signals.
 */
bool kvm_vcpu_has_events(struct kvm_vcpu *vcpu);
bool signal_pending_vcpu(const struct kvm_vcpu *vcpu);

void kvm_get_kvm(struct kvm *kvm);
/* The last put destroys the VM. May sleep. */
void kvm_put_kvm(struct kvm *kvm);

/* --- requests -------------------------------------------------------------------------------- */

static inline void kvm_make_request(u32 req, struct kvm_vcpu *vcpu)
{
	set_bit(req & KVM_REQUEST_MASK, &vcpu->requests);
}

static inline bool kvm_test_request(u32 req, const struct kvm_vcpu *vcpu)
{
	return test_bit(req & KVM_REQUEST_MASK, &vcpu->requests);
}

static inline bool kvm_check_request(u32 req, struct kvm_vcpu *vcpu)
{
	return kvm_test_request(req, vcpu) &&
	       test_and_clear_bit(req & KVM_REQUEST_MASK, &vcpu->requests);
}

static inline bool kvm_request_pending(const struct kvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests);
}

/*
 * kvm_make_all_cpus_request - make @req of every vCPU and kick those in guest mode; with
 * KVM_REQUEST_WAIT return when each of them has left it. Returns whether an IPI was sent. Callable
 * under mmu_lock; one kick for the statistics if it is OUTSIDE_GUEST_MODE.
 */
bool kvm_make_all_cpus_request(struct kvm *kvm, u32 req);
void kvm_vcpu_kick(struct kvm_vcpu *vcpu);
void kvm_flush_remote_tlbs(struct kvm *kvm);

/* --- VM death -------------------------------------------------------------------------------- */

static inline void kvm_vm_dead(struct kvm *kvm)
{
	kvm->vm_dead = true;
	kvm_make_all_cpus_request(kvm, KVM_REQ_VM_DEAD);
}

static inline void kvm_vm_bugged(struct kvm *kvm)
{
	kvm->vm_bugged = true;
	kvm_vm_dead(kvm);
}

/*
 * A condition that must not hold: the first time report it (rule "kvm-bug") and end the VM. The
 * value is the condition.
 */
bool kvm_bug_check(struct kvm *kvm, bool cond, const char *file, int line, const char *what);
#define KVM_BUG_ON(cond, kvm) kvm_bug_check(kvm, !!(cond), __FILE__, __LINE__, #cond)
#define KVM_MMU_WARN_ON(cond) WARN_ON_ONCE(cond)

/* --- memslot look-up; srcu held for reading, or slots_lock ----------------------------------- */

struct kvm_memslots *kvm_memslots(struct kvm *kvm);
struct kvm_memory_slot *gfn_to_memslot(struct kvm *kvm, gfn_t gfn);
struct kvm_memory_slot *id_to_memslot(struct kvm_memslots *slots, u32 id);
#define kvm_vcpu_gfn_to_memslot(vcpu, gfn) gfn_to_memslot((vcpu)->kvm, gfn)
#define kvm_for_each_memslot(slot, i, slots) \
	for (i = 0; i < (slots)->nr && ((slot) = (slots)->slots[i]); i++)

struct kvm_lpage_info *lpage_info_slot(gfn_t gfn, const struct kvm_memory_slot *slot, int level);
/*
 * Counter of each level above 4K at @gfn += @count; WARNs if a flag bit changes. Write mmu_lock or
 * slots_lock.
 */
void update_gfn_disallow_lpage_count(const struct kvm_memory_slot *slot, gfn_t gfn, int count);
/*
 * Whether the guest accepted below @level at @gfn; needs no lock (spec 2.2). @level above 1G:
 * false.
 */
bool hugepage_test_guest_inhibit(const struct kvm_memory_slot *slot, gfn_t gfn, int level);
/* Forbid @level at @gfn for ever. Write mmu_lock. @level above 1G: nothing. */
void hugepage_set_guest_inhibit(const struct kvm_memory_slot *slot, gfn_t gfn, int level);
/* Policy inhibit=clear: of all huge pages that lie wholly in [start, end). Write mmu_lock. */
void hugepage_clear_guest_inhibit(const struct kvm_memory_slot *slot, gfn_t start, gfn_t end);

/* --- ranges and invalidation; mmu_lock held for write ---------------------------------------- */

enum kvm_gfn_range_filter {
	KVM_FILTER_SHARED = BIT(0),
	KVM_FILTER_PRIVATE = BIT(1),
};

union kvm_mmu_notifier_arg {
	unsigned long attributes;
};

struct kvm_gfn_range {
	struct kvm_memory_slot *slot;
	gfn_t start, end;
	union kvm_mmu_notifier_arg arg;
	enum kvm_gfn_range_filter attr_filter;
	bool may_block;
	bool lockless;
	/*
	 * Policy zap_error=return: where the first refused removal is told, besides
	 * kvm_gmem_zap_failed(); may be NULL.
	 */
	int *zap_error;
	bool must_zap; /* nobody can take an error: a refused removal ends the VM */
};

/* in_progress++; the first begin makes the range empty, range_add grows it to the union. */
void kvm_mmu_invalidate_begin(struct kvm *kvm);
void kvm_mmu_invalidate_range_add(struct kvm *kvm, gfn_t start, gfn_t end);
/* seq++, in_progress--; below zero is a KVM bug. */
void kvm_mmu_invalidate_end(struct kvm *kvm);

/*
 * Whether a fault on @gfn that took its snapshot at @mmu_seq must be retried. mmu_lock held, either
 * way.
 */
bool mmu_invalidate_retry_gfn(struct kvm *kvm, unsigned long mmu_seq, gfn_t gfn);
/* The same before the lock: may miss, never wrongly says no for good. */
bool mmu_invalidate_retry_gfn_unsafe(struct kvm *kvm, unsigned long mmu_seq, gfn_t gfn);

/* --- the MMU's services to guest_memfd and kvm_main (mmu/mmu.c, mmu/tdp_mmu.c) --------------- */

/*
 * Remove the leaves of [start, end) of the roots that attr_filter names; true: flush needed. Write
 * mmu_lock.
 */
bool kvm_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range);
/*
 * v3 split API: every leaf that crosses an end of the range is split to 4K. 0, -ENOMEM,
 * -EOPNOTSUPP, -EIO. May drop mmu_lock.
 */
int kvm_split_cross_boundary_leafs(struct kvm *kvm, struct kvm_gfn_range *range, bool shared);
/*
 * Around the two split calls that want write mmu_lock: that lock, and the mutex of the cache that the
 * splits draw from (split_cache=mutex). Outside of it a split may find the cache drained, and fills
 * it again.
 */
void kvm_arch_split_lock(struct kvm *kvm);
void kvm_arch_split_unlock(struct kvm *kvm);
/*
 * v5 split API: before @start..@end change to shared; takes mutex and mmu_lock itself. 0 or -errno.
 */
int kvm_arch_gmem_convert(struct kvm *kvm, gfn_t start, gfn_t end, bool to_private);
/*
 * Split what is larger than @target of the mirror leaves around [start, end). Write mmu_lock, may
 * drop it. 0 or -errno.
 */
int kvm_tdp_mmu_mirrors_split_huge_pages(struct kvm *kvm, gfn_t start, gfn_t end, int target_level);
/*
 * The same under read mmu_lock (shared_split=nonblocking); also -EBUSY, then drop the lock and come
 * again.
 */
int kvm_tdp_mmu_mirrors_split_shared(struct kvm *kvm, gfn_t start, gfn_t end, int target_level);
/*
 * BLOCK the mirror leaves that have a part in [start, end), one TRACK for all / give those of them
 * back to the guest that were neither split nor removed since. Write mmu_lock, inside an
 * invalidation. 0, or -EIO: the module refused, the VM is gone. Only gmem's BLOCK_ABORT does this.
 */
int kvm_mmu_block_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end);
int kvm_mmu_unblock_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end);
/* Statistics: @count leaves of @level (1..3) came or went. */
void kvm_update_page_stats(struct kvm *kvm, int level, int count);

/* --- guest_memfd's services to KVM (gmem/) --------------------------------------------------- */

/*
 * kvm_gmem_get_pfn - the page behind @gfn, allocated and prepared. *@max_order: largest order at
 * which it may be mapped (0, 9, 18). *@page: reference to drop with kvm_gmem_put_page() after the
 * mapping was installed, or NULL. Sleeps; srcu held. Errors: -EFAULT, -EIO, -EHWPOISON, -ENOMEM
 * (gmem.md 2.2).
 */
int kvm_gmem_get_pfn(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn, kvm_pfn_t *pfn,
		     struct page **page, int *max_order);
void kvm_gmem_put_page(struct page *page); /* NULL allowed */
/*
 * The removal of a leaf failed: the module may still have these pages. Write mmu_lock; does not
 * sleep. What the file does about it is its policy zap_error (gmem.md P10).
 */
void kvm_gmem_zap_failed(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, u64 nr);
/* Order at which @gfn may be mapped now, without getting it; under mmu_lock. */
int kvm_gmem_mapping_order(const struct kvm_memory_slot *slot, gfn_t gfn);
/*
 * Whether the file behind @gfn's slot says that it is private; false without a file. No lock
 * needed.
 */
bool kvm_gmem_is_private_mem(struct kvm *kvm, gfn_t gfn);
/* The same for those who only look: no lock is taken, whatever P11 says. */
bool kvm_gmem_peek_private(const struct kvm_memory_slot *slot, gfn_t gfn);
/* Whether gfns of @slot agree, modulo @mask, with what backs it as P18 wants for huge pages. */
bool kvm_gmem_lpage_aligned(const struct kvm_memory_slot *slot, u64 mask);
/*
 * Bind @slot to @file at byte @offset / undo it. slots_lock held; unbind after SRCU (gmem.md 2.11).
 */
int kvm_gmem_bind(struct kvm *kvm, struct kvm_memory_slot *slot, struct kvm_gmem_file *file,
		  u64 offset);
void kvm_gmem_unbind(struct kvm_memory_slot *slot);

/*
 * kvm_gmem_populate - initial memory: for each page of [start_gfn, +npages) call @post_populate
 * with the page behind it and the HPA of its source page, invalidate lock held exclusively.
 * slots_lock held. Pages done, or -errno if none was.
 */
typedef int (*kvm_gmem_populate_cb)(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, u64 src_hpa,
				    int order, void *opaque);
long kvm_gmem_populate(struct kvm *kvm, gfn_t start_gfn, u64 src_hpa, long npages,
		       kvm_gmem_populate_cb post_populate, void *opaque);

/* --- attributes and exits -------------------------------------------------------------------- */

/* Per-VM array or guest_memfd, by policy vm_attrs. */
bool kvm_mem_is_private(struct kvm *kvm, gfn_t gfn);
void kvm_prepare_memory_fault_exit(struct kvm_vcpu *vcpu, gpa_t gpa, gpa_t size, bool is_write,
				   bool is_exec, bool is_private);

/*
 * Per-VM attributes (vm_attrs=on): whether all of [start, end) has @attrs under @mask. slots_lock
 * or mmu_lock. mmu/mem_attr.c.
 */
bool kvm_range_has_memory_attributes(struct kvm *kvm, gfn_t start, gfn_t end, u64 mask, u64 attrs);

#define KVM_PFN_ERR_MASK  (0x7ffULL << 52)
#define KVM_PFN_ERR_FAULT (KVM_PFN_ERR_MASK)
static inline bool is_error_pfn(kvm_pfn_t pfn)
{
	return pfn & KVM_PFN_ERR_MASK;
}

/*
 * __kvm_faultin_pfn - the VMM's ordinary memory behind a slot (shared pages when attributes are per
 * VM): the frame at @gfn's userspace address, zeroed when it is first touched. KVM_PFN_ERR_FAULT
 * for a slot without userspace memory. It is never moved or taken away, so *@refcounted_page is
 * NULL. mmu/user_mem.c.
 */
kvm_pfn_t __kvm_faultin_pfn(const struct kvm_memory_slot *slot, gfn_t gfn, unsigned int foll,
			    bool *writable, struct page **refcounted_page);

/*
 * Fill @mc to @min objects at least (-ENOMEM) / take one (never fails: falls back with a WARN) /
 * give all back.
 */
int kvm_mmu_topup_memory_cache(struct kvm_mmu_memory_cache *mc, int min);
void *kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc);
int kvm_mmu_memory_cache_nr_free_objects(struct kvm_mmu_memory_cache *mc);
void kvm_mmu_free_memory_cache(struct kvm_mmu_memory_cache *mc);

#endif
