// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the platform has and what the host does to its MSRs, as the module notices it: no CPUID
 * topology, TSC_ADJUST moved on one LP. Both are read in module source and not recorded.
 */
#include "tests/tdx/machine.h"

#include "sim/rt/phys.h"
#include "tdx/features.h"

#define BAD_MSR (SEAM_INCONSISTENT_MSR | 0x3b)

static struct machine m;

static int setup(void **state)
{
	machine_init(&m, "1.5.25");
	return 0;
}

static int teardown(void **state)
{
	machine_free(&m);
	return 0;
}

static void restart_as(const struct seam_config *cfg)
{
	machine_free(&m);
	machine_init_cfg(&m, cfg);
}

static void test_platform__topology(void **state)
{
	static const struct {
		struct seam_config cfg;
		u64 answer;
	} rows[] = {
		{{.profile = "1.5.01", .no_topology = true}, SEAM_SUCCESS},
		{{.profile = "1.5.05", .no_topology = true},
		 SEAM_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED},
		{{.profile = "1.5.25", .no_topology = true},
		 SEAM_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED},
		{{.profile = "1.5.25"}, SEAM_SUCCESS},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		restart_as(&rows[i].cfg);
		td_create(&m);
		params(RT_BIT(1)); /* no such attribute: said first */
		expect_status(call(&m, 0, MNG_INIT, m.tdr, PARAMS, 0),
			      SEAM_OPERAND_INVALID | SEAM_OP_ATTRIBUTES);
		params(0);
		expect_status(call(&m, 0, MNG_INIT, m.tdr, PARAMS, 0), rows[i].answer);
		/* Refused: still UNINITIALIZED, so asked again it says the same. */
		if (rows[i].answer)
			expect_status(call(&m, 0, MNG_INIT, m.tdr, PARAMS, 0), rows[i].answer);
	}
}

static void test_platform__tsc_adjust_at_mng_init(void **state)
{
	const u16 slow = 3;

	td_create(&m);
	params(0);
	seam_set_tsc_adjust(m.s, 0, 1);
	rt_phys_poke(PARAMS + 0x28, 0, &slow, sizeof(slow));
	expect_status(call(&m, 0, MNG_INIT, m.tdr, PARAMS, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_TSC_FREQUENCY);
	params(0);
	expect_status(call(&m, 0, MNG_INIT, m.tdr, PARAMS, 0), BAD_MSR);
	/* Each LP has its own. */
	call_ok(&m, 1, MNG_INIT, m.tdr, PARAMS, 0);
}

/*
 * up to 1.5.08:  TDVPR ... MAX_VCPUS, x2APIC id | TSC_ADJUST      the slot is gone
 * from 1.5.09:   TSC_ADJUST | version, TDVPR ... x2APIC id        nothing has happened
 */
static void test_platform__tsc_adjust_at_vp_init(void **state)
{
	static const struct {
		struct seam_config cfg;
		bool first;
		u32 vcpus;
	} rows[] = {
		{{.profile = "1.5.01"}, false, 1},
		{{.profile = "1.5.05"}, false, 1},
		{{.profile = "1.5.16"}, true, 0},
		{{.profile = "1.5.34"}, true, 0},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		u64 no_tdvpr, tdvpr, wrong = SEAM_RAX(SEAM_TDH_VP_INIT, 2);
		struct seam_vcpu_view v;
		struct seam_td_view td;

		restart_as(&rows[i].cfg);
		td_create(&m);
		params(0);
		call_ok(&m, 0, MNG_INIT, m.tdr, PARAMS, 0);
		tdvpr = vcpu_create(&m, 0);
		no_tdvpr = machine_page(&m);
		seam_set_tsc_adjust(m.s, 0, ~0ULL);
		expect_status(call4(&m, 0, wrong, tdvpr, 0, 0, 0),
			      rows[i].first ? BAD_MSR : SEAM_OPERAND_INVALID | SEAM_OP_RAX);
		call(&m, 0, VP_INIT, no_tdvpr, 0, 0);
		assert_true((m.r.rax == BAD_MSR) == rows[i].first);
		expect_status(call(&m, 0, VP_INIT, tdvpr, 0, 0), BAD_MSR);
		assert_true(seam_look_td(m.s, m.tdr, &td));
		assert_int_equal(td.vcpus, rows[i].vcpus);
		assert_int_equal(td.assoc, 0);
		assert_true(seam_look_vcpu(m.s, tdvpr, &v));
		assert_int_equal(v.state, 0);
		seam_set_tsc_adjust(m.s, 0, 0);
		call_ok(&m, 0, VP_INIT, tdvpr, 0, 0);
	}
}

static void test_platform__tsc_adjust_at_vp_enter(void **state)
{
	struct seam_vcpu_view v;
	struct seam_td_view td;

	td_build(&m, 0, 1);
	call_ok(&m, 0, VP_FLUSH, m.vcpu[0], 0, 0);
	seam_set_tsc_adjust(m.s, 1, 7);
	/* After the flags of RCX. */
	expect_status(call(&m, 1, VP_ENTER, m.vcpu[0] | RT_BIT(53), 0, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(call(&m, 1, VP_ENTER, m.vcpu[0], 0, 0), BAD_MSR);
	/* Before the epoch step, after the association. */
	assert_true(seam_look_td(m.s, m.tdr, &td));
	assert_int_equal(td.refcount[0] + td.refcount[1], 0);
	assert_true(seam_look_vcpu(m.s, m.vcpu[0], &v));
	assert_int_equal(v.assoc, 1);
	expect_status(call(&m, 0, VP_ENTER, m.vcpu[0], 0, 0), SEAM_VCPU_ASSOCIATED);
	seam_set_tsc_adjust(m.s, 1, 0);
	enter(&m, 1, 0);
	leave(&m, 1);
}

/* What SYS.INIT finds is what all LPs are held to. */
static void test_platform__tsc_adjust_of_a_cold_module(void **state)
{
	const struct seam_config cfg = {.profile = "1.5.25", .cold = true, .lps = 2};

	restart_as(&cfg);
	seam_set_tsc_adjust(m.s, 0, 5);
	expect_status(call(&m, 1, SYS_LP_INIT, 0, 0, 0), SEAM_SYS_LP_INIT_NOT_PENDING);
	call_ok(&m, 0, SYS_INIT, 0, 0, 0);
	call_ok(&m, 0, SYS_LP_INIT, 0, 0, 0);
	expect_status(call(&m, 1, SYS_LP_INIT, 0, 0, 0), BAD_MSR);
	seam_set_tsc_adjust(m.s, 1, 5);
	call_ok(&m, 1, SYS_LP_INIT, 0, 0, 0);
	seam_set_tsc_adjust(m.s, 1, 6);
	expect_status(call(&m, 1, SYS_LP_INIT, 0, 0, 0), SEAM_SYS_LP_INIT_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_platform__topology),
		T(test_platform__tsc_adjust_at_mng_init),
		T(test_platform__tsc_adjust_at_vp_init),
		T(test_platform__tsc_adjust_at_vp_enter),
		T(test_platform__tsc_adjust_of_a_cold_module),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
