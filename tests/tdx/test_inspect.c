// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking inside (tdx/inspect.h): what a view shows, that walks stop when told to, holds by name,
 * and that each conservation rule of seam_check() notices what it is there for. To break a rule the
 * module's state is changed behind its back; no call can.
 */
#include "tests/tdx/machine.h"

#include <string.h>

#include "tdx/vcpu.h"

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

struct seen {
	u32 nr, stop_after;
	u64 gpa[64];
	struct seam_sept_view v[64];
};

static bool see_sept(void *ctx, u64 gpa, const struct seam_sept_view *v)
{
	struct seen *s = ctx;

	s->gpa[s->nr] = gpa;
	s->v[s->nr++] = *v;
	return s->nr != s->stop_after;
}

/*
 *   0          GPA_2M            GPA
 *   |- table --|- 1G: table -----|- 1G: table
 *              |- 2M leaf        |- 2M: table
 *                                |- 4K leaf, blocked
 */
static void test_inspect__sept_in_order(void **state)
{
	struct seen all = {0}, part = {0}, few = {.stop_after = 2};
	u64 large = machine_large(&m), small = machine_page(&m);

	call_ok(&m, 0, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, large);
	call_ok(&m, 0, MEM_PAGE_AUG, GPA + 0x5000, m.tdr, small);
	call_ok(&m, 0, MEM_RANGE_BLOCK, GPA + 0x5000, m.tdr, 0);
	seam_for_each_sept(m.s, m.tdr, 0, ~0ULL, see_sept, &all);
	assert_int_equal(all.nr, 6);
	for (u32 i = 1; i < all.nr; i++)
		assert_true(all.gpa[i] >= all.gpa[i - 1]);
	assert_int_equal(all.v[0].level, 3);
	assert_int_equal(all.gpa[2], GPA_2M);
	assert_int_equal(all.v[2].hpa, large);
	assert_true(all.v[2].leaf);
	assert_int_equal(all.gpa[5], GPA + 0x5000);
	assert_int_equal(all.v[5].state, SEAM_SEPT_PENDING_BLOCKED);
	assert_int_equal(all.v[5].hpa, small);
	assert_false(all.v[5].tracked);

	/* A range shows what covers it: parents too. */
	seam_for_each_sept(m.s, m.tdr, GPA_2M, SEAM_LEVEL_SIZE(1), see_sept, &part);
	assert_int_equal(part.nr, 3);
	assert_int_equal(part.v[2].hpa, large);
	seam_for_each_sept(m.s, m.tdr, 0, ~0ULL, see_sept, &few);
	assert_int_equal(few.nr, 2);
	few.nr = 0;
	few.stop_after = 6; /* in the middle of the deepest table */
	seam_for_each_sept(m.s, m.tdr, 0, ~0ULL, see_sept, &few);
	assert_int_equal(few.nr, 6);
	few.nr = 0;
	seam_for_each_sept(m.s, m.tdr, 0, 0, see_sept, &few);
	seam_for_each_sept(m.s, SMALL + 0x100000, 0, ~0ULL, see_sept, &few);
	assert_int_equal(few.nr, 0);
}

static void test_inspect__tracked_waits_for_old_vcpus(void **state)
{
	struct seam_sept_view v;

	call_ok(&m, 0, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	assert_true(seam_look_sept(m.s, m.tdr, GPA, 0, &v));
	assert_false(v.tracked);
	leave(&m, 0);
	assert_true(seam_look_sept(m.s, m.tdr, GPA, 0, &v));
	assert_true(v.tracked);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	assert_true(seam_look_sept(m.s, m.tdr, GPA, 0, &v));
	assert_true(v.tracked);
	/* A blocked table has its BEPOCH in its own page's entry. */
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	assert_true(seam_look_sept(m.s, m.tdr, GPA, 1, &v));
	assert_false(v.tracked);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	assert_true(seam_look_sept(m.s, m.tdr, GPA, 1, &v));
	assert_true(v.tracked);
}

static void test_inspect__nothing_there(void **state)
{
	struct seam_sept_view sv;
	struct seam_td_view tv;
	struct seam_vcpu_view vv;
	struct seam_pair_view pv;

	assert_false(seam_look_sept(m.s, m.tdr, GPA, 4, &sv)); /* no fifth level */
	assert_false(seam_look_sept(m.s, m.vcpu[0], GPA, 0, &sv));
	assert_false(seam_look_td(m.s, m.vcpu[0], &tv));
	assert_false(seam_look_vcpu(m.s, m.tdr, &vv));
	assert_false(seam_look_pair(m.s, 0x1000, &pv));
	assert_int_equal(seam_calls(m.s, 10000), 0);
	assert_true(seam_entries(m.s) == 0);
	assert_null(seam_sept_state_name(77));
	assert_string_equal(seam_sept_state_name(SEAM_SEPT_NL_BLOCKED), "nl_blocked");
	assert_string_equal(seam_get_config(m.s)->profile, "1.5.25");
}

struct pages {
	u32 nr, stop_after;
	struct seam_pamt_view v[16];
};

static bool see_page(void *ctx, u64 hpa, const struct seam_pamt_view *v)
{
	struct pages *p = ctx;

	if (p->nr < RT_ARRAY_SIZE(p->v))
		p->v[p->nr] = *v;
	return ++p->nr != p->stop_after;
}

static bool see_tlb(void *ctx, const struct seam_tlb_view *v)
{
	return ++*(u32 *)ctx != 2;
}

static void test_inspect__walks_stop(void **state)
{
	struct pages one = {.stop_after = 1}, large = {0};
	struct seam_access a;
	u32 n = 0;
	u64 hpa;

	seam_for_each_pamt(m.s, see_page, &one);
	assert_int_equal(one.nr, 1);
	assert_int_equal(one.v[0].type, SEAM_PT_TDR);
	hpa = machine_large(&m);
	call_ok(&m, 0, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, hpa);
	seam_for_each_pamt(m.s, see_page, &large);
	one = (struct pages){.stop_after = large.nr}; /* the last: the 2M page */
	seam_for_each_pamt(m.s, see_page, &one);
	assert_int_equal(one.nr, large.nr);

	enter(&m, 0, 0);
	for (u32 i = 0; i < 3; i++) {
		call_ok(&m, 3, MEM_PAGE_AUG, GPA + i * 0x1000, m.tdr, machine_page(&m));
		assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA + i * 0x1000),
				 SEAM_DONE);
		assert_int_equal(guest_read(&m, 0, GPA + i * 0x1000, 0, &a), SEAM_DONE);
	}
	seam_for_each_tlb(m.s, m.vcpu[0], see_tlb, &n);
	assert_int_equal(n, 2);
	seam_for_each_tlb(m.s, m.tdr, see_tlb, &n);
	assert_int_equal(n, 2);
	leave(&m, 0);
}

static void test_inspect__dynamic_pamt_pages(void **state)
{
	const struct seam_config cfg = {
		.profile = "1.5.25",
		.dynamic_pamt = true,
		.nr_rsvd = 2,
		.rsvd = {{0x70000000, 0x200000}, {0x70200000, 0x3000}},
	};
	struct seam_pamt_view v;
	struct seam_pair_view p;
	char why[256];

	teardown(state);
	machine_init_cfg(&m, &cfg);
	assert_true(seam_look_pamt(m.s, 0x70202000, &v));
	assert_int_equal(v.type, SEAM_PT_PAMT);
	assert_true(seam_look_pair(m.s, 0x701ff000, &p) && p.bit);
	assert_true(seam_look_pair(m.s, 0x70203000, &p) && !p.bit);
	/* Reserved pages are never a 2M page, and never a page of a pair. */
	call_ok(&m, 0, PHYMEM_PAMT_ADD, SMALL | 1, 0x7f100000, 0x7f101000);
	expect_status(call(&m, 0, PHYMEM_PAMT_ADD, 0x50000001, 0x70000000, 0x7f102000),
		      SEAM_PAGE_NOT_FREE | SEAM_OP_RDX);
	td_build(&m, 0, 1);
	expect_status(call(&m, 0, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, 0x70000000),
		      SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_R8);
	assert_true(seam_check(m.s, why, sizeof(why)));
}

static void test_inspect__reserved_without_dynamic_pamt(void **state)
{
	const struct seam_config cfg = {
		.profile = "1.5.25",
		.nr_rsvd = 2,
		.rsvd = {{0x70000000, 0x200000}, {0x70200000, 0x3000}},
	};

	teardown(state);
	machine_init_cfg(&m, &cfg);
	td_build(&m, 0, 1);
	for (u64 hpa = 0x70000000; hpa <= 0x70202000; hpa += 0x101000)
		expect_status(call(&m, 0, MEM_PAGE_AUG, GPA, m.tdr, hpa),
			      SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_R8);
	for (u64 hpa = 0x70000000; hpa <= 0x70200000; hpa += 0x200000)
		expect_status(call(&m, 0, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, hpa),
			      SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_R8);
	call_ok(&m, 0, MEM_PAGE_AUG, GPA, m.tdr, 0x70203000);
}

static void test_inspect__holds(void **state)
{
	const struct {
		struct seam_hold h;
		enum seam_hold_result hold, drop;
		bool has_word;
	} rows[] = {
		{{.id = SEAM_LOCK_TDR, .obj = m.tdr}, SEAM_HOLD_OK, SEAM_HOLD_OK, true},
		{{.id = SEAM_LOCK_TDR, .obj = 0x1000}, SEAM_HOLD_NOPAMT, SEAM_HOLD_NOPAMT, false},
		{{.id = SEAM_LOCK_OPSTATE, .obj = m.tdr, .shared = true},
		 SEAM_HOLD_OK,
		 SEAM_HOLD_OK,
		 true},
		{{.id = SEAM_LOCK_EPOCH, .obj = 0x1000}, SEAM_HOLD_NOTD, SEAM_HOLD_NOTD, false},
		{{.id = SEAM_LOCK_SEPT, .obj = m.tdr, .gpa = GPA, .level = 5},
		 SEAM_HOLD_NOWALK,
		 SEAM_HOLD_NOWALK,
		 false},
		{{.id = SEAM_LOCK_SEPT, .obj = m.tdr, .gpa = GPA},
		 SEAM_HOLD_OK,
		 SEAM_HOLD_OK,
		 true},
		{{.id = SEAM_LOCK_KOT, .shared = true}, SEAM_HOLD_OK, SEAM_HOLD_OK, true},
		{{.id = SEAM_LOCK_WBT, .obj = 0}, SEAM_HOLD_OK, SEAM_HOLD_OK, true},
		{{.id = SEAM_LOCK_WBT, .obj = 9}, SEAM_HOLD_NOTHELD, SEAM_HOLD_NOTHELD, false},
	};
	u64 young = machine_page(&m);
	u16 word;

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		const struct seam_hold *h = &rows[i].h;

		assert_int_equal(seam_lock_word(m.s, h, &word), rows[i].has_word);
		assert_int_equal(seam_hold(m.s, h), rows[i].hold);
		if (rows[i].hold == SEAM_HOLD_OK) {
			/* Two readers are welcome, two of anything else are not. */
			struct seam_hold same = *h;

			assert_int_equal(seam_hold(m.s, &same),
					 h->shared ? SEAM_HOLD_OK : SEAM_HOLD_BUSY);
			if (h->shared)
				assert_int_equal(seam_drop(m.s, &same), SEAM_HOLD_OK);
		}
		assert_int_equal(seam_drop(m.s, h), rows[i].drop);
		if (rows[i].hold == SEAM_HOLD_OK)
			assert_int_equal(seam_drop(m.s, h), SEAM_HOLD_NOTHELD);
	}
	/* A TD whose TDCS is not there yet has no tables to hold. */
	call_ok(&m, 0, MNG_CREATE, young, 0x25, 0);
	assert_int_equal(seam_hold(m.s, &(struct seam_hold){.id = SEAM_LOCK_SEPT, .obj = young}),
			 SEAM_HOLD_NOTD);
}

static void test_inspect__entry_word(void **state)
{
	const struct seam_hold h = {.id = SEAM_LOCK_SEPT, .obj = m.tdr, .gpa = GPA};
	u16 word;

	assert_int_equal(seam_hold(m.s, &h), SEAM_HOLD_OK);
	assert_true(seam_lock_word(m.s, &h, &word));
	assert_int_equal(word, 1);
	expect_status(call(&m, 0, MEM_SEPT_RD, GPA, m.tdr, 0), SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	assert_true(seam_lock_word(m.s, &h, &word));
	assert_int_equal(word, 3);
	assert_int_equal(seam_drop(m.s, &h), SEAM_HOLD_OK);
	assert_true(seam_lock_word(m.s, &h, &word));
	assert_int_equal(word, 2);
}

static void expect_unsound(const char *says)
{
	char why[256] = "";

	if (seam_check(m.s, why, sizeof(why)))
		fail_msg("seam_check() does not notice: %s", says);
	if (!strstr(why, says))
		fail_msg("seam_check() says \"%s\", wanted \"%s\"", why, says);
}

static void test_inspect__check_notices_tds(void **state)
{
	struct seam_td *td = seam_td_find(m.s, m.tdr);

	td->child_count++;
	expect_unsound("child count");
	td->child_count -= 2;
	expect_unsound("child count");
	td->child_count++;
	td->nr_assoc++;
	expect_unsound("counted as associated");
	td->nr_assoc--;
	td->refcount[0]++;
	expect_unsound("REFCOUNT[0] is 1, 0 VCPUs");
	/* A dead TD may have them. */
	td->fatal = true;
	assert_true(seam_check(m.s, (char[64]){0}, 64));
	td->fatal = false;
	td->refcount[0]--;
	td->tree_lock = 4;
	expect_unsound("a lock is left");
	td->tree_lock = SEAM_WORD_HP;
	assert_true(seam_check(m.s, (char[64]){0}, 64));
	td->epoch_lock = 1;
	expect_unsound("a lock is left");
	td->epoch_lock = 0;
	td->opstate_lock = 1;
	expect_unsound("a lock is left");
	td->opstate_lock = 0;
}

static void test_inspect__check_notices_pamt(void **state)
{
	const u64 at = 0x80600000; /* in the second gigabyte, where nothing else is */
	const struct seam_config cfg = {.nr_tdmr = 1, .tdmr = {{TDMR_BASE, 0x80000000}}};
	struct seam_pamt_entry *g, *b, *e;

	teardown(state);
	machine_init_cfg(&m, &cfg);
	g = seam_pamt_at(m.s, at, 2);
	b = seam_pamt_at(m.s, at, 1);
	e = seam_pamt_at(m.s, at + 0x5000, 0);
	g->lock = 4;
	expect_unsound("level 2: lock word 0x4");
	g->lock = 0;
	b->lock = 1;
	expect_unsound("level 1: lock word 0x1");
	b->lock = 0;
	e->lock = 1;
	expect_unsound("level 0: lock word 0x1");
	e->lock = 0;
	/* Described at two levels. */
	e->type = SEAM_PT_RSVD;
	b->type = SEAM_PT_REG;
	expect_unsound("is one large page, but 1");
	e->type = SEAM_PT_NDA;
	g->type = SEAM_PT_REG;
	expect_unsound("described at 1G and");
	b->type = SEAM_PT_NDA;
	e->type = SEAM_PT_RSVD;
	expect_unsound("is one large page, but 1");
	e->type = SEAM_PT_NDA;
	g->type = SEAM_PT_NDA;
}

static void test_inspect__check_notices_pairs(void **state)
{
	const struct seam_config cfg = {.profile = "1.5.25", .dynamic_pamt = true};
	const u64 hpa0 = 0x7f100000;
	struct seam_pamt_4k *sub;

	teardown(state);
	machine_init_cfg(&m, &cfg);
	call_ok(&m, 0, PHYMEM_PAMT_ADD, SMALL | 1, hpa0, hpa0 + 0x1000);
	sub = seam_pamt_block(m.s, SMALL)->sub;
	sub->count++;
	expect_unsound("page count 1, 0 entries");
	sub->count--;
	seam_bitmap_clear(m.s, hpa0);
	expect_unsound("has no bitmap bit");
	seam_bitmap_set(m.s, hpa0);
	seam_bitmap_set(m.s, hpa0 + 0x2000);
	expect_unsound("3 bitmap bits are set, 1 pairs and 0 reserved");
	seam_bitmap_clear(m.s, hpa0 + 0x2000);
	/* A page of a pair that is also somebody's. */
	call_ok(&m, 0, PHYMEM_PAMT_ADD, 0x7f000001, hpa0 + 0x4000, hpa0 + 0x5000);
	seam_pamt_at(m.s, hpa0, 0)->type = SEAM_PT_RSVD;
	expect_unsound("is assigned, type 1");
	seam_pamt_at(m.s, hpa0, 0)->type = SEAM_PT_NDA;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_inspect__sept_in_order),
		T(test_inspect__tracked_waits_for_old_vcpus),
		T(test_inspect__nothing_there),
		T(test_inspect__walks_stop),
		T(test_inspect__dynamic_pamt_pages),
		T(test_inspect__reserved_without_dynamic_pamt),
		T(test_inspect__holds),
		T(test_inspect__entry_word),
		T(test_inspect__check_notices_tds),
		T(test_inspect__check_notices_pamt),
		T(test_inspect__check_notices_pairs),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
