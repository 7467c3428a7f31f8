// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay files: the scenario in its canonical spelling, with the schedule's choices as set-up lines
 * of their own. Such a file is a scenario: running it again makes the same choices. As --schedule
 * only its schedule lines count.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sim/lab/run.h"
#include "sim/lab/words.h"
#include "sim/rt/world.h"

static void write_reason(const struct lab_run *run, FILE *f)
{
	for (u32 i = 0; i < run->s->nr_broken; i++) {
		const struct lab_broken *b = &run->s->broken[i];

		if (!b->excused)
			fprintf(f, "# breaks %s at step %llu: %s\n", b->rule, b->step, b->text);
	}
	if (*run->s->stuck)
		fprintf(f, "# %.*s\n", (int)strcspn(run->s->stuck, "\n"), run->s->stuck);
	fprintf(f, "# seed %llu, chooser %s\n", run->opts->session.seed,
		run->opts->session.random ? "random" : "in order");
}

int lab_replay_write(struct lab_run *run, const char *path)
{
	const struct rt_schedule *sched = &run->s->recorded;
	FILE *f = fopen(path, "w");

	if (!f)
		return errno;
	write_reason(run, f);
	/*
	 * Each line by itself: a schedule that the scenario already had is replaced by what was
	 * played.
	 */
	for (size_t i = 0; i < sched->nr; i++) {
		u32 id = sched->entries[i].actor;
		const char *what =
			id < run->s->m->nr_actors ? run->s->m->actor[id].name : LAB_CHOICE_FAULT;

		assert(id < run->s->m->nr_actors || id == RT_FAULT_FIRES);
		fprintf(f, "schedule %llu %s\n", sched->entries[i].step, what);
	}
	lab_print_without(&run->sc, LAB_OP_SCHEDULE, f);
	if (ferror(f)) {
		fclose(f);
		return EIO;
	}
	return fclose(f) ? errno : 0;
}

/* Ids are given as machine.c makes actors: TD by TD, the VMM's threads, then the vCPUs. */
static bool actor_id(const struct lab_setup *su, const char *name, u32 *id)
{
	char buf[80];

	*id = RT_FAULT_FIRES;
	if (!strcmp(name, LAB_CHOICE_FAULT))
		return true;
	*id = 0;
	for (u32 t = 0; t < su->nr_tds; t++) {
		for (u32 i = 0; i < su->td[t].hosts + su->td[t].vcpus; i++, (*id)++) {
			bool vcpu = i >= su->td[t].hosts;

			lab_actor_name(su, t, vcpu, vcpu ? i - su->td[t].hosts : i, buf,
				       sizeof(buf));
			if (!strcmp(buf, name))
				return true;
		}
	}
	return false;
}

void lab_replay_read(const struct lab_scenario *sc, const struct lab_setup *su,
		     struct rt_schedule *schedule)
{
	for (u32 i = 0; i < sc->nr_ops; i++) {
		const struct lab_op *op = &sc->ops[i];
		u32 id;

		/* Tolerant: a choice of an actor that this scenario has no more is left out. */
		if (op->kind == LAB_OP_SCHEDULE &&
		    actor_id(su, lab_string(sc, (u32)lab_num(op, "ACTOR", 0)), &id))
			rt_schedule_add(schedule, lab_num(op, "STEP", 0), id);
	}
}
