// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz-scenario: bytes to a scenario to a run, judged by all oracles where all policies are the
 * default ones: what breaks under another may be what that is known for, so there only a crash
 * counts. With -DOWN_MUTATOR mutations are those of sim/lab/mutate.h; with -DBOTH_MUTATORS one time
 * in two.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/bytes.h"
#include "sim/lab/fuzz_known.h"
#include "sim/lab/mutate.h"
#include "sim/lab/runner.h"
#include "tests/fuzz/target.h"

#define BUDGET 300000

static struct {
	struct lab_runner *runner;
	struct lab_scenario sc;
	struct lab_setup su;
	struct lab_known *known; /* of the directory in TDXSIM_KNOWN */
	struct lab_setup plain;	 /* what no set-up line at all is */
} kept;

static void start(void)
{
	const struct lab_runner_opts opts = {.budget = BUDGET};

	if (kept.runner)
		return;
	if (getenv("TDXSIM_KNOWN")) {
		kept.known = lab_known_read(getenv("TDXSIM_KNOWN"), stderr);
		if (!kept.known)
			exit(2);
	}
	kept.runner = lab_runner_new(&opts);
	lab_scenario_init(&kept.sc);
	lab_bytes_decode(NULL, 0, &kept.sc, &kept.plain);
}

static bool has_default_policies(const struct lab_setup *su)
{
	const struct lab_setup *plain = &kept.plain;

	for (u32 i = 0; i < su->nr_gmems; i++) {
		if (memcmp(su->gmem[i].gmem.policy, plain->gmem[0].gmem.policy,
			   sizeof(plain->gmem[0].gmem.policy)))
			return false;
	}
	return !memcmp(su->kvm_policy, plain->kvm_policy, sizeof(plain->kvm_policy));
}

static void broke(const struct lab_fate *fate)
{
	fprintf(stderr, "# %s: %s\n", fate->rule, fate->text);
	lab_print(&kept.sc, stderr);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lab_scenario *sc = &kept.sc;
	struct lab_fate fate;

	start();
	sc->nr_ops = sc->nr_regs = sc->nr_calls = sc->nr_policies = 0;
	sc->nr_strings = 1;
	lab_bytes_decode(data, size, sc, &kept.su);
	if (!lab_runner_run(kept.runner, sc, &kept.su, NULL, &fate))
		return 0;
	if ((fate.verdict == LAB_VIOLATED || (fate.verdict == LAB_NO_PROGRESS && !fate.spent)) &&
	    has_default_policies(&kept.su) && !lab_known_has(kept.known, &fate, &kept.su))
		broke(&fate);
	return 0;
}

#if defined(OWN_MUTATOR) || defined(BOTH_MUTATORS)
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct lab_choices src;

#ifdef BOTH_MUTATORS
	if (seed & 1)
		return LLVMFuzzerMutate(data, size, max);
#endif
	lab_choices_random(&src, seed);
	if (size < LAB_RECORD_BYTES)
		return lab_generate(&src, data, max);
	return lab_mutate(&src, data, size, max, NULL, 0);
}
#endif
