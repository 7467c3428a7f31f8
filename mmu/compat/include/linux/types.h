/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's integer names beyond those of sim/rt/types.h.
 * KVM's own (gfn_t and kin) are in <linux/kvm_types.h>.
 */
#ifndef _LINUX_TYPES_H
#define _LINUX_TYPES_H

#include <sys/types.h>

#include "sim/rt/types.h"
#include <linux/compiler.h>

typedef u64 phys_addr_t;
typedef u64 pgoff_t;
typedef u32 gfp_t;

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

#endif
