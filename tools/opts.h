/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of a subcommand as one table, which both parses them and prints the help.
 * What an option means is the subcommand's.
 */
#ifndef TOOLS_OPTS_H
#define TOOLS_OPTS_H

#include <stdio.h>

#include "sim/rt/types.h"

struct opt {
	const char *name; /* long form; NULL ends the table */
	const char *arg;  /* as help names its argument; NULL: it takes none */
	const char *help;
};

struct opts {
	const char *command;  /* "run" */
	const char *operands; /* "FILE..." */
	const char *what;     /* sentences for the help */
	const struct opt *opt;
	const char *more; /* text behind the options; NULL: none */
	bool mmu; /* help tells of --mmu, which mmu_tree.h takes before options are parsed */
	/* Option @i was given. False: its argument is no good, and a line said so. */
	bool (*set)(void *ctx, u32 i, const char *arg);
};

/*
 * opts_parse - options of argv into @ctx.
 * Returns the index of the first operand, or -1 with *@status set: --help was printed (0), or an
 * option is wrong (2).
 */
int opts_parse(const struct opts *o, int argc, char **argv, void *ctx, int *status);
void opts_help(const struct opts *o, FILE *out);
/* "tdxsim COMMAND: ..." in one line; the exit status of bad input. */
int opts_error(const struct opts *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A decimal or hex number; false and a line if it is none. */
bool opts_number(const struct opts *o, u32 i, const char *arg, u64 *num);
/* Index of @arg in @words; -1 and a line naming them if it is none of them. */
int opts_word(const struct opts *o, u32 i, const char *arg, const char *const *words);

#endif
