// SPDX-License-Identifier: GPL-2.0-only
/*
 * Oracles can break: each test changes something past KVM, takes back the lab's knowledge of it,
 * and names what must be found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sim/lab/kit.h"
#include "sim/lab/oracle.h"

struct found {
	const char *rule;
	bool yes;
};

static void look(void *ctx, const char *rule, const char *text)
{
	struct found *f = ctx;

	f->yes |= !strcmp(f->rule, rule);
	assert_true(strlen(text) > 10);
}

static bool breaks(struct lab_kit *k, const char *rule)
{
	struct found f = {rule, false};

	lab_oracles_quiet(lab_kit_machine(k), look, &f);
	return f.yes;
}

static void test_oracles__blocked_entry(void **state)
{
	struct lab_kit *k = lab_kit_new("");

	assert_int_equal(lab_kit_accept(k, 0, 0x80000000, 2 << 20), 0);
	assert_int_equal(lab_kit_write(k, 0, 0x80000000, 1), 0);
	assert_false(breaks(k, "no-blocked-entry"));
	assert_false(breaks(k, "no-stale-translation"));
	assert_int_equal(lab_kit_do(k, "host: seamcall TDH.MEM.RANGE.BLOCK rcx=slot0|1"), 0);
	lab_kit_machine(k)->td[0].tainted = false;
	assert_true(breaks(k, "no-blocked-entry"));
	/* vCPU 0 is in the guest, and its TLB still has the 2M. */
	assert_true(breaks(k, "no-stale-translation"));
	lab_kit_free(k);
}

static void test_oracles__removed_leaf(void **state)
{
	struct lab_kit *k = lab_kit_new("td vcpus=1");

	assert_int_equal(lab_kit_accept(k, 0, 0x80000000, 2 << 20), 0);
	/*
	 * BLOCK, TRACK, the vCPU out of the guest by a signal's kick, REMOVE: as KVM does it, but
	 * without KVM.
	 */
	assert_int_equal(lab_kit_do(k, "host: seamcall TDH.MEM.RANGE.BLOCK rcx=slot0|1"), 0);
	assert_int_equal(lab_kit_do(k, "host: seamcall TDH.MEM.TRACK"), 0);
	assert_int_equal(lab_kit_do(k, "host: signal vcpu0"), 0);
	assert_int_equal(lab_kit_do(k, "host: seamcall TDH.MEM.PAGE.REMOVE rcx=slot0|1"), 0);
	lab_kit_machine(k)->td[0].tainted = false;
	assert_true(breaks(k, "mirror-matches-sept"));
	lab_kit_free(k);
}

/* R2: the S-EPT page at a place is not the one that KVM's table has. */
static void test_oracles__another_table_page(void **state)
{
	struct lab_kit *k = lab_kit_new("module dynamic_pamt=off\ntd vcpus=1");

	assert_int_equal(lab_kit_do(k, "host: prefault slot0 4K level=4K"), 0);
	assert_int_equal(lab_kit_do(k, "host: punch slot0 2M"), 0);
	assert_false(breaks(k, "mirror-matches-sept"));
	assert_int_equal(lab_kit_do(k, "host: seamcall TDH.MEM.RANGE.BLOCK rcx=slot0|1"), 0);
	assert_int_equal(lab_kit_do(k, "host: seamcall TDH.MEM.TRACK"), 0);
	assert_int_equal(lab_kit_do(k, "host: seamcall TDH.MEM.SEPT.REMOVE rcx=slot0|1"), 0);
	assert_int_equal(lab_kit_do(k, "host: seamcall TDH.MEM.SEPT.ADD rcx=slot0|1 r8=page0"), 0);
	lab_kit_machine(k)->td[0].tainted = false;
	assert_true(breaks(k, "mirror-matches-sept"));
	lab_kit_free(k);
}

static void test_oracles__lost_page_is_named(void **state)
{
	struct lab_kit *k = lab_kit_new("td vcpus=1");

	assert_int_equal(lab_kit_accept(k, 0, 0x80000000, 2 << 20), 0);
	assert_int_equal(lab_kit_do(k, "host: seamcall TDH.MEM.RANGE.BLOCK rcx=slot0|1"), 0);
	assert_int_equal(lab_kit_do(k, "host: seamcall TDH.MEM.TRACK"), 0);
	assert_int_equal(lab_kit_do(k, "host: signal vcpu0"), 0);
	lab_kit_machine(k)->td[0].tainted = false;
	lab_kit_expect_broken(k);
	/* tainted again by this call, but the model has seen the loss when the table rules count */
	lab_kit_do(k, "host: seamcall TDH.MEM.PAGE.REMOVE rcx=slot0|1");
	assert_int_equal(lab_kit_stat(k, "reaccept_pages"), 512);
	lab_kit_free(k);
}

static void test_oracles__every_one_has_a_name_and_a_sentence(void **state)
{
	for (u32 i = 0; i < LAB_ORACLE_NR; i++) {
		const struct lab_oracle_desc *o = lab_oracle_desc(i);

		assert_true(strlen(o->name) > 2 && strlen(o->text) > 10 && strlen(o->sources) > 1);
		for (u32 j = 0; j < i; j++)
			assert_string_not_equal(o->name, lab_oracle_name(j));
	}
	assert_null(lab_oracle_name(LAB_ORACLE_NR));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oracles__blocked_entry),
		cmocka_unit_test(test_oracles__removed_leaf),
		cmocka_unit_test(test_oracles__another_table_page),
		cmocka_unit_test(test_oracles__lost_page_is_named),
		cmocka_unit_test(test_oracles__every_one_has_a_name_and_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
