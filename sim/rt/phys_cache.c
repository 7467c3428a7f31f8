// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines of a page that may be in the caches under a key which is no longer its owner's: who left
 * them, who has written them back, and who uses the page too early. What is in a page is in phys.c;
 * lines of the present owner are no concern, so nothing is kept for them.
 */
#include <assert.h>
#include <string.h>

#include "sim/rt/lock.h"
#include "sim/rt/phys.h"
#include "sim/rt/phys_map.h"

/* Pages [first, first + nr); no two overlap. Mostly none, or the one that is being written back. */
struct rt_phys_lines {
	u64 first, nr;
	u32 key;
};

static void drop(struct rt_phys *p, u32 i)
{
	p->lines[i] = p->lines[--p->nr_lines];
	p->lines[p->nr_lines] = (struct rt_phys_lines){0};
}

static void add(struct rt_world *w, u64 first, u64 nr, u32 key)
{
	struct rt_phys *p = &w->s.phys;

	p->lines = rt_own_grow(w, p->lines, &p->cap_lines, p->nr_lines + 1,
			       sizeof(struct rt_phys_lines));
	p->lines[p->nr_lines++] = (struct rt_phys_lines){first, nr, key};
}

/* Take [first, first + nr) out of what is remembered, of @key only or (RT_PHYS_ANY) of all. */
#define RT_PHYS_ANY (~0U)
static void forget(struct rt_world *w, u64 first, u64 nr, u32 key)
{
	struct rt_phys *p = &w->s.phys;

	for (u32 i = 0; i < p->nr_lines;) {
		const struct rt_phys_lines l = p->lines[i];
		u64 end = first + nr, l_end = l.first + l.nr;

		if (l_end <= first || l.first >= end || (key != RT_PHYS_ANY && l.key != key)) {
			i++;
			continue;
		}
		drop(p, i);
		if (l.first < first)
			add(w, l.first, first - l.first, l.key);
		if (l_end > end)
			add(w, end, l_end - end, l.key);
	}
}

void rt_phys_lines_left(u64 pa, u64 len, u32 key)
{
	struct rt_world *w = rt_need_world();

	assert(!(pa & 4095) && !(len & 4095) && key != RT_PHYS_ANY);
	forget(w, pa >> RT_PAGE_SHIFT, len >> RT_PAGE_SHIFT, RT_PHYS_ANY);
	add(w, pa >> RT_PAGE_SHIFT, len >> RT_PAGE_SHIFT, key);
}

void rt_phys_lines_back(u64 pa, u64 len, u32 key)
{
	struct rt_world *w = rt_need_world();

	if (w->s.phys.nr_lines)
		forget(w, pa >> RT_PAGE_SHIFT, len >> RT_PAGE_SHIFT, key);
}

void rt_phys_lines_back_all(u32 key)
{
	struct rt_phys *p = &rt_need_world()->s.phys;

	for (u32 i = 0; i < p->nr_lines;) {
		if (p->lines[i].key == key)
			drop(p, i);
		else
			i++;
	}
}

bool rt_phys_lines(u64 pa, u64 len, u64 *at, u32 *key)
{
	const struct rt_phys *p = &rt_need_world()->s.phys;
	u64 first = pa >> RT_PAGE_SHIFT, end = first + (len >> RT_PAGE_SHIFT);
	bool found = false;

	for (u32 i = 0; i < p->nr_lines; i++) {
		const struct rt_phys_lines *l = &p->lines[i];
		u64 page = l->first > first ? l->first : first;

		if (l->first >= end || l->first + l->nr <= first ||
		    (found && page >= *at >> RT_PAGE_SHIFT))
			continue;
		found = true;
		*at = page << RT_PAGE_SHIFT;
		*key = l->key;
	}
	return found;
}

void rt_phys_use_early(struct rt_world *w, u64 pa, u64 len, u32 key)
{
	u64 at;
	u32 old;

	if (!rt_phys_lines(pa, len, &at, &old) || old == key)
		return;
	/* Told once for each owner that left lines there. */
	forget(w, pa >> RT_PAGE_SHIFT, len >> RT_PAGE_SHIFT, old);
	rt_report("cache-written-back",
		  "page 0x%llx is used with key %u, and lines of key %u may be in the caches", at,
		  key, old);
}
