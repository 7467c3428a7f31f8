// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Secure EPT as a drawing: one line for each run of like entries, tables indented under their
 * parent.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/run.h"
#include "sim/lab/words.h"
#include "sim/rt/world.h"
#include "tdx/inspect.h"

/*
 * A run of entries of one table that look the same and lie side by side, in the guest and in the
 * host.
 */
struct drawing {
	FILE *out;
	u64 base, end;
	u8 level, state;
	bool leaf, contiguous;
	u64 gpa, next_gpa, hpa, next_hpa;
	u32 nr;
	u64 expect; /* gpa that the next entry of 4K has if nothing is free in between */
};

static const char *level_name(u32 tdx_level)
{
	return tdx_level < 3 ? lab_words_level[tdx_level] : tdx_level == 3 ? "512G" : "256T";
}

static void put_run(struct drawing *d)
{
	u64 size = 1ULL << (12 + 9 * d->level);
	int indent = 2 * (3 - (d->level < 3 ? d->level : 3));

	if (!d->nr)
		return;
	if (d->leaf) {
		fprintf(d->out, "  %*s0x%09llx", indent, "", d->gpa);
		if (d->nr > 1)
			fprintf(d->out, " .. 0x%09llx", d->gpa + d->nr * size - 1);
		else
			fprintf(d->out, "               ");
		fprintf(d->out, "  %4u x %s  %-15s  host 0x%09llx\n", d->nr, level_name(d->level),
			seam_sept_state_name(d->state), d->hpa);
	} else {
		fprintf(d->out, "  %*s0x%09llx  table of %s entries  %s\n", indent, "", d->gpa,
			d->level ? level_name(d->level - 1u) : "?", seam_sept_state_name(d->state));
	}
	d->nr = 0;
}

static void put_hole(struct drawing *d, u8 level, u64 gpa)
{
	u64 size = 1ULL << (12 + 9 * level), from = d->expect;
	int indent = 2 * (3 - (level < 3 ? level : 3));

	if (!from || gpa <= from || level > 1)
		return;
	fprintf(d->out, "  %*s0x%09llx", indent, "", from);
	if (gpa - from > size)
		fprintf(d->out, " .. 0x%09llx", gpa - 1);
	else
		fprintf(d->out, "               ");
	fprintf(d->out, "  %4llu x %s  %s\n", (gpa - from) / size, level_name(level),
		seam_sept_state_name(SEAM_SEPT_FREE));
}

static bool draw(void *ctx, u64 gpa, const struct seam_sept_view *v)
{
	struct drawing *d = ctx;
	u64 size = 1ULL << (12 + 9 * v->level);
	bool same = d->nr && d->leaf && v->leaf && d->level == v->level && d->state == v->state &&
		    gpa == d->next_gpa && v->hpa == d->next_hpa;

	/*
	 * Tables above the range hold more than it: they are drawn when the range lies in them
	 * whole.
	 */
	if (gpa + size <= d->base || gpa >= d->end)
		return true;
	if (!same) {
		put_run(d);
		put_hole(d, v->level, gpa);
		d->level = v->level;
		d->state = v->state;
		d->leaf = v->leaf;
		d->gpa = gpa;
		d->hpa = v->hpa;
	}
	d->nr++;
	d->next_gpa = gpa + size;
	d->next_hpa = v->hpa + size;
	d->expect = v->leaf ? gpa + size : gpa > d->base ? gpa : d->base;
	return true;
}

char *lab_draw_sept(struct lab_session *s, u32 td, u64 gpa, u64 size)
{
	struct drawing d = {.base = gpa, .end = gpa + size};
	struct kvm *kvm = s->m->td[td].kvm;
	char *text = NULL;
	size_t len;

	d.out = open_memstream(&text, &len);
	if (!d.out)
		return NULL;
	rt_world_enter(s->world);
	if (kvm)
		seam_for_each_sept(s->m->seam, kvm_tdr(kvm), gpa, size, draw, &d);
	put_run(&d);
	if (kvm && d.expect && d.expect < d.end)
		put_hole(&d, d.level < 2 ? d.level : 1, d.end);
	if (!kvm || !d.expect)
		fprintf(d.out, "  nothing is mapped\n");
	fclose(d.out);
	return text;
}
