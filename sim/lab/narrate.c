// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events for people: who called what, what it answered, what changed by it; like events in a row
 * become one line. Events are known by their types' names and arguments' names (sim/rt/trace.h),
 * not by the headers that declare them.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/run.h"
#include "sim/lab/util.h"
#include "sim/lab/words.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

static const char *event_actor(u32 id)
{
	struct lab_machine *m = lab_machine();

	return m && id < m->nr_actors ? m->actor[id].name : "-";
}

/* The event's argument by name; 0 if it has none of it. */
static u64 arg(const struct rt_event *ev, const char *name)
{
	for (u32 i = 0; i < ev->nr_args; i++) {
		if (ev->type->arg[i].name && !strcmp(ev->type->arg[i].name, name))
			return ev->arg[i];
	}
	return 0;
}

static bool is_type(const struct rt_event *ev, const char *name)
{
	return !strcmp(ev->type->name, name);
}

/* First event of the block that is still kept. */
static size_t first_index(const struct lab_session *s)
{
	u64 all = rt_trace_seq(s->trace), gone = all - rt_trace_len(s->trace);

	return s->first_event > gone ? (size_t)(s->first_event - gone) : 0;
}

/*
 * Locks and switches fill pages and say little about what an action did; the whole trace has them
 * (--trace).
 */
static bool is_noise(const struct rt_event *ev)
{
	return is_type(ev, "lock") || is_type(ev, "unlock") || is_type(ev, "switch") ||
	       is_type(ev, "wait");
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
		rt_event_text(rt_trace_get(s->trace, i), text, sizeof(text), event_actor);
		fprintf(out, "%s%s\n", indent, text);
	}
}

static const char *level_name(u64 tdx_level)
{
	return tdx_level < 3 ? lab_words_level[tdx_level] : tdx_level == 3 ? "512G" : "256T";
}

/* Leaves whose RCX is a page info or an address; the others name a TD, a vCPU or nothing. */
static void call_operand(const struct rt_event *ev, char *buf, size_t len)
{
	u64 rcx = arg(ev, "rcx");

	switch (arg(ev, "leaf") & 0xffff) {
	case SEAM_TDH_MEM_PAGE_ADD:
	case SEAM_TDH_MEM_SEPT_ADD:
	case SEAM_TDH_MEM_PAGE_AUG:
	case SEAM_TDH_MEM_RANGE_BLOCK:
	case SEAM_TDH_MEM_RANGE_UNBLOCK:
	case SEAM_TDH_MEM_PAGE_DEMOTE:
	case SEAM_TDH_MEM_PAGE_PROMOTE:
	case SEAM_TDH_MEM_PAGE_REMOVE:
	case SEAM_TDH_MEM_SEPT_REMOVE:
	case SEAM_TDH_MEM_SEPT_RD:
		snprintf(buf, len, "0x%llx %s", SEAM_INFO_GPA(rcx),
			 level_name(SEAM_INFO_LEVEL(rcx)));
		break;
	case SEAM_TDH_PHYMEM_PAGE_WBINVD:
	case SEAM_TDH_PHYMEM_PAGE_RECLAIM:
	case SEAM_TDH_PHYMEM_PAMT_ADD:
	case SEAM_TDH_PHYMEM_PAMT_REMOVE:
	case SEAM_TDH_PHYMEM_PAGE_RDMD:
		snprintf(buf, len, "host page 0x%llx", rcx & RT_MASK(45, 12));
		break;
	case SEAM_TDH_MEM_TRACK:
	case SEAM_TDH_MNG_CREATE:
	case SEAM_TDH_MNG_KEY_CONFIG:
	case SEAM_TDH_MNG_INIT:
	case SEAM_TDH_MNG_VPFLUSHDONE:
	case SEAM_TDH_MNG_KEY_FREEID:
	case SEAM_TDH_MR_FINALIZE:
		snprintf(buf, len, "TDR 0x%llx", rcx);
		break;
	case SEAM_TDH_VP_CREATE:
	case SEAM_TDH_VP_INIT:
	case SEAM_TDH_VP_FLUSH:
		snprintf(buf, len, "TDVPR 0x%llx", rcx);
		break;
	case SEAM_TDH_MNG_ADDCX:
	case SEAM_TDH_VP_ADDCX:
		snprintf(buf, len, "page 0x%llx", rcx);
		break;
	case SEAM_TDH_MR_EXTEND:
		snprintf(buf, len, "0x%llx", rcx);
		break;
	default:
		buf[0] = 0;
		break;
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

		snprintf(where, sizeof(where), "0x%llx %s", c->gpa, level_name(c->level));
		snprintf(what, sizeof(what), "%s -> %s", seam_sept_state_name((u8)c->from),
			 seam_sept_state_name((u8)c->to));
		say(t, "", "  S-EPT entry", where, what);
	}
	p->nr_changes = 0;
}

static void on_sept(struct teller *t, const struct rt_event *ev)
{
	struct pending *p = pending_of(t, ev->actor);
	struct change c = {arg(ev, "gpa"), arg(ev, "level"), arg(ev, "from"), arg(ev, "to"), 1};

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

/*
 * Why the guest was left, by the VMX exit reason in the low half of the status (tdx-module.md
 * 5.10).
 */
static const char *exit_text(u64 status, char *buf, size_t len)
{
	switch ((u16)status) {
	case 0:
		return "an exception or NMI";
	case 1:
		return "an interrupt";
	case 48:
		return "an EPT violation";
	case 77:
		return "a call to the VMM";
	}
	snprintf(buf, len, "exit reason %u", (u16)status);
	return buf;
}

static void on_begin(struct teller *t, const struct rt_event *ev, bool guest)
{
	struct pending *p = pending_of(t, ev->actor);

	*p = (struct pending){.open = true};
	if (!guest)
		call_operand(ev, p->where, sizeof(p->where));
	else if (arg(ev, "leaf") == SEAM_TDG_MEM_PAGE_ACCEPT)
		snprintf(p->where, sizeof(p->where), "0x%llx %s", SEAM_INFO_GPA(arg(ev, "rcx")),
			 level_name(SEAM_INFO_LEVEL(arg(ev, "rcx"))));
}

static void on_end(struct teller *t, const struct rt_event *ev, bool guest)
{
	struct pending *p = pending_of(t, ev->actor);
	u32 leaf = (u32)(arg(ev, "leaf") & 0xffff);
	char answer[80], hex[24];

	if (p->exited)
		snprintf(answer, sizeof(answer), "leaves the guest: %s",
			 exit_text(p->exit_status, hex, sizeof(hex)));
	else
		lab_status_text(arg(ev, "status"), answer, sizeof(answer));
	/* What td_enter tells needs no second line; an entry that was refused does. */
	if (guest || leaf != SEAM_TDH_VP_ENTER || arg(ev, "status") & SEAM_STATUS_ERROR)
		say(t, event_actor(ev->actor),
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
		p->exit_status = arg(ev, "status");
		return;
	}
	say(t, event_actor(ev->actor), "leaves the guest", "",
	    exit_text(arg(ev, "status"), hex, sizeof(hex)));
}

static void on_event(struct teller *t, const struct rt_event *ev)
{
	bool guest = is_type(ev, "tdcall");
	char text[40];

	if (guest || is_type(ev, "seamcall")) {
		if (ev->phase == RT_PH_BEGIN)
			on_begin(t, ev, guest);
		else if (ev->phase == RT_PH_END)
			on_end(t, ev, guest);
	} else if (is_type(ev, "sept")) {
		on_sept(t, ev);
	} else if (is_type(ev, "td_enter")) {
		snprintf(text, sizeof(text), "epoch %llu", arg(ev, "epoch"));
		say(t, event_actor(ev->actor), "enters the guest", "", text);
	} else if (is_type(ev, "td_exit")) {
		on_exit_event(t, ev);
	} else if (is_type(ev, "kick")) {
		bool out = arg(ev, "request") & KICK_NO_ACTION;

		say(t, event_actor(ev->actor),
		    out ? "kicks all vCPUs out" : "flushes shared mappings", "", "");
	}
}

/* How often lines [at, at + size) repeat, but for their addresses. */
static u32 repeats(const struct teller *t, u32 at, u32 size)
{
	u32 n = 1;

	while (at + (n + 1) * size <= t->nr) {
		for (u32 k = 0; k < size; k++) {
			if (strcmp(t->line[at + k].key, t->line[at + n * size + k].key))
				return n;
		}
		n++;
	}
	return n;
}

#define FOLD_SIZE 24 /* longest group that is looked for */

/* Lines [at, end), runs of one line folded. */
static void print_runs(const struct teller *t, u32 at, u32 end, FILE *out)
{
	while (at < end) {
		u32 n = repeats(t, at, 1);

		n = n < end - at ? n : end - at;
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
		u32 size = 1, times = 1;

		for (u32 s = 2; s <= FOLD_SIZE && size == 1; s++) {
			if (i + s <= t->nr && repeats(t, i, 1) < s && repeats(t, i, s) > 2) {
				size = s;
				times = repeats(t, i, s);
			}
		}
		if (size == 1)
			times = repeats(t, i, 1);
		print_runs(t, i, i + (size == 1 ? times : size), out);
		if (size > 1)
			fprintf(out, "          ... these %u lines %u times more, up to %s\n", size,
				times - 1, t->line[i + (times - 1) * size].where);
		i += size * times;
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
