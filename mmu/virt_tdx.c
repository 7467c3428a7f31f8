// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMCALL wrappers (kernel: arch/x86/virt/vmx/tdx/tdx.c): registers as in spec 2.8, cache lines
 * flushed first, entropy retried. Which pages may be handed over is the caller's business but for
 * the checks of mmu/tdx_check.c (policies check_at, sw_error). Dynamic PAMT's references are in mmu/pamt.c, the life
 * of a TD in mmu/tdx_vm.c.
 */
#include <linux/kvm_host.h>

#include "mmu/pamt.h"
#include "mmu/tdx_check.h"
#include "mmu/tdx_seamcall.h"
#include "sim/rt/phys.h"

#define RDRAND_RETRY_LOOPS 10

/* Cycles of one line, as guessed in tdx-module.md 9; only ratios mean something. */
#define CYCLES_PER_LINE 20
#define LINES_PER_PAGE	64

/* The module ran out of entropy: the next try may have some. */
static u64 sc_retry(u64 (*call)(u64, struct tdx_module_args *), u64 fn,
		    struct tdx_module_args *args)
{
	const struct tdx_module_args in = *args;
	int retry = RDRAND_RETRY_LOOPS;
	u64 ret;

	do {
		*args = in;
		ret = call(fn, args);
	} while (tdx_status(ret) == TDX_RND_NO_ENTROPY && --retry);
	return ret;
}

#define seamcall(fn, args)	     sc_retry(__seamcall, fn, args)
#define seamcall_ret(fn, args)	     sc_retry(__seamcall_ret, fn, args)
#define seamcall_saved_ret(fn, args) sc_retry(__seamcall_saved_ret, fn, args)

static u64 seamcall_on(u32 cpu, u64 fn, struct tdx_module_args *args)
{
	const struct tdx_module_args in = *args;
	int retry = RDRAND_RETRY_LOOPS;
	u64 ret;

	do {
		*args = in;
		ret = __seamcall_on(cpu, fn, args);
	} while (tdx_status(ret) == TDX_RND_NO_ENTROPY && --retry);
	return ret;
}

/*
 * A dirty line of the host's key must not be evicted over what the module writes with the TD's.
 * The host's own lines are not modelled (docs/fidelity.md): only the cost of CLFLUSH is left of it.
 */
static void tdx_clflush_pfn(kvm_pfn_t pfn, enum pg_level level)
{
	rt_cycles(KVM_PAGES_PER_HPAGE(level) * LINES_PER_PAGE * CYCLES_PER_LINE);
}

static void tdx_clflush_page(struct page *page)
{
	tdx_clflush_pfn(page_to_pfn(page), PG_LEVEL_4K);
}

/*
 * A frame that does not fit its level. True: the call is not made, and *@ret is its answer: WARN and
 * TDX_SW_ERROR (policy sw_error=on, Sean), or the module's word for it and no noise (off, Yan). warn:
 * the call is made all the same (spec 5 "error style").
 */
static bool tdx_refuse_operand(kvm_pfn_t pfn, enum pg_level level, const char *what, u64 *ret)
{
	const u32 style = kvm_policy(KVM_POLICY_SW_ERROR);

	if (tdx_check_operand(pfn, level))
		return false;
	*ret = style == KVM_SW_ERROR_OFF ? TDX_OPERAND_INVALID : TDX_SW_ERROR;
	if (style != KVM_SW_ERROR_OFF)
		compat_warn(__FILE__, __LINE__, what);
	return style != KVM_SW_ERROR_WARN;
}

static u64 page_info(u64 gpa, enum pg_level level)
{
	return gpa | pg_level_to_tdx_sept_level(level);
}

static u64 tdx_tdr_pa(const struct tdx_td *td)
{
	return page_to_phys(td->tdr_page);
}

static u64 tdx_tdvpr_pa(const struct tdx_vp *vp)
{
	return page_to_phys(vp->tdvpr_page);
}

/* A call on GPA and level whose RCX and RDX say what was wrong. */
static u64 sept_call(u64 fn, struct tdx_module_args *args, u64 *ext_err1, u64 *ext_err2)
{
	u64 ret = seamcall_ret(fn, args);

	*ext_err1 = args->rcx;
	*ext_err2 = args->rdx;
	return ret;
}

u64 tdh_sys_rd(u64 field, u64 *data)
{
	struct tdx_module_args args = {.rdx = field};
	u64 ret = seamcall_ret(TDH_SYS_RD, &args);

	if (ret == TDX_SUCCESS)
		*data = args.r8;
	return ret;
}

/* --- TD and vCPU ----------------------------------------------------------------------------- */

u64 tdh_mng_create(struct tdx_td *td, u16 hkid)
{
	struct tdx_module_args args = {.rcx = tdx_tdr_pa(td), .rdx = hkid};

	tdx_clflush_page(td->tdr_page);
	return seamcall(TDH_MNG_CREATE, &args);
}

u64 tdh_mng_key_config(struct tdx_td *td, u32 cpu)
{
	struct tdx_module_args args = {.rcx = tdx_tdr_pa(td)};

	return seamcall_on(cpu, TDH_MNG_KEY_CONFIG, &args);
}

u64 tdh_mng_addcx(struct tdx_td *td, struct page *tdcs_page)
{
	struct tdx_module_args args = {.rcx = page_to_phys(tdcs_page), .rdx = tdx_tdr_pa(td)};

	tdx_clflush_page(tdcs_page);
	return seamcall(TDH_MNG_ADDCX, &args);
}

u64 tdh_mng_init(struct tdx_td *td, u64 td_params_hpa, u64 *ext_err)
{
	struct tdx_module_args args = {.rcx = tdx_tdr_pa(td), .rdx = td_params_hpa};
	u64 ret = seamcall_ret(TDH_MNG_INIT, &args);

	*ext_err = args.rcx;
	return ret;
}

u64 tdh_mng_vpflushdone(struct tdx_td *td)
{
	struct tdx_module_args args = {.rcx = tdx_tdr_pa(td)};

	return seamcall(TDH_MNG_VPFLUSHDONE, &args);
}

u64 tdh_mng_key_freeid(struct tdx_td *td)
{
	struct tdx_module_args args = {.rcx = tdx_tdr_pa(td)};

	return seamcall(TDH_MNG_KEY_FREEID, &args);
}

u64 tdh_vp_create(struct tdx_td *td, struct tdx_vp *vp)
{
	struct tdx_module_args args = {.rcx = tdx_tdvpr_pa(vp), .rdx = tdx_tdr_pa(td)};

	tdx_clflush_page(vp->tdvpr_page);
	return seamcall(TDH_VP_CREATE, &args);
}

u64 tdh_vp_addcx(struct tdx_vp *vp, struct page *tdcx_page)
{
	struct tdx_module_args args = {.rcx = page_to_phys(tdcx_page), .rdx = tdx_tdvpr_pa(vp)};

	tdx_clflush_page(tdcx_page);
	return seamcall(TDH_VP_ADDCX, &args);
}

/*
 * Version 1 hands over the x2APIC id; a module that cannot enumerate a topology does not know it
 * (tdx-module.md 8.5, vp_init_v1).
 */
u64 tdh_vp_init(struct tdx_vp *vp, u64 initial_rcx, u32 x2apicid)
{
	struct tdx_module_args args = {.rcx = tdx_tdvpr_pa(vp), .rdx = initial_rcx, .r8 = x2apicid};
	u64 version = kvm_host_current()->features0 & TDX_FEATURES0_TOPOLOGY_ENUM ? 1 : 0;

	return seamcall(TDH_VP_INIT | version << TDX_VERSION_SHIFT, &args);
}

u64 tdh_vp_flush(struct tdx_vp *vp, u32 cpu)
{
	struct tdx_module_args args = {.rcx = tdx_tdvpr_pa(vp)};

	return seamcall_on(cpu, TDH_VP_FLUSH, &args);
}

/* Not retried: the guest's registers are no operands that could be repeated. */
u64 tdh_vp_enter(struct tdx_vp *vp, struct tdx_module_args *args)
{
	args->rcx = tdx_tdvpr_pa(vp);
	return __seamcall_saved_ret(TDH_VP_ENTER, args);
}

u64 tdh_mr_extend(struct tdx_td *td, u64 gpa, u64 *ext_err1, u64 *ext_err2)
{
	struct tdx_module_args args = {.rcx = gpa, .rdx = tdx_tdr_pa(td)};

	return sept_call(TDH_MR_EXTEND, &args, ext_err1, ext_err2);
}

u64 tdh_mr_finalize(struct tdx_td *td)
{
	struct tdx_module_args args = {.rcx = tdx_tdr_pa(td)};

	return seamcall(TDH_MR_FINALIZE, &args);
}

/* --- secure EPT ------------------------------------------------------------------------------ */

u64 tdh_mem_page_add(struct tdx_td *td, u64 gpa, kvm_pfn_t pfn, u64 source_hpa, u64 *ext_err1,
		     u64 *ext_err2)
{
	struct tdx_module_args args = {
		.rcx = gpa,
		.rdx = tdx_tdr_pa(td),
		.r8 = PFN_PHYS(pfn),
		.r9 = source_hpa,
	};

	tdx_clflush_pfn(pfn, PG_LEVEL_4K);
	return sept_call(TDH_MEM_PAGE_ADD, &args, ext_err1, ext_err2);
}

u64 tdh_mem_sept_add(struct tdx_td *td, u64 gpa, enum pg_level level, struct page *page,
		     u64 *ext_err1, u64 *ext_err2)
{
	struct tdx_module_args args = {
		.rcx = page_info(gpa, level),
		.rdx = tdx_tdr_pa(td),
		.r8 = page_to_phys(page),
	};

	tdx_clflush_page(page);
	return sept_call(TDH_MEM_SEPT_ADD, &args, ext_err1, ext_err2);
}

u64 tdh_mem_page_aug(struct tdx_td *td, u64 gpa, enum pg_level level, kvm_pfn_t pfn, u64 *ext_err1,
		     u64 *ext_err2)
{
	struct tdx_module_args args = {
		.rcx = page_info(gpa, level),
		.rdx = tdx_tdr_pa(td),
		.r8 = PFN_PHYS(pfn),
	};
	u64 ret;

	if (tdx_refuse_operand(pfn, level, "PAGE.AUG of a frame that does not fit its level", &ret))
		return ret;
	tdx_clflush_pfn(pfn, level);
	return sept_call(TDH_MEM_PAGE_AUG, &args, ext_err1, ext_err2);
}

u64 tdh_mem_range_block(struct tdx_td *td, u64 gpa, enum pg_level level, u64 *ext_err1,
			u64 *ext_err2)
{
	struct tdx_module_args args = {.rcx = page_info(gpa, level), .rdx = tdx_tdr_pa(td)};

	return sept_call(TDH_MEM_RANGE_BLOCK, &args, ext_err1, ext_err2);
}

u64 tdh_mem_range_unblock(struct tdx_td *td, u64 gpa, enum pg_level level, u64 *ext_err1,
			  u64 *ext_err2)
{
	struct tdx_module_args args = {.rcx = page_info(gpa, level), .rdx = tdx_tdr_pa(td)};

	return sept_call(TDH_MEM_RANGE_UNBLOCK, &args, ext_err1, ext_err2);
}

u64 tdh_mem_track(struct tdx_td *td)
{
	struct tdx_module_args args = {.rcx = tdx_tdr_pa(td)};

	return seamcall(TDH_MEM_TRACK, &args);
}

u64 tdh_mem_page_remove(struct tdx_td *td, u64 gpa, enum pg_level level, u64 *ext_err1,
			u64 *ext_err2)
{
	struct tdx_module_args args = {.rcx = page_info(gpa, level), .rdx = tdx_tdr_pa(td)};

	return sept_call(TDH_MEM_PAGE_REMOVE, &args, ext_err1, ext_err2);
}

/*
 * Without ENHANCE_DEMOTE_INTERRUPTIBILITY the call could be interrupted without end, so it is not
 * made at all (spec 5, "INTERRUPTED_RESTARTABLE"; R24). PAMT.ADD, PAMT.REMOVE and DEMOTE of one 2M
 * must not meet, not even from two TDs (B16): pamt_lock is taken inside the wrapper, so that the
 * kick between two attempts stays outside of it (R20).
 */
u64 tdh_mem_page_demote(struct tdx_td *td, u64 gpa, enum pg_level level, kvm_pfn_t pfn,
			struct page *new_sp, struct tdx_pamt_cache *cache, u64 *ext_err1,
			u64 *ext_err2)
{
	struct kvm_host *host = kvm_host_current();
	const bool lock = host->dynamic_pamt &&
			  kvm_policy(KVM_POLICY_DEMOTE_PAMT_LOCK) == KVM_DEMOTE_PAMT_LOCK_ON;
	struct tdx_module_args args = {
		.rcx = page_info(gpa, level),
		.rdx = tdx_tdr_pa(td),
		.r8 = page_to_phys(new_sp),
	};
	struct page *pair[2];
	u64 ret;

	if (!(host->features0 & TDX_FEATURES0_ENHANCE_DEMOTE_INTERRUPTIBILITY))
		return TDX_SW_ERROR;
	if (host->dynamic_pamt) {
		if (tdx_refuse_operand(pfn, level,
				       "PAGE.DEMOTE of a frame that does not fit its level", &ret))
			return ret;
		if (!tdx_take_pamt_pair(cache, pair))
			return TDX_SW_ERROR;
		args.r12 = page_to_phys(pair[0]);
		args.r13 = page_to_phys(pair[1]);
		tdx_clflush_page(pair[0]);
		tdx_clflush_page(pair[1]);
	}
	tdx_clflush_page(new_sp);

	if (lock)
		spin_lock(&host->pamt_lock);
	ret = seamcall_saved_ret(TDH_MEM_PAGE_DEMOTE, &args);
	*ext_err1 = args.rcx;
	*ext_err2 = args.rdx;
	if (host->dynamic_pamt && ret == TDX_SUCCESS)
		tdx_pamt_demoted(pfn);
	if (lock)
		spin_unlock(&host->pamt_lock);

	if (host->dynamic_pamt && ret != TDX_SUCCESS)
		tdx_free_pamt_pair(pair);
	return ret;
}

/* --- physical pages -------------------------------------------------------------------------- */

/*
 * Success for a page of another size than one 4K page would leave the caller with a wrong idea of
 * what it got back.
 */
u64 tdh_phymem_page_reclaim(struct page *page, u64 *tdx_pt, u64 *tdx_owner, u64 *tdx_size)
{
	struct tdx_module_args args = {.rcx = page_to_phys(page)};
	u64 ret = seamcall_ret(TDH_PHYMEM_PAGE_RECLAIM, &args);

	*tdx_pt = args.rcx;
	*tdx_owner = args.rdx;
	*tdx_size = args.r8;
	if (ret == TDX_SUCCESS && *tdx_size)
		return TDX_SW_ERROR;
	return ret;
}

u64 tdh_phymem_cache_wb(bool resume, u32 cpu)
{
	struct tdx_module_args args = {.rcx = resume};

	return seamcall_on(cpu, TDH_PHYMEM_CACHE_WB, &args);
}

static u64 wbinvd_one(u16 hkid, kvm_pfn_t pfn)
{
	struct tdx_module_args args = {
		.rcx = PFN_PHYS(pfn) | (u64)hkid << kvm_host_current()->hkid_shift,
	};

	return seamcall(TDH_PHYMEM_PAGE_WBINVD, &args);
}

u64 tdh_phymem_page_wbinvd_hkid(u16 hkid, kvm_pfn_t pfn, enum pg_level level)
{
	u64 i, ret = TDX_SUCCESS;

	if (tdx_refuse_operand(pfn, level, "PAGE.WBINVD of a frame that does not fit its level",
			       &ret))
		return ret;
	for (i = 0; i < KVM_PAGES_PER_HPAGE(level) && ret == TDX_SUCCESS; i++)
		ret = wbinvd_one(hkid, pfn + i);
	return ret;
}

u64 tdh_phymem_page_wbinvd_tdr(struct tdx_td *td)
{
	return wbinvd_one(kvm_host_current()->hkid_global, page_to_pfn(td->tdr_page));
}

u64 tdh_phymem_pamt_add(u64 hpa, struct page *pages[2])
{
	struct tdx_module_args args = {
		.rcx = page_info(hpa, PG_LEVEL_2M),
		.rdx = page_to_phys(pages[0]),
		.r8 = page_to_phys(pages[1]),
	};

	tdx_clflush_page(pages[0]);
	tdx_clflush_page(pages[1]);
	return seamcall(TDH_PHYMEM_PAMT_ADD, &args);
}

u64 tdh_phymem_pamt_remove(u64 hpa, struct page *pages[2])
{
	struct tdx_module_args args = {.rcx = page_info(hpa, PG_LEVEL_2M)};
	u64 ret = seamcall_ret(TDH_PHYMEM_PAMT_REMOVE, &args);

	if (ret == TDX_SUCCESS) {
		pages[0] = pfn_to_page(PHYS_PFN(args.rdx));
		pages[1] = pfn_to_page(PHYS_PFN(args.r8));
	}
	return ret;
}

void tdx_quirk_reset_pages(kvm_pfn_t pfn, u64 npages)
{
	if (!kvm_host_current()->pw_mce)
		return;
	rt_phys_fill_range(PFN_PHYS(pfn), npages * PAGE_SIZE, 0, 0);
	rt_cycles(npages * LINES_PER_PAGE * CYCLES_PER_LINE);
	smp_mb();
}

void tdx_quirk_reset_page(kvm_pfn_t pfn)
{
	tdx_quirk_reset_pages(pfn, 1);
}
