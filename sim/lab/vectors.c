// SPDX-License-Identifier: GPL-2.0-only
/*
 * The public face of the vector player: a set of recordings, read once and played as often as wanted.
 * Reading, parsing and playing one of them are the other vectors_*.c files.
 */
#include <stdlib.h>

#include "sim/lab/diag.h"
#include "sim/lab/util.h"
#include "sim/lab/vectors_int.h"
#include "sim/rt/world.h"

struct lab_vectors {
	struct vec_dict *dict;
	struct vec_file *file;
	u32 nr, cap;
};

struct lab_vectors *lab_vectors_new(void)
{
	struct lab_vectors *v = lab_zalloc(sizeof(*v));

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
	struct lab_diag diag;
};

/* The error, under the line where it is; bytes that a terminal should not see are dots there. */
static void vec_tell(struct lab_diag *d, const char *name, const char *text, size_t len,
		     const struct vec_error *e)
{
	char *copy = lab_zalloc(len + 1);
	struct lab_source src = {name, copy, len};
	size_t i;

	for (i = 0; i < len; i++)
		copy[i] = (text[i] >= ' ' && text[i] <= '~') || text[i] == '\n' ? text[i] : '.';
	lab_diag_at(d, &src, e->line, e->column, e->width, "%s", e->text);
	free(copy);
}

static void vec_add(void *ctx, const char *name, const char *text, size_t len)
{
	struct vec_adding *a = ctx;
	struct lab_vectors *v = a->v;
	struct vec_error e;

	v->file = lab_grow(v->file, &v->cap, v->nr + 1, sizeof(*v->file));
	if (vec_parse(v->dict, name, text, len, &v->file[v->nr], &e))
		v->nr++;
	else
		vec_tell(&a->diag, name, text, len, &e);
}

u32 lab_vectors_add(struct lab_vectors *v, const char *path, FILE *err)
{
	struct vec_adding a = {.v = v, .diag = {.out = err}};
	u32 wrong = vec_read(path, vec_add, &a, err);

	if (a.diag.errors > LAB_DIAG_MAX)
		fprintf(err, "%s: %u more recordings that are none\n", path,
			a.diag.errors - LAB_DIAG_MAX);
	return wrong + a.diag.errors;
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
