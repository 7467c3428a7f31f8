// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metadata fields of a TD and of a VCPU, from the host's and from the guest's side (tdx-module.md
 * 3.3, 7.3, 7.4), TD_PARAMS that no recording has, and the guest leaves that only touch registers.
 */
#include "tests/tdx/machine.h"

#include "sim/rt/phys.h"
#include "tdx/tdparams.h"

#define TD(code)	 (0x9100000000000000ULL | (code))
#define VPF(class, code) ((u64)(class) << 56 | (code))
#define NULL_ID		 (~0ULL)

static struct machine m;

static int setup(void **state)
{
	machine_init(&m, "1.5.25");
	td_build(&m, 0, 2);
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

/* A guest leaf with RDX, R8, R9. */
static u64 guest4(u64 rax, u64 rcx, u64 rdx, u64 r8, u64 r9)
{
	m.r = (struct seam_regs){.rax = rax, .rcx = rcx, .rdx = rdx, .r8 = r8, .r9 = r9};
	assert_int_equal(seam_tdcall(m.s, 0, &m.r, 0, &m.fault), SEAM_DONE);
	return m.r.rax;
}

static void test_fields__of_a_td(void **state)
{
	const struct {
		u64 id, host_st, host, guest_st, guest;
	} rows[] = {
		{0x9000000200000001ULL, 0, 2, 0, 2},		     /* NUM_VCPUS */
		{TD(0), 0, 0, 0, 0},				     /* ATTRIBUTES */
		{TD(1), 0, 3, 0, 3},				     /* XFAM */
		{TD(2), 0, 4, 0, 4},				     /* MAX_VCPUS */
		{TD(3), 0, 0, 0, 0},				     /* GPAW */
		{TD(10), 0, 0, SEAM_METADATA_FIELD_NOT_READABLE, 0}, /* TSC_OFFSET */
		/* TSC_MULTIPLIER: 2.5 GHz out of 2 GHz */
		{TD(11), 0, 0x1400000000000ULL, SEAM_METADATA_FIELD_NOT_READABLE, 0},
		{TD(12), 0, 100, 0, 100},				     /* TSC_FREQUENCY */
		{TD(0x10), SEAM_METADATA_FIELD_NOT_READABLE, 0, 0, 0},	     /* NOTIFY_ENABLES */
		{TD(0x11), 0, 1000000, SEAM_METADATA_FIELD_NOT_READABLE, 0}, /* HP_LOCK_TIMEOUT */
		{TD(0x16), 0, 0, 0, 0},					     /* CONFIG_FLAGS */
		{TD(0x17), SEAM_METADATA_FIELD_NOT_READABLE, 0, 0, 0},	     /* TD_CTLS */
		{TD(0x19), 0, 0, 0, 0},					     /* TOPOLOGY_ENUM */
		{TD(0x77), SEAM_METADATA_FIELD_ID_INCORRECT, 0, SEAM_METADATA_FIELD_ID_INCORRECT,
		 0},
	};

	enter(&m, 0, 0);
	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		expect_status(call(&m, 3, MNG_RD, m.tdr, rows[i].id, 99), rows[i].host_st);
		assert_int_equal(m.r.r8, rows[i].host);
		assert_int_equal(m.r.rdx, rows[i].id);
		expect_status(call(&m, 3, MNG_RD | 1 << 16, m.tdr, rows[i].id, 99),
			      rows[i].host_st);
		assert_true(m.r.rdx == NULL_ID);
		expect_status(guest4(SEAM_TDG_VM_RD, 0, rows[i].id, 99, 0), rows[i].guest_st);
		assert_int_equal(m.r.r8, rows[i].guest);
		expect_status(guest4(SEAM_RAX(SEAM_TDG_VM_RD, 1), 0, rows[i].id, 99, 0),
			      rows[i].guest_st);
		assert_true(m.r.rdx == NULL_ID);
	}
}

static void test_fields__of_a_td_written(void **state)
{
	const u64 all = ~0ULL, no = SEAM_METADATA_FIELD_NOT_WRITABLE;
	const u64 bad = SEAM_METADATA_FIELD_VALUE_NOT_VALID;
	const struct {
		u64 id, val, mask, host_st, guest_st;
	} rows[] = {
		{TD(0x11), 9999, all, bad, no},
		{TD(0x11), 10000, all, 0, no},
		{TD(0x11), 100000001, all, bad, no},
		{TD(0x11), 100000000, all, 0, no},
		{TD(0x11), 20000, RT_MASK(31, 0), SEAM_METADATA_WR_MASK_NOT_VALID, no},
		{TD(0x11), 20000, 0, no, no},
		{TD(0x10), 1, all, no, 0},
		{TD(0x10), 2, all, no, bad},
		{TD(0x10), 2, 1, no, 0},      /* masked away */
		{TD(0x17), 2, all, no, bad},  /* ENUM_TOPOLOGY: VCPUs without x2APIC ids */
		{TD(0x17), 8, all, no, bad},  /* REDUCE_VE would bring it */
		{TD(0x17), 16, all, no, bad}, /* no such bit */
		{TD(0x17), 1, all, no, bad},  /* PENDING_VE_DISABLE: not flexible here */
		{TD(0x17), 4, all, no, 0},    /* VIRT_CPUID2 */
		{TD(0x17), 16, 4, no, 0},     /* out again, and the other bit masked away */
		{TD(0x17), 0, all, no, 0},
		{TD(0x17), RT_BIT(63), all, no, 0}, /* LOCK */
		{TD(0x17), 0, all, no, bad},
		{TD(0x17), RT_BIT(63), all, no, 0}, /* as it is */
		{TD(2), 8, all, no, no},
		{TD(0x77), 0, all, SEAM_METADATA_FIELD_ID_INCORRECT,
		 SEAM_METADATA_FIELD_ID_INCORRECT},
	};

	enter(&m, 0, 0);
	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		u64 host =
			call4(&m, 3, SEAM_TDH_MNG_WR, m.tdr, rows[i].id, rows[i].val, rows[i].mask);
		u64 guest = guest4(SEAM_TDG_VM_WR, 0, rows[i].id, rows[i].val, rows[i].mask);

		if (host != rows[i].host_st || guest != rows[i].guest_st)
			fail_msg("row %zu: host %llx, guest %llx", i, host, guest);
	}
	/* The old value comes out. */
	expect_status(call4(&m, 3, SEAM_TDH_MNG_WR, m.tdr, TD(0x11), 0x1ff0ff, ~0ULL), 0);
	/* 100 s are 200,000,000,000 ticks, of which 32 bits are told. */
	assert_int_equal(m.r.r8, (u32)200000000000 / 2000);
	expect_status(call(&m, 3, MNG_RD, m.tdr, TD(0x11), 0), 0);
	assert_int_equal(m.r.r8, 0x1ff0ff);
}

static void test_fields__refused(void **state)
{
	enter(&m, 0, 0);
	expect_status(guest4(SEAM_RAX(SEAM_TDG_VM_RD, 2), 0, TD(2), 5, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RAX);
	expect_status(guest4(SEAM_TDG_VM_RD, 1, TD(2), 5, 0), SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	assert_int_equal(m.r.r8, 0);
	expect_status(guest4(SEAM_TDG_VM_WR, 1, TD(2), 5, 0), SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(call(&m, 3, MNG_RD | 2 << 16, m.tdr, TD(2), 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RAX);
	expect_status(call(&m, 3, VP_RD | 2 << 16, m.vcpu[1], 0, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RAX);
	expect_status(call(&m, 3, MNG_WR, m.vcpu[0], TD(2), 0),
		      SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX);
	expect_status(call(&m, 3, VP_RD, m.tdr, 0, 0), SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX);
	expect_status(call(&m, 3, VP_WR, m.tdr, 0, 0), SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX);
	/* Running: not even to be read. */
	expect_status(call(&m, 0 + 3, VP_RD, m.vcpu[0], 0, 0), SEAM_VCPU_STATE_INCORRECT | 4);
}

static void test_fields__of_a_vcpu(void **state)
{
	const u64 unreadable = SEAM_METADATA_FIELD_NOT_READABLE;
	const u64 unwritable = SEAM_METADATA_FIELD_NOT_WRITABLE;
	const u64 unknown = SEAM_METADATA_FIELD_ID_INCORRECT;
	const struct {
		u64 id, rd, wr, kept;
	} rows[] = {
		{VPF(0, 0x0002), 0, 0, 0x5678},		     /* posted interrupt vector: 16 bits */
		{VPF(0, 0x2016), 0, 0, 0x12345678},	     /* posted interrupt descriptor */
		{VPF(0, 0x203c), 0, 0, 0x12345678},	     /* shared EPTP */
		{VPF(0x20, 11), 0, 0, 0x78},		     /* PEND_NMI: a byte */
		{VPF(0x11, 0x100), 0, unwritable, 0},	     /* VCPU_STATE_DETAILS */
		{VPF(0x20, 0), unreadable, unwritable, 0},   /* VCPU_STATE */
		{VPF(0, 0x681e), unreadable, unwritable, 0}, /* guest RIP: of debug TDs */
		{VPF(0x20, 0x777), unknown, unknown, 0},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		expect_status(call4(&m, 0, SEAM_TDH_VP_WR, m.vcpu[0], rows[i].id, 0x12345678,
				    ~0ULL),
			      rows[i].wr);
		expect_status(call(&m, 0, VP_RD | 1 << 16, m.vcpu[0], rows[i].id, 0), rows[i].rd);
		assert_int_equal(m.r.r8, rows[i].kept);
		assert_true(m.r.rdx == NULL_ID);
	}
	/* The write before is what comes out. */
	expect_status(call4(&m, 0, SEAM_TDH_VP_WR, m.vcpu[0], VPF(0, 0x2016), 0, 0xff), 0);
	assert_int_equal(m.r.r8, 0x12345678);
	expect_status(call(&m, 0, VP_RD, m.vcpu[0], VPF(0, 0x2016), 0), 0);
	assert_int_equal(m.r.r8, 0x12345600);
}

static void test_fields__guest_leaves(void **state)
{
	enter(&m, 0, 0);
	expect_status(guest4(SEAM_TDG_VP_CPUIDVE_SET, 4, 0, 0, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	expect_status(guest4(SEAM_TDG_VP_CPUIDVE_SET, 3, 0, 0, 0), SEAM_SUCCESS);
	expect_status(guest4(SEAM_TDG_SYS_RD, 0, 0x0a00000300000008ULL, 0, 0), SEAM_SUCCESS);
	assert_true(m.r.r8 == 0xD1326F3F0EBFULL);
	assert_true(m.r.rdx == 0x9000000100000000ULL);
	expect_status(guest4(SEAM_TDG_SYS_RD, 0, 0x0a00000300000001ULL, 0, 0),
		      SEAM_METADATA_FIELD_ID_INCORRECT);
	/* Leaves of features that this module is without. */
	expect_status(guest4(SEAM_TDG_SERVTD_RD, 0, 0, 0, 0), SEAM_OPERAND_INVALID | SEAM_OP_RAX);
	expect_status(guest4(SEAM_TDG_VP_ENTER, 0, 0, 0, 0), SEAM_OPERAND_INVALID | SEAM_OP_RAX);
	expect_status(guest4(RT_BIT(24) | SEAM_TDG_VP_INFO, 0, 0, 0, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RAX);
}

/* MNG.INIT with one thing changed in TD_PARAMS; a new TD each time. */
static u64 init_with(u32 off, u64 val, u32 len)
{
	u64 st;

	teardown(NULL);
	machine_init(&m, "1.5.25");
	td_create(&m);
	params(0);
	rt_phys_poke(PARAMS + off, 0, &val, len);
	st = call(&m, 0, MNG_INIT, m.tdr, PARAMS, 0);
	m.nr_vcpus = 0;
	m.vcpu[0] = 0;
	return st;
}

static void test_fields__td_params(void **state)
{
	const struct {
		u32 off, len;
		u64 val, answer;
	} rows[] = {
		{0x00, 8, RT_BIT(1), SEAM_OPERAND_INVALID | SEAM_OP_ATTRIBUTES},
		{0x00, 8, RT_BIT(0) | RT_BIT(29), SEAM_OPERAND_INVALID | SEAM_OP_ATTRIBUTES},
		{0x00, 8, RT_BIT(16), SEAM_SUCCESS}, /* ICSSD, instead of PERFMON */
		{0x00, 8, RT_BIT(16) | RT_BIT(63), SEAM_OPERAND_INVALID | SEAM_OP_ATTRIBUTES},
		{0x00, 8, RT_BIT(29) | RT_BIT(63), SEAM_OPERAND_INVALID | SEAM_OP_ATTRIBUTES},
		{0x08, 8, 1, SEAM_OPERAND_INVALID | SEAM_OP_XFAM},
		{0x08, 8, 0x63, SEAM_OPERAND_INVALID | SEAM_OP_XFAM},  /* AVX-512 without AVX */
		{0x08, 8, 0x27, SEAM_OPERAND_INVALID | SEAM_OP_XFAM},  /* a third of AVX-512 */
		{0x08, 8, 0x803, SEAM_OPERAND_INVALID | SEAM_OP_XFAM}, /* half of CET */
		{0x08, 8, 0x18e7, SEAM_SUCCESS},
		{0x10, 2, 0, SEAM_OPERAND_INVALID | SEAM_OP_MAX_VCPUS},
		{0x10, 2, SEAM_MAX_VCPUS + 1, SEAM_OPERAND_INVALID | SEAM_OP_MAX_VCPUS},
		{0x10, 2, SEAM_MAX_VCPUS, SEAM_SUCCESS},
		{0x12, 1, 4, SEAM_OPERAND_INVALID | SEAM_OP_NUM_L2_VMS},
		{0x12, 1, 1, SEAM_TDCS_NOT_ALLOCATED},
		{0x13, 1, 2, SEAM_OPERAND_INVALID | SEAM_OP_RDX},
		{0x18, 8, 0x16, SEAM_OPERAND_INVALID | SEAM_OP_EPTP},
		{0x18, 8, 0x26, SEAM_SUCCESS}, /* five levels */
		{0x20, 8, RT_BIT(5), SEAM_OPERAND_INVALID | SEAM_OP_EXEC_CONTROLS},
		{0x20, 8, RT_BIT(4), SEAM_SUCCESS}, /* MAXGPA_VIRT, but not with MAXPA_VIRT */
		{0x20, 8, RT_BIT(3) | RT_BIT(4), SEAM_OPERAND_INVALID | SEAM_OP_EXEC_CONTROLS},
		{0x20, 8, RT_BIT(0), SEAM_OPERAND_INVALID | SEAM_OP_EPTP}, /* 52 bits need 5 */
		{0x20, 8, RT_BIT(3), SEAM_SUCCESS},
		{0x28, 2, 3, SEAM_OPERAND_INVALID | SEAM_OP_TSC_FREQUENCY},
		{0x28, 2, 401, SEAM_OPERAND_INVALID | SEAM_OP_TSC_FREQUENCY},
		{0x2a, 1, 1, SEAM_OPERAND_INVALID | SEAM_OP_RDX},
		{0xe0, 8, 1, SEAM_SUCCESS}, /* ARCH_CAP counts only with its flag in 0x13 */
		{0x100, 1, 1, SEAM_OPERAND_INVALID | SEAM_OP_CPUID_CONFIG}, /* not modelled */
		{0x2bf, 1, 1, SEAM_OPERAND_INVALID | SEAM_OP_CPUID_CONFIG}, /* the last of 28 */
		{0x2c0, 1, 1, SEAM_OPERAND_INVALID | SEAM_OP_RDX},
	};
	const u64 flag_and_cap = 1;

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		u64 got = init_with(rows[i].off, rows[i].val, rows[i].len);

		if (got != rows[i].answer)
			fail_msg("row %zu: %llx, wanted %llx", i, got, rows[i].answer);
	}
	init_with(0x28, 3, 2);
	params(0);
	rt_phys_poke(PARAMS + 0x13, 0, &flag_and_cap, 1);
	rt_phys_poke(PARAMS + 0xe0, 0, &flag_and_cap, 8);
	expect_status(call(&m, 0, MNG_INIT, m.tdr, PARAMS, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_ARCH_CAP);
	expect_status(call(&m, 0, MNG_INIT, m.tdr, PARAMS + 512, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RDX);
}

/* FLEXIBLE_PENDING_VE and NO_RBP_MOD: what CONFIG_FLAGS let the guest do, or not. */
static void test_fields__config_flags(void **state)
{
	struct seam_access a;
	u64 flags = RT_BIT(1) | RT_BIT(2);

	teardown(state);
	machine_init(&m, "1.5.25");
	td_create(&m);
	params(0);
	rt_phys_poke(PARAMS + 0x20, 0, &flags, 8);
	call_ok(&m, 0, MNG_INIT, m.tdr, PARAMS, 0);
	m.nr_vcpus = 1;
	m.vcpu[0] = vcpu_create(&m, 0);
	call_ok(&m, 0, VP_INIT, m.vcpu[0], 0, 0);
	for (u32 level = 3; level > 0; level--)
		call_ok(&m, 0, MEM_SEPT_ADD, level < 3 ? GPA | level : 3, m.tdr, machine_page(&m));
	call_ok(&m, 0, MR_FINALIZE, m.tdr, 0, 0);
	call_ok(&m, 0, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	expect_status(guest4(SEAM_TDG_VP_VMCALL, RT_BIT(5), 0, 0, 0),
		      SEAM_OPERAND_INVALID | SEAM_OP_RCX);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_VE);
	expect_status(guest4(SEAM_TDG_VM_WR, 0, TD(0x17), 1, ~0ULL), SEAM_SUCCESS);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_EXIT);
	assert_int_equal(m.r.rdx, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_fields__of_a_td),      T(test_fields__of_a_td_written),
		T(test_fields__refused),      T(test_fields__of_a_vcpu),
		T(test_fields__guest_leaves), T(test_fields__td_params),
		T(test_fields__config_flags),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
