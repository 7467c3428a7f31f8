// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots and lpage_info: what a slot's edges, its place in the file and the attributes forbid;
 * look-up; deletion.
 */
#include "tests/mmu/machine.h"

#include "mmu/tdx.h"
#include "tdx/inspect.h"

#define MIXED	KVM_LPAGE_MIXED_FLAG
#define INHIBIT KVM_LPAGE_GUEST_INHIBIT_FLAG
#define GFN_2M	512ULL

/* The last slot that a case added: number 5, without guest_memfd unless it says so. */
#define CASE_SLOT 5

static int set_slot(struct machine *m, u64 gfn, u64 npages, u64 user_gfn)
{
	const struct kvm_userspace_memory_region2 region = {
		.slot = CASE_SLOT,
		.guest_phys_addr = gfn_to_gpa(gfn),
		.memory_size = npages << PAGE_SHIFT,
		.userspace_addr = user_gfn << PAGE_SHIFT,
	};

	return kvm_vm_ioctl_set_memory_region(m->kvm, &region);
}

/*
 *      gfn 0x100200       0x100400       0x100600       0x100800
 *            |--------------|--------------|--------------|
 * aligned    [##############################]
 * head           [#########################]                  first 2M counted
 * tail       [#########################]                      last 2M counted
 * user       [##############################]                 userspace not congruent: all counted
 */
static void test_slots__disallow_counters(void **state)
{
	static const struct {
		const char *what;
		u64 gfn, npages, user;
		u32 want[2]; /* of the 2M at 0x100200 and at 0x100400 */
	} cases[] = {
		{"aligned", 0x100200, 0x400, 0x500200, {0, 0}},
		{"head", 0x100210, 0x3f0, 0x500210, {1, 0}},
		{"tail", 0x100200, 0x3f0, 0x500200, {0, 1}},
		{"head and tail", 0x100210, 0x3e0, 0x500210, {1, 1}},
		{"userspace not congruent", 0x100200, 0x400, 0x500201, {1, 1}},
	};
	struct machine *m = machine_new(&(struct machine_opts){0});
	u32 i, j;

	machine_build(m);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(set_slot(m, cases[i].gfn, cases[i].npages, cases[i].user), 0);
		for (j = 0; j < 2; j++) {
			u32 got = kvm_look_lpage(m->kvm, 0x100300 + j * GFN_2M, PG_LEVEL_2M);

			if (got != cases[i].want[j])
				fail_msg("%s: 2M number %u: %u", cases[i].what, j, got);
		}
		/* 1G is never wholly inside. */
		assert_int_equal(kvm_look_lpage(m->kvm, 0x100300, PG_LEVEL_1G), 1);
		assert_int_equal(set_slot(m, 0, 0, 0), 0);
		assert_int_equal(kvm_look_lpage(m->kvm, 0x100300, PG_LEVEL_2M), ~0U);
	}
	machine_destroy_td(m);
	assert_int_equal(m->reports, 0);
	machine_free(m);
}

static void test_slots__guest_inhibit(void **state)
{
	struct machine *m = machine_new(&(struct machine_opts){0});
	const gfn_t gfn = gpa_to_gfn(MACHINE_SLOT_GPA) + 7;
	struct kvm_memory_slot *slot;

	machine_build(m);
	slot = m->kvm->memslots->slots[1];
	assert_int_equal(slot->base_gfn, gpa_to_gfn(MACHINE_SLOT_GPA));
	assert_false(hugepage_test_guest_inhibit(slot, gfn, PG_LEVEL_2M));
	write_lock(&m->kvm->mmu_lock);
	hugepage_set_guest_inhibit(slot, gfn, PG_LEVEL_2M);
	hugepage_set_guest_inhibit(slot, gfn, PG_LEVEL_512G);
	write_unlock(&m->kvm->mmu_lock);
	assert_true(hugepage_test_guest_inhibit(slot, gfn, PG_LEVEL_2M));
	assert_false(hugepage_test_guest_inhibit(slot, gfn, PG_LEVEL_1G));
	assert_false(hugepage_test_guest_inhibit(slot, gfn, PG_LEVEL_512G));
	assert_false(hugepage_test_guest_inhibit(slot, gfn + GFN_2M, PG_LEVEL_2M));

	/* R11: the counter never reaches the flags, and a change of one is reported. */
	update_gfn_disallow_lpage_count(slot, gfn, 1);
	assert_int_equal(kvm_look_lpage(m->kvm, gfn, PG_LEVEL_2M), INHIBIT | 1);
	update_gfn_disallow_lpage_count(slot, gfn, -1);
	assert_int_equal(kvm_look_lpage(m->kvm, gfn, PG_LEVEL_2M), INHIBIT);
	assert_int_equal(m->reports, 0);
	update_gfn_disallow_lpage_count(slot, gfn, -1);
	assert_int_equal(m->reports,
			 1); /* at 2M it ate the inhibit; at 1G it took the tail's count */
	update_gfn_disallow_lpage_count(slot, gfn, 1);

	/* Without the lock it is a report, too. */
	m->reports = 0;
	hugepage_set_guest_inhibit(slot, gfn, PG_LEVEL_2M);
	assert_int_equal(m->reports, 1);
	assert_non_null(strstr(m->report, "lockdep: mmu/lpage.c"));
	machine_destroy_td(m);
	machine_free(m);
}

static void test_slots__refused_regions(void **state)
{
	struct machine *m = machine_new(&(struct machine_opts){0});

	machine_build(m);
	assert_int_equal(set_slot(m, 0, 0, 0), -EINVAL);	  /* nothing to delete */
	assert_int_equal(set_slot(m, 0x80100, 0x10, 0), -EEXIST); /* over slot 0 */
	assert_int_equal(set_slot(m, 0x7ffff, 2, 0), -EEXIST);
	assert_int_equal(set_slot(m, 0x7fffe, 2, 0), 0);
	assert_int_equal(set_slot(m, 0x7fff0, 4, 0), -EINVAL); /* a slot does not change its size */
	assert_int_equal(set_slot(m, 0x7fff0, 2, 5), -EINVAL); /* nor its memory */
	assert_int_equal(set_slot(m, 0x7ffff, 2, 0), -EEXIST); /* moved into slot 0 */
	assert_int_equal(set_slot(m, 0x7fffe, 2, 0), 0);       /* where it is */
	assert_int_equal(m->reports, 0);
	machine_destroy_td(m);
	machine_free(m);
}

/*
 * A move: faults at the old place find no slot, at the new one they do, and a slot may overlap where
 * it was itself.
 */
static void test_slots__move(void **state)
{
	struct machine *m = machine_new(&(struct machine_opts){.series = "v3"});
	const struct kvm_userspace_memory_region2 gmem_moved = {
		.slot = 0,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = MACHINE_SLOT_GPA + 0x40000000,
		.memory_size = MACHINE_SLOT,
	};
	struct kvm_userspace_memory_region2 bad = gmem_moved;
	u64 val = 7;

	machine_build(m);
	assert_int_equal(set_slot(m, 0x100200, 0x400, 0x500200), 0);
	assert_int_equal(kvm_vm_host_access(m->kvm, gfn_to_gpa(0x100201), true, &val), 0);
	assert_int_equal(set_slot(m, 0x100400, 0x400, 0x500200), 0);
	assert_int_equal(kvm_look_lpage(m->kvm, 0x100300, PG_LEVEL_2M), ~0U);
	assert_int_equal(kvm_look_lpage(m->kvm, 0x100500, PG_LEVEL_2M), 0);
	val = 0;
	assert_int_equal(kvm_vm_host_access(m->kvm, gfn_to_gpa(0x100401), false, &val), 0);
	assert_int_equal(val, 7);
	assert_int_equal(kvm_vm_host_access(m->kvm, gfn_to_gpa(0x100201), false, &val), -EFAULT);

	/* With guest_memfd nothing is moved. */
	bad.guest_memfd = m->gmem;
	assert_int_equal(kvm_vm_ioctl_set_memory_region(m->kvm, &bad), -EINVAL);
	machine_destroy_td(m);
	assert_string_equal(m->first, "");
	machine_free(m);
}

/* S9: leaves go with the slot, tables and S-EPT pages stay; the same slot can come back. */
static void test_slots__delete_zaps(void **state)
{
	const struct kvm_userspace_memory_region2 gone = {.slot = 0};
	struct machine *m = machine_new(&(struct machine_opts){0});
	struct kvm_userspace_memory_region2 again = {
		.slot = 0,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = MACHINE_SLOT_GPA,
		.memory_size = MACHINE_SLOT,
	};
	struct seam_sept_view v;
	u64 done;

	machine_build(m);
	again.guest_memfd = m->gmem;
	assert_int_equal(
		kvm_vcpu_ioctl_pre_fault(m->vcpu[0], MACHINE_SLOT_GPA, 0x200000, false, &done), 0);
	assert_int_equal(kvm_vm_ioctl_set_memory_region(m->kvm, &gone), 0);
	assert_int_equal(kvm_stat(m->host, KVM_STAT_PAGES_2M), 0);
	assert_true(seam_look_sept(m->seam, kvm_tdr(m->kvm), MACHINE_SLOT_GPA, 1, &v));
	assert_int_equal(v.level, 1);
	assert_int_equal(v.state, SEAM_SEPT_FREE);
	assert_int_equal(kvm_vcpu_ioctl_pre_fault(m->vcpu[0], MACHINE_SLOT_GPA, 0x1000, false,
						  &done),
			 -EFAULT);
	assert_int_equal(kvm_vm_ioctl_set_memory_region(m->kvm, &again), 0);
	assert_int_equal(
		kvm_vcpu_ioctl_pre_fault(m->vcpu[0], MACHINE_SLOT_GPA, 0x200000, false, &done), 0);
	assert_int_equal(kvm_stat(m->host, KVM_STAT_PAGES_2M), 1);
	machine_destroy_td(m);
	assert_string_equal(m->first, "");
	machine_free(m);
}

/*
 * MIXED of the two 2M of slot 0 after each step, first to last; P private, S shared.
 *
 *   step                    2M #0            2M #1
 *   (built)                 PPPPPPPPPPPP     PPPPPPPPPPPP
 *   1 last page of #0,
 *     first of #1 shared    PPPPPPPPPPPS     SPPPPPPPPPPP
 *   2 rest of #0 shared     SSSSSSSSSSSS     SPPPPPPPPPPP
 *   3 all private           PPPPPPPPPPPP     PPPPPPPPPPPP
 */
static void test_slots__mixed(void **state)
{
	static const struct {
		u64 offset, size, attributes;
		u32 want[2];
	} steps[] = {
		{0x1ff000, 0x2000, 0, {MIXED, MIXED}},
		{0, 0x1ff000, 0, {0, MIXED}},
		{0, MACHINE_SLOT, KVM_MEMORY_ATTRIBUTE_PRIVATE, {0, 0}},
		{0x200000, 0x200000, 0, {0, 0}},
	};
	struct machine *m = machine_new(&(struct machine_opts){.series = "v3"});
	const gfn_t gfn = gpa_to_gfn(MACHINE_SLOT_GPA);
	u32 i;

	machine_build(m);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(
			kvm_vm_ioctl_set_mem_attributes(m->kvm, MACHINE_SLOT_GPA + steps[i].offset,
							steps[i].size, steps[i].attributes),
			0);
		assert_int_equal(kvm_look_lpage(m->kvm, gfn, PG_LEVEL_2M), steps[i].want[0]);
		assert_int_equal(kvm_look_lpage(m->kvm, gfn + GFN_2M, PG_LEVEL_2M),
				 steps[i].want[1]);
		assert_int_equal(m->kvm->mmu_invalidate_in_progress, 0);
	}
	machine_destroy_td(m);
	assert_string_equal(m->first, "");
	machine_free(m);
}

/* Attributes as runs against a plain array, over a fixed walk of overlapping ranges. */
static void test_slots__attribute_runs(void **state)
{
	struct machine *m = machine_new(&(struct machine_opts){.series = "v3"});
	const gfn_t base = 0x200000; /* no slot there */
	bool model[64] = {false};
	u32 step, i, x = 1;

	machine_build(m);
	for (step = 0; step < 400; step++) {
		u32 from, len;
		bool priv;

		x = x * 1103515245 + 12345;
		from = x >> 16 & 63;
		len = 1 + (x >> 22) % (64 - from);
		priv = x >> 30 & 1;
		for (i = from; i < from + len; i++)
			model[i] = priv;
		assert_int_equal(kvm_vm_ioctl_set_mem_attributes(
					 m->kvm, gfn_to_gpa(base + from), (u64)len << PAGE_SHIFT,
					 priv ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0),
				 0);
		for (i = 0; i < 64; i++)
			assert_int_equal(kvm_look_private(m->kvm, base + i), model[i]);
	}
	machine_destroy_td(m);
	machine_free(m);
}

/*
 * The range that faults are checked against is the union of all that go on; the number moves with
 * each end.
 */
static void test_slots__invalidation(void **state)
{
	struct machine *m = machine_new(&(struct machine_opts){0});
	struct kvm *kvm;
	u64 seq;

	machine_build(m);
	kvm = m->kvm;
	write_lock(&kvm->mmu_lock);
	seq = kvm->mmu_invalidate_seq;
	kvm_mmu_invalidate_begin(kvm);
	kvm_mmu_invalidate_range_add(kvm, 10, 20);
	assert_true(mmu_invalidate_retry_gfn(kvm, seq, 10));
	assert_false(mmu_invalidate_retry_gfn(kvm, seq, 20));
	kvm_mmu_invalidate_begin(kvm);
	kvm_mmu_invalidate_range_add(kvm, 30, 40);
	assert_true(mmu_invalidate_retry_gfn(kvm, seq, 25));
	assert_true(mmu_invalidate_retry_gfn_unsafe(kvm, seq, 25));
	kvm_mmu_invalidate_end(kvm);
	kvm_mmu_invalidate_end(kvm);
	assert_true(mmu_invalidate_retry_gfn(kvm, seq, 100));
	assert_false(mmu_invalidate_retry_gfn(kvm, seq + 2, 10));
	assert_int_equal(m->reports, 0);
	kvm_mmu_invalidate_end(kvm);
	assert_true(kvm_is_bugged(kvm));
	write_unlock(&kvm->mmu_lock);
	kvm->mmu_invalidate_in_progress = 0;
	machine_destroy_td(m);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots__disallow_counters),
		cmocka_unit_test(test_slots__guest_inhibit),
		cmocka_unit_test(test_slots__refused_regions),
		cmocka_unit_test(test_slots__move),
		cmocka_unit_test(test_slots__delete_zaps),
		cmocka_unit_test(test_slots__mixed),
		cmocka_unit_test(test_slots__attribute_runs),
		cmocka_unit_test(test_slots__invalidation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
