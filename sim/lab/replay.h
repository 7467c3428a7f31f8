/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replay files: the scenario in its canonical spelling, with the schedule's choices as set-up lines
 * of their own. Such a file is a scenario: running it again makes the same choices. As a schedule of
 * another scenario only its schedule lines count. The schedule itself is sim/rt/schedule.h.
 */
#ifndef LAB_REPLAY_H
#define LAB_REPLAY_H

#include "sim/lab/session.h"

/*
 * lab_replay_write - the scenario of @s and the choices made so far, to the file @path.
 * What broke, and @how it came about ("seed 7, chooser random"), are comments at its head. 0 or an
 * errno.
 */
int lab_replay_write(struct lab_session *s, const char *how, const char *path);
/* Whether both are one regular file: what a user wrote is never written over. */
bool lab_same_file(const char *a, const char *b);
/*
 * Where the @nth replay file (from 1) of the scenario at @path goes, in the working directory: of
 * "dir/name.scn" it is "name.replay", the second "name-2.replay"; of name.replay itself
 * "name-again.replay". The caller frees it.
 */
char *lab_replay_name(const char *path, u32 nth);
/*
 * The schedule lines of @sc, appended to @schedule; actors are those of @su by name. Choices of one
 * that it has no more are left out; returns how many.
 */
u32 lab_replay_read(const struct lab_scenario *sc, const struct lab_setup *su,
		    struct rt_schedule *schedule);
/*
 * The same of the file at @path, with how many were left out in *@left_out. Number of errors, each
 * told to @d.
 */
u32 lab_replay_load(const char *path, const struct lab_setup *su, struct rt_schedule *schedule,
		    u32 *left_out, struct lab_diag *d);

#endif
