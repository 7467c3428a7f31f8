// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.VP.ENTER (tdx-module.md 5.10): the order of its checks, what stays locked while the guest
 * runs, registers across an exit, and the stepping defences of 7.4.
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

static u64 try_enter(u32 lp, u64 rcx)
{
	return call(&m, lp, VP_ENTER, rcx, 0, 0);
}

static void test_enter__operand(void **state)
{
	expect_status(try_enter(0, m.vcpu[0] | 1), SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(try_enter(0, m.vcpu[0] | RT_BIT(54)), SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(try_enter(0, 0x30000000), SEAM_OPERAND_ADDR_RANGE_ERROR | SEAM_OP_RCX);
	expect_status(try_enter(0, m.tdr), SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX);
	expect_status(try_enter(0, m.vcpu[0] | RT_BIT(53)), SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(try_enter(0, m.vcpu[0] | RT_BIT(52)), SEAM_OPERAND_INVALID | SEAM_OP_RCX);
}

/* Of several reasons to refuse, the earlier check answers. */
static void test_enter__order_of_states(void **state)
{
	const struct seam_hold ops = {.id = SEAM_LOCK_OPSTATE, .obj = m.tdr};

	/* Bad flag, wrong LP: the LP is looked at first. */
	expect_status(try_enter(3, m.vcpu[0] | RT_BIT(53)), SEAM_VCPU_ASSOCIATED);
	enter(&m, 0, 0);
	/* Running, wrong LP: the state is looked at before the LP. */
	expect_status(try_enter(3, m.vcpu[0]), SEAM_VCPU_STATE_INCORRECT | 4);
	/* Running, OP_STATE locked: the lock comes first. */
	assert_int_equal(seam_hold(m.s, &ops), SEAM_HOLD_OK);
	expect_status(try_enter(3, m.vcpu[0]), SEAM_OPERAND_BUSY | SEAM_OP_OP_STATE);
	assert_int_equal(seam_drop(m.s, &ops), SEAM_HOLD_OK);
	leave(&m, 0);
}

static void test_enter__epoch_lock(void **state)
{
	const struct seam_hold h = {.id = SEAM_LOCK_EPOCH, .obj = m.tdr};
	struct seam_td_view td;

	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	expect_status(try_enter(0, m.vcpu[0]), SEAM_OPERAND_BUSY | SEAM_OP_TD_EPOCH);
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	assert_true(seam_look_td(m.s, m.tdr, &td));
	assert_int_equal(td.refcount[1], 0);
	enter(&m, 0, 0);
	leave(&m, 0);
}

static void test_enter__keeps_locks(void **state)
{
	enter(&m, 0, 0);
	expect_status(call(&m, 3, MNG_VPFLUSHDONE, m.tdr, 0, 0), SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	expect_status(call(&m, 3, MNG_ADDCX, machine_page(&m), m.tdr, 0),
		      SEAM_OPERAND_BUSY | SEAM_OP_RDX);
	expect_status(call(&m, 0 + 3, VP_FLUSH, m.vcpu[0], 0, 0), SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	/* The 2M around the TDVPR is held shared: nobody can take it as a large page. */
	expect_status(call(&m, 3, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, TDMR_BASE),
		      SEAM_OPERAND_BUSY | SEAM_OP_R8);
	/* What wants the TDR shared is not disturbed. */
	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	leave(&m, 0);
	call_ok(&m, 0, VP_FLUSH, m.vcpu[0], 0, 0);
}

static void test_enter__association_moves_by_flush(void **state)
{
	struct seam_td_view td;

	expect_status(try_enter(1, m.vcpu[0]), SEAM_VCPU_ASSOCIATED);
	expect_status(call(&m, 1, VP_FLUSH, m.vcpu[0], 0, 0), SEAM_VCPU_NOT_ASSOCIATED);
	call_ok(&m, 0, VP_FLUSH, m.vcpu[0], 0, 0);
	assert_true(seam_look_td(m.s, m.tdr, &td));
	assert_int_equal(td.assoc, 2);
	enter(&m, 1, 0);
	leave(&m, 1);
	assert_true(seam_look_td(m.s, m.tdr, &td));
	assert_int_equal(td.assoc, 3);
}

static void test_enter__vmcall_registers(void **state)
{
	enter(&m, 0, 0);
	m.r = (struct seam_regs){
		.rax = SEAM_TDG_VP_VMCALL,
		.rcx = RT_BIT(10) | RT_BIT(11) | RT_BIT(12),
		.r10 = 1,
		.r11 = 0x10001,
		.r12 = GPA,
		.r13 = 0x99,
	};
	assert_int_equal(seam_tdcall(m.s, 0, &m.r, 0, &m.fault), SEAM_EXIT);
	assert_int_equal(m.r.rax, 77);
	assert_int_equal(m.r.r12, GPA);
	assert_int_equal(m.r.r13, 0); /* not in the mask */
	m.r = (struct seam_regs){
		.rax = SEAM_TDH_VP_ENTER, .rcx = m.vcpu[0], .r10 = 7, .r11 = 8, .r13 = 9};
	assert_int_equal(seam_call(m.s, 0, &m.r), SEAM_ENTERED);
	assert_int_equal(m.r.rax, 0);
	assert_int_equal(m.r.r10, 7);
	assert_int_equal(m.r.r11, 8);
	assert_int_equal(m.r.r13, 0x99);
	/* An interrupt gives the host none of it, and the host's registers don't get in. */
	seam_guest_interrupt(m.s, 0, 0x51, &m.r);
	assert_int_equal(m.r.rax, 1);
	assert_int_equal(m.r.r9, 0x80000051);
	assert_int_equal(m.r.r10, 0);
	m.r = (struct seam_regs){.rax = SEAM_TDH_VP_ENTER, .rcx = m.vcpu[0], .r10 = 55};
	assert_int_equal(seam_call(m.s, 0, &m.r), SEAM_ENTERED);
	assert_int_equal(m.r.r10, 7);
	leave(&m, 0);
}

static void test_enter__vmcall_mask(void **state)
{
	static const u64 bad[] = {RT_BIT(0), RT_BIT(1), RT_BIT(4), RT_BIT(32), RT_BIT(63)};
	size_t i;

	enter(&m, 0, 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(tdcall(&m, 0, SEAM_TDG_VP_VMCALL, bad[i]), SEAM_DONE);
		expect_status(m.r.rax, SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	}
	leave(&m, 0);
}

/* Fault at one RIP @n times; the last one leaves the VCPU in the host. */
static void fault_at_one_rip(u64 gpa, u32 n)
{
	struct seam_access a;
	u32 i;

	for (i = 0; i < n; i++) {
		enter(&m, 0, 0);
		assert_int_equal(guest_read(&m, 0, gpa, i ? SEAM_SAME_RIP : 0, &a), SEAM_EXIT);
		expect_status(m.r.rax, 48);
	}
}

static void test_enter__zero_step_refuses_after_seven(void **state)
{
	fault_at_one_rip(GPA, 6);
	enter(&m, 0, 0);
	leave(&m, 0);
	fault_at_one_rip(GPA, 7);
	expect_status(try_enter(0, m.vcpu[0]), 48);
	assert_int_equal(m.r.rcx, 2);
	assert_int_equal(m.r.r8, GPA);
	/* PENDING gives a #VE in this TD, and that is no host fault from 1.5.20 on. */
	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	leave(&m, 0);
}

static void test_enter__zero_step_takes_the_tree(void **state)
{
	struct seam_hold h = {.id = SEAM_LOCK_SEPTTREE, .obj = m.tdr};
	struct seam_td_view td;

	fault_at_one_rip(GPA, 7);
	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	expect_status(try_enter(0, m.vcpu[0]), SEAM_OPERAND_BUSY | SEAM_OP_SEPT_TREE);
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	assert_true(seam_look_td(m.s, m.tdr, &td));
	assert_int_equal(td.refcount[1], 0);
	/* Shared from 1.5.20 on. */
	h.shared = true;
	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	enter(&m, 0, 0);
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	leave(&m, 0);
}

static void test_enter__zero_step_old_rule(void **state)
{
	teardown(state);
	machine_init(&m, "1.5.16");
	td_build(&m, 0, 1);
	fault_at_one_rip(GPA, 7);
	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	expect_status(try_enter(0, m.vcpu[0]), 48);
}

/* The guest asks to be told (NOTIFY_ENABLES): a #VE comes before its next instruction. */
static void test_enter__zero_step_notifies(void **state)
{
	struct seam_access a;

	enter(&m, 0, 0);
	m.r = (struct seam_regs){
		.rax = SEAM_TDG_VM_WR, .rdx = 0x9100000000000010ULL, .r8 = 1, .r9 = ~0ULL};
	assert_int_equal(seam_tdcall(m.s, 0, &m.r, 0, &m.fault), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
	leave(&m, 0);
	fault_at_one_rip(GPA, 7);
	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA, SEAM_SAME_RIP, &a), SEAM_VE);
	assert_int_equal(m.fault.gpa, 0);
	assert_int_equal(guest_read(&m, 0, GPA, SEAM_SAME_RIP, &a), SEAM_VE);
	assert_int_equal(m.fault.gpa, GPA);
	leave(&m, 0);
}

/*
 * An interrupt right after entry is suspicious: some instructions run first, which only time shows.
 */
static void test_enter__single_step(void **state)
{
	struct seam_access a;
	u64 before, after;
	u32 i;

	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	for (i = 0; i < 3; i++)
		assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	before = rt_cycles_now();
	seam_guest_interrupt(m.s, 0, 0x30, &m.r);
	after = rt_cycles_now() - before;
	enter(&m, 0, 0);
	before = rt_cycles_now();
	seam_guest_interrupt(m.s, 0, 0x30, &m.r);
	assert_true(rt_cycles_now() - before > after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_enter__operand),
		T(test_enter__order_of_states),
		T(test_enter__epoch_lock),
		T(test_enter__keeps_locks),
		T(test_enter__association_moves_by_flush),
		T(test_enter__vmcall_registers),
		T(test_enter__vmcall_mask),
		T(test_enter__zero_step_refuses_after_seven),
		T(test_enter__zero_step_takes_the_tree),
		T(test_enter__zero_step_old_rule),
		T(test_enter__zero_step_notifies),
		T(test_enter__single_step),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
