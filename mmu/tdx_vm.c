// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD comes to life in KVM (kernel: arch/x86/kvm/vmx/tdx.c): INIT_VM, INIT_VCPU, INIT_MEM_REGION,
 * FINALIZE. Its end is in mmu/tdx_teardown.c, running its vCPUs in mmu/tdx_vcpu.c, its S-EPT in
 * mmu/tdx_sept.c.
 *
 * Failures: a page that was given to the module before something failed belongs to the TD and is
 * reclaimed with it; a page that the module does not give back is leaked, after a report.
 */
#include <stdio.h>
#include <string.h>

#include <linux/kvm_host.h>

#include "mmu/mmu.h"
#include "mmu/tdx.h"
#include "mmu/x86.h"
#include "sim/rt/phys.h"

/* TD_PARAMS (tdx-module.md 3.3): offsets in bytes, and the values that every TD of ours has. */
#define TD_PARAMS_SIZE		 1024
#define TD_PARAMS_ATTRIBUTES	 0x00
#define TD_PARAMS_XFAM		 0x08
#define TD_PARAMS_MAX_VCPUS	 0x10
#define TD_PARAMS_EPTP_CONTROLS	 0x18
#define TD_PARAMS_CONFIG_FLAGS	 0x20
#define TD_PARAMS_TSC_FREQUENCY	 0x28
#define TDX_ATTR_DEBUG		 BIT_ULL(0)
#define TDX_ATTR_SEPT_VE_DISABLE BIT_ULL(28)
#define TDX_XFAM_MIN		 3ULL /* x87 and SSE */
#define TDX_TSC_FREQUENCY	 80   /* of 25 MHz: 2 GHz, as sim/rt/world.h counts cycles */
#define TDX_CONFIG_FLAGS_GPAW	 BIT_ULL(0)
#define TDX_CONFIG_FLAGS_NO_RBP	 BIT_ULL(2)
#define EPTP_MEMORY_TYPE_WB	 6ULL
#define EPTP_WALK_SHIFT		 3
#define TDX_EXTENDMR_CHUNKSIZE	 256
#define SHARED_GFN_BIT_4LEVEL	 (47 - PAGE_SHIFT)
#define SHARED_GFN_BIT_5LEVEL	 (51 - PAGE_SHIFT)

bool tdx_bug_check(u64 err, const char *fn, struct kvm *kvm, u32 nr, u64 a, u64 b, u64 c)
{
	char extra[96] = "";

	if (likely(!err) || (kvm && kvm->vm_bugged))
		return err;
	if (nr >= 1)
		snprintf(extra, sizeof(extra), ", rcx 0x%llx", a);
	if (nr >= 2)
		snprintf(extra, sizeof(extra), ", rcx 0x%llx, rdx 0x%llx", a, b);
	if (nr >= 3)
		snprintf(extra, sizeof(extra), ", rcx 0x%llx, rdx 0x%llx, r8 0x%llx", a, b, c);
	rt_report("tdx-bug", "%s: SEAMCALL %s failed: 0x%llx%s", kvm ? kvm->name : "host", fn, err,
		  extra);
	if (kvm)
		kvm_vm_bugged(kvm);
	return true;
}

/* --- objects --------------------------------------------------------------------------------- */

struct kvm *tdx_vm_alloc(void)
{
	struct kvm_tdx *kvm_tdx = rt_zalloc(sizeof(*kvm_tdx));

	return &kvm_tdx->kvm;
}

void tdx_vm_free(struct kvm *kvm)
{
	rt_free(to_kvm_tdx(kvm));
}

void tdx_vm_init(struct kvm *kvm, const struct kvm_tdx_params *params)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);

	strlcpy(kvm_tdx->name, params->name ? params->name : "td", sizeof(kvm_tdx->name));
	kvm->name = kvm_tdx->name;
	kvm->arch.vm_type = KVM_X86_TDX_VM;
	kvm->arch.has_private_mem = true;
	kvm->arch.has_protected_state = true;
	kvm->arch.gfn_direct_bits =
		BIT_ULL(params->gpaw ? SHARED_GFN_BIT_5LEVEL : SHARED_GFN_BIT_4LEVEL);
	kvm_tdx->hkid = -1;
	kvm_tdx->state = TD_STATE_UNINITIALIZED;
	kvm_tdx->gpaw5 = params->gpaw;
	kvm_tdx->sept_ve_disable = params->sept_ve_disable;
	kvm_tdx->attributes = (params->debug ? TDX_ATTR_DEBUG : 0) |
			      (params->sept_ve_disable ? TDX_ATTR_SEPT_VE_DISABLE : 0);
	spin_lock_init(&kvm_tdx->prealloc_split_cache_lock);
	mutex_init(&kvm_tdx->pamt_cache_lock);
}

/*
 * tdx_vm_state_guard: no other state ioctl, no running vCPU, no memslot change, so that calls which
 * need the TDR exclusively are not BUSY by our own doing (B41). All vCPU mutexes are of one class:
 * taken by trying, since an order among them means nothing while kvm->lock is held.
 */
static bool vcpu_mutex_free(void *arg)
{
	const struct mutex *m = arg;

	return !m->rt.held_ex;
}

static void state_guard_lock(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	u32 i;

	mutex_lock(&kvm->lock);
	kvm_for_each_vcpu(i, vcpu, kvm) {
		while (!mutex_trylock(&vcpu->mutex))
			rt_block("vCPU mutex", vcpu_mutex_free, &vcpu->mutex);
	}
	mutex_lock(&kvm->slots_lock);
}

static void state_guard_unlock(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	u32 i;

	mutex_unlock(&kvm->slots_lock);
	kvm_for_each_vcpu(i, vcpu, kvm)
		mutex_unlock(&vcpu->mutex);
	mutex_unlock(&kvm->lock);
}

/* --- KVM_TDX_INIT_VM ------------------------------------------------------------------------- */

static int create_td(struct kvm_tdx *kvm_tdx)
{
	struct page *tdr = tdx_alloc_control_page();
	u64 err;

	if (!tdr)
		return -ENOMEM;
	kvm_tdx->td.tdr_page = tdr;
	mutex_lock(&kvm_tdx->kvm.host->tdx_lock);
	err = tdh_mng_create(&kvm_tdx->td, kvm_tdx->hkid);
	mutex_unlock(&kvm_tdx->kvm.host->tdx_lock);
	if (!err)
		return 0;
	kvm_tdx->td.tdr_page = NULL;
	tdx_free_control_page(tdr);
	if (tdx_status(err) == TDX_RND_NO_ENTROPY)
		return -EAGAIN;
	TDX_BUG_ON(err, TDH_MNG_CREATE, &kvm_tdx->kvm);
	return -EIO;
}

static int configure_keys(struct kvm_tdx *kvm_tdx)
{
	struct kvm_host *host = kvm_tdx->kvm.host;
	u32 pkg, cpu;
	u64 err;

	for (pkg = 0; pkg < host->nr_pkgs; pkg++) {
		cpu = tdx_package_cpu(host, pkg);
		/*
		 * A package without a CPU of ours could not be programmed: the TD would never be
		 * runnable.
		 */
		if (cpu == host->nr_cpus)
			return -EIO;
		err = tdh_mng_key_config(&kvm_tdx->td, cpu);
		if (tdx_status(err) == TDX_KEY_GENERATION_FAILED)
			return -EAGAIN;
		if (TDX_BUG_ON(err, TDH_MNG_KEY_CONFIG, &kvm_tdx->kvm))
			return -EIO;
	}
	return 0;
}

static int add_tdcs_pages(struct kvm_tdx *kvm_tdx)
{
	const u32 want = kvm_tdx->kvm.host->tdcs_nr_pages;
	struct tdx_td *td = &kvm_tdx->td;
	struct page *page;
	u64 err;

	td->tdcs_pages = rt_zalloc(want * sizeof(*td->tdcs_pages));
	while (td->tdcs_nr_pages < want) {
		page = tdx_alloc_control_page();
		if (!page)
			return -ENOMEM;
		err = tdh_mng_addcx(td, page);
		if (err) {
			tdx_free_control_page(page);
			TDX_BUG_ON(err, TDH_MNG_ADDCX, &kvm_tdx->kvm);
			return -EIO;
		}
		td->tdcs_pages[td->tdcs_nr_pages++] = page;
	}
	return 0;
}

static void put_le(u8 *buf, u32 off, u32 len, u64 val)
{
	u32 i;

	for (i = 0; i < len; i++)
		buf[off + i] = val >> (8 * i);
}

static void fill_td_params(const struct kvm_tdx *kvm_tdx, u8 buf[TD_PARAMS_SIZE])
{
	const u64 walk = kvm_tdx->gpaw5 ? 4 : 3;
	u64 flags = kvm_tdx->gpaw5 ? TDX_CONFIG_FLAGS_GPAW : 0;

	if (kvm_tdx->kvm.host->features0 & TDX_FEATURES0_NO_RBP_MOD)
		flags |= TDX_CONFIG_FLAGS_NO_RBP;
	put_le(buf, TD_PARAMS_ATTRIBUTES, 8, kvm_tdx->attributes);
	put_le(buf, TD_PARAMS_XFAM, 8, TDX_XFAM_MIN);
	put_le(buf, TD_PARAMS_MAX_VCPUS, 2, kvm_tdx->kvm.max_vcpus);
	put_le(buf, TD_PARAMS_EPTP_CONTROLS, 8, EPTP_MEMORY_TYPE_WB | walk << EPTP_WALK_SHIFT);
	put_le(buf, TD_PARAMS_CONFIG_FLAGS, 8, flags);
	put_le(buf, TD_PARAMS_TSC_FREQUENCY, 2, TDX_TSC_FREQUENCY);
}

static int configure_td(struct kvm_tdx *kvm_tdx)
{
	u8 buf[TD_PARAMS_SIZE] = {0};
	struct page *page = alloc_page(GFP_KERNEL);
	u64 err, rcx;

	if (!page)
		return -ENOMEM;
	fill_td_params(kvm_tdx, buf);
	rt_phys_poke(page_to_phys(page), 0, buf, sizeof(buf));
	err = tdh_mng_init(&kvm_tdx->td, page_to_phys(page), &rcx);
	rt_phys_fill(page_to_phys(page), 0, 0);
	__free_page(page);
	/* A configuration that the module refuses is the user's mistake, not ours. */
	if (tdx_status(err) == TDX_OPERAND_INVALID)
		return -EINVAL;
	return TDX_BUG_ON_1(err, TDH_MNG_INIT, rcx, &kvm_tdx->kvm) ? -EIO : 0;
}

static int init_vm_locked(struct kvm_tdx *kvm_tdx)
{
	int ret;

	if (kvm_tdx->state != TD_STATE_UNINITIALIZED || kvm_tdx->td.tdr_page)
		return -EINVAL;
	ret = tdx_guest_keyid_alloc(kvm_tdx->kvm.host);
	if (ret < 0)
		return ret;
	kvm_tdx->hkid = ret;
	ret = create_td(kvm_tdx);
	if (ret) {
		tdx_guest_keyid_free(kvm_tdx);
		return ret;
	}
	ret = configure_keys(kvm_tdx);
	if (!ret)
		ret = add_tdcs_pages(kvm_tdx);
	if (!ret)
		ret = configure_td(kvm_tdx);
	/* The TDR exists: from here on only the VM's end undoes what was done. */
	if (!ret)
		kvm_tdx->state = TD_STATE_INITIALIZED;
	return ret;
}

int kvm_tdx_init_vm(struct kvm *kvm)
{
	int ret;

	if (kvm->vm_dead)
		return -EIO;
	state_guard_lock(kvm);
	ret = init_vm_locked(to_kvm_tdx(kvm));
	state_guard_unlock(kvm);
	return ret;
}

/* --- KVM_TDX_INIT_VCPU ----------------------------------------------------------------------- */

static int create_vp(struct kvm_tdx *kvm_tdx, struct tdx_vp *vp)
{
	struct page *page = tdx_alloc_control_page();
	u64 err;

	if (!page)
		return -ENOMEM;
	vp->tdvpr_page = page;
	err = tdh_vp_create(&kvm_tdx->td, vp);
	if (!err)
		return 0;
	vp->tdvpr_page = NULL;
	tdx_free_control_page(page);
	TDX_BUG_ON(err, TDH_VP_CREATE, &kvm_tdx->kvm);
	return -EIO;
}

static int add_tdvps_pages(struct kvm_tdx *kvm_tdx, struct tdx_vp *vp)
{
	const u32 want = kvm_tdx->kvm.host->tdvps_nr_pages;
	struct page *page;
	u64 err;

	vp->tdcx_pages = rt_zalloc(want * sizeof(*vp->tdcx_pages));
	while (vp->tdcx_nr_pages < want) {
		page = tdx_alloc_control_page();
		if (!page)
			return -ENOMEM;
		err = tdh_vp_addcx(vp, page);
		if (err) {
			tdx_free_control_page(page);
			TDX_BUG_ON(err, TDH_VP_ADDCX, &kvm_tdx->kvm);
			return -EIO;
		}
		vp->tdcx_pages[vp->tdcx_nr_pages++] = page;
	}
	return 0;
}

/* Version 1 takes the TDR exclusively: mmu_lock keeps out zaps, which must not fail (B40). */
static int init_vp(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	u64 err;

	write_lock(&vcpu->kvm->mmu_lock);
	err = tdh_vp_init(&tdx->vp, 0, vcpu->vcpu_id);
	write_unlock(&vcpu->kvm->mmu_lock);
	if (TDX_BUG_ON(err, TDH_VP_INIT, vcpu->kvm))
		return -EIO;
	tdx->associated = true;
	return 0;
}

static int init_vcpu_locked(struct kvm_vcpu *vcpu)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(vcpu->kvm);
	struct vcpu_tdx *tdx = to_tdx(vcpu);
	int ret;

	if (kvm_tdx->state != TD_STATE_INITIALIZED || tdx->state != VCPU_TD_STATE_UNINITIALIZED ||
	    tdx->vp.tdvpr_page)
		return -EINVAL;
	ret = create_vp(kvm_tdx, &tdx->vp);
	if (!ret)
		ret = add_tdvps_pages(kvm_tdx, &tdx->vp);
	if (!ret)
		ret = init_vp(vcpu);
	if (!ret)
		tdx->state = VCPU_TD_STATE_INITIALIZED;
	return ret;
}

int kvm_tdx_init_vcpu(struct kvm_vcpu *vcpu)
{
	int ret;

	if (vcpu->kvm->vm_dead)
		return -EIO;
	state_guard_lock(vcpu->kvm);
	vcpu_load(vcpu);
	ret = init_vcpu_locked(vcpu);
	vcpu_put(vcpu);
	state_guard_unlock(vcpu->kvm);
	return ret;
}

/* --- KVM_TDX_INIT_MEM_REGION ----------------------------------------------------------------- */

struct tdx_gmem_post_populate_arg {
	struct kvm_vcpu *vcpu;
	bool measure;
};

static int measure_page(struct kvm *kvm, gfn_t gfn)
{
	u64 err, entry = 0, level_state = 0;
	gpa_t gpa = gfn_to_gpa(gfn), end = gpa + PAGE_SIZE;

	for (; gpa < end; gpa += TDX_EXTENDMR_CHUNKSIZE) {
		err = tdh_mr_extend(&to_kvm_tdx(kvm)->td, gpa, &entry, &level_state);
		if (TDX_BUG_ON_2(err, TDH_MR_EXTEND, entry, level_state, kvm))
			return -EIO;
	}
	return 0;
}

/* The source is handed to tdx_mem_page_add() past the MMU, which knows of no source. */
static int tdx_gmem_post_populate(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, u64 src_hpa, int order,
				  void *opaque)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	struct tdx_gmem_post_populate_arg *arg = opaque;
	int ret;

	if (KVM_BUG_ON(kvm_tdx->page_add_src, kvm))
		return -EIO;
	kvm_tdx->page_add_src = src_hpa | 1;
	ret = kvm_tdp_mmu_map_private_pfn(arg->vcpu, gfn, pfn);
	kvm_tdx->page_add_src = 0;
	if (ret || !arg->measure)
		return ret;
	return measure_page(kvm, gfn);
}

static int init_mem_region_locked(struct kvm_vcpu *vcpu, u64 gpa, u64 size, u64 source,
				  bool measure)
{
	struct tdx_gmem_post_populate_arg arg = {.vcpu = vcpu, .measure = measure};
	struct kvm *kvm = vcpu->kvm;
	u64 done;
	long ret;

	if (to_kvm_tdx(kvm)->state != TD_STATE_INITIALIZED ||
	    to_tdx(vcpu)->state != VCPU_TD_STATE_INITIALIZED)
		return -EINVAL;
	ret = kvm_mmu_reload(vcpu);
	if (ret)
		return ret;
	for (done = 0; done < size; done += PAGE_SIZE) {
		if (signal_pending_vcpu(vcpu))
			return -EINTR;
		ret = kvm_gmem_populate(kvm, gpa_to_gfn(gpa + done), source + done, 1,
					tdx_gmem_post_populate, &arg);
		if (ret < 0)
			return ret;
		if (ret != 1)
			return -EIO;
		cond_resched();
	}
	return 0;
}

int kvm_tdx_init_mem_region(struct kvm_vcpu *vcpu, u64 gpa, u64 size, u64 source, bool measure)
{
	struct kvm *kvm = vcpu->kvm;
	int ret;

	if (kvm->vm_dead)
		return -EIO;
	if (!size || !IS_ALIGNED(gpa | size | source, PAGE_SIZE) || gpa + size <= gpa ||
	    !kvm_is_private_gpa(kvm, gpa) || !kvm_is_private_gpa(kvm, gpa + size - 1))
		return -EINVAL;
	state_guard_lock(kvm);
	vcpu_load(vcpu);
	ret = init_mem_region_locked(vcpu, gpa, size, source, measure);
	vcpu_put(vcpu);
	state_guard_unlock(kvm);
	return ret;
}

/* --- KVM_TDX_FINALIZE_VM --------------------------------------------------------------------- */

static int finalize_locked(struct kvm *kvm)
{
	struct kvm_tdx *kvm_tdx = to_kvm_tdx(kvm);
	u64 err;

	if (kvm_tdx->state != TD_STATE_INITIALIZED)
		return -EINVAL;
	err = tdh_mr_finalize(&kvm_tdx->td);
	if (tdx_operand_busy(err))
		return -EBUSY;
	if (TDX_BUG_ON(err, TDH_MR_FINALIZE, kvm))
		return -EIO;
	kvm_tdx->state = TD_STATE_RUNNABLE;
	/*
	 * Who sees that pre-faulting is allowed must see RUNNABLE, or it would ADD where it has to
	 * AUG.
	 */
	smp_wmb();
	WRITE_ONCE(kvm->arch.pre_fault_allowed, true);
	return 0;
}

int kvm_tdx_finalize_vm(struct kvm *kvm)
{
	int ret;

	if (kvm->vm_dead)
		return -EIO;
	state_guard_lock(kvm);
	ret = finalize_locked(kvm);
	state_guard_unlock(kvm);
	return ret;
}
