// SPDX-License-Identifier: GPL-2.0-only
/*
 * "tdxsim diff-mmu": each scenario on the port and on a kernel tree, and what differs. Two programs
 * make the records (report_record.c); here they are run, read and laid side by side.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/lab/util.h"
#include "tools/cmd.h"
#include "tools/mmu_tree.h"
#include "tools/opts.h"

#define SETS_MAX 64
#define COLUMN	 72
/* Differing lines of one file that are shown. */
#define SHOWN_MAX 12

enum {
	OPT_MMU,
	OPT_SET,
	OPT_SEED,
	OPT_ALL,
};

static const struct opt diff_options[] = {
	[OPT_MMU] = {"mmu", "DIR", "the kernel tree, as tools/ktree built it in DIR"},
	[OPT_SET] = {"set", "SECTION.KEY=VALUE", "change the set-up of both"},
	[OPT_SEED] = {"seed", "N", "random schedules from this seed; each MMU has its own points"},
	[OPT_ALL] = {"all", NULL, "show every differing line, not the first of each file"},
	{0},
};

struct diff {
	const char *dir;
	char *self, *tree;
	const char *set[SETS_MAX + 1];
	u32 nr_sets;
	const char *seed;
	bool all;
	u32 files, same, differ, skipped, entered;
};

static bool diff_set(void *arg, u32 i, const char *val);

static const struct opts diff_opts = {
	.command = "diff-mmu",
	.operands = "FILE|DIR...",
	.what = "Runs scenarios on the port and on a kernel tree, and compares after each action: outcome, SEAMCALLs,\n"
		"S-EPT, mirror and shared tables. Host addresses, steps and time are left out.",
	.opt = diff_options,
	.more = "Exit status: 0 all that ran are alike; 1 something differs; 2 bad input; 77 all were skipped.\n"
		"docs/ktree.md lists the differences that are known, with their reasons.\n",
	.set = diff_set,
};

static bool diff_set(void *arg, u32 i, const char *val)
{
	struct diff *d = arg;
	u64 n;

	switch (i) {
	case OPT_MMU:
		d->dir = val;
		return true;
	case OPT_SET:
		if (d->nr_sets == SETS_MAX) {
			opts_error(&diff_opts, "at most %d times --set", SETS_MAX);
			return false;
		}
		d->set[d->nr_sets++] = val;
		return true;
	case OPT_SEED:
		d->seed = val;
		return opts_number(&diff_opts, i, val, &n);
	case OPT_ALL:
		d->all = true;
		return true;
	}
	return false;
}

/* --- a record ----------------------------------------------------------- */

struct record {
	char *text;
	char **line; /* each ends with 0 */
	u32 nr, cap;
	int status; /* exit status; -1: it died */
};

static void exec_run(const struct diff *d, const char *program, const char *file)
{
	const char *argv[2 * SETS_MAX + 12];
	u32 n = 0;

	argv[n++] = program;
	argv[n++] = "run";
	argv[n++] = "--format";
	argv[n++] = "record";
	argv[n++] = "--replay";
	argv[n++] = "/dev/null";
	for (u32 i = 0; i < d->nr_sets; i++) {
		argv[n++] = "--set";
		argv[n++] = d->set[i];
	}
	if (d->seed) {
		argv[n++] = "--seed";
		argv[n++] = d->seed;
	}
	argv[n++] = file;
	argv[n] = NULL;
	execv(program, (char *const *)argv);
	fprintf(stderr, "tdxsim: %s: %s\n", program, strerror(errno));
	_exit(127);
}

static char *read_all(int fd)
{
	size_t cap = 1 << 16, len = 0;
	char *text = lab_zalloc(cap);
	ssize_t n;

	while ((n = read(fd, text + len, cap - len - 1)) > 0) {
		len += (size_t)n;
		if (len + 1 == cap) {
			char *more = lab_zalloc(2 * cap);

			memcpy(more, text, len);
			free(text);
			text = more;
			cap *= 2;
		}
	}
	return text;
}

static void cut_lines(struct record *r)
{
	for (char *at = r->text; *at;) {
		size_t len = strcspn(at, "\n");

		r->line = lab_grow(r->line, &r->cap, r->nr + 1, sizeof(*r->line));
		r->line[r->nr++] = at;
		if (!at[len])
			break;
		at[len] = 0;
		at += len + 1;
	}
}

/* False, after a message: the program could not be run at all. */
static bool record(const struct diff *d, const char *program, const char *file, struct record *r)
{
	int fd[2], status;
	pid_t pid;

	*r = (struct record){0};
	if (pipe(fd))
		return opts_error(&diff_opts, "pipe: %s", strerror(errno)), false;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return opts_error(&diff_opts, "fork: %s", strerror(errno)), false;
	if (!pid) {
		dup2(fd[1], STDOUT_FILENO);
		close(fd[0]);
		close(fd[1]);
		exec_run(d, program, file);
	}
	close(fd[1]);
	r->text = read_all(fd[0]);
	close(fd[0]);
	waitpid(pid, &status, 0);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	cut_lines(r);
	return r->status != 127;
}

static void record_free(struct record *r)
{
	free(r->line);
	free(r->text);
}

static const char *line_of(const struct record *r, u32 i)
{
	return i < r->nr ? r->line[i] : "";
}

static bool begins(const char *line, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(line, word, len) && (line[len] == ' ' || !line[len]);
}

/* --- side by side ------------------------------------------------------- */

/* What a line is about, in the order in which the summary names it. */
static const char *const aspects[] = {"outcome", "calls", "sept",    "mirror", "shared",
				      "broken",	 "stuck", "verdict", "action", NULL};

static void put_pair(const char *left, const char *right)
{
	char mark = !*left ? '>' : !*right ? '<' : '|';

	printf("    %-*.*s %c %s\n", COLUMN, COLUMN, left, mark, right);
}

struct shown {
	u32 nr;
	u32 action; /* line in the record of the action that was named last; ~0 none */
	bool about[RT_ARRAY_SIZE(aspects)];
};

/* What is never left out: how it ended. */
static bool is_verdict(const char *line)
{
	return begins(line, "broken") || begins(line, "stuck") || begins(line, "verdict");
}

static void note(const struct diff *d, struct shown *s, u32 action, const char *header,
		 const char *left, const char *right)
{
	for (u32 i = 0; aspects[i]; i++)
		s->about[i] |= begins(left, aspects[i]) || begins(right, aspects[i]);
	s->nr++;
	if (!d->all && s->nr > SHOWN_MAX && !is_verdict(left) && !is_verdict(right))
		return;
	if (s->action != action)
		printf("  %s\n", header);
	s->action = action;
	put_pair(left, right);
}

/* The lines of one action: [from, to) of a record. */
struct section {
	u32 from, to;
};

static struct section section_at(const struct record *r, u32 from)
{
	u32 to = from + 1;

	while (to < r->nr && !begins(r->line[to], "action"))
		to++;
	return (struct section){from < r->nr ? from : r->nr, to < r->nr ? to : r->nr};
}

static bool has_line(const struct record *r, struct section s, const char *line)
{
	for (u32 i = s.from; i < s.to; i++) {
		if (!strcmp(r->line[i], line))
			return true;
	}
	return false;
}

/* What is in one and not in the other, pair by pair in their order. */
static void compare_section(const struct diff *d, struct shown *s, const struct record *a,
			    struct section sa, const struct record *b, struct section sb)
{
	const char *header = line_of(a, sa.from);
	u32 i = sa.from, j = sb.from;

	while (i < sa.to || j < sb.to) {
		while (i < sa.to && has_line(b, sb, a->line[i]))
			i++;
		while (j < sb.to && has_line(a, sa, b->line[j]))
			j++;
		if (i >= sa.to && j >= sb.to)
			return;
		/* Lines of the same aspect stand beside each other. */
		if (i < sa.to && j < sb.to &&
		    strcspn(a->line[i], " ") == strcspn(b->line[j], " ") &&
		    !strncmp(a->line[i], b->line[j], strcspn(a->line[i], " "))) {
			note(d, s, sa.from, header, a->line[i++], b->line[j++]);
		} else if (i < sa.to) {
			note(d, s, sa.from, header, a->line[i++], "");
		} else {
			note(d, s, sa.from, header, "", b->line[j++]);
		}
	}
}

/* "entered N" is about the tree alone. */
static bool take_entered(struct record *r)
{
	bool entered = r->nr && !strcmp(r->line[r->nr - 1], "entered 1");

	if (r->nr && begins(r->line[r->nr - 1], "entered"))
		r->nr--;
	return entered;
}

static void summary(const char *file, const struct shown *s)
{
	printf("%s: differs in", file);
	for (u32 i = 0, n = 0; aspects[i]; i++) {
		if (s->about[i])
			printf("%s %s", n++ ? "," : "", aspects[i]);
	}
	if (s->nr > SHOWN_MAX)
		printf(" (%u lines)", s->nr);
	printf("\n");
}

static void compare(struct diff *d, const char *file, struct record *a, struct record *b)
{
	struct shown s = {.action = ~0U};
	struct section sa = {0}, sb = {0};

	take_entered(a);
	d->entered += take_entered(b);
	for (; sa.to < a->nr || sb.to < b->nr;) {
		sa = section_at(a, sa.to);
		sb = section_at(b, sb.to);
		compare_section(d, &s, a, sa, b, sb);
	}
	if (b->status < 0) {
		printf("  the tree's program died in the middle\n");
		s.nr++;
	}
	d->same += !s.nr;
	d->differ += s.nr > 0;
	if (s.nr)
		summary(file, &s);
}

/* False: the command can't go on. */
static bool diff_file(struct diff *d, const char *file)
{
	struct record a, b = {0};
	bool ok = record(d, d->self, file, &a) && record(d, d->tree, file, &b);

	if (ok && a.status == 2) {
		/* The message is on stderr already. */
		ok = false;
	} else if (ok) {
		d->files++;
		if (begins(line_of(&b, 1), "skipped")) {
			d->skipped++;
			if (d->all)
				printf("%s: %s\n", file, b.line[1]);
		} else {
			compare(d, file, &a, &b);
		}
	}
	record_free(&a);
	record_free(&b);
	return ok;
}

static int is_scenario(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && !strcmp(dot, ".scn");
}

static bool diff_dir(struct diff *d, const char *dir)
{
	struct dirent **entry;
	int nr = scandir(dir, &entry, is_scenario, alphasort);
	bool ok = nr >= 0;

	if (nr < 0)
		opts_error(&diff_opts, "%s: %s", dir, strerror(errno));
	for (int i = 0; i < nr; i++) {
		size_t size = strlen(dir) + strlen(entry[i]->d_name) + 2;
		char *path = lab_zalloc(size);

		snprintf(path, size, "%s/%s", dir, entry[i]->d_name);
		ok = ok && diff_file(d, path);
		free(path);
		free(entry[i]);
	}
	if (nr >= 0)
		free(entry);
	return ok;
}

static char *self_program(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		return NULL;
	path[n] = 0;
	return lab_strdup(path);
}

static int diff_all(struct diff *d, int argc, char **argv)
{
	struct stat st;

	for (int i = 0; i < argc; i++) {
		bool dir = !stat(argv[i], &st) && S_ISDIR(st.st_mode);

		if (!(dir ? diff_dir(d, argv[i]) : diff_file(d, argv[i])))
			return 2;
	}
	printf("%u scenarios: %u alike, %u differ, %u skipped; %u ran code of the kernel tree\n",
	       d->files, d->same, d->differ, d->skipped, d->entered);
	if (d->differ)
		return 1;
	return d->same ? 0 : 77;
}

int cmd_diff_mmu(int argc, char **argv)
{
	struct diff d = {0};
	int status, first = opts_parse(&diff_opts, argc, argv, &d, &status);

	if (first < 0)
		return status;
	if (!d.dir)
		return opts_error(&diff_opts, "found no --mmu, expected --mmu DIR (docs/ktree.md)");
	if (first == argc)
		return opts_error(&diff_opts, "found no operand, expected FILE or DIR");
	d.tree = mmu_tree_program(d.dir);
	d.self = self_program();
	status = d.tree && d.self ? diff_all(&d, argc - first, argv + first) : 2;
	free(d.tree);
	free(d.self);
	return status;
}
