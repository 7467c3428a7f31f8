// SPDX-License-Identifier: GPL-2.0-only
/*
 * The binary: which subcommand, and the help that lists them. Everything else is in cmd_*.c and in
 * sim/lab.
 */
#include <stdio.h>
#include <string.h>

#include "sim/lab/diag.h"
#include "tools/cmd.h"
#include "tools/mmu_tree.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"run", cmd_run, "run scenarios: actions, expectations, oracles"},
	{"explore", cmd_explore,
	 "every schedule of a scenario: proof, or the shortest one that breaks"},
	{"debug", cmd_debug, "walk through a run, forward and backward, by commands"},
	{"list", cmd_list, "leaves, status codes, features, policies, oracles, faults, statistics"},
	{"fuzz", cmd_fuzz, "make scenarios, run them, and shrink each that breaks a rule"},
	{"shrink", cmd_shrink, "a failing scenario to a short one that fails the same way"},
	{"compare", cmd_compare, "a scenario under several policies: one table, a column each"},
	{"coverage", cmd_coverage, "what scenarios and recordings reached of what can be reached"},
	{"vectors", cmd_vectors, "play recordings of the real TDX module against this one"},
	{"diff-mmu", cmd_diff_mmu, "scenarios on the port and on a kernel tree, side by side"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	fputs("Usage: tdxsim COMMAND [OPTION]... [OPERAND]...\n\n"
	      "Simulates the TDX module with its Secure EPT, KVM's TDP MMU over it, and guest_memfd,\n"
	      "driven by scenarios in text.\n\n"
	      "Commands (\"tdxsim COMMAND --help\" for each):\n",
	      out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\nExit status: 0 everything held; 1 an expectation failed; 2 bad input; 3 a defect of tdxsim;\n"
	      "4 an oracle broke; 5 deadlock or no progress; 77 skipped.\n",
	      out);
}

/* A report that nobody could be given must not look like one that held. */
static int close_output(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fputs("tdxsim: the output could not be written\n", stderr);
	return status ? status : 2;
}

static const char *next_command(const void *ctx, u32 i)
{
	return i < COMMANDS ? commands[i].name : NULL;
}

int main(int argc, char **argv)
{
	const char *near;
	int status;

	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return close_output(0);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("tdxsim " TDXSIM_VERSION);
		return close_output(0);
	}
	status = mmu_tree_exec(&argc, argv);
	if (status)
		return status;
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i].name, argv[1]))
			return close_output(commands[i].run(argc - 1, argv + 1));
	}
	near = lab_nearest(argv[1], strlen(argv[1]), next_command, NULL);
	fprintf(stderr, "tdxsim: found \"%s\", expected a command (tdxsim --help)%s%s%s\n", argv[1],
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return 2;
}
