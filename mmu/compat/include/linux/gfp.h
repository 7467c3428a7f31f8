/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocation flags. Those with __GFP_RECLAIM may sleep, so an allocation with them is checked like
 * might_sleep().
 */
#ifndef _LINUX_GFP_H
#define _LINUX_GFP_H

#include <linux/types.h>

#define __GFP_ZERO	   ((gfp_t)1)
#define __GFP_RECLAIM	   ((gfp_t)2)
#define __GFP_ACCOUNT	   ((gfp_t)4)
#define __GFP_NOWARN	   ((gfp_t)8)
#define GFP_KERNEL	   __GFP_RECLAIM
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_ATOMIC	   ((gfp_t)16)
#define GFP_NOWAIT	   ((gfp_t)32)

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return gfp & __GFP_RECLAIM;
}

#endif
