/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RCU lists: in <linux/list.h> here.
 */
#ifndef _LINUX_RCULIST_H
#define _LINUX_RCULIST_H

#include <linux/list.h>
#include <linux/rcupdate.h>

#endif
