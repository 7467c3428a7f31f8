// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a conversion, hole or fault locks (P19): the whole inode by its invalidate_lock, or, as
 * planned, only the index range that it works on. Under INDEX_RANGE invalidate_lock is held shared
 * by everybody and exclusively where bindings change, and ranges keep each other out. What the lock
 * protects is written in gmem.md 1, "Locks".
 */
#include "gmem/internal.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"

static bool by_range(const struct gmem_inode *inode)
{
	return gmem_policy(inode, GMEM_P_LOCK_SCOPE) == GMEM_SCOPE_RANGE;
}

/* Folios are allocated, split and merged as whole blocks, so a range is of whole blocks too. */
static struct gmem_range range_of(const struct gmem_inode *inode, u64 start, u64 nr,
				  enum rt_lock_mode mode)
{
	u64 end = gmem_round_up(start + nr, inode->max_order);

	start = gmem_round_down(start, inode->max_order);
	return (struct gmem_range){.start = start, .end = end, .exclusive = mode == RT_LOCK_EX};
}

struct range_wait {
	const struct gmem_inode *inode;
	struct gmem_range want;
};

static bool range_free(void *arg)
{
	const struct range_wait *w = arg;
	const struct gmem_range *r;

	TAILQ_FOREACH(r, &w->inode->ranges, link)
		if (r->start < w->want.end && w->want.start < r->end &&
		    (r->exclusive || w->want.exclusive))
			return false;
	return true;
}

void gmem_lock_range(struct gmem_inode *inode, u64 start, u64 nr, enum rt_lock_mode mode)
{
	struct range_wait w = {.inode = inode, .want = range_of(inode, start, nr, mode)};
	struct gmem_range *r;

	if (!by_range(inode)) {
		rt_lock_take(&inode->invalidate_lock, mode);
		return;
	}
	rt_lock_take(&inode->invalidate_lock, RT_LOCK_SH);
	rt_block("index range of a file", range_free, &w);
	r = rt_alloc(sizeof(*r));
	*r = w.want;
	r->since = rt_cycles_now();
	TAILQ_INSERT_TAIL(&inode->ranges, r, link);
}

void gmem_unlock_range(struct gmem_inode *inode, u64 start, u64 nr, enum rt_lock_mode mode)
{
	struct gmem_range want = range_of(inode, start, nr, mode), *r;

	if (!by_range(inode)) {
		rt_lock_release(&inode->invalidate_lock, mode);
		return;
	}
	TAILQ_FOREACH(r, &inode->ranges, link)
		if (r->start == want.start && r->end == want.end && r->exclusive == want.exclusive)
			break;
	assert(r);
	TAILQ_REMOVE(&inode->ranges, r, link);
	if (r->exclusive)
		gmem_count(GMEM_STAT_INVAL_LOCK_CYCLES, rt_cycles_now() - r->since);
	rt_free(r);
	rt_lock_release(&inode->invalidate_lock, RT_LOCK_SH);
}

bool gmem_locked_ex(const struct gmem_inode *inode)
{
	return by_range(inode) ? rt_lock_held_any(&inode->invalidate_lock)
			       : rt_lock_held(&inode->invalidate_lock, RT_LOCK_EX);
}
