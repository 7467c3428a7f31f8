// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VCPU's TLB and guest accesses (tdx-module.md 3.5, 7.3): which translation is stale when, what
 * an entry flushes, and what hardware and module make of an access that has no translation.
 */
#include "tests/tdx/machine.h"

#include "sim/rt/phys.h"

#define SHARED RT_BIT(47)

static struct machine m;

static int setup(void **state)
{
	machine_init(&m, "1.5.25");
	td_build(&m, 0, 3);
	return 0;
}

static int teardown(void **state)
{
	machine_free(&m);
	return 0;
}

static u64 map_accepted(u64 gpa)
{
	u64 hpa = machine_page(&m);

	call_ok(&m, 3, MEM_PAGE_AUG, gpa, m.tdr, hpa);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, gpa), SEAM_DONE);
	expect_status(m.r.rax, SEAM_SUCCESS);
	return hpa;
}

/*
 *  guest   read ........................ read (stale) ... leave, enter, read (exit)
 *  host          BLOCK, TRACK                        REMOVE refused
 */
static void test_tlb__blocked_page_is_still_reached(void **state)
{
	struct seam_access a;
	u64 hpa;

	enter(&m, 0, 0);
	hpa = map_accepted(GPA);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	assert_int_equal(a.hpa, hpa);
	assert_false(a.stale);
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA + 8, 0, &a), SEAM_DONE);
	assert_int_equal(a.hpa, hpa + 8);
	assert_true(a.stale);
	/* That is why the module refuses to take the page away. */
	expect_status(call(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0),
		      SEAM_TLB_TRACKING_NOT_DONE | SEAM_OP_RCX);
	leave(&m, 0);
	call_ok(&m, 3, MEM_PAGE_REMOVE, GPA, m.tdr, 0);
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_EXIT);
	expect_status(m.r.rax, 48);
}

/* Without TRACK the epoch does not change, and an entry in the same epoch flushes nothing. */
static void test_tlb__entry_without_track_keeps_translations(void **state)
{
	struct seam_access a;

	enter(&m, 0, 0);
	map_accepted(GPA);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA, m.tdr, 0);
	leave(&m, 0);
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	assert_true(a.stale);
	leave(&m, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_EXIT);
}

static bool count_one(void *ctx, const struct seam_tlb_view *v)
{
	(*(u32 *)ctx)++;
	return true;
}

static u32 tlb_entries(u64 tdvpr)
{
	u32 n = 0;

	seam_for_each_tlb(m.s, tdvpr, count_one, &n);
	return n;
}

static void test_tlb__flush_and_other_vcpu(void **state)
{
	struct seam_access a;

	enter(&m, 0, 0);
	map_accepted(GPA);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	leave(&m, 0);
	assert_int_equal(tlb_entries(m.vcpu[0]), 1);
	/* VP.FLUSH on the LP drops them. */
	call_ok(&m, 0, VP_FLUSH, m.vcpu[0], 0, 0);
	assert_int_equal(tlb_entries(m.vcpu[0]), 0);
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	leave(&m, 0);
	/* So does the entry of a sibling on the same LP. */
	call_ok(&m, 1, VP_FLUSH, m.vcpu[1], 0, 0);
	enter(&m, 0, 1);
	assert_int_equal(tlb_entries(m.vcpu[0]), 0);
	leave(&m, 0);
}

/*
 * The range was blocked and tracked, so after DEMOTE the same bytes are at the same places: no
 * translation is wrong.
 */
static void test_tlb__size_alone_is_not_stale(void **state)
{
	struct seam_access a;

	call_ok(&m, 3, MEM_PAGE_AUG, GPA_2M | 1, m.tdr, machine_large(&m));
	enter(&m, 0, 0);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT, GPA_2M | 1), SEAM_DONE);
	assert_int_equal(guest_read(&m, 0, GPA_2M + 0x5000, 0, &a), SEAM_DONE);
	assert_int_equal(a.level, 1);
	leave(&m, 0);
	call_ok(&m, 3, MEM_RANGE_BLOCK, GPA_2M | 1, m.tdr, 0);
	call_ok(&m, 3, MEM_TRACK, m.tdr, 0, 0);
	call_ok(&m, 3, MEM_PAGE_DEMOTE, GPA_2M | 1, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA_2M + 0x5000, 0, &a), SEAM_DONE);
	assert_int_equal(a.level, 0);
	assert_false(a.stale);
	leave(&m, 0);
}

struct shared_table {
	u64 hpa;
	bool mapped, writable;
};

static bool shared_walk(void *ctx, u64 tdr, u64 gpa, u64 *hpa, bool *writable)
{
	const struct shared_table *t = ctx;

	assert_int_equal(tdr, m.tdr);
	*hpa = t->hpa;
	*writable = t->writable;
	return t->mapped && gpa == (GPA | SHARED);
}

static void test_tlb__shared(void **state)
{
	struct shared_table t = {.hpa = 0x20000, .mapped = true, .writable = true};
	struct seam_access a = {
		.gpa = GPA | SHARED, .kind = SEAM_WRITE, .has_data = true, .data = 42};
	u64 word = 0;

	seam_set_shared_walk(m.s, shared_walk, &t);
	enter(&m, 0, 0);
	assert_int_equal(seam_access(m.s, 0, &a, 0, &m.r, &m.fault), SEAM_DONE);
	rt_phys_peek(t.hpa, &word, sizeof(word));
	assert_int_equal(word, 42);
	t.mapped = false;
	assert_int_equal(guest_read(&m, 0, GPA | SHARED, 0, &a), SEAM_DONE);
	assert_true(a.stale);
	seam_shared_flush(m.s, m.tdr, GPA | SHARED, 0x1000);
	assert_int_equal(guest_read(&m, 0, GPA | SHARED, 0, &a), SEAM_EXIT);
	assert_int_equal(m.r.r8, GPA | SHARED);
	/* Read-only: a load works, a store is the VMM's matter. */
	t.mapped = true;
	t.writable = false;
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA | SHARED, 0, &a), SEAM_DONE);
	a.kind = SEAM_WRITE;
	assert_int_equal(seam_access(m.s, 0, &a, 0, &m.r, &m.fault), SEAM_EXIT);
	assert_int_equal(m.r.rcx & 7, 2);
	seam_set_shared_walk(m.s, NULL, NULL);
}

/* A private page that somebody wrote with another key. */
static void test_tlb__integrity(void **state)
{
	struct seam_access a;
	u64 hpa;

	enter(&m, 0, 0);
	hpa = map_accepted(GPA);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	assert_false(a.integrity);
	rt_phys_write(hpa, 0, 0x1234);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_DONE);
	assert_true(a.integrity);
	assert_int_not_equal(a.data, 0x1234);
	leave(&m, 0);
}

static void test_tlb__pending_page(void **state)
{
	struct seam_access a;

	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA + 0x123, SEAM_KEEP_VE, &a), SEAM_VE);
	assert_int_equal(m.fault.qual, 0x181);
	assert_int_equal(m.fault.gpa, GPA + 0x123);
	/* VE_INFO is still full. */
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_INJECT);
	assert_int_equal(m.fault.vector, 8);
	assert_int_equal(tdcall(&m, 0, SEAM_TDG_VP_VEINFO_GET, 0), SEAM_DONE);
	assert_int_equal(m.r.rcx, 48);
	assert_int_equal(m.r.r9, GPA + 0x123);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_VE);
	/* Wider than 48 bits: the guest's own page fault. */
	assert_int_equal(guest_read(&m, 0, GPA | RT_BIT(48), 0, &a), SEAM_INJECT);
	assert_int_equal(m.fault.vector, 14);
	leave(&m, 0);
}

static void test_tlb__pending_page_without_ve(void **state)
{
	struct seam_access a;

	teardown(state);
	machine_init(&m, "1.5.25");
	td_build(&m, RT_BIT(28), 1);
	call_ok(&m, 3, MEM_PAGE_AUG, GPA, m.tdr, machine_page(&m));
	enter(&m, 0, 0);
	assert_int_equal(guest_read(&m, 0, GPA, 0, &a), SEAM_EXIT);
	assert_int_equal(m.r.rdx, 6);
	assert_int_equal(m.r.rcx, 1);
}

/* Many pages: the oldest translations go, the rest stay right. */
static void test_tlb__forgets_the_oldest(void **state)
{
	struct seam_access a;
	u64 i, hpa[3];

	teardown(state);
	machine_init(&m, "1.5.25");
	td_build(&m, 0, 1);
	enter(&m, 0, 0);
	for (i = 0; i < 3; i++) {
		hpa[i] = machine_large(&m);
		call_ok(&m, 3, MEM_PAGE_AUG, (GPA_2M + i * SEAM_LEVEL_SIZE(1)) | 1, m.tdr, hpa[i]);
		assert_int_equal(tdcall(&m, 0, SEAM_TDG_MEM_PAGE_ACCEPT,
					(GPA_2M + i * SEAM_LEVEL_SIZE(1)) | 1),
				 SEAM_DONE);
	}
	for (i = 0; i < 512; i++)
		map_accepted(GPA + i * RT_PAGE_SIZE);
	for (i = 0; i < 512; i++)
		assert_int_equal(guest_read(&m, 0, GPA + i * RT_PAGE_SIZE, 0, &a), SEAM_DONE);
	for (i = 0; i < 3; i++) {
		assert_int_equal(guest_read(&m, 0, GPA_2M + i * SEAM_LEVEL_SIZE(1) + 8, 0, &a),
				 SEAM_DONE);
		assert_int_equal(a.hpa, hpa[i] + 8);
		assert_false(a.stale);
	}
	assert_int_equal(tlb_entries(m.vcpu[0]), 512);
	leave(&m, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_tlb__blocked_page_is_still_reached),
		T(test_tlb__entry_without_track_keeps_translations),
		T(test_tlb__flush_and_other_vcpu),
		T(test_tlb__size_alone_is_not_stale),
		T(test_tlb__shared),
		T(test_tlb__integrity),
		T(test_tlb__pending_page),
		T(test_tlb__pending_page_without_ve),
		T(test_tlb__forgets_the_oldest),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
