// SPDX-License-Identifier: GPL-2.0-only
/*
 * A world for the tree's code: its variables start from their first values and belong to the
 * world, struct page lies where its arithmetic finds it, and the traps that its instructions raise
 * are heard.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "mmu/compat/tree/sim/glue.h"
#include "sim/rt/world.h"

#define GLUE_ROOT 5
#define UD2_BYTES 2

/* Around all variables of the tree's objects (tools/ktree puts them into one section). */
extern char ktree_vars_begin[] asm("__start_ktree_vars");
extern char ktree_vars_end[] asm("__stop_ktree_vars");

/* A name that has no value: the tree's code gets an address at which nothing is (tools/ktree). */
struct ktree_hole {
	const char *name;
	const char *address;
};
extern const struct ktree_hole ktree_holes[];
#define HOLE_BYTES 0x10000

/* Of the process, not of a world: what the variables are at first, and struct page. */
struct glue_process {
	char *first_values;
	char *pages;
	size_t pages_bytes;
};
static _Thread_local struct glue_process process;

static size_t vars_bytes(void)
{
	return (size_t)(ktree_vars_end - ktree_vars_begin) & ~(size_t)7;
}

static void hear_traps(void);

/*
 * Zeros that can't be written to, for all worlds: what the tree keeps with a page, the simulator
 * keeps. Those of a smaller heap may be in use, and stay.
 */
static bool map_pages(void)
{
	const size_t bytes = PHYS_PFN(rt_heap_limit()) * ktree_info.page_size;
	void *p;

	if (bytes <= process.pages_bytes)
		return true;
	p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return false;
	process.pages = p;
	process.pages_bytes = bytes;
	return true;
}

static void set_first_values(void)
{
	if (!process.first_values) {
		process.first_values = malloc(vars_bytes());
		BUG_ON(!process.first_values);
		memcpy(process.first_values, ktree_vars_begin, vars_bytes());
		hear_traps();
	}
	memcpy(ktree_vars_begin, process.first_values, vars_bytes());
}

int glue_boot(void)
{
	struct glue *g;

	if (!map_pages())
		return -ENOMEM;
	rt_outside_release();
	set_first_values();
	g = rt_zalloc(sizeof(*g));
	g->header_cache = mmu_page_header_cache;
	g->header_cache.size = max_t(size_t, ktree_info.sp_size, g->header_cache.size);
	rt_set_root(GLUE_ROOT, g);
	ktree_boot((unsigned long)rt_at_offset(0) - COMPAT_HEAP_PHYS,
		   (unsigned long)process.pages - PHYS_PFN(COMPAT_HEAP_PHYS) * ktree_info.page_size,
		   kvm_host_current()->hkid_shift);
	rt_world_add_outside(ktree_vars_begin, vars_bytes());
	return 0;
}

void glue_exit(void)
{
	rt_free(glue());
	rt_set_root(GLUE_ROOT, NULL);
}

struct glue *glue(void)
{
	struct glue *g = rt_root(GLUE_ROOT);

	BUG_ON(!g);
	return g;
}

/* --- traps -------------------------------------------------------------- */

/* The instruction of a WARN is stepped over; BUG ends the run. */
static bool heard_bug(ucontext_t *uc)
{
	greg_t *ip = &uc->uc_mcontext.gregs[REG_RIP];
	struct ktree_bug bug;

	if (!ktree_heard((unsigned long)*ip, &bug))
		return false;
	if (!bug.warning) {
		ksim_report("bug", bug.file, bug.line, bug.text);
		if (rt_actor_current())
			rt_stop();
		abort();
	}
	*ip += UD2_BYTES;
	return true;
}

static bool heard_hole(const char *address)
{
	u32 i;

	for (i = 0; ktree_holes[i].name; i++) {
		if (address >= ktree_holes[i].address &&
		    address < ktree_holes[i].address + HOLE_BYTES)
			ksim_missing(ktree_holes[i].name);
	}
	return false;
}

/* Not ours: die of it as if nobody had listened. */
static void die_of(int sig)
{
	signal(sig, SIG_DFL);
	raise(sig);
}

static void on_trap(int sig, siginfo_t *info, void *uc)
{
	if (sig == SIGILL ? heard_bug(uc) : heard_hole(info->si_addr))
		return;
	die_of(sig);
}

static void hear_traps(void)
{
	/* A report may leave the handler for good, by rt_stop(): the signal must not stay blocked. */
	struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGILL, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
}
