// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's event types (tdx/trace.h): argument names, formats and the symbols of their values.
 * Nothing is written out here.
 */
#include "tdx/trace.h"

#include <stdio.h>

#include "tdx/abi.h"
#include "tdx/inspect.h"

static const char *sym_tdh(u64 val, char *buf, size_t len)
{
	return seam_leaf_name(val);
}

static const char *sym_tdg(u64 val, char *buf, size_t len)
{
	return seam_tdg_leaf_name(val);
}

/* "TDX_OPERAND_BUSY|SEPT_TREE", "TDX_PAGE_SIZE_MISMATCH|0x1", "TDX_SUCCESS". */
static const char *sym_status(u64 val, char *buf, size_t len)
{
	const char *name = seam_status_name(val);
	u32 details = (u32)val;
	u64 status = seam_status(val);
	bool operand = status == SEAM_OPERAND_BUSY || status == SEAM_OPERAND_INVALID;

	if (!name || !details)
		return name;
	if (operand && seam_operand_name(details))
		snprintf(buf, len, "%s|%s", name, seam_operand_name(details));
	else
		snprintf(buf, len, "%s|%#x", name, details);
	return buf;
}

static const char *sym_state(u64 val, char *buf, size_t len)
{
	return seam_sept_state_name((u8)val);
}

static const char *sym_translation(u64 val, char *buf, size_t len)
{
	static const char *const by[] = {"walk", "tlb", "stale-tlb"};

	return val < RT_ARRAY_SIZE(by) ? by[val] : NULL;
}

static const char *sym_page_type(u64 val, char *buf, size_t len)
{
	switch (val) {
	case SEAM_PT_NDA:
		return "nda";
	case SEAM_PT_RSVD:
		return "rsvd";
	case SEAM_PT_REG:
		return "reg";
	case SEAM_PT_TDR:
		return "tdr";
	case SEAM_PT_TDCX:
		return "tdcx";
	case SEAM_PT_TDVPR:
		return "tdvpr";
	case SEAM_PT_EPT:
		return "ept";
	case SEAM_PT_PAMT:
		return "pamt";
	default:
		return NULL;
	}
}

const struct rt_event_type seam_ev_call = {
	"seamcall",
	"tdx",
	{
		{"lp", RT_ARG_DEC, NULL},
		{"leaf", RT_ARG_SYM, sym_tdh},
		{"rcx", RT_ARG_HEX, NULL},
		{"rdx", RT_ARG_HEX, NULL},
		{"r8", RT_ARG_HEX, NULL},
		{"status", RT_ARG_SYM, sym_status},
	},
};

const struct rt_event_type seam_ev_tdcall = {
	"tdcall",
	"tdx",
	{
		{"lp", RT_ARG_DEC, NULL},
		{"leaf", RT_ARG_SYM, sym_tdg},
		{"rcx", RT_ARG_HEX, NULL},
		{"rdx", RT_ARG_HEX, NULL},
		{"r8", RT_ARG_HEX, NULL},
		{"status", RT_ARG_SYM, sym_status},
	},
};

const struct rt_event_type seam_ev_access = {
	"access",
	"tdx",
	{
		{"lp", RT_ARG_DEC, NULL},
		{"gpa", RT_ARG_HEX, NULL},
		{"write", RT_ARG_DEC, NULL},
		{"hpa", RT_ARG_HEX, NULL},
		{"level", RT_ARG_DEC, NULL},
		{"by", RT_ARG_SYM, sym_translation},
	},
};

const struct rt_event_type seam_ev_enter = {
	"td_enter",
	"tdx",
	{
		{"lp", RT_ARG_DEC, NULL},
		{"tdvpr", RT_ARG_HEX, NULL},
		{"epoch", RT_ARG_DEC, NULL},
	},
};

const struct rt_event_type seam_ev_exit = {
	"td_exit",
	"tdx",
	{
		{"lp", RT_ARG_DEC, NULL},
		{"status", RT_ARG_SYM, sym_status},
		{"qual", RT_ARG_HEX, NULL},
		{"extqual", RT_ARG_HEX, NULL},
		{"gpa", RT_ARG_HEX, NULL},
	},
};

const struct rt_event_type seam_ev_sept = {
	"sept",
	"tdx",
	{
		{"td", RT_ARG_HEX, NULL},
		{"gpa", RT_ARG_HEX, NULL},
		{"level", RT_ARG_DEC, NULL},
		{"from", RT_ARG_SYM, sym_state},
		{"to", RT_ARG_SYM, sym_state},
	},
};

const struct rt_event_type seam_ev_pamt = {
	"pamt",
	"tdx",
	{
		{"hpa", RT_ARG_HEX, NULL},
		{"level", RT_ARG_DEC, NULL},
		{"from", RT_ARG_SYM, sym_page_type},
		{"to", RT_ARG_SYM, sym_page_type},
		{"owner", RT_ARG_HEX, NULL},
	},
};

const struct rt_event_type seam_ev_epoch = {
	"epoch",
	"tdx",
	{
		{"td", RT_ARG_HEX, NULL},
		{"epoch", RT_ARG_DEC, NULL},
		{"ref0", RT_ARG_DEC, NULL},
		{"ref1", RT_ARG_DEC, NULL},
	},
};

const struct rt_event_type seam_ev_opstate = {
	"op_state",
	"tdx",
	{
		{"td", RT_ARG_HEX, NULL},
		{"from", RT_ARG_DEC, NULL},
		{"to", RT_ARG_DEC, NULL},
	},
};
