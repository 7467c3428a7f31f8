// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool of a base: each chunk that some state has had, once. States name chunks by number.
 * One process adds to it; those that were forked with it read. Nothing is taken out: there are so
 * few that the set of states that were seen takes more (docs/exploring.md).
 */
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/rt/delta_int.h"

/* Address space only; numbers are offsets in units of 8 bytes, in 32 bits. */
#define RESERVED      (1ULL << 35)
#define BUCKETS_FIRST 4096

static u32 bucket_of(const struct rt_pool *p, const struct rt_chunk *c)
{
	return (u32)XXH3_64bits(c, rt_chunk_bytes(c)) & (p->nr_buckets - 1);
}

static struct rt_pooled *at(const struct rt_pool *p, u64 id)
{
	return (struct rt_pooled *)(p->mem + id * 8);
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

/* Twice the buckets. */
static void grow(struct rt_pool *p)
{
	u32 *old = p->bucket, nr = p->nr_buckets;

	p->nr_buckets *= 2;
	p->bucket = new_buckets(p->nr_buckets);
	for (u32 i = 0; i < nr; i++) {
		for (u64 id = old[i], next; id; id = next) {
			struct rt_pooled *e = at(p, id);
			u32 k = bucket_of(p, &e->chunk);

			next = e->next;
			e->next = p->bucket[k];
			p->bucket[k] = (u32)id;
		}
	}
	free(old);
}

u32 rt_pool_add(struct rt_pool *p, const struct rt_chunk *c)
{
	u32 k = bucket_of(p, c);
	u64 id;
	size_t len = rt_chunk_bytes(c);
	struct rt_pooled *e;

	for (id = p->bucket[k]; id; id = e->next) {
		e = at(p, id);
		if (e->chunk.at == c->at && e->chunk.nr == c->nr && !memcmp(&e->chunk, c, len))
			return (u32)id;
	}
	if (p->used + sizeof(*e) + CHUNK_SIZE > RESERVED)
		rt_panic("more chunks of states than there is address space for");
	id = p->used / 8;
	p->used += offsetof(struct rt_pooled, chunk) + len;
	e = at(p, id);
	memcpy(&e->chunk, c, len);
	e->next = p->bucket[k];
	p->bucket[k] = (u32)id;
	if (++p->nr > p->nr_buckets)
		grow(p);
	return (u32)id;
}
