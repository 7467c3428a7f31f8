/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rest of KVM sets up in the MMU.
 */
#ifndef MINI_MMU_H
#define MINI_MMU_H

#include <linux/kvm_host.h>

void kvm_mmu_set_ept_masks(bool has_ad_bits, bool has_exec_only);

#endif
