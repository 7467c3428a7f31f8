// SPDX-License-Identifier: GPL-2.0-only
/*
 * "--policy TEXT" over a scenario: profiles, series and single switches take the place of what the
 * file says about them. What the switches do is written where the floors below branch on them.
 *
 *   V3, SEAN_2026 ...   a profile of guest_memfd: all its switches, on every gmem line
 *   v3, v5              a series of KVM: the switches that it has a word on
 *   KEY=VALUE           one switch of a gmem or kvm line, or "hvo", "backing", "tdx_huge_page" ...
 *   SECTION.KEY=VALUE   as --set of "tdxsim run"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gmem/gmem.h"
#include "sim/lab/compare_int.h"
#include "sim/lab/setup.h"
#include "sim/lab/util.h"
#include "sim/lab/words.h"

struct policy_text {
	struct lab_scenario *sc;
	struct lab_source src;
	struct lab_diag *d;
};

static void wrong(const struct policy_text *p, const char *at, size_t len, const char *expected,
		  const char *near)
{
	lab_diag_at(p->d, &p->src, 1, (u32)(at - p->src.text) + 1, (u32)len,
		    "found \"%.*s\", expected %s%s%s%s", (int)len, at, expected,
		    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static enum lab_op_kind line_of(u32 table)
{
	return table == LAB_POLICY_KVM ? LAB_OP_KVM : LAB_OP_GMEM;
}

/* Take the switches that @drop names off every line of @table: something else decides them now. */
static void cut(struct lab_scenario *sc, u32 table, bool (*drop)(const char *key, const char *arg),
		const char *arg)
{
	int f = lab_field_find(&lab_specs[line_of(table)], "POLICY=VALUE", 12);

	for (u32 i = 0; i < sc->nr_ops; i++) {
		struct lab_val *v = &sc->ops[i].v[f];
		u32 n = 0;

		if (sc->ops[i].kind != line_of(table))
			continue;
		for (u32 k = 0; k < v->ref; k++) {
			const struct lab_policy *pol = &sc->policies[v->num + k];

			if (!drop(lab_policy_key(table, pol->key), arg))
				sc->policies[v->num + n++] = *pol;
		}
		v->ref = n;
	}
}

static bool any_key(const char *key, const char *arg)
{
	return true;
}

/* A key of the kvm line that is a profile's business too. */
static bool shared_key(const char *key, const char *arg)
{
	for (u32 i = 0; gmem_aliases[i].gmem_key; i++) {
		if (!strcmp(gmem_aliases[i].kvm_key, key))
			return true;
	}
	return false;
}

static bool series_key(const char *key, const char *arg)
{
	return kvm_policy_in_series(key);
}

/* The other spelling of the switch @arg. */
static bool kvm_twin(const char *key, const char *arg)
{
	for (u32 i = 0; gmem_aliases[i].gmem_key; i++) {
		if (!strcmp(gmem_aliases[i].gmem_key, arg) && !strcmp(gmem_aliases[i].kvm_key, key))
			return true;
	}
	return false;
}

static bool gmem_twin(const char *key, const char *arg)
{
	for (u32 i = 0; gmem_aliases[i].gmem_key; i++) {
		if (!strcmp(gmem_aliases[i].kvm_key, arg) && !strcmp(gmem_aliases[i].gmem_key, key))
			return true;
	}
	return false;
}

static const char *series_name(u32 i)
{
	int row = policy_find(kvm_policies, "series");

	return row >= 0 && i < POLICY_VALUES_MAX ? kvm_policies[row].values[i] : NULL;
}

static const char *next_bundle(const void *ctx, u32 i)
{
	u32 n = 0;

	while (gmem_profile_name(n))
		n++;
	return i < n ? gmem_profile_name(i) : series_name(i - n);
}

static void set(struct policy_text *p, const char *section, const char *key, const char *value)
{
	char text[256];

	snprintf(text, sizeof(text), "%s.%s=%s", section, key, value);
	lab_parse_set(p->sc, text, p->d);
}

static bool apply_bundle(struct policy_text *p, const char *name)
{
	u8 scratch[GMEM_POLICIES_MAX];

	if (gmem_profile(name, scratch)) {
		cut(p->sc, LAB_POLICY_GMEM, any_key, NULL);
		cut(p->sc, LAB_POLICY_KVM, shared_key, NULL);
		set(p, "gmem", "profile", name);
		return true;
	}
	for (u32 i = 0; series_name(i); i++) {
		if (strcmp(series_name(i), name))
			continue;
		cut(p->sc, LAB_POLICY_KVM, series_key, NULL);
		set(p, "kvm", "series", name);
		return true;
	}
	return false;
}

/* Place of a key among the policies of @table, -1 if it is none. */
static int policy_key(u32 table, const char *key)
{
	const char *w;

	for (u32 i = 0; (w = lab_policy_key(table, i)); i++) {
		if (!strcmp(w, key))
			return (int)i;
	}
	return -1;
}

static bool policy_value(u32 table, int key, const char *value)
{
	const char *w;

	for (u32 i = 0; key >= 0 && (w = lab_policy_value(table, (u32)key, i)); i++) {
		if (!strcmp(w, value))
			return true;
	}
	return false;
}

/* A key of the line that is no policy: hvo, backing, tdx_huge_page. */
static bool plain_key(u32 table, const char *key)
{
	const struct lab_field *f = lab_specs[line_of(table)].field;

	for (; f->type != LAB_T_END; f++) {
		if (f->form == LAB_KEY && !strcmp(f->key, key))
			return true;
	}
	return false;
}

/* All keys of both lines, for the nearest word. */
static const char *next_key(const void *ctx, u32 i)
{
	u32 n = 0;

	for (u32 table = 0; table < LAB_POLICY_NR; table++) {
		const struct lab_field *f = lab_specs[line_of(table)].field;

		for (; f->type != LAB_T_END; f++) {
			if (f->form == LAB_KEY && n++ == i)
				return f->key;
		}
		for (u32 k = 0; lab_policy_key(table, k); k++) {
			if (n++ == i)
				return lab_policy_key(table, k);
		}
	}
	return NULL;
}

/* The values of a key in both tables. */
static const char *next_value(const void *ctx, u32 i)
{
	u32 n = 0;

	for (u32 table = 0; table < LAB_POLICY_NR; table++) {
		int key = policy_key(table, ctx);
		const char *w;

		for (u32 k = 0; key >= 0 && (w = lab_policy_value(table, (u32)key, k)); k++) {
			if (n++ == i)
				return w;
		}
	}
	return NULL;
}

/* A policy of @table: the file's word on it, under either name, goes. */
static void apply_policy(struct policy_text *p, u32 table, const char *key, const char *value)
{
	bool gmem = table == LAB_POLICY_GMEM;

	cut(p->sc, gmem ? LAB_POLICY_KVM : LAB_POLICY_GMEM, gmem ? kvm_twin : gmem_twin, key);
	set(p, gmem ? "gmem" : "kvm", key, value);
}

/* "KEY=VALUE"; @at is where it stands in the text. */
static void apply_switch(struct policy_text *p, const char *at, const char *key, const char *value)
{
	size_t len = strlen(key);
	bool known = false;

	for (u32 table = LAB_POLICY_NR; table--;) {
		int row = policy_key(table, key);

		known |= row >= 0;
		if (plain_key(table, key)) {
			set(p, table == LAB_POLICY_GMEM ? "gmem" : "kvm", key, value);
			return;
		}
		if (!policy_value(table, row, value))
			continue;
		if (!apply_bundle(p, row == LAB_POLICY_BUNDLE ? value : ""))
			apply_policy(p, table, key, value);
		return;
	}
	if (known)
		wrong(p, at + len + 1, strlen(value),
		      "a value of this policy (tdxsim list policies)",
		      lab_nearest(value, strlen(value), next_value, key));
	else
		wrong(p, at, len, "a policy (tdxsim list policies)",
		      lab_nearest(key, len, next_key, NULL));
}

static void apply_item(struct policy_text *p, const char *at, size_t len)
{
	char item[200], *eq;

	snprintf(item, sizeof(item), "%.*s", (int)len, at);
	eq = strchr(item, '=');
	if (!len || len >= sizeof(item)) {
		wrong(p, at, len < 40 ? len : 40, "a profile, a series or KEY=VALUE", NULL);
	} else if (!eq) {
		if (!apply_bundle(p, item))
			wrong(p, at, len, "a profile, a series or KEY=VALUE (tdxsim list policies)",
			      lab_nearest(item, len, next_bundle, NULL));
	} else if (memchr(item, '.', (size_t)(eq - item))) {
		lab_parse_set(p->sc, item, p->d);
	} else {
		*eq = 0;
		apply_switch(p, at, item, eq + 1);
	}
}

u32 lab_policy_apply(struct lab_scenario *sc, const char *text, struct lab_diag *d)
{
	struct policy_text p = {sc, {"--policy", text, strlen(text)}, d};
	u32 before = d->errors;
	const char *at = text;

	for (;;) {
		size_t len = strcspn(at, ",");

		apply_item(&p, at, len);
		if (!at[len])
			return d->errors - before;
		at += len + 1;
	}
}
