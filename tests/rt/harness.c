// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers of the runtime's tests: see harness.h.
 * An expected abort is caught by a signal handler and a jump, so that coverage and sanitizers see
 * the code before it. No cases here.
 */
#include "tests/rt/harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int world_setup(void **state)
{
	const struct rt_world_opts opts = {.seed = 1};

	*state = rt_world_new(&opts);
	return *state ? 0 : -1;
}

int world_teardown(void **state)
{
	rt_world_free(*state);
	return 0;
}

static sigjmp_buf abort_jump;
static char abort_text[512];

static void on_abort(int sig)
{
	siglongjmp(abort_jump, 1);
}

const char *last_abort(void)
{
	return abort_text;
}

bool aborts(void (*fn)(void *arg), void *arg)
{
	struct sigaction sa = {.sa_handler = on_abort}, before;
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);
	volatile bool caught = false;
	size_t n;

	assert_non_null(log);
	fflush(stderr);
	dup2(fileno(log), STDERR_FILENO);
	sigaction(SIGABRT, &sa, &before);
	if (sigsetjmp(abort_jump, 1))
		caught = true;
	else
		fn(arg);
	sigaction(SIGABRT, &before, NULL);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(log);
	n = fread(abort_text, 1, sizeof(abort_text) - 1, log);
	abort_text[n] = '\0';
	fclose(log);
	return caught;
}

static void on_report(void *ctx, const char *rule, const char *text)
{
	struct sink *s = ctx;

	s->nr++;
	snprintf(s->rule, sizeof(s->rule), "%s", rule);
	snprintf(s->text, sizeof(s->text), "%s", text);
}

void sink_reports(struct sink *s)
{
	*s = (struct sink){0};
	rt_set_report_hook(rt_world_current(), on_report, s);
}
