// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tracking is for (tdx-module.md 3.5, 10): no VCPU may still reach a page that was taken from
 * its TD. A host that leaves out TRACK or the kick is refused by the module; one that reuses the
 * page all the same is seen in the TLB. Races of BLOCK, TRACK, ENTER and ACCEPT run inside each
 * other.
 */
#include "tests/tdx/duel.h"

#include "sim/rt/phys.h"
#include "sim/rt/sched.h"

static struct machine m;

static int setup(void **state)
{
	machine_init(&m, "1.5.25");
	td_build(&m, 0, 4);
	return 0;
}

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

/*
 * The oracle: a private translation that a VCPU may use leads to a page of its TD. It may be
 * blocked, or mapped by smaller entries now; it may not be anybody else's.
 */
struct dangling {
	u64 vcpu, gpa, hpa;
	bool found;
};

static bool look_at_tlb(void *ctx, const struct seam_tlb_view *t)
{
	struct dangling *d = ctx;
	struct seam_pamt_view p;

	assert_true(seam_look_pamt(m.s, t->hpa, &p));
	if (p.type == SEAM_PT_REG && p.owner == m.tdr)
		return true;
	d->gpa = t->gpa;
	d->hpa = t->hpa;
	d->found = true;
	return false;
}

/* Only what runs can use its TLB; what enters flushes first if it has to. */
static struct dangling find_dangling(void)
{
	struct dangling d = {0};

	for (u32 i = 0; i < m.nr_vcpus && !d.found; i++) {
		struct seam_vcpu_view v;

		d.vcpu = m.vcpu[i];
		assert_true(seam_look_vcpu(m.s, d.vcpu, &v));
		if (v.in_guest)
			seam_for_each_tlb(m.s, d.vcpu, look_at_tlb, &d);
	}
	return d;
}

/* VCPU 0 on LP 0 has accepted and read @gpa: its TLB has it. Returns the page. */
static u64 touched_page(u64 gpa)
{
	struct seam_access a;
	u64 hpa = machine_page(&m);

	enter(&m, 0, 0);
	call_ok(&m, 3, MEM_PAGE_AUG, gpa, m.tdr, hpa);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, gpa), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
	assert_int_equal(guest_read(&m, 0, gpa, 0, &a), SEAM_DONE);
	assert_int_equal(a.hpa, hpa);
	return hpa;
}

/*
 *  step            missing TRACK   missing kick    all done
 *  BLOCK           x               x               x
 *  TRACK           -               x               x
 *  VCPU leaves     x               -               x
 *  REMOVE          refused         refused         ok
 */
static void test_reuse__each_step_is_needed(void **state)
{
	static const struct {
		bool block, track, kick;
		u64 answer;
	} rows[] = {
		{false, false, false, SEAM_GPA_RANGE_NOT_BLOCKED | SEAM_OP_RCX},
		{false, true, true, SEAM_GPA_RANGE_NOT_BLOCKED | SEAM_OP_RCX},
		{true, false, false, SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX},
		{true, false, true, SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX},
		{true, true, false, SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX},
		{true, true, true, SEAM_SUCCESS},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		u64 hpa = touched_page(GPA);
		struct seam_access a;
		bool in_guest = !rows[i].kick;

		if (rows[i].block)
			call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
		if (rows[i].track)
			call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
		if (rows[i].kick)
			leave(&m, 0);
		expect_status(call(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0), rows[i].answer);
		assert_false(find_dangling().found);
		if (in_guest) {
			/* The guest goes on with what it had; blocking alone does not stop it. */
			assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
			assert_int_equal(a.hpa, hpa);
			assert_int_equal(a.stale, rows[i].block);
		}
		teardown(state);
		setup(state);
	}
}

/* A host that does not believe the refusal and hands the page out again. */
static void test_reuse__a_host_that_reuses_anyway_is_seen(void **state)
{
	u64 hpa = touched_page(GPA);
	struct seam_access a;

	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	expect_status(call(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0),
		      SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX);
	rt_phys_write(hpa, 0, 0x5ec7e7);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	assert_true(a.stale && a.integrity);
	assert_int_not_equal(a.data, 0x5ec7e7);
	/* Without the write the same access is only stale. */
	leave(&m, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_EXIT);
}

/* In the build of a TD nothing is tracked, and nothing can be stale: no VCPU may enter yet. */
static void test_reuse__before_finalize_nobody_can_look(void **state)
{
	u64 tdr = machine_page(&m), hpa = machine_page(&m);

	call_ok(&m, 0, MNG_CREATE, tdr, 0x25, 0);
	call_ok(&m, 0, MNG_KEY_CONFIG, tdr, 0, 0);
	for (u32 i = 0; i < 6; i++)
		call_ok(&m, 0, MNG_ADDCX, machine_page(&m), tdr, 0);
	call_ok(&m, 0, MNG_INIT, tdr, PARAMS, 0);
	for (u32 level = 3; level > 0; level--)
		call_ok(&m, 0, MEM_SEPT_ADD, level < 3 ? GPA | level : 3, tdr, machine_page(&m));
	call_ok(&m, 0, MEM_PAGE_AUG, GPA, tdr, hpa);
	call_ok(&m, 0, MEM_PAGE_REMOVE, GPA, tdr, 0);
	call_ok(&m, 0, MEM_PAGE_AUG, GPA, m.tdr, hpa);
}

/* RELOCATE takes the old page away as REMOVE does, so it asks for the same. */
static void test_reuse__relocate_frees_the_old_page(void **state)
{
	u64 hpa = touched_page(GPA), to = machine_page(&m);
	struct seam_access a = {.gpa = GPA, .kind = SEAM_WRITE, .has_data = true, .data = 0x1234};

	assert_int_equal(seam_access(m.s, 0, &a, 0, &m.r, &m.fault), SEAM_DONE);
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	expect_status(call(&m, 3, MEM_PAGE_RELOCATE, GPA, m.tdr, to),
		      SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX);
	leave(&m, 0);
	call_ok(&m, 3, MEM_PAGE_RELOCATE, GPA, m.tdr, to);
	assert_int_equal(m.r.rcx, hpa);
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	assert_int_equal(a.hpa, to);
	assert_int_equal(a.data, 0x1234);
	assert_false(find_dangling().found);
}

/*
 *  BLOCK   ...entry written | TRACK: 1 -> 2 | BEPOCH := 2
 *  So the range needs another TRACK, although one ran after the guest lost it.
 */
static void test_reuse__track_inside_block_stamps_the_new_epoch(void **state)
{
	struct duel_side block = {
		.lp = 2, .in = {.rax = SEAM_TDH_MEM_RANGE_BLOCK, .rcx = GPA, .rdx = m.tdr}};
	struct duel_side track = {.lp = 3, .in = {.rax = SEAM_TDH_MEM_TRACK, .rcx = m.tdr}};
	struct seam_pamt_view p;
	u64 hpa = touched_page(GPA);

	leave(&m, 0);
	assert_true(duel(&m, &block, DUEL_WRITE, 1, &track));
	expect_status(duel_rax(&block), SEAM_SUCCESS);
	expect_status(duel_rax(&track), SEAM_SUCCESS);
	assert_true(seam_look_pamt(m.s, hpa, &p));
	assert_int_equal(p.bepoch, 2);
	expect_status(call(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0),
		      SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0);
}

/* BLOCK takes no epoch lock: inside TRACK it stamps the old epoch, and this TRACK counts. */
static void test_reuse__block_inside_track_counts(void **state)
{
	struct duel_side block = {
		.lp = 2, .in = {.rax = SEAM_TDH_MEM_RANGE_BLOCK, .rcx = GPA, .rdx = m.tdr}};
	struct duel_side track = {.lp = 3, .in = {.rax = SEAM_TDH_MEM_TRACK, .rcx = m.tdr}};

	touched_page(GPA);
	leave(&m, 0);
	assert_true(duel(&m, &track, DUEL_HELD, 1, &block));
	expect_status(duel_rax(&block), SEAM_SUCCESS);
	expect_status(duel_rax(&track), SEAM_SUCCESS);
	call_ok(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0);
}

static void test_reuse__unblock_before_tracking(void **state)
{
	static const struct {
		const char *profile;
		u64 answer;
	} rows[] = {
		{"1.5.01", SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_SEPT_TREE},
		{"1.5.05", SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX},
		{"1.5.34", SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX},
	};

	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		struct seam_access a;

		teardown(state);
		machine_init(&m, rows[i].profile);
		td_build(&m, 0, 4);
		touched_page(GPA);
		call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
		expect_status(call(&m, 3, MEM_RANGE_UNBLOCK, GPA, m.tdr, 0), rows[i].answer);
		call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
		/* The old epoch's VCPU is still in there. */
		expect_status(call(&m, 3, MEM_RANGE_UNBLOCK, GPA, m.tdr, 0), rows[i].answer);
		expect_status(call(&m, 3, MEM_TRACK, m.tdr, 0, 0), SEAM_PREVIOUS_TLB_EPOCH_BUSY);
		leave(&m, 0);
		call_ok(&m, 3, MEM_RANGE_UNBLOCK, GPA, m.tdr, 0);
		enter(&m, 0, 0);
		assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
		assert_false(a.stale);
	}
}

/*
 * ACCEPT reads the entry without a lock; an AUG before it has the lock gives a mismatch of sizes
 * that is none, as in the real module (7.1 step 6).
 */
static void aug_at_the_lock(void *ctx, enum rt_point pt, u64 obj)
{
	u64 *hpa = ctx, page = *hpa;
	struct seam_regs r = {.rax = SEAM_TDH_MEM_PAGE_AUG, .rcx = GPA, .rdx = m.tdr, .r8 = page};

	if (pt != RT_PT_ATOMIC || !page)
		return;
	*hpa = 0;
	assert_int_equal(seam_call(m.s, 3, &r), SEAM_RET);
	expect_status(r.rax, SEAM_SUCCESS);
}

static void test_reuse__aug_before_accept_has_the_lock(void **state)
{
	u64 hpa = machine_page(&m);

	enter(&m, 0, 0);
	rt_set_point_hook(m.w, aug_at_the_lock, &hpa);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	rt_set_point_hook(m.w, NULL, NULL);
	expect_status(m.r.rax, SEAM_PAGE_SIZE_MISMATCH);
	assert_int_equal(sept_state(&m, GPA, 0), SEAM_SEPT_PENDING);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
}

/* Two VCPUs of one LP take turns: each loses its translations to the other's entry. */
static void test_reuse__siblings_on_one_lp(void **state)
{
	struct seam_access a;

	touched_page(GPA);
	leave(&m, 0);
	call_ok(&m, 1, VP_FLUSH, m.vcpu[1], 0, 0);
	enter(&m, 0, 1);
	leave(&m, 0);
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	leave(&m, 0);
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	/* Same epoch, nothing associated anew: the other VCPU alone is why this entry flushes. */
	enter(&m, 0, 1);
	leave(&m, 0);
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_EXIT);
}

/* One random step of a host that asks for everything and takes what it is given. */
static void random_step(u64 *owned)
{
	const u32 n = 8, lp = (u32)rt_random_below(3);
	u64 gpa = GPA + rt_random_below(n) * SEAM_LEVEL_SIZE(0);
	u64 *page = &owned[rt_random_below(n)];
	struct seam_vcpu_view v;
	struct seam_access a;
	bool in;

	assert_true(seam_look_vcpu(m.s, m.vcpu[lp], &v));
	in = v.in_guest;
	switch (rt_random_below(9)) {
	case 0:
		if (!in)
			call(&m, lp, VP_ENTER, m.vcpu[lp], 0, 0);
		break;
	case 1:
		if (in)
			leave(&m, lp);
		break;
	case 2:
	case 3:
		if (in)
			guest_read(&m, lp, gpa, 0, &a);
		break;
	case 4:
		if (in)
			tdcall(&m, lp, SEAM_TDG_MEM_PAGE_ACCEPT, gpa);
		break;
	case 5:
		call(&m, 3, MEM_PAGE_AUG, gpa, m.tdr, *page);
		break;
	case 6:
		call(&m, 3, MEM_RANGE_BLOCK, gpa, m.tdr, 0);
		break;
	case 7:
		call(&m, 3, MEM_TRACK, m.tdr, 0, 0);
		break;
	default:
		if (rt_random_below(2))
			call(&m, 3, MEM_PAGE_REMOVE, gpa, m.tdr, 0);
		else
			call(&m, 3, MEM_PAGE_RELOCATE, gpa, m.tdr, *page);
		break;
	}
}

/* Whatever a host asks for, and in whatever order: what the module lets it have, nobody reaches. */
static void test_reuse__no_order_of_calls_leaves_a_dangling_translation(void **state)
{
	u64 owned[8], removed = 0;
	char why[256];

	for (u32 i = 0; i < RT_ARRAY_SIZE(owned); i++)
		owned[i] = machine_page(&m);
	for (u32 i = 0; i < 20000; i++) {
		struct dangling d;
		u64 before = seam_count_owned(m.s, m.tdr);

		random_step(owned);
		removed += seam_count_owned(m.s, m.tdr) < before;
		d = find_dangling();
		if (d.found)
			fail_msg("step %u: VCPU %llx reaches %llx at GPA %llx, which its TD lost",
				 i, d.vcpu, d.hpa, d.gpa);
		if (!(i % 512) && !seam_check(m.s, why, sizeof(why)))
			fail_msg("step %u: %s", i, why);
	}
	/* The walk did get pages back, so the oracle had something to find. */
	assert_in_range(removed, 20, 20000);
}

static bool lines_at(u64 hpa)
{
	u64 at;
	u32 key;

	return rt_phys_lines(hpa, RT_PAGE_SIZE, &at, &key);
}

/* A page that came back has lines of its TD's key; WBINVD has to name that key. */
static void test_reuse__lines_until_written_back(void **state)
{
	const u32 shift = 52 - seam_get_config(m.s)->keyid_bits;
	u64 hpa = touched_page(GPA);
	u64 hkid = rt_phys_info(hpa).key;

	assert_false(lines_at(hpa));
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	leave(&m, 0);
	call_ok(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0);
	assert_true(lines_at(hpa));
	call_ok(&m, 3, PHYMEM_PAGE_WBINVD, hpa | (hkid ^ 1) << shift, 0, 0);
	assert_true(lines_at(hpa));
	call_ok(&m, 3, PHYMEM_PAGE_WBINVD, hpa | hkid << shift, 0, 0);
	assert_false(lines_at(hpa));
}

/*
 * The key's release wrote everything of the TD back, but the TDR is written with the module's own
 * key.
 */
static void test_reuse__lines_of_a_torn_down_td(void **state)
{
	const struct seam_config *cfg = seam_get_config(m.s);
	u64 page = touched_page(GPA);

	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	leave(&m, 0);
	call_ok(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0);
	assert_true(lines_at(page));
	for (u32 i = 0; i < m.nr_vcpus; i++)
		call_ok(&m, i, VP_FLUSH, m.vcpu[i], 0, 0);
	call_ok(&m, 0, MNG_VPFLUSHDONE, m.tdr, 0, 0);
	call_ok(&m, 0, PHYMEM_CACHE_WB, 0, 0, 0);
	call_ok(&m, 0, MNG_KEY_FREEID, m.tdr, 0, 0);
	assert_false(lines_at(page));
	for (u64 hpa = m.tdr + RT_PAGE_SIZE; hpa < page; hpa += RT_PAGE_SIZE) {
		call_ok(&m, 0, PHYMEM_PAGE_RECLAIM, hpa, 0, 0);
		assert_false(lines_at(hpa));
	}
	call_ok(&m, 0, PHYMEM_PAGE_RECLAIM, m.tdr, 0, 0);
	assert_true(lines_at(m.tdr));
	call_ok(&m, 0, PHYMEM_PAGE_WBINVD, m.tdr | (u64)cfg->hkid_global << (52 - cfg->keyid_bits),
		0, 0);
	assert_false(lines_at(m.tdr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_reuse__each_step_is_needed),
		T(test_reuse__a_host_that_reuses_anyway_is_seen),
		T(test_reuse__before_finalize_nobody_can_look),
		T(test_reuse__relocate_frees_the_old_page),
		T(test_reuse__track_inside_block_stamps_the_new_epoch),
		T(test_reuse__block_inside_track_counts),
		T(test_reuse__unblock_before_tracking),
		T(test_reuse__aug_before_accept_has_the_lock),
		T(test_reuse__siblings_on_one_lp),
		T(test_reuse__lines_until_written_back),
		T(test_reuse__lines_of_a_torn_down_td),
		T(test_reuse__no_order_of_calls_leaves_a_dangling_translation),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
