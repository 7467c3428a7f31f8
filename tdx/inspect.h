/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking at the module's state without a call: for oracles, reports, vectors and tests.
 * Nothing here takes a lock, changes a bit or costs a cycle.
 * KVM's port must not include this: what the kernel can't see, the port can't.
 */
#ifndef TDX_INSPECT_H
#define TDX_INSPECT_H

#include "tdx/seam.h"

/* Public state numbers of S-EPT entries (tdx-module.md 4.1). */
enum seam_sept_state {
	SEAM_SEPT_FREE = 0,
	SEAM_SEPT_BLOCKED = 1,
	SEAM_SEPT_PENDING = 2,
	SEAM_SEPT_PENDING_BLOCKED = 3,
	SEAM_SEPT_MAPPED = 4,
	SEAM_SEPT_REMOVED = 5,
	SEAM_SEPT_NL_BLOCKED = 129,
	SEAM_SEPT_NL_MAPPED = 132,
};
const char *seam_sept_state_name(u8 state);

struct seam_sept_view {
	u64 raw;   /* the entry as in memory */
	u64 shown; /* as TDH.MEM.SEPT.RD shows it */
	u64 hpa;   /* of the page or table; 0 if FREE */
	u8 level;  /* at which the walk ended */
	u8 state;  /* enum seam_sept_state */
	bool leaf, locked, hp;
	bool tracked; /* BEPOCH of a blocked entry is tracked (spec 3.5) */
};

/*
 * Walk towards @level (0 = 4K) and report the entry where the walk ends. False: no such TD or no
 * tables.
 */
bool seam_look_sept(const struct seam *s, u64 tdr, u64 gpa, u8 level, struct seam_sept_view *v);
/*
 * Every entry that is not FREE of the TD's tables, ascending by gpa, parents before children, in
 * [gpa, gpa + size). Costs what is mapped. @fn returns false to stop. @v->level is the level of the
 * entry.
 */
void seam_for_each_sept(const struct seam *s, u64 tdr, u64 gpa, u64 size,
			bool (*fn)(void *ctx, u64 gpa, const struct seam_sept_view *v), void *ctx);

/*
 * What no call's outcome depends on but by time: counters, when things happened, the stepping
 * monitor. @fn gets each range, in multiples of 8 bytes.
 */
void seam_for_each_counter(const struct seam *s, void (*fn)(void *ctx, const void *p, size_t len),
			   void *ctx);

/*
 * What the defences against stepping know of where each VCPU is: whether it has moved since its
 * newest event and since its entry, in one number.
 */
u64 seam_look_steps(const struct seam *s);

struct seam_td_view {
	u8 lifecycle;
	bool fatal, tdcs_ready; /* at least 6 TDCX pages and life cycle 0 or 1 */
	u16 hkid;
	u64 child_count;
	u32 tdcx, vcpus, assoc, opstate;
	u64 epoch;
	u32 refcount[2];
	u64 blocked, pending_blocked; /* 4K units; 0 without the profile's blocked_counters */
};
bool seam_look_td(const struct seam *s, u64 tdr, struct seam_td_view *v);

struct seam_vcpu_view {
	u8 state;
	u32 assoc; /* LP, or 0xffffffff */
	u64 epoch;
	u32 pages;
	bool in_guest;
	u64 tdr;
};
bool seam_look_vcpu(const struct seam *s, u64 tdvpr, struct seam_vcpu_view *v);

struct seam_pamt_view {
	u8 type, level; /* of the one entry that describes the page now (spec 2.1) */
	u64 owner, bepoch;
	u16 lock_word;
};
bool seam_look_pamt(const struct seam *s, u64 hpa, struct seam_pamt_view *v);
/*
 * Pages that the PAMT says belong to @tdr, in 4K units, without the TDR itself: equals its child
 * count.
 */
u64 seam_count_owned(const struct seam *s, u64 tdr);
/* Every page that is not NDA, ascending by HPA, at its own level. */
void seam_for_each_pamt(const struct seam *s,
			bool (*fn)(void *ctx, u64 hpa, const struct seam_pamt_view *v), void *ctx);

/*
 * Dynamic PAMT: the pair of the 2M range and the bitmap bit of the 4K page (FORMAT-additions
 * "pair"). False outside TDMRs.
 */
struct seam_pair_view {
	u8 type;
	bool bit, has_pair;
	u32 count;
	u64 hpa0, hpa1;
};
bool seam_look_pair(const struct seam *s, u64 hpa, struct seam_pair_view *v);
/* Every 2M range that has a pair, ascending by HPA. */
void seam_for_each_pair(const struct seam *s,
			bool (*fn)(void *ctx, u64 hpa, const struct seam_pair_view *v), void *ctx);

/* A VCPU's TLB: translations it may still use. @fn returns false to stop. */
struct seam_tlb_view {
	u64 gpa, hpa;
	u8 level;
	bool shared, stale; /* stale: the tables no longer give this translation */
};
void seam_for_each_tlb(const struct seam *s, u64 tdvpr,
		       bool (*fn)(void *ctx, const struct seam_tlb_view *v), void *ctx);

/* Lock words and holds as another flow would take them (FORMAT.md "hold"). */
enum seam_lock_id {
	SEAM_LOCK_TDR,
	SEAM_LOCK_PAMT,
	SEAM_LOCK_OPSTATE,
	SEAM_LOCK_SEPTTREE,
	SEAM_LOCK_EPOCH,
	SEAM_LOCK_SEPT,
	SEAM_LOCK_KOT,
	SEAM_LOCK_WBT,
};
enum seam_hold_result {
	SEAM_HOLD_OK,
	SEAM_HOLD_BUSY,
	SEAM_HOLD_NOTD,
	SEAM_HOLD_NOWALK,
	SEAM_HOLD_NOPAMT,
	SEAM_HOLD_NOTHELD,
};
struct seam_hold {
	enum seam_lock_id id;
	u64 obj;  /* hpa, tdr or package */
	u64 gpa;  /* SEPT */
	u8 level; /* PAMT, SEPT */
	bool shared, guest;
};
enum seam_hold_result seam_hold(struct seam *s, const struct seam_hold *h);
enum seam_hold_result seam_drop(struct seam *s, const struct seam_hold *h);
bool seam_lock_word(const struct seam *s, const struct seam_hold *h, u16 *word);

/* Calls by leaf since seam_new(), every attempt; and TD entries that got in. */
u64 seam_calls(const struct seam *s, u32 leaf);
u64 seam_entries(const struct seam *s);
/* How often an L1 S-EPT entry of any TD got another state. */
u64 seam_sept_changes(const struct seam *s);
/*
 * Somebody who is told what every call answered and how every L1 S-EPT entry changed. @row as in
 * tdx/cost.h: the leaf. A TD exit counts as an answer of TDH.VP.ENTER, with the whole RAX that the
 * host gets; @forced: an injected fault spoke for the leaf. The struct lies outside of the world and outlives the module; NULL: nobody.
 */
struct seam_observer {
	void (*answer)(void *ctx, u32 row, u64 rax, bool forced);
	void (*entry)(void *ctx, u32 row, u8 from, u8 to); /* NULL: does not care */
	void *ctx;
};
void seam_observe(struct seam *s, const struct seam_observer *o);

/*
 * What a leaf can answer, and how it can change an entry: the tables of reach.c, in the order of
 * leaves. @why_not: why no run of ours gets there, NULL if one can. False past the end.
 */
struct seam_reach_status {
	u32 row;
	u64 status;
	const char *why_not;
};
bool seam_reach_status(u32 i, struct seam_reach_status *r);
struct seam_reach_entry {
	u32 row;
	u8 from, to;
	const char *why_not;
};
bool seam_reach_entry(u32 i, struct seam_reach_entry *r);

/* Conservation checks of tdx-module.md 10: false and a sentence in @why if one fails. */
bool seam_check(const struct seam *s, char *why, size_t len);

#endif
