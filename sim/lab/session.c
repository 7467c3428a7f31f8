// SPDX-License-Identifier: GPL-2.0-only
/*
 * A world with a machine in it, blocks of actions, and what breaks on the way.
 */
#include "sim/lab/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/lab/excuse.h"
#include "sim/lab/inject.h"
#include "sim/lab/oracle.h"
#include "sim/lab/oracle_watch.h"
#include "sim/lab/pct.h"
#include "sim/lab/util.h"
#include "sim/rt/lock.h"
#include "sim/rt/mix.h"
#include "sim/rt/schedule.h"
#include "sim/rt/world.h"

/* Far from where the host puts anything by itself. */
#define FIXED_PLACE (1ULL << 44)

static u32 reporting_op(struct lab_machine *m)
{
	const struct lab_actor *a = lab_actor_current(m);

	return a ? a->doing : LAB_NO_OP;
}

static void note_broken(struct lab_session *s, const char *rule, const char *text, bool excused)
{
	struct lab_broken *b;

	if (s->nr_broken == LAB_BROKEN_MAX)
		return;
	b = &s->broken[s->nr_broken++];
	snprintf(b->rule, sizeof(b->rule), "%s", rule);
	snprintf(b->text, sizeof(b->text), "%s", text);
	b->step = rt_step();
	b->op = s->m ? reporting_op(s->m) : LAB_NO_OP;
	b->excused = excused;
}

/* What the kernel's own code says of a failure; an injected fault may have left it no choice. */
static bool is_own_report(const char *rule)
{
	return !strcmp(rule, "warn") || !strcmp(rule, "kvm-bug") || !strcmp(rule, "tdx-bug");
}

/*
 * Under zap_error=BUG_VM guest_memfd hears nothing of a page that could not be taken back whole, and
 * frees it with the VM's last word: that is the design, and told. The others keep it.
 */
static bool is_design(const struct lab_machine *m, const char *rule)
{
	if (strcmp(rule, "cache-written-back"))
		return false;
	for (u32 i = 0; i < m->su->nr_gmems; i++) {
		if (strcmp(lab_gmem_policy(&m->su->gmem[i], "zap_error"), "BUG_VM"))
			return false;
	}
	return true;
}

static void on_report(void *ctx, const char *rule, const char *text)
{
	struct lab_session *s = ctx;
	bool forced = s->m && lab_excused(s->m);
	bool excused = forced && (is_own_report(rule) || is_design(s->m, rule));

	note_broken(s, rule, text, excused);
	if (s->m) {
		s->m->told_excused |= excused;
		lab_watch_report(s->m, rule, text);
	}
	if (!excused && rt_actor_current())
		rt_stop();
}

static void on_point(void *ctx, enum rt_point pt, u64 obj)
{
	struct lab_session *s = ctx;

	if (!s->m)
		return;
	if (s->opts.point)
		s->opts.point(s->opts.point_ctx, pt, obj);
	if (pt == RT_PT_CALL) {
		if (!s->opts.no_calls)
			lab_record_call(s->m, rt_actor_id(rt_actor_current()), (u32)(obj & 0xffff));
		lab_watch_call(s->m, (u32)(obj & 0xffff));
		lab_retry_call(s->m, (u32)(obj & 0xffff));
		lab_excuse_call(s->m);
	} else if (pt == RT_PT_UNLOCK) {
		lab_watch_unlock(s->m, obj);
	}
}

static void on_answer(void *ctx, u32 row, u64 rax, bool forced)
{
	struct lab_session *s = ctx;

	if (s->m) {
		lab_retry_answer(s->m, row, rax);
		lab_watch_answer(s->m, row, rax);
		lab_excuse_answer(s->m, row, rax, forced);
	}
	if (s->opts.observer)
		s->opts.observer->answer(s->opts.observer->ctx, row, rax, forced);
}

static void on_entry(void *ctx, u32 row, u8 from, u8 to)
{
	struct lab_session *s = ctx;

	s->opts.observer->entry(s->opts.observer->ctx, row, from, to);
}

static void on_broke(void *ctx, const char *rule, const char *text)
{
	note_broken(ctx, rule, text, false);
}

/* A line "chooser random": the answers of "seeded random", from a source outside of the world. */
static u32 pick_seeded(void *ctx, const struct rt_choice *c)
{
	struct lab_session *s = ctx;

	if (c->kind == RT_CHOICE_FAULT)
		return !(rt_splitmix64(&s->seeded) >> 32 & (RT_RANDOM_FAULT - 1));
	return (u32)(((rt_splitmix64(&s->seeded) >> 32) * c->nr) >> 32);
}

/* From the first action on; what is built without being asked for is built in order. */
static void start_seeded(struct lab_session *s)
{
	if (!s->seeded_on)
		return;
	s->seeded_on = false;
	s->chooser = (struct rt_chooser){.name = "seeded", .pick = pick_seeded, .ctx = s};
	rt_set_chooser(s->world, &s->chooser);
}

static void read_chooser_line(struct lab_session *s)
{
	s->seeded_on = false;
	if (s->opts.schedule || s->opts.random || s->opts.pct_depth)
		return;
	for (u32 i = 0; i < s->sc->nr_ops; i++) {
		const struct lab_op *op = &s->sc->ops[i];

		if (op->kind != LAB_OP_CHOOSER)
			continue;
		s->seeded_on = lab_num(op, "order|random", 0);
		s->seeded = lab_num(op, "seed", 0);
	}
}

static void set_chooser(struct lab_session *s)
{
	read_chooser_line(s);
	if (s->opts.schedule) {
		s->chooser = rt_schedule_chooser(s->opts.schedule);
	} else if (s->opts.pct_depth) {
		lab_pct_free(s->pct);
		s->pct = lab_pct_new(s->opts.pct_depth, s->m->nr_actors, s->opts.pct_steps);
		s->chooser = lab_pct_chooser(s->pct);
	} else {
		s->chooser = s->opts.random ? rt_chooser_random : rt_chooser_in_order;
	}
	rt_set_chooser(s->world, &s->chooser);
}

void lab_session_chooser(struct lab_session *s, const struct rt_chooser *ch)
{
	s->seeded_on = false;
	rt_set_chooser(s->world, ch);
}

static u32 count_actors(const struct lab_setup *su)
{
	u32 n = 0;

	for (u32 t = 0; t < su->nr_tds; t++)
		n += su->td[t].hosts + su->td[t].vcpus;
	return n;
}

/* Actors' stacks have traces of the session's address too. */
static struct lab_session *session_alloc(const struct lab_opts *opts)
{
	void *at = (void *)(uintptr_t)(FIXED_PLACE - (1ULL << 40));
	void *p;

	if (!opts->fixed_place)
		return lab_zalloc(sizeof(struct lab_session));
	p = mmap(at, sizeof(struct lab_session), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		fputs("tdxsim: no memory for a session\n", stderr);
		abort();
	}
	return p;
}

static void session_release(struct lab_session *s, bool fixed_place)
{
	if (fixed_place)
		munmap(s, sizeof(*s));
	else
		free(s);
}

struct lab_session *lab_session_new(const struct lab_scenario *sc, const struct lab_setup *su,
				    const struct lab_opts *opts, char *err, size_t len)
{
	struct lab_session *s = session_alloc(opts);
	struct rt_world_opts wo = {.seed = opts->seed,
				   .actors_max = count_actors(su),
				   .at = opts->fixed_place ? FIXED_PLACE : 0};

	s->sc = sc;
	s->su = su;
	s->opts = *opts;
	s->world = rt_world_new(&wo);
	if (!s->world) {
		snprintf(err, len, "no address space for a world: %s", strerror(errno));
		session_release(s, opts->fixed_place);
		return NULL;
	}
	if (!opts->no_trace) {
		s->trace = rt_trace_new(opts->trace_cap);
		rt_trace_attach(s->world, s->trace);
	}
	rt_set_report_hook(s->world, on_report, s);
	rt_set_point_hook(s->world, on_point, s);
	rt_set_budget(opts->budget);
	rt_schedule_init(&s->recorded);
	rt_record_schedule(s->world, &s->recorded);
	s->m = lab_machine_new(sc, su, err, len);
	if (!s->m) {
		lab_session_free(s);
		return NULL;
	}
	s->watch = (struct seam_observer){
		on_answer, opts->observer && opts->observer->entry ? on_entry : NULL, s};
	set_chooser(s);
	seam_observe(s->m->seam, &s->watch);
	return s;
}

void lab_session_free(struct lab_session *s)
{
	if (!s)
		return;
	rt_world_enter(s->world);
	rt_world_free(s->world);
	rt_trace_free(s->trace);
	rt_schedule_free(&s->recorded);
	lab_pct_free(s->pct);
	session_release(s, s->opts.fixed_place);
}

void lab_session_where(struct lab_session *s, char *buf, size_t len)
{
	size_t n = 0;

	buf[0] = 0;
	for (u32 i = 0; i < s->m->nr_actors && n < len; i++) {
		const struct lab_actor *a = &s->m->actor[i];
		struct rt_where w = rt_actor_where(a->rt);
		char text[200] = "nothing", locks[160] = "";

		rt_locks_describe(a->id, locks, sizeof(locks));
		if (a->doing != LAB_NO_OP)
			lab_print_op(s->sc, lab_op(s->m, a->doing), text, sizeof(text));
		n += (size_t)snprintf(buf + n, len - n, "  %-12s %s%s%s%s%s, doing: %s\n", a->name,
				      w.blocked_on ? (w.idle ? "idle, waits for " : "waits for ")
						   : "at ",
				      w.blocked_on ? w.blocked_on : rt_point_name(w.point),
				      *locks ? ", holds " : "", locks, "", text);
	}
}

bool lab_session_violated(const struct lab_session *s)
{
	for (u32 i = 0; i < s->nr_broken; i++) {
		if (!s->broken[i].excused)
			return true;
	}
	return false;
}

bool lab_session_broke(const struct lab_session *s, const char *rule)
{
	for (u32 i = 0; i < s->nr_broken; i++) {
		if (!s->broken[i].excused && !strcmp(s->broken[i].rule, rule))
			return true;
	}
	return s->stuck_rule && !strcmp(s->stuck_rule, rule);
}

bool lab_session_quiet(const struct lab_session *s)
{
	for (u32 i = 0; i < s->m->nr_actors; i++) {
		if (s->m->actor[i].next != LAB_NO_OP || s->m->actor[i].doing != LAB_NO_OP)
			return false;
	}
	return true;
}

/* Run to quiescence. */
static enum lab_step run(struct lab_session *s)
{
	enum lab_oracle rule = LAB_ORACLE_NO_PROGRESS;
	const char *why = NULL;
	enum rt_run_result res;
	int n;

	res = rt_run();
	s->out_of_steps = res == RT_RUN_BUDGET;
	switch (res) {
	case RT_RUN_QUIET:
		break;
	case RT_RUN_DEADLOCK:
		rule = LAB_ORACLE_DEADLOCK;
		why = "deadlock: nobody can go on";
		break;
	case RT_RUN_BUDGET:
		why = "no progress: the step budget is spent (--budget allows more)";
		break;
	case RT_RUN_STOPPED:
		return LAB_BROKEN;
	case RT_RUN_PAUSED:
		return LAB_PAUSED;
	}
	if (!why && !lab_session_quiet(s))
		why = "no progress: an actor waits for work in the middle of its line";
	if (!why)
		return LAB_DONE;
	s->stuck_rule = lab_oracle_name(rule);
	n = snprintf(s->stuck, sizeof(s->stuck), "%s\n", why);
	lab_session_where(s, s->stuck + n, sizeof(s->stuck) - (size_t)n);
	return LAB_STUCK;
}

/* TDs that an op needs and that nobody has built yet. */
static u32 needs_build(const struct lab_machine *m, const struct lab_op *op)
{
	const struct lab_spec *spec = &lab_specs[op->kind];
	u32 need = 1U << lab_setup_td(m->sc, m->su, op->td);

	for (u32 f = 0; spec->field[f].type != LAB_T_END; f++) {
		if (op->v[f].set && op->v[f].td)
			need |= 1U << lab_setup_td(m->sc, m->su, op->v[f].td);
	}
	return need;
}

u32 lab_session_unbuilt(const struct lab_session *s, u32 first, u32 nr)
{
	const struct lab_machine *m = s->m;
	u32 need = 0, own = 0, fresh = 0;

	for (u32 i = first; i < first + nr; i++) {
		const struct lab_op *op = lab_op(m, i);

		if (!lab_op_is_action(op))
			continue;
		if (op->kind == LAB_OP_BUILD)
			own |= needs_build(m, op);
		else
			need |= needs_build(m, op);
	}
	for (u32 t = 0; t < m->su->nr_tds; t++) {
		const struct lab_td *td = &m->td[t];

		if (!td->kvm && !td->destroyed && !td->build_err)
			fresh |= 1U << t;
	}
	return need & ~own & fresh;
}

static enum lab_step settle(struct lab_session *s, enum lab_step step)
{
	if (step == LAB_DONE) {
		lab_oracles_quiet(s->m, on_broke, s);
		if (lab_session_violated(s))
			step = LAB_BROKEN;
	}
	return step;
}

/* Work came for a vCPU's thread that is in the guest: it has to come out. */
static void call_threads(struct lab_machine *m)
{
	for (u32 i = 0; i < m->nr_actors; i++) {
		struct lab_actor *a = &m->actor[i];

		if (a->vcpu && a->in_run && lab_is_thread_op(m, a->next))
			kvm_vcpu_signal(a->kvcpu, true);
	}
}

/* Events from here on are those of a block; a parallel one that was open ends here. */
static void note_begin(struct lab_session *s, bool parallel)
{
	s->first_event = s->trace ? rt_trace_seq(s->trace) : 0;
	if (s->parallel_end == ~0ULL)
		s->parallel_end = s->first_event;
	if (!parallel)
		return;
	s->parallel_first = s->first_event;
	s->parallel_end = ~0ULL;
}

enum lab_step lab_session_build(struct lab_session *s, u32 first, u32 nr)
{
	u32 build = lab_session_unbuilt(s, first, nr);
	enum lab_step step;

	rt_world_enter(s->world);
	note_begin(s, false);
	if (!build)
		return LAB_DONE;
	lab_block_begin(s->m, first, 0, false);
	s->m->build_td = build;
	step = settle(s, run(s));
	/* Its SEAMCALLs do not count for the first action. */
	note_begin(s, false);
	return step;
}

enum lab_step lab_session_do(struct lab_session *s, u32 first, u32 nr, bool parallel)
{
	enum lab_step step = lab_session_build(s, first, nr);

	if (step != LAB_DONE)
		return step;
	note_begin(s, parallel);
	start_seeded(s);
	lab_block_begin(s->m, first, nr, parallel);
	call_threads(s->m);
	return settle(s, run(s));
}

int lab_session_inject(struct lab_session *s, u32 op)
{
	rt_world_enter(s->world);
	return lab_inject_arm(s->m, op);
}

u32 lab_session_unspent(struct lab_session *s, u32 i)
{
	return lab_inject_unspent(s->m, i);
}

/* Everything is taken down: what must be back now? */
static enum lab_step judge_end(struct lab_session *s, enum lab_step step)
{
	bool judge;

	if (step != LAB_DONE)
		return step;
	kvm_gmem_put_strays();
	rt_heap_check();
	/* After a reported failure, also one of this teardown, pages are leaked on purpose (R36). */
	judge = !s->m->told_excused;
	for (u32 t = 0; t < s->su->nr_tds; t++)
		judge &= !s->m->td[t].was_bugged;
	if (judge)
		lab_oracles_end(s->m, on_broke, s);
	return lab_session_violated(s) ? LAB_BROKEN : LAB_DONE;
}

/* Everything goes by its own teardown, on the first thread of each TD's VMM. */
enum lab_step lab_session_end(struct lab_session *s)
{
	rt_world_enter(s->world);
	if (lab_any_tainted(s->m))
		return LAB_DONE; /* what was changed past KVM, KVM can't take down */
	note_begin(s, false);
	lab_block_begin(s->m, 0, 0, false);
	s->m->destroy_all = true;
	s->m->ending = true;
	return judge_end(s, run(s));
}

enum lab_step lab_session_go(struct lab_session *s)
{
	rt_world_enter(s->world);
	return run(s);
}

enum lab_step lab_session_resume(struct lab_session *s)
{
	rt_world_enter(s->world);
	return s->m->ending ? judge_end(s, run(s)) : settle(s, run(s));
}

void lab_session_reseed(struct lab_session *s, u64 seed)
{
	rt_world_enter(s->world);
	s->opts.seed = seed;
	rt_reseed(seed);
	set_chooser(s);
}

void lab_session_mark(struct lab_session *s, struct lab_mark *mark)
{
	rt_world_enter(s->world);
	*mark = (struct lab_mark){.image = rt_world_save(s->world),
				  .first_event = s->first_event,
				  .parallel_first = s->parallel_first,
				  .parallel_end = s->parallel_end,
				  .nr_broken = s->nr_broken,
				  .nr_recorded = s->recorded.nr};
}

void lab_session_back(struct lab_session *s, const struct lab_mark *mark)
{
	rt_world_enter(s->world);
	rt_world_restore(s->world, mark->image);
	s->first_event = mark->first_event;
	s->parallel_first = mark->parallel_first;
	s->parallel_end = mark->parallel_end;
	s->nr_broken = mark->nr_broken;
	s->stuck[0] = 0;
	s->stuck_rule = NULL;
	s->recorded.nr = mark->nr_recorded;
}

void lab_session_rewind(struct lab_session *s, const struct lab_mark *mark,
			struct rt_schedule *schedule)
{
	lab_session_back(s, mark);
	s->opts.schedule = schedule;
	if (schedule)
		rt_schedule_rewind(schedule);
	set_chooser(s);
}

void lab_mark_free(struct lab_mark *mark)
{
	rt_image_free(mark->image);
	mark->image = NULL;
}
