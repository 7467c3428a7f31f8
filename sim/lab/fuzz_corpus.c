// SPDX-License-Identifier: GPL-2.0-only
/*
 * The corpus in memory and on disk: one file an input, and "state", which says in which order they
 * came, what was found, and how many runs there were. Files are written whole or not at all.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/lab/bytes.h"
#include "sim/lab/fuzz_int.h"
#include "sim/lab/util.h"

#define STATE_FILE    "state"
#define STATE_VERSION "tdxsim-fuzz 1"

void lab_corpus_free(struct lab_corpus *c)
{
	for (u32 i = 0; i < c->nr; i++) {
		free(c->input[i].bytes);
		free(c->input[i].file);
	}
	free(c->input);
	free(c->key);
	memset(c, 0, sizeof(*c));
}

void lab_corpus_add(struct lab_corpus *c, const u8 *bytes, u32 len)
{
	struct lab_input *in;

	if (len > LAB_INPUT_MAX)
		len = LAB_INPUT_MAX;
	c->input = lab_grow(c->input, &c->cap, c->nr + 1, sizeof(*c->input));
	in = &c->input[c->nr++];
	*in = (struct lab_input){.bytes = lab_zalloc(len + 1U), .len = len};
	memcpy(in->bytes, bytes, len);
}

bool lab_corpus_knows(const struct lab_corpus *c, u64 key)
{
	for (u32 i = 0; i < c->nr_keys; i++) {
		if (c->key[i] == key)
			return true;
	}
	return false;
}

void lab_corpus_add_key(struct lab_corpus *c, u64 key)
{
	if (lab_corpus_knows(c, key))
		return;
	c->key = lab_grow(c->key, &c->cap_keys, c->nr_keys + 1, sizeof(*c->key));
	c->key[c->nr_keys++] = key;
}

static int complain(FILE *err, const char *path, int e)
{
	fprintf(err, "%s: %s\n", path, strerror(e));
	return e;
}

static char *join(const char *dir, const char *name)
{
	size_t len = strlen(dir) + strlen(name) + 2;
	char *path = lab_zalloc(len);

	snprintf(path, len, "%s/%s", dir, name);
	return path;
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && !strcmp(name + n - m, end);
}

/* A scenario as an input; what bytes can't say is missing from it. */
static int read_scenario(struct lab_corpus *c, const char *path, FILE *err)
{
	struct lab_diag d = {err, 0};
	struct lab_scenario sc;
	struct lab_source src;
	char *text = lab_source_read(path, &src, &d);
	size_t len;
	u32 left_out;
	u8 *bytes;

	if (!text)
		return EINVAL;
	lab_scenario_init(&sc);
	if (!lab_parse(&sc, &src, &d)) {
		bytes = lab_bytes_encode(&sc, &len, &left_out);
		lab_corpus_add(c, bytes, (u32)len);
		free(bytes);
	}
	lab_scenario_free(&sc);
	free(text);
	return d.errors ? EINVAL : 0;
}

static int read_bytes(struct lab_corpus *c, const char *path, FILE *err)
{
	u8 buf[LAB_INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return complain(err, path, errno);
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	lab_corpus_add(c, buf, (u32)n);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_input(const char *dir, const char *name)
{
	char *path;
	struct stat st;
	bool file;

	if (*name == '.' || !strcmp(name, STATE_FILE) || ends_in(name, ".tmp"))
		return false;
	path = join(dir, name);
	file = !stat(path, &st) && S_ISREG(st.st_mode);
	free(path);
	return file;
}

int lab_corpus_read(struct lab_corpus *c, const char *dir, FILE *err)
{
	char **name = NULL;
	u32 nr = 0, cap = 0;
	struct dirent *de;
	DIR *d = opendir(dir);
	int ret = 0;

	if (!d)
		return complain(err, dir, errno);
	while ((de = readdir(d))) {
		if (!is_input(dir, de->d_name))
			continue;
		name = lab_grow(name, &cap, nr + 1, sizeof(*name));
		name[nr++] = lab_strdup(de->d_name);
	}
	closedir(d);
	if (nr)
		qsort(name, nr, sizeof(*name), by_name);
	for (u32 i = 0; i < nr; i++) {
		char *path = join(dir, name[i]);

		if (!ret && ends_in(name[i], ".scn"))
			ret = read_scenario(c, path, err);
		else if (!ret)
			ret = read_bytes(c, path, err);
		free(path);
		free(name[i]);
	}
	free(name);
	return ret;
}

/* One line of the state; false if it is none that this version writes. */
static bool state_line(struct lab_corpus *c, char *line, u64 seed, int *ret, FILE *err)
{
	char *value = strchr(line, ' '), *end;
	u64 num;

	if (!value)
		return false;
	*value++ = 0;
	value[strcspn(value, "\n")] = 0;
	if (!strcmp(line, "input")) {
		char *path = join(c->dir, value);

		*ret = read_bytes(c, path, err);
		free(path);
		if (!*ret)
			c->input[c->nr - 1].file = lab_strdup(value);
		return true;
	}
	num = strtoull(value, &end, 0);
	if (*end)
		return false;
	if (!strcmp(line, "key"))
		lab_corpus_add_key(c, num);
	else if (!strcmp(line, "runs"))
		c->runs = num;
	else if (!strcmp(line, "findings"))
		c->findings = (u32)num;
	else if (!strcmp(line, "seed"))
		return num == seed;
	else
		return false;
	return true;
}

static int read_state(struct lab_corpus *c, FILE *f, const char *path, u64 seed, FILE *err)
{
	char line[400], whole[400];
	u32 nr = 0;
	int ret = 0;

	while (!ret && fgets(line, sizeof(line), f)) {
		nr++;
		snprintf(whole, sizeof(whole), "%.*s", (int)strcspn(line, "\n"), line);
		if (nr == 1 && strcmp(line, STATE_VERSION "\n")) {
			fprintf(err, "%s:1:1: found another file, expected \"%s\"\n", path,
				STATE_VERSION);
			return EINVAL;
		}
		if (nr > 1 && !state_line(c, line, seed, &ret, err)) {
			fprintf(err, "%s:%u:1: found \"%s\", expected ", path, nr, whole);
			if (strcmp(line, "seed"))
				fprintf(err, "seed, runs, findings, key or input\n");
			else
				fprintf(err,
					"seed %llu; take another --corpus for another --seed\n",
					seed);
			return EINVAL;
		}
	}
	return ret;
}

int lab_corpus_open(struct lab_corpus *c, const char *dir, u64 seed, bool *resumed, FILE *err)
{
	char *path = join(dir, STATE_FILE);
	FILE *f;
	int ret;

	c->dir = dir;
	*resumed = false;
	if (mkdir(dir, 0777) && errno != EEXIST) {
		ret = complain(err, dir, errno);
		free(path);
		return ret;
	}
	f = fopen(path, "r");
	if (f) {
		*resumed = true;
		ret = read_state(c, f, path, seed, err);
		fclose(f);
	} else {
		ret = lab_corpus_read(c, dir, err);
	}
	free(path);
	return ret;
}

/* All of it under its name, or nothing. */
static int write_whole(const char *dir, const char *name, const void *data, size_t len, FILE *err)
{
	char *path = join(dir, name), *tmp = join(dir, ".new.tmp");
	FILE *f = fopen(tmp, "wb");
	int ret = f ? 0 : errno;

	if (f && fwrite(data, 1, len, f) != len)
		ret = EIO;
	if (f && (fflush(f) || fsync(fileno(f))) && !ret)
		ret = errno;
	if (f && fclose(f) && !ret)
		ret = errno;
	if (!ret && rename(tmp, path))
		ret = errno;
	if (ret)
		complain(err, path, ret);
	free(path);
	free(tmp);
	return ret;
}

static int save_inputs(struct lab_corpus *c, FILE *err)
{
	int ret = 0;

	for (u32 i = 0; i < c->nr && !ret; i++) {
		struct lab_input *in = &c->input[i];
		char name[40];

		if (in->file)
			continue;
		snprintf(name, sizeof(name), "%06u-%016llx", i,
			 (u64)XXH3_64bits(in->bytes, in->len));
		ret = write_whole(c->dir, name, in->bytes, in->len, err);
		if (!ret)
			in->file = lab_strdup(name);
	}
	return ret;
}

int lab_corpus_save(struct lab_corpus *c, u64 seed, FILE *err)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f;
	int ret;

	if (!c->dir)
		return 0;
	ret = save_inputs(c, err);
	if (ret)
		return ret;
	f = open_memstream(&text, &len);
	if (!f)
		abort();
	fprintf(f, STATE_VERSION "\nseed %llu\nruns %llu\nfindings %u\n", seed, c->runs,
		c->findings);
	for (u32 i = 0; i < c->nr_keys; i++)
		fprintf(f, "key 0x%016llx\n", c->key[i]);
	for (u32 i = 0; i < c->nr; i++)
		fprintf(f, "input %s\n", c->input[i].file);
	if (fclose(f))
		abort();
	ret = write_whole(c->dir, STATE_FILE, text, len, err);
	free(text);
	return ret;
}
