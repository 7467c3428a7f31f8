// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map: what counts as having been somewhere new.
 */
#include "sim/lab/fuzz_map.h"

#include <string.h>

#include "gmem/gmem.h"
#include "sim/rt/sched.h"
#include "sim/rt/world.h"
#include "tdx/abi.h"

enum what {
	AN_ANSWER = 1,
	TWO_ANSWERS,
	AN_ENTRY,
	TWO_ENTRIES,
	TWO_POINTS,
	AN_OUTCOME,
	TWO_OUTCOMES,
	UNDER_POLICIES,
	A_PAGE,
	A_STATISTIC,
	A_REPORT,
	A_FATE,
};

static u32 mix(enum what kind, u64 a, u64 b)
{
	u64 h = (u64)kind * 0x9e3779b97f4a7c15ULL + a;

	h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9ULL + b;
	h = (h ^ (h >> 32)) * 0x94d049bb133111ebULL;
	return (u32)(h >> 32);
}

void lab_map_hit(struct lab_map *m, u64 what)
{
	u32 place = (u32)what % LAB_MAP_SIZE;

	if (!m->count[place])
		m->touched[m->nr_touched++] = (u16)place;
	if (m->count[place] < 255)
		m->count[place]++;
}

static void on_answer(void *ctx, u32 row, u64 rax, bool forced)
{
	struct lab_map *m = ctx;
	u32 h = mix(AN_ANSWER, row, seam_status(rax) | forced);

	if (forced) /* whatever the scenario asks for: no discovery */
		return;
	lab_map_hit(m, h);
	lab_map_hit(m, mix(TWO_ANSWERS, m->last_answer, h));
	m->last_answer = h;
}

static void on_entry(void *ctx, u32 row, u8 from, u8 to)
{
	struct lab_map *m = ctx;
	u32 h = mix(AN_ENTRY, row, (u64)from << 8 | to);

	lab_map_hit(m, h);
	lab_map_hit(m, mix(TWO_ENTRIES, m->last_entry, h));
	m->last_entry = h;
}

void lab_map_init(struct lab_map *m)
{
	memset(m, 0, sizeof(*m));
	m->observer = (struct seam_observer){on_answer, on_entry, m};
}

/* Which designs are in force, beyond the defaults. */
static u32 policies_of(const struct lab_setup *su)
{
	u32 h = mix(UNDER_POLICIES, su->dynamic_pamt, su->tdx_huge_page);

	for (u32 i = 0; kvm_policies[i].key; i++) {
		if (su->kvm_policy[i] != kvm_policies[i].def)
			h = mix(UNDER_POLICIES, h, (u64)i << 8 | su->kvm_policy[i]);
	}
	for (u32 i = 0; su->nr_gmems && gmem_policies[i].key; i++) {
		if (su->gmem[0].gmem.policy[i] != gmem_policies[i].def)
			h = mix(UNDER_POLICIES, h, (u64)(i + 64) << 8 | su->gmem[0].gmem.policy[i]);
	}
	return h;
}

void lab_map_forget(void *ctx)
{
	struct lab_map *m = ctx;

	for (u32 i = 0; i < m->nr_touched; i++)
		m->count[m->touched[i]] = 0;
	m->nr_touched = 0;
	m->last_answer = m->last_entry = m->last_op = 0;
	memset(m->last_point, 0, sizeof(m->last_point));
}

void lab_map_begin(struct lab_map *m, const struct lab_setup *su)
{
	lab_map_forget(m);
	m->policies = policies_of(su);
}

void lab_map_point(void *ctx, enum rt_point pt, u64 obj)
{
	struct lab_map *m = ctx;
	u32 *last = &m->last_point[rt_actor_id(rt_actor_current()) % RT_ARRAY_SIZE(m->last_point)];
	u32 h = mix(TWO_POINTS, pt, pt == RT_PT_CALL ? obj & 0xffff : 0);

	lab_map_hit(m, mix(TWO_POINTS, *last, h));
	*last = h;
}

static u32 outcome_class(const struct lab_outcome *out)
{
	return mix(AN_OUTCOME,
		   (u64)out->err << 8 | (u64)out->ok << 2 | (u64)out->ve << 1 | out->exited,
		   out->has_status ? seam_status(out->status) : 0);
}

/* The page that an action was about, as it is now: in both tables, in the file, as attribute. */
static u32 page_class(struct lab_machine *m, struct lab_td *td, u64 gpa)
{
	struct seam_sept_view e = {0};
	struct kvm_spte_view k = {0};
	struct gmem_folio_view f = {0};
	u64 offset = 0, state;
	u32 gmem;

	if (!td->kvm)
		return 0;
	seam_look_sept(m->seam, kvm_tdr(td->kvm), gpa, 0, &e);
	kvm_look_spte(td->kvm, true, gpa >> 12, &k);
	if (lab_file_at(m, td->index, gpa, &gmem, &offset))
		kvm_gmem_look_folio(m->file[gmem], offset >> 12, &f);
	state = (u64)e.state << 8 | (u64)e.level << 4 | (u64)e.leaf << 3 | (k.leaf ? k.level : 0);
	return mix(A_PAGE, state,
		   (u64)f.order << 8 | (u64)f.hwpoison << 4 | (u64)f.hvo << 3 |
			   (u64)(f.refcount > 1) << 2 | (u64)lab_is_private(m, td, gpa));
}

static void hit_outcome(struct lab_map *map, struct lab_session *s, u32 i)
{
	const struct lab_op *op = &s->sc->ops[i];
	u32 td, page = 0;
	u32 h = mix(AN_OUTCOME, op->kind, outcome_class(&lab_result(s->m, i)->out));

	if (lab_field_find(&lab_specs[op->kind], "GPA", 3) >= 0) {
		u64 gpa = lab_op_gpa(s->sc, s->su, op, "GPA", &td);

		page = page_class(s->m, &s->m->td[td], gpa & ((1ULL << 47) - 1));
	}
	lab_map_hit(map, h);
	lab_map_hit(map, mix(A_PAGE, h, page));
	lab_map_hit(map, mix(UNDER_POLICIES, map->policies, h));
	lab_map_hit(map, mix(TWO_OUTCOMES, map->last_op, h));
	map->last_op = h;
}

static u32 magnitude(u64 n)
{
	return n ? 64 - (u32)__builtin_clzll(n) : 0;
}

static void hit_statistics(struct lab_map *map, struct lab_session *s)
{
	for (u32 i = 0; i < KVM_STAT_NR; i++)
		lab_map_hit(map, mix(A_STATISTIC, i, magnitude(kvm_stat(s->m->host, i))));
	for (u32 i = 0; i < GMEM_STAT_NR; i++)
		lab_map_hit(map, mix(A_STATISTIC, 1000 + i, magnitude(kvm_gmem_stat(i))));
}

void lab_map_block(void *ctx, struct lab_session *s, u32 first, u32 nr)
{
	struct lab_map *map = ctx;

	for (u32 i = first; i < first + nr; i++) {
		if (lab_op_is_action(&s->sc->ops[i]))
			hit_outcome(map, s, i);
	}
	for (u32 i = 0; i < s->nr_broken; i++)
		lab_map_hit(map,
			    mix(A_REPORT, (u8)s->broken[i].rule[0] << 8 | (u8)s->broken[i].rule[3],
				s->broken[i].excused));
	if (!nr)
		hit_statistics(map, s);
}

void lab_map_end(struct lab_map *m, const struct lab_fate *fate)
{
	u32 h = mix(A_FATE, fate->verdict, 0);

	for (const char *s = fate->rule; *s; s++)
		h = mix(A_FATE, h, (u8)*s);
	lab_map_hit(m, h);
}

static u8 class_of(u8 count)
{
	static const u8 from[] = {1, 2, 8, 64};
	u32 n = 0;

	while (n + 1 < RT_ARRAY_SIZE(from) && count >= from[n + 1])
		n++;
	return (u8)(1U << n);
}

static u32 note(struct lab_seen_map *all, u32 place, u8 class, bool add)
{
	u32 fresh = all->classes[place] & class ? 0 : all->classes[place] ? 1 : 2;

	if (add && fresh) {
		all->places += fresh == 2;
		all->bits++;
		all->classes[place] |= class;
	}
	return fresh;
}

u32 lab_map_list(const struct lab_map *m, struct lab_map_item *item, u32 max)
{
	u32 n = 0;

	for (; n < m->nr_touched && n < max; n++)
		item[n] = (struct lab_map_item){m->touched[n], class_of(m->count[m->touched[n]])};
	return n;
}

u32 lab_map_new_items(struct lab_seen_map *all, const struct lab_map_item *item, u32 nr, bool add)
{
	u32 fresh = 0;

	for (u32 i = 0; i < nr; i++) {
		u32 f = note(all, item[i].place, item[i].class, add);

		fresh = f > fresh ? f : fresh;
	}
	return fresh;
}

u32 lab_map_new(struct lab_seen_map *all, const struct lab_map *m, bool add)
{
	u32 fresh = 0;

	for (u32 i = 0; i < m->nr_touched; i++) {
		u32 f = note(all, m->touched[i], class_of(m->count[m->touched[i]]), add);

		fresh = f > fresh ? f : fresh;
	}
	return fresh;
}
