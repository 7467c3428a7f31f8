// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of oracles and when each runs. The checks are in oracle_tables.c (mirror, S-EPT,
 * vCPUs), oracle_gmem.c (folios, attributes, host mappings) and oracle_books.c (PAMT counts, locks,
 * conservation, accounting).
 */
#include "sim/lab/oracle_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/lab/model.h"
#include "sim/lab/util.h"

static const struct lab_oracle_desc oracles[LAB_ORACLE_NR] = {
#define LAB_X(id, name, sources, when, text) {name, sources, LAB_WHEN_##when, text},
	LAB_ORACLES(LAB_X)
#undef LAB_X
};

/* NULL: reported by the code under test or by the reference model (model.c). */
static bool (*const checks[LAB_ORACLE_NR])(struct lab_check *c) = {
	[LAB_ORACLE_MIRROR] = lab_check_mirror,
	[LAB_ORACLE_BLOCKED] = lab_check_blocked,
	[LAB_ORACLE_FROZEN] = lab_check_frozen,
	[LAB_ORACLE_RWX] = lab_check_rwx,
	[LAB_ORACLE_CONGRUENT] = lab_check_congruent,
	[LAB_ORACLE_INHIBIT_HUGE] = lab_check_inhibit_huge,
	[LAB_ORACLE_INHIBIT_STAYS] = lab_check_inhibit_stays,
	[LAB_ORACLE_STATS] = lab_check_stats,
	[LAB_ORACLE_SEPT_FLAG] = lab_check_sept_flag,
	[LAB_ORACLE_REFUSED] = lab_check_refused,
	[LAB_ORACLE_LPAGE] = lab_check_lpage,
	[LAB_ORACLE_MIXED] = lab_check_mixed,
	[LAB_ORACLE_OWNER] = lab_check_owner,
	[LAB_ORACLE_FOLIO] = lab_check_folio,
	[LAB_ORACLE_SHARED_LEAF] = lab_check_shared_leaf,
	[LAB_ORACLE_HOST_PRIVATE] = lab_check_host_private,
	[LAB_ORACLE_SHARED_4K] = lab_check_shared_4k,
	[LAB_ORACLE_ATTR_TREE] = lab_check_attr_tree,
	[LAB_ORACLE_INVALIDATE] = lab_check_invalidate,
	[LAB_ORACLE_POISON] = lab_check_poison,
	[LAB_ORACLE_CONVERT] = lab_check_convert,
	[LAB_ORACLE_IN_PLACE] = lab_check_in_place,
	[LAB_ORACLE_OVERZAP] = lab_check_overzap,
	[LAB_ORACLE_MERGED] = lab_check_merged,
	[LAB_ORACLE_MAX_ORDER] = lab_check_max_order,
	[LAB_ORACLE_FOLIOS] = lab_check_folio_books,
	[LAB_ORACLE_PAMT_COUNT] = lab_check_pamt_count,
	[LAB_ORACLE_STALE] = lab_check_stale,
	[LAB_ORACLE_DEAD] = lab_check_dead,
	[LAB_ORACLE_UNBLOCK] = lab_check_unblock,
	[LAB_ORACLE_DEMOTE] = lab_check_demote,
	[LAB_ORACLE_LOCKS] = lab_check_locks,
	[LAB_ORACLE_MODULE] = lab_check_module,
	[LAB_ORACLE_ACCOUNTED] = lab_check_accounted,
};

/* Of the machine as a whole, not of each TD. */
static bool of_machine(u32 i)
{
	return i == LAB_ORACLE_STATS || i == LAB_ORACLE_PAMT_COUNT || i == LAB_ORACLE_UNBLOCK ||
	       i == LAB_ORACLE_DEMOTE || i == LAB_ORACLE_LOCKS || i == LAB_ORACLE_MODULE;
}

const struct lab_oracle_desc *lab_oracle_desc(u32 i)
{
	return i < LAB_ORACLE_NR ? &oracles[i] : NULL;
}

const char *lab_oracle_name(u32 i)
{
	return i < LAB_ORACLE_NR ? oracles[i].name : NULL;
}

bool lab_broken(struct lab_check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool collect_spte(void *ctx, const struct kvm_spte_view *v)
{
	struct lab_check *c = ctx;

	c->mirror = lab_grow(c->mirror, &c->cap_mirror, c->nr_mirror + 1, sizeof(*c->mirror));
	c->mirror[c->nr_mirror++] = *v;
	return true;
}

static bool collect_sept(void *ctx, u64 gpa, const struct seam_sept_view *v)
{
	struct lab_check *c = ctx;

	c->sept = lab_grow(c->sept, &c->cap_sept, c->nr_sept + 1, sizeof(*c->sept));
	c->sept[c->nr_sept++] = (struct lab_sept_entry){gpa, *v};
	return true;
}

/* Whether rules about tables still count: they end with the VM, and with a SEAMCALL past KVM. */
static bool tables_count(const struct lab_td *td)
{
	return td->kvm && !td->destroyed && !td->tainted && !kvm_is_bugged(td->kvm);
}

/* Of a TD that is gone they still count if it went as it should: else something of it was left. */
static bool all_tables_count(struct lab_machine *m)
{
	for (u32 t = 0; t < m->su->nr_tds; t++) {
		const struct lab_td *td = &m->td[t];

		if (td->kvm ? !tables_count(td) : td->tainted || td->was_bugged)
			return false;
	}
	return true;
}

typedef void broke_fn(void *ctx, const char *rule, const char *text);

static void check_td(struct lab_machine *m, struct lab_td *td, broke_fn *broke, void *ctx)
{
	struct lab_check c = {.m = m, .td = td};
	bool tables = tables_count(td);
	u64 gfns = 1ULL << 40;
	const char *rule;

	if (tables) {
		kvm_for_each_spte(td->kvm, true, 0, gfns, collect_spte, &c);
		seam_for_each_sept(m->seam, kvm_tdr(td->kvm), 0, gfns << 12, collect_sept, &c);
	}
	for (u32 i = 0; i < LAB_ORACLE_NR; i++) {
		bool now =
			oracles[i].when == LAB_WHEN_Q || (oracles[i].when == LAB_WHEN_T && tables);

		if (now && checks[i] && !of_machine(i) && !checks[i](&c))
			broke(ctx, oracles[i].name, c.why);
	}
	/* The model forgets what went with the VM, but says nothing about it. */
	rule = lab_model_settle(m, td, c.why, sizeof(c.why));
	if (rule && tables)
		broke(ctx, rule, c.why);
	free(c.mirror);
	free(c.sept);
}

void lab_oracles_quiet(struct lab_machine *m, broke_fn *broke, void *ctx)
{
	struct lab_check c = {.m = m};
	bool tables = all_tables_count(m);

	for (u32 t = 0; t < m->su->nr_tds; t++) {
		if (m->td[t].kvm)
			check_td(m, &m->td[t], broke, ctx);
	}
	lab_seen_note(m);
	for (u32 i = 0; i < LAB_ORACLE_NR; i++) {
		bool now =
			oracles[i].when == LAB_WHEN_Q || (oracles[i].when == LAB_WHEN_T && tables);

		if (now && of_machine(i) && !checks[i](&c))
			broke(ctx, oracles[i].name, c.why);
	}
}

void lab_oracles_end(struct lab_machine *m, broke_fn *broke, void *ctx)
{
	struct lab_check c = {.m = m};

	for (u32 i = 0; i < LAB_ORACLE_NR; i++) {
		if (oracles[i].when == LAB_WHEN_E && !checks[i](&c))
			broke(ctx, oracles[i].name, c.why);
	}
}
