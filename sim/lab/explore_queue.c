// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of states, in memory that is shared with the processes that are forked later.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/lab/explore_int.h"
#include "sim/lab/util.h"

/* Address space only; the host gives pages when they are written to. */
#define RESERVED (1ULL << 37)
/* Less than this is not given back when a queue is emptied. */
#define KEPT (512ULL << 20)

void ex_queue_init(struct ex_queue *q)
{
	*q = (struct ex_queue){0};
	q->mem = mmap(NULL, RESERVED, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (q->mem == MAP_FAILED) {
		fputs("tdxsim: no address space for a queue of states\n", stderr);
		abort();
	}
}

void ex_queue_free(struct ex_queue *q)
{
	if (q->mem)
		munmap(q->mem, RESERVED);
	free(q->at);
}

void ex_queue_clear(struct ex_queue *q)
{
	if (q->len > KEPT)
		madvise(q->mem + KEPT, q->len - KEPT, MADV_REMOVE);
	q->len = 0;
	q->nr = 0;
}

static size_t size_of(size_t bytes)
{
	return (sizeof(struct ex_state) + bytes + 7) & ~(size_t)7;
}

struct ex_state *ex_queue_add(struct ex_queue *q, size_t bytes)
{
	size_t size = size_of(bytes);
	struct ex_state *s = (struct ex_state *)(q->mem + q->len);

	if (q->len + size > RESERVED) {
		fputs("tdxsim: more states wait than fit into a queue\n", stderr);
		abort();
	}
	q->at = lab_grow(q->at, &q->cap, q->nr + 1, sizeof(*q->at));
	q->at[q->nr++] = q->len;
	q->len += size;
	*s = (struct ex_state){.size = (u32)size};
	return s;
}

void ex_queue_fit(struct ex_queue *q, size_t bytes)
{
	struct ex_state *s = ex_queue_get(q, q->nr - 1);

	assert(size_of(bytes) <= s->size);
	s->size = (u32)size_of(bytes);
	q->len = q->at[q->nr - 1] + s->size;
}

struct ex_state *ex_queue_copy(struct ex_queue *q, const struct ex_state *s)
{
	struct ex_state *to = ex_queue_add(q, s->size - sizeof(*s));

	memcpy(to, s, s->size);
	return to;
}

void ex_queue_drop(struct ex_queue *q, u32 nr)
{
	if (!nr)
		return;
	q->nr -= nr;
	q->len = q->at[q->nr];
}
