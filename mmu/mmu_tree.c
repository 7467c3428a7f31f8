// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose MMU this program has: the port's. In a build with a user's kernel tree compat/tree/sim/
 * answers instead.
 */
#include "mmu/kvm_vm.h"

const char *kvm_mmu_tree(void)
{
	return NULL;
}

const char *kvm_mmu_lacks(const struct kvm_host_setup *setup)
{
	return NULL;
}

u64 kvm_mmu_tree_calls(const struct kvm_host *host)
{
	return 0;
}
