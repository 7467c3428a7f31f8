/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of memory.
 */
#ifndef MINI_E820_TYPES_H
#define MINI_E820_TYPES_H

enum e820_type {
	E820_TYPE_RAM = 1
};

#endif
