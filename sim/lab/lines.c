// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walking the list of operations.
 */
#include "sim/lab/lines.h"

#include "sim/lab/machine.h"

static u32 block_end(const struct lab_scenario *sc, u32 i)
{
	while (i < sc->nr_ops && sc->ops[i].kind != LAB_OP_PARALLEL_END)
		i++;
	return i;
}

/* The inside of a block; false if it has no action. */
static bool block(const struct lab_scenario *sc, u32 from, u32 end, struct lab_lines *l)
{
	bool any = false;

	*l = (struct lab_lines){LAB_LINES_ACTIONS, from, end - from, true, l->action};
	for (u32 i = from; i < end; i++) {
		if (!lab_op_is_action(&sc->ops[i]))
			continue;
		l->action = i;
		any = true;
	}
	return any;
}

static bool single(const struct lab_op *op, u32 i, struct lab_lines *l)
{
	enum lab_lines_kind kind;

	if (lab_op_is_action(op)) {
		kind = LAB_LINES_ACTIONS;
		l->action = i;
	} else if (lab_op_is_inject(op)) {
		kind = LAB_LINES_INJECT;
	} else if (lab_op_is_expect(op)) {
		kind = LAB_LINES_EXPECT;
	} else {
		return false;
	}
	*l = (struct lab_lines){kind, i, 1, false, l->action};
	return true;
}

bool lab_lines_next(const struct lab_scenario *sc, u32 end, u32 *at, struct lab_lines *l)
{
	if (!l->nr)
		l->action = LAB_NO_OP;
	while (*at < end) {
		u32 i = *at, stop;

		if (sc->ops[i].kind == LAB_OP_PARALLEL) {
			stop = block_end(sc, i);
			*at = stop + 1;
			if (block(sc, i + 1, stop, l))
				return true;
			continue;
		}
		*at = i + 1;
		if (single(&sc->ops[i], i, l))
			return true;
	}
	return false;
}
