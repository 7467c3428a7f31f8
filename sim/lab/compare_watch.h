/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What no counter tells: how long leaves are larger than their folio, how long pages stay unmapped
 * behind a failed call, and how far a conversion has come when it allocates. It looks after every
 * step, from outside; nothing in the world changes.
 */
#ifndef LAB_COMPARE_WATCH_H
#define LAB_COMPARE_WATCH_H

#include "sim/lab/session.h"

#define LAB_WATCH_GAPS 8

/* Pages of [gfn, end) that are unmapped since a call failed. */
struct lab_watch_gap {
	const struct lab_td *td;
	u64 gfn, end;
	u64 want; /* pages of it that are mapped when all are back */
	u64 pages, since;
};

/* How far a conversion has come, by its last gmem_step event. */
enum lab_place {
	LAB_BEFORE, /* nothing has happened yet */
	LAB_BEGUN,  /* faults are kept out, nothing is zapped */
	LAB_ZAPPED, /* contents are gone: what fails here loses them */
	LAB_PLACES,
};

struct lab_watch {
	struct lab_session *s;
	u64 at;	  /* cycles of the last look */
	u64 seen; /* of what leaves and folios are like, for a cheap look */
	u64 failed;
	u64 leaves;		  /* larger than their folio, now */
	u64 most_leaves;	  /* at a time */
	u64 window, window_steps; /* cycles and steps with at least one */
	struct lab_watch_gap gap[LAB_WATCH_GAPS];
	u32 nr_gaps;
	u64 longest; /* cycles of the longest gap so far */
	u64 next_event;
	enum lab_place *place;			    /* [actors] */
	u64 nodes[LAB_PLACES], vmemmap[LAB_PLACES]; /* allocated there */
};

/* Look after every step of the session, which keeps a trace, from now on; and no more. */
void lab_watch_begin(struct lab_watch *w, struct lab_session *s);
void lab_watch_end(struct lab_watch *w);
/* Pages that are unmapped still. */
u64 lab_watch_unmapped(const struct lab_watch *w);

#endif
