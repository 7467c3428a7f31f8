// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dynamic PAMT references against the module's own pairs, the caches, and the host's page allocator
 * below them.
 */
#include "tests/mmu/machine.h"

#include "mmu/compat/stubs/hostmem.h"
#include "mmu/pamt.h"
#include "mmu/tdx_seamcall.h"
#include "sim/rt/fault.h"
#include "sim/rt/sched.h"
#include "tdx/inspect.h"

/* What KVM counts and what the module has, of the 2M around @pfn. */
static void assert_range(struct machine *m, u64 pfn, u64 count)
{
	struct seam_pair_view v;

	assert_int_equal(kvm_look_pamt_count(m->host, pfn), count);
	assert_true(seam_look_pair(m->seam, PFN_PHYS(pfn), &v));
	assert_int_equal(v.has_pair, count > 0);
}

static void test_pamt__get_and_put(void **state)
{
	struct machine *m = machine_new(&(struct machine_opts){.dynamic_pamt = true});
	struct tdx_pamt_cache cache = {0};
	const u64 before = kvm_host_pages_used(m->host);
	const u64 pfn = PHYS_PFN(MACHINE_MEM_BASE + 0x10000000);

	assert_int_equal(tdx_topup_pamt_cache(&cache, 2), 0);
	assert_int_equal(cache.cnt, 4);
	assert_range(m, pfn, 0);
	assert_int_equal(tdx_pamt_get(pfn, &cache), 0);
	assert_range(m, pfn, 1);
	assert_int_equal(kvm_stat(m->host, KVM_STAT_HOST_PAGES_PAMT), 2);

	/*
	 * Another page of the same 2M: the pair is taken and goes to the allocator, not back into
	 * the cache.
	 */
	assert_int_equal(tdx_pamt_get(pfn + 511, &cache), 0);
	assert_range(m, pfn, 2);
	assert_int_equal(cache.cnt, 0);
	assert_int_equal(kvm_host_pages_used(m->host), before + 2);

	/* Empty means failure, even though no pair would have been needed. */
	assert_int_equal(tdx_pamt_get(pfn + 1, &cache), -ENOMEM);
	assert_range(m, pfn, 2);

	tdx_pamt_put(pfn);
	assert_range(m, pfn, 1);
	tdx_pamt_put(pfn + 511);
	assert_range(m, pfn, 0);
	assert_int_equal(kvm_host_pages_used(m->host), before);
	assert_int_equal(kvm_stat(m->host, KVM_STAT_HOST_PAGES_PAMT), 0);
	assert_int_equal(m->reports, 0);

	/* Unbalanced: reported, nothing is called. */
	tdx_pamt_put(pfn);
	assert_int_equal(m->reports, 1);
	assert_int_equal(seam_calls(m->seam, TDH_PHYMEM_PAMT_REMOVE), 1);
	machine_free(m);
}

static void test_pamt__failures(void **state)
{
	struct machine *m = machine_new(&(struct machine_opts){.dynamic_pamt = true});
	struct rt_fault busy = {.site = "busy",
				.key = TDH_PHYMEM_PAMT_ADD,
				.actor = RT_NOBODY,
				.nth = 1,
				.count = 1};
	struct rt_fault enomem = {.site = "pamt-alloc",
				  .key = RT_FAULT_ANY,
				  .actor = RT_NOBODY,
				  .nth = 2,
				  .count = 1};
	const u64 before = kvm_host_pages_used(m->host);
	const u64 pfn = PHYS_PFN(MACHINE_MEM_BASE + 0x10000000);

	rt_fault_arm(&enomem);
	assert_int_equal(tdx_pamt_get(pfn, NULL), -ENOMEM);
	assert_int_equal(kvm_host_pages_used(m->host), before);
	rt_fault_arm(&busy);
	assert_int_equal(tdx_pamt_get(pfn, NULL), -EIO);
	assert_int_equal(m->reports, 1);
	assert_int_equal(kvm_host_pages_used(m->host), before);
	assert_range(m, pfn, 0);

	/* B24: a REMOVE that fails leaves count and pair as they are. */
	assert_int_equal(tdx_pamt_get(pfn, NULL), 0);
	busy.key = TDH_PHYMEM_PAMT_REMOVE;
	rt_fault_arm(&busy);
	tdx_pamt_put(pfn);
	assert_int_equal(m->reports, 2);
	assert_range(m, pfn, 1);
	tdx_pamt_put(pfn);
	assert_range(m, pfn, 0);
	assert_int_equal(kvm_host_pages_used(m->host), before);
	machine_free(m);
}

/*
 * demote_pamt_lock=off: another TD's DEMOTE counts without the lock, also while PAMT.ADD and
 * PAMT.REMOVE are under way; the table of counts may grow under them.
 */
#define SEEDS	 60
#define DEMOTED	 40
#define PAMT_PFN PHYS_PFN(MACHINE_MEM_BASE + 0x10000000)

static void get_and_put_thread(void *arg)
{
	struct machine *m = arg;

	assert_int_equal(tdx_pamt_get(PAMT_PFN, NULL), 0);
	assert_range(m, PAMT_PFN, 1);
	tdx_pamt_put(PAMT_PFN);
	assert_range(m, PAMT_PFN, 0);
}

static void demote_thread(void *arg)
{
	u64 i;

	rt_point(RT_PT_RESCHED, 0);
	for (i = 1; i <= DEMOTED; i++)
		tdx_pamt_demoted(PAMT_PFN + (i << 9));
}

static void test_pamt__counts_without_the_lock(void **state)
{
	u64 seed, i;

	for (seed = 0; seed < SEEDS; seed++) {
		struct machine *m = machine_new(&(struct machine_opts){.dynamic_pamt = true});

		rt_set_chooser(m->world, &rt_chooser_random);
		for (i = 0; i < seed; i++)
			rt_random();
		assert_non_null(rt_actor_new("get", get_and_put_thread, m));
		assert_non_null(rt_actor_new("demote", demote_thread, m));
		assert_int_equal(rt_run(), RT_RUN_QUIET);
		assert_string_equal(m->first, "");
		assert_int_equal(kvm_look_pamt_count(m->host, PAMT_PFN + (DEMOTED << 9)), 512);
		machine_free(m);
	}
}

/* Without Dynamic PAMT there is nothing to count and no page to keep (R40). */
static void test_pamt__off(void **state)
{
	struct machine *m = machine_new(&(struct machine_opts){0});
	struct tdx_pamt_cache cache = {0};
	const u64 pfn = PHYS_PFN(MACHINE_MEM_BASE);

	assert_int_equal(tdx_topup_pamt_cache(&cache, 5), 0);
	assert_int_equal(cache.cnt, 0);
	assert_int_equal(tdx_pamt_get(pfn, &cache), 0);
	tdx_pamt_put(pfn);
	assert_int_equal(kvm_look_pamt_count(m->host, pfn), 0);
	assert_int_equal(seam_calls(m->seam, TDH_PHYMEM_PAMT_ADD), 0);
	machine_free(m);
}

/* Counts through a split and a partial zap: 0 -> 512 -> 511 (S5), and all back at the end. */
static void test_pamt__split(void **state)
{
	struct machine *m = machine_new(&(struct machine_opts){.dynamic_pamt = true});
	struct kvm_spte_view v;
	u64 done, off = 0;

	machine_build(m);
	assert_int_equal(
		kvm_vcpu_ioctl_pre_fault(m->vcpu[0], MACHINE_SLOT_GPA, 0x200000, false, &done), 0);
	assert_true(kvm_look_spte(m->kvm, true, gpa_to_gfn(MACHINE_SLOT_GPA), &v));
	assert_int_equal(v.level, PG_LEVEL_2M);
	assert_range(m, v.pfn, 0);
	assert_int_equal(kvm_gmem_set_attributes(m->gmem, 0, 0x1000, 0, &off), 0);
	assert_range(m, v.pfn, 511);
	machine_destroy_td(m);
	assert_string_equal(m->first, "");
	assert_range(m, v.pfn, 0);
	assert_int_equal(kvm_host_pages_used(m->host), m->pages_before);
	machine_free(m);
}

/*
 * Lowest first; a block that was broken for 4K frames does not serve as 2M until it is whole again.
 *
 *   block  0   1   2   3 ... 511 | second gigabyte
 *          4K  2M  2M  .       . | 1G
 */
static void test_pamt__host_allocator(void **state)
{
	struct rt_world *w = rt_world_new(NULL);
	const u64 base = PHYS_PFN(MACHINE_MEM_BASE);
	u64 a, b, c, g, i;

	assert_int_equal(hostmem_init(MACHINE_MEM_BASE + 0x1000, 2ULL << 30), -EINVAL);
	assert_int_equal(hostmem_init(MACHINE_MEM_BASE, 2ULL << 30), 0);
	a = host_alloc_pfns(0);
	b = host_alloc_pfns(9);
	c = host_alloc_pfns(9);
	g = host_alloc_pfns(18);
	assert_int_equal(a, base);
	assert_int_equal(b, base + 512);
	assert_int_equal(c, base + 1024);
	assert_int_equal(g, base + 262144);
	assert_int_equal(host_alloc_pfns(18), 0);
	assert_int_equal(host_pages_used(), 1 + 1024 + 262144);
	assert_true(host_pfn_used(g + 262143));
	assert_false(host_pfn_used(base + 1));

	/* A folio that was split comes back in pieces. */
	for (i = 0; i < 512; i++)
		host_free_pfns(b + i, 0);
	assert_int_equal(host_alloc_pfns(9), b);
	host_free_pfns(a, 0);
	assert_int_equal(host_alloc_pfns(9), base);
	host_free_pfns(g + 512, 9);
	assert_int_equal(host_pages_total() - host_free_pfns_count(), host_pages_used());
	host_free_pfns(g, 9);
	for (i = 1024; i < 262144; i += 512)
		host_free_pfns(g + i, 9);
	assert_int_equal(host_alloc_pfns(18), g);
	hostmem_exit();
	rt_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pamt__get_and_put),
		cmocka_unit_test(test_pamt__failures),
		cmocka_unit_test(test_pamt__counts_without_the_lock),
		cmocka_unit_test(test_pamt__off),
		cmocka_unit_test(test_pamt__split),
		cmocka_unit_test(test_pamt__host_allocator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
