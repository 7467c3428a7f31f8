// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace buffer: a ring or a growing array of events in the host's memory.
 * It hangs on a world from outside; restoring an image cuts it back to where it was then.
 * The writers are in trace_write.c and trace_json.c.
 */
#include <assert.h>
#include <stdlib.h>

#include "sim/rt/internal.h"

struct rt_trace {
	struct rt_event *ev;
	size_t cap;   /* of the array */
	size_t limit; /* most events that are kept; 0: all */
	size_t first; /* place of the oldest */
	size_t len;
	u64 seq; /* events that ever were, less what was cut off */
};

struct rt_trace *rt_trace_new(size_t cap)
{
	struct rt_trace *t = rt_host_realloc(NULL, sizeof(*t));

	*t = (struct rt_trace){.limit = cap};
	return t;
}

void rt_trace_free(struct rt_trace *t)
{
	if (!t)
		return;
	free(t->ev);
	free(t);
}

void rt_trace_attach(struct rt_world *w, struct rt_trace *t)
{
	w->listener.trace = t;
	w->trace_base = t ? t->seq : 0;
}

/*
 * Place for one more event at the end; the oldest goes if it must. A ring is as long as it may be
 * from its first event.
 */
static struct rt_event *append(struct rt_trace *t)
{
	size_t at;

	if (t->len == t->cap && !(t->limit && t->cap)) {
		t->cap = t->limit ? t->limit : t->cap ? 2 * t->cap : 1024;
		t->ev = rt_host_realloc(t->ev, t->cap * sizeof(*t->ev));
	}
	at = t->first + t->len;
	if (at >= t->cap)
		at -= t->cap;
	if (t->len == t->cap)
		t->first = t->first + 1 == t->cap ? 0 : t->first + 1;
	else
		t->len++;
	t->seq++;
	return &t->ev[at];
}

void rt_trace_emit(const struct rt_event_type *type, enum rt_phase ph, u32 nr, const u64 *args)
{
	struct rt_world *w = rt_need_world();
	struct rt_event *ev;

	assert(nr <= RT_EVENT_ARGS);
	if (!w->listener.trace)
		return;
	ev = append(w->listener.trace);
	ev->type = type;
	ev->step = w->s.sched.step;
	ev->cycles = w->s.cycles;
	for (u32 i = 0; i < RT_EVENT_ARGS; i++)
		ev->arg[i] = i < nr ? args[i] : 0;
	ev->actor = rt_actor_id(w->s.sched.running);
	ev->phase = (u8)ph;
	ev->nr_args = (u8)nr;
}

size_t rt_trace_len(const struct rt_trace *t)
{
	return t->len;
}

const struct rt_event *rt_trace_get(const struct rt_trace *t, size_t i)
{
	size_t at = t->first + i;

	assert(i < t->len);
	return &t->ev[at >= t->cap ? at - t->cap : at];
}

u64 rt_trace_seq(const struct rt_trace *t)
{
	return t->seq;
}

/* What a full ring has dropped does not come back: then fewer are kept than there were. */
void rt_trace_cut(struct rt_trace *t, u64 seq)
{
	u64 newer;

	if (seq >= t->seq)
		return;
	newer = t->seq - seq;
	t->len = newer < t->len ? t->len - (size_t)newer : 0;
	t->seq = seq;
}
