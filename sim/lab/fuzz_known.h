/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzzer need not tell again: scenarios that say themselves which rule they break ("expect
 * violation"), and that are about the code under test, not about a defect of it that is to be
 * mended. A fate is one of theirs if the rule and the words are, but for the names of actors and
 * VMs; numbers count. What is known of a policy is known where that policy is chosen.
 */
#ifndef LAB_FUZZ_KNOWN_H
#define LAB_FUZZ_KNOWN_H

#include "sim/lab/runner.h"

struct lab_known;

/*
 * lab_known_read - run each such scenario of the directory @dir. NULL and a line on @err if it can't
 * be read, or one of them does not break what it says.
 */
struct lab_known *lab_known_read(const char *dir, FILE *err);
void lab_known_free(struct lab_known *k);
/* Whether @fate, of a run set up by @su, is known. @k may be NULL: nothing is. */
bool lab_known_has(const struct lab_known *k, const struct lab_fate *fate,
		   const struct lab_setup *su);

#endif
