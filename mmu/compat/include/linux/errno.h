/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Error numbers: those of the kernel's own user header. The C library's <errno.h> includes
 * <linux/errno.h> for the numbers, so where mmu/compat/include is searched it finds this file: it
 * must lead on to the numbers, not back to <errno.h>.
 */
#ifndef _LINUX_ERRNO_H
#define _LINUX_ERRNO_H

#include <asm-generic/errno.h>

#endif
