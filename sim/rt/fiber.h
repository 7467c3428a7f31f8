/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fibers: stacks and the switch between them.
 * A fiber knows its stack and where it stopped; who goes on is the scheduler's business
 * (sim/rt/sched.h). The switch is our own assembly (switch_*.S) or ucontext, by the build option
 * "fibers".
 *
 * Invariants:
 *  - All that a suspended fiber needs lies on its stack above rt_fiber_low(): copying that is
 *    saving it.
 *  - The assembly switch makes no system call. Signal mask and FPU control words are not switched:
 *    nobody changes them.
 */
#ifndef RT_FIBER_H
#define RT_FIBER_H

#include "sim/rt/types.h"

struct rt_fiber {
	void *sp; /* where it stopped; for ucontext, its context, which lies on its stack too */
	void (*fn)(void *arg);
	void *arg;
	const void *
		stack; /* lowest address; of the fiber that calls rt_run(): known under ASan only */
	size_t size;
	void *fake;	       /* ASan's; always NULL, since fake stacks are off */
	struct rt_fiber *from; /* who switched to it last; only ASan needs it */
};

/*
 * Prepare @f to run @fn(@arg) on [@stack, @stack + @size). @fn must not return: it switches away
 * for good.
 */
void rt_fiber_init(struct rt_fiber *f, void *stack, size_t size, void (*fn)(void *arg), void *arg);
/*
 * Suspend the running fiber as @from, go on with @to. Returns when somebody switches back to @from.
 */
void rt_fiber_switch(struct rt_fiber *from, struct rt_fiber *to);
/* Lowest address of the part of the stack that a suspended fiber uses; a multiple of 8. */
char *rt_fiber_low(const struct rt_fiber *f);

#endif
