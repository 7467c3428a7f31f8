/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Integers, lists, and what the compiler brings.
 */
#ifndef MINI_TYPES_H
#define MINI_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define __always_inline inline __attribute__((always_inline))

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned int gfp_t;

struct list_head {
	struct list_head *next, *prev;
};

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};
typedef void (*rcu_callback_t)(struct rcu_head *head);

#endif
