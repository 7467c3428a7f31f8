/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one trace event is about, in words: for narration, lanes and the debugger. Whole stories are
 * theirs.
 */
#ifndef LAB_EVENT_H
#define LAB_EVENT_H

#include "sim/rt/trace.h"

/* Name of the actor, "-" for none; of the machine of the current world. */
const char *lab_event_actor(u32 id);
bool lab_event_is(const struct rt_event *ev, const char *type);
/* The event's argument by name; 0 if it has none of it. */
u64 lab_event_arg(const struct rt_event *ev, const char *name);
/* A level as the module counts it: "4K" for 0. */
const char *lab_event_level(u64 tdx_level);
/* What a SEAMCALL is about: "0x80000000 2M", "TDR 0x100000000"; empty if nothing says it. */
void lab_event_operand(const struct rt_event *ev, char *buf, size_t len);
/* Why the guest was left, by the status of a TD exit: "an EPT violation". */
const char *lab_event_exit(u64 status, char *buf, size_t len);

#endif
