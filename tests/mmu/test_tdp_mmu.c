// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TDP MMU alone, over a fake external table: order of walks, the setters' error paths, splits and
 * zaps by count. What the module makes of it is tested in test_tdx_sept.c.
 */
#include "tests/mmu/fake_external.h"

#include "sim/rt/fault.h"

#define PFN_A 0x40000ULL /* frames of the slot's pages begin here: congruent at 2M */

/* --- tdp_iter ------------------------------------------------------------------ */

struct visit {
	int level;
	gfn_t gfn;
};

/*
 *   root                     gfns
 *    `- 0 (512G)
 *        `- 0 (1G)
 *            |- 0x600  2M leaf
 *            `- 0x1200 table
 *                `- 0x1234 4K leaf
 */
static void map_two(struct mmu_fixture *f)
{
	assert_int_equal(fixture_map(f, 0x600, PFN_A + 0x600, PG_LEVEL_2M), RET_PF_FIXED);
	assert_int_equal(fixture_map(f, 0x1234, PFN_A + 0x1234, PG_LEVEL_4K), RET_PF_FIXED);
}

static void test_tdp_iter__visits_parents_before_children(void **state)
{
	static const struct visit expected[] = {
		{4, 0}, {3, 0}, {2, 0x600}, {2, 0x1200}, {1, 0x1234}};
	struct mmu_fixture *f = *state;
	struct kvm_mmu_page *root = tdp_mmu_find_root(f->kvm, true);
	struct tdp_iter iter;
	u32 n = 0;

	map_two(f);
	rcu_read_lock();
	for_each_tdp_pte(iter, f->kvm, root, 0, 0x2000) {
		if (!is_shadow_present_pte(iter.old_spte))
			continue;
		assert_in_range(n, 0, ARRAY_SIZE(expected) - 1);
		assert_int_equal(iter.level, expected[n].level);
		assert_int_equal(iter.gfn, expected[n].gfn);
		n++;
	}
	rcu_read_unlock();
	assert_int_equal(n, ARRAY_SIZE(expected));
}

static struct kvm_mmu_page *child_for(struct mmu_fixture *f, struct tdp_iter *iter)
{
	struct kvm_mmu_page *sp = tdp_mmu_alloc_sp(f->vcpu);

	sp->external_spt = kvm_mmu_memory_cache_alloc(&f->vcpu->arch.mmu_external_spt_cache);
	tdp_mmu_init_child_sp(sp, iter);
	return sp;
}

static void test_tdp_iter__descends_into_a_fresh_split(void **state)
{
	struct mmu_fixture *f = *state;
	struct kvm_mmu_page *root = tdp_mmu_find_root(f->kvm, true);
	struct tdp_iter iter;
	u32 small = 0;

	map_two(f);
	assert_int_equal(mmu_topup_memory_caches(f->vcpu), 0);
	write_lock(&f->kvm->mmu_lock);
	rcu_read_lock();
	for_each_tdp_pte(iter, f->kvm, root, 0x600, 0x800) {
		if (iter.level == PG_LEVEL_2M && is_large_pte(iter.old_spte)) {
			struct kvm_mmu_page *sp = child_for(f, &iter);

			assert_int_equal(tdp_mmu_split_huge_page(f->kvm, &iter, sp, false), 0);
		}
		if (iter.level == PG_LEVEL_4K) {
			assert_int_equal(iter.gfn, 0x600 + small);
			assert_int_equal(spte_to_pfn(iter.old_spte), PFN_A + iter.gfn);
			assert_false(is_large_pte(iter.old_spte));
			small++;
		}
	}
	rcu_read_unlock();
	write_unlock(&f->kvm->mmu_lock);
	assert_int_equal(small, 512);
	assert_int_equal(f->fake->calls[FAKE_SPLIT], 1);
}

static void test_tdp_iter__a_yield_restarts_at_the_root(void **state)
{
	struct mmu_fixture *f = *state;
	struct kvm_mmu_page *root = tdp_mmu_find_root(f->kvm, true);
	struct tdp_iter iter;
	bool done = false;
	u32 roots = 0;

	map_two(f);
	rcu_read_lock();
	for_each_tdp_pte(iter, f->kvm, root, 0, 0x2000) {
		if (iter.level == 4) {
			roots++;
			/* The goal is where the walk was, not where it began. */
			assert_int_equal(iter.next_last_level_gfn, done ? 0x1234 : 0);
		}
		if (!done && iter.level == PG_LEVEL_4K && iter.gfn == 0x1234) {
			done = true;
			iter.yielded = true;
		}
	}
	rcu_read_unlock();
	assert_int_equal(roots, 2);
}

static void test_tdp_iter__direct_root_uses_the_shared_half(void **state)
{
	struct mmu_fixture *f = *state;
	struct kvm_page_fault fault = {
		.addr = gfn_to_gpa(0x33) | BIT_ULL(47),
		.gfn = 0x33,
		.slot = f->slot,
		.pfn = PFN_A + 0x33,
		.write = true,
		.map_writable = true,
		.max_level = PG_LEVEL_4K,
		.goal_level = PG_LEVEL_4K,
	};
	struct kvm_spte_view v;

	assert_int_equal(mmu_topup_memory_caches(f->vcpu), 0);
	read_lock(&f->kvm->mmu_lock);
	assert_int_equal(kvm_tdp_mmu_map(f->vcpu, &fault), RET_PF_FIXED);
	read_unlock(&f->kvm->mmu_lock);

	assert_true(kvm_look_spte(f->kvm, false, 0x33, &v));
	assert_int_equal(v.pfn, PFN_A + 0x33);
	assert_false(kvm_look_spte(f->kvm, true, 0x33, &v));
	/* No external table stands behind the direct one. */
	assert_int_equal(f->fake->calls[FAKE_LINK] + f->fake->calls[FAKE_MAP], 0);
	assert_true(tdp_mmu_find_root(f->kvm, false)->spt[256] & SPTE_MMU_PRESENT_MASK);
}

/* --- map ------------------------------------------------------------------------- */

static void test_map__busy_restores_the_old_spte_and_retries(void **state)
{
	struct mmu_fixture *f = *state;
	struct kvm_spte_view v;

	/* The tables are there, so that the next call is the leaf's. */
	assert_int_equal(fixture_map(f, 0x1, PFN_A + 1, PG_LEVEL_4K), RET_PF_FIXED);
	f->fake->error = -EBUSY;
	assert_int_equal(fixture_map(f, 0x2, PFN_A + 2, PG_LEVEL_4K), RET_PF_RETRY);

	assert_false(kvm_look_spte(f->kvm, true, 0x2, &v));
	assert_false(kvm_mmu_gfn_frozen(f->kvm, true, 0x2));
	assert_int_equal(atomic64_read(&f->kvm->stat.pages[0]), 1);

	assert_int_equal(fixture_map(f, 0x2, PFN_A + 2, PG_LEVEL_4K), RET_PF_FIXED);
	assert_int_equal(atomic64_read(&f->kvm->stat.pages[0]), 2);
	assert_int_equal(f->fake->reports, 0);
}

static void test_map__busy_link_frees_the_table(void **state)
{
	struct mmu_fixture *f = *state;

	f->fake->error = -EBUSY;
	assert_int_equal(fixture_map(f, 0x1, PFN_A + 1, PG_LEVEL_4K), RET_PF_RETRY);
	assert_int_equal(atomic64_read(&f->kvm->arch.tdp_mmu_pages), 0);
	assert_int_equal(fixture_map(f, 0x1, PFN_A + 1, PG_LEVEL_4K), RET_PF_FIXED);
	assert_int_equal(atomic64_read(&f->kvm->arch.tdp_mmu_pages), 3);
}

static void test_map__a_second_fault_is_spurious(void **state)
{
	struct mmu_fixture *f = *state;

	assert_int_equal(fixture_map(f, 0x610, PFN_A + 0x610, PG_LEVEL_2M), RET_PF_FIXED);
	assert_int_equal(fixture_level(f, 0x610), PG_LEVEL_2M);
	assert_int_equal(fixture_map(f, 0x620, PFN_A + 0x620, PG_LEVEL_2M), RET_PF_SPURIOUS);
	assert_int_equal(f->fake->calls[FAKE_MAP], 1);
}

static void test_map__a_mirror_table_is_not_promoted(void **state)
{
	struct mmu_fixture *f = *state;
	struct kvm_spte_view v;

	assert_int_equal(fixture_map(f, 0x600, PFN_A + 0x600, PG_LEVEL_4K), RET_PF_FIXED);
	assert_int_equal(fixture_map(f, 0x643, PFN_A + 0x643, PG_LEVEL_2M), RET_PF_FIXED);
	assert_int_equal(fixture_level(f, 0x643), PG_LEVEL_4K);
	/* The frame got back what the larger level had masked. */
	assert_true(kvm_look_spte(f->kvm, true, 0x643, &v));
	assert_int_equal(v.pfn, PFN_A + 0x643);
}

static void test_map__inhibit_holds_the_level_down(void **state)
{
	struct mmu_fixture *f = *state;

	write_lock(&f->kvm->mmu_lock);
	hugepage_set_guest_inhibit(f->slot, 0x600, PG_LEVEL_2M);
	write_unlock(&f->kvm->mmu_lock);
	assert_int_equal(fixture_map(f, 0x7ff, PFN_A + 0x7ff, PG_LEVEL_2M), RET_PF_FIXED);
	assert_int_equal(fixture_level(f, 0x7ff), PG_LEVEL_4K);
	/* Its neighbour is another huge page. */
	assert_int_equal(fixture_map(f, 0x800, PFN_A + 0x800, PG_LEVEL_2M), RET_PF_FIXED);
	assert_int_equal(fixture_level(f, 0x800), PG_LEVEL_2M);
}

/* --- split ------------------------------------------------------------------------ */

static int split_mirror(struct mmu_fixture *f, gfn_t start, gfn_t end)
{
	int r;

	write_lock(&f->kvm->mmu_lock);
	r = kvm_tdp_mmu_mirrors_split_huge_pages(f->kvm, start, end, PG_LEVEL_4K);
	/* Whatever came of it: mmu_lock held, RCU not (R19). */
	assert_true(lockdep_is_held_type(&f->kvm->mmu_lock, 1));
	assert_false(rcu_read_lock_held());
	write_unlock(&f->kvm->mmu_lock);
	assert_int_equal(rt_locks_held(), 0);
	return r;
}

static void test_split__enomem_leaves_everything_as_it_was(void **state)
{
	static const char *const sites[] = {"sp-alloc", "spt-alloc", "external-spt-alloc",
					    "pamt-alloc"};
	struct mmu_fixture *f = *state;
	struct kvm_mmu_page *root = tdp_mmu_find_root(f->kvm, true);
	const u64 used = host_pages_used();
	u32 i;

	map_two(f);
	for (i = 0; i < ARRAY_SIZE(sites); i++) {
		struct rt_fault fault = {
			.key = RT_FAULT_ANY, .actor = RT_NOBODY, .nth = 1, .count = 1};
		const u64 pages = host_pages_used();
		const int refs = refcount_read(&root->tdp_mmu_root_count);

		snprintf(fault.site, sizeof(fault.site), "%s", sites[i]);
		rt_fault_arm(&fault);
		assert_int_equal(split_mirror(f, 0x600, 0x800), -ENOMEM);
		assert_int_equal(refcount_read(&root->tdp_mmu_root_count), refs);
		assert_int_equal(host_pages_used(), pages);
		assert_int_equal(fixture_level(f, 0x600), PG_LEVEL_2M);
	}
	assert_true(host_pages_used() > used);
	assert_int_equal(split_mirror(f, 0x600, 0x800), 0);
	assert_int_equal(fixture_level(f, 0x600), PG_LEVEL_4K);
	assert_int_equal(f->fake->reports, 0);
}

/*
 *   0x600          0x800          0xa00          0xc00
 *     |      A    **|******B*******|***    C       |
 *              0x7fe                0xa03
 */
static void test_split__unaligned_range_touches_only_the_ends(void **state)
{
	struct mmu_fixture *f = *state;
	struct kvm_gfn_range range = {
		.slot = f->slot,
		.start = 0x7fe,
		.end = 0xa03,
		.attr_filter = KVM_FILTER_PRIVATE,
		.may_block = true,
	};
	gfn_t gfn;

	for (gfn = 0x600; gfn < 0xc00; gfn += 512)
		assert_int_equal(fixture_map(f, gfn, PFN_A + gfn, PG_LEVEL_2M), RET_PF_FIXED);

	mutex_lock(&f->kvm->slots_lock);
	write_lock(&f->kvm->mmu_lock);
	assert_int_equal(kvm_split_cross_boundary_leafs(f->kvm, &range, false), 0);
	write_unlock(&f->kvm->mmu_lock);
	mutex_unlock(&f->kvm->slots_lock);

	assert_int_equal(f->fake->calls[FAKE_SPLIT], 2);
	assert_int_equal(fixture_level(f, 0x600), PG_LEVEL_4K);
	assert_int_equal(fixture_level(f, 0x800), PG_LEVEL_2M);
	assert_int_equal(fixture_level(f, 0xa00), PG_LEVEL_4K);

	fixture_zap(f, range.start, range.end);
	assert_int_equal(f->fake->calls[FAKE_REMOVE], 2 + 1 + 3);
	assert_int_equal(f->kvm->host->stats[KVM_STAT_OVERZAP_BYTES], 0);
	assert_int_equal(f->kvm->host->stats[KVM_STAT_SPLITS], 2);
	assert_int_equal(atomic64_read(&f->kvm->stat.pages[0]), 510 + 509);
	assert_int_equal(atomic64_read(&f->kvm->stat.pages[1]), 0);
}

static void test_split__refused_under_read_lock(void **state)
{
	struct mmu_fixture *f = *state;
	struct kvm_gfn_range range = {
		.slot = f->slot,
		.start = 0x601,
		.end = 0x602,
		.attr_filter = KVM_FILTER_PRIVATE,
		.may_block = true,
	};

	map_two(f);
	mutex_lock(&f->kvm->slots_lock);
	read_lock(&f->kvm->mmu_lock);
	assert_int_equal(kvm_split_cross_boundary_leafs(f->kvm, &range, true), -EOPNOTSUPP);
	read_unlock(&f->kvm->mmu_lock);
	mutex_unlock(&f->kvm->slots_lock);
	assert_int_equal(f->fake->calls[FAKE_SPLIT], 0);
}

static void test_split__failure_of_the_module_bugs_the_vm(void **state)
{
	struct mmu_fixture *f = *state;

	map_two(f);
	f->fake->error = -EIO;
	assert_int_equal(split_mirror(f, 0x600, 0x800), -EIO);
	assert_true(f->kvm->vm_bugged);
	assert_int_equal(f->fake->reports, 1);
	assert_non_null(strstr(f->fake->last_report, "kvm-bug"));
	assert_int_equal(f->kvm->host->stats[KVM_STAT_SPLITS], 0);
}

/* --- zap ---------------------------------------------------------------------------- */

static void test_zap__without_a_split_takes_the_whole_leaf_and_says_so(void **state)
{
	struct mmu_fixture *f = *state;

	map_two(f);
	fixture_zap(f, 0x601, 0x602);
	assert_int_equal(fixture_level(f, 0x600), 0);
	assert_int_equal(f->kvm->host->stats[KVM_STAT_OVERZAP_BYTES], 511 * PAGE_SIZE);
	/* The table of the 4K leaf is no business of this range. */
	assert_int_equal(fixture_level(f, 0x1234), PG_LEVEL_4K);
}

static void test_zap__teardown_reclaims_every_table(void **state)
{
	struct mmu_fixture *f = *state;

	map_two(f);
	fixture_zap(f, 0, FIXTURE_SLOT_PAGES);
	assert_int_equal(f->fake->calls[FAKE_RECLAIM], 0);

	kvm_mmu_destroy(f->vcpu);
	kvm_mmu_uninit_vm(f->kvm);
	assert_int_equal(f->fake->calls[FAKE_LINK], 3);
	assert_int_equal(f->fake->calls[FAKE_RECLAIM], 3);
	assert_int_equal(atomic64_read(&f->kvm->arch.tdp_mmu_pages), 0);
	assert_int_equal(host_pages_used(), 0);
	assert_int_equal(f->fake->reports, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mmu_fixture_setup, mmu_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tdp_iter__visits_parents_before_children),
		TEST(test_tdp_iter__descends_into_a_fresh_split),
		TEST(test_tdp_iter__a_yield_restarts_at_the_root),
		TEST(test_tdp_iter__direct_root_uses_the_shared_half),
		TEST(test_map__busy_restores_the_old_spte_and_retries),
		TEST(test_map__busy_link_frees_the_table),
		TEST(test_map__a_second_fault_is_spurious),
		TEST(test_map__a_mirror_table_is_not_promoted),
		TEST(test_map__inhibit_holds_the_level_down),
		TEST(test_split__enomem_leaves_everything_as_it_was),
		TEST(test_split__unaligned_range_touches_only_the_ends),
		TEST(test_split__refused_under_read_lock),
		TEST(test_split__failure_of_the_module_bugs_the_vm),
		TEST(test_zap__without_a_split_takes_the_whole_leaf_and_says_so),
		TEST(test_zap__teardown_reclaims_every_table),
	};

	return cmocka_run_group_tests_name("tdp_mmu", tests, NULL, NULL);
}
