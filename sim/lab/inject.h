/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults of a scenario: arming them in the runtime, and which of them were never spent. Where a
 * fault fires and what it does there is the business of the floors below (sim/rt/fault.h); where it
 * leaves KVM no choice is excuse.h's.
 */
#ifndef LAB_INJECT_H
#define LAB_INJECT_H

#include "sim/lab/machine.h"

/* Key of a fault at a TDCALL; SEAMCALLs have their number. */
#define LAB_FAULT_TDG 0x10000ULL

int lab_inject_arm(struct lab_machine *m, u32 op);
u32 lab_inject_unspent(struct lab_machine *m, u32 i);
/*
 * How often armed faults have fired that may be tried again; not ENOMEM, which goes to userspace
 * (R13).
 */
u64 lab_inject_fired(struct lab_machine *m);
/* An allocation failed because a line said so. */
bool lab_inject_took_memory(struct lab_machine *m);

#endif
