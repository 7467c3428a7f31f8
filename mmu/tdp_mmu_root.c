// SPDX-License-Identifier: GPL-2.0-only
/*
 * The roots of a VM: finding, making, counting, invalidating them, and giving up mmu_lock in a walk
 * over one. What is below a root is changed in tdp_mmu.c and taken down in tdp_mmu_zap.c. The list
 * is RCU's; it changes under tdp_mmu_pages_lock, and only with mmu_lock held either way.
 */
#include "mmu/tdp_mmu.h"

enum kvm_tdp_mmu_root_types kvm_gfn_range_filter_to_root_types(struct kvm *kvm,
							       enum kvm_gfn_range_filter process)
{
	enum kvm_tdp_mmu_root_types types = 0;

	if (!kvm_has_mirrored_tdp(kvm))
		return KVM_DIRECT_ROOTS;

	if (process & KVM_FILTER_SHARED)
		types |= KVM_DIRECT_ROOTS;
	if (process & KVM_FILTER_PRIVATE)
		types |= KVM_MIRROR_ROOTS;
	WARN_ON_ONCE(!types);
	return types;
}

bool tdp_mmu_root_match(const struct kvm_mmu_page *root, enum kvm_tdp_mmu_root_types types)
{
	if (WARN_ON_ONCE(!(types & KVM_VALID_ROOTS)))
		return false;
	if (root->role.invalid && !(types & KVM_INVALID_ROOTS))
		return false;
	return types & (is_mirror_sp(root) ? KVM_MIRROR_ROOTS : KVM_DIRECT_ROOTS);
}

void kvm_tdp_mmu_put_root(struct kvm *kvm, struct kvm_mmu_page *root)
{
	lockdep_assert_held(&kvm->mmu_lock);

	if (!refcount_dec_and_test(&root->tdp_mmu_root_count))
		return;

	/* The TDP MMU's own reference goes only after the root was invalidated and zapped. */
	KVM_BUG_ON(!root->role.invalid, kvm);

	spin_lock(&kvm->arch.tdp_mmu_pages_lock);
	list_del_rcu(&root->link);
	spin_unlock(&kvm->arch.tdp_mmu_pages_lock);
	call_rcu(&root->rcu_head, tdp_mmu_free_sp_rcu_callback);
}

struct kvm_mmu_page *tdp_mmu_next_root(struct kvm *kvm, struct kvm_mmu_page *prev,
				       enum kvm_tdp_mmu_root_types types)
{
	struct kvm_mmu_page *next;

	lockdep_assert_held(&kvm->mmu_lock);

	/*
	 * RCU keeps the list's nodes: mmu_lock for read does not, another reader may put the last
	 * reference of one.
	 */
	rcu_read_lock();
	next = prev ? list_next_or_null_rcu(&kvm->arch.tdp_mmu_roots, &prev->link,
					    struct kvm_mmu_page, link)
		    : list_first_or_null_rcu(&kvm->arch.tdp_mmu_roots, struct kvm_mmu_page, link);
	while (next) {
		if (tdp_mmu_root_match(next, types) && kvm_tdp_mmu_get_root(next))
			break;
		next = list_next_or_null_rcu(&kvm->arch.tdp_mmu_roots, &next->link,
					     struct kvm_mmu_page, link);
	}
	rcu_read_unlock();

	if (prev)
		kvm_tdp_mmu_put_root(kvm, prev);
	return next;
}

struct kvm_mmu_page *tdp_mmu_find_root(const struct kvm *kvm, bool mirror)
{
	struct kvm_mmu_page *root;

	list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link) {
		if (!root->role.invalid && is_mirror_sp(root) == mirror)
			return root;
	}
	return NULL;
}

struct kvm_mmu_page *tdp_mmu_get_root_for_fault(struct kvm_vcpu *vcpu,
						const struct kvm_page_fault *fault)
{
	if (kvm_is_addr_direct(vcpu->kvm, fault->addr))
		return root_to_sp(vcpu->arch.mmu->root.hpa);
	return root_to_sp(vcpu->arch.mmu->mirror_root_hpa);
}

/* As deep as the guest's address width: the shared bit is the top bit of the root's range. */
static int kvm_mmu_get_tdp_level(const struct kvm *kvm)
{
	const int gfn_bits = 4 * SPTE_LEVEL_BITS;

	return kvm_gfn_direct_bits(kvm) >> gfn_bits ? 5 : 4;
}

static union kvm_mmu_page_role tdp_mmu_root_role(const struct kvm *kvm, bool mirror)
{
	union kvm_mmu_page_role role = {.word = 0};

	role.level = kvm_mmu_get_tdp_level(kvm);
	role.direct = true;
	role.access = ACC_ALL;
	role.is_mirror = mirror;
	return role;
}

/* A valid root of that role, with a reference. */
static struct kvm_mmu_page *tdp_mmu_reuse_root(struct kvm *kvm, union kvm_mmu_page_role role)
{
	struct kvm_mmu_page *root = tdp_mmu_find_root(kvm, role.is_mirror);

	/*
	 * The TDP MMU holds a reference on every valid root, so getting one fails only for a root
	 * that is being invalidated.
	 */
	if (root && root->role.word == role.word && kvm_tdp_mmu_get_root(root))
		return root;
	return NULL;
}

void kvm_tdp_mmu_alloc_root(struct kvm_vcpu *vcpu, bool mirror)
{
	struct kvm *kvm = vcpu->kvm;
	const union kvm_mmu_page_role role = tdp_mmu_root_role(kvm, mirror);
	struct kvm_mmu_page *root;

	read_lock(&kvm->mmu_lock);
	spin_lock(&kvm->arch.tdp_mmu_pages_lock);
	root = tdp_mmu_reuse_root(kvm, role);
	if (!root) {
		root = tdp_mmu_alloc_sp(vcpu);
		/* No external_spt: the S-EPT's root page is in the TDCS. */
		tdp_mmu_init_sp(root, NULL, 0, role);
		/*
		 * One for the vCPU, one for the TDP MMU, which drops its own when it has zapped the
		 * root.
		 */
		refcount_set(&root->tdp_mmu_root_count, 2);
		list_add_rcu(&root->link, &kvm->arch.tdp_mmu_roots);
	}
	spin_unlock(&kvm->arch.tdp_mmu_pages_lock);
	read_unlock(&kvm->mmu_lock);

	if (mirror)
		vcpu->arch.mmu->mirror_root_hpa = __pa(root->spt);
	else
		vcpu->arch.mmu->root.hpa = __pa(root->spt);
}

void kvm_tdp_mmu_invalidate_roots(struct kvm *kvm, enum kvm_tdp_mmu_root_types types)
{
	struct kvm_mmu_page *root;

	/* Without vCPUs nobody can be mapping, and the VM's destruction holds no lock. */
	lockdep_assert(lockdep_is_held_type(&kvm->mmu_lock, 1) ||
		       !refcount_read(&kvm->users_count));
	WARN_ON_ONCE(types & KVM_INVALID_ROOTS);

	list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link) {
		if (!tdp_mmu_root_match(root, types))
			continue;
		root->tdp_mmu_scheduled_root_to_zap = true;
		root->role.invalid = true;
	}
}

bool tdp_mmu_iter_cond_resched(struct kvm *kvm, struct tdp_iter *iter, bool flush, bool shared)
{
	KVM_MMU_WARN_ON(iter->yielded);

	if (!need_resched() && !rwlock_needbreak(&kvm->mmu_lock))
		return false;

	/* No second yield at one place: two walkers could hand the lock to each other for ever. */
	if (iter->next_last_level_gfn == iter->yielded_gfn)
		return false;

	if (flush)
		kvm_flush_remote_tlbs(kvm);

	rcu_read_unlock();
	if (shared)
		cond_resched_rwlock_read(&kvm->mmu_lock);
	else
		cond_resched_rwlock_write(&kvm->mmu_lock);
	rcu_read_lock();

	WARN_ON_ONCE(iter->gfn > iter->next_last_level_gfn);
	iter->yielded = true;
	return true;
}
