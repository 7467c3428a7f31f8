// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd's rows: a file of 16 TiB of which 1 GiB is mapped at 2M, and a hole of 12 TiB in it;
 * and one conversion of 4K of 1G. Work must follow what is mapped and touched, not what is asked
 * for. The machine is the lab's, all floors.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "sim/lab/kit.h"
#include "sim/rt/world.h"

#define GPA   0x80000000ULL
#define GIB   (1ULL << 30)
#define TIB   (1ULL << 40)
#define LIMIT (128ULL << 20) /* of memory, for the file and all that is around it */

static void need(int ret, const char *what)
{
	if (!ret)
		return;
	fprintf(stderr, "%s: %d\n", what, ret);
	exit(3);
}

/* A file of @size, 1G of it accepted at 2M. A memslot has less than 2^31 pages: 4T each. */
static struct lab_kit *machine(u64 size)
{
	const u64 slot = size < 4 * TIB ? size : 4 * TIB;
	char setup[600];
	struct lab_kit *k;
	size_t len;

	len = (size_t)snprintf(setup, sizeof(setup),
			       "module profile=1.5.28\nhost mem=4G\ntd vcpus=1\n"
			       "gmem g0 size=%lluG backing=thp-2m\nregion none\n",
			       size / GIB);
	for (u64 at = 0; at < size; at += slot)
		len += (size_t)snprintf(setup + len, sizeof(setup) - len,
					"slot %llu gpa=0x%llx size=%lluG gmem=g0+%lluG\n",
					at / slot, 4 * TIB + at, slot / GIB, at / GIB);
	k = lab_kit_new(setup);
	need(lab_kit_do(k, "vcpu0: accept slot0 1G"), "accept");
	return k;
}

struct hole {
	u64 file, size;
	u64 visits; /* write sections of mmu_lock that one hole took */
	u64 mem;
};

/*
 * Accepting 1 GiB and a hole over it and much more: @n times; only the hole is printed by the
 * caller.
 */
static void punch(void *ctx, u64 n)
{
	struct hole *h = ctx;
	struct lab_kit *k;

	for (; n; n--) {
		k = machine(h->file);
		h->visits = lab_kit_stat(k, "mmu_lock_write");
		need(lab_kit_do(k, "host: punch slot0 %lluG", h->size / GIB), "punch");
		h->visits = lab_kit_stat(k, "mmu_lock_write") - h->visits;
		h->mem = lab_kit_stat(k, "mem_bytes");
		lab_kit_free(k);
	}
}

static double punch_row(struct bench *b, const char *name, struct hole *h)
{
	double ns = bench_row(b, name, punch, h);

	bench_fact("  write sections of mmu_lock for the hole", (double)h->visits, "");
	bench_fact("  memory of the world afterwards", (double)h->mem / (1 << 20), "MiB");
	if (h->mem >= LIMIT)
		need(-1, "more memory than 128 MiB");
	return ns;
}

static void convert(void *ctx, u64 n)
{
	struct lab_kit *k = ctx;

	for (; n; n--) {
		need(lab_kit_convert(k, GPA, 4096, false), "to shared");
		need(lab_kit_convert(k, GPA, 4096, true), "to private");
		need(lab_kit_accept(k, 0, GPA, 4096), "accept");
	}
}

int main(int argc, char **argv)
{
	struct hole small = {.file = 2 * GIB, .size = GIB};
	struct hole large = {.file = 16 * TIB, .size = 12 * TIB};
	struct lab_kit *k;
	struct bench b;
	double few, many;

	bench_init(&b, argc, argv);
	few = punch_row(&b, "accept 1G, punch 1G of 2G", &small);
	many = punch_row(&b, "accept 1G, punch 12T of 16T", &large);
	bench_fact("  12T against 1G", many / few, "times");

	k = lab_kit_new(
		"module profile=1.5.28\nhost mem=4G\ntd vcpus=1\n"
		"gmem g0 size=1G backing=hugetlb-1g hvo=on\nslot 0 gpa=0x80000000 size=1G\n");
	need(lab_kit_accept(k, 0, GPA, GIB), "accept");
	bench_row(&b, "4K of 1G: to shared, back, accept", convert, k);
	lab_kit_free(k);
	return 0;
}
