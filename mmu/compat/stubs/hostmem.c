// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's page allocator: which frames of the TDMR memory are handed out. Lowest first, so that
 * a run is reproducible. A 2M block is free, out as a whole, or broken into 4K frames; only broken
 * blocks cost a descriptor, so that a host of a terabyte costs one bit for each 2M. Contents of
 * frames are in sim/rt/phys.h, who uses a frame is not known here.
 */
#include <string.h>

#include <linux/mm.h>

#include "mmu/compat/stubs/hostmem.h"
#include "sim/rt/lock.h"
#include "sim/rt/sched.h"
#include "sim/rt/phys.h"

#define BLOCK_ORDER  9
#define BLOCK_FRAMES (1U << BLOCK_ORDER)
#define GIGA_ORDER   18
#define GIGA_BLOCKS  (1U << (GIGA_ORDER - BLOCK_ORDER))
#define NO_BLOCK     (~0ULL)

/* A block whose frames are handed out one by one. Invariant: used = set bits of map, 1..512. */
struct hm_broken {
	u64 block;
	u32 used;
	unsigned long map[BLOCK_FRAMES / BITS_PER_LONG];
};

/*
 * Blocks count from @first, a multiple of 1G, so that a run of 512 bits is one gigabyte.
 * Invariants: a bit of @taken is set for blocks that are out, broken, or no memory at all; @broken
 * ascends by block; nothing below @hint_block is free as a whole, nothing before @hint_broken has a
 * free frame.
 */
struct hostmem {
	u64 first, nr_blocks;
	u64 base_pfn, nr_pages;
	u64 used;
	unsigned long *taken;
	struct hm_broken **broken;
	u32 nr_broken, cap_broken, hint_broken;
	u32 lanes; /* actors that have frames of their own in each broken block; 0: none */
	u64 hint_block;
};

#define HOSTMEM_ROOT 4

static struct hostmem *hostmem(void)
{
	struct hostmem *hm = rt_root(HOSTMEM_ROOT);

	BUG_ON(!hm);
	return hm;
}

int hostmem_init(u64 base, u64 size)
{
	const u64 block_size = PAGE_SIZE << BLOCK_ORDER, giga = PAGE_SIZE << GIGA_ORDER;
	struct hostmem *hm;
	u64 i, begin, end;

	if (!base || !size || (base | size) % block_size)
		return -EINVAL;
	hm = rt_zalloc(sizeof(*hm));
	hm->base_pfn = PHYS_PFN(base);
	hm->nr_pages = PHYS_PFN(size);
	hm->first = PHYS_PFN(ALIGN_DOWN(base, giga)) >> BLOCK_ORDER;
	hm->nr_blocks = (PHYS_PFN(ALIGN(base + size, giga)) >> BLOCK_ORDER) - hm->first;
	hm->taken = rt_zalloc(BITS_TO_LONGS(hm->nr_blocks) * sizeof(long));
	begin = (hm->base_pfn >> BLOCK_ORDER) - hm->first;
	end = begin + (hm->nr_pages >> BLOCK_ORDER);
	for (i = 0; i < begin; i++)
		__set_bit(i, hm->taken);
	for (i = end; i < hm->nr_blocks; i++)
		__set_bit(i, hm->taken);
	rt_set_root(HOSTMEM_ROOT, hm);
	return 0;
}

void hostmem_exit(void)
{
	struct hostmem *hm = hostmem();
	u32 i;

	for (i = 0; i < hm->nr_broken; i++)
		rt_free(hm->broken[i]);
	rt_free(hm->broken);
	rt_free(hm->taken);
	rt_free(hm);
	rt_set_root(HOSTMEM_ROOT, NULL);
}

static u64 block_pfn(const struct hostmem *hm, u64 block)
{
	return (hm->first + block) << BLOCK_ORDER;
}

static u64 pfn_block(const struct hostmem *hm, u64 pfn)
{
	return (pfn >> BLOCK_ORDER) - hm->first;
}

/* Position of @block among the broken ones, or where it belongs. */
static u32 find_broken(const struct hostmem *hm, u64 block)
{
	u32 lo = 0, hi = hm->nr_broken;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (hm->broken[mid]->block < block)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct hm_broken *get_broken(const struct hostmem *hm, u64 block)
{
	u32 i = find_broken(hm, block);

	return i < hm->nr_broken && hm->broken[i]->block == block ? hm->broken[i] : NULL;
}

/* Give @block a descriptor; its frames are all out (@full) or all free. */
static struct hm_broken *break_block(struct hostmem *hm, u64 block, bool full)
{
	u32 at = find_broken(hm, block);
	struct hm_broken *b = rt_zalloc(sizeof(*b));

	b->block = block;
	if (full) {
		memset(b->map, 0xff, sizeof(b->map));
		b->used = BLOCK_FRAMES;
	}
	if (hm->nr_broken == hm->cap_broken) {
		hm->cap_broken = max_t(u32, 8, 2 * hm->cap_broken);
		hm->broken = rt_realloc(hm->broken, hm->cap_broken * sizeof(*hm->broken));
	}
	memmove(&hm->broken[at + 1], &hm->broken[at], (hm->nr_broken - at) * sizeof(*hm->broken));
	hm->broken[at] = b;
	hm->nr_broken++;
	hm->hint_broken = min(hm->hint_broken, at);
	__set_bit(block, hm->taken);
	return b;
}

static void mend_block(struct hostmem *hm, struct hm_broken *b)
{
	u32 at = find_broken(hm, b->block);

	hm->nr_broken--;
	memmove(&hm->broken[at], &hm->broken[at + 1], (hm->nr_broken - at) * sizeof(*hm->broken));
	__clear_bit(b->block, hm->taken);
	hm->hint_block = min(hm->hint_block, b->block);
	hm->hint_broken = min(hm->hint_broken, at);
	rt_free(b);
}

static u64 first_free_block(struct hostmem *hm)
{
	u64 i = hm->hint_block;

	while (i < hm->nr_blocks && test_bit(i, hm->taken))
		i++;
	hm->hint_block = i;
	return i < hm->nr_blocks ? i : NO_BLOCK;
}

void hostmem_set_lanes(u32 lanes)
{
	hostmem()->lanes = lanes;
}

/*
 * The lowest free frame of a broken block that has one. With lanes, the lowest of the actor's own
 * comes first, so that which frame it gets does not depend on what others have taken in between.
 */
static u32 pick_frame(const struct hostmem *hm, const struct hm_broken *b)
{
	const struct rt_actor *a = rt_actor_current();
	u32 i;

	for (i = hm->lanes && a ? rt_actor_id(a) % hm->lanes : BLOCK_FRAMES; i < BLOCK_FRAMES;
	     i += hm->lanes) {
		if (!test_bit(i, b->map))
			return i;
	}
	for (i = 0; test_bit(i, b->map); i++)
		;
	return i;
}

static u64 alloc_frame(struct hostmem *hm)
{
	struct hm_broken *b = NULL;
	u64 block;
	u32 i;

	for (; hm->hint_broken < hm->nr_broken; hm->hint_broken++) {
		if (hm->broken[hm->hint_broken]->used < BLOCK_FRAMES) {
			b = hm->broken[hm->hint_broken];
			break;
		}
	}
	if (!b) {
		block = first_free_block(hm);
		if (block == NO_BLOCK)
			return 0;
		b = break_block(hm, block, false);
	}
	i = pick_frame(hm, b);
	__set_bit(i, b->map);
	b->used++;
	return block_pfn(hm, b->block) + i;
}

static u64 alloc_block(struct hostmem *hm)
{
	u64 block = first_free_block(hm);

	if (block == NO_BLOCK)
		return 0;
	__set_bit(block, hm->taken);
	return block_pfn(hm, block);
}

static u64 alloc_giga(struct hostmem *hm)
{
	u64 g, i;

	for (g = 0; g < hm->nr_blocks; g += GIGA_BLOCKS) {
		const unsigned long *word = &hm->taken[g / BITS_PER_LONG];

		for (i = 0; i < GIGA_BLOCKS / BITS_PER_LONG && !word[i]; i++)
			;
		if (i < GIGA_BLOCKS / BITS_PER_LONG)
			continue;
		for (i = 0; i < GIGA_BLOCKS; i++)
			__set_bit(g + i, hm->taken);
		return block_pfn(hm, g);
	}
	return 0;
}

u64 host_alloc_pfns(u32 order)
{
	struct hostmem *hm = hostmem();
	u64 pfn;

	BUG_ON(order != 0 && order != BLOCK_ORDER && order != GIGA_ORDER);
	if (order == GIGA_ORDER)
		pfn = alloc_giga(hm);
	else
		pfn = order ? alloc_block(hm) : alloc_frame(hm);
	if (pfn)
		hm->used += 1ULL << order;
	return pfn;
}

static bool frame_is_out(const struct hostmem *hm, u64 pfn)
{
	const struct hm_broken *b;

	if (pfn < hm->base_pfn || pfn >= hm->base_pfn + hm->nr_pages)
		return false;
	b = get_broken(hm, pfn_block(hm, pfn));
	if (b)
		return test_bit(pfn % BLOCK_FRAMES, b->map);
	return test_bit(pfn_block(hm, pfn), hm->taken);
}

static void free_frame(struct hostmem *hm, u64 pfn)
{
	struct hm_broken *b = get_broken(hm, pfn_block(hm, pfn));

	if (!b)
		b = break_block(hm, pfn_block(hm, pfn), true);
	__clear_bit(pfn % BLOCK_FRAMES, b->map);
	b->used--;
	hm->hint_broken = min(hm->hint_broken, find_broken(hm, b->block));
	if (!b->used)
		mend_block(hm, b);
}

static void free_block(struct hostmem *hm, u64 pfn)
{
	u64 block = pfn_block(hm, pfn);
	struct hm_broken *b = get_broken(hm, block);

	if (b) {
		mend_block(hm, b);
		return;
	}
	__clear_bit(block, hm->taken);
	hm->hint_block = min(hm->hint_block, block);
}

/*
 * The first frame of a piece that is not out; a free of it would corrupt what the allocator knows.
 */
static bool piece_is_out(const struct hostmem *hm, u64 pfn, u32 order)
{
	const struct hm_broken *b = get_broken(hm, pfn_block(hm, pfn));

	if (order && b)
		return b->used == BLOCK_FRAMES;
	return frame_is_out(hm, pfn);
}

void host_free_pfns(u64 pfn, u32 order)
{
	struct hostmem *hm = hostmem();
	const u32 piece = order ? BLOCK_ORDER : 0;
	u64 end = pfn + (1ULL << order), at;
	u32 key;

	BUG_ON(order != 0 && order != BLOCK_ORDER && order != GIGA_ORDER);
	if (rt_phys_lines(PFN_PHYS(pfn), PAGE_SIZE << order, &at, &key))
		rt_report("cache-written-back",
			  "page 0x%llx is freed, and lines of key %u may be in the caches", at,
			  key);
	for (; pfn < end; pfn += 1ULL << piece) {
		if (!piece_is_out(hm, pfn, piece)) {
			rt_report("page-free", "host frame 0x%llx freed, but not handed out", pfn);
			return;
		}
		if (piece)
			free_block(hm, pfn);
		else
			free_frame(hm, pfn);
		hm->used -= 1ULL << piece;
	}
}

u64 host_pages_used(void)
{
	return hostmem()->used;
}

u64 host_free_pfns_count(void)
{
	return hostmem()->nr_pages - hostmem()->used;
}

u64 host_pages_total(void)
{
	return hostmem()->nr_pages;
}

bool host_pfn_used(u64 pfn)
{
	return frame_is_out(hostmem(), pfn);
}

bool pfn_valid(u64 pfn)
{
	const struct hostmem *hm = hostmem();

	return pfn >= hm->base_pfn && pfn < hm->base_pfn + hm->nr_pages;
}
