/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace: typed events, in order, outside the world (restoring an image cuts it back).
 * Each floor describes its events in one table (struct rt_event_type); the writers here know no
 * event by name. Narration for people (who, which SEAMCALL, what changed) is the lab's; these are
 * the raw records and two writers.
 */
#ifndef RT_TRACE_H
#define RT_TRACE_H

#include <stdio.h>

#include "sim/rt/types.h"

enum rt_arg_fmt {
	RT_ARG_NONE = 0,
	RT_ARG_HEX,
	RT_ARG_DEC,
	RT_ARG_SYM, /* by @sym: status names, leaf names, states */
	RT_ARG_STR, /* a literal: const char * */
};

#define RT_EVENT_ARGS 6

/*
 * Invariant: types are static const data, alive for the whole process; events refer to them by
 * pointer.
 */
struct rt_event_type {
	const char *name; /* "seamcall", "lock", "spte" */
	const char *cat;  /* floor: "rt", "tdx", "mmu", "gmem", "lab" */
	struct {
		const char *name;
		enum rt_arg_fmt fmt;
		/* For RT_ARG_SYM: text of the value into @buf, or NULL to print hex. */
		const char *(*sym)(u64 val, char *buf, size_t len);
	} arg[RT_EVENT_ARGS];
};

enum rt_phase {
	RT_PH_BEGIN, /* of a span that ends with RT_PH_END of the same type by the same actor */
	RT_PH_END,
	RT_PH_INSTANT,
};

struct rt_event {
	const struct rt_event_type *type;
	u64 step;
	u64 cycles;
	u64 arg[RT_EVENT_ARGS];
	u32 actor;
	u8 phase;
	u8 nr_args;
};

struct rt_world;
/*
 * A trace buffer of at most @cap events (0: unbounded); when full the oldest go. Attach to a world;
 * NULL detaches.
 */
struct rt_trace;
struct rt_trace *rt_trace_new(size_t cap);
void rt_trace_free(struct rt_trace *t);
void rt_trace_attach(struct rt_world *w, struct rt_trace *t);

/*
 * What every event asks first, so it is inline: the first member of every world. For the runtime's
 * own files.
 */
struct rt_listener {
	struct rt_trace *trace; /* NULL: nobody listens */
};
extern _Thread_local struct rt_world *rt_cur
	__attribute__((visibility("hidden"), tls_model("initial-exec")));
static inline bool rt_trace_on(void)
{
	return rt_cur && ((const struct rt_listener *)rt_cur)->trace;
}

void rt_trace_emit(const struct rt_event_type *type, enum rt_phase ph, u32 nr, const u64 *args);
#define rt_trace(type, ph, ...)                                                     \
	do {                                                                        \
		if (rt_trace_on()) {                                                \
			const u64 rt_args_[] = {__VA_ARGS__};                       \
			rt_trace_emit(type, ph, RT_ARRAY_SIZE(rt_args_), rt_args_); \
		}                                                                   \
	} while (0)

/* Events in order; index 0 is the oldest that is kept. rt_trace_seq() counts all that ever were. */
size_t rt_trace_len(const struct rt_trace *t);
const struct rt_event *rt_trace_get(const struct rt_trace *t, size_t i);
u64 rt_trace_seq(const struct rt_trace *t);

/*
 * Writers: everything kept, to @out. Text: one line an event. JSON: Trace Event Format, B and E
 * events only (an instant is a B and an E), one thread an actor, step count as time. Ftrace: the
 * text form that ftrace users know.
 * @actor_name maps an actor id to its name. Return 0 or -errno of the stream.
 */
int rt_trace_write_text(const struct rt_trace *t, FILE *out, const char *(*actor_name)(u32 id));
int rt_trace_write_json(const struct rt_trace *t, FILE *out, const char *(*actor_name)(u32 id));
int rt_trace_write_ftrace(const struct rt_trace *t, FILE *out, const char *(*actor_name)(u32 id));
/* One event as the text writer prints it, without newline. */
int rt_event_text(const struct rt_event *ev, char *buf, size_t len,
		  const char *(*actor_name)(u32 id));

#endif
