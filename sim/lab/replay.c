// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing and reading replay files.
 */
#include "sim/lab/replay.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/lab/util.h"
#include "sim/lab/words.h"

bool lab_same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return !stat(a, &sa) && !stat(b, &sb) && S_ISREG(sa.st_mode) && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

char *lab_replay_name(const char *path, u32 nth)
{
	const char *base = strrchr(path, '/');
	size_t size = strlen(path) + sizeof("-again-4294967295.replay"), len;
	char *name = lab_zalloc(size), *dot, number[16] = "";

	base = base ? base + 1 : path;
	memcpy(name, base, strlen(base));
	dot = strrchr(name, '.');
	if (dot && dot != name)
		*dot = 0;
	len = strlen(name);
	if (nth > 1)
		snprintf(number, sizeof(number), "-%u", nth);
	snprintf(name + len, size - len, "%s.replay", number);
	if (lab_same_file(path, name))
		snprintf(name + len, size - len, "-again%s.replay", number);
	return name;
}

static void write_reason(const struct lab_session *s, const char *how, FILE *f)
{
	for (u32 i = 0; i < s->nr_broken; i++) {
		const struct lab_broken *b = &s->broken[i];

		if (!b->excused)
			fprintf(f, "# breaks %s at step %llu: %s\n", b->rule, b->step, b->text);
	}
	if (*s->stuck)
		fprintf(f, "# %.*s\n", (int)strcspn(s->stuck, "\n"), s->stuck);
	fprintf(f, "# %s\n", how);
}

int lab_replay_write(struct lab_session *s, const char *how, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return errno;
	write_reason(s, how, f);
	/*
	 * Each line by itself: a schedule that the scenario already had is replaced by what was
	 * played.
	 */
	for (size_t i = 0; i < s->recorded.nr; i++) {
		u32 id = s->recorded.entries[i].actor;
		const char *what = id < s->m->nr_actors ? s->m->actor[id].name : LAB_CHOICE_FAULT;

		assert(id < s->m->nr_actors || id == RT_FAULT_FIRES);
		fprintf(f, "schedule %llu %s\n", s->recorded.entries[i].step, what);
	}
	lab_print_without(s->sc, LAB_OP_SCHEDULE, f);
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

u32 lab_replay_read(const struct lab_scenario *sc, const struct lab_setup *su,
		    struct rt_schedule *schedule)
{
	u32 left_out = 0;

	for (u32 i = 0; i < sc->nr_ops; i++) {
		const struct lab_op *op = &sc->ops[i];
		u32 id;

		if (op->kind != LAB_OP_SCHEDULE)
			continue;
		/* Tolerant: a choice of an actor that this scenario has no more is left out. */
		if (actor_id(su, lab_string(sc, (u32)lab_num(op, "ACTOR", 0)), &id))
			rt_schedule_add(schedule, lab_num(op, "STEP", 0), id);
		else
			left_out++;
	}
	return left_out;
}

u32 lab_replay_load(const char *path, const struct lab_setup *su, struct rt_schedule *schedule,
		    u32 *left_out, struct lab_diag *d)
{
	struct lab_scenario other;
	struct lab_source src;
	char *text = lab_source_read(path, &src, d);
	u32 errors;

	if (!text)
		return 1;
	lab_scenario_init(&other);
	errors = lab_parse(&other, &src, d);
	if (!errors)
		*left_out = lab_replay_read(&other, su, schedule);
	lab_scenario_free(&other);
	free(text);
	return errors;
}
