// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports: a rule was broken by the simulated code.
 * They are counted in the world and handed to the hook; what follows from one is decided by who set
 * the hook. Defects of the simulator itself go to rt_panic() in world.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/rt/events.h"
#include "sim/rt/internal.h"

void rt_report(const char *rule, const char *fmt, ...)
{
	struct rt_world *w = rt_need_world();
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	w->s.reports++;
	rt_trace(&rt_ev_report, RT_PH_INSTANT, (u64)(uintptr_t)rule);
	if (w->report_hook) {
		w->report_hook(w->report_ctx, rule, text);
		return;
	}
	fprintf(stderr, "tdxsim: %s: %s (%s, step %llu)\n", rule, text,
		rt_actor_name(w->s.sched.running), w->s.sched.step);
	abort();
}

u64 rt_reports(void)
{
	return rt_need_world()->s.reports;
}

void rt_set_report_hook(struct rt_world *w,
			void (*fn)(void *ctx, const char *rule, const char *text), void *ctx)
{
	w->report_hook = fn;
	w->report_ctx = ctx;
}
