// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lexer of recordings: lines into fields, fields into numbers and words.
 * Every refusal of the parser is worded by vec_fail(), so that all of them read alike.
 * What is expected where is not known here.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/diag.h"
#include "sim/lab/vectors_lex.h"

#define VEC_WORD_LEN 32 /* longest word that can be one of ours */

void vec_lex_init(struct vec_lex *lx, const char *text, size_t len, struct vec_error *err)
{
	*lx = (struct vec_lex){
		.end = text + len, .bol = text, .eol = text, .pos = text, .err = err};
}

bool vec_lex_line(struct vec_lex *lx)
{
	const char *start = lx->line && lx->eol < lx->end ? lx->eol + 1 : lx->eol;
	const char *nl;

	if (start >= lx->end)
		return false;
	nl = memchr(start, '\n', (size_t)(lx->end - start));
	lx->bol = lx->pos = start;
	lx->eol = nl ? nl : lx->end;
	lx->line++;
	lx->more = false;
	return true;
}

bool vec_field(struct vec_lex *lx, struct vec_tok *t, const char *expected)
{
	const char *s = lx->pos;
	const char *e;

	assert(s >= lx->bol && s <= lx->eol);
	if (s == lx->eol || *s == ' ')
		return vec_fail(lx, s, s < lx->eol, "%s", expected);
	for (e = s; e < lx->eol && *e != ' '; e++)
		;
	t->s = s;
	t->len = (u32)(e - s);
	lx->more = e < lx->eol;
	lx->pos = e + lx->more;
	return true;
}

bool vec_line_end(struct vec_lex *lx)
{
	const char *s = lx->pos;

	if (!lx->more)
		return true;
	if (s == lx->eol) /* nothing but the space is too much */
		s--;
	return vec_fail(lx, s, (size_t)(lx->eol - s), "the end of the line");
}

int vec_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool vec_hex(struct vec_lex *lx, const char *s, u32 len, u64 max, const char *what, u64 *val)
{
	u64 v = 0;
	u32 i;

	if (!len || len > 16)
		return vec_fail(lx, s, len, "%s (1 to 16 hexadecimal digits)", what);
	for (i = 0; i < len; i++) {
		int digit = vec_digit(s[i]);

		if (digit < 0)
			return vec_fail(lx, s, len, "%s (hexadecimal, without a prefix)", what);
		v = v << 4 | (u64)digit;
	}
	if (v > max)
		return vec_fail(lx, s, len, "%s (at most %llx)", what, max);
	*val = v;
	return true;
}

/* At most 40 bytes of what was found, quoted; bytes that a terminal should not see as \xNN. */
static void vec_quote(char *buf, size_t size, const char *s, size_t len)
{
	size_t shown = len < 40 ? len : 40;
	size_t n, i;

	n = (size_t)snprintf(buf, size, "\"");
	for (i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			n += (size_t)snprintf(buf + n, size - n, "%c", c);
		else
			n += (size_t)snprintf(buf + n, size - n, "\\x%02x", c);
	}
	snprintf(buf + n, size - n, "%s", shown < len ? "\"..." : "\"");
}

static void vec_found(const struct vec_lex *lx, char *buf, size_t size, const char *s, size_t len)
{
	if (len)
		vec_quote(buf, size, s, len);
	else if (s < lx->eol)
		snprintf(buf, size, "nothing");
	else if (s < lx->end)
		snprintf(buf, size, "the end of the line");
	else
		snprintf(buf, size, "the end of the file");
}

bool vec_fail(struct vec_lex *lx, const char *s, size_t len, const char *expected, ...)
{
	struct vec_error *err = lx->err;
	char found[180]; /* 40 bytes as \xNN, quotes and dots */
	va_list ap;
	int n;

	assert(s >= lx->bol && s + len <= lx->end);
	err->line = lx->line ? lx->line : 1;
	err->column = (u32)(s - lx->bol) + 1;
	err->width = len < 1000 ? (u32)len : 1;
	vec_found(lx, found, sizeof(found), s, len);
	n = snprintf(err->text, sizeof(err->text), "found %s, expected ", found);
	va_start(ap, expected);
	vsnprintf(err->text + n, sizeof(err->text) - (size_t)n, expected, ap);
	va_end(ap);
	return false;
}

bool vec_fail_word(struct vec_lex *lx, const struct vec_tok *t, const struct vec_words *w,
		   const char *expected)
{
	const char *near = vec_words_nearest(w, t->s, t->len);

	if (near)
		return vec_fail(lx, t->s, t->len, "%s; the nearest is \"%s\"", expected, near);
	return vec_fail(lx, t->s, t->len, "%s", expected);
}

/* FNV-1a: a word is short, and the sets are small. */
static u32 vec_hash(const char *s, size_t len)
{
	u32 h = 2166136261U;

	while (len--)
		h = (h ^ (u8)*s++) * 16777619U;
	return (h ^ h >> 15) & 511;
}

void vec_words_add(struct vec_words *w, const char *text, u32 value)
{
	size_t len = strlen(text);
	u32 h = vec_hash(text, len);

	assert(w->nr < VEC_WORDS_MAX && len && len <= VEC_WORD_LEN);
	w->word[w->nr].text = text;
	w->word[w->nr].len = (u32)len;
	w->word[w->nr].value = value;
	while (w->slot[h])
		h = (h + 1) & 511;
	w->slot[h] = (u8)++w->nr;
}

bool vec_words_find(const struct vec_words *w, const char *s, size_t len, u32 *value)
{
	u32 h;

	if (len > VEC_WORD_LEN)
		return false;
	for (h = vec_hash(s, len); w->slot[h]; h = (h + 1) & 511) {
		u32 i = w->slot[h] - 1U;

		if (w->word[i].len == len && !memcmp(w->word[i].text, s, len)) {
			*value = w->word[i].value;
			return true;
		}
	}
	return false;
}

static const char *vec_next_word(const void *ctx, u32 i)
{
	const struct vec_words *w = ctx;

	return i < w->nr ? w->word[i].text : NULL;
}

const char *vec_words_nearest(const struct vec_words *w, const char *s, size_t len)
{
	return lab_nearest(s, len, vec_next_word, w);
}
