/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Found before the tree's <asm/vdso/processor.h>: cpu_relax() is where a loop waits for another CPU,
 * and without a word to the scheduler there it would wait for ever. The rest is the tree's.
 */
#ifndef KTREE_SHADOW_VDSO_PROCESSOR_H
#define KTREE_SHADOW_VDSO_PROCESSOR_H

#define cpu_relax ktree_unused_cpu_relax
#include_next <asm/vdso/processor.h>
#undef cpu_relax

extern void ktree_relax(void);

static __always_inline void cpu_relax(void)
{
	ktree_relax();
}

#endif
