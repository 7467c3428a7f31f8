// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kept machines, and a scenario from its first line to its fate.
 */
#include "sim/lab/runner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/lab/bytes.h"
#include "sim/lab/diff.h"
#include "sim/lab/endless.h"
#include "sim/lab/expect.h"
#include "sim/lab/lines.h"
#include "sim/lab/replay.h"
#include "sim/lab/util.h"
#include "sim/rt/world.h"

#define KEEP_DEFAULT 24
#define IMAGES	     4 /* of one machine: by which TDs are built */

/*
 * Invariant: s->sc is &sc and stays there, since the world points to it; its contents are the
 * running scenario's, borrowed.
 */
struct machine {
	char *key; /* its set-up lines as text, and the number of host threads */
	struct lab_scenario sc;
	struct lab_setup su;
	struct lab_session *s;
	struct {
		u32 built; /* mask of TDs */
		u64 step;
		struct lab_mark mark;
	} image[IMAGES];
	u32 nr_images;
	u64 used; /* the run that used it last */
};

struct lab_runner {
	struct lab_runner_opts opts;
	struct machine **machine;
	u32 nr, cap;
	u64 runs;
	struct machine *last;
};

struct lab_runner *lab_runner_new(const struct lab_runner_opts *opts)
{
	struct lab_runner *r = lab_zalloc(sizeof(*r));

	r->opts = *opts;
	if (!r->opts.keep)
		r->opts.keep = KEEP_DEFAULT;
	return r;
}

static void free_machine(struct machine *m)
{
	for (u32 i = 0; i < m->nr_images; i++)
		lab_mark_free(&m->image[i].mark);
	lab_session_free(m->s);
	free(m->key);
	free(m);
}

void lab_runner_free(struct lab_runner *r)
{
	if (!r)
		return;
	for (u32 i = 0; i < r->nr; i++)
		free_machine(r->machine[i]);
	free(r->machine);
	free(r);
}

u32 lab_runner_machines(const struct lab_runner *r)
{
	return r->nr;
}

struct lab_session *lab_runner_session(const struct lab_runner *r)
{
	return r->last ? r->last->s : NULL;
}

const struct rt_schedule *lab_runner_recorded(const struct lab_runner *r)
{
	return &r->last->s->recorded;
}

static char *key_of(const struct lab_scenario *sc, const struct lab_setup *su)
{
	size_t len = 0;
	char *key = NULL;
	FILE *f = open_memstream(&key, &len);

	if (!f)
		abort();
	for (u32 i = 0; i < sc->nr_ops; i++) {
		char text[600];

		if (!lab_op_makes_machine(&sc->ops[i]))
			continue;
		lab_print_op(sc, &sc->ops[i], text, sizeof(text));
		fprintf(f, "%s\n", text);
	}
	for (u32 t = 0; t < su->nr_tds; t++)
		fprintf(f, "%u ", su->td[t].hosts);
	if (fclose(f))
		abort();
	return key;
}

/* The one that was not used for the longest time goes. */
static void make_room(struct lab_runner *r)
{
	u32 oldest = 0;

	if (r->nr < r->opts.keep)
		return;
	for (u32 i = 1; i < r->nr; i++) {
		if (r->machine[i]->used < r->machine[oldest]->used)
			oldest = i;
	}
	free_machine(r->machine[oldest]);
	r->machine[oldest] = r->machine[--r->nr];
}

static struct machine *new_machine(struct lab_runner *r, const struct lab_scenario *sc,
				   const struct lab_setup *su, struct lab_fate *fate)
{
	struct machine *m = lab_zalloc(sizeof(*m));
	struct lab_opts opts = {
		.no_trace = true,
		.budget = r->opts.budget,
		.observer = r->opts.observer,
		.point = r->opts.point,
		.point_ctx = r->opts.ctx,
	};

	m->sc = *sc;
	m->su = *su;
	for (u32 i = 0; i < m->su.nr_gmems; i++)
		m->su.gmem[i].gmem.name = m->su.gmem[i].name;
	m->s = lab_session_new(&m->sc, &m->su, &opts, fate->text, sizeof(fate->text));
	if (!m->s) {
		free(m);
		return NULL;
	}
	lab_session_mark(m->s, &m->image[m->nr_images++].mark);
	return m;
}

static struct machine *find_machine(struct lab_runner *r, const struct lab_scenario *sc,
				    const struct lab_setup *su, struct lab_fate *fate)
{
	char *key = key_of(sc, su);
	struct machine *m = NULL;

	for (u32 i = 0; i < r->nr && !m; i++) {
		if (!strcmp(r->machine[i]->key, key))
			m = r->machine[i];
	}
	if (m) {
		free(key);
	} else {
		make_room(r);
		m = new_machine(r, sc, su, fate);
		if (!m) {
			free(key);
			return NULL;
		}
		m->key = key;
		r->machine = lab_grow(r->machine, &r->cap, r->nr + 1, sizeof(*r->machine));
		r->machine[r->nr++] = m;
	}
	m->used = ++r->runs;
	return m;
}

/* ---- one run ---- */

struct running {
	struct lab_runner *r;
	struct machine *m;
	struct lab_fate *fate;
	lab_look *look;
	void *look_ctx;
};

static void fails(struct running *x, enum lab_verdict v, const char *rule, const char *text, u32 op)
{
	struct lab_fate *f = x->fate;

	if (f->verdict != LAB_HELD)
		return;
	f->verdict = v;
	f->op = op;
	f->step = rt_step();
	snprintf(f->rule, sizeof(f->rule), "%s", rule);
	snprintf(f->text, sizeof(f->text), "%.*s", (int)strcspn(text, "\n"), text);
}

/* What a step came to; true if the run can go on. */
static bool settle(struct running *x, enum lab_step step, u32 op)
{
	const struct lab_session *s = x->m->s;

	if (step == LAB_DONE)
		return true;
	if (step == LAB_STUCK) {
		fails(x, LAB_NO_PROGRESS, s->stuck_rule, s->stuck, op);
		return false;
	}
	for (u32 i = 0; i < s->nr_broken; i++) {
		if (s->broken[i].excused)
			continue;
		fails(x, LAB_VIOLATED, s->broken[i].rule, s->broken[i].text, op);
		x->fate->step = s->broken[i].step;
		x->fate->doing = s->broken[i].op;
		break;
	}
	return false;
}

static void judge(struct running *x, u32 op, u32 action)
{
	char *seen, text[400];
	int n;

	if (x->m->sc.ops[op].kind == LAB_OP_EXP_VIOLATION)
		return;
	seen = lab_zalloc(8192);
	if (!lab_expect(x->m->s->m, &x->m->sc.ops[op], action, seen, 8192)) {
		n = lab_print_op(&x->m->sc, &x->m->sc.ops[op], text, sizeof(text));
		if (n < (int)sizeof(text))
			snprintf(text + n, sizeof(text) - (size_t)n, ", seen: %s", seen);
		fails(x, LAB_FAILED, "expectation", text, op);
	}
	free(seen);
}

static void show(struct running *x, u32 first, u32 nr)
{
	if (x->r->opts.block)
		x->r->opts.block(x->r->opts.ctx, x->m->s, first, nr);
	if (x->look)
		x->look(x->look_ctx, x->m->s, first, nr);
}

static bool do_block(struct running *x, const struct lab_lines *l)
{
	const struct lab_op *ops = x->m->sc.ops;
	struct lab_session *s = x->m->s;
	u32 action = LAB_NO_OP;
	bool done;

	for (u32 i = l->first; i < l->first + l->nr; i++) {
		if (lab_op_is_inject(&ops[i]))
			lab_session_inject(s, i);
	}
	done = settle(x, lab_session_do(s, l->first, l->nr, l->parallel), l->first);
	if (s->m->block_nr == l->nr)
		show(x, l->first, l->nr);
	for (u32 i = l->first; i < l->first + l->nr && l->parallel && done; i++) {
		if (lab_op_is_action(&ops[i]))
			action = i;
		else if (lab_op_is_expect(&ops[i]))
			judge(x, i, action);
	}
	return done;
}

static void do_lines(struct running *x)
{
	struct lab_lines l = {0};
	bool done = true;
	u32 at = 0;

	while (done && lab_lines_next(&x->m->sc, x->m->sc.nr_ops, &at, &l)) {
		if (l.kind == LAB_LINES_INJECT)
			lab_session_inject(x->m->s, l.first);
		else if (l.kind == LAB_LINES_EXPECT)
			judge(x, l.first, l.action);
		else
			done = do_block(x, &l);
	}
	if (!done)
		return;
	show(x, 0, 0);
	settle(x, lab_session_end(x->m->s), LAB_NO_OP);
	for (u32 t = 0; t < x->m->su.nr_tds; t++) {
		if (x->m->s->m->td[t].build_err && !x->m->s->m->td[t].built)
			fails(x, LAB_FAILED, "build", "a TD could not be built", LAB_NO_OP);
	}
}

/* The first line, if it is an action or a block in front of which nothing is to be armed. */
static bool plain_start(const struct machine *m, struct lab_lines *l)
{
	u32 at = 0;

	*l = (struct lab_lines){0};
	if (!lab_lines_next(&m->sc, m->sc.nr_ops, &at, l) || l->kind != LAB_LINES_ACTIONS)
		return false;
	for (u32 i = l->first; i < l->first + l->nr; i++) {
		if (lab_op_is_inject(&m->sc.ops[i]))
			return false;
	}
	return true;
}

/* More steps may be enough, or none ever are: then that is what there is to say. */
static void judge_spent(struct running *x)
{
	const struct lab_session *s = x->m->s;
	char text[sizeof(x->fate->text)];

	x->fate->spent = s->out_of_steps && !lab_endless(&x->m->sc, &x->m->su, &s->opts,
							 &s->recorded, text, sizeof(text));
	rt_world_enter(s->world);
	if (!s->out_of_steps || x->fate->spent)
		return;
	snprintf(x->fate->text, sizeof(x->fate->text), "%s", text);
	x->fate->step = 0; /* at none: the budget alone says where it ends */
}

/* Whether a choice of the schedule is about the time in front of @step. */
static bool before(const struct rt_schedule *schedule, u64 step)
{
	return schedule && schedule->nr && schedule->entries[0].step < step;
}

/*
 * The machine at the first line. What that line needs built is built once and kept: it is the same
 * whatever the lines behind it are. False: the build itself ended the run.
 */
static bool start(struct running *x, struct rt_schedule *schedule)
{
	struct machine *m = x->m;
	struct lab_lines l;
	u32 built = 0;

	lab_session_rewind(m->s, &m->image[0].mark, schedule);
	if (!plain_start(m, &l))
		return true;
	built = lab_session_unbuilt(m->s, l.first, l.nr);
	for (u32 i = 0; i < m->nr_images; i++) {
		if (m->image[i].built != built || before(schedule, m->image[i].step))
			continue;
		if (i)
			lab_session_rewind(m->s, &m->image[i].mark, schedule);
		return true;
	}
	if (!settle(x, lab_session_build(m->s, l.first, l.nr), l.first))
		return false;
	if (m->nr_images < IMAGES && !before(schedule, rt_step())) {
		m->image[m->nr_images].built = built;
		m->image[m->nr_images].step = rt_step();
		lab_session_mark(m->s, &m->image[m->nr_images++].mark);
	}
	return true;
}

bool lab_runner_run(struct lab_runner *r, const struct lab_scenario *sc, const struct lab_setup *su,
		    struct rt_schedule *schedule, struct lab_fate *fate)
{
	if (r->opts.diff)
		return lab_diff_run(r->opts.diff, r, sc, fate);
	return lab_runner_once(r, sc, su, schedule, NULL, NULL, fate);
}

bool lab_runner_once(struct lab_runner *r, const struct lab_scenario *sc,
		     const struct lab_setup *su, struct rt_schedule *schedule, lab_look *look,
		     void *look_ctx, struct lab_fate *fate)
{
	struct running x = {.r = r, .fate = fate, .look = look, .look_ctx = look_ctx};
	struct rt_schedule own;
	u64 first;

	*fate = (struct lab_fate){.op = LAB_NO_OP, .doing = LAB_NO_OP};
	x.m = find_machine(r, sc, su, fate);
	if (!x.m)
		return false;
	rt_schedule_init(&own);
	if (!schedule) {
		lab_replay_read(sc, su, &own);
		schedule = own.nr ? &own : NULL;
	}
	r->last = x.m;
	x.m->sc = *sc;
	if (start(&x, schedule)) {
		first = rt_step();
		if (r->opts.begin)
			r->opts.begin(r->opts.ctx);
		do_lines(&x);
		fate->steps = rt_step() - first;
	}
	if (fate->verdict == LAB_NO_PROGRESS)
		judge_spent(&x);
	/* The schedule goes, and nobody may ask it when the world is restored. */
	x.m->s->opts.schedule = NULL;
	rt_set_chooser(x.m->s->world, &rt_chooser_in_order);
	rt_schedule_free(&own);
	return true;
}

/* The sentence without its numbers: "0x80001000" and "17" become "#". */
static size_t shape_of(const char *text, char *buf, size_t len)
{
	size_t n = 0;

	for (const char *s = text; *s && n + 1 < len; s++) {
		bool in = n && buf[n - 1] == '#';

		if (in && (isxdigit((unsigned char)*s) || *s == 'x'))
			continue;
		buf[n++] = isdigit((unsigned char)*s) ? '#' : *s;
	}
	buf[n] = 0;
	return n;
}

bool lab_same_fate(const struct lab_fate *a, const struct lab_fate *b)
{
	char sa[sizeof(a->text)], sb[sizeof(b->text)];

	shape_of(a->text, sa, sizeof(sa));
	shape_of(b->text, sb, sizeof(sb));
	return a->verdict == b->verdict && !strcmp(a->rule, b->rule) && !strcmp(sa, sb);
}

/* What was being done: the line of whoever met it, else the one line that was, or a whole block. */
static const char *verb_of(const struct lab_scenario *sc, const struct lab_fate *fate)
{
	u32 op = fate->doing != LAB_NO_OP ? fate->doing : fate->op;

	if (op == LAB_NO_OP)
		return "end";
	if (fate->doing == LAB_NO_OP && op && sc->ops[op - 1].kind == LAB_OP_PARALLEL)
		return "block";
	return lab_specs[sc->ops[op].kind].verb;
}

u64 lab_fate_key(const struct lab_scenario *sc, const struct lab_fate *fate)
{
	char text[600];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s/%s/", fate->rule, verb_of(sc, fate));

	n += shape_of(fate->text, text + n, sizeof(text) - n);
	return XXH3_64bits(text, n);
}
