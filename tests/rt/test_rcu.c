// SPDX-License-Identifier: GPL-2.0-only
/*
 * RCU and SRCU: no callback before its readers, poison for the late, quiescent points, barriers,
 * misuse. Locks are in test_lock.c.
 */
#include "tests/rt/harness.h"

#include "sim/rt/rcu.h"

struct object {
	struct rt_rcu_head head; /* first, so that a head is an object */
	u64 val;
};

struct shared {
	struct object *cur;
	struct rt_srcu srcu;
	u32 freed;
	u32 poison_seen;
	bool unprotected;
};

/* Callbacks have no argument but their head; the shared state hangs from a root. */
static struct shared *shared(void)
{
	return rt_root(0);
}

static struct shared *shared_new(void)
{
	struct shared *s = rt_zalloc(sizeof(*s));

	s->cur = rt_zalloc(sizeof(*s->cur));
	s->cur->val = 1;
	rt_srcu_init(&s->srcu);
	rt_set_root(0, s);
	return s;
}

static void free_object(struct rt_rcu_head *head)
{
	shared()->freed++;
	rt_free(head);
}

static void count_only(struct rt_rcu_head *head)
{
	shared()->freed++;
}

static struct object *object_new(u64 val)
{
	struct object *o = rt_zalloc(sizeof(*o));

	o->val = val;
	return o;
}

__attribute__((no_sanitize("address"))) static u64 peek_val(const struct object *o)
{
	return o->val;
}

static void reader(void *arg)
{
	struct shared *s = arg;

	for (u32 i = 0; i < 5; i++) {
		const struct object *o;

		if (!s->unprotected)
			rt_rcu_read_lock();
		o = s->cur;
		rt_point(RT_PT_CALL, 0);
		s->poison_seen += peek_val(o) != 1;
		if (!s->unprotected)
			rt_rcu_read_unlock();
	}
}

static void replacer(void *arg)
{
	struct shared *s = arg;

	for (u32 i = 0; i < 5; i++) {
		struct object *old = s->cur;

		s->cur = object_new(1);
		rt_call_rcu(&old->head, free_object);
		rt_point(RT_PT_RESCHED, 0);
	}
}

/* Poisoned reads over 60 seeds; every object is freed in the end. */
static u32 race(bool unprotected)
{
	u32 seen = 0;

	for (u64 seed = 0; seed < 60; seed++) {
		const struct rt_world_opts opts = {.seed = seed};
		struct rt_world *w = rt_world_new(&opts);
		struct shared *s = shared_new();

		s->unprotected = unprotected;
		rt_actor_new("reader", reader, s);
		rt_actor_new("replacer", replacer, s);
		rt_set_chooser(w, &rt_chooser_random);
		assert_int_equal(rt_run(), RT_RUN_QUIET);
		rt_rcu_barrier();
		assert_int_equal(s->freed, 5);
		seen += s->poison_seen;
		rt_world_free(w);
	}
	return seen;
}

static void test_rcu__readers_never_see_poison(void **state)
{
	assert_int_equal(race(false), 0);
	rt_world_enter(*state);
}

static void test_rcu__without_a_read_section_some_do(void **state)
{
	assert_true(race(true) > 0);
	rt_world_enter(*state);
}

static void test_rcu__sections_nest(void **state)
{
	struct shared *s = shared_new();
	struct object *o = object_new(2);

	rt_rcu_read_lock();
	rt_rcu_read_lock();
	assert_true(rt_rcu_held());
	rt_call_rcu(&o->head, free_object);
	rt_rcu_read_unlock();
	assert_true(rt_rcu_held());
	assert_int_equal(s->freed, 0);
	/* The outermost end is a quiescent point. */
	rt_rcu_read_unlock();
	assert_false(rt_rcu_held());
	assert_int_equal(s->freed, 1);
}

static void test_rcu__quiescent_points(void **state)
{
	struct shared *s = shared_new();
	struct rt_lock *spin = rt_zalloc(sizeof(*spin)), *mutex = rt_zalloc(sizeof(*mutex));
	struct object *o = object_new(2);

	rt_lock_init(spin, RT_LOCK_SPIN, "spin");
	rt_lock_init(mutex, RT_LOCK_MUTEX, "mutex");
	rt_lock_take(mutex, RT_LOCK_EX);
	rt_lock_take(spin, RT_LOCK_EX);
	rt_call_rcu(&o->head, free_object);
	rt_point(RT_PT_RESCHED, 0);
	rt_lock_release(spin, RT_LOCK_EX);
	assert_int_equal(s->freed, 0);
	rt_point(RT_PT_RESCHED, 0);
	assert_int_equal(s->freed, 0);
	rt_lock_release(mutex, RT_LOCK_EX);
	assert_int_equal(s->freed, 1);

	rt_call_rcu(&object_new(3)->head, free_object);
	rt_point(RT_PT_CALL, 0); /* is none */
	assert_int_equal(s->freed, 1);
	rt_point(RT_PT_RESCHED, 0);
	assert_int_equal(s->freed, 2);
	rt_call_rcu(&object_new(4)->head, free_object);
	rt_yield();
	assert_int_equal(s->freed, 3);
	rt_call_rcu(&object_new(5)->head, free_object);
	rt_synchronize_rcu();
	assert_int_equal(s->freed, 4);
}

static void long_reader(void *arg)
{
	struct shared *s = arg;

	rt_rcu_read_lock();
	rt_stop();
	s->poison_seen += peek_val(s->cur) != 1;
	rt_rcu_read_unlock();
}

static void synchronizer(void *arg)
{
	struct shared *s = arg;
	struct object *old = s->cur;

	s->cur = object_new(1);
	rt_synchronize_rcu();
	rt_free(old);
	s->freed++;
}

static void test_rcu__synchronize_waits_for_readers_before(void **state)
{
	struct shared *s = shared_new();
	struct rt_actor *sync;

	rt_actor_new("r", long_reader, s);
	assert_int_equal(rt_run(), RT_RUN_STOPPED);
	sync = rt_actor_new("s", synchronizer, s);
	rt_set_chooser(*state, &rt_chooser_random);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_true(rt_actor_finished(sync));
	assert_int_equal(s->freed, 1);
}

static void late_reader(void *arg)
{
	rt_rcu_read_lock();
	rt_stop();
	rt_stop();
	rt_rcu_read_unlock();
}

/*
 *	reader:  |-------------------------
 *	callback    queued: waits for it
 *	reader 2:         |----------------  began later: nobody waits for it
 */
static void test_rcu__later_readers_do_not_matter(void **state)
{
	struct shared *s = shared_new();
	struct object *o = object_new(2);

	rt_actor_new("early", long_reader, s);
	assert_int_equal(rt_run(), RT_RUN_STOPPED);
	rt_call_rcu(&o->head, free_object);
	rt_actor_new("late", late_reader, s);
	rt_point(RT_PT_RESCHED, 0);
	assert_int_equal(s->freed, 0);
	/* "early" ends, "late" begins and stops inside. */
	assert_int_equal(rt_run(), RT_RUN_STOPPED);
	assert_int_equal(s->freed, 1);
	rt_call_rcu(&object_new(3)->head, free_object);
	assert_int_equal(rt_run(), RT_RUN_STOPPED);
	assert_int_equal(s->freed, 1);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_int_equal(s->freed, 2);
}

static void slow_callback(struct rt_rcu_head *head)
{
	rt_point(RT_PT_CALL, 0);
	shared()->freed++;
	rt_free(head);
}

static void barrier_actor(void *arg)
{
	struct shared *s = arg;

	for (u32 i = 0; i < 3; i++) {
		u32 freed = s->freed;

		rt_call_rcu(&object_new(i)->head, slow_callback);
		rt_rcu_barrier();
		assert_true(s->freed > freed);
	}
}

static void test_rcu__barrier_waits_for_callbacks(void **state)
{
	for (u64 seed = 0; seed < 30; seed++) {
		const struct rt_world_opts opts = {.seed = seed};
		struct rt_world *w = rt_world_new(&opts);
		struct shared *s = shared_new();

		rt_actor_new("a", barrier_actor, s);
		rt_actor_new("b", barrier_actor, s);
		rt_actor_new("r", reader, s);
		rt_set_chooser(w, &rt_chooser_random);
		assert_int_equal(rt_run(), RT_RUN_QUIET);
		assert_int_equal(s->freed, 6);
		rt_world_free(w);
	}
	rt_world_enter(*state);
}

static void barrier_in_callback(struct rt_rcu_head *head)
{
	rt_rcu_barrier();
}

static void ends_reading(void *arg)
{
	rt_rcu_read_lock();
}

static void ends_srcu(void *arg)
{
	struct shared *s = arg;

	rt_srcu_read_lock(&s->srcu);
}

static void test_rcu__misuse_is_reported(void **state)
{
	struct shared *s = shared_new();
	struct rt_rcu_head *head = rt_zalloc(sizeof(*head));
	struct rt_lock *spin = rt_zalloc(sizeof(*spin));
	struct sink sink;
	int idx;

	sink_reports(&sink);
	rt_rcu_read_unlock();
	assert_string_equal(sink.text, "- leaves an RCU read section that it is not in");
	rt_rcu_read_lock();
	rt_might_sleep("alloc");
	assert_string_equal(sink.text, "- may sleep (alloc) inside an RCU read section");
	rt_synchronize_rcu();
	assert_string_equal(sink.text, "- may sleep (synchronize_rcu) inside an RCU read section");
	rt_rcu_barrier();
	assert_string_equal(sink.text, "- may sleep (rcu_barrier) inside an RCU read section");
	rt_rcu_read_unlock();
	assert_int_equal(sink.nr, 4);
	assert_string_equal(sink.rule, "rcu");

	rt_call_rcu(head, barrier_in_callback);
	rt_point(RT_PT_RESCHED, 0);
	assert_string_equal(sink.text, "- waits for RCU callbacks where it can't run them");
	rt_lock_init(spin, RT_LOCK_SPIN, "spin");
	rt_lock_take(spin, RT_LOCK_EX);
	rt_rcu_barrier();
	assert_int_equal(sink.nr, 7); /* sleeps, and can't run them */
	rt_lock_release(spin, RT_LOCK_EX);

	rt_srcu_read_unlock(&s->srcu, 0);
	assert_string_equal(sink.text, "- leaves an SRCU read section that it is not in");
	idx = rt_srcu_read_lock(&s->srcu);
	rt_srcu_read_unlock(&s->srcu, !idx);
	assert_string_equal(sink.text, "- leaves an SRCU read section with the index of another");
	rt_synchronize_srcu(&s->srcu);
	assert_string_equal(sink.text,
			    "- waits for SRCU readers inside a read section of the same");
	rt_srcu_read_unlock(&s->srcu, idx);

	rt_actor_new("x", ends_reading, s);
	rt_run();
	assert_string_equal(sink.text, "x ends inside an RCU read section");
	rt_actor_new("y", ends_srcu, s);
	rt_run();
	assert_string_equal(sink.text, "y ends inside an SRCU read section");
	assert_int_equal(sink.nr, 12);
}

static void test_rcu__freed_srcu_is_reported(void **state)
{
	struct shared *s = shared_new();
	struct sink sink;

	sink_reports(&sink);
	rt_srcu_read_lock(&s->srcu);
	rt_free(s);
	assert_string_equal(sink.text, "- frees memory with an SRCU domain in it, which it holds");
}

/* ---- SRCU ---- */

static void srcu_reader(void *arg)
{
	struct shared *s = arg;

	for (u32 i = 0; i < 4; i++) {
		int idx = rt_srcu_read_lock(&s->srcu);
		const struct object *o = s->cur;

		assert_true(rt_srcu_held(&s->srcu));
		rt_might_sleep("inside of SRCU one may");
		rt_point(RT_PT_CALL, 0);
		s->poison_seen += peek_val(o) != 1;
		rt_srcu_read_unlock(&s->srcu, idx);
		assert_false(rt_srcu_held(&s->srcu));
	}
}

static void srcu_writer(void *arg)
{
	struct shared *s = arg;

	for (u32 i = 0; i < 4; i++) {
		struct object *old = s->cur;

		s->cur = object_new(1);
		rt_synchronize_srcu(&s->srcu);
		rt_free(old);
		s->freed++;
	}
}

static void test_srcu__readers_never_see_poison(void **state)
{
	for (u64 seed = 0; seed < 60; seed++) {
		const struct rt_world_opts opts = {.seed = seed};
		struct rt_world *w = rt_world_new(&opts);
		struct shared *s = shared_new();

		rt_actor_new("r1", srcu_reader, s);
		rt_actor_new("r2", srcu_reader, s);
		rt_actor_new("w", srcu_writer, s);
		rt_set_chooser(w, &rt_chooser_random);
		assert_int_equal(rt_run(), RT_RUN_QUIET);
		assert_int_equal(s->freed, 4);
		assert_int_equal(s->poison_seen, 0);
		assert_int_equal(s->srcu.readers[0] + s->srcu.readers[1], 0);
		rt_world_free(w);
	}
	rt_world_enter(*state);
}

static void srcu_holder(void *arg)
{
	struct shared *s = arg;
	int idx = rt_srcu_read_lock(&s->srcu);

	rt_stop();
	rt_srcu_read_unlock(&s->srcu, idx);
}

static void srcu_sync(void *arg)
{
	struct shared *s = arg;

	rt_synchronize_srcu(&s->srcu);
	s->freed++;
}

/*
 * A reader that began after the call is none of its business, one before is: of an actor or
 * outside.
 */
static void test_srcu__waits_for_exactly_those_before(void **state)
{
	struct shared *s = shared_new();
	int idx = rt_srcu_read_lock(&s->srcu);

	rt_actor_new("sync", srcu_sync, s);
	assert_int_equal(rt_run(), RT_RUN_DEADLOCK);
	rt_srcu_read_unlock(&s->srcu, idx);
	rt_actor_new("late", srcu_holder, s);
	rt_set_chooser(*state, NULL);
	while (rt_run() == RT_RUN_STOPPED)
		;
	assert_int_equal(s->freed, 1);

	rt_actor_new("early", srcu_holder, s);
	assert_int_equal(rt_run(), RT_RUN_STOPPED);
	rt_actor_new("sync", srcu_sync, s);
	assert_int_equal(rt_run(), RT_RUN_QUIET);
	assert_int_equal(s->freed, 2);
}

static void test_rcu__images_have_callbacks(void **state)
{
	struct rt_world *w = *state;
	struct shared *s = shared_new();
	struct rt_rcu_head *a = rt_zalloc(sizeof(*a)), *b = rt_zalloc(sizeof(*b));
	struct rt_image *img;

	rt_call_rcu(a, count_only);
	rt_call_rcu(b, count_only);
	img = rt_world_save(w);
	for (u32 round = 0; round < 2; round++) {
		rt_rcu_barrier();
		assert_int_equal(s->freed, 2);
		rt_world_restore(w, img);
		assert_int_equal(s->freed, 0);
	}
	rt_image_free(img);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_rcu__readers_never_see_poison),
		CASE(test_rcu__without_a_read_section_some_do),
		CASE(test_rcu__sections_nest),
		CASE(test_rcu__quiescent_points),
		CASE(test_rcu__synchronize_waits_for_readers_before),
		CASE(test_rcu__later_readers_do_not_matter),
		CASE(test_rcu__barrier_waits_for_callbacks),
		CASE(test_rcu__misuse_is_reported),
		CASE(test_rcu__freed_srcu_is_reported),
		CASE(test_srcu__readers_never_see_poison),
		CASE(test_srcu__waits_for_exactly_those_before),
		CASE(test_rcu__images_have_callbacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
