// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who sees first that a frame is not fit for the module, and what becomes of the VM: policies
 * check_at and sw_error over operands that are really bad. False alarms over good ones are
 * scenarios (policy-check-at-*, policy-sw-error-*).
 */
#include "tests/mmu/td_fixture.h"

#include "mmu/mmu_internal.h"
#include "mmu/spte.h"
#include "mmu/x86.h"

#define AUG SEAM_TDH_MEM_PAGE_AUG

/* A 2M frame of the file, one off its alignment; a 2M frame behind the end of all memory. */
#define BEYOND ((0x80000000ULL + 0x40000000ULL) >> 12)

static u64 unaligned_frame(struct td_fixture *td)
{
	struct gmem_folio_view v;

	assert_int_equal(kvm_gmem_allocate(td->file, 0, TD_SIZE), 0);
	assert_true(kvm_gmem_look_folio(td->file, 0, &v));
	return v.pfn + 1;
}

/* The glue is asked to map @pfn at 2M beside a leaf, so that all tables are there. */
static int map_2m(struct td_fixture *td, u64 pfn)
{
	struct kvm_vcpu *vcpu = td->guest[0].vcpu;
	int ret;

	assert_int_equal(td_prefault(td, TD_GPA, SZ_2M), 0);
	td_mark(td);
	vcpu_load(vcpu);
	ret = kvm_x86_call(set_external_spte)(
		td->kvm, (TD_GPA + SZ_2M) >> 12, SHADOW_NONPRESENT_VALUE,
		PFN_PHYS(pfn) | SPTE_MMU_PRESENT_MASK | PT_PAGE_SIZE_MASK | VMX_EPT_RWX_MASK,
		PG_LEVEL_2M);
	vcpu_put(vcpu);
	return ret;
}

struct layer {
	const char *policy, *value;
	u32 calls, reports; /* that reached the module; of all layers together */
	const char *last;   /* the report that ended the VM */
};

static void check(const struct layer *l, bool beyond)
{
	struct td_fixture *td = td_new(&(struct td_opts){.policy = l->policy, .value = l->value});

	print_message("  %s=%s\n", l->policy, l->value);
	assert_int_equal(map_2m(td, beyond ? BEYOND : unaligned_frame(td)), -EIO);
	assert_int_equal(td_calls(td, AUG), l->calls);
	assert_int_equal(td->reports, l->reports);
	if (strncmp(td->last_report, l->last, strlen(l->last)) != 0)
		fail_msg("report: %s", td->last_report);
	assert_true(kvm_is_bugged(td->kvm));
	td_free(td);
}

/* The module alone says what is wrong; a wrapper warns, and its status is reported once more. */
static void test_check__unaligned_frame(void **state)
{
	static const struct layer layers[] = {
		{"check_at", "glue", 0, 2, "tdx-bug"},	  {"check_at", "wrapper", 0, 2, "tdx-bug"},
		{"check_at", "gmem", 0, 2, "tdx-bug"},	  {"check_at", "module", 1, 1, "tdx-bug"},
		{"check_at", "page_nr", 1, 1, "tdx-bug"}, {"check_at", "typed", 0, 1, "kvm-bug"},
		{"sw_error", "off", 0, 1, "tdx-bug"},	  {"sw_error", "on", 0, 2, "tdx-bug"},
		{"sw_error", "warn", 1, 2, "tdx-bug"},
	};

	for (u32 i = 0; i < RT_ARRAY_SIZE(layers); i++)
		check(&layers[i], false);
}

static void test_check__frame_that_is_not_tdx_memory(void **state)
{
	static const struct layer layers[] = {
		{"check_at", "glue", 1, 2, "tdx-bug"},	  {"check_at", "wrapper", 0, 2, "tdx-bug"},
		{"check_at", "gmem", 1, 2, "tdx-bug"},	  {"check_at", "module", 1, 1, "tdx-bug"},
		{"check_at", "page_nr", 0, 2, "tdx-bug"}, {"check_at", "typed", 0, 1, "kvm-bug"},
	};

	for (u32 i = 0; i < RT_ARRAY_SIZE(layers); i++)
		check(&layers[i], true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check__unaligned_frame),
		cmocka_unit_test(test_check__frame_that_is_not_tdx_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
