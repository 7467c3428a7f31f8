/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The debugger: a run of a scenario that one walks through by commands, forward and backward.
 * Commands come as lines and answers go to a stream; where lines come from (a terminal, a script) is
 * the caller's.
 *
 * Invariants:
 *  - The run is a function of the script of choices and of nothing else, so going back is going
 *    forward again from an image that was saved before.
 *  - A place in the run is the step that would be made next: the scheduler's question is open. Only
 *    behind the end of a run, where it broke, and at an expectation that fails there is no question.
 */
#ifndef LAB_DEBUG_H
#define LAB_DEBUG_H

#include <stdio.h>

#include "sim/lab/session.h"

struct lab_debugger;

/*
 * lab_debug_new - at the first step of a run of @sc.
 * @opts: seed, budget, and the schedule to be played (copied); @random of them is no choice here:
 * who wants a random run records one first. @out: where answers go. NULL, with a sentence in @err, if
 * no session can be made.
 */
struct lab_debugger *lab_debug_new(const struct lab_scenario *sc, const struct lab_setup *su,
				   const struct lab_opts *opts, FILE *out, char *err, size_t len);
void lab_debug_free(struct lab_debugger *d);

enum lab_debug_answer {
	LAB_DEBUG_DONE,
	LAB_DEBUG_WRONG, /* no such command, or not here; a line said why */
	LAB_DEBUG_QUIT,
};
/* One command. An empty line is the last one again, if that was a move. */
enum lab_debug_answer lab_debug_command(struct lab_debugger *d, const char *line);
/* Where the run is, as after a command that moves. */
void lab_debug_where(struct lab_debugger *d);
/* Names of commands by place, NULL past the end: for completion. */
const char *lab_debug_name(u32 i);

#endif
