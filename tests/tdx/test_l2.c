// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD with one L2 VM, as far as the S-EPT goes (tdx-module.md 4.1, 5.1, 5.2, 5.7, 5.8, 5.12):
 * tables and aliases of VM 1, what blocking and removing does to them, and the interruptible DEMOTE
 * and PROMOTE. No L2 VM is entered.
 */
#include "tests/tdx/machine.h"

#include <string.h>

#include "sim/rt/fault.h"
#include "sim/rt/phys.h"
#include "sim/rt/sched.h"
#include "tdx/sept.h"

static struct machine m;
static u64 l2_4k, l2_2m; /* VM 1's tables of 4K entries at GPA, of 2M entries at GPA_2M */

#define V1(leaf)  SEAM_RAX(SEAM_TDH_##leaf, 1)
#define VM1(attr) ((u64)(attr) << 16)
#define VALID	  RT_BIT(15)
#define RWXS	  7ULL
#define NOWHERE	  0xc0000000ULL /* a 1G range where VM 1 has no table */

/* SEPT.ADD for the L1 and for VM 1; returns VM 1's page. */
static u64 add_tables(u64 info)
{
	u64 page = machine_page(&m), l2 = machine_page(&m);

	m.r = (struct seam_regs){.rax = V1(MEM_SEPT_ADD),
				 .rcx = info,
				 .rdx = m.tdr,
				 .r8 = page,
				 .r9 = l2,
				 .r10 = SEAM_NULL_PA,
				 .r11 = SEAM_NULL_PA};
	assert_int_equal(seam_call(m.s, 0, &m.r), SEAM_RET);
	expect_status(m.r.rax, SEAM_SUCCESS);
	assert_true(m.r.r8 == SEAM_NULL_PA && m.r.r9 == SEAM_NULL_PA);
	return l2;
}

static void build(const char *profile)
{
	const u8 one = 1;
	u64 tdvpr;

	machine_init(&m, profile);
	td_create(&m);
	call_ok(&m, 0, MNG_ADDCX, machine_page(&m), m.tdr, 0);
	params(1); /* DEBUG: SEPT.RD tells L2 attributes */
	rt_phys_poke(PARAMS + 0x12, 0, &one, 1);
	call_ok(&m, 0, MNG_INIT, m.tdr, PARAMS, 0);
	tdvpr = vcpu_create(&m, 0);
	expect_status(call(&m, 0, VP_INIT, tdvpr, 0, 0), SEAM_TDCX_NUM_INCORRECT);
	for (u32 i = 0; i < 3; i++)
		call_ok(&m, 0, VP_ADDCX, machine_page(&m), tdvpr, 0);
	call_ok(&m, 0, VP_INIT, tdvpr, 0, 0);
	m.vcpu[m.nr_vcpus++] = tdvpr;
	add_tables(3);
	add_tables(GPA | 2);
	l2_4k = add_tables(GPA | 1);
	l2_2m = add_tables(GPA_2M | 2);
	call_ok(&m, 0, MEM_SEPT_ADD, NOWHERE | 2, m.tdr, machine_page(&m));
	call_ok(&m, 0, MR_FINALIZE, m.tdr, 0, 0);
}

static int setup(void **state)
{
	build("1.5.25");
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

static enum seam_result attr_wr(u64 info, u64 attrs, u64 mask)
{
	m.r = (struct seam_regs){
		.rax = SEAM_TDG_MEM_PAGE_ATTR_WR, .rcx = info, .rdx = attrs, .r8 = mask};
	return seam_tdcall(m.s, 0, &m.r, 0, &m.fault);
}

static u64 l2_entry(u64 table, u32 index)
{
	u64 val;

	rt_phys_peek(table + index * 8, &val, sizeof(val));
	return val;
}

/* VCPU 0 is in the guest; the page at @info is accepted and VM 1 may use it. */
static u64 aliased_page(u64 info)
{
	u64 hpa = SEAM_INFO_LEVEL(info) ? machine_large(&m) : machine_page(&m);

	call_ok(&m, 3, MEM_PAGE_AUG, info, m.tdr, hpa);
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, info), SEAM_DONE);
	assert_int_equal(attr_wr(info, VM1(VALID | RWXS), VM1(RWXS)), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
	return hpa;
}

static void block_and_track(u64 info)
{
	leave(&m, 0);
	call_ok(&m, 3, MEM_RANGE_BLOCK, info, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
}

static u64 told_attrs(u64 info)
{
	call_ok(&m, 3, MEM_SEPT_RD, info, m.tdr | 1, 0);
	return m.r.r8;
}

static void test_l2__attributes_come_back(void **state)
{
	u64 hpa = aliased_page(GPA);

	assert_int_equal(told_attrs(GPA), VM1(VALID | RWXS));
	assert_int_equal(l2_entry(l2_4k, 0) & SEPT_HPA & RT_MASK(45, 0), hpa);
	assert_int_equal(l2_entry(l2_4k, 0) & SEPT_RWX, SEPT_RWX);
	/* Only what the mask names changes; all other bits have a place too. */
	assert_int_equal(attr_wr(GPA, VM1(VALID | 0x7b), VM1(0x7c)), SEAM_DONE);
	assert_int_equal(told_attrs(GPA), VM1(VALID | 0x7b));
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ATTR_RD, GPA), SEAM_DONE);
	assert_int_equal(m.r.rdx, VM1(VALID | 0x7b));
	/* No permission left: no alias left. */
	assert_int_equal(attr_wr(GPA, VM1(VALID), VM1(0x7f)), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
	assert_int_equal(told_attrs(GPA), 0);
	assert_true(l2_entry(l2_4k, 0) == SEPT_FREE_VALUE);
}

static void test_l2__attribute_operands(void **state)
{
	const struct {
		u64 rcx, rdx, r8, answer;
	} rows[] = {
		{GPA, VALID | 1, 0, SEAM_OPERAND_INVALID | SEAM_OP_RDX}, /* the L1's own */
		{GPA, (VALID | 1ULL) << 32, 0, SEAM_OPERAND_INVALID | SEAM_OP_RDX}, /* VM 2 */
		{GPA, VM1(1), 0, SEAM_OPERAND_INVALID | SEAM_OP_RDX},		    /* not valid */
		{GPA, VM1(VALID | 1), 1, SEAM_OPERAND_INVALID | SEAM_OP_R8},
		{GPA | 3, VM1(VALID | 1), 0, SEAM_OPERAND_INVALID | SEAM_OP_RCX},
		{GPA | RT_BIT(47), VM1(VALID | 1), 0, SEAM_OPERAND_INVALID | SEAM_OP_RCX},
		/* VM by VM: R8 of the L1 counts before RDX of VM 1, RDX of VM 1 before R8 of VM 2. */
		{GPA, VM1(1), 1, SEAM_OPERAND_INVALID | SEAM_OP_R8},
		{GPA, VM1(1), 1ULL << 32, SEAM_OPERAND_INVALID | SEAM_OP_RDX},
		{GPA, VM1(VALID | 2), VM1(3), SEAM_PAGE_ATTR_INVALID}, /* W without R */
		{GPA, VM1(VALID | 0x21), VM1(0x20), SEAM_SUCCESS},     /* R is not asked for */
		{GPA, VM1(VALID | 0x22), VM1(0x22), SEAM_PAGE_ATTR_INVALID}, /* nor is PWA alone */
		{GPA, VM1(VALID | 0x81), VM1(0x81), SEAM_PAGE_ATTR_INVALID}, /* suppress #VE */
		{GPA, VM1(VALID | 0x101), VM1(0x101), SEAM_PAGE_ATTR_INVALID}, /* reserved */
		{GPA, VM1(VALID | 0x181), VM1(1), SEAM_SUCCESS},	       /* masked out */
		{GPA | 1, VM1(VALID | 1), VM1(1), SEAM_PAGE_SIZE_MISMATCH | 1},
	};

	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		assert_int_equal(attr_wr(rows[i].rcx, rows[i].rdx, rows[i].r8), SEAM_DONE);
		if (m.r.rax != rows[i].answer)
			fail_msg("row %zu: %llx, wanted %llx", i, m.r.rax, rows[i].answer);
	}
	/* VM 1 has no table there: VM and level in the details, and nothing in the registers. */
	call_ok(&m, 3, MEM_PAGE_AUG, NOWHERE | 1, m.tdr, machine_large(&m));
	assert_int_equal(attr_wr(NOWHERE | 1, VM1(VALID | 1), VM1(1)), SEAM_DONE);
	expect_status(m.r.rax, SEAM_L2_SEPT_WALK_FAILED | 1 << 16 | 2);
	assert_true(!m.r.rcx && !m.r.rdx);
	/* Without permissions no alias is made, and RDX is what was asked for. */
	assert_int_equal(attr_wr(NOWHERE | 1, VM1(VALID | 1), 0), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
	assert_int_equal(m.r.rdx, VM1(VALID | 1));
}

/*
 *            L1        VM 1
 *  BLOCK     BLOCKED   permissions in shadow bits
 *  UNBLOCK   MAPPED    permissions back
 *  REMOVE    FREE      FREE
 */
static void test_l2__aliases_follow(void **state)
{
	u64 before;

	aliased_page(GPA);
	before = l2_entry(l2_4k, 0);
	block_and_track(GPA);
	assert_int_equal(l2_entry(l2_4k, 0) & (SEPT_RWX | SEPT_XU), 0);
	assert_int_equal(told_attrs(GPA), VM1(VALID | RWXS));
	call_ok(&m, 3, MEM_RANGE_UNBLOCK, GPA, m.tdr, 0);
	assert_true(l2_entry(l2_4k, 0) == before);
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0);
	assert_true(l2_entry(l2_4k, 0) == SEPT_FREE_VALUE);
}

static void test_l2__aliases_move_with_the_page(void **state)
{
	u64 to = machine_page(&m);

	aliased_page(GPA);
	block_and_track(GPA);
	call_ok(&m, 3, MEM_PAGE_RELOCATE, GPA, m.tdr, to);
	assert_int_equal(l2_entry(l2_4k, 0) & SEPT_HPA & RT_MASK(45, 0), to);
	assert_int_equal(l2_entry(l2_4k, 0) & SEPT_RWX, SEPT_RWX);
	assert_int_equal(told_attrs(GPA), VM1(VALID | RWXS));
}

/* A pending page's attributes wait: its alias is unblocked by ACCEPT, not by UNBLOCK. */
static void test_l2__pending_alias(void **state)
{
	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	assert_int_equal(attr_wr(GPA, VM1(VALID | RWXS), VM1(RWXS)), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
	assert_true(m.r.rcx & RT_BIT(62));
	assert_int_equal(l2_entry(l2_4k, 0) & SEPT_RWX, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	assert_int_equal(l2_entry(l2_4k, 0) & SEPT_RWX, SEPT_RWX);
}

/* BLOCK saves what the alias allows, and of one that is blocked already that is nothing. */
static void test_l2__pending_alias_blocked(void **state)
{
	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	assert_int_equal(attr_wr(GPA, VM1(VALID | 0x37), VM1(0x37)), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
	block_and_track(GPA);
	assert_int_equal(told_attrs(GPA), VM1(VALID | 0x10));
	call_ok(&m, 3, MEM_RANGE_UNBLOCK, GPA, m.tdr, 0);
	assert_int_equal(l2_entry(l2_4k, 0) & SEPT_RWX, 0);
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	assert_int_equal(l2_entry(l2_4k, 0) & SEPT_RWX, 0);
}

/* SEPT.RD tells of a table that it lets everything through, and nothing of a free entry. */
static void test_l2__attributes_of_tables(void **state)
{
	assert_int_equal(told_attrs(GPA | 1), VM1(VALID | 0xf));
	assert_int_equal(told_attrs(NOWHERE | 2), 0);
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	assert_int_equal(told_attrs(GPA | 1), VM1(VALID | 0xf));
	assert_int_equal(told_attrs(GPA_2M | 1), 0);
}

/* Version 1 gives its pages back without bit 63 whatever stops it, and with it if not needed. */
static void test_l2__pages_of_a_refused_add(void **state)
{
	u64 page = machine_page(&m) | SEAM_PAGE_UNUSED, l2 = machine_page(&m) | SEAM_PAGE_UNUSED;

	m.r = (struct seam_regs){.rax = V1(MEM_SEPT_ADD),
				 .rcx = GPA | 1,
				 .rdx = m.tdr | 2,
				 .r8 = page,
				 .r9 = l2,
				 .r10 = SEAM_NULL_PA,
				 .r11 = 1};
	assert_int_equal(seam_call(m.s, 3, &m.r), SEAM_RET);
	expect_status(m.r.rax, SEAM_OPERAND_INVALID | SEAM_OP_RDX);
	assert_true(m.r.r8 == (page & ~SEAM_PAGE_UNUSED) && m.r.r9 == (l2 & ~SEAM_PAGE_UNUSED));
	assert_true(m.r.r10 == SEAM_NULL_PA && m.r.r11 == 1);
	/* The L1 has a table already, and then VM 2, which is none of the TD's, stops the call. */
	m.r.rax = V1(MEM_SEPT_ADD);
	m.r.rcx = GPA | 1;
	m.r.rdx = m.tdr | 1;
	m.r.r10 = m.r.r9;
	m.r.r11 = SEAM_NULL_PA;
	assert_int_equal(seam_call(m.s, 3, &m.r), SEAM_RET);
	expect_status(m.r.rax, SEAM_OPERAND_INVALID | SEAM_OP_R10);
	assert_true(m.r.r8 == page && m.r.r9 == l2);
	assert_true(m.r.r10 == (l2 & ~SEAM_PAGE_UNUSED));
}

static void test_l2__attr_rd_takes_any_address(void **state)
{
	aliased_page(GPA);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ATTR_RD, GPA | 0xfff), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
	assert_true(m.r.rcx == GPA && m.r.rdx == VM1(VALID | RWXS));
}

/* A blocked table of VM 1 is blocked as its L1 table is. */
static void test_l2__tables_are_blocked_together(void **state)
{
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 3, MEM_RANGE_UNBLOCK, GPA | 1, m.tdr, 0);
	aliased_page(GPA);
	assert_int_equal(told_attrs(GPA), VM1(VALID | RWXS));
}

static u64 demote(u64 info, u64 table, u64 l2, u64 flag)
{
	m.r = (struct seam_regs){.rax = SEAM_TDH_MEM_PAGE_DEMOTE,
				 .rcx = info,
				 .rdx = m.tdr | flag,
				 .r8 = table,
				 .r9 = l2,
				 .r10 = SEAM_NULL_PA,
				 .r11 = SEAM_NULL_PA};
	assert_int_equal(seam_call(m.s, 3, &m.r), SEAM_RET);
	return m.r.rax;
}

static void interrupt_at(u32 leaf, u64 nth)
{
	const struct rt_fault f = {.site = "interrupt",
				   .key = leaf,
				   .actor = RT_NOBODY,
				   .nth = nth,
				   .count = 1,
				   .value = SEAM_IRQ_NMI};

	rt_fault_arm(&f);
}

static u64 promote_v1(u64 info)
{
	m.r = (struct seam_regs){.rax = V1(MEM_PAGE_PROMOTE), .rcx = info, .rdx = m.tdr};
	assert_int_equal(seam_call(m.s, 3, &m.r), SEAM_RET);
	return m.r.rax;
}

/* Once for each L2 page and once at the end: each poll can stop it, and nothing has changed. */
static void split_and_merge(const char *profile)
{
	u64 info = GPA_2M | 1, hpa, table, l2;

	teardown(NULL);
	build(profile);
	table = machine_page(&m);
	l2 = machine_page(&m);
	hpa = aliased_page(info);
	block_and_track(info);
	expect_status(demote(info, table, SEAM_NULL_PA, 0), SEAM_L2_SEPT_PAGE_NOT_PROVIDED | 9);
	for (u64 nth = 1; nth <= 2; nth++) {
		interrupt_at(SEAM_TDH_MEM_PAGE_DEMOTE, nth);
		expect_status(demote(info, table, l2, 0), SEAM_INTERRUPTED_RESTARTABLE);
		assert_int_equal(m.r.rcx, info);
		assert_int_equal(sept_state(&m, GPA_2M, 1), SEAM_SEPT_BLOCKED);
		seam_irq_clear(m.s, 3, SEAM_IRQ_NMI);
	}
	expect_status(demote(info, table, l2, 0), SEAM_SUCCESS);
	assert_int_equal(l2_entry(l2, 511) & SEPT_HPA & RT_MASK(45, 0), hpa + 511 * 0x1000);
	assert_int_equal(told_attrs(GPA_2M + 0x1ff000), VM1(VALID | RWXS));

	call_ok(&m, 3, MEM_RANGE_BLOCK, info, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	for (u64 nth = 1; nth <= 2; nth++) {
		interrupt_at(SEAM_TDH_MEM_PAGE_PROMOTE, nth);
		expect_status(promote_v1(info), SEAM_INTERRUPTED_RESTARTABLE);
		assert_int_equal(m.r.rcx, info);
		seam_irq_clear(m.s, 3, SEAM_IRQ_NMI);
	}
	expect_status(promote_v1(info), SEAM_SUCCESS);
	assert_int_equal(m.r.rcx, table);
	assert_int_equal(m.r.r9, l2);
	assert_true(m.r.r10 == SEAM_NULL_PA);
	assert_int_equal(told_attrs(info), VM1(VALID | RWXS));
	assert_int_equal(l2_entry(l2_2m, 0) & SEPT_HPA & RT_MASK(45, 0), hpa);
}

static void test_l2__split_and_merge(void **state)
{
	split_and_merge("1.5.25");
}

/* ENHANCED_DEMOTE_INTERRUPTIBILITY leaves the polls to TDs with L2 VMs. */
static void test_l2__split_and_merge_enhanced(void **state)
{
	split_and_merge("1.5.28");
}

/* One child of VM 1 that differs, of a page that the L1 could merge. */
static void test_l2__merge_compares_aliases(void **state)
{
	u64 info = GPA_2M | 1, l2 = machine_page(&m);

	aliased_page(info);
	block_and_track(info);
	expect_status(demote(info, machine_page(&m), l2, 0), SEAM_SUCCESS);
	enter(&m, 0, 0);
	assert_int_equal(attr_wr(GPA_2M + 0x1ff000, VM1(VALID | 1), VM1(RWXS)), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
	block_and_track(info);
	expect_status(promote_v1(info), SEAM_EPT_INVALID_PROMOTE_CONDITIONS | SEAM_OP_RCX);
	expect_status(call(&m, 3, MEM_SEPT_REMOVE, info, m.tdr, 0),
		      SEAM_EPT_PAGE_NOT_FREE | SEAM_OP_RCX);
}

/* Without alias: sparse leaves the page unused, otherwise VM 1 gets an empty table. */
static void test_l2__sparse(void **state)
{
	u64 info = GPA_2M | 1, l2 = machine_page(&m);

	call_ok(&m, 3, MEM_PAGE_AUG, info, m.tdr, machine_large(&m));
	call_ok(&m, 3, MEM_PAGE_AUG, info + 0x200000, m.tdr, machine_large(&m));
	call_ok(&m, 3, MEM_PAGE_AUG, NOWHERE | 1, m.tdr, machine_large(&m));
	call_ok(&m, 3, MEM_RANGE_BLOCK, info, m.tdr, 0);
	call_ok(&m, 3, MEM_RANGE_BLOCK, info + 0x200000, m.tdr, 0);
	call_ok(&m, 3, MEM_RANGE_BLOCK, NOWHERE | 1, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	expect_status(demote(info, machine_page(&m), l2, 1), SEAM_SUCCESS);
	assert_true(m.r.r9 == (l2 | SEAM_PAGE_UNUSED));
	expect_status(demote(info + 0x200000, machine_page(&m), l2, 0), SEAM_SUCCESS);
	assert_true(l2_entry(l2, 7) == SEPT_FREE_VALUE);
	/* VM 1 has nothing at 1G there, so no table can be hung in. */
	expect_status(demote(NOWHERE | 1, machine_page(&m), machine_page(&m), 0),
		      SEAM_L2_SEPT_WALK_FAILED | 1 << 16 | 2);
	assert_int_equal(sept_state(&m, NOWHERE, 1), SEAM_SEPT_PENDING_BLOCKED);
}

static void test_l2__tables_are_removed_together(void **state)
{
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	m.r = (struct seam_regs){.rax = V1(MEM_SEPT_REMOVE), .rcx = GPA | 1, .rdx = m.tdr};
	assert_int_equal(seam_call(m.s, 3, &m.r), SEAM_RET);
	expect_status(m.r.rax, SEAM_SUCCESS);
	assert_int_equal(m.r.r9, l2_4k);
	assert_true(m.r.r10 == SEAM_NULL_PA);
	/* Between L1 and L2 page SEPT.ADD can be stopped, and goes on from there. */
	interrupt_at(SEAM_TDH_MEM_SEPT_ADD, 1);
	m.r = (struct seam_regs){.rax = V1(MEM_SEPT_ADD),
				 .rcx = GPA | 1,
				 .rdx = m.tdr,
				 .r8 = machine_page(&m),
				 .r9 = l2_4k,
				 .r10 = SEAM_NULL_PA,
				 .r11 = SEAM_NULL_PA};
	assert_int_equal(seam_call(m.s, 3, &m.r), SEAM_RET);
	expect_status(m.r.rax, SEAM_INTERRUPTED_RESUMABLE);
	assert_true(m.r.r8 == SEAM_NULL_PA && m.r.r9 == l2_4k && m.r.rcx == (GPA | 1));
	seam_irq_clear(m.s, 3, SEAM_IRQ_NMI);
	m.r.rax = V1(MEM_SEPT_ADD);
	assert_int_equal(seam_call(m.s, 3, &m.r), SEAM_RET);
	expect_status(m.r.rax, SEAM_SUCCESS);
	assert_true(m.r.r9 == SEAM_NULL_PA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_l2__attributes_come_back),
		T(test_l2__attribute_operands),
		T(test_l2__aliases_follow),
		T(test_l2__aliases_move_with_the_page),
		T(test_l2__pending_alias),
		T(test_l2__tables_are_blocked_together),
		T(test_l2__split_and_merge),
		T(test_l2__split_and_merge_enhanced),
		T(test_l2__merge_compares_aliases),
		T(test_l2__sparse),
		T(test_l2__tables_are_removed_together),
		T(test_l2__pending_alias_blocked),
		T(test_l2__attributes_of_tables),
		T(test_l2__pages_of_a_refused_add),
		T(test_l2__attr_rd_takes_any_address),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
