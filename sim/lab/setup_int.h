/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files that resolve a set-up. Not for other rooms.
 */
#ifndef LAB_SETUP_INT_H
#define LAB_SETUP_INT_H

#include <stdarg.h>

#include "sim/lab/setup.h"

struct lab_resolver {
	const struct lab_scenario *sc;
	struct lab_setup *su;
	struct lab_diag *d;
};

/* One error about @op, at its value @key (NULL: the statement). @op NULL: about the defaults. */
void lab_setup_error(struct lab_resolver *r, const struct lab_op *op, const char *key,
		     const char *fmt, ...) __attribute__((format(printf, 4, 5)));

void lab_gmem_policy_defaults(struct lab_gmem_setup *g);
void lab_setup_kvm_policy(struct lab_resolver *r, const struct lab_op *op);
void lab_setup_gmem_policy(struct lab_resolver *r, const struct lab_op *op,
			   struct lab_gmem_setup *g);
/* The switches that have two spellings: one value for both, or an error. */
void lab_setup_join_policies(struct lab_resolver *r, const struct lab_op *kvm);
/* Every operation against the machine. */
void lab_setup_check(struct lab_resolver *r);

#endif
