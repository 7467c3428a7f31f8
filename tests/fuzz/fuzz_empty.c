// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer with nothing in it: what its own loop costs, as a baseline (bench/fuzz.c).
 */
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return 0;
}
