/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for another CPU.
 */
#ifndef MINI_VDSO_PROCESSOR_H
#define MINI_VDSO_PROCESSOR_H

static inline void cpu_relax(void)
{
	asm volatile("rep; nop" ::: "memory");
}

#endif
