/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TDX objects of KVM: struct kvm_tdx, struct vcpu_tdx, and what the life-cycle side (mmu/tdx_vm.c)
 * and the S-EPT side (mmu/tdx_sept.c) call of each other. SEAMCALL wrappers are in
 * mmu/tdx_seamcall.h.
 */
#ifndef MMU_TDX_H
#define MMU_TDX_H

#include <linux/kvm_host.h>

#include "mmu/mmu_internal.h"
#include "mmu/tdx_seamcall.h"

enum kvm_tdx_state {
	TD_STATE_UNINITIALIZED = 0,
	TD_STATE_INITIALIZED,
	TD_STATE_RUNNABLE,
};

struct kvm_tdx {
	struct kvm kvm;
	struct tdx_td td;
	int hkid; /* -1: none (before INIT_VM, after the key's release) */
	enum kvm_tdx_state state;
	u64 attributes;
	bool sept_ve_disable, gpaw5;
	char name[32];
	/*
	 * Source of the page that INIT_MEM_REGION adds now: HPA | 1, so that page 0 is a source
	 * too; 0: none. slots_lock.
	 */
	u64 page_add_src;
	/*
	 * BUSY was seen: nobody may enter. Written under write mmu_lock, read by tdx_vcpu_run()
	 * without.
	 */
	bool wait_for_sept_zap;

	/* split_cache=spin (v3) */
	struct tdx_pamt_cache prealloc_split_cache;
	spinlock_t prealloc_split_cache_lock;
	/* split_cache=mutex (v5) */
	struct tdx_pamt_cache pamt_cache;
	struct mutex pamt_cache_lock;

	/* Leaves that were blocked ahead (mmu/tdx_block.c). Write mmu_lock. */
	struct {
		gfn_t gfn;
		u8 level;
	} * blocked;
	u32 nr_blocked, cap_blocked;
};

enum vcpu_tdx_state {
	VCPU_TD_STATE_UNINITIALIZED = 0,
	VCPU_TD_STATE_INITIALIZED,
};

struct vcpu_tdx {
	struct kvm_vcpu vcpu;
	struct tdx_vp vp;
	enum vcpu_tdx_state state;
	bool associated; /* the module has it on an LP: vcpu->cpu */

	/* Of the last exit: RAX, RCX, RDX, R8, R9. */
	u64 vp_enter_ret;
	u64 exit_qualification;
	u64 ext_exit_qualification;
	gpa_t exit_gpa;
	u64 exit_intr_info;
	bool exit_valid; /* false: entry was refused, there is nothing to handle (B42) */
	struct tdx_module_args vp_enter_args;

	gpa_t map_gpa_next, map_gpa_end;
	bool map_gpa_to_private, map_gpa_pending;

	struct tdx_pamt_cache pamt_cache; /* filled before mmu_lock by topup_external_cache */
};

static inline struct kvm_tdx *to_kvm_tdx(struct kvm *kvm)
{
	return container_of(kvm, struct kvm_tdx, kvm);
}

static inline struct vcpu_tdx *to_tdx(struct kvm_vcpu *vcpu)
{
	return container_of(vcpu, struct vcpu_tdx, vcpu);
}

static inline bool is_hkid_assigned(const struct kvm_tdx *kvm_tdx)
{
	return kvm_tdx->hkid > 0;
}

/* @gpa carries the shared bit. */
static inline bool kvm_is_private_gpa(const struct kvm *kvm, gpa_t gpa)
{
	return !(gpa & gfn_to_gpa(kvm->arch.gfn_direct_bits));
}

/*
 * TDX_BUG_ON - @err is a SEAMCALL's failure that must not happen: the first time report it (rule
 * "tdx-bug", with the extra values) and end the VM. The value is err != 0.
 */
bool tdx_bug_check(u64 err, const char *fn, struct kvm *kvm, u32 nr, u64 a, u64 b, u64 c);
#define TDX_BUG_ON(err, fn, kvm)	    tdx_bug_check(err, #fn, kvm, 0, 0, 0, 0)
#define TDX_BUG_ON_1(err, fn, a, kvm)	    tdx_bug_check(err, #fn, kvm, 1, a, 0, 0)
#define TDX_BUG_ON_2(err, fn, a, b, kvm)    tdx_bug_check(err, #fn, kvm, 2, a, b, 0)
#define TDX_BUG_ON_3(err, fn, a, b, c, kvm) tdx_bug_check(err, #fn, kvm, 3, a, b, c)

/*
 * tdh_do_no_vcpus - call @func(args); if BUSY, keep all vCPUs out (wait_for_sept_zap), kick, and
 * call it once more. The last status. Write mmu_lock (spec 2.8).
 */
#define tdh_do_no_vcpus(func, _kvm, ...)                      \
	({                                                    \
		struct kvm_tdx *__kvm_tdx = to_kvm_tdx(_kvm); \
		u64 __err;                                    \
                                                              \
		lockdep_assert_held_write(&(_kvm)->mmu_lock); \
		__err = func(__VA_ARGS__);                    \
		if (unlikely(tdx_operand_busy(__err))) {      \
			tdx_no_vcpus_enter_start(__kvm_tdx);  \
			__err = func(__VA_ARGS__);            \
			tdx_no_vcpus_enter_stop(__kvm_tdx);   \
		}                                             \
		__err;                                        \
	})
void tdx_no_vcpus_enter_start(struct kvm_tdx *kvm_tdx);
void tdx_no_vcpus_enter_stop(struct kvm_tdx *kvm_tdx);

/*
 * mmu/tdx_cache.c. The Dynamic PAMT reference of a table's S-EPT page when it is linked, unless it
 * has had one since its allocation (sept_pamt=alloc).
 */
int tdx_sept_page_get(struct kvm_mmu_page *sp, struct tdx_pamt_cache *cache);
void tdx_sept_page_put(struct kvm_mmu_page *sp);
/*
 * Move what a split may use into @split; returns the cache it came from, which gets the rest back
 * with tdx_split_return(). NULL: none was filled. mmu_lock.
 */
struct tdx_pamt_cache *tdx_split_draw(struct kvm *kvm, struct kvm_mmu_page *sp, bool shared,
				      struct tdx_pamt_cache *split);
void tdx_split_return(struct kvm *kvm, struct kvm_mmu_page *sp, struct tdx_pamt_cache *cache,
		      struct tdx_pamt_cache *split);

static inline kvm_pfn_t external_spt_pfn(const struct kvm_mmu_page *sp)
{
	return page_to_pfn(virt_to_page(sp->external_spt));
}

/* Whether the leaf is blocked and tracked already; it is not taken for so a second time. */
bool tdx_sept_was_blocked(struct kvm *kvm, gfn_t gfn, enum pg_level level);

/* MEM.TRACK and the kick that must follow it; nothing before RUNNABLE. Write mmu_lock. */
void tdx_track(struct kvm *kvm);

/*
 * EPT violation of the last exit (mmu/tdx_sept.c, spec 2.2): > 0 re-enter, 0 userspace exit, < 0
 * errno.
 */
int tdx_handle_ept_violation(struct kvm_vcpu *vcpu);

#endif
