/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same actions under two designs (policies, series, module profiles): what the guest can
 * observe must be the same, or a rule explains why not. Compared are the outcome of every action,
 * and at the end of each page whether it is private, whether it is accepted, and what is known to
 * be in it (model.h). Both run in order, without parallel blocks: order is another difference.
 *
 * The rules that explain (docs/fuzzing.md): an action that ended otherwise explains its range from
 * then on, one without a range everything; a design that takes away more than was asked for
 * explains what is no longer accepted; a VM that died or was bugged, or a rule that broke, explains
 * everything; an injected fault can meet other calls, and explains everything.
 */
#ifndef LAB_DIFF_H
#define LAB_DIFF_H

#include "sim/lab/runner.h"

struct lab_diff;

/*
 * lab_diff_new - by two texts as "tdxsim compare --policy" takes them, several switches joined with
 * '+'. NULL and a message on @err if one is wrong. The texts must outlive it.
 */
struct lab_diff *lab_diff_new(const char *a, const char *b, FILE *err);
void lab_diff_free(struct lab_diff *d);

/*
 * lab_diff_run - both runs; @fate is LAB_VIOLATED with the rule "guest-sees-same" where they differ
 * and nothing explains it. True also where the two cannot be compared: that holds.
 */
bool lab_diff_run(const struct lab_diff *d, struct lab_runner *r, const struct lab_scenario *sc,
		  struct lab_fate *fate);

#endif
