// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace: buffer, cutting by images, and the three writers, byte for byte.
 * That two equal runs give equal traces is in test_schedule.c.
 */
#include "tests/rt/harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rt/fault.h"
#include "sim/rt/rcu.h"
#include "sim/rt/trace.h"

static const char *sym(u64 val, char *buf, size_t len)
{
	if (val == 1)
		return "one";
	if (val == 2) {
		snprintf(buf, len, "t\"w\\o\n");
		return buf;
	}
	return NULL;
}

static const struct rt_event_type ev_call = {
	"call",
	"tdx",
	{{"leaf", RT_ARG_SYM, sym}, {"rcx", RT_ARG_HEX}, {"n", RT_ARG_DEC}, {"why", RT_ARG_STR}}};
static const struct rt_event_type ev_inner = {"inner", "tdx", {{"x", RT_ARG_DEC}}};
static const struct rt_event_type ev_tick = {"tick", "rt", {{"x", RT_ARG_DEC}}};

static struct rt_trace *attach(size_t cap)
{
	struct rt_trace *t = rt_trace_new(cap);

	rt_trace_attach(rt_world_current(), t);
	return t;
}

static const char *name_of(u32 id)
{
	return id == 0 ? "vcpu0" : NULL;
}

typedef int writer_fn(const struct rt_trace *t, FILE *out, const char *(*actor_name)(u32 id));

static char *text_of(const struct rt_trace *t, writer_fn *fn)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(fn(t, out, name_of), 0);
	fclose(out);
	return text;
}

static void expect_text(const struct rt_trace *t, writer_fn *fn, const char *want)
{
	char *text = text_of(t, fn);

	assert_string_equal(text, want);
	free(text);
}

static void test_trace__off_costs_nothing_and_keeps_nothing(void **state)
{
	const u64 args[] = {1};
	struct rt_trace *t;

	assert_false(rt_trace_on());
	rt_trace(&ev_tick, RT_PH_INSTANT, 1);
	rt_trace_emit(&ev_tick, RT_PH_INSTANT, 1, args);
	t = attach(0);
	assert_true(rt_trace_on());
	assert_int_equal(rt_trace_len(t), 0);
	rt_trace_attach(*state, NULL);
	assert_false(rt_trace_on());
	rt_trace_free(t);
	rt_trace_free(NULL);
}

static void tick(u64 from, u64 nr)
{
	for (u64 i = from; i < from + nr; i++)
		rt_trace(&ev_tick, RT_PH_INSTANT, i);
}

static void test_trace__ring_keeps_the_newest(void **state)
{
	struct rt_trace *ring = attach(10);

	tick(0, 25);
	assert_int_equal(rt_trace_len(ring), 10);
	assert_int_equal(rt_trace_seq(ring), 25);
	for (u64 i = 0; i < 10; i++)
		assert_int_equal(rt_trace_get(ring, i)->arg[0], 15 + i);
	rt_trace_free(ring);
}

static void test_trace__unbounded_keeps_all(void **state)
{
	struct rt_trace *t = attach(0);

	tick(0, 5000);
	assert_int_equal(rt_trace_len(t), 5000);
	assert_int_equal(rt_trace_get(t, 0)->arg[0], 0);
	assert_int_equal(rt_trace_get(t, 4999)->arg[0], 4999);
	rt_trace_free(t);
}

static void test_trace__restore_cuts_back(void **state)
{
	struct rt_world *w = *state;
	struct rt_trace *all = attach(0), *ring;
	struct rt_image *img;

	tick(0, 5);
	img = rt_world_save(w);
	tick(5, 5);
	rt_world_restore(w, img);
	assert_int_equal(rt_trace_len(all), 5);
	assert_int_equal(rt_trace_seq(all), 5);
	tick(100, 1);
	assert_int_equal(rt_trace_get(all, 5)->arg[0], 100);

	/* Another trace than at the save is none of the image's business. */
	ring = attach(4);
	tick(0, 2);
	rt_world_restore(w, img);
	assert_int_equal(rt_trace_len(ring), 2);
	rt_image_free(img);

	/* In a ring the old ones may be gone: then less is left. */
	img = rt_world_save(w);
	tick(2, 3);
	rt_world_restore(w, img);
	assert_int_equal(rt_trace_seq(ring), 2);
	assert_int_equal(rt_trace_len(ring), 1);
	assert_int_equal(rt_trace_get(ring, 0)->arg[0], 1);
	tick(7, 4);
	assert_int_equal(rt_trace_get(ring, 0)->arg[0], 7);
	tick(20, 10);
	rt_world_restore(w, img);
	assert_int_equal(rt_trace_len(ring), 0);
	tick(30, 1);
	assert_int_equal(rt_trace_get(ring, 0)->arg[0], 30);
	rt_image_free(img);

	/* A reset takes it back to where it was attached. */
	rt_world_reset(w);
	assert_int_equal(rt_trace_seq(ring), 0);
	rt_trace_free(ring);
	rt_trace_free(all);
}

static void caller(void *arg)
{
	rt_trace(&ev_call, RT_PH_BEGIN, 1, 0x80000000, 5, (uintptr_t) "because");
	rt_cycles(4000);
	rt_point(RT_PT_CALL, 0);
	rt_trace(&ev_inner, RT_PH_INSTANT, 3);
	rt_trace(&ev_call, RT_PH_END, 2, 0);
}

/* The events of one actor that makes one call, without the runtime's own. */
static struct rt_trace *sample(void)
{
	struct rt_trace *t = attach(0);

	tick(1, 1);
	rt_actor_new("vcpu0", caller, NULL);
	rt_run();
	return t;
}

static void test_trace__text(void **state)
{
	struct rt_trace *t = sample();

	expect_text(
		t, rt_trace_write_text,
		"     0          0 -          rt:tick . x=1\n"
		"     1          0 vcpu0      rt:switch . from=-\n"
		"     1          0 vcpu0      rt:actor > id=0\n"
		"     1          0 vcpu0      tdx:call > leaf=one rcx=0x80000000 n=5 why=because\n"
		"     2       4000 vcpu0      tdx:inner . x=3\n"
		"     2       4000 vcpu0      tdx:call < leaf=t\"w\\o\n rcx=0x0\n"
		"     2       4000 vcpu0      rt:actor < id=0\n");
	rt_trace_free(t);
}

static void test_trace__text_of_one_event(void **state)
{
	struct rt_trace *t = attach(0);
	char buf[200], small[10];
	const struct rt_event *ev;
	int len;

	rt_trace(&ev_call, RT_PH_INSTANT, 77, 1, 2, 0);
	ev = rt_trace_get(t, 0);
	len = rt_event_text(ev, buf, sizeof(buf), NULL);
	assert_string_equal(buf,
			    "     0          0 -          tdx:call . leaf=0x4d rcx=0x1 n=2 why=-");
	assert_int_equal(len, strlen(buf));
	assert_int_equal(rt_event_text(ev, small, sizeof(small), NULL), len);
	assert_string_equal(small, "     0   ");
	rt_trace_free(t);
}

static void test_trace__json(void **state)
{
	struct rt_trace *t = sample();

	expect_text(
		t, rt_trace_write_json,
		"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
		"{\"name\":\"tick\",\"cat\":\"rt\",\"ph\":\"B\",\"ts\":0,\"pid\":1,\"tid\":0,"
		"\"args\":{\"actor\":\"-\",\"x\":\"1\"}},\n"
		"{\"name\":\"tick\",\"cat\":\"rt\",\"ph\":\"E\",\"ts\":0,\"pid\":1,\"tid\":0},\n"
		"{\"name\":\"switch\",\"cat\":\"rt\",\"ph\":\"B\",\"ts\":1,\"pid\":1,\"tid\":1,"
		"\"args\":{\"actor\":\"vcpu0\",\"from\":\"-\"}},\n"
		"{\"name\":\"switch\",\"cat\":\"rt\",\"ph\":\"E\",\"ts\":1,\"pid\":1,\"tid\":1},\n"
		"{\"name\":\"actor\",\"cat\":\"rt\",\"ph\":\"B\",\"ts\":1,\"pid\":1,\"tid\":1,"
		"\"args\":{\"actor\":\"vcpu0\",\"id\":\"0\"}},\n"
		"{\"name\":\"call\",\"cat\":\"tdx\",\"ph\":\"B\",\"ts\":1,\"pid\":1,\"tid\":1,"
		"\"args\":{\"actor\":\"vcpu0\",\"leaf\":\"one\",\"rcx\":\"0x80000000\",\"n\":\"5\","
		"\"why\":\"because\"}},\n"
		"{\"name\":\"inner\",\"cat\":\"tdx\",\"ph\":\"B\",\"ts\":2,\"pid\":1,\"tid\":1,"
		"\"args\":{\"actor\":\"vcpu0\",\"x\":\"3\"}},\n"
		"{\"name\":\"inner\",\"cat\":\"tdx\",\"ph\":\"E\",\"ts\":2,\"pid\":1,\"tid\":1},\n"
		"{\"name\":\"call\",\"cat\":\"tdx\",\"ph\":\"E\",\"ts\":2,\"pid\":1,\"tid\":1,"
		"\"args\":{\"actor\":\"vcpu0\",\"leaf\":\"t\\\"w\\\\o\\u000a\",\"rcx\":\"0x0\"}},\n"
		"{\"name\":\"actor\",\"cat\":\"rt\",\"ph\":\"E\",\"ts\":2,\"pid\":1,\"tid\":1,"
		"\"args\":{\"actor\":\"vcpu0\",\"id\":\"0\"}}\n"
		"]}\n");
	rt_trace_free(t);
}

static void test_trace__ftrace(void **state)
{
	struct rt_trace *t = sample();
	char *text = text_of(t, rt_trace_write_ftrace);

	assert_non_null(strstr(text, "# tracer: nop\n"));
	assert_non_null(strstr(text, "# entries-in-buffer/entries-written: 7/7   #P:1\n"));
	assert_non_null(
		strstr(text, "           vcpu0-1       [000] .....     0.000002: inner: x=3\n"));
	assert_non_null(strstr(text, "call_enter: leaf=one rcx=0x80000000 n=5 why=because\n"));
	assert_non_null(strstr(text, "call_exit: leaf="));
	assert_non_null(
		strstr(text, "          <none>-0       [000] .....     0.000000: tick: x=1\n"));
	free(text);
	rt_trace_free(t);
}

/* How often @what is in @text. */
static u32 times(const char *text, const char *what)
{
	u32 n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void expect_balanced(const struct rt_trace *t, u32 spans)
{
	char *text = text_of(t, rt_trace_write_json);

	assert_int_equal(times(text, "\"ph\":\"B\""), spans);
	assert_int_equal(times(text, "\"ph\":\"E\""), spans);
	free(text);
}

static void test_trace__json_is_balanced_whatever_was_cut(void **state)
{
	struct rt_trace *t = attach(0);

	expect_balanced(t, 0);
	/* Open at the end. */
	rt_trace(&ev_call, RT_PH_BEGIN, 1);
	rt_trace(&ev_inner, RT_PH_BEGIN, 1);
	expect_balanced(t, 2);
	/* The outer ends before the inner: both end there. */
	rt_trace(&ev_call, RT_PH_END, 1);
	expect_balanced(t, 2);
	/* An end that nobody began. */
	rt_trace(&ev_inner, RT_PH_END, 1);
	rt_trace(&ev_call, RT_PH_END, 1);
	expect_balanced(t, 2);
	rt_trace_free(t);

	/* In a ring the begins go first. */
	t = attach(3);
	rt_trace(&ev_call, RT_PH_BEGIN, 1);
	for (u32 i = 0; i < 40; i++) {
		rt_trace(&ev_inner, RT_PH_BEGIN, i);
		rt_trace(&ev_inner, RT_PH_END, i);
	}
	expect_balanced(t, 1);
	rt_trace(&ev_call, RT_PH_END, 1);
	expect_balanced(t, 1);
	rt_trace_free(t);
}

static void nested_spans(void *arg)
{
	for (u32 i = 0; i < 40; i++)
		rt_trace(&ev_inner, RT_PH_BEGIN, i);
	rt_point(RT_PT_CALL, 0);
	for (u32 i = 0; i < 40; i++)
		rt_trace(&ev_inner, RT_PH_END, i);
}

static u32 pick_other(void *ctx, const struct rt_choice *c)
{
	return c->cur == RT_NOBODY ? 0 : (c->cur + 1) % c->nr;
}

static const struct rt_chooser take_turns = {.name = "turns", .pick = pick_other};

static void test_trace__json_spans_of_actors_do_not_mix(void **state)
{
	struct rt_trace *t = attach(0);
	char *text;

	rt_actor_new("a", nested_spans, NULL);
	rt_actor_new("b", nested_spans, NULL);
	rt_set_chooser(*state, &take_turns);
	rt_run();
	text = text_of(t, rt_trace_write_json);
	assert_int_equal(times(text, "\"name\":\"inner\",\"cat\":\"tdx\",\"ph\":\"B\""), 80);
	assert_int_equal(times(text, "\"name\":\"inner\",\"cat\":\"tdx\",\"ph\":\"E\""), 80);
	assert_int_equal(times(text, "\"ph\":\"B\""), times(text, "\"ph\":\"E\""));
	free(text);
	rt_trace_free(t);
}

static void test_trace__writers_report_the_stream(void **state)
{
	static writer_fn *const writers[] = {rt_trace_write_text, rt_trace_write_json,
					     rt_trace_write_ftrace};
	struct rt_trace *t = attach(0);

	tick(0, 3);
	for (u32 i = 0; i < RT_ARRAY_SIZE(writers); i++) {
		FILE *full = fopen("/dev/full", "w");

		if (!full)
			skip();
		setvbuf(full, NULL, _IONBF, 0);
		assert_int_equal(writers[i](t, full, NULL), -ENOSPC);
		fclose(full);
	}
	rt_trace_free(t);
}

static void waits(void *arg)
{
	rt_lock_take(arg, RT_LOCK_EX);
	rt_lock_release(arg, RT_LOCK_EX);
}

static void on_report(void *ctx, const char *rule, const char *text)
{
}

static void drop(struct rt_rcu_head *head)
{
}

static const char *actor_name_by_id(u32 id)
{
	return rt_actor_name(rt_actor_by_id(id));
}

/* Each event of the runtime's own table, once. */
static void test_trace__events_of_the_runtime(void **state)
{
	static const char *const want[] = {
		"rt:lock . name=slots mode=write id=0",
		"a          rt:wait > for=slots idle=0",
		"rt:unlock . name=slots mode=write id=0",
		"a          rt:wait < for=slots idle=0",
		"rt:fault . site=busy key=0x5 value=0x7",
		"rt:rcu > done=0",
		"rt:rcu < done=1",
		"rt:report . rule=warn",
		"rt:switch . from=a",
		"rt:lock . name=tree mode=read id=1",
	};
	const struct rt_fault f = {
		.site = "busy", .key = 5, .actor = RT_NOBODY, .nth = 1, .value = 7};
	struct rt_lock *l = rt_zalloc(2 * sizeof(*l));
	struct rt_rcu_head *head = rt_zalloc(sizeof(*head));
	struct rt_trace *t = attach(0);
	size_t len;
	char *text;
	FILE *out;

	rt_lock_init(&l[0], RT_LOCK_MUTEX, "slots");
	rt_lock_init(&l[1], RT_LOCK_RW, "tree");
	rt_lock_take(&l[0], RT_LOCK_EX);
	rt_actor_new("vcpu0", waits, &l[0]);
	rt_actor_new("a", waits, &l[0]);
	rt_run();
	rt_lock_release(&l[0], RT_LOCK_EX);
	rt_run();
	rt_actor_new("b", waits, &l[0]);
	rt_run();
	rt_lock_take(&l[1], RT_LOCK_SH);
	rt_lock_release(&l[1], RT_LOCK_SH);
	rt_fault_arm(&f);
	rt_fault_fire("busy", 5, NULL);
	rt_call_rcu(head, drop);
	rt_rcu_barrier();
	rt_set_report_hook(*state, on_report, NULL);
	rt_report("warn", "x");

	out = open_memstream(&text, &len);
	assert_int_equal(rt_trace_write_text(t, out, actor_name_by_id), 0);
	fclose(out);
	for (u32 i = 0; i < RT_ARRAY_SIZE(want); i++) {
		if (!strstr(text, want[i]))
			fail_msg("'%s' is not in the trace:\n%s", want[i], text);
	}
	free(text);
	rt_trace_free(t);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_trace__off_costs_nothing_and_keeps_nothing),
		CASE(test_trace__ring_keeps_the_newest),
		CASE(test_trace__unbounded_keeps_all),
		CASE(test_trace__restore_cuts_back),
		CASE(test_trace__text),
		CASE(test_trace__text_of_one_event),
		CASE(test_trace__json),
		CASE(test_trace__ftrace),
		CASE(test_trace__json_is_balanced_whatever_was_cut),
		CASE(test_trace__json_spans_of_actors_do_not_mix),
		CASE(test_trace__writers_report_the_stream),
		CASE(test_trace__events_of_the_runtime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
