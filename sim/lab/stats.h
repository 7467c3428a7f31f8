/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics by name: KVM's, guest_memfd's, the module's calls by leaf, and the lab's own, in one
 * list. Each is counted where it happens; here they only get one name and one sentence each.
 */
#ifndef LAB_STATS_H
#define LAB_STATS_H

#include "sim/rt/types.h"

struct lab_machine;

/* By place, NULL past the end. */
const char *lab_stat_name(u32 i);
const char *lab_stat_text(u32 i);
/* The value now; @name is one of the above (asserts). */
u64 lab_stat(struct lab_machine *m, const char *name);
/* The same in two halves: the place of a name, and the value at a place. */
u32 lab_stat_find(const char *name);
u64 lab_stat_at(struct lab_machine *m, u32 i);

#endif
