// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking into the tables from outside: for oracles and reports, and as the hardware walks the
 * shared table. Plain reads: no lock, no scheduling point, nothing changes. The port itself walks
 * with tdp_iter.
 */
#include "mmu/mmu.h"

#include "mmu/tdp_mmu.h"

struct spte_walk {
	gfn_t start, end;
	gfn_t index_bits; /* the shared bit in a direct table */
	bool mirror;
	bool (*fn)(void *ctx, const struct kvm_spte_view *v);
	void *ctx;
};

static bool spte_view(const struct spte_walk *walk, gfn_t gfn, int level, u64 spte,
		      struct kvm_spte_view *v)
{
	struct kvm_mmu_page *child;

	*v = (struct kvm_spte_view){
		.gfn = gfn,
		.level = level,
		.spte = spte,
		.frozen = is_frozen_spte(spte),
		.leaf = is_shadow_present_pte(spte) && is_last_spte(spte, level),
	};
	if (!is_shadow_present_pte(spte))
		return v->frozen;

	v->pfn = spte_to_pfn(spte);
	child = v->leaf || !walk->mirror ? NULL : spte_to_child_sp(spte);
	if (child)
		v->pfn = child->external_spt ? PHYS_PFN(__pa(child->external_spt)) : 0;
	return true;
}

/* The part of one table that lies in the range; false when the visitor has seen enough. */
static bool walk_table(const struct spte_walk *walk, const u64 *pt, gfn_t base, int level)
{
	const gfn_t step = KVM_PAGES_PER_HPAGE(level);
	const gfn_t first = max(base, gfn_round_for_level(walk->start, level));
	const gfn_t last = min(walk->end, base + step * SPTE_ENT_PER_PAGE);
	struct kvm_spte_view v;
	gfn_t gfn;

	for (gfn = first; gfn < last; gfn += step) {
		const u64 spte = pt[SPTE_INDEX(gfn | walk->index_bits, level)];
		const u64 *child = spte_to_child_pt(spte, level);

		if (!spte_view(walk, gfn, level, spte, &v))
			continue;
		if (!walk->fn(walk->ctx, &v))
			return false;
		if (child && !walk_table(walk, child, gfn, level - 1))
			return false;
	}
	return true;
}

void kvm_for_each_spte(const struct kvm *kvm, bool mirror, u64 gfn, u64 nr,
		       bool (*fn)(void *ctx, const struct kvm_spte_view *v), void *ctx)
{
	struct kvm_mmu_page *root = tdp_mmu_find_root(kvm, mirror);
	struct spte_walk walk = {
		.start = gfn,
		.index_bits = mirror ? 0 : kvm_gfn_direct_bits(kvm),
		.mirror = mirror,
		.fn = fn,
		.ctx = ctx,
	};

	if (!root)
		return;
	/* The upper half of the root belongs to the other kind of address. */
	walk.end = kvm_gfn_direct_bits(kvm) ? kvm_gfn_direct_bits(kvm)
					    : tdp_mmu_max_gfn_exclusive(root);
	if (gfn < walk.end && nr < walk.end - gfn)
		walk.end = gfn + nr;
	walk_table(&walk, root->spt, 0, root->role.level);
}

/*
 * The entry at which a walk towards @gfn ends: a leaf, an empty or a frozen one. Its level, 0
 * without a root.
 */
static int walk_to_entry(const struct kvm *kvm, bool mirror, gfn_t gfn, u64 *spte)
{
	struct kvm_mmu_page *root = tdp_mmu_find_root(kvm, mirror);
	const gfn_t bits = mirror ? 0 : kvm_gfn_direct_bits(kvm);
	const u64 *pt;
	int level;

	if (!root)
		return PG_LEVEL_NONE;

	pt = root->spt;
	for (level = root->role.level;; level--) {
		*spte = pt[SPTE_INDEX(gfn | bits, level)];
		pt = spte_to_child_pt(*spte, level);
		if (!pt)
			return level;
	}
}

bool kvm_look_spte(const struct kvm *kvm, bool mirror, u64 gfn, struct kvm_spte_view *v)
{
	const struct spte_walk walk = {.mirror = mirror};
	u64 spte;
	const int level = walk_to_entry(kvm, mirror, gfn, &spte);

	if (!level || !is_shadow_present_pte(spte))
		return false;
	return spte_view(&walk, gfn_round_for_level(gfn, level), level, spte, v);
}

bool kvm_mmu_gfn_frozen(const struct kvm *kvm, bool mirror, gfn_t gfn)
{
	u64 spte;

	return walk_to_entry(kvm, mirror, gfn, &spte) && is_frozen_spte(spte);
}

bool kvm_mmu_shared_walk(void *ctx, u64 tdr, u64 gpa, u64 *hpa, bool *writable)
{
	const struct kvm_host *host = ctx;
	const struct kvm *kvm;
	gfn_t gfn;
	u64 spte;
	int level;

	list_for_each_entry(kvm, &host->vm_list, vm_list) {
		if (kvm_tdr(kvm) != tdr)
			continue;

		gfn = gpa_to_gfn(gpa) & ~kvm_gfn_direct_bits(kvm);
		level = walk_to_entry(kvm, false, gfn, &spte);
		if (!level || !is_shadow_present_pte(spte))
			return false;

		gfn &= KVM_PAGES_PER_HPAGE(level) - 1;
		*hpa = pfn_to_hpa(spte_to_pfn(spte) + gfn) | (gpa & ~PAGE_MASK);
		*writable = is_writable_pte(spte);
		return true;
	}
	return false;
}
