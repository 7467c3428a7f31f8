/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runtime's own trace events: who runs, who waits, who holds what.
 * Their types are declared here and defined in events.c; how events are kept and written is in
 * sim/rt/trace.h. The floors above have tables of their own.
 */
#ifndef RT_EVENTS_H
#define RT_EVENTS_H

#include "sim/rt/trace.h"

extern const struct rt_event_type rt_ev_actor; /* span: from the first instruction to the end; id */
extern const struct rt_event_type rt_ev_switch; /* this actor goes on; who ran before */
extern const struct rt_event_type rt_ev_wait;	/* span: blocked; why */
extern const struct rt_event_type rt_ev_lock;	/* taken; name, mode, lock id */
extern const struct rt_event_type rt_ev_unlock; /* released; name, mode, lock id */
extern const struct rt_event_type
	rt_ev_rcu; /* span: callbacks of ended grace periods run; how many have run before */
extern const struct rt_event_type rt_ev_fault;	/* an armed fault fires; site, key, value */
extern const struct rt_event_type rt_ev_report; /* a rule is broken; rule */

#endif
