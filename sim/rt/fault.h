/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named places where a fault can be injected, and the faults that are armed.
 * The code under test asks "does one fire here?"; the lab arms them. What a fault means is decided
 * where it fires. Sites are strings that the floors define; each floor lists its own in one table
 * for "tdxsim list faults".
 *
 * A fault that may fire ("maybe") makes each passing of its site a choice of the scheduler
 * (RT_CHOICE_FAULT in sim/rt/sched.h). Outside of actors nobody can be asked, and it does not fire.
 */
#ifndef RT_FAULT_H
#define RT_FAULT_H

#include "sim/rt/types.h"

#define RT_FAULT_ANY (~0ULL)

struct rt_fault {
	char site[32]; /* "busy", "sp-alloc", ... */
	u64 key;       /* e.g. the leaf number; RT_FAULT_ANY matches all */
	u32 actor;     /* id; RT_NOBODY matches all */
	u64 nth;       /* fires at the n-th match from now, 1 = the next */
	u64 count;     /* and at this many matches in a row */
	bool maybe; /* from the n-th match on the chooser decides, until it has fired count times */
	u64 value;  /* handed to the site: a status, an interrupt kind, ... */
	u64 seen;   /* matches so far; of one that may fire at most nth */
	u64 fired;
	u32 id; /* as given by rt_fault_arm() */
};

/* Arm a fault (copied); returns its id. */
u32 rt_fault_arm(const struct rt_fault *f);
void rt_fault_disarm(u32 id);
/*
 * rt_fault_fire - the running actor passes @site with @key. True if an armed fault fires; *@value
 * is then its value (may be NULL). At most one fault fires; all that match count the visit. Costs
 * one test when nothing is armed. @site is a literal. Never a preemption: whatever the chooser says
 * to a fault that may fire, the actor goes on.
 */
bool rt_fault_fire(const char *site, u64 key, u64 *value);
/* Faults that are armed, in the order of arming; NULL ends. */
const struct rt_fault *rt_fault_get(u32 index);
bool rt_fault_spent(const struct rt_fault *f);

#endif
