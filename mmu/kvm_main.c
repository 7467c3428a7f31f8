// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM and vCPU as objects (kernel: virt/kvm/kvm_main.c): creation, references, requests and kicks,
 * invalidation, death of a VM. Memslots are in mmu/memslots.c, attributes in mmu/mem_attr.c,
 * running a vCPU in mmu/x86.c, everything TDX in mmu/tdx_vm.c.
 */
#include <string.h>

#include <linux/kvm_host.h>

#include "mmu/memslots.h"
#include "mmu/mmu.h"
#include "mmu/tdx.h"
#include "mmu/x86.h"
#include "sim/rt/trace.h"

static const struct rt_event_type ev_kick = {
	.name = "kick",
	.cat = "mmu",
	.arg = {{"request", RT_ARG_HEX}, {"ipis", RT_ARG_DEC}},
};
static const struct rt_event_type ev_bug = {
	.name = "kvm_bug",
	.cat = "mmu",
	.arg = {{"line", RT_ARG_DEC}},
};

/* --- VM -------------------------------------------------------------------------------------- */

static void init_locks(struct kvm *kvm)
{
	rwlock_init(&kvm->mmu_lock);
	mutex_init(&kvm->slots_lock);
	mutex_init(&kvm->lock);
	init_srcu_struct(&kvm->srcu);
}

static void destroy_locks(struct kvm *kvm)
{
	rt_lock_destroy(&kvm->mmu_lock.rt);
	mutex_destroy(&kvm->slots_lock);
	mutex_destroy(&kvm->lock);
}

int kvm_dev_ioctl_create_vm(struct kvm_host *host, const struct kvm_tdx_params *params,
			    struct kvm **kvmp)
{
	struct kvm *kvm;
	int ret;

	if (!params->max_vcpus)
		return -EINVAL;
	kvm = tdx_vm_alloc();
	kvm->host = host;
	init_locks(kvm);
	refcount_set(&kvm->users_count, 1);
	INIT_LIST_HEAD(&kvm->vm_list);
	kvm->max_vcpus = params->max_vcpus;
	kvm->vcpus = rt_zalloc(kvm->max_vcpus * sizeof(*kvm->vcpus));
	kvm_init_memslots(kvm);
	ret = kvm_mmu_init_vm(kvm);
	if (ret)
		goto out_free;
	tdx_vm_init(kvm, params);
	list_add_tail(&kvm->vm_list, &host->vm_list);
	*kvmp = kvm;
	return 0;

out_free:
	kvm_free_memslots(kvm);
	rt_free(kvm->vcpus);
	destroy_locks(kvm);
	tdx_vm_free(kvm);
	return ret;
}

/* The counters of a VM that goes live on in those of the host. */
static void fold_stats(struct kvm *kvm)
{
	int i;

	for (i = 0; i < KVM_NR_PAGE_SIZES; i++)
		kvm_stat_add(KVM_STAT_PAGES_4K + i, kvm->stat.pages[i].counter);
	kvm_stat_add(KVM_STAT_MMU_LOCK_WRITE, kvm->mmu_lock.rt.stats.ex);
	kvm_stat_add(KVM_STAT_MMU_LOCK_WRITE_CYCLES, kvm->mmu_lock.rt.stats.held_cycles);
}

static void destroy_vcpus(struct kvm *kvm)
{
	u32 i;

	for (i = 0; i < kvm->created_vcpus; i++) {
		struct kvm_vcpu *vcpu = kvm->vcpus[i];

		WARN_ON(vcpu->loaded);
		tdx_vcpu_free(vcpu);
		kvm_mmu_destroy(vcpu);
		mutex_destroy(&vcpu->mutex);
		rt_free(to_tdx(vcpu));
	}
	kvm->created_vcpus = 0;
	rt_free(kvm->vcpus);
	kvm->vcpus = NULL;
}

/*
 * The order is the real one (spec 2.11, S10): the key id is released while tables still stand,
 * since S-EPT pages can only be reclaimed after it; vCPUs before the tables, since they hold the
 * roots; the TD itself last.
 */
static void kvm_destroy_vm(struct kvm *kvm)
{
	u32 i;

	list_del(&kvm->vm_list);
	tdx_mmu_release_hkid(kvm);
	for (i = 0; i < kvm->created_vcpus; i++)
		kvm_mmu_unload(kvm->vcpus[i]);
	destroy_vcpus(kvm);
	kvm_mmu_uninit_vm(kvm);
	tdx_vm_destroy(kvm);
	fold_stats(kvm);
	kvm_free_memslots(kvm);
	rt_free(kvm->mem_attr);
	kvm_free_user_pages(kvm);
	destroy_locks(kvm);
	tdx_vm_free(kvm);
}

void kvm_get_kvm(struct kvm *kvm)
{
	refcount_inc(&kvm->users_count);
}

void kvm_put_kvm(struct kvm *kvm)
{
	if (refcount_dec_and_test(&kvm->users_count))
		kvm_destroy_vm(kvm);
}

void kvm_vm_release(struct kvm *kvm)
{
	might_sleep();
	kvm_put_kvm(kvm);
}

/* --- vCPU ------------------------------------------------------------------------------------ */

static bool vcpu_id_taken(const struct kvm *kvm, u32 id)
{
	u32 i;

	for (i = 0; i < kvm->created_vcpus; i++) {
		if (kvm->vcpus[i]->vcpu_id == id)
			return true;
	}
	return false;
}

static int create_vcpu_locked(struct kvm *kvm, u32 id, u32 cpu, struct kvm_vcpu **vcpup)
{
	struct kvm_vcpu *vcpu;
	int ret;

	if (kvm->created_vcpus == kvm->max_vcpus)
		return -EINVAL;
	if (vcpu_id_taken(kvm, id))
		return -EEXIST;
	if (to_kvm_tdx(kvm)->state != TD_STATE_INITIALIZED)
		return -EIO;

	vcpu = &((struct vcpu_tdx *)rt_zalloc(sizeof(struct vcpu_tdx)))->vcpu;
	vcpu->kvm = kvm;
	vcpu->vcpu_id = id;
	vcpu->vcpu_idx = kvm->created_vcpus;
	vcpu->cpu = cpu;
	vcpu->loaded_by = RT_NOBODY;
	mutex_init(&vcpu->mutex);
	ret = kvm_mmu_create(vcpu);
	if (ret) {
		mutex_destroy(&vcpu->mutex);
		rt_free(to_tdx(vcpu));
		return ret;
	}
	kvm->vcpus[kvm->created_vcpus] = vcpu;
	WRITE_ONCE(kvm->created_vcpus, kvm->created_vcpus + 1);
	*vcpup = vcpu;
	return 0;
}

int kvm_vm_ioctl_create_vcpu(struct kvm *kvm, u32 id, u32 cpu, struct kvm_vcpu **vcpu)
{
	int ret;

	if (kvm->vm_dead)
		return -EIO;
	if (cpu >= kvm->host->nr_cpus)
		return -EINVAL;
	mutex_lock(&kvm->lock);
	ret = create_vcpu_locked(kvm, id, cpu, vcpu);
	mutex_unlock(&kvm->lock);
	return ret;
}

static u32 current_actor(void)
{
	const struct rt_actor *a = rt_actor_current();

	return a ? rt_actor_id(a) : RT_NOBODY;
}

struct kvm_vcpu *kvm_get_running_vcpu(void)
{
	struct kvm_vcpu *vcpu;
	const u32 me = current_actor();

	list_for_each_entry(vcpu, &kvm_host_current()->loaded_vcpus, loaded_list) {
		if (vcpu->loaded_by == me)
			return vcpu;
	}
	return NULL;
}

void vcpu_load(struct kvm_vcpu *vcpu)
{
	BUG_ON(vcpu->loaded);
	vcpu->loaded = true;
	vcpu->loaded_by = current_actor();
	list_add(&vcpu->loaded_list, &vcpu->kvm->host->loaded_vcpus);
}

void vcpu_put(struct kvm_vcpu *vcpu)
{
	BUG_ON(!vcpu->loaded);
	vcpu->loaded = false;
	list_del(&vcpu->loaded_list);
}

bool signal_pending_vcpu(const struct kvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->signal);
}

/* Interrupts for the guest are not modelled: there is never one to be delivered. */
bool kvm_vcpu_has_events(struct kvm_vcpu *vcpu)
{
	return false;
}

/* --- requests and kicks ---------------------------------------------------------------------- */

/* The vCPU notices before it enters, or gets an IPI if it may be in already. */
static int exiting_guest_mode(struct kvm_vcpu *vcpu)
{
	return cmpxchg(&vcpu->mode, IN_GUEST_MODE, EXITING_GUEST_MODE);
}

/* Who waits must also wait for a vCPU that is on its way out: until then its TLB is in use. */
static bool request_needs_ipi(struct kvm_vcpu *vcpu, u32 req)
{
	const int mode = exiting_guest_mode(vcpu);

	if (req & KVM_REQUEST_WAIT)
		return mode != OUTSIDE_GUEST_MODE;
	return mode == IN_GUEST_MODE;
}

bool kvm_kick_pending(const struct kvm_vcpu *vcpu)
{
	return vcpu->kicked &&
	       !kvm_cpu_ipi_handled(&vcpu->kvm->host->cpus[vcpu->kick_cpu], vcpu->kick_cookie);
}

static bool kicks_are_over(void *arg)
{
	const struct kvm *kvm = arg;
	u32 i;

	for (i = 0; i < kvm->created_vcpus; i++) {
		if (kvm_kick_pending(kvm->vcpus[i]))
			return false;
	}
	return true;
}

static u32 send_kicks(struct kvm *kvm, u32 req)
{
	struct kvm_vcpu *vcpu;
	u32 i, sent = 0;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (!(req & KVM_REQUEST_NO_ACTION))
			kvm_make_request(req, vcpu);
		if (!request_needs_ipi(vcpu, req))
			continue;
		vcpu->kick_cpu = vcpu->cpu;
		vcpu->kick_cookie = kvm_cpu_send_ipi(vcpu->cpu);
		vcpu->kicked = true;
		sent++;
	}
	return sent;
}

bool kvm_make_all_cpus_request(struct kvm *kvm, u32 req)
{
	u32 sent;

	/* v3 kept the spinlock of its split cache over a second DEMOTE, and its kick (B58, R20). */
	if (req & KVM_REQUEST_WAIT)
		lockdep_assert_no_spinlock("vCPUs to leave guest mode");
	sent = send_kicks(kvm, req);

	if (req == KVM_REQ_OUTSIDE_GUEST_MODE)
		kvm_stat_add(KVM_STAT_KICKS, 1);
	rt_trace(&ev_kick, RT_PH_INSTANT, req, sent);
	if (sent && (req & KVM_REQUEST_WAIT))
		rt_block("vCPUs to leave guest mode", kicks_are_over, kvm);
	return sent;
}

void kvm_vcpu_kick(struct kvm_vcpu *vcpu)
{
	if (exiting_guest_mode(vcpu) == IN_GUEST_MODE)
		kvm_cpu_send_ipi(vcpu->cpu);
}

void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	kvm_make_all_cpus_request(kvm, KVM_REQ_TLB_FLUSH);
}

bool kvm_bug_check(struct kvm *kvm, bool cond, const char *file, int line, const char *what)
{
	if (cond && !kvm->vm_bugged) {
		rt_trace(&ev_bug, RT_PH_INSTANT, (u64)line);
		compat_report("kvm-bug", kvm->name, file, line, what);
		kvm_vm_bugged(kvm);
	}
	return cond;
}

/* --- invalidation ---------------------------------------------------------------------------- */

void kvm_mmu_invalidate_begin(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);
	if (!kvm->mmu_invalidate_in_progress++) {
		kvm->mmu_invalidate_range_start = INVALID_GPA;
		kvm->mmu_invalidate_range_end = INVALID_GPA;
	}
}

/* Several invalidations at a time share one range: their union. */
void kvm_mmu_invalidate_range_add(struct kvm *kvm, gfn_t start, gfn_t end)
{
	lockdep_assert_held_write(&kvm->mmu_lock);
	WARN_ON_ONCE(!kvm->mmu_invalidate_in_progress);
	if (kvm->mmu_invalidate_range_start == INVALID_GPA) {
		kvm->mmu_invalidate_range_start = start;
		kvm->mmu_invalidate_range_end = end;
		return;
	}
	kvm->mmu_invalidate_range_start = min(kvm->mmu_invalidate_range_start, start);
	kvm->mmu_invalidate_range_end = max(kvm->mmu_invalidate_range_end, end);
}

/*
 * The number changes before the count falls: who sees no invalidation in progress sees the new
 * number.
 */
void kvm_mmu_invalidate_end(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);
	kvm->mmu_invalidate_seq++;
	smp_wmb();
	kvm->mmu_invalidate_in_progress--;
	KVM_BUG_ON(kvm->mmu_invalidate_in_progress < 0, kvm);
}

static bool range_covers(const struct kvm *kvm, gfn_t gfn)
{
	return gfn >= kvm->mmu_invalidate_range_start && gfn < kvm->mmu_invalidate_range_end;
}

bool mmu_invalidate_retry_gfn(struct kvm *kvm, unsigned long mmu_seq, gfn_t gfn)
{
	lockdep_assert_held(&kvm->mmu_lock);
	if (unlikely(kvm->mmu_invalidate_in_progress)) {
		/*
		 * In progress without a range: nobody knows what it is about, so everybody waits.
		 */
		if (WARN_ON_ONCE(kvm->mmu_invalidate_range_start == INVALID_GPA))
			return true;
		if (range_covers(kvm, gfn))
			return true;
	}
	return kvm->mmu_invalidate_seq != mmu_seq;
}

bool mmu_invalidate_retry_gfn_unsafe(struct kvm *kvm, unsigned long mmu_seq, gfn_t gfn)
{
	if (unlikely(READ_ONCE(kvm->mmu_invalidate_in_progress)) && range_covers(kvm, gfn))
		return true;
	return READ_ONCE(kvm->mmu_invalidate_seq) != mmu_seq;
}
