/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "--mmu DIR" of any command that runs scenarios: the same command in the tdxsim that tools/ktree
 * built in DIR, over a user's kernel tree.
 */
#ifndef TOOLS_MMU_TREE_H
#define TOOLS_MMU_TREE_H

#include <stdbool.h>

/* The help line of the option, for every command that takes it. */
#define MMU_TREE_HELP "run a kernel tree's own TDP MMU, built by tools/ktree in DIR"

/*
 * If @argv has the option, run the other program with the rest: returns only if that can't be done,
 * with the exit status. 0: there was no such option, or it is the business of the command itself.
 */
int mmu_tree_exec(int *argc, char **argv);

/* DIR/tdxsim, jemalloc's or NULL after an error message; warns if it is older than this program. */
char *mmu_tree_program(const char *dir);

#endif
