/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulator's half of a build with a user's kernel tree: what world.c, stubs.c, wrap.c and
 * roots.c share. wrap.c stands in for functions of the port (ld --wrap); what it does not know of
 * the tree, the port itself does (__real_*).
 */
#ifndef KTREE_GLUE_H
#define KTREE_GLUE_H

#include "mmu/mmu.h"

#include "mmu/compat/tree/ktree.h"
#include "mmu/tdp_mmu.h"
#include "mmu/tdx.h"

/* A root of the tree as the port's mmu.c sees one: it asks for role.invalid, and hands it back. */
struct glue_root {
	struct kvm_mmu_page sp;
	u64 hpa;
	struct glue_vm *vm;
	struct glue_root *next;
};

struct glue_vcpu {
	struct kvm_vcpu *sim;
	struct ktree_vcpu *tree;
	struct glue_vcpu *next;
};

struct glue_vm {
	struct kvm *sim;
	struct ktree_vm *tree;
	struct glue_vcpu *vcpus;
	s64 pages[3]; /* of the tree's leaves, as counted in the simulator's statistics */
	struct glue_vm *next;
};

/* Root 5 of the world. */
struct glue {
	struct glue_vm *vms;
	struct glue_root *roots;
	u64 calls;			/* faults that the tree has handled */
	s64 headers, tables;		/* that the tree has from us now */
	struct kmem_cache header_cache; /* of page headers, large enough for the tree's */
};

struct glue *glue(void);
struct glue_vm *glue_vm(const struct kvm *kvm);
struct ktree_vcpu *glue_vcpu(const struct kvm_vcpu *vcpu);
/* The tree's VM, told what changed since it was last called. */
struct ktree_vm *glue_tree(const struct kvm *kvm);

/* world.c: the world gets what the tree's code needs; -ENOMEM. */
int glue_boot(void);
void glue_exit(void);

/* roots.c */
struct kvm_mmu_page *glue_root_get(u64 hpa);
struct glue_root *glue_root_of(const struct kvm_mmu_page *sp);
void glue_root_note(struct glue_vm *vm, u64 hpa, bool mirror);
void glue_roots_forget(struct glue_vm *vm);

static inline bool tree_has(u32 cap)
{
	return ktree_info.caps & cap;
}

/* Whether the tree keeps the root for this kind of address. */
static inline bool tree_keeps(bool mirror)
{
	return !mirror || tree_has(KTREE_MIRROR);
}

#endif
