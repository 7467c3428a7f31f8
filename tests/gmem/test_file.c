// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files as a whole: creation, binding, release, holes, fallocate, initial memory, memory failure,
 * policies and profiles.
 */
#include "tests/gmem/double.h"
#include "sim/rt/phys.h"

static void test_file__creation_errors(void **state)
{
	static const struct {
		u64 size;
		enum gmem_backing backing;
		bool init_shared;
		int ret;
	} r[] = {
		{0, GMEM_4K, false, -EINVAL},
		{KB4 + 1, GMEM_4K, false, -EINVAL},
		{KB4, GMEM_4K, true, 0},
		{MB2 + KB4, GMEM_HUGETLB_2M, false, -EINVAL},
		{MB2, GMEM_HUGETLB_1G, false, -EINVAL},
		{MB2, GMEM_HUGETLB_2M, true, -EINVAL},
		{MB2 + KB4, GMEM_THP_2M, false, 0},
		{MB2, (enum gmem_backing)9, false, -EINVAL},
		{64 * GB1, GMEM_HUGETLB_1G, false, 0},
		{65 * GB1, GMEM_HUGETLB_1G, false, -ENOMEM}, /* more than the host has */
		{16ULL << 40, GMEM_4K, false, 0},	     /* nothing is set aside for 4K */
	};
	struct kvm_gmem_file *file;
	struct gmem_setup s;
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		s = setup_of(r[i].size, r[i].backing, NULL);
		s.init_shared = r[i].init_shared;
		assert_int_equal(kvm_gmem_create(&fake()->kvm, &s, &file), r[i].ret);
		if (r[i].ret)
			continue;
		assert_int_equal(kvm_gmem_look_private(file, 0), !r[i].init_shared);
		assert_string_equal(kvm_gmem_name(file), "g0");
		assert_int_equal(kvm_gmem_setup(file)->size, r[i].size);
		kvm_gmem_release(file);
	}
	s = setup_of(KB4, GMEM_4K, NULL);
	s.policy[0] = 200;
	assert_int_equal(kvm_gmem_create(&fake()->kvm, &s, &file), -EINVAL);
}

static void test_file__reservations_add_up(void **state)
{
	struct gmem_setup s = setup_of(40 * GB1, GMEM_HUGETLB_1G, NULL);
	struct kvm_gmem_file *a, *b;

	assert_int_equal(kvm_gmem_create(&fake()->kvm, &s, &a), 0);
	assert_int_equal(kvm_gmem_reserved(), 40 * P1G);
	assert_int_equal(kvm_gmem_create(&fake()->kvm, &s, &b), -ENOMEM);
	assert_int_equal(kvm_gmem_allocate(a, 0, 2 * GB1), 0);
	assert_int_equal(kvm_gmem_reserved(), 38 * P1G);
	assert_int_equal(kvm_gmem_create(&fake()->kvm, &s, &b), -ENOMEM);
	kvm_gmem_release(a);
	assert_int_equal(kvm_gmem_create(&fake()->kvm, &s, &b), 0);
	kvm_gmem_release(b);
}

static void test_file__bind_errors(void **state)
{
	struct fake *k = fake();
	struct kvm_memory_slot slot = {.base_gfn = 0, .npages = 8};
	struct kvm other = {.name = "other"};
	u64 pfn;
	struct page *page;
	int order;

	open_file(64 * KB4, GMEM_4K, NULL);
	mutex_init(&other.slots_lock);
	mutex_lock(&k->kvm.slots_lock);
	assert_int_equal(kvm_gmem_bind(&k->kvm, &slot, NULL, 0), -EBADF);
	assert_int_equal(kvm_gmem_bind(&k->kvm, &slot, k->file, 7), -EINVAL);
	assert_int_equal(kvm_gmem_bind(&k->kvm, &slot, k->file, 60 * KB4), -EINVAL); /* beyond */
	assert_int_equal(kvm_gmem_bind(&k->kvm, &slot, k->file, 56 * KB4), -EINVAL); /* overlap */
	kvm_gmem_unbind(&k->slot);
	assert_null(k->slot.gmem.file);
	kvm_gmem_unbind(&k->slot); /* once more is nothing */
	assert_int_equal(kvm_gmem_bind(&k->kvm, &slot, k->file, 56 * KB4), 0);
	k->slot.npages = 56;
	assert_int_equal(kvm_gmem_bind(&k->kvm, &k->slot, k->file, 0), 0);
	mutex_unlock(&k->kvm.slots_lock);
	mutex_lock(&other.slots_lock);
	assert_int_equal(kvm_gmem_bind(&other, &slot, k->file, 0), -EINVAL);
	mutex_unlock(&other.slots_lock);

	assert_int_equal(slot.gmem.pgoff, 56);
	assert_int_equal(kvm_gmem_get_pfn(&k->kvm, &slot, 3, &pfn, &page, &order), 0);
	assert_int_equal(folio_view(59).pfn, pfn);
	/* A slot that says it is bound where it is not. */
	slot.gmem.pgoff = 0;
	assert_int_equal(kvm_gmem_get_pfn(&k->kvm, &slot, 3, &pfn, &page, &order), -EIO);
	slot.gmem.pgoff = 56;
	log_reset(59);
	assert_int_equal(to_shared(55, 2), 0); /* across both slots, gfns of each */
	assert_non_null(strstr(log_text(), "zapP[55,56)"));
	mutex_lock(&k->kvm.slots_lock);
	kvm_gmem_unbind(&slot);
	mutex_unlock(&k->kvm.slots_lock);
	assert_int_equal(kvm_gmem_get_pfn(&k->kvm, &slot, 3, &pfn, &page, &order), -EFAULT);
	assert_int_equal(kvm_gmem_mapping_order(&slot, 3), 0);
}

/*
 * A file without a slot over the range: KVM is not called at all, the memory changes all the same.
 */
static void test_file__unbound_file_calls_nobody(void **state)
{
	static const char *const flow[] = {"ARCH_PREZAP", "SEPT_FIRST", "ZAP_FIRST"};
	struct kvm_memory_slot *slot = &fake()->slot;
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(flow); i++) {
		struct gmem_setup s = setup_of(2 * MB2, GMEM_HUGETLB_2M, "V3");

		set_policy(&s, "conv_order", flow[i]);
		open_file_with(&s);
		mutex_lock(&fake()->kvm.slots_lock);
		kvm_gmem_unbind(slot);
		slot->npages = 512;
		assert_int_equal(kvm_gmem_bind(&fake()->kvm, slot, fake()->file, 0), 0);
		mutex_unlock(&fake()->kvm.slots_lock);
		assert_int_equal(kvm_gmem_allocate(fake()->file, 0, 2 * MB2), 0);
		log_reset(600);
		assert_int_equal(to_shared(600, 1), 0);
		assert_int_equal(folio_view(600).order, 0);
		assert_int_equal(to_private(600, 1), 0);
		assert_int_equal(folio_view(600).order, 9);
		assert_int_equal(kvm_gmem_punch_hole(fake()->file, MB2, MB2), 0);
		assert_string_equal(log_text(), "");
		close_file();
	}
}

static void test_file__release_zaps_and_gives_back(void **state)
{
	open_file(4 * MB2, GMEM_HUGETLB_2M, NULL);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(fault_in(600, PG_LEVEL_2M), 0);
	assert_int_equal(to_shared(700, 3), 0);
	assert_int_equal(kvm_gmem_host_write(fake()->file, 700 * KB4, 1), 0);
	log_reset(0);
	close_file();
	assert_string_equal(log_text(), "begin[0,2048):9p zapSP[0,2048):9p end[0,0):9p");
	assert_int_equal(fake()->host_used, 0);
}

/* References outlive the file; the block waits for its last fragment. */
static void test_file__pinned_page_outlives_its_file(void **state)
{
	open_file(MB2, GMEM_HUGETLB_2M, NULL);
	assert_int_equal(to_shared(1, 2), 0);
	assert_int_equal(kvm_gmem_pin(fake()->file, KB4, 2 * KB4), 0);
	close_file();
	assert_int_equal(kvm_gmem_orphans(), 2);
	assert_int_equal(fake()->host_used, 512);
	kvm_gmem_put_strays();
	assert_int_equal(fake()->host_used, 0);
}

/* --- holes --------------------------------------------------------------------------- */

static void test_file__hole_alignment(void **state)
{
	static const struct {
		u64 offset, size;
		int ret;
	} r[] = {
		{0, 0, -EINVAL},
		{KB4, MB2, -EINVAL},
		{0, MB2 - KB4, -EINVAL},
		{0, MB2 + 8, -EINVAL},
		{MB2, ~0ULL & ~(MB2 - 1), -EINVAL}, /* wraps */
		{4 * MB2, MB2, 0},		    /* beyond the end: nothing to do */
		{0, MB2, 0},
	};
	u32 i;

	open_file(2 * MB2, GMEM_HUGETLB_2M, NULL);
	for (i = 0; i < RT_ARRAY_SIZE(r); i++)
		assert_int_equal(kvm_gmem_punch_hole(fake()->file, r[i].offset, r[i].size),
				 r[i].ret);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, KB4), -EINVAL);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, 3 * MB2), -EINVAL);
	assert_int_equal(kvm_gmem_allocate(fake()->file, 0, 0), -EINVAL);
}

static void test_file__hole_keeps_attributes(void **state)
{
	struct gmem_folio_view v;

	open_file(2 * MB2, GMEM_HUGETLB_2M, NULL);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(fault_in(512, PG_LEVEL_2M), 0);
	assert_int_equal(to_shared(3, 1), 0);
	log_reset(0);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, MB2), 0);
	assert_string_equal(log_text(),
			    "begin[0,512):0p zapS[0,512):0p end[0,0):0p "
			    "begin[0,512):0p hook[0,512):0p zapSP[0,512):0p end[0,0):-p");
	assert_false(kvm_gmem_look_folio(fake()->file, 0, &v));
	assert_false(kvm_gmem_look_private(fake()->file, 3));
	assert_int_equal(leaf_level(0), 0);
	assert_int_equal(leaf_level(512), PG_LEVEL_2M);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(leaf_level(0), PG_LEVEL_4K);
}

static void test_file__hole_under_a_pin(void **state)
{
	static const struct {
		const char *value;
		u64 mapped;
	} r[] = {{"BEFORE_ZAP", 511}, {"AFTER_ZAP", 0}}; /* B20: -EAGAIN, and the data is gone */
	struct gmem_folio_view v;
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		struct gmem_setup s = setup_of(MB2, GMEM_HUGETLB_2M, NULL);

		set_policy(&s, "hole_check", r[i].value);
		open_file_with(&s);
		assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
		assert_int_equal(to_shared(3, 1), 0);
		assert_int_equal(kvm_gmem_pin(fake()->file, 3 * KB4, KB4), 0);
		assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, MB2), -EAGAIN);
		assert_int_equal(mapped_pages(), r[i].mapped);
		assert_true(kvm_gmem_look_folio(fake()->file, 0, &v));
		assert_int_equal(kvm_gmem_unpin(fake()->file, 3 * KB4, KB4), 0);
		assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, MB2), 0);
		close_file();
	}
}

/* Buddy pages go from the file whoever holds them; the pin keeps the page, and unpin finds it. */
static void test_file__hole_in_4k_under_a_pin(void **state)
{
	u64 val;

	open_file(16 * KB4, GMEM_4K, NULL);
	assert_int_equal(to_shared(3, 1), 0);
	assert_int_equal(kvm_gmem_host_write(fake()->file, 3 * KB4, 5), 0);
	assert_int_equal(kvm_gmem_pin(fake()->file, 3 * KB4, KB4), 0);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, 16 * KB4), 0);
	assert_int_equal(kvm_gmem_orphans(), 1);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 3 * KB4, &val), 0);
	assert_int_equal(val, 0); /* another page */
	assert_int_equal(fake()->host_used, 2);
	assert_int_equal(kvm_gmem_unpin(fake()->file, 3 * KB4, KB4), 0);
	assert_int_equal(fake()->host_used, 1);
}

static void test_file__hole_zeroes_partial_pages(void **state)
{
	struct gmem_setup s = setup_of(2 * MB2, GMEM_HUGETLB_2M, NULL);
	struct gmem_folio_view v;
	u64 val;

	set_policy(&s, "hole", "ZERO_PARTIAL");
	open_file_with(&s);
	assert_int_equal(to_shared(0, 1024), 0);
	assert_int_equal(kvm_gmem_host_write(fake()->file, 500 * KB4, 7), 0);
	assert_int_equal(kvm_gmem_host_write(fake()->file, 499 * KB4, 7), 0);
	assert_int_equal(kvm_gmem_allocate(fake()->file, MB2, MB2), 0);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 500 * KB4, 524 * KB4), 0);
	assert_false(kvm_gmem_look_folio(fake()->file, 512, &v));
	assert_int_equal(kvm_gmem_host_read(fake()->file, 500 * KB4, &val), 0);
	assert_int_equal(val, 0);
	assert_int_equal(kvm_gmem_host_read(fake()->file, 499 * KB4, &val), 0);
	assert_int_equal(val, 7);
}

static void test_file__hole_split_fails(void **state)
{
	struct gmem_setup s = setup_of(MB2, GMEM_HUGETLB_2M, NULL);

	set_policy(&s, "hole", "ZERO_PARTIAL");
	open_file_with(&s);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	arm("fake-split", 1);
	assert_int_equal(kvm_gmem_punch_hole(fake()->file, 0, KB4), -ENOMEM);
	assert_int_equal(mapped_pages(), 512);
	assert_int_equal(kvm_gmem_invalidating(fake()->file), 0);
}

/* --- initial memory ------------------------------------------------------------------ */

struct populated {
	u64 gfn[8], pfn[8], src[8];
	u32 nr, fail_at;
};

static int add_page(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, u64 src, int order, void *opaque)
{
	struct populated *p = opaque;

	assert_int_equal(order, 0);
	assert_true(rt_lock_held(&kvm->slots_lock.rt, RT_LOCK_EX));
	if (p->nr == p->fail_at)
		return -EINTR;
	p->gfn[p->nr] = gfn;
	p->pfn[p->nr] = pfn;
	p->src[p->nr++] = src;
	return 0;
}

static void test_file__populate(void **state)
{
	struct gmem_setup s = setup_of(8 * KB4, GMEM_4K, NULL);
	struct populated p = {.fail_at = 3};
	struct kvm *kvm = &fake()->kvm;

	set_policy(&s, "init_mem", "INPLACE");
	open_file_with(&s);
	mutex_lock(&kvm->slots_lock);
	assert_int_equal(kvm_gmem_populate(kvm, BASE_GFN + 1, 0x9000, 5, add_page, &p), 3);
	assert_int_equal(p.gfn[2], BASE_GFN + 3);
	assert_int_equal(p.src[2], 0xb000);
	assert_int_equal(p.pfn[2], folio_view(3).pfn);
	assert_int_equal(kvm_gmem_populate(kvm, BASE_GFN, 0, 1, add_page, &p), -EINTR);
	p.fail_at = 8;
	assert_int_equal(kvm_gmem_populate(kvm, BASE_GFN + 7, 0, 5, add_page, &p),
			 1);							  /* end of slot */
	assert_int_equal(p.src[3], p.pfn[3] * KB4);				  /* in place */
	assert_int_equal(kvm_gmem_populate(kvm, 1, 0, 1, add_page, &p), -EINVAL); /* no slot */
	mutex_unlock(&kvm->slots_lock);
	assert_int_equal(to_shared(5, 1), 0);
	mutex_lock(&kvm->slots_lock);
	assert_int_equal(kvm_gmem_populate(kvm, BASE_GFN + 5, 0x9000, 1, add_page, &p), -EINVAL);
	mutex_unlock(&kvm->slots_lock);
}

/* --- memory failure ------------------------------------------------------------------ */

static void test_file__memory_failure(void **state)
{
	u64 val;

	open_file(2 * MB2, GMEM_HUGETLB_2M, NULL);
	assert_int_equal(kvm_gmem_memory_failure(fake()->file, 0), -ENOENT);
	assert_int_equal(kvm_gmem_memory_failure(fake()->file, 4 * MB2), -ENOENT);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_int_equal(to_shared(512, 512), 0);
	assert_int_equal(kvm_gmem_host_write(fake()->file, MB2, 1), 0);
	assert_int_equal(kvm_gmem_host_write(fake()->file, MB2 + KB4, 1), 0);

	assert_int_equal(kvm_gmem_memory_failure(fake()->file, 9 * KB4), 0);
	assert_int_equal(kvm_gmem_memory_failure(fake()->file, 9 * KB4), -EHWPOISON);
	assert_int_equal(leaf_level(0), 0);
	assert_true(folio_view(0).hwpoison);
	assert_int_equal(folio_view(0).refcount, 512);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), -EHWPOISON); /* per folio (B23) */

	assert_int_equal(kvm_gmem_memory_failure(fake()->file, MB2), 0);
	assert_int_equal(kvm_gmem_host_read(fake()->file, MB2, &val), -EFAULT); /* I20 */
	assert_int_equal(kvm_gmem_host_read(fake()->file, MB2 + KB4, &val), 0);
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_RETIRED), 0);
	close_file();
	assert_int_equal(kvm_gmem_stat(GMEM_STAT_RETIRED), 1024);
}

/*
 *   folios 4K, one 2M leaf over them (a flow that splits folios first, then fails):
 *   ZAP_FOLIO takes the whole leaf, the others split it first
 */
static void test_file__memory_failure_under_a_larger_leaf(void **state)
{
	static const struct {
		const char *value, *api;
		bool fail;
		int ret;
		u64 mapped, overzap;
	} r[] = {
		{"ZAP_FOLIO", "HEAD_TAIL", false, 0, 0, 511},
		{"SPLIT_SEPT_FAIL", "HEAD_TAIL", false, 0, 511, 0},
		{"SPLIT_SEPT_FAIL", "HEAD_TAIL", true, -ENOMEM, 512, 0},
		{"SPLIT_ELSE_ZAP", "HEAD_TAIL", false, 0, 511, 0},
		{"SPLIT_ELSE_ZAP", "HEAD_TAIL", true, 0, 0, 511},
		/* A zap that splits does so for whoever calls it, and need not. */
		{"ZAP_FOLIO", "IN_ZAP", false, 0, 511, 0},
		{"ZAP_FOLIO", "IN_ZAP", true, 0, 0, 511},
		{"SPLIT_SEPT_FAIL", "IN_ZAP", true, -ENOMEM, 512, 0},
	};
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(r); i++) {
		struct gmem_setup s = setup_of(MB2, GMEM_HUGETLB_2M, "GOOGLE_2026");

		set_policy(&s, "mem_failure", r[i].value);
		set_policy(&s, "split_api", r[i].api);
		open_file_with(&s);
		assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
		arm("fake-split", 1);
		assert_int_equal(to_shared(1, 1), -ENOMEM);
		assert_int_equal(folio_view(5).order, 0);
		assert_int_equal(kvm_gmem_stat(GMEM_STAT_SMALL_FOLIO_LEAVES), 1);
		if (r[i].fail)
			arm("fake-split", 1);
		log_reset(5);
		assert_int_equal(kvm_gmem_memory_failure(fake()->file, 5 * KB4), r[i].ret);
		assert_int_equal(mapped_pages(), r[i].mapped);
		assert_int_equal(fake()->overzap, r[i].overzap);
		close_file();
	}
}

/* --- tables -------------------------------------------------------------------------- */

static void test_file__policies_and_profiles(void **state)
{
	u8 policy[GMEM_POLICIES_MAX];
	u64 head;
	u32 i, n;
	int order;

	for (i = 0; gmem_policies[i].key; i++) {
		assert_non_null(gmem_policies[i].question);
		assert_non_null(gmem_policies[i].source);
		for (n = 0; gmem_policies[i].values[n]; n++)
			;
		assert_true(n >= 2 && n <= POLICY_VALUES_MAX && gmem_policies[i].def < n);
	}
	for (n = 0; gmem_profile_name(n); n++)
		assert_true(gmem_profile(gmem_profile_name(n), policy));
	assert_int_equal(n, 5);
	assert_false(gmem_profile("NOBODY_2026", policy));
	assert_false(kvm_gmem_page_folio(12345, &head, &order));
	open_file(MB2, GMEM_HUGETLB_2M, NULL);
	assert_int_equal(fault_in(0, PG_LEVEL_2M), 0);
	assert_true(kvm_gmem_page_folio(folio_view(0).pfn + 77, &head, &order));
	assert_int_equal(head, folio_view(0).pfn);
	assert_int_equal(order, 9);
	assert_true(kvm_gmem_is_private_mem(&fake()->kvm, BASE_GFN + 2));
	assert_false(kvm_gmem_is_private_mem(&fake()->kvm, 2));
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_file__##name, fixture_new, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(creation_errors),
		CASE(reservations_add_up),
		CASE(bind_errors),
		CASE(unbound_file_calls_nobody),
		CASE(release_zaps_and_gives_back),
		CASE(pinned_page_outlives_its_file),
		CASE(hole_alignment),
		CASE(hole_keeps_attributes),
		CASE(hole_under_a_pin),
		CASE(hole_in_4k_under_a_pin),
		CASE(hole_zeroes_partial_pages),
		CASE(hole_split_fails),
		CASE(populate),
		CASE(memory_failure),
		CASE(memory_failure_under_a_larger_leaf),
		CASE(policies_and_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
