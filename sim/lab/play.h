/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario's run as a cursor over its lines: what a run with a report (run.h) does, without the
 * report, stopping at whatever breaks. For those who run a scenario many times, from the middle, or
 * in pieces: the minimiser, searches, the debugger. Faults, actions and expectations mean what they
 * mean in session.h.
 *
 * Invariants:
 *  - A cursor is plain data: a copy of it together with a mark of its session is a place to go back
 *    to.
 *  - After LAB_PLAY_BROKEN and LAB_PLAY_STUCK the world is left as it was found.
 */
#ifndef LAB_PLAY_H
#define LAB_PLAY_H

#include "sim/lab/lines.h"
#include "sim/lab/session.h"

enum lab_played {
	LAB_PLAY_LINE,	 /* a line was done; what it expects holds */
	LAB_PLAY_FAILED, /* the expectation op does not hold; one may go on */
	LAB_PLAY_PAUSED, /* the chooser paused in the middle of a line */
	LAB_PLAY_BROKEN, /* a rule broke: session->broken[] */
	LAB_PLAY_STUCK,	 /* deadlock, or no progress: session->stuck */
	LAB_PLAY_OVER,	 /* the last line is done and every TD is closed */
};

struct lab_play {
	struct lab_session *s;
	struct lab_lines line; /* under way, or done last */
	u32 nr;		       /* lines begun; the end of the run is one too */
	u32 op;		       /* expectation that was judged last */
	/* the rest is the cursor's own */
	u32 at, judge;
	u8 phase;
};

void lab_play_init(struct lab_play *p, struct lab_session *s);
/* On with the line that paused, else the next one, up to the first thing to tell. */
enum lab_played lab_play_next(struct lab_play *p);
/* Whether the next lab_play_next() begins a line of its own. */
bool lab_play_between(const struct lab_play *p);

/* A place in a run. */
struct lab_play_mark {
	struct lab_play play;
	struct lab_mark mark;
};
void lab_play_mark(struct lab_play *p, struct lab_play_mark *mark);
void lab_play_back(struct lab_play *p, const struct lab_play_mark *mark);

/*
 * What a run broke, so that another one can be said to break the same: a rule, one expectation, or
 * how it got stuck.
 */
enum lab_target_kind {
	LAB_TARGET_NONE,
	LAB_TARGET_RULE,   /* an oracle, by name */
	LAB_TARGET_EXPECT, /* the expectation at op does not hold */
	LAB_TARGET_STUCK,  /* "deadlock", or "no progress" */
};
struct lab_target {
	enum lab_target_kind kind;
	char rule[32];
	u32 op;
};

/* What it is that lab_play_next() has just told with @told. */
struct lab_target lab_play_target(const struct lab_play *p, enum lab_played told);
/* Whether it is @t; of several rules that break at once any may be it. */
bool lab_play_meets(const struct lab_play *p, enum lab_played told, const struct lab_target *t);
/*
 * lab_play_until - on until @t is met (true), or the run ends without it.
 * Another rule or another way to get stuck ends it too; another expectation that fails does not.
 */
bool lab_play_until(struct lab_play *p, const struct lab_target *t);
/* The target in words: "rule no-data-loss", "the expectation of line 7", "deadlock". */
void lab_target_text(const struct lab_scenario *sc, const struct lab_target *t, char *buf,
		     size_t len);

#endif
