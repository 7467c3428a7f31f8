/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines, fields, numbers and words of a recording, and the one way to say that something else was expected.
 * Words are looked up in hashed sets, since recordings are read as fast as they are played.
 * What a line means is vectors_parse.c.
 */
#ifndef LAB_VECTORS_LEX_H
#define LAB_VECTORS_LEX_H

#include <string.h>

#include "sim/lab/vectors_int.h"

/* Invariant: bol <= pos <= eol <= end; the line is [bol, eol), without its newline. */
struct vec_lex {
	const char *end;
	const char *bol, *eol, *pos;
	u32 line;  /* from 1; 0 before the first */
	bool more; /* a space stood after the last field: another one must follow */
	struct vec_error *err;
};

struct vec_tok {
	const char *s;
	u32 len;
};

void vec_lex_init(struct vec_lex *lx, const char *text, size_t len, struct vec_error *err);
/* On to the next line; false after the last one. */
bool vec_lex_line(struct vec_lex *lx);
/* The next field. False, and told, if there is none; @expected says what it should have been. */
bool vec_field(struct vec_lex *lx, struct vec_tok *t, const char *expected);
/* The line must be at its end. */
bool vec_line_end(struct vec_lex *lx);

/* Hexadecimal without a prefix, 1 to 16 digits, at most @max. @what names it: "an HPA". */
bool vec_hex(struct vec_lex *lx, const char *s, u32 len, u64 max, const char *what, u64 *val);
/* Value of a hexadecimal digit, or -1. */
int vec_digit(char c);

/* "found <the len bytes at s>, expected ..."; always false. @s lies in the current line. */
bool vec_fail(struct vec_lex *lx, const char *s, size_t len, const char *expected, ...)
	__attribute__((format(printf, 4, 5)));

static inline bool vec_is(const struct vec_tok *t, const char *word)
{
	return strlen(word) == t->len && !memcmp(t->s, word, t->len);
}

/* A set of words, each with a number. Words are literals or live as long as the set. */
#define VEC_WORDS_MAX 128
struct vec_words {
	u32 nr;
	u8 slot[512]; /* index of the word + 1; 0: empty */
	struct {
		const char *text;
		u32 len, value;
	} word[VEC_WORDS_MAX];
};

void vec_words_add(struct vec_words *w, const char *text, u32 value);
bool vec_words_find(const struct vec_words *w, const char *s, size_t len, u32 *value);
/* The word that a slip of the finger would have turned into [s, s + len); NULL if none is near. */
const char *vec_words_nearest(const struct vec_words *w, const char *s, size_t len);
/* As vec_fail() for a word of @w that is none, with the nearest one behind it. */
bool vec_fail_word(struct vec_lex *lx, const struct vec_tok *t, const struct vec_words *w,
		   const char *expected);

struct vec_dict {
	struct vec_words keys, verbs, forms, leaves, tdcalls, locks, config;
};

/* vectors_config.c: the rest of a "config" line into f->config; and its words. */
bool vec_parse_config(const struct vec_dict *d, struct vec_lex *lx, struct vec_file *f);
void vec_config_words(struct vec_words *w);

#endif
