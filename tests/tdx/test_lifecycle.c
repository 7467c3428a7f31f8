// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD's life in the wrong order (tdx-module.md 3.3), what CACHE.WB and the keys ask for, metadata,
 * and the module's own bring-up from cold (5.11), which no recording has.
 */
#include "tests/tdx/machine.h"

#include <string.h>

#include "sim/rt/phys.h"

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

static void test_lifecycle__build_in_the_wrong_order(void **state)
{
	u64 tdr = SMALL, x = SMALL + 0x100000, i;

	expect_status(call(&m, 0, MNG_KEY_CONFIG, tdr, 0, 0),
		      SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX);
	expect_status(call(&m, 0, MNG_CREATE, tdr, 0x1f, 0), SEAM_OPERAND_INVALID | SEAM_OP_RDX);
	expect_status(call(&m, 0, MNG_CREATE, tdr, 0x20, 0), SEAM_HKID_NOT_FREE);
	call_ok(&m, 0, MNG_CREATE, tdr, 0x21, 0);
	expect_status(call(&m, 0, MNG_CREATE, x, 0x21, 0), SEAM_HKID_NOT_FREE);
	expect_status(call(&m, 0, MNG_ADDCX, x, tdr, 0), SEAM_TD_KEYS_NOT_CONFIGURED);
	call_ok(&m, 0, MNG_KEY_CONFIG, tdr, 0, 0);
	expect_status(call(&m, 0, MNG_KEY_CONFIG, tdr, 0, 0), SEAM_LIFECYCLE_STATE_INCORRECT);
	expect_status(call(&m, 0, MNG_INIT, tdr, PARAMS, 0), SEAM_TDCS_NOT_ALLOCATED);
	for (i = 0; i < 6; i++)
		call_ok(&m, 0, MNG_ADDCX, x + i * 0x1000, tdr, 0);
	expect_status(call(&m, 0, VP_CREATE, x + 0x10000, tdr, 0), SEAM_OP_STATE_INCORRECT);
	params(0);
	call_ok(&m, 0, MNG_INIT, tdr, PARAMS, 0);
	expect_status(call(&m, 0, MNG_INIT, tdr, PARAMS, 0), SEAM_OP_STATE_INCORRECT | 1);
	expect_status(call(&m, 0, MNG_ADDCX, x + 0x10000, tdr, 0), SEAM_OP_STATE_INCORRECT | 1);
	expect_status(call(&m, 0, MR_FINALIZE, tdr, 0, 0), SEAM_NO_VCPUS);
}

static void test_lifecycle__vcpu_in_the_wrong_order(void **state)
{
	u64 tdvpr, i;

	td_create(&m);
	params(0);
	call_ok(&m, 0, MNG_INIT, m.tdr, PARAMS, 0);
	tdvpr = machine_page(&m);
	call_ok(&m, 0, VP_CREATE, tdvpr, m.tdr, 0);
	expect_status(call(&m, 0, VP_INIT, tdvpr, 0, 0), SEAM_TDCX_NUM_INCORRECT);
	expect_status(call(&m, 0, VP_FLUSH, tdvpr, 0, 0), SEAM_TDCX_NUM_INCORRECT);
	for (i = 0; i < 5; i++)
		call_ok(&m, 0, VP_ADDCX, machine_page(&m), tdvpr, 0);
	expect_status(call(&m, 0, VP_RD, tdvpr, 0, 0), SEAM_VCPU_STATE_INCORRECT);
	expect_status(call(&m, 0, VP_FLUSH, tdvpr, 0, 0), SEAM_VCPU_NOT_ASSOCIATED);
	expect_status(call(&m, 0, VP_ENTER, tdvpr, 0, 0), SEAM_OP_STATE_INCORRECT | 1);
	call_ok(&m, 0, VP_INIT, tdvpr, 0, 0);
	expect_status(call(&m, 0, VP_INIT, tdvpr, 0, 0), SEAM_VCPU_STATE_INCORRECT | 2);
	expect_status(call(&m, 0, VP_ADDCX, machine_page(&m), tdvpr, 0),
		      SEAM_VCPU_STATE_INCORRECT | 2);
}

static u64 init_v1(u64 tdvpr, u64 id)
{
	return call4(&m, 0, SEAM_RAX(SEAM_TDH_VP_INIT, 1), tdvpr, 0, id, 0);
}

static void test_lifecycle__x2apic_ids(void **state)
{
	u64 a, b;

	td_create(&m);
	params(0);
	call_ok(&m, 0, MNG_INIT, m.tdr, PARAMS, 0);
	a = vcpu_create(&m, 0);
	b = vcpu_create(&m, 0);
	expect_status(init_v1(a, RT_BIT(32)), SEAM_OPERAND_INVALID | SEAM_OP_R8);
	expect_status(init_v1(a, 5), SEAM_SUCCESS);
	expect_status(init_v1(b, 5), SEAM_X2APIC_ID_NOT_UNIQUE | 5);
	expect_status(init_v1(b, 6), SEAM_SUCCESS);
	expect_status(call4(&m, 0, SEAM_RAX(SEAM_TDH_VP_INIT, 2), b, 0, 0, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RAX);
}

static void test_lifecycle__teardown_in_the_wrong_order(void **state)
{
	struct seam_td_view td;
	u64 page;

	td_build(&m, 0, 2);
	expect_status(call(&m, 0, MNG_KEY_FREEID, m.tdr, 0, 0), SEAM_LIFECYCLE_STATE_INCORRECT);
	expect_status(call(&m, 0, PHYMEM_CACHE_WB, 0, 0, 0), SEAM_NO_HKID_READY_TO_WBCACHE);
	expect_status(call(&m, 0, PHYMEM_PAGE_RECLAIM, m.tdr, 0, 0),
		      SEAM_LIFECYCLE_STATE_INCORRECT);
	expect_status(call(&m, 0, MNG_VPFLUSHDONE, m.tdr, 0, 0), SEAM_FLUSHVP_NOT_DONE);
	call_ok(&m, 0, VP_FLUSH, m.vcpu[0], 0, 0);
	expect_status(call(&m, 0, MNG_VPFLUSHDONE, m.tdr, 0, 0), SEAM_FLUSHVP_NOT_DONE);
	call_ok(&m, 1, VP_FLUSH, m.vcpu[1], 0, 0);
	call_ok(&m, 0, MNG_VPFLUSHDONE, m.tdr, 0, 0);
	expect_status(call(&m, 0, MEM_TRACK, m.tdr, 0, 0), SEAM_TD_KEYS_NOT_CONFIGURED);
	expect_status(call(&m, 0, MNG_KEY_FREEID, m.tdr, 0, 0), SEAM_WBCACHE_NOT_COMPLETE);
	call_ok(&m, 0, PHYMEM_CACHE_WB, 0, 0, 0);
	call_ok(&m, 0, MNG_KEY_FREEID, m.tdr, 0, 0);
	/* The HKID can be used again at once, the pages not. */
	call_ok(&m, 0, MNG_CREATE, SMALL + 0x200000, 0x21, 0);
	expect_status(call(&m, 0, PHYMEM_PAGE_RECLAIM, m.tdr, 0, 0),
		      SEAM_TD_ASSOCIATED_PAGES_EXIST);
	for (page = m.tdr + 0x1000; page < m.small; page += 0x1000)
		call_ok(&m, 0, PHYMEM_PAGE_RECLAIM, page, 0, 0);
	call_ok(&m, 0, PHYMEM_PAGE_RECLAIM, m.tdr, 0, 0);
	assert_false(seam_look_td(m.s, m.tdr, &td));
}

static void test_lifecycle__cache_wb_resumes(void **state)
{
	td_create(&m);
	expect_status(call(&m, 0, PHYMEM_CACHE_WB, 1, 0, 0), SEAM_WBCACHE_RESUME_ERROR);
	expect_status(call(&m, 0, PHYMEM_CACHE_WB, 2, 0, 0), SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	call_ok(&m, 0, MNG_VPFLUSHDONE, m.tdr, 0, 0);
	/* A maskable interrupt with the host's interrupts off does not stop it, an NMI does. */
	seam_set_if(m.s, 0, false);
	seam_irq_raise(m.s, 0, SEAM_IRQ_INTR | SEAM_IRQ_NMI);
	expect_status(call(&m, 0, PHYMEM_CACHE_WB, 0, 0, 0), SEAM_INTERRUPTED_RESUMABLE);
	expect_status(call(&m, 0, PHYMEM_CACHE_WB, 1, 0, 0), SEAM_INTERRUPTED_RESUMABLE);
	expect_status(call(&m, 0, MNG_KEY_FREEID, m.tdr, 0, 0), SEAM_WBCACHE_NOT_COMPLETE);
	seam_irq_clear(m.s, 0, SEAM_IRQ_NMI);
	call_ok(&m, 0, PHYMEM_CACHE_WB, 1, 0, 0);
	seam_irq_clear(m.s, 0, SEAM_IRQ_INTR);
	seam_set_if(m.s, 0, true);
	call_ok(&m, 0, MNG_KEY_FREEID, m.tdr, 0, 0);
}

static void test_lifecycle__metadata(void **state)
{
	const u64 hp_timeout = 0x9110000300000011ULL, shared_eptp = 0x000000030000203cULL;

	td_build(&m, 0, 1);
	expect_status(call(&m, 0, MNG_RD, m.tdr, 0x9110000200000002ULL, 0), SEAM_SUCCESS);
	assert_int_equal(m.r.r8, 4);
	expect_status(call(&m, 0, MNG_RD, m.tdr, hp_timeout, 0), SEAM_SUCCESS);
	assert_int_equal(m.r.r8, 1000000);
	expect_status(call4(&m, 0, SEAM_TDH_MNG_WR, m.tdr, hp_timeout, 1, ~0ULL),
		      SEAM_METADATA_FIELD_VALUE_NOT_VALID);
	assert_int_equal(m.r.r8, 0);
	expect_status(call4(&m, 0, SEAM_TDH_MNG_WR, m.tdr, hp_timeout, 20000, ~0ULL), SEAM_SUCCESS);
	assert_int_equal(m.r.r8, 1000000);
	expect_status(call4(&m, 0, SEAM_TDH_MNG_WR, m.tdr, 0x9110000200000002ULL, 9, ~0ULL),
		      SEAM_METADATA_FIELD_NOT_WRITABLE);
	expect_status(call4(&m, 0, SEAM_TDH_VP_WR, m.vcpu[0], shared_eptp, 0x1234, 0xff),
		      SEAM_SUCCESS);
	expect_status(call(&m, 0, VP_RD, m.vcpu[0], shared_eptp, 0), SEAM_SUCCESS);
	assert_int_equal(m.r.r8, 0x34);
	/* Reading associates: the VCPU belongs to LP 0 now. */
	expect_status(call(&m, 1, VP_RD, m.vcpu[0], shared_eptp, 0), SEAM_VCPU_ASSOCIATED);
}

static void test_lifecycle__sys_fields(void **state)
{
	u64 id = ~0ULL, n = 0, list[512];

	expect_status(call(&m, 0, SYS_RD, 0, ~0ULL, 0), SEAM_METADATA_FIRST_FIELD_ID_IN_CONTEXT);
	assert_int_equal(m.r.rdx, 0x200000000ULL);
	for (id = 0x0800000200000000ULL; id != ~0ULL; id = m.r.rdx, n++)
		call_ok(&m, 0, SYS_RD, 0, id, 0);
	expect_status(call(&m, 0, SYS_RD, 0, 0x0a00000300000001ULL, 0),
		      SEAM_METADATA_FIELD_ID_INCORRECT);
	assert_int_equal(m.r.rdx, ~0ULL);
	/* RDALL hands out the same fields, as id and value. */
	call_ok(&m, 0, SYS_RDALL, 0x20000, ~0ULL, 0);
	assert_int_equal(m.r.rdx, ~0ULL);
	rt_phys_peek(0x20000, list, sizeof(list));
	assert_int_equal(list[0] >> 16, n);
	assert_int_equal(list[1], 0x0800000200000000ULL);
	assert_int_equal(list[2], 0x8086);
	/* SYS.INFO: 1024 bytes and the CMRs. */
	expect_status(call4(&m, 0, SEAM_TDH_SYS_INFO, 0x21000, 1000, 0x22000, 32),
		      SEAM_OPERAND_INVALID | SEAM_OP_RDX);
	expect_status(call4(&m, 0, SEAM_TDH_SYS_INFO, 0x21000, 1024, 0x22000, 32), SEAM_SUCCESS);
	rt_phys_peek(0x21020, list, 8);
	assert_int_equal(list[0] & 0xffff, 64);
	assert_int_equal(list[0] >> 16 & 0xffff, 16);
}

/* One TDMR at 1 GiB with its PAMT at 2 GiB, described at 0x30000. */
static void tdmr_info(u64 base, u64 size, u64 pamt)
{
	const u64 pa = 0x30200;
	u64 info[64] = {base, size, pamt, 0x1000, pamt + 0x1000, 0x2000, pamt + 0x3000, 0x400000};

	rt_phys_poke(0x30000, 0, &pa, sizeof(pa));
	rt_phys_poke(pa, 0, info, sizeof(info));
}

static u64 sys_config(u64 r8)
{
	return call(&m, 0, SYS_CONFIG, 0x30000, 1, r8);
}

static void test_lifecycle__cold_start(void **state)
{
	const struct seam_config cfg = {.profile = "1.5.25", .cold = true, .lps = 2, .pkgs = 2};
	const u64 gib = RT_BIT(30);
	u32 i;

	teardown(state);
	machine_init_cfg(&m, &cfg);
	expect_status(call(&m, 0, MNG_CREATE, SMALL, 0x21, 0), SEAM_SYS_NOT_READY);
	expect_status(call(&m, 0, SYS_LP_INIT, 0, 0, 0), SEAM_SYS_LP_INIT_NOT_PENDING);
	expect_status(call(&m, 0, SYS_INIT, 1, 0, 0), SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	call_ok(&m, 0, SYS_INIT, 0, 0, 0);
	expect_status(call(&m, 0, SYS_INIT, 0, 0, 0), SEAM_SYS_INIT_NOT_PENDING);
	call_ok(&m, 0, SYS_LP_INIT, 0, 0, 0);
	expect_status(call(&m, 0, SYS_LP_INIT, 0, 0, 0), SEAM_SYS_LP_INIT_DONE);
	expect_status(sys_config(0x20), SEAM_SYS_CONFIG_NOT_PENDING);
	call_ok(&m, 1, SYS_LP_INIT, 0, 0, 0);

	expect_status(sys_config(0x10), SEAM_OPERAND_INVALID | SEAM_OP_R8);
	expect_status(call(&m, 0, SYS_CONFIG, 0x30000, 65, 0x20),
		      SEAM_OPERAND_INVALID | SEAM_OP_RDX);
	expect_status(call(&m, 0, SYS_CONFIG, 0x30008, 1, 0x20),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	tdmr_info(gib + 0x1000, gib, 2 * gib);
	expect_status(seam_status(sys_config(0x20)), SEAM_INVALID_TDMR);
	tdmr_info(64 * gib, gib, 2 * gib);
	expect_status(seam_status(sys_config(0x20)), SEAM_TDMR_OUTSIDE_CMRS);
	tdmr_info(gib, gib, 2 * gib + 8);
	expect_status(seam_status(sys_config(0x20)), SEAM_INVALID_PAMT);
	tdmr_info(gib, gib, 64 * gib);
	expect_status(seam_status(sys_config(0x20)), SEAM_PAMT_OUTSIDE_CMRS);
	tdmr_info(gib, gib, gib);
	expect_status(seam_status(sys_config(0x20)), SEAM_PAMT_OVERLAP);
	tdmr_info(gib, gib, 2 * gib);
	expect_status(call(&m, 0, SYS_KEY_CONFIG, 0, 0, 0), SEAM_SYS_KEY_CONFIG_NOT_PENDING);
	expect_status(sys_config(0x20), SEAM_SUCCESS);
	expect_status(sys_config(0x20), SEAM_SYS_CONFIG_NOT_PENDING);

	call_ok(&m, 0, SYS_KEY_CONFIG, 0, 0, 0);
	expect_status(call(&m, 0, SYS_KEY_CONFIG, 0, 0, 0), SEAM_KEY_CONFIGURED);
	expect_status(call(&m, 0, SYS_TDMR_INIT, gib, 0, 0), SEAM_SYS_NOT_READY);
	call_ok(&m, 1, SYS_KEY_CONFIG, 0, 0, 0);
	expect_status(call(&m, 0, MNG_CREATE, SMALL, 0x21, 0),
		      SEAM_OPERAND_ADDR_RANGE_ERROR | SEAM_OP_RCX);
	for (i = 0; i < 256; i++) {
		call_ok(&m, i % 2, SYS_TDMR_INIT, gib, 0, 0);
		assert_int_equal(m.r.rdx, i == 255 ? 2 * gib : gib);
	}
	expect_status(call(&m, 0, SYS_TDMR_INIT, gib, 0, 0), SEAM_TDMR_ALREADY_INITIALIZED);
	call_ok(&m, 0, MNG_CREATE, SMALL, 0x21, 0);
	call_ok(&m, 0, SYS_LP_SHUTDOWN, 0, 0, 0);
	expect_status(call(&m, 0, SYS_RD, 0, ~0ULL, 0), SEAM_SYS_SHUTDOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_lifecycle__build_in_the_wrong_order),
		T(test_lifecycle__vcpu_in_the_wrong_order),
		T(test_lifecycle__x2apic_ids),
		T(test_lifecycle__teardown_in_the_wrong_order),
		T(test_lifecycle__cache_wb_resumes),
		T(test_lifecycle__metadata),
		T(test_lifecycle__sys_fields),
		T(test_lifecycle__cold_start),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
