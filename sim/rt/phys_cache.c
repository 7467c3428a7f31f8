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

/* Pages [first, first + nr); ascending, no two overlap. */
struct rt_phys_lines {
	u64 first, nr;
	u32 key;
};

/* The first that does not end before @page, nr_lines if all do. */
static u32 find(const struct rt_phys *p, u64 page)
{
	u32 low = 0, high = p->nr_lines;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (p->lines[mid].first + p->lines[mid].nr <= page)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void drop(struct rt_phys *p, u32 i)
{
	p->nr_lines--;
	memmove(&p->lines[i], &p->lines[i + 1], (p->nr_lines - i) * sizeof(*p->lines));
	memset(&p->lines[p->nr_lines], 0, sizeof(*p->lines));
}

static void add(struct rt_world *w, u64 first, u64 nr, u32 key)
{
	struct rt_phys *p = &w->s.phys;
	u32 i = find(p, first);

	p->lines = rt_own_grow(w, p->lines, &p->cap_lines, p->nr_lines + 1,
			       sizeof(struct rt_phys_lines));
	memmove(&p->lines[i + 1], &p->lines[i], (p->nr_lines - i) * sizeof(*p->lines));
	p->lines[i] = (struct rt_phys_lines){first, nr, key};
	p->nr_lines++;
}

/* Take [first, first + nr) out of what is remembered, of @key only or (RT_PHYS_ANY) of all. */
#define RT_PHYS_ANY (~0U)
static void forget(struct rt_world *w, u64 first, u64 nr, u32 key)
{
	struct rt_phys *p = &w->s.phys;
	u64 end = first + nr;

	for (u32 i = find(p, first); i < p->nr_lines && p->lines[i].first < end;) {
		const struct rt_phys_lines l = p->lines[i];
		u64 l_end = l.first + l.nr;

		if (key != RT_PHYS_ANY && l.key != key) {
			i++;
			continue;
		}
		drop(p, i);
		if (l.first < first) {
			add(w, l.first, first - l.first, l.key);
			i++;
		}
		if (l_end > end) {
			add(w, end, l_end - end, l.key);
			i++;
		}
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
	u32 i = find(p, first);
	const struct rt_phys_lines *l;

	if (i == p->nr_lines || p->lines[i].first >= end)
		return false;
	l = &p->lines[i];
	*at = (l->first > first ? l->first : first) << RT_PAGE_SHIFT;
	*key = l->key;
	return true;
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
