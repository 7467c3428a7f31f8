// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events for people: who called what, what it answered, what changed by it; like events in a row
 * become one line. One event in words is event.h's.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/event.h"
#include "sim/lab/fold.h"
#include "sim/lab/run.h"
#include "sim/lab/util.h"
#include "sim/lab/words.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

/* First event of the block that is still kept. */
static size_t first_index(const struct lab_session *s)
{
	u64 all = rt_trace_seq(s->trace), gone = all - rt_trace_len(s->trace);

	return s->first_event > gone ? (size_t)(s->first_event - gone) : 0;
}

/*
 * Locks, switches and references fill pages and say little about what an action did; the whole trace has them
 * (--trace).
 */
static bool is_noise(const struct rt_event *ev)
{
	static const char *const noise[] = {"lock", "unlock", "switch", "wait", "gmem_ref"};

	for (u32 i = 0; i < RT_ARRAY_SIZE(noise); i++) {
		if (lab_event_is(ev, noise[i]))
			return true;
	}
	return false;
}

void lab_print_events(struct lab_session *s, FILE *out, u32 max, const char *indent)
{
	size_t n, left = 0;
	char text[400];

	if (!s->trace)
		return;
	rt_world_enter(s->world);
	n = rt_trace_len(s->trace);
	for (size_t i = first_index(s); i < n; i++)
		left += !is_noise(rt_trace_get(s->trace, i));
	if (!left)
		fprintf(out, "%s(none)\n", indent);
	if (left > max)
		fprintf(out, "%s(%zu earlier events left out)\n", indent, left - max);
	for (size_t i = first_index(s); i < n; i++) {
		if (is_noise(rt_trace_get(s->trace, i)) || left-- > max)
			continue;
		rt_event_text(rt_trace_get(s->trace, i), text, sizeof(text), lab_event_actor);
		fprintf(out, "%s%s\n", indent, text);
	}
}

#define TELL_MAX 240

/*
 * Of a kick's request: nothing is asked of the vCPU but to be outside of the guest
 * (KVM_REQ_OUTSIDE_GUEST_MODE).
 */
#define KICK_NO_ACTION 0x400

/* One line of narration; @key is the line without addresses, by which repetitions are found. */
struct line {
	char key[TELL_MAX], text[TELL_MAX], where[48];
};

/* A call that has begun, and the changes that it has made so far. */
struct pending {
	bool open, exited;
	u64 exit_status;
	char where[48];
	struct change {
		u64 gpa, level, from, to;
		u32 times;
	} change[6];
	u32 nr_changes;
};

struct teller {
	struct line *line;
	u32 nr, cap;
	struct pending *call; /* [nr_actors + 1]: the last is of nobody */
	u32 nr_actors;
};

static struct pending *pending_of(struct teller *t, u32 actor)
{
	return &t->call[actor < t->nr_actors ? actor : t->nr_actors];
}

static void say(struct teller *t, const char *who, const char *what, const char *where,
		const char *answer)
{
	struct line *l;

	t->line = lab_grow(t->line, &t->cap, t->nr + 1, sizeof(*t->line));
	l = &t->line[t->nr++];
	snprintf(l->key, sizeof(l->key), "%.40s %.40s %.80s", who, what, answer);
	snprintf(l->text, sizeof(l->text), "%-8.40s %-26.40s %-24.48s %.80s", who, what, where,
		 answer);
	snprintf(l->where, sizeof(l->where), "%.47s", where);
}

static void say_changes(struct teller *t, struct pending *p)
{
	for (u32 i = 0; i < p->nr_changes; i++) {
		const struct change *c = &p->change[i];
		char where[48], what[80];

		snprintf(where, sizeof(where), "0x%llx %s", c->gpa, lab_event_level(c->level));
		snprintf(what, sizeof(what), "%s -> %s", seam_sept_state_name((u8)c->from),
			 seam_sept_state_name((u8)c->to));
		say(t, "", "  S-EPT entry", where, what);
	}
	p->nr_changes = 0;
}

static void on_sept(struct teller *t, const struct rt_event *ev)
{
	struct pending *p = pending_of(t, ev->actor);
	struct change c = {lab_event_arg(ev, "gpa"), lab_event_arg(ev, "level"),
			   lab_event_arg(ev, "from"), lab_event_arg(ev, "to"), 1};

	for (u32 i = 0; i < p->nr_changes; i++) {
		struct change *o = &p->change[i];

		if (o->level == c.level && o->from == c.from && o->to == c.to) {
			o->times++;
			return;
		}
	}
	if (p->nr_changes < RT_ARRAY_SIZE(p->change))
		p->change[p->nr_changes++] = c;
}

static void on_begin(struct teller *t, const struct rt_event *ev, bool guest)
{
	struct pending *p = pending_of(t, ev->actor);

	*p = (struct pending){.open = true};
	if (!guest)
		lab_event_operand(ev, p->where, sizeof(p->where));
	else if (lab_event_arg(ev, "leaf") == SEAM_TDG_MEM_PAGE_ACCEPT)
		snprintf(p->where, sizeof(p->where), "0x%llx %s",
			 SEAM_INFO_GPA(lab_event_arg(ev, "rcx")),
			 lab_event_level(SEAM_INFO_LEVEL(lab_event_arg(ev, "rcx"))));
}

static void on_end(struct teller *t, const struct rt_event *ev, bool guest)
{
	struct pending *p = pending_of(t, ev->actor);
	u32 leaf = (u32)(lab_event_arg(ev, "leaf") & 0xffff);
	char answer[80], hex[24];

	if (p->exited)
		snprintf(answer, sizeof(answer), "leaves the guest: %s",
			 lab_event_exit(p->exit_status, hex, sizeof(hex)));
	else
		lab_status_text(lab_event_arg(ev, "status"), answer, sizeof(answer));
	/* What td_enter tells needs no second line; an entry that was refused does. */
	if (guest || leaf != SEAM_TDH_VP_ENTER || lab_event_arg(ev, "status") & SEAM_STATUS_ERROR)
		say(t, lab_event_actor(ev->actor),
		    guest ? lab_tdcall_name(leaf, hex, sizeof(hex))
			  : lab_leaf_name(leaf, hex, sizeof(hex)),
		    p->where, answer);
	say_changes(t, p);
	p->open = false;
}

static void on_exit_event(struct teller *t, const struct rt_event *ev)
{
	struct pending *p = pending_of(t, ev->actor);
	char hex[24];

	if (p->open) {
		p->exited = true;
		p->exit_status = lab_event_arg(ev, "status");
		return;
	}
	say(t, lab_event_actor(ev->actor), "leaves the guest", "",
	    lab_event_exit(lab_event_arg(ev, "status"), hex, sizeof(hex)));
}

static void on_event(struct teller *t, const struct rt_event *ev)
{
	bool guest = lab_event_is(ev, "tdcall");
	char text[40];

	if (guest || lab_event_is(ev, "seamcall")) {
		if (ev->phase == RT_PH_BEGIN)
			on_begin(t, ev, guest);
		else if (ev->phase == RT_PH_END)
			on_end(t, ev, guest);
	} else if (lab_event_is(ev, "sept")) {
		on_sept(t, ev);
	} else if (lab_event_is(ev, "td_enter")) {
		snprintf(text, sizeof(text), "epoch %llu", lab_event_arg(ev, "epoch"));
		say(t, lab_event_actor(ev->actor), "enters the guest", "", text);
	} else if (lab_event_is(ev, "td_exit")) {
		on_exit_event(t, ev);
	} else if (lab_event_is(ev, "kick")) {
		bool out = lab_event_arg(ev, "request") & KICK_NO_ACTION;

		say(t, lab_event_actor(ev->actor),
		    out ? "kicks all vCPUs out" : "flushes shared mappings", "", "");
	}
}

static const char *line_key(const void *ctx, u32 i)
{
	return ((const struct teller *)ctx)->line[i].key;
}

/* Lines [at, end), runs of one line folded. */
static void print_runs(const struct teller *t, u32 at, u32 end, FILE *out)
{
	while (at < end) {
		const struct lab_fold f = lab_fold_at(line_key, t, end, at);
		u32 n = f.size == 1 ? f.times : 1;

		fprintf(out, "          %s\n", t->line[at].text);
		if (n > 2)
			fprintf(out, "          ... the same %u times more%s%s\n", n - 1,
				*t->line[at].where ? ", up to " : "", t->line[at + n - 1].where);
		else if (n == 2)
			fprintf(out, "          %s\n", t->line[at + 1].text);
		at += n;
	}
}

static void print_lines(const struct teller *t, FILE *out)
{
	for (u32 i = 0; i < t->nr;) {
		const struct lab_fold f = lab_fold_at(line_key, t, t->nr, i);

		print_runs(t, i, i + (f.size == 1 ? f.times : f.size), out);
		if (f.size > 1)
			fprintf(out, "          ... these %u lines %u times more, up to %s\n",
				f.size, f.times - 1, t->line[i + (f.times - 1) * f.size].where);
		i += f.size * f.times;
	}
}

void lab_narrate(struct lab_run *run, FILE *out)
{
	struct lab_session *s = run->s;
	struct teller t = {.nr_actors = s->m->nr_actors};

	if (!s->trace)
		return;
	rt_world_enter(s->world);
	t.call = lab_zalloc((t.nr_actors + 1) * sizeof(*t.call));
	for (size_t i = first_index(s); i < rt_trace_len(s->trace); i++)
		on_event(&t, rt_trace_get(s->trace, i));
	print_lines(&t, out);
	free(t.call);
	free(t.line);
}
