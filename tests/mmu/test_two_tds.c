// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two TDs on one host that split against each other, with and without pamt_lock around DEMOTE (B16).
 * The scenario race-two-tds-pamt.scn is the same machine; here the schedules are counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "sim/lab/kit.h"

#define SCHEDULES 300

/*
 * The file of 4K pages uses host memory up, so that a fresh 2M is begun while both split:
 *
 *   host memory  ... 4K pages of both TDs and of "fill" |X| <- a fresh 2M
 *   TD b         PAMT.ADD(X) for its new S-EPT page
 *   TD a         DEMOTE with a PAMT pair out of X
 */
static const char setup[] = "module profile=1.5.28 dynamic_pamt=on\n"
			    "kvm    demote_pamt_lock=%s\n"
			    "td     a vcpus=1\n"
			    "td     b vcpus=1\n"
			    "gmem   g0 size=4M backing=hugetlb-2m\n"
			    "gmem   g1 size=4M backing=hugetlb-2m\n"
			    "gmem   fill size=2M backing=4k\n"
			    "slot   a.0 gpa=0x80000000 size=4M gmem=g0+0\n"
			    "slot   b.0 gpa=0x80000000 size=4M gmem=g1+0\n"
			    "slot   a.1 gpa=0xc0000000 size=2M gmem=fill+0\n";

struct tally {
	u32 bugged, failed;
};

static void run_one(const char *lock, u64 seed, struct tally *t)
{
	struct lab_kit *k;
	char text[1024];

	snprintf(text, sizeof(text), setup, lock);
	k = lab_kit_new(text);
	assert_int_equal(lab_kit_do(k, "a.vcpu0: accept a.slot0 4M"), 0);
	assert_int_equal(lab_kit_do(k, "b.vcpu0: accept b.slot0 4M"), 0);
	assert_int_equal(lab_kit_do(k, "a.host: alloc a.slot1 1748K"), 0);
	lab_kit_expect_broken(k);
	if (!lab_kit_parallel(k, seed,
			      "a.host: convert a.slot0+4K 4K shared\n"
			      "b.host: convert b.slot0+8K 4K shared\n"))
		t->failed++;
	t->bugged += *lab_kit_broken(k) != 0;
	lab_kit_free(k);
}

static struct tally run_all(const char *lock)
{
	struct tally t = {0};
	u64 seed;

	for (seed = 1; seed <= SCHEDULES && !t.bugged; seed++)
		run_one(lock, seed, &t);
	return t;
}

static void test_two_tds__the_lock_keeps_them_apart(void **state)
{
	const struct tally t = run_all("on");

	assert_int_equal(t.bugged, 0);
	assert_int_equal(t.failed, 0);
}

/* Without it DEMOTE is BUSY twice on some schedule, which ends the VM; the first such is enough. */
static void test_two_tds__without_the_lock_they_meet(void **state)
{
	const struct tally t = run_all("off");

	assert_int_equal(t.bugged, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_tds__the_lock_keeps_them_apart),
		cmocka_unit_test(test_two_tds__without_the_lock_they_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
