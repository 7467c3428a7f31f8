// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kit for unit tests: a session whose scenario grows line by line.
 */
#include "sim/lab/kit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/expect.h"
#include "sim/lab/expect_calls.h"
#include "sim/lab/session.h"
#include "sim/lab/stats.h"
#include "sim/lab/util.h"
#include "sim/rt/world.h"

struct lab_kit {
	struct lab_scenario sc;
	struct lab_setup su;
	struct lab_session *s;
	struct lab_outcome out; /* of the last action */
	u32 action;
	bool may_break;
	char calls[4096];
};

static void __attribute__((noreturn, format(printf, 1, 2))) give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

struct lab_kit *lab_kit_new(const char *setup)
{
	struct lab_kit *k = lab_zalloc(sizeof(*k));
	struct lab_opts opts = {.trace_cap = 4096};
	struct lab_diag d = {stderr, 0};
	struct lab_source src = {"set-up", setup ? setup : "", setup ? strlen(setup) : 0};
	char err[400];

	lab_scenario_init(&k->sc);
	if (lab_parse(&k->sc, &src, &d) || lab_setup_resolve(&k->sc, &k->su, &d))
		give_up("lab_kit_new(): the set-up above is wrong");
	k->s = lab_session_new(&k->sc, &k->su, &opts, err, sizeof(err));
	if (!k->s)
		give_up("lab_kit_new(): %s", err);
	k->action = LAB_NO_OP;
	return k;
}

void lab_kit_free(struct lab_kit *k)
{
	if (!k)
		return;
	lab_session_free(k->s);
	lab_scenario_free(&k->sc);
	free(k);
}

/* A line appended and checked against the machine; its index. */
static u32 add_line(struct lab_kit *k, const char *text)
{
	struct lab_setup scratch;
	struct lab_diag d = {stderr, 0};
	u32 at = k->sc.nr_ops;

	if (lab_parse_line(&k->sc, text, &d) || k->sc.nr_ops != at + 1 ||
	    lab_setup_resolve(&k->sc, &scratch, &d))
		give_up("the line \"%s\" is wrong", text);
	k->sc.ops[at].line = 0;
	return at;
}

static void after(struct lab_kit *k, enum lab_step step)
{
	if (step == LAB_STUCK)
		give_up("%s", k->s->stuck);
	if (step == LAB_BROKEN && !k->may_break)
		give_up("oracle %s broke: %s", lab_kit_broken(k),
			k->s->broken[k->s->nr_broken - 1].text);
}

static int result_of(const struct lab_outcome *out)
{
	if (out->ok)
		return 0;
	if (out->err)
		return -out->err;
	return out->has_status ? -EPROTO : -EFAULT;
}

int lab_kit_do(struct lab_kit *k, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	k->action = add_line(k, text);
	after(k, lab_session_do(k->s, k->action, 1, false));
	if (k->s->m->block_nr)
		k->out = lab_result(k->s->m, k->action)->out;
	return result_of(&k->out);
}

const struct lab_outcome *lab_kit_outcome(const struct lab_kit *k)
{
	return &k->out;
}

bool lab_kit_parallel(struct lab_kit *k, u64 seed, const char *text)
{
	u32 first = k->sc.nr_ops;
	char line[400];
	bool ok = true;

	while (*text) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		if (strspn(line, " \t") < strlen(line))
			k->action = add_line(k, line);
		text += len + (text[len] != 0);
	}
	rt_world_enter(k->s->world);
	if (seed) {
		/*
		 * The world's source goes on from the seed it was made with; draws tell the seeds
		 * apart.
		 */
		for (u64 i = 0; i < seed; i++)
			rt_random();
		rt_set_chooser(k->s->world, &rt_chooser_random);
	}
	after(k, lab_session_do(k->s, first, k->sc.nr_ops - first, true));
	rt_set_chooser(k->s->world, &rt_chooser_in_order);
	for (u32 i = first; i < k->sc.nr_ops; i++)
		ok &= lab_result(k->s->m, i)->out.ok;
	k->out = lab_result(k->s->m, k->action)->out;
	return ok;
}

void lab_kit_inject(struct lab_kit *k, const char *text)
{
	char line[400];

	snprintf(line, sizeof(line), "inject %s", text);
	lab_session_inject(k->s, add_line(k, line));
}

bool lab_kit_expect(struct lab_kit *k, const char *text)
{
	char line[1000], seen[4096];
	u32 op;

	snprintf(line, sizeof(line), "expect %s", text);
	op = add_line(k, line);
	rt_world_enter(k->s->world);
	if (lab_expect(k->s->m, &k->sc.ops[op], k->action, seen, sizeof(seen)))
		return true;
	fprintf(stderr, "expected: %s\nseen:     %s\n", text, seen);
	return false;
}

void lab_kit_expect_broken(struct lab_kit *k)
{
	k->may_break = true;
}

const char *lab_kit_broken(const struct lab_kit *k)
{
	for (u32 i = 0; i < k->s->nr_broken; i++) {
		if (!k->s->broken[i].excused)
			return k->s->broken[i].rule;
	}
	return "";
}

int lab_kit_accept(struct lab_kit *k, u32 vcpu, u64 gpa, u64 size)
{
	return lab_kit_do(k, "vcpu%u: accept 0x%llx %llu", vcpu, gpa, size);
}

int lab_kit_convert(struct lab_kit *k, u64 gpa, u64 size, bool to_private)
{
	return lab_kit_do(k, "host: convert 0x%llx %llu %s", gpa, size,
			  to_private ? "private" : "shared");
}

int lab_kit_write(struct lab_kit *k, u32 vcpu, u64 gpa, u64 val)
{
	return lab_kit_do(k, "vcpu%u: write 0x%llx 0x%llx", vcpu, gpa, val);
}

u64 lab_kit_read(struct lab_kit *k, u32 vcpu, u64 gpa)
{
	if (lab_kit_do(k, "vcpu%u: read 0x%llx", vcpu, gpa))
		give_up("vcpu%u can't read 0x%llx", vcpu, gpa);
	return k->out.value;
}

struct kvm *lab_kit_kvm(struct lab_kit *k)
{
	rt_world_enter(k->s->world);
	return k->s->m->td[0].kvm;
}

struct seam_sept_view lab_kit_sept(struct lab_kit *k, u64 gpa)
{
	struct seam_sept_view v = {0}, none = {0};
	struct kvm *kvm = lab_kit_kvm(k);

	if (!kvm || !seam_look_sept(k->s->m->seam, kvm_tdr(kvm), gpa, 0, &v) || !v.leaf)
		return none;
	return v;
}

struct kvm_spte_view lab_kit_mirror(struct lab_kit *k, u64 gpa)
{
	struct kvm_spte_view v = {0}, none = {0};
	struct kvm *kvm = lab_kit_kvm(k);

	return kvm && kvm_look_spte(kvm, true, gpa >> 12, &v) ? v : none;
}

const char *lab_kit_seamcalls(struct lab_kit *k)
{
	rt_world_enter(k->s->world);
	lab_calls_text(k->s->m, LAB_NO_OP, k->calls, sizeof(k->calls));
	return k->calls;
}

u64 lab_kit_stat(struct lab_kit *k, const char *name)
{
	rt_world_enter(k->s->world);
	return lab_stat(k->s->m, name);
}

struct lab_machine *lab_kit_machine(struct lab_kit *k)
{
	rt_world_enter(k->s->world);
	return k->s->m;
}
