// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings with a few fields changed, lines lost, doubled or moved: nobody knows the right answers then, but neither
 * the player nor the module may fall over, and the module's conservation rules hold after every call.
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/lab/vectors_int.h"
#include "sim/rt/world.h"

#define LINES_MAX 2000
#define ROUNDS	  2 /* variants of each recording that is taken */
#define STRIDE	  6 /* of the recordings of an archive, every so many-th */

struct mutator {
	struct vec_dict *dict;
	u64 seed;
	u32 seen;
	u64 played, refused;
	struct lab_vectors_sum sum;
};

static u64 draw(struct mutator *m, u64 below)
{
	u64 z = m->seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) % below;
}

/* Another number for one of the numbers of the line's input; the line as it is if it has none. */
static char *change_line(struct mutator *m, const char *line, size_t len)
{
	static const char *const likely[] = {"0",
					     "1",
					     "2",
					     "40000000",
					     "40001000",
					     "7ffff000",
					     "80000001",
					     "fffffffff000",
					     "8000000000000000",
					     "ffffffffffffffff"};
	const char *result = memmem(line, len, " = ", 3);
	const char *end = result ? result : line + len, *at[64], *p, *tail;
	char number[20], *out;
	u32 nr = 0, which;
	size_t size = len + 32;

	for (p = line; p < end; p++)
		if (*p == '=' && nr < RT_ARRAY_SIZE(at))
			at[nr++] = p + 1;
	if (!nr)
		return strndup(line, len);
	which = (u32)draw(m, nr);
	for (tail = at[which]; tail < end && strchr("0123456789abcdef", *tail); tail++)
		;
	if (draw(m, 2))
		snprintf(number, sizeof(number), "%s", likely[draw(m, RT_ARRAY_SIZE(likely))]);
	else
		snprintf(number, sizeof(number), "%llx",
			 strtoull(at[which], NULL, 16) ^ 1ULL << draw(m, 64));
	out = malloc(size);
	assert_non_null(out);
	snprintf(out, size, "%.*s%s%.*s", (int)(at[which] - line), line, number,
		 (int)(line + len - tail), tail);
	return out;
}

/* One variant of the recording @text; freed by the caller. */
static char *variant(struct mutator *m, const char *text, size_t len, size_t *out_len)
{
	const char *start[LINES_MAX], *p = text;
	u32 nr = 0, i, edits;
	char *out = NULL;
	FILE *f = open_memstream(&out, out_len);

	assert_non_null(f);
	while (p < text + len && nr < LINES_MAX) {
		const char *nl = memchr(p, '\n', (size_t)(text + len - p));

		start[nr++] = p;
		p = nl ? nl + 1 : text + len;
	}
	edits = 1 + (u32)draw(m, 8);
	for (i = 0; i < nr; i++) {
		const char *line = start[i];
		size_t n = (size_t)((i + 1 < nr ? start[i + 1] : p) - line) - 1;
		bool edit = i > 2 && draw(m, nr) < edits;
		u64 how = edit ? draw(m, 8) : 8;

		if (how == 0)
			continue; /* lost */
		if (how < 6) {
			char *changed = change_line(m, line, n);

			fprintf(f, "%s\n", changed);
			free(changed);
		} else {
			fprintf(f, "%.*s\n", (int)n, line);
		}
		if (how == 6) /* doubled */
			fprintf(f, "%.*s\n", (int)n, line);
		if (how == 7) { /* an earlier one again */
			u32 from = 3 + (u32)draw(m, i - 2);

			fprintf(f, "%.*s\n", (int)(start[from] - start[from - 1] - 1),
				start[from - 1]);
		}
	}
	fclose(f);
	return out;
}

static void mutate(void *ctx, const char *name, const char *text, size_t len)
{
	struct mutator *m = ctx;
	struct lab_vectors_opts opts = {.check = true, .out = NULL};
	u32 round;

	if (m->seen++ % STRIDE)
		return;
	for (round = 0; round < ROUNDS; round++) {
		size_t out_len = 0;
		char *out = variant(m, text, len, &out_len);
		u64 unsound = m->sum.unsound;
		struct vec_error err;
		struct vec_file f;

		if (vec_parse(m->dict, name, out, out_len, &f, &err)) {
			m->played++;
			rt_world_reset(rt_world_current());
			vec_play(&f, &opts, &m->sum);
			vec_file_free(&f);
			if (m->sum.unsound != unsound)
				fail_msg("unsound after a variant of %s:\n%s", name, out);
		} else {
			m->refused++;
		}
		free(out);
	}
}

/* The archive's directory is the program's one argument. */
static const char *vectors_dir;

static void test_vectors_mutate__stays_sound(void **state)
{
	struct mutator m = {.dict = vec_dict_new(), .seed = 1};
	struct rt_world *w = rt_world_new(NULL);

	assert_non_null(w);
	print_message("seed %llu\n", m.seed);
	assert_int_equal(vec_read(vectors_dir, mutate, &m, stderr), 0);
	print_message("%llu played, %llu refused, %llu calls, %llu matched\n", m.played, m.refused,
		      m.sum.calls, m.sum.matched);
	/* Most variants are recordings still, and most answers of these are no longer the recorded ones by chance. */
	assert_true(m.played > 200);
	assert_true(m.sum.calls > 10000);
	assert_true(m.sum.matched > m.sum.calls / 4);
	assert_true(m.sum.matched < m.sum.calls);
	rt_world_free(w);
	vec_dict_free(m.dict);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_mutate__stays_sound),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY-OF-VECTORS\n", argv[0]);
		return 2;
	}
	vectors_dir = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
