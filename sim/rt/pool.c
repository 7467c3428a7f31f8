// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool of a base: each chunk that some state has, once. States name chunks by number.
 * One process adds to it; those that were forked with it read. What no state has any more is found
 * by marking, and its room is used again.
 */
#include <stdlib.h>
#include <sys/mman.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/rt/delta_int.h"

/* Address space only; numbers are offsets in units of 8 bytes, in 32 bits. */
#define RESERVED      (1ULL << 35)
#define BUCKETS_FIRST 4096
/* Less than this is not worth a sweep. */
#define SMALL_POOL (64ULL << 20)

/* At the beginning of the memory that all processes see. */
struct shared {
	u32 sweeps;
};

static u32 bucket_of(const struct rt_pool *p, const struct rt_chunk *c)
{
	return (u32)XXH3_64bits(c, rt_chunk_bytes(c)) & (p->nr_buckets - 1);
}

static struct rt_pooled *at(const struct rt_pool *p, u32 id)
{
	return (struct rt_pooled *)(p->mem + (size_t)id * 8);
}

static size_t bytes_of(u32 nr_words)
{
	return sizeof(struct rt_pooled) + nr_words * sizeof(u64);
}

static u32 *new_buckets(u32 nr)
{
	u32 *bucket = rt_host_realloc(NULL, nr * sizeof(*bucket));

	memset(bucket, 0, nr * sizeof(*bucket));
	return bucket;
}

void rt_pool_init(struct rt_pool *p)
{
	*p = (struct rt_pool){.nr_buckets = BUCKETS_FIRST, .used = sizeof(struct rt_pooled)};
	p->mem = mmap(NULL, RESERVED, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p->mem == MAP_FAILED)
		rt_panic("no address space for the chunks of states");
	p->bucket = new_buckets(p->nr_buckets);
}

void rt_pool_exit(struct rt_pool *p)
{
	munmap(p->mem, RESERVED);
	free(p->bucket);
}

u32 rt_pool_sweeps(const struct rt_pool *p)
{
	return __atomic_load_n(&((const struct shared *)p->mem)->sweeps, __ATOMIC_ACQUIRE);
}

/* Twice the buckets. */
static void grow(struct rt_pool *p)
{
	u32 *old = p->bucket, nr = p->nr_buckets, next;

	p->nr_buckets *= 2;
	p->bucket = new_buckets(p->nr_buckets);
	for (u32 i = 0; i < nr; i++) {
		for (u32 id = old[i]; id; id = next) {
			struct rt_pooled *e = at(p, id);
			u32 k = bucket_of(p, &e->chunk);

			next = e->next;
			e->next = p->bucket[k];
			p->bucket[k] = id;
		}
	}
	free(old);
}

/* Room for a chunk of @nr_words. */
static u32 take(struct rt_pool *p, u32 nr_words)
{
	size_t len = bytes_of(nr_words);
	u32 id = p->free[nr_words];

	p->live += len;
	if (id) {
		p->free[nr_words] = at(p, id)->next;
		return id;
	}
	if (p->used + len > RESERVED)
		rt_panic("more chunks of states than there is address space for");
	id = (u32)(p->used / 8);
	p->used += len;
	return id;
}

u32 rt_pool_add(struct rt_pool *p, const struct rt_chunk *c)
{
	u32 k = bucket_of(p, c), id;
	size_t len = rt_chunk_bytes(c);
	struct rt_pooled *e;

	for (id = p->bucket[k]; id; id = e->next) {
		e = at(p, id);
		if (e->chunk.at == c->at && e->chunk.nr == c->nr && !memcmp(&e->chunk, c, len))
			return id;
	}
	id = take(p, c->nr);
	e = at(p, id);
	memcpy(&e->chunk, c, len);
	e->mark = p->mark;
	e->next = p->bucket[k];
	p->bucket[k] = id;
	if (++p->nr > p->nr_buckets)
		grow(p);
	return id;
}

bool rt_pool_crowded(const struct rt_pool *p)
{
	return p->live > SMALL_POOL && p->live > 2 * p->kept;
}

void rt_pool_sweep_begin(struct rt_pool *p)
{
	p->mark++;
}

void rt_pool_mark(struct rt_pool *p, u32 id)
{
	at(p, id)->mark = p->mark;
}

static void give(struct rt_pool *p, u32 id)
{
	struct rt_pooled *e = at(p, id);

	p->live -= bytes_of(e->chunk.nr);
	p->nr--;
	e->next = p->free[e->chunk.nr];
	p->free[e->chunk.nr] = id;
}

void rt_pool_sweep_end(struct rt_pool *p)
{
	for (u32 i = 0; i < p->nr_buckets; i++) {
		u32 *link = &p->bucket[i];

		while (*link) {
			struct rt_pooled *e = at(p, *link);
			u32 id = *link;

			if (e->mark == p->mark) {
				link = &e->next;
				continue;
			}
			*link = e->next;
			give(p, id);
		}
	}
	p->kept = p->live;
	__atomic_fetch_add(&((struct shared *)p->mem)->sweeps, 1, __ATOMIC_RELEASE);
}
