// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report by which two MMUs are compared (tdxsim diff-mmu): what each action came to, which
 * SEAMCALLs it made, and all tables after it. No address of host memory, no step and no time, since
 * those may differ where nothing does.
 */
#include "sim/lab/expect.h"
#include "sim/lab/expect_calls.h"
#include "sim/lab/run.h"
#include "sim/lab/words.h"
#include "tdx/inspect.h"

/* Entries of one kind that lie side by side. */
struct row {
	FILE *out;
	const char *table, *td; /* "sept" of which TD */
	const char *state;
	u32 level; /* as the module counts */
	u64 gpa, next, nr;
};

static void put_row(struct row *r)
{
	if (r->nr)
		fprintf(r->out, "%s%s%s 0x%llx %llu x %s %s\n", r->table, *r->td ? " " : "", r->td,
			r->gpa, r->nr, r->level < 3 ? lab_words_level[r->level] : "512G", r->state);
	r->nr = 0;
}

static void add_entry(struct row *r, u64 gpa, u32 level, const char *state)
{
	if (r->nr && (r->state != state || r->level != level || gpa != r->next))
		put_row(r);
	if (!r->nr) {
		r->gpa = gpa;
		r->level = level;
		r->state = state;
	}
	r->nr++;
	r->next = gpa + (1ULL << (12 + 9 * level));
}

static bool add_sept(void *ctx, u64 gpa, const struct seam_sept_view *v)
{
	add_entry(ctx, gpa, v->level, seam_sept_state_name(v->state));
	return true;
}

static bool add_spte(void *ctx, const struct kvm_spte_view *v)
{
	add_entry(ctx, v->gfn << 12, v->level - 1U,
		  v->frozen ? "frozen"
		  : v->leaf ? "leaf"
			    : "table");
	return true;
}

static void put_tables(const struct lab_run *run)
{
	const struct lab_machine *m = run->s->m;

	for (u32 t = 0; t < run->su.nr_tds; t++) {
		struct row r = {.out = run->opts->out, .td = run->su.td[t].name};
		const struct kvm *kvm = m->td[t].kvm;

		if (!kvm || m->td[t].destroyed)
			continue;
		r.table = "sept";
		seam_for_each_sept(m->seam, kvm_tdr(kvm), 0, 1ULL << 51, add_sept, &r);
		put_row(&r);
		r.table = "mirror";
		kvm_for_each_spte(kvm, true, 0, 1ULL << 39, add_spte, &r);
		put_row(&r);
		r.table = "shared";
		kvm_for_each_spte(kvm, false, 0, 1ULL << 39, add_spte, &r);
		put_row(&r);
	}
}

static void begin(struct lab_run *run)
{
	fprintf(run->opts->out, "file %s\n", run->path);
}

static void action(struct lab_run *run, u32 op)
{
	const struct lab_machine *m = run->s->m;
	FILE *out = run->opts->out;
	char text[4000];

	lab_print_op(&run->sc, &run->sc.ops[op], text, sizeof(text));
	fprintf(out, "action %u %s\n", run->sc.ops[op].line, text);
	lab_outcome_text(&run->sc.ops[op], &lab_result(run->s->m, op)->out, text, sizeof(text));
	fprintf(out, "outcome %s\n", text);
	lab_calls_text(m, m->parallel ? op : LAB_NO_OP, text, sizeof(text));
	fprintf(out, "calls %s\n", text);
	/* Of a parallel block the tables are those after all of it. */
	put_tables(run);
}

static void failed(struct lab_run *run, u32 op, u32 act, const char *seen)
{
	fprintf(run->opts->out, "expectation %u failed\n", run->sc.ops[op].line);
}

static void end(struct lab_run *run)
{
	FILE *out = run->opts->out;

	fprintf(out, "action 0 end\n");
	for (u32 i = 0; i < run->s->nr_broken; i++)
		fprintf(out, "broken %s\n", run->s->broken[i].rule);
	if (*run->s->stuck)
		fprintf(out, "stuck\n");
	fprintf(out, "verdict %d\n", run->verdict);
	fprintf(out, "entered %d\n", run->in_tree);
}

static void skipped(const struct lab_run *run, const char *why)
{
	fprintf(run->opts->out, "file %s\nskipped %s\n", run->path, why);
}

const struct lab_report lab_report_record = {begin, action, failed, end, NULL, skipped, NULL};
