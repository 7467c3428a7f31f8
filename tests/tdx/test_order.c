// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that are wrong in two ways, and what a refused call leaves behind: which check the module
 * makes first. Each row here was found by running a variation of a recording on the module's code.
 */
#include "tests/tdx/machine.h"

#include "sim/rt/phys.h"
#include "sim/rt/sched.h"
#include "tdx/field.h"

static struct machine m;

static int setup(void **state)
{
	machine_init(&m, "1.5.25");
	td_build(&m, 0, 2);
	return 0;
}

static int teardown(void **state)
{
	struct seam_vcpu_view v;

	for (u32 i = 0; i < m.nr_vcpus; i++)
		if (seam_look_vcpu(m.s, m.vcpu[i], &v) && v.in_guest)
			seam_guest_interrupt(m.s, v.assoc, 0x30, &m.r);
	machine_free(&m);
	return 0;
}

static void restart_as(const char *profile, bool dynamic_pamt)
{
	const struct seam_config cfg = {.profile = profile, .dynamic_pamt = dynamic_pamt};

	teardown(NULL);
	machine_init_cfg(&m, &cfg);
}

/* The address is looked at after the TD: its lock, its state. */
static void test_order__mr_extend(void **state)
{
	expect_status(call(&m, 0, MR_EXTEND, GPA + 0x80, m.tdr | 1, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RDX);
	expect_status(call(&m, 0, MR_EXTEND, GPA + 0x80, m.tdr, 0),
		      SEAM_OP_STATE_INCORRECT | SEAM_OPS_RUNNABLE);
	enter(&m, 0, 0);
	expect_status(call(&m, 3, MR_EXTEND, GPA + 0x80, m.tdr, 0),
		      SEAM_OPERAND_BUSY | SEAM_OP_RDX);
	leave(&m, 0);
	restart_as("1.5.25", false);
	td_create(&m);
	params(0);
	call_ok(&m, 0, MNG_INIT, m.tdr, PARAMS, 0);
	expect_status(call(&m, 0, MR_EXTEND, GPA + 0x80, m.tdr, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
}

/* OP_STATE comes last, when the new page has been overwritten already. */
static void test_order__addcx(void **state)
{
	const u64 word = 0x1234;
	u64 page = machine_page(&m), now;

	expect_status(call(&m, 0, MNG_ADDCX, page + 1, m.tdr, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(call(&m, 0, MNG_ADDCX, SMALL + 0x1000, m.tdr, 0),
		      SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX);
	rt_phys_poke(page + 8, 0, &word, sizeof(word));
	expect_status(call(&m, 0, MNG_ADDCX, page, m.tdr, 0),
		      SEAM_OP_STATE_INCORRECT | SEAM_OPS_RUNNABLE);
	rt_phys_peek(page + 8, &now, sizeof(now));
	assert_true(now != word);
}

static u64 init_with(u32 off, u64 val, u32 len)
{
	rt_phys_poke(PARAMS + off, 0, &val, len);
	return call(&m, 0, MNG_INIT, m.tdr, PARAMS, 0);
}

/* TD_PARAMS from the end to the beginning: each new fault is met before the ones behind it. */
static void test_order__td_params(void **state)
{
	const struct {
		u32 off, len;
		u64 val, answer;
	} rows[] = {
		{0x3ff, 1, 1, SEAM_OPERAND_INVALID | SEAM_OP_RDX},
		{0x100, 1, 1, SEAM_OPERAND_INVALID | SEAM_OP_CPUID_CONFIG},
		{0xe8, 1, 1, SEAM_OPERAND_INVALID | SEAM_OP_RDX},
		{0x28, 2, 0, SEAM_OPERAND_INVALID | SEAM_OP_TSC_FREQUENCY},
		{0x18, 8, 0, SEAM_OPERAND_INVALID | SEAM_OP_EPTP},
		{0x20, 8, RT_BIT(7), SEAM_OPERAND_INVALID | SEAM_OP_EXEC_CONTROLS},
		{0x14, 1, 1, SEAM_OPERAND_INVALID | SEAM_OP_RDX},
		{0x12, 1, 1, SEAM_TDCS_NOT_ALLOCATED},
		{0x12, 1, 4, SEAM_OPERAND_INVALID | SEAM_OP_NUM_L2_VMS},
		{0x10, 2, 0, SEAM_OPERAND_INVALID | SEAM_OP_MAX_VCPUS},
		{0x08, 8, 0, SEAM_OPERAND_INVALID | SEAM_OP_XFAM},
		{0x00, 8, 2, SEAM_OPERAND_INVALID | SEAM_OP_ATTRIBUTES},
	};

	restart_as("1.5.25", false);
	td_create(&m);
	params(0);
	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		u64 got = init_with(rows[i].off, rows[i].val, rows[i].len);

		if (got != rows[i].answer)
			fail_msg("row %zu: %llx, wanted %llx", i, got, rows[i].answer);
	}
	/* Bit 0 of the TDR asks for event filters, from 1.5.09 on. */
	params(0);
	call_ok(&m, 0, MNG_INIT, m.tdr | 1, PARAMS, 0);
}

/* The first release: no most VCPUs, no flag in RCX, values for 12 CPUID leaves. */
static void test_order__td_params_of_1501(void **state)
{
	restart_as("1.5.01", false);
	td_create(&m);
	params(0);
	expect_status(call(&m, 0, MNG_INIT, m.tdr | 1, PARAMS, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(init_with(0x1bf, 1, 1), SEAM_OPERAND_INVALID | SEAM_OP_CPUID_CONFIG);
	params(0);
	expect_status(init_with(0x1c0, 1, 1), SEAM_OPERAND_INVALID | SEAM_OP_RDX);
	params(0);
	expect_status(init_with(0x00, RT_BIT(16), 8), SEAM_OPERAND_INVALID | SEAM_OP_ATTRIBUTES);
	params(0);
	expect_status(init_with(0x20, RT_BIT(4), 8), SEAM_OPERAND_INVALID | SEAM_OP_EXEC_CONTROLS);
	params(0);
	expect_status(init_with(0x10, 0xffff, 2), SEAM_SUCCESS);
}

/* The id of a single field has no lengths of a sequence, and no reserved bits. */
static void test_order__field_ids(void **state)
{
	const u64 id = 0x9110000300000002ULL; /* MAX_VCPUS */
	static const u8 bits[] = {24, 31, 34, 37, 38, 46, 47, 49, 55, 62};

	call_ok(&m, 0, MNG_RD, m.tdr, id, 0);
	call_ok(&m, 0, MNG_RD, m.tdr, id ^ RT_BIT(33), 0); /* another size is taken */
	for (size_t i = 0; i < RT_ARRAY_SIZE(bits); i++) {
		expect_status(call(&m, 0, MNG_RD, m.tdr, id | RT_BIT(bits[i]), 0),
			      SEAM_METADATA_FIELD_ID_INCORRECT);
		expect_status(call(&m, 0, VP_RD, m.vcpu[0], RT_BIT(bits[i]), 0),
			      SEAM_METADATA_FIELD_ID_INCORRECT);
	}
}

/* PROMOTE of GPA_2M, a table whose entries 0 and 1 are pages, with the lock of one entry taken. */
static u64 promote_with_locked(u32 index)
{
	const struct seam_hold h = {
		.id = SEAM_LOCK_SEPT, .obj = m.tdr, .gpa = GPA_2M + index * 0x1000ULL};
	u64 st;

	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	st = call(&m, 0, MEM_PAGE_PROMOTE, GPA_2M | 1, m.tdr, 0);
	call_ok(&m, 0, MEM_RANGE_UNBLOCK, GPA_2M | 1, m.tdr, 0);
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	return st;
}

/* Child after child is locked and compared: a locked one behind the first wrong one is not met. */
static void test_order__old_promote(void **state)
{
	restart_as("1.5.16", false);
	td_build(&m, 0, 1);
	call_ok(&m, 0, MEM_SEPT_ADD, GPA_2M | 1, m.tdr, machine_page(&m));
	call_ok(&m, 0, MEM_PAGE_AUG, GPA_2M, m.tdr, LARGE);
	call_ok(&m, 0, MEM_PAGE_AUG, GPA_2M + 0x1000, m.tdr, LARGE + 0x1000);
	expect_status(promote_with_locked(3), SEAM_EPT_INVALID_PROMOTE_CONDITIONS | SEAM_OP_RCX);
	expect_status(promote_with_locked(2), SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	expect_status(promote_with_locked(0), SEAM_OPERAND_BUSY | SEAM_OP_RCX);
}

/* A dead TD's VCPU stays ACTIVE, and its host sees hardware's qualification. */
static void test_order__exits_of_a_dead_td(void **state)
{
	struct seam_vcpu_view v;
	struct seam_access a;

	enter(&m, 0, 0);
	enter(&m, 1, 1);
	seam_guest_machine_check(m.s, 0, &m.r);
	assert_int_equal(guest_read(&m, 1, GPA, 0, &a), SEAM_EXIT);
	expect_status(m.r.rax, SEAM_NON_RECOVERABLE_TD_NON_ACCESSIBLE | 48);
	assert_true(m.r.rcx == 0x181 && !m.r.rdx && !m.r.r8);
	for (u32 i = 0; i < 2; i++) {
		assert_true(seam_look_vcpu(m.s, m.vcpu[i], &v));
		assert_true(v.state == SEAM_VCPU_ACTIVE && !v.in_guest);
	}
	/* The fatal flag is not looked at by VP.FLUSH. */
	call_ok(&m, 0, VP_FLUSH, m.vcpu[0], 0, 0);
}

/* A leaf that makes a TD exit does not stop the timer of refusals for host priority. */
static void test_order__timer_outlives_exits(void **state)
{
	const struct seam_hold h = {.id = SEAM_LOCK_SEPT, .obj = m.tdr, .gpa = GPA};

	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	expect_status(call(&m, 3, MEM_SEPT_RD, GPA, m.tdr, 0), SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	expect_status(m.r.rax, SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	rt_cycles(3000000000ULL);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA + 0x1000), SEAM_EXIT);
	expect_status(m.r.rax, 48);
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_EXIT);
	expect_status(m.r.rax, SEAM_HOST_PRIORITY_BUSY_TIMEOUT);
}

/* A page without a pair, exclusive: the 2M entry is where the walk ends, and its lock is upgraded. */
static void test_order__missing_pair_is_locked(void **state)
{
	const struct seam_hold h = {.id = SEAM_LOCK_PAMT, .obj = LARGE, .level = 1, .shared = true};

	restart_as("1.5.25", true);
	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	expect_status(call(&m, 0, PHYMEM_PAGE_RECLAIM, LARGE + 0x1000, 0, 0),
		      SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	expect_status(call(&m, 0, MNG_CREATE, LARGE + 0x1000, 0x21, 0),
		      SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	/* WBINVD wants it shared. */
	call_ok(&m, 0, PHYMEM_PAGE_WBINVD, LARGE + 0x1000, 0, 0);
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	expect_status(call(&m, 0, MNG_CREATE, LARGE + 0x1000, 0x21, 0),
		      SEAM_MISSING_PAMT_PAGE_PAIR | SEAM_OP_RCX);
}

/* An address that no TDMR covers, or not yet: no PAMT entry to take or to look at. */
static void test_order__no_pamt_there(void **state)
{
	struct seam_hold h = {.id = SEAM_LOCK_PAMT, .obj = RT_BIT(63) | LARGE, .level = 1};
	struct seam_pair_view v;
	u16 word;

	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_NOPAMT);
	assert_false(seam_lock_word(m.s, &h, &word));
	assert_false(seam_look_pair(m.s, h.obj, &v));
	h.obj = LARGE;
	assert_true(seam_lock_word(m.s, &h, &word));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_order__mr_extend),
		T(test_order__addcx),
		T(test_order__td_params),
		T(test_order__td_params_of_1501),
		T(test_order__field_ids),
		T(test_order__old_promote),
		T(test_order__exits_of_a_dead_td),
		T(test_order__timer_outlives_exits),
		T(test_order__missing_pair_is_locked),
		T(test_order__no_pamt_there),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
