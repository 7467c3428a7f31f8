// SPDX-License-Identifier: GPL-2.0-only
/*
 * The port's TDP MMU, replaced: each function stands in for the one of its name (ld --wrap) and
 * goes to the tree for the roots that the tree keeps, to the port for the others.
 */
#include "mmu/compat/tree/sim/glue.h"
#include "mmu/kvm_policy.h"

/* --- who is here -------------------------------------------------------- */

const char *__wrap_kvm_mmu_tree(void);
const char *__wrap_kvm_mmu_tree(void)
{
	return ktree_info.release;
}

const char *__wrap_kvm_mmu_lacks(const struct kvm_host_setup *setup);
const char *__wrap_kvm_mmu_lacks(const struct kvm_host_setup *setup)
{
	if (!tree_has(KTREE_MIRROR))
		return NULL; /* the port keeps the mirror, with all that it can do */
	if (setup->tdx_huge_page && !tree_has(KTREE_MIRROR_HUGE))
		return "the tree has no huge pages in the mirror (--set kvm.tdx_huge_page=off)";
	if (setup->dynamic_pamt && !tree_has(KTREE_DYNAMIC_PAMT))
		return "the tree knows nothing of Dynamic PAMT (--set module.dynamic_pamt=off)";
	if (setup->policy[KVM_POLICY_ZAP_ERROR] != KVM_ZAP_ERROR_BUG)
		return "the tree has no way to return an error of a zap (kvm zap_error)";
	if (setup->policy[KVM_POLICY_SHARED_SPLIT] != KVM_SHARED_SPLIT_REFUSE)
		return "the tree does not split under read mmu_lock (kvm shared_split)";
	return NULL;
}

u64 __wrap_kvm_mmu_tree_calls(const struct kvm_host *host);
u64 __wrap_kvm_mmu_tree_calls(const struct kvm_host *host)
{
	return glue()->calls;
}

/* --- VMs and vCPUs beside each other ------------------------------------ */

struct glue_vm *glue_vm(const struct kvm *kvm)
{
	struct glue_vm *vm;

	for (vm = glue()->vms; vm; vm = vm->next) {
		if (vm->sim == kvm)
			return vm;
	}
	BUG();
}

struct ktree_vcpu *glue_vcpu(const struct kvm_vcpu *vcpu)
{
	struct glue_vcpu *v;

	for (v = glue_vm(vcpu->kvm)->vcpus; v; v = v->next) {
		if (v->sim == vcpu)
			return v->tree;
	}
	BUG();
}

struct ktree_vm *glue_tree(const struct kvm *kvm)
{
	const struct kvm_tdx *tdx = to_kvm_tdx((struct kvm *)kvm);
	struct glue_vm *vm = glue_vm(kvm);
	const struct ktree_vm_conf conf = {
		.direct_bits = kvm_gfn_direct_bits(kvm),
		.tdr = kvm_tdr(kvm),
		.add_src = tdx->page_add_src,
		.hkid = tdx->hkid,
		.td_state = tdx->state,
		.pre_fault_allowed = kvm->arch.pre_fault_allowed,
		.has_users = kvm->users_count.refs.counter,
		.vcpus = kvm->created_vcpus,
	};

	ktree_vm_update(vm->tree, &conf);
	return vm->tree;
}

static struct ktree_slot tree_slot(const struct kvm_memory_slot *slot)
{
	if (!slot)
		return (struct ktree_slot){0};
	return (struct ktree_slot){
		.base_gfn = slot->base_gfn,
		.npages = slot->npages,
		.readonly = slot->flags & KVM_MEM_READONLY,
	};
}

void __real_kvm_host_free(struct kvm_host *host);
int __real_kvm_host_new(const struct kvm_host_setup *setup, struct kvm_host **host);
int __wrap_kvm_host_new(const struct kvm_host_setup *setup, struct kvm_host **host);
int __wrap_kvm_host_new(const struct kvm_host_setup *setup, struct kvm_host **host)
{
	int ret = __real_kvm_host_new(setup, host);

	if (ret)
		return ret;
	ret = glue_boot();
	if (ret)
		__real_kvm_host_free(*host);
	return ret;
}

void __wrap_kvm_host_free(struct kvm_host *host);
void __wrap_kvm_host_free(struct kvm_host *host)
{
	glue_exit();
	__real_kvm_host_free(host);
}

int __real_kvm_mmu_init_vm(struct kvm *kvm);
int __wrap_kvm_mmu_init_vm(struct kvm *kvm);
int __wrap_kvm_mmu_init_vm(struct kvm *kvm)
{
	int ret = __real_kvm_mmu_init_vm(kvm);
	struct glue_vm *vm;

	if (ret)
		return ret;
	vm = rt_zalloc(sizeof(*vm));
	vm->sim = kvm;
	vm->tree = ktree_vm_new(kvm, &kvm->mmu_lock.rt, &kvm->slots_lock.rt);
	vm->next = glue()->vms;
	glue()->vms = vm;
	return 0;
}

/* Nobody has a table any more when the last VM is gone, and RCU has run. */
static void check_balance(void)
{
	struct glue *g = glue();

	if (g->headers || g->tables)
		rt_report("pages-balanced",
			  "the tree's code left %lld page headers and %lld tables", g->headers,
			  g->tables);
	g->headers = g->tables = 0;
}

void __real_kvm_mmu_uninit_tdp_mmu(struct kvm *kvm);
void __wrap_kvm_mmu_uninit_tdp_mmu(struct kvm *kvm);
void __wrap_kvm_mmu_uninit_tdp_mmu(struct kvm *kvm)
{
	struct glue_vm **at = &glue()->vms, *vm = glue_vm(kvm);

	__real_kvm_mmu_uninit_tdp_mmu(kvm);
	ktree_vm_uninit(glue_tree(kvm));
	ktree_vm_free(vm->tree);
	glue_roots_forget(vm);
	while (*at != vm)
		at = &(*at)->next;
	*at = vm->next;
	rt_free(vm);
	if (!glue()->vms)
		check_balance();
}

int __real_kvm_mmu_create(struct kvm_vcpu *vcpu);
int __wrap_kvm_mmu_create(struct kvm_vcpu *vcpu);
int __wrap_kvm_mmu_create(struct kvm_vcpu *vcpu)
{
	int ret = __real_kvm_mmu_create(vcpu);
	struct kvm_vcpu_arch *arch = &vcpu->arch;
	struct glue_vm *vm = glue_vm(vcpu->kvm);
	struct glue_vcpu *v;

	if (ret)
		return ret;
	arch->mmu_page_header_cache.kmem_cache = &glue()->header_cache;
	arch->mmu_shadow_page_cache.init_value = ktree_info.nonpresent;
	v = rt_zalloc(sizeof(*v));
	v->sim = vcpu;
	v->tree = ktree_vcpu_new(vm->tree, vcpu,
				 (void *const[]){&arch->mmu_page_header_cache,
						 &arch->mmu_shadow_page_cache,
						 &arch->mmu_external_spt_cache});
	v->next = vm->vcpus;
	vm->vcpus = v;
	return 0;
}

void __real_kvm_mmu_destroy(struct kvm_vcpu *vcpu);
void __wrap_kvm_mmu_destroy(struct kvm_vcpu *vcpu);
void __wrap_kvm_mmu_destroy(struct kvm_vcpu *vcpu)
{
	struct glue_vcpu **at = &glue_vm(vcpu->kvm)->vcpus, *v;

	__real_kvm_mmu_destroy(vcpu);
	while ((*at)->sim != vcpu)
		at = &(*at)->next;
	v = *at;
	*at = v->next;
	ktree_vcpu_free(v->tree);
	rt_free(v);
}

/* --- roots -------------------------------------------------------------- */

/* As the port's: the shared bit is the top bit of the root's range. */
static int root_level(const struct kvm *kvm)
{
	return kvm_gfn_direct_bits(kvm) >> (4 * SPTE_LEVEL_BITS) ? 5 : 4;
}

void __real_kvm_tdp_mmu_alloc_root(struct kvm_vcpu *vcpu, bool mirror);
void __wrap_kvm_tdp_mmu_alloc_root(struct kvm_vcpu *vcpu, bool mirror);
void __wrap_kvm_tdp_mmu_alloc_root(struct kvm_vcpu *vcpu, bool mirror)
{
	struct kvm *kvm = vcpu->kvm;
	u64 hpa;

	if (!tree_keeps(mirror)) {
		__real_kvm_tdp_mmu_alloc_root(vcpu, mirror);
		return;
	}
	glue_tree(kvm);
	hpa = ktree_alloc_root(glue_vcpu(vcpu), mirror, root_level(kvm));
	glue_root_note(glue_vm(kvm), hpa, mirror);
	if (mirror)
		vcpu->arch.mmu->mirror_root_hpa = hpa;
	else
		vcpu->arch.mmu->root.hpa = hpa;
}

struct kvm_mmu_page *__real_root_to_sp(hpa_t root);
struct kvm_mmu_page *__wrap_root_to_sp(hpa_t root);
struct kvm_mmu_page *__wrap_root_to_sp(hpa_t root)
{
	struct kvm_mmu_page *sp = glue_root_get(root);

	return sp ? sp : __real_root_to_sp(root);
}

void __real_kvm_tdp_mmu_put_root(struct kvm *kvm, struct kvm_mmu_page *root);
void __wrap_kvm_tdp_mmu_put_root(struct kvm *kvm, struct kvm_mmu_page *root);
void __wrap_kvm_tdp_mmu_put_root(struct kvm *kvm, struct kvm_mmu_page *root)
{
	const struct glue_root *r = glue_root_of(root);

	if (r)
		ktree_put_root(glue_tree(kvm), r->hpa);
	else
		__real_kvm_tdp_mmu_put_root(kvm, root);
}

/* --- faults ------------------------------------------------------------- */

static int port_result(int r)
{
	static const int results[] = {
		[KTREE_RETRY] = RET_PF_RETRY,
		[KTREE_EMULATE] = RET_PF_EMULATE,
		[KTREE_WRITE_PROTECTED] = RET_PF_WRITE_PROTECTED,
		[KTREE_FIXED] = RET_PF_FIXED,
		[KTREE_SPURIOUS] = RET_PF_SPURIOUS,
	};

	return r < 0 ? r : results[r];
}

int __real_kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);
int __wrap_kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);
int __wrap_kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct ktree_fault f = {
		.addr = fault->addr,
		.error_code = fault->error_code,
		.gfn = fault->gfn,
		.pfn = fault->pfn,
		.slot = tree_slot(fault->slot),
		.prefetch = fault->prefetch,
		.exec = fault->exec,
		.write = fault->write,
		.is_private = fault->is_private,
		.map_writable = fault->map_writable,
		.max_level = fault->max_level,
		.req_level = fault->req_level,
		.goal_level = fault->goal_level,
		.sim = fault,
	};
	int r;

	if (!tree_keeps(!kvm_is_addr_direct(vcpu->kvm, fault->addr)))
		return __real_kvm_tdp_mmu_map(vcpu, fault);
	glue_tree(vcpu->kvm);
	glue()->calls++;
	r = ktree_map(glue_vcpu(vcpu), &f);
	fault->goal_level = f.goal_level;
	fault->pfn = f.pfn;
	return port_result(r);
}

/* --- ranges ------------------------------------------------------------- */

static struct ktree_range tree_range(const struct kvm_gfn_range *range)
{
	return (struct ktree_range){
		.start = range->start,
		.end = range->end,
		.slot = tree_slot(range->slot),
		.shared = range->attr_filter & KVM_FILTER_SHARED,
		.private_mem = (range->attr_filter & KVM_FILTER_PRIVATE) && tree_keeps(true),
		.may_block = range->may_block,
	};
}

bool __real_kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range, bool flush);
bool __wrap_kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range, bool flush);
bool __wrap_kvm_tdp_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range, bool flush)
{
	const struct ktree_range r = tree_range(range);
	struct kvm_gfn_range rest = *range;

	if (r.shared || r.private_mem)
		flush = ktree_unmap(glue_tree(kvm), &r, flush);
	if (tree_keeps(true) || !(range->attr_filter & KVM_FILTER_PRIVATE))
		return flush;
	rest.attr_filter = KVM_FILTER_PRIVATE;
	return __real_kvm_tdp_mmu_unmap_gfn_range(kvm, &rest, flush);
}

int __real_kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs(struct kvm *kvm,
							    struct kvm_gfn_range *range,
							    bool shared);
int __wrap_kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs(struct kvm *kvm,
							    struct kvm_gfn_range *range,
							    bool shared);
int __wrap_kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs(struct kvm *kvm,
							    struct kvm_gfn_range *range,
							    bool shared)
{
	struct kvm_gfn_range rest = *range;
	const struct ktree_range r = tree_range(range);

	if (tree_has(KTREE_SPLIT_RANGE))
		return ktree_split_mirror(glue_tree(kvm), &r, PG_LEVEL_4K, shared);
	/* Nobody splits shared memory, and what has no mirror leaf above 4K has none to split. */
	if (tree_keeps(true) || !(range->attr_filter & KVM_FILTER_PRIVATE))
		return 0;
	rest.attr_filter = KVM_FILTER_PRIVATE;
	return __real_kvm_tdp_mmu_gfn_range_split_cross_boundary_leafs(kvm, &rest, shared);
}

static int split_mirrors(struct kvm *kvm, gfn_t start, gfn_t end, int level, bool shared)
{
	const struct ktree_range r = {
		.start = start,
		.end = end,
		.private_mem = true,
		.may_block = true,
	};

	return tree_has(KTREE_MIRROR_HUGE) ? ktree_split_mirror(glue_tree(kvm), &r, level, shared)
					   : 0;
}

int __real_kvm_tdp_mmu_mirrors_split_huge_pages(struct kvm *kvm, gfn_t start, gfn_t end, int level);
int __wrap_kvm_tdp_mmu_mirrors_split_huge_pages(struct kvm *kvm, gfn_t start, gfn_t end, int level);
int __wrap_kvm_tdp_mmu_mirrors_split_huge_pages(struct kvm *kvm, gfn_t start, gfn_t end, int level)
{
	return tree_keeps(true)
		       ? split_mirrors(kvm, start, end, level, false)
		       : __real_kvm_tdp_mmu_mirrors_split_huge_pages(kvm, start, end, level);
}

int __real_kvm_tdp_mmu_mirrors_split_shared(struct kvm *kvm, gfn_t start, gfn_t end, int level);
int __wrap_kvm_tdp_mmu_mirrors_split_shared(struct kvm *kvm, gfn_t start, gfn_t end, int level);
int __wrap_kvm_tdp_mmu_mirrors_split_shared(struct kvm *kvm, gfn_t start, gfn_t end, int level)
{
	return tree_keeps(true) ? split_mirrors(kvm, start, end, level, true)
				: __real_kvm_tdp_mmu_mirrors_split_shared(kvm, start, end, level);
}

int __real_kvm_mmu_block_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end);
int __wrap_kvm_mmu_block_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end);
int __wrap_kvm_mmu_block_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end)
{
	if (!tree_keeps(true))
		return __real_kvm_mmu_block_gfn_range(kvm, start, end);
	rt_report("missing", "no function of the tree blocks leaves ahead (gmem flow BLOCK_ABORT)");
	return -EIO;
}

int __real_tdx_gmem_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn, bool is_private);
int __wrap_tdx_gmem_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn, bool is_private);
int __wrap_tdx_gmem_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn, bool is_private)
{
	if (is_private && tree_keeps(true) && !tree_has(KTREE_MIRROR_HUGE))
		return PG_LEVEL_4K;
	return __real_tdx_gmem_max_mapping_level(kvm, pfn, is_private);
}

/* --- looking ------------------------------------------------------------ */

struct kvm_mmu_table __real_kvm_mmu_root_table(const struct kvm *kvm, bool mirror);
struct kvm_mmu_table __wrap_kvm_mmu_root_table(const struct kvm *kvm, bool mirror);
struct kvm_mmu_table __wrap_kvm_mmu_root_table(const struct kvm *kvm, bool mirror)
{
	struct kvm_mmu_table t = {0};

	if (!tree_keeps(mirror))
		return __real_kvm_mmu_root_table(kvm, mirror);
	t.entries = ktree_root_table(glue_vm(kvm)->tree, mirror, &t.level);
	if (!mirror && tree_has(KTREE_DIRECT_BITS))
		t.index_bits = kvm_gfn_direct_bits(kvm);
	return t;
}

struct kvm_mmu_entry __real_kvm_mmu_read_entry(const struct kvm *kvm, bool mirror, u64 spte,
					       int level);
struct kvm_mmu_entry __wrap_kvm_mmu_read_entry(const struct kvm *kvm, bool mirror, u64 spte,
					       int level);
struct kvm_mmu_entry __wrap_kvm_mmu_read_entry(const struct kvm *kvm, bool mirror, u64 spte,
					       int level)
{
	struct ktree_entry e;

	if (!tree_keeps(mirror))
		return __real_kvm_mmu_read_entry(kvm, mirror, spte, level);
	ktree_read_entry(spte, level, mirror, &e);
	return (struct kvm_mmu_entry){
		.present = e.present,
		.frozen = e.frozen,
		.leaf = e.leaf,
		.writable = e.writable,
		.pfn = e.child && mirror ? PHYS_PFN(e.external) : e.pfn,
		.child = e.child,
	};
}
