// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fake external table and the fixture around it: see the header.
 * Its functions have the names of mmu/tdx_sept.c and mmu/tdx_cache.c, so the linker never takes those files from the library.
 */
#include "tests/mmu/fake_external.h"

#include "mmu/compat/stubs/hostmem.h"
#include "mmu/memslots.h"
#include "mmu/tdx.h"

#define FAKE_ROOT 7

static struct fake_external *fake(void)
{
	return rt_root(FAKE_ROOT);
}

static enum fake_op fake_op(u64 old_spte, u64 new_spte, int level)
{
	if (is_shadow_present_pte(old_spte))
		return is_shadow_present_pte(new_spte) ? FAKE_SPLIT : FAKE_REMOVE;
	return is_last_spte(new_spte, level) ? FAKE_MAP : FAKE_LINK;
}

int tdx_sept_set_private_spte(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte,
			      enum pg_level level)
{
	const int error = fake()->error;

	fake()->error = 0;
	if (!error)
		fake()->calls[fake_op(old_spte, new_spte, level)]++;
	return error;
}

void tdx_sept_reclaim_private_sp(struct kvm *kvm, gfn_t gfn, struct kvm_mmu_page *sp)
{
	fake()->calls[FAKE_RECLAIM]++;
	free_page((unsigned long)sp->external_spt);
	sp->external_spt = NULL;
}

int tdx_topup_external_pamt_cache(struct kvm *kvm, struct kvm_vcpu *vcpu, int min_nr_spts)
{
	return compat_should_fail("pamt-alloc") ? -ENOMEM : 0;
}

int tdx_topup_split_cache(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	return compat_should_fail("pamt-alloc") ? -ENOMEM : 0;
}

void tdx_free_split_cache(struct kvm_mmu_page *sp)
{
}

void *tdx_sept_alloc_private_sp(void)
{
	struct page *page = compat_alloc_page(GFP_KERNEL_ACCOUNT, "external-spt-alloc");

	return page ? page_address(page) : NULL;
}

void tdx_sept_free_private_sp(void *external_spt)
{
	free_page((unsigned long)external_spt);
}

bool tdx_need_topup_split_cache(struct kvm *kvm, struct kvm_mmu_page *sp, enum pg_level level)
{
	return false;
}

void tdx_split_lock(struct kvm *kvm)
{
	write_lock(&kvm->mmu_lock);
}

void tdx_split_unlock(struct kvm *kvm)
{
	write_unlock(&kvm->mmu_lock);
}

int tdx_gmem_max_mapping_level(struct kvm *kvm, kvm_pfn_t pfn, bool is_private)
{
	return PG_LEVEL_2M;
}

void tdx_track(struct kvm *kvm)
{
}

static void take_report(void *ctx, const char *rule, const char *text)
{
	struct fake_external *f = ctx;

	f->reports++;
	snprintf(f->last_report, sizeof(f->last_report), "%s: %s", rule, text);
}

static struct kvm *fixture_kvm(struct kvm_host *host)
{
	struct kvm *kvm = rt_zalloc(sizeof(*kvm));

	kvm->host = host;
	rwlock_init(&kvm->mmu_lock);
	mutex_init(&kvm->slots_lock);
	kvm->arch.gfn_direct_bits = gpa_to_gfn(BIT_ULL(47));
	kvm->arch.has_private_mem = true;
	assert_int_equal(kvm_mmu_init_vm(kvm), 0);
	return kvm;
}

int mmu_fixture_setup(void **state)
{
	struct mmu_fixture *f = calloc(1, sizeof(*f));
	struct kvm_host *host;

	f->world = rt_world_new(NULL);
	assert_int_equal(hostmem_init(1ULL << 30, 1ULL << 30), 0);
	host = rt_zalloc(sizeof(*host));
	rt_set_root(2, host);
	INIT_LIST_HEAD(&host->vm_list);
	INIT_LIST_HEAD(&host->loaded_vcpus);

	f->fake = rt_zalloc(sizeof(*f->fake));
	rt_set_root(FAKE_ROOT, f->fake);
	rt_set_report_hook(f->world, take_report, f->fake);

	f->kvm = fixture_kvm(host);
	f->vcpu = rt_zalloc(sizeof(*f->vcpu));
	f->vcpu->kvm = f->kvm;
	assert_int_equal(kvm_mmu_create(f->vcpu), 0);
	assert_int_equal(kvm_mmu_reload(f->vcpu), 0);

	f->slot = rt_zalloc(sizeof(*f->slot));
	f->slot->kvm = f->kvm;
	f->slot->npages = FIXTURE_SLOT_PAGES;
	kvm_alloc_lpage_info(f->kvm, f->slot);
	*state = f;
	return 0;
}

int mmu_fixture_teardown(void **state)
{
	struct mmu_fixture *f = *state;

	rt_world_free(f->world);
	free(f);
	return 0;
}

int fixture_map(struct mmu_fixture *f, gfn_t gfn, kvm_pfn_t pfn, u8 max_level)
{
	struct kvm_page_fault fault = {
		.addr = gfn_to_gpa(gfn),
		.gfn = gfn,
		.slot = f->slot,
		.pfn = pfn,
		.write = true,
		.is_private = true,
		.map_writable = true,
		.max_level = max_level,
		.req_level = PG_LEVEL_4K,
		.goal_level = PG_LEVEL_4K,
	};
	int r;

	assert_int_equal(mmu_topup_memory_caches(f->vcpu), 0);
	read_lock(&f->kvm->mmu_lock);
	r = kvm_tdp_mmu_map(f->vcpu, &fault);
	read_unlock(&f->kvm->mmu_lock);
	return r;
}

u8 fixture_level(struct mmu_fixture *f, gfn_t gfn)
{
	struct kvm_spte_view v;

	return kvm_look_spte(f->kvm, true, gfn, &v) && v.leaf ? v.level : 0;
}

bool fixture_zap(struct mmu_fixture *f, gfn_t start, gfn_t end)
{
	struct kvm_gfn_range range = {
		.slot = f->slot,
		.start = start,
		.end = end,
		.attr_filter = KVM_FILTER_PRIVATE,
		.may_block = true,
	};
	bool flush;

	mutex_lock(&f->kvm->slots_lock);
	write_lock(&f->kvm->mmu_lock);
	flush = kvm_mmu_unmap_gfn_range(f->kvm, &range);
	write_unlock(&f->kvm->mmu_lock);
	mutex_unlock(&f->kvm->slots_lock);
	return flush;
}
