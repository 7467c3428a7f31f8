/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the runtime share: a world for each test, expected aborts, and a sink for
 * reports. Only helpers; each file of tests has its own cases and main().
 */
#ifndef TESTS_RT_HARNESS_H
#define TESTS_RT_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/rt/lock.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"

/* CMocka's setup and teardown: *state is a fresh default world with seed 1, current. */
int world_setup(void **state);
int world_teardown(void **state);

/*
 * Whether @fn(@arg) ends in abort(). What it prints to stderr is kept out of the log and is in
 * last_abort().
 */
bool aborts(void (*fn)(void *arg), void *arg);
const char *last_abort(void);

/* Reports of the current world, from sink_reports() on. */
struct sink {
	u32 nr;
	char rule[32];	/* of the last one */
	char text[512]; /* of the last one */
};
void sink_reports(struct sink *s);

#endif
