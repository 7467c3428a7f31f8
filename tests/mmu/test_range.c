// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a conversion costs that is unaligned at both ends of a large range: entries visited by the split walk, under both
 * split_api values. Only the two ends are mapped; everything between is a hole.
 */
#include "tests/mmu/machine.h"

#include "mmu/mmu.h"

#define RANGE_SLOT 5
#define RANGE_GPA  (1ULL << 41)
#define RANGE_MAX  (256ULL << 30)
#define SZ_2M	   (2ULL << 20)

static struct machine *range_machine(struct kvm_gmem_file **file)
{
	struct machine *m = machine_new(&(struct machine_opts){.dynamic_pamt = true});
	struct gmem_setup setup = {.name = "range", .size = RANGE_MAX, .backing = GMEM_THP_2M};
	struct kvm_userspace_memory_region2 region = {
		.slot = RANGE_SLOT,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = RANGE_GPA,
		.memory_size = RANGE_MAX,
		.userspace_addr = 0x100000000000ULL + RANGE_GPA,
	};

	machine_build(m);
	assert_true(gmem_profile("SEAN_2026", setup.policy));
	assert_int_equal(kvm_gmem_create(m->kvm, &setup, file), 0);
	region.guest_memfd = *file;
	assert_int_equal(kvm_vm_ioctl_set_memory_region(m->kvm, &region), 0);
	return m;
}

/* Entries that the split before a conversion of [4K, size - 4K) looks at; both of its ends are split. */
static u64 visits(u64 size, bool cross)
{
	struct kvm_gmem_file *file;
	struct machine *m = range_machine(&file);
	const gfn_t start = gpa_to_gfn(RANGE_GPA) + 1, end = gpa_to_gfn(RANGE_GPA + size) - 1;
	struct kvm_gfn_range range = {
		.start = start,
		.end = end,
		.attr_filter = KVM_FILTER_PRIVATE,
		.may_block = true,
	};
	u64 done, before;

	assert_int_equal(kvm_vcpu_ioctl_pre_fault(m->vcpu[0], RANGE_GPA, SZ_2M, false, &done), 0);
	assert_int_equal(kvm_vcpu_ioctl_pre_fault(m->vcpu[0], RANGE_GPA + size - SZ_2M, SZ_2M,
						  false, &done),
			 0);
	before = kvm_stat(m->host, KVM_STAT_SPLIT_VISITS);
	if (cross) {
		mutex_lock(&m->kvm->slots_lock);
		write_lock(&m->kvm->mmu_lock);
		assert_int_equal(kvm_split_cross_boundary_leafs(m->kvm, &range, false), 0);
		write_unlock(&m->kvm->mmu_lock);
		mutex_unlock(&m->kvm->slots_lock);
	} else {
		assert_int_equal(kvm_arch_gmem_convert(m->kvm, start, end, false), 0);
	}
	before = kvm_stat(m->host, KVM_STAT_SPLIT_VISITS) - before;
	assert_int_equal(kvm_stat(m->host, KVM_STAT_SPLITS), 2);

	kvm_gmem_release(file);
	machine_destroy_td(m);
	assert_string_equal(m->first, "");
	machine_free(m);
	return before;
}

/*
 *    RANGE_GPA                                              + size
 *    |4K|.2M leaf.|        hole (tables at 1G at most)       |.2M leaf.|4K|
 *       [                  becomes shared                              ]
 */
static void test_range__visits_of_an_unaligned_conversion(void **state)
{
	static const u64 gib[] = {1, 4, 16, 64, 256};
	u64 head_tail[ARRAY_SIZE(gib)], cross[ARRAY_SIZE(gib)];
	u32 i;

	print_message("entries visited   headtail      cross\n");
	for (i = 0; i < ARRAY_SIZE(gib); i++) {
		head_tail[i] = visits(gib[i] << 30, false);
		cross[i] = visits(gib[i] << 30, true);
		print_message("%11llu GiB %10llu %10llu\n", gib[i], head_tail[i], cross[i]);
		assert_int_equal(head_tail[i], head_tail[0]);
		assert_true(!i || cross[i] > cross[i - 1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range__visits_of_an_unaligned_conversion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
