/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the x86 run loop (mmu/x86.c) and the TDX backend (mmu/tdx_vm.c, mmu/tdx_vcpu.c) call of each
 * other.
 */
#ifndef MMU_X86_H
#define MMU_X86_H

#include <linux/kvm_host.h>

struct kvm_tdx;
struct kvm_tdx_params;

/* Memory of a VM (struct kvm is in it) / its TDX part from @params / undo. */
struct kvm *tdx_vm_alloc(void);
void tdx_vm_init(struct kvm *kvm, const struct kvm_tdx_params *params);
void tdx_vm_free(struct kvm *kvm);
/* Teardown in the order of spec 2.11: key id, (vCPUs,) control pages. May sleep. */
void tdx_mmu_release_hkid(struct kvm *kvm);
void tdx_vcpu_free(struct kvm_vcpu *vcpu);
void tdx_vm_destroy(struct kvm *kvm);
/* VP.FLUSH on the CPU that the vCPU is associated with, if it is. */
void tdx_flush_vp(struct kvm_vcpu *vcpu);

/* A private key id of its own for a TD, or -ENOSPC / given back, hkid becomes -1. */
int tdx_guest_keyid_alloc(struct kvm_host *host);
void tdx_guest_keyid_free(struct kvm_tdx *kvm_tdx);
/* The CPU on which work is done once per package; nr_cpus if the host has none of that package. */
u32 tdx_package_cpu(const struct kvm_host *host, u32 pkg);

enum exit_fastpath_completion {
	EXIT_FASTPATH_NONE,	    /* there is an exit to handle */
	EXIT_FASTPATH_EXIT_HANDLED, /* nothing to handle: round again */
};

/* -EINVAL unless vCPU and TD are ready to run. */
int tdx_vcpu_pre_run(struct kvm_vcpu *vcpu);
/*
 * VP.ENTER and what comes out, or a refused entry. The CPU is the vCPU's (kvm_cpu_get_for_guest()),
 * mode is IN_GUEST_MODE.
 */
enum exit_fastpath_completion tdx_vcpu_run(struct kvm_vcpu *vcpu);
/*
 * As every exit handler: > 0 re-enter, 0 exit to userspace (vcpu->run says why), < 0 errno of
 * KVM_RUN. srcu held.
 */
int tdx_handle_exit(struct kvm_vcpu *vcpu);
/* After an exit to userspace that has to be completed; as an exit handler. */
int tdx_complete_userspace_io(struct kvm_vcpu *vcpu);
/*
 * KVM_REQ_TLB_FLUSH: translations of the direct table; those of the S-EPT are flushed by the module
 * at entry.
 */
void tdx_flush_tlb_all(struct kvm_vcpu *vcpu);
/*
 * Entry was refused for wait_for_sept_zap: wait until that is over or something else wants the
 * thread.
 */
void tdx_wait_for_sept_zap(struct kvm_vcpu *vcpu);

#endif
