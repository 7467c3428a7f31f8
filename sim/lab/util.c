// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the lab outside worlds: it grows, or the process ends with one line.
 */
#include "sim/lab/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void)
{
	fputs("tdxsim: out of memory\n", stderr);
	abort();
}

void *lab_grow(void *p, u32 *cap, u32 need, size_t size)
{
	u32 room = *cap ? *cap : 16;

	if (need <= *cap)
		return p;
	while (room < need)
		room *= 2;
	p = realloc(p, room * size);
	if (!p)
		out_of_memory();
	*cap = room;
	return p;
}

void *lab_zalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		out_of_memory();
	return p;
}

char *lab_strdup(const char *s)
{
	size_t len = strlen(s) + 1;
	char *p = lab_zalloc(len);

	memcpy(p, s, len);
	return p;
}

void lab_put_json(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		if ((unsigned char)*s < 0x20)
			fprintf(out, "\\u%04x", (unsigned char)*s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

void lab_put_lines(FILE *out, const char *before, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		fprintf(out, "%s%.*s\n", before, (int)len, text);
		text += len + (text[len] == '\n');
	}
}
