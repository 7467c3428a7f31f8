// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd's side of the dispute: the table of policies (gmem.md 3), the profiles, and KVM's
 * spelling of shared switches. Only values that the code really has are listed. What a value does
 * is written where the code branches on it.
 */
#include <string.h>

#include "gmem/internal.h"

/* The first value of each row is the default (gmem.md 3, "Defaults", and the profile SEAN_2026). */
const struct policy_desc gmem_policies[] = {
	[GMEM_P_CONV_ORDER] =
		{
			.key = "conv_order",
			.values = {"ARCH_PREZAP", "BASE", "ZAP_FIRST", "PLAN7", "PLAN7_SEPT",
				   "SEPT_FIRST", "V8_4K", "PREPARE_COMMIT", "ZAP_LAST",
				   "ARCH_PREZAP_ZAP_FIRST", "ROLLBACK", "BLOCK_ABORT"},
			.question = "In which order does a conversion unmap, split and store?",
			.who = "Yan: S-EPT before folios; Ackerley: folios first, all failure "
			       "before the zap; Sean: an arch hook before the zap",
			.measure = "failed_unmapped overzap_bytes reaccept_pages",
			.source = "gmem.md P1, 2.6",
		},
	[GMEM_P_SIZE_RULE] =
		{
			.key = "size_rule",
			.values = {"ATTR", "FOLIO", "CONTIG"},
			.question = "How large may a private mapping be?",
			.who = "Yan: the folio; Vishal, Ackerley: contiguous memory; Ackerley: the "
			       "attributes alone; Sean: what gmem says",
			.measure = "small_folio_leaves pages_2m",
			.source = "gmem.md P2",
		},
	[GMEM_P_SPLIT_SHAPE] =
		{
			.key = "split_shape",
			.values = {"UNIFORM_4K", "NONUNIFORM"},
			.question = "Does a 1G folio fall to 4K everywhere, or only where it must?",
			.who = "Yan: only where it must; Ackerley: its cost is hard to know before",
			.measure = "allocs.filemap-node allocs.vmemmap splits",
			.source = "gmem.md P3",
		},
	[GMEM_P_SPLIT_FAIL] =
		{
			.key = "split_fail",
			.values = {"LEAVE", "MERGE_BACK"},
			.question = "What becomes of fragments when a split fails half-way?",
			.who = "Ackerley: they stay",
			.measure = "folio_merges",
			.source = "gmem.md P5",
		},
	[GMEM_P_TOSHARED_REFS] =
		{
			.key = "toshared_refs",
			.values = {"CHECK_EAGAIN", "SPIN"},
			.question = "Somebody holds a private folio: give up or wait?",
			.who = "Yan: -EAGAIN; Ackerley: they can only be transient, spin",
			.measure = "spins",
			.source = "gmem.md P6",
		},
	[GMEM_P_MEM_FAILURE] =
		{
			.key = "mem_failure",
			.values = {"ZAP_FOLIO", "SPLIT_SEPT_FAIL", "SPLIT_ELSE_ZAP"},
			.question =
				"Does memory failure split a leaf that is larger than its folio?",
			.who = "Yan: split, or return an error; Vishal: split, or zap it all",
			.measure = "overzap_bytes",
			.source = "gmem.md P9, 2.9",
		},
	[GMEM_P_HOLE] =
		{
			.key = "hole",
			.values = {"ALIGNED_EINVAL", "ZERO_PARTIAL", "SPLIT"},
			.question = "What does a hole that is no whole huge page do?",
			.who = "upstream: -EINVAL; the RFC: zero the ends; v3: split folio and "
			       "S-EPT, then take exactly the range",
			.measure = "overzap_bytes",
			.source = "gmem.md P12, 2.8",
		},
	[GMEM_P_SPLIT_API] =
		{
			.key = "split_api",
			.values = {"HEAD_TAIL", "CROSS_BOUNDARY", "IN_ZAP"},
			.question = "Who splits what a zap would cut: a step before it that looks "
				    "at both ends, one that walks the range, or the zap itself?",
			.who = "Sean: head and tail; Yan: the walk is cheap up to 1G; IN_ZAP: "
			       "Sean's first wish, given up, since -ENOMEM would make a zap fail "
			       "when other VMs have lost the range",
			.measure = "split_visits mmu_lock_write_cycles failed_unmapped",
			.source = "gmem.md P14, 2.7",
		},
	[GMEM_P_MERGE_VIEW] =
		{
			.key = "merge_view",
			.values = {"STORE_FIRST", "REST_PRIVATE", "OLD_TREE"},
			.question = "Which attributes does the merge look at?",
			.who = "Ackerley: store first; v3 fixup: indices outside the range; "
			       "[W]: the old tree, so it never merges (B3)",
			.measure = "folio_merges pages_2m",
			.source = "gmem.md P17",
		},
	[GMEM_P_SEQ_ORDER] =
		{
			.key = "seq_order",
			.values = {"STORE_INSIDE", "STORE_AFTER"},
			.question = "Is the store inside the invalidation?",
			.who = "[W] stores after it (B6)",
			.measure = "pf_retry",
			.source = "gmem.md P21",
		},
	[GMEM_P_INVAL_RANGE] =
		{
			.key = "inval_range",
			.values = {"ALIGNED", "EXACT"},
			.question = "Which faults does a conversion make retry?",
			.who = "EXACT is sound for 4K only: a neighbour maps 2M across it (B24)",
			.measure = "pf_retry",
			.source = "gmem.md P22",
		},
	[GMEM_P_SHARED_STAGE2] =
		{
			.key = "shared_stage2",
			.values = {"NOTIFIER", "SKIP"},
			.question =
				"Does unmapping from the host drop the guest's shared leaves too?",
			.who = "Ackerley: undecided",
			.measure = "kicks",
			.source = "gmem.md P23",
		},
	[GMEM_P_GET_PFN_REF] =
		{
			.key = "get_pfn_ref",
			.values = {"DROP", "HOLD"},
			.question = "Does a fault hold its folio until the mapping is in?",
			.who = "[W] holds, newer trees drop before get_pfn returns",
			.measure = "spins pf_retry",
			.source = "gmem.md 1, \"Other holders\"",
		},
	[GMEM_P_HOLE_CHECK] =
		{
			.key = "hole_check",
			.values = {"BEFORE_ZAP", "AFTER_ZAP"},
			.question = "Does a hole look at references before or after it zaps?",
			.who = "[W] after: -EAGAIN with data lost (B20); before is ours",
			.measure = "overzap_bytes",
			.source = "gmem.md 2.8, B20",
		},
	[GMEM_P_SIZE_POISON] =
		{
			.key = "size_poison",
			.values = {"BREAKS", "IGNORED"},
			.question = "Does a poisoned page break contiguity for the size rule?",
			.who = "Ackerley argued both; IGNORED maps it again under CONTIG and ATTR",
			.measure = "pages_2m",
			.source = "gmem.md P2, sub-switch",
		},
	[GMEM_P_HVO_UNDO] =
		{
			.key = "hvo_undo",
			.values = {"AT_SPLIT", "ON_PREALLOC"},
			.question = "When is the vmemmap of an optimised folio allocated?",
			.who = "Google: HVO is needed, 1.6 %; Yan: slow to undo, allocate ahead; "
			       "Ackerley: a deep refactor; Sean: need only be before B",
			.measure = "allocs.vmemmap failed_unmapped",
			.source = "gmem.md P4; ON and OFF are the file's hvo key",
		},
	[GMEM_P_XAS_SPLIT] =
		{
			.key = "xas_split",
			.values = {"MULTI_LEVEL", "ONE_STEP"},
			.question = "Can a filemap entry of 1G be split at all?",
			.who = "stock xas_split refuses order 12 and more in one step; the series "
			       "of November 2025 does it by levels",
			.measure = "folio_splits",
			.source = "gmem.md 2.5",
		},
	[GMEM_P_FRESH_FAIL] =
		{
			.key = "fresh_fail",
			.values = {"REMOVE", "LEAVE"},
			.question = "A fresh huge folio over shared pages cannot be split: then?",
			.who = "the RFC takes it out of the file; [W] leaves it, and every host "
			       "fault is a SIGBUS (B9)",
			.measure = "folio_splits",
			.source = "gmem.md 2.3, B9",
		},
	[GMEM_P_TDX_REF] =
		{
			.key = "tdx_ref",
			.values = {"NONE", "HOLD_MAPPED", "HOLD_ON_ERROR"},
			.question = "Does TDX hold references on the pages that it maps?",
			.who = "adopted: none; old KVM: on each mapped page (B7); Yan's trial: "
			       "when a removal fails, the conversion is -EFAULT then",
			.measure = "spins retired_pages",
			.source = "gmem.md P7, B7",
		},
	[GMEM_P_IOMMU] =
		{
			.key = "iommu",
			.values = {"REF", "NOREF_NOTIFIED"},
			.question = "Does an IOMMU mapping hold a reference on shared memory?",
			.who = "today: a pin, to-private is -EAGAIN until userspace unpins; Jason, "
			       "Vishal: trust guest_memfd, which tells the IOMMU to unmap",
			.measure = "conversions iommu_unmaps",
			.source = "gmem.md P8",
		},
	[GMEM_P_ZAP_ERROR] =
		{
			.key = "zap_error",
			.values = {"BUG_VM", "RETURN_ERROR", "FOLIO_FLAG", "SPLIT_AND_FLAG",
				   "ERROR_LIST", "HWPOISON"},
			.question = "The module will not give a page back: who is told, and how?",
			.who = "adopted, Sean: end the VM; Ackerley: poison the page; others: "
			       "return it, flag the folio, flag a split folio, keep a list",
			.measure = "retired_pages failed_unmapped",
			.source = "gmem.md P10; KVM's key of that name says bug or return",
		},
	[GMEM_P_ATTR_READ] =
		{
			.key = "attr_read",
			.values = {"MT_RCU", "IL_SHARED", "RCU_UNSAFE"},
			.question = "How does a fault read an attribute that is being written?",
			.who = "v8: RCU with a tree that is safe for it; linux-cc: under "
			       "invalidate_lock; [W]: without, an entry may be missing and reads "
			       "as shared (B12)",
			.measure = "pf_retry",
			.source = "gmem.md P11, B12",
		},
	[GMEM_P_SHARED_HUGE] =
		{
			.key = "shared_huge",
			.values = {"NONE", "REFCOUNT", "MULTI_FOLIO"},
			.question = "May shared memory be mapped huge in the guest?",
			.who = "Sean: no, revisit later; REFCOUNT: shared folios stay huge with "
			       "counts of their own, which hurts core mm (Ackerley); MULTI_FOLIO: "
			       "one leaf over many folios",
			.measure = "pages_2m folio_splits",
			.source = "gmem.md P13",
		},
	[GMEM_P_LPAGE_ALIGN] =
		{
			.key = "lpage_align",
			.values = {"SKIP_UGFN", "UGFN", "PGOFF", "SKIP_ALL"},
			.question = "What must a slot's gfns agree with to be mapped huge?",
			.who = "v3 fixup: not the userspace address (B4), here with a test of the "
			       "offset; stock: the userspace address alone; the RFC: both; "
			       "SKIP_ALL: neither, and AUG meets a frame that is not aligned",
			.measure = "pages_2m",
			.source = "gmem.md P18, B4",
		},
	[GMEM_P_INIT_MEM] =
		{
			.key = "init_mem",
			.values = {"SIX_STEP", "INPLACE"},
			.question = "May a page be its own source in the initial memory region?",
			.who = "today: convert and copy in six steps; v8: in place",
			.measure = "conversions",
			.source = "gmem.md P20, 2.13",
		},
	[GMEM_P_FREE_WORK] =
		{
			.key = "free_work",
			.values = {"AT_ONCE", "DEFERRED"},
			.question = "When does a HugeTLB block that was split go back to its pool?",
			.who = "[H]: in a work item, so punch and allocate may be -ENOMEM; "
			       "AT_ONCE is ours",
			.measure = "outcome of alloc after punch",
			.source = "gmem.md 2.5, \"Freed fragments\"",
		},
	[GMEM_P_LOCK_SCOPE] =
		{
			.key = "lock_scope",
			.values = {"INODE", "INDEX_RANGE"},
			.question = "Do faults wait for a conversion elsewhere in the file?",
			.who = "today they do, and a guest may see soft lockups; Ackerley: range "
			       "locks, later",
			.measure = "invalidate_lock_cycles",
			.source = "gmem.md P19",
		},
	[GMEM_P_TDX_CHECK] =
		{
			.key = "tdx_check",
			.values = {"PFN_CONVERTIBLE", "WRAPPER_FOLIO", "AUG_ONLY", "MODULE",
				   "PAGE_NR", "TYPED"},
			.question = "Where is it checked that a frame is fit for the module?",
			.who = "Sean, Dave: a warning about the pfn; v3: the range lies in one "
			       "folio, in each wrapper; Yan's fallback: only when mapping; Rick: "
			       "the module's status says it; Vishal: page and count; Rick, "
			       "Dave: a type of its own, made by one checked conversion",
			.measure = "false alarms under a conversion",
			.source = "gmem.md P15; where the code branches it is KVM's check_at",
		},
	[GMEM_P_CHECK_FAIL] =
		{
			.key = "check_fail",
			.values = {"BOTH", "RETURN", "WARN"},
			.question = "What does a failed check do?",
			.who = "Sean: warn and return; v3: return only; WARN: warn, and call the "
			       "module all the same",
			.measure = "reports per fault",
			.source = "gmem.md P16; where the code branches it is KVM's sw_error",
		},
	[GMEM_P_NR] = {.key = NULL},
};
_Static_assert(GMEM_P_NR <= GMEM_POLICIES_MAX, "a setup has room for every row");

/*
 * What a profile does not name is the default: 0 in every row.
 */
static const struct {
	const char *name;
	u8 policy[GMEM_P_NR];
} profiles[] = {
	{"SEAN_2026", {[GMEM_P_CONV_ORDER] = GMEM_FLOW_ARCH_PREZAP}},
	{"V3",
	 {[GMEM_P_CONV_ORDER] = GMEM_FLOW_ZAP_FIRST,
	  [GMEM_P_SIZE_RULE] = GMEM_SIZE_FOLIO,
	  [GMEM_P_SPLIT_API] = GMEM_API_CROSS_BOUNDARY,
	  [GMEM_P_MERGE_VIEW] = GMEM_VIEW_REST_PRIVATE,
	  [GMEM_P_SEQ_ORDER] = GMEM_SEQ_AFTER,
	  [GMEM_P_TDX_CHECK] = GMEM_CHECK_WRAPPER_FOLIO,
	  [GMEM_P_GET_PFN_REF] = GMEM_PFN_REF_HOLD}},
	{"GOOGLE_2026",
	 {[GMEM_P_CONV_ORDER] = GMEM_FLOW_PLAN7_SEPT,
	  [GMEM_P_SIZE_RULE] = GMEM_SIZE_CONTIG,
	  [GMEM_P_TOSHARED_REFS] = GMEM_REFS_SPIN,
	  [GMEM_P_GET_PFN_REF] = GMEM_PFN_REF_HOLD}},
	{"YAN_2026",
	 {[GMEM_P_CONV_ORDER] = GMEM_FLOW_SEPT_FIRST,
	  [GMEM_P_SIZE_RULE] = GMEM_SIZE_FOLIO,
	  [GMEM_P_SPLIT_SHAPE] = GMEM_SHAPE_NONUNIFORM}},
	{"UPSTREAM_4K", {[GMEM_P_CONV_ORDER] = GMEM_FLOW_V8_4K}},
};

bool gmem_profile(const char *name, u8 policy[GMEM_POLICIES_MAX])
{
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(profiles); i++) {
		if (strcmp(profiles[i].name, name))
			continue;
		memset(policy, 0, GMEM_POLICIES_MAX);
		memcpy(policy, profiles[i].policy, GMEM_P_NR);
		return true;
	}
	return false;
}

const char *gmem_profile_name(u32 i)
{
	return i < RT_ARRAY_SIZE(profiles) ? profiles[i].name : NULL;
}

const struct gmem_alias gmem_aliases[] = {
	{"size_rule", "FOLIO", "size_rule", "folio"},
	{"size_rule", "CONTIG", "size_rule", "contiguity"},
	{"size_rule", "ATTR", "size_rule", "gmem"},
	{"conv_order", "SEPT_FIRST", "split_order", "sept"},
	{"conv_order", "ZAP_FIRST", "split_order", "sept"},
	{"conv_order", "PLAN7", "split_order", "folio"},
	{"conv_order", "PLAN7_SEPT", "split_order", "folio"},
	{"split_api", "CROSS_BOUNDARY", "split_api", "cross"},
	{"split_api", "HEAD_TAIL", "split_api", "headtail"},
	{"split_api", "IN_ZAP", "split_api", "headtail"},
	{"mem_failure", "ZAP_FOLIO", "poison_zap", "folio"},
	{"mem_failure", "SPLIT_ELSE_ZAP", "poison_zap", "split"},
	{"tdx_check", "WRAPPER_FOLIO", "check_at", "wrapper"},
	{"tdx_check", "PFN_CONVERTIBLE", "check_at", "glue"},
	{"tdx_check", "MODULE", "check_at", "module"},
	{"tdx_check", "AUG_ONLY", "check_at", "gmem"},
	{"tdx_check", "PAGE_NR", "check_at", "page_nr"},
	{"tdx_check", "TYPED", "check_at", "typed"},
	{"check_fail", "WARN", "sw_error", "warn"},
	{"check_fail", "BOTH", "sw_error", "on"},
	{"check_fail", "RETURN", "sw_error", "off"},
	{"zap_error", "BUG_VM", "zap_error", "bug"},
	{"zap_error", "RETURN_ERROR", "zap_error", "return"},
	{"zap_error", "FOLIO_FLAG", "zap_error", "return"},
	{"zap_error", "SPLIT_AND_FLAG", "zap_error", "return"},
	{"zap_error", "ERROR_LIST", "zap_error", "return"},
	{"zap_error", "HWPOISON", "zap_error", "return"},
	{"mem_failure", "SPLIT_SEPT_FAIL", "poison_zap", "split"},
	{"conv_order", "ARCH_PREZAP_ZAP_FIRST", "split_order", "sept"},
	{"conv_order", "ARCH_PREZAP", "split_order", "folio"},
	{NULL, NULL, NULL, NULL},
};
