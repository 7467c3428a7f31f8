// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault injection: the list of armed faults and the question whether one fires.
 * The list lives in the world, so an image has the counts; sites and meanings belong to the floors
 * above.
 */
#include "sim/rt/fault.h"

#include <string.h>

#include "sim/rt/events.h"
#include "sim/rt/internal.h"

struct rt_fault_slot {
	struct rt_fault f;
	struct rt_fault_slot *next; /* in the order of arming */
};

bool rt_fault_spent(const struct rt_fault *f)
{
	if (f->maybe)
		return f->fired >= f->count;
	return f->seen >= f->nth && f->seen - f->nth >= f->count - 1;
}

u32 rt_fault_arm(const struct rt_fault *f)
{
	struct rt_world *w = rt_need_world();
	struct rt_faults *fs = &w->s.faults;
	struct rt_fault_slot *slot = rt_own_zalloc(w, sizeof(*slot));

	slot->f = *f;
	slot->f.site[sizeof(slot->f.site) - 1] = '\0';
	slot->f.seen = slot->f.fired = 0;
	if (!slot->f.nth)
		slot->f.nth = 1;
	if (!slot->f.count)
		slot->f.count = 1;
	slot->f.id = fs->serial++;
	if (fs->last)
		fs->last->next = slot;
	else
		fs->first = slot;
	fs->last = slot;
	fs->unspent++;
	return slot->f.id;
}

void rt_fault_disarm(u32 id)
{
	struct rt_world *w = rt_need_world();
	struct rt_faults *fs = &w->s.faults;
	struct rt_fault_slot *before = NULL, *slot = fs->first;

	for (; slot && slot->f.id != id; slot = slot->next)
		before = slot;
	if (!slot)
		return;
	if (before)
		before->next = slot->next;
	else
		fs->first = slot->next;
	if (fs->last == slot)
		fs->last = before;
	fs->unspent -= !rt_fault_spent(&slot->f);
	rt_own_free(w, slot);
}

static bool matches(const struct rt_fault *f, const char *site, u64 key, u32 actor)
{
	if (f->key != RT_FAULT_ANY && f->key != key)
		return false;
	if (f->actor != RT_NOBODY && f->actor != actor)
		return false;
	return !strcmp(f->site, site);
}

/* It is its turn; one that may fire has to ask first. */
static bool fires(struct rt_world *w, const struct rt_fault *f, const char *site, u64 key)
{
	return f->seen >= f->nth && (!f->maybe || rt_sched_ask_fault(w, site, key));
}

/* All that match count the visit; the first whose turn it is fires. */
static bool visit(struct rt_world *w, const char *site, u64 key, u64 *value)
{
	struct rt_faults *fs = &w->s.faults;
	u32 actor = rt_actor_id(w->s.sched.running);
	bool fired = false;

	for (struct rt_fault_slot *slot = fs->first; slot; slot = slot->next) {
		struct rt_fault *f = &slot->f;

		if (rt_fault_spent(f) || !matches(f, site, key, actor))
			continue;
		/* How often one that may fire did not is nothing that anybody goes by. */
		f->seen += !f->maybe || f->seen < f->nth;
		if (!fired && fires(w, f, site, key)) {
			fired = true;
			f->fired++;
			if (value)
				*value = f->value;
			rt_trace(&rt_ev_fault, RT_PH_INSTANT, (u64)(uintptr_t)site, key, f->value);
		}
		fs->unspent -= rt_fault_spent(f);
	}
	return fired;
}

bool rt_fault_fire(const char *site, u64 key, u64 *value)
{
	struct rt_world *w = rt_need_world();

	if (__builtin_expect(!w->s.faults.unspent, 1))
		return false;
	return visit(w, site, key, value);
}

const struct rt_fault *rt_fault_get(u32 index)
{
	const struct rt_fault_slot *slot = rt_need_world()->s.faults.first;

	while (slot && index--)
		slot = slot->next;
	return slot ? &slot->f : NULL;
}
