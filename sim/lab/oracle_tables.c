// SPDX-License-Identifier: GPL-2.0-only
/*
 * Oracles over KVM's mirror, the S-EPT, lpage_info and what vCPUs can still reach. They see the
 * lists that oracle.c collected.
 */
#include <string.h>

#include "mmu/kvm_policy.h"
#include "sim/lab/oracle_int.h"
#include "sim/rt/world.h"

#define LPAGE_INHIBIT (1U << 30)

static const char *level_name(u32 kvm_level)
{
	static const char *const names[] = {"?", "4K", "2M", "1G", "512G", "256T"};

	return kvm_level < 6 ? names[kvm_level] : names[0];
}

static u64 level_mask(u32 kvm_level)
{
	return (1ULL << 9 * (kvm_level - 1)) - 1;
}

static bool same_entry(struct lab_check *c, const struct kvm_spte_view *k,
		       const struct lab_sept_entry *s)
{
	u64 gpa = k->gfn << 12;

	if (k->leaf != s->v.leaf)
		return lab_broken(c, "0x%llx at %s: the mirror has a %s, the S-EPT a %s", gpa,
				  level_name(k->level), k->leaf ? "page" : "table",
				  s->v.leaf ? "page" : "table");
	if (k->pfn << 12 != s->v.hpa)
		return lab_broken(
			c, "0x%llx at %s: the mirror points to page 0x%llx, the S-EPT to 0x%llx",
			gpa, level_name(k->level), k->pfn << 12, s->v.hpa);
	return true;
}

bool lab_check_mirror(struct lab_check *c)
{
	u32 i = 0, j = 0;

	while (i < c->nr_mirror || j < c->nr_sept) {
		const struct kvm_spte_view *k = i < c->nr_mirror ? &c->mirror[i] : NULL;
		const struct lab_sept_entry *s = j < c->nr_sept ? &c->sept[j] : NULL;
		u64 kg = k ? k->gfn << 12 : ~0ULL, sg = s ? s->gpa : ~0ULL;
		u32 sl = s ? s->v.level + 1u : 0;

		/* Pre-order: the larger level of one address comes first. */
		if (!s || (k && (kg < sg || (kg == sg && k->level > sl))))
			return lab_broken(c, "0x%llx at %s is in the mirror and not in the S-EPT",
					  kg, level_name(k->level));
		if (!k || sg < kg || sl > k->level)
			return lab_broken(c,
					  "0x%llx at %s is in the S-EPT (%s) and not in the mirror",
					  sg, level_name(sl), seam_sept_state_name(s->v.state));
		if (!same_entry(c, k, s))
			return false;
		i++;
		j++;
	}
	return true;
}

bool lab_check_blocked(struct lab_check *c)
{
	for (u32 j = 0; j < c->nr_sept; j++) {
		u8 state = c->sept[j].v.state;

		if (state == SEAM_SEPT_BLOCKED || state == SEAM_SEPT_PENDING_BLOCKED ||
		    state == SEAM_SEPT_NL_BLOCKED)
			return lab_broken(c, "0x%llx at %s is still %s", c->sept[j].gpa,
					  level_name(c->sept[j].v.level + 1u),
					  seam_sept_state_name(state));
	}
	return true;
}

bool lab_check_frozen(struct lab_check *c)
{
	for (u32 i = 0; i < c->nr_mirror; i++) {
		if (c->mirror[i].frozen)
			return lab_broken(c, "the SPTE of 0x%llx at %s is still frozen",
					  c->mirror[i].gfn << 12, level_name(c->mirror[i].level));
	}
	return true;
}

bool lab_check_rwx(struct lab_check *c)
{
	for (u32 i = 0; i < c->nr_mirror; i++) {
		if (c->mirror[i].leaf && (c->mirror[i].spte & 7) != 7)
			return lab_broken(c, "the leaf of 0x%llx has SPTE 0x%llx",
					  c->mirror[i].gfn << 12, c->mirror[i].spte);
	}
	return true;
}

bool lab_check_congruent(struct lab_check *c)
{
	for (u32 i = 0; i < c->nr_mirror; i++) {
		const struct kvm_spte_view *k = &c->mirror[i];

		if (k->leaf && ((k->gfn ^ k->pfn) & level_mask(k->level)))
			return lab_broken(c, "0x%llx is mapped at %s to host page 0x%llx",
					  k->gfn << 12, level_name(k->level), k->pfn << 12);
	}
	return true;
}

bool lab_check_inhibit_huge(struct lab_check *c)
{
	for (u32 i = 0; i < c->nr_mirror; i++) {
		const struct kvm_spte_view *k = &c->mirror[i];
		u32 word =
			k->leaf && k->level > 1 ? kvm_look_lpage(c->td->kvm, k->gfn, k->level) : 0;

		if (word != ~0U && (word & LPAGE_INHIBIT))
			return lab_broken(
				c, "0x%llx is mapped at %s, which the guest's accept forbids",
				k->gfn << 12, level_name(k->level));
	}
	return true;
}

/*
 * Two slots can share a large page of guest addresses, and each has an lpage_info of its own: the
 * key is the first frame of that page that lies in the slot.
 */
static void note_inhibit(struct lab_td *td, const struct lab_slot_setup *slot, u64 gfn, u8 level)
{
	u64 first = gfn & ~level_mask(level), key;
	u32 word = kvm_look_lpage(td->kvm, gfn, level);

	first = first < slot->gpa >> 12 ? slot->gpa >> 12 : first;
	key = first << 2 | level;

	if (word == ~0U || !(word & LPAGE_INHIBIT))
		return;
	for (u32 i = 0; i < td->nr_inhibited; i++) {
		if (td->inhibited[i] == key)
			return;
	}
	if (td->nr_inhibited == td->cap_inhibited) {
		td->cap_inhibited = td->cap_inhibited ? 2 * td->cap_inhibited : 8;
		td->inhibited =
			rt_realloc(td->inhibited, td->cap_inhibited * sizeof(*td->inhibited));
	}
	td->inhibited[td->nr_inhibited++] = key;
}

/* What the accepts since the last quiescent point have set. */
static void note_accepts(struct lab_check *c)
{
	for (u32 i = 0; i < c->m->block_nr; i++) {
		const struct lab_op *op = lab_op(c->m, c->m->block + i);
		u32 td = lab_setup_td(c->m->sc, c->m->su, op->td);
		u64 gpa, end, step = 2ULL << 20;
		u32 slot;

		if (op->kind != LAB_OP_ACCEPT || td != c->td->index)
			continue;
		gpa = lab_op_gpa(c->m->sc, c->m->su, op, "GPA", &td);
		end = gpa + lab_num(op, "SIZE", 0);
		for (; gpa < end; gpa = (gpa + step) & ~(step - 1)) {
			slot = lab_setup_slot_at(c->m->su, c->td->index, gpa);
			if (slot == LAB_SLOTS)
				continue;
			note_inhibit(c->td, &c->m->su->slot[slot], gpa >> 12, 2);
			note_inhibit(c->td, &c->m->su->slot[slot], gpa >> 12, 3);
		}
	}
}

/* Every flag that was seen once is still there, as long as its slot is (inhibit=oneway). */
bool lab_check_inhibit_stays(struct lab_check *c)
{
	struct lab_td *td = c->td;

	if (c->m->su->kvm_policy[KVM_POLICY_INHIBIT] == KVM_INHIBIT_CLEAR)
		return true;

	for (u32 i = 0; i < td->nr_inhibited;) {
		u64 gfn = td->inhibited[i] >> 2;
		u8 level = td->inhibited[i] & 3;
		u32 word = kvm_look_lpage(td->kvm, gfn, level);

		if (word == ~0U) {
			/* The slot went, and its lpage_info with it. */
			td->inhibited[i] = td->inhibited[--td->nr_inhibited];
			continue;
		}
		if (!(word & LPAGE_INHIBIT))
			return lab_broken(c, "0x%llx at %s had GUEST_INHIBIT, and has it no more",
					  gfn << 12, level_name(level));
		i++;
	}
	note_accepts(c);
	return true;
}

static bool count_leaf(void *ctx, const struct kvm_spte_view *v)
{
	u64 *leaves = ctx;

	if (v->leaf && v->level < 4)
		leaves[v->level]++;
	return true;
}

bool lab_check_stats(struct lab_check *c)
{
	static const enum kvm_stat stat[] = {KVM_STAT_NR, KVM_STAT_PAGES_4K, KVM_STAT_PAGES_2M,
					     KVM_STAT_PAGES_1G};
	u64 leaves[4] = {0};

	for (u32 t = 0; t < c->m->su->nr_tds; t++) {
		/* The leaves of a VM that a bug ended were left where they were: nobody counts. */
		if (c->m->td[t].was_bugged)
			return true;
		if (!c->m->td[t].kvm)
			continue;
		kvm_for_each_spte(c->m->td[t].kvm, true, 0, 1ULL << 40, count_leaf, leaves);
		kvm_for_each_spte(c->m->td[t].kvm, false, 0, 1ULL << 40, count_leaf, leaves);
	}
	for (u32 level = 1; level < 4; level++) {
		u64 said = kvm_stat(c->m->host, stat[level]);

		if (said != leaves[level])
			return lab_broken(c, "pages_%s is %llu, and %llu such leaves are present",
					  level == 1   ? "4k"
					  : level == 2 ? "2m"
						       : "1g",
					  said, leaves[level]);
	}
	return true;
}

bool lab_check_sept_flag(struct lab_check *c)
{
	if (kvm_look_wait_for_sept_zap(c->td->kvm))
		return lab_broken(c, "wait_for_sept_zap was left on: no vCPU can enter");
	return true;
}

struct tlb_walk {
	struct lab_check *c;
	const struct lab_actor *v;
	bool held;
};

static bool check_tlb(void *ctx, const struct seam_tlb_view *t)
{
	struct tlb_walk *w = ctx;

	if (t->stale)
		w->held = lab_broken(w->c,
				     "%s is in the guest and still translates %s 0x%llx to 0x%llx",
				     w->v->name, t->shared ? "shared" : "private", t->gpa, t->hpa);
	return w->held;
}

bool lab_check_stale(struct lab_check *c)
{
	struct tlb_walk w = {c, NULL, true};

	for (u32 i = 0; i < c->m->su->td[c->td->index].vcpus && w.held; i++) {
		struct lab_actor *v = c->td->vcpu[i];
		struct seam_vcpu_view view;

		w.v = v;
		/* Outside of the guest the next entry flushes (tdx-module.md 3.5). */
		if (v->kvcpu && seam_look_vcpu(c->m->seam, kvm_tdvpr(v->kvcpu), &view) &&
		    view.in_guest && !c->td->tainted)
			seam_for_each_tlb(c->m->seam, kvm_tdvpr(v->kvcpu), check_tlb, &w);
	}
	return w.held;
}

bool lab_check_dead(struct lab_check *c)
{
	if (!kvm_is_dead(c->td->kvm) && !kvm_is_bugged(c->td->kvm))
		return true;
	for (u32 i = 0; i < c->m->su->td[c->td->index].vcpus; i++) {
		struct lab_actor *v = c->td->vcpu[i];
		struct seam_vcpu_view view;

		if (v->kvcpu && seam_look_vcpu(c->m->seam, kvm_tdvpr(v->kvcpu), &view) &&
		    view.in_guest)
			return lab_broken(c, "%s is in the guest of a dead VM", v->name);
	}
	return true;
}
