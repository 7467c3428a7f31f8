// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every delivered recording against our module, a test a release; and the player itself: what it reads, what it reports.
 * The parser's refusals are test_vectors_parse.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/lab/vectors.h"

/* Directory of the archives: the program's one argument. */
static const char *vectors_dir;

/* What the player wrote, to be looked at. */
struct output {
	char *text;
	size_t len;
	FILE *f;
};

static void output_open(struct output *o)
{
	o->f = open_memstream(&o->text, &o->len);
	assert_non_null(o->f);
}

static const char *output_text(struct output *o)
{
	fflush(o->f);
	return o->text;
}

static void output_close(struct output *o)
{
	fclose(o->f);
	free(o->text);
}

/* All of a release: that many recordings and calls, each call as the real module answered it. */
static void play_release(const char *name, u64 files, u64 calls)
{
	struct lab_vectors_opts opts = {.check = true, .out = stderr};
	struct lab_vectors_sum sum = {0};
	struct lab_vectors *v = lab_vectors_new();
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.tar.xz", vectors_dir, name);
	assert_int_equal(lab_vectors_add(v, path, stderr), 0);
	assert_int_equal(lab_vectors_files(v), files);
	lab_vectors_play(v, &opts, &sum);
	lab_vectors_free(v);
	assert_int_equal(sum.files, files);
	assert_int_equal(sum.calls, calls);
	assert_int_equal(sum.matched, calls);
	assert_int_equal(sum.unsound, 0);
}

static void test_vectors__release_1_5_01(void **state)
{
	play_release("1.5.01", 301, 49123);
}

static void test_vectors__release_1_5_05(void **state)
{
	play_release("1.5.05", 76, 5349);
}

static void test_vectors__release_1_5_16(void **state)
{
	play_release("1.5.16", 153, 21073);
}

static void test_vectors__release_1_5_20(void **state)
{
	play_release("1.5.20", 274, 30356);
}

static void test_vectors__release_1_5_25(void **state)
{
	play_release("1.5.25", 352, 47479);
}

/* Answers of published source to changed recordings (tests/vectors/README.md). */
static void test_vectors__variations(void **state)
{
	play_release("variations", 293, 33191);
}

/* A directory of one test, with one file in it. */
struct scratch {
	char dir[64], path[128];
};

static void scratch_make(struct scratch *sc, const char *name, const char *text)
{
	FILE *f;

	snprintf(sc->dir, sizeof(sc->dir), "vectors-test-XXXXXX");
	assert_non_null(mkdtemp(sc->dir));
	snprintf(sc->path, sizeof(sc->path), "%s/%s", sc->dir, name);
	f = fopen(sc->path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void scratch_remove(struct scratch *sc)
{
	unlink(sc->path);
	rmdir(sc->dir);
}

/* Play @text; returns what was said about it, which the caller closes. */
static void play_text(const char *text, struct lab_vectors_sum *sum, struct output *o)
{
	struct lab_vectors *v = lab_vectors_new();
	struct lab_vectors_opts opts = {0};
	struct scratch sc;

	memset(sum, 0, sizeof(*sum));
	output_open(o);
	opts.out = o->f;
	scratch_make(&sc, "it.tdxvec", text);
	assert_int_equal(lab_vectors_add(v, sc.dir, stderr), 0); /* found in its directory */
	lab_vectors_play(v, &opts, sum);
	lab_vectors_free(v);
	scratch_remove(&sc);
	output_text(o);
}

/* The player can fail: a wrong register, a missing one, another form, other bytes. */
static const struct {
	const char *line, *says;
} wrong[] = {
	{"call 0 TDH.MNG.CREATE rcx=40000000 rdx=21 = rax=8000020000000001",
	 "    rax expected 8000020000000001 (TDX_OPERAND_BUSY, RCX), seen 0\n"},
	{"call 0 TDH.MNG.CREATE rcx=40000000 rdx=21 = rax=0 r9=5", "    r9 expected 5, seen 0\n"},
	{"call 0 TDH.MNG.CREATE rcx=40000000 rdx=21 = entered",
	 "    expected entered\n    seen     rax=0 rcx=40000000 rdx=21\n"},
	{"call 0 TDH.MNG.CREATE rcx=40000000 rdx=21 = rax=0 polls=1",
	 "    polls expected 1, seen 0\n"},
	{"peek 10000 4 = 00000100", "    byte 2 expected 01, seen 00\n"},
	{"td 40000000 = lifecycle=0 fatal=0 hkid=21 chldcnt=0 tdcx=0",
	 "    expected lifecycle=0 fatal=0 hkid=21 chldcnt=0 tdcx=0\n    seen     none\n"},
	{"guest 0 mc = exit rax=0",
	 "    expected exit rax=0\n    seen     impossible: the LP is not in a guest\n"},
	{"hold kot = busy", "    expected busy\n    seen     ok\n"},
};

static void test_vectors__differences(void **state)
{
	size_t i;

	for (i = 0; i < RT_ARRAY_SIZE(wrong); i++) {
		struct lab_vectors_sum sum;
		char text[300], place[40];
		struct output o;

		snprintf(text, sizeof(text), "tdxvec 1\nconfig lps=2\n%s\n", wrong[i].line);
		play_text(text, &sum, &o);
		assert_int_equal(sum.calls, 1);
		assert_int_equal(sum.matched, 0);
		snprintf(place, sizeof(place), "/it.tdxvec:3: %.4s", wrong[i].line);
		if (!strstr(o.text, place) || !strstr(o.text, wrong[i].says))
			fail_msg("%s\nsaid\n%snot\n%s", wrong[i].line, o.text, wrong[i].says);
		output_close(&o);
	}
}

/* A register that a line does not print kept its input; our module may not change it unseen. */
static void test_vectors__silence_is_a_value(void **state)
{
	struct lab_vectors_sum sum;
	struct output o;

	/* MNG.CREATE leaves RCX and RDX alone, RDMD does not. */
	play_text("tdxvec 1\nconfig lps=2\n"
		  "call 0 TDH.MNG.CREATE rcx=40000000 rdx=21 = rax=0\n"
		  "call 0 TDH.PHYMEM.PAGE.RDMD rcx=40000000 = rax=0\n",
		  &sum, &o);
	assert_int_equal(sum.calls, 2);
	assert_int_equal(sum.matched, 1);
	assert_non_null(strstr(o.text, "it.tdxvec:4: call 0 TDH.PHYMEM.PAGE.RDMD"));
	assert_non_null(strstr(o.text, "    rcx expected 40000000, seen 4\n"));
	output_close(&o);
}

static void test_vectors__impossible_machine(void **state)
{
	struct lab_vectors_sum sum;
	struct output o;

	play_text("tdxvec 1\nconfig lps=2 version=9.9.99\nhold kot = ok\n", &sum, &o);
	assert_int_equal(sum.calls, 1);
	assert_int_equal(sum.matched, 0);
	assert_int_equal(sum.no_machine, 1);
	assert_non_null(strstr(o.text, "it.tdxvec:2:8: no such machine: "));
	output_close(&o);
}

/* One member of an archive, named as reports name it. */
static void test_vectors__member(void **state)
{
	struct lab_vectors *v = lab_vectors_new();
	char path[4096];

	snprintf(path, sizeof(path), "%s/1.5.05.tar.xz/directed/aug_4k.tdxvec", vectors_dir);
	assert_int_equal(lab_vectors_add(v, path, stderr), 0);
	assert_int_equal(lab_vectors_files(v), 1);
	lab_vectors_free(v);
}

static u32 add_quietly(const char *path, const char *says)
{
	struct lab_vectors *v = lab_vectors_new();
	struct output o;
	u32 bad;

	output_open(&o);
	bad = lab_vectors_add(v, path, o.f);
	if (!strstr(output_text(&o), says))
		fail_msg("%s said %s, not %s", path, o.text, says);
	assert_int_equal(lab_vectors_files(v), 0);
	output_close(&o);
	lab_vectors_free(v);
	return bad;
}

/* What is no recording is told once, and nothing crashes. */
static void test_vectors__bad_sources(void **state)
{
	static const struct {
		const char *name, *text, *says;
	} files[] = {
		{"empty.tdxvec", "", "empty.tdxvec:1:1: found the end of the file"},
		{"binary",
		 "\x7f"
		 "ELF\x02\x01",
		 "binary:1:1: found \"\\x7fELF\\x02\\x01\""},
		{"cut.tdxvec", "tdxvec 1\ncall 0", "cut.tdxvec:2:7: found the end of the file"},
		{"no.tar.xz", "this is no archive at all, is it?", "found no xz archive"},
		{"short.tar.xz", "", "found the end of the file, expected more of an xz archive"},
	};
	char path[4096];
	struct scratch sc;
	size_t i;

	for (i = 0; i < RT_ARRAY_SIZE(files); i++) {
		scratch_make(&sc, files[i].name, files[i].text);
		assert_int_equal(add_quietly(sc.path, files[i].says), 1);
		scratch_remove(&sc);
	}
	scratch_make(&sc, "readme.txt", "not looked at");
	assert_int_equal(add_quietly(sc.dir, "expected recordings"), 1);
	scratch_remove(&sc);
	assert_int_equal(add_quietly("no-such-file.tdxvec", "No such file"), 1);
	snprintf(path, sizeof(path), "%s/1.5.05.tar.xz/directed/none.tdxvec", vectors_dir);
	assert_int_equal(add_quietly(path, "found no such member"), 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors__differences),
		cmocka_unit_test(test_vectors__silence_is_a_value),
		cmocka_unit_test(test_vectors__impossible_machine),
		cmocka_unit_test(test_vectors__bad_sources),
		cmocka_unit_test(test_vectors__member),
		cmocka_unit_test(test_vectors__release_1_5_01),
		cmocka_unit_test(test_vectors__release_1_5_05),
		cmocka_unit_test(test_vectors__release_1_5_16),
		cmocka_unit_test(test_vectors__release_1_5_20),
		cmocka_unit_test(test_vectors__release_1_5_25),
		cmocka_unit_test(test_vectors__variations),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY-OF-VECTORS\n", argv[0]);
		return 2;
	}
	vectors_dir = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
