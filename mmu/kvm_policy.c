// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's policy rows (spec 5): the open questions of the huge-page series as switches, with who says
 * what and what to look at. The branches themselves live where the code differs. Three rows name a
 * switch that guest_memfd branches on (gmem/policy.c has its other spelling); every other one is
 * read by mmu/.
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
	ROW(SIZE_RULE, "size_rule", "How large may a private mapping be?",
	    "gmem: Sean, Ackerley (what guest_memfd says, from the attributes); "
	    "folio: Yan (KVM's rule so far: no larger than the folio); "
	    "contiguity: Vishal, Ackerley (folios may be split while mapped, for HVO)",
	    "pages_2m, small_folio_leaves", "kvm-port 5; gmem P2, where the code branches", "gmem",
	    "folio", "contiguity"),
	ROW(SPLIT_ORDER, "split_order", "Which is split first, the folio or the S-EPT leaf?",
	    "folio: Ackerley (legal where contiguity is the rule); sept: Yan (a failed folio split "
	    "then costs only smaller mappings)",
	    "failed_unmapped, folio_merges, state after an injected failure",
	    "kvm-port 5; gmem P1, where the code branches", "folio", "sept"),
	ROW(CHECK_AT, "check_at", "Who sees first that a frame is not fit for the module?",
	    "glue: Sean, Dave (a warning about what is not convertible, no folio looked up); "
	    "wrapper: Yan, v3 (inside one folio); gmem: Yan's fallback (only when mapping: is it "
	    "guest_memfd's?); module: Rick (its status says it); page_nr: Vishal (the wrapper gets "
	    "a page and a count, and sees that all of them are TDX's); typed: Rick, Dave (a frame "
	    "becomes an operand by one checked conversion, or not at all)",
	    "false alarms under a conversion; the layer that reports first",
	    "kvm-port 2.8, 5; gmem P15", "glue", "wrapper", "gmem", "module", "page_nr", "typed"),
	ROW(SW_ERROR, "sw_error",
	    "A wrapper meets a bad operand: WARN and TDX_SW_ERROR, or quietly TDX_OPERAND_INVALID?",
	    "on: Sean; off: Yan (afraid of a double report with TDX_BUG_ON); warn: WARN and make "
	    "the call all the same, so that a false alarm costs no VM",
	    "reports per fault", "kvm-port 5; gmem P16", "on", "off", "warn"),
	ROW(SPLIT_API, "split_api",
	    "Is a partial zap prepared at the two ends of the range, or by walking all of it?",
	    "headtail: Sean, Kai (a walk over 12 TiB of holes is absurd); "
	    "cross: Yan (four callers, cheap up to 1G)",
	    "split_visits, mmu_lock_write, mmu_lock_write_cycles, splits",
	    "kvm-port 2.5, 2.10, 5; gmem P14", "headtail", "cross"),
	ROW(SPLIT_CACHE, "split_cache", "Who owns the pages that a split under mmu_lock needs?",
	    "mutex: Sean (one per VM under a mutex: no page can be stolen, no second look); "
	    "spin: Yan, v3; vcpu: the running vCPU's, and for a thread without one the pages stay "
	    "with the table that they are for (Kai)",
	    "allocs.pamt, split_topups", "kvm-port 2.9, 5", "mutex", "spin", "vcpu"),
	ROW(SHARED_SPLIT, "shared_split", "May a mirror leaf be split under read mmu_lock?",
	    "refuse: v3 p09, v5; nonblocking: Yan's plan with NON_BLOCKING_RESIZE (DEMOTE without "
	    "BLOCK, and BUSY goes back to the fault); needs module non_blocking_resize=on, which is "
	    "an assumption",
	    "mmu_lock_write, kicks, seamcalls", "kvm-port 5; tdx-module 8.3", "refuse",
	    "nonblocking"),
	ROW(INHIBIT, "inhibit", "Does a zap of all of a huge page lift the guest's inhibit?",
	    "oneway: Yan, Sean (a safe re-install costs too much: 1144 mappings against 1143); "
	    "clear: the alternative; the table that the small pages had stays all the same",
	    "pages_2m after a conversion and back", "kvm-port 5", "oneway", "clear"),
	ROW(ACCEPT_INFO, "accept_info", "Where does the level of an accept go?",
	    "global: Rick, Sean (lpage_info, for all vCPUs); vcpu: RFC v1 (the faulting vCPU's own "
	    "request)",
	    "mmu_lock_write, pages_2m, vp_enters with two vCPUs at different levels",
	    "kvm-port 5 (B35)", "global", "vcpu"),
	ROW(INHIBIT_TEST, "inhibit_test", "Is the inhibit looked at before mmu_lock is taken?",
	    "lockless: Yan, Jul 2025 (17626 write acquisitions a boot fall to 11); locked: before "
	    "that",
	    "mmu_lock_write", "kvm-port 2.2, 7", "lockless", "locked"),
	ROW(POISON_ZAP, "poison_zap", "What goes when a page of a large leaf is poisoned?",
	    "folio: v3, Vishal (rare: zap it all); split: split first, zap all if that fails",
	    "overzap_bytes, pages_4k", "kvm-port 5; gmem P9, where the code branches", "folio",
	    "split"),
	ROW(SEPT_PAMT, "sept_pamt", "When does an S-EPT page get its Dynamic PAMT reference?",
	    "use: Yan, Rick, dp6 (at link and split; freeing ran in softirq otherwise); alloc: v5 as "
	    "posted",
	    "host_pages_pamt, seamcalls.TDH.PHYMEM.PAMT.ADD", "kvm-port 2.9, 5 (B15)", "use",
	    "alloc"),
	ROW(DEMOTE_PAMT_LOCK, "demote_pamt_lock",
	    "Is pamt_lock held around DEMOTE, so that two TDs cannot make each other BUSY?",
	    "on: Yan, Jun 2026; Dave: keep the lock simple; off: as posted in v3",
	    "seamcall_retries with two TDs that split", "kvm-port 2.9, 5 (B16)", "on", "off"),
	ROW(ZAP_ERROR, "zap_error", "What does a failed removal from the S-EPT lead to?",
	    "bug: Sean, RFC v2 open 4 (the VM ends); return: told to guest_memfd, which gives "
	    "nothing away; judged too complex. How the entry comes back no thread says: by UNBLOCK "
	    "here",
	    "failed_unmapped, VMs lost for each injected error", "kvm-port 5; gmem P10", "bug",
	    "return"),
	ROW(VM_ATTRS, "vm_attrs",
	    "Does the VM keep the attributes itself (KVM_SET_MEMORY_ATTRIBUTES)?",
	    "off: Sean refuses huge pages with them, Yan agreed; on: v3 p14/15", "pages_2m, splits",
	    "kvm-port 2.10, 5", "off", "on"),
	[KVM_POLICY_NR] = {.key = NULL},
};

_Static_assert(KVM_POLICY_NR <= KVM_POLICIES_MAX,
	       "struct kvm_host_setup has room for every policy");

/*
 * What a series means for the other keys (spec 5); both list every key that they bundle, with those
 * on which they agree.
 */
#define BUNDLE_KEYS 12
static const struct {
	const char *series;
	struct {
		u8 key, value;
	} set[BUNDLE_KEYS];
} bundles[] = {
	{
		.series = "v5",
		.set =
			{
				{KVM_POLICY_SERIES, KVM_SERIES_V5},
				{KVM_POLICY_SPLIT_API, KVM_SPLIT_API_HEADTAIL},
				{KVM_POLICY_SPLIT_CACHE, KVM_SPLIT_CACHE_MUTEX},
				{KVM_POLICY_CHECK_AT, KVM_CHECK_AT_GLUE},
				{KVM_POLICY_SW_ERROR, KVM_SW_ERROR_ON},
				{KVM_POLICY_SEPT_PAMT, KVM_SEPT_PAMT_USE},
				{KVM_POLICY_DEMOTE_PAMT_LOCK, KVM_DEMOTE_PAMT_LOCK_ON},
				{KVM_POLICY_VM_ATTRS, KVM_VM_ATTRS_OFF},
				{KVM_POLICY_SHARED_SPLIT, KVM_SHARED_SPLIT_REFUSE},
				{KVM_POLICY_INHIBIT, KVM_INHIBIT_ONEWAY},
				{KVM_POLICY_ACCEPT_INFO, KVM_ACCEPT_INFO_GLOBAL},
				{KVM_POLICY_ZAP_ERROR, KVM_ZAP_ERROR_BUG},
			},
	},
	{
		.series = "v3",
		.set =
			{
				{KVM_POLICY_SERIES, KVM_SERIES_V3},
				{KVM_POLICY_SPLIT_API, KVM_SPLIT_API_CROSS},
				{KVM_POLICY_SPLIT_CACHE, KVM_SPLIT_CACHE_SPIN},
				{KVM_POLICY_CHECK_AT, KVM_CHECK_AT_WRAPPER},
				{KVM_POLICY_SW_ERROR, KVM_SW_ERROR_OFF},
				{KVM_POLICY_SEPT_PAMT, KVM_SEPT_PAMT_USE},
				{KVM_POLICY_DEMOTE_PAMT_LOCK, KVM_DEMOTE_PAMT_LOCK_OFF},
				{KVM_POLICY_VM_ATTRS, KVM_VM_ATTRS_ON},
				{KVM_POLICY_SHARED_SPLIT, KVM_SHARED_SPLIT_REFUSE},
				{KVM_POLICY_INHIBIT, KVM_INHIBIT_ONEWAY},
				{KVM_POLICY_ACCEPT_INFO, KVM_ACCEPT_INFO_GLOBAL},
				{KVM_POLICY_ZAP_ERROR, KVM_ZAP_ERROR_BUG},
			},
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
		for (j = 0; j < BUNDLE_KEYS; j++)
			policy[bundles[i].set[j].key] = bundles[i].set[j].value;
		return true;
	}
	return false;
}

bool kvm_policy_in_series(const char *key)
{
	u32 i;

	for (i = 0; i < BUNDLE_KEYS; i++) {
		if (!strcmp(kvm_policies[bundles[0].set[i].key].key, key))
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
