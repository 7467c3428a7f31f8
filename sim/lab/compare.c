// SPDX-License-Identifier: GPL-2.0-only
/*
 * Columns one after the other, the rows on what they are, and the verdict over all of them.
 */
#include "sim/lab/compare.h"

#include <stdlib.h>
#include <string.h>

#include "sim/lab/compare_int.h"
#include "sim/lab/util.h"
#include "sim/lab/words.h"

/* The scenario again for each column: policies change its set-up. */
static u32 read_column(struct lab_column *c, const struct lab_source *src, struct lab_diag *d)
{
	u32 errors;

	lab_scenario_init(&c->sc);
	errors = lab_parse(&c->sc, src, d);
	if (!errors)
		errors = lab_policy_apply(&c->sc, c->opts->policy[c->nr], d);
	if (!errors)
		errors = lab_setup_resolve(&c->sc, &c->su, d);
	c->nr_ops = c->sc.nr_ops;
	c->held = lab_zalloc(c->nr_ops + 1);
	return errors;
}

/* Switches that both have are shown once, as guest_memfd's. */
static bool shown_as_gmem(const char *kvm_key)
{
	for (u32 i = 0; gmem_aliases[i].gmem_key; i++) {
		if (!strcmp(gmem_aliases[i].kvm_key, kvm_key) &&
		    policy_find(gmem_policies, gmem_aliases[i].gmem_key) >= 0)
			return true;
	}
	return false;
}

/* The file of a region that no slot of the text covers: nobody's policy is about it. */
static bool for_region(const struct lab_setup *su, u32 gmem)
{
	for (u32 i = 0; i < su->nr_slots; i++) {
		if (su->slot[i].gmem == gmem && su->slot[i].made_for_region)
			return true;
	}
	return false;
}

static void setup_row(struct lab_table *t, const struct lab_column *c, const char *name,
		      const char *value)
{
	lab_table_text(t, c->nr, LAB_SHOW_DIFFER, "policies", name, value);
}

static void policy_rows(struct lab_table *t, const struct lab_column *c)
{
	const struct policy_desc *row;

	setup_row(t, c, "module profile", c->su.profile);
	setup_row(t, c, "module dynamic_pamt", c->su.dynamic_pamt ? "on" : "off");
	setup_row(t, c, "kvm tdx_huge_page", c->su.tdx_huge_page ? "on" : "off");
	for (u32 g = 0; g < c->su.nr_gmems; g++) {
		const struct lab_gmem_setup *gmem = &c->su.gmem[g];
		char name[96];

		if (for_region(&c->su, g))
			continue;
		for (u32 i = 0; gmem_policies[i].key; i++) {
			row = &gmem_policies[i];
			snprintf(name, sizeof(name), "gmem %s %s", gmem->name, row->key);
			setup_row(t, c, name, row->values[gmem->gmem.policy[i]]);
		}
		snprintf(name, sizeof(name), "gmem %s hvo", gmem->name);
		setup_row(t, c, name, gmem->gmem.hvo ? "on" : "off");
		snprintf(name, sizeof(name), "gmem %s backing", gmem->name);
		setup_row(t, c, name, lab_words_backing[gmem->gmem.backing]);
	}
	for (u32 i = 0; kvm_policies[i].key; i++) {
		char name[96];

		row = &kvm_policies[i];
		if (shown_as_gmem(row->key))
			continue;
		snprintf(name, sizeof(name), "kvm %s", row->key);
		setup_row(t, c, name, row->values[c->su.kvm_policy[i]]);
	}
}

/* What happened under every policy, the worst of it; the expectations that held nowhere. */
static enum lab_verdict common(const struct lab_column *c, u32 nr)
{
	enum lab_verdict v = LAB_HELD;
	u32 met = ~0U;

	for (u32 i = 0; i < nr; i++)
		met &= c[i].met;
	for (u32 k = LAB_FAILED; k <= LAB_NO_PROGRESS; k++) {
		if (k != LAB_FAILED && met & 1U << k)
			v = lab_worse(v, (enum lab_verdict)k);
	}
	for (u32 i = 0; i < c[0].nr_ops; i++) {
		bool held = !lab_op_is_expect(&c[0].sc.ops[i]) ||
			    c[0].sc.ops[i].kind == LAB_OP_EXP_VIOLATION;

		/* A policy may have put a set-up line in front of all others. */
		for (u32 k = 0; k < nr && !held; k++)
			held = c[k].held[c[k].nr_ops - c[0].nr_ops + i];
		if (!held)
			v = lab_worse(v, LAB_FAILED);
	}
	return v;
}

static enum lab_verdict run_columns(struct lab_column *c, const struct lab_compare_opts *opts)
{
	struct lab_table t = {.nr_columns = opts->nr_policies, .only_differing = opts->differences};
	enum lab_verdict v = LAB_HELD;
	char setup[300] = "in order";

	if (opts->nr_policies == 1)
		lab_setup_describe(&c[0].su, setup, sizeof(setup));
	for (u32 i = 0; i < opts->nr_policies; i++) {
		t.column[i] = opts->policy[i];
		policy_rows(&t, &c[i]);
	}
	for (u32 i = 0; i < opts->nr_policies && v == LAB_HELD; i++) {
		if (!lab_column_run(&c[i], &t) ||
		    (opts->fail_each && !lab_column_fail_each(&c[i], &t)))
			v = LAB_BAD_INPUT;
	}
	if (v == LAB_HELD) {
		lab_table_print(&t, opts, setup);
		v = common(c, opts->nr_policies);
	}
	lab_table_free(&t);
	return v;
}

enum lab_verdict lab_compare(const struct lab_compare_opts *opts)
{
	struct lab_column *c = lab_zalloc(opts->nr_policies * sizeof(*c));
	struct lab_diag d = {opts->err, 0};
	enum lab_verdict v = LAB_BAD_INPUT;
	struct lab_source src;
	char *text = lab_source_read(opts->path, &src, &d);
	u32 errors = !text, nr = 0;

	/* Every policy's mistakes, but a scenario's only once. */
	for (; text && nr < opts->nr_policies && !(errors && nr == 1); nr++) {
		c[nr].nr = nr;
		c[nr].opts = opts;
		errors += read_column(&c[nr], &src, &d);
	}
	if (!errors)
		v = run_columns(c, opts);
	for (u32 i = 0; i < nr; i++) {
		lab_scenario_free(&c[i].sc);
		free(c[i].held);
	}
	free(c);
	free(text);
	return v;
}
