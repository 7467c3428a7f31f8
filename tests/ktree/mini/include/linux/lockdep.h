/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks with the map that lockdep keeps with each, and RCU: all of it out of line.
 */
#ifndef MINI_LOCKDEP_H
#define MINI_LOCKDEP_H

#include <linux/bug.h>
#include <linux/types.h>

#define __lockfunc

struct lock_class_key {
	int unused;
};

struct lockdep_map {
	void *class_cache[2];
	const char *name;
};

typedef struct {
	struct {
		unsigned int cnts;
		struct {
			struct {
				int counter;
			} val;
		} wait_lock;
	} raw_lock;
	struct lockdep_map dep_map;
} rwlock_t;

typedef struct raw_spinlock {
	unsigned int raw_lock;
	struct lockdep_map dep_map;
} raw_spinlock_t;
typedef raw_spinlock_t spinlock_t;

struct mutex {
	struct lockdep_map dep_map;
};

extern int debug_locks;
extern int hardirqs_enabled;
extern unsigned int lockdep_recursion;
extern struct lockdep_map rcu_lock_map, rcu_sched_lock_map;

void _raw_read_lock(rwlock_t *l);
void _raw_read_unlock(rwlock_t *l);
void _raw_write_lock(rwlock_t *l);
void _raw_write_unlock(rwlock_t *l);
void _raw_spin_lock(raw_spinlock_t *l);
void _raw_spin_unlock(raw_spinlock_t *l);
void __raw_spin_lock_init(raw_spinlock_t *l, const char *name, struct lock_class_key *key,
			  short inner);
int lock_is_held_type(const struct lockdep_map *map, int read);
int __cond_resched_rwlock_read(rwlock_t *l);
int __cond_resched_rwlock_write(rwlock_t *l);
void __rcu_read_lock(void);
void __rcu_read_unlock(void);
int rcu_read_lock_held(void);
void lockdep_rcu_suspicious(const char *file, const int line, const char *what);
void call_rcu(struct rcu_head *head, rcu_callback_t fn);
void rcu_barrier(void);

#define read_lock(l)	  _raw_read_lock(l)
#define read_unlock(l)	  _raw_read_unlock(l)
#define write_lock(l)	  _raw_write_lock(l)
#define write_unlock(l)	  _raw_write_unlock(l)
#define spin_lock(l)	  _raw_spin_lock(l)
#define spin_unlock(l)	  _raw_spin_unlock(l)
#define rcu_read_lock()	  __rcu_read_lock()
#define rcu_read_unlock() __rcu_read_unlock()
#define spin_lock_init(l) __raw_spin_lock_init(l, #l, NULL, 0)

#define lockdep_assert_held(l) WARN_ON_ONCE(debug_locks && !lock_is_held_type(&(l)->dep_map, -1))
#define lockdep_assert_held_write(l) \
	WARN_ON_ONCE(debug_locks && !lock_is_held_type(&(l)->dep_map, 0))
#define lockdep_assert_held_read(l) \
	WARN_ON_ONCE(debug_locks && !lock_is_held_type(&(l)->dep_map, 1))

#define rcu_dereference(p)                                              \
	({                                                              \
		if (!rcu_read_lock_held())                              \
			lockdep_rcu_suspicious(__FILE__, __LINE__, #p); \
		(p);                                                    \
	})

static inline bool rwlock_needbreak(rwlock_t *l)
{
	return *(volatile int *)&l->raw_lock.wait_lock.val.counter;
}

#endif
