// SPDX-License-Identifier: GPL-2.0-only
/*
 * From one state to those that follow: restored, one choice answered, run to the next question,
 * named by its hash.
 */
#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/lab/explore_int.h"
#include "sim/rt/world.h"

/* ---- the chooser: one answer, then a pause ---- */

static u8 choice_of(const struct rt_choice *c, u32 i)
{
	if (c->kind == RT_CHOICE_FAULT)
		return c->ids[i] == RT_FAULT_FIRES ? EX_FAULT : EX_NOFAULT;
	assert(c->ids[i] < EX_GO_ON);
	return (u8)c->ids[i];
}

static u32 pick(void *ctx, const struct rt_choice *c)
{
	struct ex_runner *r = ctx;

	if (r->model->asking && !r->model->asking(r->model->ctx))
		return c->cur == RT_NOBODY ? 0 : c->cur;
	for (u32 i = 0; !r->answered && i < c->nr; i++) {
		if (choice_of(c, i) == r->answer) {
			r->answered = true;
			return i;
		}
	}
	assert(r->answered && c->nr <= EX_CHOICES);
	r->nr = (u8)c->nr;
	r->cur = c->kind == RT_CHOICE_FAULT || c->cur == RT_NOBODY ? EX_CHOICES : (u8)c->cur;
	for (u32 i = 0; i < c->nr; i++)
		r->id_of[i] = choice_of(c, i);
	return RT_PICK_PAUSE;
}

void ex_runner_init(struct ex_runner *r, const struct lab_ex_model *model,
		    const struct lab_ex_opts *opts)
{
	const struct rt_chooser ch = {.name = "explore", .pick = pick, .ctx = r};

	*r = (struct ex_runner){.model = model, .opts = opts, .answered = true};
	rt_world_enter(model->world);
	rt_set_chooser(model->world, &ch);
	rt_record_schedule(model->world, NULL);
	r->base = rt_base_new(model->world, model->measure ? RT_BASE_MEASURE : 0);
	if (model->ignore)
		model->ignore(model->ctx, r->base);
}

void ex_runner_free(struct ex_runner *r)
{
	rt_base_free(r->base);
}

/* ---- states ---- */

/* What a state is: the world, what somebody will read, and, under a bound, how it got here. */
static struct rt_hash hash_of(struct ex_runner *r, enum lab_ex_stop stop, u8 preemptions)
{
	u64 word[LAB_EX_OBSERVED + 4];
	/* Ends are compared between searches, so they are always named without addresses. */
	bool plain = r->opts->no_reduction && stop != LAB_EX_REST;
	struct rt_hash h = plain ? rt_base_hash_plain(r->base) : rt_base_hash(r->base);
	u32 n = 0;
	XXH128_hash_t x;

	if (r->model->observe)
		n = r->model->observe(r->model->ctx, word);
	assert(n <= LAB_EX_OBSERVED);
	word[n++] = h.lo;
	word[n++] = h.hi;
	if (r->opts->preemptions != LAB_EX_UNBOUNDED) {
		word[n++] = preemptions;
		word[n++] = r->cur < r->nr ? r->id_of[r->cur] : EX_GO_ON;
	}
	x = XXH3_128bits(word, n * sizeof(*word));
	return (struct rt_hash){x.low64, x.high64};
}

struct rt_hash ex_name_now(struct ex_runner *r, enum lab_ex_stop stop)
{
	rt_base_diff(r->base);
	return hash_of(r, stop, 0);
}

static size_t extra_room(const struct ex_runner *r)
{
	return (r->model->extra_size + 7) & ~(size_t)7;
}

/* What is asked in @s, and what goes with its world. */
static void fill(const struct ex_runner *r, struct ex_state *s, enum lab_ex_stop stop,
		 struct rt_hash hash)
{
	s->hash = hash;
	s->stop = (u8)stop;
	if (stop == LAB_EX_CHOICE) {
		s->nr = r->nr;
		s->cur = r->cur;
		memcpy(s->id_of, r->id_of, r->nr);
	} else {
		s->nr = 1;
		s->cur = 0;
		s->id_of[0] = EX_GO_ON;
	}
}

static void put_extra(const struct ex_runner *r, struct ex_state *s)
{
	if (r->model->extra_size)
		memcpy(s->bytes, r->model->extra, r->model->extra_size);
}

static char *world_of(const struct ex_runner *r, const struct ex_state *s)
{
	return (char *)s->bytes + extra_room(r);
}

/* The state in which the world is now. */
static struct ex_state *put_state(struct ex_runner *r, struct ex_queue *q, enum lab_ex_stop stop,
				  struct rt_hash hash)
{
	size_t room = extra_room(r);
	struct ex_state *s = ex_queue_add(q, room + rt_delta_bytes(r->base));

	fill(r, s, stop, hash);
	put_extra(r, s);
	ex_queue_fit(q, room + rt_delta_put(r->base, world_of(r, s)));
	return s;
}

/* The same as an answer: of an end, nothing but that. */
static struct ex_state *put_answer(struct ex_runner *r, struct ex_queue *q, enum lab_ex_stop stop,
				   struct rt_hash hash)
{
	bool goes_on = stop == LAB_EX_CHOICE || stop == LAB_EX_REST;
	size_t bytes = goes_on ? extra_room(r) + rt_step_bytes(r->base) : 0;
	struct ex_state *s = ex_queue_add(q, bytes);

	fill(r, s, stop, hash);
	if (goes_on) {
		put_extra(r, s);
		rt_step_put(r->base, world_of(r, s));
	}
	return s;
}

struct ex_state *ex_next(struct ex_runner *r, const struct ex_state *from, const struct ex_state *a,
			 struct ex_queue *q)
{
	size_t room = extra_room(r);
	const char *delta = world_of(r, from), *step = world_of(r, a);
	struct ex_state *s = ex_queue_add(q, room + rt_delta_room(delta, step));
	u32 size = s->size;

	*s = *a;
	s->size = size;
	memcpy(s->bytes, a->bytes, room);
	ex_queue_fit(q, room + rt_delta_next(r->base, delta, step, world_of(r, s)));
	return s;
}

/* What goes with the world. */
static void restore_rest(struct ex_runner *r, const struct ex_state *s)
{
	if (r->model->extra_size)
		memcpy(r->model->extra, s->bytes, r->model->extra_size);
	r->nr = s->nr;
	r->cur = s->cur;
	memcpy(r->id_of, s->id_of, s->nr);
}

/* @s is what was restored last. */
static void restore_again(struct ex_runner *r, const struct ex_state *s)
{
	rt_delta_again(r->base);
	restore_rest(r, s);
}

void ex_restore(struct ex_runner *r, const struct ex_state *s)
{
	rt_world_enter(r->model->world);
	rt_delta_get(r->base, world_of(r, s));
	restore_rest(r, s);
}

void ex_put_first(struct ex_runner *r, struct ex_queue *q)
{
	struct lab_ex_fault f;

	/* The world is paused at a question; the next run asks it again. */
	if (r->model->run(r->model->ctx, &f) != LAB_EX_CHOICE)
		assert(!"the world is paused at a choice");
	rt_base_diff(r->base);
	put_state(r, q, LAB_EX_CHOICE, hash_of(r, LAB_EX_CHOICE, 0));
}

enum lab_ex_stop ex_answer(struct ex_runner *r, u8 choice, struct lab_ex_fault *f)
{
	enum lab_ex_stop stop;

	r->answer = choice;
	r->answered = choice == EX_GO_ON;
	if (choice == EX_GO_ON)
		stop = r->model->rest(r->model->ctx, f);
	else
		stop = r->model->run(r->model->ctx, f);
	assert(r->answered);
	return stop;
}

/*
 * On with a step in which nobody is asked. There is one way on, so if it comes to a state for the
 * second time it never ends: looked for as Brent does, against one state that is taken again after
 * twice as many stops. What never repeats is given up at last.
 */
static enum lab_ex_stop go_on(struct ex_runner *r, struct lab_ex_fault *f)
{
	enum lab_ex_stop stop = LAB_EX_LONG;
	struct rt_hash mark = {0};
	u32 n;

	for (n = 0; n < EX_LONG_MAX && stop == LAB_EX_LONG; n++) {
		struct rt_hash hash = hash_of(r, stop, 0);

		if (hash.lo == mark.lo && hash.hi == mark.hi)
			break;
		if (!(n & (n + 1)))
			mark = hash;
		stop = r->model->run(r->model->ctx, f);
		rt_base_diff(r->base);
	}
	if (stop != LAB_EX_LONG)
		return stop;
	*f = (struct lab_ex_fault){.kind = LAB_EX_STUCK, .rule = "no progress"};
	return LAB_EX_BROKEN;
}

enum lab_ex_stop ex_go(struct ex_runner *r, u8 choice, struct lab_ex_fault *f)
{
	enum lab_ex_stop stop = ex_answer(r, choice, f);

	rt_base_diff(r->base);
	return stop == LAB_EX_LONG ? go_on(r, f) : stop;
}

struct ex_state *ex_put_now(struct ex_runner *r, u8 preemptions, struct ex_queue *q)
{
	struct ex_state *s = put_state(r, q, r->stop, hash_of(r, r->stop, preemptions));

	s->preemptions = preemptions;
	return s;
}

bool ex_follow(struct ex_runner *r, const struct ex_state *s, const u8 *choice, u32 nr)
{
	struct lab_ex_fault f;

	ex_restore(r, s);
	/* Without a choice it is named as it is, and not as what was looked at before. */
	rt_base_diff(r->base);
	r->stop = LAB_EX_CHOICE;
	for (u32 i = 0; i < nr; i++) {
		bool fits = (r->stop == LAB_EX_REST) == (choice[i] == EX_GO_ON) &&
			    (r->stop == LAB_EX_CHOICE || r->stop == LAB_EX_REST);

		if (!fits)
			return false;
		/* What a step leaves below the stacks is cleared before the next, as in the search. */
		r->stop = ex_go(r, choice[i], &f);
	}
	return r->stop == LAB_EX_CHOICE || r->stop == LAB_EX_REST;
}

/* ---- expansion ---- */

/* A write to freed memory is found when the world is named: also at an end, which has no name. */
static bool wrote_freed(struct ex_runner *r, struct lab_ex_fault *f)
{
	rt_base_hash(r->base);
	if (!rt_base_written(r->base))
		return false;
	*f = (struct lab_ex_fault){.kind = LAB_EX_RULE, .rule = "use-after-free"};
	return true;
}

static void expand_one(struct ex_runner *r, const struct ex_state *s, u32 i, u8 preemptions,
		       bool first, struct ex_queue *q)
{
	struct lab_ex_fault fault = {0};
	struct rt_hash hash = {0};
	enum lab_ex_stop stop;
	struct ex_state *to;

	if (first)
		ex_restore(r, s);
	else
		restore_again(r, s);
	stop = ex_go(r, s->id_of[i], &fault);
	if (stop == LAB_EX_CHOICE || stop == LAB_EX_REST)
		hash = hash_of(r, stop, preemptions);
	if (stop != LAB_EX_BROKEN && wrote_freed(r, &fault))
		stop = LAB_EX_BROKEN;
	to = put_answer(r, q, stop, hash);
	to->id = s->id;
	to->depth = s->depth + 1;
	to->choice = s->id_of[i];
	to->preemptions = preemptions;
	to->fault = fault;
}

/*
 * Whether a lower actor is as this one in all but its number, and neither has begun: then that one
 * goes first. What is like is asked in the state @s itself.
 */
static bool has_twin_before(struct ex_runner *r, const struct ex_state *s, u32 i)
{
	if (!r->model->alike || s->id_of[i] >= EX_GO_ON)
		return false;
	for (u32 k = 0; k < i; k++) {
		if (s->id_of[k] < EX_GO_ON &&
		    r->model->alike(r->model->ctx, s->id_of[k], s->id_of[i]))
			return true;
	}
	return false;
}

void ex_expand(struct ex_runner *r, const struct ex_state *s, struct ex_queue *q)
{
	bool first = true;
	u64 skip = 0;

	if (r->opts->symmetry) {
		ex_restore(r, s);
		for (u32 i = 0; i < s->nr; i++)
			skip |= (u64)has_twin_before(r, s, i) << i;
		first = false;
		rt_base_diff(r->base);
	}
	for (u32 i = 0; i < s->nr; i++) {
		u32 preemptions = s->preemptions + (s->cur != EX_CHOICES && i != s->cur);

		if (skip >> i & 1)
			continue;
		if (preemptions > r->opts->preemptions) {
			r->cut = true;
			continue;
		}
		/* Counted only where there is a bound; then it is part of the state. */
		if (r->opts->preemptions == LAB_EX_UNBOUNDED)
			preemptions = 0;
		expand_one(r, s, i, (u8)(preemptions < 255 ? preemptions : 255), first, q);
		first = false;
	}
}
