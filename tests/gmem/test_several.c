// SPDX-License-Identifier: GPL-2.0-only
/*
 * A conversion over several slots and over the files of two VMs, on the real KVM and module: which
 * leaves are split and which are lost when the memory for one of the splits lacks (gmem.md 5, row
 * "E: -ENOMEM at head / tail / 2nd slot / 2nd VM", and P14). One slot is tested in test_fail.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/kvm_host.h>

#include "gmem/internal.h"
#include "mmu/host.h"
#include "sim/lab/kit.h"
#include "sim/rt/fault.h"

#define SLOT_PAGES 1024ULL
#define SLOT_SIZE  (SLOT_PAGES << 12)
#define B_GPA	   0x80000000ULL

/*
 *   index   0       512     1024    1536    2048    2560   3072
 *           | leaf 0 | leaf 1 | leaf 2 | leaf 3 | leaf 4 | leaf 5 |
 *           |   slot 0 of a   |   slot 1 of a   |   slot 0 of b   |
 */
static const char setup[] = "module profile=1.5.28 dynamic_pamt=on\n"
			    "td     a vcpus=1\n"
			    "td     b vcpus=1\n"
			    "gmem   g0 size=12M backing=thp-2m %s\n"
			    "slot   a.0 gpa=0x80000000 size=4M gmem=g0+0\n"
			    "slot   a.1 gpa=0x90000000 size=4M gmem=g0+4M\n";

struct several {
	struct lab_kit *kit;
	struct kvm_gmem_file *file, *file_b;
};

static void map_at_b(struct several *s)
{
	struct lab_td *b = &lab_kit_machine(s->kit)->td[1];
	struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = B_GPA,
		.memory_size = SLOT_SIZE,
		.userspace_addr = 0x100000000000ULL,
		.guest_memfd = s->file_b,
		.guest_memfd_offset = 2 * SLOT_SIZE,
	};
	u64 done;

	assert_int_equal(kvm_vm_ioctl_set_memory_region(b->kvm, &region), 0);
	assert_int_equal(
		kvm_vcpu_ioctl_pre_fault(b->vcpu[0]->kvcpu, B_GPA, SLOT_SIZE, false, &done), 0);
	assert_int_equal(done, SLOT_SIZE);
}

static struct several several_new(const char *policy)
{
	struct several s;
	char text[600];

	print_message("  %s\n", policy);
	snprintf(text, sizeof(text), setup, policy);
	s.kit = lab_kit_new(text);
	assert_int_equal(lab_kit_do(s.kit, "a.host: prefault a.slot0 4M"), 0);
	assert_int_equal(lab_kit_do(s.kit, "a.host: prefault a.slot1 4M"), 0);
	assert_int_equal(lab_kit_do(s.kit, "b.host: build"), 0);
	s.file = lab_kit_machine(s.kit)->file[0];
	s.file_b = kvm_gmem_link(lab_kit_machine(s.kit)->td[1].kvm, s.file);
	map_at_b(&s);
	assert_int_equal(lab_kit_stat(s.kit, "pages_2m"), 6);
	return s;
}

static void several_free(struct several *s)
{
	kvm_gmem_release(s->file_b);
	lab_kit_free(s->kit);
}

static u64 mapped(const struct several *s)
{
	return gmem_kvm_mapped(s->file->inode, 0, 3 * SLOT_PAGES);
}

/* Where the @nth split of a conversion of [start, end) lacks memory. */
struct place {
	const char *name;
	u64 start, end;
	u64 nth;
	u64 lost_in_zap; /* pages, if the zap itself splits */
};
static const struct place places[] = {
	{"head", 1, 1023, 1, 0},
	{"tail", 1, 1023, 2, 0},
	{"second slot", 1, 1025, 2, 1023},
	{"second VM", 1537, 2049, 2, 511},
};

static int convert(struct several *s, const struct place *p, u64 *err)
{
	return kvm_gmem_set_attributes(s->file, p->start << 12, (p->end - p->start) << 12, 0, err);
}

static void fail_at(const char *policy, const struct place *p, u64 lost)
{
	struct rt_fault f = {.site = "spt-alloc", .actor = RT_NOBODY, .nth = p->nth, .count = 1};
	struct several s = several_new(policy);
	u64 err = 0;

	print_message("    %s\n", p->name);
	rt_fault_arm(&f);
	assert_int_equal(convert(&s, p, &err), -ENOMEM);
	assert_int_equal(err, p->start << 12);
	assert_int_equal(lab_kit_stat(s.kit, "splits"), p->nth - 1);
	assert_int_equal(mapped(&s), 3 * SLOT_PAGES - lost);
	assert_int_equal(lab_kit_stat(s.kit, "failed_unmapped"), lost);
	assert_true(
		gmem_attr_uniform(s.file->inode, 0, 3 * SLOT_PAGES, KVM_MEMORY_ATTRIBUTE_PRIVATE));
	assert_int_equal(kvm_gmem_invalidating(s.file), 0);
	assert_int_equal(kvm_gmem_invalidating(s.file_b), 0);

	/* Userspace tries again, with success. */
	assert_int_equal(convert(&s, p, &err), 0);
	assert_int_equal(mapped(&s), 3 * SLOT_PAGES - (p->end - p->start));
	assert_int_equal(lab_kit_stat(s.kit, "overzap_bytes"), 0);
	several_free(&s);
}

/* Split before zap: whoever fails, nobody has lost anything (strong I10); earlier splits stay. */
static void test_several__split_before_zap(void **state)
{
	static const char *const policy[] = {
		"conv_order=ARCH_PREZAP", "conv_order=PLAN7_SEPT",
		"conv_order=ZAP_FIRST",	  "conv_order=ARCH_PREZAP split_api=CROSS_BOUNDARY",
		"conv_order=SEPT_FIRST",
	};

	for (u32 i = 0; i < RT_ARRAY_SIZE(policy); i++)
		for (u32 j = 0; j < RT_ARRAY_SIZE(places); j++)
			fail_at(policy[i], &places[j], 0);
}

/*
 * Split in the zap: slots and VMs in front of the one that fails have lost the range, and the call
 * still fails. Why the idea was given up.
 */
static void test_several__split_in_zap(void **state)
{
	for (u32 j = 0; j < RT_ARRAY_SIZE(places); j++)
		fail_at("split_api=IN_ZAP", &places[j], places[j].lost_in_zap);
}

/* The memory stays as long as one file is left; the bindings of the other go. */
static void test_several__one_file_outlives_the_other(void **state)
{
	struct several s = several_new("conv_order=ARCH_PREZAP");
	struct gmem_folio_view v;

	kvm_gmem_release(s.file_b);
	assert_int_equal(mapped(&s), 2 * SLOT_PAGES);
	assert_true(kvm_gmem_look_folio(s.file, 2 * SLOT_PAGES, &v));
	lab_kit_free(s.kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several__split_before_zap),
		cmocka_unit_test(test_several__split_in_zap),
		cmocka_unit_test(test_several__one_file_outlives_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
