// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operation counts of leaves (tdx-module.md 9): lines stored and read are exact there, so they are
 * here; weights in cycles are guesses and only have to be the sum of what was counted.
 */
#include "tests/tdx/machine.h"

#include "sim/rt/world.h"
#include "tdx/cost.h"

static struct machine m;

static int teardown(void **state)
{
	machine_free(&m);
	return 0;
}

static void start(bool dynamic_pamt)
{
	const struct seam_config cfg = {.profile = "1.5.25", .dynamic_pamt = dynamic_pamt};

	machine_init_cfg(&m, &cfg);
	if (dynamic_pamt)
		call_ok(&m, 0, PHYMEM_PAMT_ADD, SMALL | 1, 0x7ff00000, 0x7ff01000);
	td_build(&m, 0, 1);
}

static int setup(void **state)
{
	start(false);
	return 0;
}

/* One call; what it stored and read, and no operation of its that another leaf is charged with. */
static void expect_work(u64 leaf, u64 rcx, u64 rdx, u64 r8, u64 stored, u64 read)
{
	u64 all_stored = seam_cost_count(m.s, SEAM_ROW_ALL, SEAM_COST_STORE_LINE);
	u64 all_read = seam_cost_count(m.s, SEAM_ROW_ALL, SEAM_COST_READ_LINE);
	u64 own_stored = seam_cost_count(m.s, (u32)leaf, SEAM_COST_STORE_LINE);
	u64 own_read = seam_cost_count(m.s, (u32)leaf, SEAM_COST_READ_LINE);
	u64 calls = seam_cost_count(m.s, (u32)leaf, SEAM_COST_CALL);

	m.r = (struct seam_regs){.rax = leaf, .rcx = rcx, .rdx = rdx, .r8 = r8};
	m.r.r12 = 0x7fe00000;
	m.r.r13 = 0x7fe01000;
	assert_int_equal(seam_call(m.s, 0, &m.r), SEAM_RET);
	expect_status(m.r.rax, SEAM_SUCCESS);
	own_stored = seam_cost_count(m.s, (u32)leaf, SEAM_COST_STORE_LINE) - own_stored;
	own_read = seam_cost_count(m.s, (u32)leaf, SEAM_COST_READ_LINE) - own_read;
	if (own_stored != stored || own_read != read)
		fail_msg("%s: %llu lines stored, %llu read, wanted %llu, %llu",
			 seam_leaf_name(leaf), own_stored, own_read, stored, read);
	assert_int_equal(seam_cost_count(m.s, SEAM_ROW_ALL, SEAM_COST_STORE_LINE),
			 all_stored + stored);
	assert_int_equal(seam_cost_count(m.s, SEAM_ROW_ALL, SEAM_COST_READ_LINE), all_read + read);
	assert_int_equal(seam_cost_count(m.s, (u32)leaf, SEAM_COST_CALL), calls + 1);
}

static void work_of_2m(bool dynamic_pamt)
{
	const u64 info = GPA_2M | 1;

	/* The scan of 512 entries against eight words of a bitmap. */
	expect_work(SEAM_TDH_MEM_PAGE_AUG, info, m.tdr, machine_large(&m), 0,
		    dynamic_pamt ? 1 : 128);
	expect_work(SEAM_TDH_MEM_RANGE_BLOCK, info, m.tdr, 0, 0, 0);
	expect_work(SEAM_TDH_MEM_TRACK, m.tdr, 0, 0, 0, 0);
	/* 512 S-EPT entries stored; 512 PAMT entries stored blindly only into pages just given. */
	expect_work(SEAM_TDH_MEM_PAGE_DEMOTE, info, m.tdr, machine_page(&m),
		    dynamic_pamt ? 64 + 128 : 64, 0);
	expect_work(SEAM_TDH_MEM_RANGE_BLOCK, info, m.tdr, 0, 0, 0);
	expect_work(SEAM_TDH_MEM_TRACK, m.tdr, 0, 0, 0, 0);
	expect_work(SEAM_TDH_MEM_PAGE_PROMOTE, info, m.tdr, 0, 0, 64);
}

static u64 count(u64 leaf, enum seam_cost kind)
{
	return seam_cost_count(m.s, (u32)leaf, kind);
}

/* DEMOTE and PROMOTE: children with their parent, and the table page; a pair takes its children. */
static void test_cost__pamt_of_split_and_merge(void **state)
{
	const u64 split = SEAM_TDH_MEM_PAGE_DEMOTE, merge = SEAM_TDH_MEM_PAGE_PROMOTE;

	for (u32 dynamic_pamt = 0; dynamic_pamt < 2; dynamic_pamt++) {
		teardown(state);
		start(dynamic_pamt);
		work_of_2m(dynamic_pamt);
		assert_int_equal(count(split, SEAM_COST_RMW_LINE),
				 dynamic_pamt ? 1 + 1 : 128 + 1 + 1);
		assert_int_equal(count(merge, SEAM_COST_RMW_LINE),
				 dynamic_pamt ? 1 + 1 : 128 + 1 + 1);
	}
}

/* Up to 1.5.16 PROMOTE locks and unlocks every child. */
static void test_cost__locked_children(void **state)
{
	const struct seam_config cfg = {.profile = "1.5.16"};
	u64 without;

	work_of_2m(false);
	without = count(SEAM_TDH_MEM_PAGE_PROMOTE, SEAM_COST_ATOMIC);
	teardown(state);
	machine_init_cfg(&m, &cfg);
	td_build(&m, 0, 1);
	work_of_2m(false);
	assert_int_equal(count(SEAM_TDH_MEM_PAGE_PROMOTE, SEAM_COST_ATOMIC), without + 1024);
}

static void test_cost__2m(void **state)
{
	work_of_2m(false);
}

static void test_cost__2m_dynamic_pamt(void **state)
{
	teardown(state);
	start(true);
	work_of_2m(true);
}

static void test_cost__tables_and_pages(void **state)
{
	expect_work(SEAM_TDH_MEM_SEPT_ADD, GPA_2M | 1, m.tdr, machine_page(&m), 64, 0);
	expect_work(SEAM_TDH_MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0, 0, 0);
	expect_work(SEAM_TDH_MEM_TRACK, m.tdr, 0, 0, 0, 0);
	expect_work(SEAM_TDH_MEM_SEPT_REMOVE, GPA_2M | 1, m.tdr, 0, 0, 64);
	expect_work(SEAM_TDH_MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m), 0, 0);
}

/* A 2M ACCEPT zeroes 32,768 lines, on the guest's account. */
static void test_cost__accept(void **state)
{
	const u32 row = SEAM_ROW_TDG(SEAM_TDG_MEM_PAGE_ACCEPT);

	call_ok(&m, 0, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, machine_large(&m));
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA_2M | 1), SEAM_DONE);
	assert_int_equal(seam_cost_count(m.s, row, SEAM_COST_STORE_LINE), 32768);
	assert_int_equal(seam_cost_count(m.s, row, SEAM_COST_TDCALL), 1);
	leave(&m, 0);
}

/* The virtual clock is what was counted, times the guesses. */
static void test_cost__clock_is_the_sum(void **state)
{
	u64 from = rt_cycles_now(), sum = 0, before[SEAM_COST_NR];

	for (u32 k = 0; k < SEAM_COST_NR; k++) {
		before[k] = seam_cost_count(m.s, SEAM_ROW_ALL, (enum seam_cost)k);
		assert_non_null(seam_cost_name((enum seam_cost)k));
		assert_non_null(seam_cost_text((enum seam_cost)k));
	}
	work_of_2m(false);
	for (u32 k = 0; k < SEAM_COST_NR; k++)
		sum += (seam_cost_count(m.s, SEAM_ROW_ALL, (enum seam_cost)k) - before[k]) *
		       seam_cost_cycles((enum seam_cost)k);
	assert_int_equal(rt_cycles_now() - from, sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_cost__2m),
		T(test_cost__2m_dynamic_pamt),
		T(test_cost__pamt_of_split_and_merge),
		T(test_cost__locked_children),
		T(test_cost__tables_and_pages),
		T(test_cost__accept),
		T(test_cost__clock_is_the_sum),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
