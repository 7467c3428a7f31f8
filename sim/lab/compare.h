/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One scenario under several policies, side by side: what "tdxsim compare" prints. Each column is a
 * run of its own, in order, in a world of its own; --fail-each adds what becomes of it when one thing
 * fails, one thing at a time. What is counted is said by the rows themselves (compare_run.c).
 *
 * What holds under one policy and not under another is a difference, and no failure: the verdict is
 * the worst of what happened under every policy. With one policy it is that of "tdxsim run".
 */
#ifndef LAB_COMPARE_H
#define LAB_COMPARE_H

#include "sim/lab/run.h"

#define LAB_COLUMNS_MAX 12

enum lab_compare_format {
	LAB_COMPARE_TEXT,
	LAB_COMPARE_JSON, /* one object */
	LAB_COMPARE_CSV,  /* RFC 4180, with a head line */
};

struct lab_compare_opts {
	const char *path;
	/*
	 * NAME of a profile or series, or KEY=VALUE, several with commas; see compare_policy.c. A
	 * column's head is the text as it was given.
	 */
	const char *const *policy;
	u32 nr_policies;
	enum lab_compare_format format;
	bool differences; /* only rows that differ */
	bool colour;	  /* escape codes in the text format */
	bool fail_each;	  /* also a run for each allocation, SEAMCALL and check of references */
	bool busy;	  /* with fail_each: BUSY at each SEAMCALL too */
	bool progress;	  /* a line on err that is written over and over */
	FILE *out, *err;
};

enum lab_verdict lab_compare(const struct lab_compare_opts *opts);

#endif
