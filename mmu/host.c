// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boot of the host: page allocator, what the module can do, CPUs, keys; and the counters of the
 * statistics. The module is found initialised (SYS_READY); TDs come in mmu/tdx_vm.c.
 */
#include <linux/kvm_host.h>

#include "mmu/compat/stubs/hostmem.h"
#include "mmu/mmu.h"
#include "mmu/pamt.h"
#include "mmu/tdx.h"

#define HOST_ROOT 2

/* Metadata fields that TDH.SYS.RD reads. */
#define MD_TDX_FEATURES0   0x0a00000300000008ULL
#define MD_TDCS_BASE_SIZE  0x9800000100000100ULL
#define MD_TDVPS_BASE_SIZE 0x9800000100000200ULL

struct kvm_host *kvm_host_current(void)
{
	struct kvm_host *host = rt_root(HOST_ROOT);

	BUG_ON(!host);
	return host;
}

/* What the module says of itself. -EIO when it does not answer: it is not ready. */
static int tdx_enable(struct kvm_host *host)
{
	u64 tdcs = 0, tdvps = 0;

	if (tdh_sys_rd(MD_TDX_FEATURES0, &host->features0) ||
	    tdh_sys_rd(MD_TDCS_BASE_SIZE, &tdcs) || tdh_sys_rd(MD_TDVPS_BASE_SIZE, &tdvps))
		return -EIO;
	if (!tdcs || tdvps < 2 * PAGE_SIZE)
		return -EINVAL;
	host->tdcs_nr_pages = tdcs / PAGE_SIZE;
	host->tdvps_nr_pages = tdvps / PAGE_SIZE - 1;
	return 0;
}

/* Module parameter and kernel option fall back silently to what the module can do (spec 2.11). */
static void gate_features(struct kvm_host *host, const struct kvm_host_setup *setup)
{
	const struct seam_config *cfg = seam_get_config(host->seam);

	host->tdx_huge_page = setup->tdx_huge_page &&
			      (host->features0 & TDX_FEATURES0_ENHANCE_DEMOTE_INTERRUPTIBILITY);
	host->dynamic_pamt = setup->dynamic_pamt && cfg->dynamic_pamt &&
			     (host->features0 & TDX_FEATURES0_DYNAMIC_PAMT);
	/* No feature bit of it is known (tdx-module.md 8.3). */
	host->non_blocking_resize =
		cfg->non_blocking_resize &&
		host->policy[KVM_POLICY_SHARED_SPLIT] == KVM_SHARED_SPLIT_NONBLOCKING;
}

static void init_cpus(struct kvm_host *host, const struct seam_config *cfg)
{
	u32 i;

	host->cpus = rt_zalloc(host->nr_cpus * sizeof(*host->cpus));
	for (i = 0; i < host->nr_cpus; i++) {
		host->cpus[i].pkg = i * cfg->pkgs / cfg->lps; /* as the module numbers them */
		seam_set_if(host->seam, i, true);
	}
}

static bool setup_fits(const struct kvm_host_setup *setup)
{
	const struct seam_config *cfg = seam_get_config(setup->seam);
	u32 i, j;

	if (!setup->cpus || setup->cpus > cfg->lps)
		return false;
	/* A Dynamic PAMT module under a kernel that knows nothing of it has no 4K pages to give. */
	if (cfg->dynamic_pamt && !setup->dynamic_pamt)
		return false;
	if (setup->policy[KVM_POLICY_SHARED_SPLIT] == KVM_SHARED_SPLIT_NONBLOCKING &&
	    !cfg->non_blocking_resize)
		return false;
	for (i = 0; kvm_policies[i].key; i++) {
		for (j = 0; j <= setup->policy[i]; j++) {
			if (!kvm_policies[i].values[j])
				return false;
		}
	}
	return true;
}

static void init_host(struct kvm_host *host, const struct kvm_host_setup *setup)
{
	const struct seam_config *cfg = seam_get_config(setup->seam);
	u32 i;

	host->seam = setup->seam;
	host->nr_cpus = setup->cpus;
	host->nr_pkgs = cfg->pkgs;
	for (i = 0; i < KVM_POLICIES_MAX; i++)
		host->policy[i] = setup->policy[i];
	host->pw_mce = true; /* every CPU on which a TDX module runs today has the erratum */
	host->hkid_global = cfg->hkid_global;
	host->hkid_first = cfg->hkid_first;
	host->hkid_count = cfg->hkid_count;
	host->hkid_shift = 52 - cfg->keyid_bits;
	host->hkid_used = rt_zalloc(BITS_TO_LONGS(cfg->hkid_count) * sizeof(long));
	INIT_LIST_HEAD(&host->vm_list);
	INIT_LIST_HEAD(&host->loaded_vcpus);
	spin_lock_init(&host->pamt_lock);
	mutex_init(&host->tdx_lock);
	init_cpus(host, cfg);
}

int kvm_host_new(const struct kvm_host_setup *setup, struct kvm_host **hostp)
{
	struct kvm_host *host;
	int ret;

	if (!setup_fits(setup))
		return -EINVAL;
	ret = hostmem_init(setup->mem_base, setup->mem);
	if (ret)
		return ret;
	host = rt_zalloc(sizeof(*host));
	rt_set_root(HOST_ROOT, host);
	init_host(host, setup);
	ret = tdx_enable(host);
	if (ret) {
		kvm_host_free(host);
		return ret;
	}
	gate_features(host, setup);
	seam_set_shared_walk(host->seam, kvm_mmu_shared_walk, host);
	*hostp = host;
	return 0;
}

void kvm_host_free(struct kvm_host *host)
{
	WARN_ON(!list_empty(&host->vm_list));
	seam_set_shared_walk(host->seam, NULL, NULL);
	tdx_pamt_exit(host);
	mutex_destroy(&host->tdx_lock);
	rt_free(host->page_private);
	rt_free(host->hkid_used);
	rt_free(host->cpus);
	rt_free(host);
	rt_set_root(HOST_ROOT, NULL);
	hostmem_exit();
}

bool kvm_host_huge_pages(const struct kvm_host *host)
{
	return host->tdx_huge_page;
}

void kvm_set_guest_program(struct kvm_host *host,
			   void (*run)(struct kvm_vcpu *vcpu, u32 lp, struct seam_regs *r))
{
	host->guest = run;
}

void kvm_set_guest_has_work(struct kvm_host *host, bool (*has_work)(const struct kvm_vcpu *vcpu))
{
	host->guest_has_work = has_work;
}

/* --- statistics ------------------------------------------------------------------------------ */

void kvm_stat_add(enum kvm_stat st, s64 n)
{
	kvm_host_current()->stats[st] += n;
}

void kvm_update_page_stats(struct kvm *kvm, int level, int count)
{
	atomic64_add(count, &kvm->stat.pages[level - 1]);
}

void kvm_for_each_counter(const struct kvm_host *host,
			  void (*fn)(void *ctx, const void *p, size_t len), void *ctx)
{
	const struct kvm_vcpu *vcpu;
	const struct kvm *kvm;
	u32 i;

	fn(ctx, host->stats, sizeof(host->stats));
	for (i = 0; i < host->nr_cpus; i++)
		fn(ctx, &host->cpus[i].ipis_handled, sizeof(host->cpus[i].ipis_handled));
	list_for_each_entry(kvm, &host->vm_list, vm_list) {
		kvm_for_each_vcpu(i, vcpu, kvm)
			fn(ctx, &vcpu->kick_cookie, sizeof(vcpu->kick_cookie));
	}
}

void kvm_host_set_lanes(struct kvm_host *host, u32 lanes)
{
	hostmem_set_lanes(lanes);
}

u64 kvm_look_kicks(const struct kvm_host *host)
{
	const struct kvm_vcpu *vcpu;
	const struct kvm *kvm;
	u64 pending = 0;
	u32 i;

	list_for_each_entry(kvm, &host->vm_list, vm_list) {
		kvm_for_each_vcpu(i, vcpu, kvm)
			pending = pending * 3 + 1 + kvm_kick_pending(vcpu);
	}
	return pending;
}

/* What VMs that are gone have left, plus what is counted with those that are here. */
u64 kvm_stat(const struct kvm_host *host, enum kvm_stat st)
{
	const struct kvm *kvm;
	u64 sum = host->stats[st];

	list_for_each_entry(kvm, &host->vm_list, vm_list) {
		switch (st) {
		case KVM_STAT_PAGES_4K:
		case KVM_STAT_PAGES_2M:
		case KVM_STAT_PAGES_1G:
			sum += kvm->stat.pages[st - KVM_STAT_PAGES_4K].counter;
			break;
		case KVM_STAT_MMU_LOCK_WRITE:
			sum += kvm->mmu_lock.rt.stats.ex;
			break;
		case KVM_STAT_MMU_LOCK_WRITE_CYCLES:
			sum += kvm->mmu_lock.rt.stats.held_cycles;
			break;
		default:
			break;
		}
	}
	return sum;
}
