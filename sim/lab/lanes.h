/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run as lanes: a column for each actor, a row for each thing that happened, in the order of the
 * steps, and what broke below. Of a run with several actors it shows who came between whom.
 * The same events told one after the other are narrate.c's.
 *
 * Shown are actions, calls with their status and what they changed, entries, exits and kicks,
 * accesses with the translation they used, steps of KVM and guest_memfd, faults that fired, waits,
 * and of the locks those that more than one actor wanted.
 */
#ifndef LAB_LANES_H
#define LAB_LANES_H

#include <stdio.h>

#include "sim/lab/session.h"

#define LAB_LANES_ROWS 200 /* at most, the last ones */

/*
 * lab_lanes - of the last parallel block of @s; with what came after it if the run broke there. A
 * run without one: of its last action. The session needs its trace, and with trace_cap 0 all of it.
 */
void lab_lanes(struct lab_session *s, FILE *out, bool colour);

#endif
