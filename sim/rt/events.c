// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of the runtime's own trace events.
 * Only types live here; they are emitted where things happen.
 */
#include "sim/rt/events.h"
#include "sim/rt/lock.h"
#include "sim/rt/sched.h"

static const char *sym_mode(u64 val, char *buf, size_t len)
{
	return val == RT_LOCK_EX ? "write" : "read";
}

static const char *sym_actor(u64 val, char *buf, size_t len)
{
	const struct rt_actor *a = val == RT_NOBODY ? NULL : rt_actor_by_id((u32)val);

	return a ? rt_actor_name(a) : "-";
}

const struct rt_event_type rt_ev_actor = {"actor", "rt", {{"id", RT_ARG_DEC}}};
const struct rt_event_type rt_ev_switch = {"switch", "rt", {{"from", RT_ARG_SYM, sym_actor}}};
const struct rt_event_type rt_ev_wait = {"wait", "rt", {{"for", RT_ARG_STR}, {"idle", RT_ARG_DEC}}};
const struct rt_event_type rt_ev_lock = {
	"lock", "rt", {{"name", RT_ARG_STR}, {"mode", RT_ARG_SYM, sym_mode}, {"id", RT_ARG_DEC}}};
const struct rt_event_type rt_ev_unlock = {
	"unlock", "rt", {{"name", RT_ARG_STR}, {"mode", RT_ARG_SYM, sym_mode}, {"id", RT_ARG_DEC}}};
const struct rt_event_type rt_ev_rcu = {"rcu", "rt", {{"done", RT_ARG_DEC}}};
/* A site's name is its caller's literal, alive as long as the trace. */
const struct rt_event_type rt_ev_fault = {
	"fault", "rt", {{"site", RT_ARG_STR}, {"key", RT_ARG_HEX}, {"value", RT_ARG_HEX}}};
const struct rt_event_type rt_ev_report = {"report", "rt", {{"rule", RT_ARG_STR}}};
