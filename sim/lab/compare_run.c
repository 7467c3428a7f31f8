// SPDX-License-Identifier: GPL-2.0-only
/*
 * One column: the scenario under one policy, in order, and the rows on what it cost. Counters count
 * from the first action on: an implied build, and the end of the TDs, are left out. Everything else
 * is the same run as that of "tdxsim run", but that it goes on behind an expectation that does not
 * hold and behind an oracle that broke at rest, so that the columns stay comparable.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/compare_int.h"
#include "sim/lab/compare_watch.h"
#include "sim/lab/expect.h"
#include "sim/lab/expect_calls.h"
#include "sim/lab/lines.h"
#include "sim/lab/stats.h"
#include "sim/lab/util.h"
#include "sim/rt/world.h"

#define MEMORY	  "guest memory"
#define LEAVES	  "leaves and folios"
#define CALLS	  "SEAMCALLs"
#define ALLOCS	  "allocations"
#define LOCKS	  "locks, in cycles"
#define NUISANCES "waiting and retries"
#define OTHERS	  "other counters that differ"
#define LINES	  "lines"

/* The watch reads events as they come; a step makes a few. */
#define EVENTS_KEPT 4096

#define SEEN_MAX 30 /* characters of what an expectation saw instead */

/* Statistics in the order of the table. What is not here comes last, where it differs. */
static const struct stat_row {
	const char *stat, *group, *name;
	enum lab_row_show show;
	bool level; /* what is there at the end, not what was counted */
} stat_rows[] = {
	{"overzap_bytes", MEMORY, "over-zapped bytes", LAB_SHOW_ALWAYS, false},
	{"reaccept_pages", MEMORY, "pages to accept again", LAB_SHOW_ALWAYS, false},
	{"failed_unmapped", MEMORY, "failed_unmapped, pages", LAB_SHOW_ALWAYS, false},
	{"retired_pages", MEMORY, "pages never given back", LAB_SHOW_SET, false},
	{"pages_1g", LEAVES, "1G leaves at the end", LAB_SHOW_SET, true},
	{"pages_2m", LEAVES, "2M leaves at the end", LAB_SHOW_ALWAYS, true},
	{"pages_4k", LEAVES, "4K leaves at the end", LAB_SHOW_ALWAYS, true},
	{"splits", LEAVES, "leaves split", LAB_SHOW_ALWAYS, false},
	{"folio_splits", LEAVES, "folios split", LAB_SHOW_ALWAYS, false},
	{"folio_merges", LEAVES, "folios merged", LAB_SHOW_SET, false},
	{"small_folio_leaves", LEAVES, "leaves over a smaller folio, at the end", LAB_SHOW_ALWAYS,
	 true},
	{"seamcalls", CALLS, "all", LAB_SHOW_ALWAYS, false},
	{"allocs.tree", ALLOCS, "attribute tree nodes", LAB_SHOW_ALWAYS, false},
	{"allocs.filemap-node", ALLOCS, "filemap nodes", LAB_SHOW_ALWAYS, false},
	{"allocs.vmemmap", ALLOCS, "vmemmap pages", LAB_SHOW_ALWAYS, false},
	{"allocs.spt", ALLOCS, "page tables of KVM", LAB_SHOW_ALWAYS, false},
	{"allocs.spt.split", ALLOCS, "page tables of KVM, for splits", LAB_SHOW_SET, false},
	{"allocs.external-spt", ALLOCS, "S-EPT pages", LAB_SHOW_ALWAYS, false},
	{"allocs.external-spt.split", ALLOCS, "S-EPT pages, for splits", LAB_SHOW_SET, false},
	{"allocs.pamt", ALLOCS, "Dynamic PAMT pages", LAB_SHOW_ALWAYS, false},
	{"allocs.pamt.split", ALLOCS, "Dynamic PAMT pages, for splits", LAB_SHOW_SET, false},
	{"allocs.pamt.control", ALLOCS, "Dynamic PAMT pages, for control pages", LAB_SHOW_SET,
	 false},
	{"invalidate_lock_cycles", LOCKS, "invalidate_lock held exclusively", LAB_SHOW_ALWAYS,
	 false},
	{"mmu_lock_write_cycles", LOCKS, "mmu_lock held for write", LAB_SHOW_ALWAYS, false},
	{"mmu_lock_write", NUISANCES, "mmu_lock taken for write", LAB_SHOW_ALWAYS, false},
	{"spins", NUISANCES, "spins", LAB_SHOW_ALWAYS, false},
	{"kicks", NUISANCES, "kicks", LAB_SHOW_ALWAYS, false},
	{"seamcall_retries", NUISANCES, "SEAMCALLs tried again", LAB_SHOW_SET, false},
	{"pf_retry", NUISANCES, "faults tried again", LAB_SHOW_SET, false},
};

static const char *const place_name[LAB_PLACES] = {"before begin", "between begin and zap",
						   "behind the zap"};

struct counting {
	struct lab_column *c;
	struct lab_table *t;
	struct lab_session *s;
	struct lab_watch watch;
	u32 nr_stats;
	u64 *before, *sum; /* [nr_stats] */
	u32 nr_expects, nr_failed;
	char broken[400];
	bool ended; /* before the last line */
};

static void read_stats(const struct counting *k, u64 *into, bool add)
{
	rt_world_enter(k->s->world);
	for (u32 i = 0; i < k->nr_stats; i++) {
		u64 now = lab_stat(k->s->m, lab_stat_name(i));

		into[i] = add ? into[i] + now - k->before[i] : now;
	}
}

static void line_name(const struct counting *k, u32 op, char *buf, size_t len)
{
	char text[300];

	lab_print_op(&k->c->sc, &k->c->sc.ops[op], text, sizeof(text));
	snprintf(buf, len, "%u %.60s", k->c->sc.ops[op].line, text);
}

static void judge(struct counting *k, u32 op, u32 action)
{
	char name[120], *seen = lab_zalloc(8192);
	bool held;

	rt_world_enter(k->s->world);
	held = lab_expect(k->s->m, &k->c->sc.ops[op], action, seen, 8192);
	k->c->held[op] = held;
	k->nr_expects++;
	k->nr_failed += !held;
	k->c->met |= held ? 0 : 1U << LAB_FAILED;
	if (strlen(seen) > SEEN_MAX)
		memcpy(seen + SEEN_MAX - 3, "...", 4);
	line_name(k, op, name, sizeof(name));
	lab_table_text(k->t, k->c->nr, LAB_SHOW_DIFFER, LINES, name, held ? "holds" : seen);
	free(seen);
}

static void action_rows(struct counting *k, u32 first, u32 nr)
{
	char name[120], out[200];

	for (u32 i = first; i < first + nr; i++) {
		const struct lab_op *op = &k->c->sc.ops[i];

		if (!lab_op_is_action(op) || k->s->m->block_nr != nr)
			continue;
		line_name(k, i, name, sizeof(name));
		lab_outcome_text(op, &lab_result(k->s->m, i)->out, out, sizeof(out));
		lab_table_text(k->t, k->c->nr, LAB_SHOW_ALWAYS, LINES, name, out);
	}
}

/* False: the run can't go on. */
static bool do_block(struct counting *k, const struct lab_lines *l)
{
	enum lab_step step = lab_session_build(k->s, l->first, l->nr);
	u32 action = LAB_NO_OP;

	if (step != LAB_DONE)
		return false;
	for (u32 i = l->first; i < l->first + l->nr; i++) {
		if (lab_op_is_inject(&k->c->sc.ops[i]))
			lab_session_inject(k->s, i);
	}
	read_stats(k, k->before, false);
	step = lab_session_do(k->s, l->first, l->nr, l->parallel);
	read_stats(k, k->sum, true);
	action_rows(k, l->first, l->nr);
	if (step == LAB_STUCK)
		k->c->met |= 1U << LAB_NO_PROGRESS;
	if (step == LAB_STUCK || (step == LAB_BROKEN && !lab_session_quiet(k->s)))
		return false;
	for (u32 i = l->first; i < l->first + l->nr && l->parallel; i++) {
		if (lab_op_is_action(&k->c->sc.ops[i]))
			action = i;
		else if (lab_op_is_expect(&k->c->sc.ops[i]))
			judge(k, i, action);
	}
	return true;
}

static void do_lines(struct counting *k)
{
	struct lab_lines l = {0};
	u32 at = 0;

	while (lab_lines_next(&k->c->sc, k->c->nr_ops, &at, &l)) {
		if (l.kind == LAB_LINES_INJECT)
			lab_session_inject(k->s, l.first);
		else if (l.kind == LAB_LINES_EXPECT)
			judge(k, l.first, l.action);
		else if (!do_block(k, &l)) {
			k->ended = true;
			return;
		}
	}
}

/* Each rule once, in the order in which it broke. */
static void name_broken(struct counting *k)
{
	const struct lab_session *s = k->s;
	size_t n = 0;

	for (u32 i = 0; i < s->nr_broken && n < sizeof(k->broken); i++) {
		bool again = s->broken[i].excused;

		for (u32 j = 0; j < i; j++)
			again |= !s->broken[j].excused &&
				 !strcmp(s->broken[j].rule, s->broken[i].rule);
		if (!again)
			n += (size_t)snprintf(k->broken + n, sizeof(k->broken) - n, "%s%s",
					      n ? " " : "", s->broken[i].rule);
	}
	if (n)
		k->c->met |= 1U << LAB_VIOLATED;
}

static bool any_vm(const struct counting *k, bool (*is)(const struct kvm *kvm))
{
	for (u32 t = 0; t < k->c->su.nr_tds; t++) {
		const struct lab_td *td = &k->s->m->td[t];

		if (td->kvm && is(td->kvm))
			return true;
	}
	return false;
}

static void outcome_rows(struct counting *k)
{
	u32 col = k->c->nr;
	char text[160];

	snprintf(text, sizeof(text), "%u of %u", k->nr_expects - k->nr_failed, k->nr_expects);
	lab_table_text(k->t, col, LAB_SHOW_ALWAYS, "outcome", "run",
		       *k->s->stuck ? "no progress"
		       : k->ended   ? "stopped"
				    : "to the end");
	lab_table_text(k->t, col, LAB_SHOW_ALWAYS, "outcome", "VM",
		       any_vm(k, kvm_is_bugged) ? "bugged"
		       : any_vm(k, kvm_is_dead) ? "dead"
						: "alive");
	lab_table_text(k->t, col, LAB_SHOW_ALWAYS, "outcome", "oracles that broke",
		       *k->broken ? k->broken : "none");
	lab_table_text(k->t, col, LAB_SHOW_ALWAYS, "outcome", "expectations that hold", text);
}

static void stat_row(struct counting *k, const struct stat_row *r, u32 i)
{
	u64 num = r->level ? lab_stat(k->s->m, r->stat) : k->sum[i];

	lab_table_num(k->t, k->c->nr, r->show, r->group, r->name, num);
}

static u32 stat_index(const struct counting *k, const char *name)
{
	u32 i = 0;

	while (i < k->nr_stats && strcmp(lab_stat_name(i), name))
		i++;
	return i;
}

static const struct stat_row *known_stat(const char *name)
{
	for (u32 i = 0; i < RT_ARRAY_SIZE(stat_rows); i++) {
		if (!strcmp(stat_rows[i].stat, name))
			return &stat_rows[i];
	}
	return NULL;
}

static bool begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

static void watch_rows(struct counting *k)
{
	u32 col = k->c->nr;

	lab_table_num(k->t, col, LAB_SHOW_ALWAYS, MEMORY, "failed_unmapped, longest in cycles",
		      k->watch.longest);
	lab_table_num(k->t, col, LAB_SHOW_ALWAYS, MEMORY, "failed_unmapped, pages at the end",
		      lab_watch_unmapped(&k->watch));
	lab_table_num(k->t, col, LAB_SHOW_ALWAYS, LEAVES, "leaves over a smaller folio, most",
		      k->watch.most_leaves);
	lab_table_num(k->t, col, LAB_SHOW_ALWAYS, LEAVES, "leaves over a smaller folio, in cycles",
		      k->watch.window);
	lab_table_num(k->t, col, LAB_SHOW_ALWAYS, LEAVES, "leaves over a smaller folio, in steps",
		      k->watch.window_steps);
}

static void place_rows(struct counting *k)
{
	char name[80];

	for (u32 p = 0; p < LAB_PLACES; p++) {
		snprintf(name, sizeof(name), "filemap nodes, %s", place_name[p]);
		lab_table_num(k->t, k->c->nr, LAB_SHOW_SET, ALLOCS, name, k->watch.nodes[p]);
		snprintf(name, sizeof(name), "vmemmap pages, %s", place_name[p]);
		lab_table_num(k->t, k->c->nr, LAB_SHOW_SET, ALLOCS, name, k->watch.vmemmap[p]);
	}
}

static void count_rows(struct counting *k)
{
	static const char calls[] = "seamcalls.";

	rt_world_enter(k->s->world);
	for (u32 i = 0; i < RT_ARRAY_SIZE(stat_rows); i++)
		stat_row(k, &stat_rows[i], stat_index(k, stat_rows[i].stat));
	watch_rows(k);
	place_rows(k);
	for (u32 i = 0; i < k->nr_stats; i++) {
		const char *name = lab_stat_name(i);

		if (begins(name, calls))
			lab_table_num(k->t, k->c->nr, LAB_SHOW_SET, CALLS, name + strlen(calls),
				      k->sum[i]);
		else if (!known_stat(name) && !begins(name, "cost.") && strcmp(name, "mem_bytes"))
			lab_table_num(k->t, k->c->nr, LAB_SHOW_DIFFER, OTHERS, name, k->sum[i]);
	}
}

static void rows(struct counting *k)
{
	name_broken(k);
	outcome_rows(k);
	count_rows(k);
}

bool lab_column_run(struct lab_column *c, struct lab_table *t)
{
	struct counting k = {.c = c, .t = t};
	struct lab_opts opts = {.trace_cap = EVENTS_KEPT};
	char err[400];

	k.s = lab_session_new(&c->sc, &c->su, &opts, err, sizeof(err));
	if (!k.s) {
		fprintf(c->opts->err, "%s: %s: %s\n", c->opts->path, c->opts->policy[c->nr], err);
		return false;
	}
	while (lab_stat_name(k.nr_stats))
		k.nr_stats++;
	k.before = lab_zalloc(k.nr_stats * sizeof(*k.before));
	k.sum = lab_zalloc(k.nr_stats * sizeof(*k.sum));
	lab_watch_begin(&k.watch, k.s);
	do_lines(&k);
	lab_watch_end(&k.watch);
	/* The end may find what was leaked, but it costs the same under every policy. */
	rows(&k);
	if (!k.ended && lab_session_end(k.s) != LAB_DONE)
		name_broken(&k);
	lab_session_free(k.s);
	free(k.before);
	free(k.sum);
	return true;
}
