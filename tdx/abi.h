/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's numbers: leaves, status codes, operand ids and the formats of operands
 * (tdx-module.md 1). Names are the architecture's under a prefix of our own, so that a floor that
 * defines TDX_* itself can include this. What a leaf does with the numbers is not here.
 */
#ifndef TDX_ABI_H
#define TDX_ABI_H

#include "sim/rt/types.h"

/* X(number, ID, function, architectural name): host leaves that this module implements (1.2). */
#define SEAM_TDH_LEAVES(X)                                                         \
	X(0, VP_ENTER, vp_enter, "TDH.VP.ENTER")                                   \
	X(1, MNG_ADDCX, mng_addcx, "TDH.MNG.ADDCX")                                \
	X(2, MEM_PAGE_ADD, mem_page_add, "TDH.MEM.PAGE.ADD")                       \
	X(3, MEM_SEPT_ADD, mem_sept_add, "TDH.MEM.SEPT.ADD")                       \
	X(4, VP_ADDCX, vp_addcx, "TDH.VP.ADDCX")                                   \
	X(5, MEM_PAGE_RELOCATE, mem_page_relocate, "TDH.MEM.PAGE.RELOCATE")        \
	X(6, MEM_PAGE_AUG, mem_page_aug, "TDH.MEM.PAGE.AUG")                       \
	X(7, MEM_RANGE_BLOCK, mem_range_block, "TDH.MEM.RANGE.BLOCK")              \
	X(8, MNG_KEY_CONFIG, mng_key_config, "TDH.MNG.KEY.CONFIG")                 \
	X(9, MNG_CREATE, mng_create, "TDH.MNG.CREATE")                             \
	X(10, VP_CREATE, vp_create, "TDH.VP.CREATE")                               \
	X(11, MNG_RD, mng_rd, "TDH.MNG.RD")                                        \
	X(12, MEM_RD, mem_rd, "TDH.MEM.RD")                                        \
	X(13, MNG_WR, mng_wr, "TDH.MNG.WR")                                        \
	X(14, MEM_WR, mem_wr, "TDH.MEM.WR")                                        \
	X(15, MEM_PAGE_DEMOTE, mem_page_demote, "TDH.MEM.PAGE.DEMOTE")             \
	X(16, MR_EXTEND, mr_extend, "TDH.MR.EXTEND")                               \
	X(17, MR_FINALIZE, mr_finalize, "TDH.MR.FINALIZE")                         \
	X(18, VP_FLUSH, vp_flush, "TDH.VP.FLUSH")                                  \
	X(19, MNG_VPFLUSHDONE, mng_vpflushdone, "TDH.MNG.VPFLUSHDONE")             \
	X(20, MNG_KEY_FREEID, mng_key_freeid, "TDH.MNG.KEY.FREEID")                \
	X(21, MNG_INIT, mng_init, "TDH.MNG.INIT")                                  \
	X(22, VP_INIT, vp_init, "TDH.VP.INIT")                                     \
	X(23, MEM_PAGE_PROMOTE, mem_page_promote, "TDH.MEM.PAGE.PROMOTE")          \
	X(24, PHYMEM_PAGE_RDMD, phymem_page_rdmd, "TDH.PHYMEM.PAGE.RDMD")          \
	X(25, MEM_SEPT_RD, mem_sept_rd, "TDH.MEM.SEPT.RD")                         \
	X(26, VP_RD, vp_rd, "TDH.VP.RD")                                           \
	X(27, MNG_KEY_RECLAIMID, mng_key_reclaimid, "TDH.MNG.KEY.RECLAIMID")       \
	X(28, PHYMEM_PAGE_RECLAIM, phymem_page_reclaim, "TDH.PHYMEM.PAGE.RECLAIM") \
	X(29, MEM_PAGE_REMOVE, mem_page_remove, "TDH.MEM.PAGE.REMOVE")             \
	X(30, MEM_SEPT_REMOVE, mem_sept_remove, "TDH.MEM.SEPT.REMOVE")             \
	X(31, SYS_KEY_CONFIG, sys_key_config, "TDH.SYS.KEY.CONFIG")                \
	X(32, SYS_INFO, sys_info, "TDH.SYS.INFO")                                  \
	X(33, SYS_INIT, sys_init, "TDH.SYS.INIT")                                  \
	X(34, SYS_RD, sys_rd, "TDH.SYS.RD")                                        \
	X(35, SYS_LP_INIT, sys_lp_init, "TDH.SYS.LP.INIT")                         \
	X(36, SYS_TDMR_INIT, sys_tdmr_init, "TDH.SYS.TDMR.INIT")                   \
	X(37, SYS_RDALL, sys_rdall, "TDH.SYS.RDALL")                               \
	X(38, MEM_TRACK, mem_track, "TDH.MEM.TRACK")                               \
	X(39, MEM_RANGE_UNBLOCK, mem_range_unblock, "TDH.MEM.RANGE.UNBLOCK")       \
	X(40, PHYMEM_CACHE_WB, phymem_cache_wb, "TDH.PHYMEM.CACHE.WB")             \
	X(41, PHYMEM_PAGE_WBINVD, phymem_page_wbinvd, "TDH.PHYMEM.PAGE.WBINVD")    \
	X(43, VP_WR, vp_wr, "TDH.VP.WR")                                           \
	X(44, SYS_LP_SHUTDOWN, sys_lp_shutdown, "TDH.SYS.LP.SHUTDOWN")             \
	X(45, SYS_CONFIG, sys_config, "TDH.SYS.CONFIG")                            \
	X(58, PHYMEM_PAMT_ADD, phymem_pamt_add, "TDH.PHYMEM.PAMT.ADD")             \
	X(59, PHYMEM_PAMT_REMOVE, phymem_pamt_remove, "TDH.PHYMEM.PAMT.REMOVE")

/* X(number, ID, name): leaves that have a name here but the answer of a module without them. */
#define SEAM_TDH_FOREIGN(X)                           \
	X(48, SERVTD_BIND, "TDH.SERVTD.BIND")         \
	X(49, SERVTD_PREBIND, "TDH.SERVTD.PREBIND")   \
	X(52, SYS_SHUTDOWN_LEAF, "TDH.SYS.SHUTDOWN")  \
	X(53, SYS_UPDATE, "TDH.SYS.UPDATE")           \
	X(65, EXPORT_BLOCKW, "TDH.EXPORT.BLOCKW")     \
	X(66, EXPORT_RESTORE, "TDH.EXPORT.RESTORE")   \
	X(68, EXPORT_MEM, "TDH.EXPORT.MEM")           \
	X(75, EXPORT_UNBLOCKW, "TDH.EXPORT.UNBLOCKW") \
	X(83, IMPORT_MEM, "TDH.IMPORT.MEM")           \
	X(96, MIG_STREAM_CREATE, "TDH.MIG.STREAM.CREATE")

/* X(number, ID, function, name): guest leaves. */
#define SEAM_TDG_LEAVES(X)                                                \
	X(0, VP_VMCALL, vp_vmcall, "TDG.VP.VMCALL")                       \
	X(1, VP_INFO, vp_info, "TDG.VP.INFO")                             \
	X(2, MR_RTMR_EXTEND, mr_rtmr_extend, "TDG.MR.RTMR.EXTEND")        \
	X(3, VP_VEINFO_GET, vp_veinfo_get, "TDG.VP.VEINFO.GET")           \
	X(4, MR_REPORT, mr_report, "TDG.MR.REPORT")                       \
	X(5, VP_CPUIDVE_SET, vp_cpuidve_set, "TDG.VP.CPUIDVE.SET")        \
	X(6, MEM_PAGE_ACCEPT, mem_page_accept, "TDG.MEM.PAGE.ACCEPT")     \
	X(7, VM_RD, vm_rd, "TDG.VM.RD")                                   \
	X(8, VM_WR, vm_wr, "TDG.VM.WR")                                   \
	X(9, VP_RD, vp_rd, "TDG.VP.RD")                                   \
	X(10, VP_WR, vp_wr, "TDG.VP.WR")                                  \
	X(11, SYS_RD, sys_rd, "TDG.SYS.RD")                               \
	X(12, SYS_RDALL, sys_rdall, "TDG.SYS.RDALL")                      \
	X(18, SERVTD_RD, servtd_rd, "TDG.SERVTD.RD")                      \
	X(20, SERVTD_WR, servtd_wr, "TDG.SERVTD.WR")                      \
	X(22, MR_VERIFYREPORT, mr_verifyreport, "TDG.MR.VERIFYREPORT")    \
	X(23, MEM_PAGE_ATTR_RD, mem_page_attr_rd, "TDG.MEM.PAGE.ATTR.RD") \
	X(24, MEM_PAGE_ATTR_WR, mem_page_attr_wr, "TDG.MEM.PAGE.ATTR.WR") \
	X(25, VP_ENTER, vp_enter, "TDG.VP.ENTER")                         \
	X(26, VP_INVEPT, vp_invept, "TDG.VP.INVEPT")                      \
	X(27, VP_INVVPID, vp_invvpid, "TDG.VP.INVVPID")

enum seam_tdh_leaf {
#define SEAM_X(nr, id, fn, name) SEAM_TDH_##id = (nr),
	SEAM_TDH_LEAVES(SEAM_X)
#undef SEAM_X
#define SEAM_X(nr, id, name) SEAM_TDH_##id = (nr),
	SEAM_TDH_FOREIGN(SEAM_X)
#undef SEAM_X
};
#define SEAM_TDH_NR 128 /* leaf numbers that are counted one by one */

enum seam_tdg_leaf {
#define SEAM_X(nr, id, fn, name) SEAM_TDG_##id = (nr),
	SEAM_TDG_LEAVES(SEAM_X)
#undef SEAM_X
};
#define SEAM_TDG_NR 32

/* X(name, bits 63:32 of RAX): 1.5. ERROR is bit 63: codes without it are informational. */
#define SEAM_STATUS_CODES(X)                              \
	X(SUCCESS, 0x00000000)                            \
	X(NON_RECOVERABLE_VCPU, 0x40000001)               \
	X(NON_RECOVERABLE_TD, 0x60000002)                 \
	X(INTERRUPTED_RESUMABLE, 0x80000003)              \
	X(INTERRUPTED_RESTARTABLE, 0x80000004)            \
	X(NON_RECOVERABLE_TD_NON_ACCESSIBLE, 0x60000005)  \
	X(INVALID_RESUMPTION, 0xC0000006)                 \
	X(NON_RECOVERABLE_TD_WRONG_APIC_MODE, 0xE0000007) \
	X(CROSS_TD_FAULT, 0x80000008)                     \
	X(CROSS_TD_TRAP, 0x90000009)                      \
	X(NON_RECOVERABLE_TD_CORRUPTED_MD, 0x6000000A)    \
	X(OPERAND_INVALID, 0xC0000100)                    \
	X(OPERAND_ADDR_RANGE_ERROR, 0xC0000101)           \
	X(OPERAND_BUSY, 0x80000200)                       \
	X(PREVIOUS_TLB_EPOCH_BUSY, 0x80000201)            \
	X(SYS_BUSY, 0x80000202)                           \
	X(RND_NO_ENTROPY, 0x80000203)                     \
	X(OPERAND_BUSY_HOST_PRIORITY, 0x80000204)         \
	X(HOST_PRIORITY_BUSY_TIMEOUT, 0x90000205)         \
	X(INTERRUPTED_BUSY, 0x80000206)                   \
	X(PAGE_METADATA_INCORRECT, 0xC0000300)            \
	X(PAGE_ALREADY_FREE, 0x00000301)                  \
	X(PAGE_NOT_OWNED_BY_TD, 0xC0000302)               \
	X(PAGE_NOT_FREE, 0xC0000303)                      \
	X(HPA_RANGE_NOT_FREE, 0xC0000304)                 \
	X(NO_PAMT_PAGE_PAIR, 0xC0000305)                  \
	X(PAMT_PAGE_NOT_EMPTY, 0xC0000306)                \
	X(INTERRUPTED_PAMT, 0x80000307)                   \
	X(MISSING_PAMT_PAGE_PAIR, 0x80000308)             \
	X(TD_ASSOCIATED_PAGES_EXIST, 0xC0000400)          \
	X(SYS_INIT_NOT_PENDING, 0xC0000500)               \
	X(SYS_LP_INIT_NOT_DONE, 0xC0000502)               \
	X(SYS_LP_INIT_DONE, 0xC0000503)                   \
	X(SYS_NOT_READY, 0xC0000505)                      \
	X(SYS_SHUTDOWN, 0xC0000506)                       \
	X(SYS_KEY_CONFIG_NOT_PENDING, 0xC0000507)         \
	X(SYS_STATE_INCORRECT, 0xC0000508)                \
	X(SYS_LP_INIT_NOT_PENDING, 0xC000050B)            \
	X(SYS_CONFIG_NOT_PENDING, 0xC000050C)             \
	X(TD_FATAL, 0xE0000604)                           \
	X(TD_NON_DEBUG, 0xC0000605)                       \
	X(TDCS_NOT_ALLOCATED, 0xC0000606)                 \
	X(LIFECYCLE_STATE_INCORRECT, 0xC0000607)          \
	X(OP_STATE_INCORRECT, 0xC0000608)                 \
	X(NO_VCPUS, 0xC0000609)                           \
	X(TDCX_NUM_INCORRECT, 0xC0000610)                 \
	X(X2APIC_ID_NOT_UNIQUE, 0xC0000621)               \
	X(VCPU_STATE_INCORRECT, 0xC0000700)               \
	X(VCPU_ASSOCIATED, 0x80000701)                    \
	X(VCPU_NOT_ASSOCIATED, 0x80000702)                \
	X(NO_VALID_VE_INFO, 0xC0000704)                   \
	X(MAX_VCPUS_EXCEEDED, 0xC0000705)                 \
	X(TSC_ROLLBACK, 0xC0000706)                       \
	X(KEY_GENERATION_FAILED, 0x80000800)              \
	X(TD_KEYS_NOT_CONFIGURED, 0x80000810)             \
	X(KEY_STATE_INCORRECT, 0xC0000811)                \
	X(KEY_CONFIGURED, 0x00000815)                     \
	X(WBCACHE_NOT_COMPLETE, 0x80000817)               \
	X(HKID_NOT_FREE, 0xC0000820)                      \
	X(NO_HKID_READY_TO_WBCACHE, 0x00000821)           \
	X(WBCACHE_RESUME_ERROR, 0xC0000823)               \
	X(FLUSHVP_NOT_DONE, 0x80000824)                   \
	X(LIMIT_CPUID_MAXVAL_SET, 0xC0000901)             \
	X(CPUID_LEAF_1F_FORMAT_UNRECOGNIZED, 0xC0000904)  \
	X(INCONSISTENT_MSR, 0xC0000920)                   \
	X(INVALID_TDMR, 0xC0000A00)                       \
	X(NON_ORDERED_TDMR, 0xC0000A01)                   \
	X(TDMR_OUTSIDE_CMRS, 0xC0000A02)                  \
	X(TDMR_ALREADY_INITIALIZED, 0x00000A03)           \
	X(INVALID_PAMT, 0xC0000A10)                       \
	X(PAMT_OUTSIDE_CMRS, 0xC0000A11)                  \
	X(PAMT_OVERLAP, 0xC0000A12)                       \
	X(INVALID_RESERVED_IN_TDMR, 0xC0000A20)           \
	X(NON_ORDERED_RESERVED_IN_TDMR, 0xC0000A21)       \
	X(EPT_WALK_FAILED, 0xC0000B00)                    \
	X(EPT_ENTRY_FREE, 0xC0000B01)                     \
	X(EPT_ENTRY_NOT_FREE, 0xC0000B02)                 \
	X(EPT_ENTRY_NOT_PRESENT, 0xC0000B03)              \
	X(EPT_ENTRY_NOT_LEAF, 0xC0000B04)                 \
	X(EPT_ENTRY_LEAF, 0xC0000B05)                     \
	X(GPA_RANGE_NOT_BLOCKED, 0xC0000B06)              \
	X(GPA_RANGE_ALREADY_BLOCKED, 0x00000B07)          \
	X(TLB_TRACKING_NOT_DONE, 0xC0000B08)              \
	X(EPT_INVALID_PROMOTE_CONDITIONS, 0xC0000B09)     \
	X(PAGE_ALREADY_ACCEPTED, 0x00000B0A)              \
	X(PAGE_SIZE_MISMATCH, 0xC0000B0B)                 \
	X(GPA_RANGE_BLOCKED, 0xC0000B0C)                  \
	X(EPT_ENTRY_STATE_INCORRECT, 0xC0000B0D)          \
	X(EPT_PAGE_NOT_FREE, 0xC0000B0E)                  \
	X(L2_SEPT_WALK_FAILED, 0xC0000B0F)                \
	X(L2_SEPT_ENTRY_NOT_FREE, 0xC0000B10)             \
	X(PAGE_ATTR_INVALID, 0xC0000B11)                  \
	X(L2_SEPT_PAGE_NOT_PROVIDED, 0xC0000B12)          \
	X(BLOCKED_MEMORY_EXISTS, 0x80000B13)              \
	X(METADATA_FIELD_ID_INCORRECT, 0xC0000C00)        \
	X(METADATA_FIELD_NOT_WRITABLE, 0xC0000C01)        \
	X(METADATA_FIELD_NOT_READABLE, 0xC0000C02)        \
	X(METADATA_FIELD_VALUE_NOT_VALID, 0xC0000C03)     \
	X(METADATA_WR_MASK_NOT_VALID, 0xC0000C0A)         \
	X(METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0x00000C0B)

/* Whole RAX values with details 0: SEAM_OPERAND_BUSY | SEAM_OP_RCX is what a leaf returns. */
enum seam_status {
#define SEAM_X(id, hi) SEAM_##id = (u64)(hi##ULL) << 32,
	SEAM_STATUS_CODES(SEAM_X)
#undef SEAM_X
};

#define SEAM_STATUS_ERROR RT_BIT(63)
/* Status without details: what 1.4 says to compare. */
static inline u64 seam_status(u64 rax)
{
	return rax & RT_MASK(63, 32);
}

/* Operand ids (1.6), details of OPERAND_INVALID, OPERAND_BUSY, ... */
enum seam_operand {
	SEAM_OP_RAX = 0,
	SEAM_OP_RCX = 1,
	SEAM_OP_RDX = 2,
	SEAM_OP_RBX = 3,
	SEAM_OP_RBP = 5,
	SEAM_OP_RSI = 6,
	SEAM_OP_RDI = 7,
	SEAM_OP_R8 = 8,
	SEAM_OP_R9 = 9,
	SEAM_OP_R10 = 10,
	SEAM_OP_R11 = 11,
	SEAM_OP_R12 = 12,
	SEAM_OP_R13 = 13,
	SEAM_OP_R14 = 14,
	SEAM_OP_R15 = 15,
	SEAM_OP_ATTRIBUTES = 64,
	SEAM_OP_XFAM = 65,
	SEAM_OP_EXEC_CONTROLS = 66,
	SEAM_OP_EPTP = 67,
	SEAM_OP_MAX_VCPUS = 68,
	SEAM_OP_CPUID_CONFIG = 69,
	SEAM_OP_TSC_FREQUENCY = 70,
	SEAM_OP_NUM_L2_VMS = 71,
	SEAM_OP_ARCH_CAP = 72,
	SEAM_OP_PAGE = 95,
	SEAM_OP_TDMR_INFO_PA = 96,
	SEAM_OP_TDR = 128,
	SEAM_OP_TDCX = 129,
	SEAM_OP_TDVPR = 130,
	SEAM_OP_TDCS = 144,
	SEAM_OP_TDVPS = 145,
	SEAM_OP_SEPT_TREE = 146,
	SEAM_OP_SEPT_ENTRY = 147,
	SEAM_OP_RTMR = 168,
	SEAM_OP_TD_EPOCH = 169,
	SEAM_OP_OP_STATE = 172,
	SEAM_OP_METADATA_FIELD = 176,
	SEAM_OP_NUM_VCPUS = 177,
	SEAM_OP_CPUID_FIXED0 = 178,
	SEAM_OP_SYS = 184,
	SEAM_OP_TDMR = 185,
	SEAM_OP_KOT = 186,
	SEAM_OP_KET = 187,
	SEAM_OP_WBCACHE = 188,
};

/*
 * Names as the field writes them: "TDX_OPERAND_BUSY", "TDH.MEM.PAGE.DEMOTE", "TDG.MEM.PAGE.ACCEPT".
 * Unknown numbers give NULL. By name: with or without "TDX_"; false if there is none.
 */
const char *seam_status_name(u64 rax);
bool seam_status_by_name(const char *name, u64 *rax);
const char *seam_leaf_name(u64 leaf);
const char *seam_tdg_leaf_name(u64 leaf);
/* Number of a TDH.* leaf; also of those that only have a name here. */
bool seam_leaf_by_name(const char *name, u32 *leaf);
bool seam_tdg_leaf_by_name(const char *name, u32 *leaf);
/* "RCX", "SEPT_TREE", ...; NULL if unknown. */
const char *seam_operand_name(u32 op);

/* RAX on entry (1.1): leaf 15:0, version 23:16, rest 0. */
#define SEAM_RAX(leaf, version) ((u64)(leaf) | (u64)(version) << 16)

#define SEAM_NULL_PA (~0ULL)

/* GPA and level in one register ("page info", 1.3): 2:0 level, 51:12 GPA. */
static inline u64 seam_page_info(u64 gpa, u32 level)
{
	return gpa | level;
}
#define SEAM_INFO_LEVEL(info) ((u32)((info)&7))
#define SEAM_INFO_GPA(info)   ((info)&RT_MASK(51, 12))
#define SEAM_INFO_RSVD	      (RT_MASK(63, 52) | RT_MASK(11, 3))

/* TDR operand with a flag in bit 0 (SEPT.ADD, SEPT.RD, DEMOTE). */
#define SEAM_TDR_FLAG	   RT_BIT(0)
#define SEAM_TDR_FLAG_RSVD (RT_MASK(63, 52) | RT_MASK(11, 1))

#define SEAM_LEVEL_SHIFT(level) (12 + 9 * (level))
#define SEAM_LEVEL_SIZE(level)	(1ULL << SEAM_LEVEL_SHIFT(level))
/* 4K pages in one page of @level. */
#define SEAM_LEVEL_PAGES(level) (1ULL << (9 * (level)))

/* RDX of a leaf that failed at an S-EPT entry: 2:0 level, 15:8 public state, 17:16 VM. */
#define SEAM_SEPT_INFO_LEVEL(info) ((u32)RT_FIELD(info, 2, 0))
#define SEAM_SEPT_INFO_STATE(info) ((u32)RT_FIELD(info, 15, 8))

/* Freed page was the last of its Dynamic PAMT pair (8.4); operand page not used (5.1, 5.7). */
#define SEAM_PAIR_EMPTY_HINT RT_BIT(62)
#define SEAM_PAGE_UNUSED     RT_BIT(63)

/* Page types of PAMT entries (2.1). */
enum seam_page_type {
	SEAM_PT_NDA = 0,   /* free: not described at this level */
	SEAM_PT_RSVD = 1,  /* reserved area of the TDMR */
	SEAM_PT_REG = 3,   /* private memory of a TD */
	SEAM_PT_TDR = 4,   /* root page of a TD */
	SEAM_PT_TDCX = 5,  /* added by MNG.ADDCX or VP.ADDCX */
	SEAM_PT_TDVPR = 6, /* root page of a VCPU */
	SEAM_PT_EPT = 8,   /* S-EPT page */
	SEAM_PT_PAMT = 15, /* Dynamic PAMT: a 2M entry with a pair; a page of a pair */
};

/*
 * Objects of scheduling points (sim/rt/sched.h) inside the module. HELD: lp and what others can run
 * into: the gpa under tree or entry lock, a TDR, TDVPR or PAMT range that is held exclusive; the
 * write point is the one just before the call first writes a locked S-EPT entry. POLL: lp and the
 * number of the poll in this call, from 1.
 */
#define SEAM_AT_WRITE	  RT_BIT(63)
#define SEAM_AT(lp, what) ((u64)(lp) << 52 | ((what)&RT_MASK(51, 0)))
#define SEAM_AT_LP(obj)	  ((u32)RT_FIELD(obj, 62, 52))
#define SEAM_AT_WHAT(obj) ((obj)&RT_MASK(51, 0))

#endif
