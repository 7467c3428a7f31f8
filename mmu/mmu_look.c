// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking into the tables from outside: for oracles and reports, and as the hardware walks the
 * shared table. Plain reads: no lock, no scheduling point, nothing changes. The port itself walks
 * with tdp_iter.
 */
#include "mmu/mmu.h"

#include "mmu/tdp_mmu.h"

struct spte_walk {
	const struct kvm *kvm;
	gfn_t start, end;
	gfn_t index_bits; /* the shared bit in a direct table */
	bool mirror;
	bool (*fn)(void *ctx, const struct kvm_spte_view *v);
	void *ctx;
};

static void spte_view(const struct kvm_mmu_entry *e, gfn_t gfn, int level, u64 spte,
		      struct kvm_spte_view *v)
{
	*v = (struct kvm_spte_view){
		.gfn = gfn,
		.level = level,
		.spte = spte,
		.frozen = e->frozen,
		.leaf = e->leaf,
		.pfn = e->pfn,
	};
}

/* The part of one table that lies in the range; false when the visitor has seen enough. */
static bool walk_table(const struct spte_walk *walk, const u64 *pt, gfn_t base, int level)
{
	const gfn_t step = KVM_PAGES_PER_HPAGE(level);
	const gfn_t first = max(base, gfn_round_for_level(walk->start, level));
	const gfn_t last = min(walk->end, base + step * SPTE_ENT_PER_PAGE);
	const u64 *sptep = &pt[SPTE_INDEX(first | walk->index_bits, level)];
	struct kvm_mmu_entry e;
	struct kvm_spte_view v;
	gfn_t gfn;

	for (gfn = first; gfn < last; gfn += step) {
		const u64 spte = *sptep++;

		if (spte == SHADOW_NONPRESENT_VALUE)
			continue;
		e = kvm_mmu_read_entry(walk->kvm, walk->mirror, spte, level);
		if (!e.present && !e.frozen)
			continue;
		spte_view(&e, gfn, level, spte, &v);
		if (!walk->fn(walk->ctx, &v))
			return false;
		if (e.child && !walk_table(walk, e.child, gfn, level - 1))
			return false;
	}
	return true;
}

void kvm_for_each_spte(const struct kvm *kvm, bool mirror, u64 gfn, u64 nr,
		       bool (*fn)(void *ctx, const struct kvm_spte_view *v), void *ctx)
{
	struct kvm_mmu_table root = kvm_mmu_root_table(kvm, mirror);
	struct spte_walk walk = {
		.kvm = kvm,
		.start = gfn,
		.index_bits = root.index_bits,
		.mirror = mirror,
		.fn = fn,
		.ctx = ctx,
	};

	if (!root.entries)
		return;
	/* The upper half of the root belongs to the other kind of address. */
	walk.end = kvm_gfn_direct_bits(kvm) ? kvm_gfn_direct_bits(kvm)
					    : 1ULL << (root.level * SPTE_LEVEL_BITS);
	if (gfn < walk.end && nr < walk.end - gfn)
		walk.end = gfn + nr;
	walk_table(&walk, root.entries, 0, root.level);
}

/*
 * The entry at which a walk towards @gfn ends: a leaf, an empty or a frozen one. Its level, 0
 * without a root.
 */
static int walk_to_entry(const struct kvm *kvm, bool mirror, gfn_t gfn, u64 *spte,
			 struct kvm_mmu_entry *e)
{
	const struct kvm_mmu_table root = kvm_mmu_root_table(kvm, mirror);
	const u64 *pt = root.entries;
	int level = root.level;

	if (!pt)
		return PG_LEVEL_NONE;

	for (;; level--) {
		*spte = pt[SPTE_INDEX(gfn | root.index_bits, level)];
		*e = kvm_mmu_read_entry(kvm, mirror, *spte, level);
		pt = e->child;
		if (!pt)
			return level;
	}
}

bool kvm_look_spte(const struct kvm *kvm, bool mirror, u64 gfn, struct kvm_spte_view *v)
{
	struct kvm_mmu_entry e;
	u64 spte;
	const int level = walk_to_entry(kvm, mirror, gfn, &spte, &e);

	if (!level || !e.present)
		return false;
	spte_view(&e, gfn_round_for_level(gfn, level), level, spte, v);
	return true;
}

bool kvm_mmu_gfn_frozen(const struct kvm *kvm, bool mirror, gfn_t gfn)
{
	struct kvm_mmu_entry e;
	u64 spte;

	return walk_to_entry(kvm, mirror, gfn, &spte, &e) && e.frozen;
}

bool kvm_mmu_shared_walk(void *ctx, u64 tdr, u64 gpa, u64 *hpa, bool *writable)
{
	const struct kvm_host *host = ctx;
	struct kvm_mmu_entry e;
	const struct kvm *kvm;
	gfn_t gfn;
	u64 spte;
	int level;

	list_for_each_entry(kvm, &host->vm_list, vm_list) {
		if (kvm_tdr(kvm) != tdr)
			continue;

		gfn = gpa_to_gfn(gpa) & ~kvm_gfn_direct_bits(kvm);
		level = walk_to_entry(kvm, false, gfn, &spte, &e);
		if (!level || !e.present)
			return false;

		gfn &= KVM_PAGES_PER_HPAGE(level) - 1;
		*hpa = pfn_to_hpa(e.pfn + gfn) | (gpa & ~PAGE_MASK);
		*writable = e.writable;
		return true;
	}
	return false;
}
