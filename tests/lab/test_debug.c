// SPDX-License-Identifier: GPL-2.0-only
/*
 * The debugger's engine: backward is the same as forward, at every step; choices; where moves stop.
 * What a user types and reads is tests/lab/debug.py's.
 */
#include "sim/lab/debug.h"
#include "sim/lab/debug_int.h"
#include "sim/lab/search.h"
#include "tests/lab/scene.h"

static const char race[] = "td vcpus=2\n"
			   "region none\n"
			   "vcpu0: accept slot0 2M\n"
			   "parallel {\n"
			   "  vcpu0: write slot0+8K 1\n"
			   "  vcpu1: read slot0\n"
			   "  host: convert slot0+4K 4K shared\n"
			   "}\n"
			   "expect attr slot0+4K private\n"
			   "expect attr slot0+4K shared\n";

struct desk {
	struct scene scene;
	struct lab_debugger *d;
	FILE *out;
	char *text;
	size_t len;
};

/* A debugger on a random run of @seed, 0: in order. */
static void desk_open(struct desk *k, const char *text, u64 seed)
{
	struct lab_opts o = {.seed = seed, .random = seed != 0};
	struct lab_found found = {0};
	char err[200] = "";

	scene_init(&k->scene, text);
	if (seed) {
		assert_true(
			lab_search_play(&k->scene.sc, &k->scene.su, &o, &found, err, sizeof(err)));
		o.schedule = &found.schedule;
	}
	k->out = open_memstream(&k->text, &k->len);
	k->d = lab_debug_new(&k->scene.sc, &k->scene.su, &o, k->out, err, sizeof(err));
	assert_non_null(k->d);
	rt_schedule_free(&found.schedule);
}

static void desk_close(struct desk *k)
{
	lab_debug_free(k->d);
	fclose(k->out);
	free(k->text);
	scene_free(&k->scene);
}

/* What a command says; valid until the next one. */
static const char *say(struct desk *k, const char *command)
{
	rewind(k->out);
	assert_int_equal(lab_debug_command(k->d, command), LAB_DEBUG_DONE);
	fputc(0, k->out);
	fflush(k->out);
	return k->text;
}

/* Everything that one can see from here, in one text. */
static char *view(struct desk *k)
{
	static const char *const commands[] = {
		"where",       "info actors",	   "info locks",
		"info choice", "print sept slot0", "print mirror slot0",
		"print td",    "print stat",	   "backtrace",
	};
	char *all = NULL;
	size_t len;
	FILE *f = open_memstream(&all, &len);

	for (u32 i = 0; i < RT_ARRAY_SIZE(commands); i++) {
		/* Before the TD is built there are no tables to be seen. */
		if (!strncmp(commands[i], "print ", 6) && !k->d->s->m->td[0].built)
			continue;
		fputs(say(k, commands[i]), f);
	}
	fclose(f);
	return all;
}

#define STEPS 4000

static void test_debug__backward_is_as_forward(void **state)
{
	char **seen = calloc(STEPS, sizeof(*seen));
	struct desk k;
	u64 end;

	desk_open(&k, race, 3);
	while (k.d->told == LAB_PLAY_PAUSED) {
		assert_true(rt_step() < STEPS);
		seen[rt_step()] = view(&k);
		say(&k, "stepi");
	}
	assert_int_equal(k.d->told, LAB_PLAY_FAILED);
	end = rt_step();
	assert_true(end > 300);
	/* One by one, and then in leaps. */
	for (u64 step = end; step-- > 0;) {
		char *now;

		say(&k, "reverse-stepi");
		assert_int_equal(rt_step(), step);
		now = view(&k);
		assert_string_equal(now, seen[step]);
		free(now);
	}
	for (u64 i = 1; i < 60; i++) {
		u64 step = i * 7919 % end;
		char command[40], *now;

		snprintf(command, sizeof(command), "goto %llu", step);
		say(&k, command);
		assert_int_equal(rt_step(), step);
		now = view(&k);
		assert_string_equal(now, seen[step]);
		free(now);
	}
	for (u64 i = 0; i < STEPS; i++)
		free(seen[i]);
	free(seen);
	desk_close(&k);
}

/* More steps than images: they are thinned out, and every place is still reached. */
static void test_debug__long_runs(void **state)
{
	struct desk k;

	desk_open(&k,
		  "vcpu0: accept slot0 2M level=4K\nhost: convert slot0 4M shared\n"
		  "host: convert slot0 4M private\nhost: convert slot0 4K shared\n",
		  0);
	say(&k, "continue");
	assert_int_equal(k.d->told, LAB_PLAY_OVER);
	assert_true(rt_step() > 9000);
	assert_true(k.d->nr_snaps <= LAB_SNAPSHOTS);
	assert_true(k.d->interval > 256);
	for (u64 step = rt_step() - 1; step > 1000; step -= 997) {
		char command[40];

		snprintf(command, sizeof(command), "goto %llu", step);
		say(&k, command);
		assert_int_equal(rt_step(), step);
	}
	desk_close(&k);
}

/* Behind one that fails the run goes on, and back from it too. */
static void test_debug__stops_at_an_expectation(void **state)
{
	struct desk k;
	u64 step;

	desk_open(&k, race, 0);
	assert_non_null(strstr(say(&k, "continue"), "line 9 does not hold: expect attr"));
	step = rt_step();
	say(&k, "continue");
	assert_int_equal(k.d->told, LAB_PLAY_OVER);
	say(&k, "reverse-stepi");
	assert_true(rt_step() > step);
	desk_close(&k);
}

/* "actor" makes the run another one; going back over it and forward keeps what was chosen. */
static void test_debug__a_choice_is_kept(void **state)
{
	struct desk k;
	u64 chosen;

	desk_open(&k, race, 0);
	say(&k, "break line 7");
	say(&k, "continue");
	chosen = rt_step();
	assert_non_null(strstr(say(&k, "actor vcpu1"), "next: vcpu1,"));
	say(&k, "stepi 5");
	say(&k, "reverse-stepi 5");
	assert_int_equal(rt_step(), chosen);
	assert_non_null(strstr(say(&k, "where"), "next: vcpu1,"));
	assert_int_equal(k.d->script.nr, 1);
	/* And the answer of "in order" takes it back. */
	assert_non_null(strstr(say(&k, "actor host"), "next: host,"));
	assert_int_equal(k.d->script.nr, 0);
	assert_int_equal(lab_debug_command(k.d, "actor nobody"), LAB_DEBUG_WRONG);
	desk_close(&k);
}

/* A new choice in the middle of a recorded run ends what was recorded for later. */
static void test_debug__a_choice_forgets_what_came_later(void **state)
{
	struct desk k;
	size_t all;

	desk_open(&k, race, 5);
	all = k.d->script.nr;
	assert_true(all > 4);
	say(&k, "goto 500");
	while (k.d->question.nr < 2)
		say(&k, "stepi");
	for (u32 i = 0; i < k.d->question.nr; i++) {
		char command[80];

		if (k.d->question.ids[i] == lab_debug_next(k.d))
			continue;
		snprintf(command, sizeof(command), "actor %s",
			 k.d->s->m->actor[k.d->question.ids[i]].name);
		say(&k, command);
		break;
	}
	assert_true(k.d->script.nr < all);
	say(&k, "continue");
	assert_int_equal(k.d->s->recorded.nr, k.d->script.nr);
	desk_close(&k);
}

/* Backward stops at the places at which forward does. */
static void test_debug__reverse_continue_meets_the_same_places(void **state)
{
	u64 at[64];
	struct desk k;
	u32 n = 0;

	desk_open(&k, race, 7);
	say(&k, "break status SUCCESS by host");
	say(&k, "break leaf TDH.VP.ENTER");
	for (;;) {
		say(&k, "continue");
		if (k.d->told != LAB_PLAY_PAUSED || n == RT_ARRAY_SIZE(at))
			break;
		at[n++] = rt_step();
	}
	assert_true(n > 20);
	/* The 65th is where we are. */
	while (n-- > 0) {
		say(&k, "reverse-continue");
		assert_int_equal(rt_step(), at[n]);
	}
	assert_non_null(strstr(say(&k, "reverse-continue"), "the beginning of the run"));
	assert_int_equal(rt_step(), 0);
	desk_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_debug__backward_is_as_forward),
		cmocka_unit_test(test_debug__long_runs),
		cmocka_unit_test(test_debug__stops_at_an_expectation),
		cmocka_unit_test(test_debug__a_choice_is_kept),
		cmocka_unit_test(test_debug__a_choice_forgets_what_came_later),
		cmocka_unit_test(test_debug__reverse_continue_meets_the_same_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
