/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the comparison: one column, and the table that columns fill. Not for other
 * rooms.
 */
#ifndef LAB_COMPARE_INT_H
#define LAB_COMPARE_INT_H

#include "sim/lab/compare.h"

/* --- compare_table.c ---------------------------------------------------------------------- */

enum lab_row_show {
	LAB_SHOW_ALWAYS,
	LAB_SHOW_SET,	 /* if one cell is neither 0 nor empty */
	LAB_SHOW_DIFFER, /* if two cells differ */
};

struct lab_cell {
	char *text; /* NULL: a number */
	u64 num;
};

struct lab_row {
	const char *group; /* literal */
	char *name;
	enum lab_row_show show;
	struct lab_cell cell[LAB_COLUMNS_MAX];
};

/*
 * Invariant: rows of one group stand together, groups and rows in the order in which they first
 * came; a cell that nobody filled is 0, or empty where others of its row are text.
 */
struct lab_table {
	const char *column[LAB_COLUMNS_MAX];
	u32 nr_columns;
	bool only_differing; /* show no other rows */
	struct lab_row *row;
	u32 nr_rows, cap_rows;
	char **note; /* sentences behind the table */
	u32 nr_notes, cap_notes;
};

void lab_table_num(struct lab_table *t, u32 col, enum lab_row_show show, const char *group,
		   const char *name, u64 num);
void lab_table_text(struct lab_table *t, u32 col, enum lab_row_show show, const char *group,
		    const char *name, const char *text);
void lab_table_note(struct lab_table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void lab_table_print(const struct lab_table *t, const struct lab_compare_opts *opts,
		     const char *setup);
void lab_table_free(struct lab_table *t);

/* --- compare_policy.c --------------------------------------------------------------------- */

/*
 * lab_policy_apply - lay the policies of @text over the set-up of @sc.
 * Returns the number of errors, each written to @d.
 */
u32 lab_policy_apply(struct lab_scenario *sc, const char *text, struct lab_diag *d);

/* --- compare_run.c, compare_fail.c -------------------------------------------------------- */

struct lab_column {
	u32 nr; /* from 0 */
	const struct lab_compare_opts *opts;
	struct lab_scenario sc;
	struct lab_setup su;
	u32 nr_ops; /* of the scenario; compare_fail.c appends templates of its own */
	/* What was met, as bits 1 << enum lab_verdict. */
	u32 met;
	bool *held; /* [nr_ops]: of an expectation */
};

/* The run itself and its rows. False, with a line on @err, if no machine can be made. */
bool lab_column_run(struct lab_column *c, struct lab_table *t);
/* Its failure points, one by one, and their rows. */
bool lab_column_fail_each(struct lab_column *c, struct lab_table *t);

/* Oracles that say that attributes, folios and mappings no longer belong together. */
bool lab_rule_is_apart(const char *rule);

#endif
