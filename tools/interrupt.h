/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ctrl-C on what may run for hours: it ends with what it has, and says so.
 * What there is to say is each command's.
 */
#ifndef TOOLS_INTERRUPT_H
#define TOOLS_INTERRUPT_H

#include <stdbool.h>

/*
 * From here on the first SIGINT or SIGTERM is only noted; the second of its kind ends the program.
 * System calls go on behind it.
 */
void interrupt_catch(void);
/* Whether one came. @ctx is not looked at: this is a callback of searches. */
bool interrupt_came(void *ctx);

#endif
