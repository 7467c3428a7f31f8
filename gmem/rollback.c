// SPDX-License-Identifier: GPL-2.0-only
/*
 * The conversion of the 1G-page RFC (P1 ROLLBACK): unmap first, then store and restructure piece by
 * piece, and on an error take back what was stored. It is no word of letters like the other flows
 * (flows.c) because its steps run over all pieces before the next step does; the steps themselves
 * are those of convert.c.
 */
#include <linux/bug.h>

#include "gmem/internal.h"
#include "mmu/kvm_vm.h"
#include "sim/rt/world.h"

/* The sub-ranges whose attribute differs from what was asked for, ascending. */
struct pieces {
	struct gmem_convert *c;
	u32 nr, cap;
};

static void pieces_find(struct pieces *p, const struct gmem_convert *of)
{
	u64 at = of->start, end = of->start + of->nr, stop;

	for (; at < end; at = stop) {
		const struct gmem_attr *a = gmem_attr_at(of->inode, at);

		stop = gmem_min(a->last + 1, end);
		if (a->value == of->value)
			continue;
		if (p->nr == p->cap) {
			p->cap = p->cap ? 2 * p->cap : 4;
			p->c = rt_realloc(p->c, p->cap * sizeof(*p->c));
		}
		p->c[p->nr] = *of;
		p->c[p->nr].start = p->c[p->nr].err_index = at;
		p->c[p->nr++].nr = stop - at;
	}
}

static int run_steps(struct gmem_convert *c, const char *letters)
{
	int ret = 0;

	for (; *letters && !ret; letters++)
		ret = gmem_step_run(c, *letters);
	return ret;
}

/* The tree's memory is taken at the store only, so this is the first place where it can lack. */
static int store_and_reshape(struct gmem_convert *c)
{
	int ret = run_steps(c, c->to_private ? "ASM" : "ASF");

	gmem_attr_prealloc_free(&c->pre);
	return ret;
}

/*
 * The opposite of all pieces up to and including the one that failed. It can fail as well, and then
 * there is only a warning: attributes and folios stay as they are. Nothing is mapped again.
 */
static void roll_back(struct pieces *p, u32 failed)
{
	u32 i = failed + 1;

	/* Counting down an unsigned index: the test must come before the step (B5). */
	while (i-- > 0) {
		struct gmem_convert back = p->c[i];

		back.to_private = !back.to_private;
		back.value ^= KVM_MEMORY_ATTRIBUTE_PRIVATE;
		back.merge_tried = false;
		if (gmem_attr_uniform(back.inode, back.start, back.nr, back.value))
			continue;
		WARN_ON_ONCE(store_and_reshape(&back));
	}
}

int gmem_rollback_run(struct gmem_convert *c)
{
	struct pieces p = {.nr = 0};
	u64 unmapped = 0, left;
	int ret;
	u32 i;

	pieces_find(&p, c);
	ret = gmem_step_run(c, 'B');
	for (i = 0; i < p.nr && !ret; i++) {
		p.c[i].fragile = true;
		ret = run_steps(&p.c[i], c->to_private ? "URZ" : "Z");
		unmapped += p.c[i].unmapped;
		if (ret)
			c->err_index = p.c[i].err_index;
	}
	for (i = 0; i < p.nr && !ret; i++) {
		ret = store_and_reshape(&p.c[i]);
		if (!ret)
			continue;
		c->err_index = p.c[i].err_index;
		roll_back(&p, i);
	}
	gmem_step_run(c, 'N');
	left = gmem_kvm_mapped(c->inode, c->start, c->nr);
	if (ret && unmapped > left)
		gmem_count(GMEM_STAT_FAILED_UNMAPPED, unmapped - left);
	rt_free(p.c);
	return ret;
}
