// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim vectors": recorded vectors against our module, one closing line.
 * The player is sim/lab/vectors.h; here are only its options and the exit status.
 */
#include <stdio.h>

#include "sim/lab/vectors.h"
#include "tools/cmd.h"

struct vectors_ctx {
	bool check;
};

static bool vectors_option(void *ctx, const struct cmd_opt *opt, const char *arg)
{
	struct vectors_ctx *c = ctx;

	c->check = true; /* the only one */
	return true;
}

static int vectors_run(int argc, char **argv, void *ctx)
{
	const struct vectors_ctx *c = ctx;
	struct lab_vectors_opts opts = {.check = c->check, .out = stdout};
	struct lab_vectors_sum sum = {0};
	struct lab_vectors *v;
	u32 wrong = 0;
	int i;

	if (!argc)
		return cmd_error("vectors: found no operand, expected FILE or DIR");
	v = lab_vectors_new();
	for (i = 0; i < argc; i++)
		wrong += lab_vectors_add(v, argv[i], stderr);
	lab_vectors_play(v, &opts, &sum);
	lab_vectors_free(v);
	if (opts.check)
		printf("unsound=%llu\n", sum.unsound);
	printf("calls=%llu matched=%llu\n", sum.calls, sum.matched);
	if (wrong || sum.no_machine)
		return 2;
	return sum.calls == sum.matched && !sum.unsound ? 0 : 1;
}

static const struct cmd_opt vectors_opts[] = {
	{"check", 0, NULL, "check the module's conservation rules after every call"},
	{NULL},
};

const struct cmd cmd_vectors = {
	.name = "vectors",
	.args = "FILE|DIR...",
	.help = "play calls that the real module answered (.tdxvec, .tar.xz, ARCHIVE/NAME) against ours",
	.opts = vectors_opts,
	.run = vectors_run,
	.option = vectors_option,
	.ctx_size = sizeof(struct vectors_ctx),
};
