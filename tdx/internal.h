/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's state: module, logical processors, TDs, keys. Only files of tdx/ include this; VCPUs
 * are in tdx/vcpu.h. Each object's rules are with the code that changes it; here are the fields and
 * who guards them.
 *
 * Invariants:
 *  - One struct seam_td for each page of type TDR, found by its HPA; made by MNG.CREATE, freed when
 *    the TDR is reclaimed.
 *  - child_count = 4K units of all pages whose PAMT owner is this TD, the TDR itself not counted
 *    (3.1).
 */
#ifndef TDX_INTERNAL_H
#define TDX_INTERNAL_H

#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/cost.h"
#include "tdx/features.h"
#include "tdx/lock.h"
#include "tdx/pamt.h"
#include "tdx/seam.h"
#include "tdx/sept.h"

#define SEAM_MAXPA	    52
#define SEAM_MSR_TSC_ADJUST 0x3bULL /* IA32_TSC_ADJUST */
#define SEAM_MAX_LPS	    256
#define SEAM_MAX_PKGS	    8
#define SEAM_TDCX_MIN	    6
#define SEAM_TDCX_MAX	    9
#define SEAM_TDCX_SEPT	    3 /* index of the S-EPT root among the TDCX pages */
#define SEAM_TDCX_L2	    6 /* index of VM 1's root */

/* Module life (5.11), in order. */
enum seam_sys_state {
	SEAM_SYSINIT_PENDING,
	SEAM_SYSINIT_DONE,
	SEAM_SYSCONFIG_DONE,
	SEAM_SYS_READY,
	SEAM_SYS_SHUT_DOWN,
};

/* Life cycle of a TD (3.2). */
enum seam_lifecycle {
	SEAM_TD_HKID_ASSIGNED,
	SEAM_TD_KEYS_CONFIGURED,
	SEAM_TD_BLOCKED,
	SEAM_TD_TEARDOWN,
};

/* OP_STATE (3.2); those of migration are never entered here, but the tables of leaves name them. */
enum seam_op_state {
	SEAM_OPS_UNINITIALIZED = 0,
	SEAM_OPS_INITIALIZED = 1,
	SEAM_OPS_RUNNABLE = 2,
	SEAM_OPS_LIVE_EXPORT = 3,
	SEAM_OPS_PAUSED_EXPORT = 4,
	SEAM_OPS_POST_EXPORT = 5,
	SEAM_OPS_MEMORY_IMPORT = 6,
	SEAM_OPS_STATE_IMPORT = 7,
	SEAM_OPS_POST_IMPORT = 8,
	SEAM_OPS_LIVE_IMPORT = 9,
	SEAM_OPS_FAILED_IMPORT = 10,
};

/* Key ownership table (2.4). */
enum seam_hkid_state {
	SEAM_HKID_FREE,
	SEAM_HKID_ASSIGNED,
	SEAM_HKID_FLUSHED,
	SEAM_HKID_RESERVED, /* the module's own */
};

struct seam_kot_entry {
	u8 state;	/* enum seam_hkid_state */
	u32 wb_pending; /* bitmap of packages whose caches still hold lines of it */
};

/* Write-back record of one package (CACHE.WB, 2.5). */
struct seam_wb {
	u16 lock; /* mutex */
	bool interrupted;
	u32 next_block;
	u8 *hkids; /* one byte a private HKID: it was FLUSHED when this write-back started */
};

struct seam_td {
	struct seam_td *next; /* in its hash bucket */
	u64 tdr;

	/* TDR; guarded by the TDR page's PAMT lock, child_count is atomic */
	bool fatal;
	u8 lifecycle; /* enum seam_lifecycle */
	u16 hkid;
	u32 pkg_keys; /* bitmap of packages whose key is configured */
	u64 child_count;
	u32 nr_tdcx;
	u64 tdcx[SEAM_TDCX_MAX];

	/* TDCS */
	u16 opstate_lock; /* sharex-HP */
	u16 tree_lock;	  /* sharex; with HP if the profile's tree_hp says so */
	u16 epoch_lock;	  /* sharex */
	u8 opstate;	  /* enum seam_op_state */
	u64 epoch;	  /* TD_EPOCH; 0 before MNG.INIT */
	u32 refcount[2];  /* running VCPUs by parity of their epoch */
	u32 nr_vcpus;	  /* NUM_VCPUS: initialised ones */
	u32 nr_assoc;	  /* VCPUs associated with an LP */
	u32 max_vcpus;
	u32 nr_l2;
	u64 attributes;
	u64 xfam;
	u64 eptp_controls;
	u64 config_flags;
	u8 msr_config_ctls;
	bool pml5; /* five levels: the top one is 4 */
	u16 tsc_frequency;
	u64 hp_lock_timeout;	   /* TSC ticks */
	u64 blocked_pages;	   /* profile blocked_counters: 4K units of BLOCKED */
	u64 pending_blocked_pages; /* and of PENDING_BLOCKED */
	u64 mrtd;		   /* stands for the measurement */
	struct seam_vcpu *vcpus;   /* all its VCPUs, newest first */
	u64 td_ctls;		   /* TD_CTLS; bit 0 PENDING_VE_DISABLE (7.3) */
	u64 notify_enables;	   /* bit 0: tell the guest of zero-step (7.4) */
};

#define SEAM_TD_DEBUG		RT_BIT(0)
#define SEAM_TD_SEPT_VE_DISABLE RT_BIT(28)
#define SEAM_CONFIG_GPAW	RT_BIT(0) /* a 52-bit GPA space, SHARED is bit 51; else 48 and 47 */

struct seam_lp {
	u32 id, pkg;
	u32 irq;	/* SEAM_IRQ_* pending */
	bool if_on;	/* RFLAGS.IF of the host code that calls */
	u64 tsc_adjust; /* IA32_TSC_ADJUST: the host's to write */
	bool init_done;
	struct seam_vcpu *in_guest;  /* NULL: the LP is in the host */
	struct seam_vcpu *last_vcpu; /* that ran here, so that another one's entry flushes */
};

#define SEAM_TD_BUCKETS 16

struct seam {
	struct seam_config cfg; /* all defaults filled in; profile points to static text */
	struct seam_features f;
	bool dynamic_pamt; /* enabled */
	u8 sys_state;	   /* enum seam_sys_state */
	u16 global_lock;   /* sharex */
	u16 kot_lock;	   /* sharex */
	u64 tsc_adjust;	   /* as SYS.INIT found it */
	u32 key_pkgs;	   /* bitmap of packages whose global key is configured */
	u32 nr_tdmr;
	struct seam_tdmr tdmr[SEAM_MAX_TDMRS];
	struct seam_kot_entry *kot; /* cfg.hkid_count entries, from cfg.hkid_first */
	struct seam_wb wb[SEAM_MAX_PKGS];
	struct seam_lp *lp; /* cfg.lps */
	struct seam_td *td[SEAM_TD_BUCKETS];
	u64 nr_calls[SEAM_TDH_NR];
	u64 nr_entries;
	u64 nr_sept_writes; /* of L1 entries that changed their state */
	u32 cost[SEAM_ROWS][SEAM_COST_NR];
	u32 cost_row;	    /* whose work is being done: seam_point() sets it again */
	u64 *clock;	    /* rt_cycles_counter() */
	u32 nr_holds;	    /* seam_hold()s not yet dropped: seam_check() allows for them */
	u32 in_flight;	    /* SEAMCALLs that are somewhere inside */
	u64 reserved_pages; /* 4K pages in reserved areas */
	const struct seam_observer *observer; /* NULL: nobody */
	bool (*shared_walk)(void *ctx, u64 tdr, u64 gpa, u64 *hpa, bool *writable);
	void *shared_ctx;
};

/* Count @n operations for the leaf at work, and let the virtual clock run. */
static inline void seam_cost(struct seam *s, enum seam_cost kind, u64 n)
{
	static const u32 cycles[] = {
#define SEAM_X(id, cyc, name, text) cyc,
		SEAM_COSTS(SEAM_X)
#undef SEAM_X
	};

	s->cost[s->cost_row][kind] += (u32)n;
	*s->clock += cycles[kind] * n;
}

/* Key for sim/rt/phys.h of a TD's memory: its HKID, or 0 where all keys alias (cfg.one_key). */
static inline u32 seam_key(const struct seam *s, const struct seam_td *td)
{
	return s->cfg.one_key ? 0 : td->hkid;
}

/*
 * The host must not move TSC_ADJUST after SYS.INIT: INCONSISTENT_MSR with the MSR's number, which
 * module source shows and nothing recorded (3.3, 5.10).
 */
static inline u64 seam_check_tsc_adjust(const struct seam *s, const struct seam_lp *lp)
{
	return lp->tsc_adjust == s->tsc_adjust ? SEAM_SUCCESS
					       : SEAM_INCONSISTENT_MSR | SEAM_MSR_TSC_ADJUST;
}

/* Bits of a PA below the HKID bits. */
static inline u64 seam_pa_mask(const struct seam *s)
{
	return RT_MASK(SEAM_MAXPA - 1 - s->cfg.keyid_bits, 0);
}

/* object.c: make, find, free. NULL if there is none. */
struct seam_td *seam_td_new(struct seam *s, u64 tdr);
struct seam_td *seam_td_find(const struct seam *s, u64 tdr);
void seam_td_free(struct seam *s, struct seam_td *td);

/* Child count: atomic in the real module, so no lock is asked for. */
void seam_child_add(struct seam *s, struct seam_td *td, u64 pages);
void seam_child_sub(struct seam *s, struct seam_td *td, u64 pages);

/* epoch.c: the tracked rule of 3.5 for a BEPOCH of this TD. */
bool seam_epoch_tracked(const struct seam_td *td, u64 bepoch);

#endif
