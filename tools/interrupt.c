// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGINT and SIGTERM as a flag. Who looks at it, and when, is the search's business.
 */
#include "tools/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t came;

static void note(int sig)
{
	came = 1;
}

void interrupt_catch(void)
{
	struct sigaction stop = {.sa_handler = note};

	stop.sa_flags = SA_RESTART | (int)SA_RESETHAND;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
}

bool interrupt_came(void *ctx)
{
	return came;
}
