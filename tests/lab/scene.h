/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario in a C string for the tests of what runs scenarios many times.
 * Including it brings CMocka and what it needs.
 */
#ifndef TESTS_LAB_SCENE_H
#define TESTS_LAB_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/lab/play.h"
#include "sim/rt/schedule.h"
#include "sim/rt/world.h"

struct scene {
	struct lab_scenario sc;
	struct lab_setup su;
	struct lab_source src;
};

static inline void scene_init(struct scene *s, const char *text)
{
	struct lab_diag d = {stderr, 0};

	s->src = (struct lab_source){.name = "test", .text = text, .len = strlen(text)};
	lab_scenario_init(&s->sc);
	assert_int_equal(lab_parse(&s->sc, &s->src, &d), 0);
	assert_int_equal(lab_setup_resolve(&s->sc, &s->su, &d), 0);
}

static inline void scene_free(struct scene *s)
{
	lab_scenario_free(&s->sc);
}

/* Index of the @n-th op of @kind, from 0. */
static inline u32 scene_op(const struct scene *s, enum lab_op_kind kind, u32 n)
{
	for (u32 i = 0; i < s->sc.nr_ops; i++) {
		if (s->sc.ops[i].kind == kind && !n--)
			return i;
	}
	fail_msg("no such line");
	return 0;
}

static inline struct lab_session *scene_session(const struct scene *s, const struct lab_opts *o)
{
	char err[200] = "";
	struct lab_session *ses = lab_session_new(&s->sc, &s->su, o, err, sizeof(err));

	if (!ses)
		fail_msg("%s", err);
	return ses;
}

/*
 * One run. The step at which it met the target, 0 if it did not; the schedule that it made is added
 * to @made (NULL: nobody wants it).
 */
static inline u64 scene_run(const struct scene *s, const struct lab_opts *o,
			    const struct lab_target *t, struct rt_schedule *made)
{
	struct lab_session *ses = scene_session(s, o);
	struct lab_play p;
	bool met;
	u64 step;

	lab_play_init(&p, ses);
	met = lab_play_until(&p, t);
	step = rt_step();
	for (size_t i = 0; made && i < ses->recorded.nr; i++)
		rt_schedule_add(made, ses->recorded.entries[i].step,
				ses->recorded.entries[i].actor);
	lab_session_free(ses);
	return met ? step : 0;
}

/* A conversion that spins for a reference, and a handler that holds one (bug B16 of gmem). */
#define SCENE_MEMORY_FAILURE                    \
	"gmem g0 toshared_refs=SPIN\n"          \
	"td vcpus=1\n"                          \
	"vcpu0: accept slot0 4M\n"              \
	"vcpu0: write slot0+2M 2\n"             \
	"parallel {\n"                          \
	"  host: memory-failure slot0+4K\n"     \
	"  host1: convert slot0+8K 4K shared\n" \
	"  vcpu0: read slot0+2M\n"              \
	"}\n"

#endif
