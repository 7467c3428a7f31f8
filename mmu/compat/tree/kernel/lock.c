// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks, lockdep, RCU and rescheduling as the tree's headers call them out of line. Each lock of the
 * tree stands for one of the simulator, which knows who waits, what order is right and what is held.
 */
#include "kern.h"

/* With the lock words of the tree nobody waits: they only show that somebody does. */
#define MAP_SLOT 0

void ktree_lock_attach(struct lockdep_map *map, void *lock)
{
	map->class_cache[MAP_SLOT] = lock;
}

void ktree_lock_detach(struct lockdep_map *map)
{
	map->class_cache[MAP_SLOT] = NULL;
}

void *ktree_lock_of(const struct lockdep_map *map)
{
	return map->class_cache[MAP_SLOT];
}

/* A lock that was initialised when it was compiled gets its counterpart when it is first taken. */
static void *need_lock(struct lockdep_map *map, enum ksim_lock_kind kind)
{
	if (!ktree_lock_of(map))
		ktree_lock_attach(map, ksim_lock_new(kind, map->name ? map->name : "lock"));
	return ktree_lock_of(map);
}

static void take(struct lockdep_map *map, enum ksim_lock_kind kind, bool exclusive)
{
	void *lock = need_lock(map, kind);
	int preempt = ktree_before_point();

	ksim_lock_take(lock, exclusive);
	ktree_after_point(preempt);
}

static void release(struct lockdep_map *map, enum ksim_lock_kind kind, bool exclusive)
{
	void *lock = need_lock(map, kind);
	int preempt = ktree_before_point();

	ksim_lock_release(lock, exclusive);
	ktree_after_point(preempt);
}

void __lockfunc _raw_read_lock(rwlock_t *l)
{
	take(&l->dep_map, KSIM_RW, false);
}

void __lockfunc _raw_read_unlock(rwlock_t *l)
{
	release(&l->dep_map, KSIM_RW, false);
}

void __lockfunc _raw_write_lock(rwlock_t *l)
{
	take(&l->dep_map, KSIM_RW, true);
}

void __lockfunc _raw_write_unlock(rwlock_t *l)
{
	release(&l->dep_map, KSIM_RW, true);
}

void __lockfunc _raw_spin_lock(raw_spinlock_t *l)
{
	take(&l->dep_map, KSIM_SPIN, true);
}

void __lockfunc _raw_spin_unlock(raw_spinlock_t *l)
{
	release(&l->dep_map, KSIM_SPIN, true);
}

void __raw_spin_lock_init(raw_spinlock_t *l, const char *name, struct lock_class_key *key,
			  short inner)
{
	memset(l, 0, sizeof(*l));
	l->dep_map.name = name;
	ktree_lock_attach(&l->dep_map, ksim_lock_new(KSIM_SPIN, name));
}

void mutex_lock_nested(struct mutex *m, unsigned int subclass)
{
	take(&m->dep_map, KSIM_MUTEX, true);
}

void mutex_unlock(struct mutex *m)
{
	release(&m->dep_map, KSIM_MUTEX, true);
}

/* --- lockdep ------------------------------------------------------------ */

int debug_locks = 1;

typeof(rcu_lock_map) rcu_lock_map;
typeof(rcu_sched_lock_map) rcu_sched_lock_map;

void lock_acquire(struct lockdep_map *map, unsigned int subclass, int trylock, int read, int check,
		  struct lockdep_map *nest, unsigned long ip)
{
}

void lock_release(struct lockdep_map *map, unsigned long ip)
{
}

int lock_is_held_type(const struct lockdep_map *map, int read)
{
	void *lock = ktree_lock_of(map);

	if (map == &rcu_lock_map)
		return ksim_rcu_held();
	/* lockdep counts readers as 1 and writers as 0. */
	return lock && ksim_lock_held(lock, read < 0 ? -1 : !read);
}

void lockdep_rcu_suspicious(const char *file, const int line, const char *what)
{
	ksim_report("rcu", file, line, what);
}

int debug_lockdep_rcu_enabled(void)
{
	return 1;
}

void __might_resched(const char *file, int line, unsigned int offsets)
{
	/* Offsets say which locks may be held: for the forms that drop one. */
	if (!offsets)
		ksim_might_sleep(file);
}

/* --- giving up a lock --------------------------------------------------- */

int __cond_resched_rwlock_read(rwlock_t *l)
{
	if (!rwlock_needbreak(l) && !need_resched())
		return 0;
	_raw_read_unlock(l);
	ksim_point_resched();
	_raw_read_lock(l);
	return 1;
}

int __cond_resched_rwlock_write(rwlock_t *l)
{
	if (!rwlock_needbreak(l) && !need_resched())
		return 0;
	_raw_write_unlock(l);
	ksim_point_resched();
	_raw_write_lock(l);
	return 1;
}

/* Called where preemption is enabled again: locks have their own points. */
asm(".pushsection .text\n"
    ".globl preempt_schedule_thunk\n"
    "preempt_schedule_thunk: ret\n"
    ".popsection");

/* --- RCU ---------------------------------------------------------------- */

void __rcu_read_lock(void)
{
	int preempt = ktree_before_point();

	ksim_rcu_lock();
	ktree_after_point(preempt);
}

void __rcu_read_unlock(void)
{
	int preempt = ktree_before_point();

	ksim_rcu_unlock();
	ktree_after_point(preempt);
}

int rcu_read_lock_held(void)
{
	return ksim_rcu_held();
}

bool rcu_is_watching(void)
{
	return true;
}

void call_rcu(struct rcu_head *head, rcu_callback_t fn)
{
	ksim_call_rcu(head, (void (*)(void *))fn);
}

void rcu_barrier(void)
{
	int preempt = ktree_before_point();

	ksim_rcu_barrier();
	ktree_after_point(preempt);
}

/* --- points that only this program has ---------------------------------- */

void ktree_point_atomic(const volatile void *p)
{
	int preempt = ktree_before_point();

	ksim_point_atomic(p);
	ktree_after_point(preempt);
}

void ktree_relax(void)
{
	int preempt = ktree_before_point();

	ksim_relax();
	ktree_after_point(preempt);
}
