/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between releases of the module, as data: switches, and one row of changes for each
 * release. A profile is all rows down to its own, laid over each other (tdx-module.md 8.5). Code
 * asks a switch, never a release; what a switch means is written here and done where it is asked.
 */
#ifndef TDX_FEATURES_H
#define TDX_FEATURES_H

#include "tdx/seam.h"

/* X(switch, what it decides and which section says so) */
#define SEAM_SWITCHES(X)                                                                   \
	X(unblock_untracked_op, "operand of UNBLOCK's TLB_TRACKING_NOT_DONE (5.9)")        \
	X(vp_init_v1, "VP.INIT takes version 1 (3.3)")                                     \
	X(x2apic_clash_loses_slot, "a refused x2APIC id leaves the VCPU counted (3.3)")    \
	X(topology_check, "MNG.INIT wants a valid topology of the platform (3.3)")         \
	X(config_flags_bit3, "MNG.INIT accepts CONFIG_FLAGS bit 3 (3.3)")                  \
	X(single_step, "suspicion by 0: RIP and TSC, 1: instructions retired (7.4)")       \
	X(max_vcpus, "most VCPUs that MNG.INIT lets a TD have (3.3)")                      \
	X(hp_timeout_read_32, "HP_LOCK_TIMEOUT is told from the low 32 bits of its ticks") \
	X(cpuid_configs, "CPUID leaves that TD_PARAMS has values for")                     \
	X(tsc_adjust_first, "VP.INIT compares TSC_ADJUST before all else (3.3)")           \
	X(bit10_in_present, "present L1 entries have bit 10 (4.1)")                        \
	X(hkid_in_leaf, "leaf entries in memory hold the HKID (4.1)")                      \
	X(vcpu_state_in_details, "VCPU_STATE_INCORRECT tells the state (3.4)")             \
	X(op_state_in_details, "OP_STATE_INCORRECT tells the state (3.2)")                 \
	X(tree_hp, "S-EPT tree lock has host priority (6.1)")                              \
	X(entry_hp_survives, "the holder's write keeps an entry's HP bit (4.5)")           \
	X(promote_tree_ex, "PROMOTE takes the tree exclusive (5.8)")                       \
	X(promote_locks_children, "PROMOTE locks the 512 children (5.8)")                  \
	X(poll_hp, "a poll under a wanted tree gives INTERRUPTED_BUSY (8.2)")              \
	X(demote_poll_l2_only, "DEMOTE polls only in a TD with L2 VMs (8.2)")              \
	X(zero_step_tree_ex, "VP.ENTER's fault list takes the tree exclusive (7.4)")       \
	X(zero_step_ve_pending_faults, "a PENDING page that gives #VE still faults (7.4)") \
	X(dynamic_pamt, "Dynamic PAMT can be enabled (8.4)")                               \
	X(enh_demote, "ENHANCED_DEMOTE_INTERRUPTIBILITY (8.2)")                            \
	X(blocked_counters, "TD-wide counters of blocked pages, read by no leaf (8.2)")    \
	X(demote_child_ad, "A, D of DEMOTE's children in a live export: not modelled")     \
	X(features0, "TDX_FEATURES0 as TDH.SYS.RD shows it (8.1)")

struct seam_features {
#define SEAM_X(name, what) u64 name;
	SEAM_SWITCHES(SEAM_X)
#undef SEAM_X
};

enum seam_switch {
#define SEAM_X(name, what) SEAM_SW_##name,
	SEAM_SWITCHES(SEAM_X)
#undef SEAM_X
	SEAM_SW_NR
};

/* How a row is known. */
enum seam_evidence {
	SEAM_EVID_RECORDED, /* vectors of this release exist */
	SEAM_EVID_RUN,	    /* run only to place a change */
	SEAM_EVID_READ,	    /* from published source or headers, not run */
};

/* TDX_FEATURES0 bits that code here asks for (8.1). */
#define SEAM_FEATURES0_EVENT_FILTERING RT_BIT(24)
#define SEAM_FEATURES0_ICSSD	       RT_BIT(25)
#define SEAM_FEATURES0_VE_REDUCTION    RT_BIT(30)
#define SEAM_FEATURES0_MAXGPA_VIRT     RT_BIT(33)
#define SEAM_FEATURES0_DYN_PAMT	       RT_BIT(36)
#define SEAM_FEATURES0_ENH_DEMOTE      RT_BIT(51)

/* Profiles in the order of release; NULL after the last. */
const char *seam_profile_name(u32 index);
enum seam_evidence seam_profile_evidence(u32 index);
/* The profile's switches, all rows laid over each other. False: no such profile. */
bool seam_profile_features(const char *name, struct seam_features *f);
const char *seam_switch_name(enum seam_switch sw);
const char *seam_switch_help(enum seam_switch sw);
u64 seam_switch_value(const struct seam_features *f, enum seam_switch sw);
/* Of this module: its profile, then what its configuration turned on or off. */
const struct seam_features *seam_features(const struct seam *s);

#endif
