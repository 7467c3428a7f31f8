// SPDX-License-Identifier: GPL-2.0-only
/*
 * The JSON writer of the trace: Trace Event Format, for Perfetto and its kin.
 * B and E events only, one thread an actor (tid 0: code outside of actors, else id + 1), the step
 * as time. An instant is a B and an E. Whatever was cut off, each B has its E: the open ends are
 * closed here.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/rt/internal.h"
#include "sim/rt/trace_fmt.h"

/* Spans that are open, of all actors, oldest first. */
struct open_span {
	const struct rt_event_type *type;
	u32 actor;
};

struct writer {
	FILE *out;
	const char *(*actor_name)(u32 id);
	struct open_span *open;
	size_t nr, cap;
	u64 events;
	bool failed;
};

static void put(struct writer *w, const char *text)
{
	if (fputs(text, w->out) < 0)
		w->failed = true;
}

static void put_string(struct writer *w, const char *s)
{
	put(w, "\"");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			w->failed |= fprintf(w->out, "\\%c", c) < 0;
		else if (c < ' ' || c > '~')
			w->failed |= fprintf(w->out, "\\u%04x", c) < 0;
		else
			w->failed |= fputc(c, w->out) == EOF;
	}
	put(w, "\"");
}

/* Everything of an event up to its arguments. */
static void put_head(struct writer *w, const struct rt_event_type *type, char ph, u32 actor,
		     u64 step)
{
	put(w, w->events++ ? ",\n{\"name\":" : "\n{\"name\":");
	put_string(w, type->name);
	put(w, ",\"cat\":");
	put_string(w, type->cat);
	w->failed |= fprintf(w->out, ",\"ph\":\"%c\",\"ts\":%llu,\"pid\":1,\"tid\":%u", ph, step,
			     actor + 1) < 0;
}

static void put_args(struct writer *w, const struct rt_event *ev)
{
	char tmp[96];

	put(w, ",\"args\":{\"actor\":");
	put_string(w, rt_fmt_actor(ev->actor, w->actor_name, tmp, sizeof(tmp)));
	for (u32 i = 0; i < ev->nr_args && ev->type->arg[i].name; i++) {
		put(w, ",");
		put_string(w, ev->type->arg[i].name);
		put(w, ":");
		/* 64-bit values as text: a JSON number loses bits above 2^53. */
		put_string(w, rt_fmt_arg(ev, i, tmp, sizeof(tmp)));
	}
	put(w, "}");
}

static void put_begin(struct writer *w, const struct rt_event *ev)
{
	put_head(w, ev->type, 'B', ev->actor, ev->step);
	put_args(w, ev);
	put(w, "}");
}

static void put_end(struct writer *w, const struct rt_event_type *type, u32 actor, u64 step)
{
	put_head(w, type, 'E', actor, step);
	put(w, "}");
}

static void span_open(struct writer *w, const struct rt_event *ev)
{
	if (w->nr == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 32;
		w->open = rt_host_realloc(w->open, w->cap * sizeof(*w->open));
	}
	w->open[w->nr++] = (struct open_span){ev->type, ev->actor};
	put_begin(w, ev);
}

/*
 * Ends the span of @ev, and those of the same actor inside of it that have no end of their own. An
 * end whose begin the ring has dropped is dropped too: it would close a span around it.
 */
static void span_close(struct writer *w, const struct rt_event *ev)
{
	size_t i = w->nr;

	while (i > 0 && (w->open[i - 1].actor != ev->actor || w->open[i - 1].type != ev->type))
		i--;
	if (!i)
		return;
	for (size_t k = w->nr; k-- >= i;) {
		if (w->open[k].actor != ev->actor)
			continue;
		if (k == i - 1) {
			put_head(w, ev->type, 'E', ev->actor, ev->step);
			put_args(w, ev);
			put(w, "}");
		} else {
			put_end(w, w->open[k].type, ev->actor, ev->step);
		}
		for (size_t m = k + 1; m < w->nr; m++)
			w->open[m - 1] = w->open[m];
		w->nr--;
	}
}

static void put_event(struct writer *w, const struct rt_event *ev)
{
	switch (ev->phase) {
	case RT_PH_BEGIN:
		span_open(w, ev);
		break;
	case RT_PH_END:
		span_close(w, ev);
		break;
	default:
		put_begin(w, ev);
		put_end(w, ev->type, ev->actor, ev->step);
	}
}

int rt_trace_write_json(const struct rt_trace *t, FILE *out, const char *(*actor_name)(u32 id))
{
	struct writer w = {.out = out, .actor_name = actor_name};
	size_t len = rt_trace_len(t);

	put(&w, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
	for (size_t i = 0; i < len && !w.failed; i++)
		put_event(&w, rt_trace_get(t, i));
	while (w.nr && !w.failed) {
		w.nr--;
		put_end(&w, w.open[w.nr].type, w.open[w.nr].actor, rt_trace_get(t, len - 1)->step);
	}
	put(&w, "\n]}\n");
	free(w.open);
	if (fflush(out) || w.failed)
		return errno ? -errno : -EIO;
	return 0;
}
