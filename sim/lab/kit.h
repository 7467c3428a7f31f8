/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kit for unit tests: a TD in a few lines, actions as a line of text or as a function, and
 * looking at the tables. docs/unit-testing.md shows a whole test. It stands on session.h; the rules
 * (oracles) run after every action.
 *
 * Invariant: a kit owns one world; several can live side by side, each call enters its own.
 */
#ifndef LAB_KIT_H
#define LAB_KIT_H

#include "sim/lab/machine.h"
#include "tdx/inspect.h"

struct lab_kit;

/*
 * lab_kit_new - a machine by set-up lines ("module profile=1.5.28\nslot 0 gpa=..."; NULL or "": all
 * defaults). Wrong text, or a module that refuses it, is printed and ends the process: a unit test
 * has no use for it.
 */
struct lab_kit *lab_kit_new(const char *setup);
void lab_kit_free(struct lab_kit *k);

/*
 * lab_kit_do - one action, "host: convert 0x80000000 4K shared"; printf-like. The TD is built
 * before the first. Returns 0, or the negative errno of the call; -EFAULT for an exit to the VMM or
 * an exception, -EPROTO for a status that is no success. The whole outcome is lab_kit_outcome(). A
 * broken oracle is printed and aborts, unless lab_kit_expect_broken() said so.
 */
int lab_kit_do(struct lab_kit *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const struct lab_outcome *lab_kit_outcome(const struct lab_kit *k);
/*
 * Lines of a parallel block, one per line of @text; interleaved by @seed (0: in order). True if all
 * succeeded.
 */
bool lab_kit_parallel(struct lab_kit *k, u64 seed, const char *text);
/* Arm a fault: "busy leaf=TDH.MEM.PAGE.DEMOTE". */
void lab_kit_inject(struct lab_kit *k, const char *text);
/*
 * Whether an expectation holds: "map 0x80000000 level=4K state=mapped"; if not, what was seen is
 * printed.
 */
bool lab_kit_expect(struct lab_kit *k, const char *text);
/* The next broken oracle is what the test wants; lab_kit_broken() names it, "" if none broke. */
void lab_kit_expect_broken(struct lab_kit *k);
const char *lab_kit_broken(const struct lab_kit *k);

/*
 * The actions that tests use most, as functions on the first TD. Level: 1 is 4K, 2 is 2M, as the
 * kernel counts.
 */
int lab_kit_accept(struct lab_kit *k, u32 vcpu, u64 gpa, u64 size);
int lab_kit_convert(struct lab_kit *k, u64 gpa, u64 size, bool to_private);
int lab_kit_write(struct lab_kit *k, u32 vcpu, u64 gpa, u64 val);
u64 lab_kit_read(struct lab_kit *k, u32 vcpu, u64 gpa);

/* The S-EPT and KVM's mirror at a guest address. A zeroed view where there is no page. */
struct seam_sept_view lab_kit_sept(struct lab_kit *k, u64 gpa);
struct kvm_spte_view lab_kit_mirror(struct lab_kit *k, u64 gpa);
/*
 * SEAMCALLs of the last action, folded: "TDH.MEM.RANGE.BLOCK TDH.MEM.TRACK ...". Valid until the
 * next call.
 */
const char *lab_kit_seamcalls(struct lab_kit *k);
/* A statistic by its name in "tdxsim list stats". */
u64 lab_kit_stat(struct lab_kit *k, const char *name);
/* Everything below: for tests that want more. */
struct lab_machine *lab_kit_machine(struct lab_kit *k);
struct kvm *lab_kit_kvm(struct lab_kit *k);

#endif
