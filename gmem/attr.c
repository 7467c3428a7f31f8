// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attribute tree: private or shared for every index of an inode, as coalesced ranges without a
 * gap (gmem.md 1). Look-ups, the worst-case preallocation before a store, and the store itself live
 * here. Who may store when (strictly between begin and end, invalidate_lock held exclusively) is
 * the business of flows.c.
 */
#include <linux/bug.h>

#include "gmem/internal.h"
#include "mmu/kvm_vm.h"
#include "sim/rt/fault.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"

/*
 * Ranges are disjoint, so the order of their ends is the order of the ranges, and NFIND on an index
 * finds its range.
 */
static int attr_cmp(const struct gmem_attr *a, const struct gmem_attr *b)
{
	return a->last < b->last ? -1 : a->last > b->last;
}

RB_GENERATE_STATIC(gmem_attrs, gmem_attr, node, attr_cmp)

static struct gmem_attr *attr_find(const struct gmem_inode *inode, u64 index)
{
	struct gmem_attr key = {.last = index};
	/* tree.h knows no const; a look-up changes nothing. */
	struct gmem_attr *a = RB_NFIND(gmem_attrs, (struct gmem_attrs *)&inode->attrs, &key);

	assert(index < inode->nr_pages);
	assert(a && a->start <= index);
	return a;
}

void gmem_attr_init(struct gmem_inode *inode, u64 value)
{
	struct gmem_attr *a = rt_zalloc(sizeof(*a));

	RB_INIT(&inode->attrs);
	a->last = inode->nr_pages - 1;
	a->value = value;
	RB_INSERT(gmem_attrs, &inode->attrs, a);
}

void gmem_attr_destroy(struct gmem_inode *inode)
{
	struct gmem_attr *a;

	while ((a = RB_ROOT(&inode->attrs))) {
		RB_REMOVE(gmem_attrs, &inode->attrs, a);
		rt_free(a);
	}
}

const struct gmem_attr *gmem_attr_at(const struct gmem_inode *inode, u64 index)
{
	return attr_find(inode, index);
}

/*
 * As MT_RCU reads it (P11): one look-up that sees either the old or the new tree, never a missing
 * entry.
 */
bool gmem_is_private(const struct gmem_inode *inode, u64 index)
{
	return attr_find(inode, index)->value & KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

bool gmem_attr_read(struct gmem_inode *inode, u64 index)
{
	bool value;

	switch (gmem_policy(inode, GMEM_P_ATTR_READ)) {
	case GMEM_READ_IL_SHARED:
		gmem_lock_range(inode, index, 1, RT_LOCK_SH);
		value = gmem_is_private(inode, index);
		gmem_unlock_range(inode, index, 1, RT_LOCK_SH);
		return value;
	case GMEM_READ_RCU_UNSAFE:
		/* The old entry is out, the new one not in: a warning, and it reads as shared. */
		if (WARN_ON_ONCE(inode->attr_hole && index >= inode->hole_start &&
				 index <= inode->hole_last))
			return false;
		return gmem_is_private(inode, index);
	default:
		return gmem_is_private(inode, index);
	}
}

bool gmem_attr_uniform(const struct gmem_inode *inode, u64 start, u64 nr, u64 value)
{
	const struct gmem_attr *a = attr_find(inode, start);

	assert(nr);
	/*
	 * No two equal neighbours: either this range covers all of it, or a different value begins
	 * inside.
	 */
	return a->value == value && a->last >= start + nr - 1;
}

/*
 * What a store of @value to [start, last] does to the tree. The new range swallows the ranges
 * inside and equal neighbours, so it may be wider than what was asked for; other values keep a
 * remainder on either side.
 */
struct attr_plan {
	struct gmem_attr *first, *end; /* ranges to go: [first, end) in the tree */
	u64 new_start, new_last;
	bool left, right; /* a remainder stays there */
	u32 nr_old, nr_new;
};

static struct attr_plan attr_plan(const struct gmem_inode *inode, u64 start, u64 last, u64 value)
{
	struct gmem_attr *first = attr_find(inode, start), *tail = attr_find(inode, last), *a;
	struct attr_plan p = {.new_start = start, .new_last = last};

	if (start == first->start && start) {
		struct gmem_attr *before = attr_find(inode, start - 1);

		if (before->value == value)
			first = before;
	}
	if (last == tail->last && last < inode->nr_pages - 1) {
		struct gmem_attr *after = attr_find(inode, last + 1);

		if (after->value == value)
			tail = after;
	}
	if (first->value == value)
		p.new_start = gmem_min(start, first->start);
	else
		p.left = first->start < start;
	if (tail->value == value)
		p.new_last = gmem_max(last, tail->last);
	else
		p.right = tail->last > last;
	p.first = first;
	p.end = RB_NEXT(gmem_attrs, &inode->attrs, tail);
	for (a = first; a != p.end; a = RB_NEXT(gmem_attrs, &inode->attrs, a))
		p.nr_old++;
	p.nr_new = 1 + p.left + p.right;
	assert(p.nr_new <= p.nr_old + GMEM_ATTR_NODES);
	return p;
}

int gmem_attr_prealloc(const struct gmem_inode *inode, u64 start, u64 nr, u64 value,
		       struct gmem_attr_prealloc *pre)
{
	struct attr_plan p = attr_plan(inode, start, start + nr - 1, value);
	u32 need = p.nr_new > p.nr_old ? p.nr_new - p.nr_old : 0;

	/*
	 * Neighbours may change before the store if only the range is locked: the worst case then.
	 */
	if (gmem_policy(inode, GMEM_P_LOCK_SCOPE) == GMEM_SCOPE_RANGE)
		need = GMEM_ATTR_NODES;
	pre->nr = 0;
	rt_might_sleep("attribute tree allocation");
	/*
	 * Readers go on while a leaf is rewritten, so the real tree allocates at least one node for
	 * any store.
	 */
	for (need = need ? need : 1; pre->nr < need;) {
		if (rt_fault_fire("attr-alloc", 0, NULL)) {
			gmem_attr_prealloc_free(pre);
			return -ENOMEM;
		}
		pre->node[pre->nr++] = rt_alloc(sizeof(struct gmem_attr));
		gmem_count(GMEM_STAT_ALLOCS_TREE, 1);
		gmem_trace_alloc("attr-alloc", 1);
	}
	return 0;
}

void gmem_attr_prealloc_free(struct gmem_attr_prealloc *pre)
{
	while (pre->nr)
		rt_free(pre->node[--pre->nr]);
}

static void attr_insert(struct gmem_inode *inode, u64 start, u64 last, u64 value,
			struct gmem_attr_prealloc *pre)
{
	struct gmem_attr *a;

	assert(pre->nr && start <= last);
	a = pre->node[--pre->nr];
	a->start = start;
	a->last = last;
	a->value = value;
	RB_INSERT(gmem_attrs, &inode->attrs, a);
}

void gmem_attr_store(struct gmem_inode *inode, u64 start, u64 nr, u64 value,
		     struct gmem_attr_prealloc *pre)
{
	u64 last = start + nr - 1;
	struct attr_plan p = attr_plan(inode, start, last, value);
	struct gmem_attr left = *p.first, right, *a, *next;
	/* Nodes that go are taken again for those that come. */
	struct gmem_attr_prealloc use = {.nr = 0};
	u32 i;

	assert(gmem_locked_ex(inode));
	if (gmem_policy(inode, GMEM_P_ATTR_READ) == GMEM_READ_RCU_UNSAFE) {
		inode->hole_start = start;
		inode->hole_last = last;
		inode->attr_hole = true;
		rt_point(RT_PT_RCU, start);
		inode->attr_hole = false;
	}
	right = left;
	for (a = p.first; a != p.end; a = next) {
		next = RB_NEXT(gmem_attrs, &inode->attrs, a);
		right = *a;
		RB_REMOVE(gmem_attrs, &inode->attrs, a);
		if (use.nr < GMEM_ATTR_NODES)
			use.node[use.nr++] = a;
		else
			rt_free(a);
	}
	for (i = 0; i < p.nr_new; i++) {
		struct gmem_attr_prealloc *from = use.nr ? &use : pre;

		if (i == 0)
			attr_insert(inode, p.new_start, p.new_last, value, from);
		else if (i == 1 && p.left)
			attr_insert(inode, left.start, start - 1, left.value, from);
		else
			attr_insert(inode, last + 1, right.last, right.value, from);
	}
	gmem_attr_prealloc_free(&use);
	gmem_trace_attr(start, nr, value);
}
