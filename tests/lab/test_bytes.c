// SPDX-License-Identifier: GPL-2.0-only
/*
 * The byte spelling: any bytes are a scenario without an error, what is printed is what was
 * decoded, and what bytes can say comes back from them. Over random bytes, over programs that the
 * generator makes, and over the scenarios of the tree.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/lab/bytes.h"
#include "sim/lab/util.h"
#include "sim/rt/mix.h"

#define INPUTS	3000
#define LONGEST (24 * LAB_RECORD_BYTES)

static char *text_of(const struct lab_scenario *sc, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	assert_non_null(f);
	lab_print(sc, f);
	fclose(f);
	return text;
}

/* The printed scenario read again: the same operations, and no error against its machine. */
static void check_prints(const struct lab_scenario *sc)
{
	struct lab_scenario again;
	struct lab_setup *su = lab_zalloc(sizeof(*su));
	struct lab_diag d = {stderr, 0};
	struct lab_source src = {"printed", NULL, 0};
	char *text = text_of(sc, &src.len);

	src.text = text;
	lab_scenario_init(&again);
	assert_int_equal(lab_parse(&again, &src, &d), 0);
	assert_true(lab_same(sc, &again));
	assert_int_equal(lab_setup_resolve(&again, su, &d), 0);
	lab_scenario_free(&again);
	free(text);
	free(su);
}

static void print_unsaid(const struct lab_scenario *sc)
{
	u8 rec[LAB_RECORD_BYTES];
	char text[300];

	for (u32 i = 0; i < sc->nr_ops; i++) {
		if (lab_record_write(sc, &sc->ops[i], rec))
			continue;
		lab_print_op(sc, &sc->ops[i], text, sizeof(text));
		print_error("bytes can't say: %s\n", text);
	}
}

/* Bytes to a scenario, to bytes, to the same scenario; nothing of it is left out. */
static void check_bytes(const u8 *bytes, size_t len)
{
	struct lab_setup *su = lab_zalloc(2 * sizeof(*su));
	struct lab_scenario sc, again;
	size_t back_len;
	u32 left_out;
	u8 *back;

	lab_scenario_init(&sc);
	lab_scenario_init(&again);
	lab_bytes_decode(bytes, len, &sc, &su[0]);
	check_prints(&sc);
	back = lab_bytes_encode(&sc, &back_len, &left_out);
	print_unsaid(&sc);
	assert_int_equal(left_out, 0);
	lab_bytes_decode(back, back_len, &again, &su[1]);
	assert_true(lab_same(&sc, &again));
	assert_memory_equal(&su[0].td, &su[1].td, sizeof(su->td));
	lab_scenario_free(&sc);
	lab_scenario_free(&again);
	free(back);
	free(su);
}

static void any_bytes_are_a_scenario(void **state)
{
	u8 bytes[LONGEST];
	u64 seed = 7;

	for (u32 i = 0; i < INPUTS; i++) {
		size_t len = rt_splitmix64(&seed) % (sizeof(bytes) + 1);

		for (size_t n = 0; n < len; n++)
			bytes[n] = (u8)rt_splitmix64(&seed);
		check_bytes(bytes, len);
	}
}

/* The same generator behind random numbers: its records say what it made. */
static void generated_records_say_what_was_made(void **state)
{
	for (u32 i = 0; i < INPUTS; i++) {
		struct lab_scenario made, read;
		struct lab_choices src, from;
		u8 rec[LAB_RECORD_BYTES];

		lab_scenario_init(&made);
		lab_scenario_init(&read);
		lab_choices_random(&src, i);
		lab_record_read(&src, (enum lab_gen)(i % 4), &made, rec);
		lab_choices_bytes(&from, rec, sizeof(rec));
		lab_record_read(&from, LAB_GEN_ANY, &read, NULL);
		assert_true(lab_same(&made, &read));
		check_bytes(rec, sizeof(rec));
		lab_scenario_free(&made);
		lab_scenario_free(&read);
	}
}

/* The enumeration comes to each statement of the small alphabet once. */
static void the_small_alphabet_is_enumerated(void **state)
{
	struct lab_choices src;
	struct lab_scenario all;
	u32 twice = 0;

	lab_scenario_init(&all);
	lab_choices_all(&src);
	do {
		lab_record_read(&src, LAB_GEN_SMALL, &all, NULL);
	} while (lab_choices_next(&src));
	assert_in_range(all.nr_ops, 20, 80);
	for (u32 i = 0; i < all.nr_ops; i++) {
		char a[200], b[200];

		lab_print_op(&all, &all.ops[i], a, sizeof(a));
		for (u32 j = 0; j < i; j++) {
			lab_print_op(&all, &all.ops[j], b, sizeof(b));
			twice += !strcmp(a, b);
		}
	}
	assert_int_equal(twice, 0);
	lab_scenario_free(&all);
}

/* As bytes put it: the machine, the schedule, the rest; without what they don't say. */
static void in_bytes_order(const struct lab_scenario *sc, struct lab_scenario *to)
{
	u8 rec[LAB_RECORD_BYTES];

	*to = *sc;
	to->ops = lab_zalloc((sc->nr_ops + 1) * sizeof(*to->ops));
	to->nr_ops = 0;
	for (u32 pass = 0; pass < 3; pass++) {
		for (u32 i = 0; i < sc->nr_ops; i++) {
			const struct lab_op *op = &sc->ops[i];
			u32 mine = lab_op_makes_machine(op) ? 0 : lab_op_is_setup(op) ? 1 : 2;

			if (mine == pass && lab_record_write(sc, op, rec))
				to->ops[to->nr_ops++] = *op;
		}
	}
}

static bool all_said(const struct lab_scenario *sc)
{
	u8 rec[LAB_RECORD_BYTES];

	for (u32 i = 0; i < sc->nr_ops; i++) {
		if (!lab_op_is_expect(&sc->ops[i]) && !lab_record_write(sc, &sc->ops[i], rec))
			return false;
	}
	return true;
}

/* One scenario of the tree: true if bytes can say all of it but its expectations. */
static bool check_file(const char *path)
{
	struct lab_setup *su = lab_zalloc(sizeof(*su));
	struct lab_scenario sc, want, got;
	struct lab_diag d = {stderr, 0};
	struct lab_source src;
	char *text = lab_source_read(path, &src, &d);
	bool said;

	assert_non_null(text);
	lab_scenario_init(&sc);
	lab_scenario_init(&got);
	assert_int_equal(lab_parse(&sc, &src, &d), 0);
	said = all_said(&sc);
	in_bytes_order(&sc, &want);
	if (said) {
		size_t len;
		u32 left_out;
		u8 *bytes = lab_bytes_encode(&sc, &len, &left_out);

		lab_bytes_decode(bytes, len, &got, su);
		if (!lab_same(&want, &got)) {
			fprintf(stderr, "%s:\n", path);
			lab_print(&want, stderr);
			fprintf(stderr, "comes back as\n");
			lab_print(&got, stderr);
			fail();
		}
		free(bytes);
	}
	free(want.ops);
	lab_scenario_free(&sc);
	lab_scenario_free(&got);
	free(text);
	free(su);
	return said;
}

static void scenarios_come_back(void **state)
{
	char path[600];
	u32 nr = 0, said = 0;
	struct dirent *de;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/tests/scenarios", getenv("TDXSIM_SOURCE"));
	dir = opendir(path);
	assert_non_null(dir);
	while ((de = readdir(dir))) {
		size_t len = strlen(de->d_name);

		if (len < 4 || strcmp(de->d_name + len - 4, ".scn"))
			continue;
		snprintf(path, sizeof(path), "%s/tests/scenarios/%s", getenv("TDXSIM_SOURCE"),
			 de->d_name);
		nr++;
		said += check_file(path);
	}
	closedir(dir);
	print_message("%u of %u scenarios are whole in bytes\n", said, nr);
	assert_true(said * 10 >= nr * 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_bytes_are_a_scenario),
		cmocka_unit_test(generated_records_say_what_was_made),
		cmocka_unit_test(the_small_alphabet_is_enumerated),
		cmocka_unit_test(scenarios_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
