/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recorded vectors: calls that the real TDX module answered, played against ours.
 * Reading recordings (plain, in directories, in .tar.xz archives), playing them and saying what differs is here.
 * The model of the module is tdx/; scenarios, which nobody recorded, are elsewhere in sim/lab/.
 *
 * Invariants:
 *  - A recording is one machine: it is played in a fresh world, on a fresh module of the release that made it.
 *  - Bad input is never played, in part neither: it is named as FILE:LINE:COLUMN with what was found and expected.
 *  - Every line with a result is one call; it matches if all that the line says is what our module gave.
 */
#ifndef LAB_VECTORS_H
#define LAB_VECTORS_H

#include <stdio.h>

#include "sim/rt/types.h"

struct lab_vectors;
struct seam_observer;

struct lab_vectors_sum {
	u64 files;   /* recordings played */
	u64 calls;   /* lines with a result */
	u64 matched; /* those that our module answered like the real one */
	u64 no_machine; /* recordings of a machine or release that our module can't be: none of their calls matches */
	u64 unsound; /* calls after which the module broke a conservation rule (lab_vectors_opts.check) */
};

struct lab_vectors_opts {
	bool check; /* seam_check() after every call, unless a "hold" is in force */
	FILE *out;  /* differences go here; NULL: they are only counted */
	const struct seam_observer *observer; /* of the modules; NULL: none */
};

/* An empty set; recordings are then added to it. Never NULL: running out of memory ends the program. */
struct lab_vectors *lab_vectors_new(void);
void lab_vectors_free(struct lab_vectors *v);

/*
 * lab_vectors_add - read and parse what @path names: a recording, an archive of recordings (.tar.xz), a recording
 * in one (ARCHIVE/NAME, as reports spell it), or a directory, searched for both, in the order of names.
 * What is wrong goes to @err (of many bad recordings the first 20, then their number) and is left out of the set.
 * Returns how many things were wrong; a path that holds no recording is one.
 */
u32 lab_vectors_add(struct lab_vectors *v, const char *path, FILE *err);

/* Recordings in the set. */
size_t lab_vectors_files(const struct lab_vectors *v);

/*
 * lab_vectors_play - play every recording of the set, in order, in a world of its own that is freed at the end.
 * The thread's current world is left as it was. Adds to @sum. @opts may be NULL.
 * A machine that our module can't be is told among the differences, as FILE:LINE:COLUMN.
 */
void lab_vectors_play(const struct lab_vectors *v, const struct lab_vectors_opts *opts,
		      struct lab_vectors_sum *sum);

#endif
