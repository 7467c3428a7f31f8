// SPDX-License-Identifier: GPL-2.0-only
/*
 * What surrounds a call: the dispatcher, injected faults, interrupts as polls see them, names and
 * traces; and the corners of S-EPT leaves that no recording has: PROMOTE's comparison of all
 * children, switches of releases after 1.5.25, non-blocking resize.
 */
#include "tests/tdx/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rt/fault.h"
#include "sim/rt/sched.h"
#include "sim/rt/trace.h"
#include "tdx/features.h"
#include "tdx/internal.h"

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

	if (seam_look_vcpu(m.s, m.vcpu[0], &v) && v.in_guest)
		seam_guest_interrupt(m.s, 0, 0x30, &m.r);
	machine_free(&m);
	return 0;
}

static void restart_as(const char *profile)
{
	const struct seam_config cfg = {.profile = profile};

	teardown(NULL);
	machine_init_cfg(&m, &cfg);
	td_build(&m, 0, 2);
}

static void arm(const char *site, u64 key, u64 nth, u64 value)
{
	struct rt_fault f = {
		.key = key, .actor = RT_NOBODY, .nth = nth, .count = 1, .value = value};

	assert_true(strlen(site) < sizeof(f.site));
	memcpy(f.site, site, strlen(site));
	rt_fault_arm(&f);
}

static void test_calls__dispatcher(void **state)
{
	static const u64 versioned[] = {SEAM_TDH_MEM_SEPT_ADD, SEAM_TDH_MEM_SEPT_REMOVE,
					SEAM_TDH_MEM_PAGE_PROMOTE};
	const u64 tdr = m.tdr;
	const struct {
		u64 rax, answer;
	} rows[] = {
		{SEAM_TDH_MEM_TRACK | RT_BIT(24), SEAM_OPERAND_INVALID},
		{SEAM_TDH_MEM_TRACK | RT_BIT(63), SEAM_OPERAND_INVALID},
		{SEAM_RAX(SEAM_TDH_MEM_TRACK, 1), SEAM_OPERAND_INVALID},
		{SEAM_RAX(SEAM_TDH_MEM_PAGE_DEMOTE, 1), SEAM_OPERAND_INVALID},
		{SEAM_RAX(0x7fff, 0), SEAM_OPERAND_INVALID},
		{SEAM_TDH_EXPORT_MEM, SEAM_OPERAND_INVALID}, /* no migration here */
		{SEAM_TDH_SERVTD_BIND, SEAM_OPERAND_INVALID},
		{SEAM_TDH_PHYMEM_PAMT_ADD, SEAM_OPERAND_INVALID}, /* not enabled */
		{SEAM_TDH_PHYMEM_PAMT_REMOVE, SEAM_OPERAND_INVALID},
		{SEAM_TDH_MNG_KEY_RECLAIMID, SEAM_SUCCESS},
		{SEAM_TDH_MEM_TRACK, SEAM_SUCCESS},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		expect_status(call4(&m, 0, rows[i].rax, tdr, 2, 8, 0), rows[i].answer);
		assert_int_equal(m.r.rcx, tdr);
		assert_int_equal(m.r.rdx, 2);
	}
	/* A leaf that has versions refuses the others itself, after RCX and RDX went. */
	for (size_t i = 0; i < RT_ARRAY_SIZE(versioned); i++) {
		expect_status(call4(&m, 0, SEAM_RAX(versioned[i], 2), tdr, 2, 8, 0),
			      SEAM_OPERAND_INVALID);
		assert_int_equal(m.r.rcx, 0);
		assert_int_equal(m.r.rdx, 0);
	}
	call_ok(&m, 0, SYS_LP_SHUTDOWN, 0, 0, 0);
	expect_status(call(&m, 1, MEM_TRACK, m.tdr, 0, 0), SEAM_SYS_SHUTDOWN);
	expect_status(call(&m, 1, SYS_INFO, 0, 0, 0), SEAM_SYS_SHUTDOWN);
	call_ok(&m, 1, SYS_LP_SHUTDOWN, 0, 0, 0);
}

/* A fault takes the leaf's place: nothing is done, and the next call is as if it had not been. */
static void test_calls__injected_faults(void **state)
{
	const u64 error = SEAM_EPT_WALK_FAILED | 1;

	arm("busy", SEAM_TDH_MEM_TRACK, 1, 0);
	expect_status(call(&m, 0, MEM_TRACK, m.tdr, 0, 0), SEAM_OPERAND_BUSY | SEAM_OP_TD_EPOCH);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	arm("busy", SEAM_TDH_VP_ENTER, 1, 0);
	expect_status(call(&m, 0, VP_ENTER, m.vcpu[0], 0, 0), SEAM_OPERAND_BUSY | SEAM_OP_TD_EPOCH);
	arm("busy", SEAM_TDH_MEM_RANGE_BLOCK, 2, 0);
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	expect_status(call(&m, 0, MEM_RANGE_BLOCK, GPA_2M | 2, m.tdr, 0),
		      SEAM_OPERAND_BUSY | SEAM_OP_SEPT_TREE);
	assert_int_equal(sept_state(&m, GPA_2M, 2), SEAM_SEPT_NL_MAPPED);
	arm("busy", SEAM_TDH_VP_FLUSH, 1, 0);
	expect_status(call(&m, 0, VP_FLUSH, m.vcpu[0], 0, 0), SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	arm("error", SEAM_TDH_MEM_SEPT_RD, 1, error);
	expect_status(call(&m, 0, MEM_SEPT_RD, GPA_2M | 1, m.tdr, 0), error);
	assert_int_equal(m.r.rcx, 0);

	enter(&m, 0, 0);
	arm("busy", 0x10000 | SEAM_TDG_VP_INFO, 1, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_VP_INFO, 0), SEAM_DONE);
	expect_status(m.r.rax, SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	arm("error", 0x10000 | SEAM_TDG_VP_INFO, 1, error);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_VP_INFO, 0), SEAM_DONE);
	expect_status(m.r.rax, error);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_VP_INFO, 0), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
}

static void blocked_2m(void)
{
	call_ok(&m, 0, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, machine_large(&m));
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
}

/*
 *             IF on                 IF off
 *  INTR       RESTARTABLE           goes on
 *  NMI, SMI   RESTARTABLE           RESTARTABLE
 */
static void test_calls__pending_events(void **state)
{
	static const struct {
		u32 events;
		bool if_on, stops;
	} rows[] = {
		{SEAM_IRQ_INTR, true, true},   {SEAM_IRQ_NMI, true, true},
		{SEAM_IRQ_SMI, true, true},    {SEAM_IRQ_NMI, false, true},
		{SEAM_IRQ_SMI, false, true},   {SEAM_IRQ_INTR | SEAM_IRQ_SMI, false, true},
		{SEAM_IRQ_INTR, false, false},
	};
	u64 table = machine_page(&m);

	blocked_2m();
	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		u64 st;

		seam_set_if(m.s, 2, rows[i].if_on);
		seam_irq_raise(m.s, 2, rows[i].events);
		st = call(&m, 2, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, table);
		expect_status(st, rows[i].stops ? SEAM_INTERRUPTED_RESTARTABLE : SEAM_SUCCESS);
		assert_int_equal(m.r.rcx, rows[i].stops ? GPA_2M | 1 : 0);
		assert_int_equal(m.r.rdx, rows[i].stops ? m.tdr : 0);
		/* What a poll saw stays pending; clearing one kind leaves the others. */
		assert_int_equal(seam_irq_pending(m.s, 2), rows[i].events);
		seam_irq_clear(m.s, 2, SEAM_IRQ_INTR);
		assert_int_equal(seam_irq_pending(m.s, 2), rows[i].events & ~SEAM_IRQ_INTR);
		seam_irq_clear(m.s, 2, rows[i].events);
	}
}

/* 1.5.28: a TD without L2 VMs is split whatever is pending. PROMOTE still stops. */
static void test_calls__enhanced_demote(void **state)
{
	restart_as("1.5.28");
	blocked_2m();
	seam_irq_raise(m.s, 0, SEAM_IRQ_NMI);
	call_ok(&m, 0, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, machine_page(&m));
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	expect_status(call(&m, 0, MEM_PAGE_PROMOTE, GPA_2M | 1, m.tdr, 0),
		      SEAM_INTERRUPTED_RESTARTABLE);
	seam_irq_clear(m.s, 0, SEAM_IRQ_NMI);
	call_ok(&m, 0, MEM_PAGE_PROMOTE, GPA_2M | 1, m.tdr, 0);
}

/* An exit for what is pending: INTR before NMI before SMI. */
static void test_calls__accept_exits_for_the_event(void **state)
{
	static const struct {
		u32 events;
		u64 rax, r9;
	} rows[] = {
		{SEAM_IRQ_SMI, 6, 0},
		{SEAM_IRQ_SMI | SEAM_IRQ_NMI, 0, 0x80000202},
		{SEAM_IRQ_SMI | SEAM_IRQ_NMI | SEAM_IRQ_INTR, 1, 0x80000030},
	};

	call_ok(&m, 3, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, machine_large(&m));
	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		enter(&m, 0, 0);
		seam_irq_raise(m.s, 0, rows[i].events);
		assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA_2M | 1),
				 SEAM_RESTART_EXIT);
		assert_int_equal(m.r.rax, rows[i].rax);
		assert_int_equal(m.r.r9, rows[i].r9);
		seam_irq_clear(m.s, 0, rows[i].events);
	}
}

/* NON_BLOCKING_RESIZE, an assumption: a mapped page is split while the guest uses it. */
static void test_calls__non_blocking_resize(void **state)
{
	const struct seam_config cfg = {.profile = "1.5.28", .non_blocking_resize = true};
	struct seam_access a;

	teardown(state);
	machine_init_cfg(&m, &cfg);
	td_build(&m, 0, 2);
	call_ok(&m, 3, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, machine_large(&m));
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA_2M | 1), SEAM_DONE);
	assert_int_equal(guest_read(&m, 0, GPA_2M, 0, &a), SEAM_DONE);
	call_ok(&m, 3, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, machine_page(&m));
	/* The large translation is still in the TLB, and still right. */
	assert_int_equal(guest_read(&m, 0, GPA_2M + 0x7000, 0, &a), SEAM_DONE);
	assert_int_equal(a.level, 1);
	assert_false(a.stale);
	/* Every other leaf asks for blocking as before. */
	expect_status(call(&m, 3, MEM_PAGE_REMOVE, GPA_2M, m.tdr, 0),
		      SEAM_GPA_RANGE_NOT_BLOCKED | SEAM_OP_RCX);
}

static struct seam_td_view look_td(void)
{
	struct seam_td_view v;

	assert_true(seam_look_td(m.s, m.tdr, &v));
	return v;
}

/* 1.5.34 counts blocked 4K units of a TD. */
static void test_calls__blocked_counters(void **state)
{
	char why[128];

	restart_as("1.5.34");
	blocked_2m();
	assert_int_equal(look_td().pending_blocked, 512);
	call_ok(&m, 0, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	leave(&m, 0);
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	assert_int_equal(look_td().blocked, 1);
	/* A blocked table is no blocked memory. */
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	assert_int_equal(look_td().blocked, 1);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 0, MEM_RANGE_UNBLOCK, GPA | 1, m.tdr, 0);
	call_ok(&m, 0, MEM_RANGE_UNBLOCK, GPA, m.tdr, 0);
	assert_int_equal(look_td().blocked, 0);
	call_ok(&m, 0, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, machine_page(&m));
	assert_int_equal(look_td().pending_blocked, 0);
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA_2M, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	assert_int_equal(look_td().pending_blocked, 1);
	assert_true(seam_check(m.s, why, sizeof(why)));
	seam_td_find(m.s, m.tdr)->pending_blocked_pages++;
	assert_false(seam_check(m.s, why, sizeof(why)));
	seam_td_find(m.s, m.tdr)->pending_blocked_pages--;
	call_ok(&m, 0, MEM_PAGE_REMOVE, GPA_2M, m.tdr, 0);
	assert_int_equal(look_td().pending_blocked, 0);
}

/* GPA's 4K table full of pages from @hpa on, but for page @odd; blocked and tracked. */
static void map_4k_from(u64 hpa, u32 odd, u64 odd_hpa)
{
	for (u32 i = 0; i < 512; i++)
		call_ok(&m, 0, MEM_PAGE_AUG, GPA + i * 0x1000, m.tdr,
			i == odd ? odd_hpa : hpa + i * 0x1000);
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
}

/* Children that are locked are all alike, and no reason to merge them. */
static void test_calls__promote_all_children_locked(void **state)
{
	struct seam_hold h = {.id = SEAM_LOCK_SEPT, .guest = true};

	restart_as("1.5.25");
	h.obj = m.tdr;
	map_4k_from(LARGE, 512, 0);
	call_ok(&m, 0, MEM_RANGE_UNBLOCK, GPA | 1, m.tdr, 0);
	for (u32 i = 0; i < 512; i++) {
		h.gpa = GPA + i * 0x1000;
		assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	}
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	expect_status(call(&m, 0, MEM_PAGE_PROMOTE, GPA | 1, m.tdr, 0),
		      SEAM_EPT_INVALID_PROMOTE_CONDITIONS | SEAM_OP_RCX);
	call_ok(&m, 0, MEM_RANGE_UNBLOCK, GPA | 1, m.tdr, 0);
	for (u32 i = 0; i < 512; i++) {
		h.gpa = GPA + i * 0x1000;
		assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	}
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 0, MEM_PAGE_PROMOTE, GPA | 1, m.tdr, 0);
}

static void test_calls__promote_compares_all(void **state)
{
	static const char *const profiles[] = {"1.5.16", "1.5.25"};
	static const u32 odds[] = {0, 1, 256, 511};

	for (size_t p = 0; p < RT_ARRAY_SIZE(profiles); p++) {
		for (size_t i = 0; i < RT_ARRAY_SIZE(odds); i++) {
			restart_as(profiles[p]);
			map_4k_from(LARGE, odds[i], LARGE + SEAM_LEVEL_SIZE(1));
			expect_status(call(&m, 0, MEM_PAGE_PROMOTE, GPA | 1, m.tdr, 0),
				      SEAM_EPT_INVALID_PROMOTE_CONDITIONS | SEAM_OP_RCX);
			assert_int_equal(m.r.rdx, 1 | SEAM_SEPT_NL_BLOCKED << 8);
		}
		/* In a row, but not where a large page begins. */
		restart_as(profiles[p]);
		map_4k_from(LARGE + 0x1000, 512, 0);
		expect_status(call(&m, 0, MEM_PAGE_PROMOTE, GPA | 1, m.tdr, 0),
			      SEAM_EPT_INVALID_PROMOTE_CONDITIONS | SEAM_OP_RCX);
		restart_as(profiles[p]);
		map_4k_from(LARGE, 512, 0);
		call_ok(&m, 0, MEM_PAGE_PROMOTE, GPA | 1, m.tdr, 0);
		assert_int_equal(sept_state(&m, GPA, 1), SEAM_SEPT_PENDING);
	}
}

/* A child that is locked, the first or another: BUSY by the old rules, not alike by the new ones. */
static void test_calls__promote_over_a_locked_child(void **state)
{
	static const struct {
		const char *profile;
		u64 answer;
	} rows[] = {
		{"1.5.16", SEAM_OPERAND_BUSY | SEAM_OP_RCX},
		{"1.5.25", SEAM_EPT_INVALID_PROMOTE_CONDITIONS | SEAM_OP_RCX},
	};

	for (size_t p = 0; p < RT_ARRAY_SIZE(rows); p++) {
		for (u32 child = 0; child < 512; child += 511) {
			struct seam_hold h = {.id = SEAM_LOCK_SEPT, .gpa = GPA + child * 0x1000};

			restart_as(rows[p].profile);
			map_4k_from(LARGE, 512, 0);
			call_ok(&m, 0, MEM_RANGE_UNBLOCK, GPA | 1, m.tdr, 0);
			h.obj = m.tdr;
			assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
			call_ok(&m, 0, MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
			call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
			expect_status(call(&m, 0, MEM_PAGE_PROMOTE, GPA | 1, m.tdr, 0),
				      rows[p].answer);
			call_ok(&m, 0, MEM_RANGE_UNBLOCK, GPA | 1, m.tdr, 0);
			assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
			/* Only the locked one was asked for, and only by the old rules. */
			assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
			assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
		}
	}
}

/* A page in somebody's hands, only to be read, is not removed, relocated or merged away. */
static void test_calls__page_lock_is_exclusive(void **state)
{
	struct seam_hold h = {.id = SEAM_LOCK_PAMT, .shared = true};

	h.obj = machine_page(&m);
	call_ok(&m, 0, MEM_PAGE_AUG, GPA, m.tdr, h.obj);
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	expect_status(call(&m, 0, MEM_PAGE_REMOVE, GPA, m.tdr, 0), SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	expect_status(call(&m, 0, MEM_PAGE_RELOCATE, GPA, m.tdr, machine_page(&m)),
		      SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	assert_int_equal(m.r.rcx, 0); /* no entry: it is not the entry that is busy */
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	call_ok(&m, 0, MEM_PAGE_REMOVE, GPA, m.tdr, 0);
}

static void test_calls__memory_of_a_debug_td(void **state)
{
	const struct seam_hold h = {.id = SEAM_LOCK_SEPT, .obj = 0, .gpa = GPA};
	struct seam_hold entry = h;
	u64 old = 0x1111;

	expect_status(call(&m, 0, MEM_RD, GPA, m.tdr, 0), SEAM_TD_NON_DEBUG);
	teardown(state);
	machine_init(&m, "1.5.25");
	td_build(&m, 1, 1);
	entry.obj = m.tdr;
	call_ok(&m, 0, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	/* A pending leaf is not present, so the walk has not got anywhere. */
	expect_status(call(&m, 0, MEM_RD, GPA, m.tdr, 0), SEAM_EPT_ENTRY_NOT_PRESENT | SEAM_OP_RCX);
	assert_int_equal(m.r.rdx, SEAM_SEPT_PENDING << 8);
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	leave(&m, 0);
	call_ok(&m, 0, MEM_WR, GPA + 8, m.tdr, old);
	assert_int_equal(m.r.r8, 0);
	call_ok(&m, 0, MEM_RD, GPA + 8, m.tdr, 7);
	assert_int_equal(m.r.r8, old);
	expect_status(call(&m, 0, MEM_RD, GPA + 4, m.tdr, 0), SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(call(&m, 0, MEM_RD, RT_BIT(47), m.tdr, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(call(&m, 0, MEM_RD, GPA_2M, m.tdr, 0),
		      SEAM_EPT_ENTRY_NOT_PRESENT | SEAM_OP_RCX);
	assert_int_equal(seam_hold(m.s, &entry), SEAM_HOLD_OK);
	expect_status(call(&m, 0, MEM_RD, GPA, m.tdr, 0), SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	assert_int_equal(seam_drop(m.s, &entry), SEAM_HOLD_OK);
}

/* Numbers of pages that a TD and a VCPU may have. */
static void test_calls__control_pages(void **state)
{
	u64 tdvpr;

	teardown(state);
	machine_init(&m, "1.5.25");
	td_create(&m);
	for (u32 i = 0; i < 3; i++)
		call_ok(&m, 0, MNG_ADDCX, machine_page(&m), m.tdr, 0);
	expect_status(call(&m, 0, MNG_ADDCX, machine_page(&m), m.tdr, 0), SEAM_TDCX_NUM_INCORRECT);
	params(0);
	call_ok(&m, 0, MNG_INIT, m.tdr, PARAMS, 0);
	tdvpr = machine_page(&m);
	call_ok(&m, 0, VP_CREATE, tdvpr, m.tdr, 0);
	expect_status(call(&m, 0, VP_RD, tdvpr, 0, 0), SEAM_TDCX_NUM_INCORRECT);
	for (u32 i = 0; i < 14; i++)
		call_ok(&m, 0, VP_ADDCX, machine_page(&m), tdvpr, 0);
	expect_status(call(&m, 0, VP_ADDCX, machine_page(&m), tdvpr, 0), SEAM_TDCX_NUM_INCORRECT);
	/* A sixth VCPU page short of entering, in a TD that others made RUNNABLE. */
	call_ok(&m, 0, VP_INIT, tdvpr, 0, 0);
	tdvpr = machine_page(&m);
	call_ok(&m, 0, VP_CREATE, tdvpr, m.tdr, 0);
	call_ok(&m, 0, MR_FINALIZE, m.tdr, 0, 0);
	expect_status(call(&m, 0, VP_ENTER, tdvpr, 0, 0), SEAM_TDCX_NUM_INCORRECT);
	expect_status(call(&m, 0, VP_ADDCX, machine_page(&m), tdvpr, 0),
		      SEAM_OP_STATE_INCORRECT | 2);
}

/* 1.5.05 counts a VCPU whose x2APIC id it refused; later releases do not. */
static void test_calls__x2apic_clash(void **state)
{
	static const struct {
		const char *profile;
		u32 vcpus;
	} rows[] = {{"1.5.05", 2}, {"1.5.16", 1}};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		struct seam_td_view v;
		u64 a, b;

		teardown(state);
		machine_init(&m, rows[i].profile);
		td_create(&m);
		params(0);
		call_ok(&m, 0, MNG_INIT, m.tdr, PARAMS, 0);
		a = vcpu_create(&m, 0);
		b = vcpu_create(&m, 0);
		expect_status(call(&m, 0, VP_INIT | 1 << 16, a, 0, 7), SEAM_SUCCESS);
		expect_status(call(&m, 0, VP_INIT | 1 << 16, b, 0, 7),
			      SEAM_X2APIC_ID_NOT_UNIQUE | 7);
		assert_true(seam_look_td(m.s, m.tdr, &v));
		assert_int_equal(v.vcpus, rows[i].vcpus);
	}
}

static void test_calls__shared_flush_spares_private(void **state)
{
	struct seam_access a;

	enter(&m, 0, 0);
	for (u32 i = 0; i < 3; i++) {
		call_ok(&m, 3, MEM_PAGE_AUG, GPA + i * 0x1000, m.tdr, machine_page(&m));
		assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA + i * 0x1000),
				 SEAM_DONE);
		assert_int_equal(guest_read(&m, 0, GPA + i * 0x1000, 0, &a), SEAM_DONE);
		call_ok(&m, 3, MEM_RANGE_BLOCK, GPA + i * 0x1000, m.tdr, 0);
	}
	seam_shared_flush(m.s, m.tdr, GPA, 0x1000);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	assert_true(a.stale);
	leave(&m, 0);
	/* INVEPT takes all of them. */
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	for (u32 i = 0; i < 3; i++) {
		enter(&m, 0, 0);
		assert_int_equal(guest_read(&m, 0, GPA + i * 0x1000, 0, &a), SEAM_EXIT);
	}
}

static void test_calls__zero_step_lists_each_gpa_once(void **state)
{
	struct seam_access a;

	for (u32 i = 0; i < 9; i++) {
		enter(&m, 0, 0);
		assert_int_equal(guest_read(&m, 0, GPA + (i > 6 ? 0x1000 : 0),
					    i ? SEAM_SAME_RIP : 0, &a),
				 SEAM_EXIT);
		if (i < 6)
			continue;
		/* Refused until the listed page is there; a PENDING one gives #VE, no exit. */
		expect_status(call(&m, 0, VP_ENTER, m.vcpu[0], 0, 0), 48);
		assert_int_equal(m.r.r8, GPA + (i > 6 ? 0x1000 : 0));
		if (i < 8)
			call_ok(&m, 3, MEM_PAGE_AUG, m.r.r8, m.tdr, machine_page(&m));
		if (i == 7) {
			call_ok(&m, 3, MEM_RANGE_BLOCK, GPA + 0x1000, m.tdr, 0);
			call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
			call_ok(&m, 3, MEM_PAGE_REMOVE, GPA + 0x1000, m.tdr, 0);
			break;
		}
	}
	expect_status(call(&m, 0, VP_ENTER, m.vcpu[0], 0, 0), 48);
	assert_int_equal(m.r.r8, GPA + 0x1000);
}

static void test_calls__names(void **state)
{
	u32 leaf;
	u64 st;

	assert_string_equal(seam_leaf_name(SEAM_TDH_MEM_PAGE_DEMOTE), "TDH.MEM.PAGE.DEMOTE");
	assert_string_equal(seam_leaf_name(SEAM_TDH_IMPORT_MEM), "TDH.IMPORT.MEM");
	assert_null(seam_leaf_name(42));
	assert_string_equal(seam_tdg_leaf_name(SEAM_TDG_MEM_PAGE_ACCEPT), "TDG.MEM.PAGE.ACCEPT");
	assert_null(seam_tdg_leaf_name(99));
	assert_true(seam_leaf_by_name("TDH.MEM.TRACK", &leaf));
	assert_int_equal(leaf, SEAM_TDH_MEM_TRACK);
	assert_false(seam_leaf_by_name("TDG.MEM.PAGE.ACCEPT", &leaf));
	assert_true(seam_tdg_leaf_by_name("TDG.MEM.PAGE.ACCEPT", &leaf));
	assert_int_equal(leaf, SEAM_TDG_MEM_PAGE_ACCEPT);
	assert_false(seam_tdg_leaf_by_name("TDH.MEM.TRACK", &leaf));
	assert_string_equal(seam_status_name(SEAM_OPERAND_BUSY | 146), "TDX_OPERAND_BUSY");
	assert_null(seam_status_name(0x1234ULL << 32));
	assert_true(seam_status_by_name("OPERAND_BUSY", &st) && st == SEAM_OPERAND_BUSY);
	assert_true(seam_status_by_name("TDX_TD_FATAL", &st) && st == SEAM_TD_FATAL);
	assert_false(seam_status_by_name("TDX_", &st));
	assert_string_equal(seam_operand_name(SEAM_OP_SEPT_TREE), "SEPT_TREE");
	assert_null(seam_operand_name(4));
	assert_string_equal(seam_switch_name(SEAM_SW_tree_hp), "tree_hp");
	assert_int_equal(seam_switch_value(seam_features(m.s), SEAM_SW_poll_hp), 1);
	for (u32 i = 0; seam_profile_name(i); i++) {
		bool late = strcmp(seam_profile_name(i), "1.5.25") > 0;

		assert_int_equal(seam_profile_evidence(i) == SEAM_EVID_READ, late);
	}
}

/* What happened, as text: leaves, statuses with their operands, states and page types by name. */
static void test_calls__trace(void **state)
{
	static const char *const words[] = {
		"TDH.MEM.PAGE.AUG",
		"TDX_SUCCESS",
		"TDX_OPERAND_INVALID|RCX",
		"pending",
		"nda",
		"reg",
		"TDG.MEM.PAGE.ACCEPT",
		"td_enter",
		"TDX_GPA_RANGE_NOT_BLOCKED|0x1",
		"td_exit",
		"nl_mapped",
		"ept",
		"epoch",
		"tdr",
		"tdcx",
		"tdvpr",
		"op_state",
		"TDX_OPERAND_INVALID|0x63",
	};
	struct rt_trace *t = rt_trace_new(0);
	size_t len = 0;
	char *text = NULL;
	FILE *f;

	teardown(state);
	machine_init(&m, "1.5.25");
	rt_trace_attach(m.w, t);
	td_build(&m, 0, 2);
	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	call(&m, 3, MEM_PAGE_AUG, GPA | 8, m.tdr, 0);
	call(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0);
	call_ok(&m, 3, MEM_SEPT_ADD, GPA_2M | 1, m.tdr, machine_page(&m));
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	leave(&m, 0);
	arm("error", SEAM_TDH_MEM_TRACK, 1, SEAM_OPERAND_INVALID | 99);
	call(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	rt_trace_attach(m.w, NULL);

	f = open_memstream(&text, &len);
	assert_non_null(f);
	assert_int_equal(rt_trace_write_text(t, f, NULL), 0);
	fclose(f);
	for (size_t i = 0; i < RT_ARRAY_SIZE(words); i++) {
		if (!strstr(text, words[i]))
			fail_msg("no \"%s\" in:\n%s", words[i], text);
	}
	free(text);
	rt_trace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_calls__dispatcher),
		T(test_calls__injected_faults),
		T(test_calls__pending_events),
		T(test_calls__enhanced_demote),
		T(test_calls__accept_exits_for_the_event),
		T(test_calls__non_blocking_resize),
		T(test_calls__blocked_counters),
		T(test_calls__promote_compares_all),
		T(test_calls__promote_all_children_locked),
		T(test_calls__promote_over_a_locked_child),
		T(test_calls__page_lock_is_exclusive),
		T(test_calls__memory_of_a_debug_td),
		T(test_calls__control_pages),
		T(test_calls__x2apic_clash),
		T(test_calls__shared_flush_spares_private),
		T(test_calls__zero_step_lists_each_gpa_once),
		T(test_calls__names),
		T(test_calls__trace),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
