/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shape of a policy: one key of the dispute, its values, and what a developer learns by
 * switching it. KVM's own keys are in mmu/kvm_policy.c, guest_memfd's in gmem/policy.c; the lab
 * parses and lists both by these tables. What a value does is written where the code branches on
 * it.
 */
#ifndef MMU_POLICY_H
#define MMU_POLICY_H

#include "sim/rt/types.h"

#define POLICY_VALUES_MAX 12

/*
 * Invariant: key and value names are lower case for KVM, as in the spec; values[n] is
 * NULL-terminated; def indexes it.
 */
struct policy_desc {
	const char *key;
	const char *values[POLICY_VALUES_MAX + 1];
	u32 def;
	const char *question; /* one sentence */
	const char *who;      /* who argues which way */
	const char *measure;  /* what to look at: names of statistics */
	const char *source;   /* spec section */
};

/* KVM's policies; ends with key NULL. kvm_policies[i] belongs to kvm_setup.policy[i]. */
extern const struct policy_desc kvm_policies[];
#define KVM_POLICIES_MAX 24

/*
 * All rows at their defaults / the rows that a series bundles set as it has them ("v3", "v5";
 * others untouched), false if unknown.
 */
void kvm_policy_defaults(u8 policy[KVM_POLICIES_MAX]);
bool kvm_policy_series(const char *name, u8 policy[KVM_POLICIES_MAX]);
/* Whether a series has a word on @key. */
bool kvm_policy_in_series(const char *key);

/* The index of @key in a table, -1 if there is none; of @value in a row, -1 likewise. */
int policy_find(const struct policy_desc *table, const char *key);
int policy_find_value(const struct policy_desc *row, const char *value);

#endif
