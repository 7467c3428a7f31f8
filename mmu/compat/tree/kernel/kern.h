/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of this folder share. They are compiled with the tree's headers and flags by
 * tools/ktree, which also says what the tree has (HAVE_*: a name occurs, SIG_*: a prototype is of
 * that form; ../sigs.c). No behaviour of the simulator is here: that is behind ksim_*().
 */
#ifndef KTREE_KERN_H
#define KTREE_KERN_H

#include <linux/kvm_host.h>

#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "mmu/spte.h"
#include "mmu/tdp_mmu.h"

#ifdef KTREE_TDX
#include "vmx/tdx.h"
#define KTREE_VM_TYPE KVM_X86_TDX_VM
#else
#define KTREE_VM_TYPE KVM_X86_DEFAULT_VM
#endif

#include "../ktree.h"

struct ktree_vm {
#ifdef KTREE_TDX
	struct kvm_tdx tdx;
#else
	struct kvm kvm;
#endif
	void *sim;
	struct ktree_vm *next;
	struct ktree_vm_state told; /* what the simulator knows */
};

struct ktree_vcpu {
#ifdef KTREE_TDX
	struct vcpu_tdx tdx;
#else
	struct kvm_vcpu vcpu;
#endif
	void *sim;
};

static inline struct kvm *vm_kvm(struct ktree_vm *vm)
{
#ifdef KTREE_TDX
	return &vm->tdx.kvm;
#else
	return &vm->kvm;
#endif
}

static inline struct ktree_vm *kvm_vm(struct kvm *kvm)
{
#ifdef KTREE_TDX
	return container_of(kvm, struct ktree_vm, tdx.kvm);
#else
	return container_of(kvm, struct ktree_vm, kvm);
#endif
}

static inline struct kvm_vcpu *tree_vcpu(struct ktree_vcpu *vcpu)
{
#ifdef KTREE_TDX
	return &vcpu->tdx.vcpu;
#else
	return &vcpu->vcpu;
#endif
}

static inline struct ktree_vcpu *vcpu_of(struct kvm_vcpu *vcpu)
{
#ifdef KTREE_TDX
	return container_of(vcpu, struct ktree_vcpu, tdx.vcpu);
#else
	return container_of(vcpu, struct ktree_vcpu, vcpu);
#endif
}

/*
 * Around everything that may let another actor run: before it the simulator hears what the tree has
 * decided, after it the tree's locks show who waits for them. The preemption count is an actor's
 * own: it is taken off the CPU by the one and put back by the other.
 */
int ktree_before_point(void);
void ktree_after_point(int preempt);
/* The first alone: before the simulator goes on with what it called for. */
void ktree_leave(void);
void ktree_vms_init(void);

/* report.c: a WARN that has not been told yet is told now. */
void ktree_tell_warning(void);

/* lock.c: the simulator's lock behind one of the tree, kept in the map that lockdep has with it. */
void ktree_lock_attach(struct lockdep_map *map, void *lock);
void ktree_lock_detach(struct lockdep_map *map);
void *ktree_lock_of(const struct lockdep_map *map);

/* mem.c: whether the address is a page of the world's heap. */
bool ktree_is_heap(unsigned long addr);

#endif
