// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folios: split and merge keep pages, references and contents in account (I7, I15, I16), the size
 * rules (I6), files of terabytes that cost what is touched, and a random walk over everything
 * against plain arrays.
 */
#include "tests/gmem/double.h"
#include "gmem/internal.h"
#include "sim/rt/phys.h"

struct sum {
	u64 pages, refs, folios;
};

static bool add_folio(void *ctx, const struct gmem_folio_view *v)
{
	struct sum *s = ctx;

	assert_false(v->frozen);
	s->pages += 1ULL << v->order;
	s->refs += v->refcount;
	s->folios++;
	return true;
}

static struct sum sum_folios(u64 index, u64 nr)
{
	struct sum s = {0, 0, 0};

	kvm_gmem_for_each_folio(fake()->file, index, nr, add_folio, &s);
	return s;
}

/*
 *   2M folio                     [512 references                              ]
 *   page 7 shared                [1][1][1][1][1][1][1][1]...[1]      512 folios
 *   page 7 private again         [512 references                              ]
 */
static void test_folio__split_and_merge_conserve_references(void **state)
{
	struct gmem_setup s = setup_of(MB2, GMEM_HUGETLB_2M, NULL);
	struct sum t;
	u64 i;

	s.hvo = true;
	open_file_with(&s);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, MB2), 0);
	assert_int_equal(folio_view(0).order, 9);
	assert_true(folio_view(0).hvo && folio_view(0).hugetlb);
	assert_int_equal(to_shared(7, 1), 0);
	t = sum_folios(0, 512);
	assert_int_equal(t.pages, 512);
	assert_int_equal(t.refs, 512);
	assert_int_equal(t.folios, 512);
	assert_false(folio_view(0).hvo || folio_view(0).hugetlb);
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_ALLOCS_FILEMAP), 8);
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_ALLOCS_VMEMMAP), 7);
	for (i = 0; i < 512; i++)
		assert_int_equal(folio_view(i).pfn, folio_view(0).pfn + i);
	assert_int_equal(to_private(7, 1), 0);
	t = sum_folios(0, 512);
	assert_int_equal(t.folios, 1);
	assert_int_equal(t.refs, 512);
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_FOLIO_SPLITS), 1);
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_FOLIO_MERGES), 1);
}

/* A block of which something stays shared is not merged; the last conversion merges it. */
static void test_folio__merge_needs_the_whole_block(void **state)
{
	open_file(2 * MB2, GMEM_HUGETLB_2M, NULL);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, 2 * MB2), 0);
	assert_int_equal(to_shared(10, 2), 0);
	assert_int_equal(folio_view(512).order,
			 9); /* its neighbour in the same extent is left alone */
	assert_int_equal(to_private(10, 1), 0);
	assert_int_equal(folio_view(10).order, 0);
	assert_int_equal(to_private(11, 1), 0);
	assert_int_equal(folio_view(10).order, 9);
}

/*
 * A fresh folio over a block with shared pages comes split; without HVO room it does not come at
 * all (B9).
 */
static void test_folio__fresh_folio_over_shared_pages(void **state)
{
	struct gmem_setup s = setup_of(MB2, GMEM_HUGETLB_2M, NULL);
	struct gmem_folio_view v;
	u64 val;

	s.hvo = true;
	open_file_with(&s);
	assert_int_equal(to_shared(3, 1), 0);
	arm("vmemmap-alloc", 7);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), -ENOMEM);
	assert_false(kvm_gmem_look_folio(fake()->file, 0, &v));
	assert_int_equal(kvm_gmem_reserved(), 512);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(sum_folios(0, 512).folios, 512);
	assert_int_equal(leaf_level(0), PG_LEVEL_4K);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 3 * KB4, &val), 0);
	assert_int_equal(val, 0);
}

static void test_folio__nonuniform_splits_where_it_must(void **state)
{
	struct gmem_setup s = setup_of(GB1, GMEM_HUGETLB_1G, "YAN_2026");

	s.hvo = true;
	open_file_with(&s);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, GB1), 0);
	assert_int_equal(to_shared(P2M + 5, 1), 0);
	assert_int_equal(folio_view(0).order, 9);
	assert_true(folio_view(0).hvo);
	assert_int_equal(folio_view(P2M).order, 0);
	assert_int_equal(folio_view(2 * P2M).order, 9);
	assert_int_equal(sum_folios(0, P1G).folios, 511 + 512);
	assert_int_equal(sum_folios(0, P1G).pages, P1G);
	/*
	 * Two pages in different 2M blocks: the second batch of the same block splits one folio
	 * more.
	 */
	assert_int_equal(to_shared(2 * P2M, 1), 0);
	assert_int_equal(sum_folios(0, P1G).folios, 510 + 2 * 512);
}

static void test_folio__size_rules(void **state)
{
	static const struct {
		const char *rule;
		u8 before, neighbour, inside;
	} r[] = {{"FOLIO", 18, 0, 0}, {"CONTIG", 18, 9, 0}, {"ATTR", 18, 9, 0}};
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		struct gmem_setup s = setup_of(GB1, GMEM_HUGETLB_1G, NULL);

		set_policy(&s, "size_rule", r[i].rule);
		open_file_with(&s);
		assert_int_equal(kvm_gmem_allocate(fake()->file, 0, GB1), 0);
		assert_int_equal(kvm_gmem_look_max_order(fake()->file, 1), r[i].before);
		assert_int_equal(to_shared(5, 1), 0); /* UNIFORM_4K: all of it in pieces */
		assert_int_equal(kvm_gmem_look_max_order(fake()->file, P2M), r[i].neighbour);
		assert_int_equal(kvm_gmem_look_max_order(fake()->file, 4), r[i].inside);
		assert_int_equal(kvm_gmem_look_max_order(fake()->file, 5), 0);
		assert_int_equal(kvm_gmem_mapping_order(&fake()->slot, BASE_GFN + P2M + 1),
				 r[i].neighbour);
		close_file();
	}
}

static void test_folio__thp_falls_back_to_4k(void **state)
{
	open_file(MB2 + KB4, GMEM_THP_2M, NULL);
	assert_int_equal(fault_in(512, PG_LEVEL_2M), 0); /* the block passes the end of the file */
	assert_int_equal(folio_view(512).order, 0);
	arm("folio-alloc", 1); /* no 2M to be had */
	assert_int_equal(fault_in(3, PG_LEVEL_2M), 0);
	assert_int_equal(folio_view(3).order, 0);
	assert_int_equal(fault_in(4, PG_LEVEL_2M), 0); /* one index of the block is populated */
	assert_int_equal(folio_view(4).order, 0);
	close_file();

	open_file(2 * MB2, GMEM_THP_2M, NULL);
	assert_int_equal(fault_in(3, PG_LEVEL_2M), 0);
	assert_int_equal(folio_view(3).order, 9);
	assert_int_equal(leaf_level(3), PG_LEVEL_2M);
	/* Split THP pages are buddy pages: half of the block can go. */
	assert_int_equal(to_shared(3, 1), 0);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, 256 * KB4), 0);
	assert_int_equal(fake()->host_used, 256);
}

/*
 * I16, B19: memory with somebody's data is zero before anybody sees it, all of it, also after split
 * and merge.
 */
static void test_folio__no_stale_data(void **state)
{
	struct gmem_folio_view v;
	u64 val = 1;

	open_file(MB2, GMEM_HUGETLB_2M, NULL);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, MB2), 0);
	v = folio_view(0);
	rt_phys_write((v.pfn + 9) * KB4, 0, 0xdead); /* left by the last user */
	rt_phys_write((v.pfn + 300) * KB4, 0, 0xdead);
	rt_phys_write((v.pfn + 10) * KB4, 0, 0xdead);
	assert_false(v.uptodate);
	assert_int_equal(to_shared(8, 3), 0);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 8 * KB4, &val), 0);
	assert_int_equal(val, 0);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 10 * KB4, &val), 0);
	assert_int_equal(val, 0);
	assert_true(folio_view(8).uptodate);
	assert_false(folio_view(9).uptodate);
	/* The merge: the head is uptodate, pages 9 and 300 were not. */
	assert_int_equal(to_private(8, 3), 0);
	assert_int_equal(folio_view(0).order, 9);
	assert_int_equal(to_shared(300, 1), 0);
	assert_int_equal(to_shared(9, 1), 0);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 9 * KB4, &val), 0);
	assert_int_equal(val, 0);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 300 * KB4, &val), 0);
	assert_int_equal(val, 0);
}

/*
 *   1G in 4K folios, none of them zeroed yet; under ATTR a 2M leaf covers 512 of them:
 *   all are zeroed before the leaf, none after
 */
static void test_folio__leaf_larger_than_its_folio_is_zeroed_whole(void **state)
{
	u64 val, pa;

	open_file(GB1, GMEM_HUGETLB_1G, NULL);
	assert_int_equal(to_shared(0, 1), 0);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, GB1), 0);
	pa = (folio_view(0).pfn + P2M + 9) * KB4;
	rt_phys_write(pa, 0, 0xdead);
	assert_int_equal(fault_in(P2M, PG_LEVEL_2M), 0);
	assert_int_equal(leaf_level(P2M + 9), PG_LEVEL_2M);
	assert_true(rt_phys_read(pa, 0, &val));
	assert_int_equal(val, 0);
	rt_phys_write(pa, 33, 0x600d); /* the guest, with its key */
	assert_int_equal(fault_in(P2M + 9, PG_LEVEL_2M), 0);
	assert_int_equal(to_private(0, 1), 0); /* merge */
	assert_int_equal(folio_view(0).order, 18);
	assert_true(rt_phys_read(pa, 33, &val));
	assert_int_equal(val, 0x600d);
}

/* --- cost ---------------------------------------------------------------------------- */

static void test_folio__terabytes_cost_what_is_touched(void **state)
{
	u64 tb16 = 16ULL << 40, i, blocks;

	open_file(tb16, GMEM_4K, NULL);
	assert_int_equal(to_shared(1ULL << 30, 1ULL << 31), 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(fault_in(i * (1ULL << 26), PG_LEVEL_4K), 0);
	blocks = rt_mem_stats(*state).live_blocks;
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, 12ULL << 40), 0);
	assert_true(rt_mem_stats(*state).live_blocks < blocks);
	assert_int_equal(mapped_pages(), 0);
	assert_true(rt_mem_stats(*state).live_bytes < 200 * 1024);
}

static void test_folio__fragments_of_1g_cost_one_node(void **state)
{
	size_t before;

	open_file(GB1, GMEM_HUGETLB_1G, NULL);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, GB1), 0);
	before = rt_mem_stats(*state).live_blocks;
	assert_int_equal(to_shared(0, 1), 0);
	assert_in_range(rt_mem_stats(*state).live_blocks, before, before + 3);
	assert_int_equal(sum_folios(0, P1G).folios, P1G);
}

/* --- a random walk ------------------------------------------------------------------- */

#define WALK_PAGES 2048

struct model {
	bool private_[WALK_PAGES];
	u64 pfn[WALK_PAGES]; /* 0: nothing there */
};

static bool no_private_map(void *ctx, u64 index, u64 pfn)
{
	const struct model *m = ctx;

	assert_false(m->private_[index]); /* I1 */
	assert_int_equal(m->pfn[index], pfn);
	return true;
}

static void check_leaf(const struct model *m, const struct leaf *l)
{
	u64 i, nr = KVM_PAGES_PER_HPAGE(l->level), index = l->gfn - BASE_GFN;

	for (i = 0; i < nr; i++) {
		assert_true(m->private_[index + i]);
		assert_int_equal(m->pfn[index + i], l->pfn + i);
	}
}

static void check_model(struct model *m, bool all_4k)
{
	struct gmem_folio_view v;
	u64 i;

	for (i = 0; i < WALK_PAGES; i++) {
		bool there = kvm_gmem_look_folio(fake()->file, i, &v);

		assert_int_equal(m->private_[i], kvm_gmem_look_private(fake()->file, i));
		if (m->pfn[i]) { /* I15: where it is, it stays */
			assert_true(there);
			assert_int_equal(v.pfn + (i - v.index), m->pfn[i]);
		}
		m->pfn[i] = there ? v.pfn + (i - v.index) : 0;
		if (!there)
			continue;
		assert_int_equal(v.refcount, 1ULL << v.order);
		if (!m->private_[i] || all_4k)
			assert_int_equal(v.order, 0); /* I4 */
	}
	for (i = 0; i < fake()->nr_leaves; i++) /* I2 */
		check_leaf(m, &fake()->leaves[i]);
	kvm_gmem_for_each_host_map(fake()->file, no_private_map, m);
	assert_int_equal(kvm_gmem_invalidating(fake()->file), 0);
}

static void walk(enum gmem_backing backing, const char *profile, u32 steps)
{
	struct kvm_gmem_file *file;
	struct model *m = rt_zalloc(sizeof(*m));
	u64 start, nr, val;
	u32 i;

	open_file(WALK_PAGES * KB4, backing, profile);
	file = fake()->file;
	memset(m->private_, true, sizeof(m->private_));
	for (i = 0; i < steps; i++) {
		start = rt_random_below(WALK_PAGES);
		nr = 1 + rt_random_below(rt_random_below(4) ? 8 : WALK_PAGES - start);
		if (start + nr > WALK_PAGES)
			nr = WALK_PAGES - start;
		switch (rt_random_below(6)) {
		case 0:
		case 1:
			assert_int_equal(to_shared(start, nr), 0);
			memset(m->private_ + start, false, nr);
			break;
		case 2:
			assert_int_equal(to_private(start, nr), 0);
			memset(m->private_ + start, true, nr);
			break;
		case 3:
			assert_int_equal(kvm_gmem_host_read(file, start * KB4, &val),
					 m->private_[start] ? -EFAULT : 0);
			break;
		case 4:
			if (m->private_[start])
				assert_int_equal(fault_in(start, PG_LEVEL_2M), 0);
			break;
		default:
			start &= ~511ULL;
			assert_int_equal(kvm_gmem_punch_hole(file, start * KB4, MB2), 0);
			memset(m->pfn + start, 0, 512 * sizeof(m->pfn[0]));
			break;
		}
		check_model(m, backing == GMEM_4K);
	}
	close_file();
	rt_free(m);
}

static void test_folio__random_walk_matches_arrays(void **state)
{
	static const struct {
		enum gmem_backing backing;
		const char *profile;
	} w[] = {
		{GMEM_HUGETLB_2M, "SEAN_2026"},	  {GMEM_HUGETLB_2M, "V3"},
		{GMEM_HUGETLB_2M, "GOOGLE_2026"}, {GMEM_HUGETLB_2M, "YAN_2026"},
		{GMEM_4K, "UPSTREAM_4K"},	  {GMEM_THP_2M, "SEAN_2026"},
	};
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(w); i++) {
		print_message("  %s\n", w[i].profile);
		walk(w[i].backing, w[i].profile, 150);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_folio__##name, fixture_new, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(split_and_merge_conserve_references),
		CASE(merge_needs_the_whole_block),
		CASE(fresh_folio_over_shared_pages),
		CASE(nonuniform_splits_where_it_must),
		CASE(size_rules),
		CASE(thp_falls_back_to_4k),
		CASE(no_stale_data),
		CASE(leaf_larger_than_its_folio_is_zeroed_whole),
		CASE(terabytes_cost_what_is_touched),
		CASE(fragments_of_1g_cost_one_node),
		CASE(random_walk_matches_arrays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
