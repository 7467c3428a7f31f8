// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers to names and back, from the tables of tdx/abi.h: leaves, status codes, operand ids,
 * states. For traces, reports and people who type a name; nothing here is asked while a leaf runs.
 */
#include <string.h>

#include "tdx/abi.h"
#include "tdx/inspect.h"
#include "tdx/sept.h"

struct name {
	u64 value;
	const char *text;
};

static const struct name statuses[] = {
#define SEAM_X(id, hi) {(u64)(hi##ULL) << 32, "TDX_" #id},
	SEAM_STATUS_CODES(SEAM_X)
#undef SEAM_X
};

static const struct name tdh_leaves[] = {
#define SEAM_X(nr, id, fn, text) {nr, text},
	SEAM_TDH_LEAVES(SEAM_X)
#undef SEAM_X
#define SEAM_X(nr, id, text) {nr, text},
		SEAM_TDH_FOREIGN(SEAM_X)
#undef SEAM_X
};

static const struct name tdg_leaves[] = {
#define SEAM_X(nr, id, fn, text) {nr, text},
	SEAM_TDG_LEAVES(SEAM_X)
#undef SEAM_X
};

#define OP(id)                    \
	{                         \
		SEAM_OP_##id, #id \
	}
static const struct name operands[] = {
	OP(RAX),
	OP(RCX),
	OP(RDX),
	OP(RBX),
	OP(RBP),
	OP(RSI),
	OP(RDI),
	OP(R8),
	OP(R9),
	OP(R10),
	OP(R11),
	OP(R12),
	OP(R13),
	OP(R14),
	OP(R15),
	OP(ATTRIBUTES),
	OP(XFAM),
	OP(EXEC_CONTROLS),
	OP(EPTP),
	OP(MAX_VCPUS),
	OP(CPUID_CONFIG),
	OP(TSC_FREQUENCY),
	OP(NUM_L2_VMS),
	OP(ARCH_CAP),
	OP(PAGE),
	OP(TDMR_INFO_PA),
	OP(TDR),
	OP(TDCX),
	OP(TDVPR),
	OP(TDCS),
	OP(TDVPS),
	OP(SEPT_TREE),
	OP(SEPT_ENTRY),
	OP(RTMR),
	OP(TD_EPOCH),
	OP(OP_STATE),
	OP(METADATA_FIELD),
	OP(NUM_VCPUS),
	OP(CPUID_FIXED0),
	OP(SYS),
	OP(TDMR),
	OP(KOT),
	OP(KET),
	OP(WBCACHE),
};

static const struct name sept_states[] = {
	{SEAM_SEPT_FREE, "free"},
	{SEAM_SEPT_BLOCKED, "blocked"},
	{SEAM_SEPT_PENDING, "pending"},
	{SEAM_SEPT_PENDING_BLOCKED, "pending_blocked"},
	{SEAM_SEPT_MAPPED, "mapped"},
	{SEAM_SEPT_REMOVED, "removed"},
	{SEAM_SEPT_NL_BLOCKED, "nl_blocked"},
	{SEAM_SEPT_NL_MAPPED, "nl_mapped"},
	{SEAM_L2_FREE, "l2_free"},
	{SEAM_L2_BLOCKED, "l2_blocked"},
	{SEAM_L2_MAPPED, "l2_mapped"},
	{SEAM_L2_NL_BLOCKED, "l2_nl_blocked"},
	{SEAM_L2_NL_MAPPED, "l2_nl_mapped"},
};

static const char *text_of(const struct name *t, size_t nr, u64 value)
{
	for (size_t i = 0; i < nr; i++) {
		if (t[i].value == value)
			return t[i].text;
	}
	return NULL;
}

static bool value_of(const struct name *t, size_t nr, const char *text, u64 *value)
{
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(t[i].text, text)) {
			*value = t[i].value;
			return true;
		}
	}
	return false;
}

const char *seam_status_name(u64 rax)
{
	return text_of(statuses, RT_ARRAY_SIZE(statuses), seam_status(rax));
}

bool seam_status_by_name(const char *name, u64 *rax)
{
	for (size_t i = 0; i < RT_ARRAY_SIZE(statuses); i++) {
		const char *text = statuses[i].text;

		if (!strcmp(text, name) || !strcmp(text + strlen("TDX_"), name)) {
			*rax = statuses[i].value;
			return true;
		}
	}
	return false;
}

const char *seam_leaf_name(u64 leaf)
{
	return text_of(tdh_leaves, RT_ARRAY_SIZE(tdh_leaves), leaf);
}

const char *seam_tdg_leaf_name(u64 leaf)
{
	return text_of(tdg_leaves, RT_ARRAY_SIZE(tdg_leaves), leaf);
}

bool seam_leaf_by_name(const char *name, u32 *leaf)
{
	u64 v;

	if (!value_of(tdh_leaves, RT_ARRAY_SIZE(tdh_leaves), name, &v))
		return false;
	*leaf = (u32)v;
	return true;
}

bool seam_tdg_leaf_by_name(const char *name, u32 *leaf)
{
	u64 v;

	if (!value_of(tdg_leaves, RT_ARRAY_SIZE(tdg_leaves), name, &v))
		return false;
	*leaf = (u32)v;
	return true;
}

const char *seam_operand_name(u32 op)
{
	return text_of(operands, RT_ARRAY_SIZE(operands), op);
}

const char *seam_sept_state_name(u8 state)
{
	return text_of(sept_states, RT_ARRAY_SIZE(sept_states), state);
}
