/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world as its difference from a base: what a search over many states of one world saves,
 * restores and compares. Whole copies are in world.h; which states there are to look at, and what
 * is done with them, is the business of the floors above.
 *
 * Invariants, from rt_base_new() to rt_base_free():
 *  - What is not in the difference that was found or restored last is as in the base, also where
 *    nothing live is: no run sees what another has left below a stack or behind the heap.
 *  - Nothing that is freed is used again, and new blocks lie behind the heap of the base; so a
 *    write to freed memory is seen at the end of the step that makes it.
 *  - The hash is of what a run can depend on: it does not change with addresses, with the order of
 *    allocations, or with what was registered by rt_base_ignore(). Virtual time and the number of
 *    steps are ignored: two states that differ only in those are one.
 */
#ifndef RT_DELTA_H
#define RT_DELTA_H

#include "sim/rt/types.h"

struct rt_world;
struct rt_base;

struct rt_hash {
	u64 lo, hi;
};

/*
 * Locks measure times and count takings. All pages are compared each time: no write is caught by a
 * signal handler, of which a process has one; for few looks, beside other threads.
 */
#define RT_BASE_MEASURE (1U << 0)
#define RT_BASE_COMPARE (1U << 1)
/*
 * rt_base_new - the world as it is now becomes the base, and searching begins: until
 * rt_base_free() only rt_delta_get() may restore it. Not from inside an actor. @flags: RT_BASE_*.
 */
struct rt_base *rt_base_new(struct rt_world *w, u32 flags);
/* The base is given back. The world stays as it is, but is good for nothing but to be freed. */
void rt_base_free(struct rt_base *b);
/* Is the current world searched? What nobody can see but counts on need not make new states then. */
bool rt_is_searched(void);

/*
 * [@p, @p + @len), a multiple of 8 in the heap of the base, is no part of the state: counters that
 * nobody acts on. Before the first rt_base_diff().
 */
void rt_base_ignore(struct rt_base *b, const void *p, size_t len);

/*
 * rt_base_diff - find what a run has changed; asked after each, before anything else.
 * rt_base_hash() is of the difference that was found last. rt_base_written() is the offset of
 * freed memory that was written to, 0 if there is none; asked after the hash.
 */
void rt_base_diff(struct rt_base *b);
struct rt_hash rt_base_hash(struct rt_base *b);
/* The same with the addresses of new blocks in it: the order of allocations matters. */
struct rt_hash rt_base_hash_plain(struct rt_base *b);
size_t rt_base_written(const struct rt_base *b);

/*
 * What the last run has changed, as bytes (aligned to 8): how many there will be, and copied out to
 * @to. They mean the same in every process that was forked since rt_base_new().
 */
size_t rt_step_bytes(const struct rt_base *b);
void rt_step_put(const struct rt_base *b, void *to);

/*
 * A state as bytes, aligned to 8. What states have in common is kept once, by the process that
 * called rt_base_new(): only that one makes states, those that are forked from it restore them.
 * rt_delta_next() is what a step has made of state @from, rt_delta_put() the difference that was
 * found last; both return its length, at most that of rt_delta_room() and of rt_delta_bytes().
 */
size_t rt_delta_room(const void *from, const void *step);
size_t rt_delta_next(struct rt_base *b, const void *from, const void *step, void *to);
size_t rt_delta_bytes(const struct rt_base *b);
size_t rt_delta_put(struct rt_base *b, void *to);

/* The world as it was then. rt_delta_again(): in what was restored last, and cheap. */
void rt_delta_get(struct rt_base *b, const void *from);
void rt_delta_again(struct rt_base *b);

#endif
