// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz-parser: any text. It is refused with a message, or it is a scenario that prints as itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/setup.h"
#include "tests/fuzz/target.h"

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static char *print(const struct lab_scenario *sc, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	need(f, "no memory");
	lab_print(sc, f);
	fclose(f);
	return text;
}

/* What was read prints as a text that reads as the same. */
static void check_round_trip(const struct lab_scenario *sc)
{
	struct lab_diag quiet = {NULL, 0};
	struct lab_scenario again;
	struct lab_source src = {"printed", NULL, 0};
	char *text = print(sc, &src.len);

	src.text = text;
	lab_scenario_init(&again);
	need(!lab_parse(&again, &src, &quiet), "what was printed is refused");
	need(lab_same(sc, &again), "what was printed reads as something else");
	lab_scenario_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lab_diag d = {fopen("/dev/null", "w"), 0};
	struct lab_setup *su = calloc(1, sizeof(*su));
	char *text = malloc(size + 1);
	struct lab_source src = {"input", text, size};
	struct lab_scenario sc;

	need(d.out && su && text, "no memory");
	memcpy(text, data, size);
	text[size] = 0;
	lab_scenario_init(&sc);
	if (!memchr(text, 0, size) && !lab_parse(&sc, &src, &d)) {
		lab_setup_resolve(&sc, su, &d);
		check_round_trip(&sc);
	}
	lab_scenario_free(&sc);
	free(text);
	free(su);
	fclose(d.out);
	return 0;
}
