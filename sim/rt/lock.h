/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's locks as the scheduler sees them, with lockdep: rwlock, spinlock, mutex.
 * Waiting, order graph, held-checks and held time are here; mmu/compat/ gives them the kernel's
 * spelling. The module's own fail-fast locks are not here (tdx/lock.h): they never wait.
 *
 * Invariants:
 *  - Taking and releasing are scheduling points (before the first, after the second).
 *  - A lock belongs to a class; the class graph of the world has an edge A -> B once B was taken
 *    under A. Two locks of one class may nest if the one created later is taken later (all vCPUs'
 *    mutexes); the other order is reported. An edge that closes a cycle, a lock taken twice, a
 *    release by another actor, use of a lock that was never initialised, a spinning lock taken both
 *    in RCU callbacks and outside of them, a sleeping lock or a sleeping allocation under a
 *    spinning lock or in RCU: each is reported once through rt_report().
 *  - Code outside actors owns locks as "nobody"; it can't wait, so contention there aborts.
 */
#ifndef RT_LOCK_H
#define RT_LOCK_H

#include "sim/rt/types.h"

enum rt_lock_kind {
	RT_LOCK_SPIN,  /* spinlock_t: exclusive, no sleeping inside */
	RT_LOCK_RW,    /* rwlock_t: shared or exclusive, no sleeping inside */
	RT_LOCK_MUTEX, /* exclusive, sleeping allowed inside */
	RT_LOCK_RWSEM, /* shared or exclusive, sleeping allowed inside */
};

enum rt_lock_mode {
	RT_LOCK_SH,
	RT_LOCK_EX,
};

struct rt_lock_stats {
	u64 ex, sh;	    /* acquisitions */
	u64 waits;	    /* acquisitions that had to wait */
	u64 held_cycles;    /* exclusive */
	u64 longest_cycles; /* exclusive */
};

struct rt_lock {
	const char *name; /* literal; two locks of one name are one class */
	u32 class_id;
	u32 id; /* in the order of rt_lock_init(); scheduling points and the trace use it */
	u16 kind;
	u16 writers_waiting; /* actors that wait exclusively */
	u16 readers_waiting; /* both: rwlock_needbreak() */
	u32 owner;	     /* actor id of the exclusive holder */
	u32 readers;
	bool held_ex;
	u64 since; /* cycles at exclusive acquisition */
	struct rt_lock_stats stats;
};

void rt_lock_init(struct rt_lock *l, enum rt_lock_kind kind, const char *name);
void rt_lock_take(struct rt_lock *l, enum rt_lock_mode mode);
bool rt_lock_try(struct rt_lock *l, enum rt_lock_mode mode);
void rt_lock_release(struct rt_lock *l, enum rt_lock_mode mode);
/* Before the memory of a held lock goes away, or it is freed while held: reports. */
void rt_lock_destroy(struct rt_lock *l);

/* Held by the running actor (or by the code outside actors) in that mode; _any in either. */
bool rt_lock_held(const struct rt_lock *l, enum rt_lock_mode mode);
bool rt_lock_held_any(const struct rt_lock *l);
/* Somebody else waits for it (rwlock_needbreak, spin_needbreak). */
bool rt_lock_contended(const struct rt_lock *l);
/* Number of locks that the running actor holds; the lab asks that it be 0 between actions. */
u32 rt_locks_held(void);
/* Text of the locks that actor @id holds, "mmu_lock(W) slots_lock", into @buf. */
void rt_locks_describe(u32 id, char *buf, size_t len);

/*
 * "May sleep here": reports under a spinning lock or inside RCU (might_sleep(), GFP_KERNEL
 * allocations).
 */
void rt_might_sleep(const char *what);
/*
 * The caller is about to wait for other CPUs (@what): a spinlock that it holds makes everybody who
 * wants it spin as long. Locks for readers and writers may be held, mmu_lock is there for that.
 * Reported as "lockdep".
 */
void rt_might_wait(const char *what);

/*
 * rt_report - a rule of the runtime or of a floor above was broken by the simulated code (lockdep,
 * RCU misuse, WARN, KVM_BUG_ON): recorded in order, first one wins. @rule is the oracle's name,
 * e.g. "lockdep", "rcu", "warn". The report goes to the world's report hook, or, without one, to
 * stderr and abort().
 */
void rt_report(const char *rule, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct rt_world;
/* How many there were in this world. */
u64 rt_reports(void);
void rt_set_report_hook(struct rt_world *w,
			void (*fn)(void *ctx, const char *rule, const char *text), void *ctx);

#endif
