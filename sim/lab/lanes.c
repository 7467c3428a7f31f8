// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of a block to the rows of its lanes. How rows are set is lanes_print.c's.
 */
#include "sim/lab/lanes.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/event.h"
#include "sim/lab/lanes_int.h"
#include "sim/lab/util.h"
#include "sim/lab/words.h"
#include "sim/rt/lock.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"
#include "tdx/inspect.h"

#define NO_ROW 0xffffffffU

/* A call of an actor that has begun. */
struct pending {
	u32 row; /* where it stands, NO_ROW: none is open */
	bool exited;
	u64 exit_status;
};

struct weaver {
	struct lab_session *s;
	struct lab_rows rows;
	struct pending *call; /* [nr_actors + 1]: the last is of nobody */
	u64 *wanted;	      /* by lock id: mask of the actors that took it */
	u32 nr_locks, cap_locks;
	size_t next_entry; /* of the recorded schedule */
	size_t at, end;	   /* event that is told, end of the window */
};

/* ---- rows ---- */

/* Its actor, and the text without what counts up: those differ in a repetition. */
static void make_key(struct lab_row *r)
{
	size_t n = (size_t)snprintf(r->key, sizeof(r->key), "%u ", r->actor);
	const char *c = r->text;

	while (*c && n + 1 < sizeof(r->key)) {
		static const char epoch[] = "epoch ";
		bool hex = c[0] == '0' && c[1] == 'x';

		if (hex)
			c += 2 + strspn(c + 2, "0123456789abcdef");
		else if (!strncmp(c, epoch, strlen(epoch)))
			c += strlen(epoch) + strspn(c + strlen(epoch), "0123456789");
		else
			r->key[n++] = *c++;
	}
	r->key[n] = 0;
}

/* Whether the scheduler's last answer in front of this row differs from "in order". */
static bool was_chosen(struct weaver *w, u64 step, u32 actor)
{
	const struct rt_schedule *rec = &w->s->recorded;
	bool chosen = false;

	for (; w->next_entry < rec->nr && rec->entries[w->next_entry].step < step; w->next_entry++)
		chosen = rec->entries[w->next_entry].actor == actor;
	return chosen;
}

__attribute__((format(printf, 4, 5))) static struct lab_row *say(struct weaver *w, u32 actor,
								 u64 step, const char *fmt, ...)
{
	struct lab_row *r;
	va_list ap;

	w->rows.row = lab_grow(w->rows.row, &w->rows.cap, w->rows.nr + 1, sizeof(*w->rows.row));
	r = &w->rows.row[w->rows.nr++];
	*r = (struct lab_row){.step = step, .actor = actor};
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	r->chosen = was_chosen(w, step, actor);
	make_key(r);
	return r;
}

static void append(struct lab_row *r, const char *text)
{
	size_t n = strlen(r->text);

	snprintf(r->text + n, sizeof(r->text) - n, "%s", text);
	make_key(r);
}

/* Nobody else has had a row since @row. */
static bool undisturbed(const struct weaver *w, u32 row)
{
	for (u32 i = row + 1; i < w->rows.nr; i++) {
		if (w->rows.row[i].actor != w->rows.row[row].actor)
			return false;
	}
	return true;
}

/* ---- calls ---- */

static struct pending *pending_of(struct weaver *w, u32 actor)
{
	return &w->call[actor < w->s->m->nr_actors ? actor : w->s->m->nr_actors];
}

static void on_call_begin(struct weaver *w, const struct rt_event *ev, bool guest)
{
	struct pending *p = pending_of(w, ev->actor);
	u32 leaf = (u32)(lab_event_arg(ev, "leaf") & 0xffff);
	char where[48] = "", hex[24];

	if (!guest)
		lab_event_operand(ev, where, sizeof(where));
	else if (leaf == SEAM_TDG_MEM_PAGE_ACCEPT)
		snprintf(where, sizeof(where), "0x%llx %s", SEAM_INFO_GPA(lab_event_arg(ev, "rcx")),
			 lab_event_level(SEAM_INFO_LEVEL(lab_event_arg(ev, "rcx"))));
	say(w, ev->actor, ev->step, "%s%s%s",
	    guest ? lab_tdcall_name(leaf, hex, sizeof(hex)) : lab_leaf_name(leaf, hex, sizeof(hex)),
	    *where ? " " : "", where);
	*p = (struct pending){.row = w->rows.nr - 1};
}

static void on_call_end(struct weaver *w, const struct rt_event *ev, bool guest)
{
	struct pending *p = pending_of(w, ev->actor);
	u32 leaf = (u32)(lab_event_arg(ev, "leaf") & 0xffff);
	u64 status = lab_event_arg(ev, "status");
	char text[100] = ": ", hex[24];
	struct lab_row *r;

	if (p->exited)
		snprintf(text, sizeof(text), ": leaves the guest, %s",
			 lab_event_exit(p->exit_status, hex, sizeof(hex)));
	else
		lab_status_text(status, text + 2, sizeof(text) - 2);
	if (p->row != NO_ROW && undisturbed(w, p->row)) {
		r = &w->rows.row[p->row];
		append(r, text);
	} else {
		r = say(w, ev->actor, ev->step, "%s%s",
			guest ? lab_tdcall_name(leaf, hex, sizeof(hex))
			      : lab_leaf_name(leaf, hex, sizeof(hex)),
			text);
	}
	r->bad = !p->exited && (status & SEAM_STATUS_ERROR);
	p->row = NO_ROW;
	p->exited = false;
}

static void on_td_exit(struct weaver *w, const struct rt_event *ev)
{
	struct pending *p = pending_of(w, ev->actor);
	char hex[24];

	if (p->row != NO_ROW) {
		p->exited = true;
		p->exit_status = lab_event_arg(ev, "status");
		return;
	}
	say(w, ev->actor, ev->step, "leaves the guest, %s",
	    lab_event_exit(lab_event_arg(ev, "status"), hex, sizeof(hex)));
}

/* ---- the other events ---- */

static void on_lock(struct weaver *w, const struct rt_event *ev)
{
	u64 id = lab_event_arg(ev, "id"), who = id < w->nr_locks ? w->wanted[id] : 0;
	const char *mode = lab_event_arg(ev, "mode") == RT_LOCK_EX ? "W" : "R";

	/* One that a single actor took tells nothing about the others. */
	if (who & (who - 1))
		say(w, ev->actor, ev->step, "%s %s(%s)", ev->type->name,
		    (const char *)(uintptr_t)lab_event_arg(ev, "name"), mode);
}

static void on_wait(struct weaver *w, const struct rt_event *ev)
{
	const char *what = (const char *)(uintptr_t)lab_event_arg(ev, "for");

	if (lab_event_arg(ev, "idle"))
		return;
	say(w, ev->actor, ev->step, ev->phase == RT_PH_BEGIN ? "waits for %s" : "goes on: %s",
	    what);
}

static void on_sept(struct weaver *w, const struct rt_event *ev)
{
	say(w, ev->actor, ev->step, "  S-EPT 0x%llx %s: %s -> %s", lab_event_arg(ev, "gpa"),
	    lab_event_level(lab_event_arg(ev, "level")),
	    seam_sept_state_name((u8)lab_event_arg(ev, "from")),
	    seam_sept_state_name((u8)lab_event_arg(ev, "to")));
}

static void on_access(struct weaver *w, const struct rt_event *ev)
{
	static const char *const by[] = {"by a walk", "by the TLB", "by a STALE TLB entry"};
	u64 how = lab_event_arg(ev, "by");

	say(w, ev->actor, ev->step, "%s 0x%llx %s", lab_event_arg(ev, "write") ? "writes" : "reads",
	    lab_event_arg(ev, "gpa"), by[how < 3 ? how : 0])
		->bad = how == 2;
}

static void on_action(struct weaver *w, const struct rt_event *ev)
{
	u64 err = lab_event_arg(ev, "errno");
	char text[200], hex[24];
	const char *verb;

	if (ev->phase == RT_PH_BEGIN) {
		lab_print_op(w->s->sc, &w->s->sc->ops[lab_event_arg(ev, "op")], text, sizeof(text));
		verb = strstr(text, ": ");
		say(w, ev->actor, ev->step, "== %s", verb ? verb + 2 : text);
		return;
	}
	say(w, ev->actor, ev->step, "== %s%s",
	    lab_event_arg(ev, "ok") ? "ok"
	    : err		    ? "error "
				    : "did not succeed",
	    err ? lab_errno_name((int)err, hex, sizeof(hex)) : "");
}

static void say_errno(struct lab_row *r, u64 err)
{
	char text[40], hex[24];

	if (!err)
		return;
	snprintf(text, sizeof(text), ": %s", lab_errno_name((int)err, hex, sizeof(hex)));
	append(r, text);
	r->bad = true;
}

static void on_gmem(struct weaver *w, const struct rt_event *ev)
{
	bool step = lab_event_is(ev, "gmem_step");
	struct lab_row *r;

	if (lab_event_is(ev, "gmem_attr")) {
		say(w, ev->actor, ev->step, "gmem attributes 0x%llx+%llu: 0x%llx",
		    lab_event_arg(ev, "index"), lab_event_arg(ev, "pages"),
		    lab_event_arg(ev, "attributes"));
		return;
	}
	r = say(w, ev->actor, ev->step, step ? "gmem %s 0x%llx+%llu" : "folio %s 0x%llx order %llu",
		(const char *)(uintptr_t)lab_event_arg(ev, step ? "step" : "what"),
		lab_event_arg(ev, "index"), lab_event_arg(ev, step ? "pages" : "order"));
	say_errno(r, lab_event_arg(ev, "errno"));
}

/* The other half of a reference, taken and dropped in one step: nobody can have met it. */
static bool is_unseen(const struct weaver *w, const struct rt_event *ev)
{
	bool get = lab_event_arg(ev, "get");

	for (size_t i = w->at + (get ? 1 : -1ULL); i < w->end; i += get ? 1 : -1ULL) {
		const struct rt_event *o = rt_trace_get(w->s->trace, i);

		if (o->step != ev->step)
			return false;
		if (o->type == ev->type && o->arg[0] == ev->arg[0] && o->arg[1] == ev->arg[1])
			return lab_event_arg(o, "get") != get;
	}
	return false;
}

static void on_ref(struct weaver *w, const struct rt_event *ev)
{
	char kind[40];

	if (is_unseen(w, ev))
		return;
	say(w, ev->actor, ev->step, "%s a reference (%s) of pfn 0x%llx",
	    lab_event_arg(ev, "get") ? "takes" : "drops",
	    ev->type->arg[1].sym(ev->arg[1], kind, sizeof(kind)), lab_event_arg(ev, "pfn"));
}

/* What an SPTE is, without its bits. */
static const char *spte_word(const struct rt_event *ev, u32 i, char *buf, size_t len)
{
	const char *text = ev->type->arg[i].sym ? ev->type->arg[i].sym(ev->arg[i], buf, len) : NULL;

	return text && text[0] != '0' ? text : "present";
}

static void on_spte(struct weaver *w, const struct rt_event *ev)
{
	char from[40], to[40];

	say(w, ev->actor, ev->step, "%s 0x%llx %s: %s -> %s",
	    lab_event_arg(ev, "mirror") ? "mirror" : "SPTE", lab_event_arg(ev, "gfn") << 12,
	    lab_event_level(lab_event_arg(ev, "level") - 1), spte_word(ev, 2, from, sizeof(from)),
	    spte_word(ev, 3, to, sizeof(to)));
}

/* Any other event as its type says it: "accept-level gpa=0x80000000 level=1 acted=0". */
static void on_other(struct weaver *w, const struct rt_event *ev)
{
	char text[300], *args;

	rt_event_text(ev, text, sizeof(text), lab_event_actor);
	args = strstr(text, " . ");
	say(w, ev->actor, ev->step, "%s%s", ev->type->name, args ? args + 2 : "");
}

/* A page fault is handled, a split is done: where, and with what result. */
static void on_fault(struct weaver *w, const struct rt_event *ev)
{
	char ret[40];
	int err = -(int)ev->arg[2];

	say(w, ev->actor, ev->step, "handled fault 0x%llx: %s%s", lab_event_arg(ev, "addr"),
	    err > 0 ? "-" : "",
	    err > 0 ? lab_errno_name(err, ret, sizeof(ret))
		    : ev->type->arg[2].sym(ev->arg[2], ret, sizeof(ret)));
}

static void on_split(struct weaver *w, const struct rt_event *ev)
{
	struct lab_row *r =
		say(w, ev->actor, ev->step, "splits 0x%llx %s", lab_event_arg(ev, "gfn") << 12,
		    lab_event_level(lab_event_arg(ev, "level") - 1));

	say_errno(r, (u64)llabs((long long)lab_event_arg(ev, "errno")));
}

static void on_kick(struct weaver *w, const struct rt_event *ev)
{
	say(w, ev->actor, ev->step, "kicks vCPUs: %llu IPIs", lab_event_arg(ev, "ipis"));
}

static void on_enter(struct weaver *w, const struct rt_event *ev)
{
	say(w, ev->actor, ev->step, "  enters the guest, epoch %llu", lab_event_arg(ev, "epoch"));
}

static void on_injected(struct weaver *w, const struct rt_event *ev)
{
	say(w, ev->actor, ev->step, "FAULT: %s", (const char *)(uintptr_t)lab_event_arg(ev, "site"))
		->bad = true;
}

static void on_seamcall(struct weaver *w, const struct rt_event *ev)
{
	bool guest = lab_event_is(ev, "tdcall");

	if (ev->phase == RT_PH_BEGIN)
		on_call_begin(w, ev, guest);
	else
		on_call_end(w, ev, guest);
}

static void silent(struct weaver *w, const struct rt_event *ev)
{
}

static const struct {
	const char *type;
	void (*say)(struct weaver *w, const struct rt_event *ev);
} sayings[] = {
	{"lock", on_lock},	   {"unlock", on_lock},	    {"wait", on_wait},
	{"seamcall", on_seamcall}, {"tdcall", on_seamcall}, {"sept", on_sept},
	{"td_enter", on_enter},	   {"td_exit", on_td_exit}, {"access", on_access},
	{"kick", on_kick},	   {"fault", on_injected},  {"action", on_action},
	{"gmem_step", on_gmem},	   {"gmem_folio", on_gmem}, {"gmem_attr", on_gmem},
	{"gmem_ref", on_ref},	   {"spte", on_spte},	    {"page-fault", on_fault},
	{"split", on_split},	   {"switch", silent},	    {"actor", silent},
	{"rcu", silent},	   {"pamt", silent},	    {"op_state", silent},
	{"gmem_alloc", silent},	   {"kvm_exit", silent},    {"epoch", silent},
	{"report", silent},
};

static void on_event(struct weaver *w, const struct rt_event *ev)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(sayings); i++) {
		if (lab_event_is(ev, sayings[i].type)) {
			sayings[i].say(w, ev);
			return;
		}
	}
	on_other(w, ev);
}

/* ---- all of it ---- */

/* The window as indices into what the trace still has. */
static void window(const struct lab_session *s, size_t *from, size_t *to)
{
	u64 all = rt_trace_seq(s->trace), gone = all - rt_trace_len(s->trace);
	u64 first = s->parallel_end ? s->parallel_first : s->first_event;
	u64 end = s->parallel_end && !s->nr_broken && !*s->stuck ? s->parallel_end : all;

	end = end < all ? end : all;
	*from = first > gone ? (size_t)(first - gone) : 0;
	*to = end > gone ? (size_t)(end - gone) : 0;
}

static void count_locks(struct weaver *w, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct rt_event *ev = rt_trace_get(w->s->trace, i);
		u32 id = (u32)lab_event_arg(ev, "id");

		if (!lab_event_is(ev, "lock") || ev->actor >= 64)
			continue;
		if (id >= w->nr_locks) {
			w->wanted = lab_grow(w->wanted, &w->cap_locks, id + 1, sizeof(*w->wanted));
			memset(w->wanted + w->nr_locks, 0,
			       (id + 1 - w->nr_locks) * sizeof(*w->wanted));
			w->nr_locks = id + 1;
		}
		w->wanted[id] |= 1ULL << ev->actor;
	}
}

void lab_lanes(struct lab_session *s, FILE *out, bool colour)
{
	struct weaver w = {.s = s};
	size_t from, to;

	if (!s->trace)
		return;
	rt_world_enter(s->world);
	w.call = lab_zalloc((s->m->nr_actors + 1) * sizeof(*w.call));
	for (u32 i = 0; i <= s->m->nr_actors; i++)
		w.call[i].row = NO_ROW;
	window(s, &from, &to);
	count_locks(&w, from, to);
	w.end = to;
	for (w.at = from; w.at < to; w.at++)
		on_event(&w, rt_trace_get(s->trace, w.at));
	lab_lanes_print(s, &w.rows, out, colour);
	free(w.rows.row);
	free(w.call);
	free(w.wanted);
}
