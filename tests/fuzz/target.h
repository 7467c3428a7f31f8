/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every fuzz target gives: libFuzzer's and AFL++'s two functions. A target prints what broke
 * and aborts; a plain program that runs files through one is replay.c.
 */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
/* libFuzzer's own mutations. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#endif
