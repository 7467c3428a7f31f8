// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lock words bit for bit: every attempt from every word, what it answers and what it leaves behind.
 * The rows are tdx-module.md 6.1 and 4.5; recordings show the same words through "lock" lines.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "tdx/lock.h"
#include "tdx/sept.h"

#define EX SEAM_WORD_EX
#define HP SEAM_WORD_HP

struct row {
	u16 word;
	enum seam_mode mode;
	enum seam_side side;
	enum seam_try answer;
	u16 left;
};

/*
 *  15..1 readers | 0 exclusive
 */
static void test_lock__sharex_words(void **state)
{
	static const struct row rows[] = {
		{0, SEAM_SH, SEAM_HOST, SEAM_TRY_OK, 2},
		{2, SEAM_SH, SEAM_HOST, SEAM_TRY_OK, 4},
		{0, SEAM_EX, SEAM_HOST, SEAM_TRY_OK, EX},
		{2, SEAM_EX, SEAM_HOST, SEAM_TRY_BUSY, 2},
		{EX, SEAM_EX, SEAM_HOST, SEAM_TRY_BUSY, EX},
		/* the refused reader stays counted */
		{EX, SEAM_SH, SEAM_HOST, SEAM_TRY_BUSY, 3},
		{3, SEAM_SH, SEAM_HOST, SEAM_TRY_BUSY, 5},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		u16 word = rows[i].word;

		assert_int_equal(seam_sharex_try(&word, rows[i].mode), rows[i].answer);
		assert_int_equal(word, rows[i].left);
	}
}

/*
 *  15..2 readers | 1 host priority | 0 exclusive
 */
static void test_lock__host_priority_words(void **state)
{
	static const struct row rows[] = {
		{0, SEAM_SH, SEAM_HOST, SEAM_TRY_OK, 4},
		{4, SEAM_SH, SEAM_HOST, SEAM_TRY_OK, 8},
		{0, SEAM_EX, SEAM_HOST, SEAM_TRY_OK, EX},
		/* a refused host reserves, in either mode */
		{EX, SEAM_SH, SEAM_HOST, SEAM_TRY_BUSY, 7},
		{7, SEAM_SH, SEAM_HOST, SEAM_TRY_BUSY, 0xb},
		{EX, SEAM_EX, SEAM_HOST, SEAM_TRY_BUSY, EX | HP},
		{4, SEAM_EX, SEAM_HOST, SEAM_TRY_BUSY, 4 | HP},
		/* any host success takes the reservation away, a reader's too */
		{HP, SEAM_SH, SEAM_HOST, SEAM_TRY_OK, 4},
		{4 | HP, SEAM_SH, SEAM_HOST, SEAM_TRY_OK, 8},
		{HP, SEAM_EX, SEAM_HOST, SEAM_TRY_OK, EX},
		/* a guest reserves nothing and gives way to a reservation */
		{EX, SEAM_EX, SEAM_GUEST, SEAM_TRY_BUSY, EX},
		{4, SEAM_EX, SEAM_GUEST, SEAM_TRY_BUSY, 4},
		{HP, SEAM_EX, SEAM_GUEST, SEAM_TRY_BUSY_HP, HP},
		{4 | HP, SEAM_SH, SEAM_GUEST, SEAM_TRY_BUSY_HP, 4 | HP},
		{0, SEAM_EX, SEAM_GUEST, SEAM_TRY_OK, EX},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		u16 word = rows[i].word;

		assert_int_equal(seam_sharex_hp_try(&word, rows[i].mode, rows[i].side),
				 rows[i].answer);
		assert_int_equal(word, rows[i].left);
	}
}

static void test_lock__exclusive_release_clears_readers_keeps_hp(void **state)
{
	u16 word = EX | HP | 3 * 4, plain = EX | 3 * 2;

	seam_sharex_hp_release(&word, SEAM_EX);
	assert_int_equal(word, HP);
	seam_sharex_release(&plain, SEAM_EX);
	assert_int_equal(plain, 0);
}

static void test_lock__upgrade_needs_to_be_alone(void **state)
{
	u16 alone = 4 | HP, two = 8;

	assert_int_equal(seam_sharex_hp_upgrade(&alone), SEAM_TRY_OK);
	assert_int_equal(alone, EX);
	assert_int_equal(seam_sharex_hp_upgrade(&two), SEAM_TRY_BUSY);
	assert_int_equal(two, 8 | HP);
}

static void test_lock__entry_bits(void **state)
{
	u64 entry = SEPT_FREE_VALUE;

	assert_int_equal(seam_entry_try(&entry, SEAM_GUEST), SEAM_TRY_OK);
	assert_true(entry == (SEPT_FREE_VALUE | SEPT_LOCK));
	assert_int_equal(seam_entry_try(&entry, SEAM_GUEST), SEAM_TRY_BUSY);
	assert_true(entry == (SEPT_FREE_VALUE | SEPT_LOCK));
	assert_int_equal(seam_entry_try(&entry, SEAM_HOST), SEAM_TRY_BUSY);
	assert_true(entry == (SEPT_FREE_VALUE | SEPT_LOCK | SEPT_HP));
	seam_entry_release(&entry);
	assert_int_equal(seam_entry_try(&entry, SEAM_GUEST), SEAM_TRY_BUSY_HP);
	assert_true(entry == (SEPT_FREE_VALUE | SEPT_HP));
	assert_int_equal(seam_entry_try(&entry, SEAM_HOST), SEAM_TRY_OK);
	assert_true(entry == (SEPT_FREE_VALUE | SEPT_LOCK));
}

/* The one that is locked gets the reservation, those before it are free again. */
static void test_lock__row_of_entries_is_all_or_none(void **state)
{
	struct seam_held_list held = {0};
	u64 e[4] = {0, 0, SEPT_LOCK, 0};

	assert_int_equal(seam_hold_entries(&held, e, 4), SEAM_TRY_BUSY);
	assert_int_equal(held.nr, 0);
	assert_true(!e[0] && !e[1] && !e[3]);
	assert_true(e[2] == (SEPT_LOCK | SEPT_HP));

	seam_entry_release(&e[2]);
	assert_int_equal(seam_hold_entries(&held, e, 4), SEAM_TRY_OK);
	for (int i = 0; i < 4; i++)
		assert_true(e[i] & SEPT_LOCK);
	seam_release_to(&held, 0);
	for (int i = 0; i < 4; i++)
		assert_true(!e[i]);
}

static void test_lock__list_releases_what_is_left(void **state)
{
	struct seam_held_list held, kept = {0};
	const struct seam_held_list none = {0};
	u16 tree = 0, tdr = 0, page = 0, mutex = 0;

	/* As on the stack of a call: behind the last there is anything. */
	memset(&held, 0x5a, sizeof(held));
	held.nr = 0;
	assert_int_equal(seam_hold_sharex_hp(&held, &tdr, SEAM_SH, SEAM_HOST), SEAM_TRY_OK);
	assert_int_equal(seam_hold_sharex(&held, &tree, SEAM_EX), SEAM_TRY_OK);
	assert_int_equal(seam_hold_sharex_hp(&held, &page, SEAM_SH, SEAM_HOST), SEAM_TRY_OK);
	assert_int_equal(seam_hold_upgrade(&held, &page), SEAM_TRY_OK);
	assert_int_equal(seam_hold_mutex(&held, &mutex), SEAM_TRY_OK);
	assert_int_equal(seam_hold_mutex(&held, &mutex), SEAM_TRY_BUSY);
	assert_int_equal(page, EX);

	seam_release(&held, &tree);
	assert_int_equal(tree, 0);
	seam_hold_move(&held, &kept);
	assert_int_equal(held.nr, 0);
	assert_int_equal(tdr, 4);
	assert_int_equal(page, EX);
	assert_int_equal(kept.h[kept.nr].word, 0);
	seam_release_to(&kept, 0);
	assert_int_equal(tdr, 0);
	assert_int_equal(page, 0);
	assert_int_equal(mutex, 0);
	assert_memory_equal(&kept, &none, sizeof(none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock__sharex_words),
		cmocka_unit_test(test_lock__host_priority_words),
		cmocka_unit_test(test_lock__exclusive_release_clears_readers_keeps_hp),
		cmocka_unit_test(test_lock__upgrade_needs_to_be_alone),
		cmocka_unit_test(test_lock__entry_bits),
		cmocka_unit_test(test_lock__row_of_entries_is_all_or_none),
		cmocka_unit_test(test_lock__list_releases_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
