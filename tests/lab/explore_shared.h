/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of explore_programs.h share: cells, a log, locks, a list; and how a program is
 * begun and its outcome told.
 */
#ifndef TEST_EXPLORE_SHARED_H
#define TEST_EXPLORE_SHARED_H

#include "sim/rt/lock.h"
#include "sim/rt/types.h"

#define CELLS 8

struct node {
	struct node *next;
	u64 val;
};

struct shared {
	u64 x[CELLS];
	u64 log, nr_log; /* digits in the order in which they came */
	u64 want[4];	 /* for mutual exclusion */
	u64 turn, inside;
	struct rt_lock lock[4];
	struct rt_lock rw;
	struct node *list;
	u64 items, room;
};

struct shared *sh(void);
/* A cell, with a point in front. */
u64 load(u32 i);
void store(u32 i, u64 val);
/* One digit more in the log. */
void note(u64 digit);
u64 id_of(void *arg);
/* Shared memory and @nr actors of @fn, whose argument is their number. */
void actors(u32 nr, void (*fn)(void *arg));

u64 outcome_x0(void);
u64 outcome_log(void);
/* Four bits of each cell. */
u64 outcome_cells(void);

#endif
