/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults of a scenario: arming them in the runtime, which of them were never spent, and what they
 * force. Where a fault fires and what it does there is the business of the floors below
 * (sim/rt/fault.h).
 */
#ifndef LAB_INJECT_H
#define LAB_INJECT_H

#include "sim/lab/machine.h"

/* Key of a fault at a TDCALL; SEAMCALLs have their number. */
#define LAB_FAULT_TDG 0x10000ULL

int lab_inject_arm(struct lab_machine *m, u32 op);
u32 lab_inject_unspent(struct lab_machine *m, u32 i);
/*
 * Whether a fault that fired left KVM no choice but to bug the VM: a fatal status, or a second BUSY
 * where it tries twice. One BUSY that a kick heals, a failed allocation, an interrupt: after those
 * a report is a finding.
 */
bool lab_inject_forced(struct lab_machine *m);
/* How often any of the armed faults has fired. */
u64 lab_inject_fired(struct lab_machine *m);
/* An allocation failed because a line said so. */
bool lab_inject_took_memory(struct lab_machine *m);

#endif
