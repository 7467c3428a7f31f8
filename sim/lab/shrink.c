// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of the passes, and what counts as a candidate that fails the same way. The passes
 * themselves are shrink_ops.c and shrink_value.c.
 */
#include "sim/lab/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "sim/lab/bytes.h"
#include "sim/lab/shrink_int.h"
#include "sim/lab/util.h"

#define MAX_RUNS 20000U
#define ROUNDS	 4U
/* Other orders that are tried where a candidate no longer fails under its own. */
#define SEEDS 6U

bool lab_shrink_spent(const struct lab_shrinker *s)
{
	return s->runs >= s->max_runs;
}

struct lab_op *lab_shrink_copy(const struct lab_shrinker *s, u32 more)
{
	struct lab_op *ops = lab_zalloc((s->now.nr_ops + more + 1) * sizeof(*ops));

	memcpy(ops, s->now.ops, s->now.nr_ops * sizeof(*ops));
	return ops;
}

bool lab_shrink_run(struct lab_shrinker *s, struct lab_scenario *sc)
{
	struct lab_diag quiet = {NULL, 0};

	if (lab_setup_resolve(sc, &s->su, &quiet))
		return false;
	s->runs++;
	return lab_runner_run(s->r, sc, &s->su, NULL, &s->fate) &&
	       lab_same_fate(&s->want, &s->fate);
}

static bool fails_same(struct lab_shrinker *s, struct lab_scenario *sc)
{
	return !lab_shrink_spent(s) && lab_shrink_run(s, sc);
}

void lab_shrink_keep(struct lab_shrinker *s, const struct lab_op *ops, u32 nr)
{
	s->now.ops = lab_grow(s->now.ops, &s->now.cap_ops, nr + 1, sizeof(*ops));
	memcpy(s->now.ops, ops, nr * sizeof(*ops));
	s->now.nr_ops = nr;
}

u32 lab_shrink_seeded(const struct lab_op *ops, u32 nr, u64 seed, struct lab_op *to)
{
	struct lab_op chooser = {.kind = LAB_OP_CHOOSER};
	u32 n = 0;

	chooser.v[0] = (struct lab_val){.num = 1, .set = 1};
	chooser.v[1] = (struct lab_val){.num = seed, .set = 1};
	if (seed)
		to[n++] = chooser;
	for (u32 i = 0; i < nr; i++) {
		if (ops[i].kind != LAB_OP_CHOOSER && ops[i].kind != LAB_OP_SCHEDULE)
			to[n++] = ops[i];
	}
	return n;
}

bool lab_shrink_try(struct lab_shrinker *s, const struct lab_op *ops, u32 nr)
{
	struct lab_scenario sc = s->now;
	struct lab_op *other;
	bool same;

	sc.ops = (struct lab_op *)ops;
	sc.nr_ops = nr;
	same = fails_same(s, &sc);
	if (same || !s->races) {
		if (same)
			lab_shrink_keep(s, ops, nr);
		return same;
	}
	other = lab_zalloc((nr + 1) * sizeof(*other));
	for (u32 seed = 1; seed <= SEEDS && !same; seed++) {
		u32 n = lab_shrink_seeded(ops, nr, seed, other);

		sc.ops = other;
		sc.nr_ops = n;
		same = fails_same(s, &sc);
		if (same)
			lab_shrink_keep(s, other, n);
	}
	free(other);
	return same;
}

static void copy_pool(void **to, const void *from, u32 nr, u32 *cap, size_t size)
{
	*to = NULL;
	*cap = 0;
	*to = lab_grow(NULL, cap, nr + 1, size);
	memcpy(*to, from, nr * size);
}

/* A copy that owns its pools. */
static void copy_scenario(struct lab_scenario *to, const struct lab_scenario *from)
{
	*to = *from;
	copy_pool((void **)&to->ops, from->ops, from->nr_ops, &to->cap_ops, sizeof(*to->ops));
	copy_pool((void **)&to->regs, from->regs, from->nr_regs, &to->cap_regs, sizeof(*to->regs));
	copy_pool((void **)&to->calls, from->calls, from->nr_calls, &to->cap_calls,
		  sizeof(*to->calls));
	copy_pool((void **)&to->policies, from->policies, from->nr_policies, &to->cap_policies,
		  sizeof(*to->policies));
	copy_pool((void **)&to->strings, from->strings, from->nr_strings, &to->cap_strings, 1);
}

static u32 count_actions(const struct lab_scenario *sc)
{
	u32 n = 0;

	for (u32 i = 0; i < sc->nr_ops; i++)
		n += lab_op_is_action(&sc->ops[i]) || lab_op_is_inject(&sc->ops[i]);
	return n;
}

/* Whether it fails without the scheduler's help. */
static void without_choices(struct lab_shrinker *s)
{
	struct lab_op *ops = lab_zalloc((s->now.nr_ops + 1) * sizeof(*ops));
	u32 n = lab_shrink_seeded(s->now.ops, s->now.nr_ops, 0, ops);

	s->races = n != s->now.nr_ops;
	if (s->races && lab_shrink_try(s, ops, n))
		s->races = lab_shrink_seeded(s->now.ops, s->now.nr_ops, 0, ops) != s->now.nr_ops;
	free(ops);
}

static void shrink(struct lab_shrinker *s)
{
	bool more = true;

	without_choices(s);
	for (u32 i = 0; i < ROUNDS && more && !lab_shrink_spent(s); i++) {
		more = lab_shrink_ops(s);
		more |= lab_shrink_blocks(s);
		more |= lab_shrink_operands(s);
		more |= lab_shrink_setup(s);
		if (s->races)
			without_choices(s);
	}
	if (!s->races)
		return;
	s->races = false; /* from here on the choices are as they are */
	s->max_runs += s->kept_runs;
	lab_shrink_schedule(s);
	lab_shrink_setup(s);
}

bool lab_shrink(struct lab_runner *r, const struct lab_scenario *sc, struct rt_schedule *schedule,
		u32 max_runs, struct lab_shrunk *out)
{
	struct lab_shrinker *s = lab_zalloc(sizeof(*s));
	struct lab_diag quiet = {NULL, 0};
	bool fails;

	memset(out, 0, sizeof(*out));
	s->r = r;
	s->max_runs = max_runs ? max_runs : MAX_RUNS;
	s->kept_runs = s->max_runs / 3;
	s->max_runs -= s->kept_runs;
	copy_scenario(&s->now, sc);
	fails = !lab_setup_resolve(&s->now, &s->su, &quiet) &&
		lab_runner_run(r, &s->now, &s->su, schedule, &s->want);
	out->first = s->want;
	out->actions_first = count_actions(&s->now);
	fails = fails && s->want.verdict != LAB_HELD;
	if (fails) {
		if (schedule)
			lab_shrink_choices(s);
		shrink(s);
		/* Whatever was tried last: this is what it is now. */
		lab_shrink_run(s, &s->now);
		out->runs = s->runs;
		out->last = s->fate;
		out->su = s->su;
	}
	out->actions_last = count_actions(&s->now);
	out->sc = s->now;
	free(s);
	return fails;
}

void lab_shrunk_write(const struct lab_shrunk *s, const char *reason, FILE *out)
{
	if (*reason)
		fprintf(out, "# %s\n", reason);
	fprintf(out, "# %s: %s\n", s->last.rule, s->last.text);
	lab_print(&s->sc, out);
}
