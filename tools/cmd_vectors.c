// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim vectors": recorded vectors against our module, one closing line.
 * The player is sim/lab/vectors.h; here are only the options and the exit status.
 */
#include <getopt.h>
#include <stdio.h>

#include "sim/lab/vectors.h"
#include "tools/cmd.h"

static const char vectors_usage[] =
	"Usage: tdxsim vectors [--check] FILE|DIR...\n"
	"\n"
	"Plays calls that the real TDX module answered against ours, each recording on the profile of the release\n"
	"that made it and without the TLB model, and prints each difference: FILE:LINE, the call, the registers.\n"
	"FILE is a .tdxvec recording, a .tar.xz archive of them, or one in it (ARCHIVE/NAME); DIR is searched for both.\n"
	"\n"
	"  --check   check the module's conservation rules after every call\n"
	"  --help    this text\n"
	"\n"
	"The last line is calls=N matched=N. Exit status: 0 all matched; 1 something differs; 2 bad input.\n";

int cmd_vectors(int argc, char **argv)
{
	static const struct option options[] = {
		{"check", no_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct lab_vectors_opts opts = {.out = stdout};
	struct lab_vectors_sum sum = {0};
	struct lab_vectors *v;
	u32 wrong = 0;
	int opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'h') {
			fputs(vectors_usage, stdout);
			return 0;
		}
		if (opt != 'c') {
			fputs(vectors_usage, stderr);
			return 2;
		}
		opts.check = true;
	}
	if (optind == argc) {
		fprintf(stderr, "tdxsim vectors: found no operand, expected FILE or DIR\n%s",
			vectors_usage);
		return 2;
	}
	v = lab_vectors_new();
	for (; optind < argc; optind++)
		wrong += lab_vectors_add(v, argv[optind], stderr);
	lab_vectors_play(v, &opts, &sum);
	lab_vectors_free(v);
	if (opts.check)
		printf("unsound=%llu\n", sum.unsound);
	printf("calls=%llu matched=%llu\n", sum.calls, sum.matched);
	if (wrong)
		return 2;
	return sum.calls == sum.matched && !sum.unsound ? 0 : 1;
}
