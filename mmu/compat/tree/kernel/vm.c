// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree's VM and vCPU beside those of the simulator, what goes to and fro between them, and what
 * the tree's TDP MMU calls of KVM's core: requests, flushes, death of a VM.
 */
#include "kern.h"

/* In the heap, as all that an image of the world has to have. */
static struct ktree_vm **vms;

void ktree_vms_init(void)
{
	vms = ksim_alloc(sizeof(*vms));
}

/* --- to and fro --------------------------------------------------------- */

static void read_state(struct ktree_vm *vm, struct ktree_vm_state *st)
{
	struct kvm *kvm = vm_kvm(vm);
	int i;

	memset(st, 0, sizeof(*st));
	st->bugged = kvm->vm_bugged;
	st->dead = kvm->vm_dead;
#ifdef KTREE_TDX
	st->wait_for_sept_zap = vm->tdx.wait_for_sept_zap;
#endif
	for (i = 0; i < 3; i++)
		st->pages[i] = atomic64_read(&kvm->stat.pages[i]);
}

static void tell_state(void)
{
	struct ktree_vm_state st;
	struct ktree_vm *vm;

	for (vm = *vms; vm; vm = vm->next) {
		read_state(vm, &st);
		if (!memcmp(&st, &vm->told, sizeof(st)))
			continue;
		vm->told = st;
		ksim_vm_state(vm->sim, &st);
	}
}

void ktree_leave(void)
{
	ktree_tell_warning();
	tell_state();
}

int ktree_before_point(void)
{
	int preempt = preempt_count();

	ktree_leave();
	preempt_count_set(PREEMPT_ENABLED);
	return preempt;
}

/* rwlock_needbreak() reads the word of the lock on which waiters queue. */
void ktree_after_point(int preempt)
{
	struct ktree_vm *vm;

	preempt_count_set(preempt);
	for (vm = *vms; vm; vm = vm->next) {
		rwlock_t *l = &vm_kvm(vm)->mmu_lock;

		l->raw_lock.wait_lock.val.counter = ksim_lock_contended(ktree_lock_of(&l->dep_map));
	}
}

/* --- VM and vCPU -------------------------------------------------------- */

struct ktree_vm *ktree_vm_new(void *sim, void *mmu_lock, void *slots_lock)
{
	struct ktree_vm *vm = ksim_alloc(sizeof(*vm));
	struct kvm *kvm = vm_kvm(vm);

	vm->sim = sim;
	ktree_lock_attach(&kvm->mmu_lock.dep_map, mmu_lock);
	ktree_lock_attach(&kvm->slots_lock.dep_map, slots_lock);
	refcount_set(&kvm->users_count, 1);
	kvm->arch.vm_type = KTREE_VM_TYPE;
	kvm_mmu_init_tdp_mmu(kvm);
	vm->next = *vms;
	*vms = vm;
	return vm;
}

void ktree_vm_update(struct ktree_vm *vm, const struct ktree_vm_conf *conf)
{
	struct kvm *kvm = vm_kvm(vm);

	refcount_set(&kvm->users_count, conf->has_users);
	kvm->created_vcpus = conf->vcpus;
#ifdef KTREE_TDX
	kvm->arch.gfn_direct_bits = conf->direct_bits;
	kvm->arch.pre_fault_allowed = conf->pre_fault_allowed;
	vm->tdx.hkid = conf->hkid;
	vm->tdx.state = conf->td_state;
	vm->tdx.td.tdr_page = conf->tdr ? pfn_to_page(PHYS_PFN(conf->tdr)) : NULL;
	vm->tdx.page_add_src =
		conf->add_src ? pfn_to_page(PHYS_PFN(conf->add_src & PAGE_MASK)) : NULL;
#endif
}

void ktree_vm_uninit(struct ktree_vm *vm)
{
	kvm_mmu_uninit_tdp_mmu(vm_kvm(vm));
	ktree_leave();
}

void ktree_vm_free(struct ktree_vm *vm)
{
	struct lockdep_map *pages_lock = &vm_kvm(vm)->arch.tdp_mmu_pages_lock.dep_map;
	struct ktree_vm **at = vms;

	while (*at != vm)
		at = &(*at)->next;
	*at = vm->next;
	ksim_lock_free(ktree_lock_of(pages_lock));
	ksim_free(vm);
}

struct ktree_vcpu *ktree_vcpu_new(struct ktree_vm *vm, void *sim, void *const caches[3])
{
	struct ktree_vcpu *tv = ksim_alloc(sizeof(*tv));
	struct kvm_vcpu *vcpu = tree_vcpu(tv);

	tv->sim = sim;
	vcpu->kvm = vm_kvm(vm);
	vcpu->arch.mmu = &vcpu->arch.root_mmu;
	vcpu->arch.mmu->root.hpa = INVALID_PAGE;
	vcpu->arch.mmu_page_header_cache.objects = caches[0];
	vcpu->arch.mmu_shadow_page_cache.objects = caches[1];
#ifdef KTREE_TDX
	vcpu->arch.mmu->mirror_root_hpa = INVALID_PAGE;
	vcpu->arch.mmu_external_spt_cache.objects = caches[2];
#endif
	return tv;
}

void ktree_vcpu_free(struct ktree_vcpu *vcpu)
{
	ksim_free(vcpu);
}

/* --- what the TDP MMU calls of KVM -------------------------------------- */

bool kvm_make_all_cpus_request(struct kvm *kvm, unsigned int req)
{
	enum ksim_request what = KSIM_TLB_FLUSH;
	int preempt;
	bool sent;

	if (req == KVM_REQ_OUTSIDE_GUEST_MODE)
		what = KSIM_OUTSIDE_GUEST_MODE;
	else if ((req & KVM_REQUEST_MASK) == (KVM_REQ_VM_DEAD & KVM_REQUEST_MASK))
		what = KSIM_VM_DEAD;
	/* A VM dies between the WARN and the line for the log that says of what. */
	preempt = what == KSIM_VM_DEAD ? preempt_count() : ktree_before_point();
	tell_state();
	sent = ksim_request(kvm_vm(kvm)->sim, what);
	ktree_after_point(preempt);
	return sent;
}

void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	int preempt = ktree_before_point();

	ksim_request(kvm_vm(kvm)->sim, KSIM_TLB_FLUSH);
	ktree_after_point(preempt);
}

void kvm_flush_remote_tlbs_range(struct kvm *kvm, gfn_t gfn, u64 nr_pages)
{
	kvm_flush_remote_tlbs(kvm);
}

void kvm_flush_remote_tlbs_memslot(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	kvm_flush_remote_tlbs(kvm);
}

/* Dirty logging and the struct page of guest memory are not simulated. */
void mark_page_dirty_in_slot(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn)
{
}

#ifdef HAVE_SET_PFN_DIRTY
void kvm_set_pfn_dirty(kvm_pfn_t pfn)
{
}

void kvm_set_pfn_accessed(kvm_pfn_t pfn)
{
}
#endif

/* No shadow paging: no page of the guest is a page table to us. */
int mmu_try_to_unsync_pages(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn,
			    bool synchronizing, bool prefetch)
{
	return 0;
}
