/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the oracles: one check's arguments, and what all checks of a TD look at,
 * collected once. Not for other rooms.
 */
#ifndef LAB_ORACLE_INT_H
#define LAB_ORACLE_INT_H

#include "sim/lab/machine.h"
#include "sim/lab/oracle.h"
#include "tdx/inspect.h"

struct lab_sept_entry {
	u64 gpa;
	struct seam_sept_view v;
};

/*
 * Scratch of one quiescent point; jemalloc's. mirror[] and sept[] ascend, parents in front of
 * children.
 */
struct lab_check {
	struct lab_machine *m;
	struct lab_td *td; /* NULL: the machine */
	struct kvm_spte_view *mirror;
	u32 nr_mirror, cap_mirror;
	struct lab_sept_entry *sept;
	u32 nr_sept, cap_sept;
	char why[400];
};

/* False and a sentence in c->why. */
bool lab_broken(struct lab_check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool lab_check_mirror(struct lab_check *c);
bool lab_check_blocked(struct lab_check *c);
bool lab_check_frozen(struct lab_check *c);
bool lab_check_rwx(struct lab_check *c);
bool lab_check_congruent(struct lab_check *c);
bool lab_check_inhibit_huge(struct lab_check *c);
bool lab_check_inhibit_stays(struct lab_check *c);
bool lab_check_stats(struct lab_check *c);
bool lab_check_sept_flag(struct lab_check *c);
bool lab_check_stale(struct lab_check *c);
bool lab_check_dead(struct lab_check *c);

bool lab_check_owner(struct lab_check *c);
bool lab_check_folio(struct lab_check *c);
bool lab_check_shared_leaf(struct lab_check *c);
bool lab_check_host_private(struct lab_check *c);
bool lab_check_shared_4k(struct lab_check *c);
bool lab_check_attr_tree(struct lab_check *c);
bool lab_check_invalidate(struct lab_check *c);
bool lab_check_poison(struct lab_check *c);

bool lab_check_convert(struct lab_check *c);
bool lab_check_in_place(struct lab_check *c);
bool lab_check_overzap(struct lab_check *c);
bool lab_check_merged(struct lab_check *c);
bool lab_check_max_order(struct lab_check *c);
bool lab_check_folio_books(struct lab_check *c);
/* Remember what files look like now, for the checks after the next actions. */
void lab_seen_note(struct lab_machine *m);

bool lab_check_lpage(struct lab_check *c);
bool lab_check_mixed(struct lab_check *c);
bool lab_check_refused(struct lab_check *c);

bool lab_check_pamt_count(struct lab_check *c);
bool lab_check_unblock(struct lab_check *c);
bool lab_check_demote(struct lab_check *c);
bool lab_check_locks(struct lab_check *c);
bool lab_check_module(struct lab_check *c);
bool lab_check_accounted(struct lab_check *c);

#endif
