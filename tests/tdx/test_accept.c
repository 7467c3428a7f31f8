// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.MEM.PAGE.ACCEPT: the size table of tdx-module.md 7.2, interruption and progress at 2M, and
 * host priority. Recordings have these answers too; here they stand in one table, and what a
 * recording can't do is tried.
 */
#include "tests/tdx/machine.h"

#include "sim/rt/fault.h"
#include "sim/rt/phys.h"
#include "sim/rt/sched.h"

static struct machine m;

static int setup(void **state)
{
	machine_init(&m, "1.5.25");
	td_build(&m, 0, 2);
	return 0;
}

static int teardown(void **state)
{
	machine_free(&m);
	return 0;
}

enum prepare {
	NOTHING,
	AUG_4K,
	AUG_2M,
	ACCEPTED_4K,
	ACCEPTED_2M,
	BLOCKED_4K,
	BLOCKED_2M,
	BLOCKED_TABLE,
	GONE_TABLE, /* no 4K table: the hole is above */
};

static void block(u64 gpa, u32 level)
{
	call_ok(&m, 3, MEM_RANGE_BLOCK, gpa | level, m.tdr, 0);
}

static void aug(u64 gpa, u32 level)
{
	u64 hpa = level ? machine_large(&m) : machine_page(&m);

	call_ok(&m, 3, MEM_PAGE_AUG, gpa | level, m.tdr, hpa);
}

static void accept_ok(u64 gpa, u32 level)
{
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, gpa | level), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
}

static void prepare(enum prepare p)
{
	switch (p) {
	case NOTHING:
	case GONE_TABLE:
		break;
	case AUG_4K:
	case BLOCKED_4K:
		aug(GPA, 0);
		break;
	case AUG_2M:
	case BLOCKED_2M:
		aug(GPA_2M, 1);
		break;
	case ACCEPTED_4K:
		aug(GPA, 0);
		accept_ok(GPA, 0);
		break;
	case ACCEPTED_2M:
		aug(GPA_2M, 1);
		accept_ok(GPA_2M, 1);
		break;
	case BLOCKED_TABLE:
		block(GPA, 1);
		break;
	}
	if (p == BLOCKED_4K)
		block(GPA, 0);
	if (p == BLOCKED_2M)
		block(GPA_2M, 1);
}

/* Type ACCEPT, requested level, level of failure, state, leaf (7.3). */
#define EXT(req, level, state, leaf) \
	(1 | (u64)(req) << 32 | (u64)(level) << 35 | (u64)(state) << 38 | (u64)(leaf) << 46)

static void test_accept__sizes(void **state)
{
	static const struct {
		const char *what;
		enum prepare p;
		u64 gpa;
		u32 level;
		bool exits;
		u64 answer; /* RAX, or RDX of the exit */
	} t[] = {
		{"4K on 4K PENDING", AUG_4K, GPA, 0, false, SEAM_SUCCESS},
		{"4K on 2M PENDING", AUG_2M, GPA_2M + 0x3000, 0, true,
		 EXT(0, 1, SEAM_SEPT_PENDING, 1)},
		{"4K on 2M MAPPED", ACCEPTED_2M, GPA_2M, 0, false, SEAM_PAGE_ALREADY_ACCEPTED | 1},
		{"4K on 4K MAPPED", ACCEPTED_4K, GPA, 0, false, SEAM_PAGE_ALREADY_ACCEPTED},
		{"4K on 2M PENDING_BLOCKED", BLOCKED_2M, GPA_2M, 0, true,
		 EXT(0, 1, SEAM_SEPT_PENDING_BLOCKED, 1)},
		{"4K on 4K PENDING_BLOCKED", BLOCKED_4K, GPA, 0, true,
		 EXT(0, 0, SEAM_SEPT_PENDING_BLOCKED, 1)},
		{"4K on 4K FREE", NOTHING, GPA, 0, true, EXT(0, 0, SEAM_SEPT_FREE, 0)},
		{"4K without a table", GONE_TABLE, GPA_2M, 0, true, EXT(0, 1, SEAM_SEPT_FREE, 0)},
		{"4K below a blocked table", BLOCKED_TABLE, GPA, 0, true,
		 EXT(0, 1, SEAM_SEPT_NL_BLOCKED, 0)},
		{"2M on 2M PENDING", AUG_2M, GPA_2M, 1, false, SEAM_SUCCESS},
		{"2M over a 4K table", NOTHING, GPA, 1, false, SEAM_PAGE_SIZE_MISMATCH | 1},
		{"2M over a blocked table", BLOCKED_TABLE, GPA, 1, false,
		 SEAM_PAGE_SIZE_MISMATCH | 1},
		{"2M on 2M FREE", NOTHING, GPA_2M, 1, true, EXT(1, 1, SEAM_SEPT_FREE, 0)},
		{"2M on 2M PENDING_BLOCKED", BLOCKED_2M, GPA_2M, 1, true,
		 EXT(1, 1, SEAM_SEPT_PENDING_BLOCKED, 1)},
		{"2M on 2M MAPPED", ACCEPTED_2M, GPA_2M, 1, false, SEAM_PAGE_ALREADY_ACCEPTED | 1},
		{"1G", NOTHING, GPA_2M, 2, false, SEAM_OPERAND_INVALID | SEAM_OP_RCX},
		{"unaligned 2M", NOTHING, GPA_2M + 0x1000, 1, false,
		 SEAM_OPERAND_INVALID | SEAM_OP_RCX},
		{"shared GPA", NOTHING, RT_BIT(47), 0, false, SEAM_OPERAND_INVALID | SEAM_OP_RCX},
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		enum seam_result res;

		setup(state);
		enter(&m, 0, 0);
		prepare(t[i].p);
		res = tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, t[i].gpa | t[i].level);
		if (res != (t[i].exits ? SEAM_EXIT : SEAM_DONE))
			fail_msg("%s: result %d, rax %llx", t[i].what, res, m.r.rax);
		if ((t[i].exits ? m.r.rdx : m.r.rax) != t[i].answer)
			fail_msg("%s: %llx %llx, wanted %llx", t[i].what, m.r.rax, m.r.rdx,
				 t[i].answer);
		if (t[i].exits) {
			assert_int_equal(m.r.rax, 48);
			assert_int_equal(m.r.rcx, 2);
			assert_int_equal(m.r.r8, t[i].gpa & ~0xfffULL);
		}
		if (t[i].exits)
			enter(&m, 0, 0);
		leave(&m, 0);
		teardown(state);
	}
	setup(state);
}

static void arm_interrupt(u64 nth, u32 kind)
{
	const struct rt_fault f = {
		.site = "interrupt",
		.key = 0x10000 | SEAM_TDG_MEM_PAGE_ACCEPT,
		.actor = RT_NOBODY,
		.nth = nth,
		.count = 1,
		.value = kind,
	};

	rt_fault_arm(&f);
}

/*
 * Pages 0..99 are zeroed, then an NMI: the rest follows when the guest executes the TDCALL again.
 */
static void test_accept__interrupted_2m_goes_on(void **state)
{
	struct seam_sept_view v;

	aug(GPA_2M, 1);
	enter(&m, 0, 0);
	arm_interrupt(100, SEAM_IRQ_NMI);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA_2M | 1), SEAM_RESTART_EXIT);
	expect_status(m.r.rax, 0);
	expect_status(m.r.r9, 0x80000202);
	assert_true(seam_look_sept(m.s, m.tdr, GPA_2M, 1, &v));
	assert_int_equal(v.state, SEAM_SEPT_PENDING);
	assert_int_equal((v.raw >> 12) & 0x1ff, 100);
	assert_false(v.locked);
	seam_irq_clear(m.s, 0, SEAM_IRQ_NMI);
	enter(&m, 0, 0);
	/* The guest's registers are those with which it executed the TDCALL. */
	assert_int_equal(m.r.rax, SEAM_TDG_MEM_PAGE_ACCEPT);
	assert_int_equal(m.r.rcx, GPA_2M | 1);
	arm_interrupt(412, SEAM_IRQ_INTR);
	accept_ok(GPA_2M, 1);
	leave(&m, 0);
	assert_int_equal(sept_state(&m, GPA_2M, 1), SEAM_SEPT_MAPPED);
	/* 511 - 100 polls were left, so the one armed at 412 was never reached. */
	assert_int_equal(seam_irq_pending(m.s, 0), 0);
}

static void test_accept__block_forgets_progress(void **state)
{
	struct seam_sept_view v;

	aug(GPA_2M, 1);
	enter(&m, 0, 0);
	arm_interrupt(7, SEAM_IRQ_INTR);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA_2M | 1), SEAM_RESTART_EXIT);
	seam_irq_clear(m.s, 0, SEAM_IRQ_INTR);
	block(GPA_2M, 1);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 3, MEM_RANGE_UNBLOCK, GPA_2M | 1, m.tdr, 0);
	assert_true(seam_look_sept(m.s, m.tdr, GPA_2M, 1, &v));
	assert_int_equal((v.raw >> 12) & 0x1ff, 0);
}

static void test_accept__zeroes(void **state)
{
	u64 hpa = machine_page(&m), word = ~0ULL;
	struct seam_access a;

	rt_phys_write(hpa, 0, 0x1122334455667788ULL);
	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, hpa);
	rt_phys_peek(hpa, &word, sizeof(word));
	assert_int_equal(word, 0x1122334455667788ULL);
	enter(&m, 0, 0);
	accept_ok(GPA, 0);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	assert_int_equal(a.data, 0);
	assert_false(a.integrity);
	leave(&m, 0);
}

/*
 * A host that failed once reserves the entry; the guest is refused until it succeeds, or a second
 * has passed (6.4).
 */
static void test_accept__host_priority_times_out(void **state)
{
	const struct seam_hold h = {.id = SEAM_LOCK_SEPT, .obj = m.tdr, .gpa = GPA};

	aug(GPA, 0);
	enter(&m, 0, 0);
	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	expect_status(m.r.rax, SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	assert_int_equal(call(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0),
			 SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);

	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	expect_status(m.r.rax, SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	/* Any other outcome resets the timer. */
	rt_cycles(3000000000ULL);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_VP_INFO, 0), SEAM_DONE);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	rt_cycles(3000000000ULL);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_EXIT);
	expect_status(m.r.rax, SEAM_HOST_PRIORITY_BUSY_TIMEOUT);
	enter(&m, 0, 0);
	/* Trap-like: the guest sees BUSY as the TDCALL's answer. */
	expect_status(m.r.rax, SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	/* One success of the host, a mere SEPT.RD, opens the entry again. */
	call_ok(&m, 3, MEM_SEPT_RD, GPA, m.tdr, 0);
	accept_ok(GPA, 0);
	leave(&m, 0);
}

static void test_accept__other_leaves(void **state)
{
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, 0x1ff, 0), SEAM_DONE);
	expect_status(m.r.rax, SEAM_OPERAND_INVALID | SEAM_OP_RAX);
	assert_int_equal(tdcall(&m, 0, SEAM_RAX(SEAM_TDG_MEM_PAGE_ACCEPT, 1), 0), SEAM_DONE);
	expect_status(m.r.rax, SEAM_OPERAND_INVALID | SEAM_OP_RAX);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_VP_INFO, 0), SEAM_DONE);
	assert_int_equal(m.r.rcx, 48);
	assert_int_equal(m.r.r8, 4ULL << 32 | 2);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_VP_VEINFO_GET, 0), SEAM_DONE);
	expect_status(m.r.rax, SEAM_NO_VALID_VE_INFO);
	leave(&m, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		cmocka_unit_test_teardown(test_accept__sizes, teardown),
		T(test_accept__interrupted_2m_goes_on),
		T(test_accept__block_forgets_progress),
		T(test_accept__zeroes),
		T(test_accept__host_priority_times_out),
		T(test_accept__other_leaves),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
