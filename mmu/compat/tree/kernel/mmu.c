// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree's TDP MMU behind functions without types of its own: roots, map, unmap, split, looking.
 * Also what it calls of its mmu.c: the level of a fault is the simulator's decision. Forms of
 * prototypes that differ between trees meet here (SIG_*).
 */
#include "kern.h"

#ifdef KTREE_TDX
#define KTREE_CAP_TDX (KTREE_MIRROR | KTREE_DIRECT_BITS)
#else
#define KTREE_CAP_TDX 0
#endif
#ifdef SIG_SPLIT_CROSS_BOUNDARY
#define KTREE_CAP_RANGE KTREE_SPLIT_RANGE
#else
#define KTREE_CAP_RANGE 0
#endif
#ifdef SIG_MIRRORS_SPLIT
#define KTREE_CAP_LEVEL KTREE_SPLIT_LEVEL
#else
#define KTREE_CAP_LEVEL 0
#endif

#ifdef HAVE_tdx_pamt_get
#define KTREE_CAP_PAMT KTREE_DYNAMIC_PAMT
#else
#define KTREE_CAP_PAMT 0
#endif

const struct ktree_info ktree_info = {
	.release = KTREE_RELEASE,
	.caps = KTREE_CAP_TDX | KTREE_CAP_RANGE | KTREE_CAP_LEVEL | KTREE_CAP_PAMT,
	.sp_size = sizeof(struct kvm_mmu_page),
	.page_size = sizeof(struct page),
	.nonpresent = SHADOW_NONPRESENT_VALUE,
};

/* A page fault of the tree, and where the rest of it is. */
struct fault_here {
	struct kvm_page_fault fault;
	struct ktree_fault *f;
};

static struct kvm_memory_slot slot_here(const struct ktree_slot *s)
{
	return (struct kvm_memory_slot){
		.base_gfn = s->base_gfn,
		.npages = s->npages,
		.flags = s->readonly ? KVM_MEM_READONLY : 0,
	};
}

/* --- roots -------------------------------------------------------------- */

static union kvm_mmu_page_role root_role(int level)
{
	union kvm_mmu_page_role role = {.word = 0};

	role.level = level;
	role.direct = true;
	role.access = ACC_ALL;
	role.cr0_wp = true;
	role.efer_nx = true;
	return role;
}

static ktree_u64 vcpu_root(const struct kvm_vcpu *vcpu, bool mirror)
{
#ifdef KTREE_TDX
	if (mirror)
		return vcpu->arch.mmu->mirror_root_hpa;
#endif
	return vcpu->arch.mmu->root.hpa;
}

ktree_u64 ktree_alloc_root(struct ktree_vcpu *tv, bool mirror, int root_level)
{
	struct kvm_vcpu *vcpu = tree_vcpu(tv);

	vcpu->arch.mmu->root_role = root_role(root_level);
#ifdef SIG_ALLOC_ROOT_MIRROR
	kvm_tdp_mmu_alloc_root(vcpu, mirror);
#else
	/* As the kernel's caller: lost against an invalidation, so once more. */
	while (kvm_tdp_mmu_alloc_root(vcpu) == -EAGAIN)
		ksim_relax();
#endif
	ktree_leave();
	return vcpu_root(vcpu, mirror);
}

void ktree_put_root(struct ktree_vm *vm, ktree_u64 hpa)
{
	kvm_tdp_mmu_put_root(vm_kvm(vm), root_to_sp(hpa));
	ktree_leave();
}

bool ktree_root_invalid(ktree_u64 hpa)
{
	return root_to_sp(hpa)->role.invalid;
}

/* --- faults ------------------------------------------------------------- */

void kvm_mmu_hugepage_adjust(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct ktree_fault *f = container_of(fault, struct fault_here, fault)->f;

	ksim_hugepage_adjust(vcpu_of(vcpu)->sim, f);
	fault->req_level = f->req_level;
	fault->goal_level = f->goal_level;
	fault->pfn = f->pfn;
}

/* Without the workaround for executable huge pages only a patched tree can get here. */
void disallowed_hugepage_adjust(struct kvm_page_fault *fault, u64 spte, int cur_level)
{
	struct kvm_mmu_page *child;
	u64 mask;

	if (cur_level == PG_LEVEL_4K || cur_level != fault->goal_level ||
	    !is_shadow_present_pte(spte) || is_large_pte(spte))
		return;
	child = spte_to_child_sp(spte);
#ifdef KTREE_TDX
	if (!child->nx_huge_page_disallowed && !is_mirror_sp(child))
		return;
#else
	if (!child->nx_huge_page_disallowed)
		return;
#endif
	mask = KVM_PAGES_PER_HPAGE(cur_level) - KVM_PAGES_PER_HPAGE(cur_level - 1);
	fault->pfn |= fault->gfn & mask;
	fault->goal_level--;
}

static int result_of(int r)
{
	switch (r) {
	case RET_PF_RETRY:
		return KTREE_RETRY;
	case RET_PF_EMULATE:
		return KTREE_EMULATE;
#ifdef HAVE_RET_PF_WRITE_PROTECTED
	case RET_PF_WRITE_PROTECTED:
		return KTREE_WRITE_PROTECTED;
#endif
	case RET_PF_FIXED:
		return KTREE_FIXED;
	case RET_PF_SPURIOUS:
		return KTREE_SPURIOUS;
	}
	return r < 0 ? r : -EIO;
}

int ktree_map(struct ktree_vcpu *tv, struct ktree_fault *f)
{
	struct kvm_memory_slot slot = slot_here(&f->slot);
	struct fault_here here = {
		.fault =
			{
				.addr = f->addr,
				.error_code = f->error_code,
				.prefetch = f->prefetch,
				.exec = f->exec,
				.write = f->write,
				.present = f->error_code & PFERR_PRESENT_MASK,
				.user = f->error_code & PFERR_USER_MASK,
				.is_tdp = true,
				.is_private = f->is_private,
				.max_level = f->max_level,
				.req_level = f->req_level,
				.goal_level = f->goal_level,
				.gfn = f->gfn,
				.slot = &slot,
				.pfn = f->pfn,
				.map_writable = f->map_writable,
			},
		.f = f,
	};
	int r = kvm_tdp_mmu_map(tree_vcpu(tv), &here.fault);

	f->goal_level = here.fault.goal_level;
	f->pfn = here.fault.pfn;
	ktree_leave();
	return result_of(r);
}

/* --- ranges ------------------------------------------------------------- */

static struct kvm_gfn_range range_here(const struct ktree_range *r, struct kvm_memory_slot *slot)
{
	struct kvm_gfn_range range = {
		.slot = slot,
		.start = r->start,
		.end = r->end,
		.may_block = r->may_block,
	};

#ifdef HAVE_ATTR_FILTER
	range.attr_filter =
		(r->shared ? KVM_FILTER_SHARED : 0) | (r->private_mem ? KVM_FILTER_PRIVATE : 0);
#endif
	return range;
}

bool ktree_unmap(struct ktree_vm *vm, const struct ktree_range *r, bool flush)
{
	struct kvm_memory_slot slot = slot_here(&r->slot);
	struct kvm_gfn_range range = range_here(r, &slot);
	bool ret = kvm_tdp_mmu_unmap_gfn_range(vm_kvm(vm), &range, flush);

	ktree_leave();
	return ret;
}

int ktree_split_mirror(struct ktree_vm *vm, const struct ktree_range *r, int level, bool shared)
{
	int ret = -EOPNOTSUPP;
#ifdef SIG_SPLIT_CROSS_BOUNDARY
	struct kvm_memory_slot slot = slot_here(&r->slot);
	struct kvm_gfn_range range = range_here(r, &slot);

	ret = kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs(vm_kvm(vm), &range, shared);
#elif defined(SIG_MIRRORS_SPLIT)
	ret = kvm_tdp_mmu_mirrors_split_huge_pages(vm_kvm(vm), r->start, r->end, level);
#endif
	ktree_leave();
	return ret;
}

/* --- looking ------------------------------------------------------------ */

const void *ktree_root_table(const struct ktree_vm *cvm, bool mirror, int *level)
{
	struct kvm *kvm = vm_kvm((struct ktree_vm *)cvm);
	struct kvm_mmu_page *root;

	list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link) {
		if (root->role.invalid)
			continue;
#ifdef KTREE_TDX
		if (is_mirror_sp(root) != mirror)
			continue;
#endif
		*level = root->role.level;
		return root->spt;
	}
	return NULL;
}

void ktree_read_entry(ktree_u64 spte, int level, bool mirror, struct ktree_entry *e)
{
	memset(e, 0, sizeof(*e));
	e->frozen = is_frozen_spte(spte);
	e->present = is_shadow_present_pte(spte);
	if (!e->present)
		return;
	e->leaf = is_last_spte(spte, level);
	e->writable = is_writable_pte(spte);
	e->pfn = spte_to_pfn(spte);
	if (e->leaf)
		return;
	e->child = __va(spte & SPTE_BASE_ADDR_MASK);
#ifdef KTREE_TDX
	if (mirror && spte_to_child_sp(spte)->external_spt)
		e->external = __pa(spte_to_child_sp(spte)->external_spt);
#endif
}
