// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two runs side by side: what each showed the guest, where they differ, and what explains it.
 */
#include "sim/lab/diff.h"

#include <stdlib.h>
#include <string.h>

#include "sim/lab/compare_int.h"
#include "sim/lab/model.h"
#include "sim/lab/util.h"
#include "sim/rt/world.h"

#define RULE "guest-sees-same"
/* Pages of a slot that are looked at at the end. */
#define PAGES_MAX 2048U

struct lab_diff {
	char *text[2];
};

static char *with_commas(const char *text)
{
	char *copy = lab_strdup(text);

	for (char *c = copy; *c; c++)
		*c = *c == '+' ? ',' : *c;
	return copy;
}

struct lab_diff *lab_diff_new(const char *a, const char *b, FILE *err)
{
	struct lab_diff *d = lab_zalloc(sizeof(*d));
	struct lab_diag diag = {err, 0};
	u32 errors = 0;

	d->text[0] = with_commas(a);
	d->text[1] = with_commas(b);
	for (u32 i = 0; i < 2; i++) {
		struct lab_scenario sc;

		lab_scenario_init(&sc);
		errors += lab_policy_apply(&sc, d->text[i], &diag);
		lab_scenario_free(&sc);
	}
	if (!errors)
		return d;
	lab_diff_free(d);
	return NULL;
}

void lab_diff_free(struct lab_diff *d)
{
	if (!d)
		return;
	free(d->text[0]);
	free(d->text[1]);
	free(d);
}

/* ---- one side ---- */

struct page {
	u32 td;
	u64 gpa;
	bool private, accepted;
};

struct word {
	u32 td;
	u64 gpa, val;
	bool shared;
};

struct side {
	struct lab_scenario sc; /* in order, under the side's design */
	struct lab_setup su;
	u32 *from;		 /* place of an operation in the scenario that was given */
	struct lab_outcome *out; /* by operation */
	struct page *page;
	u32 nr_pages, cap_pages;
	struct word *word;
	u32 nr_words, cap_words;
	bool lost; /* more than was asked for was taken from the guest */
	bool dead;
	struct lab_fate fate;
};

static bool is_left_out(const struct lab_op *op)
{
	return op->kind == LAB_OP_PARALLEL || op->kind == LAB_OP_PARALLEL_END ||
	       op->kind == LAB_OP_CHOOSER || op->kind == LAB_OP_SCHEDULE || lab_op_is_expect(op);
}

/* A list of its own: laying policies over it changes lines and pools. */
static void copy_in_order(struct side *x, const struct lab_scenario *sc)
{
	lab_scenario_init(&x->sc);
	for (u32 i = 0; i < sc->nr_ops; i++) {
		char text[700];

		if (is_left_out(&sc->ops[i]))
			continue;
		lab_print_op(sc, &sc->ops[i], text, sizeof(text));
		lab_parse_line(&x->sc, text, &(struct lab_diag){NULL, 0});
	}
}

/* Policies put set-up lines in front: what the operations are of the given list. */
static void map_places(struct side *x, const struct lab_scenario *sc)
{
	u32 at = 0;

	x->from = lab_zalloc((x->sc.nr_ops + 1) * sizeof(*x->from));
	x->out = lab_zalloc((x->sc.nr_ops + 1) * sizeof(*x->out));
	for (u32 i = 0; i < x->sc.nr_ops; i++) {
		if (lab_op_is_setup(&x->sc.ops[i]))
			continue;
		while (at < sc->nr_ops &&
		       (is_left_out(&sc->ops[at]) || lab_op_is_setup(&sc->ops[at])))
			at++;
		x->from[i] = at++;
	}
}

static void note_pages(struct side *x, struct lab_session *s)
{
	for (u32 i = 0; i < s->su->nr_slots; i++) {
		const struct lab_slot_setup *slot = &s->su->slot[i];
		struct lab_td *td = &s->m->td[slot->td];
		u64 pages = slot->size >> 12;

		/* Behind a closed file there are no pages. */
		if (!td->kvm || !s->m->slot_in[i] || !s->m->file[slot->gmem])
			continue;
		for (u64 n = 0; n < pages && n < PAGES_MAX; n++) {
			u64 gpa = slot->gpa + (n << 12);

			x->page =
				lab_grow(x->page, &x->cap_pages, x->nr_pages + 1, sizeof(*x->page));
			x->page[x->nr_pages++] =
				(struct page){slot->td, gpa, lab_is_private(s->m, td, gpa),
					      lab_model_is_accepted(td->model, gpa)};
		}
	}
}

static void note_words(struct side *x, struct lab_session *s)
{
	for (u32 t = 0; t < s->su->nr_tds; t++) {
		struct word w = {.td = t};

		for (u32 i = 0; lab_model_word(s->m->td[t].model, i, &w.gpa, &w.shared, &w.val);
		     i++) {
			x->word =
				lab_grow(x->word, &x->cap_words, x->nr_words + 1, sizeof(*x->word));
			x->word[x->nr_words++] = w;
		}
	}
}

static void look(void *ctx, struct lab_session *s, u32 first, u32 nr)
{
	struct side *x = ctx;

	rt_world_enter(s->world);
	for (u32 i = first; i < first + nr; i++) {
		if (lab_op_is_action(&s->sc->ops[i]))
			x->out[i] = lab_result(s->m, i)->out;
	}
	x->lost |= s->m->reaccept_pages > 0;
	for (u32 t = 0; t < s->su->nr_tds; t++) {
		const struct kvm *kvm = s->m->td[t].kvm;

		x->dead |=
			s->m->td[t].was_bugged || (kvm && (kvm_is_bugged(kvm) || kvm_is_dead(kvm)));
	}
	if (nr)
		return;
	note_pages(x, s);
	note_words(x, s);
}

static void free_side(struct side *x)
{
	lab_scenario_free(&x->sc);
	free(x->from);
	free(x->out);
	free(x->page);
	free(x->word);
}

/* False: the design does not go with this scenario. */
static bool run_side(struct side *x, const char *policy, struct lab_runner *r,
		     const struct lab_scenario *sc)
{
	struct lab_diag quiet = {NULL, 0};

	copy_in_order(x, sc);
	if (lab_policy_apply(&x->sc, policy, &quiet) || lab_setup_resolve(&x->sc, &x->su, &quiet))
		return false;
	map_places(x, sc);
	return lab_runner_once(r, &x->sc, &x->su, NULL, look, x, &x->fate);
}

/* ---- the comparison ---- */

struct excused {
	u32 td;
	u64 gpa, end;
};

struct differ {
	const struct lab_diff *d;
	struct side *a, *b;
	struct excused *excused;
	u32 nr_excused, cap_excused;
	bool all_excused;
	struct lab_fate *fate;
};

static void differs(struct differ *x, u32 op, const char *what, u64 gpa, const char *in_a,
		    const char *in_b)
{
	struct lab_fate *f = x->fate;

	if (f->verdict != LAB_HELD)
		return;
	f->verdict = LAB_VIOLATED;
	f->op = op;
	snprintf(f->rule, sizeof(f->rule), RULE);
	snprintf(f->text, sizeof(f->text), "%s at 0x%llx is %s under %s and %s under %s", what, gpa,
		 in_a, x->d->text[0], in_b, x->d->text[1]);
}

static bool is_excused(const struct differ *x, u32 td, u64 gpa)
{
	for (u32 i = 0; i < x->nr_excused; i++) {
		const struct excused *e = &x->excused[i];

		if (e->td == td && gpa >= e->gpa && gpa < e->end)
			return true;
	}
	return x->all_excused;
}

/* The range of an action that ended otherwise. Around it a page can be taken along: by blocks. */
static void excuse(struct differ *x, const struct side *s, const struct lab_op *op)
{
	u32 td;
	u64 block = 2ULL << 20, gpa, size = 4096;

	if (lab_field_find(&lab_specs[op->kind], "GPA", 3) < 0) {
		x->all_excused = true;
		return;
	}
	gpa = lab_op_gpa(&s->sc, &s->su, op, "GPA", &td);
	if (lab_field_find(&lab_specs[op->kind], "SIZE", 4) >= 0)
		size = lab_num(op, "SIZE", size);
	x->excused = lab_grow(x->excused, &x->cap_excused, x->nr_excused + 1, sizeof(*x->excused));
	x->excused[x->nr_excused++] =
		(struct excused){td, gpa & ~(block - 1), (gpa + size + block - 1) & ~(block - 1)};
}

static bool same_end(const struct lab_outcome *a, const struct lab_outcome *b)
{
	return a->ok == b->ok && a->ve == b->ve && a->exited == b->exited && a->err == b->err &&
	       a->injected == b->injected;
}

/* The n-th operation that is no set-up, of both. */
static u32 next_op(const struct side *x, u32 i)
{
	while (i < x->sc.nr_ops && lab_op_is_setup(&x->sc.ops[i]))
		i++;
	return i;
}

static void compare_actions(struct differ *x)
{
	u32 i = next_op(x->a, 0), j = next_op(x->b, 0);

	for (; i < x->a->sc.nr_ops && j < x->b->sc.nr_ops;
	     i = next_op(x->a, i + 1), j = next_op(x->b, j + 1)) {
		const struct lab_op *op = &x->a->sc.ops[i];
		const struct lab_outcome *oa = &x->a->out[i], *ob = &x->b->out[j];
		u32 td = lab_setup_td(&x->a->sc, &x->a->su, op->td);
		char va[40], vb[40];
		u64 gpa;

		/* Where a fault hits depends on which calls a design makes. */
		x->all_excused |= lab_op_is_inject(op);
		if (!lab_op_is_action(op))
			continue;
		if (!same_end(oa, ob)) {
			excuse(x, x->a, op);
			continue;
		}
		if (op->kind != LAB_OP_READ && op->kind != LAB_OP_HOST_READ)
			continue;
		gpa = lab_op_gpa(&x->a->sc, &x->a->su, op, "GPA", &td);
		if (!oa->has_value || oa->value == ob->value || is_excused(x, td, gpa))
			continue;
		snprintf(va, sizeof(va), "0x%llx", oa->value);
		snprintf(vb, sizeof(vb), "0x%llx", ob->value);
		differs(x, x->a->from[i], "what is read", gpa, va, vb);
	}
}

/* The same page of the other side, which has its pages in the same order; @at moves behind it. */
static const struct page *same_page(const struct side *x, const struct page *p, u32 *at)
{
	for (u32 i = *at; i < x->nr_pages; i++) {
		if (x->page[i].td != p->td || x->page[i].gpa != p->gpa)
			continue;
		*at = i + 1;
		return &x->page[i];
	}
	return NULL;
}

static void compare_page(struct differ *x, const struct page *a, const struct page *b)
{
	bool lost = x->a->lost || x->b->lost;

	if (!b)
		differs(x, LAB_NO_OP, "the page", a->gpa, "there", "not there");
	else if (a->private != b->private)
		differs(x, LAB_NO_OP, "the page", a->gpa, a->private ? "private" : "shared",
			b->private ? "private" : "shared");
	else if (a->accepted != b->accepted && !lost)
		differs(x, LAB_NO_OP, "the page", a->gpa, a->accepted ? "accepted" : "not accepted",
			b->accepted ? "accepted" : "not accepted");
}

static void compare_pages(struct differ *x)
{
	u32 at = 0;

	for (u32 i = 0; i < x->a->nr_pages; i++) {
		const struct page *a = &x->a->page[i], *b = same_page(x->b, a, &at);

		if (!is_excused(x, a->td, a->gpa))
			compare_page(x, a, b);
	}
}

static const struct word *same_word(const struct side *x, const struct word *w)
{
	for (u32 i = 0; i < x->nr_words; i++) {
		const struct word *o = &x->word[i];

		if (o->td == w->td && o->gpa == w->gpa && o->shared == w->shared)
			return o;
	}
	return NULL;
}

/* Words that both sides know; one that only one knows was lost, and that is said by its page. */
static void compare_words(struct differ *x)
{
	for (u32 i = 0; i < x->a->nr_words; i++) {
		const struct word *a = &x->a->word[i], *b = same_word(x->b, a);
		char va[40], vb[40];

		if (!b || a->val == b->val || is_excused(x, a->td, a->gpa))
			continue;
		snprintf(va, sizeof(va), "0x%llx", a->val);
		snprintf(vb, sizeof(vb), "0x%llx", b->val);
		differs(x, LAB_NO_OP, "memory", a->gpa, va, vb);
	}
}

static void compare(struct differ *x)
{
	bool over = x->a->fate.verdict != LAB_HELD || x->b->fate.verdict != LAB_HELD ||
		    x->a->dead || x->b->dead;

	if (over)
		return;
	compare_actions(x);
	compare_pages(x);
	compare_words(x);
	free(x->excused);
}

bool lab_diff_run(const struct lab_diff *d, struct lab_runner *r, const struct lab_scenario *sc,
		  struct lab_fate *fate)
{
	struct side *a = lab_zalloc(sizeof(*a)), *b = lab_zalloc(sizeof(*b));
	struct differ x = {.d = d, .a = a, .b = b, .fate = fate};

	*fate = (struct lab_fate){.op = LAB_NO_OP, .doing = LAB_NO_OP};
	if (run_side(a, d->text[0], r, sc) && run_side(b, d->text[1], r, sc))
		compare(&x);
	fate->steps = a->fate.steps + b->fate.steps;
	free_side(a);
	free_side(b);
	free(a);
	free(b);
	return true;
}
