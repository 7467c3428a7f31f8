// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fewer operations: everything behind the place where it broke, then halves, quarters and so on
 * down to single ones; blocks without their braces; choices of the scheduler.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/shrink_int.h"
#include "sim/lab/util.h"

/* What this pass may take: an operation that is no set-up, or a schedule line. */
typedef bool may_go(const struct lab_op *op);

static bool is_operation(const struct lab_op *op)
{
	return !lab_op_is_setup(op);
}

static bool is_choice(const struct lab_op *op)
{
	return op->kind == LAB_OP_SCHEDULE;
}

/* Braces that have lost their partner, and blocks without an action, say nothing. */
static u32 tidy_blocks(struct lab_op *ops, u32 nr)
{
	u32 n = 0, open = 0, actions = 0;
	bool in = false;

	for (u32 i = 0; i < nr; i++) {
		bool opens = ops[i].kind == LAB_OP_PARALLEL;
		bool closes = ops[i].kind == LAB_OP_PARALLEL_END;

		if ((opens && in) || (closes && !in))
			continue;
		if (closes && !actions) {
			/* What is left inside (faults) stands alone. */
			memmove(&ops[open], &ops[open + 1], (n - open - 1) * sizeof(*ops));
			n--;
			in = false;
			continue;
		}
		if (opens) {
			open = n;
			actions = 0;
		}
		in = opens || (in && !closes);
		actions += lab_op_is_action(&ops[i]);
		ops[n++] = ops[i];
	}
	if (in)
		ops[n++] = (struct lab_op){.kind = LAB_OP_PARALLEL_END};
	return n;
}

/* Without @len of those that may go, from the @from-th on. */
static bool try_without(struct lab_shrinker *s, may_go *may, u32 from, u32 len)
{
	struct lab_op *ops = lab_shrink_copy(s, 1);
	u32 n = 0, seen = 0;
	bool same;

	for (u32 i = 0; i < s->now.nr_ops; i++) {
		bool takes = may(&ops[i]) && seen++ >= from && seen <= from + len;

		if (!takes)
			ops[n++] = ops[i];
	}
	n = tidy_blocks(ops, n);
	same = n < s->now.nr_ops && lab_shrink_try(s, ops, n);
	free(ops);
	return same;
}

static u32 count(const struct lab_shrinker *s, may_go *may)
{
	u32 n = 0;

	for (u32 i = 0; i < s->now.nr_ops; i++)
		n += may(&s->now.ops[i]);
	return n;
}

static bool fewer(struct lab_shrinker *s, may_go *may)
{
	u32 len = count(s, may);
	bool any = false;

	while (len && !lab_shrink_spent(s)) {
		u32 nr = count(s, may), from = nr;

		/* From the back: what comes late depends on what was early, not the other way. */
		while (from && !lab_shrink_spent(s)) {
			from = from > len ? from - len : 0;
			any |= try_without(s, may, from, len);
		}
		len = len > 1 ? (len + 1) / 2 : 0;
	}
	return any;
}

/* What stands behind the place where it broke was never run. */
static bool cut_tail(struct lab_shrinker *s)
{
	u32 at = s->fate.op, last = 0;

	if (at == LAB_NO_OP || at >= s->now.nr_ops)
		return false;
	for (u32 i = 0; i < at; i++)
		last += is_operation(&s->now.ops[i]);
	/* In a block the others of it are needed too: its end is looked for by fewer(). */
	for (u32 i = at; i < s->now.nr_ops && s->now.ops[i].kind != LAB_OP_PARALLEL; i++) {
		last++;
		if (s->now.ops[i].kind == LAB_OP_PARALLEL_END || !lab_op_is_inject(&s->now.ops[i]))
			break;
	}
	return try_without(s, is_operation, last, count(s, is_operation));
}

bool lab_shrink_ops(struct lab_shrinker *s)
{
	bool any = cut_tail(s);

	return fewer(s, is_operation) || any;
}

bool lab_shrink_lines(struct lab_shrinker *s)
{
	return fewer(s, is_choice);
}

bool lab_shrink_blocks(struct lab_shrinker *s)
{
	bool any = false;

	for (u32 i = 0; i < s->now.nr_ops && !lab_shrink_spent(s); i++) {
		struct lab_op *ops;
		u32 n = 0, inside = 0;

		if (s->now.ops[i].kind != LAB_OP_PARALLEL)
			continue;
		ops = lab_shrink_copy(s, 0);
		for (u32 j = 0; j < s->now.nr_ops; j++) {
			bool brace =
				j == i || (j > i && !inside && ops[j].kind == LAB_OP_PARALLEL_END);

			inside += j > i && brace;
			if (!brace)
				ops[n++] = ops[j];
		}
		any |= lab_shrink_try(s, ops, n);
		free(ops);
	}
	return any;
}
