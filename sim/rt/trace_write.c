// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text writers of the trace: our own line form, and the one that ftrace users know.
 * One event is one line in both. The JSON writer is in trace_json.c, the buffer in trace.c.
 */
#include <errno.h>
#include <stdarg.h>

#include "sim/rt/sched.h"
#include "sim/rt/trace_fmt.h"

void rt_fmt(struct rt_fmt_buf *b, const char *fmt, ...)
{
	size_t room = b->pos < b->len ? b->len - b->pos : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? b->buf + b->pos : NULL, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		b->pos += (size_t)n;
}

const char *rt_fmt_arg(const struct rt_event *ev, u32 i, char *buf, size_t len)
{
	const char *sym;

	switch (ev->type->arg[i].fmt) {
	case RT_ARG_SYM:
		sym = ev->type->arg[i].sym(ev->arg[i], buf, len);
		if (sym)
			return sym;
		break;
	case RT_ARG_STR:
		return ev->arg[i] ? (const char *)(uintptr_t)ev->arg[i] : "-";
	case RT_ARG_DEC:
		snprintf(buf, len, "%llu", ev->arg[i]);
		return buf;
	case RT_ARG_HEX:
	case RT_ARG_NONE:
		break;
	}
	snprintf(buf, len, "0x%llx", ev->arg[i]);
	return buf;
}

const char *rt_fmt_actor(u32 id, const char *(*actor_name)(u32 id), char *buf, size_t len)
{
	const char *name = id == RT_NOBODY ? "-" : actor_name ? actor_name(id) : NULL;

	if (name)
		return name;
	snprintf(buf, len, "actor%u", id);
	return buf;
}

static void fmt_args(struct rt_fmt_buf *b, const struct rt_event *ev)
{
	char tmp[96];

	for (u32 i = 0; i < ev->nr_args && ev->type->arg[i].name; i++)
		rt_fmt(b, " %s=%s", ev->type->arg[i].name, rt_fmt_arg(ev, i, tmp, sizeof(tmp)));
}

/*
 * "STEP CYCLES ACTOR CATEGORY:NAME PHASE ARG=VALUE ..."; the phase is ">" for a begin, "<" for an
 * end, "." for an instant.
 */
int rt_event_text(const struct rt_event *ev, char *buf, size_t len,
		  const char *(*actor_name)(u32 id))
{
	static const char phase[] = {[RT_PH_BEGIN] = '>', [RT_PH_END] = '<', [RT_PH_INSTANT] = '.'};
	struct rt_fmt_buf b = {buf, len, 0};
	char tmp[32];

	rt_fmt(&b, "%6llu %10llu %-10s %s:%s %c", ev->step, ev->cycles,
	       rt_fmt_actor(ev->actor, actor_name, tmp, sizeof(tmp)), ev->type->cat, ev->type->name,
	       phase[ev->phase]);
	fmt_args(&b, ev);
	return (int)b.pos;
}

int rt_trace_write_text(const struct rt_trace *t, FILE *out, const char *(*actor_name)(u32 id))
{
	char line[1024];

	for (size_t i = 0; i < rt_trace_len(t); i++) {
		rt_event_text(rt_trace_get(t, i), line, sizeof(line), actor_name);
		if (fprintf(out, "%s\n", line) < 0)
			return -errno;
	}
	return 0;
}

/*
 * ftrace's "TASK-PID [CPU] FLAGS TIMESTAMP: EVENT: ARGS". An actor's id, from 1 on, is the PID; the
 * time is the world's virtual one, 2000 cycles to a microsecond; there is no CPU to tell, so it is
 * 0. A span is NAME_enter and NAME_exit.
 */
static int write_ftrace_line(const struct rt_event *ev, FILE *out,
			     const char *(*actor_name)(u32 id))
{
	static const char *const suffix[] = {
		[RT_PH_BEGIN] = "_enter", [RT_PH_END] = "_exit", [RT_PH_INSTANT] = ""};
	u64 us = ev->cycles / 2000;
	char args[900] = "", tmp[32];
	struct rt_fmt_buf b = {args, sizeof(args), 0};

	fmt_args(&b, ev);
	return fprintf(out, "%16s-%-7u [000] ..... %5llu.%06llu: %s%s:%s\n",
		       ev->actor == RT_NOBODY
			       ? "<none>"
			       : rt_fmt_actor(ev->actor, actor_name, tmp, sizeof(tmp)),
		       ev->actor + 1, us / 1000000, us % 1000000, ev->type->name, suffix[ev->phase],
		       args);
}

int rt_trace_write_ftrace(const struct rt_trace *t, FILE *out, const char *(*actor_name)(u32 id))
{
	size_t len = rt_trace_len(t);

	if (fprintf(out,
		    "# tracer: nop\n#\n# entries-in-buffer/entries-written: %zu/%llu   #P:1\n#\n"
		    "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
		    "#              | |         |   |||||     |         |\n",
		    len, rt_trace_seq(t)) < 0)
		return -errno;
	for (size_t i = 0; i < len; i++) {
		if (write_ftrace_line(rt_trace_get(t, i), out, actor_name) < 0)
			return -errno;
	}
	return 0;
}
