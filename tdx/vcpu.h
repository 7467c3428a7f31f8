/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VCPU (the TDVPS of the real module) and what an LP knows about the one it runs.
 * The state, TD entry and exit, and the guest's side of the module build on this; the TD is in
 * tdx/internal.h.
 *
 * Invariants:
 *  - ACTIVE means: in the guest on LP @assoc, @held holds the TDVPR's and the TDR's PAMT locks, and
 *    the TD's REFCOUNT of the parity of @epoch counts it. The one exception is a TD exit of a dead
 *    TD, which leaves the count up (spec 3.5).
 *  - @assoc names the only LP whose TLB may hold translations of it; SEAM_LP_NONE: none may.
 */
#ifndef TDX_VCPU_H
#define TDX_VCPU_H

#include "tdx/internal.h"
#include "tdx/lock.h"
#include "tdx/seam.h"
#include "tdx/tlb.h"

#define SEAM_LP_NONE 0xffffffffU

/* TDVPS pages: TDVPR and at least 5 TDCX, 3 more for each L2 VM (3.1). */
/* Locks of a VCPU that runs: the TDVPR's three PAMT entries and the TDR's (5.10). */
#define SEAM_ENTER_HELD	  4
#define SEAM_TDVPS_MIN	  6
#define SEAM_TDVPS_PER_L2 3
#define SEAM_TDVPS_MAX	  15

enum seam_vcpu_state {
	SEAM_VCPU_UNINIT = 0,	/* created, VP.INIT not done */
	SEAM_VCPU_READY = 2,	/* may be entered */
	SEAM_VCPU_ACTIVE = 4,	/* in the guest */
	SEAM_VCPU_DISABLED = 8, /* left with a non-recoverable status */
};

/* How the last TD exit left the instruction (3.4). */
enum seam_exit_kind {
	SEAM_EXIT_FAULT = 0,	/* asynchronous; the instruction executes again */
	SEAM_EXIT_TRAP = 1,	/* asynchronous; the instruction is done */
	SEAM_EXIT_TDVMCALL = 2, /* TDG.VP.VMCALL: the next ENTER brings the answer */
};

/* Zero-step defence (7.4). */
#define SEAM_EPF_THRESHOLD 6
#define SEAM_EPF_LIST	   32

struct seam_epf {
	u32 count; /* private EPT violations at the RIP of the entry before, in a row */
	u32 nr;
	bool last; /* the last exit was one */
	u64 gpa[SEAM_EPF_LIST];
};

/* VMCS execution exit reasons that occur (details_l2 of a TD exit, 5.10). */
enum seam_exit_reason {
	SEAM_REASON_EXCEPTION_NMI = 0,
	SEAM_REASON_INTERRUPT = 1,
	SEAM_REASON_SMI = 6,
	SEAM_REASON_EPT_VIOLATION = 48,
	SEAM_REASON_TDCALL = 77,
};

/* Type of the extended exit qualification (7.3). */
enum seam_exit_type {
	SEAM_EXIT_NONE = 0,
	SEAM_EXIT_ACCEPT = 1,
	SEAM_EXIT_ATTR_WR = 5,
	SEAM_EXIT_PENDING_EPT_VIOLATION = 6,
};

struct seam_ve_info {
	bool valid;
	u32 reason;
	u64 qual, gla, gpa;
	u32 insn_len;
};

struct seam_vcpu {
	u64 tdvpr; /* HPA of the TDVPR page, the VCPU's name */
	u64 tdr;
	struct seam_vcpu *next; /* of the TD, newest first */
	u32 pages;		/* with the TDVPR */
	u32 index;		/* from 0 in the order of VP.INIT */
	u32 x2apic_id;
	bool has_x2apic_id;
	u8 state; /* enum seam_vcpu_state */
	u32 assoc;
	u64 epoch;	/* 0 before the first entry */
	bool flush_due; /* associated anew: the next entry flushes */

	/* While ACTIVE: TDVPR and TDR locks of ENTER. */
	struct seam_held_list held;

	/*
	 * Guest registers as they are when it is not executing; the guest's own copy runs on
	 * between exits.
	 */
	struct seam_regs regs;
	u8 exit_kind;	       /* enum seam_exit_kind of the last TD exit */
	bool exit_recoverable; /* and its status had HOST_RECOVERABILITY_HINT */
	u64 vmcall_mask;       /* RCX of the TDG.VP.VMCALL that it left with */
	struct seam_ve_info ve;
	bool notify_due; /* a zero-step notification #VE comes before the next instruction */
	bool cpuid_ve;

	/* An address for each instruction: what the stepping defences compare. */
	u64 rip;       /* of the instruction that executes next or has faulted */
	u64 last_rip;  /* of the newest guest event */
	u64 entry_rip; /* at the newest TD entry */
	u64 entry_tsc;
	u32 retired;	  /* instructions completed since entry */
	u64 single_steps; /* instructions run under the monitor trap so far */
	struct seam_epf epf;

	bool hp_waiting; /* guest attempts have been refused for host priority since hp_since */
	u64 hp_since;

	/* Written by the host (VP.WR). */
	u64 shared_eptp;
	u64 pi_desc;
	u16 pi_vector;
	u8 pend_nmi;

	struct seam_tlb tlb;
};

/* VP.CREATE: a VCPU of @td at page @tdvpr. */
struct seam_vcpu *seam_vcpu_new(struct seam_td *td, u64 tdvpr);
/* The VCPU of a TDVPR page (found by the page's PAMT owner), NULL if there is none. */
struct seam_vcpu *seam_vcpu_get(const struct seam *s, u64 tdvpr);
/* Its memory goes, with its TLB (the TDVPR was reclaimed). */
void seam_vcpu_free(struct seam *s, struct seam_vcpu *v);

/*
 * INVEPT of the TD's tables on @lp: every VCPU of the TD that may have translations there loses
 * them.
 */
void seam_invept(struct seam *s, struct seam_td *td, u32 lp);
/*
 * Associate @v with @lp (3.4). VCPU_ASSOCIATED if another LP has it. The flush that a new
 * association needs is done by the next entry.
 */
u64 seam_vcpu_associate(struct seam_td *td, struct seam_vcpu *v, u32 lp);
/* VP.FLUSH's end of it: @lp forgets the VCPU. */
void seam_vcpu_dissociate(struct seam *s, struct seam_td *td, struct seam_vcpu *v);
/* It is in the guest. Being ACTIVE says less: a VCPU stays that when its TD died under it. */
bool seam_vcpu_running(const struct seam *s, const struct seam_vcpu *v);
/* VCPU_STATE_INCORRECT, with the state where the profile tells it. */
u64 seam_vcpu_state_error(const struct seam *s, const struct seam_vcpu *v);
/* TDVPS pages that a VCPU of this TD needs. */
u32 seam_tdvps_pages(const struct seam_td *td);

/* A TD exit as the host sees it: what goes into struct seam_regs. */
struct seam_td_exit {
	u64 status; /* 0 or a status; the reason is added */
	u32 reason; /* enum seam_exit_reason */
	u64 qual;   /* RCX */
	u64 ext;    /* RDX */
	u64 gpa;    /* R8 */
	u64 intr;   /* R9 */
	u8 kind;    /* enum seam_exit_kind */
};

/*
 * seam_td_exit - the VCPU on @lp leaves the guest: counts, locks, registers of the host into @out.
 * With status NON_RECOVERABLE_TD_NON_ACCESSIBLE, which every VM exit from a dead TD becomes, the
 * REFCOUNT is kept (3.5).
 */
void seam_td_exit(struct seam *s, u32 lp, const struct seam_td_exit *x, struct seam_regs *out);
/* The registers that a TDVMCALL hands to the host: RCX is @mask, those in it are copied. */
void seam_vmcall_to_host(struct seam_regs *host, const struct seam_regs *guest, u64 mask);

/*
 * The exit that pending events of the LP force: INTR, then NMI, then SMI. False: nothing is
 * pending.
 */
bool seam_exit_for_irq(const struct seam *s, u32 lp, struct seam_td_exit *x);

/*
 * One guest instruction. Begin: its RIP (SEAM_SAME_RIP: the last one's again); false if the VCPU
 * can't execute it because the TD is dead (@out: the exit) or a notification #VE comes first
 * (@fault): *@res says which.
 */
bool seam_guest_begin(struct seam *s, u32 lp, u32 flags, u64 reason, struct seam_regs *out,
		      struct seam_fault *fault, enum seam_result *res);
/* It completed: RIP and the count of retired instructions go on. */
void seam_guest_retire(struct seam_vcpu *v);
/* Inject the #VE that reports @info, or #DF if the guest has not read the one before. */
enum seam_result seam_inject_ve(struct seam_vcpu *v, const struct seam_ve_info *info, u32 flags,
				struct seam_fault *fault);
#endif
