// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every invariant I1 to I20 of gmem.md 4 broken on purpose, and the oracle that must say so: by a
 * design that breaks it, or by a hand inside guest_memfd where no design does. A machine that
 * nobody touched breaks none (asserted in each test before the hand).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/kvm_host.h>

#include "gmem/internal.h"
#include "mmu/host.h"
#include "sim/lab/kit.h"
#include "sim/lab/model.h"
#include "sim/lab/oracle.h"
#include "sim/rt/phys.h"

#define GPA 0x80000000ULL
#define MB2 (2ULL << 20)

struct found {
	const char *rule;
	bool yes;
};

static void look(void *ctx, const char *rule, const char *text)
{
	struct found *f = ctx;

	f->yes |= !strcmp(f->rule, rule);
	assert_true(strlen(text) > 10);
}

static bool breaks(struct lab_kit *k, const char *rule)
{
	struct found f = {rule, false};

	lab_oracles_quiet(lab_kit_machine(k), look, &f);
	return f.yes;
}

static struct kvm_gmem_file *file_of(struct lab_kit *k)
{
	return lab_kit_machine(k)->file[0];
}

static struct gmem_inode *inode_of(struct lab_kit *k)
{
	return file_of(k)->inode;
}

/* One TD, one file; its first 2M accepted, page 1 shared and written by the host. */
static struct lab_kit *kit(const char *policy)
{
	struct lab_kit *k;
	char setup[200];

	snprintf(setup, sizeof(setup), "module profile=1.5.28\ntd vcpus=1\ngmem g0 size=4M %s\n",
		 policy);
	k = lab_kit_new(setup);
	assert_int_equal(lab_kit_accept(k, 0, GPA, MB2), 0);
	assert_int_equal(lab_kit_convert(k, GPA + 4096, 4096, false), 0);
	assert_int_equal(lab_kit_do(k, "host: write 0x%llx 5", GPA + 4096), 0);
	return k;
}

static struct gmem_attr *attr_of(struct lab_kit *k, u64 index)
{
	return (struct gmem_attr *)gmem_attr_at(inode_of(k), index);
}

static bool nothing_broke;

static void any(void *ctx, const char *rule, const char *text)
{
	print_message("  %s: %s\n", rule, text);
	nothing_broke = false;
}

static struct lab_kit *clean_kit(void)
{
	struct lab_kit *k = kit("");

	nothing_broke = true;
	lab_oracles_quiet(lab_kit_machine(k), any, NULL);
	assert_true(nothing_broke);
	return k;
}

/* --- a hand inside ---------------------------------------------------------------------- */

static void hand_i1(struct lab_kit *k)
{
	attr_of(k, 1)->value = KVM_MEMORY_ATTRIBUTE_PRIVATE; /* the host still maps it */
}

static void hand_i2(struct lab_kit *k)
{
	struct gmem_attr_prealloc pre;

	rt_lock_take(&inode_of(k)->invalidate_lock, RT_LOCK_EX);
	assert_int_equal(gmem_attr_prealloc(inode_of(k), 9, 1, 0, &pre), 0);
	gmem_attr_store(inode_of(k), 9, 1, 0, &pre); /* no zap */
	gmem_attr_prealloc_free(&pre);
	rt_lock_release(&inode_of(k)->invalidate_lock, RT_LOCK_EX);
}

static void hand_i6(struct lab_kit *k)
{
	inode_of(k)->setup.policy[GMEM_P_SIZE_RULE] = GMEM_SIZE_FOLIO;
	hand_i2(k);
	gmem_filemap_reshape(inode_of(k), 0, 512, 9, GMEM_F_UPTODATE); /* over a mixed block */
}

static void hand_i7(struct lab_kit *k)
{
	gmem_filemap_set_flags(inode_of(k), 4, 1, GMEM_F_FROZEN, 0);
}

static void hand_i8(struct lab_kit *k)
{
	attr_of(k, 1)->value = attr_of(k, 0)->value; /* three ranges of one value */
}

static void hand_i9(struct lab_kit *k)
{
	file_of(k)->invalidating++;
}

static void hand_i12(struct lab_kit *k)
{
	kvm_stat_add(KVM_STAT_OVERZAP_BYTES, 4096);
}

/* The memory moves: out of the file, and another page in. */
static void hand_i15(struct lab_kit *k)
{
	u64 other = host_alloc_pfns(0);
	struct gmem_folio f = {.index = 1, .pfn = other, .nr = 1, .orig_order = 9};

	gmem_filemap_remove(inode_of(k), 1, 1, gmem_pages_release);
	gmem_filemap_insert(inode_of(k), &f);
}

static void hand_i19(struct lab_kit *k)
{
	gmem_filemap_remove(inode_of(k), 3, 1, gmem_pages_release); /* mapped */
}

static void hand_i20(struct lab_kit *k)
{
	const struct gmem_extent *e = gmem_extent_from(inode_of(k), 3);

	gmem_page_poison(e, e->pfn + 3 - e->index); /* no zap */
}

static void hand_i4(struct lab_kit *k)
{
	gmem_filemap_reshape(inode_of(k), 0, 512, 9, GMEM_F_UPTODATE);
}

static const struct {
	const char *number, *rule;
	void (*hand)(struct lab_kit *k);
	bool after_convert; /* the rule judges an action: a conversion before the hand */
} hands[] = {
	{"I1", "host-sees-no-private", hand_i1, false},
	{"I2", "no-leaf-over-shared", hand_i2, false},
	{"I4", "shared-is-4k", hand_i4, false},
	{"I5", "leaf-within-folio", hand_i2, false},
	{"I6", "max-order-uniform", hand_i6, false},
	{"I7", "folio-books", hand_i7, false},
	{"I8", "attr-tree", hand_i8, false},
	{"I9", "invalidate-balance", hand_i9, false},
	{"I10", "convert-as-asked", hand_i2, true},
	{"I11", "convert-as-asked", hand_i1, false},
	{"I12", "no-overzap", hand_i12, true},
	{"I15", "in-place", hand_i15, true},
	{"I19", "leaf-owns-page", hand_i19, false},
	{"I20", "poison-unmapped", hand_i20, false},
};

static void test_oracle__a_hand_inside_is_seen(void **state)
{
	u32 i;

	for (i = 0; i < RT_ARRAY_SIZE(hands); i++) {
		struct lab_kit *k = clean_kit();

		print_message("  %s %s\n", hands[i].number, hands[i].rule);
		if (hands[i].rule == hands[3].rule) /* I5 wants a large leaf to break */
			assert_int_equal(lab_kit_accept(k, 0, GPA + MB2, MB2), 0);
		if (hands[i].after_convert)
			assert_int_equal(lab_kit_convert(k, GPA + 0x5000, 4096, false), 0);
		if (!strcmp(hands[i].number, "I5")) {
			inode_of(k)->setup.policy[GMEM_P_SIZE_RULE] = GMEM_SIZE_FOLIO;
			gmem_filemap_reshape(inode_of(k), 512, 512, 0, 0);
			((struct gmem_extent *)gmem_extent_from(inode_of(k), 512))->orig_order = 0;
		} else {
			hands[i].hand(k);
		}
		assert_true(breaks(k, hands[i].rule));
		/* The machine is not sane any more: its world goes, without a teardown. */
		lab_kit_free(k);
	}
}

/* --- designs that break a rule ------------------------------------------------------------ */

/* B25, I5: under FOLIO the untouched leaves of a split 1G folio are larger than it. */
static void test_oracle__i5_v3_on_1g(void **state)
{
	struct lab_kit *k = lab_kit_new("module profile=1.5.28\nhost mem=4G\ntd vcpus=1\n"
					"gmem g0 size=1G backing=hugetlb-1g profile=V3\n"
					"slot 0 gpa=0x80000000 size=1G\n");

	assert_int_equal(lab_kit_accept(k, 0, GPA, 2 * MB2), 0);
	lab_kit_expect_broken(k);
	lab_kit_convert(k, GPA, 4096, false);
	assert_string_equal(lab_kit_broken(k), "leaf-within-folio");
	lab_kit_free(k);
}

/*
 * B2: BASE splits the folio under its leaf, and the wrapper that wants one folio refuses the zap.
 */
static void test_oracle__b2_folio_split_under_a_leaf(void **state)
{
	struct lab_kit *k = lab_kit_new("module profile=1.5.28\ntd vcpus=1\n"
					"gmem g0 size=4M profile=V3 conv_order=BASE\n");

	assert_int_equal(lab_kit_accept(k, 0, GPA, MB2), 0);
	lab_kit_expect_broken(k);
	lab_kit_convert(k, GPA, 4096, false);
	assert_string_equal(lab_kit_broken(k), "warn");
	assert_true(kvm_is_bugged(lab_kit_kvm(k)) || lab_kit_stat(k, "pages_2m"));
	lab_kit_free(k);
}

/* B3, I18: the merge looks at the tree before the store. */
static void test_oracle__i18_old_tree(void **state)
{
	struct lab_kit *k = lab_kit_new("module profile=1.5.28\ntd vcpus=1\n"
					"gmem g0 size=4M conv_order=BASE merge_view=OLD_TREE\n");

	assert_int_equal(lab_kit_accept(k, 0, GPA, MB2), 0);
	assert_int_equal(lab_kit_convert(k, GPA, MB2, false), 0);
	lab_kit_expect_broken(k);
	lab_kit_convert(k, GPA, MB2, true);
	assert_string_equal(lab_kit_broken(k), "merge-restores");
	lab_kit_free(k);
}

/* B9, I4: a fresh folio that could not be split stays over a shared page. */
static void test_oracle__i4_fresh_folio(void **state)
{
	struct lab_kit *k = lab_kit_new("module profile=1.5.28\ntd vcpus=1\n"
					"gmem g0 size=4M fresh_fail=LEAVE\n");

	assert_int_equal(lab_kit_convert(k, GPA, 4096, false), 0);
	lab_kit_inject(k, "enomem site=filemap-alloc");
	lab_kit_expect_broken(k);
	lab_kit_do(k, "host: read 0x%llx", GPA);
	assert_string_equal(lab_kit_broken(k), "shared-is-4k");
	lab_kit_free(k);
}

/* B7, I17: a freeze waits for references that go only with the zap behind it. */
static void test_oracle__i17_spin(void **state)
{
	struct lab_kit *k = lab_kit_new("module profile=1.5.28\ntd vcpus=1\n"
					"gmem g0 size=4M tdx_ref=HOLD_MAPPED toshared_refs=SPIN\n");

	assert_int_equal(lab_kit_accept(k, 0, GPA, MB2), 0);
	lab_kit_expect_broken(k);
	lab_kit_convert(k, GPA, 4096, false);
	assert_string_equal(lab_kit_broken(k), "bounded-spin");
	lab_kit_free(k);
}

/* I20: a poisoned page that does not break contiguity is mapped again with its neighbours. */
static void test_oracle__i20_poison_ignored(void **state)
{
	struct lab_kit *k = lab_kit_new("module profile=1.5.28\ntd vcpus=1\n"
					"gmem g0 size=4M size_poison=IGNORED\n");

	assert_int_equal(lab_kit_do(k, "host: alloc 0x%llx 2M", GPA), 0);
	assert_int_equal(lab_kit_convert(k, GPA, 4096, false), 0);
	assert_int_equal(lab_kit_do(k, "host: memory-failure 0x%llx", GPA + 0x7000), 0);
	assert_int_equal(lab_kit_convert(k, GPA, 4096, true), 0);
	lab_kit_expect_broken(k);
	lab_kit_do(k, "vcpu0: accept 0x%llx 2M level=2M", GPA);
	assert_string_equal(lab_kit_broken(k), "poison-unmapped");
	lab_kit_free(k);
}

/* I16: a page of the host's that was never zeroed shows through. */
static void test_oracle__i16_stale_data(void **state)
{
	struct lab_kit *k = lab_kit_new("module profile=1.5.28\ntd vcpus=1\n"
					"gmem g0 size=4M backing=4k\n");
	const struct gmem_extent *e;

	assert_int_equal(lab_kit_convert(k, GPA, 4096, false), 0);
	assert_int_equal(lab_kit_do(k, "host: alloc 0x%llx 4K", GPA), 0);
	e = gmem_extent_from(inode_of(k), 0);
	rt_phys_write(e->pfn << 12, 0, 0xdead);
	gmem_filemap_set_flags(inode_of(k), 0, 1, GMEM_F_UPTODATE, 0);
	lab_kit_expect_broken(k);
	lab_kit_do(k, "host: read 0x%llx", GPA);
	assert_string_equal(lab_kit_broken(k), "no-stale-data");
	lab_kit_free(k);
}

/*
 * I3: an access that should have been a SIGBUS. The report ends a run; here it is made outside of
 * one.
 */
static void test_oracle__i3_host_access(void **state)
{
	struct lab_kit *k = clean_kit();

	lab_kit_expect_broken(k);
	lab_model_host_access(lab_kit_machine(k), &lab_kit_machine(k)->td[0], GPA + 0x3000, false,
			      0);
	assert_string_equal(lab_kit_broken(k), "host-sees-no-private");
	lab_kit_free(k);
}

/* I13: a page of the host that nobody gives back is missed at the end. */
static void test_oracle__i13_leak(void **state)
{
	struct lab_kit *k = clean_kit();
	struct found f = {"pages-accounted", false};

	assert_int_not_equal(host_alloc_pfns(0), 0);
	assert_int_equal(lab_kit_do(k, "host: destroy"), 0);
	lab_oracles_end(lab_kit_machine(k), look, &f);
	assert_true(f.yes);
	lab_kit_free(k);
}

/*
 * B6, I2 and I14: [W] ends the invalidation before it stores, so a fault that began in between
 * finds its snapshot still good. (B24, the other way to do it, is in test_policy.c.)
 */
static void test_oracle__i14_late_faults(void **state)
{
	bool seen = false;
	u64 seed;

	for (seed = 1; seed <= 400 && !seen; seed++) {
		struct lab_kit *k = lab_kit_new("module profile=1.5.28\ntd vcpus=1\n"
						"gmem g0 size=4M profile=V3\n");

		assert_int_equal(lab_kit_do(k, "host: alloc 0x%llx 2M", GPA), 0);
		lab_kit_expect_broken(k);
		lab_kit_parallel(k, seed,
				 "host: convert 0x80001000 4K shared\n"
				 "vcpu0: accept 0x80001000 8K\n");
		seen = !strcmp(lab_kit_broken(k), "no-leaf-over-shared");
		lab_kit_free(k);
	}
	assert_true(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oracle__a_hand_inside_is_seen),
		cmocka_unit_test(test_oracle__i3_host_access),
		cmocka_unit_test(test_oracle__i4_fresh_folio),
		cmocka_unit_test(test_oracle__b2_folio_split_under_a_leaf),
		cmocka_unit_test(test_oracle__i5_v3_on_1g),
		cmocka_unit_test(test_oracle__i13_leak),
		cmocka_unit_test(test_oracle__i14_late_faults),
		cmocka_unit_test(test_oracle__i16_stale_data),
		cmocka_unit_test(test_oracle__i17_spin),
		cmocka_unit_test(test_oracle__i18_old_tree),
		cmocka_unit_test(test_oracle__i20_poison_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
