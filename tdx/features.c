// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of profiles (tdx-module.md 8.5): one row a release, holding only what changes against
 * the row before. Nothing else in tdx/ knows a release's name.
 */
#include "tdx/features.h"

#include <string.h>

#define MAX_CHANGES SEAM_SW_NR

struct change {
	enum seam_switch sw;
	u64 value;
};

struct row {
	const char *name;
	enum seam_evidence evidence;
	u32 nr;
	struct change c[MAX_CHANGES];
};

#define CHANGES(...)                                                          \
	sizeof((const struct change[]){__VA_ARGS__}) / sizeof(struct change), \
	{                                                                     \
		__VA_ARGS__                                                   \
	}
#define SET(name, value)              \
	{                             \
		SEAM_SW_##name, value \
	}
#define NO_CHANGES        \
	0,                \
	{                 \
		{         \
			0 \
		}         \
	}

static const struct row rows[] = {
	{"1.5.01", SEAM_EVID_RECORDED,
	 CHANGES(SET(unblock_untracked_op, 146), SET(promote_locks_children, 1),
		 SET(zero_step_tree_ex, 1), SET(zero_step_ve_pending_faults, 1),
		 SET(max_vcpus, 0xffff), SET(cpuid_configs, 12), SET(features0, 0xF0EBF))},
	{"1.5.05", SEAM_EVID_RECORDED,
	 CHANGES(SET(unblock_untracked_op, 1), SET(vp_init_v1, 1), SET(x2apic_clash_loses_slot, 1),
		 SET(topology_check, 1), SET(max_vcpus, 576), SET(cpuid_configs, 18),
		 SET(features0, 0x1F0EBF))},
	{"1.5.06", SEAM_EVID_RUN,
	 CHANGES(SET(config_flags_bit3, 1), SET(single_step, 1), SET(features0, 0x2E1F0EBF))},
	{"1.5.13", SEAM_EVID_RUN,
	 CHANGES(SET(bit10_in_present, 1), SET(hkid_in_leaf, 1), SET(x2apic_clash_loses_slot, 0),
		 SET(tsc_adjust_first, 1), SET(cpuid_configs, 28), SET(hp_timeout_read_32, 1),
		 SET(features0, 0x226F1F0EBF))},
	{"1.5.16", SEAM_EVID_RECORDED,
	 CHANGES(SET(vcpu_state_in_details, 1), SET(features0, 0x226F3F0EBF))},
	{"1.5.20", SEAM_EVID_RECORDED,
	 CHANGES(SET(op_state_in_details, 1), SET(tree_hp, 1), SET(entry_hp_survives, 1),
		 SET(promote_tree_ex, 1), SET(promote_locks_children, 0), SET(poll_hp, 1),
		 SET(zero_step_tree_ex, 0), SET(zero_step_ve_pending_faults, 0),
		 SET(dynamic_pamt, 1), SET(features0, 0x10326F3F0EBF))},
	{"1.5.24", SEAM_EVID_RUN, CHANGES(SET(features0, 0xD1326F3F0EBF))},
	{"1.5.25", SEAM_EVID_RECORDED, NO_CHANGES},
	/*
	 * From here on read, not run. Of features0 only bit 51 is known; the rest is carried over.
	 */
	{"1.5.28", SEAM_EVID_READ,
	 CHANGES(SET(enh_demote, 1), SET(poll_hp, 0), SET(demote_poll_l2_only, 1),
		 SET(features0, 0xD1326F3F0EBF | SEAM_FEATURES0_ENH_DEMOTE))},
	{"1.5.34", SEAM_EVID_READ, CHANGES(SET(blocked_counters, 1), SET(demote_child_ad, 1))},
};

static const struct {
	const char *name, *help;
	size_t offset;
} switches[SEAM_SW_NR] = {
#define SEAM_X(sw, what) {#sw, what, offsetof(struct seam_features, sw)},
	SEAM_SWITCHES(SEAM_X)
#undef SEAM_X
};

const char *seam_profile_name(u32 index)
{
	return index < RT_ARRAY_SIZE(rows) ? rows[index].name : NULL;
}

enum seam_evidence seam_profile_evidence(u32 index)
{
	return rows[index].evidence;
}

static u64 *slot(struct seam_features *f, enum seam_switch sw)
{
	return (u64 *)((char *)f + switches[sw].offset);
}

bool seam_profile_features(const char *name, struct seam_features *f)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
		for (u32 k = 0; k < rows[i].nr; k++)
			*slot(f, rows[i].c[k].sw) = rows[i].c[k].value;
		if (!strcmp(rows[i].name, name))
			return true;
	}
	return false;
}

const char *seam_switch_name(enum seam_switch sw)
{
	return switches[sw].name;
}

const char *seam_switch_help(enum seam_switch sw)
{
	return switches[sw].help;
}

u64 seam_switch_value(const struct seam_features *f, enum seam_switch sw)
{
	return *(const u64 *)((const char *)f + switches[sw].offset);
}
