/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a limit on messages; the small tree has none of them.
 */
#ifndef MINI_RATELIMIT_H
#define MINI_RATELIMIT_H

struct ratelimit_state {
	int interval;
};

#endif
