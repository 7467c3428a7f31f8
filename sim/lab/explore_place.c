// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario and its set-up at one address in every process. What the explorer's states are named
 * by may have traces of addresses in it (halves of pointers that nobody reads any more); with
 * everything that a run points to in its place, the names mean the same in another process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/lab/explore_model.h"

#define PLACE (3ULL << 43) /* behind the world (session.c) */

static void *copy(char **to, const void *from, size_t size)
{
	char *p = *to;

	if (size)
		memcpy(p, from, size);
	*to += (size + 63) & ~(size_t)63;
	return p;
}

static size_t room(const struct lab_scenario *sc)
{
	return sizeof(struct lab_ex_placed) + sc->nr_ops * sizeof(*sc->ops) +
	       sc->nr_regs * sizeof(*sc->regs) + sc->nr_calls * sizeof(*sc->calls) +
	       sc->nr_policies * sizeof(*sc->policies) + sc->nr_strings + 8 * 64;
}

struct lab_ex_placed *lab_ex_place(const struct lab_scenario *sc)
{
	size_t size = room(sc);
	struct lab_ex_placed *p;
	char *to;

	p = mmap((void *)(uintptr_t)PLACE, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		fputs("tdxsim: no memory for a scenario\n", stderr);
		abort();
	}
	p->size = size;
	p->sc = *sc;
	to = (char *)p + ((sizeof(*p) + 63) & ~(size_t)63);
	p->sc.ops = copy(&to, sc->ops, sc->nr_ops * sizeof(*sc->ops));
	p->sc.regs = copy(&to, sc->regs, sc->nr_regs * sizeof(*sc->regs));
	p->sc.calls = copy(&to, sc->calls, sc->nr_calls * sizeof(*sc->calls));
	p->sc.policies = copy(&to, sc->policies, sc->nr_policies * sizeof(*sc->policies));
	p->sc.strings = copy(&to, sc->strings, sc->nr_strings);
	return p;
}

void lab_ex_unplace(struct lab_ex_placed *p)
{
	if (p)
		munmap(p, p->size);
}
