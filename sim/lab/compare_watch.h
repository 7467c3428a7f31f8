/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has a duration: leaves that are larger than their folio, and pages that a failed call left
 * unmapped. It looks after every step, from outside; nothing in the world changes.
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

struct lab_watch {
	struct lab_session *s;
	u64 at;	  /* cycles of the last look */
	u64 seen; /* of what leaves and folios are like, for a cheap look */
	u64 failed;
	u64 leaves;		 /* larger than their folio, now */
	u64 most_leaves, window; /* at a time; cycles with at least one */
	struct lab_watch_gap gap[LAB_WATCH_GAPS];
	u32 nr_gaps;
	u64 longest; /* cycles of the longest gap so far */
};

/* Look after every step of the session from now on; and no more. */
void lab_watch_begin(struct lab_watch *w, struct lab_session *s);
void lab_watch_end(struct lab_watch *w);
/* Pages that are unmapped still. */
u64 lab_watch_unmapped(const struct lab_watch *w);

#endif
