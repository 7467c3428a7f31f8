// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where recordings come from: files, directories, and members of .tar.xz archives, always in the order of names.
 * Nothing here knows what is in a recording; it hands out texts with the names that reports use.
 * Unpacking itself is vectors_tar.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/lab/util.h"
#include "sim/lab/vectors_int.h"

#define VEC_FILE_MAX (1U << 30) /* a text that is longer is not read: offsets in it are 32 bits */
#define VEC_DEPTH    32		/* of directories */

static const char vec_archive_ext[] = ".tar.xz";
static const char vec_text_ext[] = ".tdxvec";

struct vec_source {
	vec_text_fn fn;
	void *ctx;
	FILE *err;
	u32 found, wrong;
};

static bool vec_ends(const char *s, const char *tail)
{
	size_t len = strlen(s), n = strlen(tail);

	return len >= n && !strcmp(s + len - n, tail);
}

static void vec_wrong(struct vec_source *src, const char *path, const char *why)
{
	fprintf(src->err, "%s: %s\n", path, why);
	src->wrong++;
}

/* All of an open file into *buf; NULL, or what is wrong. */
static const char *vec_read_all(int fd, char **buf, u32 *len)
{
	u32 cap = 0;

	for (*len = 0; *len < VEC_FILE_MAX;) {
		ssize_t got;

		*buf = lab_grow(*buf, &cap, *len + 4096, 1);
		got = read(fd, *buf + *len, cap - *len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return strerror(errno);
		if (!got)
			return NULL;
		*len += (u32)got;
	}
	return "found more than 1 GiB, expected a recording";
}

/* All of the file at @path; NULL, and told, if it can't be had. */
static char *vec_slurp(struct vec_source *src, const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why;
	char *buf = NULL;
	u32 n = 0;

	if (fd < 0) {
		vec_wrong(src, path, strerror(errno));
		return NULL;
	}
	why = vec_read_all(fd, &buf, &n);
	close(fd);
	*len = n;
	if (!why)
		return buf;
	vec_wrong(src, path, why);
	free(buf);
	return NULL;
}

static void vec_source_file(struct vec_source *src, const char *path)
{
	size_t len;
	char *data = vec_slurp(src, path, &len);

	if (!data)
		return;
	src->found++;
	if (vec_ends(path, vec_archive_ext))
		src->wrong += vec_read_archive(path, data, len, NULL, src->fn, src->ctx, src->err);
	else
		src->fn(src->ctx, path, data, len);
	free(data);
}

static int vec_by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *vec_join(const char *dir, const char *name)
{
	size_t len = strlen(dir) + strlen(name) + 2;
	const char *slash = vec_ends(dir, "/") ? "" : "/";
	char *path = lab_zalloc(len);

	snprintf(path, len, "%s%s%s", dir, slash, name);
	return path;
}

/* Names in a directory, sorted by byte, so that no locale decides; the caller frees them. */
static char **vec_names(struct vec_source *src, const char *path, u32 *nr)
{
	char **names = NULL;
	u32 cap = 0;
	DIR *dir = opendir(path);
	struct dirent *de;

	*nr = 0;
	if (!dir) {
		vec_wrong(src, path, strerror(errno));
		return NULL;
	}
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		names = lab_grow(names, &cap, *nr + 1, sizeof(*names));
		names[(*nr)++] = lab_strdup(de->d_name);
	}
	closedir(dir);
	if (*nr)
		qsort(names, *nr, sizeof(*names), vec_by_name);
	return names;
}

static void vec_source_dir(struct vec_source *src, const char *path, u32 depth)
{
	char **names;
	u32 nr, i;

	if (depth == VEC_DEPTH) {
		vec_wrong(src, path, "found directories nested too deeply, expected recordings");
		return;
	}
	names = vec_names(src, path, &nr);
	for (i = 0; i < nr; i++) {
		char *sub = vec_join(path, names[i]);
		struct stat st;

		/* lstat: a link to a directory above would go round in circles. */
		if (lstat(sub, &st))
			vec_wrong(src, sub, strerror(errno));
		else if (S_ISDIR(st.st_mode))
			vec_source_dir(src, sub, depth + 1);
		else if (vec_ends(sub, vec_text_ext) || vec_ends(sub, vec_archive_ext))
			vec_source_file(src, sub);
		free(sub);
		free(names[i]);
	}
	free(names);
}

/* ARCHIVE/MEMBER, as reports spell it: true if @path is of that kind. */
static bool vec_source_member(struct vec_source *src, const char *path)
{
	const char *at = strstr(path, ".tar.xz/");
	size_t len;
	char *archive, *data;

	if (!at)
		return false;
	archive = lab_strdup(path);
	archive[(size_t)(at - path) + strlen(vec_archive_ext)] = '\0';
	data = vec_slurp(src, archive, &len);
	if (data) {
		src->found++;
		src->wrong += vec_read_archive(archive, data, len, at + strlen(".tar.xz/"), src->fn,
					       src->ctx, src->err);
	}
	free(data);
	free(archive);
	return true;
}

u32 vec_read(const char *path, vec_text_fn fn, void *ctx, FILE *err)
{
	struct vec_source src = {.fn = fn, .ctx = ctx, .err = err};
	struct stat st;

	if (stat(path, &st)) {
		if (errno != ENOTDIR || !vec_source_member(&src, path))
			vec_wrong(&src, path, strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		vec_source_dir(&src, path, 0);
		if (!src.found && !src.wrong)
			vec_wrong(
				&src, path,
				"found a directory without .tdxvec or .tar.xz files, expected recordings");
	} else {
		vec_source_file(&src, path);
	}
	return src.wrong;
}
