// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a second of the fuzzer's inner loop: programs of 32 statements on kept machines, judged by
 * all oracles, with the coverage map. Beside it a loop that does nothing, what making and decoding
 * a program costs, and what giving a machine back costs. libFuzzer's own empty loop is measured
 * with its program: "build-fuzz/tests/fuzz/libfuzzer-empty -runs=10000000".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "sim/lab/bytes.h"
#include "sim/lab/fuzz.h"
#include "sim/lab/mutate.h"
#include "sim/rt/world.h"

#define STATEMENTS 32U
#define PROGRAMS   64U

struct fuzzing {
	u8 bytes[PROGRAMS][STATEMENTS * LAB_RECORD_BYTES];
	struct lab_scenario sc;
	struct lab_setup su;
	struct lab_map *map;
	struct lab_runner *runner;
	u64 at, steps, runs;
};

static void nothing(void *ctx, u64 n)
{
	while (n--)
		bench_use(ctx);
}

static void decode(struct fuzzing *f)
{
	f->sc.nr_ops = f->sc.nr_regs = f->sc.nr_calls = f->sc.nr_policies = 0;
	f->sc.nr_strings = 1;
	lab_bytes_decode(f->bytes[f->at++ % PROGRAMS], sizeof(f->bytes[0]), &f->sc, &f->su);
}

static void decode_all(void *ctx, u64 n)
{
	while (n--)
		decode(ctx);
}

static void run_all(void *ctx, u64 n)
{
	struct fuzzing *f = ctx;
	struct lab_fate fate;

	while (n--) {
		decode(f);
		lab_map_begin(f->map, &f->su);
		lab_runner_run(f->runner, &f->sc, &f->su, NULL, &fate);
		f->steps += fate.steps;
		f->runs++;
	}
}

/* Statements of the default machine alone, as the mutator makes them. */
static void make_programs(struct fuzzing *f)
{
	struct lab_choices src;
	struct lab_scenario sc;

	lab_choices_random(&src, 1);
	lab_scenario_init(&sc);
	for (u32 i = 0; i < PROGRAMS; i++) {
		for (u32 n = 0; n < STATEMENTS; n++)
			lab_record_read(&src, LAB_GEN_ACTION, &sc,
					f->bytes[i] + n * LAB_RECORD_BYTES);
	}
	lab_scenario_free(&sc);
}

int main(int argc, char **argv)
{
	struct fuzzing *f = calloc(1, sizeof(*f));
	struct lab_runner_opts opts = {
		.budget = LAB_FUZZ_BUDGET,
		.begin = lab_map_forget,
		.point = lab_map_point,
		.block = lab_map_block,
	};
	struct bench b;
	double ns;

	if (!f)
		abort();
	f->map = calloc(1, sizeof(*f->map));
	if (!f->map)
		abort();
	lab_map_init(f->map);
	lab_scenario_init(&f->sc);
	opts.ctx = f->map;
	opts.observer = &f->map->observer;
	f->runner = lab_runner_new(&opts);
	make_programs(f);
	bench_init(&b, argc, argv);
	bench_baseline(&b, "a loop that does nothing", nothing, f);
	bench_row(&b, "32 statements decoded", decode_all, f);
	ns = bench_row(&b, "32 statements run and judged", run_all, f);
	bench_fact("runs of fuzz-scenario", 1e9 / ns, "runs/s");
	bench_fact("steps of one run", (double)f->steps / (double)(f->runs ? f->runs : 1), "steps");
	lab_runner_free(f->runner);
	lab_scenario_free(&f->sc);
	free(f->map);
	free(f);
	return 0;
}
