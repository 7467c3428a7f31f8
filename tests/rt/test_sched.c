// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scheduler: order, waiting, ends of a run, hooks, choosers, images of suspended actors.
 * Recorded schedules as text are in test_schedule.c, locks in test_lock.c.
 */
#include "tests/rt/harness.h"

#include <string.h>

/* What the actors did, in order; lives in the world. */
struct log {
	char text[256];
	u32 len;
	u32 turns;
	bool flag;
};

static struct log *log_new(void)
{
	struct log *l = rt_zalloc(sizeof(*l));

	l->turns = 3;
	return l;
}

static void log_put(struct log *l, char c)
{
	assert_true(l->len < sizeof(l->text) - 1);
	l->text[l->len++] = c;
}

/*
 * Writes its letter and comes to a point, some times; a local array makes the stack worth saving.
 */
static void writer(void *arg)
{
	struct log *l = arg;
	char letter = rt_actor_name(rt_actor_current())[0];
	u32 sums[50] = {0};

	for (u32 i = 0; i < l->turns; i++) {
		log_put(l, letter);
		sums[i % 50] += i;
		rt_point(RT_PT_CALL, i);
	}
	for (u32 i = 0; i < l->turns && i < 50; i++)
		assert_int_equal(sums[i], i);
}

static void writers(struct log *l, const char *names)
{
	for (; *names; names++) {
		const char name[] = {*names, '\0'};

		assert_non_null(rt_actor_new(name, writer, l));
	}
}

static void test_sched__in_order(void **state)
{
	struct log *l = log_new();

	writers(l, "abc");
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_string_equal(l->text, "aaabbbccc");
	/* A step for each start and each point. */
	assert_int_equal(rt_step(), 3 * 4);
	/* And nothing is left to do. */
	assert_int_equal(rt_run(), RT_RUN_QUIET);
}

static void test_sched__actors_have_names_ids_and_data(void **state)
{
	struct log *l = log_new();
	struct rt_actor *a =
		rt_actor_new("a name that is longer than the thirty-one characters", writer, l);
	struct rt_actor *b = rt_actor_new("b", writer, l);
	int data;

	assert_int_equal(strlen(rt_actor_name(a)), 31);
	assert_int_equal(rt_actor_id(a), 0);
	assert_int_equal(rt_actor_id(b), 1);
	assert_int_equal(rt_actor_id(NULL), RT_NOBODY);
	assert_string_equal(rt_actor_name(NULL), "-");
	assert_ptr_equal(rt_actor_by_id(1), b);
	assert_null(rt_actor_by_id(2));
	rt_actor_set_data(b, &data);
	assert_ptr_equal(rt_actor_data(b), &data);
	assert_null(rt_actor_data(a));
	assert_int_equal(rt_actor_where(a).point, RT_PT_START);
	assert_false(rt_actor_finished(a));
	rt_run();
	assert_true(rt_actor_finished(a));
	assert_null(rt_actor_where(a).blocked_on);
	assert_null(rt_actor_current());
}

static void test_sched__points_have_names(void **state)
{
	assert_string_equal(rt_point_name(RT_PT_LOCK), "lock");
	assert_string_equal(rt_point_name(RT_PT_START), "start");
	assert_string_equal(rt_point_name(RT_PT_NR), "?");
}

static void test_sched__slots_are_reused(void **state)
{
	const struct rt_world_opts opts = {.actors_max = 2};
	struct rt_world *w = rt_world_new(&opts);
	struct log *l = log_new();

	writers(l, "ab");
	assert_null(rt_actor_new("c", writer, l));
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	writers(l, "cd");
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_string_equal(l->text, "aaabbbcccddd");
	assert_string_equal(rt_actor_name(rt_actor_by_id(3)), "d");
	rt_world_free(w);
	rt_world_enter(*state);
}

static void parent(void *arg)
{
	struct log *l = arg;

	log_put(l, 'p');
	writers(l, "xy");
	rt_point(RT_PT_CALL, 0);
	log_put(l, 'q');
}

static void test_sched__an_actor_makes_actors(void **state)
{
	struct log *l = log_new();

	rt_actor_new("p", parent, l);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_string_equal(l->text, "pqxxxyyy");
}

/* ---- waiting ---- */

static bool flag_is_set(void *arg)
{
	return ((struct log *)arg)->flag;
}

static void waiter(void *arg)
{
	struct log *l = arg;

	rt_block("the flag", flag_is_set, l);
	log_put(l, 'w');
}

static void idler(void *arg)
{
	struct log *l = arg;

	rt_idle("work", flag_is_set, l);
	log_put(l, 'i');
}

static void setter(void *arg)
{
	struct log *l = arg;

	log_put(l, 's');
	l->flag = true;
	rt_point(RT_PT_CALL, 0);
	log_put(l, 't');
}

static void test_sched__block_until(void **state)
{
	struct log *l = log_new();

	rt_actor_new("w", waiter, l);
	rt_actor_new("s", setter, l);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_string_equal(l->text, "stw");
}

static void test_sched__block_that_holds_is_no_point(void **state)
{
	struct log *l = log_new();

	l->flag = true;
	rt_actor_new("w", waiter, l);
	rt_run();
	assert_int_equal(rt_step(), 1);
	/* Outside of actors too. */
	rt_block("the flag", flag_is_set, l);
}

static void test_sched__deadlock(void **state)
{
	struct log *l = log_new();
	struct rt_actor *w = rt_actor_new("w", waiter, l);
	struct rt_where at;

	rt_actor_new("a", writer, l);
	assert_int_equal(rt_run(), RT_RUN_DEADLOCK);
	at = rt_actor_where(w);
	assert_string_equal(at.blocked_on, "the flag");
	assert_int_equal(at.point, RT_PT_WAKE);
	assert_false(at.idle);
	/* It goes on when somebody outside helps. */
	l->flag = true;
	assert_null(rt_actor_where(w).blocked_on);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_string_equal(l->text, "aaaw");
}

static void test_sched__idle_is_no_deadlock(void **state)
{
	struct log *l = log_new();
	struct rt_actor *i = rt_actor_new("i", idler, l);

	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_true(rt_actor_where(i).idle);
	assert_string_equal(rt_actor_where(i).blocked_on, "work");
	l->flag = true;
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_string_equal(l->text, "i");
}

static void block_outside(void *arg)
{
	rt_block("the flag", flag_is_set, arg);
}

static void test_sched__block_outside_of_actors_aborts(void **state)
{
	assert_true(aborts(block_outside, log_new()));
	assert_non_null(strstr(last_abort(), "the flag"));
}

/* ---- ends of a run ---- */

static void forever(void *arg)
{
	for (;;)
		rt_point(RT_PT_RESCHED, 0);
}

static void test_sched__budget(void **state)
{
	rt_actor_new("a", forever, NULL);
	rt_set_budget(1000);
	assert_int_equal(rt_run(), RT_RUN_BUDGET);
	assert_int_equal(rt_step(), 1000);
	assert_int_equal(rt_run(), RT_RUN_BUDGET);
	assert_int_equal(rt_step(), 2000);
	/* Also when somebody asks at each step. */
	rt_actor_new("b", forever, NULL);
	rt_set_chooser(*state, &rt_chooser_random);
	assert_int_equal(rt_run(), RT_RUN_BUDGET);
	assert_int_equal(rt_step(), 3000);
}

static void stopper(void *arg)
{
	struct log *l = arg;

	log_put(l, '1');
	rt_stop();
	log_put(l, '2');
}

static void test_sched__stop(void **state)
{
	struct log *l = log_new();

	rt_actor_new("s", stopper, l);
	writers(l, "a");
	assert_int_equal(rt_run(), RT_RUN_STOPPED);
	assert_string_equal(l->text, "1");
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_string_equal(l->text, "12aaa");
}

static void run_inside(void *arg)
{
	rt_run();
}

static void nested(void *arg)
{
	*(bool *)arg = aborts(run_inside, NULL);
}

static void test_sched__run_inside_a_run_aborts(void **state)
{
	bool *refused = rt_zalloc(sizeof(*refused));

	rt_actor_new("n", nested, refused);
	rt_run();
	assert_true(*refused);
}

/* ---- hooks ---- */

struct hooks {
	u32 points, calls, steps;
	u32 stop_at;
};

static void on_point(void *ctx, enum rt_point pt, u64 obj)
{
	struct hooks *h = ctx;

	h->points++;
	h->calls += pt == RT_PT_CALL;
	if (h->stop_at && h->points == h->stop_at)
		rt_stop();
}

static void on_step(void *ctx)
{
	struct hooks *h = ctx;

	assert_null(rt_actor_current());
	h->steps++;
}

static void test_sched__hooks(void **state)
{
	struct log *l = log_new();
	struct hooks h = {0};

	rt_set_point_hook(*state, on_point, &h);
	rt_set_step_hook(*state, on_step, &h);
	/* Outside of actors a point is nothing but its hook. */
	rt_point(RT_PT_CALL, 0);
	rt_yield();
	assert_int_equal(h.points, 2);
	assert_int_equal(rt_step(), 0);
	writers(l, "ab");
	rt_run();
	assert_int_equal(h.calls, 1 + 2 * 3);
	assert_int_equal(h.steps, rt_step());
}

static void test_sched__stop_from_a_hook(void **state)
{
	struct log *l = log_new();
	struct hooks h = {.stop_at = 2};

	rt_set_point_hook(*state, on_point, &h);
	writers(l, "a");
	assert_int_equal(rt_run(), RT_RUN_STOPPED);
	assert_string_equal(l->text, "aa");
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_string_equal(l->text, "aaa");
}

/* ---- choosers ---- */

/* Answers from a string: each character is an actor's id. Keeps what it was asked. */
struct script {
	const char *answers;
	u32 asked, most;
	u64 last_step;
	u32 cur;
};

static u32 pick_script(void *ctx, const struct rt_choice *c)
{
	struct script *s = ctx;

	s->asked++;
	s->last_step = c->step;
	s->cur = c->cur;
	if (c->nr > s->most)
		s->most = c->nr;
	for (u32 i = 1; i < c->nr; i++)
		assert_true(c->ids[i - 1] < c->ids[i]);
	if (!*s->answers)
		return RT_PICK_PAUSE;
	for (u32 i = 0; i < c->nr; i++) {
		if (c->ids[i] == (u32)(*s->answers - '0')) {
			s->answers++;
			return i;
		}
	}
	return 1000;
}

static void test_sched__chooser_decides(void **state)
{
	struct log *l = log_new();
	struct script s = {.answers = "2102012"};
	const struct rt_chooser ch = {"script", pick_script, &s};

	writers(l, "abc");
	rt_set_chooser(*state, &ch);
	assert_int_equal(rt_run(), RT_RUN_PAUSED);
	assert_string_equal(l->text, "cbacabc");
	assert_int_equal(s.most, 3);
	assert_int_equal(s.last_step, 7);
	assert_int_equal(s.cur, 2);
	/* The same question again. */
	s.answers = "2";
	assert_int_equal(rt_run(), RT_RUN_PAUSED);
	assert_int_equal(s.last_step, 8);
	assert_int_equal(s.cur, RT_NOBODY); /* c is at its end */
	rt_set_chooser(*state, NULL);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_string_equal(l->text, "cbacabcab");
}

static void run_quiet(void *arg)
{
	*(enum rt_run_result *)arg = rt_run();
}

static void test_sched__bad_pick_aborts(void **state)
{
	struct log *l = log_new();
	struct script s = {.answers = "7"};
	const struct rt_chooser ch = {"script", pick_script, &s};
	enum rt_run_result res;

	writers(l, "ab");
	rt_set_chooser(*state, &ch);
	assert_true(aborts(run_quiet, &res));
	assert_non_null(strstr(last_abort(), "picked 1000 of 2"));
	/* The jump out of the run leaves the world inside it: it can't be freed, only forgotten. */
	world_setup(state);
}

static u32 count_picks(void *ctx, const struct rt_choice *c)
{
	++*(u32 *)ctx;
	return c->cur == RT_NOBODY ? 0 : c->cur;
}

static void test_sched__asked_only_where_there_is_a_choice(void **state)
{
	struct log *l = log_new();
	u32 picks = 0;
	struct rt_chooser ch = {"count", count_picks, &picks};

	writers(l, "a");
	rt_set_chooser(*state, &ch);
	rt_run();
	assert_int_equal(picks, 0);
	ch.all_steps = true;
	rt_set_chooser(*state, &ch);
	writers(l, "b");
	rt_run();
	assert_int_equal(picks, 4);
}

static void random_run(char *text, size_t len, u64 seed)
{
	const struct rt_world_opts opts = {.seed = seed};
	struct rt_world *w = rt_world_new(&opts);
	struct log *l = log_new();

	l->turns = 8;
	writers(l, "abcd");
	rt_set_chooser(w, &rt_chooser_random);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	memcpy(text, l->text, len);
	rt_world_free(w);
}

static void test_sched__random_is_the_seeds(void **state)
{
	char a[64], b[64], c[64];

	random_run(a, sizeof(a), 1);
	random_run(b, sizeof(b), 1);
	random_run(c, sizeof(c), 2);
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	rt_world_enter(*state);
}

/* ---- yield ---- */

static void spinner(void *arg)
{
	struct log *l = arg;

	while (!l->flag) {
		log_put(l, '.');
		rt_yield();
	}
	log_put(l, '!');
}

static void slow_setter(void *arg)
{
	struct log *l = arg;

	rt_point(RT_PT_CALL, 0);
	rt_point(RT_PT_CALL, 1);
	l->flag = true;
}

static void test_sched__yield_lets_others_go_first(void **state)
{
	struct log *l = log_new();

	rt_actor_new("s", spinner, l);
	rt_actor_new("t", slow_setter, l);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_string_equal(l->text, ".!");
}

static void test_sched__yield_is_not_chosen_before_another_step(void **state)
{
	struct log *l = log_new();
	u32 picks = 0;
	const struct rt_chooser ch = {"count", count_picks, &picks};

	rt_actor_new("s", spinner, l);
	rt_actor_new("t", slow_setter, l);
	rt_set_chooser(*state, &ch);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	/*
	 * s t: asked. s yields: only t is left, nobody is asked. t has made a step: asked, stays
	 * at t until its end; three points or ends of t, the last with only s left.
	 */
	assert_int_equal(picks, 3);
	assert_string_equal(l->text, ".!");
}

static void spin_only(void *arg)
{
	for (;;)
		rt_yield();
}

static void test_sched__yielders_among_themselves_spend_the_budget(void **state)
{
	rt_actor_new("a", spin_only, NULL);
	rt_actor_new("b", spin_only, NULL);
	rt_set_budget(100);
	assert_int_equal(rt_run(), RT_RUN_BUDGET);
	rt_set_chooser(*state, &rt_chooser_random);
	assert_int_equal(rt_run(), RT_RUN_BUDGET);
	assert_int_equal(rt_step(), 200);
}

static void test_sched__a_yielder_goes_on_if_nobody_else_can(void **state)
{
	struct log *l = log_new();
	u32 picks = 0;
	const struct rt_chooser ch = {"count", count_picks, &picks, true};

	rt_actor_new("w", waiter, l);
	rt_actor_new("s", spinner, l);
	rt_set_chooser(*state, &ch);
	rt_set_budget(10);
	assert_int_equal(rt_run(), RT_RUN_BUDGET);
	assert_int_equal(picks, 10);
	assert_string_equal(l->text, ".........");
}

/* ---- images of suspended actors ---- */

/*
 *	          .-> in order: "...",  at the same addresses, with the same stacks
 *	pause ----+-> random
 *	          '-> in order again
 */
static void test_sched__restore_suspended_actors(void **state)
{
	struct rt_world *w = *state;
	struct log *l = log_new();
	struct script s = {.answers = "012012021"};
	const struct rt_chooser ch = {"script", pick_script, &s};
	char first[64], second[64];
	struct rt_image *img;
	u64 steps;

	l->turns = 5;
	writers(l, "abc");
	rt_set_chooser(w, &ch);
	assert_int_equal(rt_run(), RT_RUN_PAUSED);
	assert_string_equal(l->text, "abcabcacb");
	assert_true(rt_mem_stats(w).stack_used > 3 * 200);
	img = rt_world_save(w);

	rt_set_chooser(w, NULL);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	memcpy(first, l->text, sizeof(first));
	steps = rt_step();

	rt_world_restore(w, img);
	assert_string_equal(l->text, "abcabcacb");
	rt_set_chooser(w, &rt_chooser_random);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_int_equal(rt_step(), steps);

	/* New actors take the slots before the third restore. */
	l->turns = 1;
	writers(l, "xyz");
	rt_run();
	rt_world_restore(w, img);
	rt_set_chooser(w, NULL);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	memcpy(second, l->text, sizeof(second));
	assert_string_equal(first, second);
	assert_null(rt_actor_by_id(3));
	rt_image_free(img);
}

static void deep(struct log *l, u32 depth)
{
	volatile char pad[512];

	memset((char *)pad, (int)depth, sizeof(pad));
	if (depth)
		deep(l, depth - 1);
	else
		rt_point(RT_PT_CALL, 0);
	for (u32 i = 0; i < sizeof(pad); i++)
		assert_int_equal(pad[i], depth);
}

static void deep_actor(void *arg)
{
	deep(arg, 20);
	deep(arg, 3);
}

static void test_sched__restore_across_finished_actors_and_reset(void **state)
{
	struct rt_world *w = *state;
	struct log *l = log_new();
	struct script s = {.answers = "0"};
	const struct rt_chooser ch = {"script", pick_script, &s, true};
	struct rt_image *img;

	rt_actor_new("d", deep_actor, l);
	rt_set_chooser(w, &ch);
	assert_int_equal(rt_run(), RT_RUN_PAUSED);
	assert_true(rt_mem_stats(w).stack_used > 20 * 512);
	img = rt_world_save(w);
	for (u32 round = 0; round < 3; round++) {
		rt_set_chooser(w, NULL);
		assert_int_equal(rt_run(), RT_RUN_QUIET);
		assert_int_equal(rt_mem_stats(w).stack_used, 0);
		if (round == 1)
			rt_world_reset(w);
		rt_world_restore(w, img);
	}
	rt_image_free(img);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_sched__in_order),
		CASE(test_sched__actors_have_names_ids_and_data),
		CASE(test_sched__points_have_names),
		CASE(test_sched__slots_are_reused),
		CASE(test_sched__an_actor_makes_actors),
		CASE(test_sched__block_until),
		CASE(test_sched__block_that_holds_is_no_point),
		CASE(test_sched__deadlock),
		CASE(test_sched__idle_is_no_deadlock),
		CASE(test_sched__block_outside_of_actors_aborts),
		CASE(test_sched__budget),
		CASE(test_sched__stop),
		CASE(test_sched__run_inside_a_run_aborts),
		CASE(test_sched__hooks),
		CASE(test_sched__stop_from_a_hook),
		CASE(test_sched__chooser_decides),
		CASE(test_sched__bad_pick_aborts),
		CASE(test_sched__asked_only_where_there_is_a_choice),
		CASE(test_sched__random_is_the_seeds),
		CASE(test_sched__yield_lets_others_go_first),
		CASE(test_sched__yield_is_not_chosen_before_another_step),
		CASE(test_sched__yielders_among_themselves_spend_the_budget),
		CASE(test_sched__a_yielder_goes_on_if_nobody_else_can),
		CASE(test_sched__restore_suspended_actors),
		CASE(test_sched__restore_across_finished_actors_and_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
