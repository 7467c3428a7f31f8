// SPDX-License-Identifier: GPL-2.0-only
/*
 * Oracles on the way: progress of faults (R13, R41), calls for a VM that the caller knows to be dead
 * (R44), the flag that keeps vCPUs out at the end of each section of mmu_lock (R23).
 */
#include "sim/lab/oracle_watch.h"

#include <string.h>

#include "sim/rt/lock.h"
#include "sim/rt/world.h"
#include "tdx/inspect.h"

#define EXIT_REASON_EPT_VIOLATION 48

/*
 * The first exit brings the fault, the second may have met somebody on the way; who asks a third
 * time with nothing changed will ask for ever.
 */
#define EQUAL_EXITS_MAX 3

/* Somebody else is in the middle of something that the fault may have had to wait for. */
static bool others_hold(const struct lab_machine *m, const struct lab_actor *me)
{
	char text[160];

	for (u32 i = 0; i < m->nr_actors; i++) {
		rt_locks_describe(i, text, sizeof(text));
		/* In KVM_RUN a vCPU holds its mutex, which no fault waits for. */
		if (i != me->id && *text && !(m->actor[i].in_run && !strcmp(text, "mutex")))
			return true;
	}
	return false;
}

void lab_watch_exit(struct lab_machine *m, struct lab_actor *v, const struct seam_regs *r)
{
	struct lab_job *job = &v->job;
	u64 changes = seam_sept_changes(m->seam);

	if ((r->rax & 0xffff) != EXIT_REASON_EPT_VIOLATION)
		return;
	if (job->exit_gpa != r->r8 || job->exit_qual != r->rdx || job->exit_changes != changes ||
	    others_hold(m, v))
		job->equal_exits = 0;
	job->exit_gpa = r->r8;
	job->exit_qual = r->rdx;
	job->exit_changes = changes;
	if (++job->equal_exits < EQUAL_EXITS_MAX)
		return;
	job->equal_exits = 0;
	rt_report("exit-progress",
		  "%s exits for 0x%llx for the %drd time, and nothing has changed in between",
		  v->name, r->r8, EQUAL_EXITS_MAX);
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

	if (!a || !a->saw_end || !a->td->kvm || !kvm_is_bugged(a->td->kvm) ||
	    !is_for_the_living(leaf))
		return;
	a->saw_end = false;
	rt_report("dead-stays-out", "%s calls leaf %u for the VM that it has just ended", a->name,
		  leaf);
}

void lab_watch_report(struct lab_machine *m, const char *rule)
{
	struct lab_actor *a = lab_actor_current(m);

	/* The report comes first, the VM is marked after it. */
	if (a && (!strcmp(rule, "kvm-bug") || !strcmp(rule, "tdx-bug")))
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
