// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast recordings are read and replayed: what makes checking against the real module cheap.
 * Single leaves have a benchmark of their own; here all of them come in the mixture of the recordings.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "sim/lab/vectors.h"
#include "sim/rt/world.h"
#include "tdx/seam.h"

struct replay {
	struct lab_vectors *set;
	const char *path;
	struct lab_vectors_sum once; /* of one round */
};

/* A SEAMCALL that the dispatcher refuses: what getting in and out costs. */
static void null_call(void *ctx, u64 n)
{
	struct seam_regs r = {0};

	while (n--) {
		r.rax = 0xffff;
		seam_call(ctx, 0, &r);
	}
	bench_use(&r);
}

static void read_all(void *ctx, u64 n)
{
	const struct replay *re = ctx;

	while (n--) {
		struct lab_vectors *v = lab_vectors_new();

		lab_vectors_add(v, re->path, stderr);
		lab_vectors_free(v);
	}
}

static void replay_all(void *ctx, u64 n)
{
	const struct replay *re = ctx;
	struct lab_vectors_sum sum = {0};

	while (n--)
		lab_vectors_play(re->set, NULL, &sum);
	bench_use(&sum);
}

static void bench_null(struct bench *b)
{
	struct rt_world *w = rt_world_new(NULL);
	struct seam_config cfg = {.one_key = true, .no_tlb = true};
	struct seam *s = seam_new(&cfg, NULL, 0);

	if (!w || !s)
		abort();
	bench_baseline(b, "a null SEAMCALL", null_call, s);
	rt_world_free(w);
}

/* Usage: bench-vectors [PATH] [--seconds S]; PATH is tests/vectors unless given. */
int main(int argc, char **argv)
{
	struct replay re = {.set = lab_vectors_new(), .path = "tests/vectors"};
	struct bench b;
	double ns;

	if (argc > 1 && argv[1][0] != '-') {
		re.path = argv[1];
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	bench_init(&b, argc, argv);
	if (lab_vectors_add(re.set, re.path, stderr))
		return 2;
	lab_vectors_play(re.set, NULL, &re.once);
	bench_null(&b);
	ns = bench_row(&b, "read all recordings", read_all, &re);
	bench_fact("recordings read", (double)re.once.calls * 1e9 / ns, "calls/s");
	ns = bench_row(&b, "replay all recordings", replay_all, &re);
	bench_fact("recordings replayed", (double)re.once.calls * 1e9 / ns, "calls/s");
	bench_fact("of these matched", 100.0 * (double)re.once.matched / (double)re.once.calls,
		   "%");
	lab_vectors_free(re.set);
	return 0;
}
