/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recorded schedule as text: what replay files and "--schedule FILE" hold.
 * The in-memory form and the chooser that plays it are in sim/rt/sched.h; which file it is embedded
 * in is the lab's business.
 *
 * The form: one line for each answer that differs from "in order", "STEP ACTOR", the step in
 * decimal, strictly ascending, the actor by name or by "#ID", or "fault" in its place where a fault
 * that may fire did; white space around, empty lines, and
 * ";" to the end of the line are skipped.
 *
 *	17 host
 *	23 vcpu1      ; the reader looks at the old table
 *	40 #2
 *	41 fault
 */
#ifndef RT_SCHEDULE_H
#define RT_SCHEDULE_H

#include <stdio.h>

#include "sim/rt/sched.h"

/*
 * Write @s. @actor_name gives the name of an id, or NULL for "#ID"; it may be NULL itself. Returns
 * 0 or -errno of the stream.
 */
int rt_schedule_write(const struct rt_schedule *s, FILE *out, const char *(*actor_name)(u32 id));

/* Where a text comes from and what its names mean. */
struct rt_schedule_source {
	const char *file; /* for messages */
	u32 line;	  /* of the text's first line in that file; 0 is 1 */
	/*
	 * The id of the actor of that name, RT_NOBODY if there is none. NULL: only "#ID" is
	 * understood.
	 */
	u32 (*actor_id)(void *ctx, const char *name);
	void *ctx;
};

/*
 * Append what @text (@len bytes) says to @s. Returns 0, or -EINVAL with "FILE:LINE:COLUMN: found X,
 * expected Y" in
 * @err; the entries of the lines before stay in @s.
 */
int rt_schedule_parse(struct rt_schedule *s, const char *text, size_t len,
		      const struct rt_schedule_source *src, char *err, size_t errlen);

/* Entries that did not fit, or that the run has not come to. */
size_t rt_schedule_unplayed(const struct rt_schedule *s);
/* Play it again from the start. */
void rt_schedule_rewind(struct rt_schedule *s);

#endif
