// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings out of a .tar.xz archive: liblzma unpacks it in memory, the tar blocks are read here.
 * Of tar only what such archives need is known: regular files of the ustar format, names of up to 255 bytes.
 * Where archives lie is vectors_source.c.
 */
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/util.h"
#include "sim/lab/vectors_int.h"

#define VEC_BLOCK      512
#define VEC_UNPACK_MAX (1U << 30) /* an archive that grows beyond this is refused */

/* One header block (POSIX 1003.1, ustar). All fields are text; numbers are octal. */
struct vec_tar_header {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char sum[8];
	char type;
	char link[100];
	char magic[6], version[2];
	char uname[32], gname[32], major[8], minor[8];
	char prefix[155];
	char pad[12];
};
_Static_assert(sizeof(struct vec_tar_header) == VEC_BLOCK, "a header is one block");

static const char *vec_lzma_says(lzma_ret ret)
{
	switch (ret) {
	case LZMA_FORMAT_ERROR:
		return "found no xz archive, expected a .tar.xz of recordings";
	case LZMA_MEM_ERROR:
		return "found too much to unpack, expected at most 1 GiB";
	case LZMA_BUF_ERROR:
	case LZMA_OK:
		return "found the end of the file, expected more of an xz archive";
	default:
		return "found a broken xz archive, expected a .tar.xz of recordings";
	}
}

/* Everything in the xz archive; NULL and *why if it is none. */
static char *vec_unpack(const void *data, size_t len, size_t *out_len, const char **why)
{
	lzma_stream s = LZMA_STREAM_INIT;
	u32 cap = 0;
	char *buf = lab_grow(NULL, &cap, 1 << 20, 1);
	lzma_ret ret;

	if (lzma_stream_decoder(&s, UINT64_MAX, LZMA_CONCATENATED) != LZMA_OK)
		abort();
	s.next_in = data;
	s.avail_in = len;
	s.next_out = (u8 *)buf;
	s.avail_out = cap;
	while ((ret = lzma_code(&s, LZMA_FINISH)) == LZMA_OK) {
		if (s.avail_out)
			continue;
		if (cap >= VEC_UNPACK_MAX) {
			ret = LZMA_MEM_ERROR;
			break;
		}
		buf = lab_grow(buf, &cap, cap + 1, 1);
		s.next_out = (u8 *)buf + s.total_out;
		s.avail_out = cap - s.total_out;
	}
	*out_len = (size_t)s.total_out;
	lzma_end(&s);
	if (ret == LZMA_STREAM_END)
		return buf;
	*why = vec_lzma_says(ret);
	free(buf);
	return NULL;
}

/* Octal digits, then a space or NUL. */
static bool vec_octal(const char *s, size_t len, u64 *val)
{
	u64 v = 0;
	size_t i;

	for (i = 0; i < len && s[i] >= '0' && s[i] <= '7'; i++)
		v = v << 3 | (u64)(s[i] - '0');
	*val = v;
	return i && (i == len || s[i] == ' ' || s[i] == '\0');
}

/* The sum of all bytes, with its own field counted as spaces. */
static bool vec_sum_ok(const struct vec_tar_header *h)
{
	const u8 *b = (const u8 *)h;
	u64 sum = 0, want;
	size_t i;

	for (i = 0; i < VEC_BLOCK; i++) {
		bool own = i >= offsetof(struct vec_tar_header, sum) &&
			   i < offsetof(struct vec_tar_header, type);

		sum += own ? ' ' : b[i];
	}
	return vec_octal(h->sum, sizeof(h->sum), &want) && sum == want;
}

struct vec_members {
	const char *archive, *only;
	vec_text_fn fn;
	void *ctx;
	u32 found;
};

static void vec_member(struct vec_members *m, const struct vec_tar_header *h, const char *text,
		       size_t len)
{
	char name[300], path[4400];

	snprintf(name, sizeof(name), "%.*s%s%.*s", (int)sizeof(h->prefix), h->prefix,
		 h->prefix[0] ? "/" : "", (int)sizeof(h->name), h->name);
	if (h->type != '0' && h->type != '\0')
		return;
	if (m->only ? strcmp(name, m->only) != 0
		    : strlen(name) < 8 || strcmp(name + strlen(name) - 7, ".tdxvec") != 0)
		return;
	m->found++;
	snprintf(path, sizeof(path), "%s/%s", m->archive, name);
	m->fn(m->ctx, path, text, len);
}

/* Every member of the tar archive; NULL, or what is wrong with it. */
static const char *vec_untar(struct vec_members *m, const char *tar, size_t len)
{
	size_t at = 0;

	while (at + VEC_BLOCK <= len) {
		const struct vec_tar_header *h = (const void *)(tar + at);
		u64 size;

		if (!h->name[0]) /* a block of zeros ends the archive */
			return NULL;
		if (!vec_sum_ok(h) || !vec_octal(h->size, sizeof(h->size), &size))
			return "found no tar header where one belongs, expected a .tar.xz of recordings";
		at += VEC_BLOCK;
		if (size > len - at)
			return "found the end of the tar archive, expected more of its last member";
		vec_member(m, h, tar + at, (size_t)size);
		at += (size_t)(size + VEC_BLOCK - 1) / VEC_BLOCK * VEC_BLOCK;
	}
	return "found the end of the tar archive, expected its closing block";
}

u32 vec_read_archive(const char *name, const void *data, size_t len, const char *only,
		     vec_text_fn fn, void *ctx, FILE *err)
{
	struct vec_members m = {.archive = name, .only = only, .fn = fn, .ctx = ctx};
	const char *why = NULL;
	size_t tar_len = 0;
	char *tar = vec_unpack(data, len, &tar_len, &why);

	if (tar)
		why = vec_untar(&m, tar, tar_len);
	if (!why && !m.found)
		why = only ? "found no such member, expected the recording that was asked for"
			   : "found no .tdxvec member, expected recordings";
	free(tar);
	if (why)
		fprintf(err, "%s%s%s: %s\n", name, only ? "/" : "", only ? only : "", why);
	return why ? 1 : 0;
}
