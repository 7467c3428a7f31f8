// SPDX-License-Identifier: GPL-2.0-only
/*
 * Oracles on the way: progress of faults (R13, R41), calls for a VM that the caller knows to be dead
 * (R44), the flag that keeps vCPUs out at the end of each section of mmu_lock (R23).
 */
#include "sim/lab/oracle_watch.h"

#include <stdlib.h>
#include <string.h>

#include "sim/lab/inject.h"
#include "sim/rt/lock.h"
#include "sim/rt/world.h"
#include "tdx/inspect.h"

#define EXIT_REASON_EPT_VIOLATION 48

/*
 * The first exit brings the fault, the second may have met somebody on the way; who asks a third
 * time with nothing changed will ask for ever.
 */
#define EQUAL_EXITS_MAX 3

/*
 * Somebody else is in the middle of something that the fault may have had to wait for: an action of
 * this VM's threads, also between its locks, the close of one of its files, or a vCPU with a lock.
 */
static bool others_hold(const struct lab_machine *m, const struct lab_actor *me)
{
	char text[160];

	if (me->td->closers)
		return true;
	for (u32 i = 0; i < m->nr_actors; i++) {
		if (i == me->id || m->actor[i].td != me->td)
			continue;
		if (!m->actor[i].vcpu && m->actor[i].doing != LAB_NO_OP)
			return true;
		rt_locks_describe(i, text, sizeof(text));
		/* In KVM_RUN a vCPU holds its mutex, which no fault waits for. */
		if (*text && !(m->actor[i].in_run && !strcmp(text, "mutex")))
			return true;
	}
	return false;
}

/*
 * What a fault may have lost against: entries of the S-EPT, faults that were forced, invalidations
 * and changes of slots, which end also where nothing was mapped.
 */
static u64 changes_so_far(struct lab_machine *m, const struct lab_td *td)
{
	return seam_sept_changes(m->seam) + lab_inject_fired(m) + kvm_look_invalidated(td->kvm);
}

/* Once more the same as before. True: often enough to be told. */
static bool again(struct lab_machine *m, struct lab_actor *v, u64 gpa, u64 qual)
{
	struct lab_job *job = &v->job;
	u64 changes = changes_so_far(m, v->td);

	if (job->exit_gpa != gpa || job->exit_qual != qual || job->exit_changes != changes ||
	    others_hold(m, v))
		job->equal_exits = 0;
	job->exit_gpa = gpa;
	job->exit_qual = qual;
	job->exit_changes = changes;
	if (++job->equal_exits < EQUAL_EXITS_MAX)
		return false;
	job->equal_exits = 0;
	return true;
}

void lab_watch_exit(struct lab_machine *m, struct lab_actor *v, const struct seam_regs *r)
{
	v->refused = false;
	/* Of tables that were changed past KVM, KVM can't make anything. */
	if ((r->rax & 0xffff) != EXIT_REASON_EPT_VIOLATION || v->td->tainted)
		return;
	if (again(m, v, r->r8, r->rdx))
		rt_report(
			"exit-progress",
			"%s exits for 0x%llx for the %drd time, and nothing has changed in between",
			v->name, r->r8, EQUAL_EXITS_MAX);
}

/* Of the zero-step defence: the answer is that of an exit, and no guest has run. */
static void watch_refused(struct lab_machine *m, struct lab_actor *v)
{
	v->refused = false;
	if (!v->td->tainted && again(m, v, ~0ULL, 0))
		rt_report(
			"exit-progress",
			"%s is refused entry for the %drd time, and nothing has changed in between",
			v->name, EQUAL_EXITS_MAX);
}

/*
 * What only a VM that lives needs: entry, and more memory. Not DEMOTE: a split is a step of a zap,
 * and tdx_track() has no way to say that it failed.
 */
static bool is_for_the_living(u32 leaf)
{
	switch (leaf) {
	case SEAM_TDH_VP_ENTER:
	case SEAM_TDH_MEM_SEPT_ADD:
	case SEAM_TDH_MEM_PAGE_ADD:
	case SEAM_TDH_MEM_PAGE_AUG:
	case SEAM_TDH_MR_EXTEND:
	case SEAM_TDH_MR_FINALIZE:
		return true;
	}
	return false;
}

void lab_watch_call(struct lab_machine *m, u32 leaf)
{
	struct lab_actor *a = lab_actor_current(m);

	/* What goes past KVM is no call of KVM's, and behind its line it builds other TDs. */
	if (a && (a->doing == LAB_NO_OP || lab_op(m, a->doing)->kind == LAB_OP_SEAMCALL))
		return;
	if (a && a->refused && leaf == SEAM_TDH_VP_ENTER)
		watch_refused(m, a);
	if (!a || !a->saw_end || !a->td->kvm || !kvm_is_bugged(a->td->kvm) ||
	    !is_for_the_living(leaf))
		return;
	a->saw_end = false;
	rt_report("dead-stays-out", "%s calls leaf %u for the VM that it has just ended", a->name,
		  leaf);
}

void lab_watch_answer(struct lab_machine *m, u32 leaf, u64 rax)
{
	struct lab_actor *a = lab_actor_current(m);

	if (!a)
		return;
	a->last_leaf = leaf;
	a->last_rax = rax;
	/* A real exit is told to lab_watch_exit() before the next entry. */
	a->refused |= a->vcpu && leaf == SEAM_TDH_VP_ENTER &&
		      (rax & 0xffff) == EXIT_REASON_EPT_VIOLATION && !(rax & SEAM_STATUS_ERROR);
}

/* "TDH_MEM_TRACK ...", as the kernel spells it, is of "TDH.MEM.TRACK". */
static bool is_leaf(const char *spelled, const char *name)
{
	for (; *name; spelled++, name++) {
		if (*spelled != (*name == '.' ? '_' : *name))
			return false;
	}
	return *spelled == ' ';
}

/* The number behind @word, 0 without it. */
static u64 number_behind(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? strtoull(at + strlen(word), NULL, 0) : 0;
}

/*
 * The text of TDX_BUG_ON(): a developer goes by its status and values, so they have to be what the
 * module said, and none if the wrapper refused without a call (B39). After BUSY the second call may
 * be the one that was refused.
 */
static void check_values(const struct lab_actor *a, const char *text)
{
	const char *call = strstr(text, "SEAMCALL ");
	u64 err = number_behind(text, "failed: ");
	bool failed =
		a->last_rax & SEAM_STATUS_ERROR && seam_status(a->last_rax) != SEAM_OPERAND_BUSY;
	u64 values;

	if (!call)
		return;
	call += strlen("SEAMCALL ");
	values = number_behind(call, "rcx ") | number_behind(call, "rdx ") |
		 number_behind(call, "r8 ");
	if (!is_leaf(call, seam_leaf_name(a->last_leaf)) && values)
		rt_report("report-true", "values of a call that was not made: %s", call);
	else if (is_leaf(call, seam_leaf_name(a->last_leaf)) && failed && err != a->last_rax)
		rt_report("report-true", "the module answered 0x%llx: %s", a->last_rax, call);
}

void lab_watch_report(struct lab_machine *m, const char *rule, const char *text)
{
	struct lab_actor *a = lab_actor_current(m);

	if (!a)
		return;
	if (!strcmp(rule, "tdx-bug"))
		check_values(a, text);
	/* The report comes first, the VM is marked after it. */
	if (!strcmp(rule, "kvm-bug") || !strcmp(rule, "tdx-bug"))
		a->saw_end = true;
}

void lab_watch_unlock(struct lab_machine *m, u64 id)
{
	for (u32 t = 0; t < m->su->nr_tds; t++) {
		const struct kvm *kvm = m->td[t].kvm;

		if (kvm && kvm_look_mmu_lock(kvm) == id && !kvm_is_bugged(kvm) &&
		    kvm_look_wait_for_sept_zap(kvm))
			rt_report(
				"sept-zap-flag",
				"mmu_lock is given back with wait_for_sept_zap on: no vCPU can enter");
	}
}
