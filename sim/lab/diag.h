/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages about input: FILE:LINE:COLUMN, what was found, what was expected there, a caret line,
 * the nearest known word. Every message about a user's text goes through here, so that all of them
 * look alike and can be tested. What is wrong with a text is decided by the callers; defects of our
 * own are no messages but asserts.
 */
#ifndef LAB_DIAG_H
#define LAB_DIAG_H

#include <stdio.h>

#include "sim/rt/types.h"

/* A text under a name. Invariant: text[len] is 0. */
struct lab_source {
	const char *name;
	const char *text;
	size_t len;
};

struct lab_diag {
	FILE *out;
	u32 errors; /* so far; after LAB_DIAG_MAX they are only counted */
};
#define LAB_DIAG_MAX 20

/*
 * lab_diag_at - one error. @line and @col count from 1; @width characters are marked.
 * @line 0: about the whole source, no caret line.
 */
void lab_diag_at(struct lab_diag *d, const struct lab_source *src, u32 line, u32 col, u32 width,
		 const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/*
 * The nearest of the words that @next gives one by one (NULL ends), if near enough to be a typo of
 * it; else NULL.
 */
const char *lab_nearest(const char *word, size_t len, const char *(*next)(const void *ctx, u32 i),
			const void *ctx);
/* The same over a NULL-terminated array. */
const char *lab_nearest_of(const char *word, size_t len, const char *const *words);

#define LAB_SOURCE_MAX (1U << 20)
/*
 * lab_source_read - a whole file. The text is the caller's to free().
 * NULL, with one line to @d, for a directory, an empty or binary file, one larger than
 * LAB_SOURCE_MAX, one that can't be read.
 */
char *lab_source_read(const char *path, struct lab_source *src, struct lab_diag *d);

#endif
