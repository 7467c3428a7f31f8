// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the debugger shows of the run: where it is, who does what, who holds and wants which lock,
 * the question that is open, choices, events. The tables of the machine are debug_print.c's.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/debug_int.h"
#include "sim/lab/event.h"
#include "sim/lab/words.h"
#include "sim/rt/lock.h"
#include "sim/rt/world.h"

static const char *actor_name(const struct lab_debugger *d, u32 id)
{
	return id < d->s->m->nr_actors ? d->s->m->actor[id].name : "nobody";
}

/* "at lock, holds mmu_lock(R), doing: vcpu0: write slot0 0x1" */
static void put_actor(const struct lab_debugger *d, const struct lab_actor *a)
{
	const struct rt_where at = rt_actor_where(a->rt);
	char locks[160] = "", text[200] = "nothing";

	rt_locks_describe(a->id, locks, sizeof(locks));
	if (a->doing != LAB_NO_OP)
		lab_print_op(d->sc, &d->sc->ops[a->doing], text, sizeof(text));
	if (at.blocked_on)
		fprintf(d->out, "%s for %s", at.idle ? "idle, waits" : "waits", at.blocked_on);
	else if (at.asks)
		fprintf(d->out, "asks whether %s fires", at.asks);
	else
		fprintf(d->out, "at %s", rt_point_name(at.point));
	fprintf(d->out, "%s%s, doing: %s\n", *locks ? ", holds " : "", locks, text);
}

static void info_actors(struct lab_debugger *d)
{
	const struct lab_machine *m = d->s->m;

	for (u32 i = 0; i < m->nr_actors; i++) {
		fprintf(d->out, "%s %-12s ", i == d->last ? "*" : " ", m->actor[i].name);
		put_actor(d, &m->actor[i]);
	}
}

static void info_locks(struct lab_debugger *d)
{
	const struct lab_machine *m = d->s->m;
	bool any = false;

	for (u32 i = 0; i < m->nr_actors; i++) {
		const struct rt_where at = rt_actor_where(m->actor[i].rt);
		char locks[160] = "";

		rt_locks_describe(i, locks, sizeof(locks));
		if (*locks)
			fprintf(d->out, "%-12s holds %s\n", m->actor[i].name, locks);
		if (at.blocked_on && !at.idle)
			fprintf(d->out, "%-12s waits for %s\n", m->actor[i].name, at.blocked_on);
		any |= *locks || (at.blocked_on && !at.idle);
	}
	if (!any)
		fprintf(d->out, "nobody holds a lock or waits\n");
}

static void put_choice(const struct lab_debugger *d, u32 id)
{
	fprintf(d->out, "%s",
		id == RT_FAULT_NO      ? "no"
		: id == RT_FAULT_FIRES ? "yes"
				       : actor_name(d, id));
}

static void info_choice(struct lab_debugger *d)
{
	const struct lab_question *q = &d->question;

	if (d->told != LAB_PLAY_PAUSED) {
		fprintf(d->out, "no question is open here\n");
		return;
	}
	if (q->kind == RT_CHOICE_FAULT)
		fprintf(d->out, "does %s fire for %s?", q->site, actor_name(d, d->last));
	else
		fprintf(d->out, "who goes on?");
	for (u32 i = 0; i < q->nr; i++) {
		fputc(' ', d->out);
		put_choice(d, q->ids[i]);
	}
	fprintf(d->out, "; next: ");
	put_choice(d, lab_debug_next(d));
	fputc('\n', d->out);
}

/* Choices that differ from "in order": those made, and those that the script has for later. */
static void info_schedule(struct lab_debugger *d)
{
	if (!d->script.nr)
		fprintf(d->out, "in order\n");
	for (size_t i = 0; i < d->script.nr; i++) {
		const struct rt_schedule_entry *e = &d->script.entries[i];

		fprintf(d->out, "%s %8llu %s\n", e->step < rt_step() ? " " : ">", e->step,
			e->actor == RT_FAULT_FIRES ? LAB_CHOICE_FAULT : actor_name(d, e->actor));
	}
}

void lab_debug_events(struct lab_debugger *d, u64 from, u32 max)
{
	const struct rt_trace *t = d->s->trace;
	u64 n = rt_trace_len(t);
	char text[400];

	if (from > n)
		from = n;
	if (n - from > max) {
		fprintf(d->out, "  (%llu earlier events)\n", n - from - max);
		from = n - max;
	}
	for (u64 i = from; i < n; i++) {
		rt_event_text(rt_trace_get(t, (size_t)i), text, sizeof(text), lab_event_actor);
		fprintf(d->out, "  %s\n", text);
	}
}

static void put_outcome(struct lab_debugger *d)
{
	const struct lab_session *s = d->s;
	char text[300];

	if (d->told == LAB_PLAY_FAILED) {
		lab_print_op(d->sc, &d->sc->ops[d->play.op], text, sizeof(text));
		fprintf(d->out, "line %u does not hold: %s\n", d->sc->ops[d->play.op].line, text);
	}
	for (u32 i = 0; i < s->nr_broken; i++)
		fprintf(d->out, "rule %s %s at step %llu: %s\n", s->broken[i].rule,
			s->broken[i].excused ? "broke, forced by an injected fault," : "broke",
			s->broken[i].step, s->broken[i].text);
	if (*s->stuck)
		fprintf(d->out, "%s", s->stuck);
	if (d->told == LAB_PLAY_OVER)
		fprintf(d->out, "the run is over\n");
}

void lab_debug_where(struct lab_debugger *d)
{
	fprintf(d->out, "step %llu", rt_step());
	if (d->told == LAB_PLAY_PAUSED && d->question.kind == RT_CHOICE_FAULT) {
		fprintf(d->out, ": %s asks whether %s fires; next: ", actor_name(d, d->last),
			d->question.site);
		put_choice(d, lab_debug_next(d));
		fputc('\n', d->out);
	} else if (d->told == LAB_PLAY_PAUSED) {
		fprintf(d->out, ", next: %s, ", actor_name(d, lab_debug_next(d)));
		put_actor(d, &d->s->m->actor[lab_debug_next(d)]);
	} else {
		fputc('\n', d->out);
	}
	put_outcome(d);
}

/* The whole scenario; the lines under way are marked. */
void lab_debug_list(struct lab_debugger *d)
{
	const struct lab_machine *m = d->s->m;
	char text[400];

	for (u32 i = 0; i < d->sc->nr_ops; i++) {
		const struct lab_op *op = &d->sc->ops[i];
		bool now = false;

		if (op->kind == LAB_OP_SCHEDULE)
			continue;
		for (u32 a = 0; a < m->nr_actors; a++)
			now |= m->actor[a].doing == i;
		lab_print_op(d->sc, op, text, sizeof(text));
		fprintf(d->out, "%s%5u %s\n", now ? "=>" : "  ", op->line, text);
	}
}

/* Spans that are open for the actor that ran last, innermost first. */
void lab_debug_backtrace(struct lab_debugger *d)
{
	const struct rt_trace *t = d->s->trace;
	size_t stack[16];
	char text[400];
	u32 n = 0;

	for (size_t i = 0; i < rt_trace_len(t); i++) {
		const struct rt_event *ev = rt_trace_get(t, i);

		if (ev->actor != d->last || ev->phase == RT_PH_INSTANT)
			continue;
		if (ev->phase == RT_PH_BEGIN && n < RT_ARRAY_SIZE(stack))
			stack[n++] = i;
		else if (ev->phase == RT_PH_END && n)
			n--;
	}
	fprintf(d->out, "#0  %s: ", actor_name(d, d->last));
	if (d->last < d->s->m->nr_actors)
		put_actor(d, &d->s->m->actor[d->last]);
	else
		fputc('\n', d->out);
	for (u32 i = 1; n; i++) {
		rt_event_text(rt_trace_get(t, stack[--n]), text, sizeof(text), lab_event_actor);
		fprintf(d->out, "#%-2u %s\n", i, text);
	}
}

bool lab_debug_info(struct lab_debugger *d, const char *args)
{
	static const char *const words[] = {"actors",	"breakpoints", "choice", "locks",
					    "schedule", "threads",     "trace",	 NULL};
	char word[40] = "", count[40];
	int match = -1;
	u64 n = 20;

	lab_debug_word(&args, word, sizeof(word));
	for (int i = 0; words[i] && *word; i++) {
		if (!strncmp(words[i], word, strlen(word)) && match < 0)
			match = i;
	}
	switch (match) {
	case 0:
	case 5:
		info_actors(d);
		return true;
	case 1:
		lab_break_list(d);
		return true;
	case 2:
		info_choice(d);
		return true;
	case 3:
		info_locks(d);
		return true;
	case 4:
		info_schedule(d);
		return true;
	case 6:
		if (lab_debug_word(&args, count, sizeof(count)) && !lab_debug_number(count, &n))
			return lab_debug_wrong(d, "found \"%s\", expected a number", count);
		lab_debug_events(d, 0, (u32)(n < 100000 ? n : 100000));
		return true;
	}
	return lab_debug_wrong(
		d, "expected info actors, breakpoints, choice, locks, schedule, threads or trace");
}
