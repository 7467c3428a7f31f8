/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all VMs of a host share: CPUs, module handle, policies, Dynamic PAMT counts, statistics. In
 * the kernel these are globals and per-CPU variables; here they hang from root 2 of the world. mmu/
 * only.
 */
#ifndef MMU_HOST_H
#define MMU_HOST_H

#include <linux/kvm_types.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "mmu/kvm_policy.h"
#include "mmu/kvm_vm.h"

/*
 * A logical processor. It runs one thing at a time: a guest, or one thread's SEAMCALL; other host
 * code is not counted. mmu/cpu.c. Invariant: @guest implies @busy.
 */
struct kvm_cpu {
	bool busy;
	struct kvm_vcpu *guest; /* whose vCPU thread has it for the guest */
	struct kvm_vcpu *heir;	/* waits for it and has sent the present guest an interrupt */
	u32 host_waiters;	/* threads that wait to make a SEAMCALL: before any guest */
	bool guest_began;	/* the present guest has begun an instruction since it got it */
	u64 ipis_handled;
	u32 pkg;
};

/* Dynamic PAMT: references of the 2M ranges that have any. */
struct tdx_pamt_ref {
	bool used;
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
	bool non_blocking_resize; /* the module has it, and policy shared_split uses it */
	bool pw_mce;		  /* X86_BUG_TDX_PW_MCE: freed pages are reset with MOVDIR64B */
	u64 features0;
	u32 hkid_global, hkid_first, hkid_count, hkid_shift;
	unsigned long *hkid_used; /* bitmap */
	u32 tdcs_nr_pages;	  /* TDCX pages of a TD */
	u32 tdvps_nr_pages;	  /* pages of a vCPU without its TDVPR */

	struct list_head vm_list;
	struct list_head loaded_vcpus;
	void (*guest)(struct kvm_vcpu *vcpu, u32 lp, struct seam_regs *r);
	bool (*guest_has_work)(const struct kvm_vcpu *vcpu);

	unsigned long *page_private; /* of heap pages, by page number */
	u64 cap_page_private;

	/*
	 * Around calls that take a lock of the whole module: MNG.CREATE, and a key's release from
	 * VPFLUSHDONE to FREEID. Two TDs that come or go together would be BUSY.
	 */
	struct mutex tdx_lock;
	spinlock_t pamt_lock;
	struct tdx_pamt_ref *pamt_refs; /* open addressing */
	u32 nr_pamt_refs, cap_pamt_refs;

	u64 stats[KVM_STAT_NR];
};

/* The host of the current world. */
struct kvm_host *kvm_host_current(void);
void kvm_stat_add(enum kvm_stat st, s64 n);

/*
 * Running on a CPU (mmu/cpu.c). kvm_cpu_get() waits until @cpu is free, preempting a guest there.
 * kvm_cpu_get_current() is that for the calling thread: its loaded vCPU's CPU, else one with as
 * little on it as there is. kvm_cpu_put() first takes the interrupts that came meanwhile: senders
 * of IPIs wait for that.
 */
void kvm_cpu_get(u32 cpu);
u32 kvm_cpu_get_current(void);
void kvm_cpu_put(u32 cpu);
/*
 * The vCPU's thread takes its CPU for the guest. A vCPU without work waits until the CPU is free,
 * one with work preempts the guest there once that has none or has begun an instruction: when that
 * happens is the scheduler's choice, and no clock's. False: a request or a signal came first, and
 * the CPU was not taken.
 */
bool kvm_cpu_get_for_guest(struct kvm_vcpu *vcpu);
/*
 * Send an IPI to what runs on @cpu; kvm_cpu_ipi_handled() says whether the CPU has taken one since.
 */
u64 kvm_cpu_send_ipi(u32 cpu);
static inline bool kvm_cpu_ipi_handled(const struct kvm_cpu *cpu, u64 cookie)
{
	return cpu->ipis_handled > cookie;
}

/* The last IPI of a request to all vCPUs has not been taken yet. */
bool kvm_kick_pending(const struct kvm_vcpu *vcpu);

#endif
