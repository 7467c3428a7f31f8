// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TD's life from the VMM's side: build in the order of a VMM (kvm-port.md 2.11, S1), memslots,
 * and closing everything. Each step is one of KVM's or guest_memfd's calls; which SEAMCALLs they
 * make is theirs.
 */
#include <errno.h>

#include "sim/lab/machine.h"
#include "sim/lab/model.h"

/*
 * Userspace addresses: congruent with the guest's modulo 1G, so that only what a scenario asks for
 * forbids huge pages.
 */
#define LAB_UADDR_BASE 0x7f0000000000ULL

/* A slot's lpage_info goes with it, also if the same slot is back before anybody looks. */
static void forget_inhibits(struct lab_td *td, const struct lab_slot_setup *s)
{
	u32 n = 0;

	for (u32 i = 0; i < td->nr_inhibited; i++) {
		u64 gpa = td->inhibited[i] >> 2 << 12;

		if (gpa < s->gpa || gpa - s->gpa >= s->size)
			td->inhibited[n++] = td->inhibited[i];
	}
	td->nr_inhibited = n;
}

int lab_set_slot(struct lab_machine *m, u32 slot, bool present)
{
	const struct lab_slot_setup *s = &m->su->slot[slot];
	struct kvm_userspace_memory_region2 mem = {
		.slot = s->number,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = s->gpa,
		.memory_size = present ? s->size : 0,
		.userspace_addr = LAB_UADDR_BASE + s->gpa + (s->uaddr_unaligned ? 4096 : 0),
		.guest_memfd_offset = s->offset,
		.guest_memfd = m->file[s->gmem],
	};
	struct lab_td *td = &m->td[s->td];
	int ret;

	if (!td->kvm)
		return -ENODEV;
	if (present && !m->file[s->gmem])
		return -EBADF;
	ret = kvm_vm_ioctl_set_memory_region(td->kvm, &mem);
	if (ret)
		return ret;
	m->slot_in[slot] = present;
	if (!present)
		forget_inhibits(td, s);
	return 0;
}

static int build_vm(struct lab_machine *m, struct lab_td *td)
{
	const struct lab_td_setup *ts = &m->su->td[td->index];
	struct kvm_tdx_params params = {
		.name = *ts->name ? ts->name : "td0",
		.max_vcpus = ts->vcpus,
		.sept_ve_disable = ts->sept_ve_disable,
	};
	int ret;

	td->making = true;
	ret = kvm_dev_ioctl_create_vm(m->host, &params, &td->kvm);
	td->making = false;
	return ret ? ret : kvm_tdx_init_vm(td->kvm);
}

static int build_memory(struct lab_machine *m, struct lab_td *td)
{
	int ret = 0;

	for (u32 i = 0; i < m->su->nr_gmems && !ret; i++) {
		if (m->su->gmem[i].td == td->index && m->file[i])
			ret = -EEXIST;
		else if (m->su->gmem[i].td == td->index)
			ret = kvm_gmem_create(td->kvm, &m->su->gmem[i].gmem, &m->file[i]);
	}
	for (u32 i = 0; i < m->su->nr_slots && !ret; i++) {
		if (m->su->slot[i].td == td->index)
			ret = lab_set_slot(m, i, true);
	}
	/*
	 * Per-VM attributes start shared; guests begin with private memory (gmem.md 1, "Attribute
	 * tree").
	 */
	for (u32 i = 0; i < m->su->nr_slots && !ret && lab_vm_attrs(m->su); i++) {
		const struct lab_slot_setup *s = &m->su->slot[i];

		if (s->td == td->index)
			ret = kvm_vm_ioctl_set_mem_attributes(td->kvm, s->gpa, s->size,
							      KVM_MEMORY_ATTRIBUTE_PRIVATE);
	}
	return ret;
}

static int build_vcpu(struct lab_machine *m, struct lab_td *td, u32 i)
{
	struct lab_actor *v = td->vcpu[i];
	int ret;

	v->cpu = i % m->su->cpus;
	ret = kvm_vm_ioctl_create_vcpu(td->kvm, i, v->cpu, &v->kvcpu);
	if (ret)
		return ret;
	kvm_vcpu_set_data(v->kvcpu, v);
	return kvm_tdx_init_vcpu(v->kvcpu);
}

static int build_vcpus(struct lab_machine *m, struct lab_td *td, u32 only)
{
	int ret = 0;

	if (only != LAB_VCPUS)
		return build_vcpu(m, td, only);
	for (u32 i = 0; i < m->su->td[td->index].vcpus && !ret; i++) {
		if (!td->vcpu[i]->kvcpu)
			ret = build_vcpu(m, td, i);
	}
	return ret;
}

/* Initial memory from pages of the VMM's own, which no allocator hands out. */
static int build_regions(struct lab_machine *m, struct lab_td *td)
{
	int ret = 0;

	for (u32 i = 0; i < m->su->nr_regions && !ret; i++) {
		u64 gpa = m->su->region[i].gpa, size = m->su->region[i].size;

		if (m->su->region[i].td != td->index)
			continue;
		if (!td->vcpu[0]->kvcpu)
			return -EINVAL;
		ret = kvm_tdx_init_mem_region(td->vcpu[0]->kvcpu, gpa, size,
					      m->spare_pages + (512ULL << 20), true);
		if (!ret)
			lab_model_accepted(td->model, gpa, size);
	}
	return ret;
}

static int build_step(struct lab_machine *m, struct lab_td *td, enum lab_build_step step, u32 vcpu)
{
	if (step == LAB_BUILD_VM && (td->kvm || td->making))
		return -EEXIST;
	if (step != LAB_BUILD_VM && !td->kvm)
		return -ENODEV;
	/* A VMM knows that its TD is ready; KVM would wait for vCPUs that are in the guest. */
	if (td->built)
		return -EEXIST;
	switch (step) {
	case LAB_BUILD_VM:
		return build_vm(m, td);
	case LAB_BUILD_MEMORY:
		return build_memory(m, td);
	case LAB_BUILD_VCPUS:
		return build_vcpus(m, td, vcpu);
	case LAB_BUILD_REGIONS:
		return build_regions(m, td);
	default:
		return kvm_tdx_finalize_vm(td->kvm);
	}
}

int lab_build_step(struct lab_machine *m, struct lab_td *td, enum lab_build_step step, u32 vcpu)
{
	int ret;

	if (td->kvm && td->destroyed)
		return -ENODEV; /* it is on its way out */
	td->destroyed = false;
	td->users++;
	ret = build_step(m, td, step, vcpu);
	td->users--;
	if (!ret && step == LAB_BUILD_FINALIZE)
		td->built = true;
	/* What was refused because it is there already is no failure of the build. */
	if (ret && ret != -EEXIST)
		td->build_err = ret;
	return ret;
}

int lab_build(struct lab_machine *m, struct lab_td *td)
{
	int ret = 0;

	/* Also one that a failed build left, or that another thread is making. */
	if (td->kvm || td->making)
		return -EEXIST;
	td->build_err = 0;
	td->users++; /* a close waits for all of it */
	for (u32 step = LAB_BUILD_VM; step <= LAB_BUILD_FINALIZE && !ret; step++)
		ret = lab_build_step(m, td, step, LAB_VCPUS);
	td->users--;
	return ret;
}

static bool all_returned(void *arg)
{
	struct lab_td *td = arg;

	return !td->users && !td->closers;
}

/* The vCPU's run is over, and with it what its guest was doing. */
static void end_run(struct lab_machine *m, struct lab_actor *v)
{
	v->running = false;
	v->kvcpu = NULL;
	if (v->job.op != LAB_NO_OP) {
		lab_result(m, v->job.op)->out.err = ENODEV;
		lab_job_end(v);
	}
}

int lab_destroy(struct lab_machine *m, struct lab_td *td)
{
	u32 vcpus = m->su->td[td->index].vcpus;

	if (!td->kvm || td->destroyed)
		return -ENODEV;
	td->was_bugged |= kvm_is_bugged(td->kvm);
	td->destroyed = true; /* the descriptors are gone for everybody else */
	for (u32 i = 0; i < vcpus; i++)
		lab_vcpu_stop(td->vcpu[i]);
	rt_block("calls on the VM to return", all_returned, td);
	for (u32 i = 0; i < vcpus; i++)
		end_run(m, td->vcpu[i]);
	for (u32 i = 0; i < m->su->nr_gmems; i++) {
		struct kvm_gmem_file *file = m->file[i];

		if (m->su->gmem[i].td != td->index || !file)
			continue;
		m->file[i] = NULL; /* for everybody else, also while release runs */
		kvm_gmem_release(file);
	}
	td->was_bugged |= kvm_is_bugged(td->kvm); /* by what the release had to zap */
	kvm_vm_release(td->kvm);
	td->kvm = NULL;
	td->built = false;
	for (u32 i = 0; i < m->su->nr_slots; i++) {
		if (m->su->slot[i].td == td->index)
			m->slot_in[i] = false;
	}
	lab_model_clear(td->model);
	td->nr_inhibited = 0; /* lpage_info went with the slots */
	for (u32 i = 0; i < vcpus; i++)
		lab_vcpu_go(td->vcpu[i]);
	for (u32 i = 0; i < m->nr_actors; i++) {
		if (m->actor[i].td == td)
			m->actor[i].saw_end = false;
	}
	return 0;
}
