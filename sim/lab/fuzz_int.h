/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the fuzzer: the corpus with its directory, and what becomes of a run that
 * broke a rule. Not for other rooms.
 */
#ifndef LAB_FUZZ_INT_H
#define LAB_FUZZ_INT_H

#include "sim/lab/fuzz.h"
#include "sim/lab/fuzz_known.h"

/* ---- fuzz_corpus.c ---- */

struct lab_input {
	u8 *bytes;
	u32 len;
	char *file; /* its name in the directory; NULL: not there yet */
};

/* Invariant: inputs in the order in which they came; the same order as in the file "state". */
struct lab_corpus {
	const char *dir; /* NULL: in memory */
	struct lab_input *input;
	u32 nr, cap;
	u64 *key; /* of fates that are known */
	u32 nr_keys, cap_keys;
	u64 runs;     /* done so far */
	u32 findings; /* different ones: a finding can have several keys */
};

void lab_corpus_free(struct lab_corpus *c);
void lab_corpus_add(struct lab_corpus *c, const u8 *bytes, u32 len);
bool lab_corpus_knows(const struct lab_corpus *c, u64 key);
void lab_corpus_add_key(struct lab_corpus *c, u64 key);
/*
 * lab_corpus_open - what the directory has: with a "state" of @seed what that lists, else every
 * file in the order of names (scenarios become bytes). *@resumed: there was a state. 0, or an
 * errno and a line on @err; a state of another seed or version is EINVAL.
 */
int lab_corpus_open(struct lab_corpus *c, const char *dir, u64 seed, bool *resumed, FILE *err);
/* Every file of @dir as an input behind those that are there; the same errors. */
int lab_corpus_read(struct lab_corpus *c, const char *dir, FILE *err);
/* New inputs and the state, so that a kill at any moment leaves one or the other state. */
int lab_corpus_save(struct lab_corpus *c, u64 seed, FILE *err);

/* ---- fuzz_find.c ---- */

struct lab_finder {
	const struct lab_fuzz_opts *opts;
	struct lab_corpus *corpus;
	struct lab_fuzz_sum *sum;
	const struct lab_diff *diff;
	struct lab_runner *runner; /* for shrinking: without a map */
	struct lab_known *known;
};

/*
 * lab_find - run number @nr of these bytes had this fate. What is new is shrunk, confirmed and
 * written. 0 or an errno.
 */
int lab_find(struct lab_finder *f, u64 nr, const u8 *bytes, u32 len, const struct lab_fate *fate);

#endif
