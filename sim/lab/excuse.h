/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of KVM's own reports (WARN, KVM_BUG_ON, TDX_BUG_ON) it could not help: an injected fault, or
 * a SEAMCALL past KVM, left it no choice. Such a report is told and is no violation. Watched from
 * call to call; what a fault does where it fires is sim/rt/fault.h's.
 *
 * Invariants:
 *  - A TD is excused from the answer on that no design could have answered otherwise, and for good:
 *    what follows from it comes later. Before that answer nothing is excused.
 *  - What KVM heals is no excuse: one BUSY that it tries again, a BUSY that it gives back.
 */
#ifndef LAB_EXCUSE_H
#define LAB_EXCUSE_H

#include "sim/lab/machine.h"

/* The current actor is about to call the module, and what the module answered it. */
void lab_excuse_call(struct lab_machine *m);
void lab_excuse_answer(struct lab_machine *m, u32 leaf, u64 rax, bool injected);
/*
 * A SEAMCALL past KVM begins and ends. It can hold a lock that a call of KVM's meets, and what it
 * @changes is seen before it has answered.
 */
void lab_excuse_raw_begin(struct lab_machine *m, bool changes);
void lab_excuse_raw_end(struct lab_machine *m, bool changes);
/* Whether what KVM reports now of its own accord is excused. */
bool lab_excused(const struct lab_machine *m);
/* A SEAMCALL past KVM has changed tables of some TD. */
bool lab_any_tainted(const struct lab_machine *m);

#endif
