// SPDX-License-Identifier: GPL-2.0-only
/*
 * A batch of states expanded by several processes: they are forked with the world and its base in
 * place, so a state means the same to each. The answers are looked at in the order of the batch,
 * whoever gave them, so nothing depends on how many there are or on who was faster.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/lab/explore_int.h"
#include "sim/lab/util.h"

/* What is told about a batch; in shared memory, as the states themselves. */
struct board {
	u32 nr;	  /* states of the batch */
	u32 next; /* nobody has taken this one yet */
	u32 cut;  /* --preemptions left something out */
	const struct ex_state *state[EX_BATCH];
	const struct ex_state *answer[EX_BATCH]; /* the first; the others follow */
	u32 nr_answers[EX_BATCH];
};

struct worker {
	pid_t pid;
	int go, done; /* pipes: a byte each way for a batch */
	struct ex_queue answers;
};

struct ex_jobs {
	struct board *board;
	u32 nr;
	struct worker worker[LAB_EX_JOBS_MAX];
};

static void work(struct ex_runner *r, struct board *b, struct ex_queue *answers)
{
	u32 i;

	ex_queue_clear(answers);
	while ((i = __atomic_fetch_add(&b->next, 1, __ATOMIC_ACQ_REL)) < b->nr) {
		u32 before = answers->nr;
		size_t at = answers->len;

		ex_expand(r, b->state[i], answers);
		b->answer[i] = (const struct ex_state *)(answers->mem + at);
		b->nr_answers[i] = answers->nr - before;
	}
	if (r->cut)
		__atomic_store_n(&b->cut, 1, __ATOMIC_RELEASE);
}

/* The life of a forked process; it ends with the pipe. */
static void serve(struct ex_runner *r, struct board *b, struct worker *w)
{
	char byte;

	while (read(w->go, &byte, 1) == 1) {
		work(r, b, &w->answers);
		if (write(w->done, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static void die(const char *what)
{
	fprintf(stderr, "tdxsim: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void start(struct ex_jobs *j, struct ex_runner *r, struct worker *w)
{
	int go[2], done[2];

	ex_queue_init(&w->answers);
	fflush(NULL);
	if (pipe(go) || pipe(done))
		die("no pipe for a job");
	w->pid = fork();
	if (w->pid < 0)
		die("no process for a job");
	if (!w->pid) {
		/* The others' ends: or nobody would see this process's parent end. */
		for (const struct worker *o = j->worker; o < w; o++) {
			close(o->go);
			close(o->done);
		}
		close(go[1]);
		close(done[0]);
		w->go = go[0];
		w->done = done[1];
		serve(r, j->board, w);
	}
	close(go[0]);
	close(done[1]);
	w->go = go[1];
	w->done = done[0];
}

struct ex_jobs *ex_jobs_new(struct ex_runner *r, u32 nr)
{
	struct ex_jobs *j = lab_zalloc(sizeof(*j));

	assert(nr >= 1 && nr <= LAB_EX_JOBS_MAX);
	j->board = mmap(NULL, sizeof(*j->board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (j->board == MAP_FAILED)
		die("no shared memory for jobs");
	j->nr = nr;
	if (nr == 1) {
		ex_queue_init(&j->worker[0].answers);
		return j;
	}
	for (u32 i = 0; i < nr; i++)
		start(j, r, &j->worker[i]);
	return j;
}

void ex_jobs_free(struct ex_jobs *j)
{
	for (u32 i = 0; i < j->nr; i++) {
		struct worker *w = &j->worker[i];

		if (w->pid) {
			close(w->go);
			close(w->done);
			waitpid(w->pid, NULL, 0);
		}
		ex_queue_free(&w->answers);
	}
	munmap(j->board, sizeof(*j->board));
	free(j);
}

/* A process that ended in the middle has met a defect of the simulator; it has said which. */
static void wait_for(struct worker *w)
{
	char byte;
	int status;

	if (read(w->done, &byte, 1) == 1)
		return;
	waitpid(w->pid, &status, 0);
	fputs("tdxsim: a job ended by itself; --jobs 1 shows where\n", stderr);
	exit(3);
}

void ex_jobs_expand(struct ex_jobs *j, struct ex_runner *r, const struct ex_queue *q, u32 first,
		    u32 end)
{
	struct board *b = j->board;

	assert(end - first <= EX_BATCH);
	b->nr = end - first;
	b->next = 0;
	for (u32 i = first; i < end; i++)
		b->state[i - first] = ex_queue_get(q, i);
	if (j->nr == 1) {
		work(r, b, &j->worker[0].answers);
		return;
	}
	for (u32 i = 0; i < j->nr; i++) {
		if (write(j->worker[i].go, "", 1) != 1)
			die("a job is gone");
	}
	for (u32 i = 0; i < j->nr; i++)
		wait_for(&j->worker[i]);
	r->cut |= b->cut;
}

void ex_jobs_for_each(const struct ex_jobs *j, ex_answer_fn *fn, void *ctx)
{
	const struct board *b = j->board;

	for (u32 i = 0; i < b->nr; i++) {
		const struct ex_state *a = b->answer[i];

		for (u32 k = 0; k < b->nr_answers[i]; k++) {
			fn(ctx, b->state[i], a);
			a = (const struct ex_state *)((const char *)a + a->size);
		}
	}
}
