// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contention beside the S-EPT's (tdx-module.md 6.3): exclusive TDRs and TDVPRs, the epoch lock, the
 * zero-step list's tree lock, keys and caches, PAMT parents, Dynamic PAMT ranges, and two TDs. Each
 * row is two actors; what must be told apart is who is refused, and with which operand.
 */
#include "tests/tdx/duel.h"

#include "sim/rt/sched.h"
#include "tdx/lock.h"

#define BUSY(op) (SEAM_OPERAND_BUSY | SEAM_OP_##op)

static struct machine m;

static int teardown(void **state)
{
	for (u32 lp = 0; lp < m.nr_vcpus; lp++) {
		struct seam_vcpu_view v;

		if (seam_look_vcpu(m.s, m.vcpu[lp], &v) && v.in_guest)
			seam_guest_interrupt(m.s, v.assoc, 0x30, &m.r);
	}
	machine_free(&m);
	return 0;
}

static int setup(void **state)
{
	machine_init(&m, "1.5.25");
	td_build(&m, 0, 3);
	return 0;
}

static struct duel_side on(u32 lp, u64 rax, u64 rcx, u64 rdx, u64 r8)
{
	return (struct duel_side){
		.lp = lp,
		.in = {.rax = rax, .rcx = rcx, .rdx = rdx, .r8 = r8},
	};
}

/* The inner call on LP 3 where @out stands at its @n-th HELD point; both answers. */
static void expect_duel(const char *what, struct duel_side *out, u32 n, struct duel_side *inn,
			u64 want_out, u64 want_in)
{
	bool met = duel(&m, out, DUEL_HELD, n, inn);

	if (!met || duel_rax(out) != want_out || duel_rax(inn) != want_in)
		fail_msg("%s: met %d, outer %llx, inner %llx, wanted %llx, %llx", what, met,
			 duel_rax(out), duel_rax(inn), want_out, want_in);
}

/* A call that needs the TDR exclusive is under way; what each other call of the TD is told. */
static void test_contention__tdr_exclusive(void **state)
{
	const u64 field = 0x9110000200000002ULL, tdr = m.tdr, tdvpr = m.vcpu[0];
	const struct {
		const char *what;
		u64 rax, rcx, rdx, r8, answer;
	} rows[] = {
		{"SEPT.RD", SEAM_TDH_MEM_SEPT_RD, GPA, tdr, 0, BUSY(RDX)},
		{"AUG", SEAM_TDH_MEM_PAGE_AUG, GPA, tdr, machine_page(&m), BUSY(RDX)},
		{"BLOCK", SEAM_TDH_MEM_RANGE_BLOCK, GPA, tdr, 0, BUSY(RDX)},
		{"DEMOTE", SEAM_TDH_MEM_PAGE_DEMOTE, GPA_2M | 1, tdr, 0, BUSY(RDX)},
		{"PAGE.ADD", SEAM_TDH_MEM_PAGE_ADD, GPA, tdr, 0, BUSY(RDX)},
		{"MR.EXTEND", SEAM_TDH_MR_EXTEND, GPA, tdr, 0, BUSY(RDX)},
		{"MEM.RD", SEAM_TDH_MEM_RD, GPA, tdr, 0, BUSY(RDX)},
		{"VP.CREATE", SEAM_TDH_VP_CREATE, machine_page(&m), tdr, 0, BUSY(RDX)},
		{"TRACK", SEAM_TDH_MEM_TRACK, tdr, 0, 0, BUSY(RCX)},
		{"FINALIZE", SEAM_TDH_MR_FINALIZE, tdr, 0, 0, BUSY(RCX)},
		{"VPFLUSHDONE", SEAM_TDH_MNG_VPFLUSHDONE, tdr, 0, 0, BUSY(RCX)},
		{"MNG.RD", SEAM_TDH_MNG_RD, tdr, field, 0, BUSY(RCX)},
		{"RDMD", SEAM_TDH_PHYMEM_PAGE_RDMD, tdr, 0, 0, BUSY(RCX)},
		{"RECLAIM tdr", SEAM_TDH_PHYMEM_PAGE_RECLAIM, tdr, 0, 0, BUSY(RCX)},
		{"RECLAIM child", SEAM_TDH_PHYMEM_PAGE_RECLAIM, tdr + 0x1000, 0, 0, BUSY(TDR)},
		{"ENTER", SEAM_TDH_VP_ENTER, tdvpr, 0, 0, BUSY(TDR)},
		{"VP.FLUSH", SEAM_TDH_VP_FLUSH, tdvpr, 0, 0, BUSY(TDR)},
		{"VP.RD", SEAM_TDH_VP_RD, tdvpr, 0, 0, BUSY(TDR)},
		{"VP.INIT", SEAM_TDH_VP_INIT, tdvpr, 0, 0, BUSY(TDR)},
		{"other page", SEAM_TDH_PHYMEM_PAGE_RDMD, machine_page(&m), 0, 0, 0},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		/* FINALIZE of a running TD fails, but only under the lock. */
		struct duel_side out = on(2, SEAM_TDH_MR_FINALIZE, tdr, 0, 0);
		struct duel_side inn = on(0, rows[i].rax, rows[i].rcx, rows[i].rdx, rows[i].r8);

		expect_duel(rows[i].what, &out, 1, &inn, SEAM_OP_STATE_INCORRECT | 2,
			    rows[i].answer);
	}
}

/* While a VCPU is in the guest it holds the TDR shared: nobody gets it exclusive. */
static void test_contention__tdr_exclusive_leaves_while_running(void **state)
{
	const struct {
		const char *what;
		u64 rax, rcx, rdx, answer;
	} rows[] = {
		{"PAGE.ADD", SEAM_TDH_MEM_PAGE_ADD, GPA, m.tdr, BUSY(RDX)},
		{"MR.EXTEND", SEAM_TDH_MR_EXTEND, GPA, m.tdr, BUSY(RDX)},
		{"MR.FINALIZE", SEAM_TDH_MR_FINALIZE, m.tdr, 0, BUSY(RCX)},
		{"MNG.INIT", SEAM_TDH_MNG_INIT, m.tdr, PARAMS, BUSY(RCX)},
		{"MNG.ADDCX", SEAM_TDH_MNG_ADDCX, machine_page(&m), m.tdr, BUSY(RDX)},
		{"KEY.CONFIG", SEAM_TDH_MNG_KEY_CONFIG, m.tdr, 0, BUSY(RCX)},
		{"KEY.FREEID", SEAM_TDH_MNG_KEY_FREEID, m.tdr, 0, BUSY(RCX)},
		{"VPFLUSHDONE", SEAM_TDH_MNG_VPFLUSHDONE, m.tdr, 0, BUSY(RCX)},
		{"RECLAIM", SEAM_TDH_PHYMEM_PAGE_RECLAIM, m.tdr, 0, BUSY(RCX)},
		{"VP.INIT v1", SEAM_RAX(SEAM_TDH_VP_INIT, 1), m.vcpu[1], 0, BUSY(TDR)},
		{"VP.INIT v0", SEAM_TDH_VP_INIT, m.vcpu[1], 0, SEAM_OP_STATE_INCORRECT | 2},
		{"VP.FLUSH of it", SEAM_TDH_VP_FLUSH, m.vcpu[0], 0, BUSY(RCX)},
		{"VP.ADDCX of it", SEAM_TDH_VP_ADDCX, machine_page(&m), m.vcpu[0], BUSY(RDX)},
		{"VP.RD of it", SEAM_TDH_VP_RD, m.vcpu[0], 0, SEAM_VCPU_STATE_INCORRECT | 4},
		{"MNG.RD", SEAM_TDH_MNG_RD, m.tdr, 0x9110000200000002ULL, SEAM_SUCCESS},
		{"TRACK", SEAM_TDH_MEM_TRACK, m.tdr, 0, SEAM_SUCCESS},
		{"VP.FLUSH of another", SEAM_TDH_VP_FLUSH, m.vcpu[2], 0, SEAM_VCPU_NOT_ASSOCIATED},
	};

	enter(&m, 0, 0);
	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		u64 got = call4(&m, 3, rows[i].rax, rows[i].rcx, rows[i].rdx, 0, 0);

		if (got != rows[i].answer)
			fail_msg("%s: %llx, wanted %llx", rows[i].what, got, rows[i].answer);
	}
	leave(&m, 0);
	/* And with the VCPU out the lock is free again. */
	expect_status(call(&m, 3, MR_FINALIZE, m.tdr, 0, 0), SEAM_OP_STATE_INCORRECT | 2);
}

static void test_contention__tdvpr_exclusive(void **state)
{
	const struct {
		const char *what;
		u64 leaf, rcx, answer;
	} rows[] = {
		{"ENTER", SEAM_TDH_VP_ENTER, m.vcpu[0], BUSY(RCX)},
		{"VP.RD", SEAM_TDH_VP_RD, m.vcpu[0], BUSY(RCX)},
		{"VP.FLUSH", SEAM_TDH_VP_FLUSH, m.vcpu[0], BUSY(RCX)},
		{"VP.INIT", SEAM_TDH_VP_INIT, m.vcpu[0], BUSY(RCX)},
		{"FINALIZE", SEAM_TDH_MR_FINALIZE, m.tdr, BUSY(RCX)},
		{"TRACK", SEAM_TDH_MEM_TRACK, m.tdr, SEAM_SUCCESS},
		{"FLUSH of another", SEAM_TDH_VP_FLUSH, m.vcpu[2], SEAM_VCPU_NOT_ASSOCIATED},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		struct duel_side out = on(3, SEAM_TDH_VP_FLUSH, m.vcpu[0], 0, 0);
		struct duel_side inn = on(0, rows[i].leaf, rows[i].rcx, 0, 0);

		expect_duel(rows[i].what, &out, 1, &inn, SEAM_VCPU_NOT_ASSOCIATED, rows[i].answer);
	}
}

/*
 *            inner TRACK        inner ENTER
 *  TRACK     BUSY|TD_EPOCH      BUSY|TD_EPOCH    (exclusive)
 *  ENTER     BUSY|TD_EPOCH      gets in          (shared)
 */
static void test_contention__epoch_lock(void **state)
{
	struct duel_side track = on(2, SEAM_TDH_MEM_TRACK, m.tdr, 0, 0);
	struct duel_side enter0 = on(0, SEAM_TDH_VP_ENTER, m.vcpu[0], 0, 0);
	struct duel_side other = on(3, SEAM_TDH_MEM_TRACK, m.tdr, 0, 0);
	struct duel_side enter1 = on(1, SEAM_TDH_VP_ENTER, m.vcpu[1], 0, 0);
	struct duel_side block = on(3, SEAM_TDH_MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	struct seam_td_view td;

	expect_duel("TRACK in TRACK", &track, 1, &other, 0, BUSY(TD_EPOCH));
	expect_duel("ENTER in TRACK", &track, 1, &enter1, 0, BUSY(TD_EPOCH));
	expect_duel("BLOCK in TRACK", &track, 1, &block, 0, SEAM_SUCCESS);
	expect_duel("TRACK in ENTER", &enter0, 1, &other, 0, BUSY(TD_EPOCH));
	assert_int_equal(enter0.res, SEAM_ENTERED);
	leave(&m, 0);
	expect_duel("ENTER in ENTER", &enter0, 1, &enter1, 0, 0);
	assert_int_equal(enter0.res, SEAM_ENTERED);
	assert_int_equal(enter1.res, SEAM_ENTERED);
	assert_true(seam_look_td(m.s, m.tdr, &td));
	assert_int_equal(td.refcount[td.epoch & 1], 2);
}

/* Seven faults at one RIP: the next ENTER of VCPU 0 looks at the tables under the tree lock. */
static void fill_fault_list(u32 lp, u32 vcpu, u64 gpa)
{
	struct seam_access a;

	for (u32 i = 0; i < 7; i++) {
		enter(&m, lp, vcpu);
		assert_int_equal(guest_read(&m, lp, gpa, i ? SEAM_SAME_RIP : 0, &a), SEAM_EXIT);
	}
}

static void zero_step(const char *profile, bool exclusive)
{
	struct duel_side enter0, enter1, rd, block;
	u64 refused = 48; /* EPT violation: the GPA is still not there */
	struct seam_td_view td;

	teardown(NULL);
	machine_init(&m, profile);
	td_build(&m, 0, 3);
	fill_fault_list(0, 0, GPA);
	fill_fault_list(1, 1, GPA + 0x1000);
	enter0 = on(0, SEAM_TDH_VP_ENTER, m.vcpu[0], 0, 0);
	enter1 = on(1, SEAM_TDH_VP_ENTER, m.vcpu[1], 0, 0);
	rd = on(3, SEAM_TDH_MEM_SEPT_RD, GPA, m.tdr, 0);
	block = on(3, SEAM_TDH_MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);

	/* Its first HELD point is the epoch's, its second the tree's. */
	expect_duel("SEPT.RD in ENTER", &enter0, 2, &rd, refused, exclusive ? BUSY(SEPT_TREE) : 0);
	expect_duel("ENTER in ENTER", &enter0, 2, &enter1, refused,
		    exclusive ? BUSY(SEPT_TREE) : refused);
	expect_duel("ENTER in SEPT.RD", &rd, 1, &enter0, 0, exclusive ? BUSY(SEPT_TREE) : refused);
	expect_duel("BLOCK in ENTER", &enter0, 2, &block, refused, BUSY(SEPT_TREE));
	expect_duel("ENTER in BLOCK", &block, 1, &enter0, 0, BUSY(SEPT_TREE));
	assert_true(seam_look_td(m.s, m.tdr, &td));
	assert_int_equal(td.refcount[0] + td.refcount[1], 0);
}

static void test_contention__zero_step_old(void **state)
{
	zero_step("1.5.16", true);
}

static void test_contention__zero_step_new(void **state)
{
	zero_step("1.5.20", false);
}

/* Another TD on HKID 0x22, keys configured. */
static u64 second_td(u64 tdr)
{
	call_ok(&m, 0, MNG_CREATE, tdr, 0x22, 0);
	call_ok(&m, 0, MNG_KEY_CONFIG, tdr, 0, 0);
	return tdr;
}

static void test_contention__keys(void **state)
{
	u64 page = machine_page(&m), a = second_td(machine_page(&m));
	struct duel_side create = on(2, SEAM_TDH_MNG_CREATE, page, 0x23, 0);
	struct duel_side wb = on(2, SEAM_TDH_PHYMEM_CACHE_WB, 0, 0, 0);
	struct duel_side inner[] = {
		on(3, SEAM_TDH_MNG_CREATE, machine_page(&m), 0x24, 0),
		on(3, SEAM_TDH_MNG_VPFLUSHDONE, a, 0, 0),
		on(3, SEAM_TDH_PHYMEM_CACHE_WB, 0, 0, 0),
	};

	/* CREATE holds the table exclusive. */
	for (size_t i = 0; i < RT_ARRAY_SIZE(inner); i++) {
		expect_duel("in CREATE", &create, 1, &inner[i], i ? SEAM_HKID_NOT_FREE : 0,
			    BUSY(KOT));
		/* From the second on HKID 0x23 is taken, which only shows under the lock. */
		create.in.rcx = machine_page(&m);
	}
	/* CACHE.WB holds it shared, with its package's record. */
	call_ok(&m, 0, MNG_VPFLUSHDONE, a, 0, 0);
	for (size_t i = 0; i < RT_ARRAY_SIZE(inner); i++) {
		u64 want = i == 2 ? BUSY(WBCACHE) : BUSY(KOT);

		if (i == 1)
			inner[i].in.rcx = page;
		assert_true(duel(&m, &wb, DUEL_POLL, 1, &inner[i]));
		expect_status(duel_rax(&wb), SEAM_SUCCESS);
		expect_status(duel_rax(&inner[i]), want);
	}
}

/* The other package has a record of its own, and the table is shared. */
static void test_contention__cache_wb_of_two_packages(void **state)
{
	const struct seam_config cfg = {.profile = "1.5.25", .pkgs = 2};
	struct duel_side wb0, wb1;
	u64 tdr;

	teardown(state);
	machine_init_cfg(&m, &cfg);
	tdr = machine_page(&m);
	call_ok(&m, 0, MNG_CREATE, tdr, 0x22, 0);
	call_ok(&m, 0, MNG_VPFLUSHDONE, tdr, 0, 0);
	wb0 = on(0, SEAM_TDH_PHYMEM_CACHE_WB, 0, 0, 0);
	wb1 = on(3, SEAM_TDH_PHYMEM_CACHE_WB, 0, 0, 0);
	assert_true(duel(&m, &wb0, DUEL_POLL, 2, &wb1));
	expect_status(duel_rax(&wb0), SEAM_SUCCESS);
	expect_status(duel_rax(&wb1), SEAM_SUCCESS);
	call_ok(&m, 0, MNG_KEY_FREEID, tdr, 0, 0);
}

/* A TD beside the first, up to INITIALIZED with a 4K table and a 2M one at the same GPAs. */
static u64 other_td(void)
{
	u64 first = m.tdr, tdr;

	m.tdr = machine_page(&m);
	tdr = second_td(m.tdr);
	for (u32 i = 0; i < 6; i++)
		call_ok(&m, 0, MNG_ADDCX, machine_page(&m), tdr, 0);
	call_ok(&m, 0, MNG_INIT, tdr, PARAMS, 0);
	call_ok(&m, 0, MEM_SEPT_ADD, 3, tdr, machine_page(&m));
	call_ok(&m, 0, MEM_SEPT_ADD, GPA | 2, tdr, machine_page(&m));
	call_ok(&m, 0, MEM_SEPT_ADD, GPA | 1, tdr, machine_page(&m));
	call_ok(&m, 0, MEM_SEPT_ADD, GPA_2M | 2, tdr, machine_page(&m));
	m.tdr = first;
	return tdr;
}

/* Trees, entries and epochs of two TDs have nothing to do with each other. */
static void test_contention__two_tds(void **state)
{
	u64 b = other_td(), page = machine_page(&m);
	struct duel_side block = on(2, SEAM_TDH_MEM_RANGE_BLOCK, GPA | 1, m.tdr, 0);
	struct duel_side track = on(2, SEAM_TDH_MEM_TRACK, m.tdr, 0, 0);
	struct duel_side final = on(2, SEAM_TDH_MR_FINALIZE, m.tdr, 0, 0);
	struct duel_side inner[] = {
		on(3, SEAM_TDH_MEM_SEPT_RD, GPA, b, 0),
		on(3, SEAM_TDH_MEM_RANGE_BLOCK, GPA | 1, b, 0),
		on(3, SEAM_TDH_MEM_RANGE_UNBLOCK, GPA | 1, b, 0),
		on(3, SEAM_TDH_MEM_TRACK, b, 0, 0),
		on(3, SEAM_TDH_MEM_PAGE_AUG, GPA, b, page),
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(inner); i++) {
		struct duel_side *out = i % 2 ? &track : &final;

		if (i == 0)
			out = &block;
		expect_duel("another TD's call", out, 1, &inner[i],
			    out == &final ? SEAM_OP_STATE_INCORRECT | 2 : 0, SEAM_SUCCESS);
	}
}

/*
 *   1G shared -> 2M exclusive (AUG 2M)  against  1G, 2M shared -> 4K exclusive
 */
static void test_contention__pamt_parents(void **state)
{
	u64 b = other_td(), large = machine_large(&m), next = machine_large(&m);
	struct duel_side aug2m = on(2, SEAM_TDH_MEM_PAGE_AUG, GPA_2M | 1, m.tdr, large);
	struct duel_side aug4k = on(2, SEAM_TDH_MEM_PAGE_AUG, GPA, m.tdr, next + 0x1000);
	const struct {
		const char *what;
		u64 leaf, rcx, rdx, r8, in_2m, in_4k;
	} rows[] = {
		/* inside an AUG of the 2M, and inside an AUG of a page of the 2M */
		{"AUG 4K", SEAM_TDH_MEM_PAGE_AUG, GPA, b, 0, BUSY(R8), SEAM_SUCCESS},
		{"AUG 2M", SEAM_TDH_MEM_PAGE_AUG, GPA_2M | 1, b, 0, BUSY(R8), BUSY(R8)},
		{"SEPT.ADD", SEAM_TDH_MEM_SEPT_ADD, (GPA_2M + 0x200000) | 1, b, 0, BUSY(R8),
		 SEAM_SUCCESS},
		{"RDMD", SEAM_TDH_PHYMEM_PAGE_RDMD, 0, 0, 0, BUSY(RCX), SEAM_SUCCESS},
		{"WBINVD", SEAM_TDH_PHYMEM_PAGE_WBINVD, 0, 0, 0, BUSY(RCX), SEAM_SUCCESS},
		{"RECLAIM", SEAM_TDH_PHYMEM_PAGE_RECLAIM, 0, 0, 0, BUSY(RCX),
		 SEAM_PAGE_METADATA_INCORRECT | SEAM_OP_RCX},
	};

	for (u32 k = 0; k < 2; k++) {
		struct duel_side *out = k ? &aug4k : &aug2m;
		u64 range = k ? next : large;

		for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
			u64 page = range + (i == 1 ? 0 : (i + 2) * 0x1000);
			struct duel_side inn = on(3, rows[i].leaf, rows[i].rcx, rows[i].rdx, page);
			u64 want = k ? rows[i].in_4k : rows[i].in_2m;

			if (i > 2)
				inn.in.rcx = page;
			assert_true(duel(&m, out, DUEL_WRITE, 1, &inn));
			expect_status(duel_rax(out), SEAM_SUCCESS);
			if (duel_rax(&inn) != want)
				fail_msg("%s in AUG %s: %llx, wanted %llx", rows[i].what,
					 k ? "4K" : "2M", duel_rax(&inn), want);
			/* The outer call again: each row meets it anew. */
			call_ok(&m, 2, MEM_RANGE_BLOCK, out->in.rcx, m.tdr, 0);
			call_ok(&m, 2, MEM_TRACK, m.tdr, 0, 0);
			call_ok(&m, 2, MEM_PAGE_REMOVE, out->in.rcx, m.tdr, 0);
		}
	}
}

/* PAMT.ADD and REMOVE have the 2M entry exclusive: whoever walks through it is refused. */
static void test_contention__pamt_ranges(void **state)
{
	const struct seam_config cfg = {.profile = "1.5.25", .dynamic_pamt = true};
	const u64 range = 0x50000000ULL, a = 0x7f000000ULL, b = 0x7f010000ULL;
	struct duel_side add, remove, aug, other, taken;
	struct seam_pair_view p;

	teardown(state);
	machine_init_cfg(&m, &cfg);
	call_ok(&m, 0, PHYMEM_PAMT_ADD, SMALL | 1, 0x7f100000, 0x7f101000);
	td_build(&m, 0, 1);
	add = on(2, SEAM_TDH_PHYMEM_PAMT_ADD, range | 1, a, a + 0x1000);
	remove = on(2, SEAM_TDH_PHYMEM_PAMT_REMOVE, range | 1, 0, 0);
	aug = on(3, SEAM_TDH_MEM_PAGE_AUG, GPA, m.tdr, range);
	other = on(3, SEAM_TDH_PHYMEM_PAMT_ADD, range | 1, b, b + 0x1000);
	taken = on(3, SEAM_TDH_PHYMEM_PAMT_ADD, (range + 0x200000) | 1, a, a + 0x1000);

	expect_duel("AUG in PAMT.ADD", &add, 1, &aug, 0, BUSY(R8));
	expect_duel("AUG in PAMT.REMOVE", &remove, 1, &aug, 0, BUSY(R8));
	expect_duel("PAMT.ADD of the range in PAMT.ADD", &add, 1, &other, 0, BUSY(RCX));
	expect_duel("PAMT.ADD in PAMT.REMOVE", &remove, 1, &other, 0, BUSY(RCX));
	/* Two that want the same pages for different ranges: the bitmap tells them apart. */
	expect_duel("the same pair", &add, 1, &taken, SEAM_PAGE_NOT_FREE | SEAM_OP_RDX, 0);
	assert_true(seam_look_pair(m.s, range, &p) && !p.has_pair);
	/* A VCPU in the guest holds the range of its TDVPR. */
	enter(&m, 0, 0);
	expect_status(call(&m, 3, PHYMEM_PAMT_REMOVE, SMALL | 1, 0, 0), BUSY(RCX));
	leave(&m, 0);
	expect_status(call(&m, 3, PHYMEM_PAMT_REMOVE, SMALL | 1, 0, 0), SEAM_PAMT_PAGE_NOT_EMPTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_contention__tdr_exclusive),
		T(test_contention__tdr_exclusive_leaves_while_running),
		T(test_contention__tdvpr_exclusive),
		T(test_contention__epoch_lock),
		T(test_contention__zero_step_old),
		T(test_contention__zero_step_new),
		T(test_contention__keys),
		T(test_contention__cache_wb_of_two_packages),
		T(test_contention__two_tds),
		T(test_contention__pamt_parents),
		T(test_contention__pamt_ranges),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
