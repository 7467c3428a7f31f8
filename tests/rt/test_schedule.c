// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recorded schedules: record and replay, tolerance, and the text form.
 * Other choosers are in test_sched.c.
 */
#include "tests/rt/harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rt/schedule.h"
#include "sim/rt/trace.h"

struct state_of_run {
	struct rt_lock lock;
	u32 turns;
	u32 shared;
};

static void worker(void *arg)
{
	struct state_of_run *s = arg;

	for (u32 i = 0; i < s->turns; i++) {
		rt_lock_take(&s->lock, RT_LOCK_EX);
		s->shared += rt_actor_id(rt_actor_current());
		rt_cycles(s->shared);
		rt_lock_release(&s->lock, RT_LOCK_EX);
		rt_point(RT_PT_CALL, i);
	}
}

/* One run of three workers under @ch, recorded into @rec; the trace's text, to be freed. */
static char *run_text(u64 seed, u32 turns, const struct rt_chooser *ch, struct rt_schedule *rec)
{
	const struct rt_world_opts opts = {.seed = seed};
	struct rt_world *w = rt_world_new(&opts);
	struct state_of_run *s = rt_zalloc(sizeof(*s));
	struct rt_trace *t = rt_trace_new(0);
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	s->turns = turns;
	rt_trace_attach(w, t);
	rt_lock_init(&s->lock, RT_LOCK_SPIN, "lock");
	rt_actor_new("a", worker, s);
	rt_actor_new("b", worker, s);
	rt_actor_new("c", worker, s);
	rt_set_chooser(w, ch);
	rt_record_schedule(w, rec);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_int_equal(rt_trace_write_text(t, out, NULL), 0);
	fclose(out);
	rt_trace_free(t);
	rt_world_free(w);
	return text;
}

static void test_schedule__replay_gives_the_same_trace(void **state)
{
	for (u64 seed = 1; seed < 20; seed++) {
		struct rt_schedule rec, again;
		struct rt_chooser play;
		char *first, *second;

		rt_schedule_init(&rec);
		rt_schedule_init(&again);
		first = run_text(seed, 5, &rt_chooser_random, &rec);
		assert_true(rec.nr > 0);
		play = rt_schedule_chooser(&rec);
		/* Another seed: nothing of it may matter now. */
		second = run_text(1000, 5, &play, &again);
		assert_string_equal(first, second);
		assert_int_equal(rt_schedule_unplayed(&rec), 0);
		assert_int_equal(again.nr, rec.nr);
		for (size_t i = 0; i < rec.nr; i++) {
			assert_int_equal(again.entries[i].step, rec.entries[i].step);
			assert_int_equal(again.entries[i].actor, rec.entries[i].actor);
		}
		rt_schedule_free(&rec);
		rt_schedule_free(&again);
		free(first);
		free(second);
	}
	rt_world_enter(*state);
}

static void test_schedule__in_order_records_nothing(void **state)
{
	struct rt_schedule rec;

	rt_schedule_init(&rec);
	free(run_text(1, 5, &rt_chooser_in_order, &rec));
	assert_int_equal(rec.nr, 0);
	rt_schedule_free(&rec);
	rt_world_enter(*state);
}

static void test_schedule__tolerates_changed_code(void **state)
{
	struct rt_schedule rec, again;
	struct rt_chooser play;

	rt_schedule_init(&rec);
	rt_schedule_init(&again);
	free(run_text(3, 8, &rt_chooser_random, &rec));
	play = rt_schedule_chooser(&rec);
	/* Fewer turns: the run ends early, and some answers name actors that are at their end. */
	free(run_text(3, 4, &play, &again));
	assert_true(rt_schedule_unplayed(&rec) > 0);
	assert_true(again.nr < rec.nr);
	rt_schedule_rewind(&rec);
	assert_int_equal(rec.skipped, 0);
	assert_int_equal(rt_schedule_unplayed(&rec), rec.nr);
	rt_schedule_free(&rec);
	rt_schedule_free(&again);
	rt_world_enter(*state);
}

static void test_schedule__counts_what_does_not_fit(void **state)
{
	struct rt_schedule s;
	struct rt_chooser play;

	rt_schedule_init(&s);
	rt_schedule_add(&s, 2, 9);   /* no such actor */
	rt_schedule_add(&s, 5, 1);   /* fits */
	rt_schedule_add(&s, 900, 1); /* never comes */
	play = rt_schedule_chooser(&s);
	free(run_text(1, 5, &play, NULL));
	assert_int_equal(s.skipped, 1);
	assert_int_equal(s.first_divergence, 2);
	assert_int_equal(s.pos, 2);
	assert_int_equal(rt_schedule_unplayed(&s), 2);
	rt_schedule_free(&s);
	rt_world_enter(*state);
}

static void alone_then_two(void *arg)
{
	struct state_of_run *s = arg;

	rt_point(RT_PT_CALL, 0);
	rt_point(RT_PT_CALL, 1);
	rt_actor_new("a", worker, s);
	rt_actor_new("b", worker, s);
}

static void test_schedule__skips_steps_without_a_choice(void **state)
{
	struct state_of_run *s = rt_zalloc(sizeof(*s));
	struct rt_schedule sched;
	struct rt_chooser play;

	rt_schedule_init(&sched);
	rt_schedule_add(&sched, 1, 2); /* the first actor is alone then */
	rt_schedule_add(&sched, 4, 2);
	play = rt_schedule_chooser(&sched);
	s->turns = 2;
	rt_lock_init(&s->lock, RT_LOCK_SPIN, "lock");
	rt_actor_new("p", alone_then_two, s);
	rt_set_chooser(*state, &play);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_int_equal(sched.skipped, 1);
	assert_int_equal(sched.first_divergence, 1);
	assert_int_equal(sched.pos, 2);
	rt_schedule_free(&sched);
}

/* ---- text ---- */

static const char *const names[] = {"host", "vcpu0", "vcpu1"};

static const char *name_of(u32 id)
{
	return id < RT_ARRAY_SIZE(names) ? names[id] : NULL;
}

static u32 id_of(void *ctx, const char *name)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	return RT_NOBODY;
}

static const struct rt_schedule_source with_names = {.file = "f.replay", .actor_id = id_of};

static void test_schedule__text_round_trip(void **state)
{
	static const char expected[] = "0 vcpu1\n17 host\n18 fault\n18446744073709551615 #7\n";
	struct rt_schedule s, back;
	char *text, err[128];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	rt_schedule_init(&s);
	rt_schedule_init(&back);
	rt_schedule_add(&s, 0, 2);
	rt_schedule_add(&s, 17, 0);
	rt_schedule_add(&s, 18, RT_FAULT_FIRES);
	rt_schedule_add(&s, ~0ULL, 7);
	assert_int_equal(rt_schedule_write(&s, out, name_of), 0);
	fclose(out);
	assert_string_equal(text, expected);
	assert_int_equal(rt_schedule_parse(&back, text, len, &with_names, err, sizeof(err)), 0);
	assert_int_equal(back.nr, s.nr);
	for (u32 i = 0; i < s.nr; i++) {
		assert_true(back.entries[i].step == s.entries[i].step);
		assert_int_equal(back.entries[i].actor, s.entries[i].actor);
	}
	free(text);

	out = open_memstream(&text, &len);
	assert_int_equal(rt_schedule_write(&s, out, NULL), 0);
	fclose(out);
	assert_string_equal(text, "0 #2\n17 #0\n18 fault\n18446744073709551615 #7\n");
	free(text);
	rt_schedule_free(&s);
	rt_schedule_free(&back);
}

static void test_schedule__text_allows_blanks_and_comments(void **state)
{
	static const char text[] =
		"; a comment\n\n \t 3   vcpu0 \r\n4 #2;why\n   ; more\n9 host\n12 fault ; fires";
	struct rt_schedule s;
	char err[128];

	rt_schedule_init(&s);
	assert_int_equal(rt_schedule_parse(&s, text, strlen(text), &with_names, err, sizeof(err)),
			 0);
	assert_int_equal(s.nr, 4);
	assert_int_equal(s.entries[0].step, 3);
	assert_int_equal(s.entries[0].actor, 1);
	assert_int_equal(s.entries[1].actor, 2);
	assert_int_equal(s.entries[2].step, 9);
	assert_int_equal(s.entries[3].actor, RT_FAULT_FIRES);
	rt_schedule_free(&s);
}

static void test_schedule__text_errors_say_where(void **state)
{
	static const struct {
		const char *text, *err;
	} bad[] = {
		{"x host", "f.replay:1:1: found 'x', expected a step (decimal)"},
		{"1 host\n 12x host", "f.replay:2:2: found '12x', expected a step (decimal)"},
		{"99999999999999999999 host",
		 "f.replay:1:1: found '99999999999999999999', expected a step (decimal)"},
		{"5 host\n5 host",
		 "f.replay:2:1: found '5', expected a step after that of the line before"},
		{"5",
		 "f.replay:1:2: found end of line, expected the name of an actor, #ID or fault"},
		{"5 hots",
		 "f.replay:1:3: found 'hots', expected the name of an actor, #ID or fault"},
		{"5 #x", "f.replay:1:3: found '#x', expected #ID of an actor"},
		{"5 #4294967295", "f.replay:1:3: found '#4294967295', expected #ID of an actor"},
		{"5 host 6", "f.replay:1:8: found '6', expected end of line"},
		{"5 \001\xff",
		 "f.replay:1:3: found '?\?', expected the name of an actor, #ID or fault"},
	};

	for (u32 i = 0; i < RT_ARRAY_SIZE(bad); i++) {
		struct rt_schedule s;
		char err[160];

		rt_schedule_init(&s);
		assert_int_equal(rt_schedule_parse(&s, bad[i].text, strlen(bad[i].text),
						   &with_names, err, sizeof(err)),
				 -EINVAL);
		assert_string_equal(err, bad[i].err);
		rt_schedule_free(&s);
	}
}

static void test_schedule__text_inside_of_a_file(void **state)
{
	const struct rt_schedule_source src = {.file = "f", .line = 40};
	struct rt_schedule s;
	char err[160];

	rt_schedule_init(&s);
	assert_int_equal(rt_schedule_parse(&s, "1 #0\n2 host\n", 12, &src, err, sizeof(err)),
			 -EINVAL);
	assert_string_equal(err, "f:41:3: found 'host', expected #ID of an actor, or fault");
	assert_int_equal(s.nr, 1);
	rt_schedule_free(&s);
}

static void test_schedule__write_reports_the_stream(void **state)
{
	struct rt_schedule s;
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		skip();
	setvbuf(full, NULL, _IONBF, 0);
	rt_schedule_init(&s);
	rt_schedule_add(&s, 1, 0);
	assert_int_equal(rt_schedule_write(&s, full, NULL), -ENOSPC);
	fclose(full);
	rt_schedule_free(&s);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_schedule__replay_gives_the_same_trace),
		CASE(test_schedule__in_order_records_nothing),
		CASE(test_schedule__tolerates_changed_code),
		CASE(test_schedule__counts_what_does_not_fit),
		CASE(test_schedule__skips_steps_without_a_choice),
		CASE(test_schedule__text_round_trip),
		CASE(test_schedule__text_allows_blanks_and_comments),
		CASE(test_schedule__text_errors_say_where),
		CASE(test_schedule__text_inside_of_a_file),
		CASE(test_schedule__write_reports_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
