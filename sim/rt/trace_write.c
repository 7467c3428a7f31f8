// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text writers of the trace: our own line form, and the one that ftrace users know.
 * One event is one line in both. The JSON writer is in trace_json.c, the buffer in trace.c.
 */
#include <errno.h>
#include <string.h>

#include "sim/rt/sched.h"
#include "sim/rt/trace_fmt.h"

/* Appends as snprintf() does; @pos goes on counting when the buffer is full. */
struct fmt_buf {
	char *buf;
	size_t len, pos;
};

/* A trace has millions of lines, and printf() would be most of the time that one takes. */
static void put(struct fmt_buf *b, const char *text)
{
	for (; *text; text++, b->pos++) {
		if (b->pos + 1 < b->len)
			b->buf[b->pos] = *text;
	}
}

static void put_pad(struct fmt_buf *b, size_t have, size_t width)
{
	for (; have < width; have++)
		put(b, " ");
}

/* @val as text at the end of @buf, which has room for 20 digits and more. */
static const char *number(u64 val, u32 base, char *buf, size_t len)
{
	char *p = buf + len;

	*--p = 0;
	do {
		*--p = "0123456789abcdef"[val % base];
		val /= base;
	} while (val);
	return p;
}

static const char *hex(u64 val, char *buf, size_t len)
{
	char *p = (char *)number(val, 16, buf, len);

	*--p = 'x';
	*--p = '0';
	return p;
}

static void put_dec(struct fmt_buf *b, u64 val, size_t width)
{
	char buf[24];
	const char *text = number(val, 10, buf, sizeof(buf));

	put_pad(b, strlen(text), width);
	put(b, text);
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
		return number(ev->arg[i], 10, buf, len);
	case RT_ARG_HEX:
	case RT_ARG_NONE:
		break;
	}
	return hex(ev->arg[i], buf, len);
}

const char *rt_fmt_actor(u32 id, const char *(*actor_name)(u32 id), char *buf, size_t len)
{
	const char *name = id == RT_NOBODY ? "-" : actor_name ? actor_name(id) : NULL;

	if (name)
		return name;
	snprintf(buf, len, "actor%u", id);
	return buf;
}

static void fmt_args(struct fmt_buf *b, const struct rt_event *ev)
{
	char tmp[96];

	for (u32 i = 0; i < ev->nr_args && ev->type->arg[i].name; i++) {
		put(b, " ");
		put(b, ev->type->arg[i].name);
		put(b, "=");
		put(b, rt_fmt_arg(ev, i, tmp, sizeof(tmp)));
	}
}

/* The end of the text, as snprintf() has it; its length, also of what did not fit. */
static int finish(struct fmt_buf *b)
{
	if (b->len)
		b->buf[b->pos < b->len ? b->pos : b->len - 1] = 0;
	return (int)b->pos;
}

/*
 * "STEP CYCLES ACTOR CATEGORY:NAME PHASE ARG=VALUE ..."; the phase is ">" for a begin, "<" for an
 * end, "." for an instant.
 */
int rt_event_text(const struct rt_event *ev, char *buf, size_t len,
		  const char *(*actor_name)(u32 id))
{
	static const char *const phase[] = {
		[RT_PH_BEGIN] = " >", [RT_PH_END] = " <", [RT_PH_INSTANT] = " ."};
	struct fmt_buf b = {buf, len, 0};
	const char *actor;
	char tmp[32];

	put_dec(&b, ev->step, 6);
	put(&b, " ");
	put_dec(&b, ev->cycles, 10);
	put(&b, " ");
	actor = rt_fmt_actor(ev->actor, actor_name, tmp, sizeof(tmp));
	put(&b, actor);
	put_pad(&b, strlen(actor), 10);
	put(&b, " ");
	put(&b, ev->type->cat);
	put(&b, ":");
	put(&b, ev->type->name);
	put(&b, phase[ev->phase]);
	fmt_args(&b, ev);
	return finish(&b);
}

int rt_trace_write_text(const struct rt_trace *t, FILE *out, const char *(*actor_name)(u32 id))
{
	char line[1024];

	for (size_t i = 0; i < rt_trace_len(t); i++) {
		rt_event_text(rt_trace_get(t, i), line, sizeof(line), actor_name);
		if (fputs(line, out) < 0 || putc('\n', out) < 0)
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
	char args[900], tmp[32];
	struct fmt_buf b = {args, sizeof(args), 0};

	fmt_args(&b, ev);
	finish(&b);
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
