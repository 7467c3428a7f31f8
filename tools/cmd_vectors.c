// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim vectors": recorded vectors against our module, one closing line.
 * The player is sim/lab/vectors.h; here are only its options and the exit status.
 */
#include <stdio.h>

#include "sim/lab/vectors.h"
#include "tools/cmd.h"
#include "tools/opts.h"

static bool vectors_option(void *ctx, u32 i, const char *arg)
{
	*(bool *)ctx = true; /* --check is the only one */
	return true;
}

static const struct opt vectors_options[] = {
	{"check", NULL, "check the module's conservation rules after every call"},
	{0},
};

static const struct opts vectors_opts = {
	.command = "vectors",
	.operands = "FILE|DIR...",
	.what = "Plays calls that the real TDX module answered against this one, each recording on the profile of the\n"
		"release that made it and without the TLB model, and prints each difference: FILE:LINE, the call, the\n"
		"registers. FILE is a .tdxvec recording, a .tar.xz archive of them, or one in it (ARCHIVE/NAME).",
	.opt = vectors_options,
	.more = "The last line is calls=N matched=N. Exit status: 0 all matched; 1 something differs; 2 bad input.\n",
	.set = vectors_option,
};

int cmd_vectors(int argc, char **argv)
{
	struct lab_vectors_opts opts = {.out = stdout};
	struct lab_vectors_sum sum = {0};
	struct lab_vectors *v;
	bool check = false;
	u32 wrong = 0;
	int status, i = opts_parse(&vectors_opts, argc, argv, &check, &status);

	if (i < 0)
		return status;
	if (i == argc)
		return opts_error(&vectors_opts, "found no operand, expected FILE or DIR");
	opts.check = check;
	v = lab_vectors_new();
	for (; i < argc; i++)
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
