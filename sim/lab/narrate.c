// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events for people: who called what, what it answered, what changed by it; like events in a row become one line.
 * Events are known by their types' names and arguments' names (sim/rt/trace.h), not by the headers that declare them.
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

void lab_print_events(struct lab_session *s, FILE *out, u32 max, const char *indent)
{
	size_t first, n;
	char text[400];

	if (!s->trace)
		return;
	rt_world_enter(s->world);
	first = first_index(s);
	n = rt_trace_len(s->trace);
	if (n - first > max) {
		fprintf(out, "%s(%zu earlier events left out)\n", indent, n - first - max);
		first = n - max;
	}
	for (size_t i = first; i < n; i++) {
		rt_event_text(rt_trace_get(s->trace, i), text, sizeof(text), event_actor);
		fprintf(out, "%s%s\n", indent, text);
	}
	if (first == n)
		fprintf(out, "%s(none)\n", indent);
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
	default:
		buf[0] = 0;
		break;
	}
}

/* One line of narration; lines that differ only in their address are counted together. */
struct teller {
	FILE *out;
	char who[40], what[80], first[80], last[80], answer[80];
	u32 times;
	/* changes of the S-EPT since the last line, by kind */
	struct change {
		u64 gpa, level, from, to;
		u32 times;
	} change[8];
	u32 nr_changes;
};

static void tell_changes(struct teller *t)
{
	for (u32 i = 0; i < t->nr_changes; i++) {
		const struct change *c = &t->change[i];

		fprintf(t->out, "          %-8s   S-EPT 0x%llx %s: %s -> %s", "", c->gpa,
			level_name(c->level), seam_sept_state_name((u8)c->from),
			seam_sept_state_name((u8)c->to));
		if (c->times > 1)
			fprintf(t->out, ", and %u more", c->times - 1);
		fputc('\n', t->out);
	}
	t->nr_changes = 0;
}

static void flush(struct teller *t)
{
	if (t->times) {
		fprintf(t->out, "          %-8s %-26s", t->who, t->what);
		if (t->times > 1)
			fprintf(t->out, " %u x, %s .. %s", t->times, t->first, t->last);
		else
			fprintf(t->out, " %-22s", t->first);
		fprintf(t->out, " %s\n", t->answer);
	}
	t->times = 0;
	tell_changes(t);
}

static void tell(struct teller *t, const char *who, const char *what, const char *where,
		 const char *answer)
{
	bool same = t->times && !strcmp(t->who, who) && !strcmp(t->what, what) &&
		    !strcmp(t->answer, answer) && *where;

	/* Only calls without a change of their own, or with a like one, are folded. */
	if (same && t->nr_changes <= 1) {
		snprintf(t->last, sizeof(t->last), "%s", where);
		t->times++;
		return;
	}
	flush(t);
	snprintf(t->who, sizeof(t->who), "%s", who);
	snprintf(t->what, sizeof(t->what), "%s", what);
	snprintf(t->first, sizeof(t->first), "%s", where);
	snprintf(t->last, sizeof(t->last), "%s", where);
	snprintf(t->answer, sizeof(t->answer), "%s", answer);
	t->times = 1;
}

static void tell_sept(struct teller *t, const struct rt_event *ev)
{
	struct change c = {arg(ev, "gpa"), arg(ev, "level"), arg(ev, "old"), arg(ev, "new"), 1};

	for (u32 i = 0; i < t->nr_changes; i++) {
		struct change *o = &t->change[i];

		if (o->level == c.level && o->from == c.from && o->to == c.to) {
			o->times++;
			return;
		}
	}
	if (t->nr_changes < RT_ARRAY_SIZE(t->change))
		t->change[t->nr_changes++] = c;
}

static void tell_call(struct teller *t, const struct rt_event *ev, bool guest)
{
	char where[80], answer[80], hex[24];
	u32 leaf = (u32)(arg(ev, "leaf") & 0xffff);
	const char *what = guest ? lab_tdcall_name(leaf, hex, sizeof(hex))
				 : lab_leaf_name(leaf, hex, sizeof(hex));

	if (!guest && leaf == SEAM_TDH_VP_ENTER)
		return; /* td_enter and td_exit tell it */
	if (guest && leaf == SEAM_TDG_MEM_PAGE_ACCEPT)
		snprintf(where, sizeof(where), "0x%llx %s", SEAM_INFO_GPA(arg(ev, "rcx")),
			 level_name(SEAM_INFO_LEVEL(arg(ev, "rcx"))));
	else if (guest)
		where[0] = 0;
	else
		call_operand(ev, where, sizeof(where));
	lab_status_text(arg(ev, "status"), answer, sizeof(answer));
	tell(t, event_actor(ev->actor), what, where, answer);
}

static void tell_event(struct teller *t, const struct rt_event *ev)
{
	char text[120];

	if (is_type(ev, "seamcall") || is_type(ev, "tdcall")) {
		if (ev->phase == RT_PH_END)
			tell_call(t, ev, is_type(ev, "tdcall"));
	} else if (is_type(ev, "sept")) {
		tell_sept(t, ev);
	} else if (is_type(ev, "td_enter")) {
		snprintf(text, sizeof(text), "epoch %llu", arg(ev, "epoch"));
		tell(t, event_actor(ev->actor), "enters the guest", "", text);
	} else if (is_type(ev, "td_exit")) {
		tell(t, event_actor(ev->actor), "leaves the guest", "", "");
	} else if (is_type(ev, "kick")) {
		tell(t, event_actor(ev->actor), "kicks all vCPUs", "", "");
	}
}

void lab_narrate(struct lab_run *run, FILE *out)
{
	struct lab_session *s = run->s;
	struct teller *t;

	if (!s->trace)
		return;
	rt_world_enter(s->world);
	t = lab_zalloc(sizeof(*t));
	t->out = out;
	for (size_t i = first_index(s); i < rt_trace_len(s->trace); i++)
		tell_event(t, rt_trace_get(s->trace, i));
	flush(t);
	free(t);
}
