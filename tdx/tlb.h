/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TLB of one VCPU: the translations that hardware may go on using until an INVEPT.
 * Filling, looking up and dropping live here; when ENTER has to flush is tdx/enter.c's business,
 * walking is tdx/access.c's.
 *
 * Invariants:
 *  - An entry stays until it is flushed, is replaced as the oldest of SEAM_TLB_MAX, or its address
 *    is filled again: a TLB may always forget, so forgetting only hides a stale translation, it
 *    never invents one.
 *  - Private and shared translations of one VCPU never have the same GPA (the SHARED bit is part of
 *    it).
 */
#ifndef TDX_TLB_H
#define TDX_TLB_H

#include "sim/rt/types.h"

#define SEAM_TLB_MAX 512

struct seam_tlb_entry {
	u64 gpa; /* aligned to the level */
	u64 hpa;
	u8 level;
	bool shared;
	bool writable;
};

struct seam_tlb {
	struct seam_tlb_entry *e; /* rt_alloc */
	u32 nr, cap;
	u32 oldest; /* next to be replaced once nr is SEAM_TLB_MAX */
	u32 last;   /* where the newest hit was */
};

/* The translation of @gpa, or NULL. */
const struct seam_tlb_entry *seam_tlb_lookup(struct seam_tlb *t, u64 gpa);
void seam_tlb_fill(struct seam_tlb *t, const struct seam_tlb_entry *e);
/* INVEPT: everything goes. */
void seam_tlb_flush(struct seam_tlb *t);
/* Shared translations that overlap [@gpa, @gpa + @size); @size 0: all shared ones. */
void seam_tlb_drop_shared(struct seam_tlb *t, u64 gpa, u64 size);
/* Back to no memory. */
void seam_tlb_destroy(struct seam_tlb *t);

#endif
