// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a world is not as in its mirror: the comparing, which is most of what a search costs.
 * Pages of the heap that nobody writes to are not looked at: they are write-protected, and the
 * next write to one is a fault.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim/rt/delta_int.h"

#define CLEAN_STRETCH 8192
#define PAGE_CHUNKS   (4096 / CHUNK_SIZE)

/* AFL++'s pass for clang can't take a function in several versions. */
#if defined(__x86_64__) && !RT_ASAN && defined(__OPTIMIZE__) && !defined(__AFL_COMPILER)
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define WIDE
#endif

typedef u64 vec __attribute__((vector_size(64), may_alias));
typedef u64 half __attribute__((vector_size(32), may_alias));
typedef u64 quarter __attribute__((vector_size(16), may_alias));

#define CHUNK_VECS (CHUNK_SIZE / sizeof(vec))

/* No functions of vectors: how these are passed depends on the processor. */
#define CHUNK_DIFF(a, b) \
	(((a)[0] ^ (b)[0]) | ((a)[1] ^ (b)[1]) | ((a)[2] ^ (b)[2]) | ((a)[3] ^ (b)[3]))

/*
 * The words of @d, one or the other. Not checked where its callers are not: gcc 12 crashes over the
 * difference.
 */
static inline __attribute__((always_inline, no_sanitize("address"))) u64 any(const vec *d)
{
	const half *h = (const half *)d;
	const half x = h[0] | h[1];
	const quarter *q = (const quarter *)&x;
	const quarter y = q[0] | q[1];

	return y[0] | y[1];
}

/*
 * A bit for each of @nr chunks (at most 16) at @p that are not the same at @q. Most of the time
 * none is: that is asked of all of them first.
 */
WIDE RT_NO_ASAN static u32 compare_chunks(const void *p, const void *q, u32 nr)
{
	const vec *a = p, *b = q;
	vec all = {0};
	u32 res = 0;

	for (u32 i = 0; i < nr; i++)
		all |= CHUNK_DIFF(a + i * CHUNK_VECS, b + i * CHUNK_VECS);
	if (!any(&all))
		return 0;
	for (u32 i = 0; i < nr; i++) {
		const vec d = CHUNK_DIFF(a + i * CHUNK_VECS, b + i * CHUNK_VECS);

		res |= (u32)(any(&d) != 0) << i;
	}
	return res;
}

WIDE RT_NO_ASAN static u32 compare_words(const void *p, const void *q)
{
	const vec *a = p, *b = q, bit = {1, 2, 4, 8, 16, 32, 64, 128};
	u32 res = 0;

	for (u32 i = 0; i < CHUNK_VECS; i++) {
		const vec d = (vec)(a[i] != b[i]) & bit;

		res |= (u32)any(&d) << (8 * i);
	}
	return res;
}

/* clang 14 calls a function that has clones by another name than it gives it in another file. */
u32 rt_scan_words(const void *p, const void *q)
{
	return compare_words(p, q);
}

static void note(struct rt_base *b, u32 at)
{
	if (b->nr_changed == b->cap_changed) {
		b->cap_changed = b->cap_changed ? 2 * b->cap_changed : 256;
		b->changed = rt_host_realloc(b->changed, b->cap_changed * sizeof(*b->changed));
	}
	b->changed[b->nr_changed++] = at;
}

/* Whether there were any. */
static bool scan_some(struct rt_base *b, const char *p, u32 nr)
{
	u32 at = (u32)((size_t)(p - (const char *)b->w) / CHUNK_SIZE);
	u32 diff = compare_chunks(p, rt_base_mirror(b, p), nr);

	for (u32 bits = diff; bits; bits &= bits - 1)
		note(b, at + (u32)__builtin_ctz(bits));
	return diff;
}

void rt_scan(struct rt_base *b, const void *p, size_t len)
{
	const char *c = p;

	for (size_t nr = len / CHUNK_SIZE; nr;) {
		u32 some = nr < PAGE_CHUNKS ? (u32)nr : PAGE_CHUNKS;

		scan_some(b, c, some);
		nr -= some;
		c += some * CHUNK_SIZE;
	}
}

RT_NO_ASAN static bool restore_words(u64 *p, const u64 *q, u32 nr)
{
	bool same = true;

	for (u32 i = 0; i < nr; i++) {
		if (p[i] != q[i]) {
			p[i] = q[i];
			same = false;
		}
	}
	return same;
}

void rt_scrub(struct rt_base *b, u32 slot, char *sp)
{
	char *low = rt_slot_stack(b->w, slot), *p = (char *)((uintptr_t)sp & ~(CHUNK_SIZE - 1UL));
	size_t clean = 0;

	restore_words((u64 *)p, rt_base_twin(b, p), (u32)(sp - p) / 8);
	while (p > low && clean < CLEAN_STRETCH) {
		p -= CHUNK_SIZE;
		clean += CHUNK_SIZE;
		if (compare_chunks(p, rt_base_twin(b, p), 1)) {
			restore_words((u64 *)p, rt_base_twin(b, p), CHUNK_WORDS);
			clean = 0;
		}
	}
}

/* ---- hot pages ---- */

#define ALT_STACK 65536
/*
 * A page is protected again when so many scans have found nothing: as much as comparing it has
 * cost by then, a fault would have.
 */
#define IDLE_SCANS 128

static bool is_hot(const struct rt_base *b, size_t page)
{
	return b->hot[page / 64] >> (page % 64) & 1;
}

static void protect(struct rt_base *b, size_t page, size_t nr, int prot)
{
	if (mprotect(b->w->heap + page * 4096, nr * 4096, prot))
		rt_panic("the pages of a world can't be watched");
}

/*
 * A write to a page that was not hot. A fault of any other kind happens again without this
 * handler: whoever was to hear of it before does, or the program ends as it should.
 */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct rt_world *w = rt_cur;
	struct rt_base *b = w ? w->base : NULL;
	size_t page = b ? (size_t)((char *)info->si_addr - w->heap) / 4096 : 0;
	int err = errno;

	if (!b || page >= b->twin_pages || is_hot(b, page)) {
		if (b)
			sigaction(SIGSEGV, &b->old_fault, NULL);
		else
			signal(SIGSEGV, SIG_DFL);
		return;
	}
	b->hot[page / 64] |= 1ULL << (page % 64);
	b->idle[page] = 0;
	protect(b, page, 1, PROT_READ | PROT_WRITE);
	errno = err;
}

/* The handler must not run on an actor's stack, which is state. */
void rt_hot_begin(struct rt_base *b)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t st = {.ss_size = ALT_STACK};

	b->hot = calloc(b->w->heap_pages / 64 + 1, sizeof(*b->hot));
	b->idle = calloc(b->w->heap_pages, 1);
	if (!b->hot || !b->idle)
		rt_panic("the host is out of memory");
	b->alt_stack = rt_host_realloc(NULL, ALT_STACK);
	b->w->base = b;
	if (b->compares) {
		rt_hot_add(b, 0, b->floor);
		return;
	}
	st.ss_sp = b->alt_stack;
	if (sigaltstack(&st, NULL) || sigaction(SIGSEGV, &sa, &b->old_fault))
		rt_panic("the pages of a world can't be watched");
	protect(b, 0, b->floor, PROT_READ);
}

bool rt_is_searched(void)
{
	return rt_cur && rt_cur->base;
}

void rt_hot_end(struct rt_base *b)
{
	const stack_t none = {.ss_flags = SS_DISABLE};

	if (!b->compares) {
		protect(b, 0, b->twin_pages, PROT_READ | PROT_WRITE);
		sigaction(SIGSEGV, &b->old_fault, NULL);
		sigaltstack(&none, NULL);
	}
	b->w->base = NULL;
	free(b->alt_stack);
	free(b->hot);
	free(b->idle);
}

void rt_hot_add(struct rt_base *b, u32 first, u32 end)
{
	for (u32 page = first; page < end; page++)
		b->hot[page / 64] |= 1ULL << (page % 64);
}

static void scan_page(struct rt_base *b, u32 page)
{
	if (scan_some(b, b->w->heap + (size_t)page * 4096, PAGE_CHUNKS)) {
		b->idle[page] = 0;
	} else if (!b->compares && ++b->idle[page] == IDLE_SCANS) {
		b->hot[page / 64] &= ~(1ULL << (page % 64));
		protect(b, page, 1, PROT_READ);
	}
}

void rt_scan_hot(struct rt_base *b)
{
	u32 brk = b->w->s.heap.brk;

	for (u32 i = 0; i * 64 < brk; i++) {
		for (u64 bits = b->hot[i]; bits; bits &= bits - 1) {
			u32 page = i * 64 + (u32)__builtin_ctzll(bits);

			if (page < brk)
				scan_page(b, page);
		}
	}
}
