// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks and lockdep: exclusion, waiting, counts, and one case for each rule that can be broken.
 * RCU's rules are in test_rcu.c.
 */
#include "sim/rt/rcu.h"
#include "tests/rt/harness.h"

#include <stdio.h>
#include <string.h>

struct locks {
	struct rt_lock spin, rw, mutex, sem, other;
	u32 inside, most, writes;
	bool yes;
};

static struct locks *locks_new(void)
{
	struct locks *l = rt_zalloc(sizeof(*l));

	rt_lock_init(&l->spin, RT_LOCK_SPIN, "spin");
	rt_lock_init(&l->rw, RT_LOCK_RW, "rw");
	rt_lock_init(&l->mutex, RT_LOCK_MUTEX, "mutex");
	rt_lock_init(&l->sem, RT_LOCK_RWSEM, "sem");
	rt_lock_init(&l->other, RT_LOCK_SPIN, "other");
	return l;
}

static void enter(struct locks *l)
{
	if (++l->inside > l->most)
		l->most = l->inside;
	rt_point(RT_PT_CALL, 0);
	l->inside--;
}

static void writer(void *arg)
{
	struct locks *l = arg;

	for (u32 i = 0; i < 20; i++) {
		rt_lock_take(&l->rw, RT_LOCK_EX);
		l->writes++;
		assert_int_equal(l->inside, 0);
		enter(l);
		rt_lock_release(&l->rw, RT_LOCK_EX);
	}
}

static void reader(void *arg)
{
	struct locks *l = arg;

	for (u32 i = 0; i < 20; i++) {
		u32 seen;

		rt_lock_take(&l->rw, RT_LOCK_SH);
		seen = l->writes;
		enter(l);
		assert_int_equal(l->writes, seen);
		rt_lock_release(&l->rw, RT_LOCK_SH);
	}
}

static void test_lock__rwlock_excludes_writers_only(void **state)
{
	u32 most = 0;

	for (u64 seed = 0; seed < 50; seed++) {
		const struct rt_world_opts opts = {.seed = seed};
		struct rt_world *w = rt_world_new(&opts);
		struct locks *l = locks_new();

		rt_actor_new("w", writer, l);
		rt_actor_new("r1", reader, l);
		rt_actor_new("r2", reader, l);
		rt_set_chooser(w, &rt_chooser_random);
		assert_int_equal(rt_run(), RT_RUN_QUIET);
		assert_int_equal(l->rw.stats.ex, 20);
		assert_int_equal(l->rw.stats.sh, 40);
		assert_true(l->rw.stats.waits > 0);
		assert_int_equal(l->rw.readers_waiting + l->rw.writers_waiting, 0);
		if (l->most > most)
			most = l->most;
		rt_world_free(w);
	}
	/* Two readers were inside together in some run. */
	assert_int_equal(most, 2);
	rt_world_enter(*state);
}

static void holder(void *arg)
{
	struct locks *l = arg;

	rt_lock_take(&l->rw, RT_LOCK_EX);
	rt_cycles(1000);
	rt_point(RT_PT_CALL, 0);
	l->yes = rt_lock_contended(&l->rw);
	rt_lock_release(&l->rw, RT_LOCK_EX);
}

static u32 last_first(void *ctx, const struct rt_choice *c)
{
	return c->nr - 1;
}

static void test_lock__contended_and_held_time(void **state)
{
	struct locks *l = locks_new();
	const struct rt_chooser last = {"last", last_first, NULL};

	rt_actor_new("r", reader, l);
	rt_actor_new("h", holder, l);
	rt_set_chooser(*state, &last);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_false(l->yes); /* h ran through alone */
	assert_int_equal(l->rw.stats.held_cycles, 1000);

	rt_actor_new("h", holder, l);
	rt_actor_new("h", holder, l);
	rt_set_chooser(*state, &rt_chooser_random);
	for (u32 i = 0; i < 100 && !l->yes; i++) {
		rt_run();
		rt_actor_new("h", holder, l);
		rt_actor_new("h", holder, l);
	}
	rt_run();
	assert_true(l->rw.stats.waits > 0);
	assert_int_equal(l->rw.stats.longest_cycles >= 1000, 1);
}

static void test_lock__held_by_the_code_outside(void **state)
{
	struct locks *l = locks_new();
	char text[64];

	assert_false(rt_lock_held_any(&l->rw));
	rt_lock_take(&l->mutex, RT_LOCK_EX);
	rt_lock_take(&l->rw, RT_LOCK_SH);
	assert_true(rt_lock_held(&l->rw, RT_LOCK_SH));
	assert_false(rt_lock_held(&l->rw, RT_LOCK_EX));
	assert_true(rt_lock_held_any(&l->rw));
	assert_int_equal(rt_locks_held(), 2);
	rt_locks_describe(RT_NOBODY, text, sizeof(text));
	assert_string_equal(text, "mutex rw(R)");
	rt_locks_describe(RT_NOBODY, text, 8);
	assert_true(strlen(text) < 8);
	rt_lock_release(&l->mutex, RT_LOCK_EX);
	rt_lock_release(&l->rw, RT_LOCK_SH);
	assert_int_equal(rt_locks_held(), 0);
	rt_locks_describe(RT_NOBODY, text, sizeof(text));
	assert_string_equal(text, "");
}

static void taker(void *arg)
{
	struct locks *l = arg;

	rt_lock_take(&l->rw, RT_LOCK_EX);
	assert_false(rt_lock_held_any(&l->spin));
	rt_lock_release(&l->rw, RT_LOCK_EX);
}

static void take_outside(void *arg)
{
	rt_lock_take(arg, RT_LOCK_EX);
}

static void leaves_it_held(void *arg)
{
	struct locks *l = arg;

	rt_lock_take(&l->rw, RT_LOCK_SH);
	rt_point(RT_PT_CALL, 0);
	rt_stop();
	rt_lock_release(&l->rw, RT_LOCK_SH);
}

static void test_lock__contention_outside_of_actors_aborts(void **state)
{
	struct locks *l = locks_new();

	rt_actor_new("a", leaves_it_held, l);
	assert_int_equal(rt_run(), RT_RUN_STOPPED);
	assert_true(aborts(take_outside, &l->rw));
	assert_non_null(strstr(last_abort(), "for ever: rw"));
}

static void test_lock__try(void **state)
{
	struct locks *l = locks_new();

	assert_true(rt_lock_try(&l->rw, RT_LOCK_SH));
	rt_actor_new("t", taker, l);
	assert_int_equal(rt_run(), RT_RUN_DEADLOCK);
	assert_false(rt_lock_try(&l->rw, RT_LOCK_EX));
	rt_lock_release(&l->rw, RT_LOCK_SH);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_true(rt_lock_try(&l->rw, RT_LOCK_EX));
	assert_false(rt_lock_try(&l->rw, RT_LOCK_SH));
	rt_lock_release(&l->rw, RT_LOCK_EX);
}

/* ---- the rules ---- */

static void both(struct rt_lock *a, struct rt_lock *b)
{
	rt_lock_take(a, RT_LOCK_EX);
	rt_lock_take(b, RT_LOCK_EX);
	rt_lock_release(b, RT_LOCK_EX);
	rt_lock_release(a, RT_LOCK_EX);
}

static void test_lockdep__order_of_two(void **state)
{
	struct locks *l = locks_new();
	struct sink sink;

	sink_reports(&sink);
	both(&l->spin, &l->other);
	both(&l->spin, &l->other);
	assert_int_equal(sink.nr, 0);
	both(&l->other, &l->spin);
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.rule, "lockdep");
	assert_string_equal(sink.text, "- takes spin under other, the other order was seen before");
	/* Once is enough. */
	both(&l->other, &l->spin);
	assert_int_equal(sink.nr, 1);
}

/* spin -> other -> rw, then rw -> spin closes the circle. */
static void test_lockdep__order_of_three(void **state)
{
	struct locks *l = locks_new();
	struct sink sink;

	sink_reports(&sink);
	both(&l->spin, &l->other);
	both(&l->other, &l->rw);
	assert_int_equal(sink.nr, 0);
	both(&l->rw, &l->spin);
	assert_int_equal(sink.nr, 1);
}

static void test_lockdep__many_classes(void **state)
{
	enum {
		N = 200
	};
	static char names[N][8];
	struct rt_lock *l = rt_zalloc(N * sizeof(*l));
	struct sink sink;

	sink_reports(&sink);
	for (u32 i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "l%u", i);
		rt_lock_init(&l[i], RT_LOCK_SPIN, names[i]);
	}
	for (u32 i = 0; i + 1 < N; i++)
		both(&l[i], &l[i + 1]);
	assert_int_equal(sink.nr, 0);
	both(&l[N - 1], &l[0]);
	assert_int_equal(sink.nr, 1);
}

static void test_lockdep__a_try_adds_no_edge(void **state)
{
	struct locks *l = locks_new();
	struct sink sink;

	sink_reports(&sink);
	both(&l->spin, &l->other);
	rt_lock_take(&l->other, RT_LOCK_EX);
	assert_true(rt_lock_try(&l->spin, RT_LOCK_EX));
	rt_lock_release(&l->spin, RT_LOCK_EX);
	rt_lock_release(&l->other, RT_LOCK_EX);
	assert_int_equal(sink.nr, 0);
}

static void test_lockdep__one_class_nests_by_age(void **state)
{
	struct rt_lock *l = rt_zalloc(2 * sizeof(*l));
	struct sink sink;

	sink_reports(&sink);
	rt_lock_init(&l[0], RT_LOCK_MUTEX, "vcpu");
	rt_lock_init(&l[1], RT_LOCK_MUTEX, "vcpu");
	assert_int_equal(l[0].class_id, l[1].class_id);
	both(&l[0], &l[1]);
	assert_int_equal(sink.nr, 0);
	both(&l[1], &l[0]);
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.text, "- takes an older vcpu under a younger one");
}

static void takes_twice(void *arg)
{
	struct locks *l = arg;

	rt_lock_take(&l->rw, RT_LOCK_EX);
	rt_lock_take(&l->rw, RT_LOCK_SH);
}

static void test_lockdep__taken_twice(void **state)
{
	struct locks *l = locks_new();
	struct sink sink;

	sink_reports(&sink);
	rt_actor_new("a", takes_twice, l);
	assert_int_equal(rt_run(), RT_RUN_DEADLOCK);
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.text, "a takes rw, which it holds already");
}

static void releases(void *arg)
{
	struct locks *l = arg;

	rt_lock_release(&l->rw, RT_LOCK_EX);
}

static void test_lockdep__release_by_another(void **state)
{
	struct locks *l = locks_new();
	struct sink sink;

	sink_reports(&sink);
	rt_lock_take(&l->rw, RT_LOCK_EX);
	rt_actor_new("a", releases, l);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.text, "a releases rw(W), which it does not hold");
	assert_true(rt_lock_held(&l->rw, RT_LOCK_EX));
	rt_lock_release(&l->rw, RT_LOCK_SH);
	assert_string_equal(sink.text, "- releases rw(R), which it does not hold in that mode");
	rt_lock_release(&l->rw, RT_LOCK_EX);
	assert_int_equal(sink.nr, 2);
}

static void test_lockdep__never_initialised(void **state)
{
	struct rt_lock *l = rt_zalloc(2 * sizeof(*l));
	struct sink sink;

	sink_reports(&sink);
	rt_lock_take(&l[0], RT_LOCK_EX);
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.rule, "lockdep");
	assert_string_equal(sink.text, "- uses a lock that nobody has initialised");
	rt_lock_release(&l[0], RT_LOCK_EX);
	assert_true(rt_lock_try(&l[1], RT_LOCK_SH));
	rt_lock_release(&l[1], RT_LOCK_SH);
	assert_int_equal(sink.nr, 2);
}

struct callback_lock {
	struct rt_rcu_head head;
	struct rt_lock *spin;
};

static void locks_in_callback(struct rt_rcu_head *head)
{
	struct callback_lock *c = (struct callback_lock *)head;

	rt_lock_take(c->spin, RT_LOCK_EX);
	rt_lock_release(c->spin, RT_LOCK_EX);
}

/* RCU callbacks are softirqs: a lock that only they take is fine, one that tasks take, too, is not. */
static void test_lockdep__taken_in_a_callback_and_outside(void **state)
{
	struct locks *l = locks_new();
	struct callback_lock *c = rt_zalloc(sizeof(*c));
	struct sink sink;

	sink_reports(&sink);
	c->spin = &l->spin;
	rt_call_rcu(&c->head, locks_in_callback);
	rt_rcu_barrier();
	assert_int_equal(sink.nr, 0);
	rt_lock_take(&l->spin, RT_LOCK_EX);
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.rule, "lockdep");
	rt_lock_release(&l->spin, RT_LOCK_EX);
	rt_call_rcu(&c->head, locks_in_callback);
	rt_rcu_barrier();
	assert_int_equal(sink.nr, 1); /* told once */
	rt_free(c);
}

static void test_lockdep__sleeping_under_a_spinning_lock(void **state)
{
	struct locks *l = locks_new();
	struct sink sink;

	sink_reports(&sink);
	rt_lock_take(&l->mutex, RT_LOCK_EX);
	rt_might_sleep("alloc");
	assert_int_equal(sink.nr, 0);
	rt_lock_take(&l->rw, RT_LOCK_SH);
	rt_might_sleep("alloc");
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.text, "- may sleep (alloc) under rw");
	rt_lock_take(&l->sem, RT_LOCK_SH);
	assert_int_equal(sink.nr, 2);
	assert_string_equal(sink.text, "- may sleep (sem) under rw");
	rt_lock_release(&l->sem, RT_LOCK_SH);
	rt_lock_release(&l->rw, RT_LOCK_SH);
	rt_lock_release(&l->mutex, RT_LOCK_EX);
}

static void test_lockdep__freed_while_held(void **state)
{
	struct locks *l = locks_new();
	struct sink sink;

	sink_reports(&sink);
	rt_lock_take(&l->spin, RT_LOCK_EX);
	rt_free(l);
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.text, "- frees memory with spin in it, which it holds");
	assert_int_equal(rt_locks_held(), 0);
}

static void test_lockdep__destroyed_while_held(void **state)
{
	struct locks *l = locks_new();
	struct sink sink;

	sink_reports(&sink);
	rt_lock_destroy(&l->rw);
	assert_int_equal(sink.nr, 0);
	rt_actor_new("a", leaves_it_held, l);
	rt_run();
	rt_lock_take(&l->other, RT_LOCK_EX);
	rt_lock_destroy(&l->rw);
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.text, "rw is destroyed while it is held or waited for");
	assert_int_equal(rt_locks_held(), 1);
}

static void ends_with_lock(void *arg)
{
	struct locks *l = arg;

	rt_lock_take(&l->mutex, RT_LOCK_EX);
	rt_lock_take(&l->rw, RT_LOCK_EX);
}

static void test_lockdep__end_with_locks_held(void **state)
{
	struct locks *l = locks_new();
	struct sink sink;

	sink_reports(&sink);
	rt_actor_new("a", ends_with_lock, l);
	rt_run();
	assert_int_equal(sink.nr, 1);
	assert_string_equal(sink.text, "a ends with locks held: mutex rw(W)");
}

static void report_something(void *arg)
{
	rt_report("warn", "%d things", 3);
}

static void test_report__without_a_hook_it_aborts(void **state)
{
	assert_true(aborts(report_something, NULL));
	assert_non_null(strstr(last_abort(), "warn: 3 things"));
	assert_int_equal(rt_reports(), 1);
}

static void abba(void *arg)
{
	struct locks *l = arg;
	bool first = rt_actor_id(rt_actor_current()) == 0;

	both(first ? &l->spin : &l->other, first ? &l->other : &l->spin);
}

/* The order graph finds on every schedule what only some schedules run into. */
static void test_lockdep__finds_what_the_schedule_may_miss(void **state)
{
	u32 deadlocks = 0;

	for (u64 seed = 0; seed < 50; seed++) {
		const struct rt_world_opts opts = {.seed = seed};
		struct rt_world *w = rt_world_new(&opts);
		struct locks *l = locks_new();
		struct sink sink;

		sink_reports(&sink);
		rt_actor_new("a", abba, l);
		rt_actor_new("b", abba, l);
		rt_set_chooser(w, &rt_chooser_random);
		deadlocks += rt_run() == RT_RUN_DEADLOCK;
		assert_int_equal(sink.nr, 1);
		rt_world_free(w);
	}
	assert_in_range(deadlocks, 1, 49);
	rt_world_enter(*state);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_lock__rwlock_excludes_writers_only),
		CASE(test_lock__contended_and_held_time),
		CASE(test_lock__held_by_the_code_outside),
		CASE(test_lock__contention_outside_of_actors_aborts),
		CASE(test_lock__try),
		CASE(test_lockdep__order_of_two),
		CASE(test_lockdep__order_of_three),
		CASE(test_lockdep__many_classes),
		CASE(test_lockdep__a_try_adds_no_edge),
		CASE(test_lockdep__one_class_nests_by_age),
		CASE(test_lockdep__taken_twice),
		CASE(test_lockdep__release_by_another),
		CASE(test_lockdep__never_initialised),
		CASE(test_lockdep__taken_in_a_callback_and_outside),
		CASE(test_lockdep__sleeping_under_a_spinning_lock),
		CASE(test_lockdep__freed_while_held),
		CASE(test_lockdep__destroyed_while_held),
		CASE(test_lockdep__end_with_locks_held),
		CASE(test_report__without_a_hook_it_aborts),
		CASE(test_lockdep__finds_what_the_schedule_may_miss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
