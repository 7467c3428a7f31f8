// SPDX-License-Identifier: GPL-2.0-only
/*
 * Roots of the tree as the port's mmu.c knows roots: by a struct kvm_mmu_page of its own kind, of
 * which it reads role.invalid and which it hands back to be put.
 */
#include "mmu/compat/tree/sim/glue.h"

static struct glue_root *find(u64 hpa)
{
	struct glue_root *r;

	for (r = glue()->roots; r; r = r->next) {
		if (r->hpa == hpa)
			return r;
	}
	return NULL;
}

void glue_root_note(struct glue_vm *vm, u64 hpa, bool mirror)
{
	struct glue_root *r = find(hpa);

	if (!r) {
		r = rt_zalloc(sizeof(*r));
		r->hpa = hpa;
		r->vm = vm;
		r->next = glue()->roots;
		glue()->roots = r;
	}
	r->sp.role.is_mirror = mirror;
}

struct kvm_mmu_page *glue_root_get(u64 hpa)
{
	struct glue_root *r = find(hpa);

	if (!r)
		return NULL;
	r->sp.role.invalid = ktree_root_invalid(hpa);
	return &r->sp;
}

struct glue_root *glue_root_of(const struct kvm_mmu_page *sp)
{
	struct glue_root *r;

	for (r = glue()->roots; r; r = r->next) {
		if (&r->sp == sp)
			return r;
	}
	return NULL;
}

void glue_roots_forget(struct glue_vm *vm)
{
	struct glue_root **at = &glue()->roots, *r;

	while ((r = *at)) {
		if (r->vm == vm) {
			*at = r->next;
			rt_free(r);
		} else {
			at = &r->next;
		}
	}
}
