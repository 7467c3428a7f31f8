/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Error numbers: those of the C library, which are the kernel's own on Linux.
 */
#ifndef _LINUX_ERRNO_H
#define _LINUX_ERRNO_H

#include <errno.h>

#ifndef EHWPOISON
#define EHWPOISON 133
#endif

#endif
