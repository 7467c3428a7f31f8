/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why recordings and scenarios need not get a status of reach.c: {row, status, reason}; ANY stands
 * for every row or every status, the first that fits counts. The rest of an array of reach.c, not a
 * header of its own. "Unit" is the program in tests/tdx that gets it.
 */
/* clang-format off */
{SEAM_ROW_NONE, SEAM_SYS_NOT_READY,
	"recorded machines and scenarios start with a ready module; unit: lifecycle"},
{SEAM_ROW_NONE, SEAM_SYS_SHUTDOWN, "nothing goes on after a shutdown; unit: lifecycle"},

/* Leaves that come before a recording begins. */
{SEAM_TDH_SYS_INIT, ANY,
	"recorded machines and scenarios start with a ready module; unit: lifecycle, config"},
{SEAM_TDH_SYS_LP_INIT, ANY,
	"recorded machines and scenarios start with a ready module; unit: lifecycle, config"},
{SEAM_TDH_SYS_CONFIG, ANY,
	"the real SYS.CONFIG was not run, and scenarios start behind it; unit: config"},
{SEAM_TDH_SYS_KEY_CONFIG, ANY,
	"recorded machines and scenarios start with a ready module; unit: lifecycle, config"},
{SEAM_TDH_SYS_LP_SHUTDOWN, ANY, "nothing goes on after it; unit: lifecycle, config"},
{SEAM_TDH_SYS_TDMR_INIT, BUSY, "two LPs initialise one TDMR at once; unit: contention"},
{SEAM_TDH_SYS_INFO, ANY,
	"not recorded, and the host asks before a scenario begins; unit: calls, config"},
{SEAM_TDH_SYS_RDALL, ANY, "not recorded, and the host asks before a scenario begins; unit: config"},

/* Fields: no part of memory management, so hardly recorded. */
{SEAM_TDH_MNG_RD, ANY,
	"fields are hardly recorded, the operand checks are those of every leaf; unit: fields"},
{SEAM_TDH_MNG_WR, ANY,
	"fields are hardly recorded, the operand checks are those of every leaf; unit: fields"},
{SEAM_TDH_VP_RD, ANY,
	"fields are hardly recorded, the operand checks are those of every leaf; unit: fields"},
{SEAM_TDH_VP_WR, ANY,
	"fields are hardly recorded, the operand checks are those of every leaf; unit: fields"},
{SEAM_ROW_TDG(SEAM_TDG_VM_RD), ANY,
	"the recorded guests only accept and touch memory; unit: fields"},
{SEAM_ROW_TDG(SEAM_TDG_VM_WR), ANY,
	"the recorded guests only accept and touch memory; unit: fields"},
{SEAM_ROW_TDG(SEAM_TDG_SYS_RD), ANY,
	"the recorded guests only accept and touch memory; unit: fields"},
{SEAM_ROW_TDG(SEAM_TDG_VP_CPUIDVE_SET), ANY,
	"the recorded guests only accept and touch memory; unit: fields"},
{SEAM_ROW_TDG(SEAM_TDG_VP_INFO), ANY,
	"the recorded guests only accept and touch memory; unit: fields"},
{SEAM_ROW_TDG(SEAM_TDG_VP_VEINFO_GET), ANY,
	"the recorded guests only accept and touch memory; unit: enter"},
{SEAM_ROW_TDG(SEAM_TDG_VP_VMCALL), OK,
	"succeeds in the next TDH.VP.ENTER, whose answer is counted there"},
{SEAM_TDH_MEM_RD, ANY,
	"of debug TDs only, which KVM does not build; operand checks as everywhere; unit: calls"},
{SEAM_TDH_MEM_WR, ANY,
	"of debug TDs only, which KVM does not build; operand checks as everywhere; unit: calls"},
{SEAM_TDH_MNG_KEY_RECLAIMID, ANY, "does nothing, and KVM no longer calls it; unit: calls"},

/* Particular cases. */
{SEAM_TDH_MEM_PAGE_DEMOTE, SEAM_L2_SEPT_WALK_FAILED,
	"needs an L2 tree that has no table there; unit: l2"},
{ANY_ROW, SEAM_INCONSISTENT_MSR,
	"a host that moves TSC_ADJUST under the module: KVM does not; unit: platform"},
{ANY_ROW, SEAM_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED,
	"no platform with TDX is without the leaf; unit: platform"},
{SEAM_TDH_VP_INIT, SEAM_X2APIC_ID_NOT_UNIQUE,
	"the recorded TDs have VCPUs with ids of their own; unit: lifecycle"},
{SEAM_TDH_MNG_ADDCX, SEAM_TDCX_NUM_INCORRECT, "needs a tenth page; unit: lifecycle"},
{SEAM_TDH_VP_ADDCX, SEAM_TDCX_NUM_INCORRECT, "needs a sixteenth page; unit: lifecycle"},
{SEAM_TDH_MNG_KEY_CONFIG, BUSY,
	"two packages configure one TD's key at once; the lock is that of every leaf; unit: "
	"contention"},
{SEAM_TDH_MNG_INIT, BUSY,
	"the TD cannot run yet, so only another build call is in the way; unit: contention"},
{SEAM_TDH_MNG_INIT, SEAM_TD_FATAL, "only a running TD dies, and one that runs was initialised"},

/* Checks that leaves share: one leaf that gets there shows them. */
{ANY_ROW, SEAM_TDCS_NOT_ALLOCATED,
	"state check of every leaf, reached by others; needs a half built TD; unit: lifecycle, "
	"fields"},
{ANY_ROW, SEAM_TD_FATAL,
	"state check of every leaf, reached by others; needs a machine check; unit: calls, epoch"},
{ANY_ROW, SEAM_TD_KEYS_NOT_CONFIGURED, "state check of every leaf, reached by others; unit: calls"},
{ANY_ROW, SEAM_OP_STATE_INCORRECT, "state check of every leaf, reached by others; unit: calls"},
{ANY_ROW, SEAM_TDCX_NUM_INCORRECT, "needs a VCPU with pages missing; unit: lifecycle, fields"},
{ANY_ROW, SEAM_OPERAND_ADDR_RANGE_ERROR,
	"operand check of every leaf, reached by others; unit: calls"},
{ANY_ROW, BAD, "operand check of every leaf, reached by others; unit: calls"},
{ANY_ROW, BUSY, "lock of every leaf, reached by others; unit: contention"},
