// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plainer operands, and less set-up: what is not needed goes, what is needed becomes the value that
 * a person would have written.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/bytes.h"
#include "sim/lab/shrink_int.h"
#include "sim/lab/util.h"

static bool try_value(struct lab_shrinker *s, u32 op, u32 field, struct lab_val v)
{
	struct lab_op *ops;
	bool same;

	if (!memcmp(&v, &s->now.ops[op].v[field], sizeof(v)))
		return false;
	ops = lab_shrink_copy(s, 0);
	ops[op].v[field] = v;
	same = lab_shrink_try(s, ops, s->now.nr_ops);
	free(ops);
	return same;
}

/* The first of @nr numbers that is plainer than what is there, and still fails. */
static bool try_numbers(struct lab_shrinker *s, u32 op, u32 field, const u64 *num, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		struct lab_val v = s->now.ops[op].v[field];

		if (v.num <= num[i])
			continue;
		v.num = num[i];
		if (try_value(s, op, field, v))
			return true;
	}
	return false;
}

static bool plainer_addr(struct lab_shrinker *s, u32 op, u32 field)
{
	static const u64 offsets[] = {0, 4096, 2ULL << 20};
	struct lab_val v = s->now.ops[op].v[field];
	bool any = false;

	for (u32 i = 0; i < RT_ARRAY_SIZE(offsets); i++) {
		struct lab_val plain = {.num = offsets[i], .ref = 1, .td = v.td, .set = 1};

		if (v.ref == 1 && v.num == offsets[i])
			return any;
		if (try_value(s, op, field, plain))
			return true;
	}
	v.num &= ~4095ULL;
	return try_value(s, op, field, v);
}

static bool plainer_value(struct lab_shrinker *s, u32 op, u32 i)
{
	static const u64 sizes[] = {4096, 2ULL << 20}, data[] = {1}, numbers[] = {0, 1},
			 words[] = {0};
	const struct lab_field *f = &lab_specs[s->now.ops[op].kind].field[i];
	struct lab_val gone = {0}, v;

	if (!f->required && try_value(s, op, i, gone))
		return true;
	switch (f->type) {
	case LAB_T_SIZE:
		return try_numbers(s, op, i, sizes, RT_ARRAY_SIZE(sizes));
	case LAB_T_ADDR:
		return plainer_addr(s, op, i);
	case LAB_T_VALUE:
		return try_numbers(s, op, i, data, RT_ARRAY_SIZE(data));
	case LAB_T_NUM:
		return try_numbers(s, op, i, numbers, RT_ARRAY_SIZE(numbers));
	case LAB_T_WORD:
	case LAB_T_VCPU:
	case LAB_T_SLOT:
		return try_numbers(s, op, i, words, RT_ARRAY_SIZE(words));
	case LAB_T_REGS:
		v = s->now.ops[op].v[i];
		v.ref--;
		return v.ref && try_value(s, op, i, v);
	default:
		return false;
	}
}

/* The first actor of its kind does as well. */
static bool plainer_actor(struct lab_shrinker *s, u32 op)
{
	struct lab_op *ops;
	bool same;

	if (!s->now.ops[op].index)
		return false;
	ops = lab_shrink_copy(s, 0);
	ops[op].index = 0;
	same = lab_shrink_try(s, ops, s->now.nr_ops);
	free(ops);
	return same;
}

static bool plainer_op(struct lab_shrinker *s, u32 op)
{
	bool any = lab_op_is_action(&s->now.ops[op]) && plainer_actor(s, op);

	/*
	 * A size before its address. A try may put a line of the scheduler in front: then the places are
	 * others.
	 */
	for (u32 i = LAB_FIELDS; i-- && op < s->now.nr_ops;) {
		if (s->now.ops[op].v[i].set && !lab_shrink_spent(s))
			any |= plainer_value(s, op, i);
	}
	return any;
}

bool lab_shrink_operands(struct lab_shrinker *s)
{
	bool any = false;

	for (u32 i = 0; i < s->now.nr_ops; i++) {
		if (!lab_op_is_setup(&s->now.ops[i]) && !lab_op_is_expect(&s->now.ops[i]))
			any |= plainer_op(s, i);
	}
	return any;
}

/* One policy of a line less. The slice moves to the pool's end, without it. */
static bool fewer_policies(struct lab_shrinker *s, u32 op, u32 field)
{
	bool any = false;

	for (u32 gone = s->now.ops[op].v[field].ref; gone--;) {
		struct lab_val v = s->now.ops[op].v[field];
		u32 first = s->now.nr_policies;

		for (u32 i = 0; i < v.ref; i++) {
			if (i == gone)
				continue;
			s->now.policies =
				lab_grow(s->now.policies, &s->now.cap_policies,
					 s->now.nr_policies + 1, sizeof(*s->now.policies));
			s->now.policies[s->now.nr_policies++] = s->now.policies[v.num + i];
		}
		v.num = first;
		v.ref--;
		v.set = v.ref > 0;
		any |= try_value(s, op, field, v);
	}
	return any;
}

static bool without_line(struct lab_shrinker *s, u32 op)
{
	struct lab_op *ops = lab_shrink_copy(s, 0);
	bool same;

	memmove(&ops[op], &ops[op + 1], (s->now.nr_ops - op - 1) * sizeof(*ops));
	same = lab_shrink_try(s, ops, s->now.nr_ops - 1);
	free(ops);
	return same;
}

bool lab_shrink_setup(struct lab_shrinker *s)
{
	bool any = false;

	for (u32 op = s->now.nr_ops; op-- && !lab_shrink_spent(s);) {
		const struct lab_field *f;

		if (op >= s->now.nr_ops || !lab_op_makes_machine(&s->now.ops[op]))
			continue;
		if (without_line(s, op)) {
			any = true;
			continue;
		}
		f = lab_specs[s->now.ops[op].kind].field;
		for (u32 i = 0; f[i].type != LAB_T_END; i++) {
			if (op >= s->now.nr_ops || !s->now.ops[op].v[i].set)
				continue;
			if (f[i].type == LAB_T_POLICY)
				any |= fewer_policies(s, op, i);
			else if (!f[i].required)
				any |= try_value(s, op, i, (struct lab_val){0});
		}
	}
	return any;
}
