// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scenario as the explorer's model: its cursor, what is asked and what is not, what is state.
 */
#include "sim/lab/explore_model.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gmem/gmem.h"
#include "sim/lab/stats.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

/*
 * Steps of one actor alone after which it is asked whether it comes back to where it was: more than
 * the module's time-outs take, which are no state.
 */
#define LONG_STEPS 16384

/* Counters that oracles compare: at rest with those of the rest before, or with none. */
static const char *const judged[] = {"overzap_bytes", "merges_refused", "retired_pages"};

static bool asking(void *ctx)
{
	const struct lab_ex_scn *x = ctx;

	return x->play.s->m->parallel;
}

static void fault_of(const struct lab_ex_scn *x, enum lab_played told, struct lab_ex_fault *f)
{
	struct lab_target t = lab_play_target(&x->play, told);

	*f = (struct lab_ex_fault){.op = t.op};
	snprintf(f->rule, sizeof(f->rule), "%s", t.rule);
	f->kind = t.kind == LAB_TARGET_EXPECT  ? LAB_EX_EXPECT
		  : t.kind == LAB_TARGET_STUCK ? LAB_EX_STUCK
					       : LAB_EX_RULE;
}

static void forget(struct lab_session *s)
{
	s->nr_broken = 0;
	s->stuck[0] = 0;
}

/* Lines behind the block, up to the next choice or the end. */
static enum lab_ex_stop rest(void *ctx, struct lab_ex_fault *f)
{
	struct lab_ex_scn *x = ctx;
	enum lab_played told;

	forget(x->play.s);
	do
		told = lab_play_next(&x->play);
	while (told == LAB_PLAY_LINE);
	if (told == LAB_PLAY_OVER)
		return LAB_EX_END;
	if (told == LAB_PLAY_PAUSED)
		return LAB_EX_CHOICE;
	fault_of(x, told, f);
	return LAB_EX_BROKEN;
}

static enum lab_ex_stop run(void *ctx, struct lab_ex_fault *f)
{
	struct lab_ex_scn *x = ctx;

	struct lab_session *s = x->play.s;
	enum lab_step step;

	forget(s);
	rt_set_budget(LONG_STEPS);
	step = lab_session_go(s);
	rt_set_budget(s->opts.budget);
	switch (step) {
	case LAB_PAUSED:
		return LAB_EX_CHOICE;
	case LAB_DONE:
		return LAB_EX_REST;
	case LAB_BROKEN:
		fault_of(x, LAB_PLAY_BROKEN, f);
		break;
	case LAB_STUCK:
		if (s->out_of_steps)
			return LAB_EX_LONG;
		fault_of(x, LAB_PLAY_STUCK, f);
		break;
	}
	return LAB_EX_BROKEN;
}

static u32 observe(void *ctx, u64 *word)
{
	const struct lab_ex_scn *x = ctx;
	struct lab_machine *m = x->play.s->m;
	u32 n = 0;

	word[n++] = x->play.nr;
	word[n++] = kvm_look_kicks(m->host);
	word[n++] = seam_look_steps(m->seam);
	/* What "no-unblock" and "demote-gated" look at. */
	word[n++] = seam_calls(m->seam, SEAM_TDH_MEM_RANGE_UNBLOCK) != 0;
	word[n++] = seam_calls(m->seam, SEAM_TDH_MEM_PAGE_DEMOTE) != 0;
	if (x->timed)
		word[n++] = rt_cycles_now();
	for (u32 i = 0; i < x->nr_stats; i++)
		word[n++] = lab_stat_at(m, x->stat[i]);
	return n;
}

static void ignore_range(void *ctx, const void *p, size_t len)
{
	rt_base_ignore(ctx, p, len);
}

void lab_ex_ignore_counters(struct lab_machine *m, struct rt_base *b)
{
	seam_for_each_counter(m->seam, ignore_range, b);
	kvm_for_each_counter(m->host, ignore_range, b);
	kvm_gmem_for_each_counter(ignore_range, b);
}

static void ignore(void *ctx, struct rt_base *b)
{
	const struct lab_ex_scn *x = ctx;

	lab_ex_ignore_counters(x->play.s->m, b);
}

/* Operations that ask the same of their actors. */
static bool same_op(const struct lab_op *a, const struct lab_op *b)
{
	if (a->kind != b->kind || a->td != b->td)
		return false;
	for (u32 f = 0; f < LAB_FIELDS; f++) {
		const struct lab_val *x = &a->v[f], *y = &b->v[f];

		if (x->set != y->set || x->num != y->num || x->ref != y->ref || x->td != y->td)
			return false;
	}
	return true;
}

static u32 next_of(struct lab_machine *m, const struct lab_actor *a, u32 from)
{
	while (from < m->block + m->block_nr &&
	       (!lab_op_is_action(lab_op(m, from)) || lab_op_actor(m, lab_op(m, from)) != a))
		from++;
	return from;
}

static bool same_lines(struct lab_machine *m, const struct lab_actor *a, const struct lab_actor *b)
{
	u32 end = m->block + m->block_nr, i = m->block, k = m->block;

	for (;; i++, k++) {
		i = next_of(m, a, i);
		k = next_of(m, b, k);
		if (i == end || k == end)
			return i == k;
		if (!same_op(lab_op(m, i), lab_op(m, k)))
			return false;
	}
}

static bool alike(void *ctx, u32 i, u32 k)
{
	struct lab_ex_scn *x = ctx;
	struct lab_machine *m = x->play.s->m;
	const struct lab_actor *a = &m->actor[i], *b = &m->actor[k];

	/* vCPUs that have lines, the first of them still to come, from the same place. */
	if (!a->vcpu || !b->vcpu || a->td != b->td || a->running != b->running ||
	    a->in_run != b->in_run || a->stop || b->stop)
		return false;
	if (a->next != next_of(m, a, m->block) || b->next != next_of(m, b, m->block))
		return false;
	return same_lines(m, a, b);
}

static void add_stat(struct lab_ex_scn *x, u32 stat)
{
	for (u32 i = 0; i < x->nr_stats; i++) {
		if (x->stat[i] == stat)
			return;
	}
	if (x->nr_stats < RT_ARRAY_SIZE(x->stat))
		x->stat[x->nr_stats++] = stat;
	else
		x->too_many = true;
}

/* Statistics that a lock keeps: they are state as soon as somebody asks for one. */
static bool is_lock_stat(const char *name)
{
	return !strncmp(name, "mmu_lock_", 9) || !strncmp(name, "invalidate_lock_", 16);
}

static void find_stats(struct lab_ex_scn *x, const struct lab_scenario *sc)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(judged); i++)
		add_stat(x, lab_stat_find(judged[i]));
	for (u32 i = 0; i < sc->nr_ops; i++) {
		const char *name;

		if (sc->ops[i].kind != LAB_OP_EXP_STAT)
			continue;
		name = lab_string(sc, (u32)lab_num(&sc->ops[i], "NAME", 0));
		x->model.measure |= is_lock_stat(name);
		x->timed |= is_lock_stat(name) && strstr(name, "_cycles");
		add_stat(x, lab_stat_find(name));
	}
}

bool lab_ex_scn_wants_calls(const struct lab_scenario *sc)
{
	for (u32 i = 0; i < sc->nr_ops; i++) {
		if (sc->ops[i].kind == LAB_OP_EXP_SEAMCALLS)
			return true;
	}
	return false;
}

void lab_ex_scn_init(struct lab_ex_scn *x, struct lab_session *s)
{
	*x = (struct lab_ex_scn){.model = {.ctx = x,
					   .world = s->world,
					   .run = run,
					   .rest = rest,
					   .asking = asking,
					   .observe = observe,
					   .ignore = ignore,
					   .alike = alike,
					   .extra = &x->play,
					   .extra_size = sizeof(x->play)}};
	find_stats(x, s->sc);
	lab_play_init(&x->play, s);
}

static u32 pause(void *ctx, const struct rt_choice *c)
{
	return asking(ctx) ? RT_PICK_PAUSE : c->cur == RT_NOBODY ? 0 : c->cur;
}

enum lab_ex_stop lab_ex_scn_begin(struct lab_ex_scn *x, struct lab_ex_fault *f)
{
	const struct rt_chooser ch = {.name = "explore", .pick = pause, .ctx = x};

	lab_session_chooser(x->play.s, &ch);
	return rest(x, f);
}
