// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a world is not as in its mirror: the comparing, which is most of what a search costs.
 * Pages of the base's heap that were never written to are not looked at: the first write to each
 * is a fault, once for the life of the base.
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

/* A bit for each of @nr chunks (at most 16) at @p that are not the same at @q. */
WIDE RT_NO_ASAN static u32 compare_chunks(const void *p, const void *q, u32 nr)
{
	const vec *a = p, *b = q;
	u32 res = 0;

	for (u32 i = 0; i < nr; i++, a += 4, b += 4) {
		vec d = (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]);
		u64 any = d[0] | d[1] | d[2] | d[3] | d[4] | d[5] | d[6] | d[7];

		res |= (u32)(any != 0) << i;
	}
	return res;
}

static void note(struct rt_base *b, u32 at)
{
	if (b->nr_changed == b->cap_changed) {
		b->cap_changed = b->cap_changed ? 2 * b->cap_changed : 256;
		b->changed = rt_host_realloc(b->changed, b->cap_changed * sizeof(*b->changed));
	}
	b->changed[b->nr_changed++] = at;
}

void rt_scan(struct rt_base *b, const void *p, size_t len)
{
	u32 at = (u32)((size_t)((const char *)p - (const char *)b->w) / CHUNK_SIZE);
	const char *q = rt_base_mirror(b, p), *c = p;
	size_t nr = len / CHUNK_SIZE;

	while (nr) {
		u32 some = nr < PAGE_CHUNKS ? (u32)nr : PAGE_CHUNKS;

		for (u32 diff = compare_chunks(c, q, some); diff; diff &= diff - 1)
			note(b, at + (u32)__builtin_ctz(diff));
		nr -= some;
		at += some;
		c += some * CHUNK_SIZE;
		q += some * CHUNK_SIZE;
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
 * The first write to a page of the base. A fault of any other kind happens again without this
 * handler: whoever was to hear of it before does, or the program ends as it should.
 */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct rt_world *w = rt_cur;
	struct rt_base *b = w ? w->base : NULL;
	size_t page = b ? (size_t)((char *)info->si_addr - w->heap) / 4096 : 0;
	int err = errno;

	if (!b || page >= b->floor || b->hot[page / 64] >> (page % 64) & 1) {
		if (b)
			sigaction(SIGSEGV, &b->old_fault, NULL);
		else
			signal(SIGSEGV, SIG_DFL);
		return;
	}
	b->hot[page / 64] |= 1ULL << (page % 64);
	mprotect(w->heap + page * 4096, 4096, PROT_READ | PROT_WRITE);
	errno = err;
}

/* The handler must not run on an actor's stack, which is state. */
void rt_hot_begin(struct rt_base *b)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	size_t words = b->floor / 64 + 1;
	stack_t st = {.ss_size = ALT_STACK};

	b->hot = rt_host_realloc(NULL, words * sizeof(u64));
	b->alt_stack = rt_host_realloc(NULL, ALT_STACK);
	b->w->base = b;
	memset(b->hot, b->compares ? 0xff : 0, words * sizeof(u64));
	if (b->compares)
		return;
	st.ss_sp = b->alt_stack;
	if (sigaltstack(&st, NULL) || sigaction(SIGSEGV, &sa, &b->old_fault) ||
	    mprotect(b->w->heap, (size_t)b->floor * 4096, PROT_READ))
		rt_panic("the pages of a world can't be watched");
}

void rt_hot_end(struct rt_base *b)
{
	const stack_t none = {.ss_flags = SS_DISABLE};

	if (!b->compares) {
		mprotect(b->w->heap, (size_t)b->floor * 4096, PROT_READ | PROT_WRITE);
		sigaction(SIGSEGV, &b->old_fault, NULL);
		sigaltstack(&none, NULL);
	}
	b->w->base = NULL;
	free(b->alt_stack);
	free(b->hot);
}

void rt_scan_hot(struct rt_base *b)
{
	for (u32 i = 0; i * 64 < b->floor; i++) {
		for (u64 bits = b->hot[i]; bits; bits &= bits - 1) {
			u32 page = i * 64 + (u32)__builtin_ctzll(bits);

			if (page < b->floor)
				rt_scan(b, b->w->heap + (size_t)page * 4096, 4096);
		}
	}
}
