// SPDX-License-Identifier: GPL-2.0-only
/*
 * The public face of the vector player: a set of recordings, read once and played as often as wanted.
 * Reading, parsing and playing one of them are the other vectors_*.c files.
 */
#include <stdlib.h>

#include "sim/lab/vectors_int.h"
#include "sim/rt/world.h"

struct lab_vectors {
	struct vec_dict *dict;
	struct vec_file *file;
	u32 nr, cap;
};

struct lab_vectors *lab_vectors_new(void)
{
	struct lab_vectors *v = calloc(1, sizeof(*v));

	if (!v)
		abort();
	v->dict = vec_dict_new();
	return v;
}

void lab_vectors_free(struct lab_vectors *v)
{
	u32 i;

	if (!v)
		return;
	for (i = 0; i < v->nr; i++)
		vec_file_free(&v->file[i]);
	free(v->file);
	vec_dict_free(v->dict);
	free(v);
}

struct vec_adding {
	struct lab_vectors *v;
	FILE *err;
	u32 wrong;
};

static void vec_add(void *ctx, const char *name, const char *text, size_t len)
{
	struct vec_adding *a = ctx;
	struct lab_vectors *v = a->v;
	struct vec_error e;

	v->file = vec_grow(v->file, &v->cap, v->nr + 1ULL, sizeof(*v->file));
	if (vec_parse(v->dict, name, text, len, &v->file[v->nr], &e)) {
		v->nr++;
		return;
	}
	fprintf(a->err, "%s:%u:%u: %s\n", name, e.line, e.column, e.text);
	a->wrong++;
}

u32 lab_vectors_add(struct lab_vectors *v, const char *path, FILE *err)
{
	struct vec_adding a = {.v = v, .err = err};

	return vec_read(path, vec_add, &a, err) + a.wrong;
}

size_t lab_vectors_files(const struct lab_vectors *v)
{
	return v->nr;
}

void lab_vectors_play(const struct lab_vectors *v, const struct lab_vectors_opts *opts,
		      struct lab_vectors_sum *sum)
{
	static const struct lab_vectors_opts none;
	struct rt_world *before = rt_world_current();
	struct rt_world *w = rt_world_new(NULL);
	u32 i;

	if (!w)
		abort();
	for (i = 0; i < v->nr; i++) {
		rt_world_reset(w);
		vec_play(&v->file[i], opts ? opts : &none, sum);
	}
	rt_world_free(w);
	rt_world_enter(before);
}
