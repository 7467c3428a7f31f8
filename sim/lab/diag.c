// SPDX-License-Identifier: GPL-2.0-only
/*
 * How messages about input look, which word was probably meant, and which files are no scenario at
 * all.
 */
#include "sim/lab/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "sim/lab/util.h"

/* Start and length of line @line of the source. */
static const char *source_line(const struct lab_source *src, u32 line, size_t *len)
{
	const char *p = src->text, *end = src->text + src->len, *eol;

	while (--line) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return NULL;
		p++;
	}
	eol = memchr(p, '\n', (size_t)(end - p));
	*len = (size_t)((eol ? eol : end) - p);
	return p;
}

static void caret_line(FILE *out, const struct lab_source *src, u32 line, u32 col, u32 width)
{
	size_t len;
	const char *text = source_line(src, line, &len);

	if (!text || len > 400)
		return;
	fprintf(out, "  %.*s\n  ", (int)len, text);
	/*
	 * Tabs stay tabs, so that the caret stands under the word whatever the terminal makes of
	 * them.
	 */
	for (u32 i = 0; i + 1 < col; i++)
		fputc(i < len && text[i] == '\t' ? '\t' : ' ', out);
	fputc('^', out);
	for (u32 i = 1; i < width; i++)
		fputc('~', out);
	fputc('\n', out);
}

void lab_diag_at(struct lab_diag *d, const struct lab_source *src, u32 line, u32 col, u32 width,
		 const char *fmt, ...)
{
	va_list ap;

	if (d->errors++ >= LAB_DIAG_MAX || !d->out)
		return;
	if (line)
		fprintf(d->out, "%s:%u:%u: ", src->name, line, col);
	else
		fprintf(d->out, "%s: ", src->name);
	va_start(ap, fmt);
	vfprintf(d->out, fmt, ap);
	va_end(ap);
	fputc('\n', d->out);
	if (line)
		caret_line(d->out, src, line, col, width);
}

#define NEAREST_MAX 48

/*
 * Optimal string alignment distance without case: insert, delete, replace, swap of neighbours; @bad
 * if above @bad.
 */
static u32 distance(const char *a, size_t la, const char *b, size_t lb, u32 bad)
{
	u32 row[3][NEAREST_MAX + 1];

	if (la > NEAREST_MAX || lb > NEAREST_MAX || (la > lb ? la - lb : lb - la) >= bad)
		return bad;
	for (size_t j = 0; j <= lb; j++)
		row[0][j] = (u32)j;
	for (size_t i = 1; i <= la; i++) {
		u32 *cur = row[i % 3], *prev = row[(i - 1) % 3], *prev2 = row[(i + 1) % 3];

		cur[0] = (u32)i;
		for (size_t j = 1; j <= lb; j++) {
			bool same = (a[i - 1] | 0x20) == (b[j - 1] | 0x20);
			u32 best = prev[j - 1] + !same;

			if (prev[j] + 1 < best)
				best = prev[j] + 1;
			if (cur[j - 1] + 1 < best)
				best = cur[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    prev2[j - 2] + 1 < best)
				best = prev2[j - 2] + 1;
			cur[j] = best;
		}
	}
	return row[la % 3][lb] < bad ? row[la % 3][lb] : bad;
}

const char *lab_nearest(const char *word, size_t len, const char *(*next)(const void *ctx, u32 i),
			const void *ctx)
{
	/* A third of the letters may be wrong; more is no typo. */
	u32 best = (u32)(len < 3 ? 2 : len / 3 + 1);
	const char *found = NULL, *w;

	for (u32 i = 0; (w = next(ctx, i)); i++) {
		u32 d = distance(word, len, w, strlen(w), best);

		if (d < best) {
			best = d;
			found = w;
		}
	}
	return found;
}

static const char *next_of(const void *ctx, u32 i)
{
	return ((const char *const *)ctx)[i];
}

const char *lab_nearest_of(const char *word, size_t len, const char *const *words)
{
	return lab_nearest(word, len, next_of, words);
}

static bool is_binary(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f)
			return true;
	}
	return false;
}

/* What the text of an open file is not, or NULL if it may be a scenario. @text gets its bytes. */
static const char *read_text(FILE *f, char **text, size_t *len)
{
	size_t n;

	*text = lab_zalloc(LAB_SOURCE_MAX + 2);
	n = fread(*text, 1, LAB_SOURCE_MAX + 1, f);
	if (ferror(f))
		return strerror(errno);
	if (!n)
		return "the file is empty; expected a scenario";
	if (is_binary(*text, n))
		return "this is a binary file; expected the text of a scenario";
	if (n >= 3 && !memcmp(*text, "\xef\xbb\xbf", 3))
		return "the file begins with a byte order mark; expected plain ASCII or UTF-8 without one";
	if (n > LAB_SOURCE_MAX)
		return "the file is larger than 1 MiB; no scenario is";
	*len = n;
	return NULL;
}

char *lab_source_read(const char *path, struct lab_source *src, struct lab_diag *d)
{
	const char *why = NULL;
	char *text = NULL;
	struct stat st;
	FILE *f = NULL;

	memset(src, 0, sizeof(*src));
	src->name = path;
	if (stat(path, &st))
		why = strerror(errno);
	else if (S_ISDIR(st.st_mode))
		why = "this is a directory; expected the file of a scenario";
	else if (!(f = fopen(path, "r")))
		why = strerror(errno);
	else
		why = read_text(f, &text, &src->len);
	if (f)
		fclose(f);
	if (why) {
		lab_diag_at(d, src, 0, 0, 0, "%s", why);
		free(text);
		return NULL;
	}
	src->text = text;
	return text;
}
