// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module from cold (tdx-module.md 2.1, 5.11), which no recording has: every refusal of
 * SYS.CONFIG with its details, the global lock, keys of several packages, SYS.TDMR.INIT's progress,
 * reserved areas and the bitmap; and what SYS.INFO and RDALL refuse.
 */
#include "tests/tdx/machine.h"

#include <string.h>

#include "sim/rt/phys.h"
#include "tdx/internal.h"

#define GIB			 RT_BIT(30)
#define ARRAY			 0x30000ULL /* of TDMR_INFO addresses */
#define INFO			 0x30200ULL /* the first; 512 bytes each */
#define HKID			 0x20ULL
#define DPAMT			 RT_BIT(16)
#define DETAIL(tdmr, sub, other) ((tdmr) | (sub) << 8 | (other) << 16)

static struct machine m;

/* TDMR_INFO as in memory: base, size, three PAMT areas, reserved areas. */
struct info {
	u64 base, size;
	u64 pamt[3][2];
	u64 rsvd[16][2];
};
static struct info t[2];

static void cold(const char *profile, u32 pkgs)
{
	const struct seam_config cfg = {
		.profile = profile,
		.cold = true,
		.lps = 2,
		.pkgs = pkgs,
		.nr_tdmr = 1,
		.tdmr = {{GIB, 4 * GIB}},
	};

	machine_init_cfg(&m, &cfg);
}

static void init_all(void)
{
	call_ok(&m, 0, SYS_INIT, 0, 0, 0);
	call_ok(&m, 0, SYS_LP_INIT, 0, 0, 0);
	call_ok(&m, 1, SYS_LP_INIT, 0, 0, 0);
}

/* Two good TDMRs of 1 GiB with their PAMTs below 1 GiB. */
static void good(void)
{
	memset(t, 0, sizeof(t));
	for (u64 i = 0; i < 2; i++) {
		u64 at = 0x4000000 + i * 0x1000000;

		t[i].base = (1 + i) * GIB;
		t[i].size = GIB;
		t[i].pamt[0][0] = at;
		t[i].pamt[0][1] = 0x1000;
		t[i].pamt[1][0] = at + 0x1000;
		t[i].pamt[1][1] = 0x2000;
		t[i].pamt[2][0] = at + 0x3000;
		t[i].pamt[2][1] = 0x400000;
	}
}

static u64 configure(u64 r8)
{
	for (u64 i = 0; i < 2; i++) {
		u64 pa = INFO + i * 0x200;

		rt_phys_poke(ARRAY + i * 8, 0, &pa, sizeof(pa));
		rt_phys_poke(pa, 0, &t[i], sizeof(t[i]));
	}
	return call(&m, 0, SYS_CONFIG, ARRAY, 2, r8);
}

static int setup(void **state)
{
	cold("1.5.25", 1);
	init_all();
	good();
	return 0;
}

static int teardown(void **state)
{
	machine_free(&m);
	return 0;
}

static void test_config__tdmrs(void **state)
{
	const struct {
		u64 *word, bad, answer;
	} rows[] = {
		{&t[1].size, 0, SEAM_INVALID_TDMR | DETAIL(1, 0, 0)},
		{&t[1].size, GIB / 2, SEAM_INVALID_TDMR | DETAIL(1, 0, 0)},
		{&t[1].base, 2 * GIB + 4096, SEAM_INVALID_TDMR | DETAIL(1, 0, 0)},
		{&t[1].base, ~(GIB - 1), SEAM_INVALID_TDMR | DETAIL(1, 0, 0)},
		{&t[1].base, 1ULL << 47, SEAM_INVALID_TDMR | DETAIL(1, 0, 0)},
		{&t[1].base, GIB, SEAM_NON_ORDERED_TDMR | DETAIL(1, 0, 0)},
		{&t[0].size, 2 * GIB, SEAM_NON_ORDERED_TDMR | DETAIL(1, 0, 0)},
		{&t[1].base, 64 * GIB, SEAM_TDMR_OUTSIDE_CMRS | DETAIL(1, 0, 0)},
		{&t[1].pamt[0][0], 0x5000800, SEAM_INVALID_PAMT | DETAIL(1, 0, 0)},
		{&t[1].pamt[1][1], 0x1000, SEAM_INVALID_PAMT | DETAIL(1, 1, 0)},
		{&t[1].pamt[2][1], 0x3ff000, SEAM_INVALID_PAMT | DETAIL(1, 2, 0)},
		{&t[1].pamt[2][0], 64 * GIB, SEAM_PAMT_OUTSIDE_CMRS | DETAIL(1, 2, 0)},
		/* in a TDMR; in another TDMR's PAMT; in its own */
		{&t[1].pamt[0][0], GIB, SEAM_PAMT_OVERLAP | DETAIL(1, 0, 0)},
		{&t[0].pamt[0][0], 2 * GIB, SEAM_PAMT_OVERLAP | DETAIL(0, 0, 1)},
		{&t[1].pamt[0][0], 0x4001000, SEAM_PAMT_OVERLAP | DETAIL(1, 0, 0)},
		{&t[1].pamt[1][0], 0x4fff000, SEAM_PAMT_OVERLAP | DETAIL(1, 1, 1)},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		u64 got;

		good();
		*rows[i].word = rows[i].bad;
		got = configure(HKID);
		if (got != rows[i].answer)
			fail_msg("row %zu: %llx, wanted %llx", i, got, rows[i].answer);
	}
	good();
	expect_status(configure(HKID), SEAM_SUCCESS);
}

static void reserve(u32 i, u64 offset, u64 size)
{
	t[0].rsvd[i][0] = offset;
	t[0].rsvd[i][1] = size;
}

static void test_config__reserved_areas(void **state)
{
	static const struct {
		u64 a, a_size, b, b_size, answer;
	} rows[] = {
		{0x800, 0x1000, 0, 0, SEAM_INVALID_RESERVED_IN_TDMR | DETAIL(0, 0, 0)},
		{0, 0x1800, 0, 0, SEAM_INVALID_RESERVED_IN_TDMR | DETAIL(0, 0, 0)},
		{0x3ffff000, 0x2000, 0, 0, SEAM_INVALID_RESERVED_IN_TDMR | DETAIL(0, 0, 0)},
		{~0xfffULL, 0x2000, 0, 0, SEAM_INVALID_RESERVED_IN_TDMR | DETAIL(0, 0, 0)},
		{0x10000, 0x1000, 0x8000, 0x1000,
		 SEAM_NON_ORDERED_RESERVED_IN_TDMR | DETAIL(0, 1, 0)},
		{0x10000, 0x2000, 0x11000, 0x2000,
		 SEAM_NON_ORDERED_RESERVED_IN_TDMR | DETAIL(0, 1, 0)},
		{0x10000, 0x2000, 0x12000, 0x1000, SEAM_SUCCESS},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		good();
		reserve(0, rows[i].a, rows[i].a_size);
		reserve(1, rows[i].b, rows[i].b_size);
		expect_status(configure(HKID), rows[i].answer);
	}
}

/* A PAMT may lie in a TDMR where that is reserved, and only there. */
static void test_config__pamt_in_a_reserved_area(void **state)
{
	t[1].pamt[0][0] = GIB + 0x10000;
	expect_status(configure(HKID), SEAM_PAMT_OVERLAP | DETAIL(1, 0, 0));
	reserve(0, 0x11000, 0x1000);
	expect_status(configure(HKID), SEAM_PAMT_OVERLAP | DETAIL(1, 0, 0));
	reserve(0, 0xf000, 0x3000);
	expect_status(configure(HKID), SEAM_SUCCESS);
	call_ok(&m, 0, SYS_KEY_CONFIG, 0, 0, 0);
	for (u32 i = 0; i < 256; i++)
		call_ok(&m, 0, SYS_TDMR_INIT, GIB, 0, 0);
	expect_status(call(&m, 0, MNG_CREATE, GIB + 0x11000, 0x21, 0),
		      SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX);
	call_ok(&m, 0, MNG_CREATE, GIB + 0x12000, 0x21, 0);
}

static void test_config__operands(void **state)
{
	const struct {
		u64 rcx, rdx, r8, answer;
	} rows[] = {
		{ARRAY, 2, HKID | RT_BIT(17), SEAM_OPERAND_INVALID | SEAM_OP_R8},
		{ARRAY, 2, 0x1f, SEAM_OPERAND_INVALID | SEAM_OP_R8},
		{ARRAY, 2, 0x40, SEAM_OPERAND_INVALID | SEAM_OP_R8},
		{ARRAY, 0, HKID, SEAM_OPERAND_INVALID | SEAM_OP_RDX},
		{ARRAY, 65, HKID, SEAM_OPERAND_INVALID | SEAM_OP_RDX},
		{ARRAY + 8, 2, HKID, SEAM_OPERAND_INVALID | SEAM_OP_RCX},
		{0x3c000000, 2, HKID, SEAM_OPERAND_INVALID | SEAM_OP_RCX}, /* SEAMRR */
		{ARRAY | 0x20ULL << 46, 2, HKID, SEAM_OPERAND_INVALID | SEAM_OP_RCX},
	};
	const u64 bad = INFO + 8;

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++)
		expect_status(call(&m, 0, SYS_CONFIG, rows[i].rcx, rows[i].rdx, rows[i].r8),
			      rows[i].answer);
	rt_phys_poke(ARRAY, 0, &bad, sizeof(bad));
	expect_status(call(&m, 0, SYS_CONFIG, ARRAY, 1, HKID),
		      SEAM_OPERAND_INVALID | SEAM_OP_TDMR_INFO_PA);
	/* A release without the feature does not know the bit. */
	teardown(state);
	cold("1.5.16", 1);
	init_all();
	expect_status(configure(HKID | DPAMT), SEAM_OPERAND_INVALID | SEAM_OP_R8);
}

/* The PAMT of 4K pages is a bitmap then: one page for each GiB, and 64 calls instead of 256. */
static void test_config__dynamic_pamt(void **state)
{
	const u64 gib2 = 2 * GIB;
	struct seam_pair_view p;

	t[0].pamt[2][1] = 0x7000;
	expect_status(configure(HKID | DPAMT), SEAM_INVALID_PAMT | DETAIL(0, 2, 0));
	t[0].pamt[2][1] = 0x8000;
	reserve(0, 0x5000, 0x1000);
	expect_status(configure(HKID | DPAMT), SEAM_SUCCESS);
	call_ok(&m, 0, SYS_KEY_CONFIG, 0, 0, 0);
	expect_status(call(&m, 0, SYS_TDMR_INIT, GIB + 4096, 0, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(call(&m, 0, SYS_TDMR_INIT, 5 * GIB, 0, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	for (u32 i = 0; i < 64; i++) {
		expect_status(call(&m, 0, PHYMEM_PAMT_ADD, GIB | 1, GIB + 0x600000, GIB + 0x601000),
			      SEAM_OPERAND_ADDR_RANGE_ERROR | SEAM_OP_RDX);
		call_ok(&m, 0, SYS_TDMR_INIT, GIB, 0, 0);
		assert_int_equal(m.r.rdx, i == 63 ? gib2 : GIB);
	}
	expect_status(call(&m, 0, SYS_TDMR_INIT, GIB, 0, 0), SEAM_TDMR_ALREADY_INITIALIZED);
	expect_status(call(&m, 0, PHYMEM_PAMT_ADD, GIB | 1, GIB + 0x5000, GIB + 0x601000),
		      SEAM_PAGE_NOT_FREE | SEAM_OP_RDX);
	/* The order: a bad R8 before the range in RCX, which the other TDMR has not got yet. */
	expect_status(call(&m, 0, PHYMEM_PAMT_ADD, gib2 | 1, GIB + 0x600000, GIB + 0x601800),
		      SEAM_OPERAND_INVALID | SEAM_OP_R8);
	expect_status(call(&m, 0, PHYMEM_PAMT_ADD, gib2 | 1, GIB + 0x600000, gib2),
		      SEAM_OPERAND_ADDR_RANGE_ERROR | SEAM_OP_R8);
	expect_status(call(&m, 0, PHYMEM_PAMT_ADD, gib2 | 1, GIB + 0x600000, GIB + 0x601000),
		      SEAM_OPERAND_ADDR_RANGE_ERROR | SEAM_OP_RCX);
	call_ok(&m, 0, PHYMEM_PAMT_ADD, GIB | 1, GIB + 0x600000, GIB + 0x601000);
	assert_true(seam_look_pair(m.s, GIB, &p) && p.has_pair);
}

/* Somebody else holds the global lock, or a TDMR's. */
static void test_config__busy(void **state)
{
	m.s->global_lock = 1;
	expect_status(call(&m, 0, SYS_INIT, 0, 0, 0), SEAM_SYS_BUSY);
	m.s->global_lock = 1;
	expect_status(call(&m, 0, SYS_LP_INIT, 0, 0, 0), SEAM_SYS_BUSY);
	m.s->global_lock = 1;
	expect_status(configure(HKID), SEAM_SYS_BUSY);
	expect_status(call(&m, 0, SYS_KEY_CONFIG, 0, 0, 0), SEAM_SYS_BUSY);
	expect_status(call(&m, 0, SYS_LP_SHUTDOWN, 0, 0, 0), SEAM_SYS_BUSY);
	/* A reader beside readers: LP.INIT on all LPs at a time. */
	m.s->global_lock = 2;
	expect_status(call(&m, 0, SYS_LP_INIT, 0, 0, 0), SEAM_SYS_LP_INIT_DONE);
	m.s->global_lock = 0;
	expect_status(configure(HKID), SEAM_SUCCESS);
	call_ok(&m, 0, SYS_KEY_CONFIG, 0, 0, 0);
	m.s->tdmr[0].lock = 1;
	expect_status(call(&m, 0, SYS_TDMR_INIT, GIB, 0, 0), SEAM_OPERAND_BUSY | SEAM_OP_RCX);
	m.s->tdmr[0].lock = 0;
	call_ok(&m, 0, SYS_TDMR_INIT, GIB, 0, 0);
}

static void test_config__every_package_needs_its_key(void **state)
{
	teardown(state);
	cold("1.5.25", 2);
	init_all();
	expect_status(configure(HKID), SEAM_SUCCESS);
	call_ok(&m, 0, SYS_KEY_CONFIG, 0, 0, 0);
	expect_status(call(&m, 0, SYS_TDMR_INIT, GIB, 0, 0), SEAM_SYS_NOT_READY);
	call_ok(&m, 1, SYS_KEY_CONFIG, 0, 0, 0);
	expect_status(call(&m, 1, SYS_KEY_CONFIG, 0, 0, 0), SEAM_SYS_KEY_CONFIG_NOT_PENDING);
	for (u32 i = 0; i < 256; i++)
		call_ok(&m, 0, SYS_TDMR_INIT, GIB, 0, 0);
	/* And so does a TD. */
	m.tdr = GIB;
	call_ok(&m, 0, MNG_CREATE, m.tdr, 0x21, 0);
	call_ok(&m, 0, MNG_KEY_CONFIG, m.tdr, 0, 0);
	expect_status(call(&m, 0, MNG_KEY_CONFIG, m.tdr, 0, 0), SEAM_KEY_CONFIGURED);
	expect_status(call(&m, 0, MNG_ADDCX, GIB + 0x1000, m.tdr, 0), SEAM_TD_KEYS_NOT_CONFIGURED);
	call_ok(&m, 1, MNG_KEY_CONFIG, m.tdr, 0, 0);
	expect_status(call(&m, 1, MNG_KEY_CONFIG, m.tdr, 0, 0), SEAM_LIFECYCLE_STATE_INCORRECT);
	call_ok(&m, 0, MNG_ADDCX, GIB + 0x1000, m.tdr, 0);
}

static void test_config__lists_refuse_bad_buffers(void **state)
{
	const struct {
		u64 rcx, rdx, r8, r9, answer;
	} info[] = {
		{0x21800, 1024, 0x22000, 32, SEAM_SUCCESS},
		{0x21200, 1024, 0x22000, 32, SEAM_OPERAND_INVALID | SEAM_OP_RCX},
		{0x21000, 1023, 0x22000, 32, SEAM_OPERAND_INVALID | SEAM_OP_RDX},
		{0x21000, 1024, 0x22100, 32, SEAM_OPERAND_INVALID | SEAM_OP_R8},
		{0x21000, 1024, 0x22000, 31, SEAM_OPERAND_INVALID | SEAM_OP_R9},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(info); i++)
		expect_status(call4(&m, 0, SEAM_TDH_SYS_INFO, info[i].rcx, info[i].rdx, info[i].r8,
				    info[i].r9),
			      info[i].answer);
	expect_status(call(&m, 0, SYS_RDALL, 0x21800, ~0ULL, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(call(&m, 0, SYS_RDALL, 0x21000, 0x0a00000300000001ULL, 0),
		      SEAM_METADATA_FIELD_ID_INCORRECT);
	assert_true(m.r.rdx == ~0ULL);
}

/* What no platform has: refused before anything is made. */
static void test_config__impossible_platforms(void **state)
{
	const struct seam_config many_tdmrs = {.nr_tdmr = SEAM_MAX_TDMRS + 1};
	const struct seam_config many_areas = {.nr_rsvd = SEAM_MAX_RSVD + 1};
	const struct seam_config wide_keys = {
		.keyid_bits = 16, .hkid_first = 1, .hkid_count = 1, .hkid_global = 1};
	const struct {
		const struct seam_config *cfg;
		const char *says;
	} rows[] = {
		{&many_tdmrs, "65 TDMRs, at most 64 expected"},
		{&many_areas, "65 reserved areas, at most 64 expected"},
		{&wide_keys, "keyid_bits=16, 1 to 15 expected"},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		char err[160] = "";

		assert_null(seam_new(rows[i].cfg, err, sizeof(err)));
		assert_string_equal(err, rows[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_config__tdmrs),
		T(test_config__reserved_areas),
		T(test_config__pamt_in_a_reserved_area),
		T(test_config__operands),
		T(test_config__dynamic_pamt),
		T(test_config__busy),
		T(test_config__every_package_needs_its_key),
		T(test_config__lists_refuse_bad_buffers),
		T(test_config__impossible_platforms),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
