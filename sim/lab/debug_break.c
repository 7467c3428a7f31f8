// SPDX-License-Identifier: GPL-2.0-only
/*
 * Breakpoints: by leaf, status, lock, gfn, oracle, actor, fault, line and step; written, listed, and
 * whether the last step hit one.
 */
#include <stdio.h>
#include <string.h>

#include "sim/lab/debug_int.h"
#include "sim/lab/diag.h"
#include "sim/lab/event.h"
#include "sim/lab/oracle.h"
#include "sim/lab/words.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

/* ---- hits ---- */

/* Larger ones are tables, or so large that every page would be in them. */
#define LARGEST 1

static bool covers(u64 gpa, u64 tdx_level, u64 addr)
{
	return tdx_level <= LARGEST && addr >= gpa && addr - gpa < 1ULL << (12 + 9 * tdx_level);
}

/* An event that is about the page: its S-EPT entry, its SPTE, an access, a fault, a call. */
static bool touches(const struct rt_event *ev, u64 gpa)
{
	if (lab_event_is(ev, "sept"))
		return covers(lab_event_arg(ev, "gpa"), lab_event_arg(ev, "level"), gpa);
	if (lab_event_is(ev, "spte") || lab_event_is(ev, "split"))
		return covers(lab_event_arg(ev, "gfn") << 12, lab_event_arg(ev, "level") - 1, gpa);
	if (lab_event_is(ev, "access") || lab_event_is(ev, "td_exit"))
		return lab_event_arg(ev, "gpa") >> 12 == gpa >> 12;
	if (lab_event_is(ev, "page-fault"))
		return lab_event_arg(ev, "addr") >> 12 == gpa >> 12;
	return false;
}

static const char *event_string(const struct rt_event *ev, const char *arg)
{
	const char *s = (const char *)(uintptr_t)lab_event_arg(ev, arg);

	return s ? s : "";
}

static bool is_waited_for(const struct rt_event *ev, const struct lab_breakpoint *b)
{
	return lab_event_is(ev, "wait") && ev->phase == RT_PH_BEGIN &&
	       !strcmp(event_string(ev, "for"), b->name);
}

static bool event_hits(const struct lab_debugger *d, const struct lab_breakpoint *b,
		       const struct rt_event *ev)
{
	switch (b->kind) {
	case LAB_BREAK_LEAF:
		return b->guest && lab_event_is(ev, "tdcall") && ev->phase == RT_PH_BEGIN &&
		       (lab_event_arg(ev, "leaf") & 0xffff) == b->num;
	case LAB_BREAK_STATUS:
		return (lab_event_is(ev, "seamcall") || lab_event_is(ev, "tdcall")) &&
		       ev->phase == RT_PH_END &&
		       seam_status(lab_event_arg(ev, "status")) == seam_status(b->num);
	case LAB_BREAK_LOCK:
		return is_waited_for(ev, b) ||
		       (lab_event_is(ev, "lock") && !strcmp(event_string(ev, "name"), b->name));
	case LAB_BREAK_GFN:
		return touches(ev, b->num);
	case LAB_BREAK_FAULT:
		return lab_event_is(ev, "fault") && !strcmp(event_string(ev, "site"), b->name);
	case LAB_BREAK_LINE:
		return lab_event_is(ev, "action") && ev->phase == RT_PH_BEGIN &&
		       d->sc->ops[lab_event_arg(ev, "op")].line == b->num;
	default:
		return false;
	}
}

/* The actor that ran last is about to make that SEAMCALL: nothing of it has happened yet. */
static bool before_leaf(const struct lab_debugger *d, const struct lab_breakpoint *b)
{
	struct rt_where at;

	if (b->guest || d->last >= d->s->m->nr_actors)
		return false;
	at = rt_actor_where(d->s->m->actor[d->last].rt);
	return !at.blocked_on && at.point == RT_PT_CALL && (at.obj & 0xffff) == b->num;
}

static bool rule_broke(const struct lab_debugger *d, const struct lab_breakpoint *b)
{
	for (u32 i = d->nr_broken; i < d->s->nr_broken; i++) {
		if (!*b->name || !strcmp(d->s->broken[i].rule, b->name))
			return true;
	}
	return false;
}

static bool place_hits(const struct lab_debugger *d, const struct lab_breakpoint *b)
{
	bool open = d->told == LAB_PLAY_PAUSED;

	switch (b->kind) {
	case LAB_BREAK_LEAF:
		return (b->actor == RT_NOBODY || b->actor == d->last) && before_leaf(d, b);
	case LAB_BREAK_ORACLE:
		return rule_broke(d, b);
	case LAB_BREAK_ACTOR:
		return open && d->question.kind == RT_CHOICE_ACTOR && d->last != b->actor &&
		       lab_debug_next(d) == b->actor;
	case LAB_BREAK_STEP:
		return rt_step() == b->num;
	default:
		return false;
	}
}

static bool hits(const struct lab_debugger *d, const struct lab_breakpoint *b)
{
	const struct rt_trace *t = d->s->trace;

	if (place_hits(d, b))
		return true;
	for (size_t i = (size_t)d->seq; i < rt_trace_len(t); i++) {
		const struct rt_event *ev = rt_trace_get(t, i);

		if ((b->actor == RT_NOBODY || b->actor == ev->actor) && event_hits(d, b, ev))
			return true;
	}
	return false;
}

struct lab_breakpoint *lab_break_hit(struct lab_debugger *d)
{
	for (u32 i = 0; i < d->nr_brks; i++) {
		if (hits(d, &d->brk[i]))
			return &d->brk[i];
	}
	return NULL;
}

/* ---- written ---- */

static const char *next_leaf(const void *ctx, u32 i)
{
	u32 nr, host = 0;

	while (host < i && lab_leaf_at(host, &nr))
		host++;
	return lab_leaf_at(host, &nr) ? lab_leaf_at(host, &nr) : lab_tdcall_at(i - host, &nr);
}

static bool wrong_leaf(struct lab_debugger *d, const char *word)
{
	const char *near = lab_nearest(word, strlen(word), next_leaf, NULL);

	return lab_debug_wrong(d, "found \"%s\", expected a leaf (tdxsim list leaves)%s%s%s", word,
			       near ? "; did you mean \"" : "", near ? near : "",
			       near ? "\"?" : "");
}

static bool add_leaf(struct lab_debugger *d, struct lab_breakpoint *b, const char *word)
{
	u32 leaf;

	b->guest = lab_tdcall_find(word, strlen(word), &leaf);
	if (!b->guest && !lab_leaf_find(word, strlen(word), &leaf))
		return wrong_leaf(d, word);
	b->num = leaf;
	return true;
}

static bool add_status(struct lab_debugger *d, struct lab_breakpoint *b, const char *word)
{
	if (!lab_status_find(word, strlen(word), &b->num))
		return lab_debug_wrong(d, "found \"%s\", expected a status (tdxsim list status)",
				       word);
	return true;
}

static bool add_name(struct lab_debugger *d, struct lab_breakpoint *b, const char *word)
{
	snprintf(b->name, sizeof(b->name), "%s", word);
	return true;
}

static bool add_oracle(struct lab_debugger *d, struct lab_breakpoint *b, const char *word)
{
	for (u32 i = 0; i < LAB_ORACLE_NR; i++) {
		if (!strcmp(lab_oracle_name(i), word))
			return add_name(d, b, word);
	}
	return lab_debug_wrong(d, "found \"%s\", expected a rule (tdxsim list oracles)", word);
}

static bool add_gfn(struct lab_debugger *d, struct lab_breakpoint *b, const char *word)
{
	if (!lab_debug_number(word, &b->num))
		return lab_debug_wrong(d, "found \"%s\", expected a frame number", word);
	b->num <<= 12;
	return true;
}

static bool add_gpa(struct lab_debugger *d, struct lab_breakpoint *b, const char *word)
{
	u32 td;

	return lab_debug_address(d, word, &b->num, &td);
}

static bool add_actor(struct lab_debugger *d, struct lab_breakpoint *b, const char *word)
{
	struct lab_actor *a = lab_debug_actor(d, word);

	b->actor = a ? a->id : RT_NOBODY;
	return a;
}

static bool add_number(struct lab_debugger *d, struct lab_breakpoint *b, const char *word)
{
	if (!lab_debug_number(word, &b->num))
		return lab_debug_wrong(d, "found \"%s\", expected a number", word);
	return true;
}

static bool add_line(struct lab_debugger *d, struct lab_breakpoint *b, const char *word)
{
	if (!add_number(d, b, word))
		return false;
	for (u32 i = 0; i < d->sc->nr_ops; i++) {
		enum lab_section section = lab_specs[d->sc->ops[i].kind].section;

		if (d->sc->ops[i].line == b->num && (section == LAB_HOST || section == LAB_VCPU))
			return true;
	}
	return lab_debug_wrong(d, "found \"%s\", expected a line with an action (list)", word);
}

static const struct {
	const char *word;
	enum lab_break_kind kind;
	bool (*add)(struct lab_debugger *d, struct lab_breakpoint *b, const char *word);
} kinds[] = {
	{"leaf", LAB_BREAK_LEAF, add_leaf},    {"status", LAB_BREAK_STATUS, add_status},
	{"lock", LAB_BREAK_LOCK, add_name},    {"gfn", LAB_BREAK_GFN, add_gfn},
	{"gpa", LAB_BREAK_GFN, add_gpa},       {"oracle", LAB_BREAK_ORACLE, add_oracle},
	{"actor", LAB_BREAK_ACTOR, add_actor}, {"fault", LAB_BREAK_FAULT, add_name},
	{"line", LAB_BREAK_LINE, add_line},    {"step", LAB_BREAK_STEP, add_number},
};

/* "by ACTOR" at the end of a breakpoint. */
static bool add_by(struct lab_debugger *d, struct lab_breakpoint *b, const char *args)
{
	char word[40], name[40];

	if (!lab_debug_word(&args, word, sizeof(word)))
		return true;
	if (strcmp(word, "by") || !lab_debug_word(&args, name, sizeof(name)))
		return lab_debug_wrong(d, "found \"%s\", expected \"by ACTOR\", or nothing", word);
	return add_actor(d, b, name);
}

bool lab_break_add(struct lab_debugger *d, const char *args)
{
	struct lab_breakpoint b = {.number = d->next_number, .actor = RT_NOBODY};
	char kind[40] = "", word[80] = "";
	u32 i;

	snprintf(b.text, sizeof(b.text), "%s", args);
	lab_debug_word(&args, kind, sizeof(kind));
	lab_debug_word(&args, word, sizeof(word));
	for (i = 0; i < RT_ARRAY_SIZE(kinds) && strcmp(kinds[i].word, kind); i++)
		;
	if (i == RT_ARRAY_SIZE(kinds) || !*word)
		return lab_debug_wrong(
			d,
			"expected break leaf NAME, status NAME, lock NAME, gfn N, gpa ADDR, oracle NAME, actor NAME, fault SITE, line N or step N");
	if (d->nr_brks == LAB_BREAKS)
		return lab_debug_wrong(d, "there are %d breakpoints, that is the most", LAB_BREAKS);
	b.kind = kinds[i].kind;
	if (!kinds[i].add(d, &b, word) || !add_by(d, &b, args))
		return false;
	d->brk[d->nr_brks++] = b;
	d->next_number++;
	fprintf(d->out, "breakpoint %u, %s\n", b.number, b.text);
	return true;
}

bool lab_break_delete(struct lab_debugger *d, const char *args)
{
	char word[40];
	u64 number;

	if (!lab_debug_word(&args, word, sizeof(word))) {
		d->nr_brks = 0;
		return true;
	}
	if (!lab_debug_number(word, &number))
		return lab_debug_wrong(d, "found \"%s\", expected a breakpoint's number", word);
	for (u32 i = 0; i < d->nr_brks; i++) {
		if (d->brk[i].number != number)
			continue;
		memmove(&d->brk[i], &d->brk[i + 1], (--d->nr_brks - i) * sizeof(d->brk[0]));
		return true;
	}
	return lab_debug_wrong(d, "there is no breakpoint %llu", number);
}

void lab_break_list(const struct lab_debugger *d)
{
	if (!d->nr_brks)
		fprintf(d->out, "no breakpoints\n");
	for (u32 i = 0; i < d->nr_brks; i++)
		fprintf(d->out, "%-3u %-40s hit %u times\n", d->brk[i].number, d->brk[i].text,
			d->brk[i].hits);
}
