/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The built-in fuzzer: rounds of programs, made from a corpus by a seed, run on kept machines,
 * kept if they reach something new, shrunk and written if a rule breaks. The command line is
 * tools/cmd_fuzz.c; what counts as new is fuzz_map.h, how inputs change is mutate.h.
 *
 * Invariants:
 *  - The n-th program of a round is a function of the seed, its number and the corpus at the
 *    round's start, and results are taken in the order of numbers: threads change nothing but the
 *    time, and the same seed and corpus give the same findings in the same order.
 *  - What was done and kept is on disk after each round that kept something; a later call goes on
 *    from there, and from nothing else.
 */
#ifndef LAB_FUZZ_H
#define LAB_FUZZ_H

#include "sim/lab/fuzz_map.h"

#define LAB_INPUT_MAX (64 * 20U) /* bytes of one input */

struct lab_fuzz_opts {
	u64 runs;	  /* in all, those of calls before included; 0: no end */
	u32 jobs;	  /* threads; 0: 1 */
	u32 findings_max; /* stop behind the round that has found so many; 0: no end */
	u32 exhaustive;	  /* every program of up to so many statements instead; 0: no */
	u64 seed;
	u64 budget;	    /* steps of a block; 0: LAB_FUZZ_BUDGET */
	const char *corpus; /* directory; NULL: in memory */
	const char *
		findings; /* directory, which is there, of the scenarios that fail; NULL: they are printed */
	char *const
		*merge; /* directories to take inputs from, and nothing else is done; NULL: no */
	const char *diff_a, *diff_b; /* two policies to compare (diff.h); NULL: no */
	const char *known; /* directory of findings that are not told (fuzz_known.h); NULL: none */
	bool defaults;	   /* no set-up lines: all run on the default machine */
	const u8 *machine; /* records of set-up: all run on that machine; NULL: no */
	u32 machine_len;
	/* Between two rounds: true ends it. Also where progress is shown. */
	bool (*between)(void *ctx);
	/* A run begins with these bytes; a crash handler may want to know. */
	void (*running)(void *ctx, u32 job, const u8 *bytes, u32 len);
	void *ctx;
	FILE *out, *err;
};
#define LAB_FUZZ_BUDGET 300000

struct lab_fuzz_sum {
	u64 runs, steps;
	u64 before;		  /* runs of calls before */
	u32 inputs;		  /* in the corpus */
	u32 places, bits;	  /* of the map that were reached */
	u32 findings;		  /* different ones, also of calls before */
	u32 slow;		  /* programs whose step budget was spent: not judged */
	enum lab_verdict verdict; /* of what was found by this call, the worst */
};

/*
 * lab_fuzz - until opts->runs or opts->between says so. @sum is up to date in every call of
 * between(). 0, or an errno with a line on opts->err.
 */
int lab_fuzz(const struct lab_fuzz_opts *opts, struct lab_fuzz_sum *sum);

#endif
