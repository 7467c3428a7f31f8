// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole unit test: a TD maps 2 MiB, the VMM converts 4 KiB of it, and only that page leaves the
 * S-EPT.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/lab/kit.h"

#define GPA 0x80000000ULL

static void test_example_split__converts_4k_of_2m(void **state)
{
	struct lab_kit *k = lab_kit_new("module profile=1.5.28\ntd vcpus=1\n");

	assert_int_equal(lab_kit_accept(k, 0, GPA, 2 << 20), 0);
	assert_int_equal(lab_kit_sept(k, GPA).level, 1);
	assert_int_equal(lab_kit_write(k, 0, GPA + 0x2000, 0x77), 0);

	/* before: [ 2M mapped ]      after: [ 4K ][ shared ][ 4K ][ 4K ] ... */
	assert_int_equal(lab_kit_convert(k, GPA + 0x1000, 4096, false), 0);
	assert_int_equal(lab_kit_sept(k, GPA + 0x1000).state, SEAM_SEPT_FREE);
	assert_int_equal(lab_kit_sept(k, GPA + 0x2000).state, SEAM_SEPT_MAPPED);
	assert_int_equal(lab_kit_sept(k, GPA + 0x2000).level, 0);
	assert_int_equal(lab_kit_mirror(k, GPA + 0x2000).level, 1);
	assert_int_equal(lab_kit_stat(k, "splits"), 1);
	assert_int_equal(lab_kit_read(k, 0, GPA + 0x2000), 0x77);
	lab_kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_example_split__converts_4k_of_2m)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
