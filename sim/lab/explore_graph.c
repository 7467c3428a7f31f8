// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the edges say when the search is over: how many schedules the states stand for, and whether
 * there is a cycle that nobody need ever leave.
 * Tarjan's algorithm over the states, without recursion. It gives components in the order "what
 * follows comes first"; schedules are then counted from the front.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/explore_int.h"
#include "sim/lab/util.h"

struct walk {
	const struct ex_store *st;
	const u8 *out; /* states that are left out; NULL: none */
	u32 *index;    /* 1 + when it was found; 0: not yet */
	u32 *low;
	u32 *comp;  /* number of its component; EX_NONE: open */
	u32 *order; /* states, components one after the other */
	u32 *stack; /* open states */
	u32 *path;  /* states whose edges are walked */
	u32 *at;    /* next edge of each */
	u32 nr_index, nr_comp, nr_order, nr_stack, nr_path;
};

static void walk_init(struct walk *w, const struct ex_store *st, const u8 *out)
{
	size_t n = st->nr + 1;

	*w = (struct walk){.st = st, .out = out};
	w->index = lab_zalloc(n * sizeof(u32));
	w->low = lab_zalloc(n * sizeof(u32));
	w->comp = lab_zalloc(n * sizeof(u32));
	w->order = lab_zalloc(n * sizeof(u32));
	w->stack = lab_zalloc(n * sizeof(u32));
	w->path = lab_zalloc(n * sizeof(u32));
	w->at = lab_zalloc(n * sizeof(u32));
	memset(w->comp, 0xff, n * sizeof(u32));
}

static void walk_free(struct walk *w)
{
	free(w->index);
	free(w->low);
	free(w->comp);
	free(w->order);
	free(w->stack);
	free(w->path);
	free(w->at);
}

static bool left_out(const struct walk *w, u32 to)
{
	return !EX_IS_STATE(to) || (w->out && w->out[to]);
}

static void open_state(struct walk *w, u32 v)
{
	w->index[v] = w->low[v] = ++w->nr_index;
	w->stack[w->nr_stack++] = v;
	w->path[w->nr_path] = v;
	w->at[w->nr_path++] = 0;
}

/* @v and what is above it on the stack are a component if nothing leads further back. */
static void close_state(struct walk *w, u32 v)
{
	u32 u;

	w->nr_path--;
	if (w->nr_path) {
		u32 *low = &w->low[w->path[w->nr_path - 1]];

		*low = w->low[v] < *low ? w->low[v] : *low;
	}
	if (w->low[v] != w->index[v])
		return;
	do {
		u = w->stack[--w->nr_stack];
		w->comp[u] = w->nr_comp;
		w->order[w->nr_order++] = u;
	} while (u != v);
	w->nr_comp++;
}

static void walk_from(struct walk *w, u32 first)
{
	open_state(w, first);
	while (w->nr_path) {
		u32 v = w->path[w->nr_path - 1];
		const struct ex_rec *rec = &w->st->rec[v];
		u32 i = w->at[w->nr_path - 1]++, to;

		if (i == rec->nr_edges) {
			close_state(w, v);
			continue;
		}
		to = w->st->to[rec->edge + i];
		if (left_out(w, to))
			continue;
		if (!w->index[to])
			open_state(w, to);
		else if (w->comp[to] == EX_NONE && w->index[to] < w->low[v])
			w->low[v] = w->index[to];
	}
}

static void walk_all(struct walk *w)
{
	for (u32 v = 0; v < w->st->nr; v++) {
		if (!w->index[v] && !left_out(w, v))
			walk_from(w, v);
	}
}

/* ---- loops ---- */

struct byte_set {
	u64 bit[4];
};

static void set_add(struct byte_set *s, u8 b)
{
	s->bit[b / 64] |= 1ULL << (b % 64);
}

static bool set_has(const struct byte_set *s, u8 b)
{
	return s->bit[b / 64] >> (b % 64) & 1;
}

/* Whether an edge of @v by somebody who never goes inside the component leads away or is not taken. */
static bool starves(const struct walk *w, u32 v, const struct byte_set *inside)
{
	const struct ex_rec *rec = &w->st->rec[v];

	for (u32 i = 0; i < rec->nr_edges; i++) {
		u8 by = w->st->by[rec->edge + i];

		/* That a fault fires is owed to nobody. */
		if (by != EX_FAULT && !set_has(inside, by))
			return true;
	}
	return false;
}

/*
 * One component, states order[first, end): a cycle in it is fair if everybody who could go
 * somewhere on it does go. States in which one could go who never does inside are marked in @out,
 * for another look without them. Returns 1 for a fair cycle, 0 for no cycle, -1 for another look.
 */
static int judge_component(const struct walk *w, u32 first, u32 end, u8 *out)
{
	struct byte_set inside = {{0}};
	bool cycle = false, again = false;
	u32 comp = w->comp[w->order[first]];

	for (u32 k = first; k < end; k++) {
		const struct ex_rec *rec = &w->st->rec[w->order[k]];

		for (u32 i = 0; i < rec->nr_edges; i++) {
			u32 to = w->st->to[rec->edge + i];

			if (left_out(w, to) || w->comp[to] != comp)
				continue;
			cycle = true;
			set_add(&inside, w->st->by[rec->edge + i]);
		}
	}
	for (u32 k = first; k < end; k++) {
		if (!cycle || starves(w, w->order[k], &inside)) {
			out[w->order[k]] = 1;
			again |= cycle;
		}
	}
	return !cycle ? 0 : again ? -1 : 1;
}

/* A state on a fair cycle, EX_NONE if there is none. */
static u32 find_loop(const struct ex_store *st)
{
	u8 *out = lab_zalloc(st->nr + 1);
	u32 loop = EX_NONE;
	bool again = true;

	while (again && loop == EX_NONE) {
		struct walk w;

		walk_init(&w, st, out);
		walk_all(&w);
		again = false;
		for (u32 first = 0, end; first < w.nr_order; first = end) {
			int res;

			for (end = first;
			     end < w.nr_order && w.comp[w.order[end]] == w.comp[w.order[first]];)
				end++;
			res = judge_component(&w, first, end, out);
			again |= res < 0;
			for (u32 k = first; res > 0 && k < end; k++)
				loop = w.order[k] < loop ? w.order[k] : loop;
		}
		walk_free(&w);
	}
	free(out);
	return loop;
}

/* ---- schedules ---- */

static void count_edge(struct ex_paths *p, const u32 *comp, long double *into, u32 from, u32 to)
{
	long double n = into[comp[from]];

	if (to == EX_END) {
		p->schedules += n;
	} else if (!EX_IS_STATE(to)) {
		p->schedules += n;
		p->violations += n;
		p->by_found[to - EX_BROKEN(0)] += n;
	} else if (comp[to] != comp[from]) {
		into[comp[to]] += n;
	}
}

/* More than one state in a component, or one that leads to itself. */
static bool has_cycle(const struct walk *w)
{
	const struct ex_store *st = w->st;

	if (w->nr_comp < st->nr)
		return true;
	for (u32 v = 0; v < st->nr; v++) {
		const struct ex_rec *rec = &st->rec[v];

		for (u32 i = 0; i < rec->nr_edges; i++) {
			if (st->to[rec->edge + i] == v)
				return true;
		}
	}
	return false;
}

void ex_paths(const struct ex_store *st, struct ex_paths *p)
{
	long double *into;
	struct walk w;

	*p = (struct ex_paths){.loop = EX_NONE};
	if (!st->nr)
		return;
	walk_init(&w, st, NULL);
	walk_all(&w);
	into = lab_zalloc(w.nr_comp * sizeof(*into));
	into[w.comp[0]] = 1;
	/* Components that follow have lower numbers: from the back, all that lead here are done. */
	for (u32 k = w.nr_order; k-- > 0;) {
		u32 v = w.order[k];
		const struct ex_rec *rec = &st->rec[v];

		for (u32 i = 0; i < rec->nr_edges; i++)
			count_edge(p, w.comp, into, v, st->to[rec->edge + i]);
	}
	if (has_cycle(&w))
		p->loop = find_loop(st);
	free(into);
	walk_free(&w);
}
