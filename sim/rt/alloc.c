// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world's allocator: small blocks of 27 size classes, carved from shared pages, and whole pages
 * for the rest. All its bookkeeping is in the world, so an image has it; what is free is poisoned,
 * and so is what is fresh. Spans of pages are in pages.c.
 *
 * A small block is 8 bytes of header and the payload, which is aligned to 16:
 *
 *	| tag | size or next | payload ............. |
 *	0     4              8
 *
 * The tag is made of the block's place and state; that is how a double free or a wild pointer is
 * known. All classes carve from one run of pages, because a slab for each class would make small
 * worlds several times larger.
 */
#include <assert.h>
#include <string.h>

#include "sim/rt/internal.h"

#define HDR 8
#define SMALL_MAX \
	3576 /* with the header, the largest class but one; above it a page of its own is as good */

/* The three states of a small block. */
#define TAG_LIVE 0x5ac0ffeeU
#define TAG_OWN	 0x0bad5eedU /* live, and the runtime's own */
#define TAG_FREE 0xf4eeb10cU

/*
 * Class of a small block that takes @total bytes with its header: 32 to 128 by 16, then four to
 * each doubling.
 */
static u32 class_of(u32 total)
{
	u32 lg;

	if (total <= 128)
		return total <= 32 ? 0 : (total - 17) / 16;
	lg = 31 - (u32)__builtin_clz(total - 1);
	return 7 + (lg - 7) * 4 + ((total - 1 - (1U << lg)) >> (lg - 2));
}

static u32 class_stride(u32 class)
{
	u32 lg, k;

	if (class < 7)
		return 32 + 16 * class;
	lg = 7 + (class - 7) / 4;
	k = (class - 7) % 4;
	return (1U << lg) + ((k + 1) << (lg - 2));
}

static u32 tag_at(u32 off16, u32 state)
{
	return state ^ (off16 * 0x9e3779b1U);
}

/* Headers are poisoned under ASan; these three are the only ones that touch them. */
RT_NO_ASAN static u32 hdr_tag(const char *p)
{
	return ((const u32 *)(p - HDR))[0];
}

RT_NO_ASAN static u32 hdr_val(const char *p)
{
	return ((const u32 *)(p - HDR))[1];
}

RT_NO_ASAN static void hdr_set(char *p, u32 tag, u32 val)
{
	((u32 *)(p - HDR))[0] = tag;
	((u32 *)(p - HDR))[1] = val;
}

static size_t offset_of(const struct rt_world *w, const void *p)
{
	return (size_t)((const char *)p - (const char *)w);
}

static u32 page_of(const struct rt_world *w, const void *p)
{
	return (u32)((size_t)((const char *)p - w->heap) / 4096);
}

static u32 off16_of(const struct rt_world *w, const void *p)
{
	return (u32)((size_t)((const char *)p - w->heap) / 16);
}

/*
 * Free memory must still hold its poison when it is used again. ASan sees the write itself, and
 * earlier.
 */
static bool check_poison(const struct rt_world *w, const char *p, size_t len)
{
	const u64 want = 0x0101010101010101ULL * RT_POISON;
	const u64 *word = (const u64 *)p;

	if (RT_ASAN)
		return true;
	for (size_t i = 0; i < len / 8; i++) {
		if (word[i] != want) {
			rt_report("use-after-free", "freed block at offset %#zx was written to",
				  offset_of(w, &word[i]));
			return false;
		}
	}
	return true;
}

static bool check_small(const struct rt_world *w, u32 class)
{
	for (u32 off16 = w->s.heap.free[class]; off16;) {
		const char *p = w->heap + (size_t)off16 * 16;

		if (!check_poison(w, p, class_stride(class) - HDR))
			return false;
		off16 = hdr_val(p);
	}
	return true;
}

static bool check_spans(const struct rt_world *w, u32 bin)
{
	for (u32 page = w->s.heap.bins[bin]; page != RT_NO_PAGE; page = w->pages[page].next) {
		if (!check_poison(w, w->heap + (size_t)page * 4096, w->pages[page].nr * 4096UL))
			return false;
	}
	return true;
}

void rt_heap_check(void)
{
	const struct rt_world *w = rt_need_world();
	bool clean = true;

	for (u32 class = 0; clean && class < RT_CLASSES; class ++)
		clean = check_small(w, class);
	for (u32 bin = 0; clean && bin < RT_PAGE_BINS; bin++)
		clean = check_spans(w, bin);
}

static void small_push(struct rt_world *w, char *p, u32 class)
{
	u32 off16 = off16_of(w, p);

	hdr_set(p, tag_at(off16, TAG_FREE), w->s.heap.free[class]);
	w->s.heap.free[class] = off16;
}

/* The rest of a run that can't be made longer becomes free blocks, largest first. */
static void run_retire(struct rt_world *w)
{
	struct rt_heap *h = &w->s.heap;

	for (u32 class = RT_CLASSES; class -- > 0;) {
		u32 stride = class_stride(class) / 8;

		while (h->run_end - h->run_cur >= stride) {
			small_push(w, w->heap + (size_t)h->run_cur * 8 + HDR, class);
			h->run_cur += stride;
		}
	}
}

static void run_extend(struct rt_world *w)
{
	struct rt_heap *h = &w->s.heap;
	bool fresh;
	u32 page = rt_pages_take(w, 1, &fresh);
	char *mem = w->heap + (size_t)page * 4096;

	if (fresh) {
		rt_asan_unpoison(mem, 4096);
		memset(mem, RT_POISON, 4096);
	}
	rt_asan_poison(mem, 4096);
	w->pages[page] = (struct rt_page){.kind = RT_PG_SMALL, .nr = 1};
	if (h->run_end != page * 512) {
		if (!h->fresh)
			run_retire(w);
		h->run_cur = page * 512 + 1; /* headers end at a multiple of 16 */
	}
	h->run_end = (page + 1) * 512;
}

/* Bytes of a small block in a heap that is fresh, from its payload to that of the next. */
static u32 fresh_stride(u32 size)
{
	return (class_stride(class_of(size + HDR)) + RT_FRESH_ALIGN - 1) & ~(RT_FRESH_ALIGN - 1U);
}

/*
 * A payload begins at a multiple of RT_FRESH_ALIGN, its header is the last word before. Where it
 * lies in a chunk of that size is then the same for all blocks.
 */
static char *fresh_alloc(struct rt_world *w, u32 size)
{
	struct rt_heap *h = &w->s.heap;
	const u32 align = RT_FRESH_ALIGN / 8, stride = fresh_stride(size) / 8;
	char *p;

	while (h->run_end == RT_NO_PAGE || h->run_cur % align != align - 1 ||
	       h->run_end - h->run_cur < stride + 1) {
		/* A new run begins with its first header; a run that grows goes on where it is. */
		run_extend(w);
		if (h->run_cur % align != align - 1)
			h->run_cur += align - 1 - h->run_cur % align;
	}
	p = w->heap + (size_t)h->run_cur * 8 + HDR;
	h->run_cur += stride;
	return p;
}

static char *small_alloc(struct rt_world *w, size_t size, bool own)
{
	struct rt_heap *h = &w->s.heap;
	u32 class = class_of((u32)size + HDR);
	u32 stride = class_stride(class);
	char *p;

	if (h->fresh) {
		p = fresh_alloc(w, (u32)size);
	} else if (h->free[class]) {
		p = w->heap + (size_t)h->free[class] * 16;
		h->free[class] = hdr_val(p);
		check_poison(w, p, stride - HDR);
	} else {
		while ((h->run_end - h->run_cur) * 8 < stride)
			run_extend(w);
		p = w->heap + (size_t)h->run_cur * 8 + HDR;
		h->run_cur += stride / 8;
	}
	hdr_set(p, tag_at(off16_of(w, p), own ? TAG_OWN : TAG_LIVE), (u32)size);
	rt_asan_unpoison(p, size);
	return p;
}

static char *large_alloc(struct rt_world *w, size_t size, bool own)
{
	size_t nr = (size + 4095) / 4096;
	bool fresh;
	u32 page;
	char *p;

	if (nr > w->heap_pages)
		rt_panic("block of %zu bytes in a heap of %u pages", size, w->heap_pages);
	page = rt_pages_take(w, (u32)nr, &fresh);
	p = w->heap + (size_t)page * 4096;
	for (u32 i = 1; i < nr; i++)
		w->pages[page + i] = (struct rt_page){.kind = RT_PG_TAIL};
	w->pages[page] = (struct rt_page){.kind = own ? RT_PG_OWN : RT_PG_LARGE,
					  .nr = (u32)nr,
					  .next = (u32)(nr * 4096 - size)};
	rt_asan_unpoison(p, nr * 4096);
	if (fresh)
		memset(p, RT_POISON, nr * 4096);
	else
		check_poison(w, p, nr * 4096);
	rt_asan_poison(p + size, nr * 4096 - size);
	return p;
}

static void *heap_alloc(struct rt_world *w, size_t size, bool own)
{
	struct rt_heap *h = &w->s.heap;
	size_t bytes;
	char *p;

	if (size <= SMALL_MAX) {
		p = small_alloc(w, size, own);
		bytes = class_stride(class_of((u32)size + HDR));
	} else {
		p = large_alloc(w, size, own);
		bytes = (size + 4095) / 4096 * 4096;
	}
	if (own) {
		h->own_bytes += bytes;
		h->own_blocks++;
	} else {
		h->live_bytes += bytes;
		h->live_blocks++;
	}
	return p;
}

/* Size of the live block @p as asked for; aborts if @p is no live block of that owner. */
static size_t block_size(const struct rt_world *w, const char *p, bool own, const char *what)
{
	const struct rt_page *pg;
	bool page_aligned = ((uintptr_t)p & 4095) == 0;
	u32 tag;

	if (p < w->heap || p >= w->heap + (size_t)w->s.heap.brk * 4096)
		rt_panic("%s: pointer outside of the used heap of the world", what);
	pg = &w->pages[page_of(w, p)];
	if (page_aligned && pg->kind == (own ? RT_PG_OWN : RT_PG_LARGE))
		return (size_t)pg->nr * 4096 - pg->next;
	if (page_aligned && (pg->kind == RT_PG_FREE || pg->kind == RT_PG_NONE))
		rt_panic("%s: block at offset %#zx is free already", what, offset_of(w, p));
	/*
	 * In a run of several pages a small payload may well start a page, with its header before
	 * it.
	 */
	if (pg->kind == RT_PG_SMALL && ((uintptr_t)p & 15) == 0) {
		tag = hdr_tag(p);
		if (tag == tag_at(off16_of(w, p), own ? TAG_OWN : TAG_LIVE))
			return hdr_val(p);
		if (tag == tag_at(off16_of(w, p), TAG_FREE))
			rt_panic("%s: block at offset %#zx is free already", what, offset_of(w, p));
	}
	rt_panic("%s: no live block at offset %#zx", what, offset_of(w, p));
}

static void heap_free(struct rt_world *w, char *p, size_t size, bool own)
{
	struct rt_heap *h = &w->s.heap;
	size_t bytes;

	if (size <= SMALL_MAX) {
		u32 class = class_of((u32)size + HDR);

		bytes = class_stride(class);
		rt_asan_unpoison(p, bytes - HDR);
		memset(p, RT_POISON, bytes - HDR);
		rt_asan_poison(p, bytes - HDR);
		if (h->fresh)
			hdr_set(p, tag_at(off16_of(w, p), TAG_FREE), (u32)size);
		else
			small_push(w, p, class);
	} else {
		bytes = (size + 4095) / 4096 * 4096;
		rt_asan_unpoison(p, bytes);
		memset(p, RT_POISON, bytes);
		rt_asan_poison(p, bytes);
		rt_pages_give(w, page_of(w, p), (u32)(bytes / 4096));
	}
	if (own) {
		h->own_bytes -= bytes;
		h->own_blocks--;
	} else {
		h->live_bytes -= bytes;
		h->live_blocks--;
	}
}

void rt_heap_init(struct rt_world *w)
{
	struct rt_heap *h = &w->s.heap;

	*h = (struct rt_heap){0};
	for (u32 i = 0; i < RT_PAGE_BINS; i++)
		h->bins[i] = RT_NO_PAGE;
	/* No page starts there, so the first small block begins a run. */
	h->run_cur = h->run_end = RT_NO_PAGE;
}

void rt_heap_fresh(struct rt_world *w)
{
	w->s.heap.fresh = 1;
	w->s.heap.run_cur = w->s.heap.run_end = RT_NO_PAGE;
}

/* One of the three tags of a header at @p - HDR. */
static bool is_header(const struct rt_world *w, const char *p)
{
	u32 off16 = off16_of(w, p), tag = hdr_tag(p);

	return tag == tag_at(off16, TAG_LIVE) || tag == tag_at(off16, TAG_OWN) ||
	       tag == tag_at(off16, TAG_FREE);
}

bool rt_heap_is_freed(const struct rt_world *w, const void *p, u32 *size)
{
	const char *payload = (const char *)p + HDR;

	*size = hdr_val(payload);
	return ((uintptr_t)payload & 15) == 0 &&
	       hdr_tag(payload) == tag_at(off16_of(w, payload), TAG_FREE);
}

u32 rt_heap_live_size(const struct rt_world *w, const void *p)
{
	const char *payload = (const char *)p + HDR;
	u32 off16 = off16_of(w, payload), tag = hdr_tag(payload);

	return tag == tag_at(off16, TAG_LIVE) || tag == tag_at(off16, TAG_OWN) ? hdr_val(payload)
									       : 0;
}

RT_NO_ASAN bool rt_heap_is_poison(const char *p, size_t len)
{
	const u64 want = 0x0101010101010101ULL * RT_POISON;
	const u64 *word = (const u64 *)p;

	for (size_t i = 0; i < len / 8; i++) {
		if (word[i] != want)
			return false;
	}
	return true;
}

bool rt_heap_is_header(const struct rt_world *w, const void *p)
{
	return is_header(w, (const char *)p + HDR);
}

/* The small blocks of the run that starts at @page; where it ends. */
static u32 walk_run(struct rt_world *w, u32 page,
		    void (*fn)(void *ctx, const void *p, size_t size, bool is_free), void *ctx)
{
	const char *p = w->heap + (size_t)page * 4096 + RT_FRESH_ALIGN, *end;

	while (page < w->s.heap.brk && w->pages[page].kind == RT_PG_SMALL)
		page++;
	end = w->heap + (size_t)page * 4096;
	while (p < end && is_header(w, p)) {
		u32 size = hdr_val(p);

		fn(ctx, p, size, hdr_tag(p) == tag_at(off16_of(w, p), TAG_FREE));
		p += fresh_stride(size);
	}
	return page;
}

void rt_heap_walk(struct rt_world *w, u32 first,
		  void (*fn)(void *ctx, const void *p, size_t size, bool is_free), void *ctx)
{
	for (u32 page = first; page < w->s.heap.brk;) {
		const struct rt_page *pg = &w->pages[page];

		if (pg->kind == RT_PG_SMALL) {
			page = walk_run(w, page, fn, ctx);
		} else if (pg->kind == RT_PG_LARGE || pg->kind == RT_PG_OWN) {
			fn(ctx, w->heap + (size_t)page * 4096, (size_t)pg->nr * 4096, false);
			page += pg->nr;
		} else {
			fn(ctx, w->heap + (size_t)page * 4096, 4096, true);
			page++;
		}
	}
}

/*
 * By their tags alone: a run does not say where its free blocks end. A word of data that looks like
 * one would have to have the 32 bits that belong to its own place.
 */
void rt_heap_headers(struct rt_world *w, void (*fn)(void *ctx, const void *p), void *ctx)
{
	for (u32 page = 0; page < w->s.heap.brk; page++) {
		const char *p = w->heap + (size_t)page * 4096;

		for (u32 at = 2 * HDR; w->pages[page].kind == RT_PG_SMALL && at <= 4096; at += 16) {
			if (is_header(w, p + at))
				fn(ctx, p + at - HDR);
		}
	}
}

void *rt_own_alloc(struct rt_world *w, size_t size)
{
	return heap_alloc(w, size, true);
}

void *rt_own_zalloc(struct rt_world *w, size_t size)
{
	return memset(heap_alloc(w, size, true), 0, size);
}

void rt_own_free(struct rt_world *w, void *p)
{
	if (p)
		heap_free(w, p, block_size(w, p, true, "rt_own_free"), true);
}

void *rt_own_grow(struct rt_world *w, void *p, u32 *cap, u32 nr, size_t size)
{
	u32 want = *cap ? *cap : 4;
	void *q;

	if (nr <= *cap)
		return p;
	while (want < nr)
		want *= 2;
	q = rt_own_zalloc(w, want * size);
	if (p)
		memcpy(q, p, *cap * size);
	rt_own_free(w, p);
	*cap = want;
	return q;
}

void *rt_alloc(size_t size)
{
	return heap_alloc(rt_need_world(), size, false);
}

void *rt_zalloc(size_t size)
{
	return memset(heap_alloc(rt_need_world(), size, false), 0, size);
}

void *rt_realloc(void *p, size_t size)
{
	size_t old;
	void *q;

	if (!p)
		return rt_alloc(size);
	old = block_size(rt_need_world(), p, false, "rt_realloc");
	q = rt_alloc(size);
	memcpy(q, p, old < size ? old : size);
	rt_free(p);
	return q;
}

void rt_free(void *p)
{
	struct rt_world *w = rt_need_world();
	size_t size;

	if (!p)
		return;
	size = block_size(w, p, false, "rt_free");
	rt_lockdep_freed(w, p, size);
	heap_free(w, p, size, false);
}

size_t rt_alloc_size(const void *p)
{
	return block_size(rt_need_world(), p, false, "rt_alloc_size");
}
