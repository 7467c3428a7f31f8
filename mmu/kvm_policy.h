/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's policy keys as the code branches on them. The rows (names, who, why) are in
 * mmu/kvm_policy.c in this order.
 */
#ifndef MMU_KVM_POLICY_H
#define MMU_KVM_POLICY_H

#include "mmu/policy.h"

enum kvm_policy_key {
	KVM_POLICY_SERIES,
	KVM_POLICY_SPLIT_API,
	KVM_POLICY_SPLIT_CACHE,
	KVM_POLICY_SW_ERROR,
	KVM_POLICY_DEMOTE_PAMT_LOCK,
	KVM_POLICY_VM_ATTRS,
	KVM_POLICY_NR,
};

enum {
	KVM_SERIES_V5,
	KVM_SERIES_V3
};
enum {
	KVM_SPLIT_API_HEADTAIL,
	KVM_SPLIT_API_CROSS
};
enum {
	KVM_SPLIT_CACHE_MUTEX,
	KVM_SPLIT_CACHE_SPIN
};
enum {
	KVM_SW_ERROR_ON,
	KVM_SW_ERROR_OFF
};
enum {
	KVM_DEMOTE_PAMT_LOCK_ON,
	KVM_DEMOTE_PAMT_LOCK_OFF
};
enum {
	KVM_VM_ATTRS_OFF,
	KVM_VM_ATTRS_ON
};

/* Index of the value in force. */
u32 kvm_policy(enum kvm_policy_key key);

#endif
