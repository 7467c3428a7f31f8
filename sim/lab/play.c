// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cursor over a scenario's lines, and targets. What a line does is session.c's; a report of it
 * is run.c's.
 */
#include "sim/lab/play.h"

#include <stdio.h>
#include <string.h>

#include "sim/lab/expect.h"

/* Where the cursor stands. */
enum phase {
	AT_LINE,  /* in front of a line */
	AT_BUILD, /* in the build that the line needs */
	AT_BLOCK, /* in its actions */
	AT_JUDGE, /* behind its actions: the expectations of a parallel block */
	AT_END,	  /* in the teardown */
	AT_OVER,
};

void lab_play_init(struct lab_play *p, struct lab_session *s)
{
	*p = (struct lab_play){.s = s, .op = LAB_NO_OP};
}

bool lab_play_between(const struct lab_play *p)
{
	return p->phase == AT_LINE;
}

/* A step of the session that did not end as it should; the phase stays where it is. */
static enum lab_played told(enum lab_step step)
{
	return step == LAB_PAUSED   ? LAB_PLAY_PAUSED
	       : step == LAB_BROKEN ? LAB_PLAY_BROKEN
	       : step == LAB_STUCK  ? LAB_PLAY_STUCK
				    : LAB_PLAY_LINE;
}

static bool holds(struct lab_play *p, u32 op, u32 action)
{
	char seen[8192];

	p->op = op;
	return lab_expect(p->s->m, &p->s->sc->ops[op], action, seen, sizeof(seen));
}

/* The expectations of a parallel block, each about the action above it. */
static enum lab_played judge_block(struct lab_play *p)
{
	const struct lab_op *ops = p->s->sc->ops;
	u32 end = p->line.first + p->line.nr, action = LAB_NO_OP;

	for (u32 i = p->line.first; i < end; i++) {
		if (lab_op_is_action(&ops[i]))
			action = i;
		if (i < p->judge || !lab_op_is_expect(&ops[i]))
			continue;
		p->judge = i + 1;
		if (!holds(p, i, action))
			return LAB_PLAY_FAILED;
	}
	p->phase = AT_LINE;
	return LAB_PLAY_LINE;
}

static enum lab_played after_block(struct lab_play *p, enum lab_step step)
{
	if (step != LAB_DONE)
		return told(step);
	if (!p->line.parallel) {
		p->phase = AT_LINE;
		return LAB_PLAY_LINE;
	}
	p->phase = AT_JUDGE;
	p->judge = p->line.first;
	return judge_block(p);
}

static enum lab_played after_build(struct lab_play *p, enum lab_step step)
{
	if (step != LAB_DONE)
		return told(step);
	p->phase = AT_BLOCK;
	return after_block(p, lab_session_do(p->s, p->line.first, p->line.nr, p->line.parallel));
}

static enum lab_played after_end(struct lab_play *p, enum lab_step step)
{
	if (step != LAB_DONE)
		return told(step);
	p->phase = AT_OVER;
	return LAB_PLAY_OVER;
}

static enum lab_played begin_actions(struct lab_play *p)
{
	for (u32 i = p->line.first; i < p->line.first + p->line.nr; i++) {
		if (lab_op_is_inject(&p->s->sc->ops[i]))
			lab_session_inject(p->s, i);
	}
	p->phase = AT_BUILD;
	return after_build(p, lab_session_build(p->s, p->line.first, p->line.nr));
}

static enum lab_played begin_line(struct lab_play *p)
{
	p->nr++;
	if (!lab_lines_next(p->s->sc, p->s->sc->nr_ops, &p->at, &p->line)) {
		p->phase = AT_END;
		return after_end(p, lab_session_end(p->s));
	}
	switch (p->line.kind) {
	case LAB_LINES_INJECT:
		lab_session_inject(p->s, p->line.first);
		break;
	case LAB_LINES_EXPECT:
		if (!holds(p, p->line.first, p->line.action))
			return LAB_PLAY_FAILED;
		break;
	case LAB_LINES_ACTIONS:
		return begin_actions(p);
	}
	return LAB_PLAY_LINE;
}

enum lab_played lab_play_next(struct lab_play *p)
{
	switch ((enum phase)p->phase) {
	case AT_LINE:
		return begin_line(p);
	case AT_BUILD:
		return after_build(p, lab_session_resume(p->s));
	case AT_BLOCK:
		return after_block(p, lab_session_resume(p->s));
	case AT_JUDGE:
		return judge_block(p);
	case AT_END:
		return after_end(p, lab_session_resume(p->s));
	case AT_OVER:
		break;
	}
	return LAB_PLAY_OVER;
}

void lab_play_mark(struct lab_play *p, struct lab_play_mark *mark)
{
	mark->play = *p;
	lab_session_mark(p->s, &mark->mark);
}

void lab_play_back(struct lab_play *p, const struct lab_play_mark *mark)
{
	*p = mark->play;
	lab_session_back(p->s, &mark->mark);
}

/* ---- targets ---- */

struct lab_target lab_play_target(const struct lab_play *p, enum lab_played told)
{
	const struct lab_session *s = p->s;
	struct lab_target t = {.op = LAB_NO_OP};

	if (told == LAB_PLAY_FAILED) {
		t.kind = LAB_TARGET_EXPECT;
		t.op = p->op;
	} else if (told == LAB_PLAY_STUCK) {
		t.kind = LAB_TARGET_STUCK;
		snprintf(t.rule, sizeof(t.rule), "%.*s", (int)strcspn(s->stuck, ":"), s->stuck);
	}
	for (u32 i = 0; told == LAB_PLAY_BROKEN && i < s->nr_broken && !t.kind; i++) {
		if (s->broken[i].excused)
			continue;
		t.kind = LAB_TARGET_RULE;
		snprintf(t.rule, sizeof(t.rule), "%s", s->broken[i].rule);
	}
	return t;
}

bool lab_play_meets(const struct lab_play *p, enum lab_played told, const struct lab_target *t)
{
	struct lab_target is;

	if (t->kind == LAB_TARGET_RULE)
		return told == LAB_PLAY_BROKEN && lab_session_broke(p->s, t->rule);
	is = lab_play_target(p, told);
	return is.kind && is.kind == t->kind && is.op == t->op && !strcmp(is.rule, t->rule);
}

bool lab_play_until(struct lab_play *p, const struct lab_target *t)
{
	enum lab_played told;

	do {
		told = lab_play_next(p);
		if (lab_play_meets(p, told, t))
			return true;
	} while (told == LAB_PLAY_LINE || told == LAB_PLAY_FAILED);
	return false;
}

void lab_target_text(const struct lab_scenario *sc, const struct lab_target *t, char *buf,
		     size_t len)
{
	switch (t->kind) {
	case LAB_TARGET_NONE:
		snprintf(buf, len, "nothing");
		break;
	case LAB_TARGET_RULE:
		snprintf(buf, len, "rule %s", t->rule);
		break;
	case LAB_TARGET_EXPECT:
		snprintf(buf, len, "the expectation of line %u", sc->ops[t->op].line);
		break;
	case LAB_TARGET_STUCK:
		snprintf(buf, len, "%s", t->rule);
		break;
	}
}
