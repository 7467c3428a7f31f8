// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole machine for tests: see machine.h.
 */
#include "tests/mmu/machine.h"

static void count_report(void *ctx, const char *rule, const char *text)
{
	struct machine *m = ctx;

	snprintf(m->report, sizeof(m->report), "%s: %s", rule, text);
	if (!m->reports++)
		snprintf(m->first, sizeof(m->first), "%s: %s", rule, text);
}

static void new_module(struct machine *m, bool dynamic_pamt)
{
	const struct seam_config cfg = {.profile = "1.5.28", .dynamic_pamt = dynamic_pamt};
	char err[128] = "";

	m->seam = seam_new(&cfg, err, sizeof(err));
	if (!m->seam)
		fail_msg("seam_new: %s", err);
}

struct machine *machine_new(const struct machine_opts *opts)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct kvm_host_setup setup = {
		.cpus = opts->cpus ? opts->cpus : 4,
		.mem = MACHINE_MEM,
		.mem_base = MACHINE_MEM_BASE,
		.tdx_huge_page = true,
		.dynamic_pamt = opts->dynamic_pamt,
	};

	assert_non_null(m);
	m->world = rt_world_new(NULL);
	assert_non_null(m->world);
	rt_set_report_hook(m->world, count_report, m);
	new_module(m, opts->dynamic_pamt);
	setup.seam = m->seam;
	kvm_policy_defaults(setup.policy);
	if (opts->series)
		assert_true(kvm_policy_series(opts->series, setup.policy));
	assert_int_equal(kvm_host_new(&setup, &m->host), 0);
	m->pages_before = kvm_host_pages_used(m->host);
	return m;
}

static struct kvm_gmem_file *new_gmem(struct machine *m, const char *name, u64 size,
				      enum gmem_backing backing)
{
	struct gmem_setup setup = {.name = name, .size = size, .backing = backing};
	struct kvm_gmem_file *file;

	assert_true(gmem_profile("SEAN_2026", setup.policy));
	assert_int_equal(kvm_gmem_create(m->kvm, &setup, &file), 0);
	return file;
}

static void add_slot(struct machine *m, u32 slot, u64 gpa, u64 size, struct kvm_gmem_file *file)
{
	const struct kvm_userspace_memory_region2 region = {
		.slot = slot,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = 0x7f0000000000ULL + gpa,
		.guest_memfd = file,
	};

	assert_int_equal(kvm_vm_ioctl_set_memory_region(m->kvm, &region), 0);
}

static void make_private(struct machine *m, u64 gpa, u64 size)
{
	if (kvm_policy(KVM_POLICY_VM_ATTRS) == KVM_VM_ATTRS_ON)
		assert_int_equal(kvm_vm_ioctl_set_mem_attributes(m->kvm, gpa, size,
								 KVM_MEMORY_ATTRIBUTE_PRIVATE),
				 0);
}

void machine_build(struct machine *m)
{
	const struct kvm_tdx_params params = {
		.name = "td0",
		.max_vcpus = MACHINE_VCPUS,
		.sept_ve_disable = true,
	};
	u32 i;

	assert_int_equal(kvm_dev_ioctl_create_vm(m->host, &params, &m->kvm), 0);
	assert_int_equal(kvm_tdx_init_vm(m->kvm), 0);
	for (i = 0; i < MACHINE_VCPUS; i++) {
		assert_int_equal(
			kvm_vm_ioctl_create_vcpu(m->kvm, i, i % m->host->nr_cpus, &m->vcpu[i]), 0);
		assert_int_equal(kvm_tdx_init_vcpu(m->vcpu[i]), 0);
	}
	m->gmem = new_gmem(m, "g0", MACHINE_SLOT, GMEM_HUGETLB_2M);
	m->boot = new_gmem(m, "boot", 0x4000, GMEM_4K);
	add_slot(m, 0, MACHINE_SLOT_GPA, MACHINE_SLOT, m->gmem);
	add_slot(m, 1, 0, 0x4000, m->boot);
	make_private(m, MACHINE_SLOT_GPA, MACHINE_SLOT);
	make_private(m, 0, 0x4000);
	assert_int_equal(kvm_tdx_init_mem_region(m->vcpu[0], 0, 0x4000, MACHINE_SOURCE, true), 0);
	assert_int_equal(kvm_tdx_finalize_vm(m->kvm), 0);
}

void machine_destroy_td(struct machine *m)
{
	kvm_gmem_release(m->gmem);
	kvm_gmem_release(m->boot);
	kvm_vm_release(m->kvm);
	m->kvm = NULL;
}

void machine_free(struct machine *m)
{
	kvm_host_free(m->host);
	seam_free(m->seam);
	rt_world_free(m->world);
	free(m);
}
