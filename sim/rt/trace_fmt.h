/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the trace writers share: the text of one argument and the name of an actor.
 * Only for trace_write.c and trace_json.c.
 * The public face is sim/rt/trace.h.
 */
#ifndef RT_TRACE_FMT_H
#define RT_TRACE_FMT_H

#include "sim/rt/trace.h"

/* Text of argument @i, somewhere in @buf (24 bytes at least) or a literal. */
const char *rt_fmt_arg(const struct rt_event *ev, u32 i, char *buf, size_t len);
/* Name of an actor, "-" for nobody, "actorN" without a name; in @buf or the caller's. */
const char *rt_fmt_actor(u32 id, const char *(*actor_name)(u32 id), char *buf, size_t len);

#endif
