// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser of recordings: what it accepts, and where and how it refuses.
 * Nothing is played here: test_vectors.c does that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/lab/vectors_int.h"

#define HEAD "tdxvec 1\nconfig lps=4\n"

static struct vec_dict *dict;

static int make_dict(void **state)
{
	dict = vec_dict_new();
	return 0;
}

static int free_dict(void **state)
{
	vec_dict_free(dict);
	return 0;
}

static const struct {
	const char *text;
	u32 events, calls;
} good[] = {
	{"tdxvec 1\n", 0, 0},
	{"tdxvec 1", 0, 0},
	{"tdxvec 1\n\n# a comment = with this\n", 0, 0},
	{HEAD, 0, 0},
	{"tdxvec 1\nconfig lps=8 pkgs=2 tdmr=40000000+40000000 tdmr=100000000+40000000 rsvd=60403000+2000 "
	 "keyid_bits=5 hkids=10+10 global_hkid=10 seamrr=3c000000+2000000 pml5=0 wb_blocks=8 tdmr_uninit=1 "
	 "version=1.5.25 dynamic_pamt=1\n",
	 0, 0},
	{HEAD
	 "call 3 TDH.MEM.PAGE.AUG rcx=1 r15=ffffffffffffffff ver=ff = rax=c000010000000000 polls=1\n",
	 1, 1},
	{HEAD "call 0 TDH.VP.ENTER = entered\n", 1, 1},
	{HEAD "call 0 RAW rax=10006 = fatal at some place\n", 1, 1},
	{HEAD "guest 0 TDG.MEM.PAGE.ACCEPT rcx=1 retry = restart exit rax=1 rcx=0\n", 1, 1},
	{HEAD
	 "guest 0 access w gpa=1000 data=5 keepve=1 = ve reason=30 qual=182 gla=1000 gpa=1000\n",
	 1, 1},
	{HEAD "guest 0 access r retry gpa=1000 data=0 = ok hpa=60000000 level=1 val=0 polls=0\n", 1,
	 1},
	{HEAD "guest 0 access x gpa=1000 = inject vector=e\n", 1, 1},
	{HEAD "guest 0 intr vec=30 = exit rax=1 r9=80000030\n", 1, 1},
	{HEAD "guest 0 mc = dead\n", 1, 1},
	{HEAD "irq 0 1ff\ntsc 1000\nmem 10000 00fF\nfill 10000 1000 5a\n", 4, 0},
	{HEAD "peek 10000 2 = 00ff\n", 1, 1},
	{HEAD "hold sept 40000000 gpa=0 level=1 mode=sh side=guest = nowalk\n", 1, 1},
	{HEAD "hold kot = ok\ndrop kot mode=ex = notheld\nhold wbt 0 = busy\n", 3, 3},
	{HEAD "lock pamt 40000000 = word=0\nlock sept 40000000 gpa=0 level=1 = locked=0 hp=1\n", 2,
	 2},
	{HEAD "sept 40000001 gpa=0 level=0 = rax=c0000b0000000001 rcx=0 rdx=4\n", 1, 1},
	{HEAD "pamt 40000000 = rax=0 pt=4 owner=0 size=0 bepoch=0 r10=1 r11=2\n", 1, 1},
	{HEAD "td 40000000 = none\nvcpu 40000000 = state=2 assoc=ffffffff epoch=0 pages=6\n", 2, 2},
	{HEAD "pair 40000000 = pt=f bit=0 count=1 hpa0=1000 hpa1=2000\n", 1, 1},
	/* An "at" and what it arms are two events; the result is that of "atdone". */
	{HEAD "at 0 w call 1 TDH.MEM.TRACK rcx=40000000\natdone 0 = rax=0\n", 3, 1},
	{HEAD "at 0 p1ff hold septtree 40000000 mode=ex\natdone 0 = notrun\n", 3, 1},
};

static void test_vectors_parse__good(void **state)
{
	struct vec_error err = {0};
	struct vec_file f;
	size_t i;

	for (i = 0; i < RT_ARRAY_SIZE(good); i++) {
		if (!vec_parse(dict, "good", good[i].text, strlen(good[i].text), &f, &err))
			fail_msg("%s%u:%u: %s", good[i].text, err.line, err.column, err.text);
		assert_int_equal(f.nr_ev, good[i].events);
		assert_int_equal(f.calls, good[i].calls);
		vec_file_free(&f);
	}
}

static const struct {
	const char *text;
	u32 line, column;
	const char *says;
} bad[] = {
	{"", 1, 1, "found the end of the file, expected \"tdxvec 1\""},
	{"\n", 1, 1, "found the end of the line, expected \"tdxvec 1\""},
	{"tdxvect 1\n", 1, 1, "found \"tdxvect\", expected \"tdxvec 1\""},
	{"tdxvec\n", 1, 7, "found the end of the line, expected version 1"},
	{"tdxvec 2\n", 1, 8, "found \"2\", expected version 1"},
	{"tdxvec 1 \n", 1, 9, "found \" \", expected the end of the line"},
	{"tdxvec 1\r\n", 1, 8, "found \"1\\x0d\", expected version 1"},
	{"\x7f"
	 "ELF\n",
	 1, 1, "found \"\\x7fELF\", expected \"tdxvec 1\""},
	{HEAD "cal 0 TDH.MEM.TRACK = rax=0\n", 3, 1,
	 "found \"cal\", expected an event; the nearest is \"call\""},
	{HEAD " call\n", 3, 1, "found \" \", expected an event"},
	/* the configuration */
	{"tdxvec 1\nconfig lsp=4\n", 2, 8,
	 "found \"lsp\", expected a key of the configuration; the nearest is \"lps\""},
	{"tdxvec 1\nconfig lps\n", 2, 8,
	 "found \"lps\", expected \"lps=\" and a number of logical processors"},
	{"tdxvec 1\nconfig lps=0\n", 2, 12,
	 "found \"0\", expected a number of logical processors (not 0)"},
	{"tdxvec 1\nconfig lps=101\n", 2, 12,
	 "found \"101\", expected a number of logical processors (at most 100)"},
	{"tdxvec 1\nconfig lps=4 lps=4\n", 2, 14, "found \"lps=4\", expected each key once"},
	{"tdxvec 1\nconfig tdmr=40000000\n", 2, 13,
	 "found \"40000000\", expected <base>+<size> of a TDMR"},
	{"tdxvec 1\nconfig tdmr=40000000+0\n", 2, 22,
	 "found \"0\", expected a size that fits behind the base"},
	{"tdxvec 1\nconfig hkids=20+10000\n", 2, 14,
	 "found \"20+10000\", expected HKIDs below 10000"},
	{"tdxvec 1\nconfig version=1.5.x\n", 2, 16,
	 "found \"1.5.x\", expected a release, for example 1.5.25"},
	{"tdxvec 1\nconfig pml5=2\n", 2, 13, "found \"2\", expected 0 or 1 (at most 1)"},
	{HEAD "config lps=4\n", 3, 1, "found \"config\", expected one configuration only"},
	{"tdxvec 1\ntsc 1\nconfig lps=4\n", 3, 1,
	 "found \"config\", expected the configuration before the first event"},
	/* fields and numbers */
	{HEAD "call", 3, 5, "found the end of the file, expected an LP"},
	{HEAD "call 4 TDH.MEM.TRACK = rax=0\n", 3, 6, "found \"4\", expected an LP (at most 3)"},
	{HEAD "call x TDH.MEM.TRACK = rax=0\n", 3, 6,
	 "found \"x\", expected an LP (hexadecimal, without a prefix)"},
	{HEAD "call 0  TDH.MEM.TRACK = rax=0\n", 3, 8, "found \" \", expected a SEAMCALL leaf"},
	{HEAD "call 0 TDH.MEM.TRAK = rax=0\n", 3, 8,
	 "found \"TDH.MEM.TRAK\", expected a SEAMCALL leaf or RAW; the nearest is \"TDH.MEM.TRACK\""},
	{HEAD "call 0 TDH.MEM.TRACK rcx= = rax=0\n", 3, 26,
	 "found nothing, expected a value (1 to 16 hexadecimal digits)"},
	{HEAD "call 0 TDH.MEM.TRACK rcx=0x1 = rax=0\n", 3, 26,
	 "found \"0x1\", expected a value (hexadecimal, without a prefix)"},
	{HEAD "call 0 TDH.MEM.TRACK rcx=11111111111111111 = rax=0\n", 3, 26,
	 "found \"11111111111111111\", expected a value (1 to 16 hexadecimal digits)"},
	{HEAD "call 0 TDH.MEM.TRACK rcx=1 rcx=1 = rax=0\n", 3, 28,
	 "found \"rcx=1\", expected each key once"},
	{HEAD "call 0 TDH.MEM.TRACK ver=100 = rax=0\n", 3, 26,
	 "found \"100\", expected a value (at most ff)"},
	{HEAD "call 0 TDH.MEM.TRACK rax=1 = rax=0\n", 3, 22,
	 "found \"rax=1\", expected a register= but rax=, ver="},
	{HEAD "call 0 RAW rcx=1 = rax=0\n", 3, 18, "found \"=\", expected rax="},
	{HEAD "irq 0 0\n", 3, 7, "found \"0\", expected the number of a poll (1 is the first)"},
	{HEAD "irq 0 1 2\n", 3, 9, "found \"2\", expected the end of the line"},
	/* results */
	{HEAD "call 0 TDH.MEM.TRACK\n", 3, 21,
	 "found the end of the line, expected \" = \" and a result"},
	{HEAD "call 0 TDH.MEM.TRACK =\n", 3, 23, "found the end of the line, expected a result"},
	{HEAD "call 0 TDH.MEM.TRACK = rcx=0\n", 3, 29, "found the end of the line, expected rax="},
	{HEAD "call 0 TDH.MEM.TRACK = enterd\n", 3, 24,
	 "found \"enterd\", expected rax=, entered, fatal, dead; the nearest is \"entered\""},
	{HEAD "call 0 TDH.MEM.TRACK = rax=0 pols=1\n", 3, 30,
	 "found \"pols=1\", expected a register=, polls=; the nearest is \"polls\""},
	{HEAD "call 0 TDH.MEM.TRACK = rax=0 \n", 3, 30,
	 "found the end of the line, expected a key of the result"},
	{HEAD "hold kot = entered\n", 3, 12,
	 "found \"entered\", expected ok, busy, notd, nowalk, nopamt, dead"},
	{HEAD "td 40000000 = lifecycle=1\n", 3, 26,
	 "found the end of the line, expected fatal=, hkid=, chldcnt=, tdcx="},
	/* what each event is made of */
	{HEAD "guest 0 acess r gpa=0 = ok\n", 3, 9,
	 "found \"acess\", expected a TDCALL leaf, RAW, access, intr or mc; the nearest is \"access\""},
	{HEAD "guest 0 access q gpa=0 = ok\n", 3, 16, "found \"q\", expected r, w or x"},
	{HEAD "guest 0 access r = ok hpa=0 level=0\n", 3, 18, "found \"=\", expected gpa="},
	{HEAD "mem 1000 abc\n", 3, 10, "found \"abc\", expected whole bytes, two digits each"},
	{HEAD "mem 1000 abxy\n", 3, 12, "found \"xy\", expected a byte, two hexadecimal digits"},
	{HEAD "mem fffffffffffff 0011\n", 3, 5,
	 "found \"fffffffffffff 0011\", expected memory below 10000000000000"},
	{HEAD "fill 0 40000001 00\n", 3, 8,
	 "found \"40000001\", expected a length (at most 40000000)"},
	{HEAD "peek 1000 8 = 00\n", 3, 17, "found the end of the line, expected 8 bytes in all"},
	{HEAD "hold septre 40000000 = ok\n", 3, 6,
	 "found \"septre\", expected tdr, pamt, opstate, septtree, epoch, sept, kot or wbt; "
	 "the nearest is \"septtree\""},
	{HEAD "hold pamt 40000000 level=3 = ok\n", 3, 26,
	 "found \"3\", expected a value (at most 2)"},
	{HEAD "hold kot mode=xx = ok\n", 3, 15, "found \"xx\", expected ex or sh"},
	{HEAD "hold wbt 1 = ok\n", 3, 10, "found \"1\", expected a package (at most 0)"},
	{HEAD "hold sept 40000000 gpa=0 = ok\n", 3, 26, "found \"=\", expected level="},
	{HEAD "at 0 q1 call 1 TDH.MEM.TRACK\n", 3, 6, "found \"q1\", expected p<n> or w"},
	{HEAD "at 0 w sept 1\n", 3, 8, "found \"sept\", expected call, guest, hold or drop"},
	{HEAD "at 0 w call 0 TDH.MEM.TRACK\n", 3, 8,
	 "found \"call 0 TDH.MEM.TRACK\", expected an event of another LP"},
	{HEAD "at 0 w call 1 TDH.MEM.TRACK = rax=0\n", 3, 29,
	 "found \"=\", expected the end of the line (its result is in \"atdone\")"},
	{HEAD "atdone 0 = notrun\n", 3, 8,
	 "found \"0 = notrun\", expected an LP that \"at\" armed before"},
	{HEAD "at 0 w call 1 TDH.MEM.TRACK\natdone 0 = ok\n", 4, 12,
	 "found \"ok\", expected rax=, entered, notrun, fatal, dead"},
};

static void test_vectors_parse__bad(void **state)
{
	struct vec_error err = {0};
	struct vec_file f;
	size_t i;

	for (i = 0; i < RT_ARRAY_SIZE(bad); i++) {
		if (vec_parse(dict, "bad", bad[i].text, strlen(bad[i].text), &f, &err))
			fail_msg("accepted: %s", bad[i].text);
		if (strcmp(err.text, bad[i].says) || err.line != bad[i].line ||
		    err.column != bad[i].column)
			fail_msg("%s-> %u:%u: %s, not %u:%u: %s", bad[i].text, err.line, err.column,
				 err.text, bad[i].line, bad[i].column, bad[i].says);
	}
}

/* Every prefix of a recording is refused or is one: nothing is read beyond its end. */
static void test_vectors_parse__prefixes(void **state)
{
	static const char text[] = HEAD
		"at 0 p1 call 1 TDH.MEM.TRACK rcx=40000000\n"
		"guest 0 access r gpa=1000 data=0 keepve=1 retry = ok hpa=60000000 level=1 val=0\n"
		"atdone 0 = rax=0 rcx=40000000\nmem 10000 00ff\npeek 10000 2 = 00ff\n"
		"hold sept 40000000 gpa=0 level=1 mode=sh side=guest = nowalk\n";
	size_t len, accepted = 0;

	for (len = 0; len < sizeof(text); len++) {
		struct vec_error err = {0};
		struct vec_file f;
		char *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, text, len);
		if (vec_parse(dict, "prefix", copy, len, &f, &err)) {
			accepted++;
			vec_file_free(&f);
		} else {
			assert_true(err.line >= 1 && err.column >= 1);
		}
		free(copy);
	}
	assert_true(accepted > 5);
}

/* Values are found by key, whatever their order in the line. */
static void test_vectors_parse__values(void **state)
{
	static const char text[] = HEAD
		"call 2 TDH.MEM.PAGE.DEMOTE r13=d rcx=200001 ver=1 r8=8 = polls=1 rcx=c rax=a\n";
	struct vec_error err;
	struct vec_file f;

	assert_true(vec_parse(dict, "values", text, strlen(text), &f, &err));
	assert_int_equal(f.ev[0].lp, 2);
	assert_int_equal(f.ev[0].line, 3);
	assert_int_equal(vec_in(&f, &f.ev[0], VEC_K_RAX, 0), 0x1000f);
	assert_int_equal(vec_in(&f, &f.ev[0], VEC_K_RCX, 0), 0x200001);
	assert_int_equal(vec_in(&f, &f.ev[0], VEC_K_R8, 0), 8);
	assert_int_equal(vec_in(&f, &f.ev[0], VEC_K_R13, 0), 0xd);
	assert_int_equal(vec_in(&f, &f.ev[0], VEC_K_RDX, 7), 7);
	assert_int_equal(f.ev[0].out_keys, VEC_BIT(RAX) | VEC_BIT(RCX) | VEC_BIT(POLLS));
	assert_int_equal(f.vals[f.ev[0].out], 0xa);
	assert_int_equal(f.vals[f.ev[0].out + 2], 1);
	vec_file_free(&f);
}

/* Ten million bytes in one line, as a word, as a value and as bytes. */
static void test_vectors_parse__long_lines(void **state)
{
	static const char *const heads[] = {HEAD, HEAD "call 0 ",
					    HEAD "call 0 TDH.MEM.TRACK rcx=", HEAD "mem 0 ",
					    HEAD "call 0 TDH.MEM.TRACK = "};
	size_t len = 10000000, i;
	char *text = malloc(len);

	assert_non_null(text);
	for (i = 0; i < RT_ARRAY_SIZE(heads); i++) {
		size_t n = strlen(heads[i]);
		struct vec_error err = {0};
		struct vec_file f;
		bool ok;

		memset(text, 'a', len);
		memcpy(text, heads[i], n);
		ok = vec_parse(dict, "long", text, len, &f, &err);
		assert_int_equal(ok, i == 3); /* as bytes it is fine */
		if (ok) {
			assert_int_equal(f.ev[0].arg, (len - n) / 2);
			vec_file_free(&f);
		} else {
			assert_int_equal(err.line, 3);
			assert_true(strlen(err.text) < 300);
		}
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_parse__good),
		cmocka_unit_test(test_vectors_parse__bad),
		cmocka_unit_test(test_vectors_parse__prefixes),
		cmocka_unit_test(test_vectors_parse__values),
		cmocka_unit_test(test_vectors_parse__long_lines),
	};

	return cmocka_run_group_tests(tests, make_dict, free_dict);
}
