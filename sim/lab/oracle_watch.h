/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Oracles that watch actors while they run, where a look between actions comes too late: exits that
 * repeat themselves, what is called for a dead VM, what a lock was given back with. Each reports by
 * rt_report(). What is looked at between actions is oracle.h's.
 */
#ifndef LAB_ORACLE_WATCH_H
#define LAB_ORACLE_WATCH_H

#include "sim/lab/machine.h"
#include "tdx/abi.h"

/* A vCPU's instruction ended with a TD exit, whose registers are @r. */
void lab_watch_exit(struct lab_machine *m, struct lab_actor *v, const struct seam_regs *r);
/* The current actor is about to call the module. */
void lab_watch_call(struct lab_machine *m, u32 leaf);
/* The same for R23 (oracle_retry.c): whether a call that was BUSY is made again as it should be. */
void lab_retry_call(struct lab_machine *m, u32 leaf);
/* ... and what the module answered it. */
void lab_retry_answer(struct lab_machine *m, u32 leaf, u64 rax);
/* The current actor has given the lock @id back. */
void lab_watch_unlock(struct lab_machine *m, u64 id);
/* The module answered the current actor. */
void lab_watch_answer(struct lab_machine *m, u32 leaf, u64 rax);
/* The code under test reported a broken @rule. */
void lab_watch_report(struct lab_machine *m, const char *rule, const char *text);

#endif
