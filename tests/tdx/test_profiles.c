// SPDX-License-Identifier: GPL-2.0-only
/*
 * Profiles as data, and configurations that seam_new() must refuse with what it found and what it
 * expected. That a profile answers like its release is the recordings' business.
 */
#include <string.h>

#include "tests/tdx/machine.h"

#include "tdx/features.h"

static void test_profiles__rows_lie_over_each_other(void **state)
{
	struct seam_features first, last;

	assert_true(seam_profile_features("1.5.01", &first));
	assert_true(seam_profile_features("1.5.34", &last));
	assert_false(seam_profile_features("1.5.02", &first));
	assert_true(seam_profile_features("1.5.01", &first));
	assert_int_equal(first.unblock_untracked_op, SEAM_OP_SEPT_TREE);
	assert_int_equal(last.unblock_untracked_op, SEAM_OP_RCX);
	assert_int_equal(last.tree_hp, 1);
	assert_int_equal(last.poll_hp, 0);
	assert_int_equal(last.blocked_counters, 1);
	assert_true(last.features0 & SEAM_FEATURES0_ENH_DEMOTE);
}

/* Bits that say a thing and switches that do it must agree, in every profile. */
static void test_profiles__features0_tells_the_truth(void **state)
{
	struct seam_features f;
	u32 i;

	for (i = 0; seam_profile_name(i); i++) {
		assert_true(seam_profile_features(seam_profile_name(i), &f));
		assert_int_equal(!!(f.features0 & SEAM_FEATURES0_DYN_PAMT), f.dynamic_pamt);
		assert_int_equal(!!(f.features0 & SEAM_FEATURES0_ENH_DEMOTE), f.enh_demote);
		assert_true(f.enh_demote == f.demote_poll_l2_only);
	}
	assert_true(i >= 7);
	for (u32 sw = 0; sw < SEAM_SW_NR; sw++)
		assert_non_null(seam_switch_help((enum seam_switch)sw));
}

static void test_profiles__bad_configurations(void **state)
{
	static const struct {
		struct seam_config cfg;
		const char *says;
	} rows[] = {
		{{.profile = "2.0"}, "profile \"2.0\""},
		{{.profile = "1.5.16", .dynamic_pamt = true}, "1.5.20 or later expected"},
		{{.profile = "1.5.25", .enh_demote = 1}, "1.5.28 or later expected"},
		{{.lps = 1000}, "lps=1000"},
		{{.lps = 2, .pkgs = 3}, "pkgs=3"},
		{{.keyid_bits = 5}, "HKIDs 0x20+0x20"},
		{{.hkid_global = 0x10}, "global HKID 0x10"},
		{{.nr_tdmr = 1, .tdmr = {{0x1000, 0x40000000}}}, "multiples of 1 GiB"},
		{{.nr_tdmr = 2, .tdmr = {{0x80000000, 0x40000000}, {0x40000000, 0x40000000}}},
		 "ascending expected"},
		{{.nr_tdmr = 1, .tdmr = {{0x3ffc0000000, 0x80000000000000}}}, "HKID bits above"},
		{{.nr_rsvd = 1, .rsvd = {{0x40000800, 0x1000}}}, "multiples of 4 KiB"},
		{{.nr_rsvd = 1, .rsvd = {{0x10000, 0x1000}}}, "inside a TDMR"},
	};
	struct rt_world *w = rt_world_new(NULL);

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		char err[160] = "";

		assert_null(seam_new(&rows[i].cfg, err, sizeof(err)));
		if (!strstr(err, rows[i].says))
			fail_msg("row %zu: \"%s\" has no \"%s\"", i, err, rows[i].says);
	}
	assert_int_equal(rt_mem_stats(w).live_blocks, 0);
	rt_world_free(w);
}

static void test_profiles__enhanced_demote_can_be_turned_off(void **state)
{
	struct seam_config cfg = {.profile = "1.5.28", .enh_demote = -1};
	struct machine m;

	machine_init_cfg(&m, &cfg);
	assert_int_equal(seam_features(m.s)->enh_demote, 0);
	assert_int_equal(seam_features(m.s)->demote_poll_l2_only, 0);
	machine_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles__rows_lie_over_each_other),
		cmocka_unit_test(test_profiles__features0_tells_the_truth),
		cmocka_unit_test(test_profiles__bad_configurations),
		cmocka_unit_test(test_profiles__enhanced_demote_can_be_turned_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
