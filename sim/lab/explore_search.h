/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The search under way, for the two files that know all of it: explore.c, which does it, and
 * explore_file.c, which keeps it.
 */
#ifndef LAB_EXPLORE_SEARCH_H
#define LAB_EXPLORE_SEARCH_H

#include "sim/lab/explore_int.h"

struct lab_ex {
	struct lab_ex_model model;
	struct lab_ex_opts opts;
	struct ex_runner runner;
	struct ex_store store;
	struct ex_queue first; /* one state: from which schedules are played again */
	/* Breadth first, states of this depth from @at on, and of the next; depth first, a stack. */
	struct ex_queue now, next;
	u32 at;
	struct ex_jobs *jobs;
	struct lab_ex_found found[LAB_EX_FOUND_MAX];
	u32 nr_found;
	/* Of a shard: the states before it went its own way, and whether it has. */
	u32 prefix;
	bool split;
	struct lab_ex_totals totals;
	bool over; /* nothing waits any more */
	bool stop;
	enum lab_ex_file file;
	u64 began_at, saved_at, shown_at; /* milliseconds of the host's clock */
	u32 began_with;			  /* states */
};

/*
 * State @id as it was when it was new, by playing its schedule again, to the end of @q. False: that
 * leads to another state.
 */
bool ex_rerun(struct lab_ex *x, u32 id, u8 preemptions, struct ex_queue *q);

/* The first state is in @x->first from here on. */
void ex_need_first(struct lab_ex *x);

/* ---- explore_file.c ---- */

enum ex_file_read {
	EX_FILE_READ,
	EX_FILE_NONE,	 /* there is no such file */
	EX_FILE_DAMAGED, /* it can't be read, or is no checkpoint, or not whole */
	EX_FILE_FOREIGN, /* of another scenario, other options, another build */
};
/* Into @x, whose search has not begun; the first state is there. */
enum ex_file_read ex_file_read(struct lab_ex *x, const char *path);
/* 0, or an errno; then the file is as it was. */
int ex_file_write(const struct lab_ex *x, const char *path);

#endif
