// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's policy rows (spec 5): the open questions of the huge-page series as switches, with who says
 * what and what to look at. The branches themselves live where the code differs; a key that no code
 * branches on has no row here.
 */
#include <string.h>

#include <linux/kvm_host.h>

/* One row; clang-format would push the fields of nested designators off the page. */
#define ROW(id, key_, question_, who_, measure_, source_, ...) \
	[KVM_POLICY_##id] = {.key = key_,                      \
			     .values = {__VA_ARGS__},          \
			     .question = question_,            \
			     .who = who_,                      \
			     .measure = measure_,              \
			     .source = source_}

const struct policy_desc kvm_policies[] = {
	ROW(SERIES, "series", "Which posted series is the bundle of the other keys taken from?",
	    "v5: Sean, Jan 2026, with the fixes of its review; v3: Yan, Jan 2026",
	    "everything below", "kvm-port 0, 5", "v5", "v3"),
	ROW(SPLIT_API, "split_api",
	    "Is a partial zap prepared at the two ends of the range, or by walking all of it?",
	    "headtail: Sean, Kai (a walk over 12 TiB of holes is absurd); "
	    "cross: Yan (four callers, cheap up to 1G)",
	    "mmu_lock_write, mmu_lock_write_cycles, splits", "kvm-port 2.5, 2.10, 5", "headtail",
	    "cross"),
	ROW(SPLIT_CACHE, "split_cache", "Who owns the pages that a split under mmu_lock needs?",
	    "mutex: Sean (one per VM under a mutex: no page can be stolen, no second look); "
	    "spin: Yan, v3",
	    "allocs.pamt, seamcall_retries", "kvm-port 2.9, 5", "mutex", "spin"),
	ROW(SW_ERROR, "sw_error",
	    "A wrapper meets a bad operand: WARN and TDX_SW_ERROR, or quietly TDX_OPERAND_INVALID?",
	    "on: Sean; off: Yan (afraid of a double report with TDX_BUG_ON)", "reports per fault",
	    "kvm-port 5", "on", "off"),
	ROW(DEMOTE_PAMT_LOCK, "demote_pamt_lock",
	    "Is pamt_lock held around DEMOTE, so that two TDs cannot make each other BUSY?",
	    "on: Yan, Jun 2026; Dave: keep the lock simple; off: as posted in v3",
	    "seamcall_retries with two TDs that split", "kvm-port 2.9, 5 (B16)", "on", "off"),
	ROW(VM_ATTRS, "vm_attrs",
	    "Does the VM keep the attributes itself (KVM_SET_MEMORY_ATTRIBUTES)?",
	    "off: Sean refuses huge pages with them, Yan agreed; on: v3 p14/15", "pages_2m, splits",
	    "kvm-port 2.10, 5", "off", "on"),
	[KVM_POLICY_NR] = {.key = NULL},
};

_Static_assert(KVM_POLICY_NR <= KVM_POLICIES_MAX,
	       "struct kvm_host_setup has room for every policy");

/* What a series means for the other keys; both list every key that they bundle. */
static const struct {
	const char *series;
	struct {
		u8 key, value;
	} set[KVM_POLICY_NR];
	u32 nr;
} bundles[] = {
	{
		.series = "v5",
		.set =
			{
				{KVM_POLICY_SERIES, KVM_SERIES_V5},
				{KVM_POLICY_SPLIT_API, KVM_SPLIT_API_HEADTAIL},
				{KVM_POLICY_SPLIT_CACHE, KVM_SPLIT_CACHE_MUTEX},
				{KVM_POLICY_SW_ERROR, KVM_SW_ERROR_ON},
				{KVM_POLICY_DEMOTE_PAMT_LOCK, KVM_DEMOTE_PAMT_LOCK_ON},
				{KVM_POLICY_VM_ATTRS, KVM_VM_ATTRS_OFF},
			},
		.nr = 6,
	},
	{
		.series = "v3",
		.set =
			{
				{KVM_POLICY_SERIES, KVM_SERIES_V3},
				{KVM_POLICY_SPLIT_API, KVM_SPLIT_API_CROSS},
				{KVM_POLICY_SPLIT_CACHE, KVM_SPLIT_CACHE_SPIN},
				{KVM_POLICY_SW_ERROR, KVM_SW_ERROR_OFF},
				{KVM_POLICY_DEMOTE_PAMT_LOCK, KVM_DEMOTE_PAMT_LOCK_OFF},
				{KVM_POLICY_VM_ATTRS, KVM_VM_ATTRS_ON},
			},
		.nr = 6,
	},
};

void kvm_policy_defaults(u8 policy[KVM_POLICIES_MAX])
{
	u32 i;

	memset(policy, 0, KVM_POLICIES_MAX);
	for (i = 0; kvm_policies[i].key; i++)
		policy[i] = kvm_policies[i].def;
}

bool kvm_policy_series(const char *name, u8 policy[KVM_POLICIES_MAX])
{
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(bundles); i++) {
		if (strcmp(bundles[i].series, name))
			continue;
		for (j = 0; j < bundles[i].nr; j++)
			policy[bundles[i].set[j].key] = bundles[i].set[j].value;
		return true;
	}
	return false;
}

int policy_find(const struct policy_desc *table, const char *key)
{
	int i;

	for (i = 0; table[i].key; i++) {
		if (!strcmp(table[i].key, key))
			return i;
	}
	return -1;
}

int policy_find_value(const struct policy_desc *row, const char *value)
{
	int i;

	for (i = 0; row->values[i]; i++) {
		if (!strcmp(row->values[i], value))
			return i;
	}
	return -1;
}

u32 kvm_policy(enum kvm_policy_key key)
{
	return kvm_host_current()->policy[key];
}
