// SPDX-License-Identifier: GPL-2.0-only
/*
 * The S-EPT side of the port on the real module: what each operation costs in SEAMCALLs, where both
 * tables stand afterwards, and what happens when the module says BUSY or worse.
 */
#include "tests/mmu/td_fixture.h"

#include <errno.h>

#include "mmu/mmu.h"

#define BLOCK	SEAM_TDH_MEM_RANGE_BLOCK
#define TRACK	SEAM_TDH_MEM_TRACK
#define DEMOTE	SEAM_TDH_MEM_PAGE_DEMOTE
#define REMOVE	SEAM_TDH_MEM_PAGE_REMOVE
#define AUG	SEAM_TDH_MEM_PAGE_AUG
#define WBINVD	SEAM_TDH_PHYMEM_PAGE_WBINVD
#define RECLAIM SEAM_TDH_PHYMEM_PAGE_RECLAIM

static void assert_counts(const struct td_fixture *td, u64 block, u64 demote, u64 remove,
			  u64 wbinvd)
{
	assert_int_equal(td_calls(td, BLOCK), block);
	/* One TRACK for each BLOCK, there is no batching. */
	assert_int_equal(td_calls(td, TRACK), block);
	assert_int_equal(td_calls(td, DEMOTE), demote);
	assert_int_equal(td_calls(td, REMOVE), remove);
	assert_int_equal(td_calls(td, WBINVD), wbinvd);
}

static void assert_healthy(const struct td_fixture *td)
{
	char why[256];

	if (td->reports)
		fail_msg("report: %s", td->last_report);
	if (!seam_check(td->seam, why, sizeof(why)))
		fail_msg("module: %s", why);
	assert_int_equal(rt_locks_held(), 0);
}

/* S2 */
static void test_map__one_aug_for_2m(void **state)
{
	struct td_fixture *td = td_new(NULL);
	u8 level;

	td_mark(td);
	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	assert_int_equal(td_calls(td, AUG), 1);
	assert_int_equal(td_mirror(td, TD_GPA + SZ_4K), PG_LEVEL_2M);
	assert_int_equal(td_sept(td, TD_GPA + SZ_4K, &level), SEAM_SEPT_PENDING);
	assert_int_equal(level, 1);
	assert_healthy(td);
	td_free(td);
}

static void test_map__5_levels_when_the_guest_is_wide(void **state)
{
	struct td_fixture *td = td_new(&(struct td_opts){.gpaw = true});

	td_mark(td);
	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	assert_int_equal(td_calls(td, SEAM_TDH_MEM_SEPT_ADD), 3);
	assert_int_equal(kvm_shared_bit(td->kvm), 51);
	assert_healthy(td);
	td_free(td);
}

/* RFC v1's pre-fault finds the memory mapped, if larger than it would have. */
static void test_map__prefault_at_4k_over_2m(void **state)
{
	struct td_fixture *td = td_new(NULL);
	u64 done;

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	assert_int_equal(kvm_vcpu_ioctl_pre_fault(td->guest[0].vcpu, TD_GPA, SZ_4K, true, &done),
			 0);
	assert_int_equal(td_mirror(td, TD_GPA), PG_LEVEL_2M);
	assert_int_equal(
		kvm_vcpu_ioctl_pre_fault(td->guest[0].vcpu, TD_GPA + SZ_2M, SZ_4K, true, &done), 0);
	assert_int_equal(td_mirror(td, TD_GPA + SZ_2M), PG_LEVEL_4K);
	assert_healthy(td);
	td_free(td);
}

/* S9: leaves go, tables stay; and the new slot knows nothing of the old one's inhibit. */
static void test_zap__slot_deletion(void **state)
{
	struct td_fixture *td = td_new(NULL);

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	assert_int_equal(td_accept(td, TD_GPA + SZ_2M, 0), -EINTR);
	td_mark(td);
	assert_int_equal(td_set_slot(td, false), 0);
	assert_counts(td, 2, 0, 2, 512 + 1);
	assert_int_equal(td_calls(td, RECLAIM), 0);
	assert_int_equal(kvm_look_lpage(td->kvm, TD_GPA >> 12, PG_LEVEL_2M), ~0U);

	assert_int_equal(td_set_slot(td, true), 0);
	assert_int_equal(td_prefault(td, TD_GPA, 2 * SZ_2M), 0);
	assert_int_equal(td_mirror(td, TD_GPA), PG_LEVEL_2M);
	assert_int_equal(td_mirror(td, TD_GPA + SZ_2M), PG_LEVEL_4K);
	assert_healthy(td);
	td_free(td);
}

/* S5 */
static void test_convert__4k_inside_2m(void **state)
{
	struct td_fixture *td = td_new(NULL);
	u8 level;

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	td_mark(td);
	assert_int_equal(td_convert(td, TD_GPA + 5 * SZ_4K, SZ_4K, false), 0);
	assert_counts(td, 2, 1, 1, 1);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_KICKS), 2);
	assert_int_equal(td_mirror(td, TD_GPA + 5 * SZ_4K), 0);
	assert_int_equal(td_mirror(td, TD_GPA + 6 * SZ_4K), PG_LEVEL_4K);
	assert_int_equal(td_sept(td, TD_GPA + 6 * SZ_4K, &level), SEAM_SEPT_PENDING);
	assert_int_equal(level, 0);
	assert_int_equal(td_sept(td, TD_GPA + 5 * SZ_4K, &level), SEAM_SEPT_FREE);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_OVERZAP_BYTES), 0);
	assert_healthy(td);
	td_free(td);
}

/* S6 */
static void test_convert__whole_2m(void **state)
{
	struct td_fixture *td = td_new(NULL);

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	td_mark(td);
	assert_int_equal(td_convert(td, TD_GPA, SZ_2M, false), 0);
	assert_counts(td, 1, 0, 1, 512);
	assert_healthy(td);
	td_free(td);
}

/*
 * S7:  A: 0..2M      B: 2M..4M      C: 4M..6M
 *      |         **|**************|***           |
 */
static void check_unaligned(const struct td_opts *opts)
{
	struct td_fixture *td = td_new(opts);

	assert_int_equal(td_prefault(td, TD_GPA, 3 * SZ_2M), 0);
	td_mark(td);
	assert_int_equal(td_convert(td, TD_GPA + SZ_2M - 2 * SZ_4K, SZ_2M + 5 * SZ_4K, false), 0);
	assert_counts(td, 8, 2, 6, 517);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_KICKS), 8);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_SPLITS), 2);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_PAGES_4K), 510 + 509);
	assert_healthy(td);
	td_free(td);
}

static void test_convert__unaligned_by_head_and_tail(void **state)
{
	check_unaligned(NULL);
}

static void test_convert__unaligned_by_crossing_walk(void **state)
{
	check_unaligned(&(struct td_opts){.gmem_profile = "V3"});
}

static void test_convert__unaligned_with_dynamic_pamt(void **state)
{
	const struct td_opts opts = {.dynamic_pamt = true};
	struct kvm_spte_view a, c;
	struct td_fixture *td;

	check_unaligned(&opts);

	td = td_new(&opts);
	assert_int_equal(td_prefault(td, TD_GPA, 3 * SZ_2M), 0);
	assert_true(kvm_look_spte(td->kvm, true, TD_GPA >> 12, &a));
	assert_true(kvm_look_spte(td->kvm, true, (TD_GPA + 2 * SZ_2M) >> 12, &c));
	assert_int_equal(kvm_look_pamt_count(td->host, a.pfn), 0);
	assert_int_equal(td_convert(td, TD_GPA + SZ_2M - 2 * SZ_4K, SZ_2M + 5 * SZ_4K, false), 0);
	assert_int_equal(kvm_look_pamt_count(td->host, a.pfn), 510);
	assert_int_equal(kvm_look_pamt_count(td->host, c.pfn), 509);
	assert_healthy(td);
	td_free(td);
}

/* S3, and the lockless test of the second accept. */
static void test_accept__4k_inhibits_larger_levels(void **state)
{
	struct td_fixture *td = td_new(NULL);
	u64 writes;

	assert_int_equal(td_accept(td, TD_GPA + 7 * SZ_4K, 0), -EINTR);
	assert_int_equal(td->guest[0].status, SEAM_SUCCESS);
	assert_int_equal(kvm_look_lpage(td->kvm, TD_GPA >> 12, PG_LEVEL_2M),
			 KVM_LPAGE_GUEST_INHIBIT_FLAG);
	assert_true(kvm_look_lpage(td->kvm, TD_GPA >> 12, PG_LEVEL_1G) &
		    KVM_LPAGE_GUEST_INHIBIT_FLAG);
	assert_int_equal(td_mirror(td, TD_GPA + 7 * SZ_4K), PG_LEVEL_4K);

	writes = kvm_stat(td->host, KVM_STAT_MMU_LOCK_WRITE);
	assert_int_equal(td_accept(td, TD_GPA + 8 * SZ_4K, 0), -EINTR);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_MMU_LOCK_WRITE), writes);
	/* Another 2M is not concerned. */
	assert_int_equal(kvm_look_lpage(td->kvm, (TD_GPA + SZ_2M) >> 12, PG_LEVEL_2M), 0);
	assert_healthy(td);
	td_free(td);
}

/* S4: mapped at 2M first, then accepted at 4K: one more exit, in which the leaf is split. */
static void check_split_at_accept(const struct td_opts *opts)
{
	struct td_fixture *td = td_new(opts);
	u8 level;

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	td_mark(td);
	assert_int_equal(td_accept(td, TD_GPA + 3 * SZ_4K, 0), -EINTR);
	assert_int_equal(td->guest[0].status, SEAM_SUCCESS);
	assert_counts(td, 1, 1, 0, 0);
	assert_int_equal(td_calls(td, AUG), 0);
	assert_int_equal(td_sept(td, TD_GPA + 3 * SZ_4K, &level), SEAM_SEPT_MAPPED);
	assert_int_equal(td_sept(td, TD_GPA + 4 * SZ_4K, &level), SEAM_SEPT_PENDING);
	assert_int_equal(level, 0);
	assert_healthy(td);
	td_free(td);
}

static void test_accept__4k_splits_a_pending_2m_leaf(void **state)
{
	check_split_at_accept(NULL);
	check_split_at_accept(&(struct td_opts){.policy = "split_api", .value = "cross"});
	check_split_at_accept(&(struct td_opts){.policy = "split_cache", .value = "spin"});
	check_split_at_accept(&(struct td_opts){.dynamic_pamt = true});
	check_split_at_accept(
		&(struct td_opts){.policy = "split_cache", .value = "spin", .dynamic_pamt = true});
}

static void test_accept__2m(void **state)
{
	struct td_fixture *td = td_new(NULL);
	u8 level;

	assert_int_equal(td_accept(td, TD_GPA, 1), -EINTR);
	assert_int_equal(td->guest[0].status, SEAM_SUCCESS);
	assert_int_equal(td_sept(td, TD_GPA, &level), SEAM_SEPT_MAPPED);
	assert_int_equal(level, 1);
	assert_int_equal(kvm_look_lpage(td->kvm, TD_GPA >> 12, PG_LEVEL_2M), 0);
	assert_healthy(td);
	td_free(td);
}

static void test_accept__enomem_of_the_split_goes_to_userspace(void **state)
{
	struct td_fixture *td = td_new(NULL);

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	td_inject("external-spt-alloc", RT_FAULT_ANY, 1);
	assert_int_equal(td_accept(td, TD_GPA, 0), -ENOMEM);
	assert_int_equal(td_mirror(td, TD_GPA), PG_LEVEL_2M);
	/* Not inhibited: nothing was split (R12). */
	assert_int_equal(kvm_look_lpage(td->kvm, TD_GPA >> 12, PG_LEVEL_2M), 0);
	assert_int_equal(td_accept(td, TD_GPA, 0), -EINTR);
	assert_healthy(td);
	td_free(td);
}

static void test_busy__aug_is_retried(void **state)
{
	struct td_fixture *td = td_new(NULL);

	td_inject("busy", AUG, 2);
	td_mark(td);
	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	assert_int_equal(td_calls(td, AUG), 3);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_PF_RETRY), 2);
	assert_healthy(td);
	td_free(td);
}

static void check_busy_once(u32 leaf, bool dynamic_pamt)
{
	struct td_fixture *td = td_new(&(struct td_opts){.dynamic_pamt = dynamic_pamt});

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	td_inject("busy", leaf, 1);
	assert_int_equal(td_convert(td, TD_GPA, SZ_4K, false), 0);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_SEAMCALL_RETRIES), 1);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_KICKS), 3);
	assert_healthy(td);
	td_free(td);
}

static void test_busy__once_is_healed_by_the_kick(void **state)
{
	static const u32 leaf[] = {BLOCK, TRACK, DEMOTE, REMOVE};

	for (u32 i = 0; i < RT_ARRAY_SIZE(leaf); i++) {
		check_busy_once(leaf[i], false);
		check_busy_once(leaf[i], true);
	}
}

static void test_busy__twice_bugs_the_vm(void **state)
{
	struct td_fixture *td = td_new(NULL);

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	td_inject("busy", DEMOTE, 2);
	assert_int_equal(td_convert(td, TD_GPA, SZ_4K, false), -EIO);
	assert_true(kvm_is_bugged(td->kvm));
	assert_true(td->reports > 0);
	/* Nothing was zapped or given to the host. */
	assert_int_equal(td_calls(td, REMOVE), 0);
	assert_true(kvm_gmem_look_private(td->file, 0));
	td_free(td);
}

/*
 * v3's wrapper refuses a frame that reaches out of its folio before it calls the module (B2, B31):
 * there is no RCX and RDX to report then, and what is printed must not be the stack's (B39).
 */
static void test_check__early_return_reports_zeroes(void **state)
{
	struct td_fixture *td = td_new(&(struct td_opts){.policy = "check_at",
							 .value = "wrapper",
							 .gmem_profile = "GOOGLE_2026",
							 .dynamic_pamt = true});

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	assert_int_equal(td_convert(td, TD_GPA, SZ_4K, false), -EIO);
	assert_true(kvm_is_bugged(td->kvm));
	assert_int_equal(td_calls(td, DEMOTE), 0);
	if (!strstr(td->last_report, "TDH_MEM_PAGE_DEMOTE failed") ||
	    !strstr(td->last_report, "rcx 0x0, rdx 0x0"))
		fail_msg("report: %s", td->last_report);
	td_free(td);
}

/* One range, as the VM's attributes take it: all or nothing but for the splits (R30, B65, B66). */
static void test_attrs__enomem_at_the_second_split(void **state)
{
	struct td_fixture *td = td_new(&(struct td_opts){.series = "v3"});
	struct rt_fault fault = {.site = "spt-alloc", .actor = RT_NOBODY, .nth = 2, .count = 1};

	assert_int_equal(td_prefault(td, TD_GPA, 3 * SZ_2M), 0);
	rt_fault_arm(&fault);
	td_mark(td);
	assert_int_equal(td_convert(td, TD_GPA + SZ_2M - SZ_4K, SZ_2M + 2 * SZ_4K, false), -ENOMEM);
	assert_counts(td, 1, 1, 0, 0);
	assert_int_equal(td_mirror(td, TD_GPA + SZ_2M - SZ_4K), PG_LEVEL_4K);
	assert_int_equal(td_mirror(td, TD_GPA + SZ_2M), PG_LEVEL_2M);
	assert_int_equal(td_mirror(td, TD_GPA + 2 * SZ_2M), PG_LEVEL_2M);
	/* Uniform again, so not MIXED. */
	assert_int_equal(kvm_look_lpage(td->kvm, TD_GPA >> 12, PG_LEVEL_2M), 0);
	assert_int_equal(kvm_look_lpage(td->kvm, (TD_GPA + 2 * SZ_2M) >> 12, PG_LEVEL_2M), 0);

	/* And faults are not held up by an invalidation that never ended. */
	assert_int_equal(td_prefault(td, TD_GPA + 3 * SZ_2M, SZ_2M), 0);
	assert_int_equal(td_convert(td, TD_GPA + SZ_2M - SZ_4K, SZ_2M + 2 * SZ_4K, false), 0);
	assert_healthy(td);
	td_free(td);
}

static void test_attrs__4k_inside_2m(void **state)
{
	struct td_fixture *td = td_new(&(struct td_opts){.series = "v3", .dynamic_pamt = true});

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	td_mark(td);
	assert_int_equal(td_convert(td, TD_GPA, SZ_4K, false), 0);
	assert_counts(td, 2, 1, 1, 1);
	assert_true(kvm_look_lpage(td->kvm, TD_GPA >> 12, PG_LEVEL_2M) & KVM_LPAGE_MIXED_FLAG);
	assert_int_equal(td_convert(td, TD_GPA, SZ_4K, true), 0);
	assert_int_equal(kvm_look_lpage(td->kvm, TD_GPA >> 12, PG_LEVEL_2M), 0);
	/* Not promoted: the table stays. */
	assert_int_equal(td_prefault(td, TD_GPA, SZ_4K), 0);
	assert_int_equal(td_mirror(td, TD_GPA), PG_LEVEL_4K);
	assert_healthy(td);
	td_free(td);
}

/* v5 does not follow attributes of the VM: nothing is huge then. */
static void test_attrs__v5_refuses_huge_pages(void **state)
{
	struct td_fixture *td = td_new(&(struct td_opts){.policy = "vm_attrs", .value = "on"});

	assert_int_equal(td_prefault(td, TD_GPA, SZ_4K), 0);
	assert_int_equal(td_mirror(td, TD_GPA), PG_LEVEL_4K);
	assert_healthy(td);
	td_free(td);
}

/* The shared page is in the direct table alone, where the guest's shared accesses are walked. */
static void test_shared__maps_into_the_direct_table(void **state)
{
	struct td_fixture *td = td_new(NULL);
	const u64 gpa = TD_GPA + 9 * SZ_4K;
	struct kvm_spte_view v;
	bool writable;
	u64 hpa;

	assert_int_equal(td_convert(td, gpa, SZ_4K, false), 0);
	td_mark(td);
	assert_int_equal(td_prefault(td, gpa, SZ_4K), 0);
	assert_int_equal(td_calls(td, AUG), 0);
	assert_true(kvm_look_spte(td->kvm, false, gpa >> 12, &v));
	assert_int_equal(v.level, PG_LEVEL_4K);
	assert_true(kvm_mmu_shared_walk(td->host, kvm_tdr(td->kvm), gpa | RT_BIT(47) | 0x18, &hpa,
					&writable));
	assert_int_equal(hpa, (v.pfn << 12) + 0x18);
	assert_true(writable);
	assert_false(kvm_mmu_shared_walk(td->host, kvm_tdr(td->kvm), gpa + SZ_4K, &hpa, &writable));

	assert_int_equal(td_convert(td, gpa, SZ_4K, true), 0);
	assert_false(kvm_mmu_shared_walk(td->host, kvm_tdr(td->kvm), gpa, &hpa, &writable));
	assert_healthy(td);
	td_free(td);
}

static void test_level__module_without_bit_51_stays_at_4k(void **state)
{
	struct td_fixture *td = td_new(&(struct td_opts){.no_bit_51 = true});

	assert_false(kvm_host_huge_pages(td->host));
	assert_int_equal(td_prefault(td, TD_GPA, SZ_4K), 0);
	assert_int_equal(td_mirror(td, TD_GPA), PG_LEVEL_4K);
	assert_healthy(td);
	td_free(td);
}

/* S10: every page of the TD comes back to the host. */
static void check_teardown(bool dynamic_pamt)
{
	struct td_fixture *td = td_new(&(struct td_opts){.dynamic_pamt = dynamic_pamt});

	assert_int_equal(td_prefault(td, TD_GPA, 2 * SZ_2M), 0);
	assert_int_equal(td_convert(td, TD_GPA + SZ_4K, SZ_4K, false), 0);
	assert_int_equal(td_accept(td, TD_GPA + 2 * SZ_4K, 0), -EINTR);
	td_destroy(td);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_PAGES_4K), 0);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_PAGES_2M), 0);
	assert_int_equal(kvm_stat(td->host, KVM_STAT_HOST_PAGES_PAMT), 0);
	assert_int_equal(kvm_host_pages_used(td->host), 0);
	assert_healthy(td);
	td_free(td);
}

static void test_teardown__gives_every_page_back(void **state)
{
	check_teardown(false);
	check_teardown(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map__one_aug_for_2m),
		cmocka_unit_test(test_map__5_levels_when_the_guest_is_wide),
		cmocka_unit_test(test_map__prefault_at_4k_over_2m),
		cmocka_unit_test(test_zap__slot_deletion),
		cmocka_unit_test(test_convert__4k_inside_2m),
		cmocka_unit_test(test_convert__whole_2m),
		cmocka_unit_test(test_convert__unaligned_by_head_and_tail),
		cmocka_unit_test(test_convert__unaligned_by_crossing_walk),
		cmocka_unit_test(test_convert__unaligned_with_dynamic_pamt),
		cmocka_unit_test(test_accept__4k_inhibits_larger_levels),
		cmocka_unit_test(test_accept__4k_splits_a_pending_2m_leaf),
		cmocka_unit_test(test_accept__2m),
		cmocka_unit_test(test_accept__enomem_of_the_split_goes_to_userspace),
		cmocka_unit_test(test_busy__aug_is_retried),
		cmocka_unit_test(test_busy__once_is_healed_by_the_kick),
		cmocka_unit_test(test_busy__twice_bugs_the_vm),
		cmocka_unit_test(test_check__early_return_reports_zeroes),
		cmocka_unit_test(test_attrs__enomem_at_the_second_split),
		cmocka_unit_test(test_attrs__4k_inside_2m),
		cmocka_unit_test(test_attrs__v5_refuses_huge_pages),
		cmocka_unit_test(test_shared__maps_into_the_direct_table),
		cmocka_unit_test(test_level__module_without_bit_51_stays_at_4k),
		cmocka_unit_test(test_teardown__gives_every_page_back),
	};

	return cmocka_run_group_tests_name("tdx_sept", tests, NULL, NULL);
}
