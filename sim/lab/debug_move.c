// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves: forward step by step until the place is one to stop at; backward by looking for the last
 * such place before this one. How a single step is made is debug.c's.
 */
#include "sim/lab/debug_int.h"
#include "sim/lab/event.h"
#include "sim/rt/world.h"

#define EVENTS_SHOWN 6

/* What a move is about. */
struct aim {
	enum lab_move move;
	bool back;
	u32 actor; /* that ran last when it began */
};

/* Whether the last step has an event of that type, phase and actor. */
static bool has_event(const struct lab_debugger *d, const char *type, enum rt_phase phase,
		      u32 actor)
{
	const struct rt_trace *t = d->s->trace;

	for (size_t i = (size_t)d->seq; i < rt_trace_len(t); i++) {
		const struct rt_event *ev = rt_trace_get(t, i);

		if (lab_event_is(ev, type) && ev->phase == phase &&
		    (actor == RT_NOBODY || ev->actor == actor))
			return true;
	}
	return false;
}

/* Actor that ran last stands in front of a call, or of a guest's instruction. */
static bool before_call(const struct lab_debugger *d)
{
	struct rt_where at;

	if (d->last >= d->s->m->nr_actors)
		return false;
	at = rt_actor_where(d->s->m->actor[d->last].rt);
	return !at.blocked_on && (at.point == RT_PT_CALL || at.point == RT_PT_GUEST);
}

static bool after_call(const struct lab_debugger *d, u32 actor)
{
	return has_event(d, "seamcall", RT_PH_END, actor) ||
	       has_event(d, "tdcall", RT_PH_END, actor) ||
	       has_event(d, "access", RT_PH_INSTANT, actor);
}

static bool is_there(const struct lab_debugger *d, const struct aim *aim)
{
	switch (aim->move) {
	case LAB_MOVE_POINT:
		return true;
	case LAB_MOVE_CALL:
		return before_call(d) || after_call(d, RT_NOBODY);
	case LAB_MOVE_OVER:
		return aim->back ? d->last == aim->actor && before_call(d)
				 : after_call(d, aim->actor);
	case LAB_MOVE_FINISH:
		return has_event(d, "action", aim->back ? RT_PH_BEGIN : RT_PH_END, aim->actor);
	case LAB_MOVE_SWITCH:
		return d->told == LAB_PLAY_PAUSED && d->question.kind == RT_CHOICE_ACTOR &&
		       lab_debug_next(d) != d->last;
	case LAB_MOVE_LINE:
		return d->play.nr != d->lines;
	case LAB_MOVE_CONTINUE:
		break;
	}
	return false;
}

static void say_stop(struct lab_debugger *d, struct lab_breakpoint *b)
{
	if (!b)
		return;
	b->hits++;
	fprintf(d->out, "breakpoint %u, %s\n", b->number, b->text);
}

/* True if a breakpoint or a failure ended the move. */
static bool forward(struct lab_debugger *d, const struct aim *aim)
{
	struct lab_breakpoint *b = NULL;

	while (lab_debug_step(d)) {
		b = lab_break_hit(d);
		if (b || d->told == LAB_PLAY_FAILED || is_there(d, aim))
			break;
	}
	if (lab_debug_over(d))
		b = lab_break_hit(d);
	say_stop(d, b);
	return b || d->told == LAB_PLAY_FAILED;
}

/*
 * The last place before @end, from the place where we are on, at which the move would stop; ~0 if
 * there is none. Goes there or beyond.
 */
static u64 last_place(struct lab_debugger *d, const struct aim *aim, u64 end)
{
	u64 found = ~0ULL;

	while (lab_debug_step(d) && rt_step() < end) {
		if (d->told == LAB_PLAY_PAUSED && (lab_break_hit(d) || is_there(d, aim)))
			found = rt_step();
	}
	return found;
}

/* From one image to the next, the nearest to us first. True as forward(). */
static bool backward(struct lab_debugger *d, const struct aim *aim)
{
	struct lab_breakpoint *b;
	u64 end = rt_step(), found = ~0ULL;

	for (u32 i = d->nr_snaps; i-- > 0 && found == ~0ULL;) {
		u64 from = d->snap[i].step;

		if (from >= end)
			continue;
		lab_debug_goto(d, from);
		found = last_place(d, aim, end);
		/* The image's own place: a step before it shows whether it is one to stop at. */
		end = from + 1;
	}
	if (found == ~0ULL) {
		fprintf(d->out, "the beginning of the run\n");
		lab_debug_goto(d, d->snap[0].step);
		return true;
	}
	/* By a step, so that the place knows what it is one for. */
	lab_debug_goto(d, found - 1);
	while (lab_debug_step(d) && rt_step() < found)
		;
	b = lab_break_hit(d);
	say_stop(d, b);
	return b;
}

void lab_debug_move(struct lab_debugger *d, enum lab_move move, bool back, u64 times)
{
	struct aim aim = {move, back, d->last};

	if (!back && lab_debug_over(d)) {
		fprintf(d->out, "the run is over; reverse-step goes back, run begins again\n");
		return;
	}
	d->move_seq = rt_trace_seq(d->s->trace);
	for (u64 i = 0; i < times; i++) {
		if (back ? rt_step() <= d->snap[0].step : lab_debug_over(d))
			break;
		/* continue N is to the N-th breakpoint; other moves end at the first. */
		if ((back ? backward(d, &aim) : forward(d, &aim)) && move != LAB_MOVE_CONTINUE)
			break;
	}
	if (back)
		d->move_seq = d->seq;
	lab_debug_events(d, d->move_seq, EVENTS_SHOWN);
	lab_debug_where(d);
}
