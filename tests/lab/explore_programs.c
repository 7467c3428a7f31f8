// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs of explore_programs.h. Each access that others race with has a point in front.
 */
#include "tests/lab/explore_programs.h"

#include "sim/rt/fault.h"
#include "sim/rt/lock.h"
#include "sim/rt/rcu.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"
#include "tests/lab/explore_shared.h"

/* ---- counters ---- */

static void racy_add(void *arg)
{
	u64 seen = load(0);

	store(0, seen + 1);
}

static void two_racy(void)
{
	actors(2, racy_add);
}

static void three_racy(void)
{
	actors(3, racy_add);
}

static void locked_add(void *arg)
{
	rt_lock_take(&sh()->lock[0], RT_LOCK_EX);
	racy_add(arg);
	rt_lock_release(&sh()->lock[0], RT_LOCK_EX);
}

static void two_locked(void)
{
	actors(2, locked_add);
}

static void one_unlocked(void *arg)
{
	if (id_of(arg))
		locked_add(arg);
	else
		racy_add(arg);
}

static void forgotten_lock(void)
{
	actors(3, one_unlocked);
}

static void compare_and_swap(void *arg)
{
	for (;;) {
		u64 seen = load(0);

		rt_point(RT_PT_ATOMIC, 0);
		if (sh()->x[0] == seen) {
			sh()->x[0] = seen + 1;
			return;
		}
	}
}

static void three_cas(void)
{
	actors(3, compare_and_swap);
}

static void read_write_read(void *arg)
{
	u64 me = id_of(arg);

	store(0, me + 1);
	store(1 + (u32)me, load(0));
}

static void last_writer(void)
{
	actors(2, read_write_read);
}

/* ---- orders ---- */

static void log_once(void *arg)
{
	note(id_of(arg) + 1);
}

static void log_twice(void *arg)
{
	log_once(arg);
	log_once(arg);
}

static void log_thrice(void *arg)
{
	log_twice(arg);
	log_once(arg);
}

static void orders_of_2(void)
{
	actors(2, log_once);
}

static void orders_of_3(void)
{
	actors(3, log_once);
}

static void orders_of_4(void)
{
	actors(4, log_once);
}

static void orders_of_2x2(void)
{
	actors(2, log_twice);
}

static void orders_of_3x2(void)
{
	actors(3, log_twice);
}

static void orders_of_2x3(void)
{
	actors(2, log_thrice);
}

static void log_under_lock(void *arg)
{
	rt_lock_take(&sh()->lock[0], RT_LOCK_EX);
	log_twice(arg);
	rt_lock_release(&sh()->lock[0], RT_LOCK_EX);
}

static void orders_under_lock(void)
{
	actors(3, log_under_lock);
}

/* ---- memory orders, as a sequentially consistent machine has them ---- */

static void store_buffer(void *arg)
{
	u32 me = (u32)id_of(arg);

	store(me, 1);
	store(2 + me, load(1 - me));
}

static void litmus_sb(void)
{
	actors(2, store_buffer);
}

static void message(void *arg)
{
	if (id_of(arg)) {
		store(2, load(1));
		store(3, load(0));
	} else {
		store(0, 1);
		store(1, 1);
	}
}

static void litmus_mp(void)
{
	actors(2, message);
}

static void two_readers(void *arg)
{
	u32 me = (u32)id_of(arg);

	if (me < 2) {
		store(me, 1);
	} else {
		u64 first = load(me - 2), second = load(3 - me);

		store(me, 1 + 2 * first + second);
	}
}

static void litmus_iriw(void)
{
	actors(4, two_readers);
}

/* ---- mutual exclusion without locks ---- */

static bool others_turn(u32 me)
{
	rt_point(RT_PT_ATOMIC, 50);
	return sh()->want[1 - me] && sh()->turn == 1 - me;
}

static void enter_leave(u32 me)
{
	rt_point(RT_PT_ATOMIC, 51);
	sh()->inside++;
	rt_point(RT_PT_ATOMIC, 51);
	if (sh()->inside != 1)
		sh()->x[0] = 1; /* somebody else is in here */
	rt_point(RT_PT_ATOMIC, 51);
	sh()->inside--;
}

static void peterson(void *arg)
{
	u32 me = (u32)id_of(arg);

	rt_point(RT_PT_ATOMIC, 50);
	sh()->want[me] = 1;
	rt_point(RT_PT_ATOMIC, 50);
	sh()->turn = 1 - me;
	while (others_turn(me))
		rt_yield();
	enter_leave(me);
	rt_point(RT_PT_ATOMIC, 50);
	sh()->want[me] = 0;
}

static void mutual_exclusion(void)
{
	actors(2, peterson);
}

/* The turn is given away before the wish is told. */
static void peterson_wrong(void *arg)
{
	u32 me = (u32)id_of(arg);

	rt_point(RT_PT_ATOMIC, 50);
	sh()->turn = 1 - me;
	rt_point(RT_PT_ATOMIC, 50);
	sh()->want[me] = 1;
	while (others_turn(me))
		rt_yield();
	enter_leave(me);
	rt_point(RT_PT_ATOMIC, 50);
	sh()->want[me] = 0;
}

static void mutual_exclusion_wrong(void)
{
	actors(2, peterson_wrong);
}

/* ---- locks ---- */

static void cross(void *arg)
{
	u32 first = (u32)id_of(arg);

	rt_lock_take(&sh()->lock[first], RT_LOCK_EX);
	rt_lock_take(&sh()->lock[1 - first], RT_LOCK_EX);
	note(first + 1);
	rt_lock_release(&sh()->lock[1 - first], RT_LOCK_EX);
	rt_lock_release(&sh()->lock[first], RT_LOCK_EX);
}

static void crossed_locks(void)
{
	actors(2, cross);
}

static void philosopher(void *arg)
{
	u32 me = (u32)id_of(arg);
	u32 left = 1 + me, right = 1 + (me + 1) % 3;

	rt_lock_take(&sh()->lock[left < right ? left : right], RT_LOCK_EX);
	rt_lock_take(&sh()->lock[left < right ? right : left], RT_LOCK_EX);
	sh()->log = sh()->log * 10 + me + 1;
	sh()->nr_log++;
	rt_lock_release(&sh()->lock[left < right ? right : left], RT_LOCK_EX);
	rt_lock_release(&sh()->lock[left < right ? left : right], RT_LOCK_EX);
}

static void philosophers(void)
{
	actors(2, philosopher);
}

static void try_once(void *arg)
{
	if (!rt_lock_try(&sh()->lock[0], RT_LOCK_EX))
		return;
	store(1 + (u32)id_of(arg), 1);
	rt_lock_release(&sh()->lock[0], RT_LOCK_EX);
}

static void tried_locks(void)
{
	actors(2, try_once);
}

/* Both halves of a pair are written under the lock: a reader sees none or both. */
static void reader_or_writer(void *arg)
{
	u32 me = (u32)id_of(arg);

	if (!me) {
		rt_lock_take(&sh()->rw, RT_LOCK_EX);
		store(0, 1);
		store(1, 1);
		rt_lock_release(&sh()->rw, RT_LOCK_EX);
		return;
	}
	rt_lock_take(&sh()->rw, RT_LOCK_SH);
	store(1 + me, load(0) + load(1));
	rt_lock_release(&sh()->rw, RT_LOCK_SH);
}

static void readers_and_writer(void)
{
	actors(2, reader_or_writer);
}

/* ---- waiting ---- */

static bool has_item(void *arg)
{
	return sh()->items;
}

static bool has_room(void *arg)
{
	return sh()->items < sh()->room;
}

static void producer_or_consumer(void *arg)
{
	for (u32 i = 0; i < 2; i++) {
		if (id_of(arg)) {
			rt_block("an item", has_item, NULL);
			rt_point(RT_PT_ATOMIC, 60);
			sh()->items--;
			note(2);
		} else {
			rt_block("room", has_room, NULL);
			rt_point(RT_PT_ATOMIC, 60);
			sh()->items++;
			note(1);
		}
	}
}

static void bounded_buffer(void)
{
	actors(2, producer_or_consumer);
	sh()->room = 1;
}

/* The sleeper looks, then sleeps until it is woken; the waker wakes whoever sleeps, once. */
static bool is_woken(void *arg)
{
	return sh()->x[2];
}

static void sleeper_or_waker(void *arg)
{
	if (id_of(arg)) {
		store(0, 1);
		rt_point(RT_PT_ATOMIC, 1);
		if (sh()->x[1])
			sh()->x[2] = 1;
		return;
	}
	if (load(0))
		return;
	store(1, 1);
	rt_block("to be woken", is_woken, NULL);
}

static void lost_wake_up(void)
{
	actors(2, sleeper_or_waker);
}

static bool is_signalled(void *arg)
{
	return sh()->x[0];
}

/* Two sleepers, a waker that wakes twice: the second time is lost if nobody woke up in between. */
static void sleep_or_wake_twice(void *arg)
{
	u32 me = (u32)id_of(arg);

	if (me == 2) {
		store(0, 1);
		store(0, 1);
		return;
	}
	rt_block("a signal", is_signalled, NULL);
	store(0, 0);
	sh()->x[1 + me] = 1;
}

static void missed_wake_up(void)
{
	actors(3, sleep_or_wake_twice);
}

static void wait_for_flag(void *arg)
{
	if (id_of(arg)) {
		store(1, 1);
		store(0, 1);
		return;
	}
	while (!load(0))
		rt_yield();
	store(2, load(1));
}

static void spin_on_flag(void)
{
	actors(2, wait_for_flag);
}

/* ---- memory ---- */

static void push_node(u64 val, size_t size)
{
	struct node *n = rt_zalloc(size);

	n->val = val;
	rt_point(RT_PT_ATOMIC, 70);
	n->next = sh()->list;
	sh()->list = n;
}

static u64 outcome_list(void)
{
	u64 all = 0;

	for (const struct node *n = sh()->list; n; n = n->next)
		all = all * 10 + n->val;
	return all;
}

static void push_one(void *arg)
{
	push_node(id_of(arg) + 1, sizeof(struct node));
}

static void pushed_nodes(void)
{
	actors(3, push_one);
}

/* Blocks of different sizes, one of them freed: addresses say nothing about the order. */
static void push_and_drop(void *arg)
{
	void *p = rt_zalloc(100 + 3000 * id_of(arg));

	push_node(id_of(arg) + 1, 4096 * (1 + id_of(arg)));
	rt_free(p);
}

static void pushed_pages(void)
{
	actors(2, push_and_drop);
}

struct rcu_node {
	struct rt_rcu_head head;
	u64 val;
};

static void free_node(struct rt_rcu_head *head)
{
	rt_free(head);
}

static void rcu_user(void *arg)
{
	u32 me = (u32)id_of(arg);
	struct rcu_node *n;

	if (me) {
		rt_rcu_read_lock();
		n = (struct rcu_node *)(uintptr_t)load(7);
		store(me, n ? 1 + n->val : 1);
		rt_rcu_read_unlock();
		return;
	}
	rt_point(RT_PT_ATOMIC, 7);
	n = (struct rcu_node *)(uintptr_t)sh()->x[7];
	sh()->x[7] = 0;
	rt_call_rcu(&n->head, free_node);
	rt_rcu_barrier();
}

static void rcu_readers(void)
{
	struct rcu_node *n;

	actors(2, rcu_user);
	n = rt_zalloc(sizeof(*n));
	n->val = 6;
	sh()->x[7] = (u64)(uintptr_t)n;
}

/* A block is freed while the other one may still write to it. */
static void free_or_write(void *arg)
{
	struct node *n = sh()->list;

	rt_point(RT_PT_ATOMIC, 70);
	if (id_of(arg))
		n->val = 1;
	else
		rt_free(n);
}

static void write_to_freed(void)
{
	actors(2, free_or_write);
	sh()->list = rt_zalloc(sizeof(struct node));
}

/* Written to memory that is new, freed, and still known to the other one. */
static void write_to_new(void *arg)
{
	if (id_of(arg)) {
		struct node *n;

		rt_point(RT_PT_ATOMIC, 70);
		n = sh()->list;
		rt_point(RT_PT_ATOMIC, 70);
		if (n)
			n->val = 1;
		return;
	}
	push_node(1, sizeof(struct node));
	rt_point(RT_PT_ATOMIC, 70);
	rt_free(sh()->list);
	sh()->list = NULL;
}

static void write_to_freed_new(void)
{
	actors(2, write_to_new);
}

static u64 outcome_none(void)
{
	return 0;
}

static void free_it(void *arg)
{
	if (!id_of(arg))
		rt_free(sh()->list);
}

/* Nobody has anything to do any more; what comes then writes to what one of them has freed. */
static void freed_before_rest(void)
{
	actors(2, free_it);
	sh()->list = rt_zalloc(sizeof(struct node));
}

static u64 outcome_writes(void)
{
	sh()->list->val = 1;
	return 0;
}

/* ---- faults that may fire, actors that end and begin ---- */

static void may_fail(void *arg)
{
	for (u32 i = 0; i < 2; i++) {
		if (rt_fault_fire("test", 0, NULL))
			store((u32)id_of(arg), load((u32)id_of(arg)) + 1);
	}
}

static void faults(void)
{
	const struct rt_fault f = {
		.site = "test", .key = RT_FAULT_ANY, .actor = RT_NOBODY, .count = 2, .maybe = true};

	actors(2, may_fail);
	rt_fault_arm(&f);
}

static void child(void *arg)
{
	note(3);
}

static void parent(void *arg)
{
	note(id_of(arg) + 1);
	if (!id_of(arg))
		rt_actor_new("child", child, NULL);
	note(id_of(arg) + 1);
}

static void forks(void)
{
	actors(2, parent);
}

const struct program programs[] = {
	{"two racy counters", two_racy, outcome_x0, 2},
	{"three racy counters", three_racy, outcome_x0, 3},
	{"two locked counters", two_locked, outcome_x0, 1},
	{"one lock is forgotten", forgotten_lock, outcome_x0, 3},
	{"compare and swap", three_cas, outcome_x0, 1},
	{"last writer", last_writer, outcome_cells, 4},
	{"orders of two", orders_of_2, outcome_log, 2},
	{"orders of three", orders_of_3, outcome_log, 6},
	{"orders of four", orders_of_4, outcome_log, 24},
	{"orders of two twice", orders_of_2x2, outcome_log, 6},
	{"orders of three twice", orders_of_3x2, outcome_log, 90},
	{"orders of two thrice", orders_of_2x3, outcome_log, 20},
	{"orders under a lock", orders_under_lock, outcome_log, 6},
	{"store buffering", litmus_sb, outcome_cells, 3},
	{"message passing", litmus_mp, outcome_cells, 3},
	{"independent reads of independent writes", litmus_iriw, outcome_cells, 15},
	{"mutual exclusion", mutual_exclusion, outcome_x0, 1},
	{"mutual exclusion, wrong", mutual_exclusion_wrong, outcome_x0, 2},
	{"crossed locks", crossed_locks, outcome_log, 0, .broken = true},
	{"philosophers", philosophers, outcome_log, 2},
	{"tried locks", tried_locks, outcome_cells, 3},
	{"a reader and a writer", readers_and_writer, outcome_cells, 2},
	{"bounded buffer", bounded_buffer, outcome_log, 5},
	{"lost wake-up", lost_wake_up, outcome_cells, 2, .deadlock = true},
	{"spinning on a flag", spin_on_flag, outcome_cells, 1},
	{"pushed nodes", pushed_nodes, outcome_list, 6},
	{"pushed pages", pushed_pages, outcome_list, 2},
	{"a reader under RCU", rcu_readers, outcome_cells, 2},
	{"write to freed memory", write_to_freed, outcome_none, 1, .broken = true, .unseen = true},
	{"write to new memory that is freed", write_to_freed_new, outcome_none, 1, .broken = true,
	 .unseen = true},
	{"write to freed memory at the end", freed_before_rest, outcome_writes, 1, .broken = true,
	 .unseen = true},
	{"faults that may fire", faults, outcome_cells, 6},
	{"an actor begins another", forks, outcome_log, 20},
	{"missed wake-up of one of two", missed_wake_up, outcome_cells, 2, .deadlock = true},
};
const u32 nr_programs = RT_ARRAY_SIZE(programs);
