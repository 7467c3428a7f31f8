// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies that no other file of this folder tests, each value against what gmem.md 3 and 5 say of
 * it: memory ahead of B, references of TDX, the IOMMU, refused zaps, attribute readers, holes, huge
 * shared memory, alignment, initial memory, deferred freeing, range locks.
 */
#include "tests/gmem/double.h"

/* Two 2M blocks, both mapped at 2M, with one key set. */
static struct gmem_setup two_blocks(const char *key, const char *value)
{
	struct gmem_setup s = setup_of(2 * MB2, GMEM_HUGETLB_2M, NULL);

	set_policy(&s, key, value);
	return s;
}

static void open_mapped(const struct gmem_setup *s)
{
	open_file_with(s);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(fault_in(P2M, PG_LEVEL_2M), 0);
	log_reset(1);
}

/* --- P1: flows that are more than a word ---------------------------------------------- */

/*
 * pages   0     1     2     3     4
 *         priv  SHARED priv priv  priv        to shared [0,4): two pieces, one invalidation
 */
static void test_policy__rollback_runs_piece_by_piece(void **state)
{
	struct gmem_setup s = two_blocks("conv_order", "ROLLBACK");

	open_mapped(&s);
	assert_int_equal(to_shared(1, 1), 0);
	log_reset(0);
	assert_int_equal(to_shared(0, 4), 0);
	assert_string_equal(log_text(), "begin[0,512):0p zapP[0,1):0p zapP[2,4):0p end[0,0):0s");
	assert_int_equal(to_private(0, 4), 0);
	assert_int_equal(folio_view(0).order, 9);
}

/*
 * pages   511 | 512    513        to shared [511, 514)
 *         priv  SHARED priv       the second piece finds no memory for the tree
 */
static void test_policy__rollback_takes_back(void **state)
{
	struct gmem_setup s = two_blocks("conv_order", "ROLLBACK");
	u64 err;

	open_mapped(&s);
	assert_int_equal(to_shared(512, 1), 0);
	arm("attr-alloc", 2);
	assert_int_equal(convert(511, 3, 0, &err), -ENOMEM);
	assert_int_equal(err, 513);
	assert_true(kvm_gmem_look_private(fake()->file, 511));
	assert_false(kvm_gmem_look_private(fake()->file, 512));
	assert_true(kvm_gmem_look_private(fake()->file, 513));
	assert_int_equal(folio_view(0).order, 9); /* split, stored, taken back, merged */
	assert_int_equal(leaf_level(511), 0);	  /* and nothing is mapped again */
	assert_int_not_equal(kvm_gmem_stat(GMEM_STAT_FAILED_UNMAPPED), 0);
	assert_int_equal(kvm_gmem_invalidating(fake()->file), 0);

	/* F fails in the second folio of one piece: the first is merged again. */
	assert_int_equal(to_private(512, 1), 0);
	arm("filemap-alloc", 8 + 1);
	assert_int_equal(convert(510, 4, 0, &err), -ENOMEM);
	assert_int_equal(err, 510);
	assert_true(kvm_gmem_look_private(fake()->file, 510));
	assert_int_equal(folio_view(0).order, 9);
}

/*
 * No memory for the tree at the first store, then none for taking it back either: a warning
 * (gmem.md 5).
 */
static void test_policy__rollback_without_tree_memory(void **state)
{
	struct rt_fault f = {
		.site = "attr-alloc", .key = RT_FAULT_ANY, .actor = RT_NOBODY, .nth = 1};
	struct gmem_setup s = two_blocks("conv_order", "ROLLBACK");

	open_mapped(&s);
	arm("attr-alloc", 1);
	assert_int_equal(to_shared(1, 1), -ENOMEM);
	assert_true(kvm_gmem_look_private(fake()->file, 1));
	f.nth = 3; /* two nodes for the store, then none */
	f.count = 2;
	rt_fault_arm(&f);
	arm("filemap-alloc", 1); /* the store succeeds, F fails, the store back fails */
	fake()->warn_ok = true;
	assert_int_equal(to_shared(1, 1), -ENOMEM);
	assert_int_equal(fake()->warns, 1);
	assert_false(kvm_gmem_look_private(fake()->file, 1));
}

/* F fails behind the block: UNBLOCK, and every page is as it was (strong I10). */
static void test_policy__block_abort_gives_back(void **state)
{
	struct gmem_setup s = two_blocks("conv_order", "BLOCK_ABORT");

	open_mapped(&s);
	arm("filemap-alloc", 1);
	assert_int_equal(to_shared(1, 1), -ENOMEM);
	assert_string_equal(log_text(),
			    "begin[0,512):9p block[1,2):9p unblock[1,2):9p end[0,0):9p");
	assert_int_equal(mapped_pages(), 1024);
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_FAILED_UNMAPPED), 0);
	log_reset(1);
	assert_int_equal(to_shared(1, 1), 0);
	assert_string_equal(log_text(), "begin[0,512):9p block[1,2):9p hook[1,2):0p zapP[1,2):0p "
					"end[0,0):0s");
	arm("fake-block", 1);
	assert_int_equal(to_shared(2, 1), -EIO);
	assert_true(kvm_gmem_look_private(fake()->file, 2));
}

static void test_policy__hook_before_zap_first(void **state)
{
	struct gmem_setup s = two_blocks("conv_order", "ARCH_PREZAP_ZAP_FIRST");

	open_mapped(&s);
	arm("filemap-alloc", 1);
	assert_int_equal(to_shared(1, 1), -ENOMEM);
	assert_string_equal(log_text(), "begin[0,512):9p hook[1,2):9p zapP[1,2):9p end[0,0):9p");
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_FAILED_UNMAPPED), 1);
	assert_int_equal(fake()->overzap, 0);
}

/* --- P4 and the filemap --------------------------------------------------------------- */

/* ON_PREALLOC: the failure comes before B, whatever the flow, and F has its pages. */
static void test_policy__vmemmap_ahead(void **state)
{
	static const char *const flows[] = {"ZAP_FIRST", "PLAN7_SEPT", "SEPT_FIRST"};
	u64 i;

	for (i = 0; i < RT_ARRAY_SIZE(flows); i++) {
		struct gmem_setup s = two_blocks("hvo_undo", "ON_PREALLOC");

		s.hvo = true;
		set_policy(&s, "conv_order", flows[i]);
		open_mapped(&s);
		arm("vmemmap-alloc", 7);
		assert_int_equal(to_shared(1, 1), -ENOMEM);
		assert_string_equal(log_text(), "");
		assert_int_equal(mapped_pages(), 1024);
		assert_int_equal(to_shared(1, 1), 0);
		close_file();
	}
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_ALLOCS_VMEMMAP), 3 * 7);
}

static void test_policy__stock_xas_split_stops_at_1g(void **state)
{
	struct gmem_setup s = setup_of(GB1, GMEM_HUGETLB_1G, NULL);

	set_policy(&s, "xas_split", "ONE_STEP");
	open_file_with(&s);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	fake()->warn_ok = true;
	assert_int_equal(to_shared(0, 1), -ENOMEM);
	assert_int_equal(fake()->warns, 1);
	close_file();
	/* Level by level it is no problem: 9 orders at a time. */
	set_policy(&s, "split_shape", "NONUNIFORM");
	open_file_with(&s);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(to_shared(0, 1), 0);
	assert_int_equal(fake()->warns, 1);
}

/* B9: LEAVE keeps the unsplit folio over a shared page, and the host cannot have it any more. */
static void test_policy__fresh_folio_that_cannot_be_split(void **state)
{
	struct gmem_setup s = two_blocks("fresh_fail", "LEAVE");
	u64 val;

	open_file_with(&s);
	assert_int_equal(to_shared(3, 1), 0);
	arm("filemap-alloc", 1);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 3 * KB4, &val), -ENOMEM);
	assert_int_equal(folio_view(3).order, 9);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 3 * KB4, &val), -EFAULT);
	close_file();
	set_policy(&s, "fresh_fail", "REMOVE");
	open_file_with(&s);
	assert_int_equal(to_shared(3, 1), 0);
	arm("filemap-alloc", 1);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 3 * KB4, &val), -ENOMEM);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 3 * KB4, &val), 0);
}

/* --- P7, P10: what TDX holds, and what it will not give back -------------------------- */

/* B7: the 513th reference cannot be attributed, so a mapped folio is never safe. */
static void test_policy__tdx_references(void **state)
{
	struct gmem_setup s = two_blocks("tdx_ref", "HOLD_MAPPED");
	u64 err;

	open_mapped(&s);
	assert_int_equal(convert(1, 1, 0, &err), -EAGAIN);
	assert_int_equal(err, 1);
	assert_int_equal(convert(1, 1, 0, &err), -EAGAIN);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, MB2), -EAGAIN);
	close_file();
	set_policy(&s, "tdx_ref", "NONE");
	open_mapped(&s);
	assert_int_equal(to_shared(1, 1), 0);
}

static void test_policy__refused_zap(void **state)
{
	static const struct {
		const char *key, *value;
		int ret;
		bool private_, poisoned, split;
	} r[] = {
		{"zap_error", "BUG_VM", 0, false, false, true},
		{"zap_error", "RETURN_ERROR", -EIO, true, false, true},
		{"zap_error", "FOLIO_FLAG", 0, false, true, true},
		{"zap_error", "SPLIT_AND_FLAG", 0, false, true, true},
		{"zap_error", "ERROR_LIST", 0, false, false, true},
		{"zap_error", "HWPOISON", 0, false, true, true},
		{"tdx_ref", "HOLD_ON_ERROR", -EFAULT, true, false, true},
	};
	u64 i, val;
	int ret;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		struct gmem_setup s = two_blocks(r[i].key, r[i].value);

		print_message("  %s=%s\n", r[i].key, r[i].value);
		open_mapped(&s);
		fake()->zap_fails = true;
		assert_int_equal(to_shared(1, 1), r[i].ret);
		assert_int_equal(kvm_gmem_look_private(fake()->file, 1), r[i].private_);
		assert_int_equal(folio_view(1).hwpoison, r[i].poisoned);
		/* What the module has still must not become visible to the host. */
		ret = kvm_gmem_host_read(fake()->file, KB4, &val);
		assert_int_equal(ret, i == 0 ? 0 : -EFAULT);
		close_file();
		kvm_gmem_put_strays();
	}
}

/* A hole over a whole 2M folio whose leaf stays: the folio is lost, split or not. */
static void test_policy__refused_zap_of_a_hole(void **state)
{
	static const char *const values[] = {"FOLIO_FLAG", "SPLIT_AND_FLAG", "ERROR_LIST"};
	u64 i, lost = 0;

	for (i = 0; i < RT_ARRAY_SIZE(values); i++) {
		struct gmem_setup s = two_blocks("zap_error", values[i]);

		open_mapped(&s);
		fake()->zap_fails = true;
		assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, MB2), 0);
		lost += P2M;
		assert_int_equal(kvm_gmem_stat(GMEM_STAT_RETIRED), lost);
		close_file();
	}
	{
		struct gmem_setup s = two_blocks("zap_error", "RETURN_ERROR");

		open_mapped(&s);
		fake()->zap_fails = true;
		assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, MB2), -EIO);
		assert_int_equal(folio_view(0).order, 9);
		fake()->zap_fails = true;
		assert_int_equal(kvm_gmem_memory_failure(fake()->file, 0), -EIO);
	}
}

/* --- P8 -------------------------------------------------------------------------------- */

static void test_policy__iommu_without_a_reference(void **state)
{
	struct gmem_setup s = setup_of(16 * KB4, GMEM_4K, NULL);

	set_policy(&s, "iommu", "NOREF_NOTIFIED");
	open_file_with(&s);
	assert_int_equal(to_shared(2, 4), 0);
	assert_int_equal(kvm_gmem_pin(fake()->file, 2 * KB4, 2 * KB4), 0);
	assert_int_equal(kvm_gmem_pin(fake()->file, 2 * KB4, KB4), 0);
	assert_int_equal(folio_view(2).refcount, 1);
	assert_int_equal(to_private(2, 4), 0); /* told to unmap, no -EAGAIN */
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_IOMMU_UNMAPS), 2);
	assert_int_equal(kvm_gmem_unpin(fake()->file, 2 * KB4, KB4), -EINVAL);
	assert_int_equal(to_shared(2, 1), 0);
	assert_int_equal(kvm_gmem_pin(fake()->file, 2 * KB4, KB4), 0);
	/* As with a reference: a pin that fails leaves the one before, and each pin has its unpin. */
	assert_int_equal(kvm_gmem_pin(fake()->file, 2 * KB4, 2 * KB4), -EFAULT);
	assert_int_equal(kvm_gmem_pin(fake()->file, 2 * KB4, KB4), 0);
	assert_int_equal(kvm_gmem_unpin(fake()->file, 2 * KB4, KB4), 0);
	assert_int_equal(kvm_gmem_unpin(fake()->file, 2 * KB4, KB4), 0);
	assert_int_equal(kvm_gmem_unpin(fake()->file, 2 * KB4, KB4), -EINVAL);
}

/* --- P2, P13, P18 ---------------------------------------------------------------------- */

/* [bad][ok][ok]...: 4K folios after a conversion and a merge that the poison stops. */
static void test_policy__poison_and_size(void **state)
{
	static const struct {
		const char *value;
		u8 order;
	} r[] = {{"BREAKS", 0}, {"IGNORED", 9}};
	u64 i;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		struct gmem_setup s = two_blocks("size_poison", r[i].value);

		open_mapped(&s);
		assert_int_equal(to_shared(5, 1), 0);
		assert_int_equal(kvm_gmem_memory_failure(fake()->file, 7 * KB4), 0);
		assert_int_equal(to_private(5, 1), 0);
		assert_int_equal(folio_view(5).order, 0);
		assert_int_equal(kvm_gmem_look_max_order(fake()->file, 5), r[i].order);
		close_file();
	}
}

static void test_policy__huge_shared_memory(void **state)
{
	static const struct {
		const char *value;
		u8 folio, offered;
	} r[] = {{"NONE", 0, 0}, {"REFCOUNT", 9, 9}, {"MULTI_FOLIO", 0, 9}};
	u64 i, val;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		struct gmem_setup s = two_blocks("shared_huge", r[i].value);

		print_message("  %s\n", r[i].value);
		open_mapped(&s);
		assert_int_equal(to_shared(0, P2M), 0);
		assert_int_equal(folio_view(0).order, r[i].folio);
		assert_int_equal(kvm_gmem_look_max_order(fake()->file, 3), r[i].offered);
		assert_int_equal(kvm_gmem_host_write(fake()->file, 5 * KB4, 77), 0);
		assert_int_equal(kvm_gmem_host_read(fake()->file, 5 * KB4, &val), 0);
		assert_int_equal(val, 77);
		/* Only the pinned page stands against going back, not its folio. */
		assert_int_equal(kvm_gmem_pin(fake()->file, 9 * KB4, KB4), 0);
		assert_int_equal(to_private(10, 1), 0);
		assert_int_equal(kvm_gmem_look_max_order(fake()->file, 3), 0);
		assert_int_equal(to_private(9, 1), -EAGAIN);
		assert_int_equal(kvm_gmem_unpin(fake()->file, 9 * KB4, KB4), 0);
		assert_int_equal(to_private(0, P2M), 0);
		assert_int_equal(folio_view(0).order, 9);
		close_file();
	}
	{ /* A fresh folio over shared pages stays whole, too. */
		struct gmem_setup s = two_blocks("shared_huge", "REFCOUNT");

		open_file_with(&s);
		assert_int_equal(to_shared(1, 1), 0);
		assert_int_equal(kvm_gmem_host_read(fake()->file, KB4, &val), 0);
		assert_int_equal(folio_view(1).order, 9);
	}
}

/* base_gfn is aligned; B4 is the row UGFN with a userspace address that is not. */
static void test_policy__slot_alignment(void **state)
{
	static const struct {
		const char *value;
		bool both, no_ugfn, no_pgoff;
	} r[] = {{"SKIP_UGFN", true, true, false},
		 {"UGFN", true, false, true},
		 {"PGOFF", true, false, false},
		 {"SKIP_ALL", true, true, true}};
	u64 i;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		struct gmem_setup s = two_blocks("lpage_align", r[i].value);
		struct kvm_memory_slot slot;

		open_file_with(&s);
		slot = fake()->slot;
		slot.userspace_addr = BASE_GFN * KB4;
		assert_int_equal(kvm_gmem_lpage_aligned(&slot, P2M - 1), r[i].both);
		slot.userspace_addr += KB4;
		assert_int_equal(kvm_gmem_lpage_aligned(&slot, P2M - 1), r[i].no_ugfn);
		slot.userspace_addr -= KB4;
		slot.gmem.pgoff = 1;
		assert_int_equal(kvm_gmem_lpage_aligned(&slot, P2M - 1), r[i].no_pgoff);
		close_file();
	}
}

/* --- P12, holes ------------------------------------------------------------------------ */

/* [0 ...... 511][512 ..... 1023]   hole [510, 514) : both folios split, four pages gone */
static void hole_splits(const char *api)
{
	struct gmem_setup s = two_blocks("hole", "SPLIT");
	struct gmem_folio_view v;
	struct page *page;
	kvm_pfn_t pfn;
	int order;

	set_policy(&s, "split_api", api);
	open_mapped(&s);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 510 * KB4, 4 * KB4), 0);
	assert_int_equal(fake()->overzap, 0);
	assert_int_equal(mapped_pages(), 1024 - 4);
	assert_false(kvm_gmem_look_folio(fake()->file, 510, &v));
	assert_false(kvm_gmem_look_folio(fake()->file, 513, &v));
	assert_int_equal(folio_view(509).order, 0);
	/* HugeTLB has no folio for a part of a block: a fault on the hole fails for good. */
	assert_int_equal(kvm_gmem_get_pfn(&fake()->kvm, &fake()->slot, BASE_GFN + 511, &pfn, &page,
					  &order),
			 -ENOMEM);
	/* The rest goes, and the blocks are whole again in their pool. */
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, 2 * MB2), 0);
	assert_int_equal(fake()->host_used, 0);
	assert_int_equal(kvm_gmem_reserved(), 1024);
	close_file();
}

static void test_policy__hole_splits(void **state)
{
	hole_splits("HEAD_TAIL");
	hole_splits("CROSS_BOUNDARY");
	hole_splits("IN_ZAP");
}

static void test_policy__hole_that_cannot_split(void **state)
{
	struct gmem_setup s = two_blocks("hole", "SPLIT");

	open_mapped(&s);
	arm("filemap-alloc", 1);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 510 * KB4, 4 * KB4), -ENOMEM);
	assert_int_equal(mapped_pages(), 1024);
	arm("filemap-alloc", 8 + 1);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 510 * KB4, 4 * KB4), -ENOMEM);
	assert_int_equal(mapped_pages(), 1024);
}

/* A THP is split for a hole in it; if that fails it stays, zeroed there. */
static void test_policy__hole_in_a_thp(void **state)
{
	struct gmem_folio_view v;

	open_file(2 * MB2, GMEM_THP_2M, NULL);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(fault_in(P2M, PG_LEVEL_2M), 0);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 4 * KB4, 2 * KB4), 0);
	assert_false(kvm_gmem_look_folio(fake()->file, 5, &v));
	assert_int_equal(folio_view(6).order, 0);
	arm("filemap-alloc", 1);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, (P2M + 4) * KB4, 2 * KB4), 0);
	assert_int_equal(folio_view(P2M + 4).order, 9);
	assert_int_equal(leaf_level(P2M + 4), 0);
	assert_int_equal(leaf_level(P2M + 3), PG_LEVEL_4K);
	arm("filemap-alloc", 1);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 2 * KB4, (P2M + 10) * KB4), 0);
	assert_int_equal(folio_view(P2M + 11).order, 9);
}

/* --- P20, freeing, odds and ends ------------------------------------------------------- */

static int add_page(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, u64 src, int order, void *opaque)
{
	*(u64 *)opaque = src;
	return 0;
}

/*
 * Six steps: shared, copy in, copy out to a buffer, private, add from the buffer. A reference left
 * over from the copy stops step 4 (gmem.md 2.13).
 */
static void test_policy__initial_memory(void **state)
{
	struct gmem_setup s = setup_of(16 * KB4, GMEM_4K, NULL);
	struct kvm *kvm = &fake()->kvm;
	u64 val, src = 0;

	s.init_shared = true;
	open_file_with(&s);
	assert_int_equal(kvm_gmem_host_write(fake()->file, 0, 0x5eed), 0);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 0, &val), 0);
	assert_int_equal(val, 0x5eed);
	assert_int_equal(kvm_gmem_pin(fake()->file, 0, KB4), 0);
	assert_int_equal(to_private(0, 1), -EAGAIN);
	assert_int_equal(kvm_gmem_unpin(fake()->file, 0, KB4), 0);
	mutex_lock(&kvm->slots_lock);
	assert_int_equal(kvm_gmem_populate(kvm, BASE_GFN, 0x9000, 1, add_page, &src), -EINVAL);
	mutex_unlock(&kvm->slots_lock);
	assert_int_equal(to_private(0, 1), 0);
	mutex_lock(&kvm->slots_lock);
	assert_int_equal(kvm_gmem_populate(kvm, BASE_GFN, 0, 1, add_page, &src), -EOPNOTSUPP);
	assert_int_equal(kvm_gmem_populate(kvm, BASE_GFN, 0x9000, 1, add_page, &src), 1);
	assert_int_equal(src, 0x9000);
	mutex_unlock(&kvm->slots_lock);
}

/*
 * The block was in pieces when it went, so a work item restores it: allocating at once finds
 * nothing.
 */
static void test_policy__deferred_freeing(void **state)
{
	struct gmem_setup s = two_blocks("free_work", "DEFERRED");

	open_mapped(&s);
	assert_int_equal(to_shared(3, 1), 0);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, MB2), 0);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, MB2), -ENOMEM);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, MB2), 0);
	/* A whole folio goes back directly. */
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, MB2, MB2), 0);
	assert_int_equal(kvm_gmem_allocate(fake()->file, MB2, MB2), 0);
	/* And what still waits when the inode goes is not forgotten. */
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, MB2), 0);
	close_file();
	assert_int_equal(fake()->host_used, 0);
}

static void test_policy__refusals(void **state)
{
	struct gmem_setup s = setup_of(2 * MB2, GMEM_HUGETLB_2M, NULL);
	struct kvm_gmem_file *file;
	u64 err;

	s.no_direct_map = true; /* TDX is excluded, others are not */
	assert_int_equal(kvm_gmem_create(&fake()->kvm, &s, &file), -EINVAL);
	fake()->kvm.arch.has_private_mem = false;
	assert_int_equal(kvm_gmem_create(&fake()->kvm, &s, &file), 0);
	kvm_gmem_release(file);
	fake()->kvm.arch.has_private_mem = true;
	s.no_direct_map = false;
	set_policy(&s, "conv_order", "V8_4K");
	assert_int_equal(kvm_gmem_create(&fake()->kvm, &s, &file), -EINVAL);

	set_policy(&s, "conv_order", "ARCH_PREZAP");
	open_mapped(&s);
	fake()->warn_ok = true;
	assert_int_equal(kvm_gmem_migrate_folio(fake()->file, 0), -EINVAL);
	assert_int_equal(fake()->warns, 1);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, MB2), 0);
	assert_int_equal(kvm_gmem_migrate_folio(fake()->file, 0), -ENOENT);

	/* error_offset cannot be written: -EFAULT, and all else as without it. */
	arm("filemap-alloc", 1);
	arm("copy-out", 1);
	assert_int_equal(convert(P2M, 1, 0, &err), -EFAULT);
	assert_int_equal(err, ~0ULL);
	assert_true(kvm_gmem_look_private(fake()->file, P2M));
}

/* --- races: P11, P19, -EEXIST ----------------------------------------------------------- */

#define SEEDS 200

struct race {
	int a, b;
	u32 retries;
	bool saw_shared, over_shared;
};

static const char *rule;
static const struct rt_chooser *chooser = &rt_chooser_random;

static void note_report(void *ctx, const char *name, const char *text)
{
	rule = name;
}

static enum rt_run_result run_race(u64 seed, const struct gmem_setup *s, void (*a)(void *),
				   void (*b)(void *), struct race *r)
{
	struct rt_world_opts opts = {.seed = seed};
	struct rt_world *w = rt_world_new(&opts);
	enum rt_run_result res;
	void *fix;

	assert_int_equal(fixture_in(w, &fix), 0);
	memset(r, 0, sizeof(*r));
	rule = "";
	rt_set_report_hook(w, note_report, NULL);
	open_file_with(s);
	fake()->warn_ok = true;
	rt_set_chooser(w, chooser);
	assert_non_null(rt_actor_new("a", a, r));
	assert_non_null(rt_actor_new("b", b, r));
	res = rt_run();
	r->retries = fake()->warns;
	r->over_shared = leaf_level(9) && !kvm_gmem_look_private(fake()->file, 9);
	if (res == RT_RUN_QUIET)
		fixture_free(&fix);
	else
		rt_world_free(w);
	return res;
}

static void converts_low(void *arg)
{
	((struct race *)arg)->a = to_shared(8, 4);
}

/* Page 9 goes shared, page 40 was and stays private. */
static void reads_attr(void *arg)
{
	struct race *r = arg;
	u32 i;

	for (i = 0; i < 4; i++) {
		rt_point(RT_PT_RESCHED, i);
		kvm_gmem_is_private_mem(&fake()->kvm, BASE_GFN + 9);
		r->saw_shared |= !kvm_gmem_is_private_mem(&fake()->kvm, BASE_GFN + 40);
	}
}

/* B12: while the tree is rewritten an entry is missing, which warns and reads as shared. */
static void test_policy__readers_of_the_attribute_tree(void **state)
{
	static const struct {
		const char *value;
		bool warns;
	} r[] = {{"MT_RCU", false}, {"IL_SHARED", false}, {"RCU_UNSAFE", true}};
	u64 i, seed;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		struct gmem_setup s = setup_of(64 * KB4, GMEM_4K, NULL);
		struct race race;
		bool warned = false;

		set_policy(&s, "attr_read", r[i].value);
		for (seed = 1; seed <= SEEDS; seed++) {
			assert_int_equal(run_race(seed, &s, converts_low, reads_attr, &race),
					 RT_RUN_QUIET);
			assert_int_equal(race.a, 0);
			assert_false(race.saw_shared);
			warned |= race.retries;
		}
		assert_int_equal(warned, r[i].warns);
	}
}

static void converts_high(void *arg)
{
	struct race *r = arg;

	r->b = to_shared(P2M + 8, 4);
	r->b = r->b ? r->b : to_private(P2M + 8, 4);
}

static void faults_low(void *arg)
{
	((struct race *)arg)->a = fault_in(3, PG_LEVEL_2M);
}

/* Two conversions of one file side by side, and a fault that has nothing to do with one of them. */
static void test_policy__range_locks(void **state)
{
	struct gmem_setup s = two_blocks("lock_scope", "INDEX_RANGE");
	struct race race;
	u64 seed;

	s.hvo = true;
	set_policy(&s, "hvo_undo", "ON_PREALLOC");
	for (seed = 1; seed <= SEEDS; seed++) {
		assert_int_equal(run_race(seed, &s, converts_low, converts_high, &race),
				 RT_RUN_QUIET);
		assert_int_equal(race.a, 0);
		assert_int_equal(race.b, 0);
		assert_int_equal(run_race(seed, &s, faults_low, converts_high, &race),
				 RT_RUN_QUIET);
		assert_int_equal(race.a, 0);
		assert_int_equal(run_race(seed, &s, converts_low, converts_low, &race),
				 RT_RUN_QUIET);
		assert_int_equal(race.a, 0);
	}
}

static void faults_low_too(void *arg)
{
	((struct race *)arg)->b = fault_in(3, PG_LEVEL_4K);
}

static void faults_beside(void *arg)
{
	((struct race *)arg)->b = fault_in(90, PG_LEVEL_4K);
}

/* Two faults allocate for one place: one of them finds -EEXIST and takes what is there. */
static void test_policy__two_allocate(void **state)
{
	struct gmem_setup thp = setup_of(MB2, GMEM_THP_2M, NULL);
	struct gmem_setup small = setup_of(MB2, GMEM_4K, NULL);
	struct race race;
	u64 seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		assert_int_equal(run_race(seed, &small, faults_low, faults_low_too, &race),
				 RT_RUN_QUIET);
		assert_true(!race.a && !race.b);
		assert_int_equal(run_race(seed, &thp, faults_low, faults_beside, &race),
				 RT_RUN_QUIET);
		assert_true(!race.a && !race.b);
	}
}

/* Stays with one actor for a while: windows that are long apart are met that way. */
static u32 pick_sticky(void *ctx, const struct rt_choice *c)
{
	if (c->cur != RT_NOBODY && rt_random_below(12))
		return c->cur;
	return (u32)rt_random_below(c->nr);
}

/* A fault as KVM does it (F1 to F8 of gmem.md 2.1), once; a leaf only if it is not stale. */
static void faults_once(void *arg)
{
	struct kvm *kvm = &fake()->kvm;
	u64 seq = kvm->mmu_invalidate_seq, gfn = BASE_GFN + 20, start, end;
	struct race *r = arg;
	struct page *page;
	kvm_pfn_t pfn;
	int order;

	r->b = kvm_gmem_get_pfn(kvm, &fake()->slot, gfn, &pfn, &page, &order);
	read_lock(&kvm->mmu_lock);
	start = kvm->mmu_invalidate_range_start;
	end = kvm->mmu_invalidate_range_end;
	if (!r->b && seq == kvm->mmu_invalidate_seq &&
	    !(kvm->mmu_invalidate_in_progress && gfn >= start && gfn < end))
		add_leaf_over(20, pfn, order);
	read_unlock(&kvm->mmu_lock);
	kvm_gmem_put_page(page);
}

/*
 * P22. The stale check knows the faulting page only, not the leaf: a neighbour's fault that looks
 * between Z and N puts 2M over the page that goes shared (B24, I14).
 */
static void test_policy__what_an_invalidation_covers(void **state)
{
	static const struct rt_chooser sticky = {.name = "sticky", .pick = pick_sticky};
	static const struct {
		const char *value;
		bool over_shared;
	} r[] = {{"ALIGNED", false}, {"EXACT", true}};
	u64 i, seed;

	chooser = &sticky;
	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		struct gmem_setup s = two_blocks("inval_range", r[i].value);
		bool seen = false;
		struct race race;

		for (seed = 1; seed <= 3000 && (!r[i].over_shared || !seen); seed++) {
			assert_int_equal(run_race(seed, &s, converts_low, faults_once, &race),
					 RT_RUN_QUIET);
			seen |= race.over_shared;
		}
		assert_int_equal(seen, r[i].over_shared);
	}
	chooser = &rt_chooser_random;
}

/* P7 HOLD_MAPPED with P6 SPIN waits for TDX, which waits for the zap behind the freeze (I17). */
static void maps_and_converts(void *arg)
{
	struct race *r = arg;

	r->a = fault_in(3, PG_LEVEL_2M);
	r->a = to_shared(3, 1);
}

static void does_nothing(void *arg)
{
}

static void test_policy__spinning_for_tdx(void **state)
{
	struct gmem_setup s = two_blocks("tdx_ref", "HOLD_MAPPED");
	struct race race;

	set_policy(&s, "toshared_refs", "SPIN");
	assert_int_equal(run_race(1, &s, maps_and_converts, does_nothing, &race), RT_RUN_DEADLOCK);
	assert_string_equal(rule, "bounded-spin");
}

/*
 * Somebody pins a fragment outside of the range: R looks at the range only and passes, and M under
 * P6 SPIN waits for the pin to go (gmem.md 5; CHECK leaves the block in pieces, test_fail.c).
 */
static void pins_outside_and_converts(void *arg)
{
	struct race *r = arg;

	r->a = fault_in(3, PG_LEVEL_2M);
	assert_int_equal(to_shared(3, 1), 0);
	assert_int_equal(kvm_gmem_stray_ref(fake()->file, 300 * KB4, GMEM_STRAY_PIN), 0);
	r->a = to_private(3, 1);
}

static bool spins(void *arg)
{
	return kvm_gmem_stat(GMEM_STAT_SPINS);
}

static void unpins(void *arg)
{
	struct race *r = arg;

	rt_block("a spin", spins, NULL);
	assert_int_equal(folio_view(3).order, 0);
	r->b = kvm_gmem_unpin(fake()->file, 300 * KB4, KB4);
}

static void test_policy__merge_spins_for_a_pin(void **state)
{
	struct gmem_setup s = two_blocks("toshared_refs", "SPIN");
	struct race race;

	assert_int_equal(run_race(1, &s, pins_outside_and_converts, unpins, &race), RT_RUN_QUIET);
	assert_int_equal(race.a, 0);
	assert_int_equal(race.b, 0);
	assert_int_equal(run_race(1, &s, pins_outside_and_converts, does_nothing, &race),
			 RT_RUN_DEADLOCK);
}

#define T(name) cmocka_unit_test_setup_teardown(test_policy__##name, fixture_new, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(rollback_runs_piece_by_piece),
		T(rollback_takes_back),
		T(rollback_without_tree_memory),
		T(block_abort_gives_back),
		T(hook_before_zap_first),
		T(vmemmap_ahead),
		T(stock_xas_split_stops_at_1g),
		T(fresh_folio_that_cannot_be_split),
		T(tdx_references),
		T(refused_zap),
		T(refused_zap_of_a_hole),
		T(iommu_without_a_reference),
		T(poison_and_size),
		T(huge_shared_memory),
		T(slot_alignment),
		T(hole_splits),
		T(hole_that_cannot_split),
		T(hole_in_a_thp),
		T(initial_memory),
		T(deferred_freeing),
		T(refusals),
		cmocka_unit_test(test_policy__readers_of_the_attribute_tree),
		cmocka_unit_test(test_policy__range_locks),
		cmocka_unit_test(test_policy__two_allocate),
		cmocka_unit_test(test_policy__what_an_invalidation_covers),
		cmocka_unit_test(test_policy__spinning_for_tdx),
		cmocka_unit_test(test_policy__merge_spins_for_a_pin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
