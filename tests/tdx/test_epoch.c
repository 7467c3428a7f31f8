// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLB tracking (tdx-module.md 3.5): what TRACK counts, what BLOCK stamps, and when a range is
 * tracked. The contention of the epoch lock is among the recordings (busy_epoch_*).
 */
#include "tests/tdx/machine.h"

static struct machine m;

static int setup(void **state)
{
	machine_init(&m, "1.5.25");
	td_build(&m, 0, 3);
	return 0;
}

static int teardown(void **state)
{
	machine_free(&m);
	return 0;
}

static struct seam_td_view td(void)
{
	struct seam_td_view v;

	assert_true(seam_look_td(m.s, m.tdr, &v));
	return v;
}

static void map_large(void)
{
	call_ok(&m, 0, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, machine_large(&m));
}

static u64 demote(void)
{
	return call(&m, 3, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, machine_page(&m));
}

static void test_epoch__counts_by_parity(void **state)
{
	enter(&m, 0, 0);
	assert_int_equal(td().refcount[1], 1);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	enter(&m, 1, 1);
	/* Epoch 2 is even: the VCPU that came before TRACK stays with the odd ones. */
	assert_int_equal(td().refcount[0], 1);
	assert_int_equal(td().refcount[1], 1);
	leave(&m, 0);
	assert_int_equal(td().refcount[1], 0);
	leave(&m, 1);
	assert_int_equal(td().refcount[0], 0);
}

static void test_epoch__track_waits_for_the_epoch_before(void **state)
{
	enter(&m, 0, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	expect_status(call(&m, 3, MEM_TRACK, m.tdr, 0, 0), SEAM_PREVIOUS_TLB_EPOCH_BUSY);
	assert_int_equal(td().epoch, 2);
	leave(&m, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	/* A VCPU of the current epoch is no obstacle. */
	enter(&m, 0, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	leave(&m, 0);
}

/*
 *  epoch      1           2           3
 *  VCPU       |---in------------out
 *  BLOCK      ^e=1
 *  TRACK               ^
 *  tracked    no       no        yes
 */
static void test_epoch__demote_needs_track_and_exit(void **state)
{
	map_large();
	enter(&m, 0, 0);
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	expect_status(demote(), SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	expect_status(demote(), SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX);
	leave(&m, 0);
	expect_status(demote(), SEAM_SUCCESS);
	assert_int_equal(sept_state(&m, GPA_2M, 1), SEAM_SEPT_NL_MAPPED);
}

static void test_epoch__entering_after_track_holds_nothing_up(void **state)
{
	map_large();
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	enter(&m, 0, 0);
	expect_status(demote(), SEAM_SUCCESS);
	leave(&m, 0);
}

static void test_epoch__block_after_track_needs_another(void **state)
{
	map_large();
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	expect_status(demote(), SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	expect_status(demote(), SEAM_SUCCESS);
}

static void test_epoch__second_block_keeps_bepoch(void **state)
{
	map_large();
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	expect_status(call(&m, 3, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0),
		      SEAM_GPA_RANGE_ALREADY_BLOCKED | SEAM_OP_RCX);
	expect_status(demote(), SEAM_SUCCESS);
}

static void test_epoch__unblock_costs_the_same_kick(void **state)
{
	map_large();
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	expect_status(call(&m, 3, MEM_RANGE_UNBLOCK, GPA_2M | 1, m.tdr, 0),
		      SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 3, MEM_RANGE_UNBLOCK, GPA_2M | 1, m.tdr, 0);
	assert_int_equal(sept_state(&m, GPA_2M, 1), SEAM_SEPT_PENDING);
}

static void test_epoch__dead_td_keeps_its_count(void **state)
{
	enter(&m, 0, 0);
	enter(&m, 1, 1);
	seam_guest_machine_check(m.s, 0, &m.r);
	expect_status(m.r.rax, SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE);
	assert_int_equal(tdcall(&m, 1, SEAM_TDG_VP_INFO, 0), SEAM_EXIT);
	expect_status(m.r.rax, SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE | 77);
	assert_int_equal(td().refcount[1], 2);
	assert_true(td().fatal);
	expect_status(call(&m, 0, VP_ENTER, m.vcpu[0], 0, 0), SEAM_TD_FATAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_epoch__counts_by_parity),
		T(test_epoch__track_waits_for_the_epoch_before),
		T(test_epoch__demote_needs_track_and_exit),
		T(test_epoch__entering_after_track_holds_nothing_up),
		T(test_epoch__block_after_track_needs_another),
		T(test_epoch__second_block_keeps_bepoch),
		T(test_epoch__unblock_costs_the_same_kick),
		T(test_epoch__dead_td_keeps_its_count),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
