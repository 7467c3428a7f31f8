/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libseam's one public header: the TDX module as its callers see it, at the register ABI. SEAMCALL,
 * TDCALL, guest accesses and interrupts go in here and come out here; nothing of KVM or of a guest
 * is known. Status codes and leaf numbers are in tdx/abi.h; looking inside without a call is
 * tdx/inspect.h.
 *
 * Invariants:
 *  - The module's state lies in the current world (sim/rt/world.h), under root 3 of the first
 *    instance.
 *  - A call never waits: a lock that is taken gives OPERAND_BUSY at once (tdx-module.md,
 *    Conventions).
 *  - An LP is either in the host (seam_call() allowed) or in a guest (the others allowed), never
 *    both.
 */
#ifndef TDX_SEAM_H
#define TDX_SEAM_H

#include "sim/rt/types.h"

struct seam;

struct seam_regs {
	u64 rax, rcx, rdx, rbx, rbp, rsi, rdi;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
};

#define SEAM_MAX_TDMRS 64
#define SEAM_MAX_RSVD  64

struct seam_range {
	u64 base, size; /* bytes */
};

/* The platform and the module's release. What is 0 or NULL takes the default that is named. */
struct seam_config {
	const char *profile; /* "1.5.28"; NULL: "1.5.01" (the vectors' default) */
	bool dynamic_pamt;   /* enabled at SYS.CONFIG; the profile must be able to */
	/*
	 * ENHANCED_DEMOTE_INTERRUPTIBILITY: 0 as the profile has it, 1 on (refused if it can't),
	 * -1 off
	 */
	s8 enh_demote;
	bool non_blocking_resize; /* assumption of tdx-module.md 8.3: every report must say so */
	u32 lps, pkgs;		  /* 4, 1 */
	struct seam_range tdmr
		[SEAM_MAX_TDMRS]; /* multiples of 1 GiB, ascending; none: 0x40000000+0x40000000 */
	u32 nr_tdmr;
	struct seam_range rsvd[SEAM_MAX_RSVD]; /* reserved areas, absolute HPAs */
	u32 nr_rsvd;
	u32 keyid_bits;		    /* 6: HKID of a PA = PA[51:52-keyid_bits] */
	u32 hkid_first, hkid_count; /* 0x20, 0x20: the private ones */
	u32 hkid_global;	    /* 0x20: the module's own */
	struct seam_range seamrr;   /* 0x3c000000+0x2000000 */
	bool no_pml5;		    /* platform without 5-level EPT */
	bool no_topology;	    /* platform without a valid CPUID leaf 0x1f */
	u32 wb_blocks;		    /* 4 */
	bool tdmr_uninit;	    /* SYS.TDMR.INIT has still to be called */
	bool cold;		    /* start at SYSINIT_PENDING instead of SYS_READY */
	bool one_key;		    /* all HKIDs alias the same contents (the vectors' harness) */
	bool no_tlb;		    /* every guest access walks (the vectors' harness) */
};

/*
 * seam_new - a module in the current world.
 * On bad configuration returns NULL and writes what was found and what was expected to @err.
 */
struct seam *seam_new(const struct seam_config *cfg, char *err, size_t errlen);
void seam_free(struct seam *s);
const struct seam_config *seam_get_config(const struct seam *s);

enum seam_result {
	SEAM_RET,     /* SEAMCALL returned to the host: RAX is the status */
	SEAM_ENTERED, /* TDH.VP.ENTER: the LP is in the guest now; registers are the guest's */
	SEAM_DONE,    /* the guest's instruction completed; registers are the guest's */
	SEAM_EXIT,    /* TD exit: host registers, as after TDH.VP.ENTER; the LP is in the host */
	/* as SEAM_EXIT, after an interruptible TDCALL that the guest will execute again */
	SEAM_RESTART_EXIT,
	SEAM_VE,     /* #VE injected into the guest: struct seam_fault says what it reports */
	SEAM_INJECT, /* another exception injected: vector in struct seam_fault */
};

/*
 * seam_call - SEAMCALL on @lp. @r: RAX = leaf | version << 16 and operands in, status and outputs
 * out. Returns SEAM_RET, or SEAM_ENTERED for a TDH.VP.ENTER that got in. Scheduling points: CALL at
 * entry, HELD while locks are held, POLL at each interrupt poll.
 */
enum seam_result seam_call(struct seam *s, u32 lp, struct seam_regs *r);

struct seam_fault {
	u32 vector;
	u64 reason, qual, gla, gpa; /* VE_INFO */
};

/*
 * SEAM_SAME_RIP: executed at the RIP of this VCPU's previous guest event (zero-step counting, spec
 * 7.4).
 */
#define SEAM_SAME_RIP 1U
/* SEAM_KEEP_VE: the guest does not read VE_INFO after a #VE. */
#define SEAM_KEEP_VE 2U

/*
 * seam_tdcall - a TDCALL of the VCPU that is in the guest on @lp. @r: the guest's registers in; out
 * by result. TDG.VP.VMCALL gives SEAM_EXIT; the next TDH.VP.ENTER of that VCPU completes it.
 */
enum seam_result seam_tdcall(struct seam *s, u32 lp, struct seam_regs *r, u32 flags,
			     struct seam_fault *fault);

enum seam_access_kind {
	SEAM_READ = 1,
	SEAM_WRITE = 2,
	SEAM_EXEC = 4,
};

struct seam_access {
	u64 gpa; /* bytes, with the SHARED bit where the guest sets it */
	enum seam_access_kind kind;
	bool has_data; /* read into / write from @data: the 8-aligned word around gpa */
	u64 data;
	/* out, on SEAM_DONE: */
	u64 hpa;
	u8 level;	/* of the leaf that translated it */
	bool stale;	/* the translation came from the TLB and the tables no longer say so */
	bool integrity; /* the page holds data of another key */
};

/*
 * seam_access - one guest memory access. Private GPAs are translated by the VCPU's TLB or by
 * walking the S-EPT (no lock is taken). A shared GPA is translated by the function set with
 * seam_set_shared_walk(), else it is an EPT violation.
 * @exit: the host's registers on SEAM_EXIT.
 */
enum seam_result seam_access(struct seam *s, u32 lp, struct seam_access *a, u32 flags,
			     struct seam_regs *exit, struct seam_fault *fault);

/*
 * Walk of the shared EPT (the VMM's table): true and *hpa, *writable if mapped. @eptp: as the host
 * put it in TDVPS by VP.WR; here the VM's cookie.
 */
void seam_set_shared_walk(struct seam *s,
			  bool (*walk)(void *ctx, u64 tdr, u64 gpa, u64 *hpa, bool *writable),
			  void *ctx);
/*
 * Drop shared translations of @gpa..+@size (0: all) of a TD on all LPs: the INVEPT that the VMM's
 * shared flush does.
 */
void seam_shared_flush(struct seam *s, u64 tdr, u64 gpa, u64 size);

/* An external interrupt (vector) or a machine check makes the LP leave the guest. Fills @exit. */
void seam_guest_interrupt(struct seam *s, u32 lp, u32 vector, struct seam_regs *exit);
void seam_guest_machine_check(struct seam *s, u32 lp, struct seam_regs *exit);

/*
 * Pending events of an LP, as the module's polls see them (spec 5, "Interrupt predicate"). They
 * stay until cleared by the host. SEAM_IRQ_INTR is masked for host-side leaves by the caller's
 * RFLAGS.IF, see seam_set_if().
 */
#define SEAM_IRQ_INTR 1U
#define SEAM_IRQ_NMI  2U
#define SEAM_IRQ_SMI  4U
void seam_irq_raise(struct seam *s, u32 lp, u32 events);
void seam_irq_clear(struct seam *s, u32 lp, u32 events);
u32 seam_irq_pending(const struct seam *s, u32 lp);
void seam_set_if(struct seam *s, u32 lp, bool interrupts_on);
/*
 * The host writes IA32_TSC_ADJUST of @lp; 0 before that. The module compares it with the value that
 * SYS.INIT found (a module that starts ready: 0): where they differ SYS.LP.INIT, MNG.INIT, VP.INIT
 * and VP.ENTER answer INCONSISTENT_MSR.
 */
void seam_set_tsc_adjust(struct seam *s, u32 lp, u64 value);

/*
 * Fault sites (sim/rt/fault.h), key = leaf number:
 *  "busy": the call fails with OPERAND_BUSY before it has done anything; operand SEPT_TREE, of TRACK
 *  and VP.ENTER TD_EPOCH, of leaves that take no tree lock RCX.
 *  "error": fails with the value's status, likewise.
 *  "interrupt": SEAM_IRQ_* of the value become pending at this poll; guest leaves: 0x10000 | leaf.
 */

#endif
