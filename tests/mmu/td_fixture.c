// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building, using and taking down the TD of td_fixture.h.
 */
#include "tests/mmu/td_fixture.h"

#include <errno.h>

#define HOST_MEM_BASE 0x80000000ULL
#define HOST_MEM      0x40000000ULL

static void take_report(void *ctx, const char *rule, const char *text)
{
	struct td_fixture *td = ctx;

	td->reports++;
	snprintf(td->last_report, sizeof(td->last_report), "%s: %s", rule, text);
}

/* The guest: its one instruction, then out by the signal that the VMM sends. */
static void run_guest(struct kvm_vcpu *vcpu, u32 lp, struct seam_regs *r)
{
	struct td_guest *guest = kvm_vcpu_data(vcpu);
	struct seam *seam = guest->td->seam;
	struct seam_fault fault;
	enum seam_result res;

	/* A kick comes first, as an interrupt does. */
	if (!guest->done && !seam_irq_pending(seam, lp)) {
		*r = (struct seam_regs){.rax = SEAM_TDG_MEM_PAGE_ACCEPT,
					.rcx = guest->gpa | guest->level};
		res = seam_tdcall(seam, lp, r, 0, &fault);
		if (res == SEAM_EXIT || res == SEAM_RESTART_EXIT)
			return;
		assert_int_equal(res, SEAM_DONE);
		guest->status = r->rax;
		guest->done = true;
		kvm_vcpu_signal(vcpu, true);
	}
	seam_guest_interrupt(seam, lp, 0xf2, r);
}

static void new_host(struct td_fixture *td, const struct td_opts *opts)
{
	struct seam_config cfg = {
		.profile = "1.5.28",
		.dynamic_pamt = opts->dynamic_pamt,
		.enh_demote = opts->no_bit_51 ? -1 : 1,
		.tdmr = {{0x40000000, 0x80000000}},
		.nr_tdmr = 1,
	};
	struct kvm_host_setup setup = {
		.cpus = 2,
		.mem_base = HOST_MEM_BASE,
		.mem = HOST_MEM,
		.tdx_huge_page = true,
		.dynamic_pamt = opts->dynamic_pamt,
	};
	char err[128];
	int row;

	td->seam = seam_new(&cfg, err, sizeof(err));
	if (!td->seam)
		fail_msg("seam_new: %s", err);
	setup.seam = td->seam;
	for (row = 0; kvm_policies[row].key; row++)
		setup.policy[row] = kvm_policies[row].def;
	if (opts->series)
		assert_true(kvm_policy_series(opts->series, setup.policy));
	if (opts->policy) {
		row = policy_find(kvm_policies, opts->policy);
		assert_true(row >= 0);
		setup.policy[row] = policy_find_value(&kvm_policies[row], opts->value);
	}
	row = policy_find(kvm_policies, "vm_attrs");
	td->vm_attrs = setup.policy[row] == policy_find_value(&kvm_policies[row], "on");
	assert_int_equal(kvm_host_new(&setup, &td->host), 0);
	kvm_set_guest_program(td->host, run_guest);
}

int td_set_slot(struct td_fixture *td, bool present)
{
	const struct kvm_userspace_memory_region2 slot = {
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = TD_GPA,
		.memory_size = present ? TD_SIZE : 0,
		.userspace_addr = 0x7f0000000000ULL + TD_GPA,
		.guest_memfd = td->file,
	};

	return kvm_vm_ioctl_set_memory_region(td->kvm, &slot);
}

static void new_memory(struct td_fixture *td, const struct td_opts *opts)
{
	struct gmem_setup gmem = {.name = "g0", .size = TD_SIZE, .backing = GMEM_HUGETLB_2M};

	assert_true(
		gmem_profile(opts->gmem_profile ? opts->gmem_profile : "SEAN_2026", gmem.policy));
	assert_int_equal(kvm_gmem_create(td->kvm, &gmem, &td->file), 0);
	assert_int_equal(td_set_slot(td, true), 0);
	if (td->vm_attrs)
		assert_int_equal(td_convert(td, TD_GPA, TD_SIZE, true), 0);
}

static void new_vcpu(struct td_fixture *td, u32 id)
{
	struct td_guest *guest = &td->guest[id];

	guest->td = td;
	assert_int_equal(kvm_vm_ioctl_create_vcpu(td->kvm, id, id, &guest->vcpu), 0);
	kvm_vcpu_set_data(guest->vcpu, guest);
	assert_int_equal(kvm_tdx_init_vcpu(guest->vcpu), 0);
}

struct td_fixture *td_new(const struct td_opts *opts)
{
	static const struct td_opts none;
	struct kvm_tdx_params params = {.name = "td0", .max_vcpus = TD_VCPUS};
	struct td_fixture *td = calloc(1, sizeof(*td));

	if (!opts)
		opts = &none;
	params.gpaw = opts->gpaw;
	td->world = rt_world_new(NULL);
	rt_set_report_hook(td->world, take_report, td);
	new_host(td, opts);
	assert_int_equal(kvm_dev_ioctl_create_vm(td->host, &params, &td->kvm), 0);
	assert_int_equal(kvm_tdx_init_vm(td->kvm), 0);
	new_memory(td, opts);
	for (u32 i = 0; i < TD_VCPUS; i++)
		new_vcpu(td, i);
	assert_int_equal(kvm_tdx_finalize_vm(td->kvm), 0);
	return td;
}

void td_free(struct td_fixture *td)
{
	rt_world_free(td->world);
	free(td);
}

void td_destroy(struct td_fixture *td)
{
	kvm_gmem_release(td->file);
	kvm_vm_release(td->kvm);
	td->kvm = NULL;
}

int td_prefault(struct td_fixture *td, u64 gpa, u64 size)
{
	u64 done;

	return kvm_vcpu_ioctl_pre_fault(td->guest[0].vcpu, gpa, size, false, &done);
}

int td_accept_on(struct td_guest *guest, u64 gpa, u8 level)
{
	int r;

	guest->gpa = gpa;
	guest->level = level;
	guest->done = false;
	r = kvm_vcpu_ioctl_run(guest->vcpu);
	kvm_vcpu_signal(guest->vcpu, false);
	return r;
}

int td_accept(struct td_fixture *td, u64 gpa, u8 level)
{
	return td_accept_on(&td->guest[0], gpa, level);
}

int td_convert(struct td_fixture *td, u64 gpa, u64 size, bool to_private)
{
	const u64 attributes = to_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
	u64 error_offset;

	if (td->vm_attrs)
		return kvm_vm_ioctl_set_mem_attributes(td->kvm, gpa, size, attributes);
	return kvm_gmem_set_attributes(td->file, gpa - TD_GPA, size, attributes, &error_offset);
}

void td_mark(struct td_fixture *td)
{
	for (u32 leaf = 0; leaf < RT_ARRAY_SIZE(td->base); leaf++)
		td->base[leaf] = seam_calls(td->seam, leaf);
}

u64 td_calls(const struct td_fixture *td, u32 leaf)
{
	return seam_calls(td->seam, leaf) - td->base[leaf];
}

void td_inject(const char *site, u64 key, u64 count)
{
	struct rt_fault fault = {.key = key, .actor = RT_NOBODY, .nth = 1, .count = count};

	snprintf(fault.site, sizeof(fault.site), "%s", site);
	rt_fault_arm(&fault);
}

u8 td_sept(const struct td_fixture *td, u64 gpa, u8 *level)
{
	struct seam_sept_view v;

	assert_true(seam_look_sept(td->seam, kvm_tdr(td->kvm), gpa, 0, &v));
	*level = v.level;
	return v.state;
}

u8 td_mirror(const struct td_fixture *td, u64 gpa)
{
	struct kvm_spte_view v;

	return kvm_look_spte(td->kvm, true, gpa >> 12, &v) && v.leaf ? v.level : 0;
}
