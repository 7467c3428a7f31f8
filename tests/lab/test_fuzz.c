// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runner, fuzzer and shrinker: a run is the same however often and wherever it is done, leaves
 * nothing behind, and is the same as that of "tdxsim run"; threads and interruptions change no
 * result; what is shrunk still fails in the same way.
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

#include "sim/lab/bytes.h"
#include "sim/lab/diff.h"
#include "sim/lab/fuzz.h"
#include "sim/lab/mutate.h"
#include "sim/lab/shrink.h"
#include "sim/lab/util.h"
#include "sim/rt/world.h"

/* jemalloc's; a sanitizer brings another allocator. */
extern int mallctl(const char *name, void *old, size_t *old_len, void *new, size_t len)
	__attribute__((weak));

#define PROGRAMS 40

struct program {
	struct lab_scenario sc;
	struct lab_setup su;
};

static void make(struct program *p, u64 seed)
{
	struct lab_choices src;
	u8 bytes[LAB_INPUT_MAX];
	size_t len;

	lab_choices_random(&src, seed);
	len = lab_generate(&src, bytes, 16 * LAB_RECORD_BYTES);
	lab_scenario_init(&p->sc);
	lab_bytes_decode(bytes, len, &p->sc, &p->su);
}

static const struct lab_runner_opts quick = {.budget = LAB_FUZZ_BUDGET};

static void assert_same(const struct lab_fate *a, const struct lab_fate *b)
{
	assert_int_equal(a->verdict, b->verdict);
	assert_string_equal(a->rule, b->rule);
	assert_string_equal(a->text, b->text);
	assert_int_equal(a->step, b->step);
	assert_int_equal(a->steps, b->steps);
	assert_int_equal(a->op, b->op);
}

/* On a runner that has run others, and again, and on a fresh one. */
static void a_run_is_a_function_of_its_scenario(void **state)
{
	struct lab_runner *used = lab_runner_new(&quick);
	struct program *p = lab_zalloc(PROGRAMS * sizeof(*p));
	struct lab_fate first[PROGRAMS], fate;

	for (u32 i = 0; i < PROGRAMS; i++) {
		make(&p[i], i);
		assert_true(lab_runner_run(used, &p[i].sc, &p[i].su, NULL, &first[i]));
	}
	for (u32 i = PROGRAMS; i--;) {
		struct lab_runner *fresh = lab_runner_new(&quick);

		assert_true(lab_runner_run(used, &p[i].sc, &p[i].su, NULL, &fate));
		assert_same(&first[i], &fate);
		assert_true(lab_runner_run(fresh, &p[i].sc, &p[i].su, NULL, &fate));
		assert_same(&first[i], &fate);
		lab_runner_free(fresh);
		lab_scenario_free(&p[i].sc);
	}
	lab_runner_free(used);
	free(p);
}

/* The recorded choices are the run: in order but for them, it comes to the same end. */
static void recorded_choices_are_the_run(void **state)
{
	struct lab_runner *r = lab_runner_new(&quick);
	struct program *p = lab_zalloc(sizeof(*p));

	for (u32 i = 0; i < PROGRAMS; i++) {
		struct lab_fate seeded, replayed;
		struct rt_schedule choices;

		make(p, 1000 + i);
		rt_schedule_init(&choices);
		lab_parse_set(&p->sc, "chooser.seed=5", &(struct lab_diag){NULL, 0});
		assert_true(lab_runner_run(r, &p->sc, &p->su, NULL, &seeded));
		for (size_t n = 0; n < lab_runner_recorded(r)->nr; n++)
			rt_schedule_add(&choices, lab_runner_recorded(r)->entries[n].step,
					lab_runner_recorded(r)->entries[n].actor);
		assert_true(lab_runner_run(r, &p->sc, &p->su, &choices, &replayed));
		assert_same(&seeded, &replayed);
		rt_schedule_free(&choices);
		lab_scenario_free(&p->sc);
	}
	lab_runner_free(r);
	free(p);
}

/* Bytes that this thread has and has not given back. */
static u64 held_bytes(void)
{
	u64 got = 0, given = 0;
	size_t len = sizeof(got);

	mallctl("thread.allocated", &got, &len, NULL, 0);
	mallctl("thread.deallocated", &given, &len, NULL, 0);
	return got - given;
}

/* The second round over the same programs leaves as much behind as the first did: nothing more. */
static void no_allocation_survives_a_run(void **state)
{
	struct lab_runner_opts opts = {.budget = LAB_FUZZ_BUDGET, .keep = 64};
	u64 live[PROGRAMS], before = 0, after = 0;
	struct lab_runner *r;
	struct lab_fate fate;

	if (!mallctl)
		skip();
	r = lab_runner_new(&opts);
	for (u32 round = 0; round < 3; round++) {
		for (u32 i = 0; i < PROGRAMS; i++) {
			struct program *p = lab_zalloc(sizeof(*p));
			struct rt_mem_stats st;

			make(p, i);
			assert_true(lab_runner_run(r, &p->sc, &p->su, NULL, &fate));
			st = rt_mem_stats(lab_runner_session(r)->world);
			if (round)
				assert_int_equal(live[i], st.live_bytes + st.own_bytes);
			live[i] = st.live_bytes + st.own_bytes;
			lab_scenario_free(&p->sc);
			free(p);
		}
		before = after;
		after = held_bytes();
	}
	assert_true(after > 0);
	assert_int_equal(before, after);
	lab_runner_free(r);
}

/* ---- the fuzzer ---- */

struct report {
	char *text;
	size_t len;
	struct lab_fuzz_sum sum;
};

static void fuzz(struct report *r, struct lab_fuzz_opts opts)
{
	opts.out = open_memstream(&r->text, &r->len);
	opts.err = stderr;
	assert_non_null(opts.out);
	assert_int_equal(lab_fuzz(&opts, &r->sum), 0);
	fclose(opts.out);
}

static void assert_same_report(const struct report *a, const struct report *b)
{
	assert_string_equal(a->text, b->text);
	assert_int_equal(a->sum.runs, b->sum.runs);
	assert_int_equal(a->sum.inputs, b->sum.inputs);
	assert_int_equal(a->sum.bits, b->sum.bits);
	assert_int_equal(a->sum.findings, b->sum.findings);
}

/* A small budget makes some runs long, and no more; what is found is compared as text. */
static void threads_change_no_result(void **state)
{
	struct report one, three, other;
	struct lab_fuzz_opts opts = {.runs = 400, .seed = 3, .budget = 60000};

	fuzz(&one, opts);
	opts.jobs = 3;
	fuzz(&three, opts);
	assert_same_report(&one, &three);
	assert_true(one.sum.inputs > 10);
	opts.seed = 4;
	fuzz(&other, opts);
	assert_int_not_equal(other.sum.bits, one.sum.bits);
	free(one.text);
	free(three.text);
	free(other.text);
}

static void remove_dir(const char *dir)
{
	char cmd[600];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	assert_int_equal(system(cmd), 0);
}

/* Interrupted and gone on with: the same corpus as in one go. */
static void an_interrupted_call_goes_on(void **state)
{
	char a[] = "fuzz-a-XXXXXX", b[] = "fuzz-b-XXXXXX", cmd[200];
	struct report whole, part, rest;
	struct lab_fuzz_opts opts = {.runs = 384, .seed = 9, .budget = 60000};

	assert_non_null(mkdtemp(a));
	assert_non_null(mkdtemp(b));
	opts.corpus = a;
	fuzz(&whole, opts);
	opts.corpus = b;
	opts.runs = 128;
	fuzz(&part, opts);
	opts.runs = 384;
	fuzz(&rest, opts);
	assert_int_equal(rest.sum.inputs, whole.sum.inputs);
	assert_int_equal(rest.sum.bits, whole.sum.bits);
	snprintf(cmd, sizeof(cmd), "diff -r '%s' '%s'", a, b);
	assert_int_equal(system(cmd), 0);
	remove_dir(a);
	remove_dir(b);
	free(whole.text);
	free(part.text);
	free(rest.text);
}

static void every_short_program_is_run_once(void **state)
{
	struct report one;
	struct lab_fuzz_opts opts = {.exhaustive = 1, .seed = 1};

	fuzz(&one, opts);
	assert_in_range(one.sum.runs, 20, 80);
	assert_int_equal(one.sum.findings, 0);
	free(one.text);
}

/* ---- the shrinker ---- */

static void parse(struct lab_scenario *sc, const char *text)
{
	struct lab_source src = {"test", text, strlen(text)};
	struct lab_diag d = {stderr, 0};

	lab_scenario_init(sc);
	assert_int_equal(lab_parse(sc, &src, &d), 0);
}

/* A hundred lines, of which one matters, and an expectation that does not hold behind them. */
static void make_long(struct lab_scenario *sc)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	fputs("gmem g0 size=6M backing=hugetlb-2m merge_view=REST_PRIVATE\n", f);
	for (u32 i = 0; i < 98; i++) {
		if (i == 40)
			fputs("host: convert slot0+4K 8K shared\n", f);
		else if (i % 3)
			fprintf(f, "vcpu%u: accept slot0+%uK 4K\n", i % 2, 2048 + 4 * i);
		else
			fprintf(f, "host: prefault slot0+2M %uK\n", 4 * (i + 1));
	}
	fputs("expect attr slot0+4K private\n", f);
	fclose(f);
	parse(sc, text);
	free(text);
}

static void a_long_failure_becomes_short(void **state)
{
	struct lab_runner *r = lab_runner_new(&quick);
	struct lab_shrunk s;
	struct lab_scenario sc;
	char line[200];

	make_long(&sc);
	assert_true(lab_shrink(r, &sc, NULL, 0, &s));
	assert_true(lab_same_fate(&s.first, &s.last));
	assert_int_equal(s.actions_first, 98);
	assert_int_equal(s.actions_last, 1);
	assert_int_equal(s.sc.nr_ops, 2); /* no set-up is needed either */
	lab_print_op(&s.sc, &s.sc.ops[0], line, sizeof(line));
	assert_string_equal(line, "host: convert slot0+4K 4K shared");
	lab_scenario_free(&s.sc);
	lab_scenario_free(&sc);
	lab_runner_free(r);
}

static void what_holds_is_not_shrunk(void **state)
{
	struct lab_runner *r = lab_runner_new(&quick);
	struct lab_shrunk s;
	struct lab_scenario sc;

	parse(&sc, "vcpu0: accept slot0 4K\n");
	assert_false(lab_shrink(r, &sc, NULL, 0, &s));
	assert_int_equal(s.first.verdict, LAB_HELD);
	lab_scenario_free(&s.sc);
	lab_scenario_free(&sc);
	lab_runner_free(r);
}

/* A failure that needs its schedule keeps the choices that it needs, and no others. */
static void a_race_keeps_its_choices(void **state)
{
	struct lab_runner *r = lab_runner_new(&quick);
	u32 choices = 0, tried = 0;
	struct lab_scenario sc;
	struct lab_shrunk s;

	parse(&sc, "chooser random seed=2\n"
		   "vcpu0: accept slot0 2M\n"
		   "vcpu1: write slot0+8K 1\n"
		   "parallel {\n"
		   "  host:  convert slot0 4K shared\n"
		   "  vcpu0: write slot0+4K 0x11\n"
		   "  host:  prefault slot0+2M 4K\n"
		   "  vcpu1: write slot0+4K 0x22\n"
		   "}\n"
		   "expect data slot0+4K 0x22\n");
	/* A seed under which vCPU 0 writes last. */
	while (!lab_shrink(r, &sc, NULL, 0, &s) && ++tried < 50) {
		lab_scenario_free(&s.sc);
		sc.ops[0].v[1].num++;
	}
	assert_true(lab_same_fate(&s.first, &s.last));
	for (u32 i = 0; i < s.sc.nr_ops; i++)
		choices += s.sc.ops[i].kind == LAB_OP_SCHEDULE;
	assert_in_range(choices, 0, 3);
	assert_true(s.actions_last <= 2);
	lab_scenario_free(&s.sc);
	lab_scenario_free(&sc);
	lab_runner_free(r);
}

/* A schedule of many choices for a race comes out with the few that it takes. */
static void a_race_keeps_few_preemptions(void **state)
{
	struct lab_runner *r = lab_runner_new(&quick);
	u32 choices = 0;
	struct lab_scenario sc;
	struct lab_shrunk s;

	parse(&sc, "chooser random seed=92\n"
		   "td vcpus=1\n"
		   "vcpu0: accept slot0+2M 4K\n"
		   "parallel {\n"
		   "  host:  slot-delete 0\n"
		   "  host:  slot-add 0\n"
		   "  vcpu0: read slot0\n"
		   "}\n");
	assert_true(lab_shrink(r, &sc, NULL, 1500, &s));
	assert_string_equal(s.last.rule, "exit-progress");
	assert_true(lab_same_fate(&s.first, &s.last));
	for (u32 i = 0; i < s.sc.nr_ops; i++)
		choices += s.sc.ops[i].kind == LAB_OP_SCHEDULE;
	assert_in_range(choices, 1, 100); /* of some 500 */
	lab_scenario_free(&s.sc);
	lab_scenario_free(&sc);
	lab_runner_free(r);
}

static struct lab_fate fate_of(const char *text, u64 budget)
{
	const struct lab_runner_opts opts = {.budget = budget};
	struct lab_runner *r = lab_runner_new(&opts);
	struct lab_setup *su = lab_zalloc(sizeof(*su));
	struct lab_diag d = {stderr, 0};
	struct lab_scenario sc;
	struct lab_fate fate;

	parse(&sc, text);
	assert_int_equal(lab_setup_resolve(&sc, su, &d), 0);
	assert_true(lab_runner_run(r, &sc, su, NULL, &fate));
	lab_scenario_free(&sc);
	lab_runner_free(r);
	free(su);
	return fate;
}

/* What is only long, and what a fault or a SEAMCALL past KVM makes endless, is not judged. */
static void long_is_not_endless(void **state)
{
	struct lab_fate f = fate_of("vcpu0: accept slot0 2M\nhost: convert slot0 4K shared\n", 100);

	assert_int_equal(f.verdict, LAB_NO_PROGRESS);
	assert_true(f.spent);
	f = fate_of("inject busy leaf=TDH.MEM.PAGE.AUG count=1000000000\nvcpu0: read slot0\n",
		    20000);
	assert_true(f.spent);
	f = fate_of("region 0x0 16K\n"
		    "parallel {\n"
		    "  host:  seamcall TDH.MEM.RANGE.BLOCK rcx=1\n"
		    "  vcpu0: read 0x0\n"
		    "}\n",
		    20000);
	assert_true(f.spent);
}

/* ---- two designs ---- */

static struct lab_fate diff(const char *a, const char *b, const char *text)
{
	struct lab_runner_opts opts = {.budget = LAB_FUZZ_BUDGET};
	struct lab_diff *d = lab_diff_new(a, b, stderr);
	struct lab_setup *su = lab_zalloc(sizeof(*su));
	struct lab_scenario sc;
	struct lab_runner *r;
	struct lab_fate fate;

	assert_non_null(d);
	opts.diff = d;
	r = lab_runner_new(&opts);
	parse(&sc, text);
	assert_int_equal(lab_setup_resolve(&sc, su, &(struct lab_diag){stderr, 0}), 0);
	assert_true(lab_runner_run(r, &sc, su, NULL, &fate));
	lab_runner_free(r);
	lab_diff_free(d);
	lab_scenario_free(&sc);
	free(su);
	return fate;
}

/* No policy has a difference that nothing explains. A slot at another address has. */
static void a_difference_is_told(void **state)
{
	const char *text = "vcpu0: accept slot0 4K\n";
	struct lab_fate f = diff("slot.gpa=0x80000000", "slot.gpa=0x90000000", text);

	assert_int_equal(f.verdict, LAB_VIOLATED);
	assert_string_equal(f.rule, "guest-sees-same");
	assert_non_null(strstr(f.text, "0x80000000 is there under slot.gpa=0x80000000"));
	assert_int_equal(diff("slot.gpa=0x90000000", "slot.gpa=0x90000000", text).verdict,
			 LAB_HELD);
}

/* PLAN7 zaps the whole leaf: pages are gone that the other design keeps, and that is its design. */
static void what_a_rule_explains_is_no_difference(void **state)
{
	const char *text = "vcpu0: accept slot0 2M\n"
			   "vcpu0: write slot0+8K 1\n"
			   "host: convert slot0 4K shared\n"
			   "host: write slot0 2\n";

	assert_int_equal(diff("conv_order=ARCH_PREZAP", "conv_order=PLAN7", text).verdict,
			 LAB_HELD);
	assert_int_equal(diff("v5", "v3", text).verdict, LAB_HELD);
	assert_int_equal(diff("module.profile=1.5.28", "module.profile=1.5.25", text).verdict,
			 LAB_HELD);
}

static void a_wrong_policy_is_refused(void **state)
{
	FILE *null = fopen("/dev/null", "w");

	assert_non_null(null);
	assert_null(lab_diff_new("v5", "conv_order=NO_SUCH", null));
	fclose(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_a_function_of_its_scenario),
		cmocka_unit_test(recorded_choices_are_the_run),
		cmocka_unit_test(no_allocation_survives_a_run),
		cmocka_unit_test(threads_change_no_result),
		cmocka_unit_test(an_interrupted_call_goes_on),
		cmocka_unit_test(every_short_program_is_run_once),
		cmocka_unit_test(a_long_failure_becomes_short),
		cmocka_unit_test(what_holds_is_not_shrunk),
		cmocka_unit_test(a_race_keeps_its_choices),
		cmocka_unit_test(a_race_keeps_few_preemptions),
		cmocka_unit_test(long_is_not_endless),
		cmocka_unit_test(a_difference_is_told),
		cmocka_unit_test(what_a_rule_explains_is_no_difference),
		cmocka_unit_test(a_wrong_policy_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
