// SPDX-License-Identifier: GPL-2.0-only
/*
 * The double of KVM and of the host's page allocator for guest_memfd's tests; see double.h.
 * What it does is as little as the calls promise: leaves come, are split and go; nothing of TDX is
 * here.
 */
#include <stdio.h>

#include "tests/gmem/double.h"
#include "sim/rt/lock.h"

struct fake *fake(void)
{
	return rt_root(2);
}

/* --- recording ----------------------------------------------------------------------- */

#define LOG_MAX 4096

static void note(const char *what, u64 start, u64 end)
{
	struct fake *k = fake();
	struct gmem_folio_view v;
	size_t len = strlen(k->log);
	char order[8] = "-";

	if (kvm_gmem_look_folio(k->file, k->probe, &v))
		snprintf(order, sizeof(order), "%u", v.order);
	if (len < LOG_MAX - 80)
		snprintf(k->log + len, LOG_MAX - len, "%s%s[%llu,%llu):%s%c", len ? " " : "", what,
			 start - BASE_GFN, end - BASE_GFN, order,
			 kvm_gmem_look_private(k->file, k->probe) ? 'p' : 's');
}

void log_reset(u64 probe)
{
	struct fake *k = fake();

	k->log[0] = '\0';
	k->probe = probe;
	k->overzap = 0;
	k->removals = 0;
	k->demotes = 0;
}

const char *log_text(void)
{
	return fake()->log;
}

/* --- leaves -------------------------------------------------------------------------- */

static void leaf_add(u64 gfn, u64 pfn, u8 level)
{
	struct fake *k = fake();

	if (k->nr_leaves == k->cap_leaves) {
		k->cap_leaves = k->cap_leaves ? 2 * k->cap_leaves : 64;
		k->leaves = rt_realloc(k->leaves, k->cap_leaves * sizeof(*k->leaves));
	}
	k->leaves[k->nr_leaves++] = (struct leaf){gfn, pfn, level};
}

static u64 leaf_pages(const struct leaf *l)
{
	return KVM_PAGES_PER_HPAGE(l->level);
}

static struct leaf leaf_take(u32 i)
{
	struct fake *k = fake();
	struct leaf l = k->leaves[i];

	k->leaves[i] = k->leaves[--k->nr_leaves];
	return l;
}

static void leaf_demote(u32 i)
{
	struct leaf l = leaf_take(i);
	u64 step = KVM_PAGES_PER_HPAGE(l.level - 1), n;

	fake()->demotes++;
	for (n = 0; n < 512; n++)
		leaf_add(l.gfn + n * step, l.pfn + n * step, l.level - 1);
}

u8 leaf_level(u64 index)
{
	struct fake *k = fake();
	u32 i;

	for (i = 0; i < k->nr_leaves; i++)
		if (BASE_GFN + index - k->leaves[i].gfn < leaf_pages(&k->leaves[i]))
			return k->leaves[i].level;
	return 0;
}

u64 mapped_pages(void)
{
	struct fake *k = fake();
	u64 n = 0;
	u32 i;

	for (i = 0; i < k->nr_leaves; i++)
		n += leaf_pages(&k->leaves[i]);
	return n;
}

/* --- what gmem calls ----------------------------------------------------------------- */

void kvm_mmu_invalidate_begin(struct kvm *kvm)
{
	assert_true(rt_lock_held(&kvm->mmu_lock.rt, RT_LOCK_EX));
	kvm->mmu_invalidate_in_progress++;
}

void kvm_mmu_invalidate_range_add(struct kvm *kvm, gfn_t start, gfn_t end)
{
	kvm->mmu_invalidate_range_start = start;
	kvm->mmu_invalidate_range_end = end;
	note("begin", start, end);
}

void kvm_mmu_invalidate_end(struct kvm *kvm)
{
	assert_true(rt_lock_held(&kvm->mmu_lock.rt, RT_LOCK_EX));
	assert_true(kvm->mmu_invalidate_in_progress > 0);
	kvm->mmu_invalidate_in_progress--;
	kvm->mmu_invalidate_seq++;
	note("end", BASE_GFN, BASE_GFN);
}

bool kvm_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range)
{
	static const char *const name[] = {"zap-", "zapS", "zapP", "zapSP"};
	struct fake *k = fake();
	bool any = false;
	u32 i = 0;

	assert_true(rt_lock_held(&kvm->mmu_lock.rt, RT_LOCK_EX));
	assert_true(kvm->mmu_invalidate_in_progress > 0);
	note(name[range->attr_filter], range->start, range->end);
	while ((range->attr_filter & KVM_FILTER_PRIVATE) && i < k->nr_leaves) {
		struct leaf l = k->leaves[i];
		u64 end = l.gfn + leaf_pages(&l), in;

		if (end <= range->start || l.gfn >= range->end) {
			i++;
			continue;
		}
		in = (end < range->end ? end : range->end) -
		     (l.gfn > range->start ? l.gfn : range->start);
		if (k->zap_fails) { /* once */
			k->zap_fails = false;
			kvm_gmem_zap_failed(kvm, l.gfn, l.pfn, leaf_pages(&l));
			i++;
			continue;
		}
		k->overzap += leaf_pages(&l) - in;
		k->removals++;
		leaf_take(i);
		any = true;
	}
	return any;
}

void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	assert_true(rt_lock_held(&kvm->mmu_lock.rt, RT_LOCK_EX));
}

static int split_crossing(u64 at)
{
	struct fake *k = fake();
	u32 i = 0;

	while (i < k->nr_leaves) {
		const struct leaf *l = &k->leaves[i];

		if (l->level > PG_LEVEL_4K && at > l->gfn && at < l->gfn + leaf_pages(l)) {
			if (rt_fault_fire("fake-split", 0, NULL))
				return -ENOMEM;
			leaf_demote(i);
			i = 0;
			continue;
		}
		i++;
	}
	return 0;
}

static int split_ends(u64 start, u64 end)
{
	int ret = split_crossing(start);

	return ret ? ret : split_crossing(end);
}

int kvm_split_cross_boundary_leafs(struct kvm *kvm, struct kvm_gfn_range *range, bool shared)
{
	assert_true(rt_lock_held(&kvm->mmu_lock.rt, RT_LOCK_EX));
	assert_false(shared);
	assert_int_equal(range->attr_filter, KVM_FILTER_PRIVATE);
	assert_true(range->may_block);
	note("cross", range->start, range->end);
	return split_ends(range->start, range->end);
}

void kvm_arch_split_lock(struct kvm *kvm)
{
	write_lock(&kvm->mmu_lock);
}

void kvm_arch_split_unlock(struct kvm *kvm)
{
	write_unlock(&kvm->mmu_lock);
}

int kvm_arch_gmem_convert(struct kvm *kvm, gfn_t start, gfn_t end, bool to_private)
{
	assert_false(rt_lock_held_any(&kvm->mmu_lock.rt));
	note(to_private ? "hookP" : "hook", start, end);
	return to_private ? 0 : split_ends(start, end);
}

int kvm_tdp_mmu_mirrors_split_huge_pages(struct kvm *kvm, gfn_t start, gfn_t end, int target)
{
	struct fake *k = fake();
	u32 i = 0;

	assert_true(rt_lock_held(&kvm->mmu_lock.rt, RT_LOCK_EX));
	note(target == PG_LEVEL_2M ? "to2M" : "to4K", start, end);
	while (i < k->nr_leaves) {
		const struct leaf *l = &k->leaves[i];

		if (l->level <= target || l->gfn >= end || l->gfn + leaf_pages(l) <= start) {
			i++;
			continue;
		}
		if (rt_fault_fire("fake-split", 0, NULL))
			return -ENOMEM;
		leaf_demote(i);
	}
	return 0;
}

int kvm_mmu_block_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end)
{
	assert_true(rt_lock_held(&kvm->mmu_lock.rt, RT_LOCK_EX));
	note("block", start, end);
	if (rt_fault_fire("fake-block", 0, NULL))
		return -EIO;
	fake()->blocked = true;
	return 0;
}

int kvm_mmu_unblock_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end)
{
	assert_true(rt_lock_held(&kvm->mmu_lock.rt, RT_LOCK_EX));
	note("unblock", start, end);
	fake()->blocked = false;
	return 0;
}

void kvm_for_each_spte(const struct kvm *kvm, bool mirror, u64 gfn, u64 nr,
		       bool (*fn)(void *ctx, const struct kvm_spte_view *v), void *ctx)
{
	struct fake *k = fake();
	u32 i;

	assert_true(mirror);
	for (i = 0; i < k->nr_leaves; i++) {
		const struct leaf *l = &k->leaves[i];
		struct kvm_spte_view v = {
			.gfn = l->gfn, .level = l->level, .leaf = true, .pfn = l->pfn};

		if (l->gfn + leaf_pages(l) > gfn && l->gfn < gfn + nr && !fn(ctx, &v))
			return;
	}
}

void kvm_get_kvm(struct kvm *kvm)
{
	fake()->refs++;
}

void kvm_put_kvm(struct kvm *kvm)
{
	assert_true(fake()->refs > 0);
	fake()->refs--;
}

struct kvm_memory_slot *gfn_to_memslot(struct kvm *kvm, gfn_t gfn)
{
	struct kvm_memory_slot *slot = &fake()->slot;

	return gfn - slot->base_gfn < slot->npages ? slot : NULL;
}

u32 kvm_policy(enum kvm_policy_key key)
{
	return key == KVM_POLICY_VM_ATTRS && fake()->vm_attrs ? KVM_VM_ATTRS_ON : 0;
}

/* --- the host ------------------------------------------------------------------------ */

u64 host_alloc_pfns(u32 order)
{
	struct fake *k = fake();
	u64 nr = 1ULL << order, pfn;
	u32 i;

	if (k->host_used + nr > k->host_total)
		return 0;
	k->host_used += nr;
	for (i = k->nr_freed; i-- > 0;) {
		if (k->freed[i].order != order)
			continue;
		pfn = k->freed[i].pfn;
		k->freed[i] = k->freed[--k->nr_freed];
		return pfn;
	}
	pfn = (k->host_next + nr - 1) & ~(nr - 1);
	k->host_next = pfn + nr;
	return pfn;
}

void host_free_pfns(u64 pfn, u32 order)
{
	struct fake *k = fake();

	assert_true(k->host_used >= 1ULL << order);
	k->host_used -= 1ULL << order;
	if (k->nr_freed < RT_ARRAY_SIZE(k->freed)) {
		k->freed[k->nr_freed].pfn = pfn;
		k->freed[k->nr_freed++].order = order;
	}
}

u64 host_free_pfns_count(void)
{
	return fake()->host_total - fake()->host_used;
}

/* Only what a test expects may warn. */
void compat_warn(const char *file, int line, const char *what)
{
	if (!fake()->warn_ok)
		fail_msg("%s:%d: WARN %s", file, line, what);
	fake()->warns++;
}

void compat_lockdep_fail(const char *file, int line, const char *what)
{
	fail_msg("%s:%d: %s", file, line, what);
}

const char *compat_lock_name(const char *expr)
{
	return expr;
}

/* --- fixtures ------------------------------------------------------------------------ */

int fixture_in(struct rt_world *w, void **state)
{
	struct fake *k;

	if (!w)
		return -1;
	*state = w;
	k = rt_zalloc(sizeof(*k));
	rt_set_root(2, k);
	k->log = rt_zalloc(LOG_MAX);
	k->host_total = 64 * P1G;
	k->host_next = 4 * P1G;
	k->kvm.arch.has_private_mem = true;
	rwlock_init(&k->kvm.mmu_lock);
	mutex_init(&k->kvm.slots_lock);
	return 0;
}

int fixture_new(void **state)
{
	return fixture_in(rt_world_new(NULL), state);
}

int fixture_free(void **state)
{
	struct fake *k = fake();

	if (k->file)
		close_file();
	kvm_gmem_put_strays();
	/* I13: nothing is left behind but what a memory failure took. */
	assert_int_equal(k->host_used, kvm_gmem_stat(GMEM_STAT_RETIRED));
	assert_int_equal(k->refs, 0);
	assert_int_equal(kvm_gmem_reserved(), 0);
	assert_int_equal(kvm_gmem_orphans(), 0);
	assert_int_equal(k->kvm.mmu_invalidate_in_progress, 0);
	assert_int_equal(rt_locks_held(), 0);
	rt_world_free(*state);
	return 0;
}

struct gmem_setup setup_of(u64 size, enum gmem_backing backing, const char *profile)
{
	struct gmem_setup s = {.name = "g0", .size = size, .backing = backing};

	if (profile)
		assert_true(gmem_profile(profile, s.policy));
	return s;
}

void set_policy(struct gmem_setup *setup, const char *key, const char *value)
{
	u32 i, v;

	for (i = 0; gmem_policies[i].key; i++) {
		if (strcmp(gmem_policies[i].key, key))
			continue;
		for (v = 0; gmem_policies[i].values[v]; v++) {
			if (!strcmp(gmem_policies[i].values[v], value)) {
				setup->policy[i] = v;
				return;
			}
		}
	}
	fail_msg("no policy %s=%s", key, value);
}

void open_file_with(const struct gmem_setup *setup)
{
	struct fake *k = fake();

	assert_int_equal(kvm_gmem_create(&k->kvm, setup, &k->file), 0);
	k->slot = (struct kvm_memory_slot){
		.base_gfn = BASE_GFN, .npages = setup->size / KB4, .flags = KVM_MEM_GUEST_MEMFD};
	mutex_lock(&k->kvm.slots_lock);
	assert_int_equal(kvm_gmem_bind(&k->kvm, &k->slot, k->file, 0), 0);
	mutex_unlock(&k->kvm.slots_lock);
	log_reset(0);
}

void open_file(u64 size, enum gmem_backing backing, const char *profile)
{
	struct gmem_setup s = setup_of(size, backing, profile);

	open_file_with(&s);
}

void close_file(void)
{
	struct fake *k = fake();

	kvm_gmem_release(k->file);
	k->file = NULL;
	assert_null(k->slot.gmem.file);
	assert_int_equal(k->nr_leaves, 0); /* I19 */
}

void add_leaf_over(u64 index, u64 pfn, int order)
{
	u64 gfn = BASE_GFN + index, mask = (1ULL << order) - 1;

	if (leaf_level(index))
		return;
	assert_int_equal(gfn & mask, pfn & mask);
	leaf_add(gfn & ~mask, pfn & ~mask, 1 + order / 9);
}

int fault_in(u64 index, u8 max_level)
{
	struct fake *k = fake();
	u64 gfn = BASE_GFN + index;
	struct page *page;
	kvm_pfn_t pfn;
	int order, ret;
	u8 level;

	ret = kvm_gmem_get_pfn(&k->kvm, &k->slot, gfn, &pfn, &page, &order);
	if (ret)
		return ret;
	level = 1 + order / 9;
	if (level > max_level)
		level = max_level;
	add_leaf_over(index, pfn, (level - 1) * 9);
	kvm_gmem_put_page(page);
	return 0;
}

int convert(u64 index, u64 nr, u64 attr, u64 *err_index)
{
	u64 err = ~0ULL;
	int ret = kvm_gmem_set_attributes(fake()->file, index * KB4, nr * KB4, attr, &err);

	if (err_index)
		*err_index = err == ~0ULL ? err : err / KB4;
	return ret;
}

int to_shared(u64 index, u64 nr)
{
	return convert(index, nr, 0, NULL);
}

int to_private(u64 index, u64 nr)
{
	return convert(index, nr, PRIVATE, NULL);
}

void arm(const char *site, u64 nth)
{
	struct rt_fault f = {.key = RT_FAULT_ANY, .actor = RT_NOBODY, .nth = nth, .count = 1};

	snprintf(f.site, sizeof(f.site), "%s", site);
	rt_fault_arm(&f);
}

struct gmem_folio_view folio_view(u64 index)
{
	struct gmem_folio_view v;

	assert_true(kvm_gmem_look_folio(fake()->file, index, &v));
	return v;
}
