// SPDX-License-Identifier: GPL-2.0-only
/*
 * The external table: what the S-EPT does when a mirror SPTE changes. Map, link, split, remove,
 * give back, and TRACK. Called by the TDP MMU through kvm_x86_call(); SEAMCALL wrappers are below
 * (tdx_seamcall.h), faults are tdx_ept.c's, pages ready for use tdx_cache.c's.
 *
 * Under read mmu_lock BUSY is an answer (-EBUSY, the fault is retried); under write lock
 * tdh_do_no_vcpus() keeps all vCPUs out and tries once more, and what fails then ends the VM
 * (kvm-port.md R16, R23, R26).
 *
 * entry and level_state start at 0: a wrapper that refuses its operands does not set them, and the
 * report must not print the stack (B39).
 */
#include "mmu/tdx.h"

#include "mmu/kvm_policy.h"
#include "mmu/spte.h"
#include "mmu/tdx_check.h"

/* --- TRACK -------------------------------------------------------------- */

void tdx_track(struct kvm *kvm)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u64 err;

	/* No vCPU has run: there is no translation to forget. */
	if (unlikely(kvm_tdx->state != TD_STATE_RUNNABLE))
		return;

	lockdep_assert_held_write(&kvm->mmu_lock);

	err = tdh_do_no_vcpus(tdh_mem_track, kvm, &kvm_tdx->td);
	TDX_BUG_ON(err, TDH_MEM_TRACK, kvm);

	/*
	 * Always: a vCPU that stays in the guest keeps its translations, and the next TRACK would
	 * find its epoch still in use (B6). The VP.ENTER that follows flushes.
	 */
	kvm_make_all_cpus_request(kvm, KVM_REQ_OUTSIDE_GUEST_MODE);
}

/* --- map and link: read or write mmu_lock ------------------------------- */

static int tdx_mem_page_aug(struct kvm *kvm, gfn_t gfn, enum pg_level level, kvm_pfn_t pfn)
{
	u64 entry = 0, level_state = 0, err;

	err = tdh_mem_page_aug(&to_kvm_tdx(kvm)->td, gfn_to_gpa(gfn), level, pfn, &entry,
			       &level_state);
	if (unlikely(tdx_operand_busy(err)))
		return -EBUSY;
	if (TDX_BUG_ON_2(err, TDH_MEM_PAGE_AUG, entry, level_state, kvm))
		return -EIO;
	return 0;
}

static int tdx_mem_page_add(struct kvm *kvm, gfn_t gfn, enum pg_level level, kvm_pfn_t pfn)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u64 entry = 0, level_state = 0, err;

	lockdep_assert_held(&kvm->slots_lock);

	/*
	 * Before the build is finished only the initial memory region may map, one page at a time.
	 */
	if (KVM_BUG_ON(kvm->arch.pre_fault_allowed || !kvm_tdx->page_add_src, kvm))
		return -EIO;

	err = tdh_mem_page_add(&kvm_tdx->td, gfn_to_gpa(gfn), pfn, kvm_tdx->page_add_src & ~1ULL,
			       &entry, &level_state);
	if (unlikely(tdx_operand_busy(err)))
		return -EBUSY;
	if (TDX_BUG_ON_2(err, TDH_MEM_PAGE_ADD, entry, level_state, kvm))
		return -EIO;
	return 0;
}

static int tdx_sept_map_leaf_spte(struct kvm *kvm, gfn_t gfn, u64 new_spte, enum pg_level level)
{
	struct kvm_vcpu *vcpu = kvm_get_running_vcpu();
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	const kvm_pfn_t pfn = spte_to_pfn(new_spte);
	int ret;

	if (KVM_BUG_ON(level != PG_LEVEL_4K &&
			       (!kvm->host->tdx_huge_page || kvm_tdx->state != TD_STATE_RUNNABLE),
		       kvm))
		return -EIO;
	if (KVM_BUG_ON(!vcpu, kvm))
		return -EIO;

	/* A later change of the permissions can't be told to the module (R6). */
	WARN_ON_ONCE((new_spte & VMX_EPT_RWX_MASK) != VMX_EPT_RWX_MASK);

	if (KVM_BUG_ON(!tdx_check_map(pfn, level), kvm))
		return -EIO;

	/* A 2M leaf needs no PAMT_4K pages, and AUG would refuse the range if it had them (B26). */
	if (level == PG_LEVEL_4K) {
		ret = tdx_pamt_get(pfn, &to_tdx(vcpu)->pamt_cache);
		if (ret)
			return ret;
	}

	/* Pairs with the write barrier of FINALIZE: who sees RUNNABLE sees the finished TD. */
	smp_rmb();
	if (likely(kvm_tdx->state == TD_STATE_RUNNABLE))
		ret = tdx_mem_page_aug(kvm, gfn, level, pfn);
	else
		ret = tdx_mem_page_add(kvm, gfn, level, pfn);

	if (ret && level == PG_LEVEL_4K)
		tdx_pamt_put(pfn);
	return ret;
}

/*
 * The S-EPT page of a table that is about to be linked at @gfn, an entry of @level: NULL after a
 * KVM bug.
 */
static struct kvm_mmu_page *tdx_spte_to_external_sp(struct kvm *kvm, gfn_t gfn, u64 new_spte,
						    enum pg_level level)
{
	struct kvm_mmu_page *sp = spte_to_child_sp(new_spte);

	if (KVM_BUG_ON(!sp->external_spt, kvm) || KVM_BUG_ON(sp->role.level + 1U != level, kvm) ||
	    KVM_BUG_ON(sp->gfn != gfn, kvm))
		return NULL;
	return sp;
}

static int tdx_sept_map_nonleaf_spte(struct kvm *kvm, gfn_t gfn, u64 new_spte, enum pg_level level)
{
	struct kvm_mmu_page *sp = tdx_spte_to_external_sp(kvm, gfn, new_spte, level);
	struct kvm_vcpu *vcpu = kvm_get_running_vcpu();
	u64 entry = 0, level_state = 0, err;
	int ret;

	if (!sp || KVM_BUG_ON(!vcpu, kvm))
		return -EIO;

	ret = tdx_sept_page_get(sp, &to_tdx(vcpu)->pamt_cache);
	if (ret)
		return ret;

	err = tdh_mem_sept_add(&to_kvm_tdx(kvm)->td, gfn_to_gpa(gfn), level,
			       virt_to_page(sp->external_spt), &entry, &level_state);
	if (unlikely(tdx_operand_busy(err)))
		ret = -EBUSY;
	else if (TDX_BUG_ON_2(err, TDH_MEM_SEPT_ADD, entry, level_state, kvm))
		ret = -EIO;

	/* On any error: the page goes back to the allocator, or into the next try (B22). */
	if (ret)
		tdx_sept_page_put(sp);
	return ret;
}

/* --- split and remove --------------------------------------------------- */

/*
 * Policy zap_error=return: an error of BLOCK or REMOVE is the caller's to tell. In a split it is a
 * bug all the same: nobody could undo it.
 */
static bool zap_errors_return(void)
{
	return kvm_policy(KVM_POLICY_ZAP_ERROR) == KVM_ZAP_ERROR_RETURN;
}

/*
 * BLOCK, TRACK and kick: afterwards no vCPU can use the translation (R22). Write mmu_lock.
 * @quiet: a refusal is no bug, since nothing has changed by it.
 */
static int tdx_sept_block(struct kvm *kvm, gfn_t gfn, enum pg_level level, bool quiet)
{
	u64 entry = 0, level_state = 0, err;

	if (tdx_sept_was_blocked(kvm, gfn, level))
		return 0;

	err = tdh_do_no_vcpus(tdh_mem_range_block, kvm, &to_kvm_tdx(kvm)->td, gfn_to_gpa(gfn),
			      level, &entry, &level_state);
	if (err && quiet)
		return -EIO;
	if (TDX_BUG_ON_2(err, TDH_MEM_RANGE_BLOCK, entry, level_state, kvm))
		return -EIO;

	tdx_track(kvm);
	return 0;
}

static int tdx_sept_demote(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, struct kvm_mmu_page *sp,
			   enum pg_level level, struct tdx_pamt_cache *cache)
{
	/*
	 * What can fail for lack of memory comes first: once BLOCK is done there is no way back but
	 * through DEMOTE (the fix that v5's review asked for). v3 did it after TRACK, and relies on
	 * the cache being full.
	 */
	const bool get_first = kvm_policy(KVM_POLICY_SERIES) == KVM_SERIES_V5;
	u64 entry = 0, level_state = 0, err;
	int ret;

	if (get_first) {
		ret = tdx_sept_page_get(sp, cache);
		if (KVM_BUG_ON(ret, kvm))
			return -EIO;
	}

	/* NON_BLOCKING_RESIZE: old large translations stay right, they name the same bytes. */
	ret = kvm->host->non_blocking_resize ? 0 : tdx_sept_block(kvm, gfn, level, false);
	if (ret) {
		if (get_first)
			tdx_sept_page_put(sp);
		return ret;
	}

	if (!get_first) {
		ret = tdx_sept_page_get(sp, cache);
		if (KVM_BUG_ON(ret, kvm))
			return -EIO;
	}

	err = tdh_do_no_vcpus(tdh_mem_page_demote, kvm, &to_kvm_tdx(kvm)->td, gfn_to_gpa(gfn),
			      level, pfn, virt_to_page(sp->external_spt), cache, &entry,
			      &level_state);
	if (TDX_BUG_ON_2(err, TDH_MEM_PAGE_DEMOTE, entry, level_state, kvm)) {
		tdx_sept_page_put(sp);
		return -EIO;
	}
	/* DEMOTE leaves the small entries unblocked: there is no UNBLOCK to follow (R25). */
	return 0;
}

/*
 * Under read lock, with NON_BLOCKING_RESIZE: one call that either did it or changed nothing. BUSY
 * is the fault's to repeat, as for AUG (R26).
 */
static int tdx_sept_demote_shared(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn,
				  struct kvm_mmu_page *sp, enum pg_level level,
				  struct tdx_pamt_cache *cache)
{
	u64 entry = 0, level_state = 0, err;
	int ret;

	ret = tdx_sept_page_get(sp, cache);
	if (ret)
		return ret;

	err = tdh_mem_page_demote(&to_kvm_tdx(kvm)->td, gfn_to_gpa(gfn), level, pfn,
				  virt_to_page(sp->external_spt), cache, &entry, &level_state);
	if (unlikely(tdx_operand_busy(err)))
		ret = -EBUSY;
	else if (TDX_BUG_ON_2(err, TDH_MEM_PAGE_DEMOTE, entry, level_state, kvm))
		ret = -EIO;
	if (ret)
		tdx_sept_page_put(sp);
	return ret;
}

static int tdx_sept_split_private_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte,
				       enum pg_level level)
{
	const bool shared = !lockdep_is_held_type(&kvm->mmu_lock, 1);
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct kvm_mmu_page *sp = tdx_spte_to_external_sp(kvm, gfn, new_spte, level);
	struct tdx_pamt_cache *cache, split;
	int ret;

	/*
	 * Under read lock BUSY could only be answered by UNBLOCK, which can be BUSY too and needs
	 * the same TRACK (B3): refuse, as v3 p09 does; v5 asserts the write lock.
	 */
	if (WARN_ON_ONCE(shared && !kvm->host->non_blocking_resize))
		return -EOPNOTSUPP;
	if (!sp || KVM_BUG_ON(kvm_tdx->state != TD_STATE_RUNNABLE || level != PG_LEVEL_2M, kvm))
		return -EIO;

	/*
	 * For the time of one split its pages are in a cache of its own: drawn under the lock all at
	 * once (R37), so that no spinlock is held across the kick of a second DEMOTE (R20), as v3's
	 * was (B58).
	 */
	cache = tdx_split_draw(kvm, sp, shared, &split);
	if (!cache && tdx_dpamt_entry_pages())
		return -EIO;
	if (shared)
		ret = tdx_sept_demote_shared(kvm, gfn, spte_to_pfn(old_spte), sp, level, &split);
	else
		ret = tdx_sept_demote(kvm, gfn, spte_to_pfn(old_spte), sp, level, &split);
	if (cache)
		tdx_split_return(kvm, sp, cache, &split);
	return ret;
}

/*
 * A refused removal is taken back, so that mirror and S-EPT agree again (zap_error=return). No
 * thread says how; UNBLOCK is what the module has for it, and if that fails, too, the state is lost.
 */
static void tdx_sept_unblock(struct kvm *kvm, gfn_t gfn, enum pg_level level)
{
	u64 entry = 0, level_state = 0, err;

	err = tdh_do_no_vcpus(tdh_mem_range_unblock, kvm, &to_kvm_tdx(kvm)->td, gfn_to_gpa(gfn),
			      level, &entry, &level_state);
	TDX_BUG_ON_2(err, TDH_MEM_RANGE_UNBLOCK, entry, level_state, kvm);
}

static int __tdx_sept_remove_leaf_spte(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn,
				       enum pg_level level)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u64 entry = 0, level_state = 0, err;

	/*
	 * With the key gone REMOVE is impossible: leaves go while it is assigned, tables after it was
	 * freed (R28).
	 */
	if (KVM_BUG_ON(!is_hkid_assigned(kvm_tdx), kvm))
		return -EIO;

	if (tdx_sept_block(kvm, gfn, level, zap_errors_return()))
		return -EIO;

	err = tdh_do_no_vcpus(tdh_mem_page_remove, kvm, &kvm_tdx->td, gfn_to_gpa(gfn), level,
			      &entry, &level_state);
	if (err && zap_errors_return()) {
		tdx_sept_unblock(kvm, gfn, level);
		return -EIO;
	}
	if (TDX_BUG_ON_2(err, TDH_MEM_PAGE_REMOVE, entry, level_state, kvm))
		return -EIO;

	/*
	 * Every 4K of it: dirty lines of the TD's key would overwrite the next owner's data (R27,
	 * B29).
	 */
	err = tdh_phymem_page_wbinvd_hkid(kvm_tdx->hkid, pfn, level);
	if (TDX_BUG_ON(err, TDH_PHYMEM_PAGE_WBINVD, kvm))
		return -EIO;

	tdx_quirk_reset_pages(pfn, KVM_PAGES_PER_HPAGE(level));
	if (level == PG_LEVEL_4K)
		tdx_pamt_put(pfn);
	return 0;
}

static int tdx_sept_remove_leaf_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, enum pg_level level)
{
	const kvm_pfn_t pfn = spte_to_pfn(old_spte);
	int ret;

	lockdep_assert_held_write(&kvm->mmu_lock);

	ret = __tdx_sept_remove_leaf_spte(kvm, gfn, pfn, level);
	/* The module has it still, or dirty lines of its key are about: nobody else may (R34). */
	if (ret)
		kvm_gmem_zap_failed(kvm, gfn, pfn, KVM_PAGES_PER_HPAGE(level));
	return ret;
}

int tdx_sept_set_private_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte,
			      enum pg_level level)
{
	const bool was_present = is_shadow_present_pte(old_spte);
	const bool is_present = is_shadow_present_pte(new_spte);

	if (was_present && is_present)
		return tdx_sept_split_private_spte(kvm, gfn, old_spte, new_spte, level);
	if (was_present)
		return tdx_sept_remove_leaf_spte(kvm, gfn, old_spte, level);
	if (KVM_BUG_ON(!is_present, kvm))
		return -EIO;
	if (!is_last_spte(new_spte, level))
		return tdx_sept_map_nonleaf_spte(kvm, gfn, new_spte, level);
	return tdx_sept_map_leaf_spte(kvm, gfn, new_spte, level);
}

/* --- teardown ----------------------------------------------------------- */

void tdx_sept_reclaim_private_sp(struct kvm *kvm, gfn_t gfn, struct kvm_mmu_page *sp)
{
	struct page *page = virt_to_page(sp->external_spt);
	u64 type, owner, size, err;

	/* On any failure the page is the module's still, and may never be used again: forget it. */
	sp->external_spt = NULL;

	/*
	 * The module gives pages back only when no vCPU can walk them any more: when the key id is
	 * free (B56).
	 */
	if (KVM_BUG_ON(is_hkid_assigned(to_kvm_tdx(kvm)), kvm))
		return;

	err = tdh_phymem_page_reclaim(page, &type, &owner, &size);
	if (TDX_BUG_ON_3(err, TDH_PHYMEM_PAGE_RECLAIM, type, owner, size, kvm))
		return;

	tdx_quirk_reset_page(page_to_pfn(page));
	tdx_free_control_page(page);
}

/* --- levels ------------------------------------------------------------- */

int tdx_gmem_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn, bool is_private)
{
	if (!is_private)
		return 0;
	/* Before FINALIZE there is only PAGE.ADD, which takes 4K. */
	if (!kvm->host->tdx_huge_page || to_kvm_tdx(kvm)->state != TD_STATE_RUNNABLE)
		return PG_LEVEL_4K;
	/*
	 * v5 does not follow attributes that are the VM's: MIXED, split and zap for them stayed
	 * with v3.
	 */
	if (kvm_policy(KVM_POLICY_SERIES) == KVM_SERIES_V5 &&
	    kvm_policy(KVM_POLICY_VM_ATTRS) == KVM_VM_ATTRS_ON)
		return PG_LEVEL_4K;
	return PG_LEVEL_2M;
}
