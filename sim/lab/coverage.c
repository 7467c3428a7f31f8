// SPDX-License-Identifier: GPL-2.0-only
/*
 * Collecting what runs reach: an observer in each module, and the set-up of each scenario.
 * How it is told is in coverage_print.c.
 */
#include "sim/lab/coverage.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/coverage_int.h"
#include "sim/lab/oracle.h"
#include "sim/lab/run.h"
#include "sim/lab/util.h"
#include "sim/lab/vectors.h"
#include "tdx/abi.h"

/* What the dispatcher answers before any leaf runs has a row of its own. */
static u32 row_of(u32 row, u64 status)
{
	bool early = status == SEAM_SYS_NOT_READY || status == SEAM_SYS_SHUTDOWN;

	return early ? SEAM_ROW_NONE : row;
}

static void on_answer(void *ctx, u32 row, u64 rax, bool forced)
{
	struct lab_coverage *c = ctx;
	u64 status = seam_status(rax);
	struct cover_row *r = &c->row[row_of(row, status)];
	u32 i = 0;

	if (forced)
		return;
	while (i < r->nr_status && r->status[i].status != status)
		i++;
	if (i == COVER_STATUSES)
		return;
	if (i == r->nr_status) {
		r->nr_status++;
		r->status[i].status = status;
	}
	r->status[i].count++;
}

static void on_entry(void *ctx, u32 row, u8 from, u8 to)
{
	struct lab_coverage *c = ctx;
	struct cover_row *r = &c->row[row];
	u32 i = 0;

	while (i < r->nr_entry && (r->entry[i].from != from || r->entry[i].to != to))
		i++;
	if (i == COVER_ENTRIES)
		return;
	if (i == r->nr_entry) {
		r->nr_entry++;
		r->entry[i].from = from;
		r->entry[i].to = to;
	}
	r->entry[i].count++;
}

struct lab_coverage *lab_coverage_new(void)
{
	struct lab_coverage *c = lab_zalloc(sizeof(*c));

	c->observer = (struct seam_observer){on_answer, on_entry, c};
	return c;
}

void lab_coverage_free(struct lab_coverage *c)
{
	free(c);
}

u64 cover_status(const struct lab_coverage *c, u32 row, u64 status)
{
	const struct cover_row *r = &c->row[row];

	for (u32 i = 0; i < r->nr_status; i++) {
		if (r->status[i].status == status)
			return r->status[i].count;
	}
	return 0;
}

u64 cover_entry(const struct lab_coverage *c, u32 row, u8 from, u8 to)
{
	const struct cover_row *r = &c->row[row];

	for (u32 i = 0; i < r->nr_entry; i++) {
		if (r->entry[i].from == from && r->entry[i].to == to)
			return r->entry[i].count;
	}
	return 0;
}

const char *cover_row_name(u32 row)
{
	const char *name;

	assert(row < SEAM_ROWS);
	if (row == SEAM_ROW_NONE)
		return "any leaf";
	name = row < SEAM_ROW_TDG(0) ? seam_leaf_name(row)
				     : seam_tdg_leaf_name(row - SEAM_ROW_TDG(0));
	return name ? name : "unknown leaf";
}

/* ---- scenarios ---- */

static void note_oracle(struct lab_coverage *c, const char *name)
{
	const struct lab_oracle_desc *o;

	for (u32 i = 0; i < COVER_ORACLES && (o = lab_oracle_desc(i)); i++)
		c->oracle[i] += !strcmp(o->name, name);
}

/* The designs that a scenario runs under, and the rules that it means to break. */
static void note_setup(struct lab_coverage *c, const char *path)
{
	FILE *quiet = fopen("/dev/null", "w");
	struct lab_diag d = {quiet, 0};
	struct lab_scenario sc;
	struct lab_source src;
	struct lab_setup su;
	char *text = quiet ? lab_source_read(path, &src, &d) : NULL;

	lab_scenario_init(&sc);
	if (text && !lab_parse(&sc, &src, &d) && !lab_setup_resolve(&sc, &su, &d)) {
		for (u32 i = 0; kvm_policies[i].key; i++)
			c->kvm_policy[i] |= RT_BIT(su.kvm_policy[i]);
		for (u32 i = 0; i < sc.nr_ops; i++) {
			if (sc.ops[i].kind == LAB_OP_EXP_VIOLATION)
				note_oracle(c,
					    lab_string(&sc, (u32)lab_num(&sc.ops[i], "ORACLE", 0)));
		}
	}
	lab_scenario_free(&sc);
	free(text);
	if (quiet)
		fclose(quiet);
}

static u32 add_scenario(struct lab_coverage *c, const char *path, FILE *err)
{
	struct lab_run_opts opts = {
		.session = {.no_trace = true, .observer = &c->observer},
		.replay_path = "/dev/null",
		.out = fopen("/dev/null", "w"),
		.err = err,
	};
	enum lab_verdict v;

	if (!opts.out)
		return 1;
	v = lab_run_file(path, 1, &opts);
	fclose(opts.out);
	c->scenarios++;
	if (v != LAB_HELD) {
		fprintf(err, "%s: did not hold (exit status %d)\n", path, v);
		c->failed++;
	}
	note_setup(c, path);
	return v == LAB_BAD_INPUT;
}

/* ---- recordings ---- */

static u32 add_vectors(struct lab_coverage *c, const char *path, FILE *err)
{
	const struct lab_vectors_opts opts = {.observer = &c->observer};
	struct lab_vectors_sum sum = {0};
	struct lab_vectors *v = lab_vectors_new();
	u32 wrong = lab_vectors_add(v, path, err);

	lab_vectors_play(v, &opts, &sum);
	lab_vectors_free(v);
	c->calls += (u32)sum.calls;
	c->failed += (u32)(sum.calls - sum.matched);
	return wrong;
}

static bool is_scenario(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && !strcmp(path + len - 4, ".scn");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The scenarios in a directory, in the order of names; 0 if there are none. */
static u32 scenarios_in(const char *path, char ***names)
{
	DIR *dir = opendir(path);
	struct dirent *de;
	u32 nr = 0, cap = 0;

	*names = NULL;
	while (dir && (de = readdir(dir))) {
		size_t len = strlen(path) + strlen(de->d_name) + 2;

		if (!is_scenario(de->d_name))
			continue;
		*names = lab_grow(*names, &cap, nr + 1, sizeof(**names));
		(*names)[nr] = lab_zalloc(len);
		snprintf((*names)[nr++], len, "%s/%s", path, de->d_name);
	}
	if (dir)
		closedir(dir);
	if (nr)
		qsort(*names, nr, sizeof(**names), by_name);
	return nr;
}

u32 lab_coverage_add(struct lab_coverage *c, const char *path, FILE *err)
{
	char **names;
	u32 wrong = 0, nr;

	if (is_scenario(path))
		return add_scenario(c, path, err);
	nr = scenarios_in(path, &names);
	for (u32 i = 0; i < nr; i++) {
		wrong += add_scenario(c, names[i], err);
		free(names[i]);
	}
	free(names);
	if (nr)
		return wrong;
	wrong = add_vectors(c, path, err);
	if (wrong)
		fprintf(err,
			"%s: no scenarios (.scn) either; of an input of a corpus \"tdxsim fuzz --print FILE\" makes one\n",
			path);
	return wrong;
}
