/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stepping defences of TD entry and exit (tdx-module.md 7.4): zero-step and single-step.
 * Counting, the list of faulting GPAs and the filter at entry are here; the exits themselves are in
 * tdx/exit.c.
 */
#ifndef TDX_EPF_H
#define TDX_EPF_H

#include "tdx/leaf.h"
#include "tdx/vcpu.h"

/* A private EPT violation (not of ACCEPT or ATTR) makes the VCPU exit at its present RIP. */
void seam_epf_log(struct seam_vcpu *v, u64 gpa);
/* Any TD exit: moving on forgets the list. */
void seam_epf_exit(struct seam_vcpu *v);
/*
 * seam_epf_filter - at entry: 0 if the guest may go on, with the tree still locked if the list is
 * not empty; BUSY | SEPT_TREE; or the EPT violation exit reason with c->r as that exit, because a
 * listed GPA would fault again.
 */
u64 seam_epf_filter(struct seam_ctx *c);
/*
 * An interrupt-like exit right after entry is suspicious: the guest runs a few more instructions
 * first.
 */
void seam_single_step_check(struct seam *s, struct seam_vcpu *v);

#endif
