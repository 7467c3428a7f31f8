/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world: all mutable state of one simulation, in one region of memory.
 * Its allocator, its images (save, restore, reset) and the pointer to the running world live here.
 * What runs in a world (actors, locks, pages) has headers of its own; what is no world (traces,
 * parse trees) is jemalloc's.
 *
 * Invariants:
 *  - The region lies at an address that is fixed for the world's life, so a restored image has
 *    valid pointers.
 *  - Nothing outside the region is needed to go on from an image, except what floors above set up
 *    again (choosers, trace sinks, hooks: they are attached to the world, not in it).
 *  - Allocator bookkeeping lies in the region; live bytes and live blocks are exact at any time.
 */
#ifndef RT_WORLD_H
#define RT_WORLD_H

#include "sim/rt/types.h"

struct rt_world;
struct rt_image;

struct rt_world_opts {
	size_t heap_max;   /* bytes of address space reserved for the heap; 0: 4 GiB */
	u32 actors_max;	   /* most actors at a time; 0: 64 */
	size_t stack_size; /* bytes of each actor's stack slot; 0: 64 KiB (256 KiB under ASan) */
	u64 seed;	   /* of the world's one random source */
	u64 at;		   /* where the region shall lie if that is free; 0: anywhere */
};

/*
 * rt_world_new - a fresh world, made the current one of this thread.
 * @opts: NULL for the defaults.
 * Returns NULL with errno set if the address space can't be reserved.
 */
struct rt_world *rt_world_new(const struct rt_world_opts *opts);

/* Free the world and everything in it. If it was current, no world is current afterwards. */
void rt_world_free(struct rt_world *w);

/* Back to the state right after rt_world_new(); costs what was used. Not from inside an actor. */
void rt_world_reset(struct rt_world *w);

/*
 * rt_world_save / rt_world_restore - copy the used part of the region out, and back.
 * Not from inside an actor. Restoring an image of another world is a defect of the caller (aborts).
 * The image is jemalloc's; rt_image_free() gives it back. rt_image_bytes() is its payload.
 */
struct rt_image *rt_world_save(struct rt_world *w);
void rt_world_restore(struct rt_world *w, const struct rt_image *img);
void rt_image_free(struct rt_image *img);
size_t rt_image_bytes(const struct rt_image *img);

/*
 * rt_world_add_outside - [@base, @base + @len) is state of the current world that can't lie in its
 * region: variables of which there is one copy in the process (mmu/compat/tree/). The world's own
 * copy is in its heap: brought up to date before the world is saved or compared and when another
 * world with such variables is entered, taken back when it was restored or is entered again. One
 * range a world, the same one for all, 8-aligned. Who sets first values of a fresh world calls
 * rt_outside_release() before, which puts the variables away for the world that has them.
 */
void rt_world_add_outside(void *base, size_t len);
void rt_outside_release(void);

/*
 * The world that this thread is in. One thread-local pointer is the only variable of the runtime
 * outside a world: it plays the part of the CPU's "current" register, so that code in the kernel's
 * dialect needs no extra argument. rt_world_enter() returns the one that was current before.
 */
struct rt_world *rt_world_current(void);
struct rt_world *rt_world_enter(struct rt_world *w);

/*
 * Allocation in the current world. rt_alloc() gives memory full of RT_POISON, so that a read of
 * uninitialised memory is deterministic too, rt_zalloc() zeros; both are aligned to 16 and, for
 * sizes of 4096 or more, to 4096. Running out of reserved address space is fatal: a simulated
 * allocation failure is injected (sim/rt/fault.h), never met by accident. rt_free(NULL) is nothing.
 * A freed block is poisoned, and a write to it is reported ("use-after-free") when the memory is
 * used again, or by rt_heap_check(). A double free or a wild pointer aborts with its address offset.
 */
#define RT_POISON 0x6b /* each byte of what is free, and of a block that rt_alloc() gives */
void *rt_alloc(size_t size);
void *rt_zalloc(size_t size);
void *rt_realloc(void *p, size_t size);
void rt_free(void *p);
size_t rt_alloc_size(const void *p);
/*
 * That report now, if memory was written to that is free still: for the end of a run, since it reads
 * all that is free. Nothing under ASan, which sees the write itself.
 */
void rt_heap_check(void);

/*
 * Offset of @p in the world's region: what a trace may print and a hash may use, where an address
 * may not be.
 */
size_t rt_offset(const void *p);
void *rt_at_offset(size_t off);
/* Whether @p points into the current world's heap. */
bool rt_owns(const void *p);
/* rt_offset() behind the last byte that its heap could ever hand out. */
size_t rt_heap_limit(void);

struct rt_mem_stats {
	size_t live_bytes; /* in live blocks of rt_alloc(), with size-class rounding and header */
	size_t live_blocks;
	size_t own_bytes; /* the same of the runtime: actors, pages, lock classes, faults */
	size_t own_blocks;
	size_t heap_used;  /* what a save copies, without stacks: heap, page map, fixed part */
	size_t stack_used; /* of suspended actors */
};
struct rt_mem_stats rt_mem_stats(struct rt_world *w);

/*
 * Roots: where each floor hangs its state in the world. The runtime gives no meaning to them.
 * By agreement: 0 lab, 1 gmem, 2 kvm, 3 seam, 4 host (page allocator).
 */
#define RT_ROOTS 8
void *rt_root(u32 slot);
void rt_set_root(u32 slot, void *p);

/* The world's one random source (splitmix64 over the seed); used by choosers and nothing else. */
u64 rt_random(void);
/* As if the world had been made with that seed. */
void rt_reseed(u64 seed);
u64 rt_random_below(u64 n);

/*
 * Virtual time, in cycles of a 2 GHz TSC. Only simulated work moves it. rt_cycles_counter() is
 * where it is kept, for a floor that counts often; it stays there for the world's life.
 */
u64 rt_cycles_now(void);
void rt_cycles(u64 n);
u64 *rt_cycles_counter(void);

#endif
