// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies of a set-up: bundles first, single keys over them, and the switches that KVM and
 * guest_memfd both have a word for. What a policy does is written where the code below branches on
 * it.
 */
#include <string.h>

#include "mmu/kvm_policy.h"
#include "sim/lab/setup_int.h"
#include "sim/lab/words.h"

#define GMEM_DEFAULT_PROFILE "SEAN_2026"

void lab_gmem_policy_defaults(struct lab_gmem_setup *g)
{
	for (u32 i = 0; gmem_policies[i].key; i++)
		g->gmem.policy[i] = (u8)gmem_policies[i].def;
	gmem_profile(GMEM_DEFAULT_PROFILE, g->gmem.policy);
}

/* The policies of a line: @first those that name a bundle, then the others. */
static const struct lab_policy *line_policy(const struct lab_resolver *r, const struct lab_op *op,
					    u32 i)
{
	const struct lab_val *v = lab_get(op, "POLICY=VALUE");

	return i < v->ref ? &r->sc->policies[v->num + i] : NULL;
}

void lab_setup_kvm_policy(struct lab_resolver *r, const struct lab_op *op)
{
	struct lab_setup *su = r->su;
	const struct lab_policy *p;

	kvm_policy_defaults(su->kvm_policy);
	su->tdx_huge_page = !op || lab_num(op, "tdx_huge_page", 1);
	for (u32 i = 0; op && (p = line_policy(r, op, i)); i++) {
		if (p->key == LAB_POLICY_BUNDLE)
			kvm_policy_series(lab_policy_value(p->table, p->key, p->value),
					  su->kvm_policy);
	}
	for (u32 i = 0; op && (p = line_policy(r, op, i)); i++) {
		int row = lab_policy_row(p->table, p->key);

		if (row >= 0)
			su->kvm_policy[row] = (u8)p->value;
	}
}

void lab_setup_gmem_policy(struct lab_resolver *r, const struct lab_op *op,
			   struct lab_gmem_setup *g)
{
	const struct lab_policy *p;

	for (u32 i = 0; (p = line_policy(r, op, i)); i++) {
		if (p->key == LAB_POLICY_BUNDLE)
			gmem_profile(lab_policy_value(p->table, p->key, p->value), g->gmem.policy);
	}
	for (u32 i = 0; (p = line_policy(r, op, i)); i++) {
		int row = lab_policy_row(p->table, p->key);

		if (row >= 0)
			g->gmem.policy[row] = (u8)p->value;
	}
}

/* Whether the line @op sets @key itself (not by a bundle). */
static const char *written(const struct lab_resolver *r, const struct lab_op *op, const char *key)
{
	const struct lab_policy *p;

	for (u32 i = 0; op && (p = line_policy(r, op, i)); i++) {
		if (p->key != LAB_POLICY_BUNDLE && !strcmp(lab_policy_key(p->table, p->key), key))
			return lab_policy_value(p->table, p->key, p->value);
	}
	return NULL;
}

static const struct lab_op *gmem_line(const struct lab_resolver *r, const char *name)
{
	for (u32 i = 0; i < r->sc->nr_ops; i++) {
		const struct lab_op *op = &r->sc->ops[i];

		if (op->kind == LAB_OP_GMEM &&
		    !strcmp(lab_string(r->sc, (u32)lab_num(op, "NAME", 0)), name))
			return op;
	}
	return NULL;
}

static const struct gmem_alias *find_alias(const char *kvm_key, const char *kvm_value,
					   const char *gmem_value)
{
	const struct gmem_alias *a;

	for (u32 i = 0; (a = lab_alias(i)); i++) {
		if (!strcmp(a->kvm_key, kvm_key) &&
		    (!kvm_value || !strcmp(a->kvm_value, kvm_value)) &&
		    (!gmem_value || !strcmp(a->gmem_value, gmem_value)))
			return a;
	}
	return NULL;
}

static void set_gmem(struct lab_gmem_setup *g, const char *key, const char *value)
{
	int row = policy_find(gmem_policies, key);
	int val = row < 0 ? -1 : policy_find_value(&gmem_policies[row], value);

	if (val >= 0)
		g->gmem.policy[row] = (u8)val;
}

/* Whether the line names a bundle. */
static bool bundled(const struct lab_resolver *r, const struct lab_op *op)
{
	const struct lab_policy *p;

	for (u32 i = 0; op && (p = line_policy(r, op, i)); i++) {
		if (p->key == LAB_POLICY_BUNDLE)
			return true;
	}
	return false;
}

/* KVM's value of a switch: as written, or by a series that is written where no profile is. */
static const char *kvm_says(const struct lab_resolver *r, const struct lab_op *kvm,
			    const struct lab_op *gmem, const char *key)
{
	int row = policy_find(kvm_policies, key);

	if (written(r, kvm, key) || !kvm_policy_in_series(key) || !bundled(r, kvm) ||
	    bundled(r, gmem) || (gmem && written(r, gmem, find_alias(key, NULL, NULL)->gmem_key)))
		return written(r, kvm, key);
	return kvm_policies[row].values[r->su->kvm_policy[row]];
}

/* One file against what the kvm line says of a switch that both have. */
static void join_file(struct lab_resolver *r, const struct lab_op *kvm, const char *key,
		      struct lab_gmem_setup *g)
{
	const struct lab_op *line = gmem_line(r, g->name);
	const char *kvm_value = kvm_says(r, kvm, line, key), *gmem_value;
	const struct gmem_alias *a;

	if (!kvm_value)
		return;
	a = find_alias(key, kvm_value, NULL);
	if (!a)
		return; /* KVM's own word, that guest_memfd has none for */
	gmem_value = written(r, line, a->gmem_key);
	if (gmem_value && !find_alias(key, kvm_value, gmem_value))
		lab_setup_error(r, line, NULL,
				"%s=%s contradicts %s=%s of the kvm line: it is one switch",
				a->gmem_key, gmem_value, key, kvm_value);
	else if (!gmem_value && !find_alias(key, kvm_value, lab_gmem_policy(g, a->gmem_key)))
		set_gmem(g, a->gmem_key, a->gmem_value);
}

/* The file that KVM follows: the first whose line says anything about the switch, else the first. */
static const struct lab_gmem_setup *leading_file(const struct lab_resolver *r, const char *key)
{
	for (u32 i = 0; i < r->su->nr_gmems; i++) {
		const struct lab_op *line = gmem_line(r, r->su->gmem[i].name);

		if (line && (bundled(r, line) || written(r, line, key)))
			return &r->su->gmem[i];
	}
	return &r->su->gmem[0];
}

/* KVM's own row of a switch follows guest_memfd's value, which wins where bundles differ. */
static void follow_gmem(struct lab_resolver *r, const struct lab_op *kvm, const char *key)
{
	int row = policy_find(kvm_policies, key), value;
	const struct gmem_alias *a = find_alias(key, NULL, NULL);
	const char *gmem_value;

	if (row < 0 || !r->su->nr_gmems || written(r, kvm, key))
		return;
	gmem_value = lab_gmem_policy(leading_file(r, a->gmem_key), a->gmem_key);
	a = gmem_value ? find_alias(key, NULL, gmem_value) : NULL;
	value = a ? policy_find_value(&kvm_policies[row], a->kvm_value) : -1;
	if (value >= 0)
		r->su->kvm_policy[row] = (u8)value;
}

void lab_setup_join_policies(struct lab_resolver *r, const struct lab_op *kvm)
{
	const struct gmem_alias *a;

	/*
	 * A key has a row for each value; doing it once more changes nothing, but an error is said
	 * once.
	 */
	for (u32 i = 0; (a = lab_alias(i)); i++) {
		bool first = true;

		for (u32 j = 0; j < i; j++)
			first &= strcmp(lab_alias(j)->kvm_key, a->kvm_key) != 0;
		for (u32 g = 0; first && g < r->su->nr_gmems; g++)
			join_file(r, kvm, a->kvm_key, &r->su->gmem[g]);
		if (first)
			follow_gmem(r, kvm, a->kvm_key);
	}
	if (r->su->kvm_policy[KVM_POLICY_SHARED_SPLIT] == KVM_SHARED_SPLIT_NONBLOCKING &&
	    !r->su->non_blocking_resize)
		lab_setup_error(r, kvm, NULL,
				"shared_split=nonblocking needs module non_blocking_resize=on");
}

const char *lab_gmem_policy(const struct lab_gmem_setup *g, const char *key)
{
	int row = policy_find(gmem_policies, key);

	return row < 0 ? NULL : gmem_policies[row].values[g->gmem.policy[row]];
}
