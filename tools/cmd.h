/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subcommands of tdxsim: one function each, in a file of its own.
 * argv[0] is the subcommand's name; the result is the exit status of the program (docs/design.md).
 * What they do is in sim/lab; here is only what a command line adds.
 */
#ifndef TOOLS_CMD_H
#define TOOLS_CMD_H

int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_coverage(int argc, char **argv);
int cmd_fuzz(int argc, char **argv);
int cmd_shrink(int argc, char **argv);
int cmd_debug(int argc, char **argv);
int cmd_vectors(int argc, char **argv);
int cmd_diff_mmu(int argc, char **argv);

#endif
