/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Life of the host's page allocator; its calls are in <linux/mm.h>.
 */
#ifndef COMPAT_HOSTMEM_H
#define COMPAT_HOSTMEM_H

#include "sim/rt/types.h"

/*
 * Memory [@base, @base + @size) bytes, both multiples of 2M, base above 0; state at root 4. -EINVAL
 * otherwise.
 */
int hostmem_init(u64 base, u64 size);
void hostmem_exit(void);
/*
 * From now on @lanes actors take turns in each 2M block whose frames go out singly: the frame that
 * one gets does not depend on the order in which others asked. When a block is full does not change.
 */
void hostmem_set_lanes(u32 lanes);

#endif
