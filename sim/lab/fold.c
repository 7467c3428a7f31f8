// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding repetitions in a list of lines.
 */
#include "sim/lab/fold.h"

#include <string.h>

#define LONGEST 24 /* group that is looked for */

struct list {
	const char *(*key)(const void *ctx, u32 i);
	const void *ctx;
	u32 nr;
};

/* How often lines [at, at + size) stand there. */
static u32 repeats(const struct list *l, u32 at, u32 size)
{
	u32 n = 1;

	while (at + (n + 1) * size <= l->nr) {
		for (u32 k = 0; k < size; k++) {
			if (strcmp(l->key(l->ctx, at + k), l->key(l->ctx, at + n * size + k)))
				return n;
		}
		n++;
	}
	return n;
}

struct lab_fold lab_fold_at(const char *(*key)(const void *ctx, u32 i), const void *ctx, u32 nr,
			    u32 at)
{
	const struct list l = {key, ctx, nr};
	struct lab_fold f = {1, repeats(&l, at, 1)};

	for (u32 size = f.times + 1; size <= LONGEST && at + size <= nr; size++) {
		u32 times = repeats(&l, at, size);

		if (size > 1 && times > 2)
			return (struct lab_fold){size, times};
	}
	return f;
}
