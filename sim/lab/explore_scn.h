/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exploring a scenario: its lines in order, every schedule of its parallel blocks, and what is told
 * about it. The search itself is explore.h.
 */
#ifndef LAB_EXPLORE_SCN_H
#define LAB_EXPLORE_SCN_H

#include "sim/lab/explore.h"
#include "sim/lab/run.h"

struct lab_explore_opts {
	struct lab_ex_opts search;
	struct lab_opts session;
	const char *const *set;	 /* --set, NULL ends; NULL: none */
	const char *replay_path; /* of the first violation; NULL: NAME.replay here */
	bool rests;		 /* print the hash of every state at rest */
	FILE *out, *err;
};

enum lab_verdict lab_explore_file(const char *path, const struct lab_explore_opts *opts);

#endif
