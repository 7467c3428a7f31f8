// SPDX-License-Identifier: GPL-2.0-only
/*
 * One program a kernel tree: its per-CPU variables want a link of their own, and so every command
 * works on a tree without knowing of it. Building one is tools/ktree.
 */
#include "tools/mmu_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BAD 2

static bool is_older(const struct stat *a, const struct stat *b)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec < b->st_mtim.tv_sec;
	return a->st_mtim.tv_nsec < b->st_mtim.tv_nsec;
}

char *mmu_tree_program(const char *dir)
{
	size_t size = strlen(dir) + sizeof("/tdxsim");
	char *path = malloc(size);
	struct stat there, here;

	if (!path) {
		fputs("tdxsim: out of memory\n", stderr);
		return NULL;
	}
	snprintf(path, size, "%s/tdxsim", dir);
	if (access(path, X_OK) || stat(path, &there)) {
		fprintf(stderr,
			"tdxsim: --mmu %s: found no program %s (%s); build one: tools/ktree TREE --build %s\n",
			dir, path, strerror(errno), dir);
		free(path);
		return NULL;
	}
	if (!stat("/proc/self/exe", &here) && is_older(&there, &here))
		fprintf(stderr,
			"tdxsim: --mmu %s is older than this tdxsim; tools/ktree renews it\n", dir);
	return path;
}

/* Takes the option out of @argv: its directory, NULL if it is not there, "" without a value. */
static const char *take_option(int *argc, char **argv)
{
	const char *dir = NULL;
	int to = 1, i;

	for (i = 1; i < *argc; i++) {
		if (!strcmp(argv[i], "--")) {
			while (i < *argc)
				argv[to++] = argv[i++];
			break;
		}
		if (!strcmp(argv[i], "--mmu"))
			dir = i + 1 < *argc ? argv[++i] : "";
		else if (!strncmp(argv[i], "--mmu=", 6))
			dir = argv[i] + 6;
		else
			argv[to++] = argv[i];
	}
	argv[to] = NULL;
	*argc = to;
	return dir;
}

int mmu_tree_exec(int *argc, char **argv)
{
	const char *dir;
	char *path;

	if (!strcmp(argv[1], "diff-mmu"))
		return 0;
	dir = take_option(argc, argv);
	if (!dir)
		return 0;
	if (!*dir) {
		fputs("tdxsim: --mmu takes a directory: --mmu DIR, as tools/ktree built it\n",
		      stderr);
		return BAD;
	}
	path = mmu_tree_program(dir);
	if (!path)
		return BAD;
	execv(path, argv);
	fprintf(stderr, "tdxsim: %s: %s\n", path, strerror(errno));
	free(path);
	return BAD;
}
