// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lanes: what is shown of a block, in which column, and how wide.
 */
#include "sim/lab/lanes.h"
#include "tests/lab/scene.h"

/* The lanes of a run; to be freed. */
static char *lanes_of(const char *text, const struct lab_opts *o, bool colour)
{
	struct lab_session *ses;
	struct scene s;
	struct lab_play p;
	enum lab_played told;
	char *out_text;
	size_t len;
	FILE *out = open_memstream(&out_text, &len);

	scene_init(&s, text);
	ses = scene_session(&s, o);
	lab_play_init(&p, ses);
	do {
		told = lab_play_next(&p);
	} while (told == LAB_PLAY_LINE || told == LAB_PLAY_FAILED);
	lab_lanes(ses, out, colour);
	fclose(out);
	lab_session_free(ses);
	scene_free(&s);
	return out_text;
}

static void has_all(const char *text, const char *const *want)
{
	for (u32 i = 0; want[i]; i++) {
		if (!strstr(text, want[i]))
			fail_msg("no \"%s\" in:\n%s", want[i], text);
	}
}

/* Every line fits, and every row has the bars of its columns; @bars: of one row. */
static void check_shape(const char *text, size_t width, u32 bars)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		u32 n = 0;

		assert_in_range(len, 0, width);
		for (size_t i = 0; i < len; i++)
			n += text[i] == '|' && (!i || text[i - 1] == ' ' || n == bars - 1);
		if (len > 9 && text[8] == '|')
			assert_true(n >= bars);
		text += len + (text[len] == '\n');
	}
}

static const char accept_convert[] = "td vcpus=2\n"
				     "host: prefault slot0 2M\n"
				     "parallel {\n"
				     "  vcpu0: accept slot0+8K 8K level=4K\n"
				     "  vcpu0: write slot0+8K 0x8\n"
				     "  vcpu1: accept slot0+2M 2M level=2M\n"
				     "  vcpu1: read slot0+2M\n"
				     "  host:  convert slot0+4K 4K shared\n"
				     "}\n";

static void test_lanes__three_columns(void **state)
{
	static const char *const want[] = {
		"| host ",
		"| vcpu0 ",
		"| vcpu1\n",
		"== convert slot0+4K 4K shared",
		"== ok",
		"TDH.MEM.RANGE.BLOCK 0x80000000 2M",
		"S-EPT 0x80000000 2M",
		"mirror 0x80000000 2M",
		"enters the guest, epoch",
		"an EPT",
		"kicks vCPUs: ",
		"waits for ",
		"goes on: ",
		"lock mmu_lock(W)",
		"gmem check-refs 0x1+1",
		"gmem attributes 0x1+1: 0x0",
		"folio split 0x0 order 9",
		"splits 0x80000000 2M",
		"handled fault 0x",
		"writes 0x80002000 by",
		"reads 0x80200000 by",
		NULL,
	};
	for (u64 seed = 1; seed < 6; seed++) {
		const struct lab_opts o = {.seed = seed, .random = true};
		char *text = lanes_of(accept_convert, &o, false);

		if (seed == 5)
			has_all(text, want);
		assert_non_null(strstr(text, "\n  *") ? strstr(text, "\n  *")
						      : strstr(text, "\n   *"));
		check_shape(text, 120, 3);
		free(text);
	}
}

/* In order nothing is marked, and the teardown behind the block is not shown. */
static void test_lanes__in_order(void **state)
{
	const struct lab_opts o = {0};
	char *text = lanes_of(accept_convert, &o, false);

	assert_null(strstr(text, " *"));
	assert_null(strstr(text, "TDH.MNG.VPFLUSHDONE"));
	free(text);
}

static void test_lanes__faults_and_errors(void **state)
{
	static const char text[] = "td vcpus=1\n"
				   "vcpu0: accept slot0 2M\n"
				   "inject busy leaf=TDH.MEM.PAGE.DEMOTE\n"
				   "inject ref-check nth=2\n"
				   "parallel {\n"
				   "  host: convert slot0+4K 4K shared\n"
				   "  host: convert slot0+8K 4K shared\n"
				   "  vcpu0: write slot0 1\n"
				   "}\n";
	static const char *const want[] = {"FAULT: busy",
					   "OPERAND_BUSY",
					   "FAULT: ref-check",
					   "== error EAGAIN",
					   "folio split 0x0 order 9: EAGAIN",
					   NULL};
	static const char *const colours[] = {"\033[33m", "\033[1m==", "\033[0m", NULL};
	const struct lab_opts o = {0};
	char *plain = lanes_of(text, &o, false), *colour = lanes_of(text, &o, true);

	has_all(plain, want);
	assert_null(strchr(plain, '\033'));
	has_all(colour, colours);
	check_shape(plain, 100, 2);
	free(plain);
	free(colour);
}

/* Like rows become one, and only the last ones of a long block are shown. */
static void test_lanes__long_blocks(void **state)
{
	static const char text[] = "td vcpus=2\n"
				   "vcpu0: accept slot0 2M level=4K\n"
				   "parallel {\n"
				   "  host: convert slot0 2M shared\n"
				   "  vcpu1: read slot0+2M\n"
				   "}\n";
	static const char *const want[] = {" rows ", " times more", NULL};
	const struct lab_opts in_order = {0}, random = {.random = true, .seed = 3};
	char *folded = lanes_of(text, &in_order, false), *cut = lanes_of(text, &random, false);

	has_all(folded, want);
	assert_non_null(strstr(cut, " earlier rows left out)"));
	free(folded);
	free(cut);
}

static void test_lanes__what_broke_stands_below(void **state)
{
	static const char *const rule[] = {
		"*** bounded-spin breaks: ", "takes a reference (lookup) of pfn", NULL};
	static const char *const stuck[] = {"*** no progress: ", "host ", NULL};
	struct rt_schedule sched;
	struct lab_opts o = {.schedule = &sched}, few = {.budget = 20};
	char *text;

	/* The conversion goes on where the handler has its reference, right at its beginning. */
	rt_schedule_init(&sched);
	for (u64 step = 1400; step < 1500 && !sched.nr; step++) {
		rt_schedule_add(&sched, step, 1);
		text = lanes_of(SCENE_MEMORY_FAILURE, &o, false);
		if (strstr(text, "***"))
			has_all(text, rule);
		else
			rt_schedule_free(&sched);
		free(text);
	}
	assert_int_equal(sched.nr, 1);
	rt_schedule_free(&sched);
	text = lanes_of(SCENE_MEMORY_FAILURE, &few, false);
	has_all(text, stuck);
	free(text);
}

/* Six actors: one column, in which each row says whose it is. */
static void test_lanes__many_actors(void **state)
{
	static const char text[] = "td vcpus=6\n"
				   "vcpu0: accept slot0 2M\n"
				   "parallel {\n"
				   "  vcpu0: read slot0\n  vcpu1: read slot0\n  vcpu2: read slot0\n"
				   "  vcpu3: read slot0\n  vcpu4: read slot0\n  vcpu5: read slot0\n"
				   "}\n";
	static const char *const want[] = {"| vcpu0: == read slot0",
					   "| vcpu5: reads 0x80000000 by a walk", NULL};
	const struct lab_opts o = {0};
	char *out = lanes_of(text, &o, false);

	has_all(out, want);
	check_shape(out, 100, 1);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lanes__three_columns),
		cmocka_unit_test(test_lanes__in_order),
		cmocka_unit_test(test_lanes__faults_and_errors),
		cmocka_unit_test(test_lanes__long_blocks),
		cmocka_unit_test(test_lanes__what_broke_stands_below),
		cmocka_unit_test(test_lanes__many_actors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
