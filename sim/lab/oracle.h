/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracles: numbered rules with a name, the rules of the specs that they stand for, a sentence,
 * and a check. "tdxsim list oracles" prints this table; a broken one ends the run (exit status 4).
 * What they look at is read through the inspection headers of the floors below; nothing is changed
 * by a check.
 *
 * X(ID, name, sources, when, sentence). When: T at quiescent points, for each TD, as long as its
 * tables count (the VM lives and no SEAMCALL past KVM changed them); Q at quiescent points always;
 * E once at the end; R reported while actors run. The last two are how a run gets stuck: exit
 * status 5, not 4, unless "expect violation" names the one.
 */
#ifndef LAB_ORACLE_H
#define LAB_ORACLE_H

#include "sim/rt/types.h"

#define LAB_ORACLES(X)                                                                              \
	X(MIRROR, "mirror-matches-sept", "R1 R2 R3", T,                                             \
	  "KVM's mirror and the S-EPT have the same entries: place, level, page")                   \
	X(BLOCKED, "no-blocked-entry", "R1 R22", T,                                                 \
	  "no S-EPT entry stays blocked behind the section that blocked it")                        \
	X(FROZEN, "no-frozen-spte", "R1", T,                                                        \
	  "no SPTE stays frozen behind the section that froze it")                                  \
	X(RWX, "leaf-rwx", "R6", T, "mirror leaves are readable, writable and executable")          \
	X(CONGRUENT, "leaf-congruent", "R10", T,                                                    \
	  "guest frame and host frame of a leaf agree modulo its size")                             \
	X(INHIBIT_HUGE, "inhibit-no-huge", "R12", T,                                                \
	  "no leaf is as large as a page that the guest's accept forbids")                          \
	X(INHIBIT_STAYS, "inhibit-stays", "R11", T, "GUEST_INHIBIT is never cleared")               \
	X(STATS, "page-stats", "R7", T, "page statistics count the present leaves of each level")   \
	X(SEPT_FLAG, "sept-zap-flag", "R23", Q,                                                     \
	  "wait_for_sept_zap is off when nobody holds mmu_lock for write")                          \
	X(REFUSED, "refused-for-cause", "gmem 5", T,                                                \
	  "an action fails only for a cause that is there: a reference, memory, a mapping")         \
	X(LPAGE, "lpage-reasons", "R9 R10", T,                                                      \
	  "a slot forbids a 2M page exactly where it does not fit or its frames are not aligned")   \
	X(MIXED, "mixed-as-attributes", "R9", T,                                                    \
	  "MIXED is on for exactly those huge pages of a slot in which the VM's attributes differ") \
	X(OWNER, "leaf-owns-page", "R34 R33 I19", T,                                                \
	  "the page behind a leaf is the one that guest_memfd has there")                           \
	X(FOLIO, "leaf-within-folio", "I5 R8", T,                                                   \
	  "a leaf lies in one folio, or by the size rule in one private block of one folio")        \
	X(SHARED_LEAF, "no-leaf-over-shared", "R9 I2 I14", T,                                       \
	  "no S-EPT leaf covers a shared page")                                                     \
	X(HOST_PRIVATE, "host-sees-no-private", "I1 I3", Q,                                         \
	  "no host mapping of a private page exists")                                               \
	X(SHARED_4K, "shared-is-4k", "I4", T, "shared pages are backed by 4K folios or nothing")    \
	X(ATTR_TREE, "attr-tree", "I8", Q,                                                          \
	  "the attribute tree has no gap and no two equal neighbours")                              \
	X(INVALIDATE, "invalidate-balance", "I9", Q, "every invalidation that began has ended")     \
	X(POISON, "poison-unmapped", "I20", T,                                                      \
	  "a poisoned page has neither leaf nor host mapping")                                      \
	X(CONVERT, "convert-as-asked", "I10 I11", T,                                                \
	  "a conversion changes what was asked for, a failed one nothing behind its failing batch") \
	X(IN_PLACE, "in-place", "I15", T,                                                           \
	  "a page keeps its host page for as long as it is in the file")                            \
	X(OVERZAP, "no-overzap", "I12", T,                                                          \
	  "a conversion whose flow splits the S-EPT zaps exactly its range")                        \
	X(MERGED, "merge-restores", "I18", T,                                                       \
	  "a block that a conversion made all private again is one folio, if nobody holds it")      \
	X(MAX_ORDER, "max-order-uniform", "I6", T,                                                  \
	  "what guest_memfd offers to map as one is of one attribute")                              \
	X(FOLIOS, "folio-books", "I7 I13", Q,                                                       \
	  "folios are disjoint, aligned, no larger than their block, and none stays frozen")        \
	X(PAMT_COUNT, "pamt-count", "R35 R40", T,                                                   \
	  "KVM's Dynamic PAMT counts are the module's pages at 4K, and 0 without a pair only")      \
	X(STALE, "no-stale-translation", "R22", Q,                                                  \
	  "no vCPU in the guest can use a translation that the tables no longer give")              \
	X(ZAP, "precise-zap", "R29 R30 I10 I12", T,                                                 \
	  "no accepted page outside the range of a conversion or hole loses its contents")          \
	X(LOSS, "no-data-loss", "R29 I16", T,                                                       \
	  "the guest reads what it wrote, and accepted pages stay accepted")                        \
	X(DEAD, "dead-stays-out", "R44", Q, "no vCPU of a dead VM is in the guest")                 \
	X(UNBLOCK, "no-unblock", "R25", Q, "KVM never calls RANGE.UNBLOCK")                         \
	X(DEMOTE, "demote-gated", "R24", Q,                                                         \
	  "KVM calls DEMOTE only where the module has feature bit 51")                              \
	X(LOCKS, "locks-released", "R19 I13", Q, "nobody holds a lock between actions")             \
	X(MODULE, "module-conserves", "tdx-module 10", Q,                                           \
	  "the module's own books agree: children, owners, references, pairs")                      \
	X(ACCOUNTED, "pages-accounted", "R28 R36 I13", E,                                           \
	  "after the last TD every page and key is back")                                           \
	X(RETRY, "retry-alone", "R23 R41", R,                                                       \
	  "what was BUSY under write lock is called once more, when no vCPU is in or can enter")    \
	X(REPORT, "report-true", "kvm-port 2.8", R,                                                 \
	  "what TDX_BUG_ON prints is what the module said, and nothing if it was not asked")        \
	X(EXITS, "exit-progress", "R13 R41", R,                                                     \
	  "no vCPU exits again and again for the same page while nothing changes")                  \
	X(LOCKDEP, "lockdep", "R15 R16 R17 R20", R,                                                 \
	  "locks are taken in order, by kind, and given back by their owner")                       \
	X(RCU, "rcu", "R18 R21", R, "what RCU protects is read inside a read section")              \
	X(UAF, "use-after-free", "R21 R34", R, "freed memory is not touched")                       \
	X(PAGE_FREE, "page-free", "R27 R34", R, "a host page is free when it is given back")        \
	X(CACHE, "cache-written-back", "R27", R,                                                    \
	  "nobody uses a page while lines of a key that it had before may be in the caches")        \
	X(STALE_DATA, "no-stale-data", "I16", R,                                                    \
	  "memory that nobody has written yet reads as zero")                                       \
	X(SPIN, "bounded-spin", "I17", R,                                                           \
	  "nobody spins for a reference that cannot go while it spins")                             \
	X(WARN, "warn", "kvm-port 0", R, "no WARN of the kernel's code fires")                      \
	X(KVM_BUG, "kvm-bug", "kvm-port 0", R, "no KVM_BUG_ON fires")                               \
	X(TDX_BUG, "tdx-bug", "kvm-port 2.8", R, "no SEAMCALL fails where KVM does not expect it")  \
	X(BUG, "bug", "kvm-port 2.4", R, "no BUG() of the kernel's code fires")                     \
	X(DEADLOCK, "deadlock", "R20 R42", R,                                                       \
	  "somebody can always go on: no circle of actors that wait for each other")                \
	X(NO_PROGRESS, "no-progress", "R13 R41 R42 R43", R,                                         \
	  "every action ends within the step budget")

enum lab_oracle {
#define LAB_X(id, name, sources, when, text) LAB_ORACLE_##id,
	LAB_ORACLES(LAB_X)
#undef LAB_X
	LAB_ORACLE_NR
};

enum lab_when {
	LAB_WHEN_T,
	LAB_WHEN_Q,
	LAB_WHEN_E,
	LAB_WHEN_R
};

struct lab_oracle_desc {
	const char *name, *sources;
	enum lab_when when;
	const char *text;
};

/* By number, from 0; NULL past the end. */
const struct lab_oracle_desc *lab_oracle_desc(u32 i);
const char *lab_oracle_name(u32 i);

struct lab_machine;

/*
 * lab_oracles_quiet - all checks of a quiescent point. @broke is called for each that does not
 * hold. lab_oracles_end - after the last TD was destroyed.
 */
void lab_oracles_quiet(struct lab_machine *m,
		       void (*broke)(void *ctx, const char *rule, const char *text), void *ctx);
void lab_oracles_end(struct lab_machine *m,
		     void (*broke)(void *ctx, const char *rule, const char *text), void *ctx);

#endif
