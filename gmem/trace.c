// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd's trace events: each building block of a conversion, each change of a folio, each
 * allocation that may fail, each store of attributes, each reference that somebody takes or drops.
 */
#include "gmem/internal.h"
#include "sim/rt/trace.h"

static const struct rt_event_type ev_step = {
	.name = "gmem_step",
	.cat = "gmem",
	.arg = {{"step", RT_ARG_STR, NULL},
		{"index", RT_ARG_HEX, NULL},
		{"pages", RT_ARG_DEC, NULL},
		{"to_private", RT_ARG_DEC, NULL},
		{"errno", RT_ARG_DEC, NULL}},
};

static const struct rt_event_type ev_folio = {
	.name = "gmem_folio",
	.cat = "gmem",
	.arg = {{"what", RT_ARG_STR, NULL},
		{"index", RT_ARG_HEX, NULL},
		{"pfn", RT_ARG_HEX, NULL},
		{"order", RT_ARG_DEC, NULL},
		{"errno", RT_ARG_DEC, NULL}},
};

static const struct rt_event_type ev_alloc = {
	.name = "gmem_alloc",
	.cat = "gmem",
	.arg = {{"site", RT_ARG_STR, NULL}, {"nr", RT_ARG_DEC, NULL}},
};

static const struct rt_event_type ev_attr = {
	.name = "gmem_attr",
	.cat = "gmem",
	.arg = {{"index", RT_ARG_HEX, NULL},
		{"pages", RT_ARG_DEC, NULL},
		{"attributes", RT_ARG_HEX, NULL}},
};

static const char *sym_ref(u64 kind, char *buf, size_t len)
{
	static const char *const names[GMEM_REF_NR] = {[GMEM_REF_LONGTERM] = "pin",
						       [GMEM_REF_TRANSIENT] = "transient",
						       [GMEM_REF_LRU] = "lru",
						       [GMEM_REF_LOOKUP] = "lookup"};

	return kind < GMEM_REF_NR ? names[kind] : NULL;
}

static const struct rt_event_type ev_ref = {
	.name = "gmem_ref",
	.cat = "gmem",
	.arg = {{"pfn", RT_ARG_HEX, NULL},
		{"kind", RT_ARG_SYM, sym_ref},
		{"get", RT_ARG_DEC, NULL}},
};

void gmem_trace_step(const struct gmem_convert *c, const struct gmem_step *step, int ret)
{
	rt_trace(&ev_step, RT_PH_INSTANT, (uintptr_t)step->name, c->start, c->nr, c->to_private,
		 (u64)-ret);
}

void gmem_trace_folio(const char *what, u64 index, u64 pfn, u8 order, int ret)
{
	rt_trace(&ev_folio, RT_PH_INSTANT, (uintptr_t)what, index, pfn, order, (u64)-ret);
}

void gmem_trace_alloc(const char *site, u64 nr)
{
	rt_trace(&ev_alloc, RT_PH_INSTANT, (uintptr_t)site, nr);
}

void gmem_trace_attr(u64 start, u64 nr, u64 value)
{
	rt_trace(&ev_attr, RT_PH_INSTANT, start, nr, value);
}

void gmem_trace_ref(u64 pfn, enum gmem_ref kind, bool get)
{
	rt_trace(&ev_ref, RT_PH_INSTANT, pfn, (u64)kind, (u64)get);
}
