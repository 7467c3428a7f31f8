// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PAMT through the leaves that change it, and what its storage costs. Checks of operands are
 * the recordings' business (test_vectors.c); here are splits, merges, laziness and pairs.
 */
#include "tests/tdx/machine.h"

#include "tdx/features.h"
#include "tdx/internal.h"

#define RUNNABLE_PROFILE "1.5.25"

/* @m's TD has a 2M page of its own at GPA_2M, blocked and tracked. */
static u64 blocked_2m(struct machine *m)
{
	u64 hpa = machine_large(m);

	call_ok(m, 0, MEM_PAGE_AUG, GPA_2M | 1, m->tdr, hpa);
	call_ok(m, 0, MEM_RANGE_BLOCK, GPA_2M | 1, m->tdr, 0);
	call_ok(m, 0, MEM_TRACK, m->tdr, 0, 0);
	return hpa;
}

static void expect_page(struct machine *m, u64 hpa, u8 type, u8 level)
{
	struct seam_pamt_view v;

	assert_true(seam_look_pamt(m->s, hpa, &v));
	assert_int_equal(v.type, type);
	assert_int_equal(v.level, level);
}

/*
 *   2M  [ REG            ]      2M  [ NDA            ]      2M  [ REG            ]
 *   4K  [ NDA ... NDA    ]  ->  4K  [ REG REG ... REG]  ->  4K  [ NDA ... NDA    ]
 */
static void test_pamt__split_and_merge(void **state)
{
	struct machine m;
	u64 hpa, table, pages;

	machine_init(&m, RUNNABLE_PROFILE);
	td_build(&m, 0, 1);
	hpa = blocked_2m(&m);
	table = machine_page(&m);
	pages = seam_count_owned(m.s, m.tdr);
	expect_page(&m, hpa + 0x1ff000, SEAM_PT_REG, 1);

	call_ok(&m, 0, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, table);
	expect_page(&m, hpa, SEAM_PT_REG, 0);
	expect_page(&m, hpa + 0x1ff000, SEAM_PT_REG, 0);
	expect_page(&m, table, SEAM_PT_EPT, 0);
	assert_int_equal(seam_count_owned(m.s, m.tdr), pages + 1);

	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 0, MEM_PAGE_PROMOTE, GPA_2M | 1, m.tdr, 0);
	assert_int_equal(m.r.rcx, table);
	expect_page(&m, hpa + 0x1ff000, SEAM_PT_REG, 1);
	expect_page(&m, table, SEAM_PT_NDA, 0);
	assert_int_equal(seam_count_owned(m.s, m.tdr), pages);
	machine_free(&m);
}

/*
 * 512 equal children are one value: a split needs a table page and less than a kilobyte beside it.
 */
static void test_pamt__split_stores_next_to_nothing(void **state)
{
	struct machine m;
	size_t before, after;
	u64 hpa;

	machine_init(&m, RUNNABLE_PROFILE);
	td_build(&m, 0, 1);
	hpa = blocked_2m(&m);
	before = rt_mem_stats(m.w).live_bytes;
	call_ok(&m, 0, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, machine_page(&m));
	after = rt_mem_stats(m.w).live_bytes;
	assert_in_range(after - before, 0, 4096 + 1024);

	/* One child that deviates costs one chunk of 32 entries. */
	before = after;
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA_2M, m.tdr, 0);
	after = rt_mem_stats(m.w).live_bytes;
	assert_in_range(after - before, 1, SEAM_PAMT_CHUNK * sizeof(struct seam_pamt_entry) * 2);
	expect_page(&m, hpa + 0x1000, SEAM_PT_REG, 0);
	machine_free(&m);
}

/* A lock word in a child entry is nobody's to lose while the 2M around it is split and merged. */
static void test_pamt__child_lock_survives_split(void **state)
{
	struct machine m;
	struct seam_hold h = {.id = SEAM_LOCK_PAMT, .level = 0};
	u16 word;

	machine_init(&m, RUNNABLE_PROFILE);
	td_build(&m, 0, 1);
	h.obj = blocked_2m(&m) + 0x5000;
	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	call_ok(&m, 0, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, machine_page(&m));
	assert_true(seam_lock_word(m.s, &h, &word));
	assert_int_equal(word, SEAM_WORD_EX);
	expect_page(&m, h.obj, SEAM_PT_REG, 0);

	/* And it is that lock which a leaf on the child meets. */
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA_2M | 0x5000, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	expect_status(call(&m, 0, MEM_PAGE_REMOVE, GPA_2M | 0x5000, m.tdr, 0),
		      SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	call_ok(&m, 0, MEM_PAGE_REMOVE, GPA_2M | 0x5000, m.tdr, 0);
	assert_int_equal(m.r.rcx, h.obj);
	expect_page(&m, h.obj, SEAM_PT_NDA, 0);
	machine_free(&m);
}

/*
 * The parent is locked late: BUSY there leaves the range blocked, and a repeated call needs no
 * TRACK.
 */
static void test_pamt__busy_parent_is_no_loss(void **state)
{
	struct machine m;
	struct seam_hold h = {.id = SEAM_LOCK_PAMT, .level = 1, .shared = true};
	u64 table;

	machine_init(&m, RUNNABLE_PROFILE);
	td_build(&m, 0, 1);
	h.obj = blocked_2m(&m);
	table = machine_page(&m);
	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	expect_status(call(&m, 0, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, table),
		      SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	expect_page(&m, table, SEAM_PT_NDA, 0);
	assert_int_equal(sept_state(&m, GPA_2M, 1), SEAM_SEPT_PENDING_BLOCKED);
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	call_ok(&m, 0, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, table);
	machine_free(&m);
}

static void test_pamt__looking_stores_nothing(void **state)
{
	struct machine m;
	struct seam_pamt_view v;
	struct seam_pair_view p;
	size_t before;

	machine_init(&m, RUNNABLE_PROFILE);
	before = rt_mem_stats(m.w).live_bytes;
	for (u64 hpa = TDMR_BASE; hpa < TDMR_BASE + SEAM_LEVEL_SIZE(2); hpa += 0x123000) {
		assert_true(seam_look_pamt(m.s, hpa, &v));
		assert_int_equal(v.type, SEAM_PT_NDA);
		assert_true(seam_look_pair(m.s, hpa, &p));
	}
	assert_false(seam_look_pamt(m.s, TDMR_BASE - 1, &v));
	assert_int_equal(rt_mem_stats(m.w).live_bytes, before);
	machine_free(&m);
}

/*
 * 64 GiB as 2M pages: some 24 bytes each in the PAMT and 8 in the S-EPT, and the same time for
 * each.
 */
static void test_pamt__large_pages_stay_cheap(void **state)
{
	const u64 size = 64 * SEAM_LEVEL_SIZE(2), n = size / SEAM_LEVEL_SIZE(1);
	struct seam_config cfg = {.profile = RUNNABLE_PROFILE, .nr_tdmr = 1};
	struct machine m;
	size_t before;
	u64 base = TDMR_BASE + SEAM_LEVEL_SIZE(2);

	cfg.tdmr[0] = (struct seam_range){TDMR_BASE, size + SEAM_LEVEL_SIZE(2)};
	machine_init_cfg(&m, &cfg);
	td_build(&m, 0, 1);
	before = rt_mem_stats(m.w).live_bytes;
	for (u64 at = 0; at < size; at += SEAM_LEVEL_SIZE(1)) {
		u64 gpa = 0x4000000000ULL + at;

		if (!(gpa % SEAM_LEVEL_SIZE(2)))
			call_ok(&m, 0, MEM_SEPT_ADD, gpa | 2, m.tdr, machine_page(&m));
		call_ok(&m, 0, MEM_PAGE_AUG, gpa | 1, m.tdr, base + at);
	}
	assert_in_range((rt_mem_stats(m.w).live_bytes - before) / n, 1, 48);
	machine_free(&m);
}

static void add_pair(struct machine *m, u64 range, u64 hpa0, u64 hpa1)
{
	call_ok(m, 0, PHYMEM_PAMT_ADD, range | 1, hpa0, hpa1);
}

/*
 *  before: range 0x50000000 has no pair      R8 there: MISSING_PAMT_PAGE_PAIR
 *  ADD   : PT_PAMT, count 0, two bits set
 *  AUG 4K: count 1; REMOVE: count 0 and the hint
 */
static void test_pamt__pair_counts_and_hints(void **state)
{
	const u64 range = 0x50000000ULL, hpa0 = 0x7f000000ULL, hpa1 = 0x7f001000ULL;
	struct seam_config cfg = {.profile = RUNNABLE_PROFILE, .dynamic_pamt = true};
	struct seam_pair_view p;
	struct machine m;

	machine_init_cfg(&m, &cfg);
	add_pair(&m, SMALL, 0x7f100000ULL, 0x7f101000ULL);
	td_build(&m, 0, 1);
	expect_status(call(&m, 0, MEM_PAGE_AUG, GPA, m.tdr, range),
		      SEAM_MISSING_PAMT_PAGE_PAIR | SEAM_OP_R8);
	add_pair(&m, range, hpa0, hpa1);
	assert_true(seam_look_pair(m.s, hpa0, &p) && p.bit);
	call_ok(&m, 0, MEM_PAGE_AUG, GPA, m.tdr, range);
	assert_true(seam_look_pair(m.s, range, &p) && p.has_pair);
	assert_int_equal(p.count, 1);
	expect_status(call(&m, 0, PHYMEM_PAMT_REMOVE, range | 1, 0, 0), SEAM_PAMT_PAGE_NOT_EMPTY);

	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 0, MEM_PAGE_REMOVE, GPA, m.tdr, 0);
	assert_true(m.r.rcx == (range | SEAM_PAIR_EMPTY_HINT));
	call_ok(&m, 0, PHYMEM_PAMT_REMOVE, range | 1, 0, 0);
	assert_int_equal(m.r.rdx, hpa0);
	assert_int_equal(m.r.r8, hpa1);
	assert_true(seam_look_pair(m.s, hpa0, &p) && !p.bit);
	machine_free(&m);
}

static u64 demote_with(struct machine *m, u64 table, u64 hpa0, u64 hpa1)
{
	m->r = (struct seam_regs){
		.rax = SEAM_TDH_MEM_PAGE_DEMOTE,
		.rcx = GPA_2M | 1,
		.rdx = m->tdr,
		.r8 = table,
		.r12 = hpa0,
		.r13 = hpa1,
	};
	assert_int_equal(seam_call(m->s, 0, &m->r), SEAM_RET);
	return m->r.rax;
}

/*
 * DEMOTE consumes the pair, PROMOTE gives it back; a page that is in use is refused and costs
 * nothing.
 */
static void test_pamt__split_takes_a_pair(void **state)
{
	const u64 hpa0 = 0x7f000000ULL, hpa1 = 0x7f001000ULL;
	struct seam_config cfg = {.profile = RUNNABLE_PROFILE, .dynamic_pamt = true};
	struct seam_pair_view p;
	struct machine m;
	u64 hpa, table;

	machine_init_cfg(&m, &cfg);
	add_pair(&m, SMALL, 0x7f100000ULL, 0x7f101000ULL);
	td_build(&m, 0, 1);
	hpa = blocked_2m(&m);
	table = machine_page(&m);
	expect_status(demote_with(&m, table, hpa0, hpa0), SEAM_PAGE_NOT_FREE | SEAM_OP_R13);
	expect_status(demote_with(&m, table, 0x7f100000ULL, hpa1),
		      SEAM_PAGE_NOT_FREE | SEAM_OP_R12);
	expect_status(demote_with(&m, table, hpa, hpa1), SEAM_OPERAND_BUSY | SEAM_OP_R12);
	assert_true(seam_look_pair(m.s, hpa0, &p) && !p.bit);

	expect_status(demote_with(&m, table, hpa0, hpa1), SEAM_SUCCESS);
	assert_true(seam_look_pair(m.s, hpa, &p) && p.has_pair);
	assert_int_equal(p.count, 512);
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	call_ok(&m, 0, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 0, MEM_PAGE_PROMOTE, GPA_2M | 1, m.tdr, 0);
	assert_int_equal(m.r.r12, hpa0);
	assert_int_equal(m.r.r13, hpa1);
	assert_true(seam_look_pair(m.s, hpa, &p) && !p.has_pair);
	machine_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pamt__split_and_merge),
		cmocka_unit_test(test_pamt__split_stores_next_to_nothing),
		cmocka_unit_test(test_pamt__child_lock_survives_split),
		cmocka_unit_test(test_pamt__busy_parent_is_no_loss),
		cmocka_unit_test(test_pamt__looking_stores_nothing),
		cmocka_unit_test(test_pamt__large_pages_stay_cheap),
		cmocka_unit_test(test_pamt__pair_counts_and_hints),
		cmocka_unit_test(test_pamt__split_takes_a_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
