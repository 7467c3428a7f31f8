// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands that take the rest of a record: register sums and policies. As many as fit.
 */
#include <assert.h>
#include <string.h>

#include "sim/lab/bytes_int.h"
#include "sim/lab/util.h"
#include "sim/lab/words.h"

#define REG_END	   45U /* in the place of a register and its joint: no more terms */
#define TERM_BYTES 4U
#define TERMS	   (LAB_TERM_HPA + 1U)
#define REG_SLOTS  8U

static const char joins[] = {0, '+', '|'};

static u32 join_place(u8 join)
{
	return join == '+' ? 1 : join == '|' ? 2 : 0;
}

static struct lab_reg *add_reg(struct lab_scenario *sc)
{
	struct lab_reg *r;

	sc->regs = lab_grow(sc->regs, &sc->cap_regs, sc->nr_regs + 1, sizeof(*sc->regs));
	r = &sc->regs[sc->nr_regs++];
	memset(r, 0, sizeof(*r));
	r->val.set = 1;
	return r;
}

/* Everything of a term but its register: kind, slot and a scaled number. */
static void code_term(struct lab_coder *k, struct lab_reg *r)
{
	u32 room = r->term * REG_SLOTS + r->val.ref % REG_SLOTS;

	k->unsayable |= lab_coder_writes(k) && (r->val.td || r->val.ref >= REG_SLOTS);
	lab_code_scaled(k, &r->val.num, &room, TERMS * REG_SLOTS);
	if (lab_coder_writes(k))
		return;
	r->term = (u8)(room / REG_SLOTS);
	r->val.ref = room % REG_SLOTS;
	if (r->term == LAB_TERM_ADDR && !r->val.ref)
		r->val.ref = 1;
	if (r->term != LAB_TERM_ADDR && r->term != LAB_TERM_HPA)
		r->val.ref = 0;
	if (r->term == LAB_TERM_TDR || r->term == LAB_TERM_HKID)
		r->val.num = 0;
}

static void read_regs(struct lab_coder *k, struct lab_val *v)
{
	static const struct lab_few first = {4, 1, {3, 6, 21, REG_END}};

	v->num = k->sc->nr_regs;
	v->ref = 0;
	while (k->pos + TERM_BYTES <= LAB_RECORD_BYTES) {
		u32 place = lab_code(k, 0, REG_END + 1, 1, &first);
		struct lab_reg *r;

		if (place == REG_END)
			break;
		r = add_reg(k->sc);
		code_term(k, r);
		r->join = v->ref ? (u8)joins[place % sizeof(joins)] : 0;
		r->reg =
			r->join ? k->sc->regs[k->sc->nr_regs - 2].reg : (u8)(place / sizeof(joins));
		v->ref++;
	}
	v->set = v->ref > 0;
}

void lab_code_regs(struct lab_coder *k, struct lab_val *v)
{
	if (!lab_coder_writes(k)) {
		read_regs(k, v);
		return;
	}
	for (u32 i = 0; i < v->ref; i++) {
		struct lab_reg r = k->sc->regs[v->num + i];
		u32 place = r.reg * (u32)sizeof(joins) + join_place(r.join);

		if (k->pos + TERM_BYTES > LAB_RECORD_BYTES) {
			k->unsayable = true;
			return;
		}
		lab_code(k, place, REG_END, 1, NULL);
		code_term(k, &r);
	}
	if (k->pos + TERM_BYTES <= LAB_RECORD_BYTES)
		lab_code(k, REG_END, REG_END + 1, 1, NULL);
}

static u32 count_keys(u32 table)
{
	u32 n = 0;

	while (lab_policy_key(table, n))
		n++;
	return n;
}

static u32 count_values(u32 table, u32 key)
{
	u32 n = 0;

	while (lab_policy_value(table, key, n))
		n++;
	return n;
}

static bool has_key(const struct lab_coder *k, const struct lab_val *v, u32 key)
{
	for (u32 i = 0; i < v->ref; i++) {
		if (k->sc->policies[v->num + i].key == key)
			return true;
	}
	return false;
}

static void read_policies(struct lab_coder *k, u32 table, struct lab_val *v)
{
	u32 keys = count_keys(table);

	v->num = k->sc->nr_policies;
	v->ref = 0;
	while (k->pos + 2 <= LAB_RECORD_BYTES) {
		bool more = !lab_coder_invents(k) || !v->ref || !lab_coder_pick(k, 3, 1);
		u32 key = more ? lab_code(k, 0, keys + 1, 1, NULL) : 0, value;
		struct lab_policy *p;

		if (!key)
			break;
		value = lab_code(k, 0, count_values(table, key - 1), 1, NULL);
		if (has_key(k, v, key - 1))
			continue;
		k->sc->policies = lab_grow(k->sc->policies, &k->sc->cap_policies,
					   k->sc->nr_policies + 1, sizeof(*p));
		p = &k->sc->policies[k->sc->nr_policies++];
		*p = (struct lab_policy){(u16)table, (u16)(key - 1), (u16)value, 0};
		v->ref++;
	}
	v->set = v->ref > 0;
}

void lab_code_policies(struct lab_coder *k, const struct lab_op *op, struct lab_val *v)
{
	u32 table = op->kind == LAB_OP_KVM ? LAB_POLICY_KVM : LAB_POLICY_GMEM;

	if (!lab_coder_writes(k)) {
		read_policies(k, table, v);
		return;
	}
	for (u32 i = 0; i < v->ref; i++) {
		const struct lab_policy *p = &k->sc->policies[v->num + i];

		if (k->pos + 2 > LAB_RECORD_BYTES) {
			k->unsayable = true;
			return;
		}
		lab_code(k, p->key + 1U, count_keys(table) + 1, 1, NULL);
		lab_code(k, p->value, count_values(table, p->key), 1, NULL);
	}
}
