// SPDX-License-Identifier: GPL-2.0-only
/*
 * --fail-each: a run without failures counts the visits of every fault site and keeps images of the
 * world on the way; then, for each visit, the world goes back to the last image before it, the fault
 * is armed for exactly that visit, and the scenario runs to its end. What is left behind is judged
 * by the same oracles as ever.
 *
 * Invariant: what an image is of (block, place in the lines, visits so far) is kept beside it; what
 * a session keeps outside of its world starts afresh with each run.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/compare_int.h"
#include "sim/lab/lines.h"
#include "sim/lab/util.h"
#include "sim/lab/words.h"
#include "sim/rt/fault.h"
#include "sim/rt/world.h"

#define IMAGES_MAX     64
#define IMAGE_INTERVAL 2048 /* steps, at first */

enum point_kind {
	ALLOCATION,
	SEAMCALL,
	REFERENCE,
	BUSY,
	KINDS,
};
static const char *const kind_group[KINDS] = {"one allocation fails", "one SEAMCALL fails",
					      "one check of references fails",
					      "one SEAMCALL is BUSY"};

/* What a run with one failure left behind; what is listed later is worse, but may come together. */
enum left {
	LEFT_SAME,  /* as without the failure */
	LEFT_ERROR, /* some action ends differently; nothing below */
	LEFT_LOST,
	LEFT_APART,
	LEFT_DEAD,
	LEFT_STUCK,
	LEFT_OTHER,
	LEFTS,
};
static const struct {
	const char *name;
	enum lab_row_show show;
} left_row[LEFTS] = {
	{"as without it", LAB_SHOW_SET},	{"an action fails, nothing lost", LAB_SHOW_SET},
	{"private data lost", LAB_SHOW_ALWAYS}, {"attributes and mappings apart", LAB_SHOW_ALWAYS},
	{"VM dead", LAB_SHOW_ALWAYS},		{"no progress", LAB_SHOW_SET},
	{"another oracle broke", LAB_SHOW_SET},
};

/* A fault site: an inject line behind the scenario's own, armed with another nth for each run. */
struct template
{
	u32 op;
	enum point_kind kind;
	u64 visits; /* in the run without failures */
};

struct mark {
	struct rt_image *img;
	u32 at;		    /* of the lines: behind the block */
	struct lab_lines l; /* the block */
	bool inside;	    /* the block has begun */
	bool builds;	    /* a build is implied in front of it */
	u64 *visits;	    /* [nr_templates] */
};

struct failing {
	struct lab_column *c;
	struct lab_table *t;
	struct lab_session *s;
	struct template *tpl;
	u32 nr_tpl, cap_tpl;
	struct mark mark[IMAGES_MAX];
	u32 nr_marks;
	u64 interval, pause_at;
	bool builds;	  /* the block under way implied a build */
	u32 *counter;	  /* [nr_tpl]: ids of the faults that count */
	u32 armed_before; /* of the machine: the scenario's own */
	u32 counters_from;
	struct lab_outcome *plain; /* [nr_ops]: outcomes without a failure */
	char plain_broken[LAB_BROKEN_MAX][32];
	u32 nr_plain_broken;
	u64 runs[KINDS], left[KINDS][LEFTS];
	char example[LEFTS][240];
};

bool lab_rule_is_apart(const char *rule)
{
	static const char *const apart[] = {"no-leaf-over-shared", "host-sees-no-private",
					    "shared-is-4k",	   "mirror-matches-sept",
					    "no-blocked-entry",	   NULL};

	return lab_word_find(apart, rule, strlen(rule)) >= 0;
}

static bool rule_is_loss(const char *rule)
{
	return !strcmp(rule, "precise-zap") || !strcmp(rule, "no-data-loss");
}

/* --- sites ----------------------------------------------------------------------------------- */

static void add_template(struct failing *f, enum point_kind kind, const char *fmt, const char *arg)
{
	struct lab_diag d = {NULL, 0};
	struct lab_scenario *sc = &f->c->sc;
	char text[160];

	snprintf(text, sizeof(text), fmt, arg);
	if (lab_parse_line(sc, text, &d))
		abort(); /* our own text, by the tables that the parser reads */
	sc->ops[sc->nr_ops - 1].line = 0;
	f->tpl = lab_grow(f->tpl, &f->cap_tpl, f->nr_tpl + 1, sizeof(*f->tpl));
	f->tpl[f->nr_tpl++] = (struct template){sc->nr_ops - 1, kind, 0};
}

static void add_templates(struct failing *f)
{
	const char *leaf;

	for (u32 i = 0; lab_words_site[i]; i++)
		add_template(f, ALLOCATION, "inject enomem site=%s", lab_words_site[i]);
	for (u32 i = 0; (leaf = lab_leaf_at(i, NULL)); i++)
		add_template(f, SEAMCALL, "inject error leaf=%s status=OPERAND_INVALID", leaf);
	add_template(f, REFERENCE, "inject ref-check", "");
	for (u32 i = 0; f->c->opts->busy && (leaf = lab_leaf_at(i, NULL)); i++)
		add_template(f, BUSY, "inject busy leaf=%s", leaf);
}

static void set_nth(struct failing *f, const struct template *tpl, u64 nth)
{
	struct lab_op *op = &f->c->sc.ops[tpl->op];
	int field = lab_field_find(&lab_specs[op->kind], "nth", 3);

	op->v[field].num = nth;
	op->v[field].set = 1;
}

/* Faults that never fire: they only count who comes by. */
static void arm_counters(struct failing *f)
{
	struct lab_machine *m = f->s->m;

	f->armed_before = m->nr_armed;
	f->counter = lab_zalloc(f->nr_tpl * sizeof(*f->counter));
	for (u32 i = 0; i < f->nr_tpl; i++) {
		set_nth(f, &f->tpl[i], ~0ULL);
		lab_session_inject(f->s, f->tpl[i].op);
		f->counter[i] = m->armed[m->nr_armed - 1].fault;
	}
}

/* They were armed in a row, so they stand in a row, wherever the scenario's own are. */
static void read_counters(struct failing *f, u64 *visits)
{
	const struct rt_fault *fault;
	u32 k = 0;

	for (u32 i = 0; k < f->nr_tpl && (fault = rt_fault_get(i)); i++) {
		if (fault->id == f->counter[k])
			visits[k++] = fault->seen;
	}
}

/* --- the run without failures ---------------------------------------------------------------- */

static u32 pick(void *ctx, const struct rt_choice *c)
{
	const struct failing *f = ctx;

	if (c->step >= f->pause_at)
		return RT_PICK_PAUSE;
	return c->cur == RT_NOBODY ? 0 : c->cur;
}

static void drop_mark(struct mark *m)
{
	rt_image_free(m->img);
	free(m->visits);
}

/* Every second one inside of a block goes; from now on they are twice as far apart. */
static void thin_out(struct failing *f)
{
	u32 n = 0;

	for (u32 i = 0; i < f->nr_marks; i++) {
		if (f->mark[i].inside && i % 2)
			drop_mark(&f->mark[i]);
		else
			f->mark[n++] = f->mark[i];
	}
	f->nr_marks = n;
	f->interval *= 2;
}

static void add_mark(struct failing *f, u32 at, const struct lab_lines *l, bool inside)
{
	struct mark *m;

	if (f->nr_marks == IMAGES_MAX)
		thin_out(f);
	f->pause_at = rt_step() + f->interval;
	if (f->nr_marks == IMAGES_MAX)
		return; /* as many blocks: the last image must do for those that follow */
	m = &f->mark[f->nr_marks++];
	*m = (struct mark){rt_world_save(f->s->world), at, *l, inside, f->builds, NULL};
	m->visits = lab_zalloc(f->nr_tpl * sizeof(*m->visits));
	read_counters(f, m->visits);
}

static void keep_outcomes(struct failing *f, const struct lab_lines *l)
{
	for (u32 i = l->first; i < l->first + l->nr; i++)
		f->plain[i] = lab_result(f->s->m, i)->out;
}

static void inject_inside(struct failing *f, const struct lab_lines *l)
{
	for (u32 i = l->first; i < l->first + l->nr; i++) {
		if (lab_op_is_inject(&f->c->sc.ops[i]))
			lab_session_inject(f->s, i);
	}
}

/* Whether the run can go on behind a block that ended with @step. */
static bool goes_on(const struct lab_session *s, enum lab_step step)
{
	return step == LAB_DONE || (step == LAB_BROKEN && lab_session_quiet(s));
}

static u32 tds_built(const struct failing *f)
{
	u32 n = 0;

	for (u32 t = 0; t < f->c->su.nr_tds; t++)
		n += f->s->m->td[t].built;
	return n;
}

static void plain_block(struct failing *f, u32 at, const struct lab_lines *l, bool *go)
{
	u32 built = tds_built(f);
	enum lab_step step;

	f->pause_at = ~0ULL;
	step = lab_session_build(f->s, l->first, l->nr);
	f->builds = tds_built(f) != built;
	*go = step == LAB_DONE;
	if (!*go)
		return;
	if (!f->counter)
		arm_counters(f);
	inject_inside(f, l);
	add_mark(f, at, l, false);
	step = lab_session_do(f->s, l->first, l->nr, l->parallel);
	while (step == LAB_PAUSED) {
		add_mark(f, at, l, true);
		step = lab_session_resume(f->s);
	}
	*go = goes_on(f->s, step);
	keep_outcomes(f, l);
}

static void plain_run(struct failing *f)
{
	struct rt_chooser chooser = {"compare", pick, f, true, NULL};
	u64 *visits = lab_zalloc(f->nr_tpl * sizeof(*visits));
	struct lab_lines l = {0};
	bool go = true;
	u32 at = 0;

	lab_session_chooser(f->s, &chooser);
	while (go && lab_lines_next(&f->c->sc, f->c->nr_ops, &at, &l)) {
		if (l.kind == LAB_LINES_INJECT)
			lab_session_inject(f->s, l.first);
		else if (l.kind == LAB_LINES_ACTIONS)
			plain_block(f, at, &l, &go);
	}
	if (f->counter)
		read_counters(f, visits);
	for (u32 i = 0; i < f->nr_tpl; i++)
		f->tpl[i].visits = visits[i];
	for (u32 i = 0; i < f->s->nr_broken; i++)
		snprintf(f->plain_broken[f->nr_plain_broken++], sizeof(f->plain_broken[0]), "%s",
			 f->s->broken[i].rule);
	free(visits);
	rt_set_chooser(f->s->world, &rt_chooser_in_order);
}

/* --- one failure ----------------------------------------------------------------------------- */

/* Back to @m, with only this one fault armed besides the scenario's own. */
static void restore(struct failing *f, const struct mark *m, const struct template *tpl, u64 n)
{
	struct lab_session *s = f->s;
	struct lab_machine *machine = s->m;
	u32 own = 0;

	rt_world_restore(s->world, m->img);
	for (u32 i = 0; i < f->nr_tpl; i++)
		rt_fault_disarm(f->counter[i]);
	/* The counters leave a gap among the scenario's faults that were armed before and since. */
	for (u32 i = 0; i < machine->nr_armed; i++) {
		if (i < f->armed_before || i >= f->armed_before + f->nr_tpl)
			machine->armed[own++] = machine->armed[i];
	}
	machine->nr_armed = own;
	s->nr_broken = 0;
	*s->stuck = 0;
	s->stuck_rule = NULL;
	set_nth(f, tpl, n - m->visits[tpl - f->tpl]);
	lab_session_inject(s, tpl->op);
}

static bool same_outcome(const struct lab_outcome *a, const struct lab_outcome *b)
{
	return a->done == b->done && a->ok == b->ok && a->err == b->err && a->ve == b->ve &&
	       a->exited == b->exited && a->injected == b->injected;
}

/* What is left of the block; whether each action ended as it does without the failure. */
static enum lab_step failed_block(struct failing *f, const struct lab_lines *l, bool inside,
				  bool *same)
{
	enum lab_step step;

	if (inside) {
		step = lab_session_resume(f->s);
	} else {
		step = lab_session_build(f->s, l->first, l->nr);
		if (step == LAB_DONE)
			step = lab_session_do(f->s, l->first, l->nr, l->parallel);
	}
	for (u32 i = l->first; i < l->first + l->nr && f->s->m->block_nr == l->nr; i++)
		*same &= same_outcome(&lab_result(f->s->m, i)->out, &f->plain[i]);
	return step;
}

static bool any_dead(const struct failing *f)
{
	for (u32 t = 0; t < f->c->su.nr_tds; t++) {
		const struct kvm *kvm = f->s->m->td[t].kvm;

		if (f->s->m->td[t].was_bugged || (kvm && (kvm_is_bugged(kvm) || kvm_is_dead(kvm))))
			return true;
	}
	return false;
}

static bool plainly_broken(const struct failing *f, const char *rule)
{
	for (u32 i = 0; i < f->nr_plain_broken; i++) {
		if (!strcmp(f->plain_broken[i], rule))
			return true;
	}
	return false;
}

/* Bits 1 << enum left. */
static u32 judge(const struct failing *f, enum lab_step step, bool same)
{
	const struct lab_session *s = f->s;
	bool dead = any_dead(f);
	u32 left = dead ? 1U << LEFT_DEAD : 0;

	if (step == LAB_STUCK)
		left |= 1U << LEFT_STUCK;
	/* Who is dead has lost everything: that is one row, not two. */
	if (!dead && s->m->reaccept_pages)
		left |= 1U << LEFT_LOST;
	for (u32 i = 0; i < s->nr_broken; i++) {
		const char *rule = s->broken[i].rule;

		if (s->broken[i].excused)
			continue;
		if (rule_is_loss(rule))
			left |= 1U << LEFT_LOST;
		else if (lab_rule_is_apart(rule))
			left |= 1U << LEFT_APART;
		else if (!plainly_broken(f, rule))
			left |= 1U << LEFT_OTHER;
	}
	return left ? left : 1U << (same ? LEFT_SAME : LEFT_ERROR);
}

/* The line that shows the first run of its kind, to be put in front of the block's first line. */
static void keep_example(struct failing *f, enum left left, const struct template *tpl, u64 n)
{
	const struct mark *block = f->mark;
	char text[160];
	u32 line;

	if (*f->example[left])
		return;
	for (u32 i = 0; i < f->nr_marks; i++) {
		if (!f->mark[i].inside && f->mark[i].visits[tpl - f->tpl] < n)
			block = &f->mark[i];
	}
	line = f->c->sc.ops[block->l.first].line;
	set_nth(f, tpl, n - block->visits[tpl - f->tpl]);
	lab_print_op(&f->c->sc, &f->c->sc.ops[tpl->op], text, sizeof(text));
	/* Visits count from behind an implied build, so that one has to be written down. */
	snprintf(f->example[left], sizeof(f->example[left]), "%s\"%s\" in front of line %u",
		 block->builds ? "\"host: build\" and then " : "", text, line);
}

static void one_failure(struct failing *f, const struct template *tpl, u64 n)
{
	const struct mark *m = f->mark;
	struct lab_lines l;
	bool same = true, inside;
	enum lab_step step;
	u32 at, left;

	for (u32 i = 0; i < f->nr_marks && f->mark[i].visits[tpl - f->tpl] < n; i++)
		m = &f->mark[i];
	restore(f, m, tpl, n);
	l = m->l;
	at = m->at;
	inside = m->inside;
	step = failed_block(f, &l, inside, &same);
	while (goes_on(f->s, step) && lab_lines_next(&f->c->sc, f->c->nr_ops, &at, &l)) {
		if (l.kind == LAB_LINES_INJECT) {
			lab_session_inject(f->s, l.first);
		} else if (l.kind == LAB_LINES_ACTIONS) {
			inject_inside(f, &l);
			step = failed_block(f, &l, false, &same);
		}
	}
	left = judge(f, step, same);
	f->runs[tpl->kind]++;
	for (u32 i = 0; i < LEFTS; i++) {
		if (!(left & 1U << i))
			continue;
		f->left[tpl->kind][i]++;
		if (i >= LEFT_LOST)
			keep_example(f, (enum left)i, tpl, n);
	}
}

static void progress(const struct failing *f, u64 done, u64 all)
{
	const struct lab_compare_opts *opts = f->c->opts;

	if (!opts->progress)
		return;
	if (done == all)
		fputs("\r\033[K", opts->err);
	else if (done % 64 == 0)
		fprintf(opts->err, "\r%s: %llu of %llu runs", opts->policy[f->c->nr], done, all);
	fflush(opts->err);
}

static void all_failures(struct failing *f)
{
	u64 all = 0, done = 0;

	for (u32 i = 0; i < f->nr_tpl; i++)
		all += f->tpl[i].visits;
	for (u32 i = 0; i < f->nr_tpl; i++) {
		for (u64 n = 1; n <= f->tpl[i].visits; n++) {
			progress(f, done++, all);
			one_failure(f, &f->tpl[i], n);
		}
	}
	progress(f, all, all);
}

static void rows(struct failing *f)
{
	u32 col = f->c->nr;

	for (u32 k = 0; k < KINDS; k++) {
		if (k == BUSY && !f->c->opts->busy)
			continue;
		lab_table_num(f->t, col, LAB_SHOW_ALWAYS, kind_group[k], "runs", f->runs[k]);
		for (u32 i = 0; i < LEFTS; i++)
			lab_table_num(f->t, col, left_row[i].show, kind_group[k], left_row[i].name,
				      f->left[k][i]);
	}
	for (u32 i = LEFT_LOST; i < LEFTS; i++) {
		if (*f->example[i])
			lab_table_note(f->t, "%s: %s: for one, with %s", f->c->opts->policy[col],
				       left_row[i].name, f->example[i]);
	}
}

bool lab_column_fail_each(struct lab_column *c, struct lab_table *t)
{
	struct failing f = {.c = c, .t = t, .interval = IMAGE_INTERVAL};
	struct lab_opts opts = {.no_trace = true};
	char err[400];

	add_templates(&f);
	f.s = lab_session_new(&c->sc, &c->su, &opts, err, sizeof(err));
	if (!f.s) {
		fprintf(c->opts->err, "%s: %s: %s\n", c->opts->path, c->opts->policy[c->nr], err);
		free(f.tpl);
		return false;
	}
	rt_record_schedule(f.s->world, NULL);
	f.plain = lab_zalloc((c->nr_ops + 1) * sizeof(*f.plain));
	plain_run(&f);
	all_failures(&f);
	rows(&f);
	for (u32 i = 0; i < f.nr_marks; i++)
		drop_mark(&f.mark[i]);
	lab_session_free(f.s);
	free(f.plain);
	free(f.counter);
	free(f.tpl);
	return true;
}
