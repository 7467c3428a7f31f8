// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two ways to switch stacks, and what AddressSanitizer wants to know about it.
 * The assembly half of the fast way is in switch_x86_64.S and switch_aarch64.S.
 * Stacks are given out and taken back in actor.c.
 */
#include <assert.h>

#include "sim/rt/asan.h"
#include "sim/rt/fiber.h"

#if RT_ASAN
/*
 * Fake stacks would put locals of actors outside of the world, where no image has them: off, for
 * the whole program.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=0";
}
#endif

/* First C function of each fiber. */
static void rt_fiber_main(struct rt_fiber *f)
{
	const void *stack = NULL;
	size_t size = 0;

	rt_asan_finish_switch(NULL, &stack, &size);
	if (RT_ASAN && !f->from->stack) {
		f->from->stack = stack;
		f->from->size = size;
	}
	f->fn(f->arg);
	assert(!"a fiber's function returned");
}

#ifdef RT_FIBER_ASM

/*
 * switch_*.S: push what a callee must keep, store the stack pointer to *@from, load @to, pop,
 * return.
 */
void rt_switch(void **from, void *to);
/*
 * switch_*.S: the first return address of a fiber; calls the function that the frame has with the
 * argument that it has.
 */
void rt_switch_entry(void);

#if defined(__x86_64__)
/*
 * r15 r14 r13 r12 rbx rbp rip, and two words, so that the stack is aligned at the call in
 * rt_switch_entry.
 */
#define FRAME_WORDS 9
#define FRAME_ARG   2
#define FRAME_FN    3
#define FRAME_PC    6
#elif defined(__aarch64__)
/* x19 to x28, x29, x30, d8 to d15 */
#define FRAME_WORDS 20
#define FRAME_ARG   0
#define FRAME_FN    1
#define FRAME_PC    11
#else
#error "fibers=asm knows x86-64 and aarch64 only"
#endif

void rt_fiber_init(struct rt_fiber *f, void *stack, size_t size, void (*fn)(void *arg), void *arg)
{
	uintptr_t top = ((uintptr_t)stack + size) & ~(uintptr_t)15;
	u64 *frame = (u64 *)top - FRAME_WORDS;

	assert(size >= 4096);
	*f = (struct rt_fiber){.sp = frame, .fn = fn, .arg = arg, .stack = stack, .size = size};
	rt_asan_unpoison(stack, size);
	memset(frame, 0, FRAME_WORDS * sizeof(u64));
	frame[FRAME_FN] = (uintptr_t)rt_fiber_main;
	frame[FRAME_ARG] = (uintptr_t)f;
	frame[FRAME_PC] = (uintptr_t)rt_switch_entry;
}

void rt_fiber_switch(struct rt_fiber *from, struct rt_fiber *to)
{
	if (RT_ASAN) {
		to->from = from;
		rt_asan_start_switch(&from->fake, to->stack, to->size);
	}
	rt_switch(&from->sp, to->sp);
	rt_asan_finish_switch(from->fake, NULL, NULL);
}

char *rt_fiber_low(const struct rt_fiber *f)
{
	return f->sp;
}

#else /* ucontext */

#include <ucontext.h>

/*
 * Below its context a suspended fiber has the rest of the frame of rt_fiber_switch(); no C
 * expression says where that ends, so a little more than it can be is kept.
 */
#define FRAME_SLACK 2048

static void ucontext_main(unsigned int hi, unsigned int lo)
{
	rt_fiber_main((struct rt_fiber *)(uintptr_t)((u64)hi << 32 | lo));
}

void rt_fiber_init(struct rt_fiber *f, void *stack, size_t size, void (*fn)(void *arg), void *arg)
{
	size_t usable = (size - sizeof(ucontext_t)) & ~(size_t)63;
	ucontext_t *uc = (ucontext_t *)((char *)stack + usable);
	int err;

	assert(size >= 16384);
	*f = (struct rt_fiber){.sp = uc, .fn = fn, .arg = arg, .stack = stack, .size = size};
	rt_asan_unpoison(stack, size);
	/* The first context lies at the top of the stack, the stack proper below it. */
	memset(uc, 0, sizeof(*uc));
	err = getcontext(uc);
	assert(!err);
	(void)err;
	uc->uc_stack.ss_sp = stack;
	uc->uc_stack.ss_size = usable;
	uc->uc_link = NULL;
	makecontext(uc, (void (*)(void))ucontext_main, 2, (unsigned int)((u64)(uintptr_t)f >> 32),
		    (unsigned int)(uintptr_t)f);
}

void rt_fiber_switch(struct rt_fiber *from, struct rt_fiber *to)
{
	ucontext_t uc;
	int err;

	from->sp = &uc;
	if (RT_ASAN) {
		to->from = from;
		rt_asan_start_switch(&from->fake, to->stack, to->size);
	}
	err = swapcontext(&uc, to->sp);
	assert(!err);
	(void)err;
	rt_asan_finish_switch(from->fake, NULL, NULL);
}

char *rt_fiber_low(const struct rt_fiber *f)
{
	uintptr_t low = ((uintptr_t)f->sp - FRAME_SLACK) & ~(uintptr_t)7;

	return low > (uintptr_t)f->stack ? (char *)low : (char *)f->stack;
}

#endif
