// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images of a world: the used parts of its region, copied out and back.
 * An image is one block of the host's memory: a list of segments, their bytes, and under ASan the
 * shadow of each. What the parts mean is known to world.c, alloc.c and actor.c.
 */
#include <assert.h>
#include <stdlib.h>

#include "sim/rt/internal.h"

struct segment {
	char *addr;
	size_t len; /* a multiple of 8 */
};

struct rt_image {
	/* Which world this is of: only the same region with the same layout can take it back. */
	const struct rt_world *world;
	struct rt_world_opts opts;
	size_t bytes;
	u64 trace_seq;
	const struct rt_trace *trace; /* for comparison only */
	u32 nr;
	struct segment seg[];
};

_Static_assert(sizeof(struct rt_state) % 8 == 0, "segments are copied by words");
_Static_assert(sizeof(struct rt_page) % 8 == 0, "segments are copied by words");

static void need_outside(const struct rt_world *w, const char *what)
{
	if (w->s.sched.running || w->in_run)
		rt_panic("%s inside rt_run()", what);
}

static struct segment stack_segment(const struct rt_actor *a)
{
	char *low = rt_fiber_low(&a->fiber);

	return (struct segment){low, (size_t)((const char *)a->fiber.stack + a->fiber.size - low)};
}

static void image_describe(struct rt_world *w, struct rt_image *img)
{
	img->seg[img->nr++] = (struct segment){(char *)&w->s, sizeof(w->s)};
	img->seg[img->nr++] = (struct segment){w->heap, (size_t)w->s.heap.brk * 4096};
	img->seg[img->nr++] =
		(struct segment){(char *)w->pages, w->s.heap.brk * sizeof(struct rt_page)};
	for (const struct rt_actor *a = w->s.sched.live; a; a = a->next_live)
		img->seg[img->nr++] = stack_segment(a);
	for (u32 i = 0; i < img->nr; i++)
		img->bytes += img->seg[i].len;
}

struct rt_image *rt_world_save(struct rt_world *w)
{
	struct rt_image head = {.world = w, .opts = w->opts, .trace = w->listener.trace};
	size_t most = 3 + w->s.sched.nr_live;
	size_t len, shadow = 0;
	struct rt_image *img;
	u8 *to;

	need_outside(w, "rt_world_save()");
	rt_outside_store(w);
	len = sizeof(head) + most * sizeof(struct segment) + sizeof(w->s) +
	      (size_t)w->s.heap.brk * (4096 + sizeof(struct rt_page));
	for (const struct rt_actor *a = w->s.sched.live; a; a = a->next_live)
		len += stack_segment(a).len;
	/* Each segment's shadow is rounded up on its own. */
	shadow = RT_ASAN ? rt_shadow_len(len) + 8 * most : 0;

	img = rt_host_realloc(NULL, len + shadow);
	*img = head;
	image_describe(w, img);
	if (w->listener.trace)
		img->trace_seq = rt_trace_seq(w->listener.trace);
	to = (u8 *)&img->seg[img->nr];
	for (u32 i = 0; i < img->nr; i++) {
		rt_copy_raw(to, img->seg[i].addr, img->seg[i].len);
		to += img->seg[i].len;
	}
	for (u32 i = 0; i < img->nr; i++) {
		rt_shadow_save(to, img->seg[i].addr, img->seg[i].len);
		to += rt_shadow_len(img->seg[i].len);
	}
	assert(to <= (u8 *)img + len + shadow);
	return img;
}

void rt_world_restore(struct rt_world *w, const struct rt_image *img)
{
	const u8 *from = (const u8 *)&img->seg[img->nr];

	need_outside(w, "rt_world_restore()");
	if (img->world != w || img->opts.heap_max != w->opts.heap_max ||
	    img->opts.actors_max != w->opts.actors_max ||
	    img->opts.stack_size != w->opts.stack_size || img->opts.seed != w->opts.seed)
		rt_panic("rt_world_restore(): the image is of another world");

	/* What the image does not have is free heap and unused stack again. */
	rt_asan_poison(w->heap, (size_t)w->s.heap.brk * 4096);
	rt_asan_unpoison(w->stacks, w->slots_mapped * w->slot_size);
	for (u32 i = 0; i < img->nr; i++) {
		rt_copy_raw(img->seg[i].addr, from, img->seg[i].len);
		from += img->seg[i].len;
	}
	for (u32 i = 0; i < img->nr; i++) {
		rt_shadow_restore(img->seg[i].addr, from, img->seg[i].len);
		from += rt_shadow_len(img->seg[i].len);
	}
	rt_outside_load(w);
	if (w->listener.trace && w->listener.trace == img->trace)
		rt_trace_cut(w->listener.trace, img->trace_seq);
	rt_sched_rearm(w);
}

void rt_image_free(struct rt_image *img)
{
	free(img);
}

size_t rt_image_bytes(const struct rt_image *img)
{
	return img->bytes;
}
