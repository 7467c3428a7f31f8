/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all VMs of a host share: CPUs, module handle, policies, Dynamic PAMT counts, statistics.
 * In the kernel these are globals and per-CPU variables; here they hang from root 2 of the world. mmu/ only.
 */
#ifndef MMU_HOST_H
#define MMU_HOST_H

#include <linux/kvm_types.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "mmu/kvm_policy.h"
#include "mmu/kvm_vm.h"

/* A logical processor. It runs one thing at a time: a guest, or one thread's SEAMCALL. mmu/cpu.c. */
struct kvm_cpu {
	bool busy;		/* somebody executes here */
	struct kvm_vcpu *guest; /* that is the guest of this vCPU; NULL: host code */
	u64 entered;		/* step at which the guest was entered */
	u32 preempt;		/* threads that wait and have sent the guest an interrupt */
	bool ipi;		/* an IPI is on its way and not handled */
	u32 pkg;
	struct list_head tdvcpus; /* vcpu_tdx.cpu_list: associated with this LP */
};

/* Dynamic PAMT: references of the 2M ranges that have any. */
struct tdx_pamt_ref {
	u64 index; /* pfn >> 9 */
	u64 count;
};

struct kvm_host {
	struct seam *seam;
	u32 nr_cpus, nr_pkgs;
	struct kvm_cpu *cpus;
	u8 policy[KVM_POLICIES_MAX];
	bool tdx_huge_page; /* after the gating of spec 2.11 */
	bool dynamic_pamt;
	bool pw_mce; /* X86_BUG_TDX_PW_MCE: freed pages are reset with MOVDIR64B */
	u64 features0;
	u32 hkid_global, hkid_first, hkid_count, hkid_shift;
	u64 *hkid_used; /* bitmap */
	u32 tdcs_nr_pages,
		tdvps_nr_pages; /* TDCX pages of a TD; pages of a vCPU without its TDVPR */

	struct list_head vm_list;
	struct list_head loaded_vcpus;
	void (*guest)(struct kvm_vcpu *vcpu, u32 lp, struct seam_regs *r);
	bool (*guest_has_work)(const struct kvm_vcpu *vcpu);

	spinlock_t pamt_lock;
	struct tdx_pamt_ref *pamt_refs; /* open addressing */
	u32 nr_pamt_refs, cap_pamt_refs;

	u64 stats[KVM_STAT_NR];
};

/* The host of the current world. */
struct kvm_host *kvm_host_current(void);
void kvm_stat_add(enum kvm_stat st, s64 n);

/*
 * Running on a CPU. kvm_cpu_get() waits until @cpu is free, preempting a guest there; kvm_cpu_get_any() picks one for a thread
 * without a vCPU. Both return the CPU. kvm_cpu_put() handles what interrupts came meanwhile.
 */
u32 kvm_cpu_get(u32 cpu);
u32 kvm_cpu_get_any(void);
u32 kvm_cpu_get_current(void); /* of the calling thread: its loaded vCPU's, else any */
void kvm_cpu_put(u32 cpu);
/* The vCPU's thread gets its CPU for the guest; waits without preempting as long as the guest has no work. */
void kvm_cpu_get_for_guest(struct kvm_vcpu *vcpu);

#endif
