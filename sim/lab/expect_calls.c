// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unfolding a pattern of calls, comparing it with what was recorded, and writing a sequence folded.
 */
#include "sim/lab/expect_calls.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/lab/util.h"
#include "sim/lab/words.h"
#include "tdx/abi.h"

struct calls {
	u16 *leaf;
	u32 nr, cap;
};

static void add(struct calls *c, u16 leaf)
{
	c->leaf = lab_grow(c->leaf, &c->cap, c->nr + 1, sizeof(*c->leaf));
	c->leaf[c->nr++] = leaf;
}

/*
 * Host pages get and lose their pair as the host's allocator happens to place things: left out
 * unless asked for.
 */
static bool is_pamt(u16 leaf)
{
	return leaf == SEAM_TDH_PHYMEM_PAMT_ADD || leaf == SEAM_TDH_PHYMEM_PAMT_REMOVE;
}

static bool names_pamt(const struct lab_machine *m, const struct lab_val *v)
{
	for (u32 i = 0; i < v->ref; i++) {
		const struct lab_call *call = &m->sc->calls[v->num + i];

		if (call->kind == LAB_CALL_LEAF && is_pamt(call->leaf))
			return true;
	}
	return false;
}

static void unfold(const struct lab_machine *m, const struct lab_val *v, struct calls *out)
{
	u32 open = 0;

	for (u32 i = 0; i < v->ref; i++) {
		const struct lab_call *call = &m->sc->calls[v->num + i];
		u32 group;

		if (call->kind == LAB_CALL_OPEN)
			open = out->nr;
		for (u32 n = 0; call->kind == LAB_CALL_LEAF && n < call->count; n++) {
			if (call->leaf != SEAM_TDH_VP_ENTER)
				add(out, call->leaf);
		}
		group = out->nr - open;
		for (u32 n = 1; call->kind == LAB_CALL_CLOSE && n < call->count; n++) {
			for (u32 k = 0; k < group; k++)
				add(out, out->leaf[open + k]);
		}
	}
}

static void recorded(const struct lab_machine *m, u32 action, bool pamt, struct calls *out)
{
	u32 n = lab_recorded(m, action, NULL, 0), kept = 0;

	out->leaf = lab_grow(out->leaf, &out->cap, n ? n : 1, sizeof(*out->leaf));
	lab_recorded(m, action, out->leaf, n);
	for (u32 i = 0; i < n; i++) {
		if (pamt || !is_pamt(out->leaf[i]))
			out->leaf[kept++] = out->leaf[i];
	}
	out->nr = kept;
}

/* How often leaf[at .. at + size) stands in a row. */
static u32 repeats(const struct calls *c, u32 at, u32 size)
{
	u32 n = 1;

	while (at + (n + 1) * size <= c->nr) {
		for (u32 k = 0; k < size; k++) {
			if (c->leaf[at + n * size + k] != c->leaf[at + k])
				return n;
		}
		n++;
	}
	return n;
}

#define FOLD_MAX 8 /* longest group that is looked for */

static void fold_text(const struct calls *c, char *buf, size_t len)
{
	size_t n = 0;
	char hex[24];

	buf[0] = 0;
	for (u32 i = 0; i < c->nr && n < len;) {
		u32 size = 1, times = repeats(c, i, 1);

		for (u32 s = 2; s <= FOLD_MAX && times == 1; s++) {
			if (i + s <= c->nr && repeats(c, i, s) > 1) {
				size = s;
				times = repeats(c, i, s);
			}
		}
		n += (size_t)snprintf(buf + n, len - n, "%s%s", n ? " " : "", size > 1 ? "(" : "");
		for (u32 k = 0; k < size && n < len; k++)
			n += (size_t)snprintf(buf + n, len - n, "%s%s", k ? " " : "",
					      lab_leaf_name(c->leaf[i + k], hex, sizeof(hex)));
		if (n < len)
			n += (size_t)snprintf(buf + n, len - n, "%s", size > 1 ? ")" : "");
		if (times > 1 && n < len)
			n += (size_t)snprintf(buf + n, len - n, "*%u", times);
		i += size * times;
	}
	if (!c->nr)
		snprintf(buf, len, "none");
}

void lab_calls_text(const struct lab_machine *m, u32 action, char *buf, size_t len)
{
	struct calls c = {0};

	recorded(m, action, true, &c);
	fold_text(&c, buf, len);
	free(c.leaf);
}

bool lab_expect_calls(struct lab_machine *m, const struct lab_op *op, u32 action, char *seen,
		      size_t len)
{
	const struct lab_val *v = lab_get(op, "LEAF");
	struct calls want = {0}, got = {0};
	u32 i = 0;
	bool held;

	unfold(m, v, &want);
	/*
	 * Alone, an action answers for everybody; in a parallel block for its own (docs/design.md).
	 */
	recorded(m, m->parallel ? action : LAB_NO_OP, names_pamt(m, v), &got);
	while (i < want.nr && i < got.nr && want.leaf[i] == got.leaf[i])
		i++;
	held = i == want.nr && i == got.nr;
	fold_text(&got, seen, len);
	if (!held) {
		size_t n = 0;
		char hex[24];

		while (n < len && seen[n])
			n++;
		snprintf(seen + n, len - n, " (%u calls; expected %u; call %u is %s)", got.nr,
			 want.nr, i + 1,
			 i < got.nr ? lab_leaf_name(got.leaf[i], hex, sizeof(hex)) : "missing");
	}
	free(want.leaf);
	free(got.leaf);
	return held;
}
