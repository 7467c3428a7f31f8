// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a run that broke a rule: is it known, is it real, how small can it be, and under
 * which name is it written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/bytes.h"
#include "sim/lab/fuzz_int.h"
#include "sim/lab/oracle.h"
#include "sim/lab/shrink.h"
#include "sim/lab/util.h"

/* Runs that shrinking one finding may take. */
#define SHRINK_RUNS 3000
/* Steps in which a run that never ends is seen to go round, in place of all that it may take. */
#define ROUND_STEPS 20000

static void write_text(const struct lab_shrunk *s, const struct lab_finder *f, u64 nr, FILE *out)
{
	char reason[120];

	snprintf(reason, sizeof(reason), "found by tdxsim fuzz: seed %llu, run %llu", f->opts->seed,
		 nr);
	lab_shrunk_write(s, reason, out);
}

static int write_finding(struct lab_finder *f, const struct lab_shrunk *s, u64 nr, u64 key)
{
	const char *dir = f->opts->findings;
	size_t len;
	char *path;
	FILE *out;
	int ret = 0;

	fprintf(f->opts->out, "run %llu: %s: %s\n", nr, s->last.rule, s->last.text);
	if (!dir) {
		write_text(s, f, nr, f->opts->out);
		return 0;
	}
	len = strlen(dir) + strlen(s->last.rule) + 32;
	path = lab_zalloc(len);
	snprintf(path, len, "%s/%s-%08x.scn", dir, s->last.rule, (u32)key);
	out = fopen(path, "w");
	if (out)
		write_text(s, f, nr, out);
	if (!out || fclose(out)) {
		ret = errno;
		fprintf(f->opts->err, "%s: %s\n", path, strerror(ret));
	} else {
		fprintf(f->opts->out, "  %u of %u actions are left: %s\n", s->actions_last,
			s->actions_first, path);
	}
	free(path);
	return ret;
}

/* Once more on a machine that nobody has used, as "tdxsim run" will do it. */
static bool confirmed(const struct lab_finder *f, const struct lab_shrunk *s)
{
	const struct lab_runner_opts opts = {.budget = f->opts->budget ? f->opts->budget
								       : LAB_FUZZ_BUDGET,
					     .keep = 1,
					     .diff = f->diff};
	struct lab_runner *fresh = lab_runner_new(&opts);
	struct lab_fate fate;
	bool same = lab_runner_run(fresh, &s->sc, &s->su, NULL, &fate) &&
		    lab_same_fate(&fate, &s->last) && fate.step == s->last.step;

	lab_runner_free(fresh);
	return same;
}

static int keep(struct lab_finder *f, const struct lab_shrunk *s, u64 nr)
{
	u64 key = lab_fate_key(&s->sc, &s->last);

	if (lab_corpus_knows(f->corpus, key) || lab_known_has(f->known, &s->last, &s->su))
		return 0;
	lab_corpus_add_key(f->corpus, key);
	f->sum->findings = ++f->corpus->findings;
	f->sum->verdict = lab_worse(f->sum->verdict, s->last.verdict);
	if (!confirmed(f, s)) {
		fprintf(f->opts->err,
			"run %llu: %s broke, and did not when it was run again: "
			"a defect of tdxsim\n",
			nr, s->last.rule);
		f->sum->verdict = LAB_DEFECT;
	}
	return write_finding(f, s, nr, key);
}

static bool shrink(struct lab_finder *f, const struct lab_scenario *sc, const struct lab_fate *fate,
		   struct lab_shrunk *s)
{
	const struct lab_runner_opts opts = {.budget = ROUND_STEPS, .diff = f->diff};
	struct lab_runner *short_runs;
	bool fails;

	if (strcmp(fate->rule, lab_oracle_name(LAB_ORACLE_NO_PROGRESS)))
		return lab_shrink(f->runner, sc, NULL, SHRINK_RUNS, s);
	short_runs = lab_runner_new(&opts);
	fails = lab_shrink(short_runs, sc, NULL, SHRINK_RUNS, s) && lab_same_fate(fate, &s->last);
	lab_runner_free(short_runs);
	if (fails)
		return true;
	lab_scenario_free(&s->sc);
	return lab_shrink(f->runner, sc, NULL, SHRINK_RUNS / 16, s);
}

int lab_find(struct lab_finder *f, u64 nr, const u8 *bytes, u32 len, const struct lab_fate *fate)
{
	struct lab_setup *su = lab_zalloc(sizeof(*su));
	struct lab_scenario sc;
	struct lab_shrunk s;
	int ret = 0;
	u64 key;

	lab_scenario_init(&sc);
	lab_bytes_decode(bytes, len, &sc, su);
	key = lab_fate_key(&sc, fate);
	if (!lab_known_has(f->known, fate, su) && !lab_corpus_knows(f->corpus, key)) {
		if (shrink(f, &sc, fate, &s))
			ret = keep(f, &s, nr);
		lab_scenario_free(&s.sc);
		/* As it was met first, too: the next one of its kind costs no shrinking. */
		lab_corpus_add_key(f->corpus, key);
	}
	lab_scenario_free(&sc);
	free(su);
	return ret;
}
