// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD's build that fails at each of its SEAMCALLs, and for lack of each page: the errno, what KVM reports, and that the VM's end
 * gives everything back. The build that succeeds is test_td.c's.
 */
#include "tests/mmu/machine.h"

#include "mmu/tdx_seamcall.h"
#include "sim/rt/fault.h"

#define STATUS_BUSY    TDX_OPERAND_BUSY
#define STATUS_INVALID TDX_OPERAND_INVALID

enum stage {
	INIT_VM,
	INIT_VCPU,
	MEM_REGION,
	FINALIZE,
	DONE
};

static struct kvm_gmem_file *boot_slot(struct machine *m)
{
	struct gmem_setup setup = {.name = "boot", .size = 0x4000, .backing = GMEM_4K};
	struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_GUEST_MEMFD,
		.memory_size = 0x4000,
		.userspace_addr = 0x7f0000000000ULL,
	};
	struct kvm_gmem_file *file;

	assert_true(gmem_profile("SEAN_2026", setup.policy));
	assert_int_equal(kvm_gmem_create(m->kvm, &setup, &file), 0);
	region.guest_memfd = file;
	assert_int_equal(kvm_vm_ioctl_set_memory_region(m->kvm, &region), 0);
	return file;
}

/* Build up to the first error: its errno, and in *@at the ioctl that said it. The VM is gone afterwards. */
static int build(struct machine *m, enum stage *at)
{
	const struct kvm_tdx_params params = {.name = "td0", .max_vcpus = 1};
	struct kvm_gmem_file *file;
	struct kvm_vcpu *vcpu;
	int ret;

	assert_int_equal(kvm_dev_ioctl_create_vm(m->host, &params, &m->kvm), 0);
	file = boot_slot(m);
	*at = INIT_VM;
	ret = kvm_tdx_init_vm(m->kvm);
	if (!ret) {
		*at = INIT_VCPU;
		assert_int_equal(kvm_vm_ioctl_create_vcpu(m->kvm, 0, 0, &vcpu), 0);
		ret = kvm_tdx_init_vcpu(vcpu);
	}
	if (!ret) {
		*at = MEM_REGION;
		ret = kvm_tdx_init_mem_region(vcpu, 0, 0x4000, MACHINE_SOURCE, true);
	}
	if (!ret) {
		*at = FINALIZE;
		ret = kvm_tdx_finalize_vm(m->kvm);
	}
	if (!ret)
		*at = DONE;
	kvm_gmem_release(file);
	kvm_vm_release(m->kvm);
	return ret;
}

static void test_build__each_seamcall_fails(void **state)
{
	static const struct {
		const char *what;
		u32 leaf;
		u64 status;
		enum stage at;
		int want;
		bool reported;
	} cases[] = {
		{"create", TDH_MNG_CREATE, STATUS_BUSY, INIT_VM, -EIO, true},
		{"create, no entropy", TDH_MNG_CREATE, TDX_RND_NO_ENTROPY, INIT_VM, -EAGAIN, false},
		{"key", TDH_MNG_KEY_CONFIG, STATUS_BUSY, INIT_VM, -EIO, true},
		{"key, none made", TDH_MNG_KEY_CONFIG, TDX_KEY_GENERATION_FAILED, INIT_VM, -EAGAIN,
		 false},
		{"addcx", TDH_MNG_ADDCX, STATUS_BUSY, INIT_VM, -EIO, true},
		{"init", TDH_MNG_INIT, STATUS_BUSY, INIT_VM, -EIO, true},
		{"init, parameters", TDH_MNG_INIT, STATUS_INVALID, INIT_VM, -EINVAL, false},
		{"vp create", TDH_VP_CREATE, STATUS_BUSY, INIT_VCPU, -EIO, true},
		{"vp addcx", TDH_VP_ADDCX, STATUS_BUSY, INIT_VCPU, -EIO, true},
		{"vp init", TDH_VP_INIT, STATUS_BUSY, INIT_VCPU, -EIO, true},
		{"page add", TDH_MEM_PAGE_ADD, STATUS_INVALID, MEM_REGION, -EIO, true},
		{"sept add", TDH_MEM_SEPT_ADD, STATUS_INVALID, MEM_REGION, -EIO, true},
		{"extend", TDH_MR_EXTEND, STATUS_BUSY, MEM_REGION, -EIO, true},
		{"finalize, busy", TDH_MR_FINALIZE, STATUS_BUSY, FINALIZE, -EBUSY, false},
		{"finalize", TDH_MR_FINALIZE, STATUS_INVALID, FINALIZE, -EIO, true},
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(&(struct machine_opts){.dynamic_pamt = true});
		struct rt_fault f = {
			.site = "error",
			.key = cases[i].leaf,
			.actor = RT_NOBODY,
			.nth = 1,
			.count = 16, /* also all tries for entropy */
			.value = cases[i].status,
		};
		enum stage at;
		int ret;

		rt_fault_arm(&f);
		ret = build(m, &at);
		if (ret != cases[i].want || at != cases[i].at)
			fail_msg("%s: %d at stage %d", cases[i].what, ret, at);
		if (cases[i].reported != (m->reports > 0))
			fail_msg("%s: %u reports, the first \"%s\"", cases[i].what, m->reports,
				 m->first);
		if (kvm_host_pages_used(m->host) != m->pages_before)
			fail_msg("%s: leaked", cases[i].what);
		machine_free(m);
	}
}

/* Each page of the build in turn is not to be had: -ENOMEM or -EAGAIN-free success later, and nothing is lost. */
static void test_build__each_pamt_page_missing(void **state)
{
	enum stage at = INIT_VM;
	u64 nth;

	for (nth = 1; at != DONE; nth++) {
		struct machine *m = machine_new(&(struct machine_opts){.dynamic_pamt = true});
		struct rt_fault f = {
			.site = "pamt-alloc",
			.key = RT_FAULT_ANY,
			.actor = RT_NOBODY,
			.nth = nth,
			.count = 1,
		};
		int ret;

		rt_fault_arm(&f);
		ret = build(m, &at);
		assert_int_equal(ret, at == DONE ? 0 : -ENOMEM);
		assert_string_equal(m->first, "");
		assert_int_equal(kvm_host_pages_used(m->host), m->pages_before);
		machine_free(m);
	}
	/* TDR, six TDCS pages and six of the vCPU draw a pair each, besides the caches'. */
	assert_true(nth > 2 * 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build__each_seamcall_fails),
		cmocka_unit_test(test_build__each_pamt_page_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
