// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of the MMU's trace events, and the names of the values in them.
 * Emitting is done by the macros of mmutrace.h where things happen.
 */
#include "mmu/mmutrace.h"

#include "mmu/mmu_internal.h"
#include "mmu/spte.h"

static const char *spte_text(u64 spte, char *buf, size_t len)
{
	if (is_frozen_spte(spte))
		snprintf(buf, len, "frozen");
	else if (!is_shadow_present_pte(spte))
		snprintf(buf, len, "none");
	else
		snprintf(buf, len, "0x%llx", spte);
	return buf;
}

static const char *ret_pf_text(u64 val, char *buf, size_t len)
{
	static const char *const names[] = {
		[RET_PF_CONTINUE] = "CONTINUE", [RET_PF_RETRY] = "RETRY",
		[RET_PF_EMULATE] = "EMULATE",	[RET_PF_WRITE_PROTECTED] = "WRITE_PROTECTED",
		[RET_PF_INVALID] = "INVALID",	[RET_PF_FIXED] = "FIXED",
		[RET_PF_SPURIOUS] = "SPURIOUS",
	};

	if (val < ARRAY_SIZE(names))
		snprintf(buf, len, "%s", names[val]);
	else
		snprintf(buf, len, "%lld", (s64)val);
	return buf;
}

const struct rt_event_type kvm_trace_tdp_mmu_spte_changed = {
	.name = "spte",
	.cat = "mmu",
	.arg = {{"gfn", RT_ARG_HEX, NULL},
		{"level", RT_ARG_DEC, NULL},
		{"old", RT_ARG_SYM, spte_text},
		{"new", RT_ARG_SYM, spte_text},
		{"mirror", RT_ARG_DEC, NULL}},
};

const struct rt_event_type kvm_trace_mmu_split_huge_page = {
	.name = "split",
	.cat = "mmu",
	.arg = {{"gfn", RT_ARG_HEX, NULL},
		{"level", RT_ARG_DEC, NULL},
		{"errno", RT_ARG_DEC, NULL}},
};

const struct rt_event_type kvm_trace_page_fault = {
	.name = "page-fault",
	.cat = "mmu",
	.arg = {{"addr", RT_ARG_HEX, NULL},
		{"error", RT_ARG_HEX, NULL},
		{"ret", RT_ARG_SYM, ret_pf_text},
		{"goal", RT_ARG_DEC, NULL}},
};

const struct rt_event_type kvm_trace_accept_level = {
	.name = "accept-level",
	.cat = "mmu",
	.arg = {{"gpa", RT_ARG_HEX, NULL},
		{"level", RT_ARG_DEC, NULL},
		{"acted", RT_ARG_DEC, NULL}},
};
