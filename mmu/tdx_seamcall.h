/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SEAMCALL wrappers as KVM calls them (kernel: arch/x86/include/asm/tdx.h), status numbers in the
 * kernel's spelling, and the Dynamic PAMT references. Implemented in mmu/virt_tdx.c and mmu/pamt.c.
 *
 * Units: gpa and hpa bytes, pfn 4K frames, level as the kernel counts (4K = 1); wrappers convert.
 * Return: RAX of the call, or TDX_SW_ERROR and kin when it was not made; then *ext_err1 and
 * *ext_err2 (RCX and RDX) are left as they were.
 */
#ifndef MMU_TDX_SEAMCALL_H
#define MMU_TDX_SEAMCALL_H

#include <linux/kvm_types.h>
#include <linux/list.h>
#include <linux/mm.h>

/* The upper 32 bits decide. */
#define TDX_SUCCESS		      0ULL
#define TDX_SEAMCALL_STATUS_MASK      0xFFFFFFFF00000000ULL
#define TDX_NON_RECOVERABLE_BIT	      BIT_ULL(62)
#define TDX_ERROR_BIT		      BIT_ULL(63)
#define TDX_SW_ERROR		      (TDX_ERROR_BIT | RT_MASK(47, 40))
#define TDX_INTERRUPTED_RESUMABLE     0x8000000300000000ULL
#define TDX_INTERRUPTED_RESTARTABLE   0x8000000400000000ULL
#define TDX_OPERAND_INVALID	      0xC000010000000000ULL
#define TDX_OPERAND_BUSY	      0x8000020000000000ULL
#define TDX_PREVIOUS_TLB_EPOCH_BUSY   0x8000020100000000ULL
#define TDX_RND_NO_ENTROPY	      0x8000020300000000ULL
#define TDX_PAGE_METADATA_INCORRECT   0xC000030000000000ULL
#define TDX_HPA_RANGE_NOT_FREE	      0xC000030400000000ULL
#define TDX_VCPU_NOT_ASSOCIATED	      0x8000070200000000ULL
#define TDX_KEY_GENERATION_FAILED     0x8000080000000000ULL
#define TDX_FLUSHVP_NOT_DONE	      0x8000082400000000ULL
#define TDX_NO_HKID_READY_TO_WBCACHE  0x0000082100000000ULL
#define TDX_EPT_WALK_FAILED	      0xC0000B0000000000ULL
#define TDX_EPT_ENTRY_STATE_INCORRECT 0xC0000B0D00000000ULL
#define TDX_TLB_TRACKING_NOT_DONE     0xC0000B0800000000ULL

#define TDX_OPERAND_ID_SEPT	0x92
#define TDX_OPERAND_ID_TD_EPOCH 0xa9

/* Leaves. */
#define TDH_VP_ENTER		0
#define TDH_MNG_ADDCX		1
#define TDH_MEM_PAGE_ADD	2
#define TDH_MEM_SEPT_ADD	3
#define TDH_VP_ADDCX		4
#define TDH_MEM_PAGE_AUG	6
#define TDH_MEM_RANGE_BLOCK	7
#define TDH_MNG_KEY_CONFIG	8
#define TDH_MNG_CREATE		9
#define TDH_VP_CREATE		10
#define TDH_MEM_PAGE_DEMOTE	15
#define TDH_MR_EXTEND		16
#define TDH_MR_FINALIZE		17
#define TDH_VP_FLUSH		18
#define TDH_MNG_VPFLUSHDONE	19
#define TDH_MNG_KEY_FREEID	20
#define TDH_MNG_INIT		21
#define TDH_VP_INIT		22
#define TDH_PHYMEM_PAGE_RDMD	24
#define TDH_PHYMEM_PAGE_RECLAIM 28
#define TDH_MEM_PAGE_REMOVE	29
#define TDH_SYS_RD		34
#define TDH_MEM_TRACK		38
#define TDH_MEM_RANGE_UNBLOCK	39
#define TDH_PHYMEM_CACHE_WB	40
#define TDH_PHYMEM_PAGE_WBINVD	41
#define TDH_PHYMEM_PAMT_ADD	58
#define TDH_PHYMEM_PAMT_REMOVE	59
#define TDX_VERSION_SHIFT	16

/* TDX_FEATURES0 */
#define TDX_FEATURES0_NO_RBP_MOD		      BIT_ULL(18)
#define TDX_FEATURES0_TOPOLOGY_ENUM		      BIT_ULL(20)
#define TDX_FEATURES0_DYNAMIC_PAMT		      BIT_ULL(36)
#define TDX_FEATURES0_ENHANCE_DEMOTE_INTERRUPTIBILITY BIT_ULL(51)

/* Registers of a SEAMCALL in the order of the kernel's struct. */
struct tdx_module_args {
	u64 rcx, rdx, r8, r9, r10, r11;
	u64 r12, r13, r14, r15, rbx, rdi, rsi;
};

/*
 * The cut between kernel and module (mmu/compat/seam/seamcall.c): one SEAMCALL on the calling
 * thread's CPU. _ret: outputs in rcx..r11; _saved_ret: in all registers, and TDH.VP.ENTER runs the
 * guest program inside.
 */
u64 __seamcall(u64 fn, struct tdx_module_args *args);
u64 __seamcall_ret(u64 fn, struct tdx_module_args *args);
u64 __seamcall_saved_ret(u64 fn, struct tdx_module_args *args);
/* As __seamcall_ret() on a given CPU, as smp_call_function_single() would do it. */
u64 __seamcall_on(u32 cpu, u64 fn, struct tdx_module_args *args);

static inline bool tdx_operand_busy(u64 err)
{
	return (err & TDX_SEAMCALL_STATUS_MASK) == TDX_OPERAND_BUSY;
}

static inline u64 tdx_status(u64 err)
{
	return err & TDX_SEAMCALL_STATUS_MASK;
}

/* PG_LEVEL_4K -> 0 ... */
static inline int pg_level_to_tdx_sept_level(enum pg_level level)
{
	return level - 1;
}

/*
 * Host pages ready for PAMT pairs; owner and lock by who embeds it. A cache that runs short fails:
 * there is no fall-back.
 */
#define TDX_PAMT_CACHE_MAX 16
struct tdx_pamt_cache {
	u32 cnt;
	struct page *pages[TDX_PAMT_CACHE_MAX];
};
/* Fill up to 2 * @npages pages (pairs for @npages); -ENOMEM. May sleep. / give all back. */
int tdx_topup_pamt_cache(struct tdx_pamt_cache *cache, u32 npages);
void tdx_free_pamt_cache(struct tdx_pamt_cache *cache);
/* Pages that one PAMT page pair takes: 2, or 0 without Dynamic PAMT. */
u32 tdx_dpamt_entry_pages(void);

/*
 * tdx_pamt_get - one more 4K TDX page in the 2M around @pfn; the first installs a pair from @cache
 * (NULL: from the allocator). 0, -ENOMEM (no pair at hand), -EIO. tdx_pamt_put gives it back; the
 * last removes the pair. Take pamt_lock inside.
 */
int tdx_pamt_get(kvm_pfn_t pfn, struct tdx_pamt_cache *cache);
void tdx_pamt_put(kvm_pfn_t pfn);
/* Page plus its PAMT reference, for TDR, TDCS, TDVPS and (dp6) S-EPT pages. NULL on failure. */
struct page *tdx_alloc_control_page(void);
void tdx_free_control_page(struct page *page);

/*
 * Overwrite with MOVDIR64B where the platform needs it, so that no line of a private key stays
 * (spec 2.8).
 */
void tdx_quirk_reset_page(kvm_pfn_t pfn);
void tdx_quirk_reset_pages(kvm_pfn_t pfn, u64 npages);

struct tdx_td {
	struct page *tdr_page;
	u32 tdcs_nr_pages;
	struct page **tdcs_pages;
};

struct tdx_vp {
	struct page *tdvpr_page;
	u32 tdcx_nr_pages;
	struct page **tdcx_pages;
};

u64 tdh_mng_create(struct tdx_td *td, u16 hkid);
u64 tdh_mng_key_config(struct tdx_td *td, u32 cpu);
u64 tdh_mng_addcx(struct tdx_td *td, struct page *tdcs_page);
u64 tdh_mng_init(struct tdx_td *td, u64 td_params_hpa, u64 *ext_err);
u64 tdh_mng_vpflushdone(struct tdx_td *td);
u64 tdh_mng_key_freeid(struct tdx_td *td);
u64 tdh_vp_create(struct tdx_td *td, struct tdx_vp *vp);
u64 tdh_vp_addcx(struct tdx_vp *vp, struct page *tdcx_page);
u64 tdh_vp_init(struct tdx_vp *vp, u64 initial_rcx, u32 x2apicid);
u64 tdh_vp_flush(struct tdx_vp *vp, u32 cpu);
u64 tdh_vp_enter(struct tdx_vp *vp, struct tdx_module_args *args);

u64 tdh_mem_page_add(struct tdx_td *td, u64 gpa, kvm_pfn_t pfn, u64 source_hpa, u64 *ext_err1,
		     u64 *ext_err2);
u64 tdh_mem_sept_add(struct tdx_td *td, u64 gpa, enum pg_level level, struct page *page,
		     u64 *ext_err1, u64 *ext_err2);
u64 tdh_mem_page_aug(struct tdx_td *td, u64 gpa, enum pg_level level, kvm_pfn_t pfn, u64 *ext_err1,
		     u64 *ext_err2);
u64 tdh_mem_range_block(struct tdx_td *td, u64 gpa, enum pg_level level, u64 *ext_err1,
			u64 *ext_err2);
/* Only flow BLOCK_ABORT and zap_error=return make this call (R25). */
u64 tdh_mem_range_unblock(struct tdx_td *td, u64 gpa, enum pg_level level, u64 *ext_err1,
			  u64 *ext_err2);
u64 tdh_mem_track(struct tdx_td *td);
u64 tdh_mem_page_remove(struct tdx_td *td, u64 gpa, enum pg_level level, u64 *ext_err1,
			u64 *ext_err2);
/*
 * @level: of the leaf that is split. @pfn: of its page. @cache: gives the PAMT pair with Dynamic
 * PAMT.
 */
u64 tdh_mem_page_demote(struct tdx_td *td, u64 gpa, enum pg_level level, kvm_pfn_t pfn,
			struct page *new_sp, struct tdx_pamt_cache *cache, u64 *ext_err1,
			u64 *ext_err2);
u64 tdh_mr_extend(struct tdx_td *td, u64 gpa, u64 *ext_err1, u64 *ext_err2);
u64 tdh_mr_finalize(struct tdx_td *td);

u64 tdh_phymem_page_reclaim(struct page *page, u64 *tdx_pt, u64 *tdx_owner, u64 *tdx_size);
u64 tdh_phymem_cache_wb(bool resume, u32 cpu);
/*
 * Write back a page of the TD (its key) / of the module's own metadata (global key). @level: every
 * 4K of it, stops at an error.
 */
u64 tdh_phymem_page_wbinvd_hkid(u16 hkid, kvm_pfn_t pfn, enum pg_level level);
u64 tdh_phymem_page_wbinvd_tdr(struct tdx_td *td);
u64 tdh_phymem_pamt_add(u64 hpa, struct page *pages[2]);
u64 tdh_phymem_pamt_remove(u64 hpa, struct page *pages[2]);
/* TDH.SYS.RD of one metadata field. */
u64 tdh_sys_rd(u64 field, u64 *data);

#endif
