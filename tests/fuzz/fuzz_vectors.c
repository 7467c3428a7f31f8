// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz-vectors: any bytes as a recording of a real module. It is refused with a place and a reason,
 * or it is played against ours, whose books must agree after every call.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/lab/vectors.h"
#include "sim/lab/vectors_int.h"
#include "sim/rt/world.h"
#include "tests/fuzz/target.h"

static struct {
	struct vec_dict *dict;
	struct rt_world *world;
} kept;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct lab_vectors_opts opts = {.check = true};
	struct lab_vectors_sum sum = {0};
	struct vec_error err;
	struct vec_file f;

	if (!kept.dict) {
		kept.dict = vec_dict_new();
		kept.world = rt_world_new(NULL);
		if (!kept.world)
			abort();
	}
	if (!vec_parse(kept.dict, "input", (const char *)data, size, &f, &err))
		return 0;
	rt_world_enter(kept.world);
	rt_world_reset(kept.world);
	vec_play(&f, &opts, &sum);
	vec_file_free(&f);
	if (!sum.unsound)
		return 0;
	fputs("the module's books do not agree\n", stderr);
	abort();
}
